//! Checks of national, tax, social-security, health and document numbers, and the check-digit
//! systems of ISO/IEC 7064 for rules of one's own.

mod at;
mod be;
mod ch;
mod de;
mod es;
mod fr;
mod it;
mod nl;
mod pl;
mod uk;
mod us;

use super::Check;
use super::arithmetic::{
    alnum, digits, iso7064_mod11_2, iso7064_mod11_10, iso7064_mod37_2, iso7064_mod37_36, verhoeff,
};

/// Sorted by name. `chance` is measured over the shapes of the tests below: places that hold a
/// date hold a date, so that a column of order numbers that begin with one is no evidence.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "at_svnr", run: at::social_security, chance: 0.08 },
    Check { name: "at_tax_number", run: at::tax_number, chance: 0.1 },
    Check { name: "be_id_card", run: be::id_card, chance: 0.0098 },
    Check { name: "be_national_number", run: be::national_number, chance: 0.02 },
    Check { name: "ch_ahv", run: ch::ahv, chance: 0.1 },
    Check { name: "de_document_check", run: de::document_with_check_digit, chance: 0.1 },
    Check { name: "de_driving_licence", run: de::driving_licence, chance: 0.056 },
    Check { name: "de_idnr", run: de::idnr, chance: 0.0034 },
    Check { name: "de_kvnr", run: de::health_insurance, chance: 0.1 },
    Check { name: "de_lanr", run: de::physician_number, chance: 0.1 },
    Check { name: "de_rvnr", run: de::pension_number, chance: 0.05 },
    Check { name: "de_tax_number", run: de::tax_number, chance: 0.03 },
    Check { name: "es_naf", run: es::social_security, chance: 0.0054 },
    Check { name: "es_nie", run: es::nie, chance: 0.0385 },
    Check { name: "es_nif", run: es::nif, chance: 0.0385 },
    Check { name: "fr_nir", run: fr::nir, chance: 0.01 },
    Check { name: "fr_siren", run: fr::siren, chance: 0.1 },
    Check { name: "fr_siret", run: fr::siret, chance: 0.01 },
    Check { name: "fr_spi", run: fr::tax_id, chance: 0.0004 },
    Check { name: "iso7064_mod11_10", run: |text| iso7064_mod11_10(digits(text)), chance: 0.1 },
    Check { name: "iso7064_mod11_2", run: |text| iso7064_mod11_2(alnum(text)), chance: 0.09 },
    Check { name: "iso7064_mod37_2", run: has_mod37_2, chance: 0.027 },
    Check { name: "iso7064_mod37_36", run: |text| iso7064_mod37_36(alnum(text)), chance: 0.028 },
    Check { name: "it_fiscal_code", run: it::fiscal_code, chance: 0.0385 },
    Check { name: "it_vat_code", run: it::vat_code, chance: 0.01 },
    Check { name: "nl_bsn", run: nl::bsn, chance: 0.09 },
    Check { name: "pl_id_card", run: pl::id_card, chance: 0.08 },
    Check { name: "pl_nip", run: pl::nip, chance: 0.09 },
    Check { name: "pl_passport", run: pl::passport, chance: 0.085 },
    Check { name: "pl_pesel", run: pl::pesel, chance: 0.1 },
    Check { name: "pl_regon", run: pl::regon, chance: 0.1 },
    Check { name: "uk_chi", run: uk::chi, chance: 0.09 },
    Check { name: "uk_driving_licence", run: uk::driving_licence, chance: 0.98 },
    Check { name: "uk_nhs", run: uk::nhs, chance: 0.09 },
    Check { name: "uk_nino", run: uk::nino, chance: 0.08 },
    Check { name: "uk_utr", run: uk::utr, chance: 0.1 },
    Check { name: "us_dea", run: us::dea, chance: 0.07 },
    Check { name: "us_ein", run: us::ein, chance: 0.8 },
    Check { name: "us_itin", run: us::itin, chance: 0.04 },
    Check { name: "us_npi", run: us::npi, chance: 0.02 },
    Check { name: "us_ssn", run: us::ssn, chance: 0.89 },
    Check { name: "verhoeff", run: |text| verhoeff(digits(text)), chance: 0.1 },
];

/// `*` stands for 36 at the end, which [`alnum`] skips.
fn has_mod37_2(text: &str) -> bool {
    let check = text.ends_with('*').then_some(b'*');
    iso7064_mod37_2(alnum(text).chain(check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Every text passes.
    pub(super) fn check(run: fn(&str) -> bool, valid: &[&str]) {
        for text in valid {
            assert!(run(text), "{text} passes");
        }
    }

    /// No text passes.
    pub(super) fn reject(run: fn(&str) -> bool, invalid: &[&str]) {
        for text in invalid {
            assert!(!run(text), "{text} does not pass");
        }
    }

    /// How many digits in the place of `?` make it pass.
    pub(super) fn passing(run: fn(&str) -> bool, body: &str) -> usize {
        (0..10).filter(|digit| run(&body.replace('?', &digit.to_string()))).count()
    }

    #[test]
    fn chance_is_what_random_numbers_have() {
        let shapes = shapes();
        let mut wrong = Vec::new();
        for check in CHECKS {
            let shape = shapes.get(check.name).expect("every check has a shape").0;
            let mut random = Random(7);
            let passed = (0..DRAWS).filter(|_| (check.run)(&random.text(shape))).count();
            let rate = f64::from(u32::try_from(passed).unwrap()) / f64::from(DRAWS);
            if (rate / check.chance - 1.0).abs() > 0.1 {
                wrong.push(format!("{}: says {}, has {rate}", check.name, check.chance));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn one_wrong_digit_is_found_as_often_as_promised() {
        let mut wrong = Vec::new();
        for check in CHECKS {
            let (shape, promised) = shapes()[check.name];
            let Some(promised) = promised else { continue };
            let mut random = Random(11);
            let (mut changed, mut survived) = (0_u32, 0_u32);
            let valid = (0..DRAWS).map(|_| random.text(shape)).filter(|text| (check.run)(text));
            for text in valid.take(200) {
                for (place, old) in text.bytes().enumerate().filter(|(_, c)| c.is_ascii_digit()) {
                    for new in (b'0'..=b'9').filter(|new| *new != old) {
                        let mut other = text.clone().into_bytes();
                        other[place] = new;
                        changed += 1;
                        survived += u32::from((check.run)(&String::from_utf8(other).unwrap()));
                    }
                }
            }
            assert!(changed > 1_000, "{}: {changed} changes tried", check.name);
            let rate = f64::from(survived) / f64::from(changed);
            if (rate - promised).abs() > promised / 4.0 {
                wrong.push(format!("{}: promises {promised}, survived {rate}", check.name));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn no_check_panics_or_passes_on_noise() {
        let noise =
            ["", " ", "-", "ü", "٣٣٣", "9", "A", "000000000", "\u{0}", "9".repeat(99).as_str()]
                .map(str::to_owned);
        let general = |name: &str| name.starts_with("iso7064") || name == "verhoeff";
        for check in CHECKS {
            for text in &noise {
                assert!(!(check.run)(text) || general(check.name), "{} of {text:?}", check.name);
            }
        }
    }

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(CHECKS.is_sorted_by(|left, right| left.name < right.name));
    }

    /// Shape of each check's numbers, and the share of changed digits it does not find (none: it
    /// has no check digit). `9` a digit, `A` a letter, `*` either, `d` a day, `m` a month, `=` before
    /// what stands for itself.
    fn shapes() -> BTreeMap<&'static str, (&'static str, Option<f64>)> {
        BTreeMap::from([
            ("at_svnr", ("9999dm99", Some(0.0))),
            ("at_tax_number", ("999999999", Some(0.0))),
            ("be_id_card", ("999999999999", Some(0.0))),
            ("be_national_number", ("99md99999", Some(0.0038))),
            ("ch_ahv", ("=7=5=69999999999", Some(0.0))),
            ("de_document_check", ("*********9", Some(0.0))),
            ("de_driving_licence", ("A99******9*", Some(0.047))),
            ("de_idnr", ("99999999999", Some(0.0))),
            ("de_kvnr", ("A999999999", Some(0.0))),
            ("de_lanr", ("999999999", Some(0.26))),
            ("de_rvnr", ("99dm99A999", Some(0.0))),
            ("de_tax_number", ("9999999999999", None)),
            ("es_naf", ("999999999999", Some(0.00014))),
            ("es_nie", ("=X9999999A", Some(0.0))),
            ("es_nif", ("99999999A", Some(0.0))),
            ("fr_nir", ("=199m9999999999", Some(0.0))),
            ("fr_siren", ("999999999", Some(0.0))),
            ("fr_siret", ("99999999999999", Some(0.0))),
            ("fr_spi", ("9999999999999", Some(0.0))),
            ("iso7064_mod11_10", ("9999999999", Some(0.0))),
            ("iso7064_mod11_2", ("9999999999", Some(0.0))),
            ("iso7064_mod37_2", ("**********", Some(0.0))),
            ("iso7064_mod37_36", ("**********", Some(0.0))),
            ("it_fiscal_code", ("AAAAAA99=Ad=A999A", Some(0.0))),
            ("it_vat_code", ("99999999999", Some(0.0))),
            ("nl_bsn", ("999999999", Some(0.0))),
            ("pl_id_card", ("AAA999999", Some(0.0))),
            ("pl_nip", ("9999999999", Some(0.0))),
            ("pl_passport", ("AA9999999", Some(0.0))),
            ("pl_pesel", ("99md99999", Some(0.0))),
            ("pl_regon", ("999999999", Some(0.016))),
            ("uk_chi", ("dm999999", Some(0.0))),
            ("uk_driving_licence", ("AAAAA9md9AA9**", None)),
            ("uk_nhs", ("9999999999", Some(0.0))),
            ("uk_nino", ("AA999999A", None)),
            ("uk_utr", ("9999999999", Some(0.034))),
            ("us_dea", ("AA9999999", Some(0.048))),
            ("us_ein", ("999999999", None)),
            ("us_itin", ("999999999", None)),
            ("us_npi", ("9999999999", Some(0.0))),
            ("us_ssn", ("999999999", None)),
            ("verhoeff", ("9999999999", Some(0.0))),
        ])
    }

    const DRAWS: u32 = 60_000;

    /// `SplitMix64` (Steele, Lea, Flood 2014): the same draws on every machine.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (mixed ^ (mixed >> 31)) % end
        }

        fn text(&mut self, shape: &str) -> String {
            let mut text = String::new();
            let mut rest = shape.chars();
            while let Some(kind) = rest.next() {
                let alphabet = match kind {
                    'd' => {
                        text += &format!("{:02}", 1 + self.below(28));
                        continue;
                    }
                    'm' => {
                        text += &format!("{:02}", 1 + self.below(12));
                        continue;
                    }
                    '=' => {
                        text.extend(rest.next());
                        continue;
                    }
                    '9' => 0..10,
                    'A' => 10..36,
                    '*' => 0..36,
                    other => panic!("`{other}` is no kind of place"),
                };
                let value =
                    u32::try_from(alphabet.start + self.below(alphabet.end - alphabet.start));
                let value = char::from_digit(value.unwrap(), 36).unwrap();
                text.push(value.to_ascii_uppercase());
            }
            text
        }
    }
}
