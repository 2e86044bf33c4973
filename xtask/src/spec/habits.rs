//! Upstream's habits: declarations that the specification does not allow, and their intended meaning.
//!
//! If the generator already understands what is meant, a habit is only reported ([`KNOWN`]). If the generator would reject it, and it has
//! only one possible meaning, it is corrected by an overlay that is rewritten with each import ([`CERTAIN`]). Everything else is rejected
//! by lint, with its place.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use suprsend_codegen::{Node, Pointer, Problems, Source, walk};

use super::overlays::{query, write};

/// The overlay with the corrections. It precedes all others, which refer to the document as it is meant.
pub(super) const READINGS: &str = "overlays/05-readings.yaml";

const HEAD: &str = "\
# Slips of upstream's document of which the meaning is certain: written anew by every `cargo xtask spec import`, do not edit.
overlay: 1.1.0
info:
  title: The document as it is meant
  version: 1.0.0
actions:
";

/// A kind of mistake that the generator interprets as it is meant.
struct Known {
    name: &'static str,
    meaning: &'static str,
    /// Returns the members of an object with this mistake.
    found: fn(&Map<String, Value>, Node) -> Vec<String>,
}

/// Members with their intended values.
type Meant = Vec<(String, Value)>;

/// A kind of mistake that is corrected.
struct Certain {
    name: &'static str,
    /// Returns the members of an object with this mistake, with their intended values.
    found: fn(&Map<String, Value>, Node) -> Meant,
}

const KNOWN: [Known; 15] = [
    Known {
        name: "nullable",
        meaning: "null is valid",
        found: |it, node| schema(it, node, &["nullable"], Value::is_boolean),
    },
    Known {
        name: "examples-map",
        meaning: "examples, as prose",
        found: |it, node| schema(it, node, &["examples"], Value::is_object),
    },
    Known { name: "default-of-another-type", meaning: "no default", found: defaults },
    Known {
        name: "boolean-required",
        meaning: "nothing; the object lists what it requires",
        found: |it, node| schema(it, node, &["required"], Value::is_boolean),
    },
    Known {
        name: "exclusive-flag",
        meaning: "the bound beside it is exclusive",
        found: |it, node| schema(it, node, &["exclusiveMinimum", "exclusiveMaximum"], Value::is_boolean),
    },
    Known {
        name: "type-without-value",
        meaning: "any type",
        found: |it, node| schema(it, node, &["type"], Value::is_null),
    },
    Known {
        name: "properties-without-value",
        meaning: "no property",
        found: |it, node| schema(it, node, &["properties"], Value::is_null),
    },
    Known {
        name: "keyword-without-value",
        meaning: "as if it were absent",
        found: |it, node| schema(it, node, &KEYWORDS, Value::is_null),
    },
    Known {
        name: "schema-without-value",
        meaning: "any value",
        found: |it, node| match node {
            Node::Schema => within(it.get("properties"), Value::is_null, "properties"),
            Node::MediaType | Node::Parameter | Node::Header => members(it, &["schema"], Value::is_null),
            _ => Vec::new(),
        },
    },
    Known {
        name: "items-as-list",
        meaning: "the first elements of a tuple",
        found: |it, node| schema(it, node, &["items"], Value::is_array),
    },
    Known {
        name: "enum-without-names",
        meaning: "any text, since the values have no Rust names",
        found: operators,
    },
    Known {
        name: "repeated-name",
        meaning: "once",
        found: |it, node| schema(it, node, &["required", "enum"], repeats),
    },
    Known {
        name: "path-parameter-optional",
        meaning: "required, as every parameter of a path",
        found: |it, node| {
            let path = node == Node::Parameter && it.get("in").is_some_and(|place| place == "path");
            if path && it.get("required") != Some(&Value::Bool(true)) {
                vec!["required".to_owned()]
            } else {
                Vec::new()
            }
        },
    },
    Known {
        name: "response-without-description",
        meaning: "nothing is said of it",
        found: |it, node| {
            let silent = node == Node::Response
                && !it.contains_key("$ref")
                && it.get("description").is_none_or(Value::is_null);
            if silent { vec!["description".to_owned()] } else { Vec::new() }
        },
    },
    Known {
        name: "header-name",
        meaning: "no name of a header; the client sends its own",
        found: |it, node| {
            let schemes = if node == Node::Components { it.get("securitySchemes") } else { None };
            within(
                schemes,
                |scheme| {
                    scheme["in"] == "header" && scheme["name"].as_str().is_some_and(|name| !is_token(name))
                },
                "securitySchemes",
            )
        },
    },
];

const CERTAIN: [Certain; 7] = [
    Certain { name: "type-misspelt", found: |it, node| certain(it, node == Node::Schema, &["type"], spelt) },
    Certain {
        name: "count-as-text",
        found: |it, node| {
            certain(it, node == Node::Schema, &COUNTS, |text| {
                text.as_str()?.trim().parse::<u64>().ok().map(Value::from)
            })
        },
    },
    Certain {
        name: "number-as-text",
        found: |it, node| certain(it, node == Node::Schema, &["minimum", "maximum", "multipleOf"], number),
    },
    Certain {
        name: "flag-as-text",
        found: |it, node| {
            let flags: &[&str] = match node {
                Node::Schema => &["nullable", "readOnly", "uniqueItems", "writeOnly"],
                Node::Parameter => &["required", "explode"],
                _ => &[],
            };
            certain(it, true, flags, flag)
        },
    },
    Certain {
        name: "text-as-number",
        found: |it, node| {
            let prose = matches!(
                node,
                Node::Schema | Node::Operation | Node::Response | Node::Parameter | Node::RequestBody
            );
            let scalar =
                |value: &Value| (value.is_number() || value.is_boolean()).then(|| value.to_string().into());
            certain(it, prose, &["description", "summary", "title"], scalar)
        },
    },
    Certain {
        name: "required-as-text",
        found: |it, node| {
            let known = |name: &str| it.get("properties").and_then(|all| all.get(name)).is_some();
            certain(it, node == Node::Schema, &["required"], |_| None)
                .into_iter()
                .chain(
                    it.get("required")
                        .and_then(Value::as_str)
                        .filter(|name| node == Node::Schema && known(name))
                        .map(|name| ("required".to_owned(), json!([name]))),
                )
                .collect()
        },
    },
    Certain {
        name: "enum-as-scalar",
        found: |it, node| {
            certain(it, node == Node::Schema, &["enum"], |value| {
                (value.is_string() || value.is_number()).then(|| json!([value]))
            })
        },
    },
];

const COUNTS: [&str; 6] =
    ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"];
const KEYWORDS: [&str; 12] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "description",
    "enum",
    "format",
    "items",
    "nullable",
    "oneOf",
    "pattern",
    "required",
    "title",
];

/// Mistakes of a document that are interpreted as they are meant.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// The kinds, each with its meaning and its places.
    known: BTreeMap<&'static str, (String, Vec<Pointer>)>,
    /// The corrections, as actions of an overlay.
    actions: Vec<Value>,
}

impl Readings {
    /// Finds the mistakes in upstream's document.
    pub(super) fn new(document: &Value) -> Self {
        let mut readings = Self::default();
        if !document.is_object() {
            return readings;
        }
        walk(document, Node::Document, &Pointer::root(), &mut |value, node, place| {
            let Some(members) = value.as_object() else { return };
            for kind in &KNOWN {
                for member in (kind.found)(members, node) {
                    readings.add(kind.name, kind.meaning, &place.join(&step(&member)));
                }
            }
            for kind in &CERTAIN {
                for (member, meant) in (kind.found)(members, node) {
                    let meaning = format!("corrected by {READINGS}");
                    readings.add(kind.name, &meaning, &place.child(&member));
                    readings.correct(document, place, &member, &meant);
                }
            }
        });
        readings
    }

    fn add(&mut self, name: &'static str, meaning: &str, place: &Pointer) {
        self.known.entry(name).or_insert_with(|| (meaning.to_owned(), Vec::new())).1.push(place.clone());
    }

    fn correct(&mut self, document: &Value, place: &Pointer, member: &str, meant: &Value) {
        let target = |place: &Pointer| {
            let steps: Vec<_> = query::steps(document, place).into_iter().map(|step| [step].into()).collect();
            query::from_steps(&steps)
        };
        let why = "The meaning is certain, the notation is not allowed.";
        let was = place.child(member).get(document).cloned().unwrap_or_default();
        // A list cannot be merged into anything else.
        if meant.is_array() {
            self.actions.push(json!({"target": target(&place.child(member)), "description": why, "x-was": was, "remove": true}));
            self.actions.push(json!({"target": target(place), "description": why, "x-was": {member: null}, "update": {member: meant}}));
        } else {
            self.actions.push(json!({"target": target(place), "description": why, "x-was": {member: was}, "update": {member: meant}}));
        }
    }

    /// Returns the overlay with the corrections, if there are any.
    pub(super) fn overlay(&self) -> Result<Option<Source>, Problems> {
        if self.actions.is_empty() {
            return Ok(None);
        }
        write::append(&Source::new(READINGS, ""), HEAD, &self.actions).map(Some)
    }

    /// Returns one line for each kind.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.known.iter().map(|(name, (meaning, places))| {
            let more = if places.len() > 1 {
                format!(" and {} more places", places.len() - 1)
            } else {
                String::new()
            };
            let first = places.first().map(ToString::to_string).unwrap_or_default();
            format!("{name}, at {first}{more}: read as: {meaning}")
        })
    }
}

/// Returns the pointer to a member, or to a member of a member.
fn step(member: &str) -> Pointer {
    match member.split_once('\0') {
        Some((outer, inner)) => Pointer::root().child(outer).child(inner),
        None => Pointer::root().child(member),
    }
}

fn members(object: &Map<String, Value>, names: &[&str], is: fn(&Value) -> bool) -> Vec<String> {
    names.iter().filter(|name| object.get(**name).is_some_and(is)).map(|name| (*name).to_owned()).collect()
}

fn schema(object: &Map<String, Value>, node: Node, names: &[&str], is: fn(&Value) -> bool) -> Vec<String> {
    if node == Node::Schema { members(object, names, is) } else { Vec::new() }
}

/// Returns matching members of a member, as the two names with a zero character between them.
fn within(object: Option<&Value>, is: impl Fn(&Value) -> bool, outer: &str) -> Vec<String> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members.filter(|(_, value)| is(value)).map(|(name, _)| format!("{outer}\0{name}")).collect()
}

fn certain(
    object: &Map<String, Value>,
    here: bool,
    names: &[&str],
    meant: impl Fn(&Value) -> Option<Value>,
) -> Vec<(String, Value)> {
    let found = names
        .iter()
        .filter(|_| here)
        .filter_map(|name| Some(((*name).to_owned(), meant(object.get(*name)?)?)));
    found.collect()
}

/// Corrects the spelling of a type.
fn spelt(name: &Value) -> Option<Value> {
    let name = name.as_str()?;
    let meant = match name.trim().to_ascii_lowercase().as_str() {
        "int" | "integer" => "integer",
        "bool" | "boolean" => "boolean",
        "float" | "double" | "number" => "number",
        "str" | "string" => "string",
        "list" | "array" => "array",
        "dict" | "map" | "object" => "object",
        _ => return None,
    };
    (meant != name).then(|| meant.into())
}

fn number(text: &Value) -> Option<Value> {
    let text = text.as_str()?.trim();
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from))
}

fn flag(text: &Value) -> Option<Value> {
    match text.as_str()?.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true.into()),
        "false" => Some(false.into()),
        _ => None,
    }
}

fn repeats(list: &Value) -> bool {
    let Some(items) = list.as_array() else { return false };
    items.iter().enumerate().any(|(index, item)| items[..index].contains(item))
}

fn defaults(object: &Map<String, Value>, node: Node) -> Vec<String> {
    let (Some(default), Some(name)) = (object.get("default"), object.get("type").and_then(Value::as_str))
    else {
        return Vec::new();
    };
    let fits = match name {
        "string" => default.is_string(),
        "integer" | "number" => default.is_number(),
        "boolean" => default.is_boolean(),
        "array" => default.is_array(),
        "object" => default.is_object(),
        _ => true,
    };
    if node == Node::Schema && !fits && !default.is_null() { vec!["default".to_owned()] } else { Vec::new() }
}

/// Finds values such as `==`, from which no name can be made.
fn operators(object: &Map<String, Value>, node: Node) -> Vec<String> {
    let nameless = |value: &Value| {
        value.as_str().is_some_and(|text| !text.is_empty() && !text.chars().any(char::is_alphanumeric))
    };
    let values = object.get("enum").and_then(Value::as_array);
    let found = node == Node::Schema && values.is_some_and(|values| values.iter().any(nameless));
    if found { vec!["enum".to_owned()] } else { Vec::new() }
}

/// Returns whether a text can be the name of a header (RFC 9110, 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

#[cfg(test)]
mod tests {
    use suprsend_codegen::{Project, Settings, generate};

    use super::*;

    const BODY: &str = "/paths/~1a~1{id}/post/requestBody/content/application~1json/schema";

    /// Returns a valid document with another value at a place.
    fn with(place: &str, value: &Value) -> Value {
        let mut document = json!({
            "openapi": "3.1.1",
            "info": {"title": "Habits", "version": "1"},
            "paths": {"/a/{id}": {"post": {
                "operationId": "make",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"b": {"type": "string"}}}}}},
                "responses": {"200": {"description": "Fine", "content": {"application/json": {"schema": {"type": "object"}}}}},
            }}},
            "components": {"securitySchemes": {}},
        });
        let place = Pointer::from_text(place);
        let parent = place.parent().unwrap().get_mut(&mut document).unwrap();
        match parent {
            Value::Array(items) => items[place.last().parse::<usize>().unwrap()] = value.clone(),
            parent => parent[place.last()] = value.clone(),
        }
        document
    }

    /// Returns the result for a document with the overlay for its mistakes.
    fn generated(document: &Value) -> Result<(Value, String), Problems> {
        let overlay = Readings::new(document).overlay()?;
        let source = Source::new("openapi.yaml", document.to_string());
        let corrected = Project::from_sources(source, overlay.into_iter().collect()).correct()?;
        generate(&corrected, &Settings::default()).map(|made| (corrected, made.rust))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table with a row for each kind")]
    fn each_kind_is_reported_by_place_and_stops_nothing() {
        let b = &format!("{BODY}/properties/b");
        let operation = "/paths/~1a~1{id}/post";
        let mut tried = Vec::new();
        for (name, place, value, at) in [
            ("nullable", b.clone(), json!({"type": "string", "nullable": true}), format!("{b}/nullable")),
            (
                "examples-map",
                b.clone(),
                json!({"type": "string", "examples": {"one": {"value": "x"}}}),
                format!("{b}/examples"),
            ),
            (
                "default-of-another-type",
                b.clone(),
                json!({"type": "integer", "default": "1"}),
                format!("{b}/default"),
            ),
            (
                "boolean-required",
                b.clone(),
                json!({"type": "string", "required": true}),
                format!("{b}/required"),
            ),
            (
                "exclusive-flag",
                b.clone(),
                json!({"type": "integer", "minimum": 0, "exclusiveMinimum": true}),
                format!("{b}/exclusiveMinimum"),
            ),
            ("type-without-value", b.clone(), json!({"type": null}), format!("{b}/type")),
            (
                "properties-without-value",
                b.clone(),
                json!({"type": "object", "properties": null}),
                format!("{b}/properties"),
            ),
            (
                "keyword-without-value",
                b.clone(),
                json!({"type": "array", "items": null}),
                format!("{b}/items"),
            ),
            ("schema-without-value", b.clone(), Value::Null, b.clone()),
            (
                "items-as-list",
                b.clone(),
                json!({"type": "array", "items": [{"type": "string"}]}),
                format!("{b}/items"),
            ),
            (
                "enum-without-names",
                b.clone(),
                json!({"type": "string", "enum": ["==", "<"]}),
                format!("{b}/enum"),
            ),
            ("repeated-name", format!("{BODY}/required"), json!(["b", "b"]), format!("{BODY}/required")),
            (
                "path-parameter-optional",
                format!("{operation}/parameters/0"),
                json!({"name": "id", "in": "path", "schema": {"type": "string"}}),
                format!("{operation}/parameters/0/required"),
            ),
            (
                "response-without-description",
                format!("{operation}/responses/404"),
                json!({}),
                format!("{operation}/responses/404/description"),
            ),
            (
                "header-name",
                "/components/securitySchemes/Token".to_owned(),
                json!({"type": "apiKey", "in": "header", "name": "Token <token>"}),
                "/components/securitySchemes/Token".to_owned(),
            ),
            ("type-misspelt", b.clone(), json!({"type": "Int"}), format!("{b}/type")),
            (
                "count-as-text",
                b.clone(),
                json!({"type": "string", "maxLength": "5"}),
                format!("{b}/maxLength"),
            ),
            (
                "number-as-text",
                b.clone(),
                json!({"type": "number", "minimum": "0.5"}),
                format!("{b}/minimum"),
            ),
            (
                "flag-as-text",
                b.clone(),
                json!({"type": "string", "readOnly": "false"}),
                format!("{b}/readOnly"),
            ),
            ("text-as-number", format!("{operation}/summary"), json!(1), format!("{operation}/summary")),
            ("required-as-text", format!("{BODY}/required"), json!("b"), format!("{BODY}/required")),
            ("enum-as-scalar", b.clone(), json!({"type": "string", "enum": "one"}), format!("{b}/enum")),
        ] {
            let document = with(&place, &value);
            let lines: Vec<String> = Readings::new(&document).lines().collect();
            let line = format!("{name}, at {at}: read as: ");
            assert!(lines.iter().any(|found| found.starts_with(&line)), "no `{line}` in {lines:#?}");
            generated(&document).unwrap_or_else(|problems| panic!("{name}: {problems}"));
            tried.push(name);
        }
        let mut all: Vec<_> =
            KNOWN.iter().map(|kind| kind.name).chain(CERTAIN.iter().map(|kind| kind.name)).collect();
        all.sort_unstable();
        tried.sort_unstable();
        assert_eq!(tried, all, "every kind is tried");
        assert!(
            Readings::new(&with(b, &json!({"type": "string"}))).lines().next().is_none(),
            "nothing is wrong with it"
        );
    }

    #[test]
    fn what_is_corrected_means_what_was_meant() {
        let b = format!("{BODY}/properties/b");
        for (place, value, meant) in [
            (&b, json!({"type": "Int"}), json!({"type": "integer"})),
            (&b, json!({"type": "string", "maxLength": " 5"}), json!({"type": "string", "maxLength": 5})),
            (&b, json!({"type": "number", "minimum": "0.5"}), json!({"type": "number", "minimum": 0.5})),
            (&b, json!({"type": "string", "enum": "one"}), json!({"type": "string", "enum": ["one"]})),
            (&format!("{BODY}/required"), json!("b"), json!(["b"])),
        ] {
            let (corrected, _) = generated(&with(place, &value)).unwrap();
            assert_eq!(Pointer::from_text(place.as_str()).get(&corrected), Some(&meant));
        }
    }

    #[test]
    fn what_is_not_certain_is_refused_by_place() {
        let b = format!("{BODY}/properties/b");
        for (place, value, part) in [
            (&b, json!({"type": "date"}), "properties/b/type: `\"date\"` is no type"),
            (
                &b,
                json!({"type": "string", "maxLength": "five"}),
                "properties/b/maxLength: text where a whole number",
            ),
            (
                &b,
                json!({"type": "string", "readOnly": "perhaps"}),
                "properties/b/readOnly: text where a boolean",
            ),
            (&format!("{BODY}/required"), json!("c"), "/required: text where a list of names"),
            (&format!("{BODY}/properties"), json!([]), "/properties: a list where an object"),
        ] {
            let error = generated(&with(place, &value)).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
