//! Text from the server: shortened, sanitized, and without the secrets that it echoes.

use std::fmt::{self, Write};

/// The maximum length of text that is shown, in characters.
const SHOWN: usize = 300;

/// The replacement for a secret.
const REDACTED: &str = "[redacted]";

/// The minimum length of a secret that is looked for. Shorter ones would be found in ordinary words.
const SHORTEST: usize = 8;

/// The texts that a response may echo and that must not be shown, in every encoding in which they may occur.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut encoded: Vec<_> =
            secrets.into_iter().filter(|secret| !secret.is_empty()).flat_map(encodings).collect();
        // The longest first: if one secret is a prefix of another, replacing it first would leave the rest of the other.
        encoded.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        encoded.dedup();
        Self(encoded)
    }

    /// Returns whether text is long enough to be looked for.
    pub(crate) fn is_long_enough(text: &str) -> bool {
        text.len() >= SHORTEST
    }

    /// Replaces every secret in a text.
    pub(crate) fn blank(&self, text: &mut String) {
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), REDACTED);
            }
        }
    }

    /// Returns whether these bytes contain a secret.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        self.0.iter().any(|secret| text.contains(secret.as_str()))
    }
}

/// Returns text in all its encodings: plain, in a URL, in JSON and in HTML.
fn encodings(text: String) -> Vec<String> {
    let json = serde_json::to_string(&text).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let percent = |upper| {
        text.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
                // Writing to a string does not fail.
                _ if upper => _ = write!(out, "%{byte:02X}"),
                _ => _ = write!(out, "%{byte:02x}"),
            }
            out
        })
    };
    vec![
        percent(true).replace("%20", "+"),
        percent(true),
        percent(false),
        json.replace('/', "\\/"),
        json,
        html.replace('\'', "&#x27;"),
        html.replace('\'', "&#39;"),
        html,
        text,
    ]
}

/// Writes foreign text so that it stays on one line, is not too long, and does not affect the text around it.
pub(super) fn one_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut characters = text.trim().chars();
    for character in characters.by_ref().take(SHOWN) {
        f.write_char(if is_harmless(character) { character } else { ' ' })?;
    }
    if characters.next().is_some() { f.write_str("...") } else { Ok(()) }
}

/// Prints foreign text as [`one_line`] does.
pub(super) struct OneLine<'t>(pub(super) &'t str);

impl fmt::Debug for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        one_line(f, self.0)?;
        f.write_char('"')
    }
}

/// Returns whether a character is neither a control character, nor a line or paragraph separator, nor invisible, nor a change of the
/// writing direction.
fn is_harmless(character: char) -> bool {
    let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !character.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn blanked(secrets: &[&str], text: &str) -> String {
        let mut text = text.to_owned();
        Secrets::new(secrets.iter().map(ToString::to_string)).blank(&mut text);
        text
    }

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secret = "a/b \"<'>&é";
        for text in [
            "a/b \"<'>&é",
            "a%2Fb%20%22%3C%27%3E%26%C3%A9",
            "a%2fb%20%22%3c%27%3e%26%c3%a9",
            "a%2Fb+%22%3C%27%3E%26%C3%A9",
            r#"a/b \"<'>&é"#,
            r#"a\/b \"<'>&é"#,
            "a/b &quot;&lt;'&gt;&amp;é",
            "a/b &quot;&lt;&#39;&gt;&amp;é",
            "a/b &quot;&lt;&#x27;&gt;&amp;é",
        ] {
            assert_eq!(blanked(&[secret], &format!("({text})")), "([redacted])", "{text}");
        }
    }

    #[test]
    fn a_secret_that_another_one_begins_leaves_no_tail() {
        assert_eq!(blanked(&["token-1", "token-1-long"], "token-1-long token-1"), "[redacted] [redacted]");
    }
}
