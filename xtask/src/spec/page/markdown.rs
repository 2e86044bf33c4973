//! A documentation page as upstream publishes it: Markdown with a fenced block that contains an OpenAPI document.
//!
//! The line that opens the block names its operation: `yaml POST /v1/user/{distinct_id}/`.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};
use serde_json::Value;
use suprsend_codegen::{Problem, Problems, Source, is_method};

/// A fenced block of a page.
struct Block {
    /// The text after the opening fence.
    info: String,
    /// The content, byte for byte unless it is indented or quoted.
    text: String,
    /// The number of the opening line.
    line: usize,
    /// Whether a fence closes it. In Markdown, a block may end with the page.
    closed: bool,
}

/// Returns the text of the only block with an OpenAPI document, and the document.
pub(super) fn quoted(file: &str, page: &str) -> Result<(String, Value), Problems> {
    let mut blocks = blocks(page);
    blocks.retain(Block::is_document);
    let problem = |reason: String, remedy| Problems::from(Problem::at(file, reason, remedy));
    let block = match blocks.as_slice() {
        [block] => block,
        [] => {
            return Err(problem(
                "no fenced block of the page holds an OpenAPI document".to_owned(),
                "download the page as Markdown",
            ));
        }
        more => {
            let lines: Vec<String> = more.iter().map(|block| block.line.to_string()).collect();
            return Err(problem(
                format!("the blocks in lines {} each hold an OpenAPI document", lines.join(", ")),
                "save each as a file of its own, and import those",
            ));
        }
    };
    let place = format!("{file}:{}", block.line);
    if !block.closed {
        let reason = "no fence closes the block, so its end may be missing";
        return Err(Problem::at(place, reason, "download the page again").into());
    }
    let document = Source::new(file, block.text.as_str()).at_line(block.line + 1).parse()?;
    agree(block, &document).map_err(|reason| {
        Problem::at(place, reason, "look at the page which of the two is right, and save the block as YAML")
    })?;
    Ok((block.text.clone(), document))
}

/// Returns the fenced blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(Block, Option<Range<usize>>)> = None;
    for (event, range) in Parser::new(page).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))), _) => {
                let line = page[..range.start].matches('\n').count() + 1;
                let block = Block { info: info.into_string(), text: String::new(), line, closed: false };
                open = Some((block, None));
            }
            (Event::Text(text), Some((block, content))) => {
                block.text.push_str(&text);
                let start = content.as_ref().map_or(range.start, |content| content.start);
                *content = Some(start..range.end);
            }
            (Event::End(TagEnd::CodeBlock), _) => {
                let Some((mut block, content)) = open.take() else { continue };
                let content = content.unwrap_or(range.end..range.end);
                let fence = page.get(content.end..range.end).unwrap_or_default();
                block.closed = fence.contains("```") || fence.contains("~~~");
                // The parser converts `\r\n` to `\n`.
                if let Some(text) = page.get(content).filter(|text| text.replace('\r', "") == block.text) {
                    text.clone_into(&mut block.text);
                }
                found.push(block);
            }
            _ => {}
        }
    }
    found
}

impl Block {
    /// Returns whether the block is meant to be an OpenAPI document, judging by its language, and its operation or its first member.
    fn is_document(&self) -> bool {
        let language = self.info.split_whitespace().next().unwrap_or_default();
        let first =
            self.text.trim_start().trim_start_matches('{').trim_start().trim_start_matches(['"', '\'']);
        ["json", "yaml", "yml"].contains(&language.to_ascii_lowercase().as_str())
            && (self.operation().is_some() || first.starts_with("openapi"))
    }

    /// Returns the method and path in the opening line. A file name may precede them.
    fn operation(&self) -> Option<(String, &str)> {
        let mut words = self.info.split_whitespace().rev();
        let path = words.next().filter(|path| path.starts_with('/'))?;
        let method = words.next()?.to_ascii_lowercase();
        is_method(&method).then_some((method, path))
    }
}

/// Checks that the document contains the operation that the opening line names, and no other.
fn agree(block: &Block, document: &Value) -> Result<(), String> {
    let Some((method, path)) = block.operation() else {
        return Err("the line that opens the block names no operation".to_owned());
    };
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flatten();
    let inside: Vec<String> = items
        .flat_map(|(path, item)| {
            let members = item.as_object().into_iter().flatten();
            members.filter(|(key, _)| is_method(key)).map(move |(method, _)| shown(method, path))
        })
        .collect();
    let outside = shown(&method, path);
    match inside.as_slice() {
        [only] if *only == outside => Ok(()),
        [] => Err(format!("the line that opens the block says {outside}, and no operation is in it")),
        _ => Err(format!("the line that opens the block says {outside}, in it is {}", inside.join(", "))),
    }
}

fn shown(method: &str, path: &str) -> String {
    format!("{} {path}", method.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::quoted;

    const DOCUMENT: &str = "openapi: 3.1.1\npaths:\n  /a/{id}/:\n    post: {}\n";

    fn page(info: &str, document: &str) -> String {
        format!("# Title\n\n```js\nopenapi: no\n```\n\n````{info}\n{document}````\n\nBuilt with care.")
    }

    #[test]
    fn the_block_is_found_and_kept_byte_for_byte() {
        for info in ["yaml POST /a/{id}/", "yaml post /a/{id}/", "yml openapi.json POST /a/{id}/"] {
            let (text, document) = quoted("page.md", &page(info, DOCUMENT)).unwrap();
            assert_eq!(text, DOCUMENT, "{info}");
            assert_eq!(document["openapi"], "3.1.1");
        }
        let crlf = page("yaml POST /a/{id}/", DOCUMENT).replace('\n', "\r\n");
        assert_eq!(quoted("page.md", &crlf).unwrap().0, DOCUMENT.replace('\n', "\r\n"));
        let json = "{\"openapi\": \"3.1.1\",\n\n \"paths\": {\"/a\": {\"get\": {}}}}\n";
        assert_eq!(quoted("page.md", &page("json GET /a", json)).unwrap().0, json);
        let listed = "- ````yaml POST /a/{id}/\n  ".to_owned() + &DOCUMENT.replace('\n', "\n  ") + "````\n";
        assert_eq!(quoted("page.md", &listed).unwrap().0, DOCUMENT);
    }

    #[test]
    fn what_does_not_agree_is_refused_with_the_line() {
        let two = format!("{DOCUMENT}    get: {{}}\n");
        for (text, part) in [
            (
                page("yaml GET /a/{id}/", DOCUMENT),
                "page.md:7: the line that opens the block says GET /a/{id}/, in it is POST /a/{id}/;",
            ),
            (page("yaml POST /a/{id}", DOCUMENT), "says POST /a/{id}, in it is POST /a/{id}/"),
            (page("yaml POST /a/{id}/", &two), "in it is POST /a/{id}/, GET /a/{id}/"),
            (page("yaml POST /a/{id}/", "openapi: 3.1.1\n"), "no operation is in it"),
            (page("yaml POST /a/{id}/", "paths: [\n"), "page.md:9: not readable"),
            (page("yaml", DOCUMENT), "names no operation"),
            (page("text POST /a/{id}/", DOCUMENT), "no fenced block"),
            (page("yaml POST /a/{id}/", DOCUMENT).repeat(2), "the blocks in lines 7, "),
            (
                page("yaml POST /a/{id}/", DOCUMENT).replace("\n````\n\nBuilt with care.", "\n"),
                "no fence closes",
            ),
            (String::new(), "no fenced block"),
        ] {
            let error = quoted("page.md", &text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}\ngave {error}");
        }
    }
}
