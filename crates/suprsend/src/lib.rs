//! SDK for [SuprSend](https://suprsend.com), the notification service.
//!
//! ```no_run
//! use suprsend::{Client, Error};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Error> {
//!     let client = Client::from_env()?; // the key is in SUPRSEND_API_KEY
//!
//!     client
//!         .users()
//!         .upsert("jane")
//!         .email("jane@example.com")
//!         .sms("+15551234567")
//!         .timezone("America/New_York")
//!         .property("plan", "pro")
//!         .await?;
//!
//!     let response = client
//!         .workflows()
//!         .trigger("order-shipped")
//!         .recipient("jane")
//!         .data("order", 5678)
//!         .idempotency_key("order-5678")
//!         .await?;
//!     println!("accepted as {:?}", response.message_id);
//!     Ok(())
//! }
//! ```
//!
//! # What it does
//!
//! - Every operation of SuprSend's hub API has a method ([the table](docs::operations)). The types are generated from SuprSend's own
//!   OpenAPI document ([`types`]). Every channel has a constructor that takes its required fields.
//! - Requests are validated before they are sent, and all violations are reported together ([`Error::InvalidInput`]).
//! - Idempotent calls are retried after transient errors, within the call's timeout ([`RetryPolicy`]).
//! - Streams send any number of users, triggers and events, as fast as the API allows ([`bulk`]).
//! - Errors carry the status, the request id and the body, and say whether a retry can help ([`Error`]).
//! - API keys and other secrets cannot be printed.
//!
//! # Guides
//!
//! [Quick start](docs::quick_start), [coming from the Python or Node SDK](docs::other_sdks), [sending](docs::sending),
//! [resources](docs::resources), [channels](docs::channels), [errors and retries](docs::errors), [axum](docs::axum),
//! [many at once](docs::bulk), [nightly sync](docs::nightly_sync), [testing](docs::testing), [observability](docs::observability),
//! [without async](docs::blocking), [other operations](docs::other_operations), [the management API](docs::management),
//! [features](docs::features), [all operations](docs::operations).
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `rustls` (default) | TLS through rustls with aws-lc-rs |
//! | `rustls-no-provider` | TLS through rustls with the `CryptoProvider` that the program installs |
//! | `native-tls` | the platform's TLS |
//! | `blocking` | the same API for programs without async |
//! | `tracing` | a span for each call |
//! | `token` | signs user tokens for the inbox and preference pages |
//! | `http2` | HTTP/2 where the server offers it over TLS |
//! | `management` | the [management API](docs::management): workspaces, their keys, and what is edited on the dashboard |
//! | `codegen` | generates the client at build time instead of using the shipped snapshot |
//!
//! All of them can be combined ([their costs](docs::features)). Without a TLS feature, only plain HTTP to a gateway on the same machine
//! works.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
pub mod bulk;
mod call;
mod checks;
mod client;
mod config;
mod decode;
pub mod docs;
mod edit;
pub mod error;
mod flow;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod gunzip;
mod json;
mod keys;
pub mod lists;
pub mod pages;
mod raw;
mod raw_response;
mod report;
#[allow(
    missing_docs,
    clippy::pedantic,
    clippy::redundant_field_names,
    reason = "generated; its docs are those of the document"
)]
#[rustfmt::skip]
mod resources;
mod response;
mod retry;
mod rules;
mod send;
mod sending;
pub mod stored;
mod throttle;
#[cfg(feature = "token")]
pub mod token;
mod trace;
pub mod users;
pub mod values;
mod verdict;
pub mod webhook;

#[doc(no_inline)]
pub use http::{HeaderMap, Method, StatusCode};
/// The HTTP client, in the version that [`ClientBuilder::http_client`] takes.
#[doc(no_inline)]
pub use reqwest;
#[doc(no_inline)]
pub use secrecy::SecretString;
pub use suprsend_api::{
    AttachmentError, Channel, Operation, PropertyError, UnknownChannel, operations, types,
};

#[cfg(feature = "management")]
pub use crate::config::{DEFAULT_MANAGEMENT_URL, MANAGEMENT_URL_VARIABLE, SERVICE_TOKEN_VARIABLE};
pub use crate::{
    builder::ClientBuilder,
    call::{Call, Optional},
    client::Client,
    config::{API_KEY_VARIABLE, BASE_URL_VARIABLE, DEFAULT_BASE_URL, WORKSPACE_VARIABLE},
    decode::Body,
    error::Error,
    raw::Request,
    report::CallReport,
    resources::*,
    response::Response,
    retry::RetryPolicy,
    throttle::{Permit, Throttle},
    users::UpsertUser,
};
