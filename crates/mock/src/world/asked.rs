//! A request whose parameters and body are valid.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::{Key, page::Window};
use crate::{document::Operation, server::response::HubResponse};

/// The default number of results on a page.
const LIMIT: usize = 20;

/// A request whose parameters and body are valid.
pub(crate) struct Asked<'a> {
    pub(crate) operation: &'a Operation,
    pub(crate) path: &'a [(String, String)],
    pub(crate) query: &'a str,
    pub(crate) body: Option<Value>,
    /// The statuses with which records of the body are rejected, whatever they contain. May be shorter than the body.
    pub(crate) refused: Vec<Option<u16>>,
    /// The number of the request; `None` if the operation is performed without one.
    pub(crate) number: Option<u64>,
}

impl Asked<'_> {
    /// Returns the path parameters.
    pub(super) fn key(&self) -> Key {
        self.path.iter().map(|(_, value)| value.clone()).collect()
    }

    /// Returns the rejection of a record of the body that should fail.
    pub(super) fn refused(&self, index: usize) -> Option<HubResponse> {
        let status = StatusCode::from_u16((*self.refused.get(index)?)?).ok()?;
        Some(HubResponse::refusal(status, status.canonical_reason().unwrap_or("injected fault")))
    }

    /// Returns a path parameter.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.path.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Returns the 404 that names the last path parameter.
    pub(super) fn missing(&self) -> HubResponse {
        let (name, value) = self.path.last().map_or(("path", ""), |(name, value)| (name, value));
        super::missing(name, value)
    }

    /// Returns the body, which is an object or missing.
    pub(super) fn members(&self) -> Result<Map<String, Value>, HubResponse> {
        match &self.body {
            None => Ok(Map::new()),
            Some(Value::Object(members)) => Ok(members.clone()),
            Some(_) => Err(HubResponse::bad_request("the body is not of type \"object\"")),
        }
    }

    /// Returns a member of the body.
    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.body.as_ref()?.get(name)
    }

    /// Returns a member of the body that is a list.
    pub(super) fn list(&self, name: &str) -> &[Value] {
        self.member(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Returns the strings of a list in the body.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.list(name).iter().filter_map(Value::as_str)
    }

    /// Returns a member of the body that is a string.
    pub(super) fn text(&self, name: &str) -> &str {
        self.member(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the values of a query parameter.
    pub(super) fn queries(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    }

    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.queries(name).into_iter().next()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| value == "true")
    }

    pub(super) fn window(&self) -> Window {
        Window::new(self.query, LIMIT)
    }
}
