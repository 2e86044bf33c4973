//! A test's own responses, for operations that the document does not declare.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    document::Template,
    refused::Refused,
    server::response::{Content, HubResponse},
};

/// The stubs of a mock server; the one added last is tried first.
#[derive(Debug, Default)]
pub(crate) struct Stubs(Vec<Stub>);

#[derive(Debug)]
struct Stub {
    method: Method,
    path: Template,
    response: HubResponse,
}

impl Stubs {
    pub(crate) fn add(&mut self, method: &str, path: &str, status: u16, body: Value) -> Result<(), Refused> {
        let method = method.to_ascii_uppercase().parse();
        let method = method.map_err(|_| Refused::new("the method of a stub is none of HTTP"))?;
        let status = StatusCode::from_u16(status).ok().filter(|status| status.as_u16() >= 200);
        let status = status.ok_or_else(|| Refused::new("the status of a stub is none of a response"))?;
        let path =
            Template::new(path).map_err(|error| Refused::new(format!("the path of a stub: {error}")))?;
        let content = if body.is_null() { Content::Empty } else { Content::Json(body) };
        self.0.insert(0, Stub { method, path, response: HubResponse::new(status, content) });
        Ok(())
    }

    /// Returns the response to a request if there is a stub for it.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<HubResponse> {
        let fits = |stub: &&Stub| stub.method == *method && matches!(stub.path.matches(path), Some(Ok(_)));
        self.0.iter().find(fits).map(|stub| stub.response.clone())
    }
}
