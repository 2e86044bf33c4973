//! Preferences of users, objects and tenants.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column, done, read, refused, upsert};

/// A hub with a user, an object, a tenant and three categories.
async fn hub() -> Result<Hub> {
    let hub = Hub::start().await?;
    upsert(&hub, "u", &json!({"$email": ["u@example.com"], "$sms": ["+15551234567"]})).await?;
    done(&hub, "POST", "/v1/object/teams/t/", json!({})).await?;
    done(&hub, "POST", "/v1/tenant/acme/", json!({"tenant_name": "Acme"})).await?;
    hub.define_category(json!({
        "category": "news", "name": "News", "section": "Marketing", "channels": ["email", "sms"], "tags": ["a"],
    }))?;
    hub.define_category(json!({
        "category": "ads", "section": "Marketing", "channels": ["email", "sms"], "default_preference": "opt_out",
        "default_opt_in_channels": ["sms"], "tags": ["b"],
    }))?;
    hub.define_category(json!({
        "category": "security", "root_category": "system", "channels": ["email"], "default_preference": "cant_unsubscribe",
    }))?;
    Ok(hub)
}

/// The preferences of a category: its own, and by channel.
async fn category(hub: &Hub, whose: &str, slug: &str, query: &str) -> Result<(String, Vec<String>)> {
    let path = format!("/v1/{whose}/preference/category/{slug}/?show_opt_out_channels=true{query}");
    let shown = read(hub, &path).await?;
    let channels = shown["channels"].as_array().into_iter().flatten();
    let channels = channels.map(|it| {
        format!(
            "{}: {}",
            it["channel"].as_str().unwrap_or_default(),
            it["preference"].as_str().unwrap_or_default()
        )
    });
    Ok((shown["preference"].as_str().unwrap_or_default().to_owned(), channels.collect()))
}

fn is(found: &(String, Vec<String>), preference: &str, channels: &[&str]) {
    assert_eq!(
        (found.0.as_str(), found.1.iter().map(String::as_str).collect::<Vec<_>>().as_slice()),
        (preference, channels)
    );
}

#[tokio::test]
async fn ones_own_is_over_the_tenants_over_the_default() -> Result {
    let hub = hub().await?;
    for whose in ["user/u", "object/teams/t"] {
        is(&category(&hub, whose, "news", "").await?, "opt_in", &["email: opt_in", "sms: opt_in"]);
        is(&category(&hub, whose, "ads", "").await?, "opt_out", &["email: opt_out", "sms: opt_in"]);
        is(&category(&hub, whose, "security", "").await?, "cant_unsubscribe", &["email: opt_in"]);
    }
    // The tenant's: opt out of news, e-mail always.
    let path = "/v1/tenant/acme/preference/category/news/";
    let set =
        done(&hub, "PATCH", path, json!({"preference": "opt_out", "mandatory_channels": ["email"]})).await?;
    assert_eq!((&set["preference"], &set["default_preference"]), (&json!("opt_out"), &json!("opt_in")));
    assert!(set["updated_at"].is_string());
    assert_eq!(read(&hub, path).await?, set);
    is(
        &category(&hub, "user/u", "news", "&tenant_id=acme").await?,
        "opt_out",
        &["email: opt_in", "sms: opt_out"],
    );
    is(&category(&hub, "user/u", "news", "").await?, "opt_in", &["email: opt_in", "sms: opt_in"]);
    // The user's own.
    let own = "/v1/user/u/preference/category/news/?tenant_id=acme&show_opt_out_channels=true";
    let chosen = done(&hub, "PATCH", own, json!({"preference": "opt_in"})).await?;
    assert_eq!((&chosen["original_preference"], &chosen["preference"]), (&json!("opt_in"), &json!("opt_in")));
    is(
        &category(&hub, "user/u", "news", "&tenant_id=acme").await?,
        "opt_in",
        &["email: opt_in", "sms: opt_in"],
    );
    done(&hub, "PATCH", own, json!({"preference": "opt_in", "opt_out_channels": ["sms", "email"]})).await?;
    is(
        &category(&hub, "user/u", "news", "&tenant_id=acme").await?,
        "opt_in",
        &["email: opt_in", "sms: opt_out"],
    );
    done(
        &hub,
        "PATCH",
        "/v1/user/u/preference/category/ads/",
        json!({"preference": "opt_in", "opt_in_channels": ["email"]}),
    )
    .await?;
    is(&category(&hub, "user/u", "ads", "").await?, "opt_in", &["email: opt_in", "sms: opt_out"]);
    is(&category(&hub, "object/teams/t", "ads", "").await?, "opt_out", &["email: opt_out", "sms: opt_in"]);

    for (method, path, body, status) in [
        ("PATCH", "/v1/user/u/preference/category/security/", json!({"preference": "opt_out"}), 400),
        ("PATCH", "/v1/user/u/preference/category/none/", json!({"preference": "opt_out"}), 404),
        ("GET", "/v1/user/u/preference/?tenant_id=none", Value::Null, 404),
        ("GET", "/v1/object/teams/none/preference/", Value::Null, 404),
        ("PATCH", "/v1/tenant/acme/category/none/", json!({"preference": "opt_out"}), 404),
    ] {
        assert_eq!(refused(&hub, method, path, body).await?.0, status, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn lists_and_the_full_form_show_sections_and_tags() -> Result {
    let hub = hub().await?;
    let full = read(&hub, "/v1/user/u/preference/").await?;
    let sections = full["sections"].as_array().ok_or("no sections")?;
    assert_eq!((sections.len(), &sections[0]["name"]), (2, &json!("Marketing")));
    assert_eq!(sections[0]["subcategories"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        sections[0]["subcategories"][1]["channels"],
        json!([]),
        "who opted out sees no channels unless asked for"
    );
    let list = |query: &str| {
        let (hub, path) = (&hub, format!("/v1/user/u/preference/category/{query}"));
        async move { read(hub, &path).await }
    };
    assert_eq!(column(&list("?limit=2&offset=1").await?, "/category"), ["ads", "security"]);
    assert_eq!(column(&list("?tags=a").await?, "/category"), ["news"]);
    assert_eq!(column(&list("?tags=%7B%22not%22%3A%22a%22%7D").await?, "/category"), ["ads", "security"]);

    let tenant = read(&hub, "/v1/tenant/acme/preference/").await?;
    let roots = tenant["root_categories"].as_array().ok_or("no categories")?;
    assert_eq!((roots.len(), &roots[1]["root_category"]), (2, &json!("system")));
    assert_eq!(roots[0]["sections"][0]["categories"][1]["category"], "ads");
    done(&hub, "PATCH", "/v1/tenant/acme/category/ads/", json!({"enabled_for_tenant": false})).await?;
    let of_tenant = |query: &str| {
        let (hub, path) = (&hub, format!("/v1/tenant/acme/preference/category/{query}"));
        async move { read(hub, &path).await }
    };
    assert_eq!(column(&of_tenant("").await?, "/category"), ["news", "security"]);
    assert_eq!(of_tenant("?include_disabled=true").await?["meta"]["count"], 3);
    assert_eq!(column(&read(&hub, "/v1/tenant/acme/category/").await?, "/category"), ["news", "security"]);
    assert_eq!(column(&list("?tenant_id=acme").await?, "/category"), ["news", "security"]);
    Ok(())
}

#[tokio::test]
async fn channels_are_restricted_and_many_users_changed_at_once() -> Result {
    let hub = hub().await?;
    upsert(&hub, "v", &json!({})).await?;
    let restricted = json!({"channel_preferences": [{"channel": "sms", "is_restricted": true}]});
    let path = "/v1/user/u/preference/channel_preference/";
    assert_eq!(done(&hub, "PATCH", path, restricted.clone()).await?, restricted);
    assert_eq!(read(&hub, path).await?, restricted);
    let body = json!({"channel_preferences": [{"channel": "email", "is_restricted": false}], "categories": [{"category": "news", "preference": "opt_out"}]});
    let full = done(&hub, "PATCH", "/v1/object/teams/t/preference/", body.clone()).await?;
    assert_eq!(full["channel_preferences"], body["channel_preferences"]);
    is(&category(&hub, "object/teams/t", "news", "").await?, "opt_out", &["email: opt_out", "sms: opt_out"]);

    let many = json!({"distinct_ids": ["u", "v", "nobody"], "categories": [{"category": "news", "preference": "opt_out"}]});
    assert_eq!(done(&hub, "PATCH", "/v1/bulk/user/preference/", many).await?, json!({"success": true}));
    for user in ["user/u", "user/v"] {
        assert_eq!(category(&hub, user, "news", "").await?.0, "opt_out");
    }
    let reset = json!({"distinct_ids": ["u"], "reset_channel_preferences": false, "reset_categories": true});
    done(&hub, "PATCH", "/v1/bulk/user/preference/reset/", reset).await?;
    assert_eq!(category(&hub, "user/u", "news", "").await?.0, "opt_in");
    assert_eq!(read(&hub, path).await?, restricted);
    let unknown =
        json!({"distinct_ids": ["u"], "categories": [{"category": "none", "preference": "opt_out"}]});
    assert_eq!(refused(&hub, "PATCH", "/v1/bulk/user/preference/", unknown).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn preferences_block_messages() -> Result {
    let hub = hub().await?;
    hub.define_workflow(json!({"slug": "news", "category": "news"}))?;
    hub.define_workflow(json!({"slug": "security", "category": "security"}))?;
    let statuses = |workflow: &'static str| {
        let hub = &hub;
        async move {
            done(hub, "POST", "/trigger/", json!({"workflow": workflow, "recipients": ["u"]})).await?;
            let page = read(hub, "/v1/message/?limit=2").await?;
            let shown = |name: &str| column(&page, name).into_iter().map(str::to_owned).collect::<Vec<_>>();
            let mut pairs: Vec<_> = shown("/channel").into_iter().zip(shown("/status")).collect();
            pairs.sort();
            Ok::<_, Box<dyn std::error::Error>>(
                pairs.into_iter().map(|(_, status)| status).collect::<Vec<_>>(),
            )
        }
    };
    assert_eq!(statuses("news").await?, ["delivered", "delivered"]);
    let path = "/v1/user/u/preference/category/news/";
    done(&hub, "PATCH", path, json!({"preference": "opt_in", "opt_out_channels": ["email"]})).await?;
    assert_eq!(statuses("news").await?, ["trigger_blocked", "delivered"]);
    let restricted = json!({"channel_preferences": [{"channel": "sms", "is_restricted": true}, {"channel": "email", "is_restricted": true}]});
    done(&hub, "PATCH", "/v1/user/u/preference/channel_preference/", restricted).await?;
    assert_eq!(statuses("news").await?, ["trigger_blocked", "trigger_blocked"]);
    assert_eq!(
        statuses("security").await?,
        ["delivered", "delivered"],
        "what nobody can unsubscribe from is sent"
    );
    done(&hub, "POST", "/v1/tenant/default/", json!({"tenant_name": "d", "blocked_channels": ["email"]}))
        .await?;
    assert_eq!(statuses("security").await?, ["trigger_blocked", "delivered"]);
    Ok(())
}
