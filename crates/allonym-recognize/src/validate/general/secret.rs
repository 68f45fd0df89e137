//! Credentials, and numbers whose only form is what stands before them.

/// Whether the text is a JSON web token: the first part is base64url of a JSON object that names
/// its algorithm (RFC 7515 § 3.1 and § 4.1.1, RFC 4648 § 5).
pub(super) fn jwt(text: &str) -> bool {
    let mut parts = text.split('.');
    let (Some(header), Some(_claims)) = (parts.next(), parts.next()) else { return false };
    let Some(json) = base64(header) else { return false };
    match serde_json::from_slice(&json) {
        Ok(serde_json::Value::Object(header)) => header.contains_key("alg"),
        _ => false,
    }
}

/// Whether the text is base64 of a name, a colon and a password (RFC 7617 § 2).
pub(super) fn basic_credentials(text: &str) -> bool {
    let bytes = base64(text.trim_end_matches('='));
    bytes.is_some_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(credential_pair))
}

/// Whether the text is base64 of text: padded, and UTF-8 without control characters but white space.
pub(super) fn base64_text(text: &str) -> bool {
    let plain = |text: &str| !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && base64(text.trim_end_matches('='))
            .is_some_and(|bytes| std::str::from_utf8(&bytes).is_ok_and(plain))
}

/// Whether the text is a name, which may be empty, a colon and a password that somebody chose.
pub(super) fn credential_pair(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, word)| {
        let word = word.trim_start_matches(['"', '\'']);
        word.chars().count() >= 3
            && !text.chars().any(char::is_control)
            && (name.is_empty() || password_value(name))
            && name != word
            && password_value(word)
    })
}

/// Whether the text is an address with a password in it (`scheme://name:password@host`, RFC 3986
/// § 3.2.1) that somebody chose.
pub(super) fn credential_url(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let Some((credentials, host)) = rest.rsplit_once('@') else { return false };
    let Some((_, word)) = credentials.split_once(':') else { return false };
    !host.is_empty() && word.chars().count() >= 3 && (password_value(word) || word == "secret")
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

/// Whether the text, the right side of an assignment to a key, token or secret, is one: as
/// [`entropy`] and sixteen characters long, or ten characters among which letters and digits
/// change places three times, as they seldom do in names and words.
pub(super) fn assigned_secret(text: &str) -> bool {
    (text.len() >= 16 && entropy(text))
        || (text.len() >= 10
            && turns(text, |byte| byte.is_ascii_digit()) >= 3
            && bits_per_byte(text) >= ENTROPY_SHORT_MIN
            && text.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !is_placeholder(text))
}

/// Whether a short value reads as random: a digit, and five times the kind of character changes
/// between digits, upper case and lower case.
pub(super) fn jumbled(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit();
    let upper = |byte: u8| byte.is_ascii_uppercase();
    text.bytes().any(digit) && turns(text, digit) + turns(text, upper) >= 5 && !is_placeholder(text)
}

/// How often one letter or digit is of a kind and its neighbour is not.
fn turns(text: &str, of_kind: impl Fn(u8) -> bool) -> usize {
    let pairs = text.as_bytes().windows(2);
    pairs
        .filter(|pair| {
            pair.iter().all(u8::is_ascii_alphanumeric) && of_kind(pair[0]) != of_kind(pair[1])
        })
        .count()
}

/// Whether upper case, lower case and digits all occur, as in base64 of random bytes and seldom in a
/// path.
pub(super) fn mixed_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether the text, the right side of an assignment to a password, is a value somebody chose:
/// four characters or more, and not a variable, a call, a type or a placeholder.
pub(super) fn password(text: &str) -> bool {
    (4..=128).contains(&text.chars().count()) && password_value(text)
}

fn password_value(text: &str) -> bool {
    let same = text.chars().all(|character| text.starts_with(character));
    let calls =
        text.contains("()") || text.contains("${") || text.contains("{{") || text.contains("$(");
    !same
        && !calls
        && !text.starts_with(['$', '<', '%', '{', '[', '(', ',', ';', ':', ')', '/'])
        && !text.starts_with("ENC[")
        && !text.starts_with("&lt;")
        && !text.starts_with("process.env")
        && !text.starts_with("os.")
        && !is_placeholder(text)
        && !names_a_secret(text)
}

/// Whether the text is the name or place of a secret rather than one: words of small letters with
/// marks between them, one of which says what it is (`forgot-password`, `cms/passwords#edit`).
fn names_a_secret(text: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_lowercase() || b"-_#./".contains(&byte);
    text.bytes().all(name)
        && text.bytes().any(|byte| !byte.is_ascii_lowercase())
        && ["password", "passwort", "secret", "token"].iter().any(|word| text.contains(word))
}

/// Whether the text, the unquoted right side of an assignment to a password, is one: as
/// [`password`], and a digit or a symbol in it or letters of both cases, since a bare word is most
/// often a variable or a type.
pub(super) fn password_plain(text: &str) -> bool {
    let any = |kind: fn(char) -> bool| text.chars().any(kind);
    let mixed = any(char::is_lowercase) && text.chars().skip(1).any(char::is_uppercase);
    let symbol = any(|c| "!#$%&*+=?^~@-".contains(c));
    let reads = text.contains(['[', '(', '/', '\\']) || text.starts_with('@');
    password(text) && !reads && !is_path(text) && (any(|c| c.is_ascii_digit()) || mixed || symbol)
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
    letter && (digit || symbol) && password(text) && !is_path(text)
}

/// Whether a token that holds letters only looks random: both cases, mixed, and enough of them.
pub(super) fn random_letters(text: &str) -> bool {
    let turns = text
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() != pair[1].is_ascii_lowercase())
        .count();
    turns >= 8 && bits_per_byte(text) >= ENTROPY_MIN && !is_placeholder(text)
}

/// Whether a token behind a prefix that is proof enough is no placeholder: five different
/// characters, and no word of one.
pub(super) fn record_word(text: &str) -> bool {
    let different = (0..=u8::MAX).filter(|byte| text.as_bytes().contains(byte)).count();
    text.is_ascii()
        && different >= 5
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && !is_placeholder(text)
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

/// Whether a digit other than 0 is among the characters.
pub(super) fn digits_present(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

/// Whether the digits are no filler: three different ones at least.
pub(super) fn digits_vary(text: &str) -> bool {
    (b'0'..=b'9').filter(|digit| text.as_bytes().contains(digit)).count() >= 3
}

/// Whether the text names something in a program: words of letters, digits and `_`, joined by dots.
fn is_path(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|part| {
            part.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// Bytes of base64 or base64url without padding (RFC 4648 § 4 and § 5); bits left over are dropped.
fn base64(text: &str) -> Option<Vec<u8>> {
    if text.len() > BASE64_MAX {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held).to_le_bytes()[0]);
        }
    }
    Some(bytes)
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
/// Bits per byte where letters and digits change places; ten of thirteen characters differ.
const ENTROPY_SHORT_MIN: f64 = 2.9;
/// Characters. A token header with a certificate chain is longer, and rare.
const BASE64_MAX: usize = 4096;

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

const PLACEHOLDER_PARTS: &[&str] = &[
    "***",
    "...",
    "<your",
    "xxxx",
    "your_",
    "your-",
    "_here",
    "-here",
    "placeholder",
    "changeme",
    "example",
    "redacted",
    "abcdefghijklmn",
    "a1b2c3d4",
];

#[cfg(test)]
mod tests {
    use super::*;

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
    fn addresses_with_a_password() {
        for text in [
            "postgres://app:s3cr3t-7@db.example.com/x",
            "redis://:Kr0k0d1l@cache:6379",
            "postgresql://user:secret@localhost",
            "https://a:b@c@example.com",
        ] {
            assert!(credential_url(text), "{text}");
        }
        for text in [
            "postgres://app@db.example.com/x",
            "postgres://app:${PASSWORD}@db/x",
            "https://example.com",
            "postgres://user:password@localhost/x",
            "mysql://root:****@db",
        ] {
            assert!(!credential_url(text), "{text}");
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
    fn assigned_values() {
        for text in [
            "gbifAIA1sh9JGU6SLWiNbN0p",
            "x9iwxq8jkkjjhhkt",
            "3fea6af1349166ea",
            "1f3fdfa159e78fb5ca4eabfe33df7e34fe8f86fe",
        ] {
            assert!(assigned_secret(text), "{text}");
        }
        for text in ["user_token_v2", "SalesResults-1.2", "2024-05-06T10", "a1b2c3d4e5f6g7h8"] {
            assert!(!assigned_secret(text), "{text}");
        }
        for text in ["suG7Ixx4pQwZk1", "z9du7jwp1axg7le"] {
            assert!(jumbled(text), "{text}");
        }
        for text in ["applications", "Version2", "0000000000000000", "getUserToken"] {
            assert!(!jumbled(text), "{text}");
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
            "#add-password",
            "cms/sites/passwords#update",
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
    fn unquoted_passwords() {
        for text in ["Inv3nted-pw", "hunter2", "geheim!", "camelCasePass"] {
            assert!(password_plain(text), "{text}");
        }
        for text in
            ["string", "self.password", "request.form", "getPassword()", "config[pw]", "/etc/x1"]
        {
            assert!(!password_plain(text), "{text}");
        }
    }

    #[test]
    fn basic_authentication() {
        // RFC 7617 § 2: Aladdin:open sesame; § 2.1: test:123£.
        for text in ["QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "dGVzdDoxMjPCow=="] {
            assert!(basic_credentials(text), "{text}");
        }
        for text in ["QWxhZGRpbg==", "authentication", "dXNlcjpwYXNzd29yZA==", "OnB3"] {
            assert!(!basic_credentials(text), "{text}");
        }
        assert!(credential_pair("ada:n0tR34l"));
        assert!(credential_pair(":n0tR34l") && credential_pair("ada:'n0tR34l"));
        assert!(!credential_pair("ada:") && !credential_pair("ada:ada"));
        assert!(!credential_pair("$USER:$WORD"));
    }

    #[test]
    fn encoded_text() {
        assert!(base64_text("bm90LXJlYWwtNDEtaW52ZW50ZWQ=") && base64_text("YmFyCg=="));
        assert!(!base64_text("creationPolicy") && !base64_text("/////w==") && !base64_text("-"));
    }

    #[test]
    fn tokens_behind_a_prefix() {
        for text in ["AKIAZ5FAKEFAKE2FAKE7", "sk_live_Fak3Fak3"] {
            assert!(record_word(text), "{text}");
        }
        for text in ["AKIAXXXXXXXXXXXXXXXX", "sk_live_your_key", "aaaa"] {
            assert!(!record_word(text), "{text}");
        }
        for text in ["q7Zt0Lw3Xk9", "Aa1", "/x/Y/9"] {
            assert!(mixed_case(text), "{text}");
        }
        for text in ["/api/v1/authentication/sso/login", "ABC123", "abcDEF"] {
            assert!(!mixed_case(text), "{text}");
        }
        assert!(random_letters("hf_FakeFakeFakeNotRealTokenAbCdEfGhIj"));
        assert!(!random_letters("hf_configurationofthetokenizermodels"));
        assert!(!random_letters("hf_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
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
        for text in ["94545", "12-34", "x1y2z3"] {
            assert!(digits_vary(text) && digits_present(text), "{text}");
        }
        for text in ["0,00", "no", "0000"] {
            assert!(!digits_vary(text) && !digits_present(text), "{text}");
        }
        assert!(!digits_vary("11221122"));
    }
}
