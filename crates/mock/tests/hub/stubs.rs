//! Responses of a test's own.

use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};

use crate::{Result, read, refused, send};

#[tokio::test]
async fn a_stub_answers_what_the_document_does_not_have() -> Result {
    let hub = Hub::start().await?;
    hub.stub("get", "/v3/thing/{id}/", 200, json!({"id": 7}))?;
    hub.stub("DELETE", "/v3/thing/{id}/", 204, Value::Null)?;
    assert_eq!(read(&hub, "/v3/thing/7/").await?, json!({"id": 7}));
    assert_eq!(send(&hub, "DELETE", "/v3/thing/7/", Value::Null).await?, (204, json!("")));
    assert_eq!(hub.requests()[0].operation(), None);
    hub.stub("GET", "/v1/user/u/", 200, json!({"distinct_id": "stubbed"}))?;
    assert_eq!(read(&hub, "/v1/user/u/").await?["distinct_id"], "stubbed", "in place of what it has");
    hub.inject(Fault::status(503))?;
    assert_eq!(send(&hub, "GET", "/v3/thing/7/", Value::Null).await?.0, 503);
    for (method, path, status) in [("G T", "/a", 200), ("GET", "/{a", 200), ("GET", "/a", 99)] {
        assert!(hub.stub(method, path, status, Value::Null).is_err(), "{method} {path} {status}");
    }
    hub.reset();
    assert_eq!(refused(&hub, "GET", "/v3/thing/7/", Value::Null).await?.0, 404);
    Ok(())
}
