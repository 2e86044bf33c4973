//! The exchange with the API: credentials, attempts, timeouts and limits, the same for every operation.
//!
//! Nothing here is generic, so it is compiled only once, however many operations there are: it sends a request and returns a response as
//! bytes.

use std::{
    any::Any,
    future::{Future, poll_fn},
    iter,
    num::NonZeroU32,
    panic::{self, AssertUnwindSafe},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderName, HeaderValue, header};
use reqwest::{Request, Url};
use secrecy::ExposeSecret;
use serde_json::Value;
use suprsend_api::{Base, Credential, Operation, RequestError, Spec, parameter::set_header};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    checks,
    client::{Client, Keys},
    config::{Host, Settings, Shared, credential, parse_header},
    error::{
        ApiError, ConfigError, ConnectionError, Error, Secrets, TimeoutError, TimeoutKind, TooManyAttempts,
        UndecodableResponse, Violations,
    },
    flow::{FlowControl, Ticket},
    gunzip::{Corrupt, Gunzip},
    raw_response::RawResponse,
    report::Watch,
    response::{Attempts, Response},
    retry::{self, RetryPolicy},
    rules, verdict,
};

/// The message for a body that does not match its headers.
const NOT_UNPACKED: &str = "the API's response is compressed and cannot be decompressed";

/// The time after its start within which a call may be repeated by its idempotency key, which SuprSend recognizes for 24 hours.
const RECOGNIZED: Duration = Duration::from_secs(23 * 60 * 60);

/// The options of a single call.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    /// The flow control that the calls of a stream share.
    pub(crate) flow: Option<Arc<FlowControl>>,
    /// Counts the attempts that the API may have processed.
    pub(crate) uncertain: Option<Arc<AtomicU32>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether a missing item is a result instead of a failure.
    pub(crate) may_be_absent: bool,
    /// Violations found in the options.
    pub(crate) violations: Violations,
}

impl Options {
    /// Adds a header, or a violation if it is invalid.
    pub(crate) fn header(&mut self, name: &str, value: &str) {
        match parse_header(name, value) {
            Ok(header) => self.headers.push(header),
            Err(reason) => self.violations.add("header", reason),
        }
    }
}

impl Options {
    /// Adds a violation for each option that is set, where options cannot be kept.
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

/// A validated operation that is ready to be sent.
pub(crate) struct Outgoing<'a> {
    pub(crate) spec: &'static Spec,
    pub(crate) operation: &'a dyn Source,
    /// The request of the first attempt. Those of others are made when they are needed, which is cheaper than keeping a copy of each.
    pub(crate) request: Option<Request>,
    /// The URL of the last request, if it decides how a success is judged.
    pub(crate) url: Option<Url>,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) idempotent: bool,
    /// Whether that is so only as long as SuprSend recognizes its idempotency key.
    pub(crate) needs_key: bool,
}

/// An operation without its type.
pub(crate) trait Source: Sync {
    /// Makes a request, which is the same each time.
    fn build(&self, base: &Base) -> Result<Request, RequestError>;

    /// Returns the values of parameters that must not be shown.
    fn secrets(&self) -> Vec<String>;
}

impl<O: Operation> Source for O {
    fn build(&self, base: &Base) -> Result<Request, RequestError> {
        self.request(base)
    }

    fn secrets(&self) -> Vec<String> {
        checks::secrets(self)
    }
}

/// Polls a call. If the runtime lacks a driver that calls need, tokio panics, which is the only way to find out; the panic is turned into
/// an error.
fn poll_in_runtime<T>(
    call: Pin<&mut impl Future<Output = Result<T, Error>>>,
    context: &mut Context<'_>,
) -> Poll<Result<T, Error>> {
    panic::catch_unwind(AssertUnwindSafe(|| call.poll(context)))
        .unwrap_or_else(|panic| Poll::Ready(Err(lacks_driver(panic).into())))
}

/// Returns which driver the runtime lacks by a panic of tokio. Any other panic goes on.
#[cold]
fn lacks_driver(panic: Box<dyn Any + Send>) -> ConfigError {
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
    ConfigError::new("runtime", reason)
}

/// A call in flight, from before its validation until its result is known. If it is dropped earlier, the call was cancelled.
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
    /// Sends a request until it succeeds or finally fails. Returns the successful response and the number of attempts.
    pub(crate) async fn send(
        &self,
        mut outgoing: Box<Outgoing<'_>>,
    ) -> Result<(RawResponse, Attempts), Error> {
        if Handle::try_current().is_err() {
            let reason = "is missing: calls have to be awaited in a tokio runtime";
            return Err(ConfigError::new("runtime", reason).into());
        }
        let span = &self.watch.span;
        if let Some(request) = &outgoing.request {
            span.method(request.method());
        }
        let mut attempts = pin!(self.attempts(&mut outgoing));
        poll_fn(|context| span.cover(|| poll_in_runtime(attempts.as_mut(), context))).await
    }

    /// Sends until there is a result, in the loop that makes all retries.
    ///
    /// The futures of this and of an attempt are part of the future of every call. They stay small by reading values from `self` again
    /// instead of keeping them. Failures are handled in functions of their own, so that the code of a success is close together.
    async fn attempts(&self, outgoing: &mut Outgoing<'_>) -> Result<(RawResponse, Attempts), Error> {
        // A limit that is too long for the clock is ignored.
        let deadline = self.watch.start().checked_add(self.time_limit());
        let mut progress = Progress::new(self.options.flow.as_deref(), deadline);
        loop {
            progress.attempts += 1;
            if let Some(flow) = progress.flow {
                let waited = flow.admit(progress.attempts, &mut progress.ticket).await;
                progress.deadline = later(progress.deadline, waited);
            }
            if let Some(last) = progress.last.take_if(|_| outgoing.needs_key && self.is_forgotten()) {
                return Err(last.after_attempts(progress.attempts - 1));
            }
            // The keys may be replaced meanwhile; a response may echo those that were sent.
            let keys = self.client.keys();
            let (response, repeatable) = self.execute(outgoing, &keys)?;
            let sent = Instant::now();
            let own = sent.checked_add(self.shared().settings.attempt_timeout);
            let until = [own, progress.deadline].into_iter().flatten().min();
            let delay = match self.attempt(response, until, until == progress.deadline, &keys).await {
                Ok(received) => {
                    if let Some(flow) = progress.flow {
                        flow.answered(sent);
                    }
                    self.host(outgoing).quota.succeeded(progress.taken.map(NonZeroU32::get));
                    let attempts = progress.in_all();
                    return self.judge(received, outgoing, &keys).map(|received| (received, attempts));
                }
                Err(failure) => {
                    let may_repeat = repeatable && outgoing.idempotent;
                    match self.failed(failure, may_repeat, outgoing, &keys, sent, &mut progress)? {
                        Some(error) => {
                            let may_repeat = may_repeat || (repeatable && retry::was_not_processed(&error));
                            self.delay(error, may_repeat, sent, outgoing, &mut progress)?
                        }
                        None => None,
                    }
                }
            };
            if let Some(delay) = delay {
                sleep(delay).await;
            }
        }
    }

    /// Returns the error of a failed attempt, or none if the call waits for the end of an outage. Ends the call if its time is over.
    #[cold]
    fn failed(
        &self,
        failure: Failure,
        may_repeat: bool,
        outgoing: &Outgoing<'_>,
        keys: &Keys,
        sent: Instant,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Error>, Error> {
        match failure {
            Failure::Of(error) => Ok(Some(error)),
            Failure::Refused(received) => Ok(Some(self.refusal(received, outgoing, keys, progress))),
            Failure::OutOfTime(received) => {
                let Progress { flow, ticket, .. } = progress;
                let is_held = flow.is_some_and(|flow| flow.not_answered(sent, ticket));
                if is_held && may_repeat && self.policy().is_on() {
                    let limit = Some(self.time_limit());
                    let error = TimeoutError::for_attempt(TimeoutKind::Attempt, limit, received).into();
                    self.hold(error, sent, progress);
                    progress.may_be_done = true;
                    return Ok(None);
                }
                let last = progress.last.take();
                Err(TimeoutError::for_call(self.time_limit(), progress.attempts, received, last).into())
            }
        }
    }

    /// Lets the call wait for the end of an outage. The time that its attempt took does not count against it.
    fn hold(&self, error: Error, sent: Instant, progress: &mut Progress<'_>) {
        progress.deadline = later(progress.deadline, sent.elapsed());
        self.watch.span.retry(progress.attempts, Duration::ZERO, &error);
        progress.ticket.hold();
        progress.last = Some(error);
    }

    /// Returns the delay before the next attempt, or none if the flow control decides when it is made. Ends the call if there is none.
    #[cold]
    fn delay(
        &self,
        error: Error,
        may_repeat: bool,
        sent: Instant,
        outgoing: &Outgoing<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Duration>, Error> {
        let Progress { flow, attempts, deadline, ticket, taken, last, may_be_done } = progress;
        let attempts = *attempts;
        let was_not_processed = retry::was_not_processed(&error);
        *may_be_done |= !was_not_processed;
        if let Some(uncertain) = self.options.uncertain.as_ref().filter(|_| was_not_processed) {
            uncertain.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some(flow) = flow {
            if flow.failed(sent, &error, ticket) && may_repeat && self.policy().is_on() {
                self.hold(error, sent, progress);
                return Ok(None);
            }
            // The server's own delay applies to the whole stream.
            *deadline = later(*deadline, error.retry_after().unwrap_or_default());
        }
        let is_over = flow.is_some_and(FlowControl::is_over);
        let delay = self.policy().delay(ticket.counted(attempts), &error).filter(|_| may_repeat && !is_over);
        // Do not wait for an attempt that there is no time left for.
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
        *taken = NonZeroU32::new(cost);
        *last = Some(error);
        Ok(Some(delay))
    }

    /// Completes one attempt, whose response future is given, until a point in time, which may be the one that ends the call.
    async fn attempt(
        &self,
        response: impl Future<Output = reqwest::Result<reqwest::Response>>,
        until: Option<Instant>,
        ends_call: bool,
        keys: &Keys,
    ) -> Result<RawResponse, Failure> {
        let mut received = None;
        let exchange = exchange(response, &mut received, self.shared().settings.max_response);
        let ended = match until {
            Some(until) => timeout_at(until, exchange).await.ok(),
            None => Some(exchange.await),
        };
        if let Some(received) = &mut received {
            self.redact_ids(received, keys);
        }
        self.watch.received(received.as_ref());
        match (ended, received) {
            (Some(Ok(Read::Whole)), Some(received)) if received.status().is_success() => Ok(received),
            (ended, received) => Err(self.failure(ended, received, ends_call)),
        }
    }

    /// Returns why an attempt failed.
    #[cold]
    fn failure(
        &self,
        ended: Option<reqwest::Result<Read>>,
        mut received: Option<RawResponse>,
        ends_call: bool,
    ) -> Failure {
        let settings = &self.shared().settings;
        // An unsuccessful status says more than any problem with the body after it.
        if let Some(received) = received.take_if(|received| !received.status().is_success()) {
            return Failure::Refused(received);
        }
        match (ended, received) {
            (Some(Ok(Read::TooLong)), Some(received)) => {
                let reason = format!("is longer than the limit of {} bytes", settings.max_response);
                Failure::Of(UndecodableResponse::new(received, reason).into())
            }
            (Some(Ok(_)), received) => {
                let corrupt = Arc::new(Corrupt);
                Failure::Of(ConnectionError::new(NOT_UNPACKED, true, received, corrupt).into())
            }
            (Some(Err(error)), received) => Failure::Of(transfer_error(error, received, settings)),
            (None, received) if ends_call => Failure::OutOfTime(received),
            (None, received) => {
                let limit = Some(settings.attempt_timeout);
                Failure::Of(TimeoutError::for_attempt(TimeoutKind::Attempt, limit, received).into())
            }
        }
    }

    /// Starts an attempt. Also returns whether there can be another: a stream can be sent only once.
    fn execute(
        &self,
        outgoing: &mut Outgoing<'_>,
        keys: &Keys,
    ) -> Result<(impl Future<Output = reqwest::Result<reqwest::Response>> + use<>, bool), Error> {
        let request = self.request(outgoing, keys)?;
        let body = request.body().map(reqwest::Body::as_bytes);
        let repeatable = body != Some(None);
        if let Some(uncertain) = &self.options.uncertain {
            uncertain.fetch_add(1, Ordering::Relaxed);
        }
        self.watch.attempt(body.flatten().map_or(0, <[u8]>::len));
        Ok((self.shared().http.execute(request), repeatable))
    }

    /// Makes the request of an attempt. The key is set for each, because it may change.
    fn request(&self, outgoing: &mut Outgoing<'_>, keys: &Keys) -> Result<Request, Error> {
        let mut request = match outgoing.request.take() {
            Some(request) => request,
            None => self.build(outgoing).map_err(Violations::from)?,
        };
        outgoing.url = outgoing.spec.verdict.as_ref().map(|_| request.url().clone());
        self.set_headers(&mut request);
        authenticate(outgoing.spec, self.host(outgoing), &mut request, keys)?;
        Ok(request)
    }

    /// Makes a request as the operation describes it.
    fn build(&self, outgoing: &Outgoing<'_>) -> Result<Request, RequestError> {
        outgoing.operation.build(&self.host(outgoing).base)
    }

    /// Sets the headers of the client and of this call.
    fn set_headers(&self, request: &mut Request) {
        set_header(request, header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let of_call = self.options.headers.iter().map(|(name, value)| (name, value));
        for (name, value) in self.shared().headers.iter().chain(of_call) {
            set_header(request, name.clone(), value.clone());
        }
    }

    fn shared(&self) -> &Shared {
        &self.client.shared
    }

    fn host(&self, outgoing: &Outgoing<'_>) -> &Host {
        self.shared().host(outgoing.spec)
    }

    /// Returns whether SuprSend may have forgotten the idempotency key of the first attempt.
    fn is_forgotten(&self) -> bool {
        self.watch.start().elapsed() > RECOGNIZED
    }

    /// Returns the time limit of the whole call.
    fn time_limit(&self) -> Duration {
        self.options.timeout.unwrap_or(self.shared().settings.timeout)
    }

    /// Returns the retry policy. In a stream, a call waits for as long as the stream does.
    fn policy(&self) -> RetryPolicy {
        let policy = self.options.retry.as_ref().unwrap_or(&self.shared().settings.retry).clone();
        match &self.options.flow {
            Some(flow) => flow.policy(policy),
            None => policy,
        }
    }

    /// Converts a response to an error. The response may echo anything in the request, including what must not be shown.
    fn refusal(
        &self,
        mut received: RawResponse,
        outgoing: &Outgoing<'_>,
        keys: &Keys,
        progress: &Progress<'_>,
    ) -> Error {
        let secrets = self.secrets(outgoing, keys);
        received.redact_ids(|id| secrets.is_in(id));
        // Reading has no effect that an item could be missing for.
        let may_be_done = progress.may_be_done && !outgoing.spec.method.is_safe();
        Error::of_response(ApiError::new(received, &secrets), may_be_done)
    }

    /// Returns a successful response, unless its body reports a failure.
    fn judge(
        &self,
        received: RawResponse,
        outgoing: &Outgoing<'_>,
        keys: &Keys,
    ) -> Result<RawResponse, Error> {
        let Some(verdict) = &outgoing.spec.verdict else { return Ok(received) };
        verdict::judge(verdict, outgoing.url.as_ref(), received, || self.secrets(outgoing, keys))
    }

    /// Returns everything in the request that must not be shown.
    fn secrets(&self, outgoing: &Outgoing<'_>, keys: &Keys) -> Secrets {
        let request = self.build(outgoing).ok();
        let body = request.as_ref().and_then(|request| request.body()?.as_bytes()).unwrap_or_default();
        let of_body = serde_json::from_slice::<Value>(body).map(|body| match outgoing.spec.body {
            Some(rules) => rules::secrets(rules, &body),
            // The body of a raw request has no rules that say what is secret.
            None => texts(body).into_iter().collect(),
        });
        let of_body = of_body.unwrap_or_default();
        let secrets = of_body.into_iter().chain(outgoing.operation.secrets());
        let secrets = secrets.filter(|secret| Secrets::is_long_enough(secret));
        Secrets::new(secrets.chain(self.own_secrets(keys).map(str::to_owned)))
    }

    /// Returns the secrets of the client and of this call's headers.
    fn own_secrets<'s>(&'s self, keys: &'s Keys) -> impl Iterator<Item = &'s str> {
        let of_headers = self.options.headers.iter().filter_map(|(_, value)| credential(value));
        self.shared().secrets(keys).chain(of_headers)
    }

    /// Redacts request ids, which are printed and traced: a response may echo a secret there. A refusal is searched for the body's too.
    fn redact_ids(&self, received: &mut RawResponse, keys: &Keys) {
        received.redact_ids(|id| {
            let is_in = |secret: &str| id.windows(secret.len()).any(|part| part == secret.as_bytes());
            // Every other encoding of a secret has one of these characters.
            let may_be_encoded = id.iter().any(|byte| b"%&\\".contains(byte));
            let encoded = || Secrets::new(self.own_secrets(keys).map(str::to_owned)).is_in(id);
            self.own_secrets(keys).any(is_in) || (may_be_encoded && encoded())
        });
    }
}

/// Sets the credential. This happens for each attempt, because the key may change.
fn authenticate(spec: &Spec, host: &Host, request: &mut Request, keys: &Keys) -> Result<(), Error> {
    let Some(key) = Shared::key(spec, keys)? else { return Ok(()) };
    if !host.is_of(request.url()) {
        let reason = format!("is not sent to another server than the client's, which `{}` has", spec.id);
        return Err(ConfigError::new("api_key", reason).into());
    }
    match spec.credential {
        Credential::Header(name) => {
            let refuse =
                || ConfigError::new("api_key", "cannot be sent in the header that the operation demands");
            let name = HeaderName::try_from(name).map_err(|_| refuse())?;
            let mut value = HeaderValue::from_str(key.secret().expose_secret()).map_err(|_| refuse())?;
            value.set_sensitive(true);
            set_header(request, name, value);
        }
        _ => {
            set_header(request, header::AUTHORIZATION, key.header().clone());
        }
    }
    Ok(())
}

/// Returns all strings in a JSON value.
fn texts(value: Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.into_iter().flat_map(texts).collect(),
        Value::Object(members) => members.into_iter().flat_map(|(_, member)| texts(member)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The state of a call between its attempts.
struct Progress<'f> {
    flow: Option<&'f FlowControl>,
    ticket: Ticket,
    attempts: u32,
    deadline: Option<Instant>,
    /// Whether an attempt may have taken effect.
    may_be_done: bool,
    /// The cost of the last retry. If it was free, this is `None`.
    taken: Option<NonZeroU32>,
    /// The error of the last attempt.
    last: Option<Error>,
}

impl<'f> Progress<'f> {
    fn in_all(&self) -> Attempts {
        Attempts { made: self.attempts, counted: self.ticket.counted(self.attempts) }
    }

    fn new(flow: Option<&'f FlowControl>, deadline: Option<Instant>) -> Self {
        Self {
            flow,
            ticket: Ticket::default(),
            attempts: 0,
            deadline,
            may_be_done: false,
            taken: None,
            last: None,
        }
    }
}

/// However a call ends, even if it is dropped, others do not wait for its probe.
impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(flow) = self.flow {
            flow.leave(&self.ticket);
        }
    }
}

/// The reason why an attempt failed.
enum Failure {
    Of(Error),
    /// The API responded with an unsuccessful status.
    Refused(RawResponse),
    /// The time for the whole call is over. Contains the part of the response that was received.
    OutOfTime(Option<RawResponse>),
}

/// Moves a deadline. Returns `None` if it is too late for the clock.
fn later(deadline: Option<Instant>, by: Duration) -> Option<Instant> {
    deadline?.checked_add(by)
}

/// The way in which reading a response ended, if the connection lasted.
pub(crate) enum Read {
    Whole,
    /// The response is longer than the limit.
    TooLong,
    /// The headers declare a compressed body, but it cannot be decompressed.
    Corrupt,
}

/// Reads a response into `received`, where it remains available if this future is dropped.
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

/// Converts a failure of the HTTP client to an error.
fn transfer_error(error: reqwest::Error, received: Option<RawResponse>, settings: &Settings) -> Error {
    // The URL contains the id of a person.
    let error = error.without_url();
    if error.is_timeout() {
        // Attempts are timed in this module, so the remaining timeouts are those of connecting, or of the caller's own HTTP client.
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

/// Returns an error and its causes.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    iter::successors(Some(error as &'a (dyn std::error::Error + 'static)), |error| error.source())
}

/// Returns whether TLS was needed and the HTTP client was built without it. The client may have TLS without this crate's features, if the
/// program depends on reqwest too, so only the text of the error is reliable.
fn is_without_tls(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "invalid URL, scheme is not http")
}

/// Returns why connecting will fail again, if the cause is not transient. The types of these causes belong to other crates, so their texts
/// are matched.
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

/// Returns whether the body broke off. A decompressor reports this as its own failure, caused by that of the connection.
fn broke(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "error reading a body from connection")
}
