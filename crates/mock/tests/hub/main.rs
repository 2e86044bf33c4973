//! The hub over HTTP.

mod admin;
mod assertions;
mod credentials;
mod document;
mod faults;
mod lifetime;
mod limits;
mod upsert;
mod users;

use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use suprsend_mock::Hub;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The document's own request example.
fn example() -> Value {
    let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).expect("the document is JSON");
    document["paths"]["/v1/user/{distinct_id}/"]["post"]["requestBody"]["content"]["application/json"]["example"].clone()
}

/// What is on this machine is reached without a proxy, whatever the environment says.
fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client without settings")
}

/// An upsert that is ready to be sent; `id` is percent-encoded.
fn request(hub: &Hub, id: &str, body: &Value) -> RequestBuilder {
    client().post(format!("{}/v1/user/{id}/", hub.url())).bearer_auth(hub.key()).json(body)
}

async fn upsert(hub: &Hub, id: &str, body: &Value) -> Result<Response> {
    Ok(request(hub, id, body).send().await?)
}

/// Status and message of a refusal.
async fn refusal(reply: Response) -> Result<(u16, String)> {
    let status = reply.status().as_u16();
    let body: Value = reply.json().await?;
    assert_eq!(body["code"], status);
    Ok((status, body["message"].as_str().ok_or("no message")?.to_owned()))
}
