//! Lists and retries of the operations on users, against a server that misbehaves to order.

use serde_json::{Value, json};
use suprsend::{Error, RetryPolicy, users::Push};

use crate::server::{Answer, Nobody, Server, created, json as response_json, profile, response};

/// A page of users with these ids.
fn page(ids: &[&str], after: &Value) -> Answer {
    let results: Vec<_> = ids.iter().map(|id| json!({"distinct_id": id})).collect();
    let meta = json!({"has_next": !after.is_null(), "after": after, "has_prev": false, "before": null});
    response_json(200, json!({"meta": meta, "results": results}))
}

/// What comes of all pages: the ids, and the error at the end if there is one.
async fn read(server: &Server) -> (Vec<String>, Option<Error>) {
    let mut items = server.client().users().list().items();
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        match item {
            Ok(user) => ids.extend(user.distinct_id),
            Err(error) => {
                assert!(items.next().await.is_none(), "after an error there is nothing");
                return (ids, Some(error));
            }
        }
    }
    (ids, None)
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_empty_page_in_the_middle_is_not_the_end() {
    let pages = [page(&["a"], &json!("1")), page(&[], &json!("2+/=")), page(&["b"], &Value::Null)];
    let server = Server::start(pages).await;
    let (ids, error) = read(&server).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(ids, ["a", "b"]);
    let targets: Vec<_> = server.received().iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(targets, ["/v1/user/", "/v1/user/?after=1", "/v1/user/?after=2%2B%2F%3D"]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_cursor_that_was_read_already_is_an_error() {
    // A circle of two pages, after one that is not in it.
    let pages = ["1", "2", "3", "2"].map(|after| page(&[after], &json!(after)));
    let server = Server::start(pages).await;
    let (ids, error) = read(&server).await;
    assert_eq!(ids, ["1", "2", "3", "2"]);
    let Some(Error::Paging(error)) = error else { panic!("{error:?}") };
    assert!(error.is_repeated());
    assert_eq!(error.request_id(), Some("request-1"));
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_list_that_goes_on_without_a_cursor_is_an_error() {
    let meta = json!({"has_next": true, "after": null});
    let server = Server::start([response_json(200, json!({"meta": meta, "results": []}))]).await;
    let (_, error) = read(&server).await;
    assert!(matches!(&error, Some(Error::Paging(error)) if !error.is_repeated()), "{error:?}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_error_between_pages_ends_the_list_after_retries() {
    let server = Server::start([page(&["a"], &json!("1")), response(503, &[], "")]).await;
    let (ids, error) = read(&server).await;
    assert_eq!(ids, ["a"]);
    assert!(matches!(error, Some(Error::TooManyAttempts(_))), "{error:?}");
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_404_that_is_not_the_apis_own_is_not_about_the_user() {
    for body in ["<html>no such page</html>", "", "{\"detail\": \"Not found.\"}"] {
        let server = Server::start([response(404, &[], body)]).await;
        let error = server.client().users().get("user-123").optional().await.unwrap_err();
        assert!(matches!(error, Error::Api(_)), "{error:?}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn any_success_without_a_body_will_do_for_a_delete() {
    for answer in
        [response(204, &[], ""), response(202, &[], ""), response_json(200, json!({"success": true}))]
    {
        let server = Server::start([answer.clone(), answer]).await;
        server.client().users().delete("user-123").await.unwrap();
        server.client().users().delete_many(["a", "b"]).await.unwrap();
        let received = server.received();
        assert_eq!(received[0].line, "DELETE /v1/user/user-123/ HTTP/1.1");
        assert_eq!(received[1].line, "DELETE /v1/bulk/user/ HTTP/1.1");
        assert_eq!(received[1].json(), json!({"distinct_ids": ["a", "b"]}));
    }
}

/// Which operations are repeated after which fault: attempts after a 503, and after a 429.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn only_what_is_idempotent_is_repeated_unless_it_was_not_processed() {
    macro_rules! attempts {
        ($($name:literal $call:expr => $after_503:literal, $after_429:literal;)*) => {
            $(for (status, attempts) in [(503, $after_503), (429, $after_429)] {
                let server = Server::start([response(status, &[], "")]).await;
                let client = server.client();
                let call = $call;
                assert!(call(client.users()).await.is_err());
                assert_eq!(server.requests(), attempts, "{} after {status}", $name);
            })*
        };
    }
    use suprsend::Users;
    attempts! {
        "upsert" async |users: Users| users.upsert("u").await.map(drop) => 3, 3;
        "get" async |users: Users| users.get("u").await.map(drop) => 3, 3;
        "delete" async |users: Users| users.delete("u").await.map(drop) => 3, 3;
        "delete_many" async |users: Users| users.delete_many(["u"]).await.map(drop) => 3, 3;
        "list" async |users: Users| users.list().page().await.map(drop) => 3, 3;
        "objects" async |users: Users| users.object_subscriptions("u").page().await.map(drop) => 3, 3;
        "lists" async |users: Users| users.list_subscriptions("u").page().await.map(drop) => 3, 3;
        "merge" async |users: Users| users.merge("u", "v").await.map(drop) => 1, 3;
        "set" async |users: Users| {
            users.edit("u").set("plan", 1).set_once("a", 1).unset("b").remove("c", 1).await.map(drop)
        } => 3, 3;
        "append of a channel" async |users: Users| {
            users.edit("u").append_ios_push(Push::new("token").provider("apns")).await.map(drop)
        } => 3, 3;
        "append of a property" async |users: Users| users.edit("u").append("tags", 1).await.map(drop) => 1, 3;
        "increment" async |users: Users| users.edit("u").set("a", 1).increment("b", 1).await.map(drop) => 1, 3;
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_merge_is_repeated_if_there_was_no_connection_but_not_if_it_broke() {
    let nobody = Nobody::new();
    let error = nobody.client().users().merge("u", "v").await.unwrap_err();
    assert!(matches!(&error, Error::TooManyAttempts(error) if error.attempts() == 3), "{error:?}");

    let server = Server::start([Answer::Steps(vec![crate::server::Step::Close]), created()]).await;
    let error = server.client().users().merge("u", "v").await.unwrap_err();
    assert!(matches!(error, Error::Connection(_)), "{error:?}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_call_has_options_of_its_own() {
    let server = Server::start([response(503, &[], ""), response_json(200, profile())]).await;
    let get = server.client().users().get("user-123").header("x-call", "one");
    let once = get.clone().retry(RetryPolicy::off()).await;
    assert_eq!(once.unwrap_err().status().unwrap(), 503);
    assert_eq!(get.send().await.unwrap().attempts(), 1);
    let received = server.received();
    assert_eq!(received[1].line, "GET /v1/user/user-123/ HTTP/1.1");
    assert_eq!(received[1].header("x-call"), Some("one"));
    assert!(received[1].body.is_empty());
}

/// A page of a list by offset: of these tenants, with as much of its place as the API says.
fn offset_page(ids: &[&str], meta: &Value) -> Answer {
    let results: Vec<_> = ids.iter().map(|id| json!({"tenant_id": id, "tenant_name": id})).collect();
    response_json(200, json!({"meta": meta, "results": results}))
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_list_by_offset_goes_on_by_what_came() {
    let meta = |offset: u32| json!({"count": 5, "limit": 100, "offset": offset});
    // The API gives fewer than it was asked for.
    let server = Server::start([
        offset_page(&["a", "b"], &meta(0)),
        offset_page(&["c", "d"], &meta(2)),
        offset_page(&["e"], &meta(4)),
    ])
    .await;
    let mut items = server.client().tenants().list().limit(100).items();
    let mut count = 0;
    while items.next().await.transpose().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 5);
    let targets: Vec<_> = server.received().iter().map(|request| request.target().to_owned()).collect();
    assert_eq!(
        targets,
        ["/v1/tenant/?limit=100", "/v1/tenant/?limit=100&offset=2", "/v1/tenant/?limit=100&offset=4"]
    );
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_list_by_offset_ends() {
    // At an empty page, whatever the count says; and at a page that was read already, which the API says itself.
    let empty = [
        offset_page(&["a"], &json!({"count": 9, "limit": 1, "offset": 3})),
        offset_page(&[], &json!({"count": 9, "limit": 1, "offset": 4})),
    ];
    let server = Server::start(empty).await;
    let mut pages = server.client().tenants().list().offset(3).pages();
    assert_eq!(pages.next().await.unwrap().unwrap().results.len(), 1);
    assert_eq!(pages.next().await.unwrap().unwrap().results.len(), 0);
    assert!(pages.next().await.is_none());

    let same = offset_page(&["a"], &json!({"count": 9, "limit": 1, "offset": 0}));
    let server = Server::start([same]).await;
    let mut pages = server.client().tenants().list().pages();
    pages.next().await.unwrap().unwrap();
    pages.next().await.unwrap().unwrap();
    assert!(matches!(pages.next().await, Some(Err(Error::Paging(error))) if error.is_repeated()));
    assert!(pages.next().await.is_none());
}
