//! What the document says: operations, the schemas of their bodies, and the replies it shows.

mod mend;
mod parameter;
mod sample;
mod schema;
mod security;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use self::{
    mend::mend,
    parameter::{Parameter, Place},
    sample::sample,
    schema::{Schema, Schemas},
    template::Template,
};
pub(crate) use self::{
    parameter::Given,
    schema::{Problem, list},
    security::Credential,
    template::NotText,
};

/// The methods a path item may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An OpenAPI 3.1 document, ready to be served.
#[derive(Debug)]
pub(crate) struct Document {
    /// In the order of matching.
    operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The `operationId`, or method and path where it has none.
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The key in `paths`.
    pub(crate) path: String,
    template: Template,
    /// Empty if the document asks for none.
    pub(crate) credentials: BTreeSet<Credential>,
    parameters: Vec<Parameter>,
    /// Absent if the operation takes no JSON.
    pub(crate) body: Option<Body>,
    replies: BTreeMap<Statuses, Declared>,
}

/// A JSON request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Schema,
    /// The schema's properties, by name.
    pub(crate) properties: BTreeMap<String, Value>,
}

/// What a reply is declared for. The order is the one in which a status is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Statuses {
    One(u16),
    /// `2XX`: all with this first digit.
    Class(u16),
    Default,
}

/// A declared reply.
#[derive(Debug)]
struct Declared {
    schema: Option<Schema>,
    /// A body that the document shows, or one made from its schema.
    example: Option<Value>,
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum Route<'a> {
    /// To this operation, with the parameters of the path.
    Operation(&'a Operation, Vec<(String, String)>),
    /// A parameter of the path is not text.
    NotText(NotText),
    /// The path is known, with these methods.
    WrongMethod(Vec<&'a Method>),
    Unknown,
}

impl Document {
    /// Reads a document in JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| format!("the document is not JSON: {error}"))?;
        mend(&mut value);
        let value = Arc::new(value);
        let schemas = Schemas::new(Arc::clone(&value))?;
        let reader = Reader { document: &value, schemas };
        let mut operations = Vec::new();
        let paths = value.get("paths").and_then(Value::as_object).ok_or("the document has no `paths`")?;
        for path in paths.keys() {
            let (at, item) = reader.follow(format!("/paths/{}", escape(path)))?;
            for name in METHODS.into_iter().filter(|name| item.get(name).is_some()) {
                operations.push(reader.operation(path, name, &at)?);
            }
        }
        operations.sort_by(|a, b| a.template.cmp(&b.template));
        Ok(Self { operations })
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation with this id.
    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Finds the operation of a request.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Route<'_> {
        let mut others = Vec::new();
        for operation in &self.operations {
            match operation.template.matches(path) {
                None => {}
                Some(_) if operation.method != *method => others.push(&operation.method),
                Some(Ok(parameters)) => return Route::Operation(operation, parameters),
                Some(Err(not_text)) => return Route::NotText(not_text),
            }
        }
        if others.is_empty() { Route::Unknown } else { Route::WrongMethod(others) }
    }
}

impl Operation {
    /// What is wrong with the parameters of a request.
    pub(crate) fn parameter_problems(&self, given: &Given<'_>) -> Vec<Problem> {
        self.parameters.iter().flat_map(|parameter| parameter.problems(given)).collect()
    }

    /// The first success that the document declares, with the body that it shows or that is made from its schema.
    pub(crate) fn documented_success(&self) -> (StatusCode, Option<Value>) {
        let success =
            self.replies.iter().find_map(|(statuses, declared)| Some((statuses.success()?, declared)));
        success.map_or((StatusCode::OK, None), |(status, declared)| (status, declared.example.clone()))
    }

    /// What in a reply goes against the document. A status that the document does not declare is not judged.
    pub(crate) fn violations(&self, status: StatusCode, body: Option<&Value>) -> Vec<Problem> {
        let declared = self.replies.iter().find(|(statuses, _)| statuses.contain(status));
        let Some((_, Declared { schema: Some(schema), .. })) = declared else {
            return Vec::new();
        };
        match body {
            Some(body) => schema.problems(body),
            None => vec![Problem { field: String::new(), what: "is missing".into() }],
        }
    }
}

impl Statuses {
    /// Reads a key of `responses`.
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

    /// The first success among them; `default` is for what is not one.
    fn success(self) -> Option<StatusCode> {
        let code = match self {
            Self::One(code) => code,
            Self::Class(class) => class * 100,
            Self::Default => return None,
        };
        StatusCode::from_u16(code).ok().filter(StatusCode::is_success)
    }
}

/// Reads operations out of the document.
struct Reader<'a> {
    document: &'a Value,
    schemas: Schemas,
}

impl Reader<'_> {
    /// The operation of this method of the path item at the pointer `item`.
    fn operation(&self, path: &str, method: &str, item: &str) -> Result<Operation, String> {
        let at = format!("{item}/{method}");
        let operation = self.at(&at)?;
        let id = operation.get("operationId").and_then(Value::as_str);
        let mut replies = BTreeMap::new();
        let responses = operation.get("responses").and_then(Value::as_object);
        for key in responses.into_iter().flat_map(|responses| responses.keys()) {
            if let Some(statuses) = Statuses::new(key) {
                replies.insert(statuses, self.declared(format!("{at}/responses/{key}"))?);
            }
        }
        let body =
            operation.get("requestBody").map(|_| self.body(format!("{at}/requestBody"))).transpose()?;
        Ok(Operation {
            id: id.map_or_else(|| format!("{method} {path}"), str::to_owned),
            method: method.to_uppercase().parse().map_err(|_| format!("{method} is not a method"))?,
            path: path.to_owned(),
            template: Template::new(path).map_err(|error| format!("the path {path}: {error}"))?,
            credentials: security::credentials(self.document, operation),
            parameters: self.parameters(item, &at)?,
            body: body.flatten(),
            replies,
        })
    }

    /// The parameters of an operation and those of its path item that it does not override.
    fn parameters(&self, item: &str, operation: &str) -> Result<Vec<Parameter>, String> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for holder in [operation, item] {
            let list = self.at(holder)?.get("parameters").and_then(Value::as_array);
            for index in 0..list.map_or(0, Vec::len) {
                let Some(parameter) = self.parameter(format!("{holder}/parameters/{index}"))? else {
                    continue;
                };
                let same = |known: &Parameter| known.name == parameter.name && known.place == parameter.place;
                if !parameters.iter().any(same) {
                    parameters.push(parameter);
                }
            }
        }
        Ok(parameters)
    }

    /// Nothing if it has no schema or stands where the hub does not look.
    fn parameter(&self, at: String) -> Result<Option<Parameter>, String> {
        let (at, parameter) = self.follow(at)?;
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        let (Some(name), Some(place), Some(_)) =
            (text("name"), text("in").and_then(Place::new), parameter.get("schema"))
        else {
            return Ok(None);
        };
        Ok(Some(Parameter {
            name: name.to_owned(),
            place,
            required: parameter.get("required").and_then(Value::as_bool).unwrap_or_default(),
            schema: self.schemas.compile(&format!("{at}/schema"))?,
        }))
    }

    fn body(&self, at: String) -> Result<Option<Body>, String> {
        let (at, body) = self.follow(at)?;
        let Some(at) = json_content(&at, body).filter(|at| self.at(&format!("{at}/schema")).is_ok()) else {
            return Ok(None);
        };
        let (at, schema) = self.follow(format!("{at}/schema"))?;
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        Ok(Some(Body {
            required: body.get("required").and_then(Value::as_bool).unwrap_or_default(),
            schema: self.schemas.compile(&at)?,
            properties: properties.map(|(name, schema)| (name.clone(), schema.clone())).collect(),
        }))
    }

    fn declared(&self, at: String) -> Result<Declared, String> {
        let (at, response) = self.follow(at)?;
        let Some(at) = json_content(&at, response) else {
            return Ok(Declared { schema: None, example: None });
        };
        let content = self.at(&at)?;
        let schema =
            content.get("schema").map(|_| self.schemas.compile(&format!("{at}/schema"))).transpose()?;
        let examples =
            content.get("examples").and_then(Value::as_object).into_iter().flat_map(|map| map.values());
        let mut shown =
            content.get("example").into_iter().chain(examples.filter_map(|example| example.get("value")));
        let made = content.get("schema").and_then(|schema| sample(self.document, schema));
        // An example that goes against its own schema is no example.
        let is_valid = |value: &Value| schema.as_ref().is_none_or(|schema| schema.problems(value).is_empty());
        let example = shown.find(|value| is_valid(value)).cloned().or(made);
        Ok(Declared { schema, example })
    }

    fn at(&self, pointer: &str) -> Result<&Value, String> {
        self.document.pointer(pointer).ok_or_else(|| format!("the document has nothing at {pointer}"))
    }

    /// What is at the pointer, or where its reference leads.
    fn follow(&self, pointer: String) -> Result<(String, &Value), String> {
        let found = self.at(&pointer)?;
        match found.get("$ref").and_then(Value::as_str) {
            None => Ok((pointer, found)),
            Some(reference) => {
                let target = local_pointer(reference)
                    .and_then(|target| Some((self.document.pointer(&target)?, target)));
                let (found, target) =
                    target.ok_or_else(|| format!("{pointer} refers to {reference}, which does not exist"))?;
                Ok((target, found))
            }
        }
    }
}

/// Where in the document a reference leads.
fn local_pointer(reference: &str) -> Option<String> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    Some(pointer.into_owned())
}

/// The pointer to the JSON content of a body or reply.
fn json_content(at: &str, holder: &Value) -> Option<String> {
    let content = holder.get("content")?.as_object()?;
    let name = content.keys().find(|name| is_json(name))?;
    Some(format!("{at}/content/{}", escape(name)))
}

/// Whether a media type is JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || name.ends_with("+json")
}

/// A key as a segment of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
