//! From text to a JSON value: YAML 1.2 or JSON, with nothing lost on the way.

mod json;
mod number;
mod tree;
mod yaml;

use serde_json::Value;

use crate::{Problem, Problems, limits};

/// A file's name, for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that messages use.
    pub name: String,
    /// YAML or JSON.
    pub text: String,
    /// The line of the file in which the text begins.
    line: usize,
}

impl Source {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), line: 1 }
    }

    /// The same source, whose text begins in this line of the file that is named.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// Reads the text, which is YAML or JSON. A byte order mark in front is skipped.
    ///
    /// Keys that YAML reads as numbers or booleans (`200:`, `true:`) are text as they are written. YAML's merge key `<<` adds the
    /// members of a map, or of a list of maps, that the object does not have itself; in quotes, and in JSON, it is a key like others.
    ///
    /// A duplicate key, a custom tag, a number that JSON does not have (`.nan`) and one with more digits than an integer or a float
    /// of 64 bits holds are errors, because each would lose something silently.
    ///
    /// A text of more than [`TEXT`](crate::TEXT) bytes, nesting beyond 128 levels, and more than two million values once the aliases
    /// are written out are errors too. Each is found before what lies beyond the limit is read.
    ///
    /// # Errors
    ///
    /// The place of the first thing that cannot be read without loss.
    pub fn parse(&self) -> Result<Value, Problems> {
        if self.text.len() > limits::TEXT {
            let reason = format!("it has more than {} bytes", limits::TEXT);
            return Err(Problem::at(self.name.clone(), reason, "split it").into());
        }
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(&self.text);
        match json::read(text) {
            Ok(value) => return Ok(value),
            Err(json::Stop::Refused(refusal, at)) => {
                let line = text[..at].matches('\n').count() + 1;
                return Err(self.problem(line, refusal));
            }
            Err(json::Stop::Syntax) => {}
        }
        yaml::read(text).map_err(|stop| self.problem(stop.line, stop.refusal))
    }

    fn problem(&self, line: usize, refusal: tree::Refusal) -> Problems {
        Problem::at(format!("{}:{}", self.name, self.line + line - 1), refusal.reason, refusal.remedy).into()
    }
}

#[cfg(test)]
mod tests;
