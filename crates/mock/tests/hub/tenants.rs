//! Tenants, and profiles of users within them.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column, done, read, refused, send, upsert};

#[tokio::test]
async fn a_tenant_is_merged_listed_and_deleted() -> Result {
    let hub = Hub::start().await?;
    let path = "/v1/tenant/acme/";
    let body = json!({"tenant_name": "Acme", "social_links": {"x": "https://x.example/acme", "website": "https://acme.example"}, "properties": {"a": 1, "b": {"c": 1}}});
    let made = done(&hub, "POST", path, body).await?;
    assert_eq!((&made["tenant_id"], &made["logo"]), (&json!("acme"), &Value::Null));
    let body = json!({"tenant_name": "Acme Inc.", "social_links": {"x": ""}, "properties": {"b": {"d": 2}}, "primary_color": "#ff0000"});
    let merged = done(&hub, "POST", path, body).await?;
    assert_eq!(merged["properties"], json!({"a": 1, "b": {"d": 2}}), "by first-level keys");
    assert_eq!(merged["social_links"], json!({"website": "https://acme.example"}), "an empty link is none");
    assert_eq!(read(&hub, path).await?, merged);

    let page = read(&hub, "/v1/tenant/?limit=1&offset=1").await?;
    assert_eq!(
        (column(&page, "/tenant_id"), &page["meta"]),
        (vec!["default"], &json!({"count": 2, "limit": 1, "offset": 1}))
    );
    done(&hub, "DELETE", path, Value::Null).await?;
    for method in ["GET", "DELETE"] {
        assert_eq!(
            refused(&hub, method, path, Value::Null).await?,
            (404, "tenant_id: acme not found".into())
        );
    }
    let message = "tenant_id: the tenant `default` cannot be deleted";
    assert_eq!(refused(&hub, "DELETE", "/v1/tenant/default/", Value::Null).await?, (400, message.into()));
    assert_eq!(refused(&hub, "POST", path, json!({})).await?, (400, "tenant_name: is required".into()));
    Ok(())
}

#[tokio::test]
async fn the_profile_within_a_tenant_is_laid_over_the_users_own() -> Result {
    let hub = Hub::start().await?;
    upsert(
        &hub,
        "u",
        &json!({"$email": ["own@example.com"], "$sms": ["+15551234567"], "plan": "free", "name": "Ann"}),
    )
    .await?;
    let path = "/v1/user/u/tenant/acme/";
    let body = json!({"$email": ["work@example.com"], "plan": "pro"});
    assert_eq!(refused(&hub, "POST", path, body.clone()).await?, (404, "tenant_id: acme not found".into()));
    done(&hub, "POST", "/v1/tenant/acme/", json!({"tenant_name": "Acme"})).await?;
    let merged = done(&hub, "POST", path, body).await?;
    assert_eq!(merged["properties"], json!({"plan": "pro", "name": "Ann"}));
    assert_eq!(merged["$email"].as_array().map(Vec::len), Some(1));
    assert_eq!(merged["$email"][0]["value"], "work@example.com");
    assert_eq!(merged["$sms"][0]["value"], "+15551234567");
    assert_eq!(read(&hub, path).await?, merged);
    assert_eq!(read(&hub, "/v1/user/u/").await?["properties"]["plan"], "free", "the user's own is as it was");

    let edited = done(&hub, "PATCH", path, json!({"operations": [{"$set": {"plan": "max"}}]})).await?;
    assert_eq!(edited["properties"]["plan"], "max");
    assert_eq!(column(&read(&hub, "/v1/user/u/associated_tenant/").await?, "/tenant_id"), ["acme"]);
    done(&hub, "DELETE", path, Value::Null).await?;
    assert_eq!(read(&hub, path).await?["properties"]["plan"], "free");
    assert_eq!(refused(&hub, "DELETE", path, Value::Null).await?.0, 404);
    let nobody = refused(&hub, "GET", "/v1/user/nobody/tenant/acme/", Value::Null).await?;
    assert_eq!(nobody, (404, "distinct_id: nobody not found".into()));
    Ok(())
}

#[tokio::test]
async fn a_tenant_receives_at_the_profiles_within_it() -> Result {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"$email": ["own@example.com"], "$sms": ["+15551234567"]})).await?;
    done(&hub, "POST", "/v1/tenant/acme/", json!({"tenant_name": "Acme"})).await?;
    done(&hub, "POST", "/v1/user/u/tenant/acme/", json!({"$email": ["work@example.com"]})).await?;
    done(&hub, "POST", "/v1/subscriber_list/", json!({"list_id": "news"})).await?;
    done(&hub, "POST", "/v1/subscriber_list/news/subscriber/add/", json!({"distinct_ids": ["u"]})).await?;

    let trigger = json!({"workflow": "w", "recipients": ["u"]});
    let broadcast = json!({"list_id": "news", "template": "t", "notification_category": "c"});
    for (path, body) in [("/trigger/", trigger), ("/workspace/broadcast/", broadcast)] {
        for (tenant, expected) in [
            ("default", &["+15551234567", "own@example.com"][..]),
            ("acme", &["+15551234567", "work@example.com"]),
            ("unknown", &[]),
        ] {
            let mut body = body.clone();
            body["tenant_id"] = tenant.into();
            let before = read(&hub, "/v1/message/").await?["meta"]["count"].as_u64().ok_or("no count")?;
            assert_eq!(send(&hub, "POST", path, body).await?.0, 202);
            let page = read(&hub, "/v1/message/").await?;
            let new = page["meta"]["count"].as_u64().ok_or("no count")? - before;
            let addresses = column(&page, "/channel_identity/value");
            assert_eq!(addresses[..usize::try_from(new)?], *expected, "{path} for {tenant}");
        }
    }
    let inline =
        json!({"distinct_id": "new", "$sms": ["+15557654321"], "$context": {"tenant_id": "unknown"}});
    done(&hub, "POST", "/trigger/", json!({"workflow": "w", "recipients": [inline], "tenant_id": "unknown"}))
        .await?;
    assert!(hub.profile("new").is_none(), "nothing is done for an unknown tenant");
    assert!(hub.sent().last().ok_or("nothing sent")?.recipients().is_empty());
    Ok(())
}
