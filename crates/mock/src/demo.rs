//! `--demo`: sends a little traffic, so that there is something to see on the page.

use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};

/// The traffic of the demo, in this order.
const STEPS: &str = include_str!("demo.json");

/// A request, or a fault for the requests that follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    method: String,
    #[serde(default)]
    path: String,
    body: Option<Value>,
    fault: Option<Fault>,
    /// The delay before the step.
    #[serde(default)]
    wait_ms: u64,
}

/// Sets up what requests cannot, and reads the steps.
pub(crate) fn prepare(hub: &Hub) -> Result<impl Future<Output = ()> + use<>> {
    let steps: Vec<Step> = serde_json::from_str(STEPS).context("the steps of the demo cannot be read")?;
    for category in [
        json!({"category": "orders", "name": "Order updates", "root_category": "transactional", "channels": ["email", "sms", "inbox"]}),
        json!({"category": "news", "name": "Newsletter", "channels": ["email", "inbox"]}),
        json!({"category": "security", "name": "Security", "root_category": "system", "default_preference": "cant_unsubscribe", "channels": ["email", "sms"]}),
    ] {
        hub.define_category(category)?;
    }
    for workflow in [
        json!({"slug": "order-shipped", "category": "orders", "template": "order-shipped"}),
        json!({"slug": "weekly-digest", "category": "news", "template": "weekly-digest"}),
        json!({"slug": "password-reset", "category": "security", "template": "password-reset"}),
    ] {
        hub.define_workflow(workflow)?;
    }
    let client = Client::builder().no_proxy().build().context("cannot make a client for the demo")?;
    let (url, key) = (hub.url().to_owned(), hub.key().to_owned());
    Ok(async move {
        for step in steps {
            tokio::time::sleep(Duration::from_millis(step.wait_ms)).await;
            play(&client, &url, &key, step).await;
        }
    })
}

/// Sends a request. Some are meant to fail, so that the page shows failures.
async fn play(client: &Client, url: &str, key: &str, step: Step) {
    let Step { method, path, body, fault, .. } = step;
    if let Some(fault) = fault {
        let body = serde_json::to_string(&fault).unwrap_or_default();
        let injected = client.post(format!("{url}/_hub/faults")).header("content-type", "application/json");
        let _ = injected.body(body).send().await;
        return;
    }
    let Ok(method) = method.parse::<reqwest::Method>() else { return };
    let mut request = client.request(method, format!("{url}{path}")).bearer_auth(key);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let _ = request.send().await;
}
