//! Every method of SuprSend's SDKs that reaches an operation, and the same by ours: the requests are compared, and what they leave.
//!
//! The methods with their arguments are `calls.json`. A call of ours stands here for each.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use suprsend::{
    Call, Client, Operation,
    bulk::RecordOutcome,
    types::{
        ChannelName, ChannelPreference, EditOperation, Event, MessageUpdate, Preference, PreferenceChoice,
        UserRecipient, UserRecord, WorkflowTrigger,
    },
};
use suprsend_console::say;
use suprsend_mock::{Hub, Recorded};
use tokio::process::Command;

use crate::process;

/// The workspace with which official SDKs come, and its secret.
const KEY: &str = "conformance-workspace";
const SECRET: &str = "conformance-secret";

/// The path by which a client says which call follows.
const MARK: &str = "/conformance/";

/// A call of `calls.json`, as far as it is for this side.
#[derive(Deserialize)]
struct Step {
    #[serde(rename = "step")]
    name: String,
    /// The operation that it reaches.
    #[serde(default)]
    operation: String,
    #[serde(default)]
    call: String,
    #[serde(default)]
    bulk: String,
    #[serde(default)]
    edit: String,
    /// The only SDK that has the method.
    only: Option<String>,
    /// Reasons why our SDK is not compared, by the name of the other.
    #[serde(default)]
    differs: BTreeMap<String, String>,
    /// The values of the response that later calls need.
    #[serde(default)]
    keep: BTreeMap<String, Vec<Value>>,
}

impl Step {
    fn method(&self) -> String {
        let [bulk, edit] = [&self.bulk, &self.edit]
            .map(|name| if name.is_empty() { String::new() } else { format!("{name}() ") });
        if bulk.is_empty() { format!("{edit}{}", self.call) } else { format!("{bulk}{}", self.call) }
    }
}

/// The values of responses by their names.
type Kept = BTreeMap<String, String>;

/// Makes the calls with an official SDK, whose name in `calls.json` this is, and compares.
pub(super) async fn compare(command: &mut Command, sdk: &str) -> Result<String> {
    let steps: Vec<Step> = serde_json::from_str(include_str!("../../calls.json")).context("calls.json")?;
    let hub = start().await?;
    command.env("CONFORMANCE_URL", hub.url()).env("CONFORMANCE_KEY", KEY).env("CONFORMANCE_SECRET", SECRET);
    let output = process::run(command).await?;
    let theirs_kept: Kept = serde_json::from_str(output.stdout.trim()).context("the values that it kept")?;
    let mut theirs = by_step(&hub)?;

    let reference = start().await?;
    let client = Client::builder()
        .base_url(reference.url())
        .api_key(reference.key().to_owned())
        .workspace(KEY)
        .build()?;
    let (mut kept, mut rows, mut operations) = (Kept::new(), Vec::new(), BTreeSet::new());
    for step in steps.iter().filter(|step| step.only.as_deref().is_none_or(|only| only == sdk)) {
        let sent = theirs.remove(step.name.as_str()).unwrap_or_default();
        if let Some(reason) = step.differs.get(sdk) {
            let taken = |request: &&Value| request["status"].as_u64().is_some_and(|status| status < 300);
            let known = sent.iter().find(taken).and_then(|request| request["operation"].as_str());
            ensure!(
                known.is_none(),
                "{}: reaches {known:?}, so it can be compared: take `differs` away",
                step.name
            );
            rows.push((step.method(), String::new(), reason.clone()));
            continue;
        }
        let before = reference.requests().len();
        let response =
            ours(&client, &step.name, &kept).await.with_context(|| format!("{}, by our SDK", step.name))?;
        for (name, path) in &step.keep {
            let value = path.iter().fold(&response, |value, part| match part {
                Value::String(name) => &value[name.as_str()],
                part => {
                    &value[part.as_u64().and_then(|index| usize::try_from(index).ok()).unwrap_or_default()]
                }
            });
            kept.insert(
                name.clone(),
                value.as_str().context("a response without a value to keep")?.to_owned(),
            );
        }
        let own: Vec<Value> = reference.requests()[before..].iter().map(facts).collect();
        let (own, sent) = (nameless(&own.into(), &kept), nameless(&sent.into(), &theirs_kept));
        ensure!(own == sent, "{}: {sdk} sends {sent}; our SDK sends {own}", step.name);
        let operation = own[0]["operation"].as_str().context("a request to no operation")?.to_owned();
        ensure!(operation == step.operation, "{}: reaches {operation}, not {}", step.name, step.operation);
        rows.push((step.method(), operation.clone(), "the same".to_owned()));
        operations.insert(operation);
    }
    state(&hub, &reference, &theirs_kept, &kept)?;
    let widest = rows.iter().map(|(method, ..)| method.len()).max().unwrap_or_default();
    for (method, operation, said) in &rows {
        say!("{sdk:<6}  {method:<widest$}  {operation:<42}  {said}")?;
    }
    let same = rows.iter().filter(|(_, operation, _)| !operation.is_empty()).count();
    Ok(format!("{same} methods send what ours send, to {} operations, and leave the same", operations.len()))
}

async fn start() -> Result<Hub> {
    let hub = Hub::builder().workspace(KEY, SECRET).start().await?;
    hub.define_category(json!({"category": "news"}))?;
    Ok(hub)
}

/// The requests after each mark.
fn by_step(hub: &Hub) -> Result<BTreeMap<String, Vec<Value>>> {
    let mut steps: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut open = None;
    for request in hub.requests() {
        if let Some(name) = request.path().strip_prefix(MARK) {
            open = Some(name.to_owned());
            continue;
        }
        let step = open.clone().context("a request before the first mark")?;
        steps.entry(step).or_default().push(facts(&request));
    }
    Ok(steps)
}

/// Reduces a request to its compared parts, without the members that an SDK adds as an envelope.
fn facts(request: &Recorded) -> Value {
    let query: BTreeSet<&str> =
        request.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).collect();
    let body = match request.json().map(unwrapped) {
        // An empty object says what no body says.
        Some(Value::Object(members)) if members.is_empty() => Value::Null,
        body => body.unwrap_or_default(),
    };
    // One record is a list of one.
    let body =
        if request.operation() == Some("ingest-users") && body.is_object() { json!([body]) } else { body };
    json!({"method": request.method(), "path": request.path(), "query": query, "body": body, "operation": request.operation(), "status": request.status()})
}

/// A record without the members that an SDK adds to it.
fn unwrapped(mut body: Value) -> Value {
    match &mut body {
        Value::Array(records) => records.iter_mut().for_each(|record| *record = unwrapped(record.take())),
        Value::Object(members) => {
            members.retain(|name, _| !["$insert_id", "$time", "$schema", "env"].contains(&name.as_str()));
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties.remove("$ss_sdk_version");
                if properties.is_empty() {
                    members.remove("properties");
                }
            }
        }
        _ => {}
    }
    body
}

/// The requests, with names instead of the values that a hub made up. Of the two names that the document has for counting, one.
fn nameless(requests: &Value, kept: &Kept) -> Value {
    let mut text = requests.to_string().replace("\"$add\":", "\"$increment\":");
    for (name, value) in kept {
        text = text.replace(value, &format!("<{name}>"));
    }
    serde_json::from_str(&text).unwrap_or_default()
}

/// A value without its times, also further in.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            members.retain(|name, _| !["created_at", "updated_at"].contains(&name.as_str()));
            members.values_mut().for_each(|member| *member = timeless(member.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = timeless(item.take())),
        _ => {}
    }
    value
}

/// Compares the state that both left in their hubs.
fn state(hub: &Hub, reference: &Hub, theirs: &Kept, ours: &Kept) -> Result<()> {
    let left: [(&str, &[&str]); 7] = [
        ("users", &["jane"]),
        ("users", &["ingested"]),
        ("users", &["ingested-1"]),
        ("users", &["ingested-3"]),
        ("objects", &["departments", "sales"]),
        ("objects", &["departments", "support"]),
        ("lists", &["news"]),
    ];
    for (resource, key) in left {
        let stored =
            |hub: &Hub, kept| nameless(&timeless(hub.stored(resource, key).unwrap_or_default()), kept);
        let (stored, expected) = (stored(hub, theirs), stored(reference, ours));
        ensure!(stored == expected, "{resource} {key:?} was left as {stored}; by our SDK as {expected}");
    }
    let sent = |hub: &Hub| -> Vec<Value> {
        let records = hub.sent();
        records
            .iter()
            .map(|sent| json!([sent.name(), unwrapped(sent.body().clone()), sent.is_duplicate()]))
            .collect()
    };
    let (sent, expected) = (sent(hub), sent(reference));
    ensure!(sent == expected, "{} triggers, events and broadcasts, not those that our SDK sent", sent.len());
    Ok(())
}

async fn response<O: Operation>(call: Call<O>) -> Result<Value>
where
    O::Response: Serialize,
{
    Ok(serde_json::to_value(call.send().await?.into_inner())?)
}

/// Sends many records, each of which has to be accepted. No step keeps anything of them.
async fn all<R>(outcomes: impl Stream<Item = RecordOutcome<R>>) -> Result<Value> {
    outcomes.map(|outcome| outcome.result.map(drop)).try_collect::<()>().await?;
    Ok(Value::Null)
}

/// A value of one of the SDK's types.
fn read<T: DeserializeOwned>(value: Value) -> Result<T> {
    Ok(serde_json::from_value(value)?)
}

/// The call of ours that does what the method of that step does.
#[allow(clippy::too_many_lines, reason = "an arm for each")]
#[allow(deprecated, reason = "so are the methods that they stand beside")]
async fn ours(client: &Client, step: &str, kept: &Kept) -> Result<Value> {
    let kept = |name: &str| kept.get(name).map(String::as_str).context("nothing was kept");
    let (users, objects, tenants, lists) =
        (client.users(), client.objects(), client.tenants(), client.lists());
    let (jane, drafts) = (users.preferences("jane"), lists.drafts("news"));
    let sales = objects.preferences("departments", "sales");
    let blocked = |channel: &str| -> Result<ChannelPreference> {
        read(json!({"channel": channel, "is_restricted": true}))
    };
    match step {
        "upsert-user" => response(users.upsert("jane").email("jane@example.com").sms("+15551234567")).await,
        "upsert-other-user" => response(users.upsert("joe").email("joe@example.com")).await,
        "upsert-tenant" => {
            response(tenants.upsert("acme", "Acme").primary_color("#112233").properties("plan", "pro")).await
        }
        "get-tenant" => response(tenants.get("acme")).await,
        "list-tenants" => response(tenants.list().limit(10).offset(0)).await,
        "tenant-categories" => response(tenants.preferences("acme").list_categories().locale("en")).await,
        "tenant-category" => response(tenants.preferences("acme").get_category("news")).await,
        "edit-tenant-category" => {
            let edit = tenants.preferences("acme").edit_category("news");
            response(edit.preference(Preference::OptIn).blocked_channels(ChannelName::Sms)).await
        }
        "delete-tenant" => response(tenants.delete("acme")).await,
        "upsert-object" => {
            response(objects.upsert("departments", "sales").email("sales@example.com").property("floor", 2))
                .await
        }
        "upsert-other-object" => response(objects.upsert("departments", "support")).await,
        "get-object" => response(objects.get("departments", "sales")).await,
        "list-objects" => response(objects.list("departments").limit(1)).await,
        "edit-object" => {
            let edit = objects.edit("departments", "sales").set("floor", 3).append_email("team@example.com");
            response(edit.remove_email("sales@example.com").increment("seats", 2).unset("gone")).await
        }
        "edit-object-payload" => response(objects.edit("departments", "support").set("floor", 1)).await,
        "subscribe" => {
            let recipients = [json!("jane"), json!({"object_type": "departments", "id": "support"})];
            let recipients =
                recipients.into_iter().map(read).collect::<Result<Vec<suprsend::types::Recipient>>>()?;
            response(
                objects.subscriptions("departments", "sales").add(recipients).properties("role", "member"),
            )
            .await
        }
        "subscriptions" => response(objects.subscriptions("departments", "sales").list().limit(5)).await,
        "object-subscribed-to" => {
            response(objects.object_subscriptions("departments", "support").limit(5)).await
        }
        "user-subscribed-to-objects" => response(users.object_subscriptions("jane").limit(5)).await,
        "object-preference" => response(sales.get().tenant_id("acme")).await,
        "object-channels" => response(sales.edit_channels(blocked("email")?)).await,
        "object-category" => response(sales.get_category("news")).await,
        "edit-object-category" => response(sales.edit_category("news", PreferenceChoice::OptOut)).await,
        "unsubscribe" => response(objects.subscriptions("departments", "sales").remove("jane")).await,
        "delete-object" => response(objects.delete("departments", "support")).await,
        "delete-objects" => response(objects.delete_many("departments", ["support", "nobody"])).await,

        "upsert-user-tenant" => {
            response(users.tenants("jane").upsert("acme").email("jane@acme.example.com")).await
        }
        "get-user-tenant" => response(users.tenants("jane").get("acme")).await,
        "user-tenants" => response(users.tenants("jane").list()).await,
        "edit-user-tenant" => response(users.tenants("jane").edit("acme").set("seat", "A1")).await,
        "delete-user-tenant" => response(users.tenants("jane").delete("acme")).await,
        "user-preference" => response(jane.get().tenant_id("acme").locale("en")).await,
        "user-channels" => response(jane.edit_channels(blocked("sms")?).tenant_id("acme")).await,
        "user-category" => response(jane.get_category("news").tenant_id("acme")).await,
        "edit-user-category" => {
            response(jane.edit_category("news", PreferenceChoice::OptIn).opt_out_channels(ChannelName::Sms))
                .await
        }

        "upsert-list" => response(lists.upsert("news").list_name("News").list_description("Readers")).await,
        "get-lists" => response(lists.list().limit(10).offset(0)).await,
        "get-list" => response(lists.get("news")).await,
        "add-to-list" => response(lists.subscribers("news").add(["jane", "joe"])).await,
        "remove-from-list" => response(lists.subscribers("news").remove("joe")).await,
        "user-subscribed-to-lists" => response(users.list_subscriptions("jane").limit(5)).await,
        "start-draft" | "start-other-draft" => response(drafts.start()).await,
        "get-draft" => response(drafts.get(kept("first")?)).await,
        "add-to-draft" => response(drafts.add(kept("first")?, ["jane", "joe"])).await,
        "remove-from-draft" => response(drafts.remove(kept("first")?, "jane")).await,
        "finish-draft" => response(drafts.finish(kept("first")?)).await,
        "delete-draft" => response(drafts.delete(kept("second")?)).await,
        "delete-list" => response(lists.delete("news")).await,
        "broadcast" => {
            let broadcast =
                client.broadcasts().send("news", "welcome", "promotional").channels(ChannelName::Email);
            response(broadcast.data("week", 48).idempotency_key("broadcast-1").tenant("acme")).await
        }

        "trigger" => {
            let joe = json!({"distinct_id": "joe", "$email": ["joe@example.com"]});
            let team = json!({"object_type": "departments", "id": "sales"});
            let recipients = [json!("jane"), joe, team];
            let recipients =
                recipients.into_iter().map(read).collect::<Result<Vec<suprsend::types::Recipient>>>()?;
            let trigger = client.workflows().trigger("order-shipped").actor("ann").recipients(recipients);
            let trigger = trigger.data("order", json!({"id": 5678, "total": 12.5})).tenant("acme");
            response(trigger.idempotency_key("order-5678").cancellation_key("order-5678")).await
        }
        "trigger-many" => {
            let record = |who: &str, order: u8| -> Result<WorkflowTrigger> {
                read(
                    json!({"workflow": "order-shipped", "recipients": [who], "data": {"order": order}, "$idempotency_key": format!("order-{order}")}),
                )
            };
            all(client.workflows().trigger_all([record("jane", 1)?, record("joe", 2)?])).await
        }
        "trigger-dynamic" => {
            let jane: UserRecipient = read(json!({"distinct_id": "jane", "$email": ["jane@example.com"]}))?;
            let trigger = client.workflows().trigger_dynamic("shipped", "welcome", "transactional", jane);
            response(trigger.data("order", 3).idempotency_key("old-1").tenant("acme")).await
        }
        "track" => {
            let event = client.events().track("jane", "order_placed").properties("total", 12.5);
            response(event.idempotency_key("event-1").tenant("acme")).await
        }
        "track-old" => {
            let event = client.events().send("jane", "order_placed").properties("total", 12.5);
            response(event.idempotency_key("event-1").tenant("acme")).await
        }
        "track-many" => {
            let record = |who: &str, total: u8, key: &str| -> Result<Event> {
                read(
                    json!({"distinct_id": who, "event": "order_placed", "properties": {"total": total}, "$idempotency_key": key}),
                )
            };
            let sent = [record("jane", 1, "event-2")?, record("joe", 2, "event-3")?];
            all(client.events().track_all(sent)).await
        }
        "messages" => response(client.messages().list().limit(5).recipient_id("jane")).await,
        "edit-messages" => {
            let update: MessageUpdate = read(json!({"message_id": kept("message")?, "action": "read"}))?;
            response(client.messages().edit_many(update)).await
        }
        "ingest-edit" => {
            let record = json!([{"$set": {"plan": "pro"}}, {"$append": {"$email": "ingested@example.com"}}]);
            response(users.ingest(ingested("ingested", record)?)).await
        }
        "ingest-many" => {
            let records = [
                ingested("ingested-1", json!([{"$set": {"plan": "pro"}}]))?,
                ingested("ingested-2", json!([{"$add": {"seats": 1}}]))?,
            ];
            all(users.ingest_all(records)).await
        }
        "ingest-old" => {
            let record = json!([{"$set": {"plan": "free"}}, {"$append": {"$sms": "+15551234568"}}]);
            response(users.ingest(ingested("ingested-3", record)?)).await
        }
        _ => bail!("no call of ours stands for it"),
    }
}

fn ingested(distinct_id: &str, operations: Value) -> Result<UserRecord> {
    let operations: Vec<EditOperation> = read(operations)?;
    read(json!({"distinct_id": distinct_id, "$user_operations": operations}))
}
