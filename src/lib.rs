//! Client and types for the SuprSend API, generated from SuprSend's own OpenAPI document.
//!
//! This is the layer below the SDK `suprsend`, which most programs should use: it has no retries, no validation and no credentials of its
//! own. It contains every operation and every type exactly as the OpenAPI document declares them.
//!
//! The build script takes `openapi.yaml` as SuprSend publishes it, corrects it with `overlays/`, and generates the code. With
//! `default-features = false`, the committed result `src/generated.rs` is compiled instead, and no generator is built.
//!
//! An operation is a value that is created without a client. [`Client`] sends one once. A program with its own HTTP client gets the request
//! from [`Operation::request`].
//!
//! ```
//! use suprsend_api::{Base, Operation, operations::FetchUserProfile};
//!
//! let base = Base::new("https://hub.suprsend.com").unwrap();
//! let request = FetchUserProfile::new("jane").request(&base).unwrap();
//! assert_eq!(request.url().as_str(), "https://hub.suprsend.com/v1/user/jane/");
//! ```

mod base;
mod channels;
mod client;
pub mod de;
mod edits;
mod error;
mod open_enum;
mod operation;
mod outcomes;
pub mod parameter;
mod profile;
mod recipients;
pub mod rules;
pub mod union;

#[cfg(feature = "codegen")]
#[allow(
    unreachable_pub,
    deprecated,
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
    unreachable_pub,
    deprecated,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style; what it says is checked by the drift check"
)]
#[rustfmt::skip]
mod generated;

pub use base::Base;
pub use client::Client;
pub use error::{Error, RequestError};
pub use generated::*;
pub use operation::{
    Credential, CursorPaged, Format, Inspector, Lookup, OffsetPaged, Operation, Page, Paged, Parameter,
    Place, Position, Spec, Verdict, Visitor,
};
pub use profile::{Channel, PropertyError, UnknownChannel};
pub use recipients::AttachmentError;
pub use reqwest::{Method, Request};

/// The OpenAPI document that the code is generated from: OpenAPI 3.1 with the overlays applied, as JSON.
#[cfg(all(feature = "document", feature = "codegen"))]
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The OpenAPI document that the code is generated from: OpenAPI 3.1 with the overlays applied, as JSON.
#[cfg(all(feature = "document", not(feature = "codegen")))]
pub const DOCUMENT: &str = include_str!("openapi.json");
