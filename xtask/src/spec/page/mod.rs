//! Files with an OpenAPI document: YAML, JSON, or a documentation page in Markdown that quotes one.

mod add;
mod markdown;
mod unite;

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;
use suprsend_codegen::{Problem, Problems, Source, TEXT};

/// An OpenAPI document and the file that contains it.
#[derive(Debug)]
pub(super) struct Page {
    /// The file as it was named.
    pub(super) file: String,
    /// The document's text. For a Markdown page, this is the content of the block.
    pub(super) text: String,
    /// The parsed text.
    pub(super) document: Value,
}

/// Returns the text of the document that results from merging the files.
pub(super) fn united(files: &[PathBuf]) -> Result<String, Problems> {
    text_of(read_all(files)?)
}

/// Reads files, and reports every one that cannot be read.
pub(super) fn read_all(files: &[PathBuf]) -> Result<Vec<Page>, Problems> {
    let mut pages = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        match read(file) {
            Ok(page) => pages.push(page),
            Err(found) => problems.extend(found.iter().cloned()),
        }
    }
    Problems::none_or(problems)?;
    Ok(pages)
}

/// Returns the unchanged text of a single page, or the text of the document that several pages form.
pub(super) fn text_of(mut pages: Vec<Page>) -> Result<String, Problems> {
    if let [page] = pages.as_mut_slice() {
        return Ok(std::mem::take(&mut page.text));
    }
    unite::write(&unite::unite(&pages)?)
}

/// Returns the text of a document to which pages are added. Existing text stays as written, and must agree with the pages.
pub(super) fn added(document: Page, pages: Vec<Page>) -> Result<String, Problems> {
    let all: Vec<Page> = std::iter::once(document).chain(pages).collect();
    let united = unite::unite(&all)?;
    match add::insert(&all, &united) {
        Some(text) => Ok(text),
        None => unite::write(&united),
    }
}

/// Reads a file. Its extension tells whether it is Markdown.
pub(super) fn read(path: &Path) -> Result<Page, Problems> {
    let text = text(path).map_err(|reason| {
        let remedy = "name a file that can be read, in UTF-8, of at most 64 megabytes";
        Problem::at(path.display().to_string(), reason, remedy)
    })?;
    parse(path, text)
}

/// Parses the text of a file.
pub(super) fn parse(path: &Path, text: String) -> Result<Page, Problems> {
    let file = path.display().to_string();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    let (text, document) = match extension.to_ascii_lowercase().as_str() {
        "yaml" | "yml" | "json" => {
            let source = Source::new(&*file, text);
            let document = source.parse()?;
            (source.text, document)
        }
        "md" | "mdx" | "markdown" => markdown::quoted(&file, &text)?,
        _ => {
            let remedy = "name it .yaml, .yml or .json, or .md, .mdx or .markdown";
            return Err(Problem::at(file, "the name does not say what the file is", remedy).into());
        }
    };
    if document.is_object() {
        return Ok(Page { file, text, document });
    }
    Err(Problem::at(file, "this is no OpenAPI document but a text or a list", "name another file").into())
}

fn text(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(TEXT as u64 + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > TEXT {
        return Err(format!("has more than {TEXT} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8: {error}"))
}
