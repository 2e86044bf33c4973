//! The names of components, which are the names of Rust types.

use std::collections::HashSet;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::{Map, Value, json};

use crate::{
    Pointer,
    grammar::{self, Node},
};

/// The names that are taken.
#[derive(Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    /// The names of the components that a document has.
    pub(crate) fn from_components(document: &Value) -> Self {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        Self(schemas.into_iter().flat_map(Map::keys).cloned().collect())
    }

    /// Takes the wanted name, with a number behind it if it is taken already.
    pub(crate) fn take(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 2;
        while !self.0.insert(name.clone()) {
            name = format!("{wanted}{number}");
            number += 1;
        }
        name
    }
}

/// The map of a document's component schemas, which is made if there is none.
pub(crate) fn components(document: &mut Value) -> &mut Map<String, Value> {
    let mut place = document;
    for key in ["components", "schemas"] {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key];
    }
    if !place.is_object() {
        *place = json!({});
    }
    match place {
        Value::Object(schemas) => schemas,
        _ => unreachable!("made an object above"),
    }
}

/// What the generated types use without a path: a type of that name would stand in its place.
const TYPES_TAKEN: [&str; 5] = ["Default", "Err", "None", "Ok", "Some"];

/// What the module of the operations uses without a path: an operation of that name would stand in its place.
const OPERATIONS_TAKEN: [&str; 32] = [
    "Base",
    "Clone",
    "Credential",
    "CursorPaged",
    "Default",
    "Err",
    "Format",
    "Inspector",
    "Into",
    "Lookup",
    "Method",
    "None",
    "OffsetPaged",
    "Ok",
    "Operation",
    "Option",
    "Page",
    "Paged",
    "Parameter",
    "PartialEq",
    "Place",
    "Position",
    "Request",
    "RequestError",
    "Result",
    "Self",
    "Some",
    "Spec",
    "String",
    "Vec",
    "Visitor",
    "All",
];

/// The methods that every generated client of progenitor has, and those that its operations call.
const METHODS_TAKEN: [&str; 9] =
    ["api_version", "baseurl", "client", "exec", "inner", "new", "new_with_client", "post", "pre"];

/// Returns whether there is no room for an operation of this name.
pub(crate) fn is_taken_by_client(id: &str) -> bool {
    let method = field_name(id);
    METHODS_TAKEN.contains(&method.as_str()) || OPERATIONS_TAKEN.contains(&method.to_pascal_case().as_str())
}

/// Returns whether an operation has a field of the parameter's name already: that of its body.
pub(crate) fn is_taken_by_body(parameter: &str, body: bool) -> bool {
    body && field_name(parameter) == "body"
}

/// The letters and digits of a text; anything else separates words. `²` is a digit to Unicode, but not in a Rust name.
pub(crate) fn words(text: &str) -> String {
    let word = |c: char| c.is_alphanumeric() && unicode_ident::is_xid_continue(c);
    text.replace('\'', "").chars().map(|c| if word(c) { c } else { ' ' }).collect()
}

/// A name in the form of Rust types.
pub(crate) fn type_name(text: &str) -> String {
    // Twice, because a letter alone is a word: `a b` is `AB`, which the generator would take for `Ab`.
    let name = words(text).to_pascal_case().to_pascal_case();
    let usable = syn::parse_str::<syn::Ident>(&name).is_ok() && !TYPES_TAKEN.contains(&name.as_str());
    if usable { name } else { format!("X{name}") }
}

/// A name in the form of Rust fields and functions.
pub(crate) fn field_name(text: &str) -> String {
    let name = function_name(text);
    if name.is_empty() { "x".to_owned() } else { name }
}

/// The name of the function for an operation of this id; empty if there is none.
pub(crate) fn function_name(id: &str) -> String {
    words(id).to_snake_case()
}

/// The name of the Rust type for the schema at `pointer` of a corrected document, if it gets one of its own: the component's
/// name, else the title, else the way there. A number follows it where another type has the name already.
pub fn rust_type(document: &Value, pointer: &Pointer) -> String {
    let components = Pointer::root().child("components").child("schemas");
    if pointer.parent().is_some_and(|parent| parent == components) {
        type_name(&pointer.last())
    } else {
        describe(document, pointer)
    }
}

/// The name of the Rust function for an operation: its id, or what is derived from method and path in its place.
pub fn rust_function(operation: &Value, path: &str, method: &str) -> String {
    function_name(&crate::adapt::operation_id(operation, path, method))
}

/// A name for the schema at `pointer`: its title, or what the nearest named thing around it is called and the way from there.
/// Around it are a titled schema, a component or the operation (with the role, and the status of a response).
pub(crate) fn describe(document: &Value, pointer: &Pointer) -> String {
    let steps = pointer.tokens();
    let mut rest = steps.as_slice();
    let mut name = String::new();
    let mut here = (document, Node::Document);
    // The last step so far: the path, of a path item.
    let mut last = "";
    loop {
        if let (Node::Schema, Some(title)) = (here.1, here.0.get("title").and_then(Value::as_str)) {
            title.clone_into(&mut name);
        }
        if rest.is_empty() {
            return type_name(&name);
        }
        let Some((value, node, taken)) = grammar::towards(here.0, here.1, rest) else {
            // Not a place of the grammar: the way itself is the name.
            return type_name(pointer.as_str());
        };
        extend(&mut name, here.1, last, (value, node), taken);
        rest = &rest[taken.len()..];
        last = taken.last().map_or("", String::as_str);
        here = (value, node);
    }
}

/// Adds what the step from one object to the next says.
fn extend(name: &mut String, from: Node, last: &str, (value, node): (&Value, Node), steps: &[String]) {
    let keyword = steps.first().map_or("", String::as_str);
    let key = steps.last().map_or("", String::as_str);
    let step = match (from, node) {
        (Node::Components, _) => {
            key.clone_into(name);
            return;
        }
        (_, Node::Operation) => {
            *name = crate::adapt::operation_id(value, last, key);
            return;
        }
        (_, Node::RequestBody) => "Body".to_owned(),
        (_, Node::Response) => format!("Response {key}"),
        (_, Node::Parameter) => value["name"].as_str().unwrap_or(key).to_owned(),
        (_, Node::Header) => format!("{key} Header"),
        (Node::Schema, Node::Schema) => match keyword {
            "properties" | "$defs" | "definitions" => key.to_owned(),
            "items" | "contains" | "additionalItems" => "Item".to_owned(),
            "additionalProperties" | "patternProperties" => "Value".to_owned(),
            "oneOf" | "anyOf" => format!("Variant {key}"),
            "allOf" => format!("Part {key}"),
            "prefixItems" => format!("Item {key}"),
            other => other.to_owned(),
        },
        _ => return,
    };
    name.push(' ');
    name.push_str(&step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_are_identifiers() {
        for (text, name) in [
            ("Slack using member ID", "SlackUsingMemberId"),
            ("$<channel>", "Channel"),
            ("2fa", "X2fa"),
            ("self", "XSelf"),
            ("", "X"),
            ("🦀", "X"),
            ("it's", "Its"),
            ("ok", "XOk"),
            ("a-b", "Ab"),
            ("naïve", "Naïve"),
            ("m²", "M"),
            ("²", "X"),
            ("½ ① ٣", "X٣"),
            ("ⓐ", "X"),
        ] {
            assert_eq!(type_name(text), name, "{text:?}");
        }
    }

    #[test]
    fn a_component_is_called_by_its_key_and_an_operation_by_its_id() {
        let document =
            json!({"components": {"schemas": {"api-user": {"title": "Other", "properties": {"a": {}}}}}});
        let name = |place: &str| rust_type(&document, &Pointer::from_text(place));
        assert_eq!(name("/components/schemas/api-user"), "ApiUser");
        assert_eq!(name("/components/schemas/api-user/properties/a"), "OtherA");
        assert_eq!(rust_function(&json!({"operationId": "get-It"}), "/a", "get"), "get_it");
        assert_eq!(rust_function(&json!({}), "/a/{id}", "get"), "get_a_id");
    }

    #[test]
    fn a_name_comes_from_the_nearest_title_or_the_way() {
        let document = json!({"paths": {"/a/{id}": {"post": {
            "operationId": "do-it",
            "requestBody": {"content": {"application/json": {"schema": {"properties": {"x": {"items": {}}}}}}},
            "responses": {"404": {"content": {"application/json": {"schema": {
                "title": "Not there", "properties": {"y": {"oneOf": [{}, {"title": "Own"}]}}}}}}},
        }}}});
        let body = "/paths/~1a~1{id}/post/requestBody/content/application~1json/schema";
        let missing = "/paths/~1a~1{id}/post/responses/404/content/application~1json/schema";
        let name = |place: String| describe(&document, &Pointer::from_text(place));
        assert_eq!(name(body.to_owned()), "DoItBody");
        assert_eq!(name(format!("{body}/properties/x/items")), "DoItBodyXItem");
        assert_eq!(name(missing.to_owned()), "NotThere");
        assert_eq!(name(format!("{missing}/properties/y/oneOf/0")), "NotThereYVariant0");
        assert_eq!(name(format!("{missing}/properties/y/oneOf/1")), "Own");
    }
}
