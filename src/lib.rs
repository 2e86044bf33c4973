//! Client and types for the SuprSend API, generated from SuprSend's own OpenAPI document.
//!
//! This is the layer below the SDK `suprsend`, which most programs want: it has no retries, no checks and no
//! credentials of its own. What it has is every operation and every type of the document, as the document states
//! them.
//!
//! The build script takes `openapi.yaml` as upstream publishes it, corrects it with `overlays/`, and generates. With
//! `default-features = false` the committed result of that, `src/generated.rs`, is compiled instead, and no generator
//! is built.
//!
//! A [`Client`] is given its behaviour when it is made: a [`Transport`] that sends requests, and adds to them what the
//! document cannot say, such as credentials. [`Client::prepare`] only makes a request, for those who send it in a way of their own.
//!
//! ```
//! use suprsend_api::{Client, PlainTransport, Sender, types::UserUpsert};
//!
//! # async fn example() -> Result<(), suprsend_api::Error<suprsend_api::types::ApiError>> {
//! let client = Client::new_with_client(
//!     "https://hub.suprsend.com",
//!     reqwest::Client::new(),
//!     Sender::new(PlainTransport),
//! );
//! let body = UserUpsert { email: vec!["jane@example.com".into()], ..Default::default() };
//! let user = client.create_update_users().distinct_id("user-123").body(body).send().await?;
//! println!("{:?}", user.updated_at);
//! # Ok(())
//! # }
//! ```

mod base;
mod channels;
mod edits;
mod lists;
mod prepare;
mod profile;
mod transport;

#[cfg(feature = "codegen")]
#[allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style; what it says is checked by the drift check"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}

#[cfg(not(feature = "codegen"))]
#[allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style; what it says is checked by the drift check"
)]
#[rustfmt::skip]
mod generated;

pub use generated::*;
pub use lists::CursorList;
pub use prepare::Prepared;
pub use profile::{Channel, PropertyError};
pub use transport::{PlainTransport, SendFuture, Sender, Transport};

/// The document that the code is generated from: OpenAPI 3.1 with the overlays applied, as JSON.
#[cfg(feature = "codegen")]
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The document that the code is generated from: OpenAPI 3.1 with the overlays applied, as JSON.
#[cfg(not(feature = "codegen"))]
pub const DOCUMENT: &str = include_str!("openapi.json");
