//! The responses that the document declares, and the one that it shows as an example.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use super::{
    Reader, escape, is_json,
    sample::sample,
    schema::{Problem, Schema},
};

/// Statuses whose responses have no content, whatever the document declares (RFC 9110, 15.3.5, 15.3.6, 15.4.5).
const EMPTY: [u16; 3] = [204, 205, 304];

/// The responses of an operation.
#[derive(Debug)]
pub(crate) struct Responses {
    /// The schemas of JSON bodies.
    schemas: BTreeMap<Statuses, Option<Schema>>,
    pub(super) success: Success,
    /// The members of the success, each with whether it may be null.
    pub(super) members: BTreeMap<String, bool>,
}

/// A success with the document's example, or with a body generated from its schemas.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The place of its content; `None` if it has none.
    content: Option<Content>,
    shown: OnceLock<Result<Shown, String>>,
}

/// The content of a response in the document.
#[derive(Debug)]
struct Content {
    document: Arc<Value>,
    at: String,
    media_type: String,
    schema: Option<Schema>,
}

/// The body of a response.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    Empty,
    Json(Value),
    /// Text with this media type.
    Text(HeaderValue, String),
}

/// The statuses that a response is declared for, in the order of lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Statuses {
    One(u16),
    /// `2XX`: all statuses with this first digit.
    Class(u16),
    Default,
}

impl Responses {
    pub(super) fn declares(&self, status: StatusCode) -> bool {
        self.schemas.contains_key(&Statuses::One(status.as_u16()))
    }

    pub(super) fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.values().flatten()
    }

    /// Returns the schema of the body that is declared for a status.
    pub(super) fn schema(&self, status: StatusCode) -> Option<&Schema> {
        self.schemas.iter().find(|(statuses, _)| statuses.contain(status))?.1.as_ref()
    }

    pub(super) fn violations(&self, status: StatusCode, body: Option<&Value>) -> Vec<Problem> {
        let Some(schema) = self.schema(status).filter(|_| !EMPTY.contains(&status.as_u16())) else {
            return Vec::new();
        };
        match body {
            Some(body) => schema.problems(body),
            None => vec![Problem { field: String::new(), what: "is missing".into() }],
        }
    }
}

impl Success {
    /// Returns the body to show, or the reason why there is none that matches its schema.
    pub(crate) fn shown(&self) -> Result<&Shown, &str> {
        let made = || self.content.as_ref().map_or(Ok(Shown::Empty), Content::shown);
        self.shown.get_or_init(made).as_ref().map_err(String::as_str)
    }
}

impl Content {
    /// Returns the document's example, or a body generated from its schema.
    fn shown(&self) -> Result<Shown, String> {
        let Self { document, at, media_type, schema } = self;
        let content = document.pointer(at).unwrap_or(&Value::Null);
        let examples =
            content.get("examples").and_then(Value::as_object).into_iter().flat_map(|map| map.values());
        let mut shown =
            content.get("example").into_iter().chain(examples.filter_map(|example| example.get("value")));
        if !is_json(media_type) {
            let shown = shown.next().or_else(|| content.get("schema")?.get("example")).cloned();
            let made = || sample(document, content.get("schema")?, Value::is_string);
            let text = shown.or_else(made).unwrap_or_else(|| "".into());
            let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
            let name = media_type.parse().map_err(|_| format!("`{media_type}` is no media type"))?;
            return Ok(Shown::Text(name, text));
        }
        // An example that violates its own schema is ignored.
        let fits = |value: &Value| schema.as_ref().is_none_or(|schema| schema.problems(value).is_empty());
        let made = || match content.get("schema") {
            Some(schema) => sample(document, schema, fits),
            None => Some(Value::Null),
        };
        let body = shown.find(|value| fits(value)).cloned().or_else(made);
        body.map(Shown::Json)
            .ok_or_else(|| format!("no value was found that the schema at {at}/schema takes"))
    }
}

impl Statuses {
    /// Parses a key of `responses`.
    fn new(key: &str) -> Option<Self> {
        match key.as_bytes() {
            b"default" => Some(Self::Default),
            [class @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => Some(Self::Class(u16::from(class - b'0'))),
            _ => key.parse().ok().map(Self::One),
        }
    }

    fn contain(self, status: StatusCode) -> bool {
        match self {
            Self::One(code) => status.as_u16() == code,
            Self::Class(class) => status.as_u16() / 100 == class,
            Self::Default => true,
        }
    }

    /// Returns the first of these statuses that can be the final status of a request. `default` may be a success.
    fn first(self) -> Option<StatusCode> {
        let code = match self {
            Self::One(code) => code,
            Self::Class(class) => class * 100,
            Self::Default => 200,
        };
        StatusCode::from_u16(code).ok().filter(|status| status.is_success() || status.is_redirection())
    }
}

impl Reader {
    pub(super) fn responses(&self, operation: &Value, method: &str, at: &str) -> Result<Responses, String> {
        let has_body = method != "head";
        let mut schemas = BTreeMap::new();
        let mut places = BTreeMap::new();
        let declared = operation.get("responses").and_then(Value::as_object);
        for key in declared.into_iter().flat_map(|declared| declared.keys()) {
            let Some(statuses) = Statuses::new(key) else { continue };
            let (at, response) = self.follow(format!("{at}/responses/{}", escape(key)))?;
            let json = content(&at, response).filter(|(_, name)| has_body && is_json(name));
            let schema = json.map(|(at, _)| format!("{at}/schema")).filter(|at| self.at(at).is_ok());
            schemas.insert(statuses, schema.map(|at| self.schemas.schema(&at)));
            places.insert(statuses, at);
        }
        // Successes come before redirects, and those before `default`.
        let order = |statuses: &Statuses| (*statuses == Statuses::Default, statuses.first());
        let first =
            schemas.keys().filter(|statuses| statuses.first().is_some()).min_by_key(|it| order(it)).copied();
        let status = first.and_then(Statuses::first).unwrap_or(StatusCode::OK);
        let mut success = Success { status, headers: Vec::new(), content: None, shown: OnceLock::new() };
        if let Some((statuses, at)) = first.and_then(|statuses| Some((statuses, places.get(&statuses)?))) {
            success.headers = self.headers(at)?;
            if has_body && !EMPTY.contains(&status.as_u16()) {
                success.content = self.content(at, schemas[&statuses].clone())?;
            }
        }
        let members =
            first.and_then(|statuses| places.get(&statuses)).map(|at| self.members(at)).transpose()?;
        Ok(Responses { schemas, success, members: members.unwrap_or_default() })
    }

    /// Returns the members that the schema of a JSON response declares.
    fn members(&self, at: &str) -> Result<BTreeMap<String, bool>, String> {
        let Some((at, _)) = content(at, self.at(at)?) else { return Ok(BTreeMap::new()) };
        let at = format!("{at}/schema");
        if self.at(&at).is_err() {
            return Ok(BTreeMap::new());
        }
        let (_, schema) = self.follow(at)?;
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let null = |schema: &Value| {
            let is_null = |kind: &Value| kind == "null";
            let listed =
                schema.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(is_null));
            let variants =
                ["anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
            listed || variants.filter_map(|variant| variant.get("type")).any(is_null)
        };
        Ok(properties.map(|(name, schema)| (name.clone(), null(schema))).collect())
    }

    fn content(&self, at: &str, schema: Option<Schema>) -> Result<Option<Content>, String> {
        let found = content(at, self.at(at)?);
        let document = Arc::clone(&self.document);
        Ok(found.map(|(at, media_type)| Content { document, at, media_type, schema }))
    }

    /// Returns the headers that a response always has, or that have an example.
    fn headers(&self, at: &str) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
        let mut headers = Vec::new();
        let declared = self.at(at)?.get("headers").and_then(Value::as_object);
        for name in declared.into_iter().flat_map(|declared| declared.keys()) {
            let (_, header) = self.follow(format!("{at}/headers/{}", escape(name)))?;
            let schema = header.get("schema");
            let made = || {
                let required = header.get("required") == Some(&Value::Bool(true));
                sample(&self.document, schema.filter(|_| required)?, |_| true)
            };
            let shown = header.get("example").or_else(|| schema?.get("example")).cloned();
            let Some(value) = shown.or_else(made) else { continue };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse())
                && name != CONTENT_TYPE
            {
                headers.push((name, value));
            }
        }
        Ok(headers)
    }
}

/// Returns the place and media type of the content to use: JSON if there is any.
fn content(at: &str, response: &Value) -> Option<(String, String)> {
    let content = response.get("content")?.as_object()?;
    let name = content.keys().find(|name| is_json(name)).or_else(|| content.keys().next())?;
    Some((format!("{at}/content/{}", escape(name)), name.clone()))
}
