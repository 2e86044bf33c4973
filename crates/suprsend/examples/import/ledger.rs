//! Tracks the state of each row: taken, imported, rejected, or not done.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Error, Result, bail};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use suprsend::{API_KEY_VARIABLE, Client, StatusCode, UpsertUser};

use crate::{
    arguments::Arguments,
    checkpoint::{Checkpoint, Target},
    files::{self, Mode, Version},
    rows::{Content, Row, Rows},
};

/// The number of consecutive rows that are not done, with none imported among them, after which the import stops.
const FAILURES: u32 = 20;
/// The maximum time spent on rows before signals and timers are checked.
const TURN: Duration = Duration::from_millis(50);

/// The parts of a row that are kept until its outcome is known.
struct Taken {
    number: u64,
    origin: u64,
    input: Box<RawValue>,
}

/// The action after an outcome.
pub(crate) enum Settled {
    Done,
    /// The row is left to the next run, for this reason.
    NotDone(String),
    /// As above, and there is no point in continuing.
    Stop(String),
}

/// The next event.
pub(crate) enum Next {
    Send(u64, UpsertUser),
    /// No row to send was found in time; there may be more.
    Later,
    End,
}

pub(crate) struct Ledger {
    input: PathBuf,
    mode: Mode,
    checkpoint: Checkpoint,
    checkpoint_file: PathBuf,
    /// The checkpoint as it was written last. Its lock keeps other imports from replacing it.
    saved: Option<File>,
    rejected: Option<BufWriter<File>>,
    rejected_file: PathBuf,
    /// The rows in flight, by number.
    taken: HashMap<u64, Taken>,
    /// The number of rows of this run that are left to the next one.
    not_done: u64,
    failures: u32,
    /// The reason why the import cannot continue.
    broken: Option<Error>,
}

/// A rejected row as it is written.
#[derive(Serialize)]
struct Rejected<'a> {
    row: u64,
    distinct_id: Option<&'a str>,
    reason: &'a str,
    input: &'a RawValue,
}

impl Ledger {
    /// Starts an import into a target, or resumes the one of the checkpoint. Without a target, which a mock server does not have, there is
    /// no checkpoint.
    pub(crate) fn open(arguments: &Arguments, version: Version, target: Option<Target>) -> Result<Self> {
        let input = arguments.input().to_owned();
        let (checkpoint_file, rejected_file) = (arguments.checkpoint(), arguments.rejected());
        // Problems are found before the first request.
        let saved = files::open(&checkpoint_file)?;
        let known = match (&saved, &target) {
            (Some(_), None) => bail!(
                "{} belongs to an import that is not complete: set {API_KEY_VARIABLE} to resume it, or remove it",
                checkpoint_file.display()
            ),
            (Some(file), Some(target)) if !arguments.restart => {
                Some(Checkpoint::load(file, &checkpoint_file, &input, &version, target)?)
            }
            _ => None,
        };
        files::refuse_links(&new(&checkpoint_file))?;
        files::refuse_links(&rejected_file)?;
        let mut rejected = None;
        if let Some(known) = &known
            && let Some(mut file) = files::open(&rejected_file)?
        {
            let mut go_on = || {
                // Rows written after the checkpoint are written again. A part of the file may have been removed meanwhile.
                file.set_len(known.rejected_bytes.min(file.metadata()?.len()))?;
                file.seek(SeekFrom::End(0))
            };
            go_on().with_context(|| format!("cannot write {}", rejected_file.display()))?;
            rejected = Some(BufWriter::new(file));
        }
        Ok(Self {
            mode: Mode::from_input(&input),
            input,
            checkpoint: known.unwrap_or_else(|| Checkpoint::new(version, target)),
            checkpoint_file,
            saved,
            rejected,
            rejected_file,
            taken: HashMap::new(),
            not_done: 0,
            failures: 0,
            broken: None,
        })
    }

    /// Returns whether another run can resume this import.
    pub(crate) fn is_resumable(&self) -> bool {
        self.checkpoint.target.is_some()
    }

    /// Returns a message if the import resumes an earlier one.
    pub(crate) fn continued(&self) -> Option<String> {
        let done = self.checkpoint.count();
        (done > 0).then(|| format!("resuming after {done} rows ({})", self.checkpoint_file.display()))
    }

    /// Returns the next row to send, with its number. Rows that cannot be sent are rejected.
    pub(crate) fn next<R: Read>(&mut self, rows: &mut Rows<R>, client: &Client) -> Next {
        let start = Instant::now();
        while self.broken.is_none() {
            if start.elapsed() > TURN {
                return Next::Later;
            }
            let row = match rows.next() {
                Some(Ok(row)) if self.checkpoint.is_done(row.number) => continue,
                Some(Ok(row)) => row,
                Some(Err(error)) => {
                    self.broken = Some(error);
                    break;
                }
                None => break,
            };
            let Row { number, origin, input, content } = row;
            self.checkpoint.take(number);
            let taken = Taken { number, origin, input };
            match content {
                Content::Blank => self.checkpoint.done(number),
                Content::User(user) => {
                    let upsert = client.users().upsert(user.id).with_json(Value::Object(user.members));
                    self.taken.insert(number, taken);
                    return Next::Send(number, upsert);
                }
                Content::Unreadable(reason) => {
                    if let Err(error) = self.reject(&taken, None, &reason) {
                        self.broken = Some(error);
                    }
                }
            }
        }
        Next::End
    }

    /// Records the outcome of a row with this number, of the user with this id.
    pub(crate) fn settle(
        &mut self,
        (number, id): (u64, String),
        result: Result<(), suprsend::Error>,
    ) -> Result<Settled> {
        let Some(row) = self.taken.remove(&number) else { return Ok(Settled::Done) };
        let Err(error) = result else {
            self.checkpoint.imported += 1;
            self.checkpoint.done(number);
            self.failures = 0;
            return Ok(Settled::Done);
        };
        let reason = format!("{error:#}");
        match Verdict::from_error(&error) {
            Verdict::Row => {
                self.reject(&row, Some(&id), &reason)?;
                Ok(Settled::Done)
            }
            Verdict::Import(why) => {
                self.not_done += 1;
                self.broken.get_or_insert_with(|| Error::msg(reason.clone()).context(why));
                Ok(Settled::Stop(reason))
            }
            Verdict::Hub => {
                self.not_done += 1;
                self.failures += 1;
                if self.failures >= FAILURES {
                    return Ok(Settled::Stop(format!(
                        "{FAILURES} consecutive rows failed, the last because {reason}"
                    )));
                }
                Ok(Settled::NotDone(format!("row {} is not done: {reason}", row.origin)))
            }
        }
    }

    fn reject(&mut self, row: &Taken, distinct_id: Option<&str>, reason: &str) -> Result<()> {
        let name = self.rejected_file.display();
        let file = match &mut self.rejected {
            Some(file) => file,
            None => self.rejected.insert(BufWriter::new(files::create(&self.rejected_file, self.mode)?)),
        };
        let line = Rejected { row: row.origin, distinct_id, reason, input: &row.input };
        let line = serde_json::to_string(&line)?;
        writeln!(file, "{line}").with_context(|| format!("cannot write {name}"))?;
        self.checkpoint.rejected += 1;
        self.checkpoint.done(row.number);
        Ok(())
    }

    /// Writes the checkpoint, after flushing the rejected rows to disk.
    pub(crate) fn save(&mut self) -> Result<()> {
        if let Some(file) = &mut self.rejected {
            let mut write = || {
                file.flush()?;
                file.get_ref().sync_data()?;
                file.stream_position()
            };
            let written = write();
            self.checkpoint.rejected_bytes =
                written.with_context(|| format!("cannot write {}", self.rejected_file.display()))?;
        }
        // An import that did nothing leaves nothing behind.
        if self.checkpoint.count() == 0 || !self.is_resumable() {
            return Ok(());
        }
        if self.saved.is_none() {
            // Fails if another import has written it meanwhile.
            self.saved = files::open(&self.checkpoint_file)?;
        }
        self.saved = Some(self.checkpoint.save(&self.checkpoint_file, self.mode)?);
        Ok(())
    }

    /// Ends an import whose rows are all done, so nothing is left to resume. Returns the number of rejected rows.
    pub(crate) fn complete(&mut self) -> Result<u64> {
        self.save()?;
        remove(&self.checkpoint_file)?;
        // An existing file is from an earlier import.
        if self.checkpoint.rejected == 0 {
            remove(&self.rejected_file)?;
        }
        Ok(self.checkpoint.rejected)
    }

    /// Fails unless the input is unchanged and was read to its end.
    pub(crate) fn assert_whole(&self, read: u64) -> Result<()> {
        files::assert_whole(&self.input, &self.checkpoint.input, read)
    }

    /// Returns the reason why the import cannot continue, if there is one.
    pub(crate) fn broken(&mut self) -> Option<Error> {
        self.broken.take()
    }

    /// Returns the number of rows of this run that are left to the next one.
    pub(crate) fn not_done(&self) -> u64 {
        self.not_done
    }

    /// Returns the counts for the progress bar.
    pub(crate) fn counts(&self) -> String {
        let Checkpoint { imported, rejected, .. } = &self.checkpoint;
        match self.not_done {
            0 => format!("{imported} imported, {rejected} rejected"),
            not_done => format!("{imported} imported, {rejected} rejected, {not_done} not done"),
        }
    }

    pub(crate) fn totals(&self) -> String {
        let Checkpoint { imported, rejected, .. } = &self.checkpoint;
        let mut text = format!("{imported} rows imported");
        if self.not_done > 0 {
            text = format!("{text}, {} not done", self.not_done);
        }
        if *rejected > 0 {
            text = format!("{text}, {rejected} rejected: see {}", self.rejected_file.display());
        }
        text
    }
}

/// The origin of a failure.
enum Verdict {
    /// The row itself: it is rejected.
    Row,
    /// A setting that all rows share, for this reason.
    Import(&'static str),
    /// The API or the connection to it: a transient error that says nothing about the row.
    Hub,
}

impl Verdict {
    fn from_error(error: &suprsend::Error) -> Self {
        use suprsend::Error;
        if error.status() == Some(StatusCode::UNAUTHORIZED) {
            return Self::Import("the API key is not accepted");
        }
        match error {
            error if error.is_caused_by_input() => Self::Row,
            Error::Config(_) => Self::Import("nothing can be sent"),
            _ => Self::Hub,
        }
    }
}

/// Returns the path of a checkpoint before it replaces the last one.
fn new(checkpoint: &Path) -> PathBuf {
    let mut name = checkpoint.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn remove(file: &Path) -> Result<()> {
    if files::refuse_links(file)? {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}
