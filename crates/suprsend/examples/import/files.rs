//! Files beside the input: they hold people's data, so they are for those who may read the input, and nobody can have them written
//! elsewhere.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{ErrorKind, Read},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

/// Tells one version of a file from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Version {
    pub(crate) bytes: u64,
    modified: Duration,
}

impl Version {
    pub(crate) fn from_path(file: &Path) -> Result<Self> {
        let metadata = fs::metadata(file).with_context(|| format!("cannot open {}", file.display()))?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { bytes: metadata.len(), modified })
    }
}

/// Opens the input, which no other import may have open until the file is closed.
pub(crate) fn open_input(file: &Path) -> Result<File> {
    let name = file.display();
    let input = File::open(file).with_context(|| format!("cannot open {name}"))?;
    if input.metadata()?.is_dir() {
        bail!("cannot open {name}: it is a folder");
    }
    lock(&input, file)?;
    Ok(input)
}

/// Locks a file until it is closed.
fn lock(file: &File, name: &Path) -> Result<()> {
    match FileExt::try_lock(file) {
        Err(TryLockError::WouldBlock) => bail!("another import is using {}", name.display()),
        // A file system without locks cannot tell.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Permissions of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode(#[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes"))] u32);

impl Mode {
    /// The mode of the input, or for its owner only.
    pub(crate) fn from_input(input: &Path) -> Self {
        fs::metadata(input).map_or(Self(0o600), |metadata| Self(mode(&metadata)))
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    // The import writes these files, and nobody runs them.
    metadata.permissions().mode() & 0o666 | 0o600
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o600
}

/// Makes a file that was not there; one of that name is removed.
pub(crate) fn create(file: &Path, mode: Mode) -> Result<File> {
    let name = file.display();
    if refuse_links(file)? {
        fs::remove_file(file).with_context(|| format!("cannot replace {name}"))?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode.0);
    #[cfg(not(unix))]
    let _ = mode;
    let created = options.open(file).with_context(|| format!("cannot write {name}"))?;
    lock(&created, file)?;
    Ok(created)
}

/// Opens a file of the import's own to go on writing it, if it is there.
pub(crate) fn open(file: &Path) -> Result<Option<File>> {
    let open = || open_own(OpenOptions::new().write(true), file);
    let opened = open().with_context(|| format!("cannot write {}", file.display()))?;
    if let Some(opened) = &opened {
        lock(opened, file)?;
    }
    Ok(opened)
}

/// Reads a file of the import's own, if it is there.
pub(crate) fn read(file: &Path, longest: u64) -> Result<Option<Vec<u8>>> {
    let read = || {
        let Some(opened) = open_own(OpenOptions::new().read(true), file)? else { return Ok(None) };
        let mut content = Vec::new();
        opened.take(longest).read_to_end(&mut content)?;
        anyhow::Ok(Some(content))
    };
    read().with_context(|| format!("cannot read {}", file.display()))
}

/// Opens a file that is no link, also if somebody puts one there meanwhile.
fn open_own(options: &mut OpenOptions, file: &Path) -> Result<Option<File>> {
    if !refuse_links(file)? {
        return Ok(None);
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW);
    match options.open(file) {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether the file is there, and is a file of its own.
pub(crate) fn refuse_links(file: &Path) -> Result<bool> {
    let metadata = match fs::symlink_metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", file.display())),
    };
    if !metadata.is_file() || is_linked(&metadata) {
        bail!("{} is a link or not a regular file: remove it first", file.display());
    }
    Ok(true)
}

#[cfg(unix)]
fn is_linked(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
fn is_linked(_: &Metadata) -> bool {
    false
}

/// Fails unless a file is of this version still, and so many bytes of it were read.
pub(crate) fn assert_whole(file: &Path, version: &Version, read: u64) -> Result<()> {
    // Only a file has a size.
    let is_whole = !file.is_file() || (Version::from_path(file)? == *version && read == version.bytes);
    ensure!(is_whole, "{} has changed while it was read: begin again with --restart", file.display());
    Ok(())
}
