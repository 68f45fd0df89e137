//! Cards, accounts, banks and the parties to a payment.

use super::super::arithmetic::{alnum, digits, exactly, luhn, mod97, weighted_sum};
use super::super::by_name;

/// Whether the text is a payment card number: 12 to 19 digits, an issuer range in use, a length
/// that issuer has, Luhn.
///
/// ISO/IEC 7812-1:2017 § 4 and annex B; ranges as the networks publish them. One digit repeated is
/// a placeholder; the networks' published test numbers are cards by form.
pub(super) fn credit_card(text: &str) -> bool {
    let count = digits(text).count();
    if !(12..=19).contains(&count) || !luhn(digits(text)) {
        return false;
    }
    let prefix = digits(text).take(6).fold(0u32, |prefix, digit| prefix * 10 + u32::from(digit));
    let issued = CARD_RANGES.iter().any(|range| {
        (range.first..=range.last).contains(&prefix) && range.lengths.contains(&count)
    });
    let different = (0..10).filter(|digit| digits(text).any(|other| other == *digit)).count();
    issued && different >= 2
}

/// Whether the text is track 1 or 2 of a card's stripe, whose number up to the first separator is
/// that of a card (ISO/IEC 7813:2006 § 6).
pub(super) fn card_track(text: &str) -> bool {
    let number = text.trim_start_matches(['%', ';', 'B', 'b']).split(['^', '=']).next();
    text.contains(['^', '=']) && number.is_some_and(credit_card)
}

/// Whether the text is a card number of any issuer: 12 to 19 digits, Luhn, four different digits.
/// For use next to a word that says so: issuers number anew.
pub(super) fn card_of_any_issuer(text: &str) -> bool {
    let different = (0..10).filter(|digit| digits(text).any(|other| other == *digit)).count();
    (12..=19).contains(&digits(text).count()) && different >= 4 && luhn(digits(text))
}

/// Whether the text is an IBAN: the country's length and account structure, check digits.
///
/// ISO 13616-1:2020 § 5 (modulus 97), SWIFT IBAN Registry (release 99) for lengths and structures.
pub(super) fn iban(text: &str) -> bool {
    let mut account = [0u8; IBAN_MAX];
    let Some(account) = compact(text, &mut account) else { return false };
    let Some((head, bban)) = account.split_at_checked(4) else { return false };
    let Some(country) = iban_country(head) else { return false };
    let check = (head[2], head[3]);
    head[2].is_ascii_digit()
        && head[3].is_ascii_digit()
        // Remainders 0 and 1 are written 97 and 98 (ISO 7064 § 7).
        && !matches!(check, (b'0', b'0' | b'1') | (b'9', b'9'))
        && follows(country.structure, bban)
        && mod97(bban.iter().chain(head).copied()) == Some(1)
        && has_national_check(head, bban)
}

/// Whether an account that has check digits of its own in the numbering of its country fits them.
fn has_national_check(head: &[u8], bban: &[u8]) -> bool {
    let check = match head {
        [b'B', b'E', ..] => "be_payment",
        [b'E', b'S', ..] => "es_bank_account",
        [b'N', b'O', ..] => "no_account",
        _ => return true,
    };
    let passes = |bban: &str| by_name(check).is_some_and(|check| (check.run)(bban));
    std::str::from_utf8(bban).is_ok_and(passes)
}

/// Whether the text looks like an IBAN that somebody mistyped rather than a placeholder: a known
/// country, two check digits that are not `00`, a length off by at most two, and four different
/// digits behind them. For use next to a word that says so: the number of a person with one digit
/// wrong is still theirs. A right one with something behind it is none.
pub(super) fn iban_mistyped(text: &str) -> bool {
    let mut account = [0u8; IBAN_MAX];
    let Some(account) = compact(text, &mut account) else { return false };
    let Some((head, bban)) = account.split_at_checked(4) else { return false };
    let Some(country) = iban_country(head) else { return false };
    let different = (b'0'..=b'9').filter(|digit| bban.contains(digit)).count();
    let length = structure_length(country.structure);
    let right = bban.get(..length).is_some_and(|bban| {
        follows(country.structure, bban) && mod97(bban.iter().chain(head).copied()) == Some(1)
    });
    head[2].is_ascii_digit()
        && head[3].is_ascii_digit()
        && head.get(2..) != Some(b"00".as_slice())
        && length.abs_diff(bban.len()) <= 2
        && different >= 4
        && !right
}

/// Whether the text is shaped as a business identifier code and names a country that exists.
///
/// ISO 9362:2022 § 5: four letters or digits (letters in all codes in use), ISO 3166-1 country,
/// two for the party, three for the branch.
pub(super) fn bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (8 | 11, Some(country)) = (bytes.len(), bytes.get(4..6)) else { return false };
    bytes[..4].iter().all(u8::is_ascii_uppercase)
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && COUNTRIES.as_bytes().chunks(2).any(|known| known == country)
        // A second location character 0 marks a test code; 1 a passive one, which people write.
        && bytes[7] != b'0'
}

/// Whether the text is a legal entity identifier: 18 letters or digits and two check digits.
///
/// ISO 17442-1:2020 § 5, ISO/IEC 7064 MOD 97-10.
pub(super) fn lei(text: &str) -> bool {
    let Some(code) = exactly::<20>(alnum(text)) else { return false };
    code[18..].iter().all(u8::is_ascii_digit)
        && code.iter().any(u8::is_ascii_alphabetic)
        && mod97(code) == Some(1)
}

/// Whether the text is a SEPA creditor identifier: country, check digits, a business code of three
/// that the check skips, and the national identifier.
///
/// European Payments Council EPC262-08 v7.0 § 1; modulus 97 as in an IBAN.
pub(super) fn sepa_creditor_id(text: &str) -> bool {
    let code = || alnum(text);
    let count = code().count();
    let letters = code().take(2).all(|byte| byte.is_ascii_uppercase());
    let check = code().skip(2).take(2).all(|byte| byte.is_ascii_digit());
    let national = code().skip(7);
    (8..=35).contains(&count)
        && letters
        && check
        && national.clone().any(|byte| byte.is_ascii_digit())
        && mod97(national.chain(code().take(4))) == Some(1)
}

/// Whether the text is an ABA routing transit number: nine digits, weights 3, 7, 1, modulus 10,
/// a Federal Reserve prefix in use.
///
/// ANSI X9.100-160-1; American Bankers Association, Key to Routing Numbers.
pub(super) fn aba_routing(text: &str) -> bool {
    let Some(number) = exactly::<9>(digits(text)) else { return false };
    let prefix = number[0] * 10 + number[1];
    let known = matches!(prefix, 1..=12 | 21..=32 | 61..=72 | 80);
    known && weighted_sum(number, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// Letters and digits in upper case, without separators; `None` where they are too many.
fn compact<'a>(text: &str, room: &'a mut [u8; IBAN_MAX]) -> Option<&'a [u8]> {
    let mut length = 0;
    for byte in alnum(text) {
        *room.get_mut(length)? = byte;
        length += 1;
    }
    room.get(..length)
}

fn iban_country(head: &[u8]) -> Option<&'static IbanCountry> {
    let code = [head[0], head[1]];
    IBAN_COUNTRIES.iter().find(|country| country.code.as_bytes() == code)
}

/// Whether `bban` follows a structure as the registry writes it without `!`: `8n10n` is eight and
/// ten digits, `a` is a letter, `c` a letter or digit.
fn follows(structure: &str, bban: &[u8]) -> bool {
    let mut rest = bban;
    for (length, kind) in parts(structure) {
        let Some((part, behind)) = rest.split_at_checked(length) else { return false };
        let fits = match kind {
            b'n' => part.iter().all(u8::is_ascii_digit),
            b'a' => part.iter().all(u8::is_ascii_uppercase),
            _ => true,
        };
        if !fits {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

fn structure_length(structure: &str) -> usize {
    parts(structure).map(|(length, _)| length).sum()
}

fn parts(structure: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut length = 0;
    structure.bytes().filter_map(move |byte| {
        if byte.is_ascii_digit() {
            length = length * 10 + usize::from(byte - b'0');
            return None;
        }
        Some((std::mem::take(&mut length), byte))
    })
}

struct CardRange {
    first: u32,
    last: u32,
    lengths: &'static [usize],
}

const fn cards(first: u32, last: u32, lengths: &'static [usize]) -> CardRange {
    CardRange { first, last, lengths }
}

/// Issuer identification numbers by their first six digits.
const CARD_RANGES: &[CardRange] = &[
    // UATP
    cards(100_000, 179_999, &[15]),
    // JCB of the first years
    cards(180_000, 180_099, &[15]),
    cards(213_100, 213_199, &[15]),
    // Mir, Mastercard 2-series
    cards(220_000, 220_499, &[16, 17, 18, 19]),
    cards(222_100, 272_099, &[16]),
    // Diners Club, American Express, JCB
    cards(300_000, 305_999, &[14, 15, 16, 17, 18, 19]),
    cards(309_500, 309_599, &[14, 15, 16, 17, 18, 19]),
    cards(340_000, 349_999, &[15]),
    cards(352_800, 358_999, &[16, 17, 18, 19]),
    cards(360_000, 369_999, &[14, 15, 16, 17, 18, 19]),
    cards(370_000, 379_999, &[15]),
    cards(380_000, 399_999, &[14, 16, 17, 18, 19]),
    // Visa
    cards(400_000, 499_999, &[13, 16, 19]),
    // Mastercard, Maestro
    cards(500_000, 509_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    cards(510_000, 559_999, &[16]),
    cards(560_000, 589_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    // Discover, Maestro, RuPay, UnionPay, InstaPayment, Verve
    cards(600_000, 609_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    cards(610_000, 619_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    cards(620_000, 629_999, &[16, 17, 18, 19]),
    cards(630_000, 639_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    cards(640_000, 659_999, &[16, 17, 18, 19]),
    cards(670_000, 679_999, &[12, 13, 14, 15, 16, 17, 18, 19]),
    cards(810_000, 817_199, &[16, 17, 18, 19]),
    // Troy
    cards(979_200, 979_289, &[16]),
];

/// 34 characters (ISO 13616-1 § 5) and two by which a mistyped one may be longer.
const IBAN_MAX: usize = 36;

struct IbanCountry {
    code: &'static str,
    structure: &'static str,
}

const fn bban(code: &'static str, structure: &'static str) -> IbanCountry {
    IbanCountry { code, structure }
}

/// SWIFT IBAN Registry; the structure is the BBAN's, behind country and check digits.
const IBAN_COUNTRIES: &[IbanCountry] = &[
    bban("DE", "8n10n"),
    bban("NL", "4a10n"),
    bban("FR", "5n5n11c2n"),
    bban("BE", "3n7n2n"),
    bban("AT", "5n11n"),
    bban("ES", "4n4n1n1n10n"),
    bban("IT", "1a5n5n12c"),
    bban("GB", "4a6n8n"),
    bban("IE", "4a6n8n"),
    bban("CH", "5n12c"),
    bban("PL", "8n16n"),
    bban("AD", "4n4n12c"),
    bban("AE", "3n16n"),
    bban("AL", "8n16c"),
    bban("AZ", "4a20c"),
    bban("BA", "3n3n8n2n"),
    bban("BG", "4a4n2n8c"),
    bban("BH", "4a14c"),
    bban("BI", "5n5n11n2n"),
    bban("BR", "8n5n10n1a1c"),
    bban("BY", "4c4n16c"),
    bban("CR", "4n14n"),
    bban("CY", "3n5n16c"),
    bban("CZ", "4n6n10n"),
    bban("DJ", "5n5n11n2n"),
    bban("DK", "4n9n1n"),
    bban("DO", "4c20n"),
    bban("EE", "2n2n11n1n"),
    bban("EG", "4n4n17n"),
    bban("FI", "3n11n"),
    bban("FK", "2a12n"),
    bban("FO", "4n9n1n"),
    bban("GE", "2a16n"),
    bban("GI", "4a15c"),
    bban("GL", "4n9n1n"),
    bban("GR", "3n4n16c"),
    bban("GT", "4c20c"),
    bban("HN", "4a20n"),
    bban("HR", "7n10n"),
    bban("HU", "3n4n1n15n1n"),
    bban("IL", "3n3n13n"),
    bban("IQ", "4a3n12n"),
    bban("IS", "4n2n6n10n"),
    bban("JO", "4a4n18c"),
    bban("KW", "4a22c"),
    bban("KZ", "3n13c"),
    bban("LB", "4n20c"),
    bban("LC", "4a24c"),
    bban("LI", "5n12c"),
    bban("LT", "5n11n"),
    bban("LU", "3n13c"),
    bban("LV", "4a13c"),
    bban("LY", "3n3n15n"),
    bban("MC", "5n5n11c2n"),
    bban("MD", "2c18c"),
    bban("ME", "3n13n2n"),
    bban("MK", "3n10c2n"),
    bban("MN", "4n12n"),
    bban("MR", "5n5n11n2n"),
    bban("MT", "4a5n18c"),
    bban("MU", "4a2n2n12n3n3a"),
    bban("NI", "4a20n"),
    bban("NO", "4n6n1n"),
    bban("OM", "3n16c"),
    bban("PK", "4a16c"),
    bban("PS", "4a21c"),
    bban("PT", "4n4n11n2n"),
    bban("QA", "4a21c"),
    bban("RO", "4a16c"),
    bban("RS", "3n13n2n"),
    bban("RU", "9n5n15c"),
    bban("SA", "2n18c"),
    bban("SC", "4a2n2n16n3a"),
    bban("SD", "2n12n"),
    bban("SE", "3n16n1n"),
    bban("SI", "5n8n2n"),
    bban("SK", "4n6n10n"),
    bban("SM", "1a5n5n12c"),
    bban("SO", "4n3n12n"),
    bban("ST", "4n4n11n2n"),
    bban("SV", "4a20n"),
    bban("TL", "3n14n2n"),
    bban("TN", "2n3n13n2n"),
    bban("TR", "5n1n16c"),
    bban("UA", "6n19c"),
    bban("VA", "3n15n"),
    bban("VG", "4a16n"),
    bban("XK", "4n10n2n"),
    bban("YE", "4a4n18c"),
    // In use, and not in the registry.
    bban("AO", "21n"),
    bban("BF", "2c22n"),
    bban("BJ", "2c22n"),
    bban("CF", "23n"),
    bban("CG", "23n"),
    bban("CI", "2a22n"),
    bban("CM", "23n"),
    bban("CV", "21n"),
    bban("DZ", "22n"),
    bban("GA", "23n"),
    bban("GQ", "23n"),
    bban("GW", "2c19n"),
    bban("IR", "22n"),
    bban("KM", "23n"),
    bban("MA", "24n"),
    bban("MG", "23n"),
    bban("ML", "2c22n"),
    bban("MZ", "21n"),
    bban("NE", "2a22n"),
    bban("SN", "2c22n"),
    bban("TD", "23n"),
    bban("TG", "2c22n"),
];

/// ISO 3166-1 alpha-2 codes in one line, with XK as banks use it for Kosovo.
const COUNTRIES: &str = concat!(
    "ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZ",
    "CACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZDEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFR",
    "GAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJMJOJP",
    "KEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZ",
    "NANCNENFNGNINLNONPNRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURW",
    "SASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTMTNTOTRTTTVTWTZ",
    "UAUGUMUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW",
);

#[cfg(test)]
mod tests {
    use super::{
        CARD_RANGES, COUNTRIES, IBAN_COUNTRIES, aba_routing, bic, card_of_any_issuer, credit_card,
        iban, iban_mistyped, lei, sepa_creditor_id, structure_length,
    };
    use proptest::prelude::*;

    #[test]
    fn cards() {
        // Numbers the networks publish for testing.
        for text in [
            "4111 1111 1111 1111",
            "4012888888881881",
            "4222222222222",
            "5105-1051-0510-5100",
            "5555555555554444",
            "2223003122003222",
            "3782 822463 10005",
            "6011000990139424",
            "3530111333300000",
            "30569309025904",
            "6759649826438453",
            "5019717010103742",
        ] {
            assert!(credit_card(text), "{text}");
        }
        for text in [
            "4012888888881882",
            "1748503543012",
            "0000000000000000",
            "9999999999999995",
            "40128888888",
            "37828224631000",
            "40128888888818810000",
            "8888012345678902",
        ] {
            assert!(!credit_card(text), "{text}");
        }
    }

    #[test]
    fn cards_of_any_issuer() {
        for text in ["3509413199654323", "213176828496175", "060426070011"] {
            assert!(card_of_any_issuer(text), "{text}");
        }
        for text in ["3509413199654324", "1111222211112222", "35094131996"] {
            assert!(!card_of_any_issuer(text), "{text}");
        }
    }

    #[test]
    fn account_numbers() {
        // Examples of the SWIFT IBAN Registry.
        for text in [
            "DE89 3704 0044 0532 0130 00",
            "NL91ABNA0417164300",
            "FR14 2004 1010 0505 0001 3M02 606",
            "GB29-NWBK-6016-1331-9268-19",
            "be68 5390 0754 7034",
            "MT84MALT011000012345MTLCAST001S",
            "NO9386011117947",
            "CH9300762011623852957",
            "LC55HEMM000100010012001200023015",
        ] {
            assert!(iban(text), "{text}");
        }
        for text in [
            "DE89 3704 0044 0532 0130 01",
            "DE89 3704 0044 0532 0130 0",
            "NL91 1BNA 0417 1643 00",
            "ZZ89370400440532013000",
            "DE00370400440532013000",
            "DE",
            "IT60 X054 2811 101A 0000 0123 456",
        ] {
            assert!(!iban(text), "{text}");
        }
    }

    #[test]
    fn mistyped_account_numbers() {
        for text in ["DE89 3704 0044 0532 0130 01", "NL91ABNA041716430", "DE893704004405320130013"]
        {
            assert!(iban_mistyped(text), "{text}");
        }
        for text in [
            "DE00 0000 0000 0000 0000 00",
            "DE12 1111 2222 1111 2222 11",
            "ZZ12345678901234",
            "DE89 3704",
        ] {
            assert!(!iban_mistyped(text), "{text}");
        }
    }

    #[test]
    fn account_structures_have_registered_lengths() {
        let length = |code| {
            let country = IBAN_COUNTRIES.iter().find(|country| country.code == code).unwrap();
            4 + structure_length(country.structure)
        };
        for (code, expected) in [
            ("DE", 22),
            ("NL", 18),
            ("FR", 27),
            ("NO", 15),
            ("MT", 31),
            ("LC", 32),
            ("RU", 33),
            ("PL", 28),
            ("AE", 23),
        ] {
            assert_eq!(length(code), expected, "{code}");
        }
        for (index, country) in IBAN_COUNTRIES.iter().enumerate() {
            let others = IBAN_COUNTRIES.iter().skip(index + 1);
            assert!(others.clone().all(|other| other.code != country.code), "{}", country.code);
        }
    }

    #[test]
    fn business_identifiers() {
        for text in ["DEUTDEFF", "COBADEFFXXX", "ABNANL2A", "BNPAFRPPXXX", "MARKDEF1100"] {
            assert!(bic(text), "{text}");
        }
        for text in
            ["DEUTXXFF", "deutdeff", "DEUTDEF", "DEUTDEFFXX", "DEU1DEFF", "DEUTDEF0", "WOHNUNGEN"]
        {
            assert!(!bic(text), "{text}");
        }
        assert_eq!(COUNTRIES.len() % 2, 0);
        assert_eq!(COUNTRIES.len() / 2, 250);
    }

    #[test]
    fn parties() {
        // GLEIF, Deutsche Bank, ISO 17442 example.
        for text in ["7LTWFZYICNSX8D621K86", "529900T8BM49AURSDO55", "506700GE1G29325QX363"] {
            assert!(lei(text), "{text}");
        }
        for text in ["7LTWFZYICNSX8D621K87", "529900T8BM49AURSDO5", "7LTWFZYICNSX8D621KAB"] {
            assert!(!lei(text), "{text}");
        }
        for text in
            ["DE98ZZZ09999999999", "FR72ZZZ123456", "NL79ZZZ999999990000", "AT61ZZZ01234567890"]
        {
            assert!(sepa_creditor_id(text), "{text}");
        }
        // The business code is not part of the check.
        assert!(sepa_creditor_id("DE98ABC09999999999"));
        for text in ["DE97ZZZ09999999999", "FR83ZZZ123456", "DE98ZZZ", "1298ZZZ09999999999"] {
            assert!(!sepa_creditor_id(text), "{text}");
        }
        for text in ["121000358", "3222-7162-7", "011000015"] {
            assert!(aba_routing(text), "{text}");
        }
        for text in ["121000359", "421042111", "1234-0000-0", "12100035"] {
            assert!(!aba_routing(text), "{text}");
        }
    }

    #[test]
    fn card_ranges_are_in_order_and_disjoint() {
        for pair in CARD_RANGES.windows(2) {
            assert!(pair[0].first <= pair[0].last && pair[0].last < pair[1].first);
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_breaks_an_iban(place in 2usize..22, change in 1u8..10) {
            let mut account = *b"DE89370400440532013000";
            account[place] = b'0' + (account[place] - b'0' + change) % 10;
            prop_assert!(!iban(std::str::from_utf8(&account).unwrap()));
        }

        #[test]
        fn one_wrong_digit_breaks_a_card(place in 0usize..16, change in 1u8..10) {
            let mut card = *b"4012888888881881";
            card[place] = b'0' + (card[place] - b'0' + change) % 10;
            prop_assert!(!credit_card(std::str::from_utf8(&card).unwrap()));
        }

        #[test]
        fn one_wrong_digit_breaks_a_routing_number(place in 0usize..9, change in 1u8..10) {
            let mut number = *b"121000358";
            number[place] = b'0' + (number[place] - b'0' + change) % 10;
            prop_assert!(!aba_routing(std::str::from_utf8(&number).unwrap()));
        }
    }
}
