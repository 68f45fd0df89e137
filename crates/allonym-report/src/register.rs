//! A check as rows for the register of processing activities (GDPR, article 30), and as a workbook.

use crate::csv;
use crate::words::{cell, csv_cell, masking, sentence, table_facts, tag_of, verdict};
use crate::{CheckEvidence, ColumnEvidence};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet};

/// The rows of the register as CSV (RFC 4180): one for each purpose and time limit. What a tool
/// cannot know is labelled for the controller.
#[must_use]
pub fn ropa(evidence: &CheckEvidence) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.map(|cell| csv_cell(&cell)).collect();
        format!("{}\r\n", cells.join(","))
    };
    let mut text = line(&mut REGISTER.iter().map(|(title, _)| (*title).to_owned()));
    for row in activities(evidence) {
        text.push_str(&line(&mut row.into_iter()));
    }
    text
}

/// A check as a workbook (Office Open XML): the register, the columns, the findings, and what the
/// evidence is of. Its bytes go by the evidence alone; no cell is taken for a formula.
///
/// # Errors
/// More columns or findings than a sheet has rows.
pub fn xlsx(evidence: &CheckEvidence) -> Result<Vec<u8>, WorkbookError> {
    let mut workbook = Workbook::new();
    let created =
        evidence.as_of.get(..19).and_then(|time| ExcelDateTime::parse_from_str(time).ok());
    let properties = DocProperties::new()
        .set_title("Register of processing activities and findings")
        .set_author(&evidence.tool)
        .set_creation_datetime(&created.unwrap_or_default());
    workbook.set_properties(&properties);

    let mut sheet = Sheet::new("Register", REGISTER)?;
    for row in activities(evidence) {
        sheet.row(&row)?;
    }
    workbook.push_worksheet(sheet.sheet);

    let mut sheet = Sheet::new("Columns", COLUMNS)?;
    for column in &evidence.columns {
        sheet.row(&[
            column.name.clone(),
            column.type_name.clone(),
            column.category.clone().unwrap_or_default(),
            column.entity.clone().unwrap_or_default(),
            column.treatment.clone().unwrap_or_else(|| "not listed".to_owned()),
            column.reason.clone().unwrap_or_default(),
            purposes(column),
            column.retention.clone().unwrap_or_default(),
            column.cells.to_string(),
            column.residual.to_string(),
        ])?;
    }
    workbook.push_worksheet(sheet.sheet);

    let mut sheet = Sheet::new("Findings", FINDINGS)?;
    for finding in &evidence.findings {
        sheet.row(&csv::cells(finding))?;
    }
    workbook.push_worksheet(sheet.sheet);

    let mut sheet = Sheet::new("About", ABOUT)?;
    let facts = [
        ("Verdict", format!("{}: {}", verdict(evidence.verdict), sentence(evidence))),
        ("Data", evidence.source.clone()),
        ("As of", evidence.as_of.clone()),
        ("Checked by", evidence.actor.clone()),
        ("Tool", evidence.tool.clone()),
        ("Policy", evidence.policy.name.clone().unwrap_or_default()),
        ("Digest of the policy (SHA-256)", evidence.policy.sha256.clone()),
        ("Rows", evidence.rows.to_string()),
        ("Rows searched for identifiers", evidence.rows_read.to_string()),
        ("Residual identifiers", evidence.residual.statement.clone()),
    ];
    for (what, said) in facts {
        sheet.row(&[what.to_owned(), said])?;
    }
    for told in &evidence.tables {
        let facts = table_facts(told).into_iter().map(|(what, said)| format!("{what}: {said}"));
        let said = facts.collect::<Vec<_>>().join("; ");
        sheet.row(&[format!("Table {}", told.path), said])?;
    }
    for limit in &evidence.limits {
        sheet.row(&["Not proven".to_owned(), limit.clone()])?;
    }
    workbook.push_worksheet(sheet.sheet);
    Ok(workbook.save_to_buffer()?)
}

/// A workbook that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be written: it would have more rows than a sheet has")]
pub struct WorkbookError {
    #[from]
    source: rust_xlsxwriter::XlsxError,
}

/// The rows of the register, in the order in which their columns stand in the data.
fn activities(evidence: &CheckEvidence) -> Vec<Vec<String>> {
    let mut activities: Vec<(String, Option<String>, Vec<&ColumnEvidence>)> = Vec::new();
    for column in &evidence.columns {
        let purpose = purposes(column);
        let same = |(known, limit, _): &&mut (String, Option<String>, Vec<_>)| {
            *known == purpose && *limit == column.retention
        };
        match activities.iter_mut().find(same) {
            Some((.., columns)) => columns.push(column),
            None => activities.push((purpose, column.retention.clone(), vec![column])),
        }
    }
    let rows = activities.into_iter();
    rows.map(|(purpose, limit, columns)| {
        let all = |of: &dyn Fn(&ColumnEvidence) -> Option<String>| {
            let mut said: Vec<String> = Vec::new();
            for one in columns.iter().filter_map(|column| of(column)) {
                if !said.contains(&one) {
                    said.push(one);
                }
            }
            said.join("; ")
        };
        let of_tag = |of: &dyn Fn(&crate::TagEvidence) -> Option<String>| {
            all(&|column| tag_of(column, evidence).and_then(of))
        };
        let owner = evidence.policy.owner.clone().unwrap_or_default();
        let basis = of_tag(&|tag| tag.legal_basis.clone());
        let law = of_tag(&|tag| tag.jurisdiction.clone());
        let categories = all(&|column| column.category.clone().or_else(|| column.entity.clone()));
        let measures = all(&|column| Some(format!("{}: {}", column.name, masking(column)?)));
        let known = [
            evidence.policy.name.clone().unwrap_or_else(|| evidence.source.clone()),
            evidence.source.clone(),
            String::new(),
            owner,
            purpose,
            String::new(),
            categories,
            all(&|column| Some(column.name.clone())),
            basis,
            law,
            String::new(),
            String::new(),
            limit.unwrap_or_default(),
            measures,
            evidence.as_of.clone(),
        ];
        let cells = known.into_iter().zip(REGISTER);
        cells
            .map(|(said, (_, kind))| match said.trim().is_empty() && *kind == Kind::Asked {
                true => TO_COMPLETE.to_owned(),
                false => said,
            })
            .collect()
    })
    .collect()
}

fn purposes(column: &ColumnEvidence) -> String {
    column.purpose.join(", ")
}

/// A sheet with a heading that stays in sight.
struct Sheet {
    sheet: Worksheet,
    next: u32,
}

impl Sheet {
    fn new(name: &str, columns: &[(&str, Kind)]) -> Result<Sheet, WorkbookError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?;
        let heading = Format::new().set_bold().set_align(FormatAlign::Top).set_text_wrap();
        for (at, (title, _)) in (0..).zip(columns) {
            sheet.write_string_with_format(0, at, *title, &heading)?;
            sheet.set_column_width(at, WIDTH)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(Sheet { sheet, next: 1 })
    }

    fn row(&mut self, cells: &[String]) -> Result<(), WorkbookError> {
        let plain = Format::new().set_align(FormatAlign::Top).set_text_wrap();
        for (at, text) in (0..).zip(cells) {
            let mut text = cell(text);
            if let Some((end, _)) = text.char_indices().nth(CELL_CHARS_MAX) {
                text.truncate(end);
                text.push('\u{2026}');
            }
            self.sheet.write_string_with_format(self.next, at, text, &plain)?;
        }
        self.next += 1;
        Ok(())
    }
}

/// Whether a cell that nobody filled in is a question to the controller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Told,
    Asked,
}

const TO_COMPLETE: &str = "to be completed by the controller";
/// What article 30(1) asks for, in its order, and what a tool knows beside.
const REGISTER: &[(&str, Kind)] = &[
    ("processing activity", Kind::Asked),
    ("data", Kind::Told),
    ("controller, representative and data protection officer", Kind::Asked),
    ("who answers for the policy", Kind::Asked),
    ("purpose", Kind::Asked),
    ("categories of data subjects", Kind::Asked),
    ("categories of personal data", Kind::Asked),
    ("columns", Kind::Told),
    ("legal basis", Kind::Asked),
    ("jurisdiction", Kind::Asked),
    ("categories of recipients", Kind::Asked),
    ("transfers to third countries", Kind::Asked),
    ("time limit for erasure", Kind::Asked),
    ("technical and organisational measures", Kind::Asked),
    ("evidence as of", Kind::Told),
];
const COLUMNS: &[(&str, Kind)] = &[
    ("column", Kind::Told),
    ("type", Kind::Told),
    ("category", Kind::Told),
    ("looks like", Kind::Told),
    ("treatment", Kind::Told),
    ("reason for keeping", Kind::Told),
    ("purpose", Kind::Told),
    ("retention", Kind::Told),
    ("cells searched", Kind::Told),
    ("residual cells", Kind::Told),
];
const FINDINGS: &[(&str, Kind)] = &[
    ("code", Kind::Told),
    ("what", Kind::Told),
    ("file", Kind::Told),
    ("column", Kind::Told),
    ("count", Kind::Told),
    ("finding", Kind::Told),
    ("next", Kind::Told),
    ("clauses", Kind::Told),
];
const ABOUT: &[(&str, Kind)] = &[("what", Kind::Told), ("said", Kind::Told)];
/// Characters of a column's width.
const WIDTH: f64 = 28.0;
/// Excel's limit is 32,767 UTF-16 units.
const CELL_CHARS_MAX: usize = 16_000;
