//! Makes the document's Markdown safe for rustdoc.
//!
//! Descriptions are written for a web page: `<API_KEY>` is not an HTML tag, a bare URL is not a link, and `[0]` does not refer to a Rust
//! item. Code spans and code blocks are kept, but rustdoc must not take any of them for Rust, which it would compile and run as a test.

mod code;
mod html;

use syn::{
    Attribute, Expr, ExprLit, Lit, LitStr, Meta,
    visit_mut::{self, VisitMut},
};

/// Sanitizes every doc comment.
pub(super) struct Docs;

impl VisitMut for Docs {
    fn visit_attribute_mut(&mut self, attr: &mut Attribute) {
        visit_mut::visit_attribute_mut(self, attr);
        if let Meta::NameValue(meta) = &mut attr.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &mut meta.value
        {
            *text = LitStr::new(&safe(&text.value()), text.span());
        }
    }
}

fn safe(text: &str) -> String {
    let text = code::inert(&visible(text));
    let code = code::lines(&text);
    let lines = text.lines().enumerate().map(|(number, line)| {
        let plain_link = line.trim_start().starts_with('[') && line.contains("]: ");
        if code.contains(&number) || plain_link || line.contains("[`") {
            return line.to_owned();
        }
        safe_line(line)
    });
    let text = html::inert(&lines.collect::<Vec<_>>().join("\n"));
    // `/// Text` reads better than `///Text`.
    if text.is_empty() || text.starts_with(' ') || text.contains('\n') { text } else { format!(" {text}") }
}

/// Returns text that a Rust comment can contain: the compiler rejects direction marks and single carriage returns.
fn visible(text: &str) -> String {
    let refused = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\r' | '\0');
    text.replace("\r\n", "\n").replace(refused, "\u{fffd}")
}

/// Sanitizes a line outside of a fenced block: code spans are kept, the text between them is made safe.
fn safe_line(line: &str) -> String {
    let spans: Vec<&str> = line.split('`').collect();
    let odd = spans.len().is_multiple_of(2);
    let mut safe = String::new();
    for (index, span) in spans.iter().enumerate() {
        if index > 0 {
            safe.push_str(if odd { "\\`" } else { "`" });
        }
        if odd || index % 2 == 0 {
            safe_text(span, &mut safe);
        } else {
            safe.push_str(span);
        }
    }
    safe
}

fn safe_text(text: &str, safe: &mut String) {
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with("http://") || rest.starts_with("https://") {
            let end = rest.find(|c: char| c.is_whitespace() || "<>()[]\"'".contains(c)).unwrap_or(rest.len());
            let (url, tail) = rest.split_at(end);
            let trimmed = url.trim_end_matches(['.', ',', ';', ':', '!', '?']);
            let linked = safe.ends_with("](") || safe.ends_with('<');
            if linked {
                safe.push_str(url);
            } else {
                for part in ["<", trimmed, ">", &url[trimmed.len()..]] {
                    safe.push_str(part);
                }
            }
            rest = tail;
            continue;
        }
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { return };
        match c {
            '<' => safe.push_str("\\<"),
            '[' if !is_link(rest) => safe.push_str("\\["),
            c => safe.push(c),
        }
        rest = chars.as_str();
    }
}

/// Returns whether a bracket opens an inline link: `[text](target)`.
fn is_link(text: &str) -> bool {
    text.find(']').is_some_and(|end| text[end..].starts_with("]("))
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn descriptions_are_safe_for_rustdoc() {
        for (text, expected) in [
            ("Pass as <API_KEY>.", " Pass as \\<API_KEY>."),
            ("`Bearer <API_KEY>` is code", " `Bearer <API_KEY>` is code"),
            ("see https://a.example/b, then", " see <https://a.example/b>, then"),
            ("[docs](https://a.example/b)", " [docs](https://a.example/b)"),
            ("items[0] of [them]", " items\\[0] of \\[them]"),
            ("an odd ` tick <b>", " an odd \\` tick \\<b>"),
        ] {
            assert_eq!(safe(text), expected);
        }
        assert_eq!(safe("a\n```ignore\nlet x: Vec<u8>;\n```"), "a\n```text\nlet x: Vec<u8>;\n```");
    }
}
