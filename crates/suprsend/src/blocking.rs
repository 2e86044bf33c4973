//! The same API for programs without async, on a runtime with its own threads.
//!
//! ```no_run
//! # fn main() -> Result<(), suprsend::Error> {
//! let client = suprsend::blocking::Client::from_env()?;
//! let user = client.users().upsert("user-123").email("jane@example.com").send()?;
//! # Ok(())
//! # }
//! ```
//!
//! Blocking inside an async task would stop everything else on its thread, so it is rejected with an error; use
//! [`suprsend::Client`](crate::Client) there. It is allowed where tokio allows blocking, in `spawn_blocking` and `block_in_place`.

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
    task::{block_in_place, coop::consume_budget},
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

/// The builder of a blocking client.
pub type ClientBuilder = crate::ClientBuilder<Client>;

/// A client for SuprSend's API whose calls block until their result is known.
///
/// Clones share one connection pool, one key, one retry quota and one runtime. Several threads can use them at once.
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Arc<Runtime>,
}

/// The number of threads that drive a client's connections. A server that floods one connection keeps one thread busy for a moment at a
/// time, while the other serves all other calls.
const THREADS: usize = 2;

/// A runtime with its own threads, which also drive it while there is no call. So it notices when the server closes an idle connection, on
/// which the next call would otherwise fail.
#[derive(Debug)]
struct Runtime {
    handle: Handle,
    /// `Some` until this is dropped.
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
            // Waiting for its threads inside another runtime would panic.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    /// Creates a client with this API key and the defaults for everything else.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed, or if no thread can be started.
    pub fn from_api_key(key: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder().api_key(key).build()
    }

    /// Creates a client with the API key in `SUPRSEND_API_KEY` and, if they are set, the base URL in `SUPRSEND_BASE_URL` and the UID of the
    /// workspace in `SUPRSEND_WORKSPACE`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing or malformed, if the base URL is invalid, or if no thread can be started.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_environment()?.build()
    }

    /// Returns a builder, to change settings and to build a client.
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

    /// Sends many calls of one operation, several at a time, and returns an iterator over the outcomes. See [the module](crate::bulk).
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
    /// [`Error::Config`] if the key is empty or malformed. In that case, the old key stays in use.
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        self.inner.set_api_key(key)
    }

    /// Replaces the service token of this client and all its clones; see
    /// [`Client::set_service_token`](crate::Client::set_service_token).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the token is empty or malformed. In that case, the old token stays in use.
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

    /// Returns a client with another UID of the workspace; see [`Client::with_workspace`](crate::Client::with_workspace).
    pub fn with_workspace(&self, uid: impl Into<String>) -> Self {
        Self { inner: self.inner.with_workspace(uid), runtime: Arc::clone(&self.runtime) }
    }

    /// Blocks until a future is ready that the runtime's threads drive.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, Error> {
        if is_async() {
            let reason = "waits, which would stop the async runtime that it is called in: use suprsend::Client there, or \
                          call it in spawn_blocking";
            return Err(ConfigError::new("blocking", reason).into());
        }
        Ok(self.runtime.handle.block_on(future))
    }
}

/// Returns whether this is called in an async task, or anything else that a runtime polls, where blocking is not allowed.
///
/// `spawn_blocking` and `block_in_place` have a runtime too. They differ in the budget that tokio gives to everything that it polls: there
/// the budget runs out sooner or later, elsewhere there is none. A task that is rejected for this reason then yields at its next `await`.
fn is_async() -> bool {
    /// More than tokio's budget.
    const BUDGET: usize = 1024;
    let mut context = Context::from_waker(Waker::noop());
    Handle::try_current().is_ok()
        && (0..BUDGET).any(|_| pin!(consume_budget()).poll(&mut context).is_pending())
}

impl crate::ClientBuilder<Client> {
    /// Creates a blocking client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing, if a setting is invalid, or if no thread can be started.
    pub fn build(self) -> Result<Client, Error> {
        let inner = self.finish()?;
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

    /// An iterator may block: it may be a list or the outcomes of this client, or the rows of another one. So it is not polled inside the
    /// runtime.
    fn polling<T>(poll: impl FnOnce() -> T) -> T {
        block_in_place(poll)
    }
}

impl<O: Operation> Call<O, Client> {
    /// Sends the call and blocks until the result is known.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] inside an async task. Otherwise the same as for [awaiting](crate::Call::send) the call.
    pub fn send(self) -> Result<Response<O::Response>, Error> {
        let client = self.client().clone();
        client.wait(self.run())?
    }
}

impl<O: Lookup> Optional<O, Client> {
    /// Sends the call and blocks until the result is known.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] inside an async task. Otherwise the same as for the call, except that a missing user, list or object is returned
    /// as `None`.
    pub fn send(self) -> Result<Option<Response<O::Response>>, Error> {
        let client = self.client().clone();
        client.wait(self.run())?
    }
}

impl<O: Paged> Call<O, Client> {
    /// Returns one page: the first one, or the one that the call selects. Sending the call does the same.
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
            // Nothing was requested, because blocking is not allowed here.
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

/// Yields no outcomes inside an async task, and sends nothing: an outcome could not report the reason.
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

/// Yields no outcomes inside an async task, and sends nothing, like [`SendAll`].
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
