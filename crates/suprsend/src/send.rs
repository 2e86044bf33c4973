//! The exchange with the API: credentials, attempts, timeouts and limits, for every operation alike.
//!
//! Nothing here is generic, so it is compiled once, however many operations there are: what is sent is a request, what comes back is a
//! response as bytes.

use std::{
    future::{Future, poll_fn},
    iter, mem,
    num::NonZeroU32,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Request;
use secrecy::ExposeSecret;
use serde_json::Value;
use suprsend_api::{Credential, Spec};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    client::{Client, Keys},
    config::{Host, Settings, Shared, parse_header},
    error::{
        ApiError, ConfigError, ConnectionError, Error, Secrets, TimeoutError, TimeoutKind, TooManyAttempts,
        UndecodableResponse, Violations,
    },
    flow::{FlowControl, Ticket},
    gunzip::{Corrupt, Gunzip},
    raw_response::RawResponse,
    report::Watch,
    response::Response,
    retry::{self, RetryPolicy},
    rules, verdict,
};

/// Says that a body is not what its headers say.
const NOT_UNPACKED: &str = "the API's response is compressed and cannot be decompressed";

/// What a caller sets for one call.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    /// What the calls of a stream go by together.
    pub(crate) flow: Option<Arc<FlowControl>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether it is no failure if there is nothing of the id that is asked for.
    pub(crate) may_be_absent: bool,
    /// What was wrong with what was set.
    pub(crate) violations: Violations,
}

impl Options {
    /// Adds a header, or a violation if it is none.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        match parse_header(name, value) {
            Ok(header) => self.headers.push(header),
            Err(reason) => self.violations.add("header", reason),
        }
    }
}

impl Options {
    /// Adds a violation for each option that is set, where none can be kept.
    pub(crate) fn refuse(&self, reason: &str, violations: &mut Violations) {
        let set = [
            ("header", !self.headers.is_empty()),
            ("timeout", self.timeout.is_some()),
            ("retry", self.retry.is_some()),
        ];
        for (name, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
            violations.add(name, reason);
        }
    }
}

/// A request that is checked and made, and what sending it goes by.
pub(crate) struct Outgoing {
    pub(crate) spec: &'static Spec,
    pub(crate) request: Request,
    /// Whether sending it twice has the effect of sending it once.
    pub(crate) idempotent: bool,
    /// The values of parameters that must not be shown.
    pub(crate) secrets: Vec<String>,
}

/// Polls a call, and makes an error of tokio's panic about a runtime that lacks what calls need, since nothing else tells that it
/// does.
fn poll_in_runtime<T>(
    call: Pin<&mut impl Future<Output = Result<T, Error>>>,
    context: &mut Context<'_>,
) -> Poll<Result<T, Error>> {
    panic::catch_unwind(AssertUnwindSafe(|| call.poll(context))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref().map(String::as_str)).unwrap_or_default();
        let (what, method) = if text.contains("timers are disabled") {
            ("timer", "enable_time")
        } else if text.contains("IO is disabled") {
            ("network", "enable_io")
        } else {
            panic::resume_unwind(panic)
        };
        let reason =
            format!("has no {what}: enable it with `{method}` or `enable_all` of tokio's runtime::Builder");
        Poll::Ready(Err(ConfigError::new("runtime", reason).into()))
    })
}

/// A call in flight, from before it is checked until its result is known. Dropped before its end, it was cancelled.
pub(crate) struct Exchange<'a> {
    client: &'a Client,
    options: &'a Options,
    watch: Watch<'a>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(client: &'a Client, options: &'a Options, spec: &'static Spec) -> Self {
        Self { client, options, watch: Watch::new(spec, &client.shared) }
    }

    /// Ends the call.
    pub(crate) fn end<T>(self, result: &Result<Response<T>, Error>) {
        self.watch.end(result, self.options.may_be_absent);
    }
}

impl Exchange<'_> {
    /// Sends a request until it succeeds or has failed for good. Returns the response of a success and the number of attempts.
    pub(crate) async fn send(&self, mut outgoing: Box<Outgoing>) -> Result<(RawResponse, u32), Error> {
        if Handle::try_current().is_err() {
            let reason = "is missing: calls have to be awaited in a tokio runtime";
            return Err(ConfigError::new("runtime", reason).into());
        }
        let span = &self.watch.span;
        span.method(outgoing.request.method());
        let mut attempts = pin!(self.attempts(&mut outgoing));
        let ended = span.cover(poll_fn(|context| poll_in_runtime(attempts.as_mut(), context))).await;
        ended.map_err(Error::into_not_found)
    }

    /// Sends until there is a result: the loop in which all retries are made.
    ///
    /// Its future, and that of an attempt, are in the future of every call, so they keep little: what they know from `self` they
    /// ask it for again.
    async fn attempts(&self, outgoing: &mut Outgoing) -> Result<(RawResponse, u32), Error> {
        // A limit beyond what a clock can show is none.
        let mut deadline = Instant::now().checked_add(self.time_limit());
        self.set_headers(outgoing.request.headers_mut());
        let mut attempts = 0;
        let mut ticket = Ticket::default();
        // What the last retry cost; nothing costs nothing.
        let mut taken = None::<NonZeroU32>;
        let mut last = None;
        loop {
            attempts += 1;
            if let Some(flow) = self.flow() {
                deadline = later(deadline, flow.admit(attempts, &mut ticket).await);
            }
            // It may be replaced meanwhile: what is sent is what a response may echo.
            let keys = self.client.keys();
            authenticate(outgoing.spec, &mut outgoing.request, &keys)?;
            let body = outgoing.request.body().and_then(reqwest::Body::as_bytes);
            self.watch.attempt(body.map_or(0, <[u8]>::len));
            let (copy, repeatable) = copy(&mut outgoing.request);
            let sent = Instant::now();
            let own = sent.checked_add(self.shared().settings.attempt_timeout);
            let until = [own, deadline].into_iter().flatten().min();
            let response = self.shared().http.execute(copy);
            let error = match self.attempt(response, until, until == deadline).await {
                Ok(mut received) => {
                    if let Some(flow) = self.flow() {
                        flow.answered(sent);
                    }
                    self.host(outgoing).quota.succeeded(taken.map(NonZeroU32::get));
                    redact_ids(&mut received, &keys);
                    return self.judge(received, outgoing, &keys).map(|received| (received, attempts));
                }
                Err(Failure::OutOfTime(received)) => {
                    if let Some(flow) = self.flow() {
                        flow.not_answered(sent, &mut ticket);
                    }
                    return Err(TimeoutError::for_call(self.time_limit(), attempts, received, last).into());
                }
                Err(Failure::Refused(received)) => self.refusal(received, outgoing, &keys),
                Err(Failure::Of(error)) => error,
            };
            let may_repeat = repeatable && (outgoing.idempotent || retry::was_not_processed(&error));
            if let Some(flow) = self.flow() {
                if flow.failed(sent, &error, &mut ticket) && may_repeat && self.policy().is_on() {
                    // The time that the outage took is not the call's.
                    deadline = later(deadline, sent.elapsed());
                    self.watch.span.retry(attempts, Duration::ZERO, &error);
                    ticket.hold();
                    last = Some(error);
                    continue;
                }
                // The server's own delay is one of the whole stream.
                deadline = later(deadline, error.retry_after().unwrap_or_default());
            }
            let is_over = self.flow().is_some_and(FlowControl::is_over);
            let delay =
                self.policy().delay(ticket.counted(attempts), &error).filter(|_| may_repeat && !is_over);
            // There is no sense in waiting for an attempt that no time is left for.
            let too_late = |delay| deadline.is_some_and(|end| end.duration_since(Instant::now()) <= delay);
            if delay.is_some_and(too_late) {
                return Err(TimeoutError::for_call(self.time_limit(), attempts, None, Some(error)).into());
            }
            let quota = &self.host(outgoing).quota;
            let Some((delay, cost)) = delay.and_then(|delay| Some((delay, quota.take(&error)?))) else {
                let gave_up = attempts > 1 && error.is_retryable();
                return Err(if gave_up { TooManyAttempts::new(attempts, error).into() } else { error });
            };
            self.watch.span.retry(attempts, delay, &error);
            sleep(delay).await;
            taken = NonZeroU32::new(cost);
            last = Some(error);
        }
    }

    /// Makes an attempt, of which this is the response, until a time, which may be the one that ends the call.
    async fn attempt(
        &self,
        response: impl Future<Output = reqwest::Result<reqwest::Response>>,
        until: Option<Instant>,
        ends_call: bool,
    ) -> Result<RawResponse, Failure> {
        let mut received = None;
        let exchange = exchange(response, &mut received, self.shared().settings.max_response);
        let ended = match until {
            Some(until) => timeout_at(until, exchange).await.ok(),
            None => Some(exchange.await),
        };
        self.watch.received(received.as_ref());
        let settings = &self.shared().settings;

        // A status that is no success says more than what became of the body after it.
        if let Some(received) = received.take_if(|received| !received.status().is_success()) {
            return Err(Failure::Refused(received));
        }
        match (ended, received) {
            (Some(Ok(Read::Whole)), Some(received)) => Ok(received),
            (Some(Ok(Read::Corrupt)), received) => {
                let corrupt = Arc::new(Corrupt);
                Err(Failure::Of(ConnectionError::new(NOT_UNPACKED, true, received, corrupt).into()))
            }
            (Some(Ok(Read::TooLong)), Some(received)) => {
                let reason = format!("is longer than the limit of {} bytes", settings.max_response);
                Err(Failure::Of(UndecodableResponse::new(received, reason).into()))
            }
            (Some(Err(error)), received) => Err(Failure::Of(transfer_error(error, received, settings))),
            (None, received) if ends_call => Err(Failure::OutOfTime(received)),
            (_, received) => {
                let limit = Some(settings.attempt_timeout);
                Err(Failure::Of(TimeoutError::for_attempt(TimeoutKind::Attempt, limit, received).into()))
            }
        }
    }

    /// Adds what every request of the client and of this call has. The key is added with each attempt, since it may change.
    fn set_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        for (name, value) in &self.shared().headers {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.options.headers {
            headers.insert(name, value.clone());
        }
    }

    fn shared(&self) -> &Shared {
        &self.client.shared
    }

    fn host(&self, outgoing: &Outgoing) -> &Host {
        self.shared().host(outgoing.spec)
    }

    /// The time for the whole call.
    fn time_limit(&self) -> Duration {
        self.options.timeout.unwrap_or(self.shared().settings.timeout)
    }

    fn flow(&self) -> Option<&FlowControl> {
        self.options.flow.as_deref()
    }

    fn policy(&self) -> &RetryPolicy {
        self.options.retry.as_ref().unwrap_or(&self.shared().settings.retry)
    }

    /// The error that a response is. Whatever the request held that must not be shown, a response may echo.
    fn refusal(&self, mut received: RawResponse, outgoing: &Outgoing, keys: &Keys) -> Error {
        let secrets = self.secrets(outgoing, keys);
        received.redact_ids(|id| secrets.is_in(id));
        ApiError::new(received, &secrets).into()
    }

    /// A success, unless its body says that it is none.
    fn judge(&self, received: RawResponse, outgoing: &Outgoing, keys: &Keys) -> Result<RawResponse, Error> {
        let Some(verdict) = &outgoing.spec.verdict else { return Ok(received) };
        verdict::judge(verdict, outgoing.request.url(), received, || self.secrets(outgoing, keys))
    }

    /// What the request held that must not be shown.
    fn secrets(&self, outgoing: &Outgoing, keys: &Keys) -> Secrets {
        let body = outgoing.request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let of_body = serde_json::from_slice::<Value>(body).map(|body| match outgoing.spec.body {
            Some(rules) => rules::secrets(rules, &body),
            // Of a raw request nothing says what is secret.
            None => texts(body).into_iter().collect(),
        });
        let of_body = of_body.unwrap_or_default();
        let of_headers =
            self.shared().headers.values().chain(self.options.headers.iter().map(|(_, value)| value));
        let of_headers =
            of_headers.filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        let secrets =
            of_body.into_iter().chain(outgoing.secrets.iter().cloned()).chain(of_headers.map(str::to_owned));
        let secrets = secrets.filter(|secret| Secrets::is_long_enough(secret));
        Secrets::new(secrets.chain(keys.secrets().map(str::to_owned)))
    }
}

/// Adds the credential. It is added with each attempt, since the key may change.
fn authenticate(spec: &Spec, request: &mut Request, keys: &Keys) -> Result<(), Error> {
    let Some(key) = Shared::key(spec, keys)? else { return Ok(()) };
    match spec.credential {
        Credential::Header(name) => {
            let refuse =
                || ConfigError::new("api_key", "cannot be sent in the header that the operation demands");
            let name = HeaderName::try_from(name).map_err(|_| refuse())?;
            let mut value = HeaderValue::from_str(key.secret().expose_secret()).map_err(|_| refuse())?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        _ => {
            request.headers_mut().insert(header::AUTHORIZATION, key.header().clone());
        }
    }
    Ok(())
}

/// A success may echo a key as the id of the request, which is printed and traced.
fn redact_ids(received: &mut RawResponse, keys: &Keys) {
    received
        .redact_ids(|id| keys.secrets().any(|key| id.windows(key.len()).any(|part| part == key.as_bytes())));
}

/// All texts in a JSON value.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(texts).collect(),
        Value::Object(members) => members.into_iter().flat_map(|(_, member)| texts(member)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What is sent of a request, and whether the request is there to be sent again: a body that is a stream is gone then. The copy shares
/// the bytes of the body.
fn copy(request: &mut Request) -> (Request, bool) {
    if let Some(copy) = request.try_clone() {
        return (copy, true);
    }
    let nothing = Request::new(request.method().clone(), request.url().clone());
    (mem::replace(request, nothing), false)
}

/// Why an attempt failed.
enum Failure {
    Of(Error),
    /// The API responded with a status that is not a success.
    Refused(RawResponse),
    /// The time for the whole call is over; with what came of the response.
    OutOfTime(Option<RawResponse>),
}

/// A deadline moved by this much; none if a clock cannot show it.
fn later(deadline: Option<Instant>, by: Duration) -> Option<Instant> {
    deadline?.checked_add(by)
}

/// The way in which the reading of a response ended, if the connection lasted.
pub(crate) enum Read {
    Whole,
    /// It is longer than the limit.
    TooLong,
    /// It is said to be compressed, and is not what a compressed body is.
    Corrupt,
}

/// Reads a response into `received`, where it can be seen even if this is cut short.
pub(crate) async fn exchange(
    response: impl Future<Output = reqwest::Result<reqwest::Response>>,
    received: &mut Option<RawResponse>,
    limit: usize,
) -> reqwest::Result<Read> {
    let mut response = response.await?;
    let mut gunzip = Gunzip::from_headers(response.headers_mut());
    let received = received.insert(RawResponse::from_head(&mut response));
    let limit = received.limit(limit);
    while let Some(part) = response.chunk().await? {
        let read = match &mut gunzip {
            Some(gunzip) => gunzip.unpack(&part, |part| received.extend(part, limit)),
            None => Ok(received.extend(part, limit)),
        };
        match read {
            Ok(true) => {}
            Ok(false) => return Ok(Read::TooLong),
            Err(_) => return Ok(Read::Corrupt),
        }
    }
    if let Some(gunzip) = &mut gunzip
        && gunzip.finish().is_err()
    {
        return Ok(Read::Corrupt);
    }
    received.complete();
    Ok(Read::Whole)
}

/// What a failure of the HTTP client is to the caller.
fn transfer_error(error: reqwest::Error, received: Option<RawResponse>, settings: &Settings) -> Error {
    // The URL holds the id of a person.
    let error = error.without_url();
    if error.is_timeout() {
        // Attempts are timed here, so what is left is connecting, or a limit of the caller's own HTTP client.
        let (kind, limit) = if error.is_connect() {
            (TimeoutKind::Connect, settings.connect_timeout)
        } else {
            (TimeoutKind::Attempt, None)
        };
        return TimeoutError::for_attempt(kind, limit, received).into();
    }
    if error.is_builder() {
        return ConfigError::new("request", "cannot be made into an HTTP request").into();
    }
    if is_without_tls(&error) {
        let reason =
            "is https, for which one of the features rustls, rustls-no-provider and native-tls is needed";
        return ConfigError::new("base_url", reason).into();
    }
    let (what, retryable) = if error.is_connect() {
        match refused_for_good(&error) {
            Some(what) => (what, false),
            None => ("cannot connect to the API", true),
        }
    } else if error.is_redirect() {
        ("the API redirects without end", false)
    } else if error.is_decode() && !broke(&error) {
        (NOT_UNPACKED, true)
    } else {
        ("the connection to the API broke before the response was complete", true)
    };
    ConnectionError::new(what, retryable, received, Arc::new(error)).into()
}

/// The causes of an error, with the error itself.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    iter::successors(Some(error as &'a (dyn std::error::Error + 'static)), |error| error.source())
}

/// Returns whether the HTTP client was built without TLS and asked for it. It may have TLS without this crate's features, if the program
/// depends on reqwest too, so only the text of the error is certain.
fn is_without_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "invalid URL, scheme is not http")
}

/// Why connecting will fail again, if it surely will: what decides about it does not pass. The types of these causes are those of crates
/// that are none of ours, so their texts have to do.
fn refused_for_good(error: &reqwest::Error) -> Option<&'static str> {
    causes(error).map(|cause| cause.to_string().to_ascii_lowercase()).find_map(|text| {
        if text.contains("certificate") {
            Some("the API's certificate is not trusted")
        } else if text.contains("proxy authorization required") {
            Some("the proxy demands other credentials")
        } else {
            None
        }
    })
}

/// Returns whether the body broke off: decompressing reports that as its own failure, whose cause is that of the connection.
fn broke(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "error reading a body from connection")
}
