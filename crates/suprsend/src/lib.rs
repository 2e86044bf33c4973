//! SDK for [SuprSend](https://suprsend.com), the notification service.
//!
//! ```no_run
//! use suprsend::{Client, types::SlackChannel};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), suprsend::Error> {
//!     // The key is in SUPRSEND_API_KEY.
//!     let client = Client::from_env()?;
//!
//!     let user = client
//!         .users()
//!         .upsert("user-123")
//!         .email("jane@example.com")
//!         .sms("+15551234567")
//!         .slack(SlackChannel::email("jane@example.com", "xoxb-..."))
//!         .timezone("America/New_York")
//!         .locale("en_GB")
//!         .property("plan", "pro")
//!         .property("seats", 12)
//!         .await?;
//!
//!     for (channel, entry) in user.channels() {
//!         println!("{channel} is {}", if entry.is_active() { "active" } else { "not active" });
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What it does
//!
//! - The types are generated from SuprSend's own OpenAPI document ([`types`]); every channel has a constructor that takes what the
//!   document requires.
//! - What is sent is checked first, and everything that is wrong with it is reported together ([`Error::InvalidInput`]).
//! - Calls that may be repeated are, after faults that pass ([`RetryPolicy`]), within the time that the call may take.
//! - Any number of users, triggers and events is sent as a stream, as fast as the hub allows for ([`bulk`]).
//! - Errors say what happened, and keep the status, the request id and the body ([`Error`], [the table](docs::errors)).
//! - API keys and other secrets cannot be printed.
//!
//! # Guides
//!
//! [Quick start](docs::quick_start), [sending](docs::sending), [resources](docs::resources), [channels](docs::channels), [errors and retries](docs::errors), [many users](docs::bulk),
//! [observability](docs::observability), [testing](docs::testing), [features](docs::features), [without async](docs::blocking), [the management API](docs::management).
//!
//! # Features
//!
//! | Feature | |
//! |---|---|
//! | `rustls` (default) | TLS by rustls with aws-lc-rs |
//! | `rustls-no-provider` | TLS by rustls with the `CryptoProvider` that the program installs |
//! | `native-tls` | the platform's TLS |
//! | `blocking` | the same API for programs without async |
//! | `tracing` | a span for each call |
//! | `token` | signs user tokens for the inbox and preference pages |
//! | `http2` | HTTP/2 where the server offers it over TLS |
//! | `management` | the [management API](docs::management): workspaces, their keys, and what is edited on the dashboard |
//! | `codegen` | generate the client at build time instead of using the shipped snapshot |
//!
//! All of them can be combined; what each costs is [a page of its own](docs::features). Without any TLS feature only plain HTTP works, to a gateway on the same machine.

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
mod reply;
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

/// The README's programs compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
