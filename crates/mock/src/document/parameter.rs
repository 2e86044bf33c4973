//! Parameters of an operation: how their text is parsed and validated.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde_json::Value;

use super::schema::{Problem, Schema};

/// A path, query or header parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

/// The place of a parameter. Cookies are ignored: no client of this API sends any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
}

/// The parameters of one request.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// The decoded path parameters.
    pub(crate) path: &'a [(String, String)],
    /// The raw query from the URL.
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
    /// Returns the problems with this parameter in a request.
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

    /// Returns the value of the parameter, or `None` if it is missing.
    #[cfg(feature = "page")]
    pub(crate) fn read(&self, given: &Given<'_>) -> Option<Value> {
        let texts = self.texts(given);
        let mut readings = if texts.is_empty() { Vec::new() } else { readings(&texts) };
        let adapting = readings.iter().position(|reading| self.schema.problems(reading).is_empty());
        // An invalid value is shown as text.
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

/// Returns the possible meanings of a parameter's text: the text itself, the number or boolean that it spells, or a list of those.
///
/// No single schema keyword tells which one is meant (`type` may be a list, or may be behind a reference or a union), so the text is valid
/// if one of its meanings is. Problems are reported for the first one.
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

/// Parses a number, a boolean or null.
fn scalar(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_number() || value.is_boolean() || value.is_null()).then_some(value)
}
