//! Writing a file as a whole or not at all.

use std::{fs, io, io::Write, path::Path};

use tempfile::NamedTempFile;

/// Replaces the file: whoever reads it meanwhile, or after a crash, finds the old text or the new one.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // In the same folder, because a file cannot be renamed across file systems.
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(before) = fs::metadata(path) {
        // A temporary file is readable by its owner only.
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
