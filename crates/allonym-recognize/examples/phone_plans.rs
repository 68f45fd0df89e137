//! Writes the numbering plans of `src/validate/general/phone/plans.txt` from the metadata that
//! libphonenumber publishes: `phone_plans PhoneNumberMetadata.xml > plans.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::{env, fs, io};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]
fn main() -> io::Result<ExitCode> {
    let Some(file) = env::args_os().nth(1) else {
        eprintln!("usage: phone_plans PhoneNumberMetadata.xml");
        return Ok(ExitCode::from(2));
    };
    let xml = fs::read_to_string(file)?;
    let mut plans: Vec<Plan> = territories(&xml).map(|territory| Plan::read(&territory)).collect();
    plans.sort_by_key(|plan| (plan.code, !plan.main, plan.region.clone()));
    print!("{HEAD}");
    for plan in &plans {
        println!("{}", plan.line());
    }
    Ok(ExitCode::SUCCESS)
}

const HEAD: &str = "\
# Numbering plans, one a line, sorted by country code, the plan that gives a code its name first:
# region, country code, lengths of numbers behind the code, trunk prefix (! where it has to be dialled),
# international prefix, what stands in front of national numbers, what it becomes, numbers in use.
#
# From PhoneNumberMetadata.xml of libphonenumber 9.0.33 (Copyright The Libphonenumber Authors, Apache-2.0),
# which follows ITU-T E.164 and the national plans of ITU-T E.129. `cargo run --example phone_plans` writes it.
";

struct Plan {
    region: String,
    code: u16,
    /// Gives the country code its name.
    main: bool,
    lengths: BTreeSet<u32>,
    trunk: String,
    trunk_needed: bool,
    outward: String,
    prefix: String,
    becomes: String,
    numbers: Vec<String>,
}

impl Plan {
    fn read(territory: &Element<'_>) -> Plan {
        let attribute = |name: &str| territory.attributes.get(name).copied().unwrap_or_default();
        let mut plan = Plan {
            region: attribute("id").to_owned(),
            code: attribute("countryCode").parse().unwrap_or_default(),
            main: attribute("mainCountryForCode") == "true",
            lengths: BTreeSet::new(),
            trunk: attribute("nationalPrefix").to_owned(),
            trunk_needed: false,
            outward: attribute("internationalPrefix").to_owned(),
            prefix: squeezed(attribute("nationalPrefixForParsing")),
            becomes: attribute("nationalPrefixTransformRule").to_owned(),
            numbers: Vec::new(),
        };
        let (mut formats, mut with_trunk) = (0, 0);
        for kind in territory.children() {
            if kind.name == "availableFormats" {
                let all = kind.children().filter(|format| format.name == "numberFormat");
                for format in all {
                    formats += 1;
                    let rule = "nationalPrefixFormattingRule";
                    let rule = format.attributes.get(rule).copied();
                    let rule = rule.unwrap_or_else(|| attribute("nationalPrefixFormattingRule"));
                    let optional = format.attributes.get("nationalPrefixOptionalWhenFormatting");
                    with_trunk += i32::from(rule.contains("$NP") && optional != Some(&"true"));
                }
            } else if !["references", "generalDesc", "noInternationalDialling"].contains(&kind.name)
            {
                let mut numbers = None;
                for part in kind.children() {
                    match part.name {
                        "nationalNumberPattern" => numbers = Some(squeezed(part.inside)),
                        "possibleLengths" => {
                            plan.lengths.extend(lengths(part.attributes["national"]));
                        }
                        _ => {}
                    }
                }
                plan.numbers.extend(numbers.filter(|numbers| !plan.numbers.contains(numbers)));
            }
        }
        plan.trunk_needed = formats > 0 && with_trunk * 2 >= formats && !plan.trunk.is_empty();
        if plan.prefix == plan.trunk {
            plan.prefix.clear();
        }
        plan
    }

    fn line(&self) -> String {
        let given = |part: &str| if part.is_empty() { "-".to_owned() } else { part.to_owned() };
        let lengths: Vec<String> = self.lengths.iter().map(ToString::to_string).collect();
        let needed = if self.trunk_needed { "!" } else { "" };
        [
            self.region.clone(),
            self.code.to_string(),
            lengths.join(","),
            given(&self.trunk) + needed,
            given(&self.outward),
            given(&self.prefix),
            given(&self.becomes),
            self.numbers.join("|"),
        ]
        .join(" ")
    }
}

/// Lengths of `[4-15]`, `7` or `[5-7],9`.
fn lengths(text: &str) -> Vec<u32> {
    let number = |text: &str| text.parse::<u32>().ok();
    text.split(',')
        .filter_map(|part| match part.trim_matches(['[', ']']).split_once('-') {
            Some((from, to)) => Some((number(from)?..=number(to)?).collect::<Vec<_>>()),
            None => Some(vec![number(part)?]),
        })
        .flatten()
        .collect()
}

/// Without white space and comments.
fn squeezed(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, comment)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.retain(|character| !character.is_whitespace());
    out
}

/// An element of the metadata, which uses no entities in what is read here.
struct Element<'a> {
    name: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    inside: &'a str,
}

fn territories(xml: &str) -> impl Iterator<Item = Element<'_>> {
    let list = xml.split_once("<territories>").map_or(xml, |(_, list)| list);
    Elements { rest: list }.filter(|element| element.name == "territory")
}

impl<'a> Element<'a> {
    fn children(&self) -> Elements<'a> {
        Elements { rest: self.inside }
    }
}

/// The elements that follow each other.
struct Elements<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        loop {
            let (_, tag) = self.rest.split_once('<')?;
            if let Some(comment) = tag.strip_prefix("!--") {
                self.rest = comment.split_once("-->")?.1;
                continue;
            }
            let (tag, after) = tag.split_once('>')?;
            if tag.starts_with('/') {
                self.rest = after;
                continue;
            }
            let (tag, closed) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let name = tag.split_whitespace().next()?;
            let mut attributes = BTreeMap::new();
            let mut rest = tag.get(name.len()..)?;
            while let Some((key, value)) = rest.split_once("=\"") {
                let (value, after) = value.split_once('"')?;
                attributes.insert(key.trim(), value);
                rest = after;
            }
            let inside = if closed {
                self.rest = after;
                ""
            } else {
                let (inside, after) = after.split_once(&format!("</{name}>"))?;
                self.rest = after;
                inside
            };
            return Some(Element { name, attributes, inside });
        }
    }
}
