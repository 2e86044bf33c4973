//! What holds for every operation of the document.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, send_as};

fn document() -> Value {
    serde_json::from_str(suprsend_api::DOCUMENT).expect("the document is JSON")
}

/// Method, path and operation of everything in the document.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let items = document["paths"].as_object().into_iter().flatten();
    let all = items.flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |it| (path, it)));
    let all = all.filter(|(_, (_, operation))| operation.get("responses").is_some());
    all.map(|(path, (method, operation))| (method.to_uppercase(), path.clone(), operation.clone())).collect()
}

/// The scheme of the credentials that an operation asks for.
fn scheme(operation: &Value) -> &'static str {
    if operation["security"][0].get("ServiceToken").is_some() { "ServiceToken" } else { "Bearer" }
}

/// A path with `none` for its parameters.
fn filled(path: &str) -> String {
    let path = path.split('#').next().unwrap_or_default();
    let parts = path.split('/').map(|part| match part {
        // The parameters that are numbers.
        "{version}" | "{version_no}" => "9",
        part if part.starts_with('{') => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_operation_has_an_answer() -> Result {
    let hub = Hub::builder().document(suprsend_api::DOCUMENT).start().await?;
    assert_eq!(hub.unanswerable(), []);
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_read() -> Result {
    let hub = Hub::start().await?;
    let mut read = 0;
    for (method, path, operation) in operations(&document()) {
        if method != "GET" || !path.contains('{') || path == "/v1/object/{object_type}/" {
            continue;
        }
        // The one that is read with a query which it cannot do without.
        let query = if path.ends_with("/preference_category/") { "?mode=draft" } else { "" };
        let path_and_query = filled(&path) + query;
        let (status, response) =
            send_as(&hub, scheme(&operation), &method, &path_and_query, Value::Null).await?;
        assert_eq!(status, 404, "{path}: {response}");
        assert!(
            response["message"].as_str().is_some_and(|it| it.ends_with("none not found")),
            "{path}: {response}"
        );
        read += 1;
    }
    assert!(read >= 20, "{read}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_says_nothing_is_refused_where_the_document_asks_for_more() -> Result {
    let hub = Hub::start().await?;
    for (method, path, operation) in operations(&document()) {
        if operation["requestBody"]["required"] != true {
            continue;
        }
        let (status, response) =
            send_as(&hub, scheme(&operation), &method, &filled(&path), json!("text")).await?;
        assert_eq!(status, 400, "{method} {path}: {response}");
        assert!(response["message"].is_string(), "{method} {path}: {response}");
    }
    assert!(hub.requests().iter().all(|request| request.operation().is_some()));
    Ok(())
}

/// The document's own examples of bodies are taken, or refused for something that does not exist.
#[tokio::test]
async fn the_documents_examples_are_taken() -> Result {
    let hub = Hub::start().await?;
    for (method, path, operation) in operations(&document()) {
        let content = &operation["requestBody"]["content"]["application/json"];
        let examples =
            content["examples"].as_object().into_iter().flatten().map(|(_, example)| &example["value"]);
        for body in content.get("example").into_iter().chain(examples) {
            let (status, response) =
                send_as(&hub, scheme(&operation), &method, &filled(&path), body.clone()).await?;
            let is_missing = response["message"].as_str().is_some_and(|it| it.contains("not found"));
            assert!(
                (200..300).contains(&status) || is_missing,
                "{method} {path} {body}: {status} {response}"
            );
            let last = hub.requests().pop().ok_or("nothing recorded")?;
            assert_eq!(last.operation(), operation["operationId"].as_str(), "{method} {path} {body}");
        }
    }
    Ok(())
}
