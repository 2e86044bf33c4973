//! Objects and their subscriptions.

use serde_json::{Value, json};
use suprsend_mock::Hub;

use crate::{Result, column, done, read, refused};

const TEAM: &str = "/v1/object/teams/a%2Fb/";

#[tokio::test]
async fn an_object_lives_as_a_user_does() -> Result {
    let hub = Hub::start().await?;
    let body = json!({"$email": ["team@example.com"], "$slack": [{"email": "a@example.com", "access_token": "xoxb-1"}], "plan": "pro"});
    let made = done(&hub, "POST", TEAM, body).await?;
    assert_eq!((&made["object_type"], &made["id"]), (&json!("teams"), &json!("a/b")));
    assert_eq!(made["$email"][0]["value"], "team@example.com");
    assert_eq!((&made["properties"], &made["subscriptions_count"]), (&json!({"plan": "pro"}), &json!(0)));
    assert_eq!(read(&hub, TEAM).await?, made);
    assert_eq!(hub.stored("objects", &["teams", "a/b"]), Some(made));

    let operations =
        json!([{"$append": {"$email": "b@example.com"}}, {"$increment": {"seats": 2}}, {"$unset": ["plan"]}]);
    let edited = done(&hub, "PATCH", TEAM, json!({"operations": operations})).await?;
    assert_eq!(edited["$email"].as_array().map(Vec::len), Some(2));
    assert_eq!(edited["properties"], json!({"seats": 2}));
    let wrong = json!({"operations": [{"$set": {"x": 1}}, {"$append": {"seats": 1}}]});
    assert_eq!(refused(&hub, "PATCH", TEAM, wrong).await?.0, 400);
    assert_eq!(read(&hub, TEAM).await?, edited, "an edit is done as a whole or not at all");

    for id in ["c", "d"] {
        done(&hub, "POST", &format!("/v1/object/teams/{id}/"), json!({})).await?;
    }
    done(&hub, "POST", "/v1/object/places/x/", json!({})).await?;
    let page = read(&hub, "/v1/object/teams/?limit=2").await?;
    assert_eq!((column(&page, "/id"), &page["meta"]["count"]), (vec!["a/b", "c"], &json!(3)));
    let after = page["meta"]["after"].as_str().ok_or("no cursor")?;
    assert_eq!(column(&read(&hub, &format!("/v1/object/teams/?after={after}")).await?, "/id"), ["d"]);

    assert_eq!(done(&hub, "DELETE", TEAM, Value::Null).await?, "");
    for method in ["GET", "DELETE"] {
        assert_eq!(refused(&hub, method, TEAM, Value::Null).await?, (404, "id: a/b not found".into()));
    }
    done(&hub, "DELETE", "/v1/bulk/object/teams/", json!({"object_ids": ["c", "nobody"]})).await?;
    assert_eq!(column(&read(&hub, "/v1/object/teams/").await?, "/id"), ["d"]);
    assert_eq!(column(&read(&hub, "/v1/object/places/").await?, "/id"), ["x"]);
    Ok(())
}

#[tokio::test]
async fn subscriptions_go_both_ways_and_two_levels_deep() -> Result {
    let hub = Hub::start().await?;
    let path = |id: &str| format!("/v1/object/teams/{id}/subscription/");
    let child = json!({"object_type": "teams", "id": "child", "color": "red"});
    let ann = json!({"distinct_id": "ann", "$email": ["ann@example.com"]});
    let body = json!({"recipients": ["bob", ann, child], "properties": {"role": "x"}, "parent_object_properties": {"plan": "pro"}});
    let added = done(&hub, "POST", &path("top"), body.clone()).await?;
    assert_eq!(column(&added, "/user/distinct_id"), ["bob", "ann"]);
    assert_eq!(added["results"][2]["object"]["id"], "child");
    assert_eq!(hub.profile("ann").ok_or("no user")?["$email"][0]["value"], "ann@example.com");
    let top = read(&hub, "/v1/object/teams/top/").await?;
    assert_eq!((&top["properties"], &top["subscriptions_count"]), (&json!({"plan": "pro"}), &json!(3)));

    // The same again changes nothing but the properties.
    let mut again = body;
    again["properties"] = json!({"role": "y"});
    done(&hub, "POST", &path("top"), again).await?;
    let page = read(&hub, &path("top")).await?;
    assert_eq!(page["meta"]["count"], 3);
    assert!(
        page["results"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["properties"] == json!({"role": "y"})))
    );
    let parents = read(&hub, "/v1/object/teams/child/subscribed_to/object/").await?;
    assert_eq!(column(&parents, "/object/id"), ["top"]);
    assert_eq!(column(&read(&hub, "/v1/user/ann/subscribed_to/object/").await?, "/object/id"), ["top"]);

    done(&hub, "POST", &path("child"), json!({"recipients": ["eve"]})).await?;
    let deeper = json!({"recipients": [{"object_type": "teams", "id": "grandchild"}]});
    let message = "recipients: subscriptions are at most two levels deep";
    assert_eq!(refused(&hub, "POST", &path("child"), deeper).await?, (400, message.into()));
    assert!(hub.stored("objects", &["teams", "grandchild"]).is_none(), "what is refused changes nothing");
    let wrong =
        refused(&hub, "POST", &path("top"), json!({"recipients": [{"$email": ["x@example.com"]}]})).await?;
    assert_eq!(wrong.0, 400);

    done(
        &hub,
        "DELETE",
        &path("top"),
        json!({"recipients": ["bob", {"object_type": "teams", "id": "child"}]}),
    )
    .await?;
    assert_eq!(column(&read(&hub, &path("top")).await?, "/user/distinct_id"), ["ann"]);
    done(&hub, "DELETE", "/v1/user/ann/", Value::Null).await?;
    assert_eq!(read(&hub, &path("top")).await?["meta"]["count"], 0);
    assert_eq!(
        refused(&hub, "GET", &path("nobody"), Value::Null).await?,
        (404, "id: nobody not found".into())
    );
    // Only with properties of its own is the object made.
    assert_eq!(
        refused(&hub, "POST", &path("nobody"), json!({"recipients": ["new"]})).await?,
        (404, "id: nobody not found".into())
    );
    assert!(hub.profile("new").is_none(), "what is refused changes nothing");
    Ok(())
}
