//! JSON Lines (RFC 8259, one object a line): leaves as columns, and lines given back byte for
//! byte wherever nobody touched them.

pub(crate) mod read;
pub(crate) mod token;
pub(crate) mod tree;
pub(crate) mod value;
pub(crate) mod write;

use arrow_buffer::BooleanBuffer;
use std::sync::Arc;
use tree::Tree;

/// How a JSON Lines file is laid out.
#[derive(Clone, Debug)]
pub(crate) struct JsonShape {
    pub(crate) tree: Arc<Tree>,
    /// Blank lines before the first object.
    pub(crate) lead: Arc<[u8]>,
}

/// The lines of a chunk as they stood.
#[derive(Debug, Default)]
pub(crate) struct JsonDress {
    pub(crate) text: Vec<u8>,
    pub(crate) rows: Vec<Line>,
    /// Rows whose cells were changed after they were read; all may have been when left out. The
    /// others go back as they stood, whatever the column.
    pub(crate) touched: Option<BooleanBuffer>,
}

/// One row in the text of its chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// The object, from brace to brace.
    pub(crate) object: (usize, usize),
    /// Line end and the blank lines behind it end here; the next row starts here.
    pub(crate) end: usize,
}

impl JsonDress {
    /// Where a row's line starts.
    pub(crate) fn start(&self, row: usize) -> usize {
        row.checked_sub(1).map_or(0, |before| self.rows[before].end)
    }

    /// The lines of the rows that stay. `touched` are those of all rows whose cells were changed.
    pub(crate) fn edited(&self, keep: &BooleanBuffer, touched: &BooleanBuffer) -> JsonDress {
        let touched = keep.set_indices().map(|row| touched.value(row)).collect();
        JsonDress { touched: Some(touched), ..self.kept(keep) }
    }

    /// The lines of the rows that stay.
    pub(crate) fn kept(&self, keep: &BooleanBuffer) -> JsonDress {
        let mut kept = JsonDress::default();
        for row in keep.set_indices() {
            let (start, line) = (self.start(row), self.rows[row]);
            let moved = kept.text.len();
            kept.text.extend_from_slice(&self.text[start..line.end]);
            let place = |at: usize| at - start + moved;
            kept.rows.push(Line {
                object: (place(line.object.0), place(line.object.1)),
                end: place(line.end),
            });
        }
        let touched = self.touched.as_ref();
        kept.touched = touched.map(|t| keep.set_indices().map(|row| t.value(row)).collect());
        kept
    }

    /// The objects of the rows, white space around them left out.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &[u8]> {
        self.rows.iter().map(|line| &self.text[line.object.0..line.object.1])
    }
}
