//! The example that promotes a workspace, run as a user runs it.

use std::process::{Command, Output};

use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};

const TOKEN: &str = "CANARY-service-token";

fn program() -> std::path::PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join("promote").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "build it first: cargo build -p suprsend --features management --example promote"
    );
    program
}

/// A hub on which the program runs, and what calls it directly.
struct Stage {
    hub: Hub,
    http: reqwest::Client,
}

impl Stage {
    async fn start() -> Self {
        let hub = Hub::builder().key(TOKEN).recorded_requests(10_000).start().await.unwrap();
        Self { hub, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.hub.url()));
        let request = request.header("authorization", format!("ServiceToken {TOKEN}"));
        let request = request.header("content-type", "application/json");
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        self.send("GET", path, Value::Null).await
    }

    async fn promote(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.args(["staging", "production"]).args(arguments).env("NO_PROXY", "127.0.0.1");
        command.env("SUPRSEND_SERVICE_TOKEN", TOKEN).env("SUPRSEND_MANAGEMENT_URL", self.hub.url());
        command.env_remove("SUPRSEND_API_KEY");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let shown = text(&output);
        assert!(!shown.contains("panicked") && !shown.contains("CANARY"), "{shown}");
        output
    }

    /// How many requests changed anything.
    fn writes(&self) -> usize {
        self.hub.requests().iter().filter(|request| request.method() != "GET").count()
    }
}

fn text(output: &Output) -> String {
    let [out, errors] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{errors}")
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, said: &[&str]) {
    let shown = text(output);
    assert_eq!(output.status.code(), Some(code), "{shown}");
    for line in said {
        assert!(shown.contains(line), "no {line:?} in\n{shown}");
    }
}

fn workflow(template: &str) -> Value {
    let nodes = json!([
        {"node_type": "httpapi_webhook", "properties": {"url": "https://x.example", "headers": [{"key": "x", "value": "CANARY-header"}]}},
        {"node_type": "send_email", "properties": {"template": template, "of_tomorrow": null}},
    ]);
    json!({
        "name": "Welcome", "category": "orders", "trigger_type": "api", "tree": {"nodes": nodes}, "of_tomorrow": {"a": null},
        "description": "Greets",
    })
}

async fn commit_workflow(stage: &Stage, workspace: &str, slug: &str, body: Value) {
    stage.send("POST", &format!("/v1/{workspace}/workflow/{slug}/?commit=true&commit_message=m"), body).await;
}

fn tree(slugs: &[&str]) -> Value {
    let of = |slug: &&str| json!({"category": slug, "default_opt_in_channels": null, "default_preference": "opt_in", "x_new": 1});
    let categories: Vec<Value> = slugs.iter().map(of).collect();
    json!({"root_categories": [{"root_category": "transactional", "sections": [{"name": "Shop", "categories": categories}]}]})
}

/// Something of everything, with members that the document does not know.
async fn fill(stage: &Stage) {
    let committed = "?commit=true&commit_message=m";
    stage.send("POST", &format!("/v1/staging/preference_category/{committed}"), tree(&["orders"])).await;
    let texts = json!({"sections": {}, "categories": {"orders": {"name": "Bestellungen", "description": null}, "b": {"name": null}}});
    stage.send("POST", "/v1/staging/preference_category/translation/content/de/", texts).await;
    let schema =
        json!({"name": "Order", "json_schema": {"type": "object", "properties": {"a": {"default": null}}}});
    stage.send("POST", &format!("/v1/staging/schema/order/{committed}"), schema).await;
    let event = json!({"name": "Placed / EU", "payload_schema": {"schema": "order", "version_no": null}});
    stage.send("POST", "/v1/staging/event/", event).await;
    stage
        .send(
            "POST",
            "/v1/staging/translation/content/shop.de.json/",
            json!({"content": {"a": {"one": "x"}}}),
        )
        .await;
    stage.send("PATCH", "/v1/staging/translation/commit/?commit_message=m", Value::Null).await;
    let head = json!({"name": "Welcome", "enabled_channels": ["email", "sms"], "tags": ["a"]});
    stage.send("POST", "/v2/staging/template/welcome/", head).await;
    let variant =
        json!({"locale": "en", "content": {"subject": "CANARY-content"}, "seq_no": 2, "of_tomorrow": true});
    stage.send("POST", "/v2/staging/template/welcome/channel/email/variant/acme-en/", variant).await;
    stage
        .send(
            "PATCH",
            "/v2/staging/template/welcome/mock_data/",
            json!({"data": {"payload": {"name": "Jane"}}}),
        )
        .await;
    // The empty variants of both channels are not committed.
    let only = json!({"variants": [{"channel": "email", "id": "acme-en"}]});
    stage.send("PATCH", "/v2/staging/template/welcome/commit/?commit_message=m", only).await;
    commit_workflow(stage, "staging", "welcome", workflow("welcome")).await;
}

#[tokio::test]
async fn everything_is_copied_and_then_it_is_the_same() {
    let stage = Stage::start().await;
    fill(&stage).await;
    // Drafts of the source do not travel.
    stage.send("POST", "/v1/staging/workflow/draft/", workflow("draft")).await;
    commit_workflow(&stage, "production", "own", workflow("own")).await;
    let before = stage.writes();
    let output = stage.promote(&["--check"]).await;
    let all = [
        "new      category translation de",
        "new      schema order",
        "new      event Placed / EU",
        "new      translation shop.de.json",
        "new      template welcome",
        "new      variant welcome email:acme-en",
        "new      mock data welcome",
        "new      workflow welcome",
        "left     workflow own",
        "changed  preference categories: root_categories",
    ];
    assert_ends(&output, 1, &all);
    assert_eq!(stage.writes(), before, "a check changes nothing");

    assert_ends(
        &stage.promote(&["--message", "of today"]).await,
        0,
        &["drafts that are saved and valid: 7", "committed: workflow welcome"],
    );
    let live = stage.get("/v1/production/workflow/welcome/?mode=live").await;
    for member in ["tree", "of_tomorrow", "description"] {
        assert_eq!(live[member], workflow("welcome")[member], "{member}");
    }
    assert_eq!((&live["commit_message"], &live["status"]), (&json!("of today"), &json!("active")));
    let live = stage.get("/v1/production/preference_category/?mode=live").await;
    assert_eq!(
        live["root_categories"][0]["sections"][0],
        tree(&["orders"])["root_categories"][0]["sections"][0]
    );
    let live = stage.get("/v1/production/schema/order/?mode=live").await;
    assert_eq!(live["json_schema"]["properties"]["a"], json!({"default": null}));
    let variants = stage.get("/v2/production/template/welcome/variant/?mode=live&include_content=true").await;
    assert_eq!(variants["meta"]["count"], 1);
    assert_eq!(
        (&variants["results"][0]["seq_no"], &variants["results"][0]["of_tomorrow"]),
        (&json!(2), &json!(true))
    );
    let mock = stage.get("/v2/production/template/welcome/mock_data/?mode=live").await;
    assert_eq!(mock["data"]["payload"], json!({"name": "Jane"}));

    let before = stage.writes();
    assert_ends(&stage.promote(&["--check"]).await, 0, &["0 new, 0 changed, 9 the same"]);
    assert_ends(&stage.promote(&[]).await, 0, &[]);
    assert_eq!(stage.writes(), before);
}

#[tokio::test]
async fn only_what_has_changed_is_written_and_what_is_gone_is_cleared() {
    let stage = Stage::start().await;
    fill(&stage).await;
    assert_ends(&stage.promote(&[]).await, 0, &[]);
    let mut changed = workflow("welcome");
    changed.as_object_mut().unwrap().remove("description");
    commit_workflow(&stage, "staging", "welcome", changed).await;
    stage.send("PATCH", "/v1/staging/event/Placed%20%2F%20EU/delink_schema/", Value::Null).await;
    let before = stage.writes();
    let said = [
        "changed  workflow welcome: description",
        "changed  event Placed / EU: payload_schema",
        "0 new, 2 changed, 7 the same",
    ];
    assert_ends(&stage.promote(&[]).await, 0, &said);
    let sent: Vec<_> =
        stage.hub.requests().into_iter().filter(|request| request.method() != "GET").skip(before).collect();
    let operations: Vec<_> =
        sent.iter().filter_map(|request| request.operation().map(str::to_owned)).collect();
    assert_eq!(operations, ["upsert-workflow", "delink-event-schema", "update-event", "commit-workflow"]);
    assert_eq!(
        sent[0].json().unwrap().get("description"),
        Some(&Value::Null),
        "the API may keep what is left out"
    );
    assert_eq!(stage.get("/v1/production/event/Placed%20%2F%20EU/").await["payload_schema"], Value::Null);
}

/// Whatever would be done by halves is refused before anything is written.
#[tokio::test]
async fn what_would_be_done_by_halves_is_refused() {
    let stage = Stage::start().await;
    fill(&stage).await;
    // A draft of somebody, in the way.
    stage.send("POST", "/v1/production/workflow/welcome/", workflow("other")).await;
    // One that would be committed along.
    stage
        .send("POST", "/v1/production/translation/content/en.json/", json!({"content": {"a": "half"}}))
        .await;
    // A category that would go.
    let own = tree(&["own"]);
    stage.send("POST", "/v1/production/preference_category/?commit=true&commit_message=m", own).await;
    // A number that means something else there.
    let event = json!({"payload_schema": {"schema": "order", "version_no": 1}});
    stage.send("PATCH", "/v1/staging/event/Placed%20%2F%20EU/", event).await;
    let before = stage.writes();
    let said = [
        "refused: workflow welcome has a draft in production that is not committed; --overwrite-drafts overwrites it",
        "refused: translation en.json has a draft in production that would be committed too",
        "refused: the category own is only in production; --delete-categories deletes it",
        "refused: event Placed / EU is linked to version 1 of its schema",
    ];
    assert_ends(&stage.promote(&[]).await, 2, &said);
    assert_ends(&stage.promote(&["--check"]).await, 2, &said);
    let flags = ["--overwrite-drafts", "--delete-categories", "--unpin"];
    let output = stage.promote(&flags).await;
    assert_ends(&output, 2, &said[1..2]);
    assert!(!text(&output).contains(said[0]));
    assert_eq!(stage.writes(), before, "nothing was written");

    stage.send("DELETE", "/v1/production/translation/content/en.json/", Value::Null).await;
    assert_ends(&stage.promote(&flags).await, 0, &[]);
    let live = stage.get("/v1/production/event/Placed%20%2F%20EU/").await;
    assert_eq!(live["payload_schema"], json!({"schema": "order", "version_no": null}));
}

/// Something newer than the API's document is refused by name, not left out.
#[tokio::test]
async fn what_cannot_be_written_as_it_was_read_is_refused() {
    let stage = Stage::start().await;
    fill(&stage).await;
    let mut list = stage.get("/v1/staging/workflow/?mode=live").await;
    list["results"][0]["tree"]["nodes"][1]["node_type"] = json!("send_fax");
    stage.hub.inject(Fault::status(200).body(list).operation("list-workflows").times(1)).unwrap();
    let before = stage.writes();
    let output = stage.promote(&[]).await;
    assert_ends(&output, 2, &["refused: workflow welcome cannot be written: ", "node_type"]);
    assert_eq!(stage.writes(), before);
}

#[tokio::test]
async fn a_draft_that_fails_keeps_everything_from_being_committed() {
    let stage = Stage::start().await;
    fill(&stage).await;
    let refusal = json!({"code": 400, "message": "too many workflows"});
    stage.hub.inject(Fault::status(400).body(refusal).operation("upsert-workflow").times(1)).unwrap();
    let said = [
        "failed: workflow welcome: the API answered 400 Bad Request: too many workflows",
        "saved as a draft in production: schema order",
        "nothing was committed",
    ];
    assert_ends(&stage.promote(&[]).await, 2, &said);
    for list in
        ["/v1/production/schema/?mode=live", "/v2/production/template/?mode=live", "/v1/production/event/"]
    {
        assert_eq!(stage.get(list).await["meta"]["count"], 0, "{list}");
    }
    // The drafts are what is to be promoted, apart from the variants that the API makes of itself.
    assert_ends(&stage.promote(&["--overwrite-drafts"]).await, 0, &[]);

    // A draft that is saved, but invalid.
    commit_workflow(&stage, "staging", "welcome", workflow("next")).await;
    let invalid =
        json!({"slug": "welcome", "validation_result": {"is_valid": false, "errors": ["no template next"]}});
    stage.hub.inject(Fault::status(201).body(invalid).operation("upsert-workflow").times(1)).unwrap();
    assert_ends(
        &stage.promote(&[]).await,
        2,
        &["failed: workflow welcome: the draft has errors: [\"no template next\"]"],
    );
}

#[tokio::test]
async fn a_commit_that_fails_says_what_is_live_and_the_next_run_goes_on() {
    let stage = Stage::start().await;
    fill(&stage).await;
    stage.hub.inject(Fault::lost().operation("commit-template").times(1)).unwrap();
    let said = [
        "committed: schema order",
        "failed: template welcome",
        "not committed: workflow welcome",
        "commits before that: 5",
    ];
    assert_ends(&stage.promote(&[]).await, 3, &said);
    let commits = |stage: &Stage| {
        stage.hub.requests().iter().filter(|it| it.operation() == Some("commit-template")).count()
    };
    let before = commits(&stage);
    // The response was lost, the commit was not.
    assert_ends(&stage.promote(&[]).await, 0, &["same     template welcome", "committed: workflow welcome"]);
    assert_eq!(commits(&stage), before);
}

#[tokio::test]
async fn a_variant_that_waits_for_its_vendor_is_told() {
    let stage = Stage::start().await;
    let head = json!({"name": "Code", "enabled_channels": ["whatsapp"]});
    stage.send("POST", "/v2/staging/template/code/", head).await;
    let variant = json!({"locale": "en", "content": {"body": {"text": "x"}}, "needs_vendor_approval": true});
    stage.send("POST", "/v2/staging/template/code/channel/whatsapp/variant/default/", variant).await;
    stage.send("PATCH", "/v2/staging/template/code/commit/?commit_message=m", Value::Null).await;
    // A vendor takes its time: the variant is not among the live ones.
    let none = json!({"meta": {"count": 0, "limit": 20, "offset": 0}, "results": []});
    let output = stage.promote(&[]).await;
    assert_ends(&output, 0, &["committed: template code"]);
    stage.send("POST", "/v2/staging/template/code/", json!({"name": "Code 2"})).await;
    stage.send("PATCH", "/v2/staging/template/code/commit/?commit_message=m", Value::Null).await;
    let source = stage.get("/v2/staging/template/code/variant/?mode=live&include_content=true").await;
    let list = |body: &Value| Fault::status(200).body(body.clone()).operation("list-all-variants").times(1);
    // Of the source, of the target live and as a draft, and of the target in the end.
    for body in [&source, &none, &source, &none] {
        stage.hub.inject(list(body)).unwrap();
    }
    let said = [
        "changed  template code: name",
        "new      variant code whatsapp:default",
        "waits for the approval of its vendor: variant code whatsapp:default",
    ];
    assert_ends(&stage.promote(&[]).await, 0, &said);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_not_there_ends_it() {
    let stage = Stage::start().await;
    fill(&stage).await;
    stage.hub.inject(Fault::status(403).operation("list-templates").times(1)).unwrap();
    assert_ends(
        &stage.promote(&[]).await,
        2,
        &["promote: cannot read the workspace staging: the API answered 403"],
    );
    let mut command = Command::new(program());
    command.args(["staging", "staging"]).env("SUPRSEND_SERVICE_TOKEN", TOKEN);
    assert_ends(&command.output().unwrap(), 2, &["staging cannot be promoted to itself"]);
    let mut command = Command::new(program());
    command
        .args(["staging", "production"])
        .env_remove("SUPRSEND_SERVICE_TOKEN")
        .env_remove("SUPRSEND_API_KEY");
    assert_ends(&command.output().unwrap(), 2, &["promote: SUPRSEND_SERVICE_TOKEN is not set"]);
}
