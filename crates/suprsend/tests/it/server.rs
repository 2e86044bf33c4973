//! A server on a raw socket that misbehaves to order, and counts what reaches it.

use std::{
    collections::VecDeque,
    fmt::Display,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use suprsend::{Client, ClientBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::sleep,
};

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Closes the connection as soon as it is made.
    CloseAtOnce,
    /// Does these things one after another; the connection stays open after a response that is whole.
    Steps(Vec<Step>),
}

#[derive(Clone)]
pub(crate) enum Step {
    Write(Vec<u8>),
    Pause(Duration),
    /// Writes zeros until the client has had enough, or there are this many.
    Flood(usize),
    Close,
    /// Closes with a reset instead of an end.
    Reset,
    /// Says nothing more, and keeps the connection.
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The first line: method, target, version.
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    /// Answers still to give; the last one is given again and again.
    answers: VecDeque<Answer>,
    received: Vec<Received>,
    connections: usize,
    /// Bytes that could be written.
    written: usize,
}

impl State {
    fn next(&mut self) -> Answer {
        if self.answers.len() > 1 { self.answers.pop_front() } else { self.answers.front().cloned() }.unwrap()
    }
}

/// A server that stops when it is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// A server that gives these answers in this order, and the last one from then on.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state =
            Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), ..State::default() }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                lock(&shared).connections += 1;
                let at_once = matches!(lock(&shared).answers.front(), Some(Answer::CloseAtOnce));
                if at_once {
                    lock(&shared).next();
                } else {
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            }
        });
        Self { url, state, task }
    }

    /// Gives these answers from now on.
    pub(crate) fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        lock(&self.state).answers = answers.into_iter().collect();
    }

    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().api_key("test-key").base_url(&self.url).no_proxy()
    }

    /// The requests that came.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> usize {
        lock(&self.state).received.len()
    }

    pub(crate) fn connections(&self) -> usize {
        lock(&self.state).connections
    }

    pub(crate) fn written(&self) -> usize {
        lock(&self.state).written
    }
}

/// An address that refuses connections: a port that is taken as long as this is kept, and that nobody listens on.
pub(crate) struct Nobody {
    url: String,
    _socket: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { url: format!("http://{}", socket.local_addr().unwrap()), _socket: socket }
    }

    pub(crate) fn client(&self) -> Client {
        Client::builder().api_key("test-key").base_url(&self.url).no_proxy().build().unwrap()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    stream.set_nodelay(true).unwrap();
    while let Some(request) = receive(&mut stream).await {
        let answer = {
            let mut state = lock(&state);
            state.received.push(request);
            state.next()
        };
        let Answer::Steps(steps) = answer else { return };
        for step in steps {
            match step {
                Step::Write(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Pause(time) => sleep(time).await,
                Step::Flood(bytes) => {
                    let part = vec![b'0'; 64 * 1024];
                    let mut left = bytes;
                    while left > 0 {
                        let Ok(written) = stream.write(&part[..left.min(part.len())]).await else { return };
                        left -= written;
                        lock(&state).written += written;
                    }
                }
                Step::Close => return,
                Step::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
                Step::Hang => {
                    // Until the client goes away.
                    let _ = stream.read_u8().await;
                    return;
                }
            }
        }
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let line = head.lines().next().unwrap().to_owned();
    let mut received = Received { line, head, body: bytes[end..].to_vec() };
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    while received.body.len() < length {
        if stream.read_buf(&mut received.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(received)
}

/// A whole response.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
    Answer::Steps(vec![Step::Write(bytes(status, headers, body))])
}

/// A whole response with JSON.
pub(crate) fn json(status: u16, body: impl Display) -> Answer {
    response(status, &[("content-type", "application/json")], body.to_string())
}

/// The profile that an upsert gives.
pub(crate) fn profile() -> serde_json::Value {
    serde_json::json!({
        "distinct_id": "user-123",
        "properties": {"$timezone": "America/New_York", "plan": "pro", "nothing": null},
        "created_at": "2025-04-04T21:37:36.712496+00:00",
        "updated_at": "2025-04-04T21:37:36.743167+00:00",
        "$email": [{"value": "jane@example.com", "status": "active", "perma_status": "active"}],
    })
}

/// The response that an upsert gives.
pub(crate) fn created() -> Answer {
    json(201, profile())
}

/// A response as it goes over the wire.
pub(crate) fn bytes(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = head(status, headers, body.len());
    response.extend_from_slice(body);
    response
}

/// The head of a response whose body has this many bytes.
pub(crate) fn head(status: u16, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    // Of two ids the first would count.
    let own_id = headers.iter().any(|(name, _)| *name == "x-request-id");
    let id = (!own_id).then_some(("x-request-id", "request-1"));
    let headers: Vec<_> =
        id.iter().chain(headers).map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    format!("HTTP/1.1 {status} -\r\ncontent-length: {length}\r\n{headers}\r\n").into_bytes()
}
