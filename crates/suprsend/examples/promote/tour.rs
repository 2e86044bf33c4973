//! A complete run on a mock server: a workspace is filled, promoted, and promoted again while things go wrong.

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::{Map, Value, json};
use suprsend::{
    Call, Client, Workspace,
    operations::UpsertWorkflow,
    types::{
        CategoryRoot, CategoryText, ChannelName, MockData, PayloadSchema, WorkflowTree, WorkflowTriggerType,
    },
};
use suprsend_mock::{Fault, Hub};

use crate::{End, arguments::Arguments, promote};

pub(crate) async fn show() -> Result<()> {
    // Kept until the end: the mock server stops when it is dropped.
    let hub = Hub::start().await?;
    let client = Client::builder().service_token(hub.key()).management_url(hub.url()).build()?;
    let (staging, production) = (client.workspace("staging"), client.workspace("production"));
    fill(&staging).await?;

    run(&client, "--check", End::Differs).await?;
    run(&client, "--message first", End::Done).await?;
    run(&client, "--check", End::Done).await?;

    println!("\nA workflow changes in staging, and somebody works on it in production.");
    welcome(&staging, "30m")?.commit(true).commit_message("wait longer").await?;
    welcome(&production, "7m")?.await?;
    run(&client, "--check", End::Refused).await?;

    println!("\nThe draft may go, but then the API is out of order.");
    // The response to a commit is lost. It is unknown whether the commit succeeded, so it is not repeated.
    hub.inject(Fault::lost().operation("commit-workflow").times(1))?;
    run(&client, "--overwrite-drafts", End::Partial).await?;
    run(&client, "", End::Done).await?;

    println!("\nSomething cannot be committed: all else remains a draft.");
    staging.events().update("Order Placed").description("An order was paid".to_owned()).await?;
    welcome(&staging, "10m")?.commit(true).commit_message("wait less").await?;
    hub.inject(Fault::status(403).operation("upsert-workflow").times(1))?;
    run(&client, "", End::Refused).await?;
    run(&client, "--overwrite-drafts", End::Done).await
}

/// Runs the program with these arguments, and asserts how it ends.
async fn run(client: &Client, arguments: &str, end: End) -> Result<()> {
    println!("\n$ promote staging production {arguments}");
    let words = ["promote", "staging", "production"].into_iter().chain(arguments.split_whitespace());
    let ended = promote(client, &Arguments::parse_from(words)).await?;
    println!("exit code {}", ended as u8);
    ensure!(ended == end, "the exit code should have been {}", end as u8);
    Ok(())
}

fn welcome(workspace: &Workspace, delay: &str) -> Result<Call<UpsertWorkflow>> {
    let nodes = json!([
        {"node_type": "delay", "properties": {"delay_type": "fixed", "value": delay}},
        {"node_type": "send_multi_channel", "properties": {"template": "welcome"}},
    ]);
    let tree: WorkflowTree = serde_json::from_value(json!({"nodes": nodes}))?;
    let call =
        workspace.workflows().upsert("welcome", "Welcome", "onboarding", WorkflowTriggerType::Event, tree);
    Ok(call.trigger_events("Order Placed"))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Stores one item of each kind.
async fn fill(staging: &Workspace) -> Result<()> {
    let onboarding = json!({
        "category": "onboarding", "name": "Onboarding", "default_preference": "opt_in", "default_opt_in_channels": null,
    });
    let roots: Vec<CategoryRoot> = serde_json::from_value(json!([
        {"root_category": "system", "sections": []},
        {"root_category": "transactional", "sections": [{"name": "Shop", "categories": [onboarding]}]},
        {"root_category": "promotional", "sections": []},
    ]))?;
    let categories = staging.categories();
    categories.replace(roots).commit(true).commit_message("first").await?;
    let text: CategoryText = serde_json::from_value(json!({"name": "Willkommen"}))?;
    categories.translations().put("de").categories("onboarding", text).await?;

    let properties = json!({"id": {"type": "string"}, "note": {"default": null}});
    let order = object(json!({"type": "object", "required": ["id"], "properties": properties}));
    staging.schemas().upsert("order", "Order", order).commit(true).commit_message("first").await?;
    let link: PayloadSchema = serde_json::from_value(json!({"schema": "order", "version_no": null}))?;
    staging.events().create("Order Placed").payload_schema(link).await?;

    staging.translations().put("de.json", object(json!({"greeting": "Hallo"}))).await?;
    staging.translations().commit().commit_message("first").await?;

    let channels = [ChannelName::Email, ChannelName::Sms];
    staging.templates().upsert("welcome", "Welcome").enabled_channels(channels).await?;
    let template = staging.template("welcome");
    let email = json!({"subject": "Welcome", "body": {"type": "plain_text", "plain_text": {"text": "Hello {{name}}"}}});
    template.variants().upsert("email", "default", "en", object(email)).await?;
    let sms = json!({"type": "basic", "body": "Hello {{name}}"});
    template.variants().upsert("sms", "default", "en", object(sms)).await?;
    let mock: MockData = serde_json::from_value(json!({"payload": {"name": "Jane"}}))?;
    template.mock_data().update(mock).await?;
    staging.templates().commit("welcome").commit_message("first").await?;

    welcome(staging, "5m")?.commit(true).commit_message("first").await?;
    Ok(())
}
