//! Files next to the input. They contain personal data, so only those who may read the input may read them, and a link cannot redirect them
//! elsewhere.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::ErrorKind,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail, ensure};
use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};

/// Identifies a version of a file.
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

/// Opens the input, and locks it against other imports until it is closed.
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

/// The permissions of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode(#[cfg_attr(not(unix), expect(dead_code, reason = "there are no modes"))] u32);

impl Mode {
    /// Returns the permissions of the input, or permissions for its owner only.
    pub(crate) fn from_input(input: &Path) -> Self {
        fs::metadata(input).map_or(Self(0o600), |metadata| Self(mode(&metadata)))
    }
}

#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    // The import must be able to write these files, and they are not executable.
    metadata.permissions().mode() & 0o666 | 0o600
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0o600
}

/// Creates a new file, after removing an existing one of that name.
pub(crate) fn create(file: &Path, mode: Mode) -> Result<File> {
    let name = file.display();
    // Locked until it is gone: another import may be writing to it.
    if let Some(_existing) = open(file)? {
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

/// Opens an existing file of the import, and locks it against other imports until it is closed.
pub(crate) fn open(file: &Path) -> Result<Option<File>> {
    let open = || open_own(OpenOptions::new().read(true).write(true), file);
    let opened = open().with_context(|| format!("cannot write {}", file.display()))?;
    if let Some(opened) = &opened {
        lock(opened, file)?;
    }
    Ok(opened)
}

/// Opens a file that is not a link, even if somebody puts a link there meanwhile.
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

/// Returns whether the file exists. Fails if it is a link or not a regular file.
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

/// Fails unless a file still has this version, and this number of bytes of it was read.
pub(crate) fn assert_whole(file: &Path, version: &Version, read: u64) -> Result<()> {
    // Only a regular file has a size.
    let is_whole = !file.is_file() || (Version::from_path(file)? == *version && read == version.bytes);
    ensure!(is_whole, "{} has changed while it was read: begin again with --restart", file.display());
    Ok(())
}
