//! Coordinates and postcodes.

/// Whether the text is a latitude and a longitude in decimal degrees, each in its range
/// (ISO 6709:2022 § 6), with three decimals or more and not both zero.
pub(super) fn coordinate(text: &str) -> bool {
    let fine = |part: &str| part.split_once('.').is_some_and(|(_, decimals)| decimals.len() >= 3);
    degrees(text).is_some_and(|parts| parts.iter().all(|part| fine(part)))
}

/// Whether the text, which says that it is one, is a latitude and a longitude in decimal degrees,
/// each in its range and not both zero: `geo:48.2,16.4` (RFC 5870), `lat: 48.2, lon: 16.4`.
pub(super) fn position(text: &str) -> bool {
    degrees(text).is_some()
}

/// Latitude and longitude as written, where each is in its range and not both are zero.
fn degrees(text: &str) -> Option<[&str; 2]> {
    let mut parts = text
        .split([',', ';', ' ', '/', '\t'])
        .map(|part| part.trim_matches(|c: char| !c.is_ascii_digit() && c != '-' && c != '.'))
        .filter(|part| part.bytes().any(|byte| byte.is_ascii_digit()));
    let (Some(latitude), Some(longitude), None) = (parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let within =
        |part: &str, bound: f64| part.parse::<f64>().is_ok_and(|value| value.abs() <= bound);
    let zero = |part: &str| part.bytes().all(|byte| !matches!(byte, b'1'..=b'9'));
    let holds =
        within(latitude, 90.0) && within(longitude, 180.0) && !(zero(latitude) && zero(longitude));
    holds.then_some([latitude, longitude])
}

/// Whether the text can be a street with its number: three letters in a row, and a house number,
/// the first or last number of the text, of at most five digits that is not 0.
pub(super) fn address(text: &str) -> bool {
    let mut letters = 0;
    let mut word = false;
    for character in text.chars() {
        letters = if character.is_alphabetic() { letters + 1 } else { 0 };
        word |= letters >= 3;
    }
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    let house = |run: &str| run.len() <= 5 && run.bytes().any(|byte| byte != b'0');
    let numbered =
        numbers.next().is_some_and(|first| house(first) || numbers.next_back().is_some_and(house));
    // Spanish for "without number".
    let unnumbered = text.contains("s/n");
    // A solid angle is no corner of a town.
    let angle = text.starts_with("Raumwinkel");
    word && (numbered || unnumbered) && !angle && text.chars().count() <= ADDRESS_MAX
}

/// Whether the text can be a street behind its number, as in English: as [`address`], and no month,
/// unit or form of address among its words, since `St` and `Dr` are also saints and doctors
/// (`12 March St Patrick`, `10 Uhr Dr. Beispiel`).
pub(super) fn address_number_first(text: &str) -> bool {
    let unlike = |word: &str| {
        super::calendar::is_month(word)
            || NO_STREET_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
    };
    address(text) && !text.split(|c: char| !c.is_alphanumeric()).any(unlike)
}

/// What follows a number in German, Dutch and French before `St` or `Dr`.
const NO_STREET_WORDS: &[&str] = &[
    "Uhr",
    "Uur",
    "Heures",
    "Herr",
    "Herrn",
    "Hr",
    "Frau",
    "Fr",
    "MM",
    "Mme",
    "Mmes",
    "Mevrouw",
    "Mijnheer",
    "Personen",
    "Euro",
    "EUR",
    "USD",
    "Prozent",
    "Millionen",
    "Milliarden",
    "Minuten",
    "Stunden",
    "Tage",
    "Wochen",
    "Monate",
    "Jahre",
    "Stück",
    "Kinder",
    "Patienten",
    "Mitarbeiter",
    "Punkte",
    "Seite",
    "Seiten",
    "Zeile",
    "Zimmer",
    "Raum",
    "Abs",
    "Satz",
    "Nr",
    "No",
];

/// Characters.
const ADDRESS_MAX: usize = 200;

/// Whether the text is a British postcode: the forms and the letters each place allows.
///
/// BS 7666-2, Royal Mail Postcode Address File: no Q, V, X first, no I, J, Z second, and none of
/// C, I, K, M, O, V in the last two places.
pub(super) fn gb_postcode(text: &str) -> bool {
    let mut code = [0u8; 7];
    let mut length = 0;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let Some(slot) = code.get_mut(length) else { return false };
        *slot = byte.to_ascii_uppercase();
        length += 1;
    }
    let Some((outward, inward)) = length.checked_sub(3).map(|split| code[..length].split_at(split))
    else {
        return false;
    };
    let inward_fits = inward[0].is_ascii_digit()
        && inward[1..].iter().all(|byte| byte.is_ascii_uppercase() && !b"CIKMOV".contains(byte));
    let first = |byte: u8| byte.is_ascii_uppercase() && !b"QVX".contains(&byte);
    let second = |byte: u8| byte.is_ascii_uppercase() && !b"IJZ".contains(&byte);
    let digit = |byte: u8| byte.is_ascii_digit();
    let outward_fits = match *outward {
        [a, n] => first(a) && digit(n),
        [a, b, n] if digit(b) => first(a) && (digit(n) || b"ABCDEFGHJKPSTUW".contains(&n)),
        [a, b, n] => first(a) && second(b) && digit(n),
        [a, b, n, m] => {
            first(a) && second(b) && digit(n) && (digit(m) || b"ABEHMNPRVWXY".contains(&m))
        }
        _ => false,
    };
    inward_fits && (outward_fits || (outward == b"GIR" && inward == b"0AA"))
}

#[cfg(test)]
mod tests {
    use super::{address, address_number_first, coordinate, gb_postcode, position};

    #[test]
    fn streets() {
        for text in [
            "Hauptstraße 12",
            "221B Baker St",
            "Via Roma 10, 00184 Roma",
            "ul. Długa 5",
            "Avda. Mayor, s/n",
        ] {
            assert!(address(text), "{text}");
        }
        for text in ["12 High Street", "221B Baker St", "6649 N Blue Gum St"] {
            assert!(address_number_first(text), "{text}");
        }
        for text in ["12 March St", "10 Uhr Dr", "3 MM. Louis Dr", "Baker St"] {
            assert!(!address_number_first(text), "{text}");
        }
        for text in ["Hauptstraße", "Hauptstraße 0", "12 34", "A 1", "Weg 123456"] {
            assert!(!address(text), "{text}");
        }
    }

    #[test]
    fn coordinates() {
        for text in
            ["52.5200, 13.4050", "-33.8688,151.2093", "48.85837 2.29448", "lat=52.520, lon=13.405"]
        {
            assert!(coordinate(text), "{text}");
        }
        for text in [
            "91.0000, 13.4050",
            "52.5200, 181.0000",
            "52.52, 13.40",
            "0.000, 0.000",
            "52.5200",
            "1.234, 5.678, 9.012",
        ] {
            assert!(!coordinate(text), "{text}");
        }
    }

    #[test]
    fn positions() {
        for text in ["geo:48.2,16.4", "lat: 48.8584, lng: 2.2945", "-33,151"] {
            assert!(position(text), "{text}");
        }
        for text in ["geo:91,16.4", "lat: 48.8, lng: 190.2", "geo:0,0", "48.2"] {
            assert!(!position(text), "{text}");
        }
    }

    #[test]
    fn british_postcodes() {
        for text in [
            "M1 1AA", "M60 1NW", "W1A 1HQ", "CR2 6XH", "DN55 1PT", "EC1A 1BB", "dn551pt", "GIR 0AA",
        ] {
            assert!(gb_postcode(text), "{text}");
        }
        for text in
            ["QA1 1AA", "VA1 1AA", "M1 1CA", "M1 1AI", "M1 AAA", "AAA1 1AA", "1AA", "EC1I 1BB"]
        {
            assert!(!gb_postcode(text), "{text}");
        }
    }
}
