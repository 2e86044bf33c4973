//! A sign-up service on axum: it stores the new user, sends a welcome message, and tells visitors what is wrong with their data.
//!
//! This runs against a mock server, signs up three visitors and exits. `tests/signup.rs` tests it.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use suprsend::{Client, Error};

/// The form that a visitor submits.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    id: String,
    email: String,
}

/// Builds the service. The client is its state, shared by all requests.
pub(crate) fn app(client: Client) -> Router {
    Router::new().route("/sign-up", post(sign_up)).with_state(client)
}

async fn sign_up(State(client): State<Client>, Json(person): Json<Person>) -> Result<StatusCode, Failure> {
    client.users().upsert(&person.id).email(person.email).property("plan", "free").await?;
    // A form that is submitted twice within 24 hours sends only one welcome message.
    let key = format!("welcome-{}", person.id);
    client.workflows().trigger("welcome").recipient(person.id).idempotency_key(key).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A failed call, as shown to the visitor.
struct Failure(Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            // The visitor can correct this.
            Error::InvalidInput(input) => {
                let broken = input.violations().iter();
                let rules: Vec<_> =
                    broken.map(|violation| format!("{} {}", violation.path(), violation.rule())).collect();
                (StatusCode::UNPROCESSABLE_ENTITY, Json(rules)).into_response()
            }
            // The visitor can submit the same form again.
            error if error.is_retryable() => {
                eprintln!("{error:#}");
                let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
                if let Some(wait) = error.retry_after() {
                    response.headers_mut().insert(header::RETRY_AFTER, wait.as_secs().into());
                }
                response
            }
            // Only the operators can fix this.
            error => {
                eprintln!("{error:#}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let hub = suprsend_mock::Hub::start().await?;
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/sign-up", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app(client)).await });

    let visitor = suprsend::reqwest::Client::new();
    for (id, email) in [("jane", "jane@example.com"), ("joe", "no address"), ("jane", "jane@example.com")] {
        let form = serde_json::json!({"id": id, "email": email}).to_string();
        let request = visitor.post(&url).header(header::CONTENT_TYPE, "application/json").body(form);
        let response = request.send().await?;
        println!("{id} with {email}: {} {}", response.status(), response.text().await?);
    }
    let welcomes = hub.sent().iter().filter(|sent| !sent.is_duplicate()).count();
    println!("{welcomes} welcome");
    Ok(())
}
