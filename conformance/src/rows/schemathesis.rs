//! Schemathesis makes requests out of the document, valid and not, and judges the hub's answers.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use suprsend::Client;
use suprsend_mock::{Fault, Hub, Recorded};

use crate::{
    process::{Output, output},
    tools::Tools,
};

/// Makes a run repeatable.
const SEED: &str = "1";
/// The paths of users, of which the document links responses to requests, so that sequences of calls can be made.
const USERS: &str = "^/v1/(bulk/user/$|user/($|[^/]+/($|merge/|subscribed_to/)))";
/// All that there are; `stateful` makes sequences of calls, in which one call's response is the source of the next one's values. Beside the
/// requests that cover its schemas, 100 are made for each operation.
const OF_USERS: &[&str] = &[
    "--include-path-regex",
    USERS,
    "--phases",
    "examples,coverage,fuzzing,stateful",
    "--max-examples",
    "100",
];
/// The paths of the management API, which has another credential.
const MANAGEMENT: &str = r"^/v[12]/(workspace/|\{workspace\}/)";
/// All other operations, without sequences, and with fewer requests that are made at random: more take more time than the gate has.
const FEWER: &[&str] = &["--phases", "examples,coverage,fuzzing", "--max-examples", "5"];
/// As little as shows that something can be found.
const FEW_PHASES: &[&str] =
    &["--include-path-regex", USERS, "--phases", "examples", "--max-failures", "1", "--max-examples", "100"];
/// Nothing is wrong because the machine is slow.
const PATIENCE: &[&str] = &["--request-timeout", "300", "--suppress-health-check", "too_slow"];
/// What an earlier run found is not kept beside the tools: each run is the same.
const NO_MEMORY: &[&str] = &["--generation-database", "none"];

pub(super) async fn run(tools: &Tools) -> Result<String> {
    let document = tools.write("with-401.json", &document()?.to_string())?;
    let document = document.to_str().context("the temporary folder's name is not text")?;

    let (mut all, mut accepted, mut operations) = (0, 0, BTreeSet::new());
    let neither = format!("({USERS})|({MANAGEMENT})");
    let of_others = [&["--exclude-path-regex", &neither], FEWER].concat();
    let of_management = [&["--include-path-regex", MANAGEMENT], FEWER].concat();
    for (phases, scheme) in [(OF_USERS, "Bearer"), (&of_others, "Bearer"), (&of_management, "ServiceToken")] {
        let hub = Hub::builder().recorded_requests(usize::MAX).start().await?;
        furnish(&hub).await?;
        let before = hub.requests().len();
        let judged = schemathesis(tools, &hub, document, phases, scheme).await?;
        if judged.code != Some(0) {
            bail!("schemathesis found something:\n{}", judged.end());
        }
        let requests = hub.requests().split_off(before);
        let is_taken = |request: &&Recorded| request.status().is_some_and(|status| status < 300);
        let taken = requests.iter().filter(is_taken);
        operations.extend(taken.clone().filter_map(|request| request.operation().map(str::to_owned)));
        let taken = taken.count();
        if taken == 0 || taken == requests.len() {
            bail!("{taken} of {} requests were accepted, so that one side was not tried", requests.len());
        }
        all += requests.len();
        accepted += taken;
    }

    // It has to be able to find something.
    let broken = Hub::start().await?;
    broken.inject(Fault::status(500).share(1.0))?;
    let control = schemathesis(tools, &broken, document, FEW_PHASES, "Bearer").await?;
    if control.code != Some(1) {
        bail!("schemathesis does not mind a hub that always fails:\n{}", control.end());
    }
    Ok(format!(
        "{all} requests, {accepted} of them accepted, at {} operations, answered as documented; sequences of calls for users only",
        operations.len()
    ))
}

/// Makes what the document's examples speak of, so that not everything is a 404.
async fn furnish(hub: &Hub) -> Result<()> {
    for category in ["newsletter", "status-update"] {
        hub.define_category(json!({"category": category}))?;
    }
    let channel = json!({"channel": {"name": "Email", "slug": "email"}});
    hub.define_template(json!({"slug": "order-shipped", "channels": [channel]}))?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().build()?;
    client.users().upsert("user-123").email("jane@example.com").await?;
    client.tenants().upsert("acme", "Acme").await?;
    client.objects().upsert("teams", "engineering").await?;
    client.lists().upsert("newsletter").await?;
    Ok(())
}

async fn schemathesis(
    tools: &Tools,
    hub: &Hub,
    document: &str,
    phases: &[&str],
    scheme: &str,
) -> Result<Output> {
    let mut command = tools.program("schemathesis");
    command
        .args(["run", document, "--url", hub.url(), "--checks", "all", "--seed", SEED])
        .args(phases)
        .args(PATIENCE)
        .args(NO_MEMORY)
        .args(["--header", &format!("Authorization: {scheme} {}", hub.key())])
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks");
    output(&mut command).await
}

/// The corrected document, with the workspace that is there, and with the statuses beyond it that schemathesis provokes: 401, when it
/// leaves out credentials to see whether they are asked for; and 400 and 404 of the management API, of which the document lists few. Their
/// bodies are judged as those of the refusals that are listed.
fn document() -> Result<Value> {
    let mut document = super::document_of_others()?;
    // Of the management API all is in a workspace, so that with any other name everything were a 404.
    let workspace = document.pointer_mut("/components/parameters/Workspace/schema");
    *workspace.context("no parameter names the workspace")? = json!({"type": "string", "enum": ["staging"]});
    let paths =
        document.get_mut("paths").and_then(Value::as_object_mut).context("the document has no paths")?;
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        let beyond: &[&str] = if item.contains_key("servers") { &["400", "404"] } else { &["401"] };
        for operation in item.values_mut() {
            let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
                continue;
            };
            let listed = responses.get("400").or_else(|| responses.get("401"));
            let schema = listed.and_then(|listed| listed.pointer("/content/application~1json/schema"));
            let refusal = json!({
                "description": "A refusal that the document does not list",
                "content": {"application/json": {"schema": schema.cloned().unwrap_or_default()}}
            });
            for status in beyond {
                responses.entry(*status).or_insert_with(|| refusal.clone());
            }
        }
    }
    Ok(document)
}
