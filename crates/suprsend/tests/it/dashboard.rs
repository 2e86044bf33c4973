//! What is edited on the dashboard, through the management API: a life of each resource, against the hub.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use suprsend::{
    Client, Error, Workspace,
    types::{
        CategoryRoot, CategoryText, ChannelName, MockData, Mode, PayloadSchema, SigningKeyStatus,
        TranslationAction, VariantApprovalStatus, VendorApprovalStatus, VersionStatus, WorkflowStatus,
        WorkflowTree, WorkflowTriggerType,
    },
};
use suprsend_mock::{Fault, Hub};

async fn hub() -> (Hub, Client) {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().service_token(hub.key()).management_url(hub.url()).no_proxy();
    let client = client.api_key(hub.key()).base_url(hub.url()).build().unwrap();
    (hub, client)
}

fn from_json<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    from_json(value)
}

#[track_caller]
fn assert_missing<T: std::fmt::Debug>(result: Result<T, Error>) {
    match result {
        Err(Error::NotFound(_)) => {}
        other => panic!("{other:?}"),
    }
}

/// The API's refusal, whose message says this.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, said: &str) {
    let error = match result {
        Err(error @ Error::Api(_)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error.status().unwrap().as_u16(), 400, "{error}");
    assert!(error.to_string().contains(said), "{error}");
}

/// Why a draft was not committed.
#[track_caller]
fn reasons<T: std::fmt::Debug>(result: Result<T, Error>) -> Vec<Value> {
    match result {
        Err(Error::InvalidDraft(draft)) => draft.reasons().to_vec(),
        other => panic!("{other:?}"),
    }
}

fn tree(nodes: Value) -> WorkflowTree {
    from_json(Map::from_iter([("nodes".to_owned(), nodes)]).into())
}

fn sending() -> WorkflowTree {
    tree(json!([{"node_type": "send_email", "properties": {"template": "welcome"}}]))
}

#[tokio::test]
async fn workspaces() {
    let (_hub, client) = hub().await;
    let slugs =
        |list: suprsend::types::WorkspaceList| list.results.into_iter().map(|it| it.slug).collect::<Vec<_>>();
    let made = slugs(client.workspaces().create("Load Tests").await.unwrap().into_inner());
    assert_eq!(made, ["staging", "production", "load-tests"]);
    assert_eq!(slugs(client.workspaces().list().await.unwrap().into_inner()), made);
    assert_missing(client.workspace("nowhere").workflows().list().await);
    // An identifier that would lead to another path is refused before.
    assert!(matches!(client.workspace("..").workflows().list().await, Err(Error::InvalidInput(_))));
}

#[tokio::test]
async fn api_keys() {
    let (_hub, client) = hub().await;
    let keys = client.workspace("staging").api_keys();
    let created = keys.create("ci").description("for tests".to_owned()).await.unwrap().into_inner();
    assert!(!created.api_key.is_empty() && !format!("{created:?}").contains(&created.api_key));
    let list = keys.list().await.unwrap();
    assert_eq!((list.results[0].id.as_str(), list.results[0].is_deleted), (created.id.as_str(), Some(false)));
    assert!(!serde_json::to_string(&*list).unwrap().contains(&created.api_key), "it is shown once");
    keys.delete(&created.id).await.unwrap();
    assert_eq!(keys.list().await.unwrap().results[0].is_deleted, Some(true));
    assert_missing(keys.delete(&created.id).await);
    assert_missing(client.workspace("nowhere").api_keys().create("ci").await);
}

#[tokio::test]
async fn public_keys() {
    let (_hub, client) = hub().await;
    let keys = client.workspace("staging").public_keys();
    let created = keys.create("web").await.unwrap().into_inner();
    let edited = keys.set_secure_mode(&created.id, true).await.unwrap();
    assert_eq!((&edited.api_key, edited.is_secure_mode_enabled), (&created.api_key, Some(true)));
    let rotated = keys.rotate(&created.id).await.unwrap();
    assert!(rotated.id == created.id && rotated.api_key != created.api_key);
    assert_eq!(keys.list().await.unwrap().results.len(), 1);
    keys.delete(&created.id).await.unwrap();
    assert_missing(keys.set_secure_mode("ws_pubk_9", true).await);
    assert_missing(keys.rotate("ws_pubk_9").await);
    assert_missing(keys.delete("ws_pubk_9").await);
}

#[tokio::test]
async fn signing_keys() {
    let (_hub, client) = hub().await;
    let keys = client.workspace("staging").signing_keys();
    let first = keys.create().await.unwrap().into_inner();
    assert!(!format!("{first:?}").contains("PRIVATE KEY"));
    assert_refused(keys.create().await, "an active signing key exists already");
    let second = keys.roll(&first.uid).await.unwrap().into_inner();
    let list = keys.list().await.unwrap();
    let states: Vec<_> = list.results.iter().map(|it| (it.uid.as_str(), it.status.clone())).collect();
    let expected =
        [(first.uid.as_str(), Some(SigningKeyStatus::Rolled)), (&second.uid, Some(SigningKeyStatus::Active))];
    assert_eq!(states, expected);
    keys.delete(&second.uid).await.unwrap();
    assert_missing(keys.roll("signing_key_9").await);
    assert_missing(keys.delete("signing_key_9").await);
    keys.create().await.unwrap();
}

/// Another key would be made, and nobody would know the one that was lost with the response.
#[tokio::test]
async fn a_lost_response_with_a_key_is_not_asked_for_again() {
    let (hub, client) = hub().await;
    let workspace = client.workspace("staging");
    let public = workspace.public_keys().create("web").await.unwrap();
    let signing = workspace.signing_keys().create().await.unwrap();
    let before = hub.requests().len();
    hub.inject(Fault::lost().times(4)).unwrap();
    workspace.api_keys().create("ci").await.unwrap_err();
    workspace.public_keys().create("web").await.unwrap_err();
    workspace.public_keys().rotate(&public.id).await.unwrap_err();
    workspace.signing_keys().roll(&signing.uid).await.unwrap_err();
    assert_eq!(hub.requests().len(), before + 4, "each was sent once");
    assert_eq!(workspace.api_keys().list().await.unwrap().results.len(), 1, "the call took effect");
    assert_eq!(workspace.public_keys().list().await.unwrap().results.len(), 2);
    assert_eq!(workspace.signing_keys().list().await.unwrap().results.len(), 2);
}

#[tokio::test]
async fn workflows() {
    let (_hub, client) = hub().await;
    let workflows = client.workspace("production").workflows();
    assert_missing(workflows.get("welcome").await);
    assert_missing(workflows.commit("welcome").await);
    assert_missing(workflows.set_enabled("welcome", true).await);
    let upsert = |tree| workflows.upsert("welcome", "Welcome", "orders", WorkflowTriggerType::Api, tree);

    let said = reasons(upsert(tree(json!([]))).commit(true).commit_message("m").await);
    assert_eq!(said, ["tree: at least one step has to send a notification or call a URL"]);
    assert_missing(workflows.get("welcome").mode(Mode::Live).await);
    let draft = workflows.get("welcome").await.unwrap();
    assert_eq!(
        (&draft.status, draft.validation_result.as_ref().unwrap().is_valid),
        (&Some(WorkflowStatus::Draft), false)
    );
    assert_eq!(reasons(workflows.commit("welcome").commit_message("m").await).len(), 1);

    upsert(sending()).tags(["a", "b"]).property("of_tomorrow", 1).await.unwrap();
    workflows.commit("welcome").commit_message("first").await.unwrap();
    let live = workflows.get("welcome").mode(Mode::Live).await.unwrap();
    assert_eq!(
        (&live.status, live.commit_message.as_deref()),
        (&Some(WorkflowStatus::Active), Some("first"))
    );
    assert_eq!(live.extra.get("of_tomorrow"), Some(&json!(1)), "an unknown member is kept");

    // It is known to the hub's own operations.
    client.users().upsert("jane").email("jane@example.com").await.unwrap();
    client.workflows().trigger("welcome").recipient("jane").await.unwrap();
    assert_missing(client.workflows().trigger("unknown").recipient("jane").await);

    let off = workflows.set_enabled("welcome", false).await.unwrap();
    assert_eq!(off.status, Some(WorkflowStatus::Inactive));
    let found = workflows.list().mode(Mode::Live).slugs("welcome,other".to_owned()).await.unwrap();
    assert_eq!(found.results.len(), 1);
    workflows.delete("welcome").await.unwrap();
    assert_missing(workflows.delete("welcome").await);
    assert_eq!(workflows.list().await.unwrap().results.len(), 0);
}

#[tokio::test]
async fn schemas() {
    let (_hub, client) = hub().await;
    let schemas = client.workspace("staging").schemas();
    let upsert = |kind: &str| schemas.upsert("order", "Order", object(json!({"type": kind})));
    let said = reasons(upsert("string").commit(true).commit_message("m").await);
    assert_eq!(said, ["json_schema: the type of its root is not object"]);
    assert_refused(schemas.commit("order").await, "the type of its root is not object");
    assert_missing(schemas.get("order").mode(Mode::Live).await);

    assert_eq!(upsert("object").description("An order".to_owned()).await.unwrap().commit_result, None);
    let live = schemas.commit("order").commit_message("first").await.unwrap();
    assert_eq!((live.status.clone(), live.commit_message.as_deref()), (Some(Mode::Live), Some("first")));
    let result =
        upsert("object").commit(true).commit_message("second").await.unwrap().into_inner().commit_result;
    assert!(result.unwrap().is_committed);
    assert_eq!(schemas.list().mode(Mode::Live).items().next().await.unwrap().unwrap().slug, "order");
    assert_missing(schemas.get("other").await);
    assert_missing(schemas.commit("other").await);
}

#[tokio::test]
async fn events() {
    const NAME: &str = "Order Placed / EU";
    let (_hub, client) = hub().await;
    let workspace = client.workspace("staging");
    let events = workspace.events();
    let link = || from_json::<PayloadSchema>(json!({"schema": "order"}));
    assert_refused(events.create(NAME).payload_schema(link()).await, "there is no live schema order");
    let schema = workspace.schemas().upsert("order", "Order", object(json!({"type": "object"})));
    schema.commit(true).commit_message("m").await.unwrap();
    events.create(NAME).payload_schema(link()).await.unwrap();
    assert_refused(events.create(NAME).await, "already");
    let edited = events.update(NAME).description("An order".to_owned()).await.unwrap();
    assert_eq!(
        (edited.description.as_deref(), &edited.payload_schema.as_ref().unwrap().schema),
        (Some("An order"), &"order".to_owned())
    );

    let workflow =
        workspace.workflows().upsert("order", "Order", "orders", WorkflowTriggerType::Event, sending());
    workflow.trigger_events(NAME).await.unwrap();
    let linked = events.linked_workflows(NAME).await.unwrap();
    assert_eq!(linked.results[0].slug, "order");
    assert_eq!(events.unlink_schema(NAME).await.unwrap().payload_schema, None);
    assert_refused(events.unlink_schema(NAME).await, "no schema is linked");
    assert_eq!(events.get(NAME).await.unwrap().description.as_deref(), Some("An order"));
    assert_eq!(events.list().limit(1).items().next().await.unwrap().unwrap().name, NAME);
    assert_missing(events.get("nothing").await);
    assert_missing(events.update("nothing").await);
    assert_missing(events.linked_workflows("nothing").await);
}

fn roots(slugs: &[&str]) -> Vec<CategoryRoot> {
    let categories: Vec<Value> = slugs
        .iter()
        .map(|slug| json!({"category": slug, "name": slug, "default_preference": "opt_in", "default_opt_in_channels": null}))
        .collect();
    from_json(json!([
        {"root_category": "system", "sections": []},
        {"root_category": "transactional", "sections": [{"name": "Shop", "categories": categories}]},
        {"root_category": "promotional", "sections": []},
    ]))
}

#[tokio::test]
async fn categories() {
    let (_hub, client) = hub().await;
    let workspace = client.workspace("production");
    let categories = workspace.categories();
    categories.replace(roots(&["orders"])).await.unwrap();
    assert_eq!(categories.get(Mode::Live).await.unwrap().version_no, None);
    categories.commit("first").await.unwrap();
    let live = categories.get(Mode::Live).await.unwrap();
    assert_eq!((live.status.clone(), live.version_no), (Some(VersionStatus::Active), Some(1)));
    client.users().upsert("jane").email("jane@example.com").await.unwrap();
    client.users().preferences("jane").get_category("orders").await.unwrap();

    // A category that is used cannot go.
    let workflow =
        workspace.workflows().upsert("order", "Order", "orders", WorkflowTriggerType::Api, sending());
    workflow.commit(true).commit_message("m").await.unwrap();
    assert_eq!(reasons(categories.replace(roots(&[])).commit(true).commit_message("m").await), ["orders"]);
    assert_eq!(reasons(categories.commit("second").await), ["orders"]);
    assert_missing(client.workspace("nowhere").categories().get(Mode::Live).await);
}

/// Null stands for all channels, and an absent member for what the API makes of it.
#[tokio::test]
async fn a_tree_is_written_back_as_it_was_read() {
    let (hub, client) = hub().await;
    let (staging, production) =
        (client.workspace("staging").categories(), client.workspace("production").categories());
    staging.replace(roots(&["orders"])).commit(true).commit_message("m").await.unwrap();
    let tree = staging.get(Mode::Live).await.unwrap().into_inner();
    production.replace(tree.root_categories).await.unwrap();
    let sent = hub.requests().pop().unwrap().json().unwrap();
    let category = &sent["root_categories"][1]["sections"][0]["categories"][0];
    assert_eq!(category.get("default_opt_in_channels"), Some(&Value::Null));
    assert_eq!(category.get("default_mandatory_channels"), None);
}

#[tokio::test]
async fn translations_of_categories() {
    let (_hub, client) = hub().await;
    let translations = client.workspace("staging").categories().translations();
    let text = || from_json::<CategoryText>(json!({"name": "Bestellungen"}));
    translations.put("de").categories("orders", text()).sections("shop", text()).await.unwrap();
    let stored = translations.get("de").await.unwrap().into_inner();
    assert_eq!(stored.categories.unwrap()["orders"].name.as_deref(), Some("Bestellungen"));
    assert_eq!(translations.locales().await.unwrap().results[0].locale, "de");
    translations.delete("de").await.unwrap();
    assert_missing(translations.delete("de").await);
    assert_missing(translations.get("de").await);
}

#[tokio::test]
async fn translations() {
    let (_hub, client) = hub().await;
    let translations = client.workspace("staging").translations();
    let put = |text: &str| {
        translations
            .put("shop.de.json", object(json!({"greeting": text, "count": {"one": "1", "other": "n"}})))
    };
    let action = || async { translations.list().await.unwrap().results[0].action.clone().unwrap() };
    assert_eq!(put("Hallo").await.unwrap().action, Some(TranslationAction::Added));
    translations.commit().commit_message("first").await.unwrap();
    assert_eq!(action().await, TranslationAction::Unchanged);
    put("Servus").await.unwrap();
    let live = translations.get("shop.de.json").mode(Mode::Live).await.unwrap();
    assert_eq!((live.content["greeting"].as_str(), live.namespace.as_deref()), (Some("Hallo"), Some("shop")));
    translations.commit().await.unwrap();
    translations.delete("shop.de.json").await.unwrap();
    assert_eq!(action().await, TranslationAction::Deleted);
    translations.commit().await.unwrap();
    assert_missing(translations.get("shop.de.json").await);
    assert_missing(translations.delete("shop.de.json").await);

    assert_eq!(translations.version(1).await.unwrap().results.len(), 1);
    assert_missing(translations.version(9).await);
    assert_missing(translations.rollback(9).await);
    translations.rollback(1).await.unwrap();
    let back = translations.list().include_content(true).await.unwrap();
    assert_eq!(back.results[0].content.as_ref().unwrap()["greeting"], "Hallo");
}

async fn template(workspace: &Workspace) {
    let channels = [ChannelName::Email, ChannelName::Sms];
    let head = workspace
        .templates()
        .upsert("welcome", "Welcome")
        .enabled_channels(channels)
        .tags("a")
        .await
        .unwrap();
    assert_eq!(head.channels.as_ref().map(Vec::len), Some(2));
}

#[tokio::test]
async fn templates() {
    let (_hub, client) = hub().await;
    let workspace = client.workspace("staging");
    let templates = workspace.templates();
    assert_missing(templates.get("welcome").await);
    assert_missing(templates.commit("welcome").await);
    template(&workspace).await;
    assert_refused(templates.commit("welcome").commit_message("m").await, "email:default errors");
    let variants = workspace.template("welcome").variants();
    variants.upsert("email", "default", "en", object(json!({"subject": "Hello"}))).await.unwrap();
    // The other one is still empty.
    let email =
        from_json::<suprsend::types::TemplateVariantRef>(json!({"channel": "email", "id": "default"}));
    let live = templates.commit("welcome").variants([email]).commit_message("first").await.unwrap();
    assert_eq!(
        (live.status.clone(), live.version_no, live.commit_message.as_deref()),
        (Some(VersionStatus::Active), Some(1), Some("first"))
    );
    assert_eq!(templates.list().mode(Mode::Live).await.unwrap().results.len(), 1);
    assert_eq!(templates.upsert("welcome", "Hello").await.unwrap().name.as_deref(), Some("Hello"));
    assert_eq!(templates.get("welcome").mode(Mode::Live).await.unwrap().name.as_deref(), Some("Welcome"));
}

#[tokio::test]
async fn variants() {
    let (_hub, client) = hub().await;
    let workspace = client.workspace("staging");
    assert_missing(workspace.template("welcome").variants().list().await);
    template(&workspace).await;
    let variants = workspace.template("welcome").variants();
    assert_eq!(variants.get("sms", "default").await.unwrap().has_error, Some(true));
    let sms =
        variants.upsert("sms", "default", "en", object(json!({"body": "Hi"}))).needs_vendor_approval(true);
    assert_eq!(sms.await.unwrap().has_error, Some(false));
    variants
        .upsert("email", "default", "en", object(json!({"subject": "Hi"})))
        .tenant_id("acme")
        .await
        .unwrap();
    assert_eq!(variants.list().await.unwrap().results.len(), 2);
    let listed = variants.list_channel("email").await.unwrap();
    assert_eq!((listed.results[0].tenant_id.as_deref(), &listed.results[0].content), (Some("acme"), &None));
    assert!(variants.list().include_content(true).await.unwrap().results[0].content.is_some());

    // What is not live cannot be approved.
    let approve =
        || variants.record_approval("sms", "default", "meta", "vndr_1", VendorApprovalStatus::Approved);
    assert_missing(approve().await);
    assert_missing(variants.discard("sms", "default", "wrong link").await);
    workspace.templates().commit("welcome").commit_message("m").await.unwrap();
    let approved = approve().vendor_template_name("hi".to_owned()).await.unwrap();
    assert_eq!(approved.approval_status, Some(VariantApprovalStatus::Approved));
    let back = variants.discard("sms", "default", "wrong link").await.unwrap();
    assert_eq!(back.discard_comment.as_deref(), Some("wrong link"));
    assert_missing(variants.get("sms", "other").await);
}

#[tokio::test]
async fn mock_data() {
    let (_hub, client) = hub().await;
    let workspace = client.workspace("staging");
    let data = workspace.template("welcome").mock_data();
    assert_missing(data.get().await);
    template(&workspace).await;
    let new: MockData = from_json(json!({"payload": {"name": "Jane"}}));
    let stored = data.update(new).await.unwrap();
    assert_eq!(stored.transformed_data.as_ref().unwrap()["name"], "Jane");
    assert_eq!(data.get().mode(Mode::Live).await.unwrap().data.payload, Some(Map::new()));
    assert_eq!(data.get().await.unwrap().data.payload, Some(object(json!({"name": "Jane"}))));
}
