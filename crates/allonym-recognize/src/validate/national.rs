//! Checks of national, tax, social-security, health and document numbers, and the check-digit
//! systems of ISO/IEC 7064 for rules of one's own.

mod africa;
mod americas;
mod asia;
mod at;
mod baltic;
mod be;
mod central;
mod ch;
mod de;
mod east;
mod es;
mod eu;
mod fr;
mod ie;
mod it;
mod nl;
mod nordic;
mod pl;
mod pt;
mod southeast;
mod uk;
mod us;

use super::Check;
use super::arithmetic::{
    alnum, digits, iso7064_mod11_2, iso7064_mod11_10, iso7064_mod37_2, iso7064_mod37_36, luhn,
    mod97, verhoeff,
};

/// Sorted by name. `chance` is measured over the shapes of the tests below: places that hold a
/// date hold a date, so that a column of order numbers that begin with one is no evidence.
pub(super) const CHECKS: &[Check] = &[
    Check { name: "ad_nrt", run: pt::ad_nrt, chance: 0.7 },
    Check { name: "ar_cbu", run: americas::ar_cbu, chance: 0.01 },
    Check { name: "ar_cuit", run: americas::ar_cuit, chance: 0.1 },
    Check { name: "at_svnr", run: at::social_security, chance: 0.08 },
    Check { name: "at_tax_number", run: at::tax_number, chance: 0.1 },
    Check { name: "au_abn", run: asia::au_abn, chance: 0.0092 },
    Check { name: "au_acn", run: asia::au_acn, chance: 0.1 },
    Check { name: "au_medicare", run: asia::au_medicare, chance: 0.088 },
    Check { name: "au_tfn", run: asia::au_tfn, chance: 0.089 },
    Check { name: "az_voen", run: east::az_voen, chance: 0.018 },
    Check { name: "be_id_card", run: be::id_card, chance: 0.0098 },
    Check { name: "be_national_number", run: be::national_number, chance: 0.02 },
    Check { name: "be_payment", run: be::payment_reference, chance: 0.0095 },
    Check { name: "bg_egn", run: southeast::bg_egn, chance: 0.1 },
    Check { name: "bg_eik", run: southeast::bg_eik, chance: 0.1 },
    Check { name: "bg_lnch", run: southeast::bg_lnch, chance: 0.1 },
    Check { name: "br_cnpj", run: americas::br_cnpj, chance: 0.01 },
    Check { name: "br_cpf", run: americas::br_cpf, chance: 0.01 },
    Check { name: "by_unp", run: east::by_unp, chance: 0.064 },
    Check { name: "ca_bc_phn", run: americas::ca_bc_phn, chance: 0.089 },
    Check { name: "ca_bn", run: americas::ca_bn, chance: 0.1 },
    Check { name: "ca_ohip", run: americas::ca_ohip, chance: 0.1 },
    Check { name: "ca_ramq", run: americas::ca_ramq, chance: 0.99 },
    Check { name: "ca_sin", run: americas::ca_sin, chance: 0.08 },
    Check { name: "ch_ahv", run: ch::ahv, chance: 0.1 },
    Check { name: "ch_payment", run: ch::payment_reference, chance: 0.1 },
    Check { name: "cl_rut", run: americas::cl_rut, chance: 0.1 },
    Check { name: "cn_ric", run: asia::cn_ric, chance: 0.1 },
    Check { name: "cn_uscc", run: asia::cn_uscc, chance: 0.0081 },
    Check { name: "co_nit", run: americas::co_nit, chance: 0.1 },
    Check { name: "cr_cpj", run: americas::cr_cpj, chance: 0.024 },
    Check { name: "cu_ni", run: americas::cu_ni, chance: 0.99 },
    Check { name: "cz_account", run: central::cz_account, chance: 0.1 },
    Check { name: "cz_birth_number", run: central::cz_birth_number, chance: 0.1 },
    Check { name: "cz_ico", run: central::cz_ico, chance: 0.1 },
    Check { name: "de_document_check", run: de::document_with_check_digit, chance: 0.1 },
    Check { name: "de_driving_licence", run: de::driving_licence, chance: 0.056 },
    Check { name: "de_idnr", run: de::idnr, chance: 0.0034 },
    Check { name: "de_kvnr", run: de::health_insurance, chance: 0.1 },
    Check { name: "de_lanr", run: de::physician_number, chance: 0.1 },
    Check { name: "de_leitweg", run: de::leitweg_id, chance: 0.0098 },
    Check { name: "de_rvnr", run: de::pension_number, chance: 0.05 },
    Check { name: "de_tax_number", run: de::tax_number, chance: 0.03 },
    Check { name: "dk_cpr", run: nordic::dk_cpr, chance: 0.99 },
    Check { name: "dk_cvr", run: nordic::dk_cvr, chance: 0.082 },
    Check { name: "do_cedula", run: americas::do_cedula, chance: 0.1 },
    Check { name: "do_rnc", run: americas::do_rnc, chance: 0.1 },
    Check { name: "ec_ci", run: americas::ec_ci, chance: 0.018 },
    Check { name: "ec_ruc", run: americas::ec_ruc, chance: 0.023 },
    Check { name: "ee_ik", run: baltic::ee_ik, chance: 0.1 },
    Check { name: "ee_registrikood", run: baltic::ee_registrikood, chance: 0.1 },
    Check { name: "es_bank_account", run: es::bank_account, chance: 0.01 },
    Check { name: "es_cadastral", run: es::cadastral_reference, chance: 0.0015 },
    Check { name: "es_cif", run: es::cif, chance: 0.1 },
    Check { name: "es_cups", run: es::supply_point, chance: 0.0015 },
    Check { name: "es_naf", run: es::social_security, chance: 0.0054 },
    Check { name: "es_nie", run: es::nie, chance: 0.0385 },
    Check { name: "es_nif", run: es::nif, chance: 0.0385 },
    Check { name: "eu_banknote", run: eu::banknote, chance: 0.11 },
    Check { name: "eu_ec_number", run: eu::substance, chance: 0.091 },
    Check { name: "eu_eic", run: eu::eic, chance: 0.026 },
    Check { name: "eu_oss", run: eu::oss, chance: 0.027 },
    Check { name: "fi_hetu", run: nordic::fi_hetu, chance: 0.025 },
    Check { name: "fi_hetu_test", run: nordic::fi_hetu_test, chance: 0.0026 },
    Check { name: "fi_ytunnus", run: nordic::fi_ytunnus, chance: 0.1 },
    Check { name: "fr_nir", run: fr::nir, chance: 0.01 },
    Check { name: "fr_rib", run: fr::rib, chance: 0.01 },
    Check { name: "fr_siren", run: fr::siren, chance: 0.1 },
    Check { name: "fr_siret", run: fr::siret, chance: 0.01 },
    Check { name: "fr_spi", run: fr::tax_id, chance: 0.0004 },
    Check { name: "gh_tin", run: africa::gh_tin, chance: 0.1 },
    Check { name: "gn_nif", run: africa::gn_nif, chance: 0.1 },
    Check { name: "gr_afm", run: southeast::gr_afm, chance: 0.1 },
    Check { name: "gr_amka", run: southeast::gr_amka, chance: 0.1 },
    Check { name: "gt_nit", run: americas::gt_nit, chance: 0.1 },
    Check { name: "hk_id", run: asia::hk_id, chance: 0.1 },
    Check { name: "hr_oib", run: central::hr_oib, chance: 0.1 },
    Check { name: "hu_bank_account", run: central::hu_bank_account, chance: 0.01 },
    Check { name: "hu_personal_id", run: central::hu_personal_id, chance: 0.1 },
    Check { name: "hu_taj", run: central::hu_taj, chance: 0.1 },
    Check { name: "hu_tax_id", run: central::hu_tax_id, chance: 0.1 },
    Check { name: "hu_tax_number", run: central::hu_tax_number, chance: 0.1 },
    Check { name: "id_nik", run: asia::id_nik, chance: 0.39 },
    Check { name: "id_npwp", run: asia::id_npwp, chance: 0.1 },
    Check { name: "ie_pps", run: ie::pps, chance: 0.038 },
    Check { name: "il_company", run: asia::il_company, chance: 0.1 },
    Check { name: "il_id", run: asia::il_id, chance: 0.1 },
    Check { name: "in_aadhaar", run: asia::in_aadhaar, chance: 0.082 },
    Check { name: "in_epic", run: asia::in_epic, chance: 0.1 },
    Check { name: "in_gstin", run: asia::in_gstin, chance: 0.029 },
    Check { name: "in_gstin_form", run: asia::in_gstin_form, chance: 0.41 },
    Check { name: "in_pan", run: asia::in_pan, chance: 0.38 },
    Check { name: "in_vid", run: asia::in_vid, chance: 0.08 },
    Check { name: "is_kennitala", run: nordic::is_kennitala, chance: 0.028 },
    Check { name: "iso7064_mod11_10", run: |text| iso7064_mod11_10(digits(text)), chance: 0.1 },
    Check { name: "iso7064_mod11_2", run: |text| iso7064_mod11_2(alnum(text)), chance: 0.09 },
    Check { name: "iso7064_mod37_2", run: has_mod37_2, chance: 0.027 },
    Check { name: "iso7064_mod37_36", run: |text| iso7064_mod37_36(alnum(text)), chance: 0.028 },
    Check { name: "iso7064_mod97_10", run: |text| mod97(alnum(text)) == Some(1), chance: 0.01 },
    Check { name: "it_aic", run: it::aic, chance: 0.1 },
    Check { name: "it_fiscal_code", run: it::fiscal_code, chance: 0.0385 },
    Check { name: "it_vat_code", run: it::vat_code, chance: 0.01 },
    Check { name: "jmbg", run: central::jmbg, chance: 0.09 },
    Check { name: "jp_corporate", run: asia::jp_corporate, chance: 0.1 },
    Check { name: "jp_my_number", run: asia::jp_my_number, chance: 0.1 },
    Check { name: "kr_brn", run: asia::kr_brn, chance: 0.089 },
    Check { name: "kr_driver", run: asia::kr_driver, chance: 0.17 },
    Check { name: "kr_frn", run: asia::kr_frn, chance: 0.4 },
    Check { name: "kr_rrn", run: asia::kr_rrn, chance: 0.6 },
    Check { name: "kr_rrn_checked", run: asia::kr_rrn_checked, chance: 0.062 },
    Check { name: "kz_iin", run: east::kz_iin, chance: 0.1 },
    Check { name: "lt_asmens", run: baltic::lt_asmens, chance: 0.1 },
    Check { name: "lu_matricule", run: central::lu_matricule, chance: 0.01 },
    Check { name: "luhn", run: |text| luhn(digits(text)), chance: 0.1 },
    Check { name: "lv_personas_kods", run: baltic::lv_personas_kods, chance: 0.1 },
    Check { name: "ma_ice", run: africa::ma_ice, chance: 0.01 },
    Check { name: "md_number", run: southeast::md_number, chance: 0.1 },
    Check { name: "me_pib", run: southeast::me_pib, chance: 0.1 },
    Check { name: "mk_edb", run: southeast::mk_edb, chance: 0.1 },
    Check { name: "mu_nid", run: africa::mu_nid, chance: 0.029 },
    Check { name: "mx_curp", run: americas::mx_curp, chance: 0.1 },
    Check { name: "mx_rfc", run: americas::mx_rfc, chance: 0.99 },
    Check { name: "my_nric", run: asia::my_nric, chance: 0.86 },
    Check { name: "mz_nuit", run: africa::mz_nuit, chance: 0.1 },
    Check { name: "ng_nin", run: africa::ng_nin, chance: 0.1 },
    Check { name: "nl_bsn", run: nl::bsn, chance: 0.09 },
    Check { name: "nl_education", run: nl::education_number, chance: 0.1 },
    Check { name: "no_account", run: nordic::no_account, chance: 0.1 },
    Check { name: "no_fodselsnummer", run: nordic::no_fodselsnummer, chance: 0.007 },
    Check { name: "no_orgnr", run: nordic::no_orgnr, chance: 0.1 },
    Check { name: "nz_bank_account", run: asia::nz_bank_account, chance: 0.1 },
    Check { name: "nz_ird", run: asia::nz_ird, chance: 0.089 },
    Check { name: "pe_cui", run: americas::pe_cui, chance: 0.1 },
    Check { name: "pe_ruc", run: americas::pe_ruc, chance: 0.1 },
    Check { name: "ph_tin", run: asia::ph_tin, chance: 0.6 },
    Check { name: "pk_cnic", run: asia::pk_cnic, chance: 0.63 },
    Check { name: "pl_bank_account", run: pl::bank_account, chance: 0.01 },
    Check { name: "pl_id_card", run: pl::id_card, chance: 0.08 },
    Check { name: "pl_nip", run: pl::nip, chance: 0.09 },
    Check { name: "pl_passport", run: pl::passport, chance: 0.085 },
    Check { name: "pl_pesel", run: pl::pesel, chance: 0.1 },
    Check { name: "pl_regon", run: pl::regon, chance: 0.1 },
    Check { name: "pt_cc", run: pt::pt_cc, chance: 0.1 },
    Check { name: "pt_nif", run: pt::pt_nif, chance: 0.082 },
    Check { name: "pt_niss", run: pt::pt_niss, chance: 0.1 },
    Check { name: "py_ruc", run: americas::py_ruc, chance: 0.1 },
    Check { name: "ro_cnp", run: southeast::ro_cnp, chance: 0.1 },
    Check { name: "ro_cui", run: southeast::ro_cui, chance: 0.1 },
    Check { name: "ro_trade_register", run: southeast::ro_trade_register, chance: 0.99 },
    Check { name: "rs_pib", run: southeast::rs_pib, chance: 0.089 },
    Check { name: "ru_inn", run: east::ru_inn, chance: 0.1 },
    Check { name: "ru_ogrn", run: east::ru_ogrn, chance: 0.1 },
    Check { name: "ru_snils", run: east::ru_snils, chance: 0.0098 },
    Check { name: "se_orgnr", run: nordic::se_orgnr, chance: 0.072 },
    Check { name: "se_personnummer", run: nordic::se_personnummer, chance: 0.1 },
    Check { name: "sg_nric", run: asia::sg_nric, chance: 0.037 },
    Check { name: "sg_uen", run: asia::sg_uen, chance: 0.039 },
    Check { name: "si_maticna", run: central::si_maticna, chance: 0.08 },
    Check { name: "si_tax_number", run: central::si_tax_number, chance: 0.082 },
    Check { name: "sk_tax_number", run: central::sk_tax_number, chance: 0.048 },
    Check { name: "sn_ninea", run: africa::sn_ninea, chance: 0.1 },
    Check { name: "sv_nit", run: americas::sv_nit, chance: 0.1 },
    Check { name: "th_number", run: asia::th_number, chance: 0.1 },
    Check { name: "th_person", run: asia::th_person, chance: 0.063 },
    Check { name: "tr_identity", run: southeast::tr_identity, chance: 0.0088 },
    Check { name: "tr_tax_number", run: southeast::tr_tax_number, chance: 0.1 },
    Check { name: "tw_id", run: asia::tw_id, chance: 0.1 },
    Check { name: "tw_ubn", run: asia::tw_ubn, chance: 0.22 },
    Check { name: "ua_edrpou", run: east::ua_edrpou, chance: 0.1 },
    Check { name: "ua_rnokpp", run: east::ua_rnokpp, chance: 0.1 },
    Check { name: "uk_chi", run: uk::chi, chance: 0.09 },
    Check { name: "uk_driving_licence", run: uk::driving_licence, chance: 0.98 },
    Check { name: "uk_nhs", run: uk::nhs, chance: 0.09 },
    Check { name: "uk_nino", run: uk::nino, chance: 0.08 },
    Check { name: "uk_sedol", run: uk::sedol, chance: 0.1 },
    Check { name: "uk_upn", run: uk::pupil, chance: 0.03 },
    Check { name: "uk_utr", run: uk::utr, chance: 0.1 },
    Check { name: "us_dea", run: us::dea, chance: 0.07 },
    Check { name: "us_ein", run: us::ein, chance: 0.8 },
    Check { name: "us_itin", run: us::itin, chance: 0.04 },
    Check { name: "us_npi", run: us::npi, chance: 0.02 },
    Check { name: "us_ssn", run: us::ssn, chance: 0.89 },
    Check { name: "uy_ci", run: americas::uy_ci, chance: 0.1 },
    Check { name: "uy_rut", run: americas::uy_rut, chance: 0.1 },
    Check { name: "ve_rif", run: americas::ve_rif, chance: 0.1 },
    Check { name: "verhoeff", run: |text| verhoeff(digits(text)), chance: 0.1 },
    Check { name: "vn_mst", run: asia::vn_mst, chance: 0.1 },
    Check { name: "za_id", run: africa::za_id, chance: 0.1 },
    Check { name: "za_tax", run: africa::za_tax, chance: 0.1 },
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
        let general =
            |name: &str| name.starts_with("iso7064") || matches!(name, "luhn" | "verhoeff");
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
            ("ad_nrt", ("=F999999A", None)),
            ("ar_cbu", ("9999999999999999999999", Some(0.0))),
            ("ar_cuit", ("=2=0999999999", Some(0.013))),
            ("at_svnr", ("9999dm99", Some(0.0))),
            ("at_tax_number", ("999999999", Some(0.0))),
            ("au_abn", ("99999999999", Some(0.0))),
            ("au_acn", ("999999999", Some(0.099))),
            ("au_medicare", ("=2999999999", Some(0.089))),
            ("au_tfn", ("999999999", Some(0.0))),
            ("az_voen", ("9999999999", Some(0.011))),
            ("be_id_card", ("999999999999", Some(0.0))),
            ("be_national_number", ("99md99999", Some(0.0038))),
            ("be_payment", ("999999999999", Some(0.0))),
            ("bg_egn", ("99md9999", Some(0.013))),
            ("bg_eik", ("999999999", Some(0.017))),
            ("bg_lnch", ("9999999999", Some(0.0))),
            ("br_cnpj", ("99999999999999", Some(0.0006))),
            ("br_cpf", ("99999999999", Some(0.002))),
            ("by_unp", ("999999999", Some(0.0))),
            ("ca_bc_phn", ("=9999999999", Some(0.0))),
            ("ca_bn", ("999999999", Some(0.0))),
            ("ca_ohip", ("9999999999", Some(0.0))),
            ("ca_ramq", ("AAAA99md99", None)),
            ("ca_sin", ("999999999", Some(0.0))),
            ("ch_ahv", ("=7=5=69999999999", Some(0.0))),
            ("ch_payment", ("999999999999999999999999999", Some(0.0))),
            ("cl_rut", ("999999999", Some(0.0))),
            ("cn_ric", ("=1=19999=1=999md9999", Some(0.0))),
            ("cn_uscc", ("=9=1999999*********9", Some(0.0))),
            ("co_nit", ("9999999999", Some(0.016))),
            ("cr_cpj", ("=3999999999", None)),
            ("cu_ni", ("99md99999", None)),
            ("cz_account", ("9999999999=/9999", Some(0.29))),
            ("cz_birth_number", ("99md9999", Some(0.0073))),
            ("cz_ico", ("99999999", Some(0.02))),
            ("de_document_check", ("*********9", Some(0.0))),
            ("de_driving_licence", ("A99******9*", Some(0.047))),
            ("de_idnr", ("99999999999", Some(0.0))),
            ("de_kvnr", ("A999999999", Some(0.0))),
            ("de_lanr", ("999999999", Some(0.26))),
            ("de_leitweg", ("99999999=-9999=-99", Some(0.0))),
            ("de_rvnr", ("99dm99A999", Some(0.0))),
            ("de_tax_number", ("9999999999999", None)),
            ("dk_cpr", ("dm999999", None)),
            ("dk_cvr", ("99999999", Some(0.0))),
            ("do_cedula", ("99999999999", Some(0.0))),
            ("do_rnc", ("999999999", Some(0.034))),
            ("ec_ci", ("9999999999", Some(0.0))),
            ("ec_ruc", ("9999999999=0=0=1", Some(0.24))),
            ("ee_ik", ("=399md9999", Some(0.012))),
            ("ee_registrikood", ("=19999999", Some(0.014))),
            ("es_bank_account", ("99999999999999999999", Some(0.016))),
            ("es_cadastral", ("9999999AA9999A9999AA", Some(0.0))),
            ("es_cif", ("=B99999999", Some(0.0))),
            ("es_cups", ("=E=S9999999999999999AA", Some(0.0))),
            ("es_naf", ("999999999999", Some(0.00014))),
            ("es_nie", ("=X9999999A", Some(0.0))),
            ("es_nif", ("99999999A", Some(0.0))),
            ("eu_banknote", ("=X99999999999", Some(0.021))),
            ("eu_ec_number", ("9999999", Some(0.0))),
            ("eu_eic", ("=1=1=X*************", Some(0.0))),
            ("eu_oss", ("=E=U999999999", None)),
            ("fi_hetu", ("dm99=-999*", Some(0.0))),
            ("fi_hetu_test", ("dm99=-999*", Some(0.0))),
            ("fi_ytunnus", ("99999999", Some(0.0))),
            ("fr_nir", ("=199m9999999999", Some(0.0))),
            ("fr_rib", ("9999999999***********99", Some(0.0))),
            ("fr_siren", ("999999999", Some(0.0))),
            ("fr_siret", ("99999999999999", Some(0.0))),
            ("fr_spi", ("9999999999999", Some(0.0))),
            ("gh_tin", ("=C=0=099999999", Some(0.0))),
            ("gn_nif", ("999999999", Some(0.0))),
            ("gr_afm", ("999999999", Some(0.013))),
            ("gr_amka", ("dm9999999", Some(0.0))),
            ("gt_nit", ("99999999", Some(0.0))),
            ("hk_id", ("A9999999", Some(0.0))),
            ("hr_oib", ("99999999999", Some(0.0))),
            ("hu_bank_account", ("9999999999999999", Some(0.0))),
            ("hu_personal_id", ("=199md9999", Some(0.0018))),
            ("hu_taj", ("999999999", Some(0.0))),
            ("hu_tax_id", ("=8999999999", Some(0.0))),
            ("hu_tax_number", ("99999999", Some(0.0))),
            ("id_nik", ("999999dm999999", None)),
            ("id_npwp", ("999999999999999", Some(0.4))),
            ("ie_pps", ("9999999A", Some(0.0))),
            ("il_company", ("=599999999", Some(0.0))),
            ("il_id", ("999999999", Some(0.0))),
            ("in_aadhaar", ("999999999999", Some(0.0))),
            ("in_epic", ("AAA9999999", Some(0.0))),
            ("in_gstin", ("=2=7AAA=PA9999A=1=Z*", Some(0.0))),
            ("in_gstin_form", ("99AAAAA9999A9=Z*", None)),
            ("in_pan", ("AAAAA9999A", None)),
            ("in_vid", ("9999999999999999", Some(0.0))),
            ("is_kennitala", ("dm999999", Some(0.022))),
            ("iso7064_mod11_10", ("9999999999", Some(0.0))),
            ("iso7064_mod11_2", ("9999999999", Some(0.0))),
            ("iso7064_mod37_2", ("**********", Some(0.0))),
            ("iso7064_mod37_36", ("**********", Some(0.0))),
            ("iso7064_mod97_10", ("9999999999", Some(0.0))),
            ("it_aic", ("=099999999", Some(0.0))),
            ("it_fiscal_code", ("AAAAAA99=Ad=A999A", Some(0.0))),
            ("it_vat_code", ("99999999999", Some(0.0))),
            ("jmbg", ("dm=999999999", Some(0.0))),
            ("jp_corporate", ("9999999999999", Some(0.02))),
            ("jp_my_number", ("999999999999", Some(0.021))),
            ("kr_brn", ("9999999999", Some(0.0))),
            ("kr_driver", ("999999999999", None)),
            ("kr_frn", ("99md9999999", None)),
            ("kr_rrn", ("99md9999999", None)),
            ("kr_rrn_checked", ("99md9999999", Some(0.012))),
            ("kz_iin", ("99md=399999", Some(0.087))),
            ("lt_asmens", ("=399md9999", Some(0.012))),
            ("lu_matricule", ("=1=999md99999", Some(0.0))),
            ("luhn", ("9999999999", Some(0.0))),
            ("lv_personas_kods", ("dm99=19999", Some(0.012))),
            ("ma_ice", ("999999999999999", Some(0.0))),
            ("md_number", ("=1999999999999", Some(0.0))),
            ("me_pib", ("99999999", Some(0.018))),
            ("mk_edb", ("9999999999999", Some(0.019))),
            ("mu_nid", ("Adm99999999*", Some(0.0))),
            ("mx_curp", ("AAAA99md=H=D=F=B=B=B99", Some(0.057))),
            ("mx_rfc", ("AAAA99md999", None)),
            ("my_nric", ("99md999999", None)),
            ("mz_nuit", ("999999999", Some(0.014))),
            ("ng_nin", ("99999999999", Some(0.0))),
            ("nl_bsn", ("999999999", Some(0.0))),
            ("nl_education", ("=1=09999999", Some(0.0))),
            ("no_account", ("99999999999", Some(0.0))),
            ("no_fodselsnummer", ("dm9999999", Some(0.0))),
            ("no_orgnr", ("=999999999", Some(0.0))),
            ("nz_bank_account", ("=0=1=-=0999=-9999999=-99", Some(0.39))),
            ("nz_ird", ("=099999999", Some(0.012))),
            ("pe_cui", ("999999999", Some(0.019))),
            ("pe_ruc", ("=1=0999999999", Some(0.015))),
            ("ph_tin", ("999999999999", None)),
            ("pk_cnic", ("9999999999999", None)),
            ("pl_bank_account", ("99999999999999999999999999", Some(0.0))),
            ("pl_id_card", ("AAA999999", Some(0.0))),
            ("pl_nip", ("9999999999", Some(0.0))),
            ("pl_passport", ("AA9999999", Some(0.0))),
            ("pl_pesel", ("99md99999", Some(0.0))),
            ("pl_regon", ("999999999", Some(0.016))),
            ("pt_cc", ("999999999AA9", Some(0.0))),
            ("pt_nif", ("999999999", Some(0.017))),
            ("pt_niss", ("=19999999999", Some(0.051))),
            ("py_ruc", ("99999999", Some(0.018))),
            ("ro_cnp", ("=199md=4=09999", Some(0.012))),
            ("ro_cui", ("99999999", Some(0.017))),
            ("ro_trade_register", ("=J=4=0=/9999=/=2=099", None)),
            ("rs_pib", ("999999999", Some(0.0))),
            ("ru_inn", ("9999999999", Some(0.017))),
            ("ru_ogrn", ("=1999999999999", Some(0.019))),
            ("ru_snils", ("99999999999", Some(0.00025))),
            ("se_orgnr", ("9999999999", Some(0.0))),
            ("se_personnummer", ("99md9999", Some(0.0))),
            ("sg_nric", ("=S9999999A", Some(0.0))),
            ("sg_uen", ("=1=99999999A", Some(0.0))),
            ("si_maticna", ("9999999", Some(0.0))),
            ("si_tax_number", ("99999999", Some(0.0))),
            ("sk_tax_number", ("9999999999", Some(0.0))),
            ("sn_ninea", ("999999999", Some(0.049))),
            ("sv_nit", ("=09999999999999", Some(0.023))),
            ("th_number", ("9999999999999", Some(0.093))),
            ("th_person", ("9999999999999", Some(0.082))),
            ("tr_identity", ("99999999999", Some(0.0))),
            ("tr_tax_number", ("9999999999", Some(0.0))),
            ("tw_id", ("A=199999999", Some(0.086))),
            ("tw_ubn", ("99999999", Some(0.16))),
            ("ua_edrpou", ("99999999", Some(0.019))),
            ("ua_rnokpp", ("9999999999", Some(0.016))),
            ("uk_chi", ("dm999999", Some(0.0))),
            ("uk_driving_licence", ("AAAAA9md9AA9**", None)),
            ("uk_nhs", ("9999999999", Some(0.0))),
            ("uk_nino", ("AA999999A", None)),
            ("uk_sedol", ("9999999", Some(0.0))),
            ("uk_upn", ("A999999999999", Some(0.0))),
            ("uk_utr", ("9999999999", Some(0.034))),
            ("us_dea", ("AA9999999", Some(0.048))),
            ("us_ein", ("999999999", None)),
            ("us_itin", ("999999999", None)),
            ("us_npi", ("9999999999", Some(0.0))),
            ("us_ssn", ("999999999", None)),
            ("uy_ci", ("99999999", Some(0.056))),
            ("uy_rut", ("=2=1999999=0=0=19", Some(0.0))),
            ("ve_rif", ("=V999999999", Some(0.016))),
            ("verhoeff", ("9999999999", Some(0.0))),
            ("vn_mst", ("9999999999", Some(0.0))),
            ("za_id", ("99md9999=099", Some(0.0))),
            ("za_tax", ("=0999999999", Some(0.0))),
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
