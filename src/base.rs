//! A base URL that is parsed once, and the URLs that paths behind it make.

use std::fmt::{Arguments, Write};

use reqwest::Url;

/// What is longer is left to parsing, which refuses a URL that gets too long; setting its path would panic.
const LONGEST: usize = 64 * 1024;

/// What many paths have room in.
const USUAL: usize = 128;

/// A base URL as text, and what comes of it.
pub(crate) struct Base {
    text: String,
    /// None if a path behind the text could be something else than a path.
    parsed: Option<Parsed>,
}

struct Parsed {
    url: Url,
    /// The path of the base URL itself, without a slash for its end. A slash that the text ends with is part of it.
    path: String,
}

impl Base {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), parsed: Parsed::new(text) }
    }

    /// What parsing gives for this path behind the base URL, which is this text. None if only parsing can tell.
    pub(crate) fn with(&self, text: &str, path: Arguments<'_>) -> Option<Url> {
        let base = self.parsed.as_ref().filter(|_| self.text == text)?;
        let mut whole = String::with_capacity(USUAL);
        whole.push_str(&base.path);
        whole.write_fmt(path).ok()?;
        is_path(&whole[base.path.len()..]).then(|| {
            let mut url = base.url.clone();
            url.set_path(&whole);
            url
        })
    }
}

impl Parsed {
    fn new(text: &str) -> Option<Self> {
        // The slash ends whatever the path of an operation could otherwise go on with: the host, the port, a segment of dots.
        let url = Url::parse(&format!("{text}/")).ok()?;
        let only_path = url.query().is_none() && url.fragment().is_none();
        // Of other schemes not all have a host, which the HTTP client demands, and some have paths of another kind.
        let http = matches!(url.scheme(), "http" | "https");
        let fits = only_path && http && text.len() <= LONGEST;
        let path = url.path().strip_suffix('/').filter(|_| fits)?.to_owned();
        Some(Self { url, path })
    }
}

/// Whether all of a text is taken for a path when a URL that ends with it is parsed. Spaces and controls are dropped from the end.
fn is_path(text: &str) -> bool {
    let other = |byte| byte <= b' ' || matches!(byte, b'?' | b'#');
    text.starts_with('/') && text.len() <= LONGEST && !text.bytes().any(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(base: &str, path: &str) -> Option<Url> {
        Base::new(base).with(base, format_args!("{path}"))
    }

    #[test]
    fn usual_base_urls_are_parsed_once() {
        for (base, url) in [
            ("https://hub.suprsend.com", "https://hub.suprsend.com/v1/a/"),
            ("https://hub.suprsend.com/", "https://hub.suprsend.com//v1/a/"),
            ("HTTP://LOCALHOST:80", "http://localhost/v1/a/"),
            ("http://[::1]:8000/a/./b%20c", "http://[::1]:8000/a/b%20c/v1/a/"),
            (" http://host/a b\t", "http://host/a%20b/v1/a/"),
            ("http://127.1/a/..", "http://127.0.0.1/v1/a/"),
            ("https://user:word@bücher.example/a//", "https://user:word@xn--bcher-kva.example/a///v1/a/"),
        ] {
            assert_eq!(with(base, "/v1/a/").map(String::from).as_deref(), Some(url), "{base}");
        }
    }

    #[test]
    fn what_only_parsing_can_tell_is_left_to_it() {
        for base in [
            "",
            "hub.suprsend.com",
            "https:",
            "https://",
            "https://user:word",
            "https://host?query",
            "https://host#fragment",
            "file:///a",
            "mailto:a@b.example",
            "ws://host",
        ] {
            assert_eq!(with(base, "/v1/a/"), None, "{base}");
        }
        for path in ["", "v1", "/v1?a", "/v1#a", "/v1/a ", "/v1/\ta", "/v1/\0"] {
            assert_eq!(with("https://host", path), None, "{path}");
        }
        let long = "a".repeat(LONGEST);
        assert_eq!(with("https://host", &format!("/{long}")), None);
        assert_eq!(with(&format!("https://host/{long}"), "/v1/a/"), None);
        let base = Base::new("https://host");
        assert_eq!(base.with("https://other", format_args!("/v1/a/")), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

        /// Of anything that begins like a URL, and of any path, also such as no operation has.
        #[test]
        fn a_path_that_is_set_makes_what_parsing_makes(
            base in r"https?://[a-z0-9.:@\[\]\\/?#%A-Fä]{1,12}([/\\](\.|\.\.|%2[eE]|[ -~ä\t\n]{0,3})){0,4}",
            path in r"(/(\.|\.\.|%2[eE]|[ -~ä\t\n\u{0}]{0,4})){0,4}",
        ) {
            if let Some(url) = with(&base, &path) {
                prop_assert_eq!(Ok(url), Url::parse(&format!("{base}{path}")));
            }
        }
    }
}
