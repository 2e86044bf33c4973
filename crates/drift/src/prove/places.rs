//! The places of a document where an operator can apply.

use serde_json::Value;

use super::mutant::{Edit, Mutant};
use crate::{document::METHODS, pointer::Pointer};

/// The role of the object at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Document,
    Path,
    Operation,
    Parameter,
    Body,
    /// The responses of an operation, by status.
    Responses,
    Response,
    /// The content of a body or a response, by media type.
    Content,
    Scheme,
    Schema,
}

/// A place with its content.
#[derive(Debug, Clone)]
pub(super) struct Site<'d> {
    pub(super) role: Role,
    pub(super) pointer: Pointer,
    /// The value as written.
    pub(super) stated: &'d Value,
    /// The target of its reference, if it is one, joined with the members next to the reference.
    pub(super) value: Value,
}

impl Site<'_> {
    pub(super) fn is_reference(&self) -> bool {
        self.stated.get("$ref").is_some()
    }

    /// Creates a change of only this place: the target of a reference stays unchanged for others that refer to it.
    pub(super) fn mutant(&self, operator: &'static str, note: impl Into<String>, edits: Vec<Edit>) -> Mutant {
        let mut all = Vec::new();
        if self.is_reference() {
            all.push(Edit::Put(self.pointer.clone(), self.value.clone()));
        }
        all.extend(edits);
        Mutant { operator, pointer: self.pointer.clone(), note: note.into(), edits: all }
    }

    /// Sets a member.
    pub(super) fn put(&self, operator: &'static str, member: &str, value: impl Into<Value>) -> Mutant {
        let value = value.into();
        let note = format!("{member}: {value}");
        self.mutant(operator, note, vec![Edit::Put(self.pointer.child(member), value)])
    }

    /// Removes a member.
    pub(super) fn without(&self, operator: &'static str, member: &str) -> Mutant {
        self.mutant(operator, member, vec![Edit::Remove(self.pointer.child(member))])
    }

    /// Renames a member.
    pub(super) fn renamed(&self, operator: &'static str, member: &str, name: &str) -> Mutant {
        let edit = Edit::Rename(self.pointer.child(member), name.to_owned());
        self.mutant(operator, format!("{member} as {name}"), vec![edit])
    }

    pub(super) fn member(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str()
    }

    /// Returns the names of its members.
    pub(super) fn members(&self) -> Vec<&str> {
        self.value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
    }

    /// Returns the names of a member's members.
    pub(super) fn names(&self, member: &str) -> Vec<&str> {
        self.member(member)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// Returns every place of a document.
pub(super) fn sites(document: &Value) -> Vec<Site<'_>> {
    let mut walk = Walk { document, sites: Vec::new() };
    walk.document();
    walk.sites
}

struct Walk<'d> {
    document: &'d Value,
    sites: Vec<Site<'d>>,
}

impl<'d> Walk<'d> {
    /// Records a place. Returns the value there, unless it is a reference.
    fn site(&mut self, role: Role, pointer: &Pointer) -> Option<&'d Value> {
        let stated = pointer.get(self.document)?;
        let value = resolved(self.document, stated);
        let site = Site { role, pointer: pointer.clone(), stated, value };
        let own = !site.is_reference();
        self.sites.push(site);
        own.then_some(stated)
    }

    fn document(&mut self) {
        let root = Pointer::root();
        self.site(Role::Document, &root);
        for path in members(self.document, &root.child("paths")) {
            let Some(item) = self.site(Role::Path, &path) else { continue };
            self.parameters(&path);
            for method in METHODS.into_iter().filter(|method| item.get(method).is_some()) {
                self.operation(&path.child(method));
            }
        }
        let components = root.child("components");
        for pointer in members(self.document, &components.child("schemas")) {
            self.schema(&pointer);
        }
        for pointer in members(self.document, &components.child("parameters")) {
            self.parameter(&pointer);
        }
        for pointer in members(self.document, &components.child("requestBodies")) {
            self.body(&pointer);
        }
        for pointer in members(self.document, &components.child("responses")) {
            self.response(&pointer);
        }
        for pointer in members(self.document, &components.child("securitySchemes")) {
            self.site(Role::Scheme, &pointer);
        }
    }

    fn operation(&mut self, at: &Pointer) {
        self.site(Role::Operation, at);
        self.parameters(at);
        self.body(&at.child("requestBody"));
        let responses = at.child("responses");
        self.site(Role::Responses, &responses);
        for response in members(self.document, &responses) {
            self.response(&response);
        }
    }

    fn parameters(&mut self, above: &Pointer) {
        for parameter in elements(self.document, &above.child("parameters")) {
            self.parameter(&parameter);
        }
    }

    fn parameter(&mut self, at: &Pointer) {
        if self.site(Role::Parameter, at).is_some() {
            self.schema(&at.child("schema"));
        }
    }

    fn body(&mut self, at: &Pointer) {
        if self.site(Role::Body, at).is_some() {
            self.content(&at.child("content"));
        }
    }

    fn response(&mut self, at: &Pointer) {
        if self.site(Role::Response, at).is_some() {
            self.content(&at.child("content"));
        }
    }

    fn content(&mut self, at: &Pointer) {
        self.site(Role::Content, at);
        for media in members(self.document, at) {
            self.schema(&media.child("schema"));
        }
    }

    fn schema(&mut self, at: &Pointer) {
        if !at.get(self.document).is_some_and(Value::is_object) || self.site(Role::Schema, at).is_none() {
            return;
        }
        for keyword in ["properties"] {
            for schema in members(self.document, &at.child(keyword)) {
                self.schema(&schema);
            }
        }
        for keyword in ["items", "additionalProperties"] {
            self.schema(&at.child(keyword));
        }
        for keyword in ["oneOf", "anyOf", "allOf", "prefixItems"] {
            for schema in elements(self.document, &at.child(keyword)) {
                self.schema(&schema);
            }
        }
    }
}

fn members(document: &Value, at: &Pointer) -> Vec<Pointer> {
    let members = at.get(document).and_then(Value::as_object).into_iter().flatten();
    members.filter(|(name, _)| !name.starts_with("x-")).map(|(name, _)| at.child(name)).collect()
}

fn elements(document: &Value, at: &Pointer) -> Vec<Pointer> {
    let count = at.get(document).and_then(Value::as_array).map_or(0, Vec::len);
    (0..count).map(|index| at.element(index)).collect()
}

/// Returns a copy of a reference's target, with the members next to the reference.
fn resolved(document: &Value, stated: &Value) -> Value {
    let mut value = stated.clone();
    for _ in 0..32 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        let Some(Value::Object(found)) = target.and_then(|target| target.get(document)) else { break };
        let mut found = found.clone();
        if let Value::Object(beside) = &mut value {
            beside.shift_remove("$ref");
            found.extend(std::mem::take(beside));
        }
        value = Value::Object(found);
    }
    value
}

/// Returns whether a schema accepts everything.
pub(super) fn says_nothing(schema: &Value) -> bool {
    let prose = ["description", "title", "example", "examples"];
    match schema {
        Value::Object(members) => {
            let read = |key: &str| key != "x-sensitive" && (key.starts_with("x-") || prose.contains(&key));
            members.keys().all(|key| read(key))
        }
        other => *other == Value::Bool(true),
    }
}
