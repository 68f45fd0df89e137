//! JSON Lines into columns, one for each leaf.

use super::token::{Flaw, Kind, Token, tokenize, unescape};
use super::tree::{Stop, Tree, Walk};
use super::{JsonDress, JsonShape, Line};
use crate::columns::COLUMNS_MAX;
use crate::error::{IoError, IoErrorKind, counted};
use crate::format::{CHUNK_BYTES, ReadOptions};
use crate::source::TextSource;
use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use rayon::prelude::*;
use std::sync::Arc;

/// Reads lines; made by [`JsonReader::open`].
#[derive(Debug)]
pub(crate) struct JsonReader {
    lines: Lines,
    tree: Tree,
    schema: SchemaRef,
    shape: JsonShape,
    batch_rows: usize,
    /// All lines have been seen before: a new field means that the file changed.
    complete: bool,
    next_row: u64,
}

impl JsonReader {
    /// Fields are those of `first_pass`, a second reading of the same file, where there is one;
    /// else those of the first 10,000 lines or 8 MiB, which wait in memory.
    pub(crate) fn open(
        text: TextSource,
        first_pass: Option<TextSource>,
        options: &ReadOptions,
    ) -> Result<JsonReader, IoError> {
        let mut lines = Lines::new(text, options.cell_bytes_max());
        let mut tree = Tree::new();
        let complete = match first_pass {
            Some(text) => {
                let mut first = Lines::new(text, options.cell_bytes_max());
                first.skip_blank()?;
                first.note_all(&mut tree)?;
                true
            }
            None => lines.look_ahead(&mut tree)?,
        };
        let lead = lines.skip_blank()?;
        tree.settle();
        let item: FieldRef =
            Arc::new(Field::new(Field::LIST_FIELD_DEFAULT_NAME, DataType::Utf8, true));
        let fields: Vec<Field> = tree
            .leaves()
            .iter()
            .map(|leaf| {
                let data_type = match leaf.list {
                    true => DataType::List(Arc::clone(&item)),
                    false => DataType::Utf8,
                };
                Field::new(leaf.path.clone(), data_type, true)
            })
            .collect();
        Ok(JsonReader {
            lines,
            schema: Arc::new(Schema::new(fields)),
            shape: JsonShape { tree: Arc::new(tree.clone()), lead: lead.into() },
            tree,
            batch_rows: options.batch_rows(),
            complete,
            next_row: 0,
        })
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn shape(&self) -> &JsonShape {
        &self.shape
    }

    pub(crate) fn text(&self) -> &TextSource {
        &self.lines.text
    }

    pub(crate) fn text_mut(&mut self) -> &mut TextSource {
        &mut self.lines.text
    }

    /// The next rows, with their lines and the number of the first.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(RecordBatch, u64, JsonDress)>, IoError> {
        let mut text = Vec::new();
        let mut cuts = Vec::new();
        let first_line = self.lines.line;
        while cuts.len() < self.batch_rows && text.len() < CHUNK_BYTES {
            let block = match self.lines.block(self.batch_rows - cuts.len()) {
                // The rows before the trouble come first; it is met again behind them.
                Err(_) if !cuts.is_empty() => break,
                block => block?,
            };
            if block.is_empty() {
                break;
            }
            for cut in block {
                text.extend_from_slice(&self.lines.text.text()[..cut.bytes]);
                self.lines.consume(cut);
                cuts.push(cut);
            }
        }
        if cuts.is_empty() {
            return Ok(None);
        }
        let part = match read_side_by_side(&self.tree, &text, &cuts) {
            Ok(part) => part,
            Err(odd) => {
                self.learn(&text, &cuts, odd, first_line)?;
                let unsettled = "a line is read once all its fields are known";
                read_side_by_side(&self.tree, &text, &cuts).expect(unsettled)
            }
        };
        let rows = cuts.len();
        let first_row = self.next_row;
        self.next_row += rows as u64;
        let arrays: Vec<ArrayRef> = part
            .columns
            .into_iter()
            .zip(self.schema.fields())
            .map(|(column, field)| column.finish(field.data_type()))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("every column has one cell for each line");
        Ok(Some((records, first_row, JsonDress { text, rows: part.rows, touched: None })))
    }

    /// Looks at the lines from an odd one on: either one of them is wrong, or they have fields
    /// without a leaf, which are learnt.
    fn learn(
        &mut self,
        text: &[u8],
        cuts: &[Cut],
        odd: usize,
        first_line: u64,
    ) -> Result<(), IoError> {
        let mut start: usize = cuts[..odd].iter().map(|cut| cut.bytes).sum();
        let mut line = first_line + cuts[..odd].iter().map(|cut| cut.lines).sum::<u64>();
        for cut in &cuts[odd..] {
            let mut part = Part::new(&self.tree);
            let end = start + cut.bytes;
            let mut read = part.line(&self.tree, text, start, end);
            if read == Err(Stop::Unknown) {
                let grown = self.tree.grow(&text[start..end], &part.tokens);
                part = Part::new(&self.tree);
                read = grown.and_then(|()| part.line(&self.tree, text, start, end));
            }
            read.map_err(|stop| self.stop(stop, line + 1))?;
            start = end;
            line += cut.lines;
        }
        Ok(())
    }

    fn stop(&self, stop: Stop, line: u64) -> IoError {
        let file = self.lines.text.source().path();
        let Stop::New(node) = stop else { return stopped(stop, file, line) };
        let (path, line) = (self.tree.path(node), counted(line));
        if self.complete {
            let message =
                format!("line {line}: field `{path}` is new: the file changed while it was read");
            return IoError::bad(file, message);
        }
        let message = format!(
            "line {line}: field `{path}` is not among those of the first lines; read from a file, \
             whose fields are all known before the first row"
        );
        IoError::new(IoErrorKind::NewField, file, message)
    }
}

/// Takes a text apart line by line. Blank lines belong to the line before them.
#[derive(Debug)]
struct Lines {
    text: TextSource,
    /// Lines before the text.
    line: u64,
    line_bytes_max: usize,
}

/// A line with the blank lines behind it.
#[derive(Clone, Copy, Debug)]
struct Cut {
    bytes: usize,
    lines: u64,
}

impl Lines {
    fn new(text: TextSource, line_bytes_max: usize) -> Lines {
        Lines { text, line: 0, line_bytes_max }
    }

    /// The next line that is not blank; call [`Lines::consume`] behind it.
    fn next(&mut self) -> Result<Option<Cut>, IoError> {
        let mut searched = 0;
        loop {
            let (text, ended) = (self.text.text(), self.text.ended());
            if text.is_empty() && ended {
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', &text[searched..]).map(|at| searched + at + 1);
            let length = end.unwrap_or(text.len());
            if length > self.line_bytes_max.saturating_add(2) {
                let most = counted(self.line_bytes_max as u64);
                let what = format!("longer than {most} bytes (cell_bytes_max)");
                return Err(self.bad(&what));
            }
            match end {
                Some(end) => {
                    if let Some(cut) = self.with_blank(0, end) {
                        return Ok(Some(cut));
                    }
                }
                None if ended => return Ok(Some(Cut { bytes: text.len(), lines: 1 })),
                None => searched = text.len(),
            }
            self.more()?;
        }
    }

    /// Lines that are whole in memory, at least one, at most `most`; none at the end.
    fn block(&mut self, most: usize) -> Result<Vec<Cut>, IoError> {
        let Some(first) = self.next()? else { return Ok(Vec::new()) };
        let mut cuts = vec![first];
        let mut start = first.bytes;
        let text = self.text.text();
        while cuts.len() < most {
            let Some(length) = memchr::memchr(b'\n', &text[start..]) else { break };
            if length > self.line_bytes_max {
                break;
            }
            let Some(cut) = self.with_blank(start, start + length + 1) else { break };
            start += cut.bytes;
            cuts.push(cut);
        }
        Ok(cuts)
    }

    /// A line from `start` to `end` and the blank lines that follow; `None` where the text ends
    /// before those are known.
    fn with_blank(&self, start: usize, end: usize) -> Option<Cut> {
        let rest = &self.text.text()[end..];
        // Spaces before the next object are its own.
        let blank = match rest.iter().position(|byte| !BLANK.contains(byte)) {
            Some(inked) => memchr::memrchr(b'\n', &rest[..inked]).map_or(0, |last| last + 1),
            None if self.text.ended() => rest.len(),
            None => return None,
        };
        let lines = memchr::memchr_iter(b'\n', &rest[..blank]).count() as u64;
        Some(Cut { bytes: end - start + blank, lines: 1 + lines })
    }

    fn consume(&mut self, cut: Cut) {
        self.text.consume(cut.bytes);
        self.line += cut.lines;
    }

    /// Notes the fields of all lines, and takes them. Only lines that teach something are looked
    /// at in order; whether they do is found side by side.
    fn note_all(&mut self, tree: &mut Tree) -> Result<(), IoError> {
        let (mut walk, mut tokens) = (Walk::default(), Vec::new());
        let mut most = FIRST_BLOCK_LINES;
        loop {
            let cuts = self.block(most)?;
            if cuts.is_empty() {
                return Ok(());
            }
            most = usize::MAX;
            let mut lines = Vec::with_capacity(cuts.len());
            let (mut start, mut line) = (0, self.line);
            for cut in &cuts {
                lines.push((start, start + cut.bytes, line + 1));
                start += cut.bytes;
                line += cut.lines;
            }
            let text = self.text.text();
            let known: &Tree = tree;
            let teaching: Vec<_> = lines
                .par_chunks(PART_ROWS)
                .flat_map_iter(|lines| {
                    let (mut walk, mut tokens) = (Walk::default(), Vec::new());
                    let teaches = |(start, end, _): &&(usize, usize, u64)| {
                        !is_known(known, &mut walk, &text[*start..*end], &mut tokens)
                    };
                    lines.iter().filter(teaches).copied().collect::<Vec<_>>()
                })
                .collect();
            for (start, end, line) in teaching {
                note_fields(tree, &mut walk, &text[start..end], &mut tokens)
                    .map_err(|stop| stopped(stop, self.text.source().path(), line))?;
            }
            cuts.into_iter().for_each(|cut| self.consume(cut));
        }
    }

    /// Takes blank lines at the start; what they were.
    fn skip_blank(&mut self) -> Result<Vec<u8>, IoError> {
        let mut skipped = Vec::new();
        loop {
            let text = self.text.text();
            let inked = text.iter().position(|byte| !BLANK.contains(byte));
            let blank = match inked {
                Some(inked) => memchr::memrchr(b'\n', &text[..inked]).map_or(0, |last| last + 1),
                None if self.text.ended() => text.len(),
                None => {
                    if text.len() > self.line_bytes_max {
                        return Err(self.bad("too many blank lines"));
                    }
                    self.more()?;
                    continue;
                }
            };
            skipped.extend_from_slice(&text[..blank]);
            self.line += memchr::memchr_iter(b'\n', &text[..blank]).count() as u64;
            self.text.consume(blank);
            return Ok(skipped);
        }
    }

    /// Notes the fields of the first lines without taking them; whether those are all.
    fn look_ahead(&mut self, tree: &mut Tree) -> Result<bool, IoError> {
        loop {
            let text = self.text.text();
            let lines = memchr::memchr_iter(b'\n', text).take(LOOK_AHEAD_LINES).count();
            if self.text.ended() || lines == LOOK_AHEAD_LINES || text.len() >= LOOK_AHEAD_BYTES {
                break;
            }
            if self.text.more().is_err() {
                // The lines before the trouble are told first.
                break;
            }
        }
        let (mut walk, mut tokens) = (Walk::default(), Vec::new());
        let mut start = 0;
        let text = self.text.text();
        let ends = memchr::memchr_iter(b'\n', text).map(|end| end + 1);
        let last = self.text.ended().then_some(text.len());
        for (at, end) in ends.chain(last).take(LOOK_AHEAD_LINES).enumerate() {
            let line = &text[start..end];
            start = end;
            if line.iter().all(|byte| BLANK.contains(byte)) {
                continue;
            }
            note_fields(tree, &mut walk, line, &mut tokens).map_err(|stop| {
                let path = self.text.source().path();
                stopped(stop, path, at as u64 + 1)
            })?;
        }
        Ok(self.text.ended() && start == text.len())
    }

    fn more(&mut self) -> Result<(), IoError> {
        let more = self.text.more();
        more.map_err(|error| {
            let place = format!("line {}", counted(self.line + 1));
            error.at(self.text.source().path(), place)
        })
    }

    fn bad(&self, what: &str) -> IoError {
        let line = counted(self.line + 1);
        IoError::bad(self.text.source().path(), format!("line {line}: {what}"))
    }
}

/// Reads lines side by side; the first that does not fit the fields known.
fn read_side_by_side(tree: &Tree, text: &[u8], cuts: &[Cut]) -> Result<Part, usize> {
    let mut starts = Vec::with_capacity(cuts.len());
    let mut start = 0;
    for cut in cuts {
        starts.push(start);
        start += cut.bytes;
    }
    let parts: Vec<Result<Part, usize>> = (0..cuts.len().div_ceil(PART_ROWS))
        .into_par_iter()
        .map(|part| {
            let first = part * PART_ROWS;
            let last = (first + PART_ROWS).min(cuts.len());
            let mut part = Part::new(tree);
            for row in first..last {
                let end = starts[row] + cuts[row].bytes;
                part.line(tree, text, starts[row], end).map_err(|_| row)?;
            }
            Ok(part)
        })
        .collect();
    let mut whole: Option<Part> = None;
    for part in parts {
        let part = part?;
        match &mut whole {
            Some(whole) => whole.append(part),
            None => whole = Some(part),
        }
    }
    Ok(whole.unwrap_or_else(|| Part::new(tree)))
}

fn stopped(stop: Stop, path: &str, line: u64) -> IoError {
    let line = counted(line);
    match stop {
        Stop::Flaw(Flaw { what, at }) => {
            let byte = counted(at as u64 + 1);
            IoError::bad(path, format!("line {line}, byte {byte}: {what}"))
        }
        Stop::New(_) | Stop::Unknown => IoError::bad(path, format!("line {line}: a new field")),
        Stop::TooMany => {
            let most = counted(COLUMNS_MAX as u64);
            let message =
                format!("line {line}: more than {most} fields; if keys are data, make them values");
            IoError::bad(path, message)
        }
    }
}

/// Whether a line is right and has no field that would teach the tree anything.
fn is_known(tree: &Tree, walk: &mut Walk, line: &[u8], tokens: &mut Vec<Token>) -> bool {
    let known = |node, token: Token| match tree.knows(node, token.kind == Kind::Null) {
        true => Ok(()),
        false => Err(Stop::Unknown),
    };
    tokenize(line, tokens).is_ok() && tree.walk(walk, line, tokens, &mut { known }).is_ok()
}

fn note_fields(
    tree: &mut Tree,
    walk: &mut Walk,
    line: &[u8],
    tokens: &mut Vec<Token>,
) -> Result<(), Stop> {
    tokenize(line, tokens).map_err(Stop::Flaw)?;
    tree.grow(line, tokens)?;
    let mut met = Vec::new();
    tree.walk(walk, line, tokens, &mut |node, token| {
        met.push((node, token.kind == Kind::Null));
        Ok(())
    })?;
    met.into_iter().for_each(|(node, null)| tree.note(node, null));
    Ok(())
}

/// Some lines, read.
#[derive(Debug)]
struct Part {
    columns: Vec<Column>,
    rows: Vec<Line>,
    walk: Walk,
    tokens: Vec<Token>,
}

impl Part {
    fn new(tree: &Tree) -> Part {
        Part {
            columns: tree.leaves().iter().map(|leaf| Column::new(leaf.list)).collect(),
            rows: Vec::new(),
            walk: Walk::default(),
            tokens: Vec::new(),
        }
    }

    fn line(&mut self, tree: &Tree, text: &[u8], start: usize, end: usize) -> Result<(), Stop> {
        let line = &text[start..end];
        tokenize(line, &mut self.tokens).map_err(Stop::Flaw)?;
        let columns = &mut self.columns;
        tree.walk(&mut self.walk, line, &self.tokens, &mut |node, token| {
            match tree.column(node) {
                Some(column) => columns[column].push(line, token),
                // Null where other lines have an object or array: no leaf.
                None if token.kind == Kind::Null && tree.is_inner(node) => {}
                None => return Err(Stop::New(node)),
            }
            Ok(())
        })?;
        self.columns.iter_mut().for_each(Column::end_row);
        let object = (self.tokens[0].start, self.tokens[self.tokens.len() - 1].end);
        self.rows.push(Line { object: (start + object.0, start + object.1), end });
        Ok(())
    }

    fn append(&mut self, other: Part) {
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            column.append(other);
        }
        self.rows.extend(other.rows);
    }
}

/// Buffers of one column.
#[derive(Debug)]
struct Column {
    values: Vec<u8>,
    /// Ends of the cells, or of the items of lists.
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    /// Ends of the lists, counted in items, and which are null.
    lists: Option<(Vec<i32>, NullBufferBuilder)>,
    /// Cells or items of the current row.
    in_row: usize,
}

impl Column {
    fn new(list: bool) -> Column {
        Column {
            values: Vec::new(),
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
            lists: list.then(|| (vec![0], NullBufferBuilder::new(0))),
            in_row: 0,
        }
    }

    fn push(&mut self, line: &[u8], token: Token) {
        match token.kind {
            Kind::Null => return self.push_end(false),
            Kind::String => unescape(line, token, &mut self.values),
            _ => self.values.extend_from_slice(&line[token.start..token.end]),
        }
        self.push_end(true);
    }

    fn push_end(&mut self, valid: bool) {
        // INVARIANT: a chunk ends after CHUNK_BYTES and one more line.
        let end = i32::try_from(self.values.len()).expect("a chunk is far below 2 GiB");
        self.offsets.push(end);
        self.nulls.append(valid);
        self.in_row += 1;
    }

    fn end_row(&mut self) {
        match &mut self.lists {
            Some((ends, nulls)) => {
                let items = i32::try_from(self.offsets.len() - 1);
                ends.push(items.expect("a chunk is far below 2 Gi items"));
                nulls.append(self.in_row > 0);
            }
            None if self.in_row == 0 => self.push_end(false),
            None => {}
        }
        self.in_row = 0;
    }

    fn append(&mut self, mut other: Column) {
        shift(&mut self.offsets, &other.offsets);
        self.values.extend_from_slice(&other.values);
        append_nulls(&mut self.nulls, &mut other.nulls);
        if let (Some((ends, nulls)), Some((other_ends, mut other_nulls))) =
            (&mut self.lists, other.lists)
        {
            shift(ends, &other_ends);
            append_nulls(nulls, &mut other_nulls);
        }
    }

    fn finish(mut self, data_type: &DataType) -> ArrayRef {
        let text = Arc::new(
            StringArray::try_new(
                OffsetBuffer::new(ScalarBuffer::from(self.offsets)),
                Buffer::from_vec(self.values),
                self.nulls.finish(),
            )
            .expect("strings are cut from valid text at quotes, which are characters"),
        );
        match (self.lists, data_type) {
            (Some((ends, mut nulls)), DataType::List(item)) => Arc::new(ListArray::new(
                Arc::clone(item),
                OffsetBuffer::new(ScalarBuffer::from(ends)),
                text,
                nulls.finish(),
            )),
            _ => text,
        }
    }
}

/// Appends offsets that start at 0 to others.
fn shift(offsets: &mut Vec<i32>, other: &[i32]) {
    let base = *offsets.last().expect("offsets start with 0");
    offsets.extend(other[1..].iter().map(|offset| base + offset));
}

fn append_nulls(nulls: &mut NullBufferBuilder, other: &mut NullBufferBuilder) {
    let rows = other.len();
    match other.finish() {
        Some(other) => nulls.append_buffer(&other),
        None => nulls.append_n_non_nulls(rows),
    }
}

const BLANK: &[u8] = b" \t\r\n";
/// Lines read or looked at by one thread at a time.
const PART_ROWS: usize = 1_024;
/// Lines that are expected to have most of the fields.
const FIRST_BLOCK_LINES: usize = 64;
/// Lines whose fields make the schema of a stream.
const LOOK_AHEAD_LINES: usize = 10_000;
/// Text whose fields make the schema of a stream, in bytes.
const LOOK_AHEAD_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Compression;
    use crate::source::Source;
    use std::io::Cursor;

    /// A reader of a stream, which cannot be read twice.
    fn stream(text: &str) -> JsonReader {
        let bytes = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let source = Source::of("-".to_owned(), bytes, None, Compression::Plain, None);
        let text = TextSource::new(source.unwrap().0, Vec::new(), None).unwrap();
        JsonReader::open(text, None, &ReadOptions::default()).unwrap()
    }

    #[test]
    fn a_stream_has_the_fields_of_its_first_lines() {
        let mut reader = stream("{\"a\":1}\n\n{\"b\":[2]}\n");
        let names: Vec<_> = reader.schema().fields().iter().map(|field| field.name()).collect();
        assert_eq!(names, ["a", "b[]"]);
        assert_eq!(reader.next_chunk().unwrap().unwrap().0.num_rows(), 2);
        assert!(reader.next_chunk().unwrap().is_none());
    }

    #[test]
    fn a_new_field_in_a_stream_is_told_by_path_and_line() {
        let first = "{\"a\":{\"b\":1},\"n\":null}\n".repeat(LOOK_AHEAD_LINES);
        let check = |late: &str, path: &str| {
            let mut reader = stream(&format!("{first}{late}\n"));
            let error = loop {
                match reader.next_chunk() {
                    Ok(chunk) => assert!(chunk.is_some(), "{late}"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind, IoErrorKind::NewField);
            assert!(error.message.contains(&format!("line 10,001: field `{path}`")), "{error}");
            assert!(!format!("{error:?}").contains("Canary"));
        };
        check("{\"new\":\"Canary\"}", "new");
        check("{\"new\":null}", "new");
        check("{\"a\":{\"c\":[{\"d\":\"Canary\"}]}}", "a.c[].d");
        check("{\"a\":[\"Canary\"]}", "a[]");
        // Nothing in it: no leaf is lost.
        let mut reader = stream(&format!("{first}{{\"new\":[],\"a\":null,\"x\":{{}}}}\n"));
        while reader.next_chunk().unwrap().is_some() {}
    }
}
