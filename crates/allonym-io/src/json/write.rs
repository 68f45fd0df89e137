//! Rows into JSON Lines: spliced into the line they came from, or as new objects.

use super::token::{Kind, Token, is_number, tokenize};
use super::tree::{ROOT, Tree};
use super::value::{Bounds, Values, is_boolean, put_string};
use super::{JsonDress, JsonShape};
use crate::cells::{FORMLESS, in_utc};
use crate::error::{IoError, counted};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Formats rows; the caller puts the bytes where they go.
#[derive(Debug)]
pub(crate) struct JsonWriter {
    path: String,
    schema: SchemaRef,
    splice: Option<Splice>,
    /// Characters outside ASCII are escaped in what is new.
    ascii: bool,
    /// The row before ended without a line end, as the last row of a file may.
    open_line: bool,
    rows: u64,
}

/// What happens to the leaves of a line.
#[derive(Debug)]
struct Splice {
    tree: Arc<Tree>,
    /// For each input column.
    fates: Vec<Fate>,
    /// For each node: all its columns are dropped.
    dropped: Vec<bool>,
    /// Output columns no line has, written behind the others.
    added: Vec<usize>,
    /// Nothing is replaced, dropped or added.
    verbatim: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Replaced(usize),
    Dropped,
}

impl JsonWriter {
    /// `shape` and the names of the `input` columns when rows come with their lines.
    pub(crate) fn create(
        path: &str,
        shape: Option<&JsonShape>,
        schema: &SchemaRef,
        untouched: &[Option<usize>],
        ascii: bool,
        out: &mut Vec<u8>,
    ) -> Result<JsonWriter, IoError> {
        for field in schema.fields() {
            if !Values::prints(field.data_type()) {
                return Err(IoError::usage(
                    path,
                    format!(
                        "column `{}` of type {} has no form in JSON; write Parquet",
                        field.name(),
                        field.data_type()
                    ),
                ));
            }
        }
        let splice = match shape {
            Some(shape) => {
                out.extend_from_slice(&shape.lead);
                Some(Splice::plan(path, &shape.tree, schema, untouched)?)
            }
            None => None,
        };
        let (path, schema) = (path.to_owned(), Arc::clone(schema));
        Ok(JsonWriter { path, schema, splice, ascii, open_line: false, rows: 0 })
    }

    /// Appends rows to `out`.
    pub(crate) fn write(
        &mut self,
        records: &RecordBatch,
        dress: Option<&JsonDress>,
        out: &mut Vec<u8>,
    ) -> Result<(), IoError> {
        let rows = records.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let columns = in_utc(records).map_err(|_| IoError::usage(&self.path, FORMLESS))?;
        if self.open_line {
            out.push(b'\n');
        }
        self.open_line = false;
        match (&self.splice, dress) {
            (Some(splice), Some(dress)) => {
                if dress.rows.len() != rows {
                    let read = counted(dress.rows.len() as u64);
                    let message = format!("{} rows were written for {read}", counted(rows as u64));
                    return Err(IoError::usage(&self.path, message));
                }
                self.open_line = !dress.text.ends_with(b"\n");
                if splice.verbatim {
                    out.extend_from_slice(&dress.text);
                } else {
                    self.splice(splice, &columns, dress, out)?;
                }
            }
            _ => self.write_new(&columns, rows, out)?,
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn splice(
        &self,
        splice: &Splice,
        columns: &[ArrayRef],
        dress: &JsonDress,
        out: &mut Vec<u8>,
    ) -> Result<(), IoError> {
        // Lines are spliced side by side and joined in order.
        let starts: Vec<usize> = (0..dress.rows.len()).step_by(SPLICE_ROWS).collect();
        let parts: Vec<Result<Vec<u8>, String>> = starts
            .into_par_iter()
            .map(|start| {
                let end = (start + SPLICE_ROWS).min(dress.rows.len());
                self.splice_part(splice, columns, dress, start..end)
            })
            .collect();
        for part in parts {
            out.extend_from_slice(&part.map_err(|what| IoError::usage(&self.path, what))?);
        }
        Ok(())
    }

    fn splice_part(
        &self,
        splice: &Splice,
        treated: &[ArrayRef],
        dress: &JsonDress,
        rows: Range<usize>,
    ) -> Result<Vec<u8>, String> {
        let mut columns = Vec::with_capacity(splice.fates.len());
        for fate in &splice.fates {
            columns.push(match fate {
                Fate::Replaced(at) => Some(Replacement::of(&treated[*at])?),
                _ => None,
            });
        }
        let mut added = Vec::new();
        for at in &splice.added {
            let mut key = Vec::new();
            put_string(self.schema.field(*at).name(), self.ascii, &mut key);
            key.push(b':');
            added.push((key, Values::of(&treated[*at])?));
        }
        let bytes = dress.rows[rows.end - 1].end - dress.start(rows.start);
        let mut work = Work {
            splice,
            columns: &columns,
            ascii: self.ascii,
            row: rows.start,
            line: &[],
            tokens: Vec::new(),
            cursors: vec![0; columns.len()],
            scratch: String::new(),
            key: Vec::new(),
            out: Vec::with_capacity(bytes),
        };
        for row in rows {
            work.row = row;
            work.line(dress, &added)
                .map_err(|what| format!("row {}: {what}", counted(self.rows + row as u64 + 1)))?;
        }
        Ok(work.out)
    }

    fn write_new(&self, cells: &[ArrayRef], rows: usize, out: &mut Vec<u8>) -> Result<(), IoError> {
        let mut columns = Vec::new();
        for (field, column) in self.schema.fields().iter().zip(cells) {
            let values = Values::of(column).map_err(|what| IoError::usage(&self.path, what))?;
            let mut key = Vec::new();
            put_string(field.name(), self.ascii, &mut key);
            key.push(b':');
            columns.push((key, values));
        }
        let mut scratch = String::new();
        for row in 0..rows {
            out.push(b'{');
            for (at, (key, values)) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(key);
                values.put(row, self.ascii, &mut scratch, out).map_err(|()| {
                    let row = counted(self.rows + row as u64 + 1);
                    IoError::bad(&self.path, format!("row {row}: {FORMLESS}"))
                })?;
            }
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }
}

impl Splice {
    fn plan(
        path: &str,
        tree: &Arc<Tree>,
        schema: &SchemaRef,
        untouched: &[Option<usize>],
    ) -> Result<Splice, IoError> {
        let leaves = tree.leaves();
        let mut fates = vec![Fate::Dropped; leaves.len()];
        let mut added = Vec::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let Some(column) = leaves.iter().position(|leaf| leaf.path == *field.name()) else {
                added.push(at);
                continue;
            };
            let is_list = matches!(field.data_type(), DataType::List(_) | DataType::LargeList(_));
            if untouched.get(at) == Some(&Some(column)) {
                fates[column] = Fate::Kept;
            } else if leaves[column].list == is_list {
                fates[column] = Fate::Replaced(at);
            } else {
                let message = format!(
                    "column `{}` must stay {} to go back into its lines",
                    field.name(),
                    if is_list { "one value a row" } else { "a list" }
                );
                return Err(IoError::usage(path, message));
            }
        }
        let dropped = tree.all_below(|column| fates[column] == Fate::Dropped);
        let verbatim = added.is_empty() && fates.iter().all(|fate| *fate == Fate::Kept);
        Ok(Splice { tree: Arc::clone(tree), fates, dropped, added, verbatim })
    }
}

/// What a treated column holds for the leaves of a line.
enum Replacement<'a> {
    One(Values<'a>),
    Many { items: Values<'a>, bounds: Bounds<'a>, lists: &'a dyn Array },
}

impl<'a> Replacement<'a> {
    fn of(column: &'a ArrayRef) -> Result<Replacement<'a>, String> {
        match column.data_type() {
            DataType::List(_) => {
                let lists = column.as_list::<i32>();
                let (items, bounds) = (Values::of(lists.values())?, lists.value_offsets());
                Ok(Replacement::Many { items, bounds: Bounds::Small(bounds), lists })
            }
            DataType::LargeList(_) => {
                let lists = column.as_list::<i64>();
                let (items, bounds) = (Values::of(lists.values())?, lists.value_offsets());
                Ok(Replacement::Many { items, bounds: Bounds::Large(bounds), lists })
            }
            _ => Ok(Replacement::One(Values::of(column)?)),
        }
    }
}

/// One thread's work on some lines.
struct Work<'a> {
    splice: &'a Splice,
    columns: &'a [Option<Replacement<'a>>],
    ascii: bool,
    row: usize,
    line: &'a [u8],
    tokens: Vec<Token>,
    /// Items of each list column used up by the line.
    cursors: Vec<usize>,
    scratch: String,
    key: Vec<u8>,
    out: Vec<u8>,
}

type Spliced<T> = Result<T, &'static str>;

impl<'a> Work<'a> {
    fn line(&mut self, dress: &'a JsonDress, added: &[(Vec<u8>, Values<'_>)]) -> Spliced<()> {
        let line = dress.rows[self.row];
        let start = dress.start(self.row);
        self.line = &dress.text[start..line.end];
        if added.is_empty()
            && dress.touched.as_ref().is_some_and(|touched| !touched.value(self.row))
        {
            self.copy(0, self.line.len());
            return Ok(());
        }
        let mut tokens = std::mem::take(&mut self.tokens);
        tokenize(self.line, &mut tokens).expect("the reader has taken this line apart before");
        self.tokens = tokens;
        self.cursors.fill(0);

        self.copy(0, self.tokens[0].start);
        let end = self.object(ROOT, 0)?;
        if !added.is_empty() {
            // The closing bracket moves behind what is added.
            self.out.pop();
            let mut first = self.out.last() == Some(&b'{');
            for (key, values) in added {
                if !first {
                    self.out.push(b',');
                }
                first = false;
                self.out.extend_from_slice(key);
                values
                    .put(self.row, self.ascii, &mut self.scratch, &mut self.out)
                    .map_err(|()| FORMLESS)?;
            }
            self.out.push(b'}');
        }
        self.copy(self.tokens[end - 1].end, self.line.len());
        self.check_used_up()
    }

    /// Writes the object that opens at a token; the token behind it.
    fn object(&mut self, node: usize, open: usize) -> Spliced<usize> {
        let (mut at, mut hint) = (open + 1, 0);
        let mut gaps = Gaps::new(self.tokens[open].end);
        self.out.push(b'{');
        while self.tokens[at].kind != Kind::Close {
            let key = self.tokens[at];
            let child = self.splice.tree.child(node, self.line, key, &mut self.key, &mut hint);
            let behind = self.behind(at + 1);
            let dropped = child.is_some_and(|child| self.is_dropped(child, at + 1));
            if let Some((from, to)) = gaps.member(key.start, self.end_before(behind), dropped) {
                self.copy(from, to);
                self.copy(key.start, self.tokens[at + 1].start);
                self.value(child, at + 1, false)?;
            }
            at = behind;
        }
        self.copy(gaps.last_end, self.tokens[at].end);
        Ok(at + 1)
    }

    fn array(&mut self, items: Option<usize>, open: usize) -> Spliced<()> {
        let mut at = open + 1;
        let mut gaps = Gaps::new(self.tokens[open].end);
        self.out.push(b'[');
        while self.tokens[at].kind != Kind::Close {
            let behind = self.behind(at);
            // An inner array is part of this one: its items go one by one.
            let dropped = self.tokens[at].kind != Kind::ArrayOpen
                && items.is_some_and(|items| self.is_dropped(items, at));
            let start = self.tokens[at].start;
            if let Some((from, to)) = gaps.member(start, self.end_before(behind), dropped) {
                self.copy(from, to);
                self.value(items, at, true)?;
            }
            at = behind;
        }
        self.copy(gaps.last_end, self.tokens[at].end);
        Ok(())
    }

    fn value(&mut self, node: Option<usize>, at: usize, in_array: bool) -> Spliced<()> {
        let token = self.tokens[at];
        match (token.kind, node) {
            (Kind::ObjectOpen, Some(node)) => self.object(node, at).map(|_| ()),
            (Kind::ArrayOpen, Some(node)) => {
                let items = if in_array { Some(node) } else { self.splice.tree.items(node) };
                self.array(items, at)
            }
            (Kind::ObjectOpen | Kind::ArrayOpen, None) => {
                self.copy(token.start, self.end_before(self.behind(at)));
                Ok(())
            }
            (_, node) => self.scalar(node, token),
        }
    }

    fn scalar(&mut self, node: Option<usize>, token: Token) -> Spliced<()> {
        let column = node.and_then(|node| self.splice.tree.column(node));
        let Some((column, Some(replacement))) =
            column.map(|column| (column, &self.columns[column]))
        else {
            self.copy(token.start, token.end);
            return Ok(());
        };
        let (values, row) = match replacement {
            Replacement::One(values) => (values, self.row),
            Replacement::Many { lists, .. } if lists.is_null(self.row) => {
                self.cursors[column] += 1;
                self.out.extend_from_slice(b"null");
                return Ok(());
            }
            Replacement::Many { items, bounds, .. } => {
                let bounds = bounds.of(self.row);
                let item = bounds.start + self.cursors[column];
                if item >= bounds.end {
                    return Err(MISCOUNTED);
                }
                self.cursors[column] += 1;
                (items, item)
            }
        };
        if let (Kind::Number | Kind::Boolean, Values::Text(cells)) = (token.kind, values) {
            let alike = match token.kind {
                Kind::Number => |text: &&str| is_number(text.as_bytes()),
                _ => |text: &&str| is_boolean(text),
            };
            let text = cells.cell(row, &mut self.scratch).map_err(|()| FORMLESS)?;
            if let Some(text) = text.filter(alike) {
                self.out.extend_from_slice(text.as_bytes());
                return Ok(());
            }
        }
        values.put(row, self.ascii, &mut self.scratch, &mut self.out).map_err(|()| FORMLESS)
    }

    fn is_dropped(&self, node: usize, at: usize) -> bool {
        let scalar = !matches!(self.tokens[at].kind, Kind::ObjectOpen | Kind::ArrayOpen);
        let column = self.splice.tree.column(node);
        self.splice.dropped[node]
            || (scalar && column.is_some_and(|column| self.splice.fates[column] == Fate::Dropped))
    }

    /// The token behind the value that starts at one.
    fn behind(&self, at: usize) -> usize {
        let (mut at, mut open) = (at, 0_usize);
        loop {
            match self.tokens[at].kind {
                Kind::ObjectOpen | Kind::ArrayOpen => open += 1,
                Kind::Close => open -= 1,
                _ => {}
            }
            at += 1;
            if open == 0 {
                return at;
            }
        }
    }

    fn end_before(&self, token: usize) -> usize {
        self.tokens[token - 1].end
    }

    fn copy(&mut self, start: usize, end: usize) {
        self.out.extend_from_slice(&self.line[start..end]);
    }

    fn check_used_up(&self) -> Spliced<()> {
        for (column, used) in self.columns.iter().zip(&self.cursors) {
            if let Some(Replacement::Many { bounds, lists, .. }) = column
                && lists.is_valid(self.row)
                && bounds.of(self.row).len() != *used
            {
                return Err(MISCOUNTED);
            }
        }
        Ok(())
    }
}

/// Commas and white space between members of which some go.
struct Gaps {
    last_end: usize,
    /// Between the bracket and the first member.
    first: Option<(usize, usize)>,
    any_kept: bool,
}

impl Gaps {
    fn new(open_end: usize) -> Gaps {
        Gaps { last_end: open_end, first: None, any_kept: false }
    }

    /// What to write before a member; `None` if it goes. The first that stays takes the place
    /// of the first there was, without a comma.
    fn member(&mut self, start: usize, end: usize, dropped: bool) -> Option<(usize, usize)> {
        let gap = (self.last_end, start);
        let first = *self.first.get_or_insert(gap);
        self.last_end = end;
        if dropped {
            return None;
        }
        let before = if self.any_kept { gap } else { first };
        self.any_kept = true;
        Some(before)
    }
}

/// Lines one thread splices at a time.
const SPLICE_ROWS: usize = 1_024;
const MISCOUNTED: &str = "a treated list has another number of items than its line";
