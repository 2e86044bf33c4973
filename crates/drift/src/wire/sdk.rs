//! The client of the workspace as users have it: the generated client, sending what the SDK adds to every request.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Method, header::HeaderMap};
use suprsend_api::{Client, SendFuture, Sender, Transport};

use super::{CallFuture, Calls, ProbeFuture};
use crate::compiled::{Arguments, own};

/// The generated client, sending the way the SDK does.
pub(crate) struct Sdk {
    generated: Client,
    /// The SDK itself, or why it cannot be made.
    real: Result<suprsend::Client, suprsend::Error>,
    added: Arc<Mutex<HeaderMap>>,
}

impl Sdk {
    /// What it authenticates with here.
    pub(crate) const KEY: &str = "drift-key";

    /// Where it sends to, unless it is told otherwise.
    pub(crate) const BASE_URL: &str = suprsend::DEFAULT_BASE_URL;

    pub(crate) fn new(base_url: &str) -> Self {
        let added = Arc::<Mutex<HeaderMap>>::default();
        let sender = Sender::new(Adding(Arc::clone(&added)));
        let generated = Client::new_with_client(base_url, reqwest::Client::new(), sender);
        let real = suprsend::Client::builder().api_key(Self::KEY).base_url(base_url).allow_plain_http();
        Self { generated, real: real.no_retries().build(), added }
    }
}

impl Calls for Sdk {
    fn probe(&self) -> ProbeFuture<'_> {
        Box::pin(async move {
            if let Ok(real) = &self.real {
                // Whatever comes of it, the request has been recorded.
                let _ = real.request(Method::GET, "/").send().await;
            }
        })
    }

    fn add(&self, headers: HeaderMap) {
        *self.added.lock().unwrap_or_else(PoisonError::into_inner) = headers;
    }

    fn call<'a>(&'a self, operation: &'a str, mut arguments: Arguments) -> CallFuture<'a> {
        Box::pin(async move { own::call(&self.generated, operation, &mut arguments).await })
    }
}

/// Adds what the SDK adds.
struct Adding(Arc<Mutex<HeaderMap>>);

impl Transport for Adding {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        mut request: reqwest::Request,
        _operation: &'static str,
    ) -> SendFuture<'a> {
        let added = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        request.headers_mut().extend(added);
        Box::pin(http.execute(request))
    }
}
