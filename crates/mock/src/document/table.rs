//! The document's table of resources (`x-resources`), which assigns operations to methods of resources.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::METHODS;

/// The role of an operation in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    /// `users`, or `users.tenants` for a handle of a single user.
    pub(crate) resource: String,
    /// `get`, `list`, `upsert`, `edit`, `delete` or a resource-specific verb.
    pub(crate) verb: String,
    /// The resource and the handles below it with their parameters: `users`, `tenants(distinct_id)`.
    #[cfg_attr(not(feature = "page"), allow(dead_code, reason = "only the page writes calls"))]
    pub(crate) handles: Vec<(String, Vec<String>)>,
}

#[cfg(feature = "page")]
impl Role {
    /// Returns the SDK's method: `users().tenants(distinct_id).get`.
    pub(crate) fn call(&self) -> String {
        let handles =
            self.handles.iter().map(|(name, parameters)| format!("{name}({}).", parameters.join(", ")));
        handles.collect::<String>() + &self.verb
    }
}

/// The roles of operations, by method and path.
pub(super) type Table = BTreeMap<(String, String), Role>;

/// Reads the table. It is empty if the document has none.
pub(super) fn table(document: &Value) -> Table {
    let mut found = Table::new();
    for (resource, methods) in document.get("x-resources").and_then(Value::as_object).into_iter().flatten() {
        read(&[handle(resource)], methods, &mut found);
    }
    found
}

fn read(handles: &[(String, Vec<String>)], methods: &Value, found: &mut Table) {
    for (name, value) in methods.as_object().into_iter().flatten() {
        if let (false, Some(call)) = (name.contains('('), call(value)) {
            let names: Vec<_> = handles.iter().map(|(name, _)| name.as_str()).collect();
            let (resource, verb) = (names.join("."), name.clone());
            found.insert(call, Role { resource, verb, handles: handles.to_vec() });
        } else if value.is_object() {
            read(&[handles, &[handle(name)]].concat(), value, found);
        }
    }
}

/// Parses `name(first, second)`, or a plain name, into the name and the parameters.
fn handle(text: &str) -> (String, Vec<String>) {
    let (name, parameters) = text.split_once('(').unwrap_or((text, ""));
    let parameters = parameters.trim_end_matches(')').split(',').map(str::trim);
    (
        name.trim().to_owned(),
        parameters.filter(|parameter| !parameter.is_empty()).map(str::to_owned).collect(),
    )
}

/// Parses `get /path`, or an object with a method as key and a path as value.
fn call(value: &Value) -> Option<(String, String)> {
    let text = value.as_str().and_then(|text| text.split_once(' '));
    let member = |members: &Map<String, Value>| {
        METHODS
            .iter()
            .find_map(|method| Some(((*method).to_owned(), members.get(*method)?.as_str()?.to_owned())))
            // A resource may have a method named `get`, whose value is not a plain path.
            .filter(|(_, path)| path.starts_with('/'))
    };
    text.map(|(method, path)| (method.to_owned(), path.to_owned())).or_else(|| member(value.as_object()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn methods_and_handles_become_roles() {
        let document = json!({"x-resources": {"teams": {
            "get": "get /team/{id}/",
            "upsert": {"post": "/team/{id}/", "idempotent": true},
            "members(id)": {"add": {"post": "/team/{id}/#many", "arguments": ["ids"]}},
        }, "space(id)": {"feature": "extra", "keys": {"get": "get /{id}/key/"}}}});
        let found: Vec<_> = table(&document).into_iter().collect();
        let role = |method: &str, path: &str, handles: &[(&str, &[&str])], verb: &str| {
            let names: Vec<_> = handles.iter().map(|(name, _)| *name).collect();
            let handles = handles.iter().map(|(name, parameters)| {
                (String::from(*name), parameters.iter().copied().map(String::from).collect())
            });
            let role = Role { resource: names.join("."), verb: verb.into(), handles: handles.collect() };
            ((method.into(), path.into()), role)
        };
        assert_eq!(
            found,
            [
                role("get", "/team/{id}/", &[("teams", &[])], "get"),
                role("get", "/{id}/key/", &[("space", &["id"]), ("keys", &[])], "get"),
                role("post", "/team/{id}/", &[("teams", &[])], "upsert"),
                role("post", "/team/{id}/#many", &[("teams", &[]), ("members", &["id"])], "add"),
            ]
        );
        assert!(table(&json!({})).is_empty());
    }
}
