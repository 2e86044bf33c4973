//! Generates a value from a schema, for responses without an example in the document.

mod text;

use std::iter;

use serde_json::{Map, Number, Value};

use super::local_pointer;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
/// For each type, the keywords that apply to it.
const HINTS: [(&str, &[&str]); 4] = [
    ("object", &["properties", "required", "additionalProperties", "minProperties", "patternProperties"]),
    ("array", &["items", "prefixItems", "contains", "minItems"]),
    ("string", &["pattern", "minLength", "maxLength", "format"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
];
/// The number of variants of a union that are tried.
const VARIANTS: usize = 8;
/// The number of extra elements that are generated if elements must differ.
const SPARE: usize = 16;

/// Generates a value that matches the schema, preferably with the schema's own examples and all members. Returns `None` if no attempt
/// matches.
pub(super) fn sample(document: &Value, schema: &Value, fits: impl Fn(&Value) -> bool) -> Option<Value> {
    let tactics = (0..VARIANTS).flat_map(|variant| {
        [(true, true), (false, true), (true, false), (false, false)].map(|(shown, optional)| Tactic {
            shown,
            optional,
            variant,
        })
    });
    tactics
        .filter_map(|tactic| Sampler { document, inside: Vec::new(), tactic }.make(&[schema], 0))
        .find(|value| fits(value))
}

/// The strategy for generating a value.
#[derive(Debug, Clone, Copy)]
struct Tactic {
    /// Uses the schemas' own examples and defaults.
    shown: bool,
    /// Includes optional members.
    optional: bool,
    /// The index of the variant of each union, and of the value in each list, to use.
    variant: usize,
}

struct Sampler<'a> {
    document: &'a Value,
    /// The references that are being followed. A schema that contains itself ends here.
    inside: Vec<&'a str>,
    tactic: Tactic,
}

/// Schemas that apply to the same value, with their references and combinations resolved.
type Parts<'a> = Vec<&'a Value>;

impl<'a> Sampler<'a> {
    /// Generates the `nth` of several distinct values that all of the schemas apply to.
    fn make(&mut self, schemas: &[&'a Value], nth: usize) -> Option<Value> {
        let outer = self.inside.len();
        let mut parts = Vec::new();
        let applies = schemas.iter().all(|schema| self.collect(schema, outer, &mut parts));
        let made = if applies { self.value(&parts, nth) } else { None };
        self.inside.truncate(outer);
        made
    }

    /// Adds a schema, the target of its reference, and the schemas that it combines. Returns `false` if no value can be generated from it.
    fn collect(&mut self, schema: &'a Value, outer: usize, parts: &mut Parts<'a>) -> bool {
        if let Value::Bool(passes) = schema {
            return *passes;
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let known = self.inside.iter().position(|known| *known == reference);
            if known.is_some_and(|known| known < outer) {
                return false;
            }
            if known.is_none() {
                self.inside.push(reference);
                let target = local_pointer(reference).and_then(|target| self.document.pointer(&target));
                if !target.is_some_and(|target| self.collect(target, outer, parts)) {
                    return false;
                }
            }
        }
        parts.push(schema);
        list(schema, "allOf").iter().all(|part| self.collect(part, outer, parts))
            && ["oneOf", "anyOf"].iter().all(|keyword| self.choose(list(schema, keyword), outer, parts))
    }

    /// Adds the variant that the strategy selects, or the next one that a value can be generated from; null comes last.
    fn choose(&mut self, variants: &'a [Value], outer: usize, parts: &mut Parts<'a>) -> bool {
        let is_null = |variant: &&Value| variant.get("type").is_some_and(|name| name == "null");
        let (null, mut others): (Vec<_>, Vec<_>) = variants.iter().partition(is_null);
        if !others.is_empty() {
            let first = self.tactic.variant % others.len();
            others.rotate_left(first);
        }
        let (kept, inside) = (parts.len(), self.inside.len());
        variants.is_empty()
            || others.into_iter().chain(null).any(|variant| {
                parts.truncate(kept);
                self.inside.truncate(inside);
                self.collect(variant, outer, parts)
            })
    }

    fn value(&mut self, parts: &Parts<'a>, nth: usize) -> Option<Value> {
        let kinds = kinds(parts);
        if let Some(value) = parts.iter().find_map(|part| part.get("const")) {
            return (nth == 0).then(|| value.clone());
        }
        let fits = |value: &&Value| kinds.iter().any(|kind| is_of(value, kind));
        let mut listed = parts.iter().filter_map(|part| part.get("enum")?.as_array());
        if let Some(first) = listed.next() {
            let others: Vec<_> = listed.collect();
            let allowed = first.iter().filter(fits).filter(|it| others.iter().all(|list| list.contains(it)));
            let values: Vec<_> = allowed.collect();
            return values
                .get(nth)
                .and(values.get((nth + self.tactic.variant) % values.len()))
                .map(|it| (*it).clone());
        }
        if self.tactic.shown && nth == 0 {
            let one =
                ["example", "default"].iter().flat_map(|key| parts.iter().filter_map(|it| it.get(*key)));
            let mut shown = one.chain(parts.iter().flat_map(|part| list(part, "examples")));
            if let Some(value) = shown.find(fits) {
                return Some(value.clone());
            }
        }
        match kinds.first() {
            Some(&"object") => self.object(parts, nth),
            Some(&"array") => self.array(parts),
            Some(&"string") => text::text(parts, nth).map(Value::from),
            Some(&kind @ ("integer" | "number")) => number(parts, kind == "integer", nth),
            Some(&"boolean") => [true, false].get(nth).map(|value| (*value).into()),
            Some(_) if nth == 0 => Some(Value::Null),
            _ => None,
        }
    }

    /// Generates an object. An optional member that cannot be generated is left out.
    fn object(&mut self, parts: &Parts<'a>, nth: usize) -> Option<Value> {
        let mut required: Vec<&str> = strings(parts, "required").collect();
        let mut open = 0;
        while let Some(name) = required.get(open).copied() {
            let dependent =
                parts.iter().filter_map(|part| part.get("dependentRequired")?.get(name)?.as_array());
            required.extend(dependent.flatten().filter_map(Value::as_str));
            open += 1;
            if open > parts.len() * 100 {
                break;
            }
        }
        let described =
            parts.iter().filter_map(|part| part.get("properties")?.as_object()).flat_map(Map::keys);
        let optional =
            described.map(String::as_str).filter(|name| self.tactic.optional || required.contains(name));
        let names: Vec<&str> = optional.chain(required.iter().copied()).collect();
        let mut members = Map::new();
        for name in names {
            if members.contains_key(name) {
                continue;
            }
            let schemas = member(parts, name);
            match self.make(&schemas, nth).or_else(|| self.make(&schemas, 0)) {
                Some(value) => {
                    members.insert(name.to_owned(), value);
                }
                None if required.contains(&name) => return None,
                None => {}
            }
        }
        let about_names: Vec<&Value> = parts.iter().filter_map(|part| part.get("propertyNames")).collect();
        for nth in 0..usize::try_from(greatest(parts, "minProperties")).ok()? {
            if members.len() as u64 >= greatest(parts, "minProperties") {
                break;
            }
            let name = text::text(&about_names, nth)?;
            let value = self.make(&member(parts, &name), 0)?;
            members.insert(name, value);
        }
        Some(members.into())
    }

    fn array(&mut self, parts: &Parts<'a>) -> Option<Value> {
        let prefix = parts.iter().map(|part| list(part, "prefixItems")).max_by_key(|list| list.len());
        let prefix = prefix.unwrap_or_default();
        let contained = parts.iter().filter_map(|part| part.get("contains"));
        let rest: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
        let least = greatest(parts, "minItems");
        let most = parts.iter().filter_map(|part| part.get("maxItems")?.as_u64()).min().unwrap_or(u64::MAX);
        let fixed = prefix.iter().map(|schema| vec![schema]);
        let contained = contained.map(|schema| iter::once(schema).chain(rest.iter().copied()).collect());
        let mut elements: Vec<Value> = Vec::new();
        for schemas in fixed.chain(contained) {
            let nth = elements.len();
            let made = self.make(&schemas, 0).filter(|made| !elements.contains(made));
            elements.push(made.or_else(|| self.make(&schemas, nth))?);
        }
        let wanted = if rest.is_empty() && least == 0 { 0 } else { least.max(1) }.min(most);
        for nth in 0..usize::try_from(wanted).ok()?.saturating_add(SPARE) {
            if elements.len() as u64 >= wanted {
                break;
            }
            match self.make(&rest, nth) {
                Some(made) if unique(parts) && elements.contains(&made) => {}
                Some(made) => elements.push(made),
                // If elements need not differ, the first one is repeated.
                None if nth > 0 && !unique(parts) => elements.push(self.make(&rest, 0)?),
                None if elements.len() as u64 >= least => break,
                None => return None,
            }
        }
        (elements.len() as u64 >= least).then(|| elements.into())
    }
}

fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema.get(keyword).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn strings<'a>(parts: &Parts<'a>, keyword: &'static str) -> impl Iterator<Item = &'a str> {
    parts.iter().flat_map(move |part| list(part, keyword)).filter_map(Value::as_str)
}

fn unique(parts: &Parts<'_>) -> bool {
    parts.iter().any(|part| part.get("uniqueItems") == Some(&Value::Bool(true)))
}

/// Returns the strictest of several minimum counts.
fn greatest(parts: &[&Value], keyword: &str) -> u64 {
    parts.iter().filter_map(|part| part.get(keyword)?.as_u64()).max().unwrap_or_default()
}

/// Returns the schemas that apply to a member of an object.
fn member<'a>(parts: &Parts<'a>, name: &str) -> Vec<&'a Value> {
    let of = |part: &&'a Value| {
        let own = part.get("properties").and_then(|all| all.get(name));
        own.or_else(|| part.get("additionalProperties")).filter(|schema| !schema.is_boolean())
    };
    let found: Vec<&Value> = parts.iter().filter_map(of).collect();
    if found.is_empty() { vec![&Value::Bool(true)] } else { found }
}

/// Returns the types that a value may have, null last. If no type is declared, the type that the keywords apply to comes first.
fn kinds(parts: &Parts<'_>) -> Vec<&'static str> {
    let mut stated: Option<Vec<&'static str>> = None;
    for part in parts {
        let named: Vec<&str> = match part.get("type") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(name)) => vec![name],
            _ => continue,
        };
        let known = |name: &&str| TYPES.into_iter().find(|known| known == name);
        let covers = |kind: &str| named.contains(&kind) || (kind == "integer" && named.contains(&"number"));
        stated = Some(match stated {
            Some(before) if before.iter().copied().any(covers) => {
                before.into_iter().filter(|kind| covers(kind)).collect()
            }
            // An integer is among the numbers that were declared before.
            None | Some(_) => named.iter().filter_map(known).collect(),
        });
    }
    if let Some(mut stated) = stated {
        stated.sort_by_key(|kind| *kind == "null");
        return stated;
    }
    let says = |word: &&str| parts.iter().any(|part| part.get(*word).is_some());
    let hint = HINTS.iter().find(|(_, words)| words.iter().any(says)).map(|(kind, _)| *kind);
    hint.into_iter().chain(["null"]).chain(TYPES).collect()
}

fn is_of(value: &Value, kind: &str) -> bool {
    match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(number) => {
            kind == "number" || (kind == "integer" && number.as_f64().is_some_and(|it| it.fract() == 0.0))
        }
        Value::String(_) => kind == "string",
        Value::Array(_) => kind == "array",
        Value::Object(_) => kind == "object",
    }
}

/// Returns the `nth` number within the bounds.
fn number(parts: &Parts<'_>, whole: bool, nth: usize) -> Option<Value> {
    let stated = |keyword: &'static str| parts.iter().filter_map(move |part| part.get(keyword)?.as_f64());
    let (from, above) = (stated("minimum").reduce(f64::max), stated("exclusiveMinimum").reduce(f64::max));
    let (to, below) = (stated("maximum").reduce(f64::min), stated("exclusiveMaximum").reduce(f64::min));
    let low = from.into_iter().chain(above).reduce(f64::max);
    let high = to.into_iter().chain(below).reduce(f64::min);
    let within = |value: f64| {
        from.is_none_or(|it| value >= it)
            && above.is_none_or(|it| value > it)
            && to.is_none_or(|it| value <= it)
            && below.is_none_or(|it| value < it)
    };
    let multiple = stated("multipleOf").next().filter(|step| *step > 0.0);
    let step = multiple.or(whole.then_some(1.0));
    let (start, stride) = match (low, high, step) {
        (Some(low), _, Some(step)) => ((low / step).ceil() * step, step),
        (Some(low), Some(high), None) => (low, (high - low) / 16.0),
        (Some(low), None, None) => (low, 0.5),
        (None, Some(high), step) => {
            let step = step.unwrap_or(0.5);
            (((high / step).floor() * step).min(if high >= 1.0 { step.max(1.0) } else { high }), -step)
        }
        (None, None, Some(step)) => (step.max((1.0 / step).ceil() * step), step),
        (None, None, None) => (1.5, 1.0),
    };
    let position = f64::from(u32::try_from(nth).ok()?);
    // An excluded number is replaced by the next one.
    let values = [position, position + 1.0].map(|at| start + at * stride);
    let value = if nth == 0 || within(start) { values } else { [values[1], values[1]] };
    let value = value.into_iter().find(|value| within(*value))?;
    if value.fract() == 0.0 && (whole || multiple.is_some()) && value.abs() < 9e15 {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        return Some((value as i64).into());
    }
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Generates a value from a schema, whether it matches or not.
    fn made(document: &Value, schema: &Value) -> Option<Value> {
        sample(document, schema, |_| true)
    }

    #[test]
    fn each_kind_of_schema_gives_a_value_of_its_form() {
        let document = json!({"components": {"schemas": {
            "Tree": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Tree"},
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
            }},
            "Endless": {"type": "object", "required": ["self"], "properties": {
                "self": {"$ref": "#/components/schemas/Endless"}
            }}
        }}});
        let cases = [
            (json!({"$ref": "#/components/schemas/Tree"}), Some(json!({"name": "text", "children": []}))),
            (json!({"$ref": "#/components/schemas/Endless"}), None),
            (json!({"$ref": "#/nowhere"}), None),
            (json!({"oneOf": [{"$ref": "#/components/schemas/Endless"}, {"const": 1}]}), Some(json!(1))),
            (
                json!({"allOf": [{"properties": {"a": {"enum": ["x"]}}}, {"properties": {"b": {"type": "boolean"}}}]}),
                Some(json!({"a": "x", "b": true})),
            ),
            (json!({"type": ["integer", "null"], "minimum": 7}), Some(json!(7))),
            (json!({"type": "string", "format": "email"}), Some(json!("user@example.com"))),
            (json!({}), Some(Value::Null)),
        ];
        for (schema, expected) in &cases {
            assert_eq!(made(&document, schema), *expected, "{schema}");
        }
    }

    #[test]
    fn f27_a_value_fits_what_keywords_say_together() {
        let base = json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}});
        let tree = json!({"type": "object", "required": ["kids"], "properties": {
            "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            "up": {"anyOf": [{"$ref": "#/components/schemas/Tree"}, {"type": "null"}]},
        }});
        let document = json!({"components": {"schemas": {"Base": base, "Tree": tree}}});
        let base = json!({"$ref": "#/components/schemas/Base"});
        let cases = [
            json!({"type": "string", "pattern": "^[0-9a-f]{5}$"}),
            json!({"type": "string", "pattern": "^v[0-9]+\\.[0-9]+$", "minLength": 12}),
            json!({"type": "string", "pattern": "(?:ab|cd)e", "maxLength": 3}),
            json!({"type": "string", "minLength": 9, "maxLength": 9}),
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "string", "not": {"const": "text"}, "enum": ["text", "other"]}),
            json!({"type": "integer", "exclusiveMinimum": 10}),
            json!({"type": "integer", "minimum": 10, "multipleOf": 7}),
            json!({"type": "number", "multipleOf": 0.25, "exclusiveMinimum": 0}),
            json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
            json!({"type": "integer", "maximum": -5}),
            json!({"type": "integer", "minimum": 3, "exclusiveMaximum": 4}),
            json!({"type": "array", "minItems": 3, "items": {"type": "integer"}}),
            json!({"type": "array", "minItems": 3, "items": {"const": 1}}),
            json!({"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string"}}),
            json!({"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string", "format": "uuid"}}),
            json!({"type": "array", "minItems": 2, "uniqueItems": true, "items": {"enum": ["a", "b"]}}),
            json!({"type": "array", "minItems": 2, "uniqueItems": true, "items": {"type": "boolean"}}),
            json!({"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "string", "pattern": "^x"}}),
            json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false, "minItems": 2}),
            json!({"type": "array", "contains": {"const": "x"}, "items": {"type": "string"}, "minItems": 2}),
            json!({"type": "array", "items": {"type": "string"}, "maxItems": 0}),
            json!({"type": "object", "minProperties": 2}),
            json!({"type": "object", "minProperties": 2, "propertyNames": {"pattern": "^x-"}}),
            json!({"type": "object", "required": ["q"], "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "required": ["a"], "properties": {"b": {"type": "string"}}, "dependentRequired": {"a": ["b", "c"]}}),
            json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}),
            json!({"required": ["kind"], "properties": {"kind": {"type": "string"}}, "oneOf": [
                {"properties": {"kind": {"const": "x"}}}, {"properties": {"kind": {"const": "y"}}}]}),
            json!({"oneOf": [{"type": "string", "not": {}}, {"type": "integer"}]}),
            json!({"allOf": [base, {"required": ["more"], "properties": {"more": {"type": "integer"}}}], "unevaluatedProperties": false}),
            json!({"$ref": "#/components/schemas/Base", "required": ["extra"], "properties": {"extra": {"type": "string"}}}),
            json!({"$ref": "#/components/schemas/Tree"}),
            json!({"type": ["null", "string"]}),
            json!({"const": null}),
            json!({"type": "string", "enum": [null, "a"]}),
            json!({"type": "integer", "example": "seven"}),
            json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "default": "x"}}}),
            json!({"type": "integer", "minimum": 9, "example": 7}),
        ];
        for schema in
            cases.into_iter().chain(text::FORMATS.map(|format| json!({"type": "string", "format": format})))
        {
            let mut whole = schema.clone();
            whole["components"] = document["components"].clone();
            let validator =
                jsonschema::options().should_validate_formats(true).build(&whole).expect("a schema");
            let value = sample(&document, &schema, |value| validator.is_valid(value));
            assert!(value.is_some(), "{schema} gives {:?}", made(&document, &schema));
        }
    }

    #[test]
    fn f27_what_nothing_fits_gives_nothing() {
        for schema in [
            json!({"type": "string", "not": {}}),
            json!({"type": "integer", "minimum": 2, "maximum": 1}),
            json!({"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "boolean"}}),
            json!(false),
        ] {
            let validator = jsonschema::validator_for(&schema).expect("a schema");
            assert_eq!(sample(&Value::Null, &schema, |value| validator.is_valid(value)), None, "{schema}");
        }
    }
}
