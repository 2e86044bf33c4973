//! The quick way to see that nothing is wrong with a body, which is so nearly always.
//!
//! [`schema::check`](super::schema::check) says what is wrong, where, in words, for all that it knows of JSON Schema; for that it
//! needs the body as a JSON value and looks the rules up in the document each time. This looks at a body while it is
//! serialized into nothing, by rules that were read once. It knows a part of what the other knows, and doubts the rest: a doubt
//! means that the other has to look.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct},
};
use serde_json::Value;

use super::{format, schema};

/// How deep schemas are read; what is further in is doubted, and so are schemas that hold themselves.
const DEPTH: usize = 8;

/// The most bytes that a byte of a text takes in JSON: a control character is written as `\u0000`.
const ESCAPED: usize = 6;
/// What stands around a value at most: quotes, a comma, a colon, or two brackets.
const AROUND: usize = 4;
/// The most bytes that a value takes which is neither a text nor a container.
const SCALAR: usize = 32;

static RULES: LazyLock<BTreeMap<&'static str, Rule>> = LazyLock::new(|| {
    schema::bodies().map(|(operation, schema)| (operation, Rule::read(schema, DEPTH))).collect()
});

/// Whether nothing is wrong with the body of an operation, and it has not more bytes than this as JSON. False if that is not sure.
pub(super) fn is_surely_right(operation: &str, body: &impl Serialize, bytes: usize) -> bool {
    let mut room = bytes;
    body.serialize(Look { rule: RULES.get(operation), room: &mut room, is_name: false }).is_ok()
}

/// The types of JSON, as a set of bits.
type Types = u8;

const TEXT: Types = 1;
const BOOLEAN: Types = 1 << 1;
const NULL: Types = 1 << 2;
const INTEGER: Types = 1 << 3;
const NUMBER: Types = 1 << 4;
const LIST: Types = 1 << 5;
const OBJECT: Types = 1 << 6;
const ALL: Types = TEXT | BOOLEAN | NULL | INTEGER | NUMBER | LIST | OBJECT;

/// What a schema says about a value, as far as it is known here.
struct Rule {
    types: Types,
    /// The schema says more.
    doubtful: bool,
    format: String,
    items: Option<Box<Rule>>,
    /// Few, and looked for by texts that mostly differ in length: faster than a map.
    properties: Vec<(String, Rule)>,
    additional: Option<Box<Rule>>,
}

impl Rule {
    fn read(schema: &Value, depth: usize) -> Self {
        let schema = schema::resolve(schema);
        let inner = |schema: &Value| Box::new(Self::read(schema, depth.saturating_sub(1)));
        let nested = ["items", "properties", "additionalProperties"];
        let unknown = ["$ref", "enum", "required", "allOf", "oneOf", "anyOf"];
        let too_deep = depth == 0 && nested.iter().any(|keyword| schema.get(*keyword).is_some());
        let doubtful = too_deep || unknown.iter().any(|keyword| schema.get(*keyword).is_some());
        let mut rule = Self {
            types: schema.get("type").map_or(ALL, types),
            doubtful,
            format: schema.get("format").and_then(Value::as_str).unwrap_or_default().to_owned(),
            items: None,
            properties: Vec::new(),
            additional: None,
        };
        if !doubtful {
            let properties = schema.get("properties").and_then(Value::as_object);
            rule.items = schema.get("items").map(inner);
            rule.properties = properties
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), *inner(schema)))
                .collect();
            rule.additional = schema.get("additionalProperties").map(inner);
        }
        rule
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let property = self.properties.iter().find(|(property, _)| property == name);
        property.map(|(_, rule)| rule).or(self.additional.as_deref())
    }
}

/// A type that is not known here is one that no value is surely of.
fn types(types: &Value) -> Types {
    let of = |name| match name {
        "string" => TEXT,
        "boolean" => BOOLEAN,
        "null" => NULL,
        "integer" => INTEGER,
        "number" => NUMBER,
        "array" => LIST,
        "object" => OBJECT,
        _ => 0,
    };
    schema::names(types).map(of).fold(0, |all, one| all | one)
}

/// It is not sure that nothing is wrong.
#[derive(Debug)]
struct Doubt;

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not sure that nothing is wrong")
    }
}

impl std::error::Error for Doubt {}

impl ser::Error for Doubt {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// A rule, or none where there is none, so that everything is right.
type Found = Option<&'static Rule>;

/// Looks at a value, or at the name of a member, whose rule it finds.
struct Look<'a> {
    rule: Found,
    /// The bytes that are left for the body.
    room: &'a mut usize,
    is_name: bool,
}

impl<'a> Look<'a> {
    /// Takes a value of one of these types and of at most so many bytes.
    fn take(&mut self, types: Types, bytes: usize) -> Result<(), Doubt> {
        let fits = self.rule.is_none_or(|rule| !rule.doubtful && rule.types & types != 0);
        *self.room = self.room.checked_sub(bytes).ok_or(Doubt)?;
        if fits && !self.is_name { Ok(()) } else { Err(Doubt) }
    }

    fn scalar(mut self, types: Types) -> Result<Found, Doubt> {
        self.take(types, SCALAR)?;
        Ok(None)
    }

    fn inside(mut self, types: Types) -> Result<Inside<'a>, Doubt> {
        self.take(types, AROUND)?;
        Ok(Inside { rule: self.rule, member: None, room: self.room })
    }
}

/// Looks at what is in a list or an object.
struct Inside<'a> {
    rule: Found,
    member: Found,
    room: &'a mut usize,
}

impl Inside<'_> {
    fn value(&mut self, rule: Found, value: &(impl Serialize + ?Sized)) -> Result<(), Doubt> {
        value.serialize(Look { rule, room: &mut *self.room, is_name: false }).map(drop)
    }

    fn member(&self, name: &str) -> Found {
        self.rule.and_then(|rule| rule.member(name))
    }
}

impl<'a> Serializer for Look<'a> {
    /// The rule of a member, where the value was its name.
    type Ok = Found;
    type Error = Doubt;
    type SerializeSeq = Inside<'a>;
    type SerializeTuple = Impossible<Self::Ok, Doubt>;
    type SerializeTupleStruct = Impossible<Self::Ok, Doubt>;
    type SerializeTupleVariant = Impossible<Self::Ok, Doubt>;
    type SerializeMap = Inside<'a>;
    type SerializeStruct = Inside<'a>;
    type SerializeStructVariant = Impossible<Self::Ok, Doubt>;

    fn serialize_bool(self, _: bool) -> Result<Self::Ok, Doubt> {
        self.scalar(BOOLEAN)
    }

    fn serialize_i8(self, _: i8) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_i16(self, _: i16) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_i32(self, _: i32) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_i64(self, _: i64) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_u8(self, _: u8) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_u16(self, _: u16) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_u32(self, _: u32) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_u64(self, _: u64) -> Result<Self::Ok, Doubt> {
        self.scalar(INTEGER | NUMBER)
    }

    fn serialize_f32(self, number: f32) -> Result<Self::Ok, Doubt> {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<Self::Ok, Doubt> {
        // What is not finite becomes null.
        if number.is_finite() { self.scalar(NUMBER) } else { Err(Doubt) }
    }

    fn serialize_char(self, _: char) -> Result<Self::Ok, Doubt> {
        Err(Doubt)
    }

    fn serialize_str(mut self, text: &str) -> Result<Self::Ok, Doubt> {
        let bytes = text.len().saturating_mul(ESCAPED).saturating_add(AROUND);
        if self.is_name {
            *self.room = self.room.checked_sub(bytes).ok_or(Doubt)?;
            return Ok(self.rule.and_then(|rule| rule.member(text)));
        }
        self.take(TEXT, bytes)?;
        let wrong = self.rule.is_some_and(|rule| format::violation(&rule.format, text).is_some());
        if wrong { Err(Doubt) } else { Ok(None) }
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Self::Ok, Doubt> {
        Err(Doubt)
    }

    fn serialize_none(self) -> Result<Self::Ok, Doubt> {
        self.scalar(NULL)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Doubt> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Self::Ok, Doubt> {
        self.scalar(NULL)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Doubt> {
        self.scalar(NULL)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Self::Ok, Doubt> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Doubt> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Self::Ok, Doubt> {
        Err(Doubt)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Doubt> {
        self.inside(LIST)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Doubt> {
        Err(Doubt)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Doubt> {
        Err(Doubt)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Doubt> {
        Err(Doubt)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Doubt> {
        self.inside(OBJECT)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, Doubt> {
        // serde_json's own types pretend to be structures where they are none.
        if name.starts_with('$') { Err(Doubt) } else { self.inside(OBJECT) }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Doubt> {
        Err(Doubt)
    }
}

impl SerializeSeq for Inside<'_> {
    type Ok = Found;
    type Error = Doubt;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Doubt> {
        let rule = self.rule.and_then(|rule| rule.items.as_deref());
        self.value(rule, value)
    }

    fn end(self) -> Result<Self::Ok, Doubt> {
        Ok(None)
    }
}

impl SerializeMap for Inside<'_> {
    type Ok = Found;
    type Error = Doubt;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Doubt> {
        self.member = name.serialize(Look { rule: self.rule, room: &mut *self.room, is_name: true })?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Doubt> {
        self.value(self.member, value)
    }

    fn end(self) -> Result<Self::Ok, Doubt> {
        Ok(None)
    }
}

impl SerializeStruct for Inside<'_> {
    type Ok = Found;
    type Error = Doubt;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Doubt> {
        let bytes = name.len() * ESCAPED + AROUND;
        *self.room = self.room.checked_sub(bytes).ok_or(Doubt)?;
        self.value(self.member(name), value)
    }

    fn end(self) -> Result<Self::Ok, Doubt> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::error::Violations;

    const UPSERT: &str = "create_update_users";

    fn is_right(schema: &Value, value: &Value, bytes: usize) -> bool {
        let rule: Found = Some(Box::leak(Box::new(Rule::read(schema, DEPTH))));
        let mut room = bytes;
        value.serialize(Look { rule, room: &mut room, is_name: false }).is_ok()
    }

    #[test]
    fn what_is_usual_is_surely_right() {
        let body = json!({
            "$email": ["jane@example.com"],
            "$sms": ["+15551234567"],
            "$inbox": ["inbox"],
            "$timezone": "America/New_York",
            "plan": "pro",
            "seats": 12,
            "tags": ["a", null, 1.5, {"b": true}],
        });
        assert!(is_surely_right(UPSERT, &body, 1000));
        assert!(!is_surely_right(UPSERT, &body, 100), "it may be too long");
    }

    #[test]
    fn the_room_is_for_texts_as_they_are_written() {
        let text = Value::from("\u{1}".repeat(100));
        let long = json!({ text.as_str().unwrap_or_default(): text });
        assert!(!is_surely_right(UPSERT, &long, long.to_string().len() - 1));
        assert!(is_surely_right(UPSERT, &long, 2000));
    }

    #[test]
    fn what_is_wrong_is_not() {
        for body in [
            json!({"$email": ["jane"]}),
            json!({"$email": "jane@example.com"}),
            json!({"$sms": [1]}),
            json!({"$timezone": 1}),
            json!({"$webpush": [{"endpoint": "nowhere", "keys": {"p256dh": "a", "auth": "b"}}]}),
            json!([]),
        ] {
            assert!(!is_surely_right(UPSERT, &body, 1000), "{body}");
        }
    }

    #[test]
    fn what_is_not_known_here_is_doubted() {
        for schema in [
            json!({"enum": [1]}),
            json!({"oneOf": [true]}),
            json!({"anyOf": [true]}),
            json!({"allOf": [true]}),
            json!({"required": ["a"]}),
            json!({"$ref": "#/nowhere"}),
            json!({"type": "new"}),
        ] {
            assert!(!is_right(&schema, &json!({}), 1000), "{schema}");
        }
        assert!(is_right(&json!({"type": ["object", "null"]}), &json!({}), 1000));
        assert!(is_right(&json!(true), &json!({}), 1000));
    }

    fn schema() -> impl Strategy<Value = Value> {
        let name = || "[ab]";
        let types = || {
            prop::sample::select(vec![
                "string", "boolean", "null", "integer", "number", "array", "object", "new",
            ])
        };
        let leaf = prop_oneof![
            Just(json!({})),
            types().prop_map(|name| json!({"type": name})),
            prop::collection::vec(types(), 0..3).prop_map(|names| json!({"type": names})),
            prop::sample::select(vec!["email", "uri"])
                .prop_map(|format| json!({"type": "string", "format": format})),
            Just(json!({"enum": ["a", 1]})),
        ];
        leaf.prop_recursive(3, 16, 3, move |inner| {
            prop_oneof![
                inner.clone().prop_map(|items| json!({"items": items})),
                (prop::collection::btree_map(name(), inner.clone(), 0..3), prop::option::of(inner.clone()))
                    .prop_map(|(properties, additional)| match additional {
                        Some(additional) =>
                            json!({"properties": properties, "additionalProperties": additional}),
                        None => json!({"properties": properties}),
                    }),
                name().prop_map(|name| json!({"required": [name]})),
                (prop::sample::select(vec!["oneOf", "anyOf", "allOf"]), prop::collection::vec(inner, 1..3))
                    .prop_map(|(keyword, schemas)| json!({keyword: schemas})),
            ]
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(vec!["", "a", "a@b.co", "https://a.b", "\u{1}\"\\\u{e9}"])
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[ab\u{1}]", inner, 0..3)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// What is surely right is right to the checks that know everything.
        #[test]
        fn it_is_never_surer_than_right(schema in schema(), value in value(), bytes in 0_usize..200) {
            if is_right(&schema, &value, bytes) {
                let mut found = Violations::default();
                schema::walk(&schema, &value, "", &mut found);
                prop_assert!(found.is_empty(), "{found:?}");
                prop_assert!(value.to_string().len() <= bytes);
            }
        }
    }
}
