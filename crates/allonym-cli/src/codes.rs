//! What each error code means, for `allonym explain`.

/// What a code means, and what usually mends it.
pub(crate) fn explain(code: &str) -> Option<&'static str> {
    let known = CODES.iter().find(|(known, _)| *known == code).map(|(_, text)| *text);
    known.or_else(|| allonym::explain_policy_code(code))
}

/// Codes of the facade, the keys and the faces; those of policies stand with the policy's grammar.
const CODES: &[(&str, &str)] = &[
    (
        "ALO-A001",
        "no ledger is there; it stands beside the keyring, or where --ledger or ALLONYM_LEDGER name it",
    ),
    (
        "ALO-A002",
        "a file of the ledger is not what its last writer left, so nothing more is written into it: keep it as evidence and run allonym audit verify",
    ),
    (
        "ALO-A003",
        "the key that signs receipts and checkpoints is not known; allonym audit key prints it where the keyring is, --signer takes it elsewhere",
    ),
    (
        "ALO-A004",
        "a public key for signatures is written NAME+ID+KEY, as allonym audit key prints it",
    ),
    (
        "ALO-A005",
        "the clock of the machine is more than five minutes behind the last entry of the ledger; nothing is treated until it is right, for a clock that goes back hides what expired",
    ),
    ("ALO-A006", "another process has kept the ledger locked; the same command may be run again"),
    ("ALO-A007", "the operating system does not let this user write the ledger that was asked for"),
    (
        "ALO-A008",
        "an entry cannot be written down as it is: entries hold names of a narrow alphabet, digests and counts",
    ),
    (
        "ALO-A009",
        "entries of the ledger are kept for at least six months (AI Act, Articles 19 and 26), however old they may get",
    ),
    (
        "ALO-D001",
        "the input cannot be read: missing, empty, truncated, corrupt, ragged, wrongly encoded or with a cell over the limit; mend the place the message names, or declare the dialect (--delimiter, --encoding, --no-header)",
    ),
    (
        "ALO-D002",
        "a cell cannot be treated as the policy says; the row is named, the cell never shown",
    ),
    (
        "ALO-D003",
        "a receipt is not readable, so it proves nothing; write the output again with --force",
    ),
    ("ALO-D004", "the operating system does not let this user read or write there"),
    ("ALO-D005", "a call that looks into text was given an array that holds none"),
    (
        "ALO-D006",
        "signals, masks, labels or groups do not fit each other or the attack: lengths, shapes, values outside of their range, nobody on one side; the message names the argument and the record's position, never a value",
    ),
    (
        "ALO-D007",
        "evidence is the JSON that check, risk, exposure, expire and erase write; a report is rendered from nothing else",
    ),
    (
        "ALO-D050",
        "the file is no evidence of a measured exposure, or of another version; allonym exposure score SIGNALS --to FILE writes it",
    ),
    (
        "ALO-E001",
        "the people to erase are named in a file: one identifier a line, or a table with a column for each kind of identifier",
    ),
    (
        "ALO-E002",
        "a kind of identifier is named after a column, join field or entity of the data, so that a customer number is not looked for among postcodes",
    ),
    (
        "ALO-E003",
        "the list that keeps erased people out, or its key, is not there or not whole; nothing is treated without it, since they would come back",
    ),
    (
        "ALO-I101",
        "the output still holds identifiers where the policy promises that it does not: treat the source again with a policy that covers them",
    ),
    (
        "ALO-I102",
        "cells of a treated column do not have the form that the treatment gives: they were put there later, or never treated",
    ),
    (
        "ALO-K001",
        "a policy that makes tokens needs a keyring; a new one would break joins with earlier outputs, so none is made in silence: allonym key new",
    ),
    (
        "ALO-K002",
        "the key that the policy names is not in the keyring; tokens made with another key would not join with earlier outputs",
    ),
    (
        "ALO-K003",
        "the keyring has no active key of this tenant; make one: allonym key new --tenant NAME",
    ),
    ("ALO-K004", "the passphrase does not open the keyring"),
    ("ALO-K005", "the local key file does not open the keyring: it belongs to another ring"),
    (
        "ALO-K006",
        "others may read the keyring or its key file; whoever reads both can undo every pseudonym by guessing: chmod 600",
    ),
    (
        "ALO-K007",
        "the keyring opens with a key file beside it, which is gone; restore it from its backup",
    ),
    ("ALO-K008", "the keyring file is damaged; restore it from its backup"),
    ("ALO-K009", "the keyring was written by a newer version"),
    ("ALO-K010", "there is no place for a keyring: a variable that should name it is not set"),
    ("ALO-K011", "a keyring is referred to by file:PATH or env:VARIABLE"),
    (
        "ALO-K012",
        "the keyring is locked by a passphrase, which comes from a file or a descriptor, never from an argument that process lists show",
    ),
    (
        "ALO-K013",
        "the keyring stands with the data; whoever gets both can undo every pseudonym by guessing, so keys never travel with data",
    ),
    ("ALO-K014", "the keyring has a fault that makes it unusable; allonym key doctor names it"),
    (
        "ALO-K015",
        "a pickled keyring refers to another ring than the one that stands at its path now",
    ),
    (
        "ALO-K020",
        "the keyring asks for a weaker key derivation than is allowed, or for an absurd one: somebody may have changed it",
    ),
    ("ALO-K021", "the keyring was changed after it was written; restore it from its backup"),
    ("ALO-K022", "the keyring is locked in another way than the one that was given"),
    ("ALO-K023", "an empty passphrase protects nothing"),
    ("ALO-K024", "a keyring is there already; replacing it would lose its keys"),
    (
        "ALO-K025",
        "a name that keys are derived by is longer than its length can be written in two bytes",
    ),
    (
        "ALO-K026",
        "labels and tenants of keys are short names without control characters, and not empty",
    ),
    (
        "ALO-K027",
        "what stands before a token in text is a word in capitals, such as PERSON or DE_TAX_ID",
    ),
    ("ALO-K028", "another key of the ring has this label; a label that names two keys names none"),
    ("ALO-K029", "times in a keyring are RFC 3339 in UTC, such as 2026-01-31T09:00:00Z"),
    ("ALO-K030", "another process is changing the keyring; run again"),
    (
        "ALO-K031",
        "the keyring on disk is not the one that was read: somebody replaced it in between; run again",
    ),
    (
        "ALO-K032",
        "hashing the passphrase takes memory on purpose, and the machine has not enough of it free",
    ),
    ("ALO-K033", "the operating system gives no random bytes, so no key can be made"),
    (
        "ALO-K034",
        "the keyring cannot be read or written; the message says what the operating system says",
    ),
    ("ALO-K035", "a keyring needs at least one way to open it, and no more than its format holds"),
    (
        "ALO-K101",
        "a key file beside the ring is for trying things out: one copied folder holds both; lock the ring by a passphrase for production",
    ),
    ("ALO-K102", "a key file that no longer opens the ring may still open older copies of it"),
    ("ALO-K103", "with one way to open the ring, its loss ends all joins with earlier outputs"),
    ("ALO-K104", "the passphrase is hashed as cheaply as is allowed, so it has to be long"),
    ("ALO-K105", "whoever may write to the ring's folder may put another ring there"),
    ("ALO-K106", "what was committed once stays in the history of every copy"),
    ("ALO-K107", "the age of a key is told from the time given for now, which has to be RFC 3339"),
    ("ALO-K108", "a key from the future means that a clock is or was wrong"),
    (
        "ALO-K109",
        "a key in use for long ties ever more data sets to one secret; new data sets deserve a new key",
    ),
    ("ALO-L001", "a rule file cannot be used: allonym rules check FOLDER names every problem"),
    ("ALO-L002", "rules are read from folders of *.toml files"),
    ("ALO-L003", "no rule or entity has this name: allonym rules list"),
    (
        "ALO-M101",
        "the output has a column that the policy does not list, so nobody decided about it: list it, or treat the source again",
    ),
    (
        "ALO-M102",
        "a column that nobody needs for a purpose should not be there (GDPR, article 5(1)(c)): name its purpose, or drop it",
    ),
    ("ALO-M103", "the policy drops a column that the output has: it was not made by this policy"),
    (
        "ALO-M105",
        "columns that are harmless one by one can single people out together; allonym risk FILE --quasi a,b,c measures how many rows they do",
    ),
    (
        "ALO-P020",
        "without a policy one is drafted from the data, which is read twice for it; a pipe can be read once: allonym init FILE",
    ),
    (
        "ALO-P021",
        "a policy that names entities needs to know which columns hold them before row one; a pipe or stream can be read once: list its columns by name or glob",
    ),
    ("ALO-P022", "no policy stands where one was named; allonym init FILE drafts one"),
    (
        "ALO-P023",
        "two retention tags claim one column, neither more exact than the other: match it by its name",
    ),
    ("ALO-R001", "expire and erase go by the `[retention]` of a policy, and there is none"),
    (
        "ALO-R002",
        "a period is counted from something that is not there: no such column, one that holds no dates, an event or a day of collection that nobody told; so nothing can be verified and nothing is removed",
    ),
    (
        "ALO-R003",
        "a tag does not fit the data: its action is not one for the column, or two tags claim one column",
    ),
    (
        "ALO-R004",
        "a legal hold names a file of subject tokens that is missing, empty or no list of tokens; nobody knows whose rows must stay, so nothing is removed",
    ),
    (
        "ALO-R005",
        "the date of the run is before something that was written already: a clock that was moved back makes data live on",
    ),
    ("ALO-R006", "rows that are set aside go to a folder outside of the data: --quarantine FOLDER"),
    ("ALO-R007", "the date of decisions has not come yet, so data would go before it is due"),
    (
        "ALO-R010",
        "an interrupted job over these files is about something else than this one; end that one first",
    ),
    (
        "ALO-R011",
        "a file, or the journal of an interrupted job, is not as the job left it; somebody else wrote it",
    ),
    ("ALO-R012", "an approver is a second person: one who is also the operator approves nothing"),
    (
        "ALO-R020",
        "the log of the table cannot be read, or tells too little; expire it with the engine that keeps it",
    ),
    (
        "ALO-R021",
        "the table uses something that is not understood here: what is half understood would keep what should go",
    ),
    (
        "ALO-R101",
        "rows are past the period that their tag gives them; the rule and the count are in the finding",
    ),
    (
        "ALO-R102",
        "the anchor of rows is missing, unreadable or without a zone, so nobody knows when they are due; they are not kept in silence",
    ),
    (
        "ALO-R103",
        "an anchor that lies more than a day ahead is a slip that would make data immortal",
    ),
    ("ALO-R104", "an anchor before 1900 or at the very first moment of 1970 is often made up"),
    (
        "ALO-R105",
        "every column must have a retention tag (require_tags = \"all\"), and exactly one that is the most exact",
    ),
    (
        "ALO-R106",
        "the column that periods are counted from is not there, or holds no dates: nothing can be told of retention",
    ),
    (
        "ALO-R107",
        "a legal hold past its day of review keeps data because nobody looked; it holds until it is lifted",
    ),
    (
        "ALO-R108",
        "the manifest, which is the authority, and the policy at hand give different tags; of each row the earlier expiry rules, but none that comes before a statutory floor of the other",
    ),
    (
        "ALO-R109",
        "periods are counted from something that stands in no column, and nobody said when it was",
    ),
    (
        "ALO-R111",
        "rows say in _allonym_expires_at when they expire, one of the copies of their tags; it is gone, of another type, or says something else than the anchors do, and the earlier expiry rules",
    ),
    (
        "ALO-R110",
        "a legal hold names its subjects in a file that cannot be read: nobody knows whose rows must stay",
    ),
    (
        "ALO-R120",
        "older versions of a table can still be read by whoever asks for them; where they hold expired rows, these are not gone: remove what only old versions need (Delta: allonym expire TABLE --yes --purge, or VACUUM; Iceberg: expire_snapshots)",
    ),
    (
        "ALO-R121",
        "data files that the current version of a table does not need lie in its folder still, for older versions or for none; whoever reads the folder reads them",
    ),
    (
        "ALO-R122",
        "rows that only a mark deletes (a deletion vector, a delete file) are still in their file; write the files again, then remove the old ones",
    ),
    (
        "ALO-R123",
        "files that the current version of a table does not need hold identifiers: what was treated later is untreated in them",
    ),
    (
        "ALO-R124",
        "something of a table is not understood here, so that nobody can say that all of it was looked at; look at it with the engine that keeps it",
    ),
    (
        "ALO-R125",
        "the log of a table tells least and greatest values of columns, for files that are gone too; allonym expire TABLE --yes --purge makes a Delta log forget them",
    ),
    (
        "ALO-S001",
        "storage trouble, such as a full disk; nothing partial is visible, and the same command may be run again (folders: with --resume)",
    ),
    (
        "ALO-S002",
        "the operating system starts no more threads for this process; run again when it is less busy",
    ),
    ("ALO-S003", "another job is writing these files; run again when it has ended"),
    ("ALO-U001", "Allonym never writes over its input"),
    (
        "ALO-U002",
        "the output exists and no receipt proves that it is the result of this very work; replace it with --force",
    ),
    ("ALO-U003", "span by span reports are made of texts, not of tables"),
    ("ALO-U004", "many inputs go to a folder that mirrors them"),
    ("ALO-U005", "times are written as RFC 3339, 2026-11-21T00:00:00Z"),
    ("ALO-U006", "--fail-on takes direct, quasi, sensitive, secret, any, or entities by name"),
    ("ALO-U007", "explain takes a code or PATH:COLUMN"),
    (
        "ALO-U010",
        "the Python call cannot be made as it is: a wrong argument, or a path that holds several files",
    ),
    ("ALO-U011", "the object is of a library that is not installed; Allonym itself needs none"),
    (
        "ALO-U012",
        "--recall takes the JSON of an evaluation: overall.overlap.recall with value and low",
    ),
    (
        "ALO-U013",
        "a report is rendered as html, md, csv, sarif, json, xlsx, ropa, odcs, croissant or openlineage: by --format, or by the name of its file",
    ),
    ("ALO-U014", "--purge removes the files of one Delta table that only its old versions need"),
    (
        "ALO-U015",
        "the file that says what labels stand for is no TOML of tables with `name`, `entities` and `categories`, or names an entity that no rule has",
    ),
    (
        "ALO-U050",
        "the measurement of exposure cannot be made as it was asked for: no limit for a gate, a model that is not there, or a form it does not speak",
    ),
    (
        "ALO-U051",
        "canaries are planted in one file, in one text column or as rows, and are known by the receipt that registers them; the message says what does not fit",
    ),
    (
        "ALO-U060",
        "a column that risk was to be measured by is not in the table; the message names it and those that are there",
    ),
    (
        "ALO-U061",
        "the columns of a measurement of risk: at least one that an outsider knows, and each with one part to play (known, sensitive, or a count)",
    ),
    (
        "ALO-U062",
        "risk is about telling rows apart: at least two rows are needed, and fewer than 2^32",
    ),
    (
        "ALO-U063",
        "a column that holds nothing but nulls tells nobody apart and has nothing to protect: leave it out",
    ),
    (
        "ALO-U064",
        "NaN is equal to nothing, so it has no group; replace it by null where a value is missing",
    ),
    (
        "ALO-U065",
        "from 1 to 64 columns are measured together; an outsider who knows more knows everything",
    ),
    (
        "ALO-U066",
        "lists, structs, maps and binary data have no values to compare; take a column out of them first",
    ),
    (
        "ALO-U067",
        "the tables of a measurement of risk do not fit each other: an original without a control, a column of another kind, counts of people that are none",
    ),
    (
        "ALO-U068",
        "a measurement of risk was asked for what it cannot tell from what it was given, or for a number out of its range",
    ),
    (
        "ALO-U069",
        "the file is no evidence of linkage risk, or of another version; allonym risk PATH --to FILE writes it",
    ),
    (
        "ALO-U070",
        "the file is no data contract of version 3 of the Open Data Contract Standard, or a member of it has another type than the standard gives it; the message says where it stands",
    ),
    (
        "ALO-U071",
        "a policy is for one table; a contract of several, or of none, does not say for which: name it with --table",
    ),
    (
        "ALO-U072",
        "the retention of a data contract cannot be a policy's: two for the same rows, a floor above its period, a period or zone that is none",
    ),
    ("ALO-U073", "a sheet of a workbook has 1,048,576 rows and no more; use csv"),
    (
        "ALO-U074",
        "a policy is drafted from one data contract at most, and --table chooses a table of it",
    ),
    (
        "ALO-U080",
        "rows that nobody is cannot be made of this output: they stand in CSV, Parquet and Arrow files of at least 50 rows, without a column of expiries, whose columns that name people may be null",
    ),
    (
        "ALO-U081",
        "canary rows are made of cells of the output that the receipt tells of, and the file is another one by now: list them before it is expired or erased from, or name a copy with --data",
    ),
    (
        "ALO-U090",
        "an Iceberg table is changed by the engine and catalog that keep it; without --yes, allonym expire tells what to run there, and after that whether anything is left",
    ),
    (
        "ALO-V101",
        "a file without a manifest cannot be told from one that was never treated; tags inside of a file are copies that most tools drop and anybody can write",
    ),
    (
        "ALO-V102",
        "the manifest was changed after it was signed, so what it says counts for nothing: restore it, or treat the source again",
    ),
    (
        "ALO-V103",
        "the manifest is signed by nobody, or with a key that nobody vouched for: open the keyring that signed it, or name the key with --signer",
    ),
    (
        "ALO-V104",
        "the file is not the one that was written with its manifest: somebody changed it or wrote it again with another tool; what expire and erase did to it is followed by their signed evidence, which stands beside the data",
    ),
    (
        "ALO-V105",
        "columns are gone, new, renamed or of another type, compared with the manifest; what looks like a renaming is said to, and nothing is moved",
    ),
    (
        "ALO-V106",
        "the copies of the retention tags in the file and those of the manifest differ: the manifest rules",
    ),
    (
        "ALO-V107",
        "the file was written under another policy than the one it is checked against: check it with that policy, or treat the source again",
    ),
    ("ALO-V108", "the manifest of a folder lists a file that is not there"),
    ("ALO-V109", "a file cannot be read, so nothing is known of it; the rest was checked"),
    ("ALO-X005", "a bug: the output was withheld, because nobody can say what it holds"),
    (
        "ALO-X130",
        "somebody asked the run to stop; finished files of a folder are kept for --resume",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    #[test]
    fn codes_are_distinct() {
        for (at, (code, text)) in CODES.iter().enumerate() {
            assert!(CODES[at + 1..].iter().all(|(other, _)| other != code), "{code}");
            assert!(text.len() > 20, "{code}");
        }
        assert!(explain("ALO-K006").is_some());
        assert!(explain("ALO-P003").is_some());
        assert!(explain("ALO-Z000").is_none());
    }

    #[test]
    fn every_code_of_ours_is_explained() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut paths = vec![root.join("python/allonym")];
        for krate in fs::read_dir(root.join("crates")).unwrap() {
            paths.push(krate.unwrap().path().join("src"));
        }
        let mut used = BTreeSet::new();
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "py") {
                let source = fs::read_to_string(&path).unwrap();
                let codes = source.split("\"ALO-").skip(1).filter_map(|rest| rest.get(..4));
                let numbered = |code: &&str| code.bytes().skip(1).all(|byte| byte.is_ascii_digit());
                used.extend(codes.filter(numbered).map(|code| format!("ALO-{code}")));
            }
        }
        assert!(used.len() > 70, "{} codes are found", used.len());
        // What the tests of `explain` ask for and must not get.
        let made_up = ["ALO-P000", "ALO-X999", "ALO-Z000"];
        let unknown: Vec<_> = used
            .iter()
            .filter(|code| explain(code).is_none() && !made_up.contains(&code.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
