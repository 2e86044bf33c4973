//! Names of components, which become names of Rust types.

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
    /// Collects the names of a document's components.
    pub(crate) fn from_components(document: &Value) -> Self {
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        Self(schemas.into_iter().flat_map(Map::keys).cloned().collect())
    }

    /// Takes the wanted name, or the name followed by a number if it is already taken.
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

/// Returns the map of a document's component schemas, creating it if necessary.
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

/// Names that the generated types use without a path; a type with such a name would shadow them.
const TYPES_TAKEN: [&str; 5] = ["Default", "Err", "None", "Ok", "Some"];

/// Names that the module of the operations uses without a path; an operation with such a name would shadow them.
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

/// The methods that every client of progenitor has, and those that its operations call.
const METHODS_TAKEN: [&str; 9] =
    ["api_version", "baseurl", "client", "exec", "inner", "new", "new_with_client", "post", "pre"];

/// Returns whether an operation cannot have this name.
pub(crate) fn is_taken_by_client(id: &str) -> bool {
    let method = field_name(id);
    METHODS_TAKEN.contains(&method.as_str()) || OPERATIONS_TAKEN.contains(&method.to_pascal_case().as_str())
}

/// Returns whether an operation already has a field with the parameter's name: that of its body.
pub(crate) fn is_taken_by_body(parameter: &str, body: bool) -> bool {
    body && field_name(parameter) == "body"
}

/// Returns the letters and digits of a text; everything else separates words. `²` is a digit in Unicode, but not in a Rust name.
pub(crate) fn words(text: &str) -> String {
    let word = |c: char| c.is_alphanumeric() && unicode_ident::is_xid_continue(c);
    text.replace('\'', "").chars().map(|c| if word(c) { c } else { ' ' }).collect()
}

/// Returns a name in the form of Rust types.
pub(crate) fn type_name(text: &str) -> String {
    let name = variant_name(text);
    // Conversions of newtypes use it without a path. A variant may have the name: it is always behind that of its enum.
    if name == "String" { format!("X{name}") } else { name }
}

/// Returns a name in the form of Rust variants.
pub(crate) fn variant_name(text: &str) -> String {
    // Twice, because a single letter is a word: `a b` is `AB`, which the generator would turn into `Ab`.
    let name = words(text).to_pascal_case().to_pascal_case();
    let usable = syn::parse_str::<syn::Ident>(&name).is_ok() && !TYPES_TAKEN.contains(&name.as_str());
    if usable { name } else { format!("X{name}") }
}

/// Returns a name in the form of Rust fields and functions.
pub(crate) fn field_name(text: &str) -> String {
    let name = function_name(text);
    if name.is_empty() { "x".to_owned() } else { name }
}

/// Returns the name of the function for an operation with this id; empty if there is none.
pub(crate) fn function_name(id: &str) -> String {
    words(id).to_snake_case()
}

/// Returns the name of the Rust type for the schema at `pointer` of a corrected document, if it gets its own type: the component's name, or
/// else the title, or else a name derived from the path. If another type already has the name, a number is appended.
pub fn rust_type(document: &Value, pointer: &Pointer) -> String {
    let components = Pointer::root().child("components").child("schemas");
    if pointer.parent().is_some_and(|parent| parent == components) {
        type_name(&pointer.last())
    } else {
        describe(document, pointer)
    }
}

/// Returns the name of the Rust function for an operation: its id, or a name derived from method and path.
pub fn rust_function(operation: &Value, path: &str, method: &str) -> String {
    function_name(&crate::adapt::operation_id(operation, path, method))
}

/// Returns a name for the schema at `pointer`: its title, or the name of the nearest named object around it followed by the steps from
/// there. That object is a titled schema, a component or the operation (with the role, and the status of a response).
pub(crate) fn describe(document: &Value, pointer: &Pointer) -> String {
    let steps = pointer.tokens();
    let mut rest = steps.as_slice();
    let mut name = String::new();
    let mut here = (document, Node::Document);
    // The last step so far: for a path item, the path.
    let mut last = "";
    loop {
        if let (Node::Schema, Some(title)) = (here.1, here.0.get("title").and_then(Value::as_str)) {
            title.clone_into(&mut name);
        }
        if rest.is_empty() {
            return type_name(&name);
        }
        let Some((value, node, taken)) = grammar::towards(here.0, here.1, rest) else {
            // The place is not part of the grammar, so the pointer itself is the name.
            return type_name(pointer.as_str());
        };
        extend(&mut name, here.1, last, (value, node), taken);
        rest = &rest[taken.len()..];
        last = taken.last().map_or("", String::as_str);
        here = (value, node);
    }
}

/// Appends the step from one object to the next.
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
            ("String", "XString"),
            ("a-b", "Ab"),
            ("naïve", "Naïve"),
            ("m²", "M"),
            ("²", "X"),
            ("½ ① ٣", "X٣"),
            ("ⓐ", "X"),
        ] {
            assert_eq!(type_name(text), name, "{text:?}");
        }
        assert_eq!(variant_name("string"), "String");
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
