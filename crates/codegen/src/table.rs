//! The table of resources, `x-resources` at the document's root, which assigns each operation to a method of a resource.
//!
//! ```yaml
//! x-resources:
//!   tenants:
//!     list: get /v1/tenant/
//!     upsert: {post: '/v1/tenant/{tenant_id}/', idempotent: true}
//!     preferences(tenant_id):            # a handle: the parameter is given once
//!       get: get /v1/tenant/{tenant_id}/preference/
//!   workflows:
//!     trigger: {post: /trigger/, arguments: [workflow], idempotency_key: /$idempotency_key}
//!   workspace(workspace):
//!     feature: management                # a Cargo feature: without it, none of this is compiled
//!     keys:                              # a resource below a handle
//!       list: get /v1/{workspace}/key/
//! ```
//!
//! A member is a resource if it has parameters or contains methods. A method names an HTTP method and a path, either as text
//! (`get /v1/tenant/`) or as a member (`post: /trigger/`).

use serde_json::{Map, Value};

use crate::{Pointer, Problem, Problems, grammar};

/// The member of the document that contains the table.
pub const RESOURCES: &str = "x-resources";

/// The table, resource by resource.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The resources in order.
    pub resources: Vec<Resource>,
}

/// A resource, or a handle of one.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The name: `tenants`.
    pub name: String,
    /// The path parameters that the handle provides.
    pub parameters: Vec<String>,
    /// The Cargo feature that enables it and everything below it.
    pub feature: Option<String>,
    /// The methods in order.
    pub methods: Vec<Entry>,
    /// The handles and resources below it, in order.
    pub handles: Vec<Resource>,
    /// The place of the resource in the document.
    pub place: Pointer,
}

/// A method of a resource: its operation, and facts that the rest of the document cannot express.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name of the method.
    pub name: String,
    /// The HTTP method in lowercase.
    pub method: String,
    /// The path template.
    pub path: String,
    /// Whether the operation may be sent twice, if its HTTP method does not tell.
    pub idempotent: Option<bool>,
    /// The place of the idempotency key in the body, as the tokens of a pointer; `*` stands for every item of a list.
    pub idempotency_key: Option<Vec<String>>,
    /// The members of the body that the method takes as arguments. Defaults to those that the body requires.
    pub arguments: Option<Vec<String>>,
    /// Path parameters that come from settings of the client, each with its setting.
    pub settings: Vec<(String, String)>,
    /// The place where the body of a successful response reports whether it is a success.
    pub verdict: Option<Verdict>,
    /// The place of the entry in the document.
    pub place: Pointer,
}

/// The place where the body of a successful response reports whether the operation was carried out, in addition to the status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The query parameter that requests the report. Without it, or if it is `false`, nothing is checked. Otherwise the report must exist.
    pub asked_by: Option<String>,
    /// The place of the boolean in the body, as the tokens of a pointer.
    pub holds: Vec<String>,
    /// The place of the reasons why the boolean is false.
    pub reasons: Vec<String>,
}

impl Table {
    /// Reads the table of a document. It is empty if the document has none.
    ///
    /// # Errors
    ///
    /// A problem for each malformed entry.
    pub fn from_document(document: &Value) -> Result<Self, Problems> {
        let place = Pointer::root().child(RESOURCES);
        let mut reader = Reader { problems: Vec::new() };
        let mut table = Self::default();
        match document.get(RESOURCES) {
            None => {}
            Some(Value::Object(members)) => {
                for (name, member) in members {
                    let place = place.child(name);
                    let resource = reader.resource(name, member, &place);
                    table.resources.extend(resource);
                }
            }
            Some(_) => reader.refuse(&place, "is not a map of resources"),
        }
        Problems::none_or(reader.problems)?;
        Ok(table)
    }

    /// Returns whether there is a table.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Returns all methods with the resources that contain them, outermost first.
    pub fn entries(&self) -> Vec<(Vec<&Resource>, &Entry)> {
        fn walk<'a>(
            resource: &'a Resource,
            above: &[&'a Resource],
            found: &mut Vec<(Vec<&'a Resource>, &'a Entry)>,
        ) {
            let mut way = above.to_vec();
            way.push(resource);
            found.extend(resource.methods.iter().map(|entry| (way.clone(), entry)));
            resource.handles.iter().for_each(|handle| walk(handle, &way, found));
        }
        let mut found = Vec::new();
        self.resources.iter().for_each(|resource| walk(resource, &[], &mut found));
        found
    }

    /// Returns the entry of an operation.
    pub fn entry(&self, method: &str, path: &str) -> Option<&Entry> {
        self.found(method, path).map(|(_, entry)| entry)
    }

    /// Returns the Cargo feature that enables an operation.
    pub fn feature(&self, method: &str, path: &str) -> Option<&str> {
        let (way, _) = self.found(method, path)?;
        way.into_iter().find_map(|resource| resource.feature.as_deref())
    }

    /// Returns the places of the meant entries, or that of a resource if nothing else is in it.
    pub(crate) fn places(&self, is_meant: &dyn Fn(&Entry) -> bool) -> Vec<Pointer> {
        self.resources.iter().flat_map(|resource| resource.places(is_meant)).collect()
    }

    fn found(&self, method: &str, path: &str) -> Option<(Vec<&Resource>, &Entry)> {
        self.entries().into_iter().find(|(_, entry)| entry.method == method && entry.path == path)
    }
}

impl Resource {
    fn places(&self, is_meant: &dyn Fn(&Entry) -> bool) -> Vec<Pointer> {
        let entries = self.methods.iter().map(|entry| {
            let meant = is_meant(entry).then(|| entry.place.clone());
            (&entry.place, Vec::from_iter(meant))
        });
        let handles = self.handles.iter().map(|handle| (&handle.place, handle.places(is_meant)));
        let members: Vec<(&Pointer, Vec<Pointer>)> = entries.chain(handles).collect();
        let is_whole = |(member, meant): &(&Pointer, Vec<Pointer>)| meant.first() == Some(*member);
        if !members.is_empty() && members.iter().all(is_whole) {
            return vec![self.place.clone()];
        }
        members.into_iter().flat_map(|(_, meant)| meant).collect()
    }
}

/// The forms of an entry, for messages.
const FORM: &str = "write `get /v1/tenant/` or `{post: /trigger/, idempotent: true}`";

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn refuse(&mut self, place: &Pointer, reason: impl Into<String>) {
        self.problems.push(Problem::new(place, reason, FORM));
    }

    fn resource(&mut self, title: &str, value: &Value, place: &Pointer) -> Option<Resource> {
        let Some(members) = value.as_object() else {
            self.refuse(place, "is not a map of methods");
            return None;
        };
        let (name, parameters) = match title.split_once('(') {
            None => (title, Vec::new()),
            Some((name, rest)) => {
                let parameters = rest.trim_end_matches(')').split(',').map(|name| name.trim().to_owned());
                (name, parameters.collect())
            }
        };
        let mut resource = Resource {
            name: name.trim().to_owned(),
            parameters,
            feature: None,
            methods: Vec::new(),
            handles: Vec::new(),
            place: place.clone(),
        };
        if !is_name(&resource.name) {
            self.refuse(place, format!("`{}` is not a name in snake_case", resource.name));
        }
        for (name, member) in members {
            let place = place.child(name);
            if let ("feature", Some(feature)) = (name.as_str(), feature(member)) {
                resource.feature = Some(feature.to_owned());
            } else if name.contains('(') || holds_methods(member) {
                let handle = self.resource(name, member, &place);
                resource.handles.extend(handle);
            } else {
                let entry = self.entry(name, member, place);
                resource.methods.extend(entry);
            }
        }
        Some(resource)
    }

    fn entry(&mut self, name: &str, value: &Value, place: Pointer) -> Option<Entry> {
        if !is_name(name) {
            self.refuse(&place, format!("`{name}` is not a name in snake_case"));
        }
        let mut entry = Entry {
            name: name.to_owned(),
            method: String::new(),
            path: String::new(),
            idempotent: None,
            idempotency_key: None,
            arguments: None,
            settings: Vec::new(),
            verdict: None,
            place,
        };
        match value {
            Value::String(text) => {
                let (method, path) = text.split_once(' ').unwrap_or((text, ""));
                (entry.method, entry.path) = (method.to_owned(), path.trim().to_owned());
            }
            Value::Object(members) => self.members(members, &mut entry),
            _ => {}
        }
        if grammar::is_method(&entry.method) && entry.path.starts_with('/') {
            return Some(entry);
        }
        self.refuse(&entry.place, "names no operation");
        None
    }

    fn members(&mut self, members: &Map<String, Value>, entry: &mut Entry) {
        for (key, value) in members {
            let place = entry.place.child(key);
            match (key.as_str(), value) {
                (method, Value::String(path)) if grammar::is_method(method) => {
                    (entry.method, entry.path) = (method.to_owned(), path.clone());
                }
                ("idempotent", Value::Bool(idempotent)) => entry.idempotent = Some(*idempotent),
                ("idempotency_key", Value::String(pointer)) if pointer.starts_with('/') => {
                    entry.idempotency_key = Some(Pointer::from_text(pointer).tokens());
                }
                ("arguments", Value::Array(names)) if names.iter().all(Value::is_string) => {
                    entry.arguments =
                        Some(names.iter().filter_map(Value::as_str).map(str::to_owned).collect());
                }
                ("settings", Value::Object(members)) if members.values().all(Value::is_string) => {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    entry.settings =
                        members.iter().map(|(name, value)| (name.clone(), text(value))).collect();
                }
                ("verdict", Value::Object(members)) => entry.verdict = self.verdict(members, &place),
                _ => self.refuse(&place, "is not a member of an entry, or of another type"),
            }
        }
    }

    fn verdict(&mut self, members: &Map<String, Value>, place: &Pointer) -> Option<Verdict> {
        let (mut asked_by, mut holds, mut reasons) = (None, Vec::new(), Vec::new());
        for (key, value) in members {
            match (key.as_str(), value) {
                ("asked_by", Value::String(name)) => asked_by = Some(name.clone()),
                ("holds", Value::String(pointer)) => holds = Pointer::from_text(pointer).tokens(),
                ("reasons", Value::String(pointer)) => reasons = Pointer::from_text(pointer).tokens(),
                _ => self.refuse(&place.child(key), "is not a member of a verdict, or no text"),
            }
        }
        if holds.is_empty() || reasons.is_empty() {
            self.refuse(place, "states no place of the verdict or of its reasons (`holds`, `reasons`)");
            return None;
        }
        Some(Verdict { asked_by, holds, reasons })
    }
}

/// Returns the name of a Cargo feature. A method that is called `feature` has a path instead.
fn feature(value: &Value) -> Option<&str> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    value.as_str().filter(|text| !text.is_empty() && text.chars().all(known))
}

/// Returns whether a member is a resource: it is not an entry, and one of its own members is an entry or such a resource. An entry has an
/// HTTP method with a path, while a resource may have a method with such a name.
fn holds_methods(value: &Value) -> bool {
    let Some(members) = value.as_object() else { return false };
    let is_path = |value: &Value| value.as_str().is_some_and(|text| text.starts_with('/'));
    let is_entry = |members: &Map<String, Value>| {
        members.iter().any(|(key, value)| grammar::is_method(key) && is_path(value))
    };
    let is_method = |value: &Value| match value {
        Value::String(text) => text.split_once(' ').is_some_and(|(method, _)| grammar::is_method(method)),
        Value::Object(inner) => is_entry(inner) || holds_methods(value),
        _ => false,
    };
    !is_entry(members) && members.values().any(is_method)
}

fn is_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(known)
        && syn::parse_str::<syn::Ident>(text).is_ok()
}
