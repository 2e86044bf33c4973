//! Problems with the input, as lines that a maintainer can act on.

use std::{borrow::Cow, fmt};

use crate::Pointer;

/// A problem that prevents a document from being generated: its place, the reason, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    place: String,
    pointer: Option<Pointer>,
    reason: String,
    remedy: String,
}

impl Problem {
    /// Creates a problem at a place in the document, with its remedy.
    pub fn new(place: &Pointer, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { pointer: Some(place.clone()), ..Self::at(place.to_string(), reason, remedy) }
    }

    /// Creates a problem at a place that is not a pointer: an operation, an overlay's action, a line of a file.
    pub fn at(place: impl Into<String>, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { place: place.into(), pointer: None, reason: reason.into(), remedy: remedy.into() }
    }

    /// Returns the place: a JSON Pointer, an operation or a line.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the place in the document, or `None` if it is in an overlay or in the text.
    pub fn pointer(&self) -> Option<&Pointer> {
        self.pointer.as_ref()
    }

    /// Returns the reason.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the remedy.
    pub fn remedy(&self) -> &str {
        &self.remedy
    }
}

/// Returns text that may quote a document as a single line, without characters that affect a terminal or the order of other characters.
pub(crate) fn line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !words.contains(is_invisible) {
        return words;
    }
    words.chars().fold(String::new(), |mut line, c| {
        if is_invisible(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
        line
    })
}

/// Returns whether a character is a control character, a direction mark or a zero-width space.
pub(crate) fn is_invisible(c: char) -> bool {
    let marks = ['\u{61c}', '\u{feff}'];
    let ranges = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}'];
    c.is_control() || marks.contains(&c) || ranges.iter().any(|range| range.contains(&c))
}

/// Returns the beginning of a text that may be of any length.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    cut(text, 80)
}

/// Returns the first characters of a text, and its length if that is not all.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()).into(),
        None => text.into(),
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&line(&format!("{}: {}; {}", self.place, self.reason, self.remedy)))
    }
}

/// All problems found in one run, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Returns `Ok` if there are no problems.
    ///
    /// # Errors
    ///
    /// The problems, if there are any.
    pub fn none_or(found: Vec<Problem>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// Returns the same problems at other places.
    pub(crate) fn relocate(self, to: impl Fn(&Pointer) -> Pointer) -> Self {
        let moved = |problem: Problem| match problem.pointer() {
            Some(pointer) => Problem::new(&to(pointer), problem.reason, problem.remedy),
            None => problem,
        };
        Self(self.0.into_iter().map(moved).collect())
    }

    /// Returns the problems in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
