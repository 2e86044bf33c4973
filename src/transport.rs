//! How a generated client sends: behaviour that another crate supplies.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
};

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response, Url};

use crate::{Client, Error, base::Base, prepare};

/// What [`Transport::send`] returns.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + 'a>>;

/// Sends the requests of a [`Client`].
///
/// This is the place for credentials and signatures: `send` sees the finished request, the operation it belongs to and the reply, and may
/// send as often as it wants. What needs more than that can have the request, with [`Client::prepare`], and send it itself.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request of the operation with this id, written as the generated method is: `create_update_users`.
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: Request,
        operation: &'static str,
    ) -> SendFuture<'a>;
}

/// Sends each request once, as it is: no credentials, no retries.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainTransport;

impl Transport for PlainTransport {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: Request,
        _operation: &'static str,
    ) -> SendFuture<'a> {
        Box::pin(http.execute(request))
    }
}

/// The [`Transport`] of a [`Client`] and its base URL as a [`Url`], shared by its clones.
#[derive(Clone)]
pub struct Sender(Arc<Shared<dyn Transport>>);

struct Shared<T: ?Sized> {
    /// That of the client that made the first request; mostly all that share a sender have the same.
    base: OnceLock<Base>,
    transport: T,
}

impl Sender {
    /// A sender with this behaviour.
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(Shared { base: OnceLock::new(), transport }))
    }

    /// The URL that a path behind the client's base URL makes. The generated operations call it.
    ///
    /// The result is that of parsing both as one text, which takes several times as long as to set the path.
    pub(crate) fn url(&self, client: &Client, path: fmt::Arguments<'_>) -> reqwest::Result<Url> {
        let base = self.0.base.get_or_init(|| Base::new(&client.baseurl));
        if let Some(url) = base.with(&client.baseurl, path) {
            return Ok(url);
        }
        let text = format!("{}{path}", client.baseurl);
        // That it is no URL is for reqwest to say, whose error nobody else can make.
        Url::parse(&text).or_else(|_| Ok(client.client.get(&text).build()?.url().clone()))
    }
}

/// Shows nothing of the transport, which may hold credentials.
impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl ClientHooks<Sender> for Client {
    async fn pre<E>(&self, request: &mut Request, info: &OperationInfo) -> Result<(), Error<E>> {
        prepare::keep(request, info.operation_id)
    }

    async fn exec(&self, request: Request, info: &OperationInfo) -> reqwest::Result<Response> {
        self.inner.0.transport.send(&self.client, request, info.operation_id).await
    }
}
