//! Prism serves the document, and judges what our SDK sends.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::json;
use suprsend::{
    Channel, Client, Error, Method, StatusCode,
    types::{MsTeamsChannel, SlackChannel, WebPush},
    users::Push,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

use super::examples::{self, Example, Wrong};
use crate::{tools::Tools, users::User};

/// How long Prism may take to start, and to answer: it shares the machine with whatever else runs there.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) async fn run(tools: &Tools, users: &[User]) -> Result<String> {
    let prism = Prism::start(tools).await?;
    // Prism takes any key; that one is there, it checks. It serves the operations of both hosts.
    let client = Client::builder().base_url(&prism.url).api_key("any").no_retries();
    let client = client.management_url(&prism.url).service_token("any");
    let client = client.timeout(PATIENCE).attempt_timeout(PATIENCE).no_proxy().build()?;
    for user in users {
        let response = user.upsert(&client)?.await;
        response.with_context(|| format!("Prism does not take the upsert of {}", user.distinct_id))?;
    }
    others(&client).await?;
    let (operations, calls) = by_examples(&client).await?;
    let refused = refusals(&client).await?;
    Ok(format!(
        "{} users and {calls} calls of {operations} operations accepted, {refused} wrong requests refused",
        users.len()
    ))
}

/// Every operation by the document's own examples: how many there are, and how many calls. Prism responds with an example too.
async fn by_examples(client: &Client) -> Result<(usize, usize)> {
    let (examples, mut calls) = (examples::all(&super::document_of_others()?)?, 0);
    for Example { id, calls: arguments, .. } in &examples {
        for arguments in arguments {
            let called = examples::call(client, id, arguments.clone()).await;
            called.with_context(|| format!("Prism does not take {id} with {arguments}"))?;
            calls += 1;
        }
    }
    Ok((examples.len(), calls))
}

/// All calls on users but the upsert, with all that they can say.
async fn others(client: &Client) -> Result<()> {
    // An id that has to be encoded, and a cursor.
    let (users, id, cursor) = (client.users(), "a/b?c=ü 1", "a+b/c==");
    users.get(id).await.context("get")?;
    users.get(id).optional().await.context("optional")?.context("optional: nobody was found")?;
    users.delete(id).await.context("delete")?;
    users.delete_many([id, "user-123"]).await.context("delete_many")?;
    users.merge(id, "user-123").await.context("merge")?;
    edit(client, id).await.context("edit")?;

    users.list().page().await.context("list")?;
    users.list().limit(7).after(cursor).page().await.context("list, after a page")?;
    users.list().limit(7).before(cursor).page().await.context("list, before a page")?;
    let objects = || users.object_subscriptions(id);
    objects().page().await.context("object_subscriptions")?;
    objects().limit(7).after(cursor).page().await.context("object_subscriptions, after a page")?;
    objects().limit(7).before(cursor).page().await.context("object_subscriptions, before a page")?;
    let lists = || users.list_subscriptions(id);
    lists().page().await.context("list_subscriptions")?;
    lists().limit(7).after(cursor).page().await.context("list_subscriptions, after a page")?;
    lists().limit(7).before(cursor).page().await.context("list_subscriptions, before a page")?;
    Ok(())
}

/// Every kind of change to every channel.
async fn edit(client: &Client, id: &str) -> Result<()> {
    let slack = [
        SlackChannel::email("jane@example.com", "xoxb-1"),
        SlackChannel::user_id("U1", "xoxb-1"),
        SlackChannel::channel("C1", "xoxb-1"),
        SlackChannel::incoming_webhook("https://hooks.slack.com/services/T/B/X"),
    ];
    let ms_teams = [
        MsTeamsChannel::conversation_id("tenant", "https://smba.trafficmanager.net/amer", "19:c"),
        MsTeamsChannel::user_id("tenant", "https://smba.trafficmanager.net/amer", "29:u"),
        MsTeamsChannel::incoming_webhook("https://wnk1z.webhook.office.com/webhookb2/X"),
    ];
    let web = || WebPush::new("https://push.example.com/1", "p256dh", "auth");
    let mut edit = client
        .users()
        .edit(id)
        .set("plan", "pro")
        .set_once("source", json!({"of": ["any", "kind", null]}))
        .timezone("Europe/Paris")
        .locale("en_GB")
        .preferred_language("en")
        .append_email("jane@example.com")
        .append_sms("+15551234567")
        .append_whatsapp("+15551234567")
        .append_inbox("inbox-id")
        .append_web_push(Push::new(web()).provider("vapid"))
        .append_android_push(Push::new("token").provider("fcm"))
        .append_ios_push(Push::new("token").provider("apns").bundle_id("com.example.app"))
        .append("tags", "x")
        .remove_email("john@example.com")
        .remove_sms("+15551234567")
        .remove_whatsapp("+15551234567")
        .remove_inbox("inbox-id")
        .remove_web_push(web())
        .remove_android_push("token")
        .remove_ios_push("token")
        .remove("tags", 1)
        .unset("nickname")
        .increment("seats", 2)
        .increment("balance", -0.5);
    for channel in slack {
        edit = edit.append_slack(channel.clone()).remove_slack(channel);
    }
    for channel in ms_teams {
        edit = edit.append_ms_teams(channel.clone()).remove_ms_teams(channel);
    }
    for channel in Channel::ALL {
        edit = edit.unset_channel(channel);
    }
    edit.await?;
    Ok(())
}

/// Prism has to be able to refuse something: a wrong request to each operation that can have one. How many there are.
async fn refusals(client: &Client) -> Result<usize> {
    let user = "/v1/user/u/";
    let closer = [
        (Method::POST, user, json!({"$email": ["not an address"]})),
        (Method::PATCH, user, json!({"operations": [{"$append": {"$email": "not an address"}}]})),
    ];
    for (method, path, body) in &closer {
        let response = client.request(method.clone(), *path).json(body).await;
        refused(response.map(drop), &format!("{method} {path}"), true)?;
    }
    let mut count = closer.len();
    for Example { id, method, path, wrong, lists_400, .. } in examples::all(&super::document_of_others()?)? {
        let request = client.request(method.parse()?, path);
        let request = match wrong {
            Some(Wrong::Body(body)) => request.json(&body),
            Some(Wrong::Query(name)) => request.query(name, "text"),
            None => continue,
        };
        refused(request.await.map(drop), &id, lists_400)?;
        count += 1;
    }
    Ok(count)
}

/// Prism has a status of its own where the document lists none for a wrong request.
fn refused(response: Result<(), Error>, what: &str, lists_400: bool) -> Result<()> {
    let status = if lists_400 { StatusCode::BAD_REQUEST } else { StatusCode::UNPROCESSABLE_ENTITY };
    match response {
        Err(error) if error.status() == Some(status) => Ok(()),
        other => bail!("Prism does not refuse a wrong {what} with {status}: {other:?}"),
    }
}

/// A running Prism; it ends when this is dropped.
struct Prism {
    url: String,
    _child: Child,
    /// Kept, so that Prism can go on writing its log.
    _log: Lines<BufReader<ChildStdout>>,
}

impl Prism {
    async fn start(tools: &Tools) -> Result<Self> {
        tools.write("openapi.json", &super::document_of_others()?.to_string())?;
        let mut node = tools.node();
        node.arg("node_modules/@stoplight/prism-cli/dist/index.js")
            // A violation is an error, and not only a line in the log.
            .args(["mock", "--errors", "--host", "127.0.0.1", "--port", "0", "openapi.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = node.spawn().context("cannot run Prism")?;
        let mut log = BufReader::new(child.stdout.take().context("Prism has no output")?).lines();
        let url = timeout(PATIENCE, url(&mut log)).await.context("Prism did not start in time")??;
        Ok(Self { url, _child: child, _log: log })
    }
}

/// Where Prism says it listens.
async fn url(log: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let mut seen = Vec::new();
    while let Some(line) = log.next_line().await? {
        if let Some((_, url)) = line.split_once("Prism is listening on ") {
            return Ok(url.trim().to_owned());
        }
        seen.push(line);
    }
    bail!("Prism ended:\n{}", seen.join("\n"))
}
