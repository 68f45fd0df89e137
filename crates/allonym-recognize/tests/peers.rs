//! What other projects publish as valid, invalid, found and not found: how far the shipped rules
//! agree, by module and by entity.
//!
//! Optional data is found through `ALLONYM_DATA`; without it these tests say what they left out.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop, and print what they measure"
)]

use allonym_recognize::{Recognizer, RuleSet, Scratch, Selection, Tuning};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

/// Whole numbers through [`RuleSet::validate`]: a number is valid where one of the module's
/// entities says so.
#[test]
fn numbers_are_as_valid_as_published() {
    let Some(cases) = cases("peers/stdnum_cases.jsonl.gz") else { return };
    let rules = RuleSet::builtin();
    let mut measured = Measured::default();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases {
        let module = text(case, "module").trim_start_matches("stdnum.");
        let expected = match text(case, "outcome") {
            "valid" => true,
            "invalid" => false,
            _ => continue,
        };
        // Other functions, and those with arguments, ask for something else.
        let whole = matches!(text(case, "func"), "validate" | "is_valid" | "");
        if !whole || !case["args"].is_null() || !case["kwargs"].is_null() {
            continue;
        }
        let Some((_, entities)) = MODULES.iter().find(|(of, _)| *of == module) else {
            *left_out.entry(module).or_default() += 1;
            continue;
        };
        let value = text(case, "input");
        let valid = entities
            .split(' ')
            .any(|entity| rules.validate(entity, value, None).expect("the table names entities"));
        measured.count(module, expected, valid == expected, &format!("{value:?}"), case);
    }
    measured.print("valid accepted", "invalid refused");
    let names: Vec<&str> = left_out.keys().copied().collect();
    println!("not covered, for they number things: {}", names.join(", "));
    let missing: Vec<_> = names
        .iter()
        .filter(|module| {
            let country = module.split_once('.').map_or("", |(country, _)| country);
            EUROPE_AND_US.contains(&country.trim_end_matches('_'))
        })
        .collect();
    assert!(missing.is_empty(), "to be covered: {missing:?}");
    let (accepted, refused) = measured.total(|_| true);
    assert!(accepted.rate() >= 0.995, "valid accepted: {accepted}");
    assert!(refused.rate() >= 0.98, "invalid refused: {refused}");
}

/// Texts scanned for the entity of the case alone, reporting weak shapes too; where nothing is
/// expected, with the default threshold.
#[test]
fn texts_hold_what_is_published() {
    let Some(cases) = cases("peers/presidio_recognizer_cases.jsonl.gz") else { return };
    let mut recognizers: BTreeMap<(&str, bool), Recognizer> = BTreeMap::new();
    let mut scratch = Scratch::default();
    let mut measured = Measured::default();
    for case in &cases {
        let asked = case["entities"].as_array().map(Vec::as_slice);
        let (Some([asked]), "detect") = (asked, text(case, "kind")) else { continue };
        let asked = asked.as_str().unwrap();
        let entity = RENAMED.iter().find(|(of, _)| *of == asked).map_or(asked, |(_, ours)| ours);
        let known = RuleSet::builtin().entity_by_name(entity).is_some();
        let Some(expected_len) = case["expected_len"].as_u64() else { continue };
        let by_model = !text(case, "recognizer").ends_with("Recognizer")
            || MODELS.contains(&text(case, "recognizer"));
        if !known || by_model {
            continue;
        }
        let something = expected_len > 0;
        let recognizer =
            recognizers.entry((entity, something)).or_insert_with(|| recognizer(entity, something));
        let subject = text(case, "text");
        let mut spans = Vec::new();
        recognizer.scan(subject, &mut scratch, &mut spans);
        let characters = |place: usize| {
            subject.get(..place).expect("spans end between characters").chars().count() as u64
        };
        let found: Vec<(u64, u64)> =
            spans.iter().map(|span| (characters(span.start), characters(span.end))).collect();
        let agrees = match case["expected_spans"].as_array() {
            Some(expected) if something => expected.iter().all(|span| {
                found.contains(&(span[0].as_u64().unwrap(), span[1].as_u64().unwrap()))
            }),
            _ => found.len() as u64 == expected_len,
        };
        measured.count(asked, something, agrees, &format!("{subject:?} gives {found:?}"), case);
    }
    measured.print("expected is found", "nothing is found");
    let is_european_or_generic = |entity: &str| {
        let country = entity.split_once('_').map_or("", |(country, _)| country);
        country.len() != 2
            || country == "IP"
            || EUROPE_AND_US.contains(&country.to_lowercase().as_str()) && country != "US"
            || country == "UK"
    };
    let (found, _) = measured.total(is_european_or_generic);
    println!("European and generic: {found}");
    assert!(found.rate() >= 0.97, "European and generic: {found}");
    let (found, silent) = measured.total(|_| true);
    assert!(found.rate() >= 0.93, "all: {found}");
    assert!(silent.rate() >= 0.95, "nothing expected: {silent}");
}

/// The rules of one entity; weak shapes too, or with the default threshold.
fn recognizer(entity: &str, weak: bool) -> Recognizer {
    let selection = Selection { entities: vec![entity.to_owned()], ..Selection::default() };
    let rules = RuleSet::builtin().select(&selection).expect("the entity is known");
    let min_score = if weak { 0.0 } else { Tuning::default().min_score };
    Recognizer::compile(&rules, &Tuning { min_score, ..Tuning::default() }).expect("it compiles")
}

/// How often the rules agree, by group of cases, where something and where nothing is expected.
#[derive(Debug, Default)]
struct Measured {
    groups: BTreeMap<String, (Share, Share)>,
    wrong: Vec<String>,
}

impl Measured {
    fn count(&mut self, group: &str, something: bool, agrees: bool, what: &str, case: &Value) {
        let (hits, silences) = self.groups.entry(group.to_owned()).or_default();
        let share = if something { hits } else { silences };
        share.all += 1;
        share.right += u32::from(agrees);
        if !agrees {
            self.wrong.push(format!("{group} {}: {what}", text(case, "id")));
        }
    }

    fn total(&self, of: impl Fn(&str) -> bool) -> (Share, Share) {
        let mut total = (Share::default(), Share::default());
        for (_, (hits, silences)) in self.groups.iter().filter(|(group, _)| of(group)) {
            total.0.add(*hits);
            total.1.add(*silences);
        }
        total
    }

    fn print(&self, something: &str, nothing: &str) {
        println!("{:<28} {something:>20} {nothing:>20}", "");
        for (group, (hits, silences)) in &self.groups {
            println!("{group:<28} {hits:>20} {silences:>20}");
        }
        let (hits, silences) = self.total(|_| true);
        println!("{:<28} {hits:>20} {silences:>20}", "all");
        println!("not as published:\n  {}", self.wrong.join("\n  "));
    }
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    right: u32,
    all: u32,
}

impl Share {
    fn add(&mut self, other: Share) {
        self.right += other.right;
        self.all += other.all;
    }

    fn rate(self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.all {
            0 => "-".to_owned(),
            all => format!("{}/{all} {:.4}", self.right, self.rate()),
        };
        f.pad(&text)
    }
}

/// Published cases, or none and a word on what is left out.
#[expect(clippy::disallowed_methods, reason = "optional data is found through the environment")]
fn cases(name: &str) -> Option<Vec<Value>> {
    let Ok(data) = std::env::var("ALLONYM_DATA") else {
        println!("left out: {name} (ALLONYM_DATA is not set)");
        return None;
    };
    let file = std::fs::File::open(PathBuf::from(data).join(name)).unwrap();
    let mut lines = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut lines).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_default()
}

/// Names under which other projects know our entities.
const RENAMED: &[(&str, &str)] = &[
    ("EMAIL", "EMAIL_ADDRESS"),
    ("PH_MOBILE_NUMBER", "PHONE_NUMBER"),
    ("TR_PHONE_NUMBER", "PHONE_NUMBER"),
];

/// Recognizers whose cases a language model answers.
const MODELS: &[&str] = &[
    "AzureAILanguageRecognizer",
    "BasicLangExtractRecognizer",
    "ConcreteLMRecognizer",
    "GLiNERRecognizer",
    "PatternRecognizer",
    "SpacyRecognizer",
];

/// No module of these may be left out.
const EUROPE_AND_US: &[&str] = &[
    "ad", "at", "be", "bg", "ch", "cy", "cz", "de", "dk", "ee", "es", "eu", "fi", "fo", "fr", "gb",
    "gr", "hr", "hu", "ie", "is", "it", "li", "lt", "lu", "lv", "mc", "mt", "nl", "no", "pl", "pt",
    "ro", "se", "si", "sk", "sm", "us",
];

/// Modules of whole numbers and the entities that answer them.
const MODULES: &[(&str, &str)] = &[
    ("ad.nrt", "AD_NRT"),
    ("al.nipt", "AL_NIPT"),
    ("ar.cbu", "AR_CBU"),
    ("ar.cuit", "AR_CUIT"),
    ("ar.dni", "AR_DNI"),
    ("at.businessid", "AT_COMPANY_NUMBER"),
    ("at.postleitzahl", "AT_POSTCODE"),
    ("at.tin", "AT_TAX_NUMBER"),
    ("at.uid", "VAT_CODE"),
    ("at.vnr", "AT_SOCIAL_SECURITY"),
    ("au.abn", "AU_ABN"),
    ("au.acn", "AU_ACN"),
    ("au.tfn", "AU_TFN"),
    ("az.voen", "AZ_VOEN"),
    ("be.bis", "BE_NATIONAL_NUMBER"),
    ("be.eid", "BE_ID_CARD"),
    ("be.iban", "IBAN_CODE"),
    ("be.nn", "BE_NATIONAL_NUMBER"),
    ("be.ogm_vcs", "BE_PAYMENT_REFERENCE"),
    ("be.ssn", "BE_NATIONAL_NUMBER"),
    ("be.vat", "BE_ENTERPRISE_NUMBER VAT_CODE"),
    ("bg.egn", "BG_EGN"),
    ("bg.pnf", "BG_LNCH"),
    ("bg.vat", "BG_EIK BG_EGN BG_LNCH"),
    ("bic", "BIC"),
    ("bitcoin", "CRYPTO"),
    ("br.cnpj", "BR_CNPJ"),
    ("br.cpf", "BR_CPF"),
    ("by.unp", "BY_UNP"),
    ("ca.bc_phn", "CA_HEALTH_NUMBER"),
    ("ca.bn", "CA_BN"),
    ("ca.sin", "CA_SIN"),
    ("ch.esr", "CH_PAYMENT_REFERENCE"),
    ("ch.ssn", "CH_AHV"),
    ("ch.uid", "CH_UID"),
    ("ch.vat", "CH_UID VAT_CODE"),
    ("cl.rut", "CL_RUT"),
    ("cn.ric", "CN_RESIDENT_ID"),
    ("cn.uscc", "CN_USCC"),
    ("co.nit", "CO_NIT"),
    ("cr.cpf", "CR_CEDULA"),
    ("cr.cpj", "CR_CEDULA_JURIDICA"),
    ("cr.cr", "CR_DIMEX"),
    ("cu.ni", "CU_IDENTITY_NUMBER"),
    ("cy.vat", "CY_TIC"),
    ("cz.bankaccount", "CZ_BANK_ACCOUNT"),
    ("cz.dic", "CZ_DIC"),
    ("cz.ico", "CZ_ICO"),
    ("cz.rc", "CZ_BIRTH_NUMBER"),
    ("de.handelsregisternummer", "DE_HANDELSREGISTER"),
    ("de.idnr", "DE_TAX_ID"),
    ("de.leitweg", "DE_LEITWEG_ID"),
    ("de.stnr", "DE_TAX_NUMBER"),
    ("de.vat", "DE_VAT_ID"),
    ("de.wkn", "DE_WKN"),
    ("dk.cpr", "DK_CPR"),
    ("dk.cvr", "DK_CVR"),
    ("do.cedula", "DO_CEDULA"),
    ("do.rnc", "DO_RNC"),
    ("dz.nif", "DZ_NIF"),
    ("ec.ci", "EC_CEDULA"),
    ("ec.ruc", "EC_RUC"),
    ("ee.ik", "EE_PERSONAL_CODE"),
    ("ee.kmkr", "VAT_CODE"),
    ("ee.registrikood", "EE_REGISTRY_CODE"),
    ("eg.tn", "EG_TAX_NUMBER"),
    ("es.cae", "ES_CAE"),
    ("es.ccc", "ES_BANK_ACCOUNT"),
    ("es.cif", "ES_CIF"),
    ("es.cups", "ES_CUPS"),
    ("es.dni", "ES_NIF"),
    ("es.iban", "IBAN_CODE"),
    ("es.nie", "ES_NIE"),
    ("es.nif", "ES_NIF ES_NIE ES_CIF"),
    ("es.postal_code", "ES_POSTCODE"),
    ("es.referenciacatastral", "ES_CADASTRAL_REFERENCE"),
    ("eu.at_02", "SEPA_CREDITOR_ID"),
    ("eu.banknote", "EU_BANKNOTE"),
    ("eu.ecnumber", "EU_EC_NUMBER"),
    ("eu.eic", "EU_EIC"),
    ("eu.excise", "EU_EXCISE"),
    ("eu.nace", "EU_NACE"),
    ("eu.oss", "EU_OSS"),
    ("eu.vat", "VAT_CODE EU_OSS"),
    ("fi.alv", "FI_BUSINESS_ID"),
    ("fi.associationid", "FI_ASSOCIATION_ID"),
    ("fi.hetu", "FI_PERSONAL_IDENTITY_CODE"),
    ("fi.veronumero", "FI_TAX_NUMBER"),
    ("fi.ytunnus", "FI_BUSINESS_ID"),
    ("fo.vn", "FO_VN"),
    ("fr.accise", "FR_ACCISE"),
    ("fr.nif", "FR_TAX_ID"),
    ("fr.nir", "FR_NIR"),
    ("fr.rcs", "FR_RCS"),
    ("fr.siren", "FR_SIREN"),
    ("fr.siret", "FR_SIRET"),
    ("fr.tva", "VAT_CODE"),
    ("gb.sedol", "UK_SEDOL"),
    ("gb.upn", "UK_UPN"),
    ("gb.utr", "UK_UTR"),
    ("gb.vat", "VAT_CODE"),
    ("gh.tin", "GH_TIN"),
    ("gn.nifp", "GN_NIF"),
    ("gr.amka", "GR_AMKA"),
    ("gr.vat", "GR_AFM"),
    ("gt.nit", "GT_NIT"),
    ("hr.oib", "HR_OIB"),
    ("hu.anum", "HU_TAX_NUMBER"),
    ("iban", "IBAN_CODE"),
    ("id.nik", "ID_NIK"),
    ("id.npwp", "ID_NPWP"),
    ("ie.pps", "IE_PPS"),
    ("ie.vat", "VAT_CODE"),
    ("il.hp", "IL_COMPANY_NUMBER"),
    ("il.idnr", "IL_ID"),
    ("imei", "IMEI"),
    ("imsi", "IMSI"),
    ("in_.aadhaar", "IN_AADHAAR"),
    ("in_.epic", "IN_VOTER"),
    ("in_.gstin", "IN_GSTIN"),
    ("in_.pan", "IN_PAN"),
    ("in_.vid", "IN_VID"),
    ("is_.kennitala", "IS_KENNITALA"),
    ("is_.vsk", "IS_VAT"),
    ("it.aic", "IT_AIC"),
    ("it.codicefiscale", "IT_FISCAL_CODE"),
    ("it.iva", "IT_VAT_CODE"),
    ("jp.cn", "JP_CORPORATE_NUMBER"),
    ("jp.in_", "JP_MY_NUMBER"),
    ("ke.pin", "KE_PIN"),
    ("kr.brn", "KR_BRN"),
    ("kr.rrn", "KR_RRN KR_FRN"),
    ("lei", "LEI"),
    ("li.peid", "LI_PE_ID"),
    ("lt.asmens", "LT_PERSONAL_CODE"),
    ("lt.pvm", "VAT_CODE"),
    ("lu.tva", "VAT_CODE"),
    ("lv.pvn", "LV_PERSONAL_CODE LV_REGISTRATION_NUMBER"),
    ("ma.ice", "MA_ICE"),
    ("mac", "MAC_ADDRESS"),
    ("mc.tva", "MC_VAT"),
    ("md.idno", "MD_IDNO"),
    ("me.pib", "ME_PIB"),
    ("mk.edb", "MK_EDB"),
    ("mt.vat", "MT_TAX_NUMBER"),
    ("mu.nid", "MU_NID"),
    ("mx.curp", "MX_CURP"),
    ("mx.rfc", "MX_RFC"),
    ("my.nric", "MY_NRIC"),
    ("mz.nuit", "MZ_NUIT"),
    ("nl.brin", "NL_BRIN"),
    ("nl.bsn", "NL_BSN"),
    ("nl.btw", "VAT_CODE"),
    ("nl.identiteitskaartnummer", "NL_ID_CARD NL_PASSPORT"),
    ("nl.onderwijsnummer", "NL_EDUCATION_NUMBER"),
    ("nl.postcode", "NL_POSTCODE"),
    ("no.fodselsnummer", "NO_FODSELSNUMMER"),
    ("no.iban", "IBAN_CODE"),
    ("no.kontonr", "NO_BANK_ACCOUNT"),
    ("no.mva", "NO_ORGANISASJONSNUMMER"),
    ("no.orgnr", "NO_ORGANISASJONSNUMMER"),
    ("nz.bankaccount", "NZ_BANK_ACCOUNT"),
    ("nz.ird", "NZ_IRD"),
    ("om.vat", "OM_VAT"),
    ("pe.cui", "PE_DNI"),
    ("pe.ruc", "PE_RUC"),
    ("pk.cnic", "PK_CNIC"),
    ("pl.nip", "PL_NIP"),
    ("pl.pesel", "PL_PESEL"),
    ("pl.regon", "PL_REGON"),
    ("pt.cc", "PT_CITIZEN_CARD"),
    ("pt.nif", "PT_NIF"),
    ("py.ruc", "PY_RUC"),
    ("ro.cf", "RO_CUI RO_CNP"),
    ("ro.cnp", "RO_CNP"),
    ("ro.cui", "RO_CUI"),
    ("ro.onrc", "RO_TRADE_REGISTER"),
    ("rs.pib", "RS_PIB"),
    ("ru.inn", "RU_INN"),
    ("ru.ogrn", "RU_OGRN"),
    ("se.orgnr", "SE_ORGANISATIONSNUMMER"),
    ("se.personnummer", "SE_PERSONNUMMER"),
    ("se.postnummer", "SE_POSTCODE"),
    ("se.vat", "VAT_CODE"),
    ("sg.uen", "SG_UEN"),
    ("si.ddv", "SI_TAX_NUMBER"),
    ("si.emso", "SI_EMSO"),
    ("si.maticna", "SI_REGISTRATION_NUMBER"),
    ("sk.dph", "SK_DIC SK_BIRTH_NUMBER"),
    ("sk.ico", "SK_ICO"),
    ("sk.rc", "SK_BIRTH_NUMBER"),
    ("sm.coe", "SM_COE"),
    ("sn.ninea", "SN_NINEA"),
    ("sv.nit", "SV_NIT"),
    ("th.moa", "TH_TIN"),
    ("th.pin", "TH_TNIN"),
    ("th.tin", "TH_TIN"),
    ("tn.mf", "TN_MF"),
    ("tr.tckimlik", "TR_NATIONAL_ID"),
    ("tr.vkn", "TR_VKN"),
    ("tw.ubn", "TW_UBN"),
    ("ua.edrpou", "UA_EDRPOU"),
    ("ua.rntrc", "UA_RNOKPP"),
    ("us.atin", "US_ATIN"),
    ("us.ein", "US_EIN"),
    ("us.itin", "US_ITIN"),
    ("us.ptin", "US_PTIN"),
    ("us.rtn", "ABA_ROUTING_NUMBER"),
    ("us.ssn", "US_SSN"),
    ("us.tin", "US_SSN US_ITIN US_EIN US_ATIN US_PTIN"),
    ("uy.rut", "UY_RUT"),
    ("ve.rif", "VE_RIF"),
    ("vn.mst", "VN_MST"),
    ("za.idnr", "ZA_ID_NUMBER"),
    ("za.tin", "ZA_TAX_NUMBER"),
];
