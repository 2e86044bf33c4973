//! Parses YAML 1.2 or JSON to a JSON value without losing anything.

mod json;
mod number;
mod tree;
mod yaml;

use serde_json::Value;

use crate::{Problem, Problems, limits};

/// A text and the name of its file, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name for messages.
    pub name: String,
    /// YAML or JSON.
    pub text: String,
    /// The line of the file at which the text begins.
    line: usize,
}

impl Source {
    /// Creates a source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), line: 1 }
    }

    /// Sets the line of the file at which the text begins.
    #[must_use]
    pub fn at_line(self, line: usize) -> Self {
        Self { line, ..self }
    }

    /// Parses the text, which is YAML or JSON. A leading byte order mark is skipped.
    ///
    /// Keys that YAML interprets as numbers or booleans (`200:`, `true:`) are kept as text. YAML's merge key `<<` adds the members of a
    /// map, or of a list of maps, that the object itself lacks; in quotes, and in JSON, it is an ordinary key.
    ///
    /// A duplicate key, a custom tag, a number that JSON does not support (`.nan`) and one with more digits than a 64-bit integer or float
    /// holds are errors, because each would silently lose something.
    ///
    /// A text of more than [`TEXT`](crate::TEXT) bytes, nesting beyond 128 levels, and more than two million values after aliases are
    /// expanded are errors, too. Each is detected before anything beyond the limit is read.
    ///
    /// # Errors
    ///
    /// The place of the first thing that cannot be parsed without loss.
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
