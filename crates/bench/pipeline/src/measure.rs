//! The time that generating takes, by the size of the document and by the number of things in it that cannot be generated.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use suprsend_codegen::{Settings, generate_or_fail, generate_partial};
use suprsend_console::tell;

/// The sizes that are measured. The largest document has 1 MB.
const OPERATIONS: [usize; 3] = [10, 100, 1000];

/// The numbers of culprits in each, as far as there are as many operations.
const CULPRITS: [usize; 4] = [0, 10, 100, 200];

/// The property that the generator is made to fail on.
const BAD: &str = "bad";

/// Text as documents have it: a third of their size.
const PROSE: &str = "Words by which a thing is found again. Each of them may be used on any number of things, and is made when it is used \
    for the first time. A word that nothing has any more is kept for a year, and then deleted. Capitals and small letters are the same.";

/// How it is known what cannot be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Known {
    /// It is of a kind that is refused before anything is generated: bodies that cannot be sent.
    Beforehand,
    /// The generator fails, and parts are tried until it is known why: schemas that it is made to fail on.
    ByTrying,
}

/// One document, generated once without what cannot be generated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pipeline {
    /// The number of operations. There are as many components.
    pub operations: usize,
    /// The size of the document as JSON.
    pub kilobytes: f64,
    /// The number of operations or components that cannot be generated.
    pub culprits: usize,
    /// How they are known.
    pub known: Known,
    /// The time from the document to the Rust of the rest.
    pub seconds: f64,
    /// The time as a multiple of that of the same document without culprits.
    pub times: f64,
}

/// Generates from each document and takes the time.
///
/// # Errors
///
/// If a document gives no code, or other culprits than it has.
pub(crate) fn measure() -> Result<Vec<Pipeline>> {
    let mut rows = Vec::new();
    for operations in OPERATIONS {
        let mut alone = None;
        for culprits in CULPRITS.into_iter().filter(|culprits| *culprits <= operations) {
            for known in [Known::Beforehand, Known::ByTrying] {
                if culprits == 0 && known == Known::ByTrying {
                    continue;
                }
                tell!("{operations} operations, {culprits} culprits, known {known:?}");
                let document = document(operations, culprits, known);
                #[allow(clippy::cast_precision_loss, reason = "the size of a document is far below 2^52")]
                let kilobytes = document.to_string().len() as f64 / 1e3;
                let start = Instant::now();
                let found = culprits_of(&document, known)?;
                let seconds = start.elapsed().as_secs_f64();
                ensure!(found == culprits, "{found} culprits are found instead of {culprits}");
                let times = seconds / *alone.get_or_insert(seconds);
                rows.push(Pipeline { operations, kilobytes, culprits, known, seconds, times });
            }
        }
    }
    Ok(rows)
}

/// Generates what can be generated, and returns the number of culprits that are left out.
fn culprits_of(document: &Value, known: Known) -> Result<usize> {
    let settings = Settings::default();
    let fault = |part: &Value| {
        let schemas = part["components"]["schemas"].as_object()?;
        let is_bad = |schema: &Value| schema["properties"].get(BAD).is_some();
        schemas.values().any(is_bad).then(|| "it is made to fail".to_owned())
    };
    let (_, dropped) = generate_partial(document, |part| generate_or_fail(part, &settings, fault))?;
    let of_kind = |line: &String| match known {
        Known::Beforehand => line.starts_with("/paths/"),
        Known::ByTrying => line.starts_with("/components/"),
    };
    Ok(dropped.entries().iter().map(ToString::to_string).filter(of_kind).count())
}

/// A document whose operations each have a component of their own, which holds that of another operation.
fn document(operations: usize, culprits: usize, known: Known) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    // Spread over the document.
    let is_culprit = |index: usize| (index + 1) * culprits / operations > index * culprits / operations;
    let reference = |index: usize| json!({"$ref": format!("#/components/schemas/Thing{index}")});
    for index in 0..operations {
        let mut properties = json!({
            "id": {"type": "string", "maxLength": 64},
            "state": {"type": "string", "enum": ["draft", "live", format!("state-{index}")]},
            "tags": {"type": "array", "items": {"type": "string"}, "description": PROSE},
            "value": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        });
        if is_culprit(index) && known == Known::ByTrying {
            properties[BAD] = json!({"type": "string"});
        }
        // One that can be generated, so that it is not left out with what it holds.
        let parent = std::iter::successors(Some(index / 2), |one| (*one > 0).then_some(one / 2));
        if let Some(parent) = parent.into_iter().find(|one| !is_culprit(*one) && *one < index) {
            properties["parent"] = reference(parent);
        }
        let schema = json!({"type": "object", "required": ["id"], "properties": properties});
        schemas.insert(format!("Thing{index}"), schema);
        let content = json!({"application/json": {"schema": reference(index)}});
        let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
        let is_form = is_culprit(index) && known == Known::Beforehand;
        let body = if is_form { json!({"multipart/form-data": {}}) } else { content.clone() };
        let put = json!({
            "operationId": format!("put-thing-{index}"),
            "parameters": [id],
            "requestBody": {"required": true, "content": body},
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
