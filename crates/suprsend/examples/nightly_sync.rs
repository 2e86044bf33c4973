//! A nightly sync: table rows that changed since the last run become users, and a checkpoint records the progress.
//!
//! This runs against a mock server, with a table in memory whose connection breaks during the first night. `tests/nightly_sync.rs` tests
//! it.

use std::{
    collections::BTreeMap,
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{Stream, TryStreamExt, stream};
use suprsend::{Client, bulk::Summary};

/// The time of a row's last change in seconds, and its id. Rows are read in the order of their positions.
pub(crate) type Position = (u64, String);

/// The time before the checkpoint at which a run begins, in seconds. It must be longer than the longest transaction that writes rows: such
/// a transaction sets the time of its start, and when it commits, the checkpoint may have passed that time. Rows within it are sent twice.
pub(crate) const MARGIN: u64 = 3600;

/// A row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its position.
    pub(crate) position: Position,
    /// The user's e-mail address.
    pub(crate) email: String,
}

/// A table in place of a database. With `breaks_at`, its connection breaks before that row.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The rows, in any order.
    pub(crate) rows: Vec<Row>,
    /// The row before which the connection breaks.
    pub(crate) breaks_at: Option<Position>,
}

impl Table {
    /// Returns the rows since a time: `where updated_at >= $1 order by updated_at, id`.
    pub(crate) fn rows_since(&self, time: u64) -> impl Stream<Item = io::Result<Row>> + use<> {
        let mut rows: Vec<Row> = self.rows.iter().filter(|row| row.position.0 >= time).cloned().collect();
        rows.sort_by(|a, b| a.position.cmp(&b.position));
        let breaks_at = self.breaks_at.clone();
        stream::iter(rows.into_iter().map(move |row| match &breaks_at {
            Some(position) if row.position >= *position => Err(io::Error::other("the connection broke")),
            _ => Ok(row),
        }))
    }
}

/// The position up to which all rows are done, stored in a file.
struct Checkpoint {
    file: PathBuf,
    last: Option<Position>,
    /// The next row that must be done before the checkpoint can advance, and the rows after it that are done.
    next: u64,
    done: BTreeMap<u64, Position>,
    unsaved: u32,
}

impl Checkpoint {
    fn load(file: &Path) -> Result<Self, Box<dyn Error>> {
        let last = match fs::read(file) {
            Ok(json) => Some(serde_json::from_slice(&json)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { file: file.to_owned(), last, next: 0, done: BTreeMap::new(), unsaved: 0 })
    }

    /// Returns the time at which a run begins.
    fn start(&self) -> u64 {
        self.last.as_ref().map_or(0, |(time, _)| time.saturating_sub(MARGIN))
    }

    fn done(&mut self, index: u64, position: Position) -> io::Result<()> {
        self.done.insert(index, position);
        while let Some(position) = self.done.remove(&self.next) {
            (self.next, self.unsaved) = (self.next + 1, self.unsaved + 1);
            // A run that ends among the rows of the margin does not move it back.
            self.last = self.last.take().max(Some(position));
        }
        if self.unsaved >= 1000 { self.save() } else { Ok(()) }
    }

    /// Writes the file. A rename replaces it atomically, so a crash leaves either the old or the new file.
    fn save(&mut self) -> io::Result<()> {
        if let Some(last) = self.last.as_ref().filter(|_| self.unsaved > 0) {
            let new = self.file.with_extension("new");
            fs::write(&new, serde_json::to_vec(last)?)?;
            fs::rename(new, &self.file)?;
            self.unsaved = 0;
        }
        Ok(())
    }
}

/// Upserts the rows that changed since the checkpoint, and those of the [`MARGIN`] before it. An outage of the API ends the run after
/// `max_outage`, and any other error that is not about a row, such as a revoked API key, ends it at once. The next run resumes.
///
/// # Errors
///
/// The first error that is not about a row: of the API, of the table or of the checkpoint file. Rows that were done before it are recorded,
/// and the checkpoint does not pass a row that is not done.
pub(crate) async fn sync(
    client: &Client,
    table: &Table,
    file: &Path,
    max_outage: Duration,
) -> Result<Summary, Box<dyn Error>> {
    let users = client.users();
    let mut checkpoint = Checkpoint::load(file)?;
    let upserts = table.rows_since(checkpoint.start()).map_ok(|row| {
        let upsert = users.upsert(&row.position.1).email(row.email);
        (row.position, upsert)
    });

    let mut outcomes = users.upsert_all(upserts).max_outage(max_outage);
    let mut failure: Option<Box<dyn Error>> = None;
    while let Some(outcome) = outcomes.next().await {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                failure.get_or_insert_with(|| error.into());
                break;
            }
        };
        match outcome.result {
            Ok(_) => checkpoint.done(outcome.index, outcome.value)?,
            Err(error) if error.is_caused_by_input() => {
                println!("{} is skipped: {error:#}", outcome.value.1);
                checkpoint.done(outcome.index, outcome.value)?;
            }
            Err(error) => {
                println!("{} is not done: {error:#}", outcome.value.1);
                failure.get_or_insert_with(|| error.into());
                outcomes.stop();
            }
        }
    }
    checkpoint.save()?;
    let summary = outcomes.summary();
    match failure {
        Some(error) => Err(error),
        None if summary.gave_up => Err(summary.to_string().into()),
        None => Ok(summary),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = suprsend_mock::Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sync.checkpoint");
    let max_outage = Duration::from_secs(600);

    let row = |number: u64| Row {
        position: (number / 10 * 600, format!("user-{number:04}")),
        email: format!("user-{number}@example.com"),
    };
    let mut table = Table { rows: (0..1000).map(row).collect(), ..Table::default() };
    table.rows[7].email = "no address".into();

    table.breaks_at = Some(table.rows[600].position.clone());
    match sync(&client, &table, &file, max_outage).await {
        Err(error) => println!("first night: {error}, after {} requests", hub.requests().len()),
        Ok(_) => return Err("the connection did not break".into()),
    }
    table.breaks_at = None;
    println!("second night: {}", sync(&client, &table, &file, max_outage).await?);

    table.rows[3].position.0 = 100_000;
    println!("third night: {}", sync(&client, &table, &file, max_outage).await?);
    Ok(())
}
