//! The formats that the document uses: `email` and `uri`.

use email_address::{EmailAddress, Options};
use iri_string::types::UriStr;
use reqwest::Url;

/// What is wrong with a text of this format; none if nothing is, or if the format is not one that is checked.
pub(super) fn violation(format: &str, text: &str) -> Option<&'static str> {
    match format {
        "email" if !is_email(text) => Some("is not an e-mail address such as `jane@example.com`"),
        "uri" if UriStr::new(text).is_err() => Some("is not a URI such as `https://example.com/path`"),
        _ => None,
    }
}

/// JSON Schema's `email` is a mailbox of RFC 5321: ASCII, and the domain a host name. email_address knows the local part; it also
/// takes international mailboxes and names such as `Jane <jane@example.com>`, which the format does not.
fn is_email(text: &str) -> bool {
    // A domain holds no `@`.
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    domain.len() <= DOMAIN && domain.split('.').all(is_label) && (is_usual(local) || parses(text))
}

/// The longest domain in bytes, as email_address has it; RFC 5321, 4.5.3.1.2, allows for one more.
const DOMAIN: usize = 254;

fn parses(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    text.is_ascii() && EmailAddress::parse_with_options(text, options).is_ok()
}

/// Whether a local part is surely right: nearly all are, and this is a tenth of the work. RFC 5321, 4.1.2 and 4.5.3.1.1.
fn is_usual(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty() && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    local.len() <= 64 && local.split('.').all(is_atom)
}

/// RFC 1123, 2.1: letters, digits and inner hyphens, at most 63. RFC 5891, 4.2.3.1: two hyphens after two letters are the mark of an
/// encoded label, of which there is one kind, and what follows its `xn--` has to decode.
fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let encoded = bytes.get(2..4) == Some(b"--");
    let decodes = || {
        let is_marked = bytes.get(..2).is_some_and(|mark| mark.eq_ignore_ascii_case(b"xn"));
        is_marked && Url::parse(&format!("http://{label}/")).is_ok()
    };
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && (!encoded || decodes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The short way, and looking at the domain first, change nothing.
        #[test]
        fn an_address_is_one_that_parses_with_labels_for_its_domain(
            local in "([aZ0_+.-]{0,70}|[a@. \"é<]{0,6})",
            domain in "(([aZ0-]{1,40}\\.){0,9}[aZ0-]{1,40}|[a@.é\\[]{0,6})",
        ) {
            let text = format!("{local}@{domain}");
            let labels = |text: &str| text.rsplit_once('@').is_some_and(|(_, domain)| domain.split('.').all(is_label));
            prop_assert_eq!(is_email(&text), parses(&text) && labels(&text), "{}", text);
        }
    }

    #[test]
    fn emails() {
        let good = [
            "jane@example.com",
            "j@e",
            "jane.doe+tag@sub.example.co.uk",
            "o'hara@example.com",
            "\"jane doe\"@example.com",
            "jane@xn--bcher-kva.example",
            "1@2.3",
        ];
        for text in good {
            assert_eq!(violation("email", text), None, "{text}");
        }
        let bad = [
            "",
            "jane",
            "jane@",
            "@example.com",
            "jane@@example.com",
            "jane @example.com",
            "jane@exa mple.com",
            "Jane <jane@example.com>",
            "jane@example..com",
            ".jane@example.com",
            "jane.@example.com",
            "jane@-example.com",
            "jane@exam_ple.com",
            "jäne@example.com",
            "jane@bücher.example",
            "jane@ab--cd.example",
            "jane@xn--.example",
            "jane@example.com\n",
            "jane@example.com,joe@example.com",
            "jane@[127.0.0.1",
        ];
        for text in bad {
            assert!(violation("email", text).is_some(), "{text}");
        }
        let long = format!("jane@{}.com", "x".repeat(64));
        assert!(violation("email", &long).is_some());
    }

    #[test]
    fn uris() {
        for text in
            ["https://example.com", "http://[::1]:80/a?b#c", "urn:x:y", "mailto:a@b", "https://e.com/%20"]
        {
            assert_eq!(violation("uri", text), None, "{text}");
        }
        for text in [
            "",
            "example.com",
            "//example.com",
            "/a",
            "https://exa mple.com",
            "https://e.com/%2",
            "https://é.com",
            "https://e.com/\n",
        ] {
            assert!(violation("uri", text).is_some(), "{text}");
        }
    }

    #[test]
    fn other_formats_are_let_through() {
        assert_eq!(violation("date-time", "soon"), None);
        assert_eq!(violation("", ""), None);
    }
}
