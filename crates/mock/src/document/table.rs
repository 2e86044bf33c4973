//! The document's table of resources (`x-resources`): which method of which resource an operation is.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::METHODS;

/// What an operation is in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    /// `users`, or `users.tenants` for a handle of one.
    pub(crate) resource: String,
    /// `get`, `list`, `upsert`, `edit`, `delete` or a verb of the resource's own.
    pub(crate) verb: String,
}

/// The roles of operations, by method and path.
pub(super) type Table = BTreeMap<(String, String), Role>;

/// Reads the table; nothing if the document has none.
pub(super) fn table(document: &Value) -> Table {
    let mut found = Table::new();
    for (resource, methods) in document.get("x-resources").and_then(Value::as_object).into_iter().flatten() {
        let name = resource.split('(').next().unwrap_or_default().trim();
        read(name, methods, &mut found);
    }
    found
}

fn read(resource: &str, methods: &Value, found: &mut Table) {
    for (name, value) in methods.as_object().into_iter().flatten() {
        let handle = name.split_once('(').map(|(handle, _)| handle.trim());
        if let (None, Some(call)) = (handle, call(value)) {
            found.insert(call, Role { resource: resource.to_owned(), verb: name.clone() });
        } else if value.is_object() {
            read(&format!("{resource}.{}", handle.unwrap_or(name)), value, found);
        }
    }
}

/// `get /path`, or an object that has the path under the method.
fn call(value: &Value) -> Option<(String, String)> {
    let text = value.as_str().and_then(|text| text.split_once(' '));
    let member = |members: &Map<String, Value>| {
        METHODS
            .iter()
            .find_map(|method| Some(((*method).to_owned(), members.get(*method)?.as_str()?.to_owned())))
            // A method of a resource may be called `get`; what it has there is no path alone.
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
        let role = |method: &str, path: &str, resource: &str, verb: &str| {
            ((method.into(), path.into()), Role { resource: resource.into(), verb: verb.into() })
        };
        assert_eq!(
            found,
            [
                role("get", "/team/{id}/", "teams", "get"),
                role("get", "/{id}/key/", "space.keys", "get"),
                role("post", "/team/{id}/", "teams", "upsert"),
                role("post", "/team/{id}/#many", "teams.members", "add"),
            ]
        );
        assert!(table(&json!({})).is_empty());
    }
}
