//! A hub to test against: SuprSend's documented API on loopback, in-process or as a program.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = suprsend_mock::Hub::start().await?;
//!
//! let response = reqwest::Client::new()
//!     .post(format!("{}/v1/user/user-123/", hub.url()))
//!     .bearer_auth(hub.key())
//!     .json(&serde_json::json!({"$email": ["jane@example.com"], "plan": "pro"}))
//!     .send()
//!     .await?;
//! assert_eq!(response.status(), 201);
//!
//! let profile = hub.profile("user-123").ok_or("no profile")?;
//! assert_eq!(profile["$email"][0]["value"], "jane@example.com");
//! assert_eq!(profile["properties"]["plan"], "pro");
//! # Ok(())
//! # }
//! ```
//!
//! Routes, request checks and the shape of responses come from the OpenAPI 3.1 document of [`suprsend_api`], not from the
//! Rust types that are generated from it: what a client sends is judged by what the document says. Which operation is which
//! comes from the document's table of resources (`x-resources`). An operation that is not in the table is checked and answered
//! with the document's own example, or with a response made from the schema.
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
//! - [`Hub::subscribe_to_object`] and [`Hub::subscribe_to_list`] subscribe a user without a request.
//! - A user that does not exist is a 404 whose message names the parameter: `distinct_id: user-123 not found`. A bulk delete
//!   passes over those.
//! - The profile of a user within a tenant is laid over the user's own, key by key. The tenant has to exist.
//!
//! # The other resources
//!
//! - **Objects** are upserted and edited as users are. Subscriptions are at most two levels deep: an object, its child objects,
//!   their users. Users and objects that a subscription names are created; the object itself is by `parent_object_properties` only.
//! - **Tenants**: members replace those stored, except that `properties` and `social_links` are merged by their keys; an empty
//!   social link is removed. The tenant `default` is always there.
//! - **Lists**: only users that exist are added, and counts say how many changed. Any number of drafts can be open; finishing
//!   one replaces the members of the list at once. The list `all_users` is always there and cannot be changed.
//! - **Preferences**: a test sets up the categories ([`Hub::define_category`]). A recipient's own choice is over the tenant's,
//!   which is over the category's default. A choice to opt out is for all channels that are not mandatory.
//! - **Workflows** are taken by any slug until a test names some ([`Hub::define_workflow`]); from then on any other is a 404, or
//!   in a request with many triggers the error of that one. Recipients are users, objects and the subscribers of objects, each
//!   once. Inline channels and properties are stored in the profile.
//! - **Messages**: a trigger or a broadcast makes one for each recipient and active channel, delivered at once, or
//!   `trigger_blocked` where preferences or the tenant block it.
//! - **Events** are recorded; that of an unknown user is accepted and dropped. A record with `$user_operations` at `/event/`, or a list
//!   of them, edits users, who need not exist.
//! - A **key** that was seen in the last 24 hours is accepted and does nothing again; [`Sent::is_duplicate`] says so.
//! - A run can be cancelled once; all filters have to fit.
//! - **Templates** are set up by the test ([`Hub::define_template`]).
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
//! | 501 | an operation without state of which the document shows no response, and none could be made |
//! | 429 | requests over the rate limit, if one is set; with `Retry-After` |
//! | 507 | what would store more once too much is stored, 256 MiB unless set |
//!
//! Their bodies are `{"code": 400, "message": "..."}`. The document declares only the 400; the others are what HTTP has for
//! the case.
//!
//! # Faults and inspection
//!
//! From Rust: [`Hub::inject`], [`Hub::requests`], [`Hub::assert_called`], [`Hub::assert_triggered`] and the like. Over HTTP, without credentials:
//!
//! | request | does |
//! |---|---|
//! | `GET /_hub/` | what the hub serves and holds |
//! | `POST /_hub/reset` | back to how the hub was started |
//! | `GET`, `DELETE /_hub/requests` | the recorded requests, credentials hidden |
//! | `GET /_hub/users`, `/_hub/users/{distinct_id}` | stored profiles |
//! | `PUT /_hub/users/{distinct_id}` | upserts a user without a recorded request |
//! | `GET /_hub/sent` | the triggers, events and broadcasts that were accepted |
//! | `POST /_hub/define/{kind}` | sets up a `workflow`, `category` or `template` |
//! | `POST /_hub/stubs` | a response of your own: `{"method": "GET", "path": "/v3/thing/{id}/", "status": 200, "body": {}}` |
//! | `GET`, `POST`, `DELETE /_hub/faults` | faults: `{"status": 503, "headers": {}, "body": "", "delay_ms": 0, "times": 2, "share": 0.1, "operation": "create-update-users"}`, or `"cut": "reset"`, `"lost"` or `"truncated"` in place of a status, or `"record": 429` for records of a request with many |
//! | `PUT`, `DELETE /_hub/rate-limit` | `{"requests": 10, "per_ms": 1000}` |
//!
//! With the feature `page`, which the program has, a browser gets a page at `/_hub/`: requests as they arrive, notifications by
//! recipient, what is stored, and controls. Values that the document marks as sensitive (`x-sensitive`) and credentials are
//! hidden until asked for.
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
