//! The same API for programs without async, on a runtime that has threads of its own.
//!
//! ```no_run
//! # fn main() -> Result<(), suprsend::Error> {
//! let client = suprsend::blocking::Client::from_env()?;
//! let user = client.users().upsert("user-123").email("jane@example.com").send()?;
//! # Ok(())
//! # }
//! ```
//!
//! Waiting inside an async task would stop everything that runs beside it, so it is refused with an error; use
//! [`suprsend::Client`](crate::Client) there. Where tokio allows for waiting, in `spawn_blocking` and `block_in_place`, it is allowed.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use futures_core::Stream;
use http::Method;
use secrecy::SecretString;
use suprsend_api::{Lookup, Operation, Paged};
use tokio::{
    runtime::{self, Handle},
    task::coop::consume_budget,
};

use crate::{
    bulk::{Entry, RecordEntry, SendAll, SendRecords, Source},
    call::{Call, Optional},
    client::{AsClient, sealed::Sealed},
    error::{ConfigError, Error},
    pages::{Items, Pages},
    raw::Request,
    response::Response,
};

/// The settings of a blocking client.
pub type ClientBuilder = crate::ClientBuilder<Client>;

/// A client of SuprSend's API whose calls wait for their result.
///
/// Clones share one connection pool, one key, one retry quota and one runtime, and may be used by several threads at once.
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Arc<Runtime>,
}

/// The number of threads that drive a client's connections. A server that floods one connection keeps one of them busy for a moment at a
/// time, during which the other goes on with all other calls.
const THREADS: usize = 2;

/// A runtime with threads of its own, which drive it also while no call is made: so it notices that the server closes an idle connection,
/// which the next call would fail on otherwise.
#[derive(Debug)]
struct Runtime {
    handle: Handle,
    /// There until this is dropped.
    threads: Option<runtime::Runtime>,
}

impl Runtime {
    fn start() -> std::io::Result<Self> {
        let mut builder = runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(THREADS).thread_name("suprsend").enable_all().build()?;
        Ok(Self { handle: runtime.handle().clone(), threads: Some(runtime) })
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.threads.take() {
            // Waiting for its threads would be refused inside another runtime, by a panic.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Makes a client with this API key, and the defaults for everything else.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed, or if no thread can be started.
    pub fn from_api_key(key: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder().api_key(key).build()
    }

    /// Makes a client with the API key in `SUPRSEND_API_KEY` and, if they are set, the base URL in `SUPRSEND_BASE_URL` and the UID of the
    /// workspace in `SUPRSEND_WORKSPACE`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing or malformed, if the base URL cannot be used, or if no thread can be started.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_environment()?.build()
    }

    /// Returns the settings of a new client, to be changed and built.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Prepares a call of any operation; see [`Client::call`](crate::Client::call).
    pub fn call<O: Operation>(&self, operation: O) -> Call<O, Self> {
        Call::new(self, operation)
    }

    /// Prepares a request to a path that this crate does not know; see [`Client::request`](crate::Client::request).
    pub fn request(&self, method: Method, path: impl Into<String>) -> Call<Request, Self> {
        self.call(Request::new(method, path))
    }

    /// Sends many calls of one operation, several at a time; the outcomes are an iterator. See [the module](crate::bulk).
    pub fn send_all<Kind, S>(&self, calls: S) -> SendAll<S::Stream, Self>
    where
        S: Source<Kind, Entry: Entry<Client = Self>>,
    {
        SendAll::new(self, calls)
    }

    /// Replaces the API key of this client and all its clones; see [`Client::set_api_key`](crate::Client::set_api_key).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed. The old key stays in use then.
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        self.inner.set_api_key(key)
    }

    /// Replaces the service token of this client and all its clones; see
    /// [`Client::set_service_token`](crate::Client::set_service_token).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the token is empty or malformed. The old token stays in use then.
    #[cfg(feature = "management")]
    pub fn set_service_token(&self, token: impl Into<SecretString>) -> Result<(), Error> {
        self.inner.set_service_token(token)
    }

    /// Returns a client with another API key; see [`Client::with_api_key`](crate::Client::with_api_key).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed.
    pub fn with_api_key(&self, key: impl Into<SecretString>) -> Result<Self, Error> {
        Ok(Self { inner: self.inner.with_api_key(key)?, runtime: Arc::clone(&self.runtime) })
    }

    /// Waits for something that the runtime's thread brings about.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        if is_async() {
            let reason = "waits, which would stop the async runtime that it is called in: use suprsend::Client there, or \
                          call it in spawn_blocking";
            return Err(ConfigError::new("blocking", reason).into());
        }
        Ok(self.runtime.handle.block_on(future))
    }
}

/// Returns whether this is called in an async task, or in whatever else a runtime polls, where nobody may wait.
///
/// A runtime is at hand in `spawn_blocking` and `block_in_place` too. What tells them apart is the budget that tokio gives to all that
/// it polls: it is used up sooner or later, and elsewhere there is none. What is refused for it then yields at its next `await`.
fn is_async() -> bool {
    /// More than tokio's budget.
    const BUDGET: usize = 1024;
    let mut context = Context::from_waker(Waker::noop());
    Handle::try_current().is_ok()
        && (0..BUDGET).any(|_| pin!(consume_budget()).poll(&mut context).is_pending())
}

impl crate::ClientBuilder<Client> {
    /// Makes a client whose calls wait for their result. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing, if a setting cannot be used, or if no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        let (shared, keys) = self.finish()?;
        let inner = crate::Client::new(shared, keys);
        let runtime = Runtime::start()
            .map_err(|error| ConfigError::new("blocking", format!("has no runtime: {error}")))?;
        Ok(Client { inner, runtime: Arc::new(runtime) })
    }
}

impl Sealed for Client {}

impl AsClient for Client {
    fn as_client(&self) -> &crate::Client {
        &self.inner
    }
}

impl<O: Operation> Call<O, Client> {
    /// Sends the call and waits for the result.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] inside an async task. Otherwise the same as [awaiting](crate::Call::send) the call.
    pub fn send(self) -> Result<Response<O::Response>, Error> {
        let client = self.client().clone();
        client.wait(self.run())?
    }
}

impl<O: Lookup> Optional<O, Client> {
    /// Sends the call and waits for the result.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] inside an async task. Otherwise the same as for the call, except that a missing user, list or object is `None`.
    pub fn send(self) -> Result<Option<Response<O::Response>>, Error> {
        let client = self.client().clone();
        client.wait(self.run())?
    }
}

impl<O: Paged> Call<O, Client> {
    /// Returns one page: the first one, or the one that the call is for. Sending the call does the same.
    ///
    /// # Errors
    ///
    /// The same as for [sending](Self::send) the call.
    pub fn page(self) -> Result<Response<O::Response>, Error> {
        self.send()
    }
}

impl<O: Paged> Iterator for Pages<O, Client> {
    type Item = Result<Response<O::Response>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done() {
            return None;
        }
        let client = self.client().clone();
        client.wait(poll_fn(|context| self.poll_page(context))).unwrap_or_else(|error| {
            // Nothing was asked for, because it cannot be waited for here.
            self.end();
            Some(Err(error))
        })
    }
}

impl<O: Paged> Iterator for Items<O, Client> {
    type Item = Result<O::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.at_hand() {
                return Some(Ok(item));
            }
            match self.pages_mut().next()? {
                Ok(page) => self.turn_to(page),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Inside an async task there are no outcomes, and nothing is sent: there is no way to say why in one.
impl<S> Iterator for SendAll<S, Client>
where
    S: Stream<Item: Entry<Client = Client, Value: Send + 'static>>,
{
    type Item = <S::Item as Entry>::Outcome;

    fn next(&mut self) -> Option<Self::Item> {
        let client = self.client().clone();
        client.wait(poll_fn(|context| self.poll_outcome(context))).ok().flatten()
    }
}

/// Inside an async task there are no outcomes, and nothing is sent, as with [`SendAll`].
impl<S> Iterator for SendRecords<S, Client>
where
    S: Stream<Item: RecordEntry<Value: Send + 'static>>,
{
    type Item = <S::Item as RecordEntry>::Outcome;

    fn next(&mut self) -> Option<Self::Item> {
        let client = self.client().clone();
        client.wait(poll_fn(|context| self.poll_outcome(context))).ok().flatten()
    }
}
