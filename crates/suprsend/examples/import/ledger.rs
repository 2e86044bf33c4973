//! Which row is where: taken, imported or rejected.

use std::{
    collections::HashMap,
    error::Error as _,
    fs::{self, File, OpenOptions},
    io::{BufWriter, Seek, SeekFrom, Write},
    ops::ControlFlow,
    path::PathBuf,
};

use anyhow::{Context, Error, Result};
use serde_json::json;
use suprsend::{Client, StatusCode, UpsertUser, bulk::Outcome, types::User};

use crate::{
    arguments::Arguments,
    checkpoint::Checkpoint,
    rows::{Row, Rows},
};

pub(crate) struct Ledger {
    id: String,
    checkpoint: Checkpoint,
    checkpoint_file: PathBuf,
    rejected: BufWriter<File>,
    rejected_file: PathBuf,
    /// The rows in flight, by their place among the upserts.
    taken: HashMap<u64, Row>,
    next_index: u64,
    /// Why the import cannot go on.
    broken: Option<Error>,
}

impl Ledger {
    /// Begins an import, or goes on with the one that the checkpoint knows.
    pub(crate) fn open(arguments: &Arguments) -> Result<Self> {
        let (checkpoint_file, rejected_file) = (arguments.checkpoint(), arguments.rejected());
        let known =
            if arguments.restart { None } else { Checkpoint::load(&checkpoint_file, &arguments.input)? };
        let checkpoint = match known {
            Some(checkpoint) => checkpoint,
            None => Checkpoint::new(&arguments.input)?,
        };
        let open = || {
            let mut file =
                OpenOptions::new().create(true).write(true).truncate(false).open(&rejected_file)?;
            // What was written after the checkpoint is written again. The file may have been taken away meanwhile.
            file.set_len(checkpoint.rejected_bytes.min(file.metadata()?.len()))?;
            file.seek(SeekFrom::End(0))?;
            Ok::<_, std::io::Error>(BufWriter::new(file))
        };
        let rejected = open().with_context(|| format!("cannot write {}", rejected_file.display()))?;
        let id = arguments.id.clone();
        let taken = HashMap::new();
        Ok(Self {
            id,
            checkpoint,
            checkpoint_file,
            rejected,
            rejected_file,
            taken,
            next_index: 0,
            broken: None,
        })
    }

    /// What to tell if this is not the beginning.
    pub(crate) fn continued(&self) -> Option<String> {
        let done = self.checkpoint.count();
        (done > 0).then(|| format!("going on: {done} rows are done, says {}", self.checkpoint_file.display()))
    }

    /// The id and the upsert of the next row that is to be sent. Rows that cannot be are rejected on the way.
    pub(crate) fn take(&mut self, rows: &mut Rows, client: &Client) -> Option<(String, UpsertUser)> {
        while self.broken.is_none() {
            let row = match rows.next()? {
                Ok(row) if self.checkpoint.is_done(row.number) => continue,
                Ok(row) if row.is_blank() => {
                    self.checkpoint.done(row.number);
                    continue;
                }
                Ok(row) => row,
                Err(error) => {
                    self.broken = Some(error);
                    return None;
                }
            };
            match row.upsert(client, &self.id) {
                Ok(upsert) => {
                    self.taken.insert(self.next_index, row);
                    self.next_index += 1;
                    return Some((upsert.distinct_id().to_owned(), upsert));
                }
                Err(error) => {
                    if let Err(error) = self.reject(&row, None, &error.to_string(), false) {
                        self.broken = Some(error);
                    }
                }
            }
        }
        None
    }

    /// Notes an outcome. Breaks if the import has no sense any more.
    pub(crate) fn settle(&mut self, outcome: Outcome<User, String>) -> Result<ControlFlow<()>> {
        let Some(row) = self.taken.remove(&outcome.index) else {
            return Ok(ControlFlow::Continue(()));
        };
        let Err(error) = outcome.result else {
            self.checkpoint.imported += 1;
            self.checkpoint.done(row.number);
            return Ok(ControlFlow::Continue(()));
        };
        if error.status() == Some(StatusCode::UNAUTHORIZED) {
            // Nothing that a row can do about: it stays undone.
            self.broken.get_or_insert_with(|| Error::new(error).context("the API key is not accepted"));
            return Ok(ControlFlow::Break(()));
        }
        let retryable = error.is_retryable();
        self.reject(&row, Some(&outcome.value), &with_causes(&error), retryable)?;
        Ok(ControlFlow::Continue(()))
    }

    fn reject(&mut self, row: &Row, id: Option<&str>, reason: &str, retryable: bool) -> Result<()> {
        let line = json!({
            "row": row.number, "distinct_id": id, "reason": reason, "retryable": retryable, "input": row.input(),
        });
        writeln!(self.rejected, "{line}")
            .with_context(|| format!("cannot write {}", self.rejected_file.display()))?;
        self.checkpoint.rejected += 1;
        self.checkpoint.done(row.number);
        Ok(())
    }

    /// Writes the checkpoint. The rejected rows are on the disk before it says so.
    pub(crate) fn save(&mut self) -> Result<()> {
        let mut write = || {
            self.rejected.flush()?;
            self.rejected.get_ref().sync_data()?;
            self.rejected.stream_position()
        };
        let bytes = write().with_context(|| format!("cannot write {}", self.rejected_file.display()))?;
        self.checkpoint.rejected_bytes = bytes;
        self.checkpoint.save(&self.checkpoint_file)
    }

    /// All rows are done: there is nothing to go on with. Says how many were rejected.
    pub(crate) fn complete(&mut self) -> Result<u64> {
        self.save()?;
        let remove = |file: &PathBuf| {
            fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))
        };
        remove(&self.checkpoint_file)?;
        if self.checkpoint.rejected == 0 {
            remove(&self.rejected_file)?;
        }
        Ok(self.checkpoint.rejected)
    }

    /// Why the import cannot go on, if so.
    pub(crate) fn broken(&mut self) -> Option<Error> {
        self.broken.take()
    }

    pub(crate) fn totals(&self) -> String {
        let Checkpoint { imported, rejected, .. } = &self.checkpoint;
        if *rejected == 0 {
            return format!("{imported} rows imported");
        }
        format!("{imported} rows imported, {rejected} rejected: see {}", self.rejected_file.display())
    }
}

/// An error's own text leaves out its cause.
fn with_causes(error: &suprsend::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
