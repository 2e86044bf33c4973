//! The management API: a life of each resource.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column};

struct Caller {
    hub: Hub,
    http: reqwest::Client,
}

impl Caller {
    async fn start() -> std::result::Result<Self, Box<dyn std::error::Error>> {
        Ok(Self { hub: Hub::start().await?, http: reqwest::Client::builder().no_proxy().build()? })
    }

    async fn send(&self, scheme: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.hub.url()));
        let request = request.header("authorization", format!("{scheme} {}", self.hub.key()));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The body of a success.
    async fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, response) = self.send("ServiceToken", method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {response}");
        response
    }

    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let (status, response) = self.send("ServiceToken", method, path, body).await;
        (status, response["message"].as_str().unwrap_or_default().to_owned())
    }
}

fn workflow(category: &str) -> Value {
    let nodes = json!([{"node_type": "send_email", "properties": {"template": "welcome"}}]);
    json!({"name": "Welcome", "category": category, "trigger_type": "api", "tree": {"nodes": nodes}})
}

#[tokio::test]
async fn paths_of_two_hosts_are_told_apart_by_the_scheme() -> Result {
    let caller = Caller::start().await?;
    let path = "/v1/user/event/";
    let (status, response) = caller.send("Bearer", "GET", path, Value::Null).await;
    assert_eq!((status, &response["message"]), (404, &json!("distinct_id: event not found")));
    let refused = caller.refused("GET", path, Value::Null).await;
    assert_eq!(refused, (404, "workspace: user not found".to_owned()));
    let (status, response) = caller.send("Bearer", "GET", "/v1/staging/workflow/", Value::Null).await;
    assert_eq!(
        (status, &response["message"]),
        (401, &json!("the operation does not take Bearer credentials"))
    );
    Ok(())
}

#[tokio::test]
async fn workspaces_and_keys() -> Result {
    let caller = Caller::start().await?;
    let slugs = |list: &Value| -> Vec<String> {
        list["results"].as_array().unwrap().iter().map(|it| it["slug"].as_str().unwrap().to_owned()).collect()
    };
    let made = caller.done("POST", "/v1/workspace/", json!({"name": "Load Tests"})).await;
    assert_eq!(slugs(&made), ["staging", "production", "load-tests"]);
    assert_eq!(slugs(&caller.done("GET", "/v1/workspace/", Value::Null).await), slugs(&made));

    let keys = "/v1/staging/ws_api_key/";
    let created = caller.done("POST", keys, json!({"name": "ci"})).await;
    assert!(created["api_key"].is_string());
    let id = created["id"].as_str().unwrap();
    let listed = caller.done("GET", keys, Value::Null).await;
    assert_eq!(listed["results"][0].get("api_key"), None, "it is shown once");
    caller.done("DELETE", &format!("{keys}{id}/"), Value::Null).await;
    assert_eq!(caller.done("GET", keys, Value::Null).await["results"][0]["is_deleted"], true);
    assert_eq!(caller.refused("DELETE", &format!("{keys}{id}/"), Value::Null).await.0, 404);

    let keys = "/v1/staging/ws_public_key/";
    let created = caller.done("POST", keys, json!({"name": "web"})).await;
    let at = format!("{keys}{}/", created["id"].as_str().unwrap());
    let edited = caller.done("PATCH", &at, json!({"is_secure_mode_enabled": true})).await;
    assert_eq!(edited["is_secure_mode_enabled"], true);
    let rotated = caller.done("PATCH", &format!("{at}rotate/"), Value::Null).await;
    assert!(rotated["id"] == created["id"] && rotated["api_key"] != created["api_key"]);
    caller.done("DELETE", &at, Value::Null).await;

    let keys = "/v1/staging/ws_signing_key/";
    let first = caller.done("POST", keys, Value::Null).await;
    assert!(first["private_key_pem"].is_string());
    assert_eq!(
        caller.refused("POST", keys, Value::Null).await,
        (400, "an active signing key exists already".into())
    );
    let at = format!("{keys}{}/", first["uid"].as_str().unwrap());
    let second = caller.done("POST", &format!("{at}roll/"), Value::Null).await;
    assert_ne!(second["uid"], first["uid"]);
    let listed = caller.done("GET", keys, Value::Null).await;
    assert_eq!(
        (&listed["results"][0]["status"], &listed["results"][1]["status"]),
        (&json!("rolled"), &json!("active"))
    );
    assert_eq!(listed["results"][1].get("private_key_pem"), None);
    caller.done("DELETE", &format!("{keys}{}/", second["uid"].as_str().unwrap()), Value::Null).await;
    caller.done("POST", keys, Value::Null).await;
    Ok(())
}

#[tokio::test]
async fn a_workflow_from_draft_to_trigger() -> Result {
    let caller = Caller::start().await?;
    let at = "/v1/production/workflow/welcome/";
    assert_eq!(caller.refused("GET", at, Value::Null).await, (404, "slug: welcome not found".into()));
    let invalid = json!({"name": "W", "category": "c", "trigger_type": "event", "tree": {"nodes": []}});
    let saved = caller.done("POST", &format!("{at}?commit=true&commit_message=first"), invalid).await;
    assert_eq!(saved["validation_result"]["errors"].as_array().unwrap().len(), 2);
    assert_eq!(
        caller.refused("GET", &format!("{at}?mode=live"), Value::Null).await.0,
        404,
        "it was not committed"
    );

    let draft = caller.done("POST", at, workflow("orders")).await;
    assert_eq!((&draft["status"], &draft["validation_result"]["is_valid"]), (&json!("draft"), &json!(true)));
    let again = caller.done("POST", "/v1/staging/workflow/welcome/", workflow("orders")).await;
    assert_eq!(draft["hash"], again["hash"], "the same content has the same hash, wherever it is");
    caller.done("PATCH", &format!("{at}commit/?commit_message=second"), Value::Null).await;
    let live = caller.done("GET", &format!("{at}?mode=live"), Value::Null).await;
    assert_eq!((&live["status"], &live["commit_message"]), (&json!("active"), &json!("second")));
    let off = caller.done("PATCH", &format!("{at}enable/"), json!({"is_enabled": false})).await;
    assert_eq!(off["status"], "inactive");

    let listed = caller.done("GET", "/v1/production/workflow/?slugs=welcome,other", Value::Null).await;
    assert_eq!(listed["meta"]["count"], 1);
    caller.done("DELETE", at, Value::Null).await;
    assert_eq!(caller.refused("DELETE", at, Value::Null).await.0, 404);
    Ok(())
}

#[tokio::test]
async fn a_trigger_takes_the_workflows_that_are_live_and_enabled() -> Result {
    let caller = Caller::start().await?;
    let trigger = async |slug: &str| {
        let body = json!({"workflow": slug, "recipients": ["jane"]});
        caller.send("Bearer", "POST", "/trigger/", body).await.0
    };
    let at = "/v1/production/workflow/welcome/";
    caller.done("POST", at, workflow("orders")).await;
    assert_eq!(trigger("any").await, 202, "a draft is not known yet");
    caller.done("PATCH", &format!("{at}commit/"), Value::Null).await;
    assert_eq!((trigger("welcome").await, trigger("unknown").await), (202, 404));

    let enable = async |is_enabled: bool| {
        caller.done("PATCH", &format!("{at}enable/"), json!({"is_enabled": is_enabled})).await;
    };
    enable(false).await;
    assert_eq!(trigger("welcome").await, 404, "a disabled workflow");
    enable(true).await;
    assert_eq!(trigger("welcome").await, 202);
    caller.done("DELETE", at, Value::Null).await;
    assert_eq!((trigger("welcome").await, trigger("any").await), (404, 404), "the last one is deleted");

    caller.hub.define_workflow(json!({"slug": "own"}))?;
    // The workspace is addressed by its uid.
    caller.done("POST", "/v1/wksp_2/workflow/welcome/?commit=true", workflow("orders")).await;
    assert_eq!((trigger("own").await, trigger("welcome").await, trigger("any").await), (202, 202, 404));
    Ok(())
}

#[tokio::test]
async fn data_is_validated_against_the_schema_that_the_workflow_is_linked_to() -> Result {
    let caller = Caller::start().await?;
    let mut linked = workflow("orders");
    linked["payload_schema"] = json!({"schema": "order"});
    caller.done("POST", "/v1/production/workflow/welcome/?commit=true", linked).await;
    let trigger = async |data: Value| {
        let body = json!({"workflow": "welcome", "recipients": ["jane"], "data": data});
        let (status, response) = caller.send("Bearer", "POST", "/trigger/", body).await;
        (status, response["message"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(trigger(json!({})).await.0, 202, "there is no such schema yet");
    let schema = json!({
        "type": "object", "required": ["order"], "properties": {"order": {"$ref": "#/$defs/Id"}}, "$defs": {"Id": {"type": "integer"}},
    });
    let named = json!({"name": "Order", "json_schema": schema});
    caller.done("POST", "/v1/production/schema/order/?commit=true", named).await;
    assert_eq!(trigger(json!({})).await, (400, "data.order: is required".into()));
    assert_eq!(trigger(json!({"order": "5"})).await, (400, "data.order: is not of type \"integer\"".into()));
    assert_eq!(trigger(json!({"order": 5})).await.0, 202);
    let without_data = json!([{"workflow": "welcome", "recipients": ["jane"]}]);
    let (_, many) = caller.send("Bearer", "POST", "/trigger/", without_data).await;
    assert_eq!(many["records"][0]["status_code"], 400);
    Ok(())
}

#[tokio::test]
async fn schemas_and_events() -> Result {
    let caller = Caller::start().await?;
    let at = "/v1/staging/schema/order/";
    let wrong = json!({"name": "Order", "json_schema": {"type": "string"}});
    let saved = caller.done("POST", &format!("{at}?commit=true&commit_message=m"), wrong).await;
    assert_eq!(saved["commit_result"]["is_committed"], false);
    let event = json!({"name": "Order Placed / EU", "payload_schema": {"schema": "order"}});
    let refused = caller.refused("POST", "/v1/staging/event/", event.clone()).await;
    assert_eq!(refused, (400, "payload_schema: there is no live schema order".into()));

    let right = json!({"name": "Order", "json_schema": {"type": "object"}});
    let saved = caller.done("POST", at, right).await;
    assert_eq!(saved["commit_result"], Value::Null);
    assert_eq!(
        caller.done("PATCH", &format!("{at}commit/?commit_message=m"), Value::Null).await["status"],
        "live"
    );
    assert_eq!(caller.done("GET", "/v1/staging/schema/?mode=live", Value::Null).await["meta"]["count"], 1);

    caller.done("POST", "/v1/staging/event/", event.clone()).await;
    assert_eq!(caller.refused("POST", "/v1/staging/event/", event).await.0, 400);
    let at = "/v1/staging/event/Order%20Placed%20%2F%20EU/";
    let edited = caller.done("PATCH", at, json!({"description": "An order"})).await;
    assert_eq!(
        (&edited["description"], &edited["payload_schema"]["schema"]),
        (&json!("An order"), &json!("order"))
    );
    let mut by_event = workflow("orders");
    by_event["trigger_type"] = json!("event");
    by_event["trigger_events"] = json!(["Order Placed / EU"]);
    caller.done("POST", "/v1/staging/workflow/order/", by_event).await;
    let linked = caller.done("GET", &format!("{at}linked_workflows/"), Value::Null).await;
    assert_eq!(linked["results"][0]["slug"], "order");
    assert_eq!(
        caller.done("PATCH", &format!("{at}delink_schema/"), Value::Null).await["payload_schema"],
        Value::Null
    );
    assert_eq!(caller.refused("PATCH", &format!("{at}delink_schema/"), Value::Null).await.0, 400);
    assert_eq!(caller.done("GET", at, Value::Null).await["payload_schema"], Value::Null);
    Ok(())
}

#[tokio::test]
async fn categories_are_one_tree_that_the_hub_knows_once_it_is_committed() -> Result {
    let caller = Caller::start().await?;
    let at = "/v1/production/preference_category/";
    let empty = caller.done("GET", &format!("{at}?mode=draft"), Value::Null).await;
    assert_eq!(empty["root_categories"].as_array().unwrap().len(), 3);
    let category = json!({"category": "orders", "name": "Orders", "default_preference": "opt_in"});
    let section = json!({"name": "Shop", "categories": [category]});
    let tree = json!({"root_categories": [{"root_category": "transactional", "sections": [section]}]});
    caller.done("POST", &format!("{at}?commit=true&commit_message=m"), tree).await;
    let live = caller.done("GET", &format!("{at}?mode=live"), Value::Null).await;
    assert_eq!((&live["status"], &live["version_no"]), (&json!("active"), &json!(1)));
    caller.hub.seed("jane", json!({}))?;
    let (status, known) =
        caller.send("Bearer", "GET", "/v1/user/jane/preference/category/orders/", Value::Null).await;
    assert_eq!((status, &known["name"]), (200, &json!("Orders")));

    // A category that is used cannot go.
    caller.done("POST", "/v1/production/workflow/w/?commit=true&commit_message=m", workflow("orders")).await;
    let gone = json!({"root_categories": []});
    let saved = caller.done("POST", &format!("{at}?commit=true&commit_message=m"), gone).await;
    assert_eq!(saved["validation_result"], json!({"is_valid": false, "errors": ["orders"]}));
    let kept = caller.done("PATCH", &format!("{at}commit/?commit_message=m"), Value::Null).await;
    assert_eq!(kept["validation_result"]["is_valid"], false);

    // Once the workflow is disabled, it can. A category that the test defined stays.
    caller.hub.define_category(json!({"category": "own"}))?;
    caller.done("PATCH", "/v1/production/workflow/w/enable/", json!({"is_enabled": false})).await;
    caller.done("PATCH", &format!("{at}commit/?commit_message=m"), Value::Null).await;
    let path = "/v1/user/jane/preference/category/";
    let (_, left) = caller.send("Bearer", "GET", path, Value::Null).await;
    assert_eq!(column(&left, "/category"), ["own"]);

    let text =
        json!({"sections": {}, "categories": {"orders": {"name": "Bestellungen", "description": null}}});
    let translation = format!("{at}translation/content/de/");
    caller.done("POST", &translation, text.clone()).await;
    assert_eq!(caller.done("GET", &translation, Value::Null).await["categories"], text["categories"]);
    let locales = caller.done("GET", &format!("{at}translation/locale/"), Value::Null).await;
    assert_eq!(locales["results"], json!([{"locale": "de"}]));
    caller.done("DELETE", &translation, Value::Null).await;
    assert_eq!(caller.refused("DELETE", &translation, Value::Null).await.0, 404);
    Ok(())
}

#[tokio::test]
async fn translations_are_committed_together_and_rolled_back() -> Result {
    let caller = Caller::start().await?;
    let at = "/v1/staging/translation/";
    let put = |text: &str| json!({"content": {"greeting": text}, "locale": "de"});
    let action = |list: &Value| list["results"][0]["action"].as_str().unwrap().to_owned();
    let draft = || caller.done("GET", "/v1/staging/translation/", Value::Null);
    let file = format!("{at}content/shop.de.json/");
    assert_eq!(caller.done("POST", &file, put("Hallo")).await["action"], "added");
    caller.done("PATCH", &format!("{at}commit/?commit_message=one"), Value::Null).await;
    assert_eq!(action(&draft().await), "unchanged");
    caller.done("POST", &file, put("Servus")).await;
    assert_eq!(action(&draft().await), "updated");
    let live = caller.done("GET", &format!("{file}?mode=live"), Value::Null).await;
    assert_eq!((&live["content"]["greeting"], &live["namespace"]), (&json!("Hallo"), &json!("shop")));
    caller.done("PATCH", &format!("{at}commit/"), Value::Null).await;
    caller.done("DELETE", &file, Value::Null).await;
    assert_eq!(action(&draft().await), "deleted");
    caller.done("PATCH", &format!("{at}commit/"), Value::Null).await;
    assert_eq!(draft().await["meta"]["count"], 0);
    assert_eq!(caller.done("GET", &format!("{at}version/1/"), Value::Null).await["meta"]["count"], 1);
    assert_eq!(caller.refused("GET", &format!("{at}version/9/"), Value::Null).await.0, 404);
    caller.done("POST", &format!("{at}version/1/rollback/"), Value::Null).await;
    assert_eq!(action(&draft().await), "added");
    let back = caller.done("GET", &file, Value::Null).await;
    assert_eq!(back["content"]["greeting"], "Hallo");
    Ok(())
}
