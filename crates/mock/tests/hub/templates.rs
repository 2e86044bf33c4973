//! Templates, which a test sets up.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column, read, refused};

#[tokio::test]
async fn templates_are_read_as_they_were_set_up() -> Result {
    let hub = Hub::start().await?;
    let channel = json!({"id": 7, "channel": {"name": "Email", "slug": "email"}, "is_active": true});
    hub.define_template(
        json!({"id": 1, "name": "Order shipped", "slug": "order-shipped", "channels": [channel]}),
    )?;
    hub.define_template(json!({"slug": "welcome"}))?;
    assert!(hub.define_template(json!({"name": "No slug"})).is_err());
    assert_eq!(column(&read(&hub, "/v1/template/?limit=5").await?, "/slug"), ["order-shipped", "welcome"]);
    let template = read(&hub, "/v1/template/order-shipped/").await?;
    assert_eq!((&template["name"], &template["description"]), (&json!("Order shipped"), &Value::Null));
    assert_eq!(read(&hub, "/v1/template/order-shipped/channel/email/").await?["id"], 7);
    for (path, message) in [
        ("/v1/template/none/", "template_slug: none not found"),
        ("/v1/template/none/channel/email/", "template_slug: none not found"),
        ("/v1/template/order-shipped/channel/sms/", "channel_slug: sms not found"),
    ] {
        assert_eq!(refused(&hub, "GET", path, Value::Null).await?, (404, message.into()));
    }
    Ok(())
}
