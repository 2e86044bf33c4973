//! Streams of upserts: each input has one outcome, whatever happens, and the hub is not overrun.
//!
//! The clock is tokio's, paused, as in the tests of faults.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_core::Stream;
use serde_json::json;
use suprsend::{
    Client, Error, RetryPolicy, StatusCode, UpsertUser, operations::FetchUserProfile, types::User,
};
use suprsend_mock::{Fault, Hub, RateLimit};
use tokio::time::Instant;

use crate::server::{Answer, Server, Step, created, response};

fn client(hub: &Hub) -> Client {
    Client::builder().api_key(hub.key()).base_url(hub.url()).no_proxy().build().unwrap()
}

/// An upsert with the id of its user.
type Upsert = (String, UpsertUser);

type Outcome = suprsend::bulk::Outcome<User, String>;

/// Upserts of so many users: `user-0` and so on.
fn users(client: &Client, count: usize) -> impl Iterator<Item = Upsert> {
    let users = client.users();
    (0..count).map(move |number| {
        let id = format!("user-{number}");
        (id.clone(), users.upsert(id).property("number", number))
    })
}

async fn collect<T>(outcomes: &mut (impl Stream<Item = T> + Unpin)) -> Vec<T> {
    let mut all = Vec::new();
    while let Some(outcome) = poll_fn(|context| Pin::new(&mut *outcomes).poll_next(context)).await {
        all.push(outcome);
    }
    all
}

#[track_caller]
fn assert_one_outcome_each(outcomes: &[Outcome], count: usize) {
    let indices: BTreeSet<_> = outcomes.iter().map(|outcome| outcome.index).collect();
    assert_eq!((outcomes.len(), indices.len()), (count, count));
    for outcome in outcomes {
        assert_eq!(outcome.value, format!("user-{}", outcome.index));
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn every_input_has_one_outcome_whatever_goes_wrong() {
    const COUNT: usize = 1000;
    let hub = Hub::builder().recorded_requests(10 * COUNT).start().await.unwrap();
    let faults = [
        Fault::status(429).retry_after(Duration::from_secs(3)).share(0.03),
        Fault::status(503).share(0.05),
        Fault::status(500).share(0.05),
        Fault::status(502).header("content-type", "text/html").body("<h1>Bad Gateway</h1>").share(0.05),
        Fault::status(403).share(0.05),
        Fault::status(200).body(json!([])).share(0.05),
        Fault::delay(Duration::from_secs(2)).share(0.02),
        Fault::reset().share(0.05),
        Fault::lost().share(0.05),
        Fault::truncated().share(0.05),
    ];
    for fault in faults {
        hub.inject(fault).unwrap();
    }
    let client = client(&hub);
    // One in a hundred is wrong and must not be sent.
    let upserts = users(&client, COUNT).enumerate().map(|(index, (id, upsert))| {
        (id, if index % 100 == 7 { upsert.property("$wrong", true) } else { upsert })
    });

    let mut stream = client.users().upsert_all(upserts);
    let outcomes = collect(&mut stream).await;

    assert_one_outcome_each(&outcomes, COUNT);
    let sent: BTreeSet<_> = hub.requests().iter().map(|request| request.path().to_owned()).collect();
    let mut kinds = BTreeSet::new();
    for Outcome { index, value: distinct_id, result, .. } in &outcomes {
        let stored = hub.profile(distinct_id);
        match result {
            Ok(user) => {
                assert_eq!(user.distinct_id.as_ref(), Some(distinct_id));
                assert_eq!(stored.unwrap()["properties"]["number"], json!(index));
            }
            Err(Error::InvalidInput(_)) => {
                assert_eq!(index % 100, 7);
                assert!(!sent.contains(&format!("/v1/user/{distinct_id}/")));
            }
            Err(error) => {
                let debug = format!("{error:?}");
                kinds.insert(debug.split(['(', ' ']).next().unwrap().to_owned());
            }
        }
    }
    // Faults that no retry mends were among them, so this was no fair-weather run.
    assert!(kinds.contains("Api") && kinds.contains("UndecodableResponse"), "{kinds:?}");
    let succeeded = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    assert!(succeeded > COUNT * 7 / 10, "{succeeded}");

    let summary = stream.summary();
    assert_eq!(summary.succeeded, succeeded as u64);
    assert_eq!((summary.finished(), summary.in_flight), (COUNT as u64, 0));
    let requests = hub.requests().len() as u64;
    assert_eq!(summary.retries, requests - (COUNT - COUNT / 100) as u64);
    assert!(summary.duration > Duration::ZERO && summary.rate() > 0.0);
    assert!(stream.next().await.is_none(), "the end stays the end");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_hub_that_limits_its_rate_gets_everything_in_the_end() {
    const COUNT: usize = 300;
    let limit = RateLimit::new(20, Duration::from_secs(1));
    let hub = Hub::builder().rate_limit(limit).start().await.unwrap();
    let client = client(&hub);
    let mut stream = client.users().upsert_all(users(&client, COUNT));
    let outcomes = collect(&mut stream).await;
    assert_one_outcome_each(&outcomes, COUNT);
    assert_eq!(stream.summary().succeeded, COUNT as u64, "{}", stream.summary());
    assert!(stream.summary().retries < COUNT as u64 / 2, "{}", stream.summary());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_costs_nothing_and_then_it_goes_on() {
    const COUNT: usize = 5000;
    let hub = Hub::builder().recorded_requests(10 * COUNT).start().await.unwrap();
    let client = client(&hub);
    let mut stream = client.users().upsert_all(users(&client, COUNT));
    let mut outcomes = Vec::new();
    for _ in 0..100 {
        outcomes.push(stream.next().await.unwrap());
    }
    hub.inject(Fault::reset().share(1.0)).unwrap();
    let end = Instant::now() + Duration::from_secs(120);
    while let Ok(outcome) = tokio::time::timeout_at(end, stream.next()).await {
        outcomes.extend(outcome);
    }
    hub.clear_faults();
    outcomes.extend(collect(&mut stream).await);
    assert_one_outcome_each(&outcomes, COUNT);
    assert_eq!(stream.summary().failed, 0, "{}", stream.summary());
    assert_eq!(stream.concurrency(), 64, "and it has recovered");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn retry_after_holds_back_the_whole_stream_and_costs_no_record() {
    // Longer than a call may take, and than a single call would wait.
    let busy = response(429, &[("retry-after", "90")], "");
    let server = Server::start([created(), created(), busy, created()]).await;
    let client = server.client();
    let mut stream = client.users().upsert_all(users(&client, 50)).fixed_concurrency(1);
    for _ in 0..2 {
        stream.next().await.unwrap().result.unwrap();
    }
    let start = Instant::now();
    assert_eq!(stream.next().await.unwrap().result.unwrap().attempts(), 2);
    let waited = start.elapsed();
    assert!((90..93).contains(&waited.as_secs()), "{waited:?}");
    let rest = collect(&mut stream).await;
    assert!(rest.iter().all(|outcome| outcome.result.is_ok()));
    assert_eq!(server.requests(), 51);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_pause_that_is_too_long_fails_the_record_that_it_was_asked_of() {
    let busy = response(429, &[("retry-after", "86400")], "");
    let server = Server::start([busy, created()]).await;
    let client = server.client();
    let pause = Duration::from_secs(20);
    let mut stream = client.users().upsert_all(users(&client, 2)).fixed_concurrency(1).max_pause(pause);
    let start = Instant::now();
    let error = stream.next().await.unwrap().result.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    assert!(start.elapsed() < Duration::from_secs(1));
    stream.next().await.unwrap().result.unwrap();
    assert_eq!(start.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn throttling_lowers_the_concurrency() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let mut stream = client.users().upsert_all(users(&client, 2000)).adaptive_concurrency(2, 32);
    assert_eq!(stream.concurrency(), 4);
    for _ in 0..500 {
        stream.next().await.unwrap();
    }
    assert_eq!(stream.concurrency(), 32);
    hub.inject(Fault::status(503)).unwrap();
    let mut lowest = stream.concurrency();
    while stream.next().await.is_some() {
        lowest = lowest.min(stream.concurrency());
    }
    // Other calls were under way, whose answers may raise it by one or two before it can be seen.
    assert!((16..=18).contains(&lowest), "{lowest}");
    assert_eq!(stream.concurrency(), 32, "and it has recovered");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn the_concurrency_bounds_what_is_taken_from_the_source() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let client = server.client();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let upserts = users(&client, usize::MAX).inspect(|_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut stream = client.users().upsert_all(upserts).fixed_concurrency(5);
    assert_eq!(taken.load(Ordering::Relaxed), 0, "nothing happens before it is asked for");

    let poll = tokio::time::timeout(Duration::from_secs(1), stream.next()).await;
    assert!(poll.is_err());
    assert_eq!(taken.load(Ordering::Relaxed), 5);
    assert_eq!((server.requests(), stream.summary().in_flight), (5, 5));

    drop(stream);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(server.requests(), 5, "dropping stops it");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn stopping_finishes_what_is_under_way() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let mut stream = client.users().upsert_all(users(&client, usize::MAX)).fixed_concurrency(8);
    let mut outcomes = vec![stream.next().await.unwrap()];
    stream.stop();
    outcomes.extend(collect(&mut stream).await);
    assert_one_outcome_each(&outcomes, 8);
    assert_eq!(hub.requests().len(), 8);
}

/// A stream that has its items when it is told so.
struct Gated(tokio::sync::mpsc::UnboundedReceiver<Upsert>);

impl Stream for Gated {
    type Item = Upsert;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_stream_may_be_slower_than_the_hub() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let mut stream = client.users().upsert_all(Gated(receive));
    let feed = async {
        for upsert in users(&client, 20) {
            send.send(upsert).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        drop(send);
    };
    let (outcomes, ()) = tokio::join!(collect(&mut stream), feed);
    assert_one_outcome_each(&outcomes, 20);
    assert_eq!(stream.concurrency(), 4, "it says nothing about what the hub can do");
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_rate_cap_counts_retries() {
    let server = Server::start([response(500, &[], ""), created()]).await;
    let client = server.builder().retry(RetryPolicy::default().base_delay(Duration::ZERO)).build().unwrap();
    let mut stream = client.users().upsert_all(users(&client, 20)).max_rate(10);
    let start = Instant::now();
    collect(&mut stream).await;
    assert_eq!((server.requests(), stream.summary().retries), (21, 1));
    let took = start.elapsed().as_millis();
    assert!((1990..2100).contains(&took), "{took}");
}

#[tokio::test]
async fn an_empty_source_is_at_its_end_at_once() {
    let client = Client::from_api_key("key").unwrap();
    let mut stream = client.users().upsert_all(Vec::<UpsertUser>::new());
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(pin!(stream.next()).poll(&mut context), Poll::Ready(None)));
    assert_eq!(stream.summary().to_string(), "0 succeeded, 0 failed, 0 retries in 0.0 s (0 a second)");
}

#[tokio::test]
async fn a_builders_own_settings_hold_in_a_stream() {
    let server = Server::start([response(503, &[], ""), created()]).await;
    let client = server.client();
    let upserts = [client.users().upsert("user-0").retry(RetryPolicy::off())];
    let outcome = client.users().upsert_all(upserts).next().await.unwrap();
    assert_eq!(outcome.result.unwrap_err().status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(server.requests(), 1);
}

#[test]
fn a_stream_can_be_sent_to_another_thread() {
    fn is_send(_: &impl Send) {}
    let client = Client::from_api_key("key").unwrap();
    is_send(&client.users().upsert_all(users(&client, 1)));
    is_send(&client.users().upsert_all(users(&client, 1)).next());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn any_operation_is_sent_with_any_value_beside_it() {
    let hub = Hub::start().await.unwrap();
    let client = client(&hub);
    collect(&mut client.users().upsert_all(users(&client, 3))).await;
    let calls = ["user-0", "nobody", "user-2"].map(|id| client.call(FetchUserProfile::new(id)));
    let mut outcomes = collect(&mut client.send_all(calls)).await;
    outcomes.sort_by_key(|outcome| outcome.index);
    assert_eq!(outcomes[0].result.as_ref().unwrap().distinct_id.as_deref(), Some("user-0"));
    assert!(matches!(outcomes[1].result, Err(Error::NotFound(_))));
    let deletes = [('a', client.users().delete("user-0")), ('b', client.users().delete("user-1"))];
    let mut values: Vec<_> =
        collect(&mut client.send_all(deletes)).await.into_iter().map(|outcome| outcome.value).collect();
    values.sort_unstable();
    assert_eq!(values, ['a', 'b']);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_error_of_the_source_comes_last_and_ends_the_stream() {
    let server = Server::start([created()]).await;
    let client = server.client();
    let rows = ["1", "2", "three", "4"]
        .map(|row| Ok::<_, std::num::ParseIntError>(client.users().upsert(row.parse::<u8>()?)));
    let outcomes = collect(&mut client.send_all(rows)).await;
    let failed: Vec<_> = outcomes.iter().map(Result::is_err).collect();
    assert_eq!(failed, [false, false, true]);
    assert!(outcomes[0].as_ref().unwrap().result.is_ok());
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn it_gives_up_after_failures_in_a_row() {
    let server = Server::start([response(500, &[], "")]).await;
    let client = server.builder().no_retries().build().unwrap();
    let mut stream = client.users().upsert_all(users(&client, 1000)).fixed_concurrency(1).give_up_after(5);
    let outcomes = collect(&mut stream).await;
    assert_eq!(outcomes.len(), 5);
    assert!(stream.summary().gave_up);
    assert!(stream.summary().to_string().ends_with("; gave up, the rest was not tried"));
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn ten_seconds_of_500s_cost_nothing() {
    const COUNT: usize = 3000;
    let hub = Hub::builder().recorded_requests(10 * COUNT).start().await.unwrap();
    let client = client(&hub);
    let mut stream = client.users().upsert_all(users(&client, COUNT));
    let mut outcomes = vec![stream.next().await.unwrap()];
    hub.inject(Fault::status(500).share(1.0)).unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while let Ok(outcome) = tokio::time::timeout_at(end, stream.next()).await {
        outcomes.extend(outcome);
    }
    hub.clear_faults();
    outcomes.extend(collect(&mut stream).await);
    assert_one_outcome_each(&outcomes, COUNT);
    assert_eq!(stream.summary().failed, 0, "{}", stream.summary());
    assert!(stream.summary().retries < 100, "{}", stream.summary());
}

/// Whatever `Retry-After` says: the back-off is the policy's at least.
#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_hub_that_throttles_for_good_is_not_hammered() {
    const COUNT: usize = 500;
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    for fault in [
        Fault::status(429).retry_after(Duration::ZERO),
        Fault::status(429).header("retry-after", past),
        Fault::status(429),
    ] {
        let hub = Hub::builder().recorded_requests(10 * COUNT).start().await.unwrap();
        let client = client(&hub);
        let mut stream = client.users().upsert_all(users(&client, COUNT));
        let mut outcomes = vec![stream.next().await.unwrap()];
        hub.inject(fault.share(1.0)).unwrap();
        let before = hub.requests().len();
        let end = Instant::now() + Duration::from_secs(60);
        while let Ok(outcome) = tokio::time::timeout_at(end, stream.next()).await {
            outcomes.extend(outcome);
        }
        let requests = hub.requests().len() - before;
        assert!(requests < 200, "{requests} requests in a minute");
        hub.clear_faults();
        outcomes.extend(collect(&mut stream).await);
        assert_one_outcome_each(&outcomes, COUNT);
        assert_eq!(stream.summary().failed, 0, "{}", stream.summary());
    }
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_that_does_not_end_ends_the_stream() {
    let server = Server::start([Answer::CloseAtOnce]).await;
    let client = server.client();
    let outage = Duration::from_secs(60);
    let mut stream = client.users().upsert_all(users(&client, 1000)).max_outage(outage);
    let start = Instant::now();
    let outcomes = collect(&mut stream).await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    assert!(outcomes.len() < 10, "{}", outcomes.len());
    assert!(stream.summary().gave_up);
    assert!((60..120).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn an_outage_ends_the_stream_in_time_even_if_the_api_asks_to_wait_longer() {
    let server = Server::start([response(429, &[("retry-after", "250")], "")]).await;
    let client = server.builder().retry(RetryPolicy::default().max_retry_after(Duration::from_secs(300)));
    let client = client.build().unwrap();
    let outage = Duration::from_secs(30);
    let mut stream = client.users().upsert_all(users(&client, 9)).fixed_concurrency(1).max_outage(outage);
    let mut next = std::pin::pin!(stream.next());
    // Two pauses pass before it is an outage.
    let outcome = tokio::time::timeout(Duration::from_secs(250 * 2 + 60), next.as_mut()).await;
    outcome.expect("it gives up").unwrap().result.unwrap_err();
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn in_an_outage_no_call_fails_by_its_own_timeout() {
    let server = Server::start([Answer::Steps(vec![Step::Hang])]).await;
    let client = server.builder().timeout(Duration::from_secs(10)).build().unwrap();
    let mut stream = client.users().upsert_all(users(&client, 50));
    let end = Instant::now() + Duration::from_secs(300);
    let mut outcomes = Vec::new();
    while let Ok(outcome) = tokio::time::timeout_at(end, stream.next()).await {
        outcomes.extend(outcome);
    }
    let before = outcomes.len();
    assert!(before <= 4, "{before}");
    server.answer([created()]);
    outcomes.extend(collect(&mut stream).await);
    assert_one_outcome_each(&outcomes, 50);
    assert!(stream.summary().failed <= 4, "{}", stream.summary());
}

#[tokio::test(start_paused = true, crate = "crate::patient")]
async fn a_refusal_with_retry_after_does_not_stall_the_stream() {
    let server = Server::start([response(400, &[("retry-after", "60")], ""), created()]).await;
    let client = server.client();
    let mut stream = client.users().upsert_all(users(&client, 10)).fixed_concurrency(1);
    let start = Instant::now();
    collect(&mut stream).await;
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!((stream.summary().succeeded, stream.summary().failed), (9, 1));
}
