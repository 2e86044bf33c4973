//! The table of resources, `x-resources` at the document's root: which method of which resource each operation is.
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
//! ```

use serde_json::{Map, Value};

use crate::{Pointer, Problem, Problems, grammar};

/// The member of the document that holds the table.
pub const RESOURCES: &str = "x-resources";

/// The table, resource by resource.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The resources in their order.
    pub resources: Vec<Resource>,
}

/// A resource, or a handle of one.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name: `tenants`.
    pub name: String,
    /// The path parameters that a handle is given.
    pub parameters: Vec<String>,
    /// Its methods in their order.
    pub methods: Vec<Entry>,
    /// Its handles in their order.
    pub handles: Vec<Resource>,
}

/// A method of a resource: the operation that it is, and what the document cannot say of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name of the method.
    pub name: String,
    /// The HTTP method, in lower case.
    pub method: String,
    /// The path template.
    pub path: String,
    /// Whether the operation may be sent twice, where its HTTP method does not say it.
    pub idempotent: Option<bool>,
    /// The place of the idempotency key in the body, as the tokens of a pointer; `*` is every item of a list.
    pub idempotency_key: Option<Vec<String>>,
    /// The members of the body that the method takes as arguments; those that the body requires unless stated.
    pub arguments: Option<Vec<String>>,
    /// Path parameters that come from a setting of the client, each with its setting.
    pub settings: Vec<(String, String)>,
    /// The place of the entry.
    pub place: Pointer,
}

impl Table {
    /// Reads the table of a document; it is empty if the document has none.
    ///
    /// # Errors
    ///
    /// A problem for each entry that has another form.
    pub fn of(document: &Value) -> Result<Self, Problems> {
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

    /// All methods with the resources that they are below, outermost first.
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

    /// The entry of an operation.
    pub fn entry(&self, method: &str, path: &str) -> Option<&Entry> {
        let is_it = |entry: &&Entry| entry.method == method && entry.path == path;
        self.entries().into_iter().map(|(_, entry)| entry).find(is_it)
    }
}

/// The forms of an entry, for the messages.
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
        let mut resource =
            Resource { name: name.trim().to_owned(), parameters, methods: Vec::new(), handles: Vec::new() };
        if !is_name(&resource.name) {
            self.refuse(place, format!("`{}` is not a name in snake_case", resource.name));
        }
        for (name, member) in members {
            let place = place.child(name);
            // Its methods may be called `get` as well, so only the parentheses tell.
            if name.contains('(') {
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
                _ => self.refuse(&place, "is not a member of an entry, or of another type"),
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(known)
        && syn::parse_str::<syn::Ident>(text).is_ok()
}
