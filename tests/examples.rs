//! What the documents show is what happens: their commands, policies and rules, run as they stand.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, example};
use std::fs;
use std::path::Path;

/// The blocks of a document in one language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = fs::read_to_string(path).unwrap();
    let after = text.split("```").skip(1).step_by(2);
    let blocks = after.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.map(str::to_owned).collect()
}

fn with_claims(name: &str) -> Place {
    let place = Place::fresh();
    place.write(name, fs::read(example("claims.csv")).unwrap());
    place
}

#[test]
fn the_first_command_of_the_readme() {
    let [ref commands] = blocks("README.md", "sh")[..] else { panic!("one block of set-up") };
    let first = commands.lines().next().unwrap();
    let (cargo, arguments) = first.split_once(" -- ").unwrap();
    assert_eq!(cargo, "cargo run --release --locked -p allonym-cli");
    let place = with_claims("examples/claims.csv");
    let arguments: Vec<&str> = arguments.split(' ').collect();
    place.run(&arguments).expect(0).says(&["created keyring", "claims.csv.policy.toml"]);
    let treated = place.read("examples/out/claims.csv");
    assert_eq!(treated.lines().count(), place.read("examples/claims.csv").lines().count());
    assert!(place.path("examples/out/claims.csv.allonym.json").is_file());
}

#[test]
fn the_commands_of_the_readme() {
    let place = with_claims("claims.csv");
    let consoles = blocks("README.md", "console").concat();
    let commands: Vec<&str> =
        consoles.lines().filter_map(|line| line.strip_prefix("$ allonym ")).collect();
    assert_eq!(commands.len(), 7, "{commands:?}");
    place.run(&["key", "new"]).expect(0);
    for command in commands {
        let words = command.split('#').next().unwrap().split_whitespace();
        let ended = place.run(&words.collect::<Vec<_>>()).expect(0);
        assert!(!ended.out.contains("DE74999999994236295699"), "{command} shows a value");
    }
    assert!(place.path("safe.csv.allonym.json").is_file());
}

#[test]
fn the_policy_of_the_readme() {
    let [ref policy] = blocks("README.md", "toml")[..] else { panic!("one policy") };
    let place = with_claims("claims.csv");
    place.run(&["key", "new"]).expect(0);
    place.write("allonym.toml", policy);
    // It lists four columns of fourteen, and the README says what comes of that.
    place.run(&["apply", "claims.csv", "--to", "safe.csv"]).expect(1).says(&["claim_no"]);
    let unlisted = policy.replace("[policy]\n", "[policy]\nunlisted = \"drop\"\n");
    place.write("allonym.toml", unlisted);
    place.run(&["apply", "claims.csv", "--to", "safe.csv"]).expect(0);
    let treated = place.read("safe.csv");
    let mut rows = treated.lines();
    assert_eq!(rows.next().unwrap(), "email,birth_date,postcode,notes");
    let row = rows.next().unwrap();
    assert!(row.contains(",1956,01099,") && row.contains("EMAIL_"), "{row}");
}

#[test]
fn the_rule_of_the_rules_readme() {
    let [ref rule] = blocks("recognizers/README.md", "toml")[..] else { panic!("one rule") };
    let place = Place::fresh();
    place.write("rules/tax_id.toml", rule);
    let ended = place.run(&["rules", "check", "rules"]).expect(0);
    assert!(ended.out.contains("1 file") || ended.err.contains("1 file"), "{}", ended.out);
}
