//! Interim responses (1xx) without end, after a request whose response never comes.
//!
//! hyper skips interim responses without a limit, and reads on until tokio's budget for the connection's task is used up, which is tens of
//! megabytes of them. So these tests run on real time, on a runtime with several threads.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Duration,
};

use suprsend::{Client, ClientBuilder, Error, error::TimeoutKind};
use tokio::runtime::Builder;

use crate::server::{bytes, profile};

/// The user for whom there are interim responses only.
const STORMY: &str = "stormy";

/// A server that answers upserts, but for those of one user.
struct Storm {
    url: String,
    /// Tells that a storm has begun, and that its connection is closed by the client.
    events: Receiver<Event>,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Begun,
    Closed,
}

impl Storm {
    /// With this status in the storm, and this number of bytes in a header: the more, the less time it takes to read a megabyte.
    fn start(interim: &str, bytes: usize) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let interim = format!("HTTP/1.1 {interim}\r\nlink: {}\r\n\r\n", "x".repeat(bytes)).repeat(20);
        let (tell, events) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (interim, tell) = (interim.clone(), tell.clone());
                thread::spawn(move || serve(stream.unwrap(), &interim, &tell));
            }
        });
        Self { url, events }
    }

    fn builder<Kind>(&self, builder: ClientBuilder<Kind>) -> ClientBuilder<Kind> {
        builder.base_url(&self.url).api_key("key").no_proxy().no_retries()
    }
}

/// Ends with the connection.
fn serve(mut stream: TcpStream, interim: &str, tell: &Sender<Event>) {
    let answer = bytes(201, &[], profile().to_string());
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&request);
        if text.contains(STORMY) {
            // The test may be over.
            let _ = tell.send(Event::Begun);
            while stream.write_all(interim.as_bytes()).is_ok() {}
            let _ = tell.send(Event::Closed);
            return;
        }
        if text.ends_with("{}") {
            stream.write_all(&answer).unwrap();
            request.clear();
        }
    }
}

/// The attempt ends by its limit, and with it the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interim_responses_without_end_end_with_the_attempt() {
    for interim in ["100 Continue", "103 Early Hints"] {
        let storm = Storm::start(interim, 4000);
        let client =
            storm.builder(Client::builder()).attempt_timeout(Duration::from_millis(200)).build().unwrap();
        let error = client.users().upsert(STORMY).await.unwrap_err();
        let Error::Timeout(error) = &error else { panic!("{error:?}") };
        assert_eq!((error.kind(), error.status()), (TimeoutKind::Attempt, None), "{interim}");
        let events =
            tokio::task::spawn_blocking(move || storm.events.into_iter().take(2).collect::<Vec<_>>());
        assert_eq!(events.await.unwrap(), [Event::Begun, Event::Closed], "{interim}");
    }
}

/// Longer than the tests take.
const LONG: Duration = Duration::from_secs(600);
/// Thousands of times as long as a call takes, and less than hyper reads on for in a debug build.
const ENOUGH: Duration = Duration::from_secs(5);

/// Other calls go on meanwhile, of the same client too.
#[test]
fn interim_responses_without_end_stop_no_other_call() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let storm = Storm::start("102 Processing", 0);
    let client = storm.builder(Client::builder()).timeout(LONG).attempt_timeout(LONG).build().unwrap();
    let stormy = client.users().upsert(STORMY);
    let stormy = runtime.spawn(async move { stormy.await.map(drop) });
    assert_eq!(storm.events.recv(), Ok(Event::Begun));
    runtime.block_on(async {
        for _ in 0..20 {
            client.users().upsert("user-123").timeout(ENOUGH).await.unwrap();
        }
    });
    assert!(!stormy.is_finished());
    // Without waiting for hyper to look up.
    runtime.shutdown_background();
}

/// The blocking client's own runtime has a thread left for them.
#[cfg(feature = "blocking")]
#[test]
fn interim_responses_without_end_stop_no_other_blocking_call() {
    use suprsend::blocking;
    let storm = Storm::start("102 Processing", 0);
    let client =
        storm.builder(blocking::Client::builder()).timeout(LONG).attempt_timeout(LONG).build().unwrap();
    let other = client.clone();
    let stormy = thread::spawn(move || other.users().upsert(STORMY).send().map(drop));
    assert_eq!(storm.events.recv(), Ok(Event::Begun));
    for _ in 0..20 {
        client.users().upsert("user-123").timeout(ENOUGH).send().unwrap();
    }
    assert!(!stormy.is_finished());
    // It ends with the test's process: a blocking call cannot be dropped.
}
