//! A mock server for tests: SuprSend's documented API on loopback, in-process or as a program.
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
//! Routes, request validation and the form of responses come from the OpenAPI 3.1 document of [`suprsend_api`], not from the Rust types
//! that are generated from it: requests are validated against the document itself. The document's table of resources (`x-resources`)
//! determines the meaning of operations. An operation that is not in the table is validated and answered with the document's own example,
//! or with a response generated from the schema.
//!
//! # Upserting users
//!
//! - A channel's list is merged into the stored one: new values are added, and known values are not duplicated. Values are compared as a
//!   whole.
//! - A property, including `$timezone`, `$locale` and `$preferred_language`, replaces the stored one with the same name.
//! - `created_at` is the time of the first upsert; `updated_at` changes with each upsert, even if nothing else does.
//! - Each stored value has `status` and `perma_status` `active`. As in the document's response example, an entry of `$inbox` has the
//!   `id_provider` `suprsend`, and the `email` of `$slack` is echoed as `email_id`.
//! - `$id_provider` and `$bundle_id` describe the push addresses in the same request, and are stored with them.
//! - A `distinct_id` that is blank or longer than 255 characters is rejected with 400, and so is any other key that starts with `$`,
//!   because those are reserved.
//! - A rejected request changes nothing.
//!
//! # Other operations on users
//!
//! - An edit is atomic. Its operations are performed in order, and the actions within an operation in the order `$set`, `$set_once`,
//!   `$increment`, `$append`, `$remove` and `$unset`. `$add`, which SuprSend's other SDKs send, is the same as `$increment`. Whole numbers
//!   stay whole. A missing property counts as zero or as an empty list, and one of another type is rejected.
//! - A list is sorted by `distinct_id`. A page has 20 results by default, and may have from 1 to 1000. A cursor is the last result of its
//!   page, so users that are added or deleted do not shift the results.
//! - A merge keeps the data of the user in the path and adds what only the other user has: addresses, properties, subscriptions.
//!   `created_at` is the earlier of the two. The other user is deleted.
//! - [`Hub::subscribe_to_object`] and [`Hub::subscribe_to_list`] subscribe a user without a request.
//! - A user that does not exist is answered with a 404 whose message names the parameter: `distinct_id: user-123 not found`. A bulk delete
//!   skips such users.
//! - The profile of a user within a tenant overrides the user's own, key by key. The tenant must exist. A trigger or a broadcast for the
//!   tenant uses this profile.
//!
//! # Other resources
//!
//! - **Objects** are upserted and edited like users. Subscriptions are at most two levels deep: an object, its child objects, their users.
//!   Users and objects that a subscription names are created; the object itself is created only if there are `parent_object_properties`.
//! - **Tenants**: members replace the stored ones, except that `properties` and `social_links` are merged by key; an empty social link is
//!   removed. The tenant `default` always exists.
//! - **Lists**: only existing users are added, and counts tell how many changed. Any number of drafts can be open; finishing one replaces
//!   the members of the list at once. The list `all_users` always exists and cannot be changed.
//! - **Preferences**: a test defines the categories ([`Hub::define_category`]), or commits them in the workspace `production`. A
//!   recipient's own choice overrides the tenant's, which overrides the category's default. Opting out applies to all channels that are not
//!   mandatory.
//! - **Workflows** are accepted with any slug until a test defines some ([`Hub::define_workflow`]) or commits one in the workspace
//!   `production`. From then on, any other slug is answered with a 404, and so is a workflow that is disabled or deleted there; in a request
//!   with many triggers, this is the error of that trigger. Data that does not match the live schema to which a live workflow is linked is
//!   rejected. Recipients are users, objects and the subscribers of objects, each once. Inline channels and properties are stored in the
//!   profile.
//! - **Messages**: a trigger or a broadcast creates one for each recipient and active channel. It is delivered at once, or is
//!   `trigger_blocked` if preferences or the tenant block it. A trigger or a broadcast for a tenant that does not exist is accepted, and
//!   reaches nobody: the API reports this in its log only. A status only advances: delivered, seen, read, clicked or dismissed.
//! - **Events** are recorded; an event of an unknown user is accepted and dropped. A record with `$user_operations` at `/event/`, or a list
//!   of such records, edits users, which need not exist.
//! - A **key** that was seen in the last 24 hours is accepted without any effect; see [`Sent::is_duplicate`].
//! - A run can be cancelled once; all filters must match. A cancel without any known filter is rejected.
//! - **Templates** are defined by the test ([`Hub::define_template`]).
//!
//! # Credentials
//!
//! `Authorization: Bearer <API key>` is checked against the server's keys. The signatures of SuprSend's SDKs,
//! `<workspace key>:<signature>`, are accepted; they are verified if a workspace is set ([`Builder::workspace`]).
//!
//! # Rejected requests
//!
//! | status | reason |
//! |---|---|
//! | 400 | parameters or a body that the document does not allow; the message names the field |
//! | 401 | missing or wrong credentials |
//! | 404, 405 | a path or method that the document does not declare |
//! | 413 | a body over the limit, 800 KiB by default |
//! | 501 | an operation that is not implemented, for which the document has no example and none could be generated |
//! | 429 | requests over the rate limit, if one is set; with `Retry-After` |
//! | 507 | a request that would store data over the limit, 256 MiB by default |
//!
//! Their bodies are `{"code": 400, "message": "..."}`. The document declares only the 400; the other statuses follow HTTP.
//!
//! # Faults and inspection
//!
//! From Rust: [`Hub::inject`], [`Hub::requests`], [`Hub::assert_called`], [`Hub::assert_triggered`] and similar methods. Over HTTP, without
//! credentials:
//!
//! | request | effect |
//! |---|---|
//! | `GET /_hub/` | returns what the server serves and stores |
//! | `POST /_hub/reset` | resets the server to its initial state |
//! | `GET`, `DELETE /_hub/requests` | the recorded requests, with credentials hidden |
//! | `GET /_hub/users`, `/_hub/users/{distinct_id}` | stored profiles |
//! | `PUT /_hub/users/{distinct_id}` | upserts a user without a recorded request |
//! | `GET /_hub/sent` | the triggers, events and broadcasts that were accepted |
//! | `POST /_hub/define/{kind}` | defines a `workflow`, `category` or `template` |
//! | `POST /_hub/stubs` | a response of your own: `{"method": "GET", "path": "/v3/thing/{id}/", "status": 200, "body": {}}` |
//! | `GET`, `POST`, `DELETE /_hub/faults` | faults: `{"status": 503, "headers": {}, "body": "", "delay_ms": 0, "times": 2, "share": 0.1, "operation": "create-update-users"}`, or `"cut": "reset"`, `"lost"` or `"truncated"` instead of a status, or `"record": 429` for records of a request with many |
//! | `PUT`, `DELETE /_hub/rate-limit` | `{"requests": 10, "per_ms": 1000}` |
//!
//! With the feature `page`, which the program enables, a browser shows a page at `/_hub/`: requests as they arrive, notifications by
//! recipient, stored data, and controls. Credentials and values that the document marks as sensitive (`x-sensitive`) are hidden unless you
//! ask for them.
//!
//! The admin API responds only under loopback host names, unless [`Builder::admin_host`] adds others. It rejects requests from pages of
//! other hosts (`Origin`), and accepts bodies only with the content type of JSON.
//!
//! # As a program
//!
//! ```text
//! cargo run --bin suprsend-mock -- --port 0 --key my-key --seed users.json --json-log
//! ```
//!
//! prints the URL it listens on as the first line on stdout, and logs to stderr. `users.json` contains the body of an upsert for each
//! `distinct_id`. See `--help` for the other options.

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
