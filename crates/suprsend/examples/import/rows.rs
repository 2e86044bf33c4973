//! Splits a file into rows, and converts a row to a user.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Chain, Cursor, Read},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use super::{
    exact,
    quotes::{Quotes, Watch},
};

/// The maximum length of a line, in bytes: ten times what the API accepts.
const LINE: usize = 8 * 1024 * 1024;
/// The part of a longer line that goes to the rejected rows, in bytes.
const SHOWN: usize = 1024;
/// Separates the addresses in a cell.
const SEPARATOR: char = ';';
/// The suffix of a column whose cells contain JSON.
const JSON_COLUMN: &str = ":json";
/// Some editors write it at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Ndjson,
    Csv,
    /// Rejected rows of another import.
    #[value(skip)]
    Rejected,
}

/// A row of the file.
pub(crate) struct Row {
    /// The number of the row, starting with 1. In NDJSON it is the line; in CSV, the header does not count.
    pub(crate) number: u64,
    /// The number of the row in the file that it was first rejected from.
    pub(crate) origin: u64,
    /// The row as it is written to the rejected rows: an object that can be imported again, or the invalid text.
    pub(crate) input: Box<RawValue>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    User(User),
    /// The row cannot be read, for this reason.
    Unreadable(String),
    /// An empty line.
    Blank,
}

/// A user in the form of an upsert.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) members: Map<String, Value>,
}

/// Reads the rows of a file one at a time.
pub(crate) struct Rows<R: Read> {
    id: String,
    number: u64,
    reader: Reader<R>,
}

type File<R> = Chain<Cursor<Vec<u8>>, R>;

enum Reader<R: Read> {
    Ndjson(BufReader<File<R>>),
    Rejected(BufReader<File<R>>),
    Csv { reader: Box<csv::Reader<Quotes<File<R>>>>, columns: Vec<Column>, watch: Watch },
}

impl<R: Read> Rows<R> {
    /// Reads a file of this format, whose users have their id in the member or column `id`. Fails if something is wrong with the whole
    /// file.
    pub(crate) fn new(mut file: R, format: Format, id: &str) -> Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
        if start == BYTE_ORDER_MARK {
            start.clear();
        }
        let file = Cursor::new(start).chain(file);
        let reader = match format {
            Format::Ndjson => Reader::Ndjson(BufReader::new(file)),
            Format::Rejected => Reader::Rejected(BufReader::new(file)),
            Format::Csv => {
                let (file, watch) = Quotes::new(file, LINE as u64);
                let mut reader = csv::Reader::from_reader(file);
                let names = reader.headers().context("the header line is missing")?.clone();
                if let Some(fault) = watch.fault(reader.position().byte()) {
                    bail!("{fault}");
                }
                let columns: Vec<_> = names.iter().map(Column::named).collect();
                refuse_columns(&columns, id)?;
                Reader::Csv { reader: Box::new(reader), columns, watch }
            }
        };
        Ok(Self { id: id.to_owned(), number: 0, reader })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        self.number += 1;
        let number = self.number;
        let parts = match &mut self.reader {
            Reader::Ndjson(reader) => line(reader).map(|line| Some(parts(line?, &self.id))),
            Reader::Rejected(reader) => line(reader).map(|line| Some(rejected(line?, &self.id))),
            Reader::Csv { reader, columns, watch } => record(reader, columns, watch, &self.id),
        };
        let row = parts.and_then(|parts| {
            let Some(Parts { origin, input, content }) = parts else { return Ok(None) };
            let input = match input {
                Input::Json(raw) => raw,
                Input::Text(text) => serde_json::value::to_raw_value(&text)?,
                Input::Object(members) => serde_json::value::to_raw_value(&members)?,
            };
            Ok(Some(Row { number, origin: origin.unwrap_or(number), input, content }))
        });
        row.with_context(|| format!("cannot read row {number}")).transpose()
    }
}

/// The parts of a row.
struct Parts {
    origin: Option<u64>,
    input: Input,
    content: Content,
}

enum Input {
    Json(Box<RawValue>),
    Text(String),
    Object(Map<String, Value>),
}

impl Parts {
    fn text(bytes: &[u8], content: Content) -> Self {
        let input = Input::Text(String::from_utf8_lossy(bytes).into_owned());
        Self { origin: None, input, content }
    }

    fn unreadable(bytes: &[u8], reason: impl Into<String>) -> Self {
        Self::text(bytes, Content::Unreadable(reason.into()))
    }
}

/// A line, or the beginning of one that is too long.
enum Line {
    Whole(Vec<u8>),
    TooLong(Vec<u8>),
}

fn line(reader: &mut impl BufRead) -> Result<Option<Line>> {
    let mut line = Vec::new();
    if reader.by_ref().take(LINE as u64).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() == LINE && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
        line.truncate(SHOWN);
        return Ok(Some(Line::TooLong(line)));
    }
    Ok(Some(Line::Whole(line)))
}

/// Splits a line that contains a user.
fn parts(line: Line, id: &str) -> Parts {
    let line = match line {
        Line::Whole(line) => line,
        Line::TooLong(start) => {
            return Parts::unreadable(&start, format!("is longer than {LINE} bytes; this is its beginning"));
        }
    };
    let bytes = line.trim_ascii();
    match serde_json::from_slice::<&RawValue>(bytes) {
        Ok(raw) => parts_from_json(raw, id),
        Err(_) if bytes.is_empty() => Parts::text(bytes, Content::Blank),
        Err(error) => Parts::unreadable(bytes, format!("is not JSON: {error}")),
    }
}

fn parts_from_json(raw: &RawValue, id: &str) -> Parts {
    let content = user(raw, id).map_or_else(Content::Unreadable, Content::User);
    Parts { origin: None, input: Input::Json(raw.to_owned()), content }
}

/// Reads a user exactly as written.
fn user(raw: &RawValue, id: &str) -> Result<User, String> {
    if !raw.get().starts_with('{') {
        return Err("is JSON, but not an object".to_owned());
    }
    let read = |name: &str, raw: &RawValue| {
        if name == id { exact::id(raw).map(Value::String) } else { exact::value(raw) }
    };
    let members = exact::object(raw, read).map_err(|problem| problem.to_string())?;
    let mut members = Map::from_iter(members);
    match members.remove(id) {
        Some(Value::String(id)) => Ok(User { id, members }),
        _ => Err(format!("has no {id}")),
    }
}

/// Splits a line that contains a rejected row.
fn rejected(line: Line, id: &str) -> Parts {
    #[derive(Deserialize)]
    struct Rejected<'a> {
        row: u64,
        #[serde(borrow)]
        input: &'a RawValue,
    }

    let Line::Whole(bytes) = &line else { return parts(line, id) };
    let Ok(Rejected { row, input }) = serde_json::from_slice(bytes) else {
        let mut parts = parts(line, id);
        if !matches!(parts.content, Content::Blank) {
            parts.content =
                Content::Unreadable("is not a rejected row: it has no `row` and `input`".to_owned());
        }
        return parts;
    };
    // Text that was not JSON may have been corrected.
    let parts = match serde_json::from_str::<String>(input.get()) {
        Ok(text) => parts(Line::Whole(text.into_bytes()), id),
        Err(_) => parts_from_json(input, id),
    };
    let content = match parts.content {
        Content::Blank => Content::Unreadable("is empty".to_owned()),
        content => content,
    };
    Parts { origin: Some(row), content, ..parts }
}

struct Column {
    name: String,
    is_json: bool,
}

impl Column {
    fn named(header: &str) -> Self {
        let header = header.trim();
        match header.strip_suffix(JSON_COLUMN) {
            Some(name) => Self { name: name.trim_end().to_owned(), is_json: true },
            None => Self { name: header.to_owned(), is_json: false },
        }
    }

    fn value(&self, cell: &str, id: &str) -> Result<Value, String> {
        if self.is_json {
            let raw: &RawValue = serde_json::from_str(cell)
                .map_err(|error| format!("{} is not JSON: {error}", self.name.escape_debug()))?;
            let value = if self.name == id { exact::id(raw).map(Value::String) } else { exact::value(raw) };
            return value.map_err(|problem| problem.inside(&self.name).to_string());
        }
        // Of SuprSend's own members, all but these two are channels.
        if self.name.starts_with('$') && !matches!(self.name.as_str(), "$timezone" | "$locale") {
            return Ok(cell.split(SEPARATOR).map(str::trim).filter(|address| !address.is_empty()).collect());
        }
        Ok(cell.into())
    }
}

/// Fails if a name occurs twice, or if the column of the id is missing.
fn refuse_columns(columns: &[Column], id: &str) -> Result<()> {
    let mut places = HashMap::new();
    for (index, Column { name, .. }) in
        columns.iter().enumerate().filter(|(_, column)| !column.name.is_empty())
    {
        if let Some(first) = places.insert(name, index) {
            let (first, second) = (first + 1, index + 1);
            let remedy = if name.starts_with('$') {
                "write the addresses into one cell, with `;` between them"
            } else {
                "rename or remove one"
            };
            bail!("columns {first} and {second} are both `{}`: {remedy}", name.escape_debug());
        }
    }
    if !columns.iter().any(|column| column.name == id) {
        bail!("it has no column {id}; --id names the one with the user's id");
    }
    Ok(())
}

fn record<R: Read>(
    reader: &mut csv::Reader<Quotes<R>>,
    columns: &[Column],
    watch: &Watch,
    id: &str,
) -> Result<Option<Parts>> {
    let mut record = csv::StringRecord::new();
    let read = reader.read_record(&mut record);
    if let Some(fault) = watch.fault(reader.position().byte()) {
        bail!("{fault}");
    }
    let text = |record: &csv::StringRecord| record.iter().collect::<Vec<_>>().join(",");
    match read {
        Ok(false) => return Ok(None),
        Ok(true) => {}
        Err(error) if error.is_io_error() => return Err(error.into()),
        Err(error) => return Ok(Some(Parts::unreadable(text(&record).as_bytes(), error.to_string()))),
    }
    let mut members = Map::new();
    let mut problem = None;
    for (index, (column, cell)) in columns.iter().zip(&record).enumerate() {
        if cell.trim().is_empty() {
            continue;
        }
        if column.name.is_empty() {
            problem.get_or_insert(format!("has a cell in column {}, which has no name", index + 1));
            continue;
        }
        match column.value(cell, id) {
            Ok(value) => _ = members.insert(column.name.clone(), value),
            Err(reason) => _ = problem.get_or_insert(reason),
        }
    }
    if let Some(reason) = problem {
        return Ok(Some(Parts::unreadable(text(&record).as_bytes(), reason)));
    }
    let input = Input::Object(members.clone());
    let content = match members.remove(id) {
        Some(Value::String(id)) => Content::User(User { id, members }),
        _ => Content::Unreadable(format!("has no {id}")),
    };
    Ok(Some(Parts { origin: None, input, content }))
}
