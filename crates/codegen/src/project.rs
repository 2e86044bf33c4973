//! A document with its overlays, as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{Problem, Problems, Source, overlay};

/// A document and the overlays that apply to it, in order.
#[derive(Debug, Clone)]
pub struct Project {
    document: Source,
    overlays: Vec<Source>,
    files: Vec<PathBuf>,
}

impl Project {
    /// Reads `openapi.yaml` and the files `overlays/*.yaml`, in the order of their names, below `root`.
    pub fn open(root: &Path) -> Result<Self, Problems> {
        let folder = root.join("overlays");
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, root, &error))?;
        let mut overlays = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&folder, root, &error))?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                overlays.push(path);
            }
        }
        overlays.sort();
        Self::of_files(root, &root.join("openapi.yaml"), &overlays)
    }

    /// Reads a document and overlays from the files named. Messages name them relative to `root`, where they are below it.
    pub fn of_files(root: &Path, document: &Path, overlays: &[PathBuf]) -> Result<Self, Problems> {
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

    /// A project that is in memory already.
    pub fn of_sources(document: Source, overlays: Vec<Source>) -> Self {
        Self { document, overlays, files: Vec::new() }
    }

    /// The files that were read: the document first, then the overlays.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The document as it was written.
    pub fn document(&self) -> &Source {
        &self.document
    }

    /// The overlays as they were written, in the order in which they apply.
    pub fn overlays(&self) -> &[Source] {
        &self.overlays
    }

    /// Applies the overlays to the document: the corrected document, by which everything else is judged.
    pub fn correct(&self) -> Result<Value, Problems> {
        let mut document = self.document.parse()?;
        for source in &self.overlays {
            overlay::apply(&mut document, source)?;
        }
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
