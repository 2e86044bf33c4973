//! How a generated client sends: behaviour that another crate supplies.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use progenitor_client::{ClientHooks, OperationInfo};
use reqwest::{Request, Response};

use crate::{Client, Error, prepare};

/// What [`Transport::send`] returns.
pub type SendFuture<'a> = Pin<Box<dyn Future<Output = reqwest::Result<Response>> + Send + 'a>>;

/// Sends the requests of a [`Client`].
///
/// This is the place for credentials, retries and limits: `send` sees the finished request, the operation it belongs to and the
/// reply, and may send as often as it wants.
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

/// The [`Transport`] of a [`Client`], shared by its clones.
#[derive(Clone)]
pub struct Sender(Arc<dyn Transport>);

impl Sender {
    /// A sender with this behaviour.
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
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
        self.inner.0.send(&self.client, request, info.operation_id).await
    }
}
