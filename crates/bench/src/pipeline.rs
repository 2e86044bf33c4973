//! The time that generating takes, by the size of the document and by the number of things in it that cannot be generated.

use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use suprsend_codegen::{Settings, bisect, generate};
use suprsend_console::tell;

/// The sizes that are measured.
const OPERATIONS: [usize; 3] = [10, 100, 1000];

/// The numbers of culprits in each, as far as there are as many operations.
const CULPRITS: [usize; 3] = [0, 10, 100];

/// The member that marks a culprit.
const MARK: &str = "x-culprit";

/// One document, generated once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pipeline {
    /// The number of operations. There are as many components.
    pub operations: usize,
    /// The size of the document as JSON.
    pub kilobytes: f64,
    /// The number of components that cannot be generated.
    pub culprits: usize,
    /// The time from the document to Rust, or to the names of all culprits.
    pub seconds: f64,
    /// The time as a multiple of that of the same document without culprits.
    pub times: f64,
}

/// Generates from each document and takes the time.
///
/// Known ways to fail are refused by lint before. For the others a culprit is a marked component, which is found out where it costs
/// most: after all has been generated.
///
/// # Errors
///
/// If a document does not give what it should: code, or the names of its culprits.
pub fn measure() -> Result<Vec<Pipeline>> {
    let mut rows = Vec::new();
    for operations in OPERATIONS {
        let mut alone = None;
        for culprits in CULPRITS.into_iter().filter(|culprits| *culprits <= operations) {
            tell!("{operations} operations, {culprits} culprits");
            let document = document(operations, culprits);
            #[allow(clippy::cast_precision_loss, reason = "the size of a document is far below 2^52")]
            let kilobytes = document.to_string().len() as f64 / 1e3;
            let start = Instant::now();
            let found = culprits_of(&document)?;
            let seconds = start.elapsed().as_secs_f64();
            ensure!(found == culprits, "{found} culprits are found instead of {culprits}");
            let times = seconds / *alone.get_or_insert(seconds);
            rows.push(Pipeline { operations, kilobytes, culprits, seconds, times });
        }
    }
    Ok(rows)
}

/// Generates, and returns the number of culprits that are in the way.
fn culprits_of(document: &Value) -> Result<usize> {
    let settings = Settings::default();
    let fails = |part: &Value| match generate(part, &settings) {
        Ok(_) => is_marked(part).then(|| "it cannot be generated".to_owned()),
        Err(problems) => Some(problems.to_string()),
    };
    let Some(reason) = fails(document) else { return Ok(0) };
    let problems = bisect(document, &reason, fails);
    let wrong = problems.iter().find(|problem| {
        problem.pointer().and_then(|place| place.get(document)).is_none_or(|part| part.get(MARK).is_none())
    });
    wrong.map_or_else(|| Ok(problems.iter().count()), |wrong| Err(anyhow!("no culprit: {wrong}")))
}

fn is_marked(document: &Value) -> bool {
    document["components"]["schemas"]
        .as_object()
        .is_some_and(|schemas| schemas.values().any(|schema| schema.get(MARK).is_some()))
}

/// A document whose operations each have a component of their own, which holds that of another operation.
fn document(operations: usize, culprits: usize) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for index in 0..operations {
        let reference = |index: usize| json!({"$ref": format!("#/components/schemas/Thing{index}")});
        let mut properties = json!({
            "id": {"type": "string", "maxLength": 64},
            "state": {"type": "string", "enum": ["draft", "live", format!("state-{index}")]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "value": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        });
        if index > 0 {
            properties["parent"] = reference(index / 2);
        }
        let mut schema = json!({"type": "object", "required": ["id"], "properties": properties});
        // Spread over the document.
        if (index + 1) * culprits / operations > index * culprits / operations {
            schema[MARK] = true.into();
        }
        schemas.insert(format!("Thing{index}"), schema);
        let content = json!({"application/json": {"schema": reference(index)}});
        let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
        let put = json!({
            "operationId": format!("put-thing-{index}"),
            "parameters": [id],
            "requestBody": {"required": true, "content": content},
            "responses": {"200": {"description": "The thing", "content": content}},
        });
        paths.insert(format!("/things-{index}/{{id}}"), json!({"put": put}));
    }
    json!({
        "openapi": "3.1.1",
        "info": {"title": "Things", "version": "1"},
        "servers": [{"url": "https://things.example.com"}],
        "paths": paths,
        "components": {"schemas": schemas},
    })
}
