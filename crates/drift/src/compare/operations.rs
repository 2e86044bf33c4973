//! Compares the operations of the document with those of the code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    responses::{self, Responses},
    rules::Rules,
    schemas::{Comparer, Direction, Role, Rust},
};
use crate::{
    code::{self, Code, Place, squeezed},
    document::{At, Body, Document, Media, Operation, Scheme},
    finding::{Difference, Kind},
    pointer::Pointer,
    schema::{Dangling, Form, Node},
};

/// Further inputs of the comparison, besides both sides.
#[derive(Clone, Copy)]
pub(super) struct Beside<'b> {
    pub(super) code: &'b Code,
    /// The rules of the code as one JSON Schema document.
    pub(super) rules: &'b Value,
    /// The base URL of requests that declare no server; `None` stands for the document's first server.
    pub(super) base_url: Option<&'b str>,
}

pub(super) fn compare<'a>(
    document: &Document<'a>,
    beside: Beside<'_>,
    comparer: &mut Comparer<'a>,
) -> Result<(), Dangling> {
    for (operation, own) in matched(document, beside, comparer) {
        let operation = &document.operations[operation];
        Pass { document, operation, own: &beside.code.operations[own], beside, comparer }
            .compare(&|_| false)?;
    }
    Ok(())
}

/// Returns the operations that both sides have, by their positions. Others are differences.
pub(super) fn matched<'a>(
    document: &Document<'a>,
    beside: Beside<'_>,
    comparer: &mut Comparer<'a>,
) -> Vec<(usize, usize)> {
    let code = beside.code;
    let mut pairs = Vec::new();
    let mut met = vec![false; code.operations.len()];
    for (position, operation) in document.operations.iter().enumerate() {
        comparer.count("operations");
        let same: Vec<usize> =
            (0..met.len()).filter(|index| operation.is(&code.operations[*index])).collect();
        for index in &same {
            met[*index] = true;
        }
        let file = Rust { spot: code.file.clone(), owner: None, hides: false };
        let (pointer, place) = (operation.at.pointer.clone(), operation.at.place.clone());
        let says = json!(format!("{} {}", operation.method, operation.path));
        match same.as_slice() {
            [] => comparer.differ(Kind::OperationMissing, pointer, place, &file, says, Value::Null),
            [own] => pairs.push((position, *own)),
            several => {
                let names: Vec<&str> =
                    several.iter().map(|own| code.operations[*own].name.as_str()).collect();
                comparer.differ(Kind::OperationRepeated, pointer, place, &file, says, json!(names));
            }
        }
    }
    for (own, _) in code.operations.iter().zip(met).filter(|(_, met)| !met) {
        let rust = Rust { spot: own.spot.to_string(), owner: None, hides: false };
        let paths = Pointer::root().child("paths");
        let place = paths.child(&own.shape).child(&own.method);
        let says = json!(format!("{} {}", own.method, &own.shape));
        comparer.differ(Kind::OperationExtra, paths, place, &rust, Value::Null, says);
    }
    pairs
}

/// Compares the operation at this place, if the code has exactly one candidate for it, until the differences are `enough`.
pub(super) fn compare_one<'a>(
    document: &Document<'a>,
    beside: Beside<'_>,
    comparer: &mut Comparer<'a>,
    at: &Pointer,
    enough: &dyn Fn(&[Difference]) -> bool,
) -> Result<(), Dangling> {
    let Some(operation) = document.operations.iter().find(|operation| operation.at.pointer == *at) else {
        return Ok(());
    };
    let mut same = beside.code.operations.iter().filter(|own| operation.is(own));
    match (same.next(), same.next()) {
        (Some(own), None) => Pass { document, operation, own, beside, comparer }.compare(enough),
        _ => Ok(()),
    }
}

/// The comparison of one operation on each side.
struct Pass<'p, 'a> {
    document: &'p Document<'a>,
    operation: &'p Operation<'a>,
    own: &'p code::Operation,
    beside: Beside<'p>,
    comparer: &'p mut Comparer<'a>,
}

impl<'a> Pass<'_, 'a> {
    fn compare(mut self, enough: &dyn Fn(&[Difference]) -> bool) -> Result<(), Dangling> {
        self.identity();
        self.server();
        self.credential();
        self.repetition();
        self.table();
        self.pages()?;
        self.comparer.direction = Direction::Request;
        self.parameters()?;
        if enough(&self.comparer.compared.differences) {
            return Ok(());
        }
        self.body()?;
        if enough(&self.comparer.compared.differences) {
            return Ok(());
        }
        self.comparer.direction = Direction::Response;
        Responses { operation: self.operation, own: self.own, comparer: self.comparer }.compare()
    }

    fn rust(&self) -> Rust {
        Rust { spot: self.own.spot.to_string(), owner: None, hides: false }
    }

    fn rust_of(part: &code::Part) -> Rust {
        Rust { spot: part.spot.to_string(), owner: None, hides: !part.printed }
    }

    fn differ_at(&mut self, kind: Kind, at: At, rust: &Rust, document: Value, code: Value) {
        self.comparer.differ(kind, at.pointer, at.place, rust, document, code);
    }

    fn differ(&mut self, kind: Kind, member: &str, document: Value, code: Value) {
        let (at, rust) = (self.operation.at.child(member), self.rust());
        self.differ_at(kind, at, &rust, document, code);
    }

    fn identity(&mut self) {
        let stated = self.operation.id.clone();
        let derived = format!("{} {}", self.operation.method, self.operation.path);
        if squeezed(stated.as_deref().unwrap_or(&derived)) != squeezed(&self.own.id) {
            self.differ(Kind::OperationId, "operationId", json!(stated), json!(self.own.id));
        }
        if self.operation.deprecated != self.own.deprecated {
            let says = (json!(self.operation.deprecated), json!(self.own.deprecated));
            self.differ(Kind::Deprecated, "deprecated", says.0, says.1);
        }
        let (_, names) = code::shape(&self.operation.path);
        let (_, own) = code::shape(&self.own.path);
        if names != own {
            let (at, rust) = (self.operation.at.clone(), self.rust());
            self.differ_at(Kind::PathParameters, at, &rust, json!(names), json!(own));
        }
    }

    /// Compares the server of the request.
    fn server(&mut self) {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        let first = self.document.servers.first().map(|server| server.url.as_str());
        let base = self.beside.base_url.or(first).map(str::to_owned);
        let own = self.own.server.clone().or(base);
        let Some((first, others)) = self.operation.servers.split_first() else {
            if self.own.server.is_some() || self.beside.base_url.is_some() {
                self.differ(Kind::Server, "servers", Value::Null, json!(own));
            }
            return;
        };
        if own.as_deref().map(plain) != Some(plain(&first.url)) {
            // Not the URL's own place, which would differ for every URL.
            let at =
                At { pointer: first.at.pointer.clone(), place: self.operation.at.child("servers").place };
            let (rust, says) = (self.rust(), (json!(first.url), json!(own)));
            self.differ_at(Kind::Server, at, &rust, says.0, says.1);
        }
        for other in others {
            let rust = self.rust();
            self.differ_at(Kind::ServerUnused, other.at.clone(), &rust, json!(other.url), Value::Null);
        }
    }

    fn credential(&mut self) {
        self.comparer.count("credentials");
        let own = &self.own.credential;
        let of = |scheme: &Scheme| match scheme {
            Scheme::Http(name) if name == "bearer" => "Bearer".to_owned(),
            Scheme::Http(name) if name == "basic" => "Basic".to_owned(),
            Scheme::Http(name) => format!("Scheme({name:?})"),
            Scheme::Key(Place::Header, name) => format!("Header({name:?})"),
            Scheme::Key(Place::Query, name) => format!("Query({name:?})"),
            // Both result in a token.
            Scheme::Other(kind) if kind == "oauth2" || kind == "openIdConnect" => "Bearer".to_owned(),
            _ => "Other".to_owned(),
        };
        let met = |schemes: &[Scheme]| match schemes {
            [] => own == "None",
            [one] => *own == of(one) || (of(one) == "Other" && own.starts_with("Other(")),
            _ => false,
        };
        let says = |schemes: &[Scheme]| {
            let words: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            json!(if words.is_empty() { "none at all".to_owned() } else { words.join(" and ") })
        };
        let stated = &self.operation.security;
        let used = stated.iter().find(|requirement| met(&requirement.schemes));
        let rust = self.rust();
        if used.is_none() && !(stated.is_empty() && own == "None") {
            let pointer = self.operation.security_at.pointer.clone();
            let at = At { pointer, place: self.operation.at.child("security").place };
            let all: Vec<Value> = stated.iter().map(|requirement| says(&requirement.schemes)).collect();
            return self.differ_at(Kind::Security, at, &rust, json!(all), json!(own));
        }
        for other in stated.iter().filter(|other| used.is_some_and(|used| used.schemes != other.schemes)) {
            let place =
                if other.schemes.is_empty() { other.at.place.child("none") } else { other.at.place.clone() };
            let at = At { place, ..other.at.clone() };
            self.differ_at(Kind::SecurityUnused, at, &rust, says(&other.schemes), Value::Null);
        }
    }

    /// Compares whether it may be sent twice.
    fn repetition(&mut self) {
        let Operation { idempotent, key, .. } = self.operation;
        if self.own.idempotent != *idempotent {
            self.differ(Kind::Idempotent, "idempotent", json!(idempotent), json!(self.own.idempotent));
        }
        let body = self.own.body.as_ref().and_then(|(_, part)| part.ty.as_ref());
        let expected = match (key, body) {
            (Some(key), Some(body)) => {
                is_set(self.beside.code, &self.beside.code.roots[body], "self.body", key)
                    .map(|set| format!("{{{set}}}"))
            }
            _ => None,
        };
        if (key.is_some() && expected.is_none()) || expected != self.own.key {
            self.differ(Kind::Idempotent, "idempotency_key", json!(key), json!(self.own.key));
        }
        let expected = match (key, body) {
            (Some(key), Some(body)) => {
                visit(self.beside.code, &self.beside.code.roots[body], "self.body", key)
                    .map(|visit| format!("{{{visit}}}"))
            }
            _ => None,
        };
        if expected != self.own.visit {
            self.differ(Kind::Idempotent, "idempotency_keys", json!(expected), json!(self.own.visit));
        }
    }

    /// Compares facts that only the table of resources declares.
    fn table(&mut self) {
        let (feature, own) = (json!(self.operation.feature), json!(self.own.feature));
        if feature != own {
            self.differ(Kind::Feature, "feature", feature, own);
        }
        let (verdict, own) = (json!(self.operation.verdict), json!(self.own.verdict));
        if verdict != own {
            self.differ(Kind::Verdict, "verdict", verdict, own);
        }
    }

    /// Compares the traits that follow from the declarations: an item that may not exist, a paginated list.
    fn pages(&mut self) -> Result<(), Dangling> {
        let mut expected: Vec<&str> = Vec::new();
        if self.operation.method == "get" && self.operation.responses.contains_key("404") {
            expected.push("Lookup");
        }
        let has = |name: &str| self.operation.parameters.contains_key(&(Place::Query, name.to_owned()));
        let is_list = has("limit") && (has("after") || has("offset")) && self.is_page()?;
        if is_list && code::has_pages(self.own, self.beside.code) {
            expected.extend(["Paged", if has("after") { "CursorPaged" } else { "OffsetPaged" }]);
        }
        expected.sort_unstable();
        let own: Vec<&str> = self.own.traits.keys().map(String::as_str).collect();
        let sorted = {
            let mut sorted = own.clone();
            sorted.sort_unstable();
            sorted
        };
        if sorted != expected {
            self.differ(Kind::Traits, "responses", json!(expected), json!(own));
        }
        Ok(())
    }

    /// Returns whether a success is a list of `results` with the `meta` of its page.
    fn is_page(&self) -> Result<bool, Dangling> {
        let schemas = self.document.schemas;
        let objects = |node: &Node<'a>| -> Result<bool, Dangling> {
            let Form::Object { properties, .. } = schemas.view(node)?.form else { return Ok(false) };
            let (Some(results), Some(meta)) = (properties.get("results"), properties.get("meta")) else {
                return Ok(false);
            };
            let (results, meta) = (schemas.view(results)?, schemas.view(meta)?);
            Ok(matches!(results.form, Form::Array { .. }) && matches!(meta.form, Form::Object { .. }))
        };
        let mut found = responses::successes(self.operation)
            .filter_map(|(_, response)| responses::json(self.operation, response));
        match found.next().and_then(|(_, media)| media.schema.as_ref()) {
            Some(node) => objects(node),
            None => Ok(false),
        }
    }

    fn parameters(&mut self) -> Result<(), Dangling> {
        let mut left: BTreeMap<(Place, String), &code::Part> = BTreeMap::new();
        for (place, part) in &self.own.parameters {
            let name =
                if *place == Place::Header { part.name.to_ascii_lowercase() } else { part.name.clone() };
            if left.insert((*place, name), part).is_some() {
                let says = json!(part.name);
                self.differ(Kind::ParameterExtra, "parameters", Value::Null, says);
            }
        }
        for ((place, name), parameter) in &self.operation.parameters {
            self.comparer.count(match place {
                Place::Path => "path parameters",
                Place::Query => "query parameters",
                Place::Header | Place::Cookie => "header parameters",
            });
            let at = &parameter.at;
            let (pointer, reached) = (at.pointer.clone(), at.place.clone());
            let says = json!(format!("`{}` in {}", parameter.name, place.word()));
            let Some(part) = left.remove(&(*place, name.clone())) else {
                // Headers that HTTP itself sends are not parameters (OpenAPI 3.1, 4.8.12.2.1).
                let reserved = ["accept", "authorization", "content-type"];
                if *place != Place::Header || !reserved.contains(&name.as_str()) {
                    let rust = self.rust();
                    self.comparer.differ(Kind::ParameterMissing, pointer, reached, &rust, says, Value::Null);
                }
                continue;
            };
            let rust = Self::rust_of(part);
            if part.required != parameter.required {
                let word = |required: bool| json!(if required { "required" } else { "optional" });
                let says = (word(parameter.required), word(part.required));
                self.differ_at(Kind::ParameterRequired, at.child("required"), &rust, says.0, says.1);
            }
            let root = part.ty.as_ref().and_then(|key| self.comparer.root(key));
            match (&parameter.schema, root) {
                (Some(schema), Some(root)) => {
                    self.comparer.compare(schema, &root, &rust, Role::Plain)?;
                    let schema = (schema.pointer(), schema.place.clone());
                    Rules::new(self.beside.rules, self.comparer, rust)
                        .compare(Some(schema), part.rules.as_deref());
                }
                (_, root) => {
                    let says = (json!("no schema"), json!(root.and(part.ty.clone())));
                    self.differ_at(Kind::Type, at.child("schema"), &rust, says.0, says.1);
                }
            }
        }
        for ((place, name), part) in left {
            let rust = Self::rust_of(part);
            let at = self.operation.at.child("parameters");
            let at = At { place: at.place.child(format!("{}:{name}", place.word())), ..at };
            let says = json!(format!("`{}` in {}", part.name, place.word()));
            self.differ_at(Kind::ParameterExtra, at, &rust, Value::Null, says);
        }
        Ok(())
    }

    fn body(&mut self) -> Result<(), Dangling> {
        match (&self.operation.body, &self.own.body) {
            (None, None) => Ok(()),
            (None, Some((media, _))) => {
                self.differ(Kind::BodyExtra, "requestBody", Value::Null, json!(media));
                Ok(())
            }
            (Some(body), None) => {
                let media: Vec<&String> = body.media.keys().collect();
                self.differ(Kind::BodyMissing, "requestBody", json!(media), Value::Null);
                Ok(())
            }
            (Some(body), Some((media, part))) => self.bodies(body, media, part),
        }
    }

    fn bodies(&mut self, body: &Body<'a>, media: &str, part: &code::Part) -> Result<(), Dangling> {
        self.comparer.count("request bodies");
        let rust = Self::rust_of(part);
        if body.required != part.required {
            let says = (json!(body.required), json!(part.required));
            let kind = if body.required { Kind::ParameterRequired } else { Kind::BodyAlwaysSent };
            self.differ_at(kind, body.at.child("required"), &rust, says.0, says.1);
        }
        let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let stated = body.media.iter().find(|(name, _)| *name == media || essence(name) == media);
        for (name, other) in &body.media {
            if stated.is_some_and(|(stated, _)| name != stated) {
                self.differ_at(Kind::MediaUnused, other.at.clone(), &rust, json!(name), json!(media));
            }
        }
        let Some((_, stated)) = stated else {
            let names: Vec<&String> = body.media.keys().collect();
            self.differ_at(Kind::RequestMedia, body.at.child("content"), &rust, json!(names), json!(media));
            return Ok(());
        };
        let Some(root) = part.ty.as_ref().and_then(|key| self.comparer.root(key)) else {
            return Ok(());
        };
        match &stated.schema {
            Some(schema) => {
                self.comparer.compare(schema, &root, &rust, Role::Plain)?;
                // A value that is sent unchanged has no rules.
                let ruled = matches!(media, "application/json" | "application/x-www-form-urlencoded");
                let schema = ruled.then(|| (schema.pointer(), schema.place.clone()));
                Rules::new(self.beside.rules, self.comparer, rust).compare(schema, part.rules.as_deref());
                Ok(())
            }
            None => unstated(self.comparer, stated, part.ty.as_deref(), &rust),
        }
    }
}

/// Compares a body without a schema: it may be anything, so its type must accept anything.
pub(super) fn unstated<'a>(
    comparer: &mut Comparer<'a>,
    media: &Media<'a>,
    key: Option<&str>,
    rust: &Rust,
) -> Result<(), Dangling> {
    let Some(root) = key.and_then(|key| comparer.root(key)) else {
        return Ok(());
    };
    let at = media.at.child("schema");
    if key.is_some_and(|key| key.ends_with("String") || key.ends_with("Vec<u8>")) {
        comparer.differ(Kind::TypeInferred, at.pointer, at.place, rust, Value::Null, json!(key));
    } else if !matches!(comparer.code_view(&root)?.form, Form::Anything) {
        comparer.differ(Kind::Type, at.pointer, at.place, rust, json!("anything"), json!(key));
    }
    Ok(())
}

/// Returns the type that a schema refers to, or the schema itself.
fn target<'a>(code: &'a Code, schema: &'a Value) -> Option<&'a Value> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(name) => code.types.get(name.strip_prefix("#/$defs/")?),
        None => Some(schema),
    }
}

/// Returns the expression of a list: a separate type for it is a struct around it.
fn list(target: &Value, schema: &Value, value: &str) -> String {
    if std::ptr::eq(target, schema) { value.to_owned() } else { format!("{value}.0") }
}

/// Returns the expression that tells whether the member at this place of a value has a value; `*` stands for every item of a list.
fn is_set(code: &Code, schema: &Value, value: &str, place: &[String]) -> Option<String> {
    let (first, rest) = place.split_first()?;
    let target = target(code, schema)?;
    if first == "*" {
        let value = list(target, schema, value);
        let inner = is_set(code, target.get("items")?, "item", rest)?;
        return Some(format!("{value}.iter().all(|item|{inner})"));
    }
    let note = target.get("x-rust")?.get("fields")?.get(first)?;
    let inner = format!("{value}.{}", note.get("field")?.as_str()?);
    match (rest.is_empty(), note.get("omits").and_then(Value::as_str)) {
        (true, Some("null")) => Some(format!("{inner}.is_some()")),
        (true, _) => Some("true".to_owned()),
        (false, Some("null")) => None,
        (false, _) => is_set(code, target.get("properties")?.get(first)?, &inner, rest),
    }
}

/// Returns the statement that passes the optional string at this place of a value to `visit`; `*` stands for every item of a list. Returns
/// `None` if there is no such string.
fn visit(code: &Code, schema: &Value, value: &str, place: &[String]) -> Option<String> {
    let (first, rest) = place.split_first()?;
    let target = target(code, schema)?;
    if first == "*" {
        let value = list(target, schema, value);
        let inner = visit(code, target.get("items")?, "item", rest)?;
        return Some(format!("for item in&mut {value}{{{inner}}}"));
    }
    let note = target.get("x-rust")?.get("fields")?.get(first)?;
    let inner = format!("{value}.{}", note.get("field")?.as_str()?);
    let member = target.get("properties")?.get(first)?;
    match (rest.is_empty(), note.get("omits").and_then(Value::as_str)) {
        (true, Some("null")) => Some(format!("visit(&mut {inner});")),
        (false, Some(omits)) if omits != "null" => visit(code, member, &inner, rest),
        (false, None) => visit(code, member, &inner, rest),
        _ => None,
    }
}
