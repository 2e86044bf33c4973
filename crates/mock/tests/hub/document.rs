//! A document with operations that the hub has no code for.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, client, refusal};

fn document() -> Value {
    json!({
        "openapi": "3.1.1",
        "info": {"title": "Test", "version": "1"},
        "security": [{"Key": []}],
        "paths": {
            "/v1/object/{type}/": {
                "parameters": [{"name": "type", "in": "path", "required": true, "schema": {"enum": ["team", "place"]}}],
                "get": {
                    "operationId": "list-objects",
                    "parameters": [
                        {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 50}},
                        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}, "maxItems": 2}},
                        {"name": "active", "in": "query", "required": true, "schema": {"$ref": "#/components/schemas/Flag"}},
                        {"$ref": "#/components/parameters/Trace"}
                    ],
                    "responses": {
                        "200": {"content": {"application/json": {
                            "schema": {"$ref": "#/components/schemas/Page"},
                            "example": {"items": "goes against the schema"}
                        }}}
                    }
                },
                "post": {
                    "operationId": "make-object",
                    "security": [],
                    "requestBody": {"$ref": "#/components/requestBodies/Object"},
                    "responses": {
                        "202": {"content": {"application/json": {
                            "schema": {"$ref": "#/components/schemas/Object"},
                            "examples": {"One": {"value": {"name": "shown", "size": 2}}}
                        }}},
                        "400": {"description": "bad"}
                    }
                }
            },
            "/v1/object/~all/": {
                "get": {"operationId": "list-all", "security": [], "responses": {"204": {"description": "none"}}},
                "delete": {"operationId": "delete-objects", "responses": {
                    "default": {"description": "failed"},
                    "2XX": {"description": "gone", "content": {"application/json": {"example": {"gone": 2}}}}
                }}
            }
        },
        "components": {
            "securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "ServiceToken <token>"}},
            "parameters": {"Trace": {"name": "X-Trace", "in": "header", "required": true, "schema": {"type": "string", "minLength": 3}}},
            "requestBodies": {"Object": {"required": true, "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Object"}
            }}}},
            "schemas": {
                "Flag": {"type": "boolean"},
                "Object": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "size": {"type": "integer", "nullable": true},
                        "parent": {"$ref": "#/components/schemas/Object"}
                    }
                },
                "Page": {
                    "type": "object",
                    "required": ["items"],
                    "properties": {
                        "items": {"type": "array", "items": {"$ref": "#/components/schemas/Object"}},
                        "at": {"type": "string", "format": "date-time"}
                    }
                }
            }
        }
    })
}

async fn hub() -> Result<Hub> {
    Ok(Hub::builder().document(document().to_string()).start().await?)
}

async fn list(hub: &Hub, path: &str, trace: Option<&str>) -> Result<reqwest::Response> {
    let request = client()
        .get(format!("{}{path}", hub.url()))
        .header("authorization", format!("ServiceToken {}", hub.key()));
    let request = trace.into_iter().fold(request, |request, trace| request.header("x-trace", trace));
    Ok(request.send().await?)
}

#[tokio::test]
async fn an_operation_is_answered_with_the_documents_example() -> Result {
    let hub = hub().await?;
    let post =
        client().post(format!("{}/v1/object/team/", hub.url())).json(&json!({"name": "x", "size": null}));
    let response = post.send().await?;
    assert_eq!(response.status(), 202);
    assert_eq!(response.json::<Value>().await?, json!({"name": "shown", "size": 2}));
    Ok(())
}

#[tokio::test]
async fn a_response_without_a_valid_example_is_made_from_the_schema() -> Result {
    let hub = hub().await?;
    let response = list(&hub, "/v1/object/team/?active=true", Some("abc")).await?;
    assert_eq!(response.status(), 200);
    let page: Value = response.json().await?;
    assert_eq!(page["items"][0]["name"], "text");
    assert_eq!(page["at"], "2025-04-04T09:55:12.397Z");
    Ok(())
}

#[tokio::test]
async fn fixed_text_comes_before_a_parameter_and_a_response_may_be_empty() -> Result {
    let hub = hub().await?;
    let url = format!("{}/v1/object/~all/", hub.url());
    let response = client().get(&url).send().await?;
    assert_eq!((response.status().as_u16(), response.text().await?.as_str()), (204, ""));
    let delete = client().delete(&url).header("authorization", format!("servicetoken {}", hub.key()));
    let response = delete.send().await?;
    assert_eq!(response.status(), 200, "the first of a class");
    assert_eq!(response.json::<Value>().await?, json!({"gone": 2}));
    Ok(())
}

#[tokio::test]
async fn parameters_are_judged_by_their_schemas() -> Result {
    let hub = hub().await?;
    for query in
        ["active=true", "active=false&limit=50", "active=true&tags=a&tags=1", "active=true&tags=a,b&other=1"]
    {
        let response = list(&hub, &format!("/v1/object/place/?{query}"), Some("abc")).await?;
        assert_eq!(response.status(), 200, "{query}");
    }
    let cases = [
        ("/v1/object/team/", Some("abc"), "active: is required"),
        ("/v1/object/team/?active=maybe", Some("abc"), "active: "),
        ("/v1/object/team/?active=true&limit=51", Some("abc"), "limit: "),
        ("/v1/object/team/?active=true&limit=x", Some("abc"), "limit: "),
        ("/v1/object/team/?active=true&tags=a&tags=b&tags=c", Some("abc"), "tags: "),
        ("/v1/object/other/?active=true", Some("abc"), "type: "),
        ("/v1/object/team/?active=true", None, "X-Trace: is required"),
        ("/v1/object/team/?active=true", Some("a"), "X-Trace: "),
    ];
    for (path, trace, start) in cases {
        let (status, message) = refusal(list(&hub, path, trace).await?).await?;
        assert_eq!(status, 400, "{path}");
        assert!(message.starts_with(start), "{path}: {message}");
    }
    Ok(())
}

#[tokio::test]
async fn bodies_and_credentials_are_judged_by_the_document() -> Result {
    let hub = hub().await?;
    let post = || client().post(format!("{}/v1/object/team/", hub.url()));
    assert_eq!(refusal(post().send().await?).await?, (400, "the body is required".into()));
    let (_, message) = refusal(post().json(&json!({"parent": {"name": 1}})).send().await?).await?;
    assert_eq!(message, "name: is required; parent.name: is not of type \"string\"");

    let get = client().get(format!("{}/v1/object/team/?active=true", hub.url())).header("x-trace", "abc");
    let (status, message) = refusal(get.bearer_auth(hub.key()).send().await?).await?;
    assert_eq!((status, message.as_str()), (401, "the operation does not take Bearer credentials"));
    Ok(())
}

#[tokio::test]
async fn a_path_is_answered_for_its_own_methods_only() -> Result {
    let hub = hub().await?;
    let response = client().put(format!("{}/v1/object/team/", hub.url())).send().await?;
    assert_eq!(response.headers()["allow"], "GET, POST");
    assert_eq!(refusal(response).await?.0, 405);
    Ok(())
}

#[tokio::test]
async fn a_document_that_cannot_be_served_says_where() -> Result {
    let mut broken = document();
    broken["paths"]["/v1/object/{type}/"]["post"]["requestBody"]["$ref"] =
        "#/components/requestBodies/None".into();
    let cases = [
        ("{".to_owned(), "the document is not JSON: "),
        ("{}".to_owned(), "the document has no `paths`"),
        (
            broken.to_string(),
            "/paths/~1v1~1object~1{type}~1/post/requestBody refers to #/components/requestBodies/None",
        ),
        (json!({"paths": {"/a/{b}{c}": {"get": {}}}}).to_string(), "the path /a/{b}{c}: "),
    ];
    for (text, start) in cases {
        let error = Hub::builder().document(text).start().await.err().ok_or("it started")?;
        assert!(error.to_string().starts_with(start), "{error}");
    }
    Ok(())
}

/// Serves these paths, none of which asks for credentials.
async fn serve(paths: Value) -> Result<Hub> {
    Ok(Hub::builder().document(json!({"openapi": "3.1.0", "paths": paths}).to_string()).start().await?)
}

/// An operation that responds with JSON of this schema.
fn responding(id: &str, schema: &Value) -> Value {
    let content = json!({"application/json": {"schema": schema}});
    json!({"operationId": id, "responses": {"200": {"description": "ok", "content": content}}})
}

#[tokio::test]
async fn f27_an_operation_without_a_response_is_named_at_the_start() -> Result {
    let hub = serve(json!({
        "/never": {"get": responding("never", &json!({"type": "string", "not": {"type": "string"}}))},
        "/always": {"get": responding("always", &json!({"type": "string", "pattern": "^[0-9a-f]{5}$", "example": "x"}))},
    }))
    .await?;
    let unanswerable = hub.unanswerable();
    assert_eq!(unanswerable.len(), 1);
    assert_eq!(unanswerable[0].0, "never");
    assert!(unanswerable[0].1.contains("/paths/~1never/get/responses/200"), "{unanswerable:?}");
    let (status, message) = refusal(client().get(format!("{}/never", hub.url())).send().await?).await?;
    assert!(status == 501 && message.starts_with("never cannot be answered: "), "{message}");
    let always: String = client().get(format!("{}/always", hub.url())).send().await?.json().await?;
    assert!(always.len() == 5 && always.bytes().all(|byte| byte.is_ascii_hexdigit()), "{always}");
    Ok(())
}

#[tokio::test]
async fn f28_the_template_with_more_fixed_text_is_tried_first() -> Result {
    let paths = [
        "/jobs/{id}",
        "/jobs/{id}:run",
        "/v1/{a}/{b}",
        "/v1/{a}/search",
        "/v1/test/test",
        "/c/{base}...{head}",
    ];
    let items = paths
        .iter()
        .map(|path| ((*path).to_owned(), json!({"post": responding(path, &json!({"const": path}))})));
    let hub = serve(items.collect::<serde_json::Map<_, _>>().into()).await?;
    for (path, template) in [
        ("/jobs/7:run", "/jobs/{id}:run"),
        ("/jobs/7", "/jobs/{id}"),
        ("/v1/x/y", "/v1/{a}/{b}"),
        ("/v1/x/search", "/v1/{a}/search"),
        ("/v1/test/test", "/v1/test/test"),
        ("/c/main...topic", "/c/{base}...{head}"),
    ] {
        let response: Value = client().post(format!("{}{path}", hub.url())).send().await?.json().await?;
        assert_eq!(response, template, "{path}");
    }
    assert_eq!(hub.requests()[5].parameter("head"), Some("topic"));
    Ok(())
}

#[tokio::test]
async fn responses_are_what_http_and_the_document_say() -> Result {
    let error = json!({"type": "object", "required": ["e"], "properties": {"e": {"type": "string"}}});
    let json = |schema: &Value| json!({"application/json": {"schema": schema}});
    let hub = serve(json!({
        "/default": {"get": {"responses": {"default": {"content": json(&error)}}}},
        "/text": {"get": {"responses": {"200": {"content": {"text/plain": {"example": "hello"}}}}}},
        "/page": {"get": {"responses": {"200": {"content": {"text/html": {"schema": {"type": "string"}}}}}}},
        "/none": {"get": {"responses": {"204": {"content": json(&error)}}}},
        "/moved": {"get": {"responses": {"302": {"headers": {"Location": {"example": "/text"}}}, "default": {"content": json(&error)}}}},
        "/made": {"get": {"responses": {"201": {"headers": {"X-Id": {"required": true, "schema": {"type": "integer", "minimum": 7}}}}}}},
        "/shared": {"$ref": "#/paths/~1made", "post": {"responses": {"202": {}}}},
    }))
    .await?;
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
    let get = |path: &str| client.get(format!("{}{path}", hub.url())).send();
    let typed = |response: &reqwest::Response| response.headers().get("content-type").cloned();

    let response = get("/default").await?;
    assert_eq!((response.status().as_u16(), response.json::<Value>().await?), (200, json!({"e": "text"})));
    let response = get("/text").await?;
    assert_eq!(typed(&response).ok_or("no type")?, "text/plain");
    assert_eq!(response.text().await?, "hello");
    let response = get("/page").await?;
    assert_eq!(typed(&response).ok_or("no type")?, "text/html");
    let response = get("/none").await?;
    assert_eq!((response.status().as_u16(), response.text().await?.as_str()), (204, ""));
    let response = get("/moved").await?;
    assert_eq!((response.status().as_u16(), &response.headers()["location"]), (302, &"/text".parse()?));
    for path in ["/made", "/shared"] {
        let response = get(path).await?;
        assert_eq!((response.status().as_u16(), &response.headers()["x-id"]), (201, &"7".parse()?));
    }
    let beside = client.post(format!("{}/shared", hub.url())).send().await?;
    assert_eq!(beside.status(), 202, "what stands beside a reference adds to it");
    Ok(())
}

#[tokio::test]
async fn f14_in_openapi_3_0_a_read_only_member_is_required_in_responses_alone() -> Result {
    let schema = json!({"type": "object", "required": ["id", "secret", "n"], "properties": {
        "id": {"type": "string", "readOnly": true}, "secret": {"$ref": "#/components/schemas/Secret"}, "n": {"type": "integer"},
    }});
    let content = json!({"application/json": {"schema": schema, "example": {"id": "a", "n": 1}}});
    for (version, sent, status) in [
        ("3.0.3", json!({"n": 1, "secret": "s"}), 200),
        ("3.0.3", json!({"n": 1}), 400),
        ("3.1.0", json!({"n": 1, "secret": "s"}), 400),
    ] {
        let document = json!({
            "openapi": version,
            "components": {"schemas": {"Secret": {"type": "string", "writeOnly": true}}},
            "paths": {"/thing": {"post": {
                "requestBody": {"content": content.clone()},
                "responses": {"200": {"description": "ok", "content": content.clone()}},
            }}},
        });
        let hub = Hub::builder().document(document.to_string()).start().await?;
        let response = client().post(format!("{}/thing", hub.url())).json(&sent).send().await?;
        assert_eq!(response.status().as_u16(), status, "{version} {sent}");
        if status == 200 {
            assert_eq!(response.json::<Value>().await?, json!({"id": "a", "n": 1}), "the example fits");
        }
    }
    Ok(())
}

/// Only debug builds check what leaves.
#[cfg(debug_assertions)]
#[tokio::test]
async fn a_response_against_the_document_does_not_leave() -> Result {
    let schema = json!({"type": "object", "required": ["plan"]});
    let table = json!({"users": {"upsert": "post /v1/user/{distinct_id}/"}});
    let document = json!({"x-resources": table, "paths": {"/v1/user/{distinct_id}/": {"post": {
        "operationId": "create-update-users",
        "responses": {"201": {"content": {"application/json": {"schema": schema}}}}
    }}}});
    let hub = Hub::builder().document(document.to_string()).start().await?;
    let response = client().post(format!("{}/v1/user/u/", hub.url())).send().await?;
    let expected = "the response of create-update-users goes against the document: plan: is required";
    assert_eq!(refusal(response).await?, (500, expected.into()));
    Ok(())
}
