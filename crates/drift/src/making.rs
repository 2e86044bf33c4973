//! Creates the first form of an instance: a value with the structure that a schema describes. A validator determines whether it is valid.

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

/// The depth to which optional parts are created.
const DEPTH: usize = 5;

/// The depth at which everything ends: a schema may be infinite.
const DEEPEST: usize = 24;

/// Each of this many consecutive turns always creates other optional properties, so that all are created soon.
const TURNS: usize = 4;

/// Creates an instance of a schema, whose references lead to its own definitions.
pub(crate) fn make(root: &Value, turn: usize, random: &mut StdRng) -> Option<Value> {
    Maker { root, random, turn }.make(root, 0, true)
}

struct Maker<'m> {
    root: &'m Value,
    random: &'m mut StdRng,
    turn: usize,
}

impl Maker<'_> {
    /// `outermost` is set for the schemas of the instance itself.
    fn make(&mut self, schema: &Value, depth: usize, outermost: bool) -> Option<Value> {
        let Value::Object(members) = schema else {
            return (*schema == Value::Bool(true)).then(|| json!({"any": [1, "text"]}));
        };
        if depth > DEEPEST {
            return None;
        }
        if let Some(value) = members.get("const") {
            return Some(value.clone());
        }
        if let Some(values) = members.get("enum").and_then(Value::as_array) {
            return values.choose(self.random).cloned();
        }
        let mut made = self.own(members, depth, outermost)?;
        if let Some(target) = members.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(target.strip_prefix('#')?)?.clone();
            made = Some(joined(made, self.make(&target, depth + 1, outermost)?));
        }
        for part in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            made = Some(joined(made, self.make(part, depth + 1, outermost)?));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(variants) = members.get(keyword).and_then(Value::as_array) {
                let variant = if outermost {
                    variants.get(self.turn % variants.len())
                } else {
                    variants.choose(self.random)
                };
                made = Some(joined(made, self.make(variant?, depth + 1, outermost)?));
            }
        }
        Some(made.unwrap_or_else(|| json!("anything")))
    }

    /// Creates an instance of the schema itself. The inner value is `None` if it describes nothing.
    #[allow(clippy::option_option, reason = "outside, that nothing can be made of it")]
    fn own(&mut self, members: &Map<String, Value>, depth: usize, outermost: bool) -> Option<Option<Value>> {
        let has = |keyword: &str| members.contains_key(keyword);
        let word = match members.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(Value::Array(words)) => {
                // Null reveals little.
                let other = words.iter().filter(|word| *word != "null").collect::<Vec<_>>();
                let null =
                    other.is_empty() || (other.len() < words.len() && self.random.random_range(0..6) == 0);
                if null { "null" } else { other.choose(self.random)?.as_str()? }
            }
            _ if has("properties") || has("additionalProperties") || has("required") => "object",
            _ if has("items") || has("prefixItems") => "array",
            _ if has("format") || has("pattern") || has("minLength") => "string",
            _ if has("minimum") || has("maximum") => "number",
            _ => return Some(None),
        };
        let made = match word {
            "null" => Value::Null,
            "boolean" => self.random.random::<bool>().into(),
            "integer" | "number" => self.number(members, word == "integer"),
            "string" => self.text(members)?,
            "array" => self.array(members, depth)?,
            _ => self.object(members, depth, outermost)?,
        };
        Some(Some(made))
    }

    fn number(&mut self, members: &Map<String, Value>, whole: bool) -> Value {
        let bound = |keyword: &str| members.get(keyword).and_then(Value::as_f64);
        let least = bound("minimum").or(bound("exclusiveMinimum").map(|bound| bound + 1.0));
        let most = bound("maximum").or(bound("exclusiveMaximum").map(|bound| bound - 1.0));
        let low = least.unwrap_or_else(|| most.unwrap_or(1000.0).min(1000.0) - 2000.0);
        let high = most.unwrap_or(low.max(0.0) + 2000.0);
        let mut number = self.random.random_range(low..=high.max(low));
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            number = (number / step).ceil() * step;
        }
        #[allow(clippy::cast_possible_truncation, reason = "the bounds are those of a schema")]
        if whole { json!(number.ceil() as i64) } else { json!(number) }
    }

    fn text(&mut self, members: &Map<String, Value>) -> Option<Value> {
        if let Some(pattern) = members.get("pattern") {
            return noson::generate(&json!({"type": "string", "pattern": pattern}), self.random).ok();
        }
        let number: u32 = self.random.random_range(0..100_000);
        let of_format = match members.get("format").and_then(Value::as_str) {
            Some("date-time") => format!("2025-04-{:02}T21:37:{:02}Z", 1 + number % 28, number % 60),
            Some("date") => format!("2025-04-{:02}", 1 + number % 28),
            Some("time") => format!("21:37:{:02}Z", number % 60),
            Some("email") => format!("jane.{number}@example.com"),
            Some("uri" | "uri-reference") => format!("https://example.com/{number}"),
            Some("uuid") => format!("d3b07384-d9a0-4c9b-8f6e-0d2f2a{number:06x}"),
            Some("ipv4") => format!("192.0.2.{}", number % 256),
            Some("ipv6") => format!("2001:db8::{:x}", number % 65536),
            Some("hostname") => format!("host-{number}.example.com"),
            _ => String::new(),
        };
        if !of_format.is_empty() {
            return Some(of_format.into());
        }
        let count = |keyword: &str| {
            members.get(keyword).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
        };
        let (least, most) = (count("minLength").unwrap_or(0), count("maxLength").unwrap_or(usize::MAX));
        let mut text = format!("text {number}");
        while text.len() < least {
            text.push('x');
        }
        text.truncate(most);
        Some(text.into())
    }

    fn array(&mut self, members: &Map<String, Value>, depth: usize) -> Option<Value> {
        let count = |keyword: &str| {
            members.get(keyword).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok())
        };
        let least = count("minItems").unwrap_or(0);
        let more = if depth < DEPTH { self.random.random_range(0..3) } else { 0 };
        let length = (least + more).min(count("maxItems").unwrap_or(usize::MAX));
        let first =
            members.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let rest = members.get("items").unwrap_or(&Value::Bool(true));
        let length = if *rest == Value::Bool(false) { length.min(first.len()) } else { length };
        let items = (0..length).map(|index| self.make(first.get(index).unwrap_or(rest), depth + 1, false));
        items.collect::<Option<Vec<Value>>>().map(Value::from)
    }

    fn object(&mut self, members: &Map<String, Value>, depth: usize, outermost: bool) -> Option<Value> {
        let mut object = Map::new();
        let required = members.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: Vec<&str> = required.filter_map(Value::as_str).collect();
        let properties = members.get("properties").and_then(Value::as_object);
        for (index, (name, schema)) in properties.into_iter().flatten().enumerate() {
            let turn = outermost && index % TURNS == self.turn % TURNS;
            if required.contains(&name.as_str()) {
                object.insert(name.clone(), self.make(schema, depth + 1, false)?);
            } else if turn || (depth < DEPTH && self.random.random_range(0..3) == 0) {
                // Parts that cannot be created are left out.
                object.extend(self.make(schema, depth + 1, false).map(|made| (name.clone(), made)));
            }
        }
        let rest = members.get("additionalProperties").filter(|rest| **rest != Value::Bool(false));
        for name in required {
            if !object.contains_key(name) && properties.is_none_or(|known| !known.contains_key(name)) {
                object.insert(
                    name.to_owned(),
                    self.make(rest.unwrap_or(&Value::Bool(true)), depth + 1, false)?,
                );
            }
        }
        let least =
            members.get("minProperties").and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
        for (name, schema) in properties.into_iter().flatten() {
            if object.len() < least.unwrap_or(0) && !object.contains_key(name) {
                object.insert(name.clone(), self.make(schema, depth + 1, false)?);
            }
        }
        if let Some(rest) = rest
            && (object.len() < least.unwrap_or(0) || (depth < DEPTH && self.random.random_range(0..2) == 0))
        {
            for index in 0..least.unwrap_or(1).max(1) {
                object.insert(format!("key {index}"), self.make(rest, depth + 1, false)?);
            }
        }
        Some(object.into())
    }
}

/// Joins two values that apply together: objects get the members of both.
fn joined(one: Option<Value>, other: Value) -> Value {
    match (one, other) {
        (Some(Value::Object(mut one)), Value::Object(other)) => {
            one.extend(other);
            one.into()
        }
        (_, other) => other,
    }
}
