//! Parameters of an operation: how their text is read and judged.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde_json::Value;

use super::schema::{Problem, Schema};

/// A parameter in the path, the query or a header.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// Where a parameter stands. Cookies are not looked at: no client of this API has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// Decoded.
    pub(crate) path: &'a [(String, String)],
    /// As in the URL.
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

impl Place {
    pub(crate) fn new(name: &str) -> Option<Self> {
        match name {
            "path" => Some(Self::Path),
            "query" => Some(Self::Query),
            "header" => Some(Self::Header),
            _ => None,
        }
    }
}

impl Parameter {
    /// What is wrong with this parameter in a request.
    pub(crate) fn problems(&self, given: &Given<'_>) -> Vec<Problem> {
        let texts = self.texts(given);
        if texts.is_empty() {
            let missing =
                self.required.then(|| Problem { field: self.name.clone(), what: "is required".into() });
            return missing.into_iter().collect();
        }
        let mut first = None;
        for reading in readings(&texts) {
            let problems = self.schema.problems(&reading);
            if problems.is_empty() {
                return problems;
            }
            first.get_or_insert(problems);
        }
        let problems = first.into_iter().flatten();
        problems
            .map(|Problem { field, what }| Problem { field: format!("{}{field}", self.name), what })
            .collect()
    }

    /// The value that was given; absent if there was none.
    #[cfg(feature = "page")]
    pub(crate) fn read(&self, given: &Given<'_>) -> Option<Value> {
        let texts = self.texts(given);
        let mut readings = if texts.is_empty() { Vec::new() } else { readings(&texts) };
        let adapting = readings.iter().position(|reading| self.schema.problems(reading).is_empty());
        // One that does not fit is shown as it is.
        let text = Value::from(texts.first()?.as_ref());
        Some(adapting.map_or(text, |index| readings.swap_remove(index)))
    }

    fn texts<'a>(&self, given: &'a Given<'_>) -> Vec<Cow<'a, str>> {
        let named = |(name, _): &(Cow<'_, str>, Cow<'_, str>)| *name == self.name;
        match self.place {
            Place::Path => {
                let values = given.path.iter().filter(|(name, _)| *name == self.name);
                values.map(|(_, value)| value.as_str().into()).collect()
            }
            Place::Query => {
                form_urlencoded::parse(given.query.as_bytes()).filter(named).map(|(_, value)| value).collect()
            }
            Place::Header => {
                let values = given.headers.get_all(&self.name).iter();
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
            }
        }
    }
}

/// What the text of a parameter can mean: the text itself, the number or truth value it spells, or a list of those.
///
/// The document does not say it in a form that one schema keyword would answer (`type` may be a list, or stand behind a
/// reference or a union), so a text is good if one of its readings is. The first reading is the one that is complained about.
fn readings(texts: &[Cow<'_, str>]) -> Vec<Value> {
    let mut readings = Vec::new();
    let parts: Vec<&str> = match texts {
        [text] => {
            readings.extend(scalar(text));
            readings.push(text.as_ref().into());
            text.split(',').collect()
        }
        texts => texts.iter().map(AsRef::as_ref).collect(),
    };
    readings.push(parts.iter().map(|part| scalar(part).unwrap_or_else(|| Value::from(*part))).collect());
    readings.push(parts.into_iter().map(Value::from).collect());
    readings
}

/// The number, truth value or null that a text spells.
fn scalar(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_number() || value.is_boolean() || value.is_null()).then_some(value)
}
