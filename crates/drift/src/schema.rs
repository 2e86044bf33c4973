//! Schemas in a normal form, whichever keywords express them. Both the document's schemas and those of the code are read with this.
//!
//! A [`Node`] is a place of a schema. Its [`View`] is the normalized content: references followed, `allOf` joined, null removed, several
//! types turned into alternatives. A keyword without a structure of its own, such as `minItems`, remains a keyword with its value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::pointer::Pointer;

/// Keywords that do not affect which instances are valid.
const ANNOTATIONS: [&str; 9] = [
    "$comment",
    "$defs",
    "$schema",
    "description",
    "example",
    "examples",
    "externalDocs",
    "title",
    "definitions",
];

/// Keywords that become the structure of a view.
const STRUCTURE: [&str; 14] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "enum",
    "format",
    "items",
    "nullable",
    "oneOf",
    "prefixItems",
    "properties",
    "required",
    "type",
];

/// Keywords that apply only to instances of one type.
const OF_TYPES: [(&str, &[Type]); 21] = [
    ("additionalProperties", &[Type::Object]),
    ("contains", &[Type::Array]),
    ("exclusiveMaximum", &[Type::Integer, Type::Number]),
    ("exclusiveMinimum", &[Type::Integer, Type::Number]),
    ("items", &[Type::Array]),
    ("maxItems", &[Type::Array]),
    ("maxLength", &[Type::String]),
    ("maxProperties", &[Type::Object]),
    ("maximum", &[Type::Integer, Type::Number]),
    ("minItems", &[Type::Array]),
    ("minLength", &[Type::String]),
    ("minProperties", &[Type::Object]),
    ("minimum", &[Type::Integer, Type::Number]),
    ("multipleOf", &[Type::Integer, Type::Number]),
    ("pattern", &[Type::String]),
    ("patternProperties", &[Type::Object]),
    ("prefixItems", &[Type::Array]),
    ("properties", &[Type::Object]),
    ("propertyNames", &[Type::Object]),
    ("required", &[Type::Object]),
    ("uniqueItems", &[Type::Array]),
];

/// Formats of numbers; all others are formats of strings.
const NUMERIC_FORMATS: [&str; 10] =
    ["double", "float", "int16", "int32", "int64", "int8", "uint16", "uint32", "uint64", "uint8"];

/// A reference without a target, or in a circle.
#[derive(Debug, Clone)]
pub(crate) struct Dangling {
    pub(crate) pointer: Pointer,
    pub(crate) reference: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    pub(crate) const ALL: [Self; 7] =
        [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.word() == word)
    }

    fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

/// A schema object that applies at a node, and its place.
#[derive(Debug, Clone)]
struct Part<'a> {
    schema: &'a Value,
    pointer: Pointer,
    /// Its alternatives have been split up: they, and the keywords next to them, must not be read again.
    opened: bool,
}

/// The place of a schema, or of several that apply together.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    parts: Vec<Part<'a>>,
    /// Only instances of this type are considered.
    only: Option<Type>,
    /// The place by a name that does not depend on the order of alternatives or parameters.
    pub(crate) place: Pointer,
}

/// The normalized content of a schema.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    /// The node itself; for an alternative of something and null, that something.
    pub(crate) node: Node<'a>,
    /// The place of the innermost schema that the node leads to.
    pub(crate) pointer: Pointer,
    /// Whether null is allowed in addition to what `form` expresses.
    pub(crate) nullable: bool,
    pub(crate) form: Form<'a>,
    /// Whether `type` is missing and follows from other keywords.
    pub(crate) inferred: bool,
}

/// Keywords by name, each with its place and its value.
pub(crate) type Constraints = BTreeMap<String, (Pointer, Value)>;

#[derive(Debug, Clone)]
pub(crate) enum Form<'a> {
    Anything,
    Nothing,
    Scalar {
        of: Type,
        format: Option<String>,
        values: Option<BTreeSet<String>>,
    },
    /// `tuple` are the schemas of the first items, if these have their own.
    Array {
        items: Option<Node<'a>>,
        tuple: Vec<Node<'a>>,
    },
    Object {
        properties: BTreeMap<String, Node<'a>>,
        required: BTreeSet<String>,
        unknown: Unknown<'a>,
    },
    Union {
        how: How,
        variants: Vec<Node<'a>>,
    },
}

/// The rule for properties that are not declared.
#[derive(Debug, Clone)]
pub(crate) enum Unknown<'a> {
    Unstated,
    Any,
    Of(Node<'a>),
    Refused,
}

/// The way in which several schemas form alternatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    OneOf,
    AnyOf,
    Types,
    /// All of them may apply at once, each to its own properties of the same object.
    SideBySide,
    /// The first one that keeps every member that any of them keeps; a value that none keeps completely stays JSON.
    Kept,
}

impl How {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::OneOf => "oneOf",
            Self::AnyOf | Self::Kept => "anyOf",
            Self::Types => "type",
            Self::SideBySide => "x-parts",
        }
    }
}

/// The schemas of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schemas<'a> {
    root: &'a Value,
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(root: &'a Value) -> Self {
        Self { root }
    }

    pub(crate) fn root(self) -> &'a Value {
        self.root
    }

    /// Returns the node of the schema at a pointer that is reached at a place.
    pub(crate) fn node(self, pointer: &Pointer, place: &Pointer) -> Option<Node<'a>> {
        let part = Part { schema: pointer.get(self.root)?, pointer: pointer.clone(), opened: false };
        Some(Node { parts: vec![part], only: None, place: place.clone() })
    }

    fn parts(self, node: &Node<'a>) -> Result<Vec<Part<'a>>, Dangling> {
        let mut parts = Vec::new();
        for part in &node.parts {
            self.gather(part.clone(), &mut parts, 0)?;
        }
        Ok(parts)
    }

    /// Collects the part, and those that it refers to or consists of.
    fn gather(self, part: Part<'a>, parts: &mut Vec<Part<'a>>, depth: usize) -> Result<(), Dangling> {
        if part.opened {
            // It has already been collected, and so has what it refers to.
            parts.push(part);
            return Ok(());
        }
        if let Some(reference) = part.schema.get("$ref") {
            let text = reference.as_str().unwrap_or_default();
            let dangling = || Dangling { pointer: part.pointer.child("$ref"), reference: text.to_owned() };
            let target = Pointer::from_reference(text).filter(|_| depth < 64).ok_or_else(dangling)?;
            let schema = target.get(self.root).ok_or_else(dangling)?;
            self.gather(Part { schema, pointer: target, opened: false }, parts, depth + 1)?;
        }
        for (index, schema) in list(part.schema, "allOf").enumerate() {
            let pointer = part.pointer.child("allOf").element(index);
            self.gather(Part { schema, pointer, opened: false }, parts, depth + 1)?;
        }
        parts.push(part);
        Ok(())
    }

    /// Returns the place of a node's target if it only refers to that; otherwise its own place.
    fn home(self, node: &Node<'a>) -> Pointer {
        let mut place = node.place.clone();
        let Some(mut part) = node.innermost().map(|part| part.schema) else { return place };
        for _ in 0..64 {
            let alone = part.as_object().is_some_and(|part| part.keys().filter(|key| says(key)).count() == 1);
            let reference = part.get("$ref").and_then(Value::as_str).filter(|_| alone);
            let Some(target) = reference.and_then(Pointer::from_reference) else { break };
            let Some(next) = target.get(self.root) else { break };
            (part, place) = (next, target);
        }
        place
    }

    /// Returns the view of a node.
    pub(crate) fn view(self, node: &Node<'a>) -> Result<View<'a>, Dangling> {
        let parts = self.parts(node)?;
        let node = &node.at(self.home(node));
        let pointer = parts
            .iter()
            .filter(|part| !part.opened)
            .find(|part| part.schema.as_object().is_some_and(|schema| schema.keys().any(|key| says(key))))
            .or(parts.last())
            .map(|part| part.pointer.clone())
            .unwrap_or_default();
        let mut view =
            View { node: node.clone(), pointer, nullable: false, form: Form::Anything, inferred: false };
        if parts.iter().any(|part| *part.schema == Value::Bool(false)) {
            view.form = Form::Nothing;
            return Ok(view);
        }
        let types = Types::from_parts(&parts);
        view.inferred = types.inferred;
        if let Some((how, part, schemas)) = alternatives(&parts) {
            return self.union(node, view, &types, how, part, schemas);
        }
        let mut names = types.names;
        view.nullable = names.as_ref().is_none_or(|names| names.contains(&Type::Null));
        if let Some(only) = node.only {
            names = Some(BTreeSet::from([only]));
            view.nullable = false;
        }
        let Some(mut names) = names else { return Ok(view) };
        if names.len() > 1 {
            names.remove(&Type::Null);
        }
        if names.contains(&Type::Number) {
            names.remove(&Type::Integer);
        }
        let names: Vec<Type> = names.into_iter().collect();
        view.form = match names.as_slice() {
            [] => Form::Nothing,
            [one] => Self::single(&parts, node, *one),
            several => Form::Union {
                how: How::Types,
                variants: several
                    .iter()
                    .map(|one| Node {
                        parts: node.parts.clone(),
                        only: Some(*one),
                        place: node.place.child("type").child(one.word()),
                    })
                    .collect(),
            },
        };
        Ok(view)
    }

    /// Returns a view of alternatives, in which null is not an alternative but an addition.
    fn union(
        self,
        node: &Node<'a>,
        mut view: View<'a>,
        types: &Types,
        how: How,
        part: &Part<'a>,
        schemas: Vec<&'a Value>,
    ) -> Result<View<'a>, Dangling> {
        let base: Vec<Part<'a>> =
            self.parts(node)?.into_iter().map(|part| Part { opened: true, ..part }).collect();
        let mut variants = Vec::new();
        for (index, schema) in schemas.into_iter().enumerate() {
            let pointer = part.pointer.child(how.word()).element(index);
            let mut parts = base.clone();
            parts.push(Part { schema, pointer, opened: false });
            let variant = Node { parts, only: node.only, place: node.place.child(how.word()).element(index) };
            let inner = self.view(&variant)?;
            if matches!(inner.form, Form::Scalar { of: Type::Null, .. }) {
                view.nullable = types.names.as_ref().is_none_or(|names| names.contains(&Type::Null));
            } else {
                variants.push(variant);
            }
        }
        if let [only] = variants.as_slice() {
            let inner = self.view(only)?;
            view.nullable |= inner.nullable;
            view.inferred = inner.inferred;
            view.node = inner.node;
            view.pointer = inner.pointer;
            view.form = inner.form;
        } else {
            view.inferred = false;
            view.form = Form::Union { how, variants };
        }
        Ok(view)
    }

    fn single(parts: &[Part<'a>], node: &Node<'a>, of: Type) -> Form<'a> {
        match of {
            Type::Array => Form::Array { items: items(parts, node), tuple: tuple(parts, node) },
            Type::Object => object(parts, node),
            _ => {
                let numeric = matches!(of, Type::Integer | Type::Number);
                let textual = of == Type::String;
                let format = parts.iter().find_map(|part| part.schema.get("format")?.as_str());
                let fits = |format: &&str| {
                    let of_number = NUMERIC_FORMATS.contains(format);
                    if node.only.is_none() { numeric || textual } else { numeric == of_number }
                };
                let values = Types::from_parts(parts).values.map(|values| {
                    let kept = values.into_iter().filter(|value| Type::from_value(value) == of);
                    kept.map(std::string::ToString::to_string).collect()
                });
                Form::Scalar { of, format: format.filter(fits).map(str::to_owned), values }
            }
        }
    }

    /// Returns whether values of a node are sensitive.
    pub(crate) fn is_sensitive(self, node: &Node<'a>) -> Result<bool, Dangling> {
        let is_marked = |part: &Part<'a>| part.schema.get("x-sensitive") == Some(&Value::Bool(true));
        Ok(self.parts(node)?.iter().any(is_marked))
    }

    /// Returns whether the members of a node that have no name in it are sensitive.
    pub(crate) fn is_rest_sensitive(self, node: &Node<'a>) -> Result<bool, Dangling> {
        let mut rests =
            self.parts(node)?.into_iter().filter_map(|part| part.schema.get("additionalProperties"));
        Ok(rests.any(|rest| rest.get("x-sensitive") == Some(&Value::Bool(true))))
    }

    /// Returns whether values of a node contain something sensitive.
    pub(crate) fn contains_sensitive(self, node: &Node<'a>) -> Result<bool, Dangling> {
        let mut open: Vec<&Value> = self.parts(node)?.into_iter().map(|part| part.schema).collect();
        let mut seen = BTreeSet::new();
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    if members.get("x-sensitive") == Some(&Value::Bool(true)) {
                        return Ok(true);
                    }
                    let target = members.get("$ref").and_then(Value::as_str).filter(|to| seen.insert(*to));
                    open.extend(target.and_then(Pointer::from_reference).and_then(|to| to.get(self.root)));
                    open.extend(members.values());
                }
                Value::Array(values) => open.extend(values),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Returns every keyword at a node without a structure of its own, with its place and its value, in which references are followed.
    pub(crate) fn constraints(self, node: &Node<'a>) -> Result<Constraints, Dangling> {
        let (parts, only) = (self.parts(node)?, node.only);
        // If any type is allowed, a format applies to the types that it fits.
        let typeless =
            only.is_none() && Types::from_parts(&parts).names.is_none() && alternatives(&parts).is_none();
        let structure = |keyword: &str| STRUCTURE.contains(&keyword) && !(typeless && keyword == "format");
        let mut found = Constraints::new();
        for part in parts.iter().filter(|part| !part.opened) {
            let own = part.schema.as_object().into_iter().flatten();
            let checks = part.schema.get("x-checks").and_then(Value::as_object).into_iter().flatten();
            let own = own.filter(|(keyword, _)| says(keyword) && !structure(keyword));
            let checks = checks.filter(|(keyword, _)| !structure(keyword));
            for (keyword, value) in own.chain(checks) {
                if is_default(keyword, value) || !applies(keyword, only) {
                    continue;
                }
                let value = if matches!(keyword.as_str(), "default" | "discriminator") {
                    sorted(value)
                } else {
                    self.content(value)
                };
                let pointer = part.pointer.child(keyword);
                match found.get_mut(keyword) {
                    None => drop(found.insert(keyword.clone(), (pointer, value))),
                    Some((_, other)) if *other != value => *other = json!([other, value]),
                    Some(_) => {}
                }
            }
            // A second set of alternatives has no structure.
            for keyword in ["oneOf", "anyOf"] {
                let first = alternatives(&parts).map(|(how, part, _)| part.pointer.child(how.word()));
                let pointer = part.pointer.child(keyword);
                if let Some(value) = part.schema.get(keyword)
                    && first.as_ref() != Some(&pointer)
                {
                    found.insert(keyword.to_owned(), (pointer, self.content(value)));
                }
            }
        }
        Ok(found)
    }

    /// Returns a value that may contain schemas, with references followed, without annotations, in a canonical order.
    pub(crate) fn content(self, value: &Value) -> Value {
        self.expand(value, &mut Vec::new())
    }

    fn expand(self, value: &Value, open: &mut Vec<String>) -> Value {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    if let Some(depth) = open.iter().rev().position(|known| known == reference) {
                        return json!({ "$again": depth });
                    }
                    let target = Pointer::from_reference(reference).and_then(|place| place.get(self.root));
                    let Some(target) = target else { return value.clone() };
                    open.push(reference.to_owned());
                    let mut expanded = self.expand(target, open);
                    open.pop();
                    if let Value::Object(expanded) = &mut expanded {
                        for (key, value) in members.iter().filter(|(key, _)| *key != "$ref" && says(key)) {
                            let value = self.member(key, value, open);
                            let beside = expanded.shift_remove(key);
                            let joined = beside.map_or(value.clone(), |other| json!([other, value]));
                            expanded.insert(key.clone(), joined);
                        }
                        expanded.sort_keys();
                    }
                    return expanded;
                }
                let mut expanded: Map<String, Value> = members
                    .iter()
                    .filter(|(key, value)| says(key) && !is_default(key, value))
                    .map(|(key, value)| (key.clone(), self.member(key, value, open)))
                    .collect();
                expanded.sort_keys();
                expanded.into()
            }
            Value::Array(values) => values.iter().map(|value| self.expand(value, open)).collect(),
            _ => value.clone(),
        }
    }

    fn member(self, key: &str, value: &Value, open: &mut Vec<String>) -> Value {
        match (key, value) {
            // Names, not keywords.
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(inner)) => {
                let mut named: Map<String, Value> =
                    inner.iter().map(|(name, schema)| (name.clone(), self.expand(schema, open))).collect();
                named.sort_keys();
                named.into()
            }
            ("const" | "default", _) => sorted(value),
            ("enum" | "required" | "type", Value::Array(values)) => {
                let mut values: Vec<Value> = values.iter().map(sorted).collect();
                values.sort_by_key(Value::to_string);
                values.into()
            }
            _ => self.expand(value, open),
        }
    }

    /// Returns the content of a node with references followed. It is the same for all nodes that lead to the same places.
    pub(crate) fn identity(self, node: &Node<'a>) -> Result<String, Dangling> {
        let parts = self.parts(node)?;
        // A schema that only refers has no content of its own.
        let saying = parts.iter().filter(|part| {
            part.schema.as_object().is_none_or(|schema| schema.keys().any(|key| key != "$ref" && says(key)))
        });
        let pointers: Vec<&str> = saying.map(|part| part.pointer.as_str()).collect();
        Ok(format!("{} {}", pointers.join(" "), node.only.map_or("", Type::word)))
    }
}

impl<'a> Node<'a> {
    /// Returns the same node, reached at another place.
    pub(crate) fn at(&self, place: Pointer) -> Self {
        Self { place, ..self.clone() }
    }

    /// Returns the place of its schema. If there are several, it is the last one, which is the most specific.
    pub(crate) fn pointer(&self) -> Pointer {
        self.parts.last().map(|part| part.pointer.clone()).unwrap_or_default()
    }

    /// Returns the part that does not surround alternatives, if there is one.
    fn innermost(&self) -> Option<&Part<'a>> {
        let (last, others) = self.parts.split_last()?;
        others.iter().all(|part| part.opened).then_some(last)
    }

    /// Returns whether the schema is `false`, which no instance matches.
    pub(crate) fn is_never(&self) -> bool {
        self.parts.iter().any(|part| *part.schema == Value::Bool(false))
    }

    /// Returns the definition that the node refers to.
    pub(crate) fn reference(&self) -> Option<&'a str> {
        self.innermost()?.schema.get("$ref")?.as_str()
    }

    /// Returns a keyword of the innermost schema. For an alternative, this excludes its surroundings.
    pub(crate) fn keyword(&self, schemas: Schemas<'a>, keyword: &str) -> Option<&'a Value> {
        let parts = schemas.parts(self).ok()?;
        parts.into_iter().filter(|part| !part.opened).find_map(|part| part.schema.get(keyword))
    }

    /// Returns the node as a schema for a validator, and the pointers in it with the corresponding pointers in the document.
    pub(crate) fn to_schema(&self) -> (Value, Vec<(Pointer, Pointer)>) {
        if let ([part], None) = (self.parts.as_slice(), self.only)
            && part.schema.is_object()
        {
            return (part.schema.clone(), vec![(Pointer::root(), part.pointer.clone())]);
        }
        let mut places = Vec::new();
        let mut all: Vec<Value> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let mut schema = part.schema.clone();
            if let (true, Value::Object(members)) = (part.opened, &mut schema) {
                members.shift_remove("oneOf");
                members.shift_remove("anyOf");
                members.shift_remove("allOf");
                members.shift_remove("$ref");
            }
            places.push((Pointer::root().child("allOf").element(index), part.pointer.clone()));
            all.push(schema);
        }
        if let Some(only) = self.only {
            all.push(json!({"type": only.word()}));
        }
        (json!({ "allOf": all }), places)
    }
}

/// Returns whether a keyword constrains instances.
pub(crate) fn says(keyword: &str) -> bool {
    !keyword.starts_with("x-") && !ANNOTATIONS.contains(&keyword)
}

/// Sorts the keys of data.
fn sorted(value: &Value) -> Value {
    let mut value = value.clone();
    value.sort_all_objects();
    value
}

/// Returns a number as JSON, in the same form for equal numbers.
pub(crate) fn plain_number(number: f64) -> String {
    format!("{number}")
}

/// Returns whether every instance is allowed.
fn says_nothing(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => {
            members.iter().all(|(keyword, value)| !says(keyword) || is_default(keyword, value))
        }
        other => *other == Value::Bool(true),
    }
}

/// Returns whether a keyword has the value that it also has if it is missing.
fn is_default(keyword: &str, value: &Value) -> bool {
    match keyword {
        "deprecated" | "readOnly" | "writeOnly" | "uniqueItems" => *value == Value::Bool(false),
        "minItems" | "minLength" | "minProperties" => *value == json!(0),
        _ => false,
    }
}

fn applies(keyword: &str, only: Option<Type>) -> bool {
    only.is_none_or(|only| {
        OF_TYPES.iter().find(|(name, _)| *name == keyword).is_some_and(|(_, types)| types.contains(&only))
    })
}

fn list<'a>(schema: &'a Value, keyword: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}

/// Returns the first set of alternatives that has not been split up.
fn alternatives<'p, 'a>(parts: &'p [Part<'a>]) -> Option<(How, &'p Part<'a>, Vec<&'a Value>)> {
    parts.iter().filter(|part| !part.opened).find_map(|part| {
        [How::OneOf, How::AnyOf, How::SideBySide].into_iter().find_map(|how| {
            let schemas = part.schema.get(how.word())?.as_array()?;
            let how = if part.schema.get("x-kept").is_some() { How::Kept } else { how };
            Some((how, part, schemas.iter().collect()))
        })
    })
}

fn items<'a>(parts: &[Part<'a>], node: &Node<'a>) -> Option<Node<'a>> {
    let place = node.place.child("items");
    let mut found = Vec::new();
    for part in parts {
        if let Some(schema) = part.schema.get("items") {
            let pointer = part.pointer.child("items");
            found.push(Part { schema, pointer, opened: false });
        }
    }
    (!found.is_empty()).then_some(Node { parts: found, only: None, place })
}

fn tuple<'a>(parts: &[Part<'a>], node: &Node<'a>) -> Vec<Node<'a>> {
    let place = node.place.child("prefixItems");
    let stated = parts.iter().find(|part| part.schema.get("prefixItems").is_some());
    let nodes = stated.into_iter().flat_map(|part| {
        let start = part.pointer.child("prefixItems");
        list(part.schema, "prefixItems")
            .enumerate()
            .map(move |(index, schema)| (start.element(index), schema))
    });
    nodes
        .enumerate()
        .map(|(index, (pointer, schema))| Node {
            parts: vec![Part { schema, pointer, opened: false }],
            only: None,
            place: place.element(index),
        })
        .collect()
}

fn object<'a>(parts: &[Part<'a>], node: &Node<'a>) -> Form<'a> {
    let mut properties: BTreeMap<String, Node<'a>> = BTreeMap::new();
    let mut required = BTreeSet::new();
    let mut unknown = Unknown::Unstated;
    for part in parts {
        let place = part.pointer.child("properties");
        for (name, schema) in part.schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let part = Part { schema, pointer: place.child(name), opened: false };
            let fresh =
                || Node { parts: Vec::new(), only: None, place: node.place.child("properties").child(name) };
            properties.entry(name.clone()).or_insert_with(fresh).parts.push(part);
        }
        required.extend(list(part.schema, "required").filter_map(Value::as_str).map(str::to_owned));
        let pointer = part.pointer.child("additionalProperties");
        match part.schema.get("additionalProperties") {
            None => {}
            Some(Value::Bool(false)) => unknown = Unknown::Refused,
            Some(schema) if says_nothing(schema) => {
                if matches!(unknown, Unknown::Unstated) {
                    unknown = Unknown::Any;
                }
            }
            Some(schema) => {
                let place = node.place.child("additionalProperties");
                let part = Part { schema, pointer, opened: false };
                unknown = Unknown::Of(Node { parts: vec![part], only: None, place });
            }
        }
    }
    Form::Object { properties, required, unknown }
}

/// The types that parts allow together.
struct Types<'a> {
    /// `None` if nothing restricts them.
    names: Option<BTreeSet<Type>>,
    inferred: bool,
    /// The allowed values, if they are listed.
    values: Option<Vec<&'a Value>>,
}

impl<'a> Types<'a> {
    fn from_parts(parts: &[Part<'a>]) -> Self {
        let mut names: Option<BTreeSet<Type>> = None;
        let mut values: Option<Vec<&'a Value>> = None;
        let mut nullable = false;
        for part in parts {
            nullable |= part.schema.get("nullable") == Some(&Value::Bool(true));
            let stated = match part.schema.get("type") {
                Some(Value::String(word)) => Some(BTreeSet::from_iter(Type::from_word(word))),
                Some(Value::Array(words)) => {
                    Some(words.iter().filter_map(|word| Type::from_word(word.as_str()?)).collect())
                }
                _ => None,
            };
            if let Some(stated) = stated {
                names = Some(names.map_or_else(|| stated.clone(), |known| both(&known, &stated)));
            }
            let checked = part.schema.get("x-checks").and_then(|checks| checks.get("enum"));
            let constant = part.schema.get("const").map(|value| vec![value]);
            let listed = match part.schema.get("enum").or(checked) {
                Some(Value::Array(listed)) => Some(listed.iter().collect::<Vec<_>>()),
                _ => None,
            };
            for listed in [constant, listed].into_iter().flatten() {
                values = Some(values.map_or(listed.clone(), |known| {
                    known.into_iter().filter(|value| listed.contains(value)).collect()
                }));
            }
        }
        let mut inferred = false;
        if names.is_none() {
            let has = |keyword: &str| parts.iter().any(|part| part.schema.get(keyword).is_some());
            if let Some(values) = &values {
                names = Some(values.iter().map(|value| Type::from_value(value)).collect());
            } else if has("properties") || has("additionalProperties") || has("required") {
                names = Some(BTreeSet::from([Type::Object]));
                inferred = true;
            } else if has("items") || has("prefixItems") {
                names = Some(BTreeSet::from([Type::Array]));
                inferred = true;
            }
        }
        if let Some(names) = &mut names {
            // A list of values without null rejects it, unless it belongs to the older keyword, where null is often forgotten.
            if nullable {
                names.insert(Type::Null);
            } else if values.as_ref().is_some_and(|values| !values.iter().any(|value| value.is_null())) {
                names.remove(&Type::Null);
            }
        }
        Self { names, inferred, values }
    }
}

/// Returns the types in both sets, where every integer is a number.
fn both(one: &BTreeSet<Type>, other: &BTreeSet<Type>) -> BTreeSet<Type> {
    let holds = |set: &BTreeSet<Type>, of: Type| {
        set.contains(&of) || (of == Type::Integer && set.contains(&Type::Number))
    };
    one.union(other).copied().filter(|of| holds(one, *of) && holds(other, *of)).collect()
}
