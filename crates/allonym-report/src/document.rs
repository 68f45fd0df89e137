//! A verdict, what it rests on, and tables, as a page, a part of a notebook, Markdown, a terminal's
//! text or CSV. Names of strangers stand in it as they are; every view writes them inert.

use crate::html::Page;
use crate::markdown::inert;
use crate::words::{csv_cell, tame};

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What it is, as in `Linkage risk`.
    pub kind: &'static str,
    /// What it is of.
    pub of: String,
    /// How the answer is to be taken.
    pub state: State,
    /// The answer in a word or two, in capitals.
    pub word: String,
    /// The answer in a sentence.
    pub sentence: String,
    /// What it rests on.
    pub facts: Vec<(&'static str, String)>,
    /// What it does not prove.
    pub limits: Vec<String>,
    /// Its tables.
    pub sections: Vec<Section>,
}

/// How an answer is to be taken. The word says it too: colour alone tells nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Good,
    /// Something is not.
    Bad,
    /// Nobody can tell, or nobody asked.
    Open,
}

/// A table with a title, notes below it, and a text to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name in links, of letters and digits.
    pub id: String,
    /// Its title.
    pub title: String,
    /// A picture as inline SVG, which pages show as it is: what comes from data is [`crate::escaped`] in it,
    /// and the table has its numbers.
    pub figure: Option<String>,
    /// Titles of columns.
    pub header: Vec<String>,
    /// Its rows, each as long as the header; none are left out.
    pub rows: Vec<Vec<String>>,
    /// Sentences below it.
    pub notes: Vec<String>,
    /// A text to be copied, such as a piece of a policy.
    pub code: Option<String>,
}

impl Section {
    /// A table alone.
    #[must_use]
    pub fn new(id: &str, title: &str, header: &[&str], rows: Vec<Vec<String>>) -> Section {
        let header = header.iter().map(|&title| title.to_owned()).collect();
        let (id, title) = (id.to_owned(), title.to_owned());
        Section { id, title, figure: None, header, rows, notes: Vec::new(), code: None }
    }
}

impl Document {
    /// One HTML page that opens offline, in light and dark, on paper and on a phone.
    #[must_use]
    pub fn html(&self) -> String {
        let mut page = Page::new();
        page.begin(&format!("{}: {}", self.kind, self.of));
        self.put(&mut page);
        page.foot();
        page.finish()
    }

    /// The same as a part of a notebook, its style with it.
    #[must_use]
    pub fn fragment(&self) -> String {
        let mut page = Page::new();
        page.put("<div class=\"allonym-page\"><style>");
        page.put(FRAGMENT_STYLE);
        page.put("</style>");
        self.put(&mut page);
        page.put("</div>");
        page.finish()
    }

    fn put(&self, page: &mut Page) {
        let class = match self.state {
            State::Good => "good",
            State::Bad => "bad",
            State::Open => "open",
        };
        page.put(&format!("<header class=\"{class}\">"));
        page.element("p class=\"word\"", &self.word);
        page.element("h1", &self.of);
        page.element("p", &self.sentence);
        page.put("</header>");
        page.facts(&self.facts);
        page.section("limits", NOT_PROVED);
        page.list(self.limits.iter().map(String::as_str));
        page.end();
        for section in &self.sections {
            page.section(&section.id, &section.title);
            if let Some(figure) = &section.figure {
                page.put(figure);
            }
            if !section.rows.is_empty() {
                let header: Vec<&str> = section.header.iter().map(String::as_str).collect();
                page.table("", &section.title, &header, &section.rows);
            }
            for note in &section.notes {
                page.element("p", note);
            }
            if let Some(code) = &section.code {
                page.put("<pre>");
                for line in code.lines() {
                    page.text(line);
                    page.put("\n");
                }
                page.put("</pre>");
            }
            page.end();
        }
    }

    /// Markdown (GitHub's tables).
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "# {}: {}\n\n**{}.** {}\n\n",
            self.kind,
            inert(&self.of),
            inert(&self.word),
            inert(&self.sentence)
        );
        for (what, said) in &self.facts {
            text.push_str(&format!("- {what}: {}\n", inert(said)));
        }
        for section in &self.sections {
            text.push_str(&format!("\n## {}\n\n", inert(&section.title)));
            if !section.rows.is_empty() {
                text.push_str(&format!("| {} |\n", section.header.join(" | ")));
                text.push_str(&format!("|{}\n", " --- |".repeat(section.header.len())));
                for row in &section.rows {
                    let cells: Vec<String> = row.iter().map(|cell| inert(cell)).collect();
                    text.push_str(&format!("| {} |\n", cells.join(" | ")));
                }
            }
            for note in &section.notes {
                text.push_str(&format!("\n{}\n", inert(note)));
            }
            if let Some(code) = &section.code {
                // A fence longer than any in the text cannot be closed from inside.
                let code = code.replace("`````", "` ` ` ` `");
                text.push_str(&format!("\n`````toml\n{code}`````\n"));
            }
        }
        text.push_str(&format!("\n## {NOT_PROVED}\n\n"));
        for limit in &self.limits {
            text.push_str(&format!("- {}\n", inert(limit)));
        }
        text
    }

    /// The summary that a terminal shows.
    #[must_use]
    pub fn text(&self) -> String {
        let facts = self.facts.iter().map(|(what, said)| format!("{what} {}", tame(said)));
        let mut lines = vec![
            format!("{} · {} · {}", self.kind, tame(&self.of), tame(&self.word)),
            format!("  {}", tame(&self.sentence)),
            format!("  {}", facts.collect::<Vec<_>>().join(" · ")),
        ];
        for section in &self.sections {
            lines.push(String::new());
            lines.push(tame(&section.title));
            let mut table = vec![section.header.clone()];
            table.extend(section.rows.iter().cloned());
            let width = |at: usize| table.iter().map(|row: &Vec<String>| columns(&row[at])).max();
            let widths: Vec<usize> =
                (0..section.header.len()).map(|at| width(at).unwrap_or(0)).collect();
            for row in table.iter().filter(|_| !section.rows.is_empty()) {
                let cells = row.iter().zip(&widths).map(|(cell, &width)| {
                    let cell = cut(cell);
                    let pad = width.saturating_sub(columns(&cell));
                    format!("{cell}{}", " ".repeat(pad))
                });
                lines.push(format!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end()));
            }
            lines.extend(section.notes.iter().map(|note| format!("  {}", tame(note))));
            if let Some(code) = &section.code {
                lines.extend(code.lines().map(|line| format!("    {}", tame(line))));
            }
        }
        lines.push(String::new());
        lines.push("Not proved:".to_owned());
        lines.extend(self.limits.iter().map(|limit| format!("  - {}", tame(limit))));
        lines.join("\n")
    }

    /// Every cell of every table on a line of its own, as CSV (RFC 4180): `table,row,column,value`,
    /// the row by its first cell; facts first, in a table of none. A cell that a spreadsheet would
    /// take for a formula gets an apostrophe before it.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::from("table,row,column,value\r\n");
        let mut line = |cells: [&str; 4]| {
            text.push_str(&cells.map(csv_cell).join(","));
            text.push_str("\r\n");
        };
        line(["", "", "verdict", &self.word]);
        line(["", "", "in a sentence", &self.sentence]);
        for (what, said) in &self.facts {
            line(["", "", what, said]);
        }
        for section in &self.sections {
            for row in &section.rows {
                // A table of one column has no names of rows.
                let names = usize::from(section.header.len() > 1);
                let name = row.first().filter(|_| names > 0).map_or("", String::as_str);
                for (column, cell) in section.header.iter().zip(row).skip(names) {
                    line([&section.title, name, column, cell]);
                }
            }
            for note in &section.notes {
                line([&section.title, "", "note", note]);
            }
        }
        for limit in &self.limits {
            line(["", "", "not proved", limit]);
        }
        text
    }
}

fn columns(cell: &str) -> usize {
    cut(cell).chars().count()
}

/// Names come from files: what moves the cursor is replaced, and what is long is cut.
fn cut(cell: &str) -> String {
    let cell = tame(cell);
    match cell.chars().count() > CELL_CHARS_MAX {
        true => cell.chars().take(CELL_CHARS_MAX - 1).chain(['…']).collect(),
        false => cell,
    }
}

const NOT_PROVED: &str = "What this does not prove";
const CELL_CHARS_MAX: usize = 60;
/// The page's own style, within one element.
const FRAGMENT_STYLE: &str = "\
.allonym-page{font:14px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;padding:1em;\
max-width:62em;overflow-x:auto}\
.allonym-page header{border-left:.4em solid #767676;padding:.1em .8em}\
.allonym-page .word{font-size:1.2em;font-weight:700;margin:0}\
.allonym-page h1{font-size:1.1em;margin:.2em 0}.allonym-page h2{font-size:1em;margin:1.2em 0 .3em}\
.allonym-page dl{display:grid;grid-template-columns:8em 1fr;margin:.4em 0}.allonym-page dd{margin:0}\
.allonym-page table{border-collapse:collapse}.allonym-page caption{text-align:left;color:#555}\
.allonym-page th,.allonym-page td{text-align:left;padding:.2em .9em .2em 0;\
border-bottom:1px solid #ddd;vertical-align:top;font-weight:400}\
.allonym-page svg{display:block;max-width:40em}.allonym-page svg text{fill:#333}\
.allonym-page .grid{stroke:#ddd}.allonym-page .chance{stroke:#767676}\
.allonym-page .roc text{font:11px system-ui,sans-serif}\
.allonym-page .roc path{fill:none}.allonym-page .band{fill:#1f6fb2;opacity:.2}\
.allonym-page .curve{stroke:#1f6fb2;stroke-width:2}.allonym-page .chance{stroke-dasharray:5 4}\
@media (prefers-color-scheme:dark){.allonym-page svg text{fill:#ccc}\
.allonym-page .grid{stroke:#3a3a3a}.allonym-page .curve{stroke:#6fb1e8}\
.allonym-page .band{fill:#6fb1e8}.allonym-page{color:#e6e6e6;background:#1b1b1b}\
.allonym-page caption{color:#aaa}.allonym-page th,.allonym-page td{border-color:#444}}";

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "=1+1|<img src=x>\u{1b}[2J";

    fn document() -> Document {
        let rows = vec![vec![HOSTILE.to_owned(), "7".to_owned()]];
        Document {
            kind: "Test",
            of: HOSTILE.to_owned(),
            state: State::Bad,
            word: "NOT WELL".to_owned(),
            sentence: "One thing is wrong".to_owned(),
            facts: vec![("Rows", "7".to_owned())],
            limits: vec!["everything else".to_owned()],
            sections: vec![Section::new("parts", "Parts", &["name", "rows"], rows)],
        }
    }

    #[test]
    fn views_tell_the_same_and_names_are_inert() {
        let page = document().html();
        assert!(page.contains("class=\"bad\"") && page.contains(">NOT WELL<"), "{page}");
        for view in [page, document().fragment(), document().markdown(), document().text()] {
            assert!(view.contains("One thing is wrong") && view.contains("everything else"));
            assert!(!view.contains('\u{1b}'), "{view}");
        }
        for view in [document().html(), document().fragment(), document().markdown()] {
            assert!(!view.contains("<img"), "{view}");
        }
        let csv = document().csv();
        let lines: Vec<&str> = csv.lines().collect();
        let head = ["table,row,column,value", ",,verdict,NOT WELL"];
        assert_eq!(lines[..2], head);
        assert_eq!(lines[2..4], [",,in a sentence,One thing is wrong", ",,Rows,7"]);
        assert!(lines[4].starts_with("Parts,'=1+1|") && lines[4].ends_with(",rows,7"), "{csv}");
        assert_eq!(lines[5..], [",,not proved,everything else"]);
    }

    #[test]
    fn names_of_strangers_are_cut_and_tamed() {
        assert_eq!(cut("a\u{1b}[2J"), "a\u{fffd}[2J");
        assert_eq!(columns(&"x".repeat(90)), CELL_CHARS_MAX);
    }
}
