//! The client of the workspace as users have it: with the SDK's base URL and credentials.

use suprsend_api::{Client, SendFuture, Sender, Transport};

use super::{CallFuture, Calls};
use crate::drift::compiled::{Arguments, own};

/// The generated client, sending the way the SDK does.
pub(crate) struct Sdk(Client);

impl Sdk {
    /// What it authenticates with here.
    pub(crate) const KEY: &str = "drift-key";

    /// Where it sends to, unless it is told otherwise.
    pub(crate) const BASE_URL: &str = "https://hub.suprsend.com";

    pub(crate) fn new(base_url: &str) -> Self {
        Self(Client::new_with_client(base_url, reqwest::Client::new(), Sender::new(Bearer)))
    }
}

impl Calls for Sdk {
    fn call<'a>(&'a self, operation: &'a str, mut arguments: Arguments) -> CallFuture<'a> {
        Box::pin(async move { own::call(&self.0, operation, &mut arguments).await })
    }
}

/// Adds the key.
struct Bearer;

impl Transport for Bearer {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        mut request: reqwest::Request,
        _operation: &'static str,
    ) -> SendFuture<'a> {
        let value = reqwest::header::HeaderValue::from_static("Bearer drift-key");
        request.headers_mut().insert(reqwest::header::AUTHORIZATION, value);
        Box::pin(http.execute(request))
    }
}
