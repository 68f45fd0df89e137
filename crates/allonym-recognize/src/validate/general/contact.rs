//! E-mail addresses, web addresses, user names.

/// Whether the text is a mailbox as people write it: `local@domain`, no quoting, no comments.
///
/// RFC 5321 § 4.5.3.1 (64 octets before the `@`, 254 in all), RFC 5322 § 3.4.1 (`dot-atom`),
/// RFC 6531 (letters of any script on both sides). The last label needs two letters or more and
/// must not be a file extension (`logo@2x.png`); a package version (`left@1.2.3-rc.one`) is none.
pub(super) fn email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    if text.len() > EMAIL_BYTES_MAX || local.is_empty() || local.len() > LOCAL_BYTES_MAX {
        return false;
    }
    let atom = |character: char| {
        character.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~".contains(character)
            || (!character.is_ascii() && !character.is_whitespace() && !character.is_control())
    };
    if !local.split('.').all(|part| !part.is_empty() && part.chars().all(atom)) {
        return false;
    }
    let version = domain.split('.').take(2).all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    let extension = domain.rsplit('.').next().unwrap_or_default();
    !version
        && !FILE_EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
        && host_name(domain)
}

/// Whether the text is a mailbox with a quoted local part, `"a b"@example.com` (RFC 5321 § 4.1.2).
pub(super) fn email_quoted(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        let quoted = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
        quoted.is_some_and(|name| !name.is_empty() && local.len() <= LOCAL_BYTES_MAX)
            && email(&format!("quoted@{domain}"))
    })
}

/// Whether the text is a web address with a scheme or `www.`, and a host that can exist.
///
/// RFC 3986 § 3.2.2: a registered name with a dot, an IPv4 address, an IPv6 address in brackets,
/// or `localhost`.
pub(super) fn url(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority.rsplit('@').next().unwrap_or_default();
    if let Some(address) = host_port.strip_prefix('[') {
        return address.split(']').next().is_some_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let host = host_port.split(':').next().unwrap_or_default().trim_end_matches('.');
    let without_www = if text.contains("://") {
        host
    } else {
        let Some((www, name)) = host.split_once('.') else { return false };
        if !www.eq_ignore_ascii_case("www") {
            return false;
        }
        name
    };
    without_www.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::Ipv4Addr>().is_ok()
        || host_name(without_www)
}

/// Whether the text is a bare host name under a top-level domain that is no word of a sentence and
/// no file extension: `example.com`, not `README.md`, `fertig.Dann` or `e.g.this`.
///
/// IANA root zone database; the list holds generic and country domains that cannot be mistaken.
pub(super) fn domain(text: &str) -> bool {
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let Some((name, last)) = host.rsplit_once('.') else { return false };
    TOP_LEVEL_DOMAINS.contains(&last) && !name.is_empty() && host_name(host)
}

/// Whether the text reads as a handle rather than as a word: a digit, `_`, `-` or `.` inside, or
/// an upper-case letter after a lower-case one.
pub(super) fn username(text: &str) -> bool {
    let name = text.strip_prefix('@').unwrap_or(text).as_bytes();
    let inner = name.get(1..name.len().saturating_sub(1)).unwrap_or_default();
    name.iter().any(u8::is_ascii_alphabetic)
        && (name.iter().any(u8::is_ascii_digit)
            || inner.iter().any(|byte| matches!(byte, b'_' | b'-' | b'.'))
            || name
                .windows(2)
                .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()))
}

/// Whether the text does not itself speak of users, as names in a program do: `new_user`, `UserId`.
pub(super) fn no_user_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    !lower.is_empty() && !["user", "benutzer", "login"].iter().any(|word| lower.contains(word))
}

/// Host name of two labels or more (RFC 1123 § 2.1, RFC 5890 for letters beyond ASCII).
fn host_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_BYTES_MAX
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric())
    };
    let Some((name, last)) = host.rsplit_once('.') else { return false };
    let top = last.to_ascii_lowercase();
    let known_form = top.starts_with("xn--")
        || (last.chars().count() >= 2 && last.chars().all(char::is_alphabetic));
    host.len() <= HOST_BYTES_MAX && known_form && label(last) && name.split('.').all(label)
}

/// RFC 5321 § 4.5.3.1.3, less the angle brackets of a path (RFC 3696 erratum 1690).
const EMAIL_BYTES_MAX: usize = 254;
/// RFC 5321 § 4.5.3.1.1.
const LOCAL_BYTES_MAX: usize = 64;
/// RFC 1035 § 2.3.4, less the length octets.
const HOST_BYTES_MAX: usize = 253;
/// RFC 1035 § 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// What follows `@2x.` and its like; none of them is a top-level domain.
const FILE_EXTENSIONS: &[&str] = &[
    "bmp", "css", "csv", "doc", "docx", "exe", "gif", "gz", "htm", "html", "ico", "jpeg", "jpg",
    "js", "json", "jsx", "pdf", "php", "png", "svg", "toml", "ts", "tsx", "txt", "webp", "xls",
    "xlsx", "xml", "yaml", "yml",
];

/// Top-level domains a bare host name is believed under. Left out: words (`at`, `be`, `es`, `in`,
/// `is`, `it`, `me`, `no`, `so`, `to`) and file extensions (`md`, `pl`, `py`, `rs`, `sh`).
const TOP_LEVEL_DOMAINS: &[&str] = &[
    "ai", "app", "ar", "au", "bg", "biz", "blog", "br", "ca", "ch", "cloud", "club", "cn", "com",
    "cz", "de", "dev", "dk", "edu", "ee", "email", "eu", "fi", "fr", "gov", "gr", "hr", "hu", "ie",
    "info", "io", "jp", "kr", "li", "lt", "lu", "lv", "mil", "mobi", "mx", "net", "nl", "nz",
    "online", "org", "pt", "ro", "ru", "se", "shop", "si", "site", "sk", "store", "tr", "tv", "ua",
    "uk", "xyz", "za",
];

#[cfg(test)]
mod tests {
    use super::{domain, email, email_quoted, no_user_word, url, username};

    #[test]
    fn mailboxes() {
        for text in [
            "ada@example.com",
            "a@b.de",
            "ada.beispiel+news@mail.example.co.uk",
            "o'neill_77@example.org",
            "jörg@müller.example",
            "a@xn--d1acufc.xn--p1ai",
            "пример@пример.рф",
            "x@163.com",
        ] {
            assert!(email(text), "{text}");
        }
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long = format!("a@{}example.com", "abcdefgh.".repeat(28));
        for text in [
            "ada.example.com",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@example.c",
            "ada@example.123",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@exam ple.com",
            "ada@example..com",
            "logo@2x.png",
            "left-pad@1.2.3-rc.one",
            &long_local,
            &long,
        ] {
            assert!(!email(text), "{text}");
        }
    }

    #[test]
    fn quoted_local_parts() {
        for text in ["\"foobar\"@example.com", "\" a \\@ b \"@example.com"] {
            assert!(email_quoted(text), "{text}");
        }
        for text in ["\"\"@example.com", "foo\"@example.com", "\"foo\"@example", "\"foo\"@2x.png"] {
            assert!(!email_quoted(text), "{text}");
        }
    }

    #[test]
    fn local_part_of_64_octets_is_the_longest() {
        assert!(email(&format!("{}@example.com", "a".repeat(64))));
    }

    #[test]
    fn web_addresses() {
        for text in [
            "https://example.com",
            "http://example.com:8080/a?b=c#d",
            "https://user:word@example.com/",
            "www.example.de/seite",
            "http://[2001:db8::1]/x",
            "http://192.0.2.1/x",
            "http://localhost:3000/",
            "ftp://ftp.example.org/file",
        ] {
            assert!(url(text), "{text}");
        }
        for text in [
            "http://",
            "http://example",
            "www.example",
            "https://-bad-.com",
            "http://[2001:zz::1]/",
            "http://256.1.1.300/",
            "example.com",
        ] {
            assert!(!url(text), "{text}");
        }
    }

    #[test]
    fn bare_domains() {
        for text in ["example.com", "shop.example.de/impressum", "example.co.uk", "müller.de"] {
            assert!(domain(text), "{text}");
        }
        for text in
            ["README.md", "fertig.Dann", "main.rs", "e.g", "example.invalid", ".com", "3.14"]
        {
            assert!(!domain(text), "{text}");
        }
    }

    #[test]
    fn handles() {
        for text in ["ada_l", "yusuf92", "@ada.beispiel", "svc-portal", "adaLovelace"] {
            assert!(username(text), "{text}");
        }
        assert!(no_user_word("ada_l") && !no_user_word("new_user") && !no_user_word("UserId"));
        for text in ["ada", "Ada", "@override", "123", "_", "a-"] {
            assert!(!username(text), "{text}");
        }
    }
}
