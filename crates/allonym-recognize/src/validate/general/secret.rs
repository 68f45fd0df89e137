//! Credentials, and numbers whose only form is what stands before them.

/// Whether the text is a JSON web token: the first part is base64url of a JSON object that names
/// its algorithm (RFC 7515 § 3.1 and § 4.1.1, RFC 4648 § 5).
pub(super) fn jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(header), Some(_claims)) = (parts.next(), parts.next()) else { return false };
    if header.len() > JWT_HEADER_MAX {
        return false;
    }
    let mut json = Vec::with_capacity(header.len());
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in header.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return false,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            json.push((bits >> held).to_le_bytes()[0]);
        }
    }
    match serde_json::from_slice(&json) {
        Ok(serde_json::Value::Object(header)) => {
            header.contains_key("alg") || header.contains_key("typ")
        }
        _ => false,
    }
}

/// Whether the text carries as many different characters as a random credential does: Shannon
/// entropy of its bytes of 3.5 bits or more, a letter and a digit, and no word of a placeholder.
///
/// Sixteen characters of hexadecimal reach 3.5 on average, English prose of that length about 3.2.
pub(super) fn entropy(text: &str) -> bool {
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    letter && digit && bits_per_byte(text) >= ENTROPY_MIN && !is_placeholder(text)
}

/// Whether the text, the right side of an assignment to a password, is a value somebody chose:
/// four characters or more, and not a variable, a call, a type or a placeholder.
pub(super) fn password(text: &str) -> bool {
    let count = text.chars().count();
    let same = text.chars().all(|character| Some(character) == text.chars().next());
    let calls =
        text.contains("()") || text.contains("${") || text.contains("{{") || text.contains("$(");
    (4..=128).contains(&count)
        && !same
        && !calls
        && !text.starts_with(['$', '<', '%', '{', '[', '('])
        && !text.starts_with("process.env")
        && !text.starts_with("os.")
        && !is_placeholder(text)
}

/// Whether a word that follows "password is" in a sentence is one: a letter, and a digit or a
/// symbol inside the word.
pub(super) fn password_prose(text: &str) -> bool {
    let letter = text.chars().any(char::is_alphabetic);
    let digit = text.chars().any(|character| character.is_ascii_digit());
    let symbol = text
        .trim_end_matches(['.', ',', ';', ':', '!', '?', ')'])
        .chars()
        .any(|character| "!#$%&*+=?@^_~".contains(character));
    letter && (digit || symbol) && password(text)
}

/// Whether the text can be the number of a customer, policy, claim or file: a digit, at least
/// three letters or digits in all, and neither a date nor an amount.
pub(super) fn record_number(text: &str) -> bool {
    let count = text.bytes().filter(u8::is_ascii_alphanumeric).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let amount = text.rsplit_once(',').is_some_and(|(_, decimals)| decimals.len() == 2);
    let grouped_like_a_date = text.contains(['.', '/', '-']) && super::calendar::date(text);
    count >= 3 && digits >= 2 && !amount && !grouped_like_a_date
}

/// Whether the digits are no filler: three different ones at least.
pub(super) fn digits_vary(text: &str) -> bool {
    (b'0'..=b'9').filter(|digit| text.as_bytes().contains(digit)).count() >= 3
}

fn bits_per_byte(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    let mut total = 0u32;
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
        total += 1;
    }
    let share = |count: u32| f64::from(count) / f64::from(total);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| -share(*count) * share(*count).log2())
        .sum()
}

/// Whether the text is what documentation writes in place of a secret.
fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let whole = lower.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    PLACEHOLDERS.contains(&whole) || PLACEHOLDER_PARTS.iter().any(|part| lower.contains(part))
}

/// Bits per byte.
const ENTROPY_MIN: f64 = 3.5;
/// A header with a certificate chain is longer, and rare.
const JWT_HEADER_MAX: usize = 4096;

const PLACEHOLDERS: &[&str] = &[
    "bool",
    "env",
    "false",
    "getpass",
    "hidden",
    "input",
    "int",
    "masked",
    "nil",
    "none",
    "null",
    "optional",
    "password",
    "passwort",
    "redacted",
    "required",
    "reset",
    "secret",
    "self",
    "str",
    "string",
    "text",
    "token",
    "true",
    "undefined",
    "varchar",
    "wachtwoord",
];

const PLACEHOLDER_PARTS: &[&str] =
    &["***", "...", "<your", "xxxx", "your_", "your-", "_here", "-here", "placeholder", "changeme"];

#[cfg(test)]
mod tests {
    use super::{digits_vary, entropy, jwt, password, password_prose, record_number};

    #[test]
    fn web_tokens() {
        // RFC 7519 § 3.1, RFC 7515 § A.2 (header only matters).
        for text in [
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ.dBjftJeZ4CVP",
            "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB",
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UifQ.",
        ] {
            assert!(jwt(text), "{text}");
        }
        for text in [
            "eyJhbGciOiJSUzI1NiJ.eyJpc3MiOiJqb2UifQ.x",
            "eyJmb28iOiJiYXIifQ.eyJpc3MiOiJqb2UifQ.x",
            "org.example.package",
            "eyJhbGciOiJSUzI1NiJ9",
            "W10.W10.x",
        ] {
            assert!(!jwt(text), "{text}");
        }
    }

    #[test]
    fn random_strings() {
        for text in
            ["gbifAIA1sh9JGU6SLWiNbN0p", "q7Zt0Lw3Xk9Vb2Nd", "8f14e45fceea167a5a36dedd4bea2543"]
        {
            assert!(entropy(text), "{text}");
        }
        for text in [
            "aaaaaaaaaaaaaaaa1",
            "thisissomeordinarytext",
            "1234567890123456",
            "your_api_key_here_1234",
            "abcabcabcabc1",
        ] {
            assert!(!entropy(text), "{text}");
        }
    }

    #[test]
    fn chosen_passwords() {
        for text in ["Kr0k0d!l-77", "hunter2", "correct horse", "Ajax020ww!", "s3cr3t"] {
            assert!(password(text), "{text}");
        }
        for text in [
            "None",
            "null",
            "${DB_PASSWORD}",
            "<password>",
            "********",
            "getpass()",
            "abc",
            "os.environ",
        ] {
            assert!(!password(text), "{text}");
        }
        for text in ["Fener1907!!", "Plum-Kettle-41!", "Ajax020ww!", "g@rten"] {
            assert!(password_prose(text), "{text}");
        }
        for text in ["abgelaufen", "wrong.", "reset!", "20240611", "required", "user-defined"] {
            assert!(!password_prose(text), "{text}");
        }
    }

    #[test]
    fn numbers_of_records() {
        for text in
            ["KD-5590-217", "C-2024-118830", "4471-A", "BE-00.417", "6 118 207", "UV 20 55 711 903"]
        {
            assert!(record_number(text), "{text}");
        }
        for text in ["01.02.2024", "12,50", "AB", "Nummer", "1", "2024-05-06"] {
            assert!(!record_number(text), "{text}");
        }
        assert!(digits_vary("94545"));
        assert!(!digits_vary("11221122"));
    }
}
