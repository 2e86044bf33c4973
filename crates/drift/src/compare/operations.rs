//! The operations of the document against those of the code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::schemas::{Comparer, Role, Rust};
use crate::{
    code::{self, Arm, Code, Decoded, Place, Segment, squeezed},
    document::{Body, Document, Media, Operation, Reply},
    finding::{Difference, Kind},
    pointer::Pointer,
    schema::{Dangling, Form},
};

/// What a reply carries, as far as code tells replies apart.
enum Carried<'d, 'a> {
    Nothing,
    Json(&'d str, &'d Media<'a>),
    Bytes,
}

pub(super) fn compare<'a>(
    document: &Document<'a>,
    code: &'a Code,
    comparer: &mut Comparer<'a>,
) -> Result<(), Dangling> {
    let mut matched = vec![false; code.operations.len()];
    for operation in &document.operations {
        comparer.count("operations");
        let (shape, _) = operation.shape();
        let same = code.operations.iter().enumerate();
        let same: Vec<_> =
            same.filter(|(_, own)| own.method == operation.method && own.shape() == shape).collect();
        for (index, _) in &same {
            matched[*index] = true;
        }
        let file = Rust { spot: code.file.clone(), owner: None };
        let at = &operation.at;
        let says = json!(format!("{} {}", operation.method, operation.path));
        match same.as_slice() {
            [] => {
                let (pointer, place) = (at.pointer.clone(), at.place.clone());
                comparer.differ(Kind::OperationMissing, pointer, place, &file, says, Value::Null);
            }
            [(_, own)] => Pass { operation, own, comparer }.compare()?,
            several => {
                let names: Vec<&str> = several.iter().map(|(_, own)| own.name.as_str()).collect();
                let (pointer, place) = (at.pointer.clone(), at.place.clone());
                comparer.differ(Kind::OperationRepeated, pointer, place, &file, says, json!(names));
            }
        }
    }
    for (own, _) in code.operations.iter().zip(matched).filter(|(_, matched)| !matched) {
        let rust = Rust { spot: own.spot.to_string(), owner: None };
        let paths = Pointer::root().child("paths");
        let place = paths.child(own.shape()).child(&own.method);
        let says = json!(format!("{} {}", own.method, own.shape()));
        comparer.differ(Kind::OperationExtra, paths, place, &rust, Value::Null, says);
    }
    if code.version.as_deref() != Some(document.version.as_str()) {
        let at = Pointer::root().child("info").child("version");
        let rust = Rust { spot: format!("{} Client::api_version", code.file), owner: None };
        let says = (json!(document.version), json!(code.version));
        comparer.differ(Kind::Version, at.clone(), at, &rust, says.0, says.1);
    }
    Ok(())
}

/// Compares the operation at this place, if the code has exactly one that it can be, until the differences are `enough`.
pub(super) fn compare_one<'a>(
    document: &Document<'a>,
    code: &Code,
    comparer: &mut Comparer<'a>,
    at: &Pointer,
    enough: &dyn Fn(&[Difference]) -> bool,
) -> Result<(), Dangling> {
    let Some(operation) = document.operations.iter().find(|operation| operation.at.pointer == *at) else {
        return Ok(());
    };
    let shape = operation.shape().0;
    let mut same =
        code.operations.iter().filter(|own| own.method == operation.method && own.shape() == shape);
    match (same.next(), same.next()) {
        (Some(own), None) => Pass { operation, own, comparer }.compare_until(enough),
        _ => Ok(()),
    }
}

/// One operation of each side.
struct Pass<'p, 'a> {
    operation: &'p Operation<'a>,
    own: &'p code::Operation,
    comparer: &'p mut Comparer<'a>,
}

impl<'a> Pass<'_, 'a> {
    fn compare(self) -> Result<(), Dangling> {
        self.compare_until(&|_| false)
    }

    fn compare_until(mut self, enough: &dyn Fn(&[Difference]) -> bool) -> Result<(), Dangling> {
        self.identity();
        self.path();
        self.parameters()?;
        self.headers();
        if enough(&self.comparer.compared.differences) {
            return Ok(());
        }
        self.body()?;
        if enough(&self.comparer.compared.differences) {
            return Ok(());
        }
        self.replies()
    }

    fn rust(&self) -> Rust {
        Rust { spot: self.own.spot.to_string(), owner: None }
    }

    fn of(part: &code::Part) -> Rust {
        Rust { spot: part.spot.to_string(), owner: None }
    }

    fn differ(&mut self, kind: Kind, member: &str, rust: &Rust, document: Value, code: Value) {
        let at = self.operation.at.child(member);
        self.comparer.differ(kind, at.pointer, at.place, rust, document, code);
    }

    fn identity(&mut self) {
        let stated = self.operation.id.clone();
        let derived = format!("{} {}", self.operation.method, self.operation.path);
        if squeezed(stated.as_deref().unwrap_or(&derived)) != squeezed(&self.own.id) {
            let rust = self.rust();
            self.differ(Kind::OperationId, "operationId", &rust, json!(stated), json!(self.own.id));
        }
    }

    fn path(&mut self) {
        let (_, names) = self.operation.shape();
        let setters: Vec<&str> = self
            .own
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Parameter(setter) => Some(setter.as_str()),
                Segment::Text(_) => None,
            })
            .collect();
        let same = names.len() == setters.len()
            && names.iter().zip(&setters).all(|(name, setter)| squeezed(name) == squeezed(setter));
        if !same {
            let rust = self.rust();
            let (pointer, place) = (self.operation.at.pointer.clone(), self.operation.at.place.clone());
            self.comparer.differ(Kind::PathParameters, pointer, place, &rust, json!(names), json!(setters));
        }
    }

    fn parameters(&mut self) -> Result<(), Dangling> {
        let mut left: BTreeMap<(Place, String), &code::Part> =
            self.own.parameters.iter().map(|(key, part)| (key.clone(), part)).collect();
        for ((place, name), parameter) in &self.operation.parameters {
            self.comparer.count(match place {
                Place::Path => "path parameters",
                Place::Query => "query parameters",
                Place::Header | Place::Cookie => "header parameters",
            });
            // The name of a path parameter is not on the wire; its method goes by it.
            let found = left
                .keys()
                .find(|(own_place, own)| {
                    own_place == place
                        && (own == name || (*place == Place::Path && squeezed(own) == squeezed(name)))
                })
                .cloned();
            let at = &parameter.at;
            let (pointer, reached) = (at.pointer.clone(), at.place.clone());
            let says = json!(format!("`{}` in {}", parameter.name, place.word()));
            let Some(part) = found.and_then(|key| left.remove(&key)) else {
                let rust = self.rust();
                self.comparer.differ(Kind::ParameterMissing, pointer, reached, &rust, says, Value::Null);
                continue;
            };
            let rust = Self::of(part);
            if part.required != parameter.required {
                let word = |required: bool| json!(if required { "required" } else { "optional" });
                let (pointer, reached) = (pointer.child("required"), reached.child("required"));
                let says = (word(parameter.required), word(part.required));
                self.comparer.differ(Kind::ParameterRequired, pointer, reached, &rust, says.0, says.1);
            }
            let root = part.ty.as_ref().and_then(|key| self.comparer.root(key));
            match (&parameter.schema, root) {
                (Some(schema), Some(root)) => self.comparer.compare(schema, &root, &rust, Role::Plain)?,
                (_, root) => {
                    let says = (json!("no schema"), json!(root.and(part.ty.clone())));
                    let (pointer, reached) = (pointer.child("schema"), reached.child("schema"));
                    self.comparer.differ(Kind::Type, pointer, reached, &rust, says.0, says.1);
                }
            }
        }
        for ((place, name), part) in left {
            let rust = Self::of(part);
            let place_of = self.operation.at.child("parameters");
            let reached = place_of.place.child(format!("{}:{name}", place.word()));
            let says = json!(format!("`{}` in {}", part.name, place.word()));
            self.comparer.differ(Kind::ParameterExtra, place_of.pointer, reached, &rust, Value::Null, says);
        }
        Ok(())
    }

    fn headers(&mut self) {
        for (name, value) in &self.own.headers {
            let rust = self.rust();
            let at = self.operation.at.child("parameters");
            let reached = at.place.child(format!("header:{name}"));
            let says = json!(format!("`{name}: {value}`"));
            self.comparer.differ(Kind::HeaderExtra, at.pointer, reached, &rust, Value::Null, says);
        }
        let json = self.operation.replies.values().any(|reply| matches!(carried(reply), Carried::Json(..)));
        let right = match self.own.accept.as_deref() {
            None => !json,
            Some("application/json") => json,
            Some(_) => false,
        };
        if !right {
            let rust = self.rust();
            let says = json!(if json { "JSON" } else { "no JSON" });
            self.differ(Kind::Accept, "responses", &rust, says, json!(self.own.accept));
        }
    }

    fn body(&mut self) -> Result<(), Dangling> {
        match (&self.operation.body, &self.own.body) {
            (None, None) => Ok(()),
            (None, Some((media, part))) => {
                let rust = Self::of(part);
                self.differ(Kind::BodyExtra, "requestBody", &rust, Value::Null, json!(media));
                Ok(())
            }
            (Some(body), None) => {
                let rust = self.rust();
                let media: Vec<&String> = body.media.keys().collect();
                self.differ(Kind::BodyMissing, "requestBody", &rust, json!(media), Value::Null);
                Ok(())
            }
            (Some(body), Some((media, part))) => self.bodies(body, media, part),
        }
    }

    fn bodies(&mut self, body: &Body<'a>, media: &str, part: &code::Part) -> Result<(), Dangling> {
        self.comparer.count("request bodies");
        let rust = Self::of(part);
        if !body.required {
            let at = body.at.child("required");
            let says = (json!("optional"), json!("always sent"));
            self.comparer.differ(Kind::BodyAlwaysSent, at.pointer, at.place, &rust, says.0, says.1);
        }
        for (name, other) in &body.media {
            if name != media && body.media.contains_key(media) {
                let at = other.at.clone();
                self.comparer.differ(
                    Kind::MediaUnused,
                    at.pointer,
                    at.place,
                    &rust,
                    json!(name),
                    json!(media),
                );
            }
        }
        let Some(stated) = body.media.get(media) else {
            let at = body.at.child("content");
            let names: Vec<&String> = body.media.keys().collect();
            self.comparer.differ(Kind::RequestMedia, at.pointer, at.place, &rust, json!(names), json!(media));
            return Ok(());
        };
        let Some(root) = part.ty.as_ref().and_then(|key| self.comparer.root(key)) else {
            return Ok(());
        };
        match &stated.schema {
            Some(schema) => self.comparer.compare(schema, &root, &rust, Role::Plain),
            None => self.unstated(stated, part.ty.as_deref(), &rust),
        }
    }

    /// A body without a schema may be anything, and so has to be what the code makes of it.
    fn unstated(&mut self, media: &Media<'a>, key: Option<&str>, rust: &Rust) -> Result<(), Dangling> {
        let Some(root) = key.and_then(|key| self.comparer.root(key)) else {
            return Ok(());
        };
        if matches!(key, Some("String" | "reqwest::Body")) {
            let at = media.at.child("schema");
            self.comparer.differ(Kind::TypeInferred, at.pointer, at.place, rust, Value::Null, json!(key));
        } else if !matches!(self.comparer.code_view(&root)?.form, Form::Anything) {
            let at = media.at.child("schema");
            self.comparer.differ(Kind::Type, at.pointer, at.place, rust, json!("anything"), json!(key));
        }
        Ok(())
    }

    fn replies(&mut self) -> Result<(), Dangling> {
        // What is declared for a status, and the arm that it goes to: within a class all statuses of one pair are alike.
        // By class, what is declared and which arm: the first and the last status.
        type Pair<'a> = (u16, Option<&'a str>, Option<usize>);
        let mut pairs: BTreeMap<Pair<'_>, (u16, u16)> = BTreeMap::new();
        let own = self.own;
        let operation = self.operation;
        for (first, last) in self.spans() {
            let arm = own.arms.iter().position(|arm| (arm.from..=arm.to).contains(&first));
            let span = pairs.entry((first / 100, operation.declared(first), arm)).or_insert((first, last));
            span.1 = last;
        }
        for ((_, declared, arm), (first, last)) in pairs {
            let arm = arm.map(|index| &own.arms[index]);
            let undeclared = arm.is_none_or(|arm| arm.decoded == Decoded::Undeclared);
            match declared.and_then(|name| Some((name, operation.replies.get(name)?))) {
                None if undeclared => {}
                None => {
                    if let Some(arm) = arm {
                        let rust = Rust { spot: arm.spot.to_string(), owner: None };
                        let at = operation.at.child("responses");
                        let reached = at.place.child(format!("{first}-{last}"));
                        let says = json!(format!("{first} to {last}: {}", decoded(arm)));
                        self.comparer.differ(Kind::ReplyExtra, at.pointer, reached, &rust, Value::Null, says);
                    }
                }
                Some((name, reply)) => {
                    self.comparer.count("statuses");
                    self.reply(name, reply, arm.filter(|_| !undeclared), first, last)?;
                }
            }
        }
        for reply in self.operation.replies.values() {
            if let Carried::Json(media, stated) = carried(reply)
                && media != "application/json"
            {
                let (rust, at) = (self.rust(), stated.at.clone());
                let says = (json!(media), json!("application/json"));
                self.comparer.differ(Kind::ReplyMedia, at.pointer, at.place, &rust, says.0, says.1);
            }
        }
        Ok(())
    }

    /// Runs of statuses that are all declared alike and go to the same arm.
    fn spans(&self) -> Vec<(u16, u16)> {
        let exact = self.operation.replies.keys().filter_map(|name| name.parse::<u16>().ok());
        let mut starts: BTreeSet<u16> = exact.flat_map(|status| [status, status.saturating_add(1)]).collect();
        starts.extend(self.own.arms.iter().flat_map(|arm| [arm.from, arm.to.saturating_add(1)]));
        starts.extend([100, 200, 300, 400, 500, 600]);
        let starts: Vec<u16> = starts.into_iter().filter(|status| (100..=600).contains(status)).collect();
        starts.windows(2).map(|pair| (pair[0], pair[1] - 1)).collect()
    }

    fn reply(
        &mut self,
        name: &str,
        reply: &Reply<'a>,
        arm: Option<&Arm>,
        first: u16,
        last: u16,
    ) -> Result<(), Dangling> {
        let expected = carried(reply);
        let (pointer, place) = (reply.at.pointer.clone(), reply.at.place.clone());
        let says = match &expected {
            Carried::Nothing => json!("no body"),
            Carried::Json(media, _) => json!(format!("a body of {media}")),
            Carried::Bytes => {
                let content = reply.at.pointer.child("content");
                let schemas = self.comparer.document();
                content.get(schemas.root()).map_or(Value::Null, |content| schemas.content(content))
            }
        };
        let success = (200..=299).contains(&first);
        let Some(arm) = arm else {
            let rust = self.rust();
            let elsewhere = matches!(first, 100..=199 | 300..=399) || success;
            // An error of another kind than the others, which have a type.
            let other = self.own.arms.iter().any(|arm| {
                arm.success == success && matches!(arm.decoded, Decoded::Type(_) | Decoded::Bytes)
            });
            let kind = if name == "default" && elsewhere {
                Kind::DefaultNarrowed
            } else if other && !matches!(expected, Carried::Json(..)) {
                Kind::ReplyUndeclared
            } else {
                Kind::ReplyDecoded
            };
            let place = if kind == Kind::DefaultNarrowed { place.child(first.to_string()) } else { place };
            let code = json!(format!("{first} to {last}: not declared"));
            self.comparer.differ(kind, pointer, place, &rust, says, code);
            return Ok(());
        };
        let rust = Rust { spot: arm.spot.to_string(), owner: None };
        let root = match &arm.decoded {
            Decoded::Type(key) => self.comparer.root(key).map(|root| (key, root)),
            _ => None,
        };
        match (&expected, &arm.decoded, root) {
            _ if arm.success != success => {}
            (Carried::Nothing, Decoded::Nothing, _) => return Ok(()),
            (Carried::Bytes, Decoded::Bytes, _) => {
                let (pointer, place) = (pointer.child("content"), place.child("content"));
                self.comparer.differ(Kind::ReplyBytes, pointer, place, &rust, says, json!("bytes"));
                return Ok(());
            }
            (Carried::Json(_, stated), Decoded::Type(_), Some((key, root))) => {
                for (other, media) in &reply.media {
                    if media.at != stated.at {
                        let (pointer, place) = (media.at.pointer.clone(), media.at.place.clone());
                        let says = json!(other);
                        self.comparer.differ(Kind::MediaUnused, pointer, place, &rust, says, json!("JSON"));
                    }
                }
                return match &stated.schema {
                    Some(schema) => self.comparer.compare(schema, &root, &rust, Role::Reply),
                    None => self.unstated(stated, Some(key), &rust),
                };
            }
            _ => {}
        }
        let code = json!(decoded(arm));
        self.comparer.differ(Kind::ReplyDecoded, pointer, place, &rust, says, code);
        Ok(())
    }
}

fn carried<'d, 'a>(reply: &'d Reply<'a>) -> Carried<'d, 'a> {
    let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = |name: &str| essence(name) == "application/json" || essence(name).ends_with("+json");
    let plain = reply.media.iter().find(|(name, _)| essence(name) == "application/json");
    match plain.or_else(|| reply.media.iter().find(|(name, _)| is_json(name))) {
        Some((name, media)) => Carried::Json(name, media),
        None if reply.media.is_empty() => Carried::Nothing,
        None => Carried::Bytes,
    }
}

fn decoded(arm: &Arm) -> String {
    let side = if arm.success { "success" } else { "error" };
    match &arm.decoded {
        Decoded::Type(key) => format!("{side} of the type {key}"),
        Decoded::Nothing => format!("{side} without a body"),
        Decoded::Bytes => format!("{side} of bytes"),
        Decoded::Undeclared => "not declared".to_owned(),
    }
}
