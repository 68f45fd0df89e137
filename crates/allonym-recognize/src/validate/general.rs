//! Checks of contact, device, finance, vehicle, calendar and secret formats.
//!
//! Every check takes the matched text as it stands, separators included, and never allocates more
//! than the text is long.

mod calendar;
mod contact;
mod crypto;
mod device;
mod finance;
mod medical;
mod phone;
mod place;
mod secret;
mod vat;
mod vehicle;

pub use phone::e164;

use super::{Check, Measure};

pub(super) const CHECKS: &[Check] = &[
    // Contact
    Check { name: "email", run: contact::email, chance: 0.9 },
    Check { name: "email_quoted", run: contact::email_quoted, chance: 0.9 },
    Check { name: "url", run: contact::url, chance: 0.9 },
    Check { name: "domain", run: contact::domain, chance: 0.05 },
    Check { name: "username", run: contact::username, chance: 0.5 },
    Check { name: "no_user_word", run: contact::no_user_word, chance: 0.9 },
    Check { name: "phone_loose", run: phone::loose, chance: 0.9 },
    Check { name: "phone_nanp", run: phone::nanp, chance: 0.6 },
    // Device and network
    Check { name: "ipv4", run: device::ipv4, chance: 0.2 },
    Check { name: "ipv4_host", run: device::ipv4_host, chance: 0.1 },
    Check { name: "ipv6", run: device::ipv6, chance: 0.3 },
    Check { name: "ipv6_host", run: device::ipv6_host, chance: 0.1 },
    Check { name: "mac", run: device::mac, chance: 0.9 },
    Check { name: "mac_form", run: device::mac_form, chance: 0.9 },
    Check { name: "uuid", run: device::uuid, chance: 0.1 },
    Check { name: "imei", run: device::imei, chance: 0.02 },
    Check { name: "imsi", run: device::imsi, chance: 0.6 },
    Check { name: "iccid", run: device::iccid, chance: 0.15 },
    // Finance
    Check { name: "credit_card", run: finance::credit_card, chance: 0.04 },
    Check { name: "card_of_any_issuer", run: finance::card_of_any_issuer, chance: 0.1 },
    Check { name: "iban", run: finance::iban, chance: 0.01 },
    Check { name: "iban_mistyped", run: finance::iban_mistyped, chance: 0.9 },
    Check { name: "bic", run: finance::bic, chance: 0.3 },
    Check { name: "lei", run: finance::lei, chance: 0.01 },
    Check { name: "sepa_creditor_id", run: finance::sepa_creditor_id, chance: 0.01 },
    Check { name: "aba_routing", run: finance::aba_routing, chance: 0.1 },
    Check { name: "coin_base58", run: crypto::coin_base58, chance: 1e-9 },
    Check { name: "ripple", run: crypto::ripple, chance: 1e-9 },
    Check { name: "bech32", run: crypto::bech32, chance: 1e-9 },
    Check { name: "ethereum", run: crypto::ethereum, chance: 0.5 },
    Check { name: "card_track", run: finance::card_track, chance: 0.04 },
    // Value added tax
    Check { name: "eu_vat", run: vat::eu_vat, chance: 0.1 },
    Check { name: "at_vat", run: vat::at_vat, chance: 0.1 },
    Check { name: "be_vat", run: vat::be_vat, chance: 0.01 },
    Check { name: "ch_vat", run: vat::ch_vat, chance: 0.1 },
    Check { name: "cy_vat", run: vat::cy_vat, chance: 0.03 },
    Check { name: "cz_vat", run: vat::cz_vat, chance: 0.1 },
    Check { name: "de_vat", run: vat::de_vat, chance: 0.1 },
    Check { name: "es_vat", run: vat::es_vat, chance: 0.05 },
    Check { name: "fr_vat", run: vat::fr_vat, chance: 0.001 },
    Check { name: "gb_vat", run: vat::gb_vat, chance: 0.02 },
    Check { name: "lv_vat", run: vat::lv_vat, chance: 0.1 },
    Check { name: "mt_vat", run: vat::mt_vat, chance: 0.03 },
    Check { name: "nl_vat", run: vat::nl_vat, chance: 0.1 },
    // Vehicles
    Check { name: "vin", run: vehicle::vin, chance: 0.09 },
    Check { name: "vin_shape", run: vehicle::vin_shape, chance: 0.3 },
    Check { name: "de_plate", run: vehicle::de_plate, chance: 0.05 },
    Check { name: "gb_plate", run: vehicle::gb_plate, chance: 0.4 },
    // Dates, ages, places
    Check { name: "date", run: calendar::date, chance: 0.02 },
    Check { name: "date_range", run: calendar::date_range, chance: 0.02 },
    Check { name: "birth_date", run: calendar::birth_date, chance: 0.01 },
    Check { name: "age", run: calendar::age, chance: 0.9 },
    Check { name: "address", run: place::address, chance: 0.9 },
    Check { name: "address_number_first", run: place::address_number_first, chance: 0.9 },
    Check { name: "coordinate", run: place::coordinate, chance: 0.2 },
    Check { name: "position", run: place::position, chance: 0.2 },
    Check { name: "gb_postcode", run: place::gb_postcode, chance: 0.3 },
    // Medicine
    Check { name: "loinc", run: medical::loinc, chance: 0.1 },
    Check { name: "pzn", run: medical::pzn, chance: 0.09 },
    // Secrets and numbers without a form of their own
    Check { name: "credential_url", run: secret::credential_url, chance: 0.5 },
    Check { name: "basic_credentials", run: secret::basic_credentials, chance: 0.01 },
    Check { name: "base64_text", run: secret::base64_text, chance: 0.1 },
    Check { name: "credential_pair", run: secret::credential_pair, chance: 0.5 },
    Check { name: "jwt", run: secret::jwt, chance: 1e-6 },
    Check { name: "entropy", run: secret::entropy, chance: 0.5 },
    Check { name: "assigned_secret", run: secret::assigned_secret, chance: 0.3 },
    Check { name: "jumbled", run: secret::jumbled, chance: 0.3 },
    Check { name: "mixed_case", run: secret::mixed_case, chance: 0.5 },
    Check { name: "password", run: secret::password, chance: 0.5 },
    Check { name: "password_plain", run: secret::password_plain, chance: 0.3 },
    Check { name: "password_prose", run: secret::password_prose, chance: 0.2 },
    Check { name: "random_letters", run: secret::random_letters, chance: 0.5 },
    Check { name: "record_word", run: secret::record_word, chance: 0.5 },
    Check { name: "record_number", run: secret::record_number, chance: 0.5 },
    Check { name: "digits_present", run: secret::digits_present, chance: 0.9 },
    Check { name: "digits_vary", run: secret::digits_vary, chance: 0.9 },
];

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        check: Check {
            name: "phone_international",
            run: |text| phone::international(text, &[]) == Some(text.len()),
            chance: 0.2,
        },
        run: phone::international,
        needs_country: false,
    },
    Measure {
        check: Check {
            name: "phone_possible",
            run: |text| phone::possible(text, &[]) == Some(text.len()),
            chance: 0.6,
        },
        run: phone::possible,
        needs_country: false,
    },
    Measure {
        check: Check {
            name: "phone_trunk",
            run: |text| phone::national(text, &[]) == Some(text.len()),
            chance: 0.9,
        },
        run: phone::national,
        needs_country: false,
    },
    Measure {
        check: Check { name: "phone_at_home", run: |_| false, chance: 0.3 },
        run: phone::at_home,
        needs_country: true,
    },
    Measure {
        check: Check { name: "phone_with_trunk", run: |_| false, chance: 0.3 },
        run: phone::with_trunk,
        needs_country: true,
    },
    Measure {
        check: Check { name: "phone_subscriber", run: |_| false, chance: 0.3 },
        run: phone::subscriber_number,
        needs_country: true,
    },
];

#[cfg(test)]
mod tests {
    use super::CHECKS;

    /// Texts that break careless parsers: empty, separators only, other scripts, too long.
    #[test]
    fn no_check_accepts_or_panics_on_nonsense() {
        let nonsense = [
            String::new(),
            " ".to_owned(),
            "---...///".to_owned(),
            "@".to_owned(),
            "::".to_owned(),
            "漢字かな交じり文".to_owned(),
            "٣٤٥٦٧٨٩٠١٢٣".to_owned(),
            "\u{0}\u{7f}".to_owned(),
            "-".repeat(10_000),
        ];
        for check in CHECKS {
            for text in &nonsense {
                // The unspecified address is one; any word can be a password.
                let quiet = match check.name {
                    "ipv6" => text == "::",
                    "password" => !text.is_ascii(),
                    "no_user_word" => !text.is_empty(),
                    _ => false,
                };
                assert_eq!((check.run)(text), quiet, "{} on {} bytes", check.name, text.len());
            }
            for digit in ["0", "9"] {
                let _ = (check.run)(&digit.repeat(10_000));
            }
        }
    }

    #[test]
    fn names_are_unique_and_chances_are_probabilities() {
        for (index, check) in CHECKS.iter().enumerate() {
            assert!(CHECKS.iter().skip(index + 1).all(|other| other.name != check.name));
            assert!(check.chance > 0.0 && check.chance < 1.0, "{}", check.name);
        }
    }
}
