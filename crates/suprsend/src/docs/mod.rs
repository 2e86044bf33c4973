//! Guides, in the order in which a program needs them.
//!
//! 1. [From an API key to a notification](quick_start)
//! 2. [Coming from the Python or Node SDK](other_sdks)
//! 3. [Sending notifications](sending)
//! 4. [Tenants, objects, lists and messages](resources)
//! 5. [The nine channels](channels)
//! 6. [Errors and retries](errors)
//! 7. [In an axum service](axum)
//! 8. [Many users, triggers and events](bulk)
//! 9. [A nightly sync from a database](nightly_sync)
//! 10. [Testing a program that uses SuprSend](testing)
//! 11. [Metrics, spans and logs](observability)
//! 12. [Programs without async](blocking)
//! 13. [Other operations](other_operations)
//! 14. [The management API](management)
//! 15. [Cargo features](features)
//! 16. [All operations](operations)
//!
//! Each begins with the shortest program that does its job. In code blocks without a `main`, `client` is a [`Client`](crate::Client) and
//! `hub` is the mock server of `suprsend-mock`; all of them run as tests against it.

/// The guides with the hidden lines that their examples need, for `cargo test --doc` only.
#[cfg(doctest)]
mod tests {
    suprsend_doctests::pages! {
        repository = "../../README.md",
        package = "README.md",
        quick_start = "src/docs/quick_start.md",
        other_sdks = "src/docs/other_sdks.md",
        sending = "src/docs/sending.md",
        resources = "src/docs/resources.md",
        channels = "src/docs/channels.md",
        errors = "src/docs/errors.md",
        axum = "src/docs/axum.md",
        bulk = "src/docs/bulk.md",
        nightly_sync = "src/docs/nightly_sync.md",
        testing = "src/docs/testing.md",
        observability = "src/docs/observability.md",
        #[cfg(feature = "blocking")]
        blocking = "src/docs/blocking.md",
        other_operations = "src/docs/other_operations.md",
        #[cfg(feature = "management")]
        management = "src/docs/management.md",
        features = "src/docs/features.md",
    }
}

#[cfg(not(doctest))]
#[doc = include_str!("quick_start.md")]
pub mod quick_start {}

#[cfg(not(doctest))]
#[doc = include_str!("other_sdks.md")]
pub mod other_sdks {}

#[cfg(not(doctest))]
#[doc = include_str!("sending.md")]
pub mod sending {}

#[cfg(not(doctest))]
#[doc = include_str!("resources.md")]
pub mod resources {}

#[cfg(not(doctest))]
#[doc = include_str!("channels.md")]
pub mod channels {}

#[cfg(not(doctest))]
#[doc = include_str!("errors.md")]
pub mod errors {}

#[cfg(not(doctest))]
#[doc = include_str!("axum.md")]
pub mod axum {}

#[cfg(not(doctest))]
#[doc = include_str!("bulk.md")]
pub mod bulk {}

#[cfg(not(doctest))]
#[doc = include_str!("nightly_sync.md")]
pub mod nightly_sync {}

#[cfg(not(doctest))]
#[doc = include_str!("testing.md")]
pub mod testing {}

#[cfg(not(doctest))]
#[doc = include_str!("observability.md")]
pub mod observability {}

#[cfg(not(doctest))]
#[doc = include_str!("blocking.md")]
pub mod blocking {}

#[cfg(not(doctest))]
#[doc = include_str!("other_operations.md")]
pub mod other_operations {}

#[cfg(not(doctest))]
#[doc = include_str!("management.md")]
pub mod management {}

#[cfg(not(doctest))]
#[doc = include_str!("features.md")]
pub mod features {}

#[cfg(not(doctest))]
#[doc = include_str!("operations.md")]
pub mod operations {}
