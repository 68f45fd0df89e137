//! Two files treated in two runs join on the token exactly as they joined on the value.

mod command;

use command::{Place, corpora, policy};
use std::collections::BTreeMap;
use std::fs;

const KEEP: &str = "treat = \"keep\"\nreason = \"test\"";

/// Pairs of row numbers that agree on a column.
fn join(left: &[Vec<String>], a: usize, right: &[Vec<String>], b: usize) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, cells) in right.iter().enumerate() {
        if !cells[b].is_empty() {
            places.entry(&cells[b]).or_default().push(row);
        }
    }
    let mut pairs = Vec::new();
    for (row, cells) in left.iter().enumerate() {
        for other in places.get(cells[a].as_str()).into_iter().flatten() {
            pairs.push((row, *other));
        }
    }
    pairs
}

/// Rows of a delimited text without quoted delimiters.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|row| row.split(delimiter).map(str::to_owned).collect()).collect()
}

#[test]
fn an_invented_pair() {
    let place = Place::with_keys();
    let customers =
        "id,mail\n00123,zora@example.org\n123,Quill@Example.org\n7,\n8,tansy@example.org\n";
    let claims = "claim,contact,holder\n1,QUILL@example.org,123\n2,zora@example.org ,00123\n\
                  3,tansy@example.org,8\n4,,9\n5,zora@example.org,00123\n";
    place.write("customers.csv", customers);
    place.write("claims.csv", claims);
    let mail = "treat = \"pseudonymize\"\njoin = \"mail\"\nprofile = \"casefold\"";
    let id = "treat = \"pseudonymize\"\njoin = \"customer\"";
    place.write("a.toml", policy(&[("id", id), ("mail", mail)]));
    place.write("b.toml", policy(&[("claim", KEEP), ("contact", mail), ("holder", id)]));
    place.run(&["apply", "customers.csv", "--to", "a.csv", "--policy", "a.toml"]).expect(0);
    place.run(&["apply", "claims.csv", "--to", "b.csv", "--policy", "b.toml"]).expect(0);

    let (raw_a, raw_b) = (rows(customers, ','), rows(claims, ','));
    let (a, b) = (rows(&place.read("a.csv"), ','), rows(&place.read("b.csv"), ','));
    // By id: 00123 and 123 are two people.
    assert_eq!(join(&raw_a, 0, &raw_b, 2), [(0, 1), (0, 4), (1, 0), (3, 2)]);
    assert_eq!(join(&a, 0, &b, 2), join(&raw_a, 0, &raw_b, 2));
    // By address: case and outer white space do not part people.
    assert_eq!(join(&a, 1, &b, 1), [(0, 1), (0, 4), (1, 0), (3, 2)]);
    for cells in a.iter().chain(&b) {
        assert!(!cells.iter().any(|cell| cell.contains("example.org")));
    }
}

#[test]
fn telephone_numbers_join_and_are_erased_however_they_are_written() {
    let place = Place::with_keys();
    place.write("a.csv", "phone\n030 901820\n+49 (0)30 90182-0\n0049-30-901820 x7\n+33142685300\n");
    place.write("b.csv", "phone\n01 42 68 53 00\n(030) 901 820\n");
    let phone = "treat = \"pseudonymize\"\njoin = \"phone\"\nprofile = \"e164\"";
    let plan = policy(&[("phone", phone)]);
    place.write("p.toml", format!("{plan}[find]\ncountries = [\"DE\", \"FR\"]\n"));
    for name in ["a", "b"] {
        let (from, to) = (format!("{name}.csv"), format!("ml/{name}.csv"));
        place.run(&["apply", &from, "--to", &to, "--policy", "p.toml"]).expect(0);
    }
    let (a, b) = (rows(&place.read("ml/a.csv"), ','), rows(&place.read("ml/b.csv"), ','));
    assert_eq!(join(&a, 0, &b, 0), [(0, 1), (1, 1), (2, 1), (3, 0)]);

    place.write("who.csv", "phone\n+49 30 901820\n");
    let erase = ["erase", "ml", "--subjects", "who.csv", "--policy", "p.toml", "--yes"];
    place.run(&erase).expect(0);
    let (a, b) = (rows(&place.read("ml/a.csv"), ','), rows(&place.read("ml/b.csv"), ','));
    assert_eq!((a.len(), b.len()), (1, 1), "only who was not asked for is left");
    assert_eq!(join(&a, 0, &b, 0), [(0, 0)]);
    place.run(&["apply", "a.csv", "--to", "again.csv", "--policy", "p.toml"]).expect(0);
    assert_eq!(rows(&place.read("again.csv"), ','), a, "who was erased does not come back");
}

#[test]
fn another_domain_or_another_key_does_not_join() {
    let place = Place::with_keys();
    place.write("in.csv", "id\n1\n2\n");
    let one = policy(&[("id", "treat = \"pseudonymize\"")]);
    place.write("one.toml", &one);
    place.write("two.toml", format!("{one}[keys]\ndomain = \"elsewhere\"\n"));
    place.run(&["apply", "in.csv", "--to", "1.csv", "--policy", "one.toml"]).expect(0);
    place.run(&["apply", "in.csv", "--to", "2.csv", "--policy", "two.toml"]).expect(0);
    let ring = format!("file:{}", place.path("../other.keyring").display());
    place.run(&["key", "new", "--keys", &ring]).expect(0);
    let arguments = ["apply", "in.csv", "--to", "3.csv", "--policy", "one.toml", "--keys", &ring];
    place.run(&arguments).expect(0);
    let tokens: Vec<_> =
        ["1.csv", "2.csv", "3.csv"].map(|name| rows(&place.read(name), ',')).into();
    assert!(join(&tokens[0], 0, &tokens[1], 0).is_empty());
    assert!(join(&tokens[0], 0, &tokens[2], 0).is_empty());
    assert_eq!(join(&tokens[0], 0, &tokens[0], 0), [(0, 0), (1, 1)]);
}

#[test]
fn sakila_customers_and_addresses() {
    let Some(data) = corpora() else { return };
    let place = Place::with_keys();
    let customers = fs::read_to_string(data.join("tabular/sakila_customer.csv")).unwrap();
    let addresses = fs::read_to_string(data.join("tabular/sakila_address.csv")).unwrap();
    place.write("customer.csv", &customers);
    place.write("address.csv", &addresses);
    let unlisted = "unlisted = \"keep\"\nunlisted_reason = \"test\"\n";
    let link = policy(&[("address_id", "treat = \"pseudonymize\"\njoin = \"address\"")]);
    let link = link.replace("[columns", &format!("{unlisted}[columns"));
    place.write("p.toml", link);
    for name in ["customer", "address"] {
        let (from, to) = (format!("{name}.csv"), format!("{name}.out.csv"));
        place.run(&["apply", &from, "--to", &to, "--policy", "p.toml"]).expect(0);
    }
    let (raw_a, raw_b) = (rows(&customers, ';'), rows(&addresses, '\t'));
    let a = rows(&place.read("customer.out.csv"), ';');
    let b = rows(&place.read("address.out.csv"), '\t');
    let expected = join(&raw_a, 5, &raw_b, 0);
    assert_eq!(expected.len(), 599);
    assert_eq!(join(&a, 5, &b, 0), expected);
    for (before, after) in raw_a.iter().zip(&a) {
        assert_eq!(before[..5], after[..5], "other columns stay");
        assert_ne!(before[5], after[5]);
    }
}
