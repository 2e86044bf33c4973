//! The content of the OpenAPI document: operations, the schemas of their bodies, and example responses.

mod normalize;
mod parameter;
mod response;
mod sample;
mod schema;
#[cfg(feature = "page")]
mod secrets;
mod security;
mod table;
mod template;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::refused::Refused;

use self::{
    normalize::{for_requests, for_responses, normalize},
    parameter::{Parameter, Place},
    response::Responses,
    schema::Schema,
    table::{Table, table},
};
pub(crate) use self::{
    parameter::Given,
    response::{Shown, Success},
    schema::{Problem, Schemas, list},
    security::Credential,
    table::Role,
    template::{NotText, Template},
};

/// The methods a path item may have.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An OpenAPI 3.1 document that is ready to be served.
#[derive(Debug)]
pub(crate) struct Document {
    /// In the order in which they are matched.
    operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The `operationId`, or the method and path if there is none.
    pub(crate) id: String,
    pub(crate) method: Method,
    /// The key in `paths`.
    pub(crate) path: String,
    /// The role of the operation in the document's table of resources.
    pub(crate) role: Option<Role>,
    template: Template,
    /// Empty if the document requires none.
    pub(crate) credentials: BTreeSet<Credential>,
    parameters: Vec<Parameter>,
    /// `None` if the operation takes no JSON.
    pub(crate) body: Option<Body>,
    responses: Responses,
}

/// A JSON request body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) required: bool,
    pub(crate) schema: Schema,
    /// The schema's properties, by name.
    pub(crate) properties: BTreeMap<String, Value>,
}

/// The target of a request.
#[derive(Debug)]
pub(crate) enum Route<'a> {
    /// An operation, with the parameters of the path.
    Operation(&'a Operation, Vec<(String, String)>),
    /// A path parameter is not UTF-8 text.
    NotText(NotText),
    /// The path is known, but only with these methods.
    WrongMethod(Vec<&'a Method>),
    Unknown,
}

impl Document {
    /// Parses a document from JSON and validates every schema in it.
    pub(crate) fn checked(text: &str) -> Result<Self, String> {
        let document = Self::parse(text)?;
        document.operations.iter().try_for_each(Operation::check)?;
        Ok(document)
    }

    /// Parses a document from JSON. Its schemas are compiled when they are used.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut value: Value =
            serde_json::from_str(text).map_err(|error| format!("the document is not JSON: {error}"))?;
        normalize(&mut value);
        let requests = Arc::new(for_requests(&value).unwrap_or_else(|| value.clone()));
        let value = Arc::new(for_responses(&value).unwrap_or(value));
        let schemas = Schemas::new(Arc::clone(&value))?;
        let requests = if requests == value { schemas.clone() } else { Schemas::new(requests)? };
        let table = table(&value);
        let reader = Reader { document: Arc::clone(&value), table, requests, schemas };
        let mut operations = Vec::new();
        let paths = value.get("paths").and_then(Value::as_object).ok_or("the document has no `paths`")?;
        for path in paths.keys().filter(|path| path.starts_with('/')) {
            let items = reader.items(format!("/paths/{}", escape(path)))?;
            for name in METHODS {
                if items.iter().any(|at| reader.at(at).is_ok_and(|item| item.get(name).is_some())) {
                    operations.push(reader.operation(path, name, &items)?);
                }
            }
        }
        operations.sort_by_cached_key(|operation| operation.template.rank());
        Ok(Self { operations })
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Returns the operation with this id.
    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Fails if no operation has this id, and names those whose ids begin with the same word.
    pub(crate) fn assert_known(&self, id: &str) -> Result<(), Refused> {
        if self.operation(id).is_some() {
            return Ok(());
        }
        let first_word = |id: &str| id.split('-').next().unwrap_or_default().to_owned();
        let similar = self.operations.iter().map(|operation| operation.id.as_str());
        let similar: Vec<_> = similar.filter(|known| first_word(known) == first_word(id)).collect();
        let hint =
            if similar.is_empty() { String::new() } else { format!("; there are {}", similar.join(", ")) };
        Err(Refused::new(format!("the document has no operation {id}{hint}")))
    }

    /// Returns the operation that has this name in the table of resources.
    pub(crate) fn named(&self, resource: &str, verb: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.is(resource, verb))
    }

    /// Finds the operation of a request. If several share the method and path, it is the one whose schema accepts the body.
    ///
    /// Operations of another host may have paths that match too (`/v1/user/{id}/` and `/v1/{workspace}/event/`). They use other
    /// credentials, so operations that accept the scheme of the request come first.
    pub(crate) fn route(&self, method: &Method, path: &str, scheme: Option<&str>, body: &[u8]) -> Route<'_> {
        let takes = |operation: &&Operation| scheme.is_some_and(|scheme| operation.takes_scheme(scheme));
        let fit = self.operations.iter().filter(takes).find(|operation| {
            operation.method == *method && matches!(operation.template.matches(path), Some(Ok(_)))
        });
        if let Some(operation) = fit
            && let Some(Ok(parameters)) = operation.template.matches(path)
        {
            return Route::Operation(self.choose(operation, body), parameters);
        }
        let mut others = Vec::new();
        for operation in &self.operations {
            match operation.template.matches(path) {
                None => {}
                Some(_) if operation.method != *method => others.push(&operation.method),
                Some(Ok(parameters)) => return Route::Operation(self.choose(operation, body), parameters),
                Some(Err(not_text)) => return Route::NotText(not_text),
            }
        }
        if others.is_empty() { Route::Unknown } else { Route::WrongMethod(others) }
    }

    /// Returns the operation with the same method and path that accepts the body, either directly or as the only record of a list. If there
    /// is none, returns one that accepts its JSON type.
    fn choose<'a>(&'a self, first: &'a Operation, body: &[u8]) -> &'a Operation {
        let shares = |other: &&Operation| other.method == first.method && other.template == first.template;
        let sharing: Vec<_> = self.operations.iter().filter(shares).collect();
        let body: Option<Value> = if sharing.len() > 1 { serde_json::from_slice(body).ok() } else { None };
        let Some(body) = body else { return first };
        let misfit = |operation: &&&Operation| {
            let problems =
                operation.body.as_ref().map_or(Vec::new(), |declared| declared.schema.problems(&body));
            (problems.iter().any(|problem| problem.field.is_empty()), !problems.is_empty())
        };
        let best = sharing.iter().min_by_key(misfit).copied().unwrap_or(first);
        if misfit(&&best) == (false, false) || !body.is_object() {
            return best;
        }
        let alone = Value::Array(vec![body]);
        let takes = |declared: &Body| declared.schema.problems(&alone).is_empty();
        let takes = |operation: &&&Operation| {
            operation.takes_a_record_alone() && operation.body.as_ref().is_some_and(takes)
        };
        sharing.iter().find(takes).copied().unwrap_or(best)
    }
}

impl Operation {
    fn check(&self) -> Result<(), String> {
        let parameters = self.parameters.iter().map(|parameter| &parameter.schema);
        let body = self.body.iter().map(|body| &body.schema);
        parameters.chain(body).chain(self.responses.schemas()).try_for_each(Schema::check)
    }

    /// Returns the problems with the parameters of a request.
    pub(crate) fn parameter_problems(&self, given: &Given<'_>) -> Vec<Problem> {
        self.parameters.iter().flat_map(|parameter| parameter.problems(given)).collect()
    }

    /// Returns whether it accepts credentials of this scheme.
    fn takes_scheme(&self, scheme: &str) -> bool {
        self.credentials.iter().any(|credential| match credential {
            Credential::Authorization { scheme: asked } => asked.eq_ignore_ascii_case(scheme),
            Credential::Header { .. } => false,
        })
    }

    /// Returns whether it has this name in the table of resources.
    pub(crate) fn is(&self, resource: &str, verb: &str) -> bool {
        self.role.as_ref().is_some_and(|role| role.resource == resource && role.verb == verb)
    }

    /// Returns whether a single record may replace a list of one record. SuprSend's other SDKs send it in this form where records are a
    /// second form of a path.
    pub(crate) fn takes_a_record_alone(&self) -> bool {
        self.path.contains('#')
    }

    /// Returns the names of the path parameters in order.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = String> {
        self.template.parameters().map(str::to_owned)
    }

    /// Returns whether there is a query parameter with this name.
    pub(crate) fn takes(&self, query: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.place == Place::Query && parameter.name == query)
    }

    /// Returns the first success that the document declares.
    pub(crate) fn success(&self) -> &Success {
        &self.responses.success
    }

    /// Returns whether exactly this status is declared.
    pub(crate) fn declares(&self, status: StatusCode) -> bool {
        self.responses.declares(status)
    }

    /// Returns the members of a successful response. For optional ones, the value is whether they may be null.
    pub(crate) fn members(&self) -> &BTreeMap<String, bool> {
        &self.responses.members
    }

    /// Returns the values of the given parameters by name.
    #[cfg(feature = "page")]
    pub(crate) fn given(&self, given: &Given<'_>) -> Vec<(&str, Value)> {
        let value = |it: &Parameter| it.read(given);
        self.parameters.iter().filter_map(|it| Some((it.name.as_str(), value(it)?))).collect()
    }

    /// Returns the places in a request body that the document marks as sensitive, or `None` if the document does not declare the body.
    #[cfg(feature = "page")]
    pub(crate) fn sensitive_in_body(&self, value: &Value) -> Option<BTreeSet<String>> {
        self.body.as_ref().map(|body| body.schema.sensitive(value))
    }

    /// Returns the places in a response that the document marks as sensitive, or `None` if the document does not declare the response.
    #[cfg(feature = "page")]
    pub(crate) fn sensitive_in_response(
        &self,
        status: StatusCode,
        value: &Value,
    ) -> Option<BTreeSet<String>> {
        self.responses.schema(status).map(|schema| schema.sensitive(value))
    }

    /// Returns the places where a response violates the document. A status that the document does not declare is not checked.
    pub(crate) fn violations(&self, status: StatusCode, body: Option<&Value>) -> Vec<Problem> {
        self.responses.violations(status, body)
    }
}

/// Reads operations from the document.
struct Reader {
    document: Arc<Value>,
    table: Table,
    /// Requests are validated against these schemas, responses against `responses`.
    requests: Schemas,
    schemas: Schemas,
}

impl Reader {
    /// Returns the pointers to a path item and to the target of its reference: the members next to a reference add to its target.
    fn items(&self, pointer: String) -> Result<Vec<String>, String> {
        let mut items = vec![pointer];
        while let Some(last) = items.last()
            && self.at(last)?.get("$ref").is_some()
        {
            let (next, _) = self.follow(last.clone())?;
            if items.contains(&next) {
                return Err(format!("{next} refers to itself"));
            }
            items.push(next);
        }
        Ok(items)
    }

    /// Reads the operation with this method from the path item at the pointers.
    fn operation(&self, path: &str, method: &str, items: &[String]) -> Result<Operation, String> {
        let holders = items.iter().map(|item| format!("{item}/{method}"));
        let at = holders.into_iter().find(|at| self.at(at).is_ok()).unwrap_or_default();
        let operation = self.at(&at)?;
        let id = operation.get("operationId").and_then(Value::as_str);
        let body =
            operation.get("requestBody").map(|_| self.body(format!("{at}/requestBody"))).transpose()?;
        Ok(Operation {
            id: id.map_or_else(|| format!("{method} {path}"), str::to_owned),
            method: method.to_uppercase().parse().map_err(|_| format!("{method} is not a method"))?,
            path: path.to_owned(),
            role: self.table.get(&(method.to_owned(), path.to_owned())).cloned(),
            template: Template::new(path).map_err(|error| format!("the path {path}: {error}"))?,
            credentials: security::credentials(&self.document, operation),
            parameters: self.parameters(items, &at)?,
            body: body.flatten(),
            responses: self.responses(operation, method, &at)?,
        })
    }

    /// Returns the parameters of an operation, and those of its path item that it does not override.
    fn parameters(&self, items: &[String], operation: &str) -> Result<Vec<Parameter>, String> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for holder in std::iter::once(operation).chain(items.iter().map(String::as_str)) {
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

    /// Reads a parameter. Returns `None` if it has no schema, or a place that is not checked.
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
            schema: self.requests.schema(&format!("{at}/schema")),
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
            schema: self.requests.schema(&at),
            properties: properties.map(|(name, schema)| (name.clone(), schema.clone())).collect(),
        }))
    }

    fn at(&self, pointer: &str) -> Result<&Value, String> {
        self.document.pointer(pointer).ok_or_else(|| format!("the document has nothing at {pointer}"))
    }

    /// Returns the value at the pointer, or the target of its reference.
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

/// Converts a reference to a pointer into the document.
fn local_pointer(reference: &str) -> Option<String> {
    let pointer = percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()?;
    Some(pointer.into_owned())
}

/// Returns the pointer to the JSON content of a body or response.
fn json_content(at: &str, holder: &Value) -> Option<String> {
    let content = holder.get("content")?.as_object()?;
    let name = content.keys().find(|name| is_json(name))?;
    Some(format!("{at}/content/{}", escape(name)))
}

/// Returns whether a media type is JSON.
pub(crate) fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name == "application/json" || name.ends_with("+json")
}

/// Escapes a key as a segment of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
