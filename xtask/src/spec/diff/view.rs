//! The meaning of a schema, however it is written: references followed, `allOf` merged, null kept separate.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Number, Value};
use suprsend_codegen::Pointer;

use super::{
    document::{Document, Place},
    numbers::{Exact, is_whole, same},
};

/// Schemas that all apply to the same value. An empty list accepts any value.
pub(super) type Schemas<'a> = Vec<Place<'a>>;

/// The handling of keys that an object's schema does not declare.
#[derive(Debug, Clone)]
pub(super) enum Extra<'a> {
    /// The schema does not mention them: they are ignored.
    Ignored,
    /// They are an error.
    Forbidden(Pointer),
    /// They are kept if they match the schemas.
    Kept(Pointer, Schemas<'a>),
}

/// Alternatives, at least one of which must apply.
#[derive(Debug, Clone)]
pub(super) struct Union<'a> {
    pub(super) keyword: &'static str,
    pub(super) pointer: Pointer,
    /// Without the variant for null.
    pub(super) variants: Vec<Place<'a>>,
}

/// The combined content of schemas that apply together.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    /// The types except null; `None` stands for any.
    pub(super) types: Option<BTreeSet<&'a str>>,
    /// The place where the types are declared.
    pub(super) types_at: Option<Pointer>,
    pub(super) nullable: bool,
    /// The only accepted values, without null.
    pub(super) values: Option<(Pointer, Vec<&'a Value>)>,
    pub(super) format: Option<(Pointer, &'a str)>,
    /// Bounds and counts, the strictest of each.
    pub(super) bounds: BTreeMap<&'static str, (Pointer, Number)>,
    pub(super) patterns: BTreeMap<&'a str, Pointer>,
    pub(super) unique: Option<Pointer>,
    pub(super) properties: BTreeMap<&'a str, Schemas<'a>>,
    pub(super) required: BTreeMap<&'a str, Pointer>,
    pub(super) extra: Option<Extra<'a>>,
    pub(super) items: Schemas<'a>,
    pub(super) tuple: Vec<Schemas<'a>>,
    pub(super) unions: Vec<Union<'a>>,
    /// `readOnly`, `writeOnly`, `deprecated`.
    pub(super) flags: BTreeMap<&'static str, Pointer>,
    pub(super) default: Option<Place<'a>>,
    pub(super) discriminator: Option<Place<'a>>,
    /// The keywords that are compared as they are.
    pub(super) others: BTreeMap<String, Place<'a>>,
}

/// Bounds that are stricter the smaller they are.
pub(super) const UPPER: [&str; 5] = ["exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"];
/// Bounds that are stricter the larger they are.
pub(super) const LOWER: [&str; 5] = ["exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"];
const FLAGS: [&str; 3] = ["deprecated", "readOnly", "writeOnly"];
const UNIONS: [&str; 2] = ["anyOf", "oneOf"];
/// The keywords from which the other parts of the view are made, and prose.
const READ: [&str; 32] = [
    "$comment",
    "$defs",
    "$id",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "definitions",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "example",
    "examples",
    "externalDocs",
    "format",
    "items",
    "nullable",
    "oneOf",
    "pattern",
    "prefixItems",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    "xml",
];

impl<'a> View<'a> {
    pub(super) fn new(document: Document<'a>, schemas: &[Place<'a>]) -> Self {
        let mut view = View { nullable: true, ..View::default() };
        let mut forced = false;
        for part in parts(document, schemas) {
            forced |= view.part(document, &part);
        }
        view.infer();
        if view.types.as_ref().is_some_and(|types| types.contains("object")) {
            // A required member without a declaration is a field of any type.
            for name in view.required.keys() {
                view.properties.entry(name).or_default();
            }
        }
        view.nullable |= forced;
        view
    }

    /// Returns whether any value is accepted, as far as types are concerned.
    pub(super) fn is_any(&self) -> bool {
        self.types.is_none() && self.unions.is_empty()
    }

    /// Adds the content of one schema. Returns whether it accepts null whatever the others declare.
    fn part(&mut self, document: Document<'a>, part: &Place<'a>) -> bool {
        let Value::Object(schema) = part.value else {
            if *part.value == Value::Bool(false) {
                self.nullable = false;
                self.types = Some(BTreeSet::new());
            }
            return false;
        };
        self.types(part);
        self.values(part);
        self.bounds(part);
        self.object(part);
        self.list(part);
        let mut forced = part.flag("nullable") && !schema.contains_key("enum");
        for keyword in UNIONS {
            let Some(list) = part.get(keyword) else { continue };
            let (null, variants) = variants(&list);
            match variants.len() {
                0 if null => self.types = Some(BTreeSet::new()),
                0 => {}
                // The schema is among the parts and is read separately; null was its alternative.
                1 => forced |= null,
                _ => {
                    self.nullable &= null || variants.iter().any(|variant| lets_null_pass(document, variant));
                    self.unions.push(Union { keyword, pointer: list.pointer, variants });
                }
            }
        }
        for flag in FLAGS.iter().filter(|flag| part.flag(flag)) {
            self.flags.entry(flag).or_insert_with(|| part.pointer.child(flag));
        }
        self.default = self.default.take().or_else(|| {
            schema.get("default").map(|value| Place { pointer: part.pointer.child("default"), value })
        });
        self.discriminator = self.discriminator.take().or_else(|| part.get("discriminator"));
        for (keyword, place) in part.members() {
            let read = READ.contains(&keyword) || UPPER.contains(&keyword) || LOWER.contains(&keyword);
            if !read && !keyword.starts_with("x-") {
                let taken = self.others.keys().filter(|key| key.split(' ').next() == Some(keyword)).count();
                let key = if taken == 0 { keyword.to_owned() } else { format!("{keyword} {taken}") };
                self.others.insert(key, place);
            }
        }
        forced
    }

    fn types(&mut self, part: &Place<'a>) {
        let Some(stated) = part.get("type") else { return };
        let names: Vec<&str> = match stated.value {
            Value::String(name) => vec![name],
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        self.nullable &= names.contains(&"null") || part.flag("nullable");
        let names: BTreeSet<&str> = names.into_iter().filter(|name| *name != "null").collect();
        self.types = Some(match self.types.take() {
            None => names,
            Some(before) => common(&before, &names),
        });
        self.types_at.get_or_insert(stated.pointer);
    }

    fn values(&mut self, part: &Place<'a>) {
        let listed = match (part.get("enum"), part.value.get("const")) {
            (Some(list), _) => {
                (list.pointer, list.value.as_array().into_iter().flatten().collect::<Vec<_>>())
            }
            (None, Some(value)) => (part.pointer.child("const"), vec![value]),
            (None, None) => return,
        };
        let (pointer, mut values) = listed;
        self.nullable &= values.iter().any(|value| value.is_null());
        values.retain(|value| !value.is_null());
        match &mut self.values {
            Some((_, before)) => before.retain(|value| values.iter().any(|other| same(value, other))),
            None => self.values = Some((pointer, values)),
        }
    }

    fn bounds(&mut self, part: &Place<'a>) {
        for (keywords, upper) in [(&UPPER, true), (&LOWER, false)] {
            for keyword in keywords {
                let Some((pointer, bound)) = bound(part, keyword) else { continue };
                let known = self.bounds.get(keyword).and_then(|(_, known)| Exact::new(known));
                let stricter = known.is_none_or(|known| {
                    Exact::new(&bound).is_some_and(|bound| if upper { bound < known } else { bound > known })
                });
                if stricter {
                    self.bounds.insert(keyword, (pointer, bound));
                }
            }
        }
        if let Some(pattern) = part.text("pattern") {
            self.patterns.entry(pattern).or_insert_with(|| part.pointer.child("pattern"));
        }
        if self.format.is_none() {
            self.format = part.text("format").map(|format| (part.pointer.child("format"), format));
        }
        if part.flag("uniqueItems") {
            self.unique.get_or_insert_with(|| part.pointer.child("uniqueItems"));
        }
    }

    fn object(&mut self, part: &Place<'a>) {
        for (name, property) in part.get("properties").into_iter().flat_map(|all| all.members()) {
            self.properties.entry(name).or_default().push(property);
        }
        for name in part.get("required").into_iter().flat_map(|list| list.elements()) {
            if let Some(text) = name.value.as_str() {
                self.required.entry(text).or_insert(name.pointer);
            }
        }
        if let Some(extra) = part.get("additionalProperties").filter(|_| self.extra.is_none()) {
            self.extra = Some(match extra.value {
                Value::Bool(false) => Extra::Forbidden(extra.pointer),
                Value::Bool(true) => Extra::Kept(extra.pointer, Vec::new()),
                _ => Extra::Kept(extra.pointer.clone(), vec![extra]),
            });
        }
    }

    fn list(&mut self, part: &Place<'a>) {
        let items = part.get("items");
        // A list of schemas under `items` is the older drafts' form of `prefixItems`.
        let tuple = part.get("prefixItems").or_else(|| items.clone().filter(|items| items.value.is_array()));
        self.items.extend(items.filter(|items| !items.value.is_array()));
        if let Some(tuple) = tuple {
            for (index, element) in tuple.elements().enumerate() {
                if self.tuple.len() <= index {
                    self.tuple.push(Vec::new());
                }
                self.tuple[index].push(element);
            }
        }
    }

    /// Infers the type from the other keywords if none is declared.
    fn infer(&mut self) {
        if self.types.is_some() || !self.unions.is_empty() {
            return;
        }
        if let Some((_, values)) = &self.values {
            self.types = Some(values.iter().filter_map(|value| type_of(value)).collect());
        } else if !self.properties.is_empty() || matches!(self.extra, Some(Extra::Kept(..))) {
            self.types = Some(BTreeSet::from(["object"]));
            self.nullable = false;
        } else if !self.items.is_empty() || !self.tuple.is_empty() {
            self.types = Some(BTreeSet::from(["array"]));
            self.nullable = false;
        }
    }
}

/// Returns the schemas themselves, the targets of their references and the schemas that they combine by `allOf`, each once.
fn parts<'a>(document: Document<'a>, schemas: &[Place<'a>]) -> Vec<Place<'a>> {
    let mut open: Vec<Place<'a>> = schemas.iter().rev().cloned().collect();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    while let Some(part) = open.pop() {
        if !seen.insert(part.pointer.clone()) {
            continue;
        }
        open.extend(document.target(&part));
        open.extend(part.get("allOf").into_iter().flat_map(|list| list.elements()));
        for list in UNIONS.iter().filter_map(|keyword| part.get(keyword)) {
            let (_, mut variants) = variants(&list);
            if variants.len() == 1 {
                open.append(&mut variants);
            }
        }
        found.push(part);
    }
    found
}

/// Returns whether null is among the variants, and the other variants.
fn variants<'a>(list: &Place<'a>) -> (bool, Vec<Place<'a>>) {
    let (null, others): (Vec<_>, Vec<_>) = list.elements().partition(|variant| is_null(variant.value));
    (!null.is_empty(), others)
}

fn is_null(schema: &Value) -> bool {
    let null = |value: &Value| value.is_null();
    schema.get("type").is_some_and(|name| name == "null")
        || schema
            .get("enum")
            .and_then(Value::as_array)
            .is_some_and(|values| !values.is_empty() && values.iter().all(null))
        || schema.get("const").is_some_and(null)
}

/// Returns whether a variant accepts null, without looking into what it combines.
fn lets_null_pass(document: Document<'_>, variant: &Place<'_>) -> bool {
    let variant = document.resolve(variant.clone());
    variant.flag("nullable")
        || match variant.value.get("type") {
            Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
            Some(_) => false,
            None => {
                variant.value.as_object().is_some_and(serde_json::Map::is_empty)
                    || variant.value == &Value::Bool(true)
            }
        }
}

/// Returns a bound as a number. OpenAPI 3.0 has a boolean next to `minimum` and `maximum` for an exclusive one.
fn bound(part: &Place<'_>, keyword: &str) -> Option<(Pointer, Number)> {
    let exclusive = |keyword: &str| part.flag(keyword);
    let stated = match keyword {
        "minimum" if exclusive("exclusiveMinimum") => None,
        "maximum" if exclusive("exclusiveMaximum") => None,
        "exclusiveMinimum" if exclusive("exclusiveMinimum") => part.get("minimum"),
        "exclusiveMaximum" if exclusive("exclusiveMaximum") => part.get("maximum"),
        _ => part.get(keyword),
    }?;
    Some((stated.pointer, stated.value.as_number()?.clone()))
}

/// Returns the types that two lists have in common; an integer is a number.
fn common<'a>(one: &BTreeSet<&'a str>, other: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let both = one.iter().filter(|name| covers(other, name));
    both.chain(other.iter().filter(|name| covers(one, name))).copied().collect()
}

/// Returns whether the types include the values of a type.
pub(super) fn covers(types: &BTreeSet<&str>, name: &str) -> bool {
    types.contains(name) || (name == "integer" && types.contains("number"))
}

fn type_of(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_whole(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    })
}
