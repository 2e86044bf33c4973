//! The same API for programs without async, on a current-thread runtime of its own.
//!
//! ```no_run
//! # fn main() -> Result<(), suprsend::Error> {
//! let client = suprsend::blocking::Client::from_env()?;
//! let user = client.users().upsert("user-123").email("jane@example.com").send()?;
//! # Ok(())
//! # }
//! ```
//!
//! Waiting inside an async runtime would stop everything that runs there, so it is refused with an error; use
//! [`suprsend::Client`](crate::Client) there.

use std::{future::Future, sync::Arc};

use http::Method;
use secrecy::SecretString;
use tokio::runtime::{self, Handle};

use crate::{ClientBuilder, Error, error::ConfigError, raw::Request, users::Users};

/// A client of SuprSend's API whose calls wait for their result.
///
/// Clones share one connection pool, one key, one retry quota and one runtime, and may be used by several threads at once.
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Arc<Runtime>,
}

/// A runtime that may be dropped anywhere: tokio's own panics when that happens inside another one.
#[derive(Debug)]
struct Runtime(Option<runtime::Runtime>);

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// A client with this API key, and the defaults for everything else.
    pub fn from_api_key(key: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder().api_key(key).build_blocking()
    }

    /// A client with the API key in `SUPRSEND_API_KEY` and, if that is set, the base URL in `SUPRSEND_BASE_URL`.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build_blocking()
    }

    /// Settings for a client; [`ClientBuilder::build_blocking`] makes it.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Calls about users.
    pub fn users(&self) -> Users<'_, Self> {
        Users::new(self)
    }

    /// A request to a path that this crate does not know; see [`Client::request`](crate::Client::request).
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request<Self> {
        Request::new(self.clone(), method, path.into())
    }

    /// Replaces the API key of this client and all its clones; see [`Client::set_api_key`](crate::Client::set_api_key).
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        self.inner.set_api_key(key)
    }

    /// A client with another API key; see [`Client::with_api_key`](crate::Client::with_api_key).
    pub fn with_api_key(&self, key: impl Into<SecretString>) -> Result<Self, Error> {
        Ok(Self { inner: self.inner.with_api_key(key)?, runtime: Arc::clone(&self.runtime) })
    }

    pub(crate) fn inner(&self) -> &crate::Client {
        &self.inner
    }

    /// Waits for a call.
    pub(crate) fn wait<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let reason = if Handle::try_current().is_ok() {
            "waits, which would stop the async runtime that it is called in: use suprsend::Client there"
        } else if let Some(runtime) = &self.runtime.0 {
            return runtime.block_on(call);
        } else {
            "has no runtime any more"
        };
        Err(ConfigError::new("blocking", reason).into())
    }
}

impl ClientBuilder {
    /// Makes a client whose calls wait for their result. Nothing is sent.
    pub fn build_blocking(self) -> Result<Client, Error> {
        let inner = self.build()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ConfigError::new("blocking", format!("has no runtime: {error}")))?;
        Ok(Client { inner, runtime: Arc::new(Runtime(Some(runtime))) })
    }
}
