//! From text to a JSON value: YAML 1.2 or JSON, with nothing lost on the way.

use std::{
    cell::{Cell, RefCell},
    fmt,
};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::{Pointer, Problem, Problems, limits};

/// A file's name, for messages, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that messages use.
    pub name: String,
    /// YAML or JSON.
    pub text: String,
}

impl Source {
    /// A source from its name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads the text, which is YAML or JSON.
    ///
    /// A duplicate key, a custom tag and a number that JSON does not have (`.nan`) are errors, because each would
    /// lose something silently. Keys that YAML reads as numbers or booleans (`200:`, `on:` is text) become text.
    ///
    /// A text of more than [`TEXT`](crate::TEXT) bytes, nesting beyond 128 levels, aliases that multiply into a bomb, and more than two million values once the aliases
    /// are written out are errors too.
    pub fn parse(&self) -> Result<Value, Problems> {
        if self.text.len() > limits::TEXT {
            let reason = format!("it has more than {} bytes", limits::TEXT);
            return Err(Problem::at(self.name.clone(), reason, "split it").into());
        }
        let reader = Reader { left: Cell::new(limits::VALUES), refused: RefCell::new(None) };
        let read = Place { reader: &reader, parent: None, step: Step::Root }
            .deserialize(yaml_serde::Deserializer::from_str(&self.text));
        read.map_err(|error| {
            let problem = |reason, remedy| Problem::at(self.name.clone(), reason, remedy);
            if let Some(reason) = reader.refused.take() {
                return problem(reason, "write a value that JSON has too, once").into();
            }
            let reason = format!("not readable as YAML or JSON: {error}");
            problem(reason, "mend the text there").into()
        })
    }
}

/// What the places of one text share.
struct Reader {
    /// How many more values the text may have: aliases can make a small text a large document.
    left: Cell<usize>,
    /// Why a value was refused, and where.
    refused: RefCell<Option<String>>,
}

/// A place of the text, whose value is about to be read.
#[derive(Clone, Copy)]
struct Place<'a> {
    reader: &'a Reader,
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Place<'_> {
    fn pointer(&self) -> Pointer {
        let parent = self.parent.map(Place::pointer).unwrap_or_default();
        match self.step {
            Step::Root => parent,
            Step::Key(key) => parent.child(key),
            Step::Index(index) => parent.child(index),
        }
    }

    fn refuse<E: de::Error>(&self, reason: &str) -> E {
        *self.reader.refused.borrow_mut() = Some(format!("{reason} at {}", self.pointer()));
        E::custom(reason)
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.reader.left.get();
        self.reader.left.set(left.saturating_sub(1));
        if left == 0 {
            return Err(self.refuse(&format!("more than {} values, aliases written out,", limits::VALUES)));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    // As JSON readers do with integers that are too large.
    #[allow(clippy::cast_precision_loss, reason = "there is no other number for it")]
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    #[allow(clippy::cast_precision_loss, reason = "there is no other number for it")]
    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        match Number::from_f64(value) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(self.refuse(&format!("`{value}`, which is not a JSON number,"))),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            let place = Place { parent: Some(&self), step: Step::Index(list.len()), ..self };
            match items.next_element_seed(place)? {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key_seed(self)? {
            let key = match key {
                Value::String(text) => text,
                Value::Array(_) | Value::Object(_) => {
                    return Err(self.refuse("a key that is no plain scalar"));
                }
                scalar => scalar.to_string(),
            };
            if object.contains_key(&key) {
                return Err(self.refuse(&format!("the key `{key}` stands twice")));
            }
            let value =
                members.next_value_seed(Place { parent: Some(&self), step: Step::Key(&key), ..self })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (tag, _) = tagged.variant::<String>()?;
        Err(self.refuse(&format!("the YAML tag `!{tag}`")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(text: &str) -> Result<Value, String> {
        Source::new("doc.yaml", text).parse().map_err(|problems| problems.to_string())
    }

    #[test]
    fn yaml_and_json_give_the_same_value_in_the_order_of_the_text() {
        let yaml = parse("b: [1, -2, 1.5]\n200: no\na: 2020-01-01\n").unwrap();
        assert_eq!(yaml, json!({"b": [1, -2, 1.5], "200": "no", "a": "2020-01-01"}));
        assert_eq!(yaml.as_object().unwrap().keys().next().unwrap(), "b");
        assert_eq!(parse("{\"b\": 1}").unwrap(), json!({"b": 1}));
    }

    #[test]
    fn what_json_would_lose_is_an_error_with_its_place() {
        for (text, part) in [
            ("a: 1\na: 2\n", "`a` stands twice at /"),
            ("x: {200: a, '200': b}\n", "`200` stands twice at /x"),
            ("x:\n  - .nan\n", "at /x/0"),
            ("x: !secret y\n", "tag `!secret` at /x"),
            ("a: [\n", "doc.yaml: not readable"),
            ("? [1]\n: x\n", "no plain scalar"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text:?} gave {error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_text_without_end_is_an_error() {
        let error = parse(&" ".repeat(crate::TEXT + 1)).unwrap_err();
        assert!(error.contains("it has more than 67108864 bytes"), "{error}");
    }

    #[test]
    fn a_bomb_and_a_pit_are_errors() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let below = format!("*a{},", level - 1).repeat(9);
            let line = format!("a{level}: &a{level} [{below}]\n");
            bomb.push_str(&line);
        }
        assert!(parse(&bomb).unwrap_err().contains("repetition limit"));
        assert!(parse(&"[".repeat(100_000)).unwrap_err().contains("recursion limit"));
    }
}
