//! Every operation of the document with its own examples, as calls of our SDK.

use std::{future::Future, pin::Pin};

use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use suprsend::{Client, Error, Operation, operations};
use suprsend_api::Visitor;

/// An operation with its examples.
pub(super) struct Example {
    pub(super) id: String,
    pub(super) method: String,
    /// With its examples for parameters.
    pub(super) path: String,
    /// The arguments of a call for each example of the body, and one with all parameters of the query that have an example.
    pub(super) calls: Vec<Value>,
    /// A mistake to send: a body of another type, or else a text for a query parameter that takes none.
    pub(super) wrong: Option<Wrong>,
    /// Whether the document has a response to a wrong request.
    pub(super) lists_400: bool,
}

pub(super) enum Wrong {
    Body(Value),
    Query(String),
}

/// The operations of a document.
pub(super) fn all(document: &Value) -> Result<Vec<Example>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().context("the document has no paths")? {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let mut example = Example {
                id: id.to_owned(),
                method: method.to_uppercase(),
                path: path.split('#').next().unwrap_or_default().to_owned(),
                calls: Vec::new(),
                wrong: None,
                lists_400: !operation["responses"]["400"].is_null(),
            };
            let (mut arguments, mut query) = (Map::new(), Map::new());
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let parameter = follow(document, parameter);
                let name = parameter["name"].as_str().context("a parameter without a name")?;
                if parameter["in"] == "path" {
                    let value = match &parameter["example"] {
                        Value::Null => json!("user-123"),
                        value => value.clone(),
                    };
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    example.path = example.path.replace(&format!("{{{name}}}"), &text);
                    arguments.insert(name.to_owned(), value);
                } else if !parameter["example"].is_null() {
                    let wanted = if parameter["required"] == true { &mut arguments } else { &mut query };
                    wanted.insert(name.trim_end_matches("[]").to_owned(), parameter["example"].clone());
                }
                let kind = follow(document, &parameter["schema"])["type"].as_str();
                if parameter["in"] == "query" && matches!(kind, Some("integer" | "boolean")) {
                    example.wrong = Some(Wrong::Query(name.to_owned()));
                }
            }
            let content = &follow(document, &operation["requestBody"])["content"]["application/json"];
            let named =
                content["examples"].as_object().into_iter().flatten().map(|(_, named)| &named["value"]);
            for body in content.get("example").into_iter().chain(named) {
                example.wrong = Some(Wrong::Body(json!("text")));
                let mut arguments = arguments.clone();
                arguments.insert("body".to_owned(), body.clone());
                example.calls.push(arguments.into());
            }
            if example.calls.is_empty() {
                example.calls.push(arguments.into());
            }
            if !query.is_empty() {
                let mut call = example.calls[0].clone();
                call.as_object_mut().context("arguments")?.extend(query);
                example.calls.push(call);
            }
            found.push(example);
        }
    }
    Ok(found)
}

fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let target = value["$ref"].as_str().map(|target| target.trim_start_matches('#'));
    let pointer = target.and_then(|target| percent_decode_str(target).decode_utf8().ok());
    match pointer.and_then(|pointer| document.pointer(&pointer)) {
        Some(target) => follow(document, target),
        None => value,
    }
}

type Called = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

struct Calling<'a> {
    client: &'a Client,
    arguments: Value,
}

impl Visitor for Calling<'_> {
    type Output = Result<Called, serde_json::Error>;

    fn visit<O: Operation + Clone + Serialize + DeserializeOwned>(self) -> Self::Output {
        let call = self.client.call(serde_json::from_value::<O>(self.arguments)?);
        Ok(Box::pin(async move { call.await.map(drop) }))
    }
}

/// Calls an operation that is only known by its id.
pub(super) async fn call(client: &Client, id: &str, arguments: Value) -> Result<()> {
    let call =
        operations::visit(id, Calling { client, arguments }).context("our SDK has no such operation")?;
    Ok(call.context("the example has not its form")?.await?)
}
