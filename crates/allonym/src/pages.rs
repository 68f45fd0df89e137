//! What an expiry and an erasure say to people: their evidence as documents.

use crate::expire::{FileEvidence, has_due};
use crate::{Certificate, Derived, EnginePlan, ExpireEvidence, HoldEvidence, Version};
use allonym_report::{Document, Section, State, number};

impl ExpireEvidence {
    /// The evidence as a page, Markdown, text or CSV.
    #[must_use]
    pub fn document(&self) -> Document {
        let state = match self.verdict.as_str() {
            "nothing due" | "done" => State::Good,
            "against policy" => State::Bad,
            _ => State::Open,
        };
        let sum = |count: fn(&FileEvidence) -> u64| self.files.iter().map(count).sum::<u64>();
        let dropped = sum(|file| file.rows_dropped);
        let set_aside = sum(|file| file.rows_quarantined);
        let cells = sum(|file| file.cells.values().sum());
        let (went, changed) = match self.applied {
            true => ("went", "were changed"),
            false => ("are to go", "are to be changed"),
        };
        let sentence = format!(
            "{} rows {went}, {} of them set aside; {} cells {changed}; {} files were looked at.",
            number(dropped + set_aside),
            number(set_aside),
            number(cells),
            number(self.files.len() as u64)
        );
        let mut sections = Vec::new();
        if !self.reasons.is_empty() {
            let notes = self.reasons.clone();
            sections.push(Section { notes, ..Section::new("reasons", "Reasons", &[], Vec::new()) });
        }
        sections.push(expired_files(&self.files));
        sections.push(clocks(&self.files));
        sections.extend(self.table.as_ref().map(|table| {
            let rows = table.old_versions.iter();
            let rows = rows.map(|old| {
                let most = if old.at_most { " at most" } else { "" };
                let expired = old.expired_rows.map_or_else(
                    || "cannot be told".to_owned(),
                    |rows| format!("{}{most}", number(rows)),
                );
                let version = match &old.snapshot {
                    Some(snapshot) => format!("{} (snapshot {snapshot})", old.version),
                    None => old.version.to_string(),
                };
                vec![version, expired]
            });
            let notes = vec![format!(
                "{} table; {} data files stand in the folder that no current row needs, {} were \
                 removed for good.",
                table.format,
                number(table.unreferenced_files),
                number(table.purged_files)
            )];
            let header = ["version that can still be read", "expired rows in it"];
            let table = Section::new("versions", "Older versions", &header, rows.collect());
            Section { notes, ..table }
        }));
        let engine = self.table.as_ref().and_then(|table| table.engine.as_ref());
        sections.extend(engine.filter(|engine| !engine.steps.is_empty()).map(to_run));
        sections.extend(holds(&self.holds));
        sections.extend(made_of(&self.derived));
        let files = self.files.iter();
        sections.push(versions(files.map(|f| (f.path.as_str(), &f.before, f.after.as_ref()))));
        Document {
            kind: if self.applied { "Expiry" } else { "Expiry, planned" },
            of: named(self.files.iter().map(|file| file.path.as_str())),
            state,
            word: self.verdict.to_uppercase(),
            sentence,
            facts: vec![
                ("As of", self.as_of.clone()),
                ("Policy", self.policy.sha256.clone()),
                ("Signed by", signer(self.signature.as_ref().map(|signature| &signature.key))),
                ("Tool", self.tool.clone()),
            ],
            limits: vec![self.does_not_show.clone()],
            sections,
        }
    }
}

/// What has to be run in the engine of a table, in order.
fn to_run(engine: &EnginePlan) -> Section {
    let rows = engine.steps.iter().enumerate().map(|(at, step)| {
        vec![(at + 1).to_string(), step.what.clone(), step.rows.map(number).unwrap_or_default()]
    });
    let statements =
        engine.steps.iter().filter_map(|step| Some(format!("{};\n", step.sql.as_ref()?)));
    let header = ["step", "what it does", "rows"];
    Section {
        code: Some(statements.collect()),
        ..Section::new("engine", "To be run in the engine, in order", &header, rows.collect())
    }
}

impl Certificate {
    /// The certificate as a page, Markdown, text or CSV.
    #[must_use]
    pub fn document(&self) -> Document {
        let state = match self.verdict.as_str() {
            "erased" | "not found" => State::Good,
            "partly erased" => State::Bad,
            _ => State::Open,
        };
        let (went, mentions) = (number(self.rows_erased()), number(self.mentions_erased()));
        let sentence = match self.applied {
            true => format!(
                "{went} rows of {} people were removed and {mentions} texts that mention them \
                 overwritten; when the new files were looked through again, {} were found.",
                number(self.people),
                number(self.files.iter().filter_map(|file| file.found_again).sum())
            ),
            false => format!(
                "{went} rows of {} people are to be removed and {mentions} texts that mention them to \
                 be overwritten; nothing was done.",
                number(self.people)
            ),
        };
        let keys: Vec<String> =
            self.searched.keys.iter().map(|key| format!("{} ({})", key.id, key.epoch)).collect();
        let named_or =
            |name: &Option<String>| name.clone().unwrap_or_else(|| NOT_STATED.to_owned());
        let mut sections = vec![erased_files(self)];
        if !self.cannot_be_searched.is_empty() {
            let rows = self.cannot_be_searched.iter();
            let rows = rows.map(|of| vec![of.path.clone(), of.column.clone(), of.why.clone()]);
            let header = ["file", "column", "why"];
            let title = "Where nobody can be looked up";
            sections.push(Section::new("unsearchable", title, &header, rows.collect()));
        }
        sections.extend(holds(&self.holds));
        sections.extend(made_of(&self.derived));
        if !self.residual_copies.is_empty() {
            let rows = self.residual_copies.iter().map(|copy| vec![copy.clone()]).collect();
            let header = ["copy, as the operator declares it"];
            sections.push(Section::new("copies", "Copies out of reach", &header, rows));
        }
        if !self.requests.is_empty() {
            let rows = self.requests.iter().map(|mark| vec![mark.clone()]).collect();
            let title = "Requests, marked under a key of the ring";
            sections.push(Section::new("requests", title, &["mark"], rows));
        }
        let files = self.files.iter();
        sections.push(versions(files.map(|f| (f.path.as_str(), &f.before, f.after.as_ref()))));
        Document {
            kind: if self.applied { "Erasure" } else { "Erasure, planned" },
            of: named(self.files.iter().map(|file| file.path.as_str())),
            state,
            word: self.verdict.to_uppercase(),
            sentence,
            facts: vec![
                ("As of", self.as_of.clone()),
                ("Done by", named_or(&self.operator)),
                ("Agreed to by", named_or(&self.approver)),
                ("Policy", self.policy.sha256.clone()),
                ("Keys (epoch) that tokens were looked for with", keys.join(", ")),
                ("Domain", self.searched.domain.clone()),
                ("Profiles", self.searched.profiles.join(", ")),
                ("Marks that keep them out", number(self.suppression_marks)),
                ("Signed by", signer(self.signature.as_ref().map(|signature| &signature.key))),
                ("Tool", self.tool.clone()),
            ],
            limits: vec![self.statement.clone()],
            sections,
        }
    }
}

fn expired_files(files: &[FileEvidence]) -> Section {
    let rows = files.iter().map(|file| {
        let cells = file.cells.iter().map(|(column, cells)| format!("{column} {}", number(*cells)));
        let groups = file.row_groups.map_or_else(String::new, |groups| {
            format!(
                "{} of {} rewritten, {} gone",
                number(groups.rewritten),
                number(groups.all),
                number(groups.gone)
            )
        });
        vec![
            file.path.clone(),
            number(file.before.rows),
            file.after.as_ref().map_or_else(|| NONE.to_owned(), |after| number(after.rows)),
            number(file.rows_dropped),
            number(file.rows_quarantined),
            cells.collect::<Vec<_>>().join(", "),
            groups,
            if has_due(file) { "something was due" } else { "nothing was due" }.to_owned(),
        ]
    });
    let header = [
        "file",
        "rows before",
        "rows after",
        "removed",
        "set aside",
        "cells by column",
        "row groups",
        "state",
    ];
    Section::new("files", "Files", &header, rows.collect())
}

fn clocks(files: &[FileEvidence]) -> Section {
    let rows = files.iter().flat_map(|file| {
        file.tags.iter().map(|tag| {
            let counts = tag.rows.0.iter();
            let counts: Vec<String> = counts
                .map(|(word, rows)| format!("{} {}", number(*rows), word.replace('_', " ")))
                .collect();
            vec![
                file.path.clone(),
                tag.of.clone(),
                format!("{} + {}, then {}", tag.anchor, tag.duration, tag.on_expiry),
                counts.join(", "),
            ]
        })
    });
    let header = ["file", "column", "rule", "rows by verdict"];
    Section::new("clocks", "What each tag says of the rows", &header, rows.collect())
}

fn erased_files(certificate: &Certificate) -> Section {
    let rows = certificate.files.iter().map(|file| {
        let mentions = file.mentions_erased.iter();
        let mentions = mentions.map(|(column, texts)| format!("{column} {}", number(*texts)));
        vec![
            file.path.clone(),
            number(file.rows_erased),
            mentions.collect::<Vec<_>>().join(", "),
            number(file.rows_restricted),
            file.restricted_until.clone().unwrap_or_default(),
            number(file.rows_held),
            number(file.rows_unverifiable),
            file.found_again.map_or_else(|| NONE.to_owned(), number),
        ]
    });
    let header = [
        "file",
        "rows removed",
        "texts by column",
        "restricted",
        "until",
        "on hold",
        "undecided",
        "found again",
    ];
    let mut section = Section::new("files", "Files", &header, rows.collect());
    if certificate.files.iter().any(|file| file.rows_restricted > 0) {
        let note =
            "Restricted: a statutory floor keeps the row until the day named (GDPR, Article 18).";
        section.notes.push(note.to_owned());
    }
    section
}

fn holds(holds: &[HoldEvidence]) -> Option<Section> {
    let state = |overdue| if overdue { "in force, review overdue" } else { "in force" };
    let row = |hold: &HoldEvidence| vec![hold.id.clone(), state(hold.review_overdue).to_owned()];
    let rows: Vec<Vec<String>> = holds.iter().map(row).collect();
    (!rows.is_empty()).then(|| Section::new("holds", "Legal holds", &["hold", "state"], rows))
}

fn made_of(derived: &[Derived]) -> Option<Section> {
    let rows: Vec<Vec<String>> = derived
        .iter()
        .map(|of| vec![of.input.clone(), of.outputs.join(", "), of.receipt.clone()])
        .collect();
    let header = ["file", "made of it", "receipt that says so"];
    let title = "What was made of these files";
    (!rows.is_empty()).then(|| Section::new("derived", title, &header, rows))
}

fn versions<'v>(
    files: impl Iterator<Item = (&'v str, &'v Version, Option<&'v Version>)>,
) -> Section {
    let rows = files.map(|(path, before, after)| {
        let after = after.map_or_else(|| NONE.to_owned(), |after| after.sha256.clone());
        vec![path.to_owned(), before.sha256.clone(), after]
    });
    let header = ["file", "SHA-256 before", "SHA-256 after"];
    Section::new("proof", "Proof", &header, rows.collect())
}

/// The files in a few words.
fn named<'p>(mut paths: impl ExactSizeIterator<Item = &'p str>) -> String {
    match (paths.len(), paths.next()) {
        (1, Some(path)) => path.to_owned(),
        (n, _) => format!("{} files", number(n as u64)),
    }
}

fn signer(key: Option<&String>) -> String {
    key.cloned().unwrap_or_else(|| "nobody".to_owned())
}

const NONE: &str = "–";
const NOT_STATED: &str = "not stated";
