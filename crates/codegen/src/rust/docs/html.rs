//! HTML and links in Markdown that would act in the page that rustdoc makes of it.

use pulldown_cmark::{Event, Options, Parser, Tag};

/// What a link may lead to besides places without a scheme.
const SCHEMES: [&str; 5] = ["ftp", "http", "https", "mailto", "tel"];

/// Escapes every HTML tag, and every link that would run something.
///
/// The parser says what is a tag or a link, as rustdoc's does; an escape can make another of what follows, so that is looked at again.
pub(super) fn inert(text: &str) -> String {
    let mut text = text.to_owned();
    // Each round escapes all that is seen, so more are only needed by what has nested deeper.
    for _ in 0..32 {
        let places = acting(&text);
        if places.is_empty() {
            return text;
        }
        for place in places.into_iter().rev() {
            text.insert(place, '\\');
        }
    }
    // Whoever nests deeper than that has not written prose.
    text.replace('<', "\\<").replace('[', "\\[")
}

/// Where tags and such links begin, in order.
fn acting(text: &str) -> Vec<usize> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_SMART_PUNCTUATION;
    let mut places: Vec<usize> = Vec::new();
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
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

/// Whether a link does something else than to lead to a page. `super::Client` has no scheme, but is a place in Rust.
fn acts(target: &str) -> bool {
    // Browsers pass over these.
    let target: String = target.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
    let Some((scheme, rest)) = target.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme && !rest.starts_with(':') && !SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::{acting, inert};
    use crate::rust::docs::safe;

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
                assert_eq!(acting(&made), Vec::<usize>::new(), "{text:?} gave {made:?}");
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
            proptest::prop_assert_eq!(acting(&made), Vec::<usize>::new(), "{:?} gave {:?}", text, made);
        }
    }
}
