//! Generates instances of schemas: valid ones, and invalid ones that differ from those by one change.
//!
//! [`making`] creates the first form of an instance. Changes at random places then add what it does not consider (unknown keys, text in all
//! scripts, extreme numbers, times with offsets). A validator determines whether each of them is valid.

use jsonschema::Validator;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value, json};

use super::{
    document::Document,
    making,
    pointer::Pointer,
    schema::{Node, says},
};

/// A schema of the document that can be tried.
pub(crate) struct Subject {
    /// The schema with everything that it refers to, and nothing else.
    small: Value,
    pub(crate) validator: Validator,
    /// Places of the schema and the corresponding places of the document; the first match applies.
    places: Vec<(Pointer, Pointer)>,
}

impl Subject {
    /// Returns `None` if no validator can be made for it.
    pub(crate) fn new(document: &Document<'_>, node: &Node<'_>) -> Option<Self> {
        let (schema, places) = node.to_schema();
        let (small, targets) = bundle(&schema, document.schemas.root());
        let validator =
            jsonschema::draft202012::options().should_validate_formats(true).build(&small).ok()?;
        let definitions = Pointer::root().child("$defs");
        let targets = targets.iter().enumerate().filter_map(|(index, target)| {
            Some((definitions.element(index), Pointer::from_reference(target)?))
        });
        let places = targets.chain(places).collect();
        Some(Self { small, validator, places })
    }

    /// Returns the place in the document that corresponds to a place in the root.
    pub(crate) fn place(&self, location: &str) -> Pointer {
        let location = Pointer::from_text(location);
        for (inner, outer) in &self.places {
            if inner.contains(&location) {
                return Pointer::from_text(&location.as_str()[inner.as_str().len()..]).below(outer);
            }
        }
        location
    }
}

/// Instances of a subject, which are the same for the same seed.
pub(crate) struct Instances<'s> {
    subject: &'s Subject,
    random: StdRng,
    turn: usize,
}

impl<'s> Instances<'s> {
    pub(crate) fn new(subject: &'s Subject, seed: u64) -> Self {
        Self { subject, random: StdRng::seed_from_u64(seed), turn: 0 }
    }

    /// Returns a valid instance in its first form, if possible.
    pub(crate) fn plain(&mut self) -> Option<Value> {
        self.turn += 1;
        (0..8).find_map(|_| {
            let made = making::make(&self.subject.small, self.turn, &mut self.random)?;
            self.subject.validator.is_valid(&made).then_some(made)
        })
    }

    /// Returns a valid instance, if one can be found.
    pub(crate) fn valid(&mut self) -> Option<Value> {
        let mut instance = self.plain()?;
        if self.random.random() {
            instance = self.filled(instance);
        }
        for _ in 0..self.random.random_range(0..4) {
            let changed = self.changed(&instance);
            if self.subject.validator.is_valid(&changed) {
                instance = changed;
            }
        }
        Some(instance)
    }

    /// Returns an instance that one change has made invalid, if one can be found.
    pub(crate) fn invalid(&mut self) -> Option<Value> {
        let (instance, validator) = (self.plain()?, &self.subject.validator);
        (0..8).map(|_| self.changed(&instance)).find(|changed| !validator.is_valid(changed))
    }

    /// Returns a copy in which empty objects have a member, if one is allowed: empty ones reveal little.
    fn filled(&mut self, instance: Value) -> Value {
        let mut places = Vec::new();
        gather(&instance, &Pointer::root(), &mut places);
        let mut filled = instance;
        for place in places {
            if !place.get(&filled).and_then(Value::as_object).is_some_and(Map::is_empty) {
                continue;
            }
            for value in [self.anything(1), json!("text"), json!(7), json!(true), json!(["text"]), json!([7])]
            {
                let mut trial = filled.clone();
                if let Some(object) = place.get_mut(&mut trial) {
                    *object = json!({ "key": value });
                }
                if self.subject.validator.is_valid(&trial) {
                    filled = trial;
                    break;
                }
            }
        }
        filled
    }

    /// Returns a copy with one change at a random place.
    fn changed(&mut self, instance: &Value) -> Value {
        let mut places = Vec::new();
        gather(instance, &Pointer::root(), &mut places);
        let mut changed = instance.clone();
        if let Some(place) = places.choose(&mut self.random)
            && let Some(value) = place.get_mut(&mut changed)
        {
            *value = self.other(value);
        }
        changed
    }

    fn other(&mut self, value: &Value) -> Value {
        if self.random.random_range(0..6) == 0 {
            return self.anything(2);
        }
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Number(_) => self.number(),
            Value::Object(members) => self.object(members),
            Value::Array(values) => {
                let mut values = values.clone();
                match self.random.random_range(0..4) {
                    0 => values.clear(),
                    1 => values.extend(values.first().cloned()),
                    2 => values.push(self.anything(1)),
                    _ => drop(values.pop()),
                }
                values.into()
            }
            Value::Bool(value) => (!value).into(),
            Value::Null => self.anything(1),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> Value {
        let mut members = members.clone();
        let names: Vec<String> = members.keys().cloned().collect();
        match (self.random.random_range(0..4), names.choose(&mut self.random)) {
            (0, Some(name)) => drop(members.shift_remove(name)),
            (1, Some(name)) => drop(members.insert(name.clone(), Value::Null)),
            _ => {
                let names = ["unknown", "$unknown", "", "value_json", "ключ", "a b/c~d"];
                let name = names.choose(&mut self.random).copied().unwrap_or_default();
                let value = self.anything(2);
                members.insert(name.to_owned(), value);
            }
        }
        members.into()
    }

    fn text(&mut self, text: &str) -> String {
        let long = "x".repeat(300);
        let others = [
            "",
            " ",
            "null",
            "naïve 漢字 \u{1F600} עברית",
            "line\nbreak\t\"quoted\" \\ \u{0}",
            "jane.doe+tag@example.com",
            "https://example.com/a%20b?c=d#e",
            "2025-04-04T21:37:36.712496+00:00",
            "1999-12-31T23:59:59.999999999-11:30",
            "2024-02-29T00:00:00Z",
            "2024-02-29",
            "d3b07384-d9a0-4c9b-8f6e-0d2f2a3c4b5e",
            "192.0.2.1",
            "2001:db8::1",
            long.as_str(),
        ];
        match self.random.random_range(0..3) {
            0 => format!("{text}!"),
            _ => others.choose(&mut self.random).copied().unwrap_or_default().to_owned(),
        }
    }

    fn number(&mut self) -> Value {
        let numbers = [
            json!(0),
            json!(-1),
            json!(1),
            json!(i32::MAX),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(0.5),
            json!(-1e-7),
            json!(1e30),
        ];
        numbers.choose(&mut self.random).cloned().unwrap_or_default()
    }

    fn anything(&mut self, depth: usize) -> Value {
        match self.random.random_range(0..if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => self.random.random::<bool>().into(),
            2 => self.number(),
            3 => self.text("text").into(),
            4 => {
                let count = self.random.random_range(0..3);
                (0..count).map(|_| self.anything(depth - 1)).collect()
            }
            _ => {
                let count = self.random.random_range(0..3);
                let members: Map<String, Value> =
                    (0..count).map(|index| (format!("key{index}"), self.anything(depth - 1))).collect();
                members.into()
            }
        }
    }
}

/// Returns everything that determines the instances of a schema, and the places that it refers to.
pub(crate) fn essence(document: &Document<'_>, node: &Node<'_>) -> (Value, Vec<Pointer>) {
    let (small, targets) = bundle(&node.to_schema().0, document.schemas.root());
    (small, targets.iter().filter_map(|target| Pointer::from_reference(target)).collect())
}

/// Returns a schema without external references and prose, and the references that it had.
fn bundle(schema: &Value, root: &Value) -> (Value, Vec<String>) {
    let mut targets = Vec::new();
    let mut bundled = strip(schema, false, &mut targets);
    let mut definitions = Map::new();
    while let Some(target) = targets.get(definitions.len()).cloned() {
        let found = Pointer::from_reference(&target).and_then(|place| place.get(root));
        let stripped = strip(found.unwrap_or(&Value::Bool(true)), false, &mut targets);
        definitions.insert(definitions.len().to_string(), stripped);
    }
    if let (Value::Object(members), false) = (&mut bundled, definitions.is_empty()) {
        members.insert("$defs".to_owned(), definitions.into());
    }
    (bundled, targets)
}

/// Returns a schema or named schemas without prose, with references to definitions by number.
fn strip(value: &Value, names: bool, targets: &mut Vec<String>) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(key, _)| names || says(key))
            .map(|(key, value)| {
                let value = match (key.as_str(), value) {
                    _ if names => strip(value, false, targets),
                    ("$ref", Value::String(target)) => {
                        let known = targets.iter().position(|known| known == target);
                        let index = known.unwrap_or_else(|| {
                            targets.push(target.clone());
                            targets.len() - 1
                        });
                        format!("#/$defs/{index}").into()
                    }
                    ("properties" | "patternProperties" | "dependentSchemas", _) => {
                        strip(value, true, targets)
                    }
                    ("const" | "default" | "enum", _) => value.clone(),
                    _ => strip(value, false, targets),
                };
                (key.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(values) => values.iter().map(|value| strip(value, false, targets)).collect(),
        _ => value.clone(),
    }
}

/// Collects all places in a value.
fn gather(value: &Value, at: &Pointer, places: &mut Vec<Pointer>) {
    places.push(at.clone());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| gather(value, &at.child(name), places));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| gather(value, &at.element(index), places));
        }
        _ => {}
    }
}
