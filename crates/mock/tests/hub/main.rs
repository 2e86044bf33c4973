//! The hub over HTTP.

mod admin;
mod assertions;
mod credentials;
mod document;
mod faults;
mod lifetime;
mod limits;
mod lists;
mod management;
mod objects;
mod operations;
#[cfg(feature = "page")]
mod page;
mod preferences;
mod sending;
mod stubs;
mod templates;
mod tenants;
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
async fn refusal(response: Response) -> Result<(u16, String)> {
    let status = response.status().as_u16();
    let body: Value = response.json().await?;
    assert_eq!(body["code"], status);
    Ok((status, body["message"].as_str().ok_or("no message")?.to_owned()))
}

async fn send(hub: &Hub, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
    send_as(hub, "Bearer", method, path, body).await
}

/// Sends a request, and gives status and body of the response; a body that is no JSON as text.
async fn send_as(hub: &Hub, scheme: &str, method: &str, path: &str, body: Value) -> Result<(u16, Value)> {
    let request = client().request(method.parse()?, format!("{}{path}", hub.url()));
    let request = request.header("authorization", format!("{scheme} {}", hub.key()));
    let request = if body.is_null() { request } else { request.json(&body) };
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

/// Sends a request that succeeds.
async fn done(hub: &Hub, method: &str, path: &str, body: Value) -> Result<Value> {
    let (status, response) = send(hub, method, path, body).await?;
    assert!((200..300).contains(&status), "{method} {path}: {status} {response}");
    Ok(response)
}

async fn read(hub: &Hub, path: &str) -> Result<Value> {
    done(hub, "GET", path, Value::Null).await
}

/// Sends a request that is refused, and gives status and message.
async fn refused(hub: &Hub, method: &str, path: &str, body: Value) -> Result<(u16, String)> {
    let (status, response) = send(hub, method, path, body).await?;
    assert!(status >= 400, "{method} {path}: {status} {response}");
    Ok((status, response["message"].as_str().unwrap_or_default().to_owned()))
}

/// A member of each result of a page.
fn column<'a>(page: &'a Value, pointer: &str) -> Vec<&'a str> {
    let results = page["results"].as_array().into_iter().flatten();
    results.filter_map(|result| result.pointer(pointer)?.as_str()).collect()
}
