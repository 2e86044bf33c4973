//! A server that receives SuprSend's webhooks and keeps the last status of each message. To demonstrate itself, it posts to itself.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use suprsend::{
    reqwest,
    webhook::{Secret, Webhook},
};
use tokio::net::TcpListener;

/// The header that was configured for the webhook on the dashboard.
const HEADER: &str = "x-webhook-secret";

struct Receiver {
    secret: Secret,
    /// The last status and its time, by SuprSend's id of the notification.
    statuses: Mutex<BTreeMap<String, (i64, String)>>,
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !receiver.secret.is_in(&headers, HEADER) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(webhook) = serde_json::from_slice::<Webhook>(&body) else { return StatusCode::BAD_REQUEST };
    let id = webhook.reference.as_ref().and_then(|reference| reference.supr_nid.clone());
    if let (Some(id), Some(status)) = (id, &webhook.suprsend_status) {
        let new = (status.timestamp.unwrap_or_default(), status.status.clone().unwrap_or_default());
        let mut statuses = receiver.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        // Webhooks may arrive twice and in any order.
        let last = statuses.entry(id).or_default();
        if *last < new {
            *last = new;
        }
    }
    // Unknown webhooks are accepted too; otherwise they would be sent again.
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let statuses = Mutex::default();
    let receiver = Arc::new(Receiver { secret: Secret::new("correct horse"), statuses });
    let router = Router::new().route("/suprsend", post(receive)).with_state(Arc::clone(&receiver));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/suprsend", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let http = reqwest::Client::builder().no_proxy().build()?;
    let send = |secret: &'static str, id: &str, status: &str, time: i64| {
        let body = serde_json::json!({
            "version": "1.0", "event_type": "status", "channel": "email", "distinct_id": "user-123",
            "suprsend_status": {"status": status, "timestamp": time}, "reference": {"supr_nid": id},
        });
        http.post(&url).header(HEADER, secret).body(body.to_string()).send()
    };
    for (secret, id, status, time) in [
        ("correct horse", "message-1", "delivered", 1_735_689_601_000),
        ("correct horse", "message-1", "triggered", 1_735_689_600_000),
        ("correct horse", "message-2", "delivery_failure", 1_735_689_602_000),
        ("a guess", "message-2", "seen", 1_735_689_603_000),
    ] {
        println!("{status} of {id}: answered {}", send(secret, id, status, time).await?.status());
    }
    for (id, (_, status)) in receiver.statuses.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("{id} is {status}");
    }
    Ok(())
}
