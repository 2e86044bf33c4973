//! Compiled code, reached by the names in its source.

use std::{collections::BTreeMap, fmt};

use progenitor_client::{Error, ResponseValue};
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    code::{Code, Contract},
    finding::{Difference, Kind},
    pointer::Pointer,
};

/// The workspace's own client.
#[allow(clippy::too_many_lines, reason = "generated: an arm for each operation")]
pub(crate) mod own {
    include!(concat!(env!("OUT_DIR"), "/compiled.rs"));
}

/// Decodes a JSON text into a type and encodes that again.
pub(crate) type Codec = fn(&str) -> Result<Value, String>;

pub(crate) fn round_trip<T: Serialize + DeserializeOwned>(text: &str) -> Result<Value, String> {
    let value: T = serde_json::from_str(text).map_err(|error| error.to_string())?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// What an operation is called with: JSON values by the names of the builder's methods.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments(pub(crate) BTreeMap<String, Value>);

impl Arguments {
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        serde_json::from_value(value).map(Some).map_err(|error| format!("`{name}`: {error}"))
    }
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success(u16),
    /// An error that the document declares.
    Error(u16),
    Failed(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success(status) => write!(f, "success with status {status}"),
            Self::Error(status) => write!(f, "a declared error with status {status}"),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

pub(crate) fn outcome<T, E>(result: Result<ResponseValue<T>, Error<E>>) -> Outcome {
    match result {
        Ok(value) => Outcome::Success(value.status().as_u16()),
        Err(Error::ErrorResponse(value)) => Outcome::Error(value.status().as_u16()),
        Err(Error::UnexpectedResponse(response)) => {
            Outcome::Failed(format!("an unexpected reply with status {}", response.status().as_u16()))
        }
        Err(Error::InvalidResponsePayload(_, error)) => Outcome::Failed(format!("undecodable: {error}")),
        Err(Error::InvalidRequest(reason) | Error::Custom(reason)) => Outcome::Failed(reason),
        Err(Error::CommunicationError(error) | Error::ResponseBodyError(error)) => {
            Outcome::Failed(error.to_string())
        }
        Err(Error::InvalidUpgrade(error)) => Outcome::Failed(error.to_string()),
    }
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

/// Whether the source, as it was read, says the same of its types as the compiled types do.
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
    let source = code.types.get(name).map(|schema| plain(&contract.of(schema)));
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

/// A schema without prose, in one order.
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
            plain.sort_keys();
            plain.into()
        }
        Value::Array(values) => values.iter().map(plain).collect(),
        _ => schema.clone(),
    }
}
