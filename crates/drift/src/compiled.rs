//! Compiled code, reached by the names in its source.

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

/// Decodes a JSON text into a type and encodes that again.
pub type Codec = fn(&str) -> Result<Value, String>;

/// Decodes a JSON text into this type and encodes that again.
///
/// # Errors
///
/// The reason why the text cannot be read, or the value cannot be written.
pub fn round_trip<T: Serialize + DeserializeOwned>(text: &str) -> Result<Value, String> {
    let value: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// Sends an operation that is read from JSON.
pub struct Calling<'c> {
    client: &'c Client,
    arguments: Value,
}

impl<'c> Calling<'c> {
    /// Prepares to send what is read from these values, by the names of the operation's fields.
    pub fn new(client: &'c Client, arguments: Value) -> Self {
        Self { client, arguments }
    }
}

/// Outcome of a call: nothing, if the response was a success that could be read.
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
            // A queue that holds one has to get it back.
            let stored = serde_json::to_value(&operation).map_err(|error| error.to_string())?;
            let again: O = serde_json::from_value(stored).map_err(|error| format!("read again: {error}"))?;
            self.client.send(&again).await.map(drop).map_err(|error| error.to_string())
        })
    }
}

/// Compiled code, reached by the names in its source.
pub struct Compiled {
    /// The folder with the document, its overlays and the source.
    pub root: &'static str,
    /// The document that the code was generated from.
    pub document: &'static str,
    /// Makes the schemas of all types.
    pub schemas: fn(&mut SchemaGenerator),
    /// Decodes and encodes a type, by its name.
    pub codec: fn(&str) -> Option<Codec>,
    /// Sends an operation, by its id.
    pub call: for<'a> fn(&'a Client, &str, Value) -> Option<CallFuture<'a>>,
    /// The constants of all operations.
    pub operations: &'static [&'static Spec],
}

/// The schemas of the compiled types by their names, for reading and for writing.
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

/// Returns whether the source, as it was read, says the same of its types as the compiled types do.
///
/// The source tells more than `schemars` can know, so it is what the document is compared with; this is the proof that it
/// was read rightly.
pub(crate) fn verify(code: &Code, definitions: &Definitions) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (contract, compiled) in definitions {
        let names = code.types.keys().chain(compiled.keys().filter(|name| !code.types.contains_key(*name)));
        differences.extend(names.filter_map(|name| verify_type(code, *contract, name, compiled.get(name))));
    }
    differences
}

/// The same of one type.
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

/// A schema without prose, in one order, and with one form for the texts of an enum: `schemars` lists those that have a description as
/// alternatives.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut plain: Map<String, Value> = members
                .iter()
                .filter(|(key, value)| {
                    let prose = ["$schema", "default", "description", "title"].contains(&key.as_str());
                    // A property may go by one of these names.
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
            // Prose may be all that there was.
            if plain.is_empty() { Value::Bool(true) } else { plain.into() }
        }
        Value::Array(values) => values.iter().map(plain).collect(),
        _ => schema.clone(),
    }
}

/// Joins neighbouring alternatives that are one text each to one that is an enum of them.
fn join_texts(members: &mut Map<String, Value>, keyword: &str) {
    let Some(Value::Array(alternatives)) = members.remove(keyword) else { return };
    let text = |alternative: &Value| {
        let is_text = alternative.get("type").and_then(Value::as_str) == Some("string");
        let only = alternative.as_object().is_some_and(|members| members.len() == 2);
        alternative.get("const").filter(|_| is_text && only).cloned()
    };
    let mut joined = Vec::new();
    for neighbours in alternatives.chunk_by(|a, b| text(a).is_some() && text(b).is_some()) {
        let mut texts: Vec<Value> = neighbours.iter().filter_map(text).collect();
        if texts.is_empty() {
            joined.extend_from_slice(neighbours);
        } else {
            texts.sort_by_key(Value::to_string);
            joined.push(serde_json::json!({"enum": texts, "type": "string"}));
        }
    }
    match joined.as_slice() {
        [Value::Object(texts)] if texts.contains_key("enum") => members.extend(texts.clone()),
        _ => _ = members.insert(keyword.to_owned(), joined.into()),
    }
}
