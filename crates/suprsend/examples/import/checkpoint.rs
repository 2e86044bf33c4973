//! Records which rows of a file are done, so that an import can resume, whatever ended it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use suprsend::{API_KEY_VARIABLE, BASE_URL_VARIABLE, DEFAULT_BASE_URL};

use crate::files::{self, Mode, Version};

/// The maximum size of a checkpoint, in bytes.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The workspace that rows are imported into, which the API key decides.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    base_url: String,
    api_key_sha256: [u8; 32],
}

impl Target {
    /// Returns the target of a client that is built from the environment.
    pub(crate) fn from_env() -> Self {
        // The client trims both, too.
        let variable = |name| std::env::var(name).unwrap_or_default().trim().to_owned();
        let base_url = variable(BASE_URL_VARIABLE);
        let base_url = if base_url.is_empty() { DEFAULT_BASE_URL } else { base_url.trim_end_matches('/') };
        let api_key_sha256 = Sha256::digest(variable(API_KEY_VARIABLE)).into();
        Self { base_url: base_url.to_owned(), api_key_sha256 }
    }
}

/// The state of an import. A row is done once it is imported or rejected. Rows end in any order, and some not at all, so the rows that are
/// done are the beginning of the file except for a few.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkpoint {
    pub(crate) input: Version,
    /// The mock server has none: it is gone after the import.
    pub(crate) target: Option<Target>,
    /// The number of the last row that was taken.
    last: u64,
    /// The rows up to `last` that are not done.
    open: BTreeSet<u64>,
    pub(crate) imported: u64,
    pub(crate) rejected: u64,
    /// The size of the file with the rejected rows. Anything beyond that was not recorded and will be written again.
    pub(crate) rejected_bytes: u64,
}

/// A checkpoint as it is written, with a checksum of its content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    checkpoint: Box<RawValue>,
    sha256: [u8; 32],
}

impl Sealed {
    fn new(checkpoint: Box<RawValue>) -> Self {
        let sha256 = Sha256::digest(checkpoint.get()).into();
        Self { checkpoint, sha256 }
    }
}

impl Checkpoint {
    /// Creates a checkpoint without any rows.
    pub(crate) fn new(input: Version, target: Option<Target>) -> Self {
        Self { input, target, last: 0, open: BTreeSet::new(), imported: 0, rejected: 0, rejected_bytes: 0 }
    }

    /// Reads the checkpoint from an open file. It must belong to the same version of the input and to the same target.
    pub(crate) fn load(
        file: &File,
        name: &Path,
        input: &Path,
        version: &Version,
        target: &Target,
    ) -> Result<Self> {
        let name = name.display();
        let remedy = "remove it or use --restart to begin with the first row";
        let mut text = Vec::new();
        file.take(LONGEST).read_to_end(&mut text).with_context(|| format!("cannot read {name}"))?;
        let checkpoint =
            Self::from_text(&text).with_context(|| format!("{name} is not a checkpoint: {remedy}"))?;
        if checkpoint.input != *version {
            bail!("{} has changed since {name} was written: {remedy}", input.display());
        }
        match &checkpoint.target {
            Some(known) if known == target => {}
            Some(known) if known.base_url == target.base_url => {
                bail!("{name} belongs to an import with another API key: {remedy}")
            }
            Some(known) => bail!("{name} belongs to an import into {}: {remedy}", known.base_url),
            None => bail!("{name} does not say which workspace it belongs to: {remedy}"),
        }
        Ok(checkpoint)
    }

    fn from_text(text: &[u8]) -> Result<Self> {
        let sealed: Sealed = serde_json::from_slice(text)?;
        let checkpoint: Self = serde_json::from_str(sealed.checkpoint.get())?;
        ensure!(Sealed::new(sealed.checkpoint).sha256 == sealed.sha256, "it was changed");
        // Anybody could have computed the seal.
        let Self { input, last, open, imported, rejected, .. } = &checkpoint;
        let done = last.checked_sub(open.len() as u64);
        let noted = imported.checked_add(*rejected);
        let is_possible = *last <= input.bytes.saturating_add(1)
            && open.last() <= Some(last)
            && !open.contains(&0)
            && noted.is_some_and(|noted| done.is_some_and(|done| noted <= done));
        ensure!(is_possible, "its numbers are impossible");
        Ok(checkpoint)
    }

    pub(crate) fn is_done(&self, row: u64) -> bool {
        row <= self.last && !self.open.contains(&row)
    }

    /// Records that a row was taken. Rows are taken in order.
    pub(crate) fn take(&mut self, row: u64) {
        self.last = self.last.max(row);
        self.open.insert(row);
    }

    pub(crate) fn done(&mut self, row: u64) {
        self.open.remove(&row);
    }

    /// Returns the number of rows that are done.
    pub(crate) fn count(&self) -> u64 {
        self.last - self.open.len() as u64
    }

    /// Writes the file atomically: a new file replaces the old one. Returns the file, which is locked against other imports until it is
    /// closed.
    pub(crate) fn save(&self, file: &Path, mode: Mode) -> Result<File> {
        let mut new = file.as_os_str().to_owned();
        new.push(".new");
        let new = Path::new(&new);
        let mut writer = files::create(new, mode)?;
        let mut write = || {
            let sealed = Sealed::new(serde_json::value::to_raw_value(self)?);
            writer.write_all(&serde_json::to_vec(&sealed)?)?;
            writer.sync_all()?;
            fs::rename(new, file)
        };
        write().with_context(|| format!("cannot write {}", file.display()))?;
        Ok(writer)
    }
}
