//! Records in packs: each has one outcome, none runs twice, and no request is over a limit.
//!
//! The clock is tokio's, paused, as in the tests of faults.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use proptest::prelude::*;
use serde_json::{Value, json};
use suprsend::{
    Client, Error, RetryPolicy, StatusCode,
    bulk::RecordOutcome,
    types::{BulkRecord, EditOperation, Event, UserProperties, UserRecord, WorkflowTrigger},
    users::Push,
};
use suprsend_mock::{Fault, Hub};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use crate::server::{Answer, Server, Step, json as response_json, response};

fn client(hub: &Hub) -> Client {
    let builder = Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy();
    builder.workspace("9a1b2c3d4e5f60718293").build().unwrap()
}

async fn collect<T>(outcomes: &mut (impl Stream<Item = T> + Unpin)) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(outcome) = poll_fn(|context| Pin::new(&mut *outcomes).poll_next(context)).await {
        all.push(outcome);
    }
    all
}

/// Attempts that an outage took do not count against the records of their pack.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_leaves_a_record_its_own_attempts() {
    let of_record = |record: Value| response_json(207, json!({"status": "success", "records": [record]}));
    let busy = json!({"status": "error", "status_code": 503, "error": {"type": "internal_error", "message": "busy"}});
    let accepted = json!({"status": "success", "status_code": 202, "message_id": "message-1"});
    let mut answers = vec![Answer::CloseAtOnce; 4];
    answers.extend([of_record(busy), of_record(accepted)]);
    let server = Server::start(answers).await;
    let policy = RetryPolicy::default().max_attempts(4);
    let client = server.builder().retry(policy).build().unwrap();
    let outcomes = collect(&mut client.workflows().trigger_all([trigger(1)])).await;
    let response = outcomes[0].result.as_ref().unwrap();
    assert_eq!((outcomes.len(), response.attempts()), (1, 6));
}

/// A trigger with a number that tells it from others.
fn trigger(number: u64) -> WorkflowTrigger {
    let body = json!({"workflow": "order-shipped", "recipients": ["nobody"], "data": {"number": number}});
    serde_json::from_value(body).unwrap()
}

/// The bodies of the requests that came, as lists.
fn packs(hub: &Hub) -> Vec<Vec<Value>> {
    hub.requests().iter().map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
}

/// Number of records to send: thousands, or the number in the environment.
fn count() -> u64 {
    env::var("SUPRSEND_TEST_RECORDS").map_or(4000, |count| count.parse().unwrap())
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn each_trigger_has_one_outcome_and_none_runs_twice_whatever_goes_wrong() {
    let count = count();
    let hub =
        Hub::builder().recorded_requests(10_000).largest_store(16 << 30).observe(assert_limits).start().await;
    let hub = hub.unwrap();
    let faults = [
        Fault::status(429).retry_after(Duration::from_secs(3)).share(0.03),
        Fault::status(503).share(0.06),
        Fault::status(500).share(0.06),
        Fault::status(502).header("content-type", "text/html").body("<h1>Bad Gateway</h1>").share(0.06),
        Fault::status(403).share(0.03),
        Fault::delay(Duration::from_secs(20)).share(0.03),
        Fault::reset().share(0.06),
        Fault::lost().share(0.06),
        Fault::truncated().share(0.06),
        Fault::record(429).share(0.05),
        Fault::record(503).share(0.05),
        Fault::record(500).share(0.05),
        Fault::record(404).share(0.02),
        Fault::record(403).share(0.02),
    ];
    for fault in faults {
        hub.inject(fault).unwrap();
    }
    let client = client(&hub);
    // One in a hundred is wrong and must not be sent.
    let triggers = (0..count).map(|number| {
        let mut trigger = trigger(number);
        if number % 100 == 7 {
            trigger.recipients.clear();
        }
        (number, trigger)
    });

    let mut stream = client.workflows().trigger_all(triggers);
    let mut seen = vec![false; usize::try_from(count).unwrap()];
    let (mut accepted, mut kinds) = (BTreeSet::new(), BTreeMap::new());
    while let Some(RecordOutcome { index, value, idempotency_key, result, .. }) = stream.next().await {
        assert_eq!(index, value);
        let slot = &mut seen[usize::try_from(index).unwrap()];
        assert!(!std::mem::replace(slot, true), "a second outcome of {index}");
        let kind = match &result {
            Ok(record) => {
                assert!(record.message_id.is_some());
                assert!(accepted.insert(idempotency_key.unwrap()), "two records with one key");
                "accepted"
            }
            Err(Error::InvalidInput(_)) => {
                assert_eq!(index % 100, 7);
                "invalid"
            }
            Err(Error::NotFound(_)) => "not found",
            Err(Error::Api(_)) => "refused",
            Err(Error::TooManyAttempts(_)) => "given up",
            Err(other) => panic!("{other:?}"),
        };
        *kinds.entry(kind).or_insert(0_u64) += 1;
    }
    assert!(seen.iter().all(|seen| *seen), "a record without an outcome");
    assert_eq!(kinds["invalid"], count / 100);
    for kind in ["accepted", "not found", "refused"] {
        assert!(kinds[kind] > count / 200, "{kinds:?}");
    }
    assert!(kinds["accepted"] > count * 6 / 10, "{kinds:?}");

    let summary = stream.summary();
    assert_eq!((summary.succeeded, summary.finished(), summary.in_flight), (kinds["accepted"], count, 0));
    assert!(summary.retries > 0);

    let (mut runs, mut duplicates) = (BTreeMap::new(), 0);
    for sent in hub.sent() {
        if sent.is_duplicate() {
            duplicates += 1;
        } else {
            *runs.entry(sent.key().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    assert!(runs.values().all(|runs| *runs == 1), "a record ran twice");
    assert!(accepted.iter().all(|key| runs.contains_key(key)), "an accepted record did not run");
    assert!(duplicates > 0, "no response was lost, so this was no fair test");
}

/// No request is over a limit.
fn assert_limits(request: &suprsend_mock::Recorded) {
    let records: Vec<Value> = serde_json::from_slice(request.body()).unwrap();
    assert!((1..=100).contains(&records.len()));
    assert!(request.body().len() <= 800 * 1024);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn packs_are_within_the_limits_and_keep_the_order(
        sizes in prop::collection::vec(prop_oneof![90 => 0_usize..300, 8 => 0_usize..30_000, 2 => 0_usize..700_000], 1..250),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // It refuses bodies over 800 KB by itself.
            let hub = Hub::start().await.unwrap();
            let client = client(&hub);
            let triggers = sizes.iter().enumerate().map(|(number, size)| {
                client.workflows().trigger("order-shipped").recipient("nobody")
                    .data("number", number)
                    .data("padding", "\"".repeat(*size / 2))
            });
            let outcomes = collect(&mut client.workflows().trigger_all(triggers)).await;
            prop_assert_eq!(outcomes.len(), sizes.len());
            for outcome in &outcomes {
                prop_assert!(outcome.result.is_ok(), "{:?}", outcome.result);
            }
            let mut numbers = Vec::new();
            for (request, pack) in hub.requests().iter().zip(packs(&hub)) {
                prop_assert!(pack.len() <= 100 && request.body().len() <= 800 * 1024);
                let pack: Vec<_> = pack.iter().map(|record| record["data"]["number"].as_u64().unwrap()).collect();
                prop_assert!(pack.is_sorted());
                numbers.extend(pack);
            }
            numbers.sort_unstable();
            prop_assert_eq!(numbers, (0..sizes.len() as u64).collect::<Vec<_>>());
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_failed_for_a_while_is_sent_again_with_its_key_and_holds_nobody_up() {
    let hub = Hub::start().await.unwrap();
    hub.inject(Fault::record(429).times(2)).unwrap();
    hub.inject(Fault::record(500).times(1)).unwrap();
    let client = client(&hub);
    let mut stream = client.workflows().trigger_all((0..10).map(trigger));
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for _ in 0..7 {
        outcomes.push(stream.next().await.unwrap());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    outcomes.extend(collect(&mut stream).await);

    outcomes.sort_by_key(|outcome| outcome.index);
    let attempts: Vec<_> =
        outcomes.iter().map(|outcome| outcome.result.as_ref().unwrap().attempts()).collect();
    assert_eq!(attempts, [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!((stream.summary().succeeded, stream.summary().retries), (10, 3));
    let mut sent: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for record in packs(&hub).concat() {
        let key = record["$idempotency_key"].as_str().unwrap().to_owned();
        sent.entry(record["data"]["number"].as_u64().unwrap()).or_default().push(key);
    }
    for (outcome, keys) in outcomes.iter().zip(sent.values()) {
        assert!(keys.iter().all(|key| Some(key) == outcome.idempotency_key.as_ref()));
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn attempts_of_a_record_are_bounded_by_the_policy() {
    let hub = Hub::start().await.unwrap();
    hub.inject(Fault::record(503).times(2).share(1.0)).unwrap();
    hub.inject(Fault::status(503).times(1)).unwrap();
    let client = client(&hub);
    // The request fails once, and then the record twice.
    let outcome = client.workflows().trigger_all([trigger(0)]).next().await.unwrap();
    let error = outcome.result.unwrap_err();
    assert!(error.to_string().starts_with("gave up after 3 attempts: the API answered 503"), "{error}");
    assert_eq!(error.api().unwrap().message(), Some("Service Unavailable"));
    assert_eq!(hub.requests().len(), 3);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_error_of_a_record_is_the_apis() {
    let hub = Hub::start().await.unwrap();
    hub.define_workflow(json!({"slug": "order-shipped"})).unwrap();
    hub.inject(Fault::record(403).times(1)).unwrap();
    let client = client(&hub);
    let mut unknown = trigger(1);
    unknown.workflow = "no-such-workflow".to_owned();
    let mut outcomes = collect(&mut client.workflows().trigger_all([trigger(0), unknown, trigger(2)])).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let error = outcomes[0].result.as_ref().unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(error.to_string(), "the API answered 403 Forbidden: Forbidden (bad_request)");
    let Err(Error::NotFound(error)) = &outcomes[1].result else { panic!("{:?}", outcomes[1]) };
    assert_eq!(error.api().message(), Some("workflow not found"));
    assert_eq!(error.api().json::<BulkRecord>().unwrap().status_code, 404);
    assert!(outcomes[2].result.is_ok());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_is_wrong_with_a_record_is_its_own_failure() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let workflows = client.workflows();
    let good = |number: u64| workflows.trigger("w").recipient("nobody").data("number", number);
    let triggers = [
        good(0),
        good(1).data("padding", "x".repeat(900 * 1024)),
        workflows.trigger("w"),
        good(3).data("number", f64::NAN),
        good(4).timeout(Duration::from_secs(1)),
        good(5),
    ];
    let mut outcomes = collect(&mut workflows.trigger_all(triggers)).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let errors: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.result.as_ref().map_or_else(ToString::to_string, |_| String::new()))
        .collect();
    assert_eq!((errors[0].as_str(), errors[5].as_str()), ("", ""));
    assert!(errors[1].contains("bytes, and at most 819198 are accepted (800 KB)"), "{}", errors[1]);
    assert!(errors[2].starts_with("invalid input: recipients is empty"), "{}", errors[2]);
    assert_eq!(errors[3], "invalid input: data.number is not a number in JSON");
    assert!(errors[4].starts_with("invalid input: timeout cannot be set for one of many"), "{}", errors[4]);
    assert_eq!(packs(&hub).concat().len(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_endless_input_of_what_is_wrong_does_not_hang_or_pile_up() {
    let hub = Hub::start().await.unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let wrong = (0..).map(move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        WorkflowTrigger { recipients: Vec::new(), ..trigger(number) }
    });
    let mut stream = client(&hub).workflows().trigger_all(wrong);
    for number in 0..1000 {
        let outcome = stream.next().await.unwrap();
        assert_eq!(outcome.index, number);
        assert!(matches!(outcome.result, Err(Error::InvalidInput(_))));
        assert!(taken.load(Ordering::Relaxed) <= number + 101);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_concurrency_bounds_what_is_taken() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let client = server.client();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let triggers = (0..).map(trigger).inspect(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut stream = client.workflows().trigger_all(triggers).fixed_concurrency(3);
    assert_eq!(taken.load(Ordering::Relaxed), 0, "nothing happens before it is asked for");
    assert!(timeout(Duration::from_secs(1), stream.next()).await.is_err());
    assert_eq!(taken.load(Ordering::Relaxed), 300);
    assert_eq!((server.requests(), stream.summary().in_flight), (3, 300));
    drop(stream);
    sleep(Duration::from_secs(600)).await;
    assert_eq!(server.requests(), 3, "dropping stops it");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_wait_that_is_cut_short_loses_nothing() {
    let hub = Hub::start().await.unwrap();
    hub.inject(Fault::delay(Duration::from_millis(70)).share(0.5)).unwrap();
    hub.inject(Fault::record(500).share(0.1)).unwrap();
    let client = client(&hub);
    let mut stream = client.workflows().trigger_all((0..1000).map(trigger));
    let mut indices = BTreeSet::new();
    loop {
        match timeout(Duration::from_millis(5), stream.next()).await {
            Ok(Some(outcome)) => assert!(indices.insert(outcome.index)),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(indices.len(), 1000);
}

/// A stream that has its items when it is told so.
struct Gated<T>(mpsc::UnboundedReceiver<T>);

impl<T> Stream for Gated<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_record_does_not_wait_for_a_pack_to_be_full() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let client = server.client();
    let (send, receive) = mpsc::unbounded_channel();
    let mut stream = client.workflows().trigger_all(Gated(receive));
    let mut requests = Vec::new();
    for number in 0..3 {
        send.send(trigger(number)).unwrap();
        // The first leaves at once, the others after a moment, though no request has ended.
        assert!(timeout(Duration::from_millis(100), stream.next()).await.is_err());
        requests.push(server.requests());
    }
    assert_eq!(requests, [1, 2, 3]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn triggers_come_in_any_form() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let workflows = client.workflows();
    let rows = ["1", "2", "three", "4"].map(|row| {
        let number = row.parse::<u64>()?;
        Ok::<_, std::num::ParseIntError>((row, trigger(number)))
    });
    let mut outcomes = collect(&mut workflows.trigger_all(rows)).await;
    assert!(outcomes.pop().unwrap().is_err(), "the error of the input comes last");
    let values: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().value).collect();
    assert_eq!(values, BTreeSet::from(["1", "2"]));

    let call = workflows.trigger("w").recipient("nobody").idempotency_key("my-key".to_owned());
    let outcome = workflows.trigger_all(vec![call]).next().await.unwrap();
    assert_eq!(outcome.idempotency_key.as_deref(), Some("my-key"));
    assert_eq!(outcome.result.unwrap().idempotency_key(), Some("my-key"));
    let none = workflows.trigger_all(Vec::<WorkflowTrigger>::new()).next().await;
    assert!(none.is_none());
    assert_eq!(hub.requests().len(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn without_keys_what_may_have_run_is_not_sent_again() {
    let hub = Hub::start().await.unwrap();
    let builder = Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy();
    let client = builder.idempotency_keys(false).build().unwrap();
    let faults = [Fault::lost(), Fault::record(500), Fault::record(429)];
    for fault in faults {
        hub.inject(fault.operation("trigger-workflows")).unwrap();
    }
    let mut with_key = trigger(0);
    with_key.idempotency_key = Some("my-key".to_owned());
    let triggers = [with_key, trigger(1), trigger(2), trigger(3)];
    let mut outcomes = collect(&mut client.workflows().trigger_all(triggers)).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let ended: Vec<_> = outcomes.iter().map(|outcome| outcome.result.is_ok()).collect();
    assert_eq!(ended, [true, false, false, false]);
    assert!(outcomes[1..].iter().all(|outcome| outcome.idempotency_key.is_none()));
    let runs = hub.sent().iter().filter(|sent| !sent.is_duplicate()).count();
    assert!(runs <= 4, "{runs}");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn giving_up_leaves_no_record_without_an_outcome() {
    let server = Server::start([Answer::CloseAtOnce]).await;
    let client = server.client();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let triggers = (0..).map(trigger).inspect(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut stream = client.workflows().trigger_all(triggers).max_outage(Duration::from_secs(30));
    let outcomes = collect(&mut stream).await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    let indices: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.index).collect();
    assert_eq!(indices.len() as u64, taken.load(Ordering::Relaxed));
    assert_eq!((indices.len(), stream.summary().in_flight), (outcomes.len(), 0));
    assert!(stream.summary().gave_up);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn stopping_sends_what_was_taken() {
    let hub = Hub::start().await.unwrap();
    hub.inject(Fault::record(500).share(0.2)).unwrap();
    let client = client(&hub);
    let mut stream = client.workflows().trigger_all((0..).map(trigger)).fixed_concurrency(2);
    let mut outcomes = vec![stream.next().await.unwrap()];
    stream.stop();
    outcomes.extend(collect(&mut stream).await);
    let indices: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.index).collect();
    assert_eq!(indices, (0..outcomes.len() as u64).collect());
    assert_eq!(stream.summary().in_flight, 0);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_response_that_does_not_tell_whom_it_is_about_fails_all_of_them() {
    let answers =
        [response_json(207, json!({"status": "success", "records": []})), response(202, &[], "<h1>OK</h1>")];
    let server = Server::start(answers).await;
    let client = server.client();
    for expected in ["has 0 outcomes for 2 records", "its response"] {
        let outcomes = collect(&mut client.workflows().trigger_all((0..2).map(trigger))).await;
        for outcome in &outcomes {
            let error = outcome.result.as_ref().unwrap_err();
            assert!(matches!(error, Error::UndecodableResponse(_)) && error.to_string().contains(expected));
        }
        assert_eq!(outcomes.len(), 2);
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn events_have_their_envelope() {
    let hub = Hub::start().await.unwrap();
    hub.seed("user-0", json!({})).unwrap();
    let client = client(&hub);
    let events = client.events();
    let calls = (0..150).map(|number| {
        (number, events.track(format!("user-{number}"), "order placed").properties("number", number))
    });
    let outcomes = collect(&mut events.track_all(calls)).await;
    assert_eq!(outcomes.len(), 150);
    assert!(outcomes.iter().all(|outcome| outcome.result.as_ref().unwrap().message_id.is_some()));
    let packs = packs(&hub);
    let sizes: BTreeSet<_> = packs.iter().map(Vec::len).collect();
    assert_eq!((packs.len(), sizes), (2, BTreeSet::from([50, 100])));
    assert_eq!(hub.requests()[0].path(), "/v2/bulk/event/");
    for event in packs.concat() {
        assert_eq!(event["env"], "9a1b2c3d4e5f60718293");
        assert_eq!(event["$insert_id"].as_str().unwrap().len(), 36);
        assert!(event["$time"].as_i64().unwrap() > 1_640_995_200_000);
        assert!(event["$idempotency_key"].is_string());
    }
    let event: Event =
        serde_json::from_value(json!({"distinct_id": "user-0", "event": "e", "env": "mine"})).unwrap();
    events.track_all([event]).next().await.unwrap().result.unwrap();
    assert_eq!(self::packs(&hub)[2][0]["env"], "mine");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn upserts_that_are_ingested_make_the_profiles_that_they_make_one_by_one() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let users = client.users();
    let upsert = |id: &str| {
        users
            .upsert(id)
            .email(["a@example.com", "b@example.com"])
            .sms("+15551234567")
            .android_push("token-of-android")
            .timezone("Europe/Paris")
            .locale("en_GB")
            .property("plan", "pro")
            .property("seats", 3)
    };
    upsert("one").await.unwrap();
    let outcomes = collect(&mut users.ingest_all([upsert("other"), users.upsert("empty")])).await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    let without_times = |id: &str| {
        let mut profile = hub.profile(id).unwrap();
        for name in ["distinct_id", "created_at", "updated_at"] {
            profile.as_object_mut().unwrap().remove(name);
        }
        profile
    };
    assert_eq!(without_times("other"), without_times("one"));
    assert!(hub.profile("empty").is_some());

    let record = &packs_of(&hub, "ingest-users")[0][0];
    let operations = record["$user_operations"].as_array().unwrap();
    assert_eq!(operations.len(), 5);
    assert_eq!(
        operations[0],
        json!({"$set": {"plan": "pro", "seats": 3, "$timezone": "Europe/Paris", "$locale": "en_GB"}})
    );
    assert_eq!(operations[1], json!({"$append": {"$email": "a@example.com"}}));
    assert_eq!((&record["$schema"], &record["env"]), (&json!("2"), &json!("9a1b2c3d4e5f60718293")));
    let version = record["properties"]["$ss_sdk_version"].as_str().unwrap();
    assert!(version.starts_with("suprsend-rust/"), "{version}");
}

fn packs_of(hub: &Hub, operation: &str) -> Vec<Vec<Value>> {
    let requests = hub.requests().into_iter().filter(|request| request.operation() == Some(operation));
    requests.map(|request| serde_json::from_slice(request.body()).unwrap()).collect()
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn edits_that_are_ingested_do_what_they_do_one_by_one() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let users = client.users();
    for id in ["one", "other"] {
        hub.seed(id, json!({"$email": ["old@example.com"], "nickname": "x", "tags": ["a"], "seats": 1}))
            .unwrap();
    }
    let edit = |id: &str| {
        users
            .edit(id)
            .unset_channel(suprsend::Channel::Email)
            .append_email("new@example.com")
            .append_sms("+15551234567")
            .append_ios_push(Push::new("token-of-ios").provider("apns").bundle_id("com.example.app"))
            .append("tags", "b")
            .set("plan", "pro")
            .set_once("plan", "free")
            .increment("seats", 2)
            .unset("nickname")
    };
    edit("one").await.unwrap();
    collect(&mut users.ingest_all([edit("other")])).await.remove(0).result.unwrap();
    for name in ["$email", "$sms", "$iospush", "properties"] {
        assert_eq!(hub.profile("other").unwrap()[name], hub.profile("one").unwrap()[name], "{name}");
    }
    let record = &packs_of(&hub, "ingest-users")[0][0];
    for operation in record["$user_operations"].as_array().unwrap() {
        assert_eq!(operation.as_object().unwrap().len(), 1, "{operation}");
        assert!(operation.get("$increment").is_none(), "{operation}");
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_record_that_adds_up_is_not_sent_twice_and_the_others_are() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let users = client.users();
    hub.inject(Fault::lost().times(1)).unwrap();
    let edit = |id: &str| users.edit(id).increment("seats", 1);
    let set = |id: &str| users.edit(id).set("plan", "pro");
    let mut outcomes = collect(&mut users.ingest_all([edit("a"), set("b"), set("c")])).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    assert!(matches!(outcomes[0].result, Err(Error::Connection(_))), "{:?}", outcomes[0]);
    assert!(outcomes[1..].iter().all(|outcome| outcome.result.as_ref().unwrap().attempts() == 2));
    assert_eq!(hub.profile("a").unwrap()["properties"]["seats"], 1);
    assert_eq!(packs(&hub).iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn one_record_that_the_hub_refuses_with_all_others_is_found() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let record = |number: usize| {
        let mut set = UserProperties::default();
        // The hub takes no properties of its own names, which the document does not say.
        let name = if number == 37 { "$no_such_name" } else { "plan" };
        set.extra.insert(name.to_owned(), "pro".into());
        let json = json!({"distinct_id": format!("user-{number}"), "$user_operations": []});
        let mut record: UserRecord = serde_json::from_value(json).unwrap();
        record.user_operations.push(EditOperation { set: Some(set), ..EditOperation::default() });
        record
    };
    let mut stream = client.users().ingest_all((0..500).map(record));
    let outcomes = collect(&mut stream).await;
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.result.is_err()).collect();
    assert_eq!((outcomes.len(), failed.len()), (500, 1));
    assert_eq!(failed[0].index, 37);
    assert_eq!(failed[0].result.as_ref().unwrap_err().status(), Some(StatusCode::BAD_REQUEST));
    assert!((0..500).all(|number| hub.profile(&format!("user-{number}")).is_some() == (number != 37)));
    assert!(hub.requests().len() < 25, "{}", hub.requests().len());
    assert_eq!(packs(&hub).iter().map(Vec::len).max(), Some(400));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn what_cannot_be_ingested_is_its_own_failure() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let users = client.users();
    let upserts = [
        users.upsert("a").property("text", "x".repeat(11_000)),
        users.upsert(" "),
        users.upsert("c").email("no address"),
        users.upsert("d"),
    ];
    let mut outcomes = collect(&mut users.ingest_all(upserts)).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let errors: Vec<_> = outcomes.iter().map(|outcome| outcome.result.as_ref().err()).collect();
    let text = |index: usize| errors[index].unwrap().to_string();
    assert!(text(0).contains("at most 10240 are accepted (10 KB)"), "{}", text(0));
    assert!(text(1).contains("distinct_id is only whitespace"), "{}", text(1));
    assert!(text(2).contains("$email[0] is not"), "{}", text(2));
    assert!(errors[3].is_none());

    let without = Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy().build().unwrap();
    let users = without.users();
    // No record is to blame, not even one that is invalid too.
    for upsert in [users.upsert("a"), users.upsert(" ")] {
        let error = users.ingest_all([upsert]).next().await.unwrap().result.unwrap_err();
        assert!(matches!(&error, Error::Config(config) if config.setting() == "workspace"), "{error}");
        assert!(error.to_string().contains("ClientBuilder::workspace") && !error.is_caused_by_input());
    }
    assert_eq!(hub.requests().len(), 1);
}

#[test]
fn a_stream_of_records_can_be_sent_to_another_thread() {
    fn is_send(_: &impl Send) {}
    let client = Client::from_api_key("key").unwrap();
    is_send(&client.workflows().trigger_all([trigger(0)]));
    is_send(&client.workflows().trigger_all([trigger(0)]).next());
}

#[test]
fn outside_of_a_runtime_it_is_an_error() {
    let client = Client::from_api_key("key").unwrap();
    let mut stream = client.workflows().trigger_all([trigger(0)]);
    let mut context = Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(Some(outcome)) = Pin::new(&mut stream).poll_next(&mut context) else { panic!() };
    assert!(matches!(outcome.result, Err(Error::Config(_))));
    assert!(matches!(Pin::new(&mut stream).poll_next(&mut context), Poll::Ready(None)));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_object_is_subscribed_to_in_packs() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    client.objects().upsert("teams", "engineering").await.unwrap();
    let team = client.objects().subscriptions("teams", "engineering");
    let mut outcomes = collect(&mut team.add_all((0..250).map(|number| format!("user-{number}")))).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    let ranges: Vec<_> = outcomes.iter().map(|outcome| outcome.value.clone()).collect();
    assert_eq!(ranges, [0..100, 100..200, 200..250]);
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(team.list().limit(1).await.unwrap().meta.count, Some(250));
}
