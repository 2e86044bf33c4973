//! A document and its overlays, as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{Problem, Problems, Source, overlay};

/// The file name extensions of overlays.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// A document and the overlays that apply to it, in order.
#[derive(Debug, Clone)]
pub struct Project {
    document: Source,
    overlays: Vec<Source>,
    files: Vec<PathBuf>,
}

impl Project {
    /// Reads `openapi.yaml` and the files in `overlays/` below `root`, in the order of their names.
    ///
    /// Any file there that is neither YAML nor JSON is a problem, so that no overlay is forgotten; hidden files are skipped.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose name is not that of an overlay.
    pub fn open(root: &Path) -> Result<Self, Problems> {
        let folder = root.join("overlays");
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, root, &error))?;
        let (mut overlays, mut problems) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, root, &error))?;
            let path = entry.path();
            let is = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if EXTENSIONS.into_iter().any(is) {
                overlays.push(path);
            } else {
                let remedy =
                    format!("name it like one of *.{}, or put it elsewhere", EXTENSIONS.join(", *."));
                problems.push(Problem::at(shown(&path, root), "it is no overlay by its name", remedy));
            }
        }
        Problems::none_or(problems)?;
        overlays.sort();
        Self::from_files(root, &root.join("openapi.yaml"), &overlays)
    }

    /// Reads a document and overlays from these files. Messages name files below `root` relative to it.
    ///
    /// # Errors
    ///
    /// The first file that cannot be read.
    pub fn from_files(root: &Path, document: &Path, overlays: &[PathBuf]) -> Result<Self, Problems> {
        let read = |path: &Path| {
            let text = fs::read_to_string(path).map_err(|error| unreadable(path, root, &error))?;
            Ok::<_, Problems>(Source::new(shown(path, root), text))
        };
        let mut files = vec![document.to_owned()];
        files.extend_from_slice(overlays);
        Ok(Self {
            document: read(document)?,
            overlays: overlays.iter().map(|path| read(path)).collect::<Result<_, _>>()?,
            files,
        })
    }

    /// Creates a project from sources in memory.
    pub fn from_sources(document: Source, overlays: Vec<Source>) -> Self {
        Self { document, overlays, files: Vec::new() }
    }

    /// Returns the files that were read: the document first, then the overlays.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Returns the document as written.
    pub fn document(&self) -> &Source {
        &self.document
    }

    /// Returns the overlays as written, in the order of application.
    pub fn overlays(&self) -> &[Source] {
        &self.overlays
    }

    /// Applies the overlays to the document. Returns the corrected document, which is the reference for everything else.
    ///
    /// If actions do not apply, all of them are reported, for all overlays.
    ///
    /// # Errors
    ///
    /// A file that cannot be parsed, or every action that does not apply to the document.
    pub fn correct(&self) -> Result<Value, Problems> {
        let mut document = self.document.parse()?;
        overlay::apply(&mut document, &self.overlays)?;
        Ok(document)
    }
}

fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

fn unreadable(path: &Path, root: &Path, error: &std::io::Error) -> Problems {
    Problem::at(
        shown(path, root),
        format!("cannot be read: {error}"),
        "check that the file is there and readable",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_overlay_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("overlays")).unwrap();
        let write = |name: &str| fs::write(root.path().join(name), "").unwrap();
        for name in ["openapi.yaml", "overlays/3.json", "overlays/1.yaml", "overlays/2.yml", "overlays/.swp"]
        {
            write(name);
        }
        let project = Project::open(root.path()).unwrap();
        let names: Vec<_> = project.overlays().iter().map(|overlay| overlay.name.clone()).collect();
        assert_eq!(names, ["overlays/1.yaml", "overlays/2.yml", "overlays/3.json"]);
        write("overlays/4.yaml.txt");
        let problems = Project::open(root.path()).unwrap_err().to_string();
        assert!(problems.starts_with("overlays/4.yaml.txt: it is no overlay by its name; "), "{problems}");
    }
}
