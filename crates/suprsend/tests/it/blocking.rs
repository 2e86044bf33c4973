//! The API for programs without async.

use suprsend::{Error, blocking::Client, types::SlackChannel};
use suprsend_mock::Hub;
use tokio::runtime::Runtime;

/// A hub, and the runtime that it runs on: another thread's, as it would be.
fn hub() -> (Runtime, Hub, Client) {
    let runtime = Runtime::new().unwrap();
    let hub = runtime.block_on(Hub::start()).unwrap();
    let builder = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy();
    (runtime, hub, builder.build().unwrap())
}

#[test]
fn the_same_calls_wait() {
    let (_runtime, hub, client) = hub();
    let upsert = client
        .users()
        .upsert("user-123")
        .email("jane@example.com")
        .slack(SlackChannel::channel("C1", "xoxb-token"))
        .property("seats", 12);
    upsert.check().unwrap();
    let user = upsert.send().unwrap();
    assert_eq!(user.property::<u8>("seats").unwrap(), Some(12));
    assert!(hub.profile("user-123").is_some());

    let error = client.users().upsert("..").send().unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)));
    let error = client.with_api_key("wrong").unwrap().users().upsert("user-123").send().unwrap_err();
    assert_eq!(error.status().unwrap(), 401);
    let response =
        client.request(suprsend::Method::POST, "/v1/user/raw/").json(&serde_json::json!({})).send().unwrap();
    assert_eq!(response.status(), 201);
}

#[test]
fn the_life_cycle_waits_and_lists_are_iterators() {
    let (_runtime, hub, client) = hub();
    let users = client.users();
    for id in ["a", "b", "c"] {
        users.upsert(id).send().unwrap();
    }
    assert_eq!(users.get("a").send().unwrap().distinct_id.as_deref(), Some("a"));
    assert!(users.get("nobody").optional().send().unwrap().is_none());
    let edited = users.edit("a").increment("seats", 2).send().unwrap();
    assert_eq!(edited.property::<u8>("seats").unwrap(), Some(2));
    let ids: Result<Vec<_>, _> =
        users.list().limit(2).items().map(|user| Ok::<_, Error>(user?.distinct_id)).collect();
    assert_eq!(ids.unwrap().into_iter().flatten().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(
        users.list().limit(2).pages().map(|page| page.unwrap().results.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(users.list().limit(2).page().unwrap().meta.count, Some(3));
    users.merge("a", "b").send().unwrap();
    users.delete("a").send().unwrap();
    users.delete_many(["c"]).send().unwrap();
    assert!(["a", "b", "c"].iter().all(|id| hub.profile(id).is_none()));

    // Inside an async runtime a list is refused once, as every call is.
    let items = users.list().items();
    let found: Vec<_> = Runtime::new().unwrap().block_on(async { items.collect() });
    assert!(matches!(found[..], [Err(Error::Config(_))]), "{found:?}");
}

/// As when each user of a list is edited, or rows come from another client that blocks.
#[test]
fn a_source_of_calls_may_block_itself() {
    let (_runtime, _hub, client) = hub();
    for id in ["a", "b", "c"] {
        client.users().upsert(id).send().unwrap();
    }
    let ids = || client.users().list().limit(2).items().map(|user| user.unwrap().distinct_id.unwrap());
    let edits = ids().map(|id| client.users().edit(id).set("plan", "pro"));
    assert_eq!(client.send_all(edits).filter(|outcome| outcome.result.is_ok()).count(), 3);
    let is_pro = |id| client.users().get(id).send().unwrap().property::<String>("plan").unwrap();
    assert!(["a", "b", "c"].into_iter().all(|id| is_pro(id).as_deref() == Some("pro")));

    let rows = || ids().inspect(|_| Runtime::new().unwrap().block_on(async {}));
    let triggers = rows().map(|id| client.workflows().trigger("welcome").recipient(id));
    assert_eq!(client.workflows().trigger_all(triggers).filter(|outcome| outcome.result.is_ok()).count(), 3);
    client.lists().upsert("news").send().unwrap();
    client.lists().replace("news", rows()).send().unwrap();
    assert_eq!(client.lists().subscribers("news").list().items().count(), 3);
}

#[test]
fn several_threads_share_a_client() {
    let (_runtime, hub, client) = hub();
    std::thread::scope(|scope| {
        for number in 0..8 {
            let client = client.clone();
            scope.spawn(move || client.users().upsert(format!("user-{number}")).send().unwrap());
        }
    });
    assert!((0..8).all(|number| hub.profile(&format!("user-{number}")).is_some()));
}

#[tokio::test]
async fn inside_a_runtime_it_is_an_error() {
    // Made, used and dropped inside a runtime, each of which tokio's own runtime answers with a panic.
    let client = Client::from_api_key("key").unwrap();
    let error = client.users().upsert("user-123").send().unwrap_err();
    let Error::Config(error) = &error else { panic!("{error:?}") };
    assert_eq!(error.setting(), "blocking");
    assert!(error.to_string().contains("use suprsend::Client"));
    drop(client);
}

#[test]
fn many_calls_are_in_flight_here_too() {
    let (_runtime, hub, client) = hub();
    let users = client.users();
    let upserts = (0..50).map(|number| (number, users.upsert(number)));
    let mut outcomes = client.send_all(upserts);
    let mut numbers: Vec<_> = outcomes
        .by_ref()
        .map(|outcome| {
            outcome.result.unwrap();
            outcome.value
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..50).collect::<Vec<_>>());
    assert_eq!(outcomes.summary().succeeded, 50);
    assert!(hub.profile("49").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_runtime_allows_for_waiting_so_does_the_client() {
    let hub = Hub::start().await.unwrap();
    let client = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().build().unwrap();
    let other = client.clone();
    let waited = tokio::task::spawn_blocking(move || other.users().upsert("a").send().map(drop));
    waited.await.unwrap().unwrap();
    tokio::task::block_in_place(|| client.users().upsert("b").send()).unwrap();
    let handle = tokio::runtime::Handle::current();
    let other = client.clone();
    let entered = std::thread::spawn(move || {
        let _guard = handle.enter();
        other.users().upsert("c").send().map(drop)
    });
    tokio::task::spawn_blocking(move || entered.join()).await.unwrap().unwrap().unwrap();
    assert!(["a", "b", "c"].iter().all(|id| hub.profile(id).is_some()));

    let task = tokio::spawn(async move { client.users().upsert("d").send().map(drop) });
    assert!(matches!(task.await.unwrap(), Err(Error::Config(_))));
}

/// Between two calls the server closes the connection, which nobody would notice whose runtime stands still.
#[test]
fn a_connection_that_the_server_has_closed_is_not_used_again() {
    use crate::server::{Answer, Server, Step, bytes, profile};
    let runtime = Runtime::new().unwrap();
    let merged = Answer::Steps(vec![
        Step::Write(bytes(201, &[], profile().to_string())),
        Step::Pause(std::time::Duration::from_millis(20)),
        Step::Close,
    ]);
    let server = runtime.block_on(Server::start([merged]));
    let client = Client::builder().base_url(&server.url).api_key("key").no_proxy().build().unwrap();
    for _ in 0..12 {
        client.users().merge("a", "b").send().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    assert_eq!(server.requests(), 12);
}

#[test]
fn records_in_packs_and_lists_wait_here_too() {
    let (_runtime, hub, _) = hub();
    let builder = Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy();
    let client = builder.workspace("9a1b2c3d4e5f60718293").build().unwrap();
    let users = client.users();
    let mut ingested = users.ingest_all((0..250).map(|number| users.upsert(number)));
    assert_eq!(ingested.by_ref().filter(|outcome| outcome.result.is_ok()).count(), 250);
    assert_eq!(ingested.summary().succeeded, 250);
    assert!(hub.profile("249").is_some());

    let workflows = client.workflows();
    let triggers = (0..250).map(|number| (number, workflows.trigger("w").recipients(number.to_string())));
    let mut numbers: Vec<_> = workflows
        .trigger_all(triggers)
        .map(|outcome| {
            outcome.result.unwrap();
            outcome.value
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..250).collect::<Vec<_>>());
    let events = client.events();
    assert_eq!(
        events.track_all([events.track("1", "e")]).filter(|outcome| outcome.result.is_ok()).count(),
        1
    );

    client.lists().upsert("news").send().unwrap();
    let list = client.lists().replace("news", 0..250).send().unwrap();
    assert_eq!(list.subscribers_count, Some(250));
    client.objects().upsert("teams", "all").send().unwrap();
    let team = client.objects().subscriptions("teams", "all");
    assert_eq!(team.add_all((0..150).map(|number| number.to_string())).count(), 2);
}
