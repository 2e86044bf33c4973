//! Compiled code, accessed through the names in its source.

use std::{future::Future, pin::Pin};

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use suprsend_api::{Client, Operation, Spec, Visitor};

use super::{
    code::{Code, Contract},
    finding::{Difference, Kind},
    pointer::Pointer,
};

/// A function that decodes a JSON text into a type and encodes it again.
pub type Codec = fn(&str) -> Result<Value, String>;

/// Decodes a JSON text into this type and encodes it again.
///
/// # Errors
///
/// The reason why the text cannot be decoded, or the value cannot be encoded.
pub fn round_trip<T: Serialize + DeserializeOwned>(text: &str) -> Result<Value, String> {
    let value: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// A visitor that sends an operation decoded from JSON.
pub struct Calling<'c> {
    client: &'c Client,
    arguments: Value,
}

impl<'c> Calling<'c> {
    /// Prepares to send an operation that is decoded from these values, by the names of its fields.
    pub fn new(client: &'c Client, arguments: Value) -> Self {
        Self { client, arguments }
    }
}

/// The outcome of a call: `Ok` if the response was a success that could be decoded.
pub type CallFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;

impl<'c> Visitor for Calling<'c> {
    type Output = CallFuture<'c>;

    fn visit<O>(self) -> Self::Output
    where
        O: Operation + Clone + Serialize + DeserializeOwned,
    {
        Box::pin(async move {
            let operation: O =
                serde_json::from_value(self.arguments.clone()).map_err(|error| error.to_string())?;
            // A queue that stores an operation must get it back.
            let stored = serde_json::to_value(&operation).map_err(|error| error.to_string())?;
            let again: O = serde_json::from_value(stored).map_err(|error| format!("read again: {error}"))?;
            self.client.send(&again).await.map(drop).map_err(|error| error.to_string())
        })
    }
}

/// Compiled code, accessed through the names in its source.
pub struct Compiled {
    /// The folder with the document, its overlays and the source.
    pub root: &'static str,
    /// The document that the code was generated from.
    pub document: &'static str,
    /// Generates the schemas of all types.
    pub schemas: fn(&mut SchemaGenerator),
    /// Returns the codec of a type by its name.
    pub codec: fn(&str) -> Option<Codec>,
    /// Sends an operation by its id.
    pub call: for<'a> fn(&'a Client, &str, Value) -> Option<CallFuture<'a>>,
    /// The constants of all operations.
    pub operations: &'static [&'static Spec],
}

/// The schemas of the compiled types by name, for reading and for writing.
pub(crate) type Definitions = Vec<(Contract, Map<String, Value>)>;

pub(crate) fn definitions(schemas: fn(&mut SchemaGenerator)) -> Definitions {
    let settings = SchemaSettings::draft2020_12();
    let sides =
        [(Contract::Read, settings.clone().for_deserialize()), (Contract::Written, settings.for_serialize())];
    let of = |(contract, settings): (Contract, SchemaSettings)| {
        let mut generator = settings.into_generator();
        schemas(&mut generator);
        (contract, generator.take_definitions(true))
    };
    sides.into_iter().map(of).collect()
}

/// Compares the facts about types that were read from the source with the compiled types, and returns the differences.
///
/// The source tells more than `schemars` can know, so it is compared with the document. This is the proof that it was read correctly.
pub(crate) fn verify(code: &Code, definitions: &Definitions) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (contract, compiled) in definitions {
        let names = code.types.keys().chain(compiled.keys().filter(|name| !code.types.contains_key(*name)));
        differences.extend(names.filter_map(|name| verify_type(code, *contract, name, compiled.get(name))));
    }
    differences
}

/// Compares a single type.
pub(crate) fn verify_type(
    code: &Code,
    contract: Contract,
    name: &str,
    compiled: Option<&Value>,
) -> Option<Difference> {
    let source = code.types.get(name).map(|schema| plain(&contract.reduce(schema)));
    let compiled = compiled.map(plain);
    (source != compiled).then(|| Difference {
        kind: Kind::Unrecognised,
        pointer: Pointer::root(),
        place: Pointer::root().child("rust").child(name),
        rust: code.types.get(name).map_or_else(|| name.to_owned(), super::compare::spot),
        owner: Some(name.to_owned()),
        document: Value::Null,
        code: serde_json::json!({"source": source, "compiled": compiled}),
    })
}

/// Normalizes a schema: without prose, in a canonical order, and with one form for the strings of an enum, because `schemars` lists those
/// that have a description as alternatives.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut plain: Map<String, Value> = members
                .iter()
                .filter(|(key, value)| {
                    let prose = ["$schema", "default", "description", "title"].contains(&key.as_str());
                    // A property may have one of these names.
                    !(prose && !value.is_object() && !value.is_boolean())
                })
                .map(|(key, value)| {
                    let mut value = plain(value);
                    if let ("required" | "enum", Value::Array(values)) = (key.as_str(), &mut value) {
                        values.sort_by_key(Value::to_string);
                    }
                    (key.clone(), value)
                })
                .collect();
            let lists = ["anyOf", "oneOf"].into_iter().filter(|keyword| plain.contains_key(*keyword));
            for keyword in lists.collect::<Vec<_>>() {
                join_texts(&mut plain, keyword);
            }
            plain.sort_keys();
            // It may have contained nothing but prose.
            if plain.is_empty() { Value::Bool(true) } else { plain.into() }
        }
        Value::Array(values) => values.iter().map(plain).collect(),
        _ => schema.clone(),
    }
}

/// Joins alternatives that are a single string each into one enum of them.
fn join_texts(members: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(alternatives)) = members.remove(keyword) else { return };
    let text = |alternative: &Value| {
        let is_text = alternative.get("type").and_then(Value::as_str) == Some("string");
        alternative
            .get("const")
            .filter(|_| is_text && alternative.as_object().is_some_and(|it| it.len() == 2))
            .cloned()
    };
    let mut texts: Vec<Value> = alternatives.iter().filter_map(text).collect();
    let mut joined: Vec<Value> =
        alternatives.into_iter().filter(|alternative| text(alternative).is_none()).collect();
    if !texts.is_empty() {
        texts.sort_by_key(Value::to_string);
        let texts = serde_json::json!({"enum": texts, "type": "string"});
        if let (true, Value::Object(texts)) = (joined.is_empty(), &texts) {
            members.extend(texts.clone());
            return;
        }
        joined.insert(0, texts);
    }
    members.insert(keyword.to_owned(), joined.into());
}
