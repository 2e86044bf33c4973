//! A hub to test against: SuprSend's documented API on loopback, in-process or as a program.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = suprsend_mock::Hub::start().await?;
//!
//! let reply = reqwest::Client::new()
//!     .post(format!("{}/v1/user/user-123/", hub.url()))
//!     .bearer_auth(hub.key())
//!     .json(&serde_json::json!({"$email": ["jane@example.com"], "plan": "pro"}))
//!     .send()
//!     .await?;
//! assert_eq!(reply.status(), 201);
//!
//! let profile = hub.profile("user-123").ok_or("no profile")?;
//! assert_eq!(profile["$email"][0]["value"], "jane@example.com");
//! assert_eq!(profile["properties"]["plan"], "pro");
//! # Ok(())
//! # }
//! ```
//!
//! Routes, request checks and the shape of replies come from the OpenAPI 3.1 document of [`suprsend_api`], not from the
//! Rust types that are generated from it: what a client sends is judged by what the document says. The operations on users
//! have real state behind them; every other operation is checked and answered with the document's own example, or with a reply made
//! from the schema.
//!
//! # How a user is upserted
//!
//! - A channel's list is merged into what is stored: a new value is added, a known one stays single. Values are compared
//!   whole.
//! - A property, `$timezone`, `$locale` and `$preferred_language` among them, replaces the stored one of its name.
//! - `created_at` is the time of the first upsert and stays; `updated_at` moves with each, even if nothing changed.
//! - Each stored value has `status` and `perma_status` `active`. As the document's response example shows it, an entry of
//!   `$inbox` has the `id_provider` `suprsend`, and the `email` of `$slack` is echoed as `email_id`.
//! - `$id_provider` and `$bundle_id` describe the push addresses in the same request, and are stored with them.
//! - A `distinct_id` that is blank or longer than 255 characters is refused with 400, and so is any other key that starts
//!   with `$`, since those are reserved.
//! - A refused request changes nothing.
//!
//! # The other operations on users
//!
//! - An edit is done as a whole or not at all; its operations in order, and within one `$set`, `$set_once`, `$increment`,
//!   `$append`, `$remove` and `$unset`. `$add`, which SuprSend's other SDKs send, is the same as `$increment`. Whole numbers stay whole, a property that is absent
//!   counts as zero or as an empty list, and one of another type is refused.
//! - A list is in the order of `distinct_id`, 20 results a page unless asked for, and from 1 to 1000. A cursor stands for the last
//!   result of its page, so that users who come and go move nothing.
//! - A merge keeps what the user of the path has and adds what only the other has: addresses, properties, subscriptions.
//!   `created_at` is the older of the two. The other user is gone.
//! - Subscriptions are set up by the test ([`Hub::subscribe_to_object`], [`Hub::subscribe_to_list`]).
//! - A user that does not exist is a 404 whose message names the parameter: `distinct_id: user-123 not found`. A bulk delete
//!   passes over those.
//!
//! # Credentials
//!
//! `Authorization: Bearer <API key>` is checked against the hub's keys. The signatures of SuprSend's SDKs,
//! `<workspace key>:<signature>`, are accepted, and verified once a workspace is set up ([`Builder::workspace`]).
//!
//! # Refusals
//!
//! | status | for |
//! |---|---|
//! | 400 | parameters or a body that the document does not allow; the message names the field |
//! | 401 | missing or wrong credentials |
//! | 404, 405 | a path or method that the document does not have |
//! | 413 | a body over the limit, 800 KiB unless set |
//! | 501 | an operation without state of which the document shows no reply, and none could be made |
//! | 429 | requests over the rate limit, if one is set; with `Retry-After` |
//! | 507 | upserts once too much is stored, 256 MiB unless set |
//!
//! Their bodies are `{"code": 400, "message": "..."}`. The document declares only the 400; the others are what HTTP has for
//! the case.
//!
//! # Faults and inspection
//!
//! From Rust: [`Hub::inject`], [`Hub::requests`], [`Hub::assert_upserted`] and the like. Over HTTP, without credentials:
//!
//! | request | does |
//! |---|---|
//! | `GET /_hub/` | what the hub serves and holds |
//! | `POST /_hub/reset` | back to how the hub was started |
//! | `GET`, `DELETE /_hub/requests` | the recorded requests, credentials hidden |
//! | `GET /_hub/users`, `/_hub/users/{distinct_id}` | stored profiles |
//! | `PUT /_hub/users/{distinct_id}` | upserts a user without a recorded request |
//! | `GET`, `POST`, `DELETE /_hub/faults` | faults: `{"status": 503, "headers": {}, "body": "", "delay_ms": 0, "times": 2, "share": 0.1, "operation": "create-update-users"}`, or `"cut": "reset"`, `"lost"` or `"truncated"` in place of a status |
//! | `PUT`, `DELETE /_hub/rate-limit` | `{"requests": 10, "per_ms": 1000}` |
//!
//! The admin API answers to names of loopback only, unless [`Builder::admin_host`] gives others, refuses pages of other hosts
//! (`Origin`), and takes bodies with the content type of JSON.
//!
//! # As a program
//!
//! ```text
//! cargo run -p suprsend-mock -- --port 0 --key my-key --seed users.json --json-log
//! ```
//!
//! prints the URL it listens on as the first line on stdout, and logs on stderr. `users.json` has the body of an upsert under
//! each `distinct_id`. `--help` says the rest.

mod assert;
mod document;
mod fault;
mod hub;
mod rate_limit;
mod recorded;
mod refused;
mod server;
mod stub;
mod world;

pub use assert::Calls;
pub use fault::Fault;
pub use hub::{Builder, Hub};
pub use rate_limit::RateLimit;
pub use recorded::Recorded;
pub use refused::Refused;
pub use world::{Kind, Sent};
