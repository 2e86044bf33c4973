//! Lowers a schema whose subschemas have already been lowered.

use serde_json::{Map, Value, json};

use crate::{Pointer, Report, report::Kind};

type Schema = Map<String, Value>;

/// The keywords of a 3.0 schema, which are kept.
const KEPT: [&str; 36] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    "xml",
];

/// The keywords that reject instances and that 3.0 cannot express.
const ASSERTIONS: [&str; 14] = [
    "$dynamicRef",
    "$recursiveRef",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// The keywords that may appear next to a `$ref` without constraining anything.
const ANNOTATIONS: [&str; 9] = [
    "default",
    "deprecated",
    "description",
    "example",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
];

/// The keywords with counts.
const COUNTS: [&str; 6] =
    ["maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"];

/// The keywords that apply other schemas to the same value.
const COMPOSITE: [&str; 5] = ["$ref", "allOf", "anyOf", "not", "oneOf"];

/// A marker next to an `anyOf` that was `oneOf`: the alternatives are meant to exclude each other.
pub(crate) const ONE_OF: &str = "x-one-of";

/// The keywords that apply to each type.
pub(crate) const OF_STRING: [&str; 3] = ["maxLength", "minLength", "pattern"];
pub(crate) const OF_NUMBER: [&str; 5] =
    ["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];
pub(crate) const OF_ARRAY: [&str; 4] = ["items", "maxItems", "minItems", "uniqueItems"];
pub(crate) const OF_OBJECT: [&str; 5] =
    ["additionalProperties", "maxProperties", "minProperties", "properties", "required"];

pub(super) fn lower(value: &mut Value, pointer: &Pointer, report: &mut Report) {
    match value {
        Value::Bool(true) => *value = json!({}),
        Value::Null => {
            *value = json!({});
            report.add(Kind::AnnotationDropped, pointer, "a schema with nothing behind it allows everything");
        }
        Value::Bool(false) => *value = json!({"not": {}}),
        Value::Object(schema) => {
            empty_values(schema, pointer, report);
            lists(schema);
            counts(schema, pointer, report);
            constant(schema);
            items(schema, pointer, report);
            pattern_properties(schema, pointer, report);
            additional_properties(schema);
            bounds(schema, pointer, report);
            examples(schema, pointer, report);
            unknown(schema, pointer, report);
            types(schema);
            default_of_type(schema, pointer, report);
            reference(schema);
            if schema.get("type").is_some_and(|one| one == "array") {
                schema.entry("items").or_insert_with(|| json!({}));
            }
        }
        // Lint has rejected anything else.
        _ => {}
    }
}

/// Returns whether the lowered schema will accept more than this one because of its own keywords, not because of its subschemas.
///
/// In a 3.0 document, `nullable` next to a type has its standard meaning.
pub(super) fn will_weaken(value: &Value, is_3_0: bool) -> bool {
    let Value::Object(schema) = value else {
        return false;
    };
    let has = |keyword: &str| schema.get(keyword).is_some_and(|value| !value.is_null());
    let unreadable = |keyword: &str| schema.get(keyword).is_some_and(|bound| !bound.is_number());
    let lost = |keyword: &&str| schema.get(*keyword).is_some_and(|it| it.is_f64() && whole(it).is_none());
    ASSERTIONS.into_iter().any(has)
        || COUNTS.iter().any(lost)
        || lets_null_in(schema, is_3_0)
        || has("prefixItems")
        || has("patternProperties")
        || schema.get("items").is_some_and(Value::is_array)
        || (["exclusiveMinimum", "exclusiveMaximum"].into_iter().any(unreadable))
}

/// Returns whether `nullable: true` will be honoured although it has no meaning in the document's version.
fn lets_null_in(schema: &Schema, is_3_0: bool) -> bool {
    if schema.get("nullable") != Some(&Value::Bool(true)) {
        return false;
    }
    let listed = enumerated(schema).is_none_or(|values| values.contains(&Value::Null))
        && schema.get("const").is_none_or(Value::is_null);
    let stated = match schema.get("type") {
        Some(Value::String(name)) => is_3_0 || name == "null",
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => !schema.keys().any(|keyword| COMPOSITE.contains(&keyword.as_str())),
    };
    !(listed && stated)
}

/// Adds `keyword: value` to the existing conditions, under `allOf` if the keyword is already used.
pub(super) fn conjoin(schema: &mut Schema, keyword: &str, value: Value) {
    if !schema.contains_key(keyword) {
        schema.insert(keyword.to_owned(), value);
        return;
    }
    let part = json!({ keyword: value });
    match schema.get_mut("allOf") {
        Some(Value::Array(parts)) => parts.push(part),
        _ => {
            schema.insert("allOf".to_owned(), json!([part]));
        }
    }
}

/// Removes `type:` without a value, and `required: true` inside a property: habits without a meaning in 3.1.
fn empty_values(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    schema.retain(|keyword, value| {
        let empty = value.is_null() && !matches!(keyword.as_str(), "const" | "default" | "example");
        if empty && !keyword.starts_with("x-") {
            let note = format!("`{keyword}` has no value");
            report.add(Kind::AnnotationDropped, &pointer.child(keyword), note);
        }
        !empty
    });
    if schema.get("required").is_some_and(Value::is_boolean) {
        schema.shift_remove("required");
        report.add(
            Kind::AnnotationDropped,
            &pointer.child("required"),
            "a boolean `required` says nothing; the object lists the names of what it requires",
        );
    }
}

/// Cleans up lists: in 3.0 `required` must not be empty, and neither it nor `enum` may contain duplicates.
fn lists(schema: &mut Schema) {
    for keyword in ["enum", "required"] {
        let Some(Value::Array(values)) = schema.get_mut(keyword) else { continue };
        let mut distinct: Vec<Value> = Vec::new();
        for value in std::mem::take(values) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        *values = distinct;
    }
    if schema.get("required").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        schema.shift_remove("required");
    }
}

/// Writes counts as integers, as 3.0 requires: `3.0` becomes `3`.
fn counts(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    for keyword in COUNTS {
        let Some(count) = schema.get(keyword).filter(|count| count.is_f64()) else { continue };
        if let Some(count) = whole(count) {
            schema.insert(keyword.to_owned(), count.into());
        } else {
            schema.shift_remove(keyword);
            report.add(Kind::Widened, &pointer.child(keyword), "3.0 has no integer that is so large");
        }
    }
}

/// Returns a number without a fraction as a 64-bit integer: `3.0` is 3.
pub(crate) fn whole(number: &Value) -> Option<i64> {
    number.as_i64().or_else(|| {
        let value = number.as_f64()?;
        // Up to this limit, every integer has its own float.
        let exact = value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
        #[allow(clippy::cast_possible_truncation, reason = "just checked")]
        exact.then_some(value as i64)
    })
}

/// Removes a default that does not have the declared type, as 3.0 requires.
fn default_of_type(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let (Some(default), Some(name)) = (schema.get("default"), schema.get("type").and_then(Value::as_str))
    else {
        return;
    };
    let null = default.is_null() && schema.get("nullable") == Some(&Value::Bool(true));
    if !null && !is_of(default, name) {
        let note = format!("it is no {name}, which the schema asks for");
        schema.shift_remove("default");
        report.add(Kind::AnnotationDropped, &pointer.child("default"), note);
    }
}

fn constant(schema: &mut Schema) {
    let Some(value) = schema.shift_remove("const") else {
        return;
    };
    if enumerated(schema).is_some_and(|values| !values.contains(&value)) {
        nothing(schema);
    } else {
        schema.insert("enum".to_owned(), json!([value]));
    }
}

/// Makes a schema that no instance matches: `not: {}`, because an enumeration in 3.0 may not be empty.
fn nothing(schema: &mut Schema) {
    schema.shift_remove("enum");
    conjoin(schema, "not", json!({}));
}

/// Lowers tuples: every element may be what any element may be.
fn items(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    // A list under `items` is the older drafts' `prefixItems`, and `additionalItems` is their `items`.
    let (prefix, rest) = if schema.get("items").is_some_and(Value::is_array) {
        (schema.shift_remove("items"), schema.shift_remove("additionalItems"))
    } else if let Some(prefix) = schema.shift_remove("prefixItems") {
        (Some(prefix), schema.shift_remove("items"))
    } else {
        if schema.shift_remove("additionalItems").is_some() {
            let note = "without a list of items it constrains nothing";
            report.add(Kind::AnnotationDropped, &pointer.child("additionalItems"), note);
        }
        return;
    };
    let Some(Value::Array(mut variants)) = prefix else {
        return;
    };
    let count = variants.len();
    match rest {
        Some(rest) if refuses_all(&rest) => {
            schema.entry("maxItems").or_insert_with(|| count.into());
        }
        Some(rest) => variants.push(rest),
        None => variants.push(json!({})),
    }
    schema.insert("items".to_owned(), any_of(variants));
    report.add(
        Kind::Widened,
        pointer,
        format!("the first {count} items have schemas of their own; here every item may be any of them"),
    );
}

/// Removes `patternProperties`, which 3.0 lacks. `additionalProperties` then applies to their keys, so it must accept them.
fn pattern_properties(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let Some(Value::Object(patterns)) = schema.shift_remove("patternProperties") else {
        return;
    };
    let mut variants: Vec<Value> = patterns.values().cloned().collect();
    match schema.shift_remove("additionalProperties") {
        Some(rest) if refuses_all(&rest) => {}
        Some(rest) => variants.push(rest),
        None => variants.push(json!({})),
    }
    schema.insert("additionalProperties".to_owned(), any_of(variants));
    report.add(
        Kind::Widened,
        &pointer.child("patternProperties"),
        "keys are no longer told apart by patterns; any other property may hold what one of them allows",
    );
}

/// Lowers `additionalProperties`, the only place in 3.0 with boolean schemas.
fn additional_properties(schema: &mut Schema) {
    if schema.get("additionalProperties").is_some_and(refuses_all) {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

fn refuses_all(schema: &Value) -> bool {
    *schema == json!({"not": {}})
}

/// Returns the shortest schema that accepts what any of the schemas accepts.
fn any_of(schemas: Vec<Value>) -> Value {
    let mut distinct: Vec<Value> = Vec::new();
    for schema in schemas {
        if schema == json!({}) {
            return schema;
        }
        if !distinct.contains(&schema) && !refuses_all(&schema) {
            distinct.push(schema);
        }
    }
    match distinct.len() {
        0 => json!({"not": {}}),
        1 => distinct.remove(0),
        _ => json!({ "anyOf": distinct }),
    }
}

/// Converts numeric exclusive bounds to the boolean ones of 3.0. Of two bounds, only the tighter one is kept, without loss.
fn bounds(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    for (exclusive, inclusive, upper) in
        [("exclusiveMinimum", "minimum", false), ("exclusiveMaximum", "maximum", true)]
    {
        let Some(bound) = schema.get(exclusive).filter(|bound| !bound.is_boolean()).cloned() else {
            continue;
        };
        schema.shift_remove(exclusive);
        let (Some(limit), other) = (bound.as_f64(), schema.get(inclusive).and_then(Value::as_f64)) else {
            let note = "the bound is no number";
            report.add(Kind::Widened, &pointer.child(exclusive), note);
            continue;
        };
        let tighter = other.is_none_or(|other| if upper { limit <= other } else { limit >= other });
        if tighter {
            schema.insert(inclusive.to_owned(), bound);
            schema.insert(exclusive.to_owned(), true.into());
        }
    }
}

/// Reduces a list of examples in 3.1, or a misplaced map as OpenAPI has it elsewhere, to a single `example`.
fn examples(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    let Some(examples) = schema.shift_remove("examples") else {
        return;
    };
    let mut values: Vec<Value> = match examples {
        Value::Array(values) => values,
        Value::Object(named) => {
            named.into_iter().map(|(_, example)| example.get("value").cloned().unwrap_or(example)).collect()
        }
        _ => Vec::new(),
    };
    let taken = schema.contains_key("example");
    if values.len() > usize::from(!taken) {
        report.add(Kind::AnnotationDropped, &pointer.child("examples"), "3.0 has one example a schema");
    }
    if !taken && !values.is_empty() {
        schema.insert("example".to_owned(), values.swap_remove(0));
    }
}

/// Removes keywords that 3.0 does not know, and reports the consequences.
fn unknown(schema: &mut Schema, pointer: &Pointer, report: &mut Report) {
    schema.retain(|keyword, _| {
        if keyword.starts_with("x-") || KEPT.contains(&keyword.as_str()) {
            return true;
        }
        let kind =
            if ASSERTIONS.contains(&keyword.as_str()) { Kind::Widened } else { Kind::AnnotationDropped };
        report.add(kind, &pointer.child(keyword), format!("3.0 has no `{keyword}`"));
        false
    });
}

/// Lowers lists of types and `null`, and the 3.0 habit `nullable: true`, which is honoured.
fn types(schema: &mut Schema) {
    let nullable = schema.shift_remove("nullable") == Some(Value::Bool(true));
    let mut names: Vec<String> = match schema.shift_remove("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => {
            if nullable {
                nullable_without_type(schema);
            }
            return;
        }
    };
    let stated = names.iter().any(|name| name == "null");
    names.retain(|name| name != "null");
    if names.iter().any(|name| name == "number") {
        // Every integer is a number.
        names.retain(|name| name != "integer");
    }
    names.dedup();
    if nullable {
        // The enumeration that belongs to `nullable: true` often lacks null; the intention is clear.
        if let Some(Value::Array(values)) = schema.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
    }
    // If an enumeration lacks null, a list of types that contains it does not accept null.
    let null = (stated || nullable) && enumerated(schema).is_none_or(|values| values.contains(&Value::Null));
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !null
    {
        values.retain(|value| !value.is_null());
    }
    let empty = enumerated(schema).is_some_and(Vec::is_empty);
    match names.as_slice() {
        [] if null => {
            schema.insert("enum".to_owned(), json!([null]));
        }
        _ if empty || names.is_empty() => nothing(schema),
        [name] => {
            schema.insert("type".to_owned(), name.clone().into());
            if null {
                schema.insert("nullable".to_owned(), true.into());
            }
        }
        _ => split(schema, &names, null),
    }
}

fn enumerated(schema: &Schema) -> Option<&Vec<Value>> {
    schema.get("enum").and_then(Value::as_array)
}

/// Makes null an alternative of its own: in 3.0 `nullable` is effective only next to a `type`.
fn nullable_without_type(schema: &mut Schema) {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        if !values.contains(&Value::Null) {
            values.push(Value::Null);
        }
        return;
    }
    if !schema.keys().any(|keyword| COMPOSITE.contains(&keyword.as_str())) {
        // Nothing here rejects null.
        return;
    }
    let (annotations, mut rest): (Schema, Schema) =
        std::mem::take(schema).into_iter().partition(|(keyword, _)| {
            ANNOTATIONS.contains(&keyword.as_str()) || (keyword.starts_with("x-") && keyword != ONE_OF)
        });
    reference(&mut rest);
    *schema = annotations;
    schema.insert("anyOf".to_owned(), json!([rest, {"enum": [null]}]));
}

/// Splits several types into alternatives, each with the keywords that apply to it. No instance has two types, so `oneOf` is exact.
fn split(schema: &mut Schema, names: &[String], null: bool) {
    let values = schema.shift_remove("enum");
    let format = schema.shift_remove("format");
    let numeric =
        matches!(format.as_ref().and_then(Value::as_str), Some("int32" | "int64" | "float" | "double"));
    let mut variants = Vec::new();
    for name in names {
        let mut variant = Schema::new();
        variant.insert("type".to_owned(), name.clone().into());
        let (keywords, formatted): (&[&str], bool) = match name.as_str() {
            "string" => (&OF_STRING, !numeric),
            "number" | "integer" => (&OF_NUMBER, numeric),
            "array" => (&OF_ARRAY, false),
            "object" => (&OF_OBJECT, false),
            _ => (&[], false),
        };
        for keyword in keywords {
            if let Some(value) = schema.get(*keyword) {
                variant.insert((*keyword).to_owned(), value.clone());
            }
        }
        if let Some(format) = format.as_ref().filter(|_| formatted) {
            variant.insert("format".to_owned(), format.clone());
        }
        if name == "array" {
            variant.entry("items").or_insert_with(|| json!({}));
        }
        if let Some(Value::Array(values)) = &values {
            let values: Vec<_> = values.iter().filter(|value| is_of(value, name)).cloned().collect();
            if values.is_empty() {
                continue;
            }
            variant.insert("enum".to_owned(), values.into());
        }
        variants.push(Value::Object(variant));
    }
    if null {
        variants.push(json!({"enum": [null]}));
    }
    for keyword in OF_STRING.iter().chain(&OF_NUMBER).chain(&OF_ARRAY).chain(&OF_OBJECT) {
        schema.shift_remove(*keyword);
    }
    if variants.is_empty() {
        nothing(schema);
    } else {
        conjoin(schema, "oneOf", variants.into());
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => {
            name == "number" || (name == "integer" && number.as_f64().is_some_and(|n| n.fract() == 0.0))
        }
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}

/// Moves a `$ref` into `allOf`, because in 3.0 keywords next to it are ignored.
fn reference(schema: &mut Schema) {
    if schema.len() < 2 {
        return;
    }
    if let Some(target) = schema.shift_remove("$ref") {
        let part = json!({ "$ref": target });
        match schema.get_mut("allOf") {
            Some(Value::Array(parts)) => parts.insert(0, part),
            _ => {
                schema.insert("allOf".to_owned(), json!([part]));
            }
        }
    }
}
