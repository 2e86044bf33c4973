//! Marks code blocks in Markdown, all of which rustdoc takes for Rust unless they are marked otherwise.

use std::{collections::HashSet, ops::Range};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Marks every code block as not Rust. A block that is only indented becomes a fenced one.
pub(super) fn inert(text: &str) -> String {
    let mut text = text.to_owned();
    let mut blocks = blocks(&text);
    if text.contains('\t') && blocks.iter().any(|block| block.language.is_none()) {
        // A tab counts for as many spaces as there are to the next column divisible by four, and a block may begin in the middle of it.
        text = without_tabs(&text);
        blocks = self::blocks(&text);
    }
    let mut inert = text.clone();
    // From the end, so that earlier text keeps its position.
    for block in blocks.into_iter().rev() {
        match &block.language {
            Some(language) if is_foreign(language) => {}
            Some(_) => {
                let start = &text[block.range.start..];
                let mark = if start.starts_with('~') { '~' } else { '`' };
                let fence = start.len() - start.trim_start_matches(mark).len();
                let line = start.find(['\n', '\r']).unwrap_or(start.len());
                let from = block.range.start + fence;
                inert.replace_range(from..(block.range.start + line).max(from), "text");
            }
            None => {
                let (place, fenced) = fenced(&text, &block);
                inert.replace_range(place, &fenced);
            }
        }
    }
    inert
}

/// Returns the numbers of the lines that belong to code blocks, from 0.
pub(super) fn lines(text: &str) -> HashSet<usize> {
    let number = |offset: usize| text[..offset].matches('\n').count();
    let lines = |block: &Block| number(block.range.start)..=number(block.range.end.max(1) - 1);
    blocks(text).iter().flat_map(lines).collect()
}

struct Block {
    range: Range<usize>,
    /// The start of the code itself, after the enclosing markers and, if there is no fence, after the indentation.
    content: usize,
    /// The text after the opening fence, if there is one.
    language: Option<String>,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => Some(info.into_string()),
                    CodeBlockKind::Indented => None,
                };
                open = Some(Block { content: range.end, range, language });
            }
            Event::Text(_) => {
                if let Some(block) = &mut open {
                    block.content = block.content.min(range.start);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(open.take()),
            _ => {}
        }
    }
    found
}

fn without_tabs(text: &str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' => {
                let spaces = 4 - column % 4;
                expanded.push_str(&" ".repeat(spaces));
                column += spaces;
            }
            '\n' | '\r' => {
                expanded.push(c);
                column = 0;
            }
            c => {
                expanded.push(c);
                column += 1;
            }
        }
    }
    expanded
}

/// Returns whether the text after a fence is just the name of a language other than Rust.
fn is_foreign(language: &str) -> bool {
    let rust = ["compile_fail", "custom", "no_run", "rust", "should_panic", "standalone", "test_harness"];
    let name = language.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "+#_-".contains(c);
    let code = name.strip_prefix('E').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    !name.is_empty()
        && name.chars().all(plain)
        && !code
        && !rust.iter().any(|tag| name.starts_with(tag))
        && !["edition", "ignore"].iter().any(|tag| name.starts_with(tag))
}

/// Returns the lines of an indented block, and the equivalent fenced block.
fn fenced(text: &str, block: &Block) -> (Range<usize>, String) {
    const INDENTATION: usize = 4;
    let start = text[..block.content].rfind('\n').map_or(0, |end| end + 1);
    let end = text[block.content..block.range.end.max(block.content)].trim_end().len() + block.content;
    let before = &text[start..block.content];
    let spaces = before.len() - before.trim_end_matches(' ').len();
    let outer = &before[..before.len() - spaces.min(INDENTATION)];
    // A list marker appears only on the first line, a quotation marker on each.
    let inner: String = outer.chars().map(|c| if c == '>' { c } else { ' ' }).collect();
    let longest = text[block.content..end].split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let mut fenced = format!("{outer}{fence}text\n");
    for (index, line) in text[start..end].lines().enumerate() {
        let code = if index == 0 {
            Some(&text[block.content..start + line.len()])
        } else {
            line.get(before.len()..)
        };
        let code = code.unwrap_or_else(|| line.trim_start_matches([' ', '>']));
        fenced.push_str(format!("{inner}{code}").trim_end());
        fenced.push('\n');
    }
    fenced.push_str(&inner);
    fenced.push_str(&fence);
    (start..end, fenced)
}

#[cfg(test)]
mod tests {
    use super::{blocks, inert};

    #[test]
    fn no_block_of_code_is_rust() {
        for (text, expected) in [
            ("```\nlet x;\n```", "```text\nlet x;\n```"),
            ("~~~\nlet x;\n~~~", "~~~text\nlet x;\n~~~"),
            ("```rust\nlet x;\n```", "```text\nlet x;\n```"),
            ("``` rust,no_run\nlet x;\n```", "```text\nlet x;\n```"),
            ("```ignore\nlet x;\n```", "```text\nlet x;\n```"),
            ("````edition2021\nlet x;\n````", "````text\nlet x;\n````"),
            ("```E0308\nlet x;\n```", "```text\nlet x;\n```"),
            ("```json rust\n{}\n```", "```text\n{}\n```"),
            ("```{.json}\n{}\n```", "```text\n{}\n```"),
            ("```json\n{}\n```", "```json\n{}\n```"),
            ("> ```\n> let x;\n> ```", "> ```text\n> let x;\n> ```"),
            ("a\n\n    let x;\n\n      let y;\n\nb", "a\n\n```text\nlet x;\n\n  let y;\n```\n\nb"),
            ("a\n\n\tlet x;\n\tlet y;", "a\n\n```text\nlet x;\nlet y;\n```"),
            ("- a\n\n      let x;\n      let y;\n- b", "- a\n\n  ```text\n  let x;\n  let y;\n  ```\n- b"),
            ("-     let x;\n      let y;", "- ```text\n  let x;\n  let y;\n  ```"),
            (">     let x;\n>     let y;", "> ```text\n> let x;\n> let y;\n> ```"),
            ("a\n\n    ```\n    let x;\n    ```", "a\n\n````text\n```\nlet x;\n```\n````"),
            ("a\n    let x;", "a\n    let x;"),
            ("- a\n    - b", "- a\n    - b"),
            ("```", "```text"),
            ("", ""),
        ] {
            assert_eq!(inert(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_at_all_has_a_block_of_rust(text in "([ \\t>`~\\-a1.\n]|    |\n\n|```|rust|\r\n|é){0,24}") {
            let inert = inert(&text);
            for block in blocks(&inert) {
                let foreign = block.language.as_deref().is_some_and(super::is_foreign);
                proptest::prop_assert!(foreign, "{:?} gave {:?}", text, inert);
            }
        }
    }
}
