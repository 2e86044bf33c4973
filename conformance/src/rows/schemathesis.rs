//! Schemathesis makes requests out of the document, valid and not, and judges the hub's answers.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};

use crate::{
    process::{Output, output},
    tools::Tools,
};

/// Makes a run repeatable.
const SEED: &str = "1";
/// Generated requests for each operation, beside those that cover its schemas.
const EXAMPLES: &str = "100";
/// All that there are; `stateful` makes sequences of calls, in which one call's reply is the source of the next one's values.
const ALL_PHASES: &[&str] = &["--phases", "examples,coverage,fuzzing,stateful"];
/// As little as shows that something can be found.
const FEW_PHASES: &[&str] = &["--phases", "examples", "--max-failures", "1"];
/// Nothing is wrong because the machine is slow.
const PATIENCE: &[&str] = &["--request-timeout", "300", "--suppress-health-check", "too_slow"];
/// What an earlier run found is not kept beside the tools: each run is the same.
const NO_MEMORY: &[&str] = &["--generation-database", "none"];

pub(super) async fn run(tools: &Tools) -> Result<String> {
    let document = tools.write("with-401.json", &document()?.to_string())?;
    let document = document.to_str().context("the temporary folder's name is not text")?;

    let hub = Hub::builder().recorded_requests(usize::MAX).start().await?;
    let judged = schemathesis(tools, &hub, document, ALL_PHASES).await?;
    if judged.code != Some(0) {
        bail!("schemathesis found something:\n{}", judged.end());
    }
    let requests = hub.requests();
    let accepted =
        requests.iter().filter(|request| request.status().is_some_and(|status| status < 300)).count();
    if accepted == 0 || accepted == requests.len() {
        bail!("{accepted} of {} requests were accepted, so that one side was not tried", requests.len());
    }

    // It has to be able to find something.
    let broken = Hub::start().await?;
    broken.inject(Fault::status(500).share(1.0))?;
    let control = schemathesis(tools, &broken, document, FEW_PHASES).await?;
    if control.code != Some(1) {
        bail!("schemathesis does not mind a hub that always fails:\n{}", control.end());
    }
    Ok(format!("{} requests, {accepted} of them valid, answered as documented", requests.len()))
}

async fn schemathesis(tools: &Tools, hub: &Hub, document: &str, phases: &[&str]) -> Result<Output> {
    let mut command = tools.program("schemathesis");
    command
        .args([
            "run",
            document,
            // The others take more time than the gate has.
            "--include-path-regex",
            "^/v1/(bulk/user/$|user/($|[^/]+/($|merge/|subscribed_to/)))",
            "--url",
            hub.url(),
            "--checks",
            "all",
            "--seed",
            SEED,
            "--max-examples",
            EXAMPLES,
        ])
        .args(phases)
        .args(PATIENCE)
        .args(NO_MEMORY)
        .args(["--header", &format!("Authorization: Bearer {}", hub.key())])
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    output(&mut command).await
}

/// The corrected document, with the one status beyond it that schemathesis provokes: 401, when it leaves out credentials to see
/// whether they are asked for. Its body is judged as that of a 400.
fn document() -> Result<Value> {
    let mut document = super::document_of_others()?;
    let paths =
        document.get_mut("paths").and_then(Value::as_object_mut).context("the document has no paths")?;
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        let refusal =
            responses.get("400").and_then(|refusal| refusal.pointer("/content/application~1json/schema"));
        let refusal = json!({
            "description": "Credentials are missing or wrong",
            "content": {"application/json": {"schema": refusal.cloned().unwrap_or_default()}}
        });
        responses.entry("401").or_insert(refusal);
    }
    Ok(document)
}
