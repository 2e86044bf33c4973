//! Escapes HTML and links in Markdown that would be active in the page that rustdoc generates.

use pulldown_cmark::{Event, Options, Parser, Tag};

/// The allowed targets of links, besides those without a scheme.
const SCHEMES: [&str; 5] = ["ftp", "http", "https", "mailto", "tel"];

/// The Markdown that rustdoc reads.
const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_SMART_PUNCTUATION);

/// Escapes every HTML tag, and every link that would execute something.
///
/// The parser decides what is a tag or a link, as rustdoc's does. An escape can change what follows, so the result is parsed again.
pub(super) fn inert(text: &str) -> String {
    let mut text = text.to_owned();
    // Each round escapes everything that is found, so more rounds are only needed for deeper nesting.
    for _ in 0..32 {
        let places = acting(&text);
        if places.is_empty() {
            return text;
        }
        for place in places.into_iter().rev() {
            text.insert(place, '\\');
        }
    }
    // Text that is nested deeper is not prose.
    text.replace('<', "\\<").replace('[', "\\[")
}

/// Returns the positions where tags and such links begin, in order.
fn acting(text: &str) -> Vec<usize> {
    let mut places: Vec<usize> = Vec::new();
    for (event, range) in Parser::new_ext(text, OPTIONS).into_offset_iter() {
        let sign = match event {
            Event::Html(_) | Event::InlineHtml(_) => '<',
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) if acts(&dest_url) => {
                if text[range.start..].starts_with('<') {
                    '<'
                } else {
                    '['
                }
            }
            _ => continue,
        };
        // A line of HTML may begin before its first tag.
        places.extend(text[range.clone()].find(sign).map(|offset| range.start + offset));
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// Returns whether a link does anything other than open a page. `super::Client` has no scheme, but is a path in Rust.
fn acts(target: &str) -> bool {
    // Browsers ignore these.
    let target: String = target.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let Some((scheme, rest)) = target.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme && !rest.starts_with(':') && !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Parser, html::push_html};

    use super::{OPTIONS, inert};
    use crate::rust::docs::safe;

    /// The tags that Markdown makes.
    const TAGS: [&str; 31] = [
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "img",
        "input",
        "li",
        "ol",
        "p",
        "pre",
        "strong",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
        "dl",
        "dt",
    ];
    /// Their attributes.
    const ATTRIBUTES: [&str; 11] =
        ["alt", "checked", "class", "disabled", "href", "id", "src", "start", "style", "title", "type"];

    /// Looks through the HTML of a text for a tag, an attribute or a link that Markdown alone would not make.
    fn acts(markdown: &str) -> Option<String> {
        let mut html = String::new();
        push_html(&mut html, Parser::new_ext(markdown, OPTIONS));
        for part in html.split('<').skip(1) {
            // Within the quotes of an attribute `>` is written as `&gt;`.
            let tag = part.split_once('>').map_or(part, |(tag, _)| tag);
            let mut words = tag.trim_start_matches('/').splitn(2, char::is_whitespace);
            let name = words.next().unwrap_or_default().trim_end_matches('/');
            if !TAGS.contains(&name) {
                return Some(format!("<{tag}>"));
            }
            let mut rest = words.next().unwrap_or_default().trim_end_matches('/').trim();
            while !rest.is_empty() {
                let (attribute, value, after) = attribute(rest);
                let is_link = matches!(attribute, "href" | "src");
                if !ATTRIBUTES.contains(&attribute) || (is_link && !opens_a_page(value)) {
                    return Some(format!("<{tag}>"));
                }
                rest = after.trim_start();
            }
        }
        None
    }

    /// The first attribute of several, its value, and the others.
    fn attribute(text: &str) -> (&str, &str, &str) {
        let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let Some(quoted) = rest.strip_prefix("=\"") else { return (name, "", rest.trim_start_matches('=')) };
        let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
        (name, value, after)
    }

    /// The renderer writes what is no sign of a URL as `%..`, which no scheme has.
    fn opens_a_page(target: &str) -> bool {
        let target = target.to_ascii_lowercase();
        let Some((scheme, rest)) = target.split_once(':') else { return true };
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        !is_scheme || rest.starts_with(':') || ["ftp", "http", "https", "mailto", "tel"].contains(&scheme)
    }

    #[test]
    fn p6_no_prose_acts_in_the_page() {
        for text in [
            "<script>alert(1)</script>",
            "see [`x`] <script>alert(1)</script>",
            "[a]: <script> b]: c\n<script>",
            "[a]: javascript:alert(1)\n\n[a] and [b][a]",
            "[x](javascript:alert(1))",
            "[x](  JavaScript:alert(1) 'title')",
            "[x](&#106;avascript:alert(1))",
            "[x](java\u{1}script:alert(1))",
            "[x](data:text/html,<script>)",
            "![x](javascript:alert(1))",
            "[![x](https://a.example/b.png)](vbscript:x)",
            "<javascript:alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "- <div onclick=x>\n  b\n  </div>\n- <b>",
            "> <img src=x onerror=alert(1)>\n",
            "`a\n<script>b`\n<script>",
            "| a | b |\n|---|---|\n| <script> | [x](javascript:1) |",
            "<!-- a\n\nb --> <script>",
            "<![CDATA[<script>]]>",
            "<?php <script> ?>",
            "a\\\\<script>",
            "\\\\[x](javascript:1)",
            "[^1]\n\n[^1]: <script>",
            "```\n<script>\n```\n<script>",
            "    <script>\n\n<script>",
            "[a\n<script>]: b",
            "[`x`]: javascript:1\n[`x`]",
        ] {
            for made in [inert(text), safe(text)] {
                assert_eq!(acts(&made), None, "{text:?} gave {made:?}");
            }
        }
        for text in [
            "[x](https://a.example/b?c=d:e)",
            "[`Client::a`]: super::Client::a",
            "a < b",
            "`<script>`",
            "[x](#y) [z](../a:b)",
        ] {
            assert_eq!(inert(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn p6_no_text_at_all_acts(text in "([ \\[\\]()<>`~!:\\\\\n|>-]|\n\n|    |script|</|<a |javascript:1|\\[`|\\]: |\\]\\(|https://a|&#106;){0,24}") {
            let made = safe(&text);
            proptest::prop_assert_eq!(acts(&made), None, "{:?} gave {:?}", text, made);
        }
    }
}
