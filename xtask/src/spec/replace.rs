//! Replaces files atomically.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Replaces files, and deletes those without a new text. Anybody who reads one meanwhile, or after a crash, sees either the old or the new
/// text.
///
/// All texts are on disk before the first file is replaced. If one cannot be replaced, the earlier ones get their old texts back.
pub(super) fn replace(files: &[(PathBuf, Option<String>)]) -> io::Result<()> {
    let mut staged = Vec::new();
    for (path, text) in files {
        let file = text.as_ref().map(|text| stage(path, text)).transpose()?;
        let before = match fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        staged.push((path, file, before));
    }
    let mut done: Vec<(&Path, Option<String>)> = Vec::new();
    for (path, file, before) in staged {
        let result = match file {
            Some(file) => file.persist(path).map(|_| ()).map_err(|error| error.error),
            None => fs::remove_file(path),
        };
        if let Err(error) = result {
            for (path, before) in done {
                match before {
                    Some(text) => {
                        stage(path, &text)?.persist(path).map(|_| ()).map_err(|error| error.error)?;
                    }
                    None => fs::remove_file(path)?,
                }
            }
            return Err(error);
        }
        done.push((path, before));
    }
    Ok(())
}

/// Writes the text to a temporary file next to the one that it will replace.
fn stage(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    // In the same folder, because a file cannot be renamed across file systems.
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(before) = fs::metadata(path) {
        // Only its owner can read a temporary file.
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_replaced_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), "a").unwrap();
        fs::write(path("b"), "b").unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("folder/inside"), "").unwrap();
        let text = |text: &str| Some(text.to_owned());
        // A folder cannot be replaced by a file.
        let all = [
            (path("a"), text("1")),
            (path("b"), None),
            (path("new"), text("2")),
            (path("folder"), text("3")),
        ];
        assert!(replace(&all).is_err());
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a", "b", "folder"]);
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "a");
        replace(&all[..3]).unwrap();
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "1");
        assert_eq!(fs::read_to_string(path("new")).unwrap(), "2");
        assert!(!path("b").exists());
    }
}
