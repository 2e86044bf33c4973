//! `cargo xtask operations`: lists every operation, the method that sends it, and further facts. The table in the guides is generated from
//! the same data.

use std::{collections::BTreeMap, fmt::Write as _, fs, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use suprsend_codegen::{
    Problems, Resource, Settings, Table, TableEntry, generate, path_items, rust_function,
};
use suprsend_console::{say, tell};

use crate::project::{Input, root};

/// The methods of the official SDKs with which the mock server and the SDK are tested.
const CALLS: &str = "conformance/calls.json";

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Print one JSON array instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let operations = arguments.input.work(|document| {
        let generated = generate(document, &Settings::default())?;
        operations(document, &generated.rust)
    })?;
    let covered = covered()?;
    let column = |name: &str, of: &dyn Fn(&Operation) -> String| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(operations.iter().map(of)).collect()
    };
    let tried = |operation: &Operation| {
        covered.get(&operation.id).map(|methods| methods.join(", ")).unwrap_or_default()
    };
    if arguments.json {
        let all: Vec<Value> = operations
            .iter()
            .map(|operation| {
                serde_json::json!({
                    "operation": operation.id, "method": operation.call, "request": operation.request, "source": operation.source,
                    "pages": operation.pages, "repeated": operation.repeated, "official_methods": covered.get(&operation.id),
                })
            })
            .collect();
        say!("{:#}", Value::from(all))?;
        return Ok(ExitCode::SUCCESS);
    }
    let columns = [
        column("method", &|operation| operation.call.clone()),
        column("request", &|operation| operation.request.clone()),
        column("operation", &|operation| operation.id.clone()),
        column("known from", &|operation| operation.source.clone()),
        column("pages", &|operation| operation.pages.to_owned()),
        column("retried", &|operation| operation.repeated.to_owned()),
        column("compared with", &tried),
    ];
    let widths = columns
        .each_ref()
        .map(|column| column.iter().map(|cell| cell.chars().count()).max().unwrap_or_default());
    for row in 0..=operations.len() {
        let cells: Vec<String> =
            columns.iter().zip(widths).map(|(column, width)| format!("{:<width$}", column[row])).collect();
        say!("{}", cells.join("  ").trim_end())?;
    }
    tell!("{} operations, of which {} are compared with the official SDKs", operations.len(), covered.len());
    Ok(ExitCode::SUCCESS)
}

/// The facts about an operation.
pub(crate) struct Operation {
    id: String,
    /// The method of the SDK: `users().preferences(distinct_id).get`.
    call: String,
    /// The method and path of the request.
    request: String,
    /// The source of the facts.
    source: String,
    /// The paging of a list: `cursor`, `offset`, or none.
    pages: &'static str,
    /// The condition for retrying it after a transient error.
    repeated: &'static str,
}

/// Returns the operations of a document in the order of its table of resources. `rust` is the code that is generated from it.
pub(crate) fn operations(document: &Value, rust: &str) -> Result<Vec<Operation>, Problems> {
    let table = Table::from_document(document)?;
    let mut stated: BTreeMap<(String, String), Value> = BTreeMap::new();
    for (path, _, item) in path_items(document) {
        for (method, _, operation) in item.operations() {
            stated.insert((method.to_owned(), path.to_owned()), operation.clone());
        }
    }
    let of = |(way, entry): (Vec<&Resource>, &TableEntry)| {
        let operation = stated.get(&(entry.method.clone(), entry.path.clone()));
        let text = |name: &str| operation.and_then(|operation| operation[name].as_str()).unwrap_or_default();
        let id = text("operationId").to_owned();
        // The PascalCase of types corresponds to the snake_case of functions.
        let function = operation
            .map(|operation| rust_function(operation, &entry.path, &entry.method))
            .unwrap_or_default();
        let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
        let ty: String =
            function.split('_').filter(|word| word.is_ascii() && !word.is_empty()).map(capital).collect();
        let is = |name: &str| rust.contains(&format!("impl {name} for {ty} "));
        let path = entry.path.split('#').next().unwrap_or_default();
        Operation {
            call: call(&way, entry),
            request: format!("{} {path}", entry.method.to_uppercase()),
            source: if text("x-source").is_empty() {
                "document".to_owned()
            } else {
                text("x-source").to_owned()
            },
            pages: match (is("CursorPaged"), is("OffsetPaged")) {
                (true, _) => "cursor",
                (_, true) => "offset",
                _ => "",
            },
            repeated: repeated(entry),
            id,
        }
    };
    Ok(table.entries().into_iter().map(of).collect())
}

/// Returns the call of the SDK's method.
fn call(way: &[&Resource], entry: &TableEntry) -> String {
    let mut call = String::new();
    for resource in way {
        // Writing to a string does not fail.
        let _ = write!(call, "{}({}).", resource.name, resource.parameters.join(", "));
    }
    call + &entry.name
}

fn repeated(entry: &TableEntry) -> &'static str {
    // RFC 9110, section 9.2.2.
    let by_method = matches!(entry.method.as_str(), "get" | "head" | "put" | "delete" | "options" | "trace");
    match (entry.idempotent.unwrap_or(by_method), &entry.idempotency_key) {
        (true, _) => "always",
        (false, Some(_)) => "with a key",
        (false, None) => "if not processed",
    }
}

/// Returns the table of the guides as Markdown.
pub(crate) fn guide(operations: &[Operation]) -> String {
    let mut text = String::from(
        "<!-- @generated by `cargo xtask generate`, do not edit. -->\n\
         # All operations\n\n\
         This table lists every operation with the method of [`Client`](crate::Client) that sends it, the kind of pages that it returns, and its \
         retries after transient errors such as a lost connection or a 503. `always`: the operation is idempotent. `with a key`: each call carries an \
         idempotency key, yours or a generated one. `if not processed`: the call is retried only if the API cannot have processed it. Edits are also \
         retried if none of their changes increments a number or appends to a property.\n\n\
         The ids are those of the OpenAPI document. Spans, [`CallReport::operation`](crate::CallReport::operation) and the mock server's faults use them. \
         The last column names a source other than the API's own document: `sdks` are the official SDKs, `docs` is the API's documentation.\n\n\
         | method | id | request | pages | retried | source |\n|---|---|---|---|---|---|\n",
    );
    for Operation { call, id, request, pages, repeated, source } in operations {
        let source = if source == "document" { "" } else { source.as_str() };
        let _ = writeln!(text, "| `{call}` | `{id}` | `{request}` | {pages} | {repeated} | {source} |");
    }
    text
}

/// Returns the methods of the official SDKs, by the operation that they call.
fn covered() -> Result<BTreeMap<String, Vec<String>>> {
    let text = fs::read_to_string(root().join(CALLS)).with_context(|| format!("cannot read {CALLS}"))?;
    let steps: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("cannot read {CALLS}"))?;
    let mut covered: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for step in &steps {
        let (Some(operation), Some(call)) = (step["operation"].as_str(), step["call"].as_str()) else {
            continue;
        };
        let methods = covered.entry(operation.to_owned()).or_default();
        let method = step["bulk"].as_str().map_or_else(|| call.to_owned(), |bulk| format!("{bulk}().{call}"));
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    Ok(covered)
}
