//! Phones, contact, device, finance and secrets held against the published cases of peers, labelled
//! sentences and clean text. What passes by specification fails here when it no longer does.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop, say what they measured and what they left out"
)]

use allonym_recognize::{Group, Recognizer, RuleFile, RuleSet, Scratch, Selection, Tuning};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The rule files as they stand in their folder, so that a rule can be tried without a build.
static RULES: LazyLock<RuleSet> = LazyLock::new(|| {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recognizers")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("sets") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(RuleFile { path: path.display().to_string(), text });
            }
        }
    }
    RuleSet::parse(&files).unwrap()
});

/// A share of cases, and the cases that are not in it.
#[derive(Default)]
struct Share {
    all: usize,
    missed: Vec<String>,
}

impl Share {
    fn count(&mut self, holds: bool, what: impl Into<String>) {
        self.all += 1;
        if !holds {
            self.missed.push(what.into());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn value(&self) -> f64 {
        1.0 - self.missed.len() as f64 / self.all.max(1) as f64
    }

    fn print(&self, name: &str) {
        let Share { all, missed } = self;
        println!("{name}: {:.4} ({} of {all})", self.value(), all - missed.len());
        for missed in missed.iter().take(MISSED_MAX) {
            println!("    {missed}");
        }
    }

    #[track_caller]
    fn holds(&self, name: &str, least: f64) {
        self.print(name);
        assert!(self.value() >= least, "{name}: {:.4} of at least {least}", self.value());
    }
}

/// Most cases printed of a share.
const MISSED_MAX: usize = 60;

/// The lines of a packed file of cases, or `None` (and a line that says so) where there is none.
fn cases(path: &str) -> Option<Vec<Value>> {
    let text = text(path)?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text(path: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "tests are told where the optional data is")]
    let file = std::env::var("ALLONYM_DATA").ok().map(|data| PathBuf::from(data).join(path));
    let Some(file) = file.filter(|file| file.is_file()) else {
        println!("left out: ALLONYM_DATA names no folder with {path}");
        return None;
    };
    let mut text = String::new();
    let packed = std::fs::File::open(file).unwrap();
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).unwrap();
    Some(text)
}

/// Finds as `al.find` does.
struct Finder {
    recognizer: Recognizer,
    scratch: Scratch,
}

/// A finding: bytes of the text, entity, group.
type Found = (usize, usize, String, Group);

impl Finder {
    fn new(entities: &[&str], countries: &[&str]) -> Finder {
        Finder::with(entities, countries, Tuning::default().min_score)
    }

    fn with(entities: &[&str], countries: &[&str], min_score: f32) -> Finder {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let selection = Selection {
            entities: owned(entities),
            countries: owned(countries),
            ..Selection::default()
        };
        let rules = RULES.select(&selection).unwrap();
        let recognizer =
            Recognizer::compile(&rules, &Tuning { min_score, ..Tuning::default() }).unwrap();
        Finder { recognizer, scratch: Scratch::default() }
    }

    fn find(&mut self, text: &str) -> Vec<Found> {
        let mut spans = Vec::new();
        self.recognizer.scan(text, &mut self.scratch, &mut spans);
        let rules = self.recognizer.rules();
        let entity = |span: &allonym_recognize::Span| rules.entity(span.entity);
        spans
            .iter()
            .map(|span| (span.start, span.end, entity(span).name.clone(), entity(span).group))
            .collect()
    }

    fn finds_whole(&mut self, text: &str) -> bool {
        self.find(text).iter().any(|found| (found.0, found.1) == (0, text.len()))
    }
}

fn slice(text: &str, (start, end): (usize, usize)) -> &str {
    text.get(start..end).unwrap_or_default()
}

fn field<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

#[test]
fn phones() {
    let Some(cases) = cases("peers/libphonenumber_cases.jsonl.gz") else { return };
    let mut of_region: BTreeMap<String, Finder> = BTreeMap::new();
    let mut everywhere = Finder::new(&["PHONE_NUMBER"], &[]);
    let [mut home, mut abroad, mut refused, mut unfound, mut valid, mut context] =
        [(); 6].map(|()| Share::default());
    let mut listed: BTreeMap<&str, Share> = BTreeMap::new();
    let is_valid = |value: &str, country: Option<&str>| {
        RULES.validate("PHONE_NUMBER", value, country).unwrap()
    };
    for case in &cases {
        let region = field(case, "region");
        let is_country = region.len() == 2 && region != "ZZ" && !region.starts_with('0');
        let finder = of_region.entry(region.to_owned()).or_insert_with(|| {
            let countries = [region];
            Finder::new(&["PHONE_NUMBER"], if is_country { &countries } else { &[] })
        });
        let country = is_country.then_some(region);
        match field(case, "kind") {
            "example_number" => {
                let (national, international) =
                    (field(case, "national"), field(case, "international"));
                if is_country {
                    home.count(finder.finds_whole(national), format!("{region} {national}"));
                }
                abroad.count(everywhere.finds_whole(international), international);
                for form in ["e164", "international", "rfc3966"] {
                    let form = field(case, form).trim_start_matches("tel:");
                    valid.count(is_valid(form, None), form);
                    valid.count(is_valid(form, country), format!("{region} {form}"));
                }
                if is_country {
                    let of_region = is_valid(national, country);
                    valid.count(of_region, format!("{region} {national}"));
                }
            }
            "invalid_example" => {
                let number = field(case, "e164");
                refused.count(!is_valid(number, None), number);
                refused.count(!is_valid(number, country), format!("{region} {number}"));
                unfound.count(finder.find(number).is_empty(), format!("{region} {number}"));
            }
            "find_in_context" => {
                let number = field(case, "number");
                for (before, after) in [
                    ("", ""),
                    ("Hello ", ""),
                    ("", " to call me!"),
                    ("Hi there, call ", " to reach me!"),
                    ("Hi there, call ", ", or don't"),
                    ("Call ", " before 6:30"),
                    ("As I said on 03/10/2011, you may call me at ", ""),
                ] {
                    let text = format!("{before}{number}{after}");
                    let end = before.len() + number.len();
                    let covers = |found: &Found| found.0 <= before.len() + 3 && found.1 + 5 >= end;
                    context
                        .count(finder.find(&text).iter().any(covers), format!("{region} {text}"));
                }
            }
            _ => {
                let number = field(case, "text");
                let found = !finder.find(number).is_empty();
                listed
                    .entry(field(case, "list"))
                    .or_default()
                    .count(found, format!("{region} {number}"));
            }
        }
    }
    for (list, share) in &listed {
        share.print(&format!("found of {list}"));
    }
    unfound.holds("invalid examples not found", 0.95);
    home.holds("valid examples found with the region given", 0.99);
    abroad.holds("international form without region", 0.99);
    valid.holds("valid examples accepted", 0.99);
    refused.holds("invalid examples refused", 0.95);
    context.holds("found in context", 0.95);
}

#[test]
fn detection() {
    let Some(cases) = cases("peers/presidio_recognizer_cases.jsonl.gz") else { return };
    let entities = [
        ("ABA_ROUTING_NUMBER", "ABA_ROUTING_NUMBER", ""),
        ("CREDIT_CARD", "CREDIT_CARD", ""),
        ("CRYPTO", "CRYPTO", ""),
        ("EMAIL_ADDRESS", "EMAIL_ADDRESS", ""),
        ("IBAN_CODE", "IBAN_CODE", ""),
        ("IP_ADDRESS", "IP_ADDRESS", ""),
        ("MAC_ADDRESS", "MAC_ADDRESS", ""),
        ("PHONE_NUMBER", "PHONE_NUMBER", ""),
        ("PH_MOBILE_NUMBER", "PHONE_NUMBER", "PH"),
        ("TR_PHONE_NUMBER", "PHONE_NUMBER", "TR"),
        ("URL", "URL", ""),
        ("US_BANK_NUMBER", "US_BANK_NUMBER", "US"),
    ];
    let [mut found, mut quiet] = [(); 2].map(|()| Share::default());
    for (asked, entity, country) in entities {
        let countries: &[&str] = if country.is_empty() { &[] } else { &[country] };
        let mut weak = Finder::with(&[entity], countries, 0.0);
        let mut plain = Finder::new(&[entity], countries);
        for case in &cases {
            let of_one = case["entities"].as_array().is_some_and(|all| *all == [asked]);
            if field(case, "kind") != "detect" || !of_one {
                continue;
            }
            let text = field(case, "text");
            let count = case["expected_len"].as_u64().unwrap_or_default();
            if count == 0 {
                quiet.count(plain.find(text).is_empty(), format!("{entity}: {text:?}"));
                continue;
            }
            let spans: Vec<(usize, usize)> =
                weak.find(text).iter().map(|span| (span.0, span.1)).collect();
            let all = match case["expected_spans"].as_array() {
                Some(expected) => expected.iter().all(|span| {
                    let byte = |place: &Value| {
                        let place = usize::try_from(place.as_u64().unwrap()).unwrap();
                        text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte)
                    };
                    spans.contains(&(byte(&span[0]), byte(&span[1])))
                }),
                None => u64::try_from(spans.len()).unwrap() >= count,
            };
            let expected = &case["expected_spans"];
            found.count(all, format!("{entity}: {text:?} {expected} not {spans:?}"));
        }
    }
    found.holds("spans of generic entities found", 0.97);
    quiet.holds("texts without any left alone", 0.95);
}

#[test]
fn whole_values() {
    let Some(cases) = cases("peers/validatorjs_cases.jsonl.gz") else { return };
    let entities: BTreeMap<&str, &str> = BTreeMap::from([
        ("isEmail", "EMAIL_ADDRESS"),
        ("isIBAN", "IBAN_CODE"),
        ("isCreditCard", "CREDIT_CARD"),
        ("isIP", "IP_ADDRESS"),
        ("isMACAddress", "MAC_ADDRESS"),
        ("isBIC", "BIC"),
        ("isIMEI", "IMEI"),
        ("isJWT", "JWT"),
        ("isBtcAddress", "CRYPTO"),
        ("isEthereumAddress", "CRYPTO"),
        ("isAbaRouting", "ABA_ROUTING_NUMBER"),
    ]);
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for case in &cases {
        let validator = field(case, "validator");
        let Some(entity) = entities.get(validator) else { continue };
        let value = field(case, "input");
        let argument = &case["args"][0];
        let option = |name: &str| argument.get(name).unwrap_or(argument);
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let narrowed = match validator {
            "isIP" => number(option("version")).is_some_and(|version| {
                !(version == 4 && !value.contains(':') || version == 6 && value.contains(':'))
            }),
            "isMACAddress" => number(option("eui")).is_some_and(|bits| {
                let nibbles = value.bytes().filter(u8::is_ascii_hexdigit).count();
                u64::try_from(nibbles).unwrap() * 4 != bits
            }),
            // One entity holds the addresses of all coins.
            "isBtcAddress" if value.starts_with("0x") => continue,
            "isEthereumAddress" if !value.starts_with("0x") => continue,
            _ => false,
        };
        // Other options ask for what no standard says.
        let version = argument.get("version").is_some_and(|version| number(version).is_some());
        let eui = argument.get("eui").is_some() && argument.get("no_separators").is_none();
        if (argument.is_object() && !version && !eui) || DISPUTED.iter().any(|(it, _)| *it == value)
        {
            continue;
        }
        let valid = RULES.validate(entity, value, None).unwrap() && !narrowed;
        let expected = field(case, "expected") == "valid";
        let what = format!("{} {value:?}", if expected { "valid" } else { "invalid" });
        shares.entry(validator).or_default().count(valid == expected, what);
    }
    for (value, why) in DISPUTED {
        println!("disputed: {value}: {why}");
    }
    for (validator, share) in &shares {
        share.holds(validator, 0.97);
    }
    assert_eq!(shares.len(), entities.len());
}

/// Values of which a peer says something else than the standard.
const DISPUTED: &[(&str, &str)] = &[
    ("14qViLJfdGaP4EeHnDyJbEGQysnCpwk3gd", "called valid; the Base58Check checksum is wrong"),
    (
        "BC1P5D7RJQ7G6RDK2YHZKS9SMLAQTEDR4DEKQ08GE8ZTWAC72SFR9RUSXG3297",
        "called invalid; BIP 173 allows upper case",
    ),
];

#[test]
fn passports() {
    let Some(cases) = cases("peers/validatorjs_cases.jsonl.gz") else { return };
    let mut share = Share::default();
    for case in cases.iter().filter(|case| field(case, "validator") == "isPassportNumber") {
        let country = case["args"][0].as_str().unwrap();
        let country = if country == "GB" { "UK" } else { country };
        let (value, expected) = (field(case, "input"), field(case, "expected"));
        match RULES.validate(&format!("{country}_PASSPORT"), value, None) {
            Some(valid) => {
                let holds = valid == (expected == "valid");
                share.count(holds, format!("{country} {value:?} is {expected}"));
            }
            None => {
                assert_eq!(country, "SL", "a country without a rule for its passports");
                println!(
                    "left out: {country} {value:?}: no description of the number is published"
                );
            }
        }
    }
    share.holds("passports", 0.97);
}

#[test]
fn value_added_tax() {
    let Some(cases) = cases("peers/validatorjs_cases.jsonl.gz") else { return };
    let [mut all, mut share] = [(); 2].map(|()| Share::default());
    for case in cases.iter().filter(|case| field(case, "validator") == "isVAT") {
        let country = case["args"][0].as_str().unwrap();
        let (value, is_valid) = (field(case, "input"), field(case, "expected") == "valid");
        if VAT_WITHOUT_A_CHECK.contains(&country) {
            println!("left out: {country} {value:?}: no entity, as no check digit is published");
            continue;
        }
        let elsewhere = VAT_ELSEWHERE.iter().find(|(of, _)| *of == country);
        let entities = elsewhere.map_or(&["VAT_CODE"][..], |(_, entities)| entities);
        // Outside Europe the prefix is the peer's, not the number's.
        let bare = match elsewhere {
            Some(_) => value.strip_prefix(country).unwrap_or(value),
            None => value,
        };
        let valid = entities.iter().any(|entity| {
            [value, bare].iter().any(|text| RULES.validate(entity, text, None).unwrap())
        });
        let what = format!("{country} {value:?} is {}", field(case, "expected"));
        all.count(valid == is_valid, what.as_str());
        if valid == is_valid {
            share.count(true, what);
            continue;
        }
        match disputed_vat(country, value, is_valid) {
            Some(why) => println!("disputed: {what}: {why}"),
            None => share.count(false, what),
        }
    }
    all.print("value added tax, disputed ones counted as disagreement");
    share.holds("value added tax", 0.97);
}

/// Why a number is judged otherwise than the peer does, who looks at the form alone.
fn disputed_vat(country: &str, value: &str, is_valid: bool) -> Option<&'static str> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let counts_up =
        ["12345678901234567890", "1234567891011"].iter().any(|run| run.starts_with(&digits));
    let listed = DISPUTED_VAT.iter().find(|(disputed, _)| *disputed == value);
    match listed {
        Some((_, why)) => Some(why),
        None if is_valid && counts_up => Some("digits that count up; the check digit is wrong"),
        None if !is_valid && value.strip_prefix(country)?.starts_with(' ') => {
            Some("a space behind the country, as people write it")
        }
        None if !is_valid && value.starts_with("GB") => Some("a space, as HMRC writes it"),
        None => None,
    }
}

/// Numbers that a peer calls valid, though a digit is wrong, or invalid for how they are written.
const DISPUTED_VAT: &[(&str, &str)] = &[
    ("FR40123456789", "the key of 123456789 is 32, and its SIREN fails Luhn"),
    ("GB999 9999 00", "the remainder by 97 is neither 0 nor 55"),
    ("GB999 9999 96", "the remainder by 97 is neither 0 nor 55"),
    ("GB999999999 999", "the remainder by 97 is neither 0 nor 55"),
    ("116281710MWST", "the UID begins with CHE (eCH-0097)"),
    ("123456788", "the UID begins with CHE (eCH-0097)"),
    ("1234", "economic operators of San Marino have up to five digits"),
    ("1234-567890-123-1", "the check digit is wrong"),
];

/// Entities that hold the number which a country outside the common list taxes by.
const VAT_ELSEWHERE: &[(&str, &[&str])] = &[
    ("AL", &["AL_NIPT"]),
    ("AR", &["AR_CUIT"]),
    ("AU", &["AU_ABN"]),
    ("BR", &["BR_CNPJ", "BR_CPF"]),
    ("BY", &["BY_UNP"]),
    ("CA", &["CA_BN"]),
    ("CL", &["CL_RUT"]),
    ("CO", &["CO_NIT"]),
    ("CR", &["CR_CEDULA", "CR_CEDULA_JURIDICA", "CR_DIMEX"]),
    ("DO", &["DO_RNC", "DO_CEDULA"]),
    ("EC", &["EC_RUC"]),
    ("GT", &["GT_NIT"]),
    ("ID", &["ID_NPWP"]),
    ("IL", &["IL_COMPANY_NUMBER", "IL_ID"]),
    ("IN", &["IN_GSTIN"]),
    ("IS", &["IS_VAT"]),
    ("KZ", &["KZ_IIN"]),
    ("MK", &["MK_EDB"]),
    ("MX", &["MX_RFC"]),
    ("NO", &["NO_ORGANISASJONSNUMMER"]),
    ("NZ", &["NZ_IRD"]),
    ("PE", &["PE_RUC"]),
    ("PH", &["PH_TIN"]),
    ("PY", &["PY_RUC"]),
    ("RS", &["RS_PIB"]),
    ("RU", &["RU_INN"]),
    ("SM", &["SM_COE"]),
    ("SV", &["SV_NIT"]),
    ("TR", &["TR_VKN"]),
    ("UA", &["UA_EDRPOU", "UA_RNOKPP"]),
    ("UY", &["UY_RUT"]),
    ("VE", &["VE_RIF"]),
];

/// Countries of the peer's cases whose tax numbers have no published check digit.
const VAT_WITHOUT_A_CHECK: &[&str] = &["BO", "HN", "NG", "NI", "PA", "SA", "UZ"];

#[test]
fn secrets() {
    let Some(cases) = cases("peers/secrets_cases.jsonl.gz") else { return };
    let mut finder = Finder::new(&[], &[]);
    let [mut found, mut quiet] = [(); 2].map(|()| Share::default());
    let mut alarms = Share::default();
    let mut kinds: BTreeMap<&str, (bool, Share)> = BTreeMap::new();
    for case in &cases {
        let text = field(case, "text");
        let secret = finder.find(text).into_iter().find(|found| found.3 == Group::Secret);
        let rule = field(case, "rule");
        let what = format!(
            "{rule}: {text:?}: {:?}",
            secret.as_ref().map(|s| (&s.2, slice(text, (s.0, s.1))))
        );
        if case["expected_secret"] == Value::Bool(true) {
            // A kind is named in the catalogue where a rule of its own knows one of its samples.
            let (is_named, share) = kinds.entry(rule).or_default();
            *is_named |= secret.as_ref().is_some_and(|s| !["API_KEY", "PASSWORD"].contains(&&*s.2));
            share.count(secret.is_some(), what.as_str());
            found.count(secret.is_some(), what);
        } else {
            // "This rule must not fire, another may": what a rule for assignments finds in the
            // negative of a named kind is another's, and the other way round.
            let generic = ["API_KEY", "PASSWORD", "BEARER_TOKEN", "KUBERNETES_SECRET"];
            let of_rule = ["np.generic", "np.http", "generic", "curl", "kubernetes"];
            let of_rule = of_rule.iter().any(|name| rule.starts_with(name));
            let same = secret.as_ref().is_some_and(|s| generic.contains(&s.2.as_str()) == of_rule);
            alarms.count(!same, what.clone());
            quiet.count(secret.is_none(), what);
        }
    }
    let mut named = Share::default();
    for (_, share) in kinds.into_values().filter(|(is_named, _)| *is_named) {
        named.all += share.all;
        named.missed.extend(share.missed);
    }
    found.holds("published samples found", 0.85);
    named.holds("of kinds that the catalogue names", 0.97);
    quiet.print("negatives without any secret");
    alarms.holds("negatives without a secret of the kind that must not fire", 0.92);
}

#[test]
fn sentences() {
    let Some(cases) = cases("corpora/presidio_synth_train.jsonl.gz") else { return };
    let mut finder = Finder::new(&[], &[]);
    let entities = [
        ("CREDIT_CARD", "CREDIT_CARD"),
        ("IBAN", "IBAN_CODE"),
        ("EMAIL", "EMAIL_ADDRESS"),
        ("IP_ADDRESS", "IP_ADDRESS"),
        ("PHONE", "PHONE_NUMBER"),
    ];
    let mut recall: BTreeMap<&str, Share> = BTreeMap::new();
    let mut precision: BTreeMap<&str, Share> = BTreeMap::new();
    for case in &cases {
        let text = field(case, "text");
        let byte = |place: &Value| {
            let place = usize::try_from(place.as_u64().unwrap()).unwrap();
            text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte)
        };
        let found = finder.find(text);
        for (label, entity) in entities {
            let gold: Vec<(usize, usize)> = case["spans"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|span| field(span, "label") == label)
                .map(|span| (byte(&span["start"]), byte(&span["end"])))
                .collect();
            let found: Vec<(usize, usize)> = found
                .iter()
                .filter(|found| found.2 == entity)
                .map(|found| (found.0, found.1))
                .collect();
            let meet =
                |one: &(usize, usize), other: &(usize, usize)| one.0 < other.1 && other.0 < one.1;
            for gold in &gold {
                let hit = found.iter().any(|found| meet(found, gold));
                recall
                    .entry(label)
                    .or_default()
                    .count(hit, format!("{} in {text:?}", slice(text, *gold)));
            }
            for found in &found {
                let hit = gold.iter().any(|gold| meet(found, gold));
                precision
                    .entry(label)
                    .or_default()
                    .count(hit, format!("{} in {text:?}", slice(text, *found)));
            }
        }
    }
    for (label, entity) in entities {
        let phone = entity == "PHONE_NUMBER";
        recall[label].holds(&format!("recall of {entity}"), if phone { 0.85 } else { 1.0 });
        precision[label].holds(&format!("precision of {entity}"), if phone { 0.92 } else { 0.99 });
    }
}

#[test]
fn clean_text() {
    // Every 25th of the statutes stands for them; all of them take a minute.
    #[expect(clippy::disallowed_methods, reason = "whoever runs the test may ask for all of them")]
    let every = std::env::var("ALLONYM_STATUTES_EVERY").ok();
    let every = every.map_or(25, |every| every.parse().expect("a number of documents"));
    let (mut alarms, mut bytes) = (0, 0);
    for (name, every) in
        [("peps_en", 1), ("rust_rfcs_en", 1), ("nltk_gutenberg_en", 1), ("gesetze_de", every)]
    {
        let Some(text) = text(&format!("raw/{name}.txt.gz")) else { return };
        let mut finder = Finder::new(&[], &[]);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        // Documents begin with `=== name`.
        for document in text.split("\n=== ").step_by(every) {
            bytes += document.len();
            for found in finder.find(document) {
                if matches!(found.3, Group::Direct | Group::Secret) {
                    *counts.entry(found.2).or_default() += 1;
                }
            }
        }
        println!("{name}: direct identifiers and secrets found: {counts:?}");
        counts.retain(|entity, _| !STANDS_THERE.contains(&entity.as_str()));
        alarms += counts.values().sum::<usize>();
    }
    let rate = rate(alarms, bytes);
    println!("{rate:.2} false alarms per MB of {bytes} bytes");
    assert!(rate <= 1.0, "{rate}");
}

/// Mailboxes, sites and offices that these texts really name.
const STANDS_THERE: &[&str] = &["EMAIL_ADDRESS", "URL", "STREET_ADDRESS"];

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn rate(alarms: usize, bytes: usize) -> f64 {
    alarms as f64 / (bytes as f64 / 1e6)
}

#[test]
fn worst_cases() {
    let Some(prose) = text("raw/nltk_gutenberg_en.txt.gz") else { return };
    let prose: String = prose.chars().filter(char::is_ascii).take(1_000_000).collect();
    let of = |unit: &str| unit.repeat(100_000 / unit.len());
    let letters: String = ('a'..='z').cycle().take(100_000).collect();
    let digits: String = ('0'..='9').cycle().take(100_000).collect();
    let mut finder = Finder::new(&[], &[]);
    let mut speed = |text: &str| {
        finder.find(text);
        let start = std::time::Instant::now();
        finder.find(text);
        rate(1, text.len()).recip() / start.elapsed().as_secs_f64()
    };
    let plain = speed(&prose);
    println!("prose: {plain:.1} MB/s");
    for (name, text) in [
        ("letters", letters),
        ("digits", digits),
        ("dots", of(".")),
        ("a.", of("a.")),
        ("a@", of("a@")),
        ("1-", of("1-")),
        ("ab:", of("ab:")),
        ("1 ", of("1 ")),
    ] {
        let speed = speed(&text);
        println!("{name}: {speed:.1} MB/s, {:.2} of prose", speed / plain);
    }
}
