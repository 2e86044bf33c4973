//! The feature `rustls-no-provider` alone, in a process that installs no provider: nothing else works in it, so that this is a test
//! program of its own. `cargo xtask features` runs it.
#![cfg(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls"))))]

use suprsend::{Client, Error};

/// reqwest panics where its rustls has no cryptography.
#[test]
fn without_a_provider_it_is_an_error() {
    let error = Client::from_api_key("key").unwrap_err();
    assert!(matches!(error, Error::Config(_)));
    assert!(error.to_string().contains("a `CryptoProvider` has to be installed first"), "{error}");
}
