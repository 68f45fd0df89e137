//! JSON Lines into columns, one for each leaf.

use super::token::{Flaw, Kind, Token, tokenize, unescape};
use super::tree::{Stop, Tree, Walk};
use super::{JsonDress, JsonShape, Line};
use crate::error::{IoError, IoErrorKind, counted};
use crate::format::{CHUNK_BYTES, COLUMNS_MAX, ReadOptions};
use crate::source::TextSource;
use arrow_array::{ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use std::sync::Arc;

/// Reads lines; made by [`JsonReader::open`].
#[derive(Debug)]
pub(crate) struct JsonReader {
    lines: Lines,
    tree: Tree,
    walk: Walk,
    schema: SchemaRef,
    shape: JsonShape,
    batch_rows: usize,
    /// All lines have been seen before: a new field means that the file changed.
    complete: bool,
    next_row: u64,
    tokens: Vec<Token>,
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
                let (mut walk, mut tokens) = (Walk::default(), Vec::new());
                while let Some(line) = first.next()? {
                    let text = &first.text.text()[..line.next];
                    note_fields(&mut tree, &mut walk, text, &mut tokens)
                        .map_err(|stop| first.stop(stop))?;
                    first.consume(line);
                }
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
            walk: Walk::default(),
            schema: Arc::new(Schema::new(fields)),
            shape: JsonShape { tree: Arc::new(tree.clone()), lead: lead.into() },
            tree,
            batch_rows: options.batch_rows(),
            complete,
            next_row: 0,
            tokens: Vec::new(),
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
        let mut columns: Vec<Column> =
            self.tree.leaves().iter().map(|leaf| Column::new(leaf.list)).collect();
        let mut dress = JsonDress::default();
        let first_row = self.next_row;
        while dress.rows.len() < self.batch_rows && dress.text.len() < CHUNK_BYTES {
            let Some(line) = self.lines.next()? else { break };
            let text = &self.lines.text.text()[..line.next];
            let (tree, walk) = (&mut self.tree, &mut self.walk);
            let read = read_line(tree, walk, text, &mut self.tokens, &mut columns);
            if let Err(stop) = read {
                return Err(self.stop(stop));
            }
            let object = self.tokens[0].start;
            let end = self.tokens[self.tokens.len() - 1].end;
            let base = dress.text.len();
            dress.text.extend_from_slice(text);
            let object = (base + object, base + end);
            dress.rows.push(Line { object, end: dress.text.len() });
            self.lines.consume(line);
            self.next_row += 1;
        }
        let rows = dress.rows.len();
        if rows == 0 {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = columns
            .into_iter()
            .zip(self.schema.fields())
            .map(|(column, field)| column.finish(field.data_type()))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("every column has one cell for each line");
        Ok(Some((records, first_row, dress)))
    }

    fn stop(&self, stop: Stop) -> IoError {
        let Stop::New(node) = stop else { return self.lines.stop(stop) };
        let (path, line) = (self.tree.path(node), counted(self.lines.line + 1));
        let file = self.lines.text.source().path();
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

/// A line at the start of the text, with the blank lines behind it.
#[derive(Clone, Copy, Debug)]
struct Cut {
    next: usize,
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
                    if let Some(cut) = self.with_blank(end) {
                        return Ok(Some(cut));
                    }
                }
                None if ended => return Ok(Some(Cut { next: text.len(), lines: 1 })),
                None => searched = text.len(),
            }
            self.more()?;
        }
    }

    /// Adds the blank lines that follow; `None` where the text ends before that is known.
    fn with_blank(&self, end: usize) -> Option<Cut> {
        let text = self.text.text();
        let rest = &text[end..];
        // Spaces before the next object are its own.
        let blank = match rest.iter().position(|byte| !BLANK.contains(byte)) {
            Some(inked) => memchr::memrchr(b'\n', &rest[..inked]).map_or(0, |last| last + 1),
            None if self.text.ended() => rest.len(),
            None => return None,
        };
        let lines = memchr::memchr_iter(b'\n', &rest[..blank]).count() as u64;
        Some(Cut { next: end + blank, lines: 1 + lines })
    }

    fn consume(&mut self, cut: Cut) {
        self.text.consume(cut.next);
        self.line += cut.lines;
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

    fn stop(&self, stop: Stop) -> IoError {
        stopped(stop, self.text.source().path(), self.line + 1)
    }

    fn bad(&self, what: &str) -> IoError {
        let line = counted(self.line + 1);
        IoError::bad(self.text.source().path(), format!("line {line}: {what}"))
    }
}

fn stopped(stop: Stop, path: &str, line: u64) -> IoError {
    let line = counted(line);
    match stop {
        Stop::Flaw(Flaw { what, at }) => {
            let byte = counted(at as u64 + 1);
            IoError::bad(path, format!("line {line}, byte {byte}: {what}"))
        }
        Stop::New(_) => IoError::bad(path, format!("line {line}: a new field")),
        Stop::TooMany => {
            let most = counted(COLUMNS_MAX as u64);
            let message =
                format!("line {line}: more than {most} fields; if keys are data, make them values");
            IoError::bad(path, message)
        }
    }
}

fn note_fields(
    tree: &mut Tree,
    walk: &mut Walk,
    line: &[u8],
    tokens: &mut Vec<Token>,
) -> Result<(), Stop> {
    tokenize(line, tokens).map_err(Stop::Flaw)?;
    tree.walk(walk, line, tokens, &mut |tree, node, token| {
        tree.note(node, token.kind == Kind::Null);
        Ok(())
    })
}

fn read_line(
    tree: &mut Tree,
    walk: &mut Walk,
    line: &[u8],
    tokens: &mut Vec<Token>,
    columns: &mut [Column],
) -> Result<(), Stop> {
    tokenize(line, tokens).map_err(Stop::Flaw)?;
    tree.walk(walk, line, tokens, &mut |tree, node, token| {
        match tree.column(node) {
            Some(column) => columns[column].push(line, token),
            // Null where other lines have an object or array: no leaf.
            None if token.kind == Kind::Null && tree.is_inner(node) => {}
            None => return Err(Stop::New(node)),
        }
        Ok(())
    })?;
    columns.iter_mut().for_each(Column::end_row);
    Ok(())
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

const BLANK: &[u8] = b" \t\r\n";
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
