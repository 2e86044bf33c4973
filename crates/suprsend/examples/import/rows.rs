//! From a file to rows, and from a row to an upsert.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use serde_json::{Map, Value};
use suprsend::{Client, UpsertUser};

use crate::arguments::{Arguments, Format};

/// The longest line that is read, in bytes: ten times what the API takes.
const LINE: usize = 8 * 1024 * 1024;
/// How much of a longer one goes to the rejected rows, in bytes.
const SHOWN: usize = 1024;
/// What stands between the addresses in a cell.
const SEPARATOR: char = ';';
/// What the name of a column ends with whose cells are JSON.
const JSON_COLUMN: &str = ":json";

/// A row of the file.
pub(crate) struct Row {
    /// Which row it is, the first being 1. In NDJSON this is the line; in CSV the columns' names do not count.
    pub(crate) number: u64,
    content: Content,
}

enum Content {
    /// The user as an upsert has it, with the id beside it.
    User(Map<String, Value>),
    Unreadable {
        text: String,
        reason: String,
    },
    /// A line without anything.
    Blank,
}

impl Row {
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.content, Content::Blank)
    }

    /// The row as it goes to the rejected ones: an object that can be imported again, or the text that is none.
    pub(crate) fn input(&self) -> Value {
        match &self.content {
            Content::User(members) => Value::Object(members.clone()),
            Content::Unreadable { text, .. } => Value::String(text.clone()),
            Content::Blank => Value::Null,
        }
    }

    /// The upsert that the row asks for. What is wrong with its content comes out when it is checked or sent.
    pub(crate) fn upsert(&self, client: &Client, id: &str) -> Result<UpsertUser<Client>> {
        let mut members = match &self.content {
            Content::User(members) => members.clone(),
            Content::Unreadable { reason, .. } => bail!("{reason}"),
            Content::Blank => bail!("is empty"),
        };
        let distinct_id = match members.remove(id) {
            Some(Value::String(id)) => id,
            Some(Value::Number(id)) => id.to_string(),
            Some(_) => bail!("{id} is neither a string nor a number"),
            None => bail!("has no {id}"),
        };
        Ok(client.users().upsert(distinct_id).with_json(Value::Object(members)))
    }
}

/// The rows of a file, read one at a time.
pub(crate) struct Rows {
    number: u64,
    reader: Reader,
}

enum Reader {
    Ndjson(BufReader<Box<dyn Read>>),
    Csv(Box<csv::Reader<Box<dyn Read>>>, Vec<Column>),
}

impl Rows {
    /// Opens the file; the bar shows how much of it is read.
    pub(crate) fn open(arguments: &Arguments, bar: &ProgressBar) -> Result<Self> {
        let name = arguments.input.display();
        let file = File::open(&arguments.input).with_context(|| format!("cannot open {name}"))?;
        let file: Box<dyn Read> = Box::new(bar.wrap_read(file));
        let reader = match arguments.format() {
            Format::Ndjson => Reader::Ndjson(BufReader::new(file)),
            Format::Csv => {
                let mut reader = csv::Reader::from_reader(file);
                let names = reader.headers().with_context(|| format!("{name} has no line of names"))?;
                let columns: Vec<_> = names.iter().map(Column::named).collect();
                if !columns.iter().any(|column| column.name == arguments.id) {
                    bail!("{name} has no column {}; --id names the one with the user's id", arguments.id);
                }
                Reader::Csv(Box::new(reader), columns)
            }
        };
        Ok(Self { number: 0, reader })
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        let content = match &mut self.reader {
            Reader::Ndjson(reader) => of_line(reader, self.number == 0),
            Reader::Csv(reader, columns) => of_record(reader, columns),
        };
        self.number += 1;
        let content = content.with_context(|| format!("cannot read row {}", self.number)).transpose()?;
        Some(content.map(|content| Row { number: self.number, content }))
    }
}

fn of_line(reader: &mut impl BufRead, is_first: bool) -> Result<Option<Content>> {
    let mut line = Vec::new();
    if reader.by_ref().take(LINE as u64).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.len() == LINE && !line.ends_with(b"\n") {
        reader.skip_until(b'\n')?;
        line.truncate(SHOWN);
        return Ok(Some(unreadable(&line, format!("is longer than {LINE} bytes; this is its beginning"))));
    }
    // Some editors begin a file with a byte order mark.
    let bytes = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| is_first).unwrap_or(&line).trim_ascii();
    Ok(Some(match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Content::User(members),
        Ok(_) => unreadable(bytes, "is JSON, but not an object"),
        Err(_) if bytes.is_empty() => Content::Blank,
        Err(error) => unreadable(bytes, format!("is not JSON: {error}")),
    }))
}

fn unreadable(bytes: &[u8], reason: impl Into<String>) -> Content {
    Content::Unreadable { text: String::from_utf8_lossy(bytes).into_owned(), reason: reason.into() }
}

struct Column {
    name: String,
    is_json: bool,
}

impl Column {
    fn named(header: &str) -> Self {
        let header = header.trim();
        match header.strip_suffix(JSON_COLUMN) {
            Some(name) => Self { name: name.to_owned(), is_json: true },
            None => Self { name: header.to_owned(), is_json: false },
        }
    }

    fn value(&self, cell: &str) -> Result<Value, String> {
        if self.is_json {
            return serde_json::from_str(cell).map_err(|error| format!("{} is not JSON: {error}", self.name));
        }
        // Of SuprSend's own members, all but these two are channels.
        if self.name.starts_with('$') && !matches!(self.name.as_str(), "$timezone" | "$locale") {
            return Ok(cell.split(SEPARATOR).map(str::trim).filter(|address| !address.is_empty()).collect());
        }
        Ok(cell.into())
    }
}

fn of_record(reader: &mut csv::Reader<Box<dyn Read>>, columns: &[Column]) -> Result<Option<Content>> {
    let mut record = csv::StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(false) => return Ok(None),
        Ok(true) => {}
        Err(error) if error.is_io_error() => return Err(error.into()),
        Err(error) => {
            let text = record.iter().collect::<Vec<_>>().join(",");
            return Ok(Some(Content::Unreadable { text, reason: error.to_string() }));
        }
    }
    let mut members = Map::new();
    let mut problem = None;
    for (column, cell) in columns.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty()) {
        match column.value(cell) {
            Ok(value) => {
                members.insert(column.name.clone(), value);
            }
            Err(reason) => _ = problem.get_or_insert(reason),
        }
    }
    Ok(Some(match problem {
        None => Content::User(members),
        Some(reason) => Content::Unreadable { text: record.iter().collect::<Vec<_>>().join(","), reason },
    }))
}
