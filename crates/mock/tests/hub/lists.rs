//! Lists of users and their drafts.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column, done, read, refused, upsert};

#[tokio::test]
async fn a_list_lives_from_its_first_user_to_its_end() -> Result {
    let hub = Hub::start().await?;
    for id in ["ann", "bob", "eve"] {
        upsert(&hub, id, &json!({})).await?;
    }
    let list =
        done(&hub, "POST", "/v1/subscriber_list/", json!({"list_id": "News", "list_name": "The news"}))
            .await?;
    assert_eq!(
        (&list["list_id"], &list["subscribers_count"], &list["status"]),
        (&json!("news"), &json!(0), &json!("active"))
    );
    let path = "/v1/subscriber_list/news/";
    let ids = |ids: &[&str]| json!({"distinct_ids": ids});
    let add = format!("{path}subscriber/add/");
    assert_eq!(
        done(&hub, "POST", &add, ids(&["ann", "bob", "nobody"])).await?,
        json!({"success": true, "affected_count": 2})
    );
    assert_eq!(done(&hub, "POST", &add, ids(&["bob", "eve"])).await?["affected_count"], 1);
    let members = format!("{path}subscriber/");
    assert_eq!(
        column(&read(&hub, &members).await?, "/distinct_id"),
        ["eve", "bob", "ann"],
        "the last one first"
    );
    let page = read(&hub, &format!("{members}?sort=id&limit=2")).await?;
    assert_eq!(column(&page, "/distinct_id"), ["ann", "bob"]);
    let after = page["meta"]["after"].as_str().ok_or("no cursor")?;
    assert_eq!(
        column(&read(&hub, &format!("{members}?sort=id&after={after}")).await?, "/distinct_id"),
        ["eve"]
    );
    let page = read(&hub, &format!("{members}?limit=1")).await?;
    let after = page["meta"]["after"].as_str().ok_or("no cursor")?;
    let second = read(&hub, &format!("{members}?limit=1&after={after}")).await?;
    assert_eq!(column(&second, "/distinct_id"), ["bob"]);
    let before = second["meta"]["before"].as_str().ok_or("no cursor")?;
    assert_eq!(read(&hub, &format!("{members}?limit=1&before={before}")).await?["results"], page["results"]);

    done(&hub, "POST", &format!("{path}subscriber/remove/"), ids(&["ann", "nobody"])).await?;
    done(&hub, "DELETE", "/v1/user/bob/", Value::Null).await?;
    assert_eq!(column(&read(&hub, &members).await?, "/distinct_id"), ["eve"]);
    assert_eq!(column(&read(&hub, "/v1/user/eve/subscribed_to/list/").await?, "/list/list_id"), ["news"]);

    let all = read(&hub, "/v1/subscriber_list/?limit=1&offset=1").await?;
    assert_eq!(
        (column(&all, "/list_id"), &all["meta"]),
        (vec!["news"], &json!({"count": 2, "limit": 1, "offset": 1}))
    );
    assert_eq!(
        read(&hub, "/v1/subscriber_list/all_users/").await?["subscribers_count"],
        2,
        "a list that is always there"
    );

    assert_eq!(done(&hub, "PATCH", &format!("{path}delete/"), Value::Null).await?, json!({"success": true}));
    for (method, path) in [("GET", path.to_owned()), ("PATCH", format!("{path}delete/")), ("POST", add)] {
        let body = if method == "POST" { ids(&["eve"]) } else { Value::Null };
        assert_eq!(
            refused(&hub, method, &path, body).await?,
            (404, "list_id: news not found".into()),
            "{path}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn no_user_is_skipped_if_others_come_and_go_between_pages() -> Result {
    let hub = Hub::start().await?;
    let ids: Vec<_> = (0..40).map(|number| format!("user-{number:02}")).collect();
    for id in &ids {
        upsert(&hub, id, &json!({})).await?;
    }
    let path = "/v1/subscriber_list/all_users/subscriber/?sort=id&limit=20";
    let page = read(&hub, path).await?;
    assert_eq!(column(&page, "/distinct_id"), ids[..20]);

    // An upsert of a known user does not move it, and a new user comes last, although its id is the first.
    upsert(&hub, &ids[30], &json!({"plan": "pro"})).await?;
    done(&hub, "DELETE", "/v1/bulk/user/", json!({"distinct_ids": ids[..20]})).await?;
    upsert(&hub, "ann", &json!({})).await?;
    let after = page["meta"]["after"].as_str().ok_or("no cursor")?;
    let rest = read(&hub, &format!("{path}&after={after}")).await?;
    assert_eq!(column(&rest, "/distinct_id"), ids[20..]);
    let after = rest["meta"]["after"].as_str().ok_or("no cursor")?;
    assert_eq!(column(&read(&hub, &format!("{path}&after={after}")).await?, "/distinct_id"), ["ann"]);
    Ok(())
}

#[tokio::test]
async fn a_draft_replaces_the_list_at_once() -> Result {
    let hub = Hub::start().await?;
    for id in ["ann", "bob"] {
        upsert(&hub, id, &json!({})).await?;
    }
    let path = "/v1/subscriber_list/news/";
    assert_eq!(refused(&hub, "POST", &format!("{path}start_sync/"), Value::Null).await?.0, 404);
    done(&hub, "POST", "/v1/subscriber_list/", json!({"list_id": "news"})).await?;
    done(&hub, "POST", &format!("{path}subscriber/add/"), json!({"distinct_ids": ["ann"]})).await?;
    let draft = done(&hub, "POST", &format!("{path}start_sync/"), Value::Null).await?;
    assert_eq!((&draft["status"], &draft["subscribers_count"]), (&json!("draft"), &json!(0)));
    let version = draft["version_id"].as_str().ok_or("no version")?;
    let draft = format!("{path}version/{version}/");
    done(&hub, "POST", &format!("{draft}subscriber/add/"), json!({"distinct_ids": ["ann", "bob"]})).await?;
    done(&hub, "POST", &format!("{draft}subscriber/remove/"), json!({"distinct_ids": ["ann"]})).await?;
    assert_eq!(read(&hub, &draft).await?["subscribers_count"], 1);
    let list = read(&hub, path).await?;
    assert_eq!((&list["subscribers_count"], &list["drafts"][0]["version_id"]), (&json!(1), &json!(version)));
    assert_eq!(
        column(&read(&hub, &format!("{path}subscriber/")).await?, "/distinct_id"),
        ["ann"],
        "not yet replaced"
    );

    let finished = done(&hub, "PATCH", &format!("{draft}finish_sync/"), Value::Null).await?;
    assert_eq!((&finished["version_id"], &finished["drafts"]), (&Value::Null, &json!([])));
    assert_eq!(column(&read(&hub, &format!("{path}subscriber/")).await?, "/distinct_id"), ["bob"]);
    let gone = (404, format!("version_id: {version} not found"));
    assert_eq!(refused(&hub, "PATCH", &format!("{draft}finish_sync/"), Value::Null).await?, gone);

    let other = done(&hub, "POST", &format!("{path}start_sync/"), Value::Null).await?;
    let other = format!("{path}version/{}/", other["version_id"].as_str().ok_or("no version")?);
    done(&hub, "PATCH", &format!("{other}delete/"), Value::Null).await?;
    assert_eq!(refused(&hub, "GET", &other, Value::Null).await?.0, 404);
    assert_eq!(read(&hub, path).await?["subscribers_count"], 1);
    Ok(())
}
