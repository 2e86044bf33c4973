//! What of a file is done, so that an import can go on after whatever ended it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// A row is done once its outcome is known. Rows end in any order, so what is done is the beginning of the file and some rows
/// beyond.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    input: Version,
    /// So many rows from the first are all done.
    rows: u64,
    beyond: BTreeSet<u64>,
    pub(crate) imported: u64,
    pub(crate) rejected: u64,
    /// How long the file with the rejected rows was; what it has beyond that was not noted, and comes again.
    pub(crate) rejected_bytes: u64,
}

/// What tells one version of a file from another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Version {
    bytes: u64,
    modified: Duration,
}

impl Version {
    fn of(file: &Path) -> Result<Self> {
        let metadata = fs::metadata(file).with_context(|| format!("cannot open {}", file.display()))?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { bytes: metadata.len(), modified })
    }
}

impl Checkpoint {
    /// Nothing is done.
    pub(crate) fn new(input: &Path) -> Result<Self> {
        let input = Version::of(input)?;
        Ok(Self { input, rows: 0, beyond: BTreeSet::new(), imported: 0, rejected: 0, rejected_bytes: 0 })
    }

    /// What is noted in the file, if it is there.
    pub(crate) fn load(file: &Path, input: &Path) -> Result<Option<Self>> {
        let name = file.display();
        let remedy = "remove it, or use --restart, to begin with the first row";
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
        };
        let checkpoint: Self =
            serde_json::from_slice(&text).with_context(|| format!("{name} is no checkpoint: {remedy}"))?;
        if checkpoint.input != Version::of(input)? {
            anyhow::bail!("{} has changed since {name} was written: {remedy}", input.display());
        }
        Ok(Some(checkpoint))
    }

    pub(crate) fn is_done(&self, row: u64) -> bool {
        row <= self.rows || self.beyond.contains(&row)
    }

    pub(crate) fn done(&mut self, row: u64) {
        self.beyond.insert(row);
        while self.beyond.remove(&(self.rows + 1)) {
            self.rows += 1;
        }
    }

    /// How many rows are done.
    pub(crate) fn count(&self) -> u64 {
        self.rows + self.beyond.len() as u64
    }

    /// Writes the file so that it is always whole: a new one takes the place of the old one.
    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        let mut new = file.as_os_str().to_owned();
        new.push(".new");
        let write = || {
            let mut writer = File::create(&new)?;
            serde_json::to_writer(&mut writer, self)?;
            writer.flush()?;
            writer.sync_all()?;
            fs::rename(&new, file)
        };
        write().with_context(|| format!("cannot write {}", file.display()))
    }
}
