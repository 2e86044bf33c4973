//! One call: authentication, attempts, time-outs and limits, for every operation alike.
//!
//! The generated code makes the request and says of which type the reply is; what happens in between, and everything that goes wrong
//! in between, is here.

use std::{mem, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use reqwest::Request;
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use suprsend_api::{Prepared, ResponseValue};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    Client, Error, Response, RetryPolicy,
    bulk::pace::Pace,
    checks::schema,
    config::{Settings, Shared, parse_header},
    decode,
    error::{
        ApiError, ConfigError, ConnectionError, TimeoutError, TimeoutKind, TooManyAttempts, UndecodableReply,
        Violations,
    },
    raw::Body,
    reply::Reply,
    retry, trace,
};

/// What a caller sets for one call.
#[derive(Clone, Default)]
pub(crate) struct Options {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    /// Whether it may be sent twice, where the caller decides that.
    pub(crate) idempotent: Option<bool>,
    /// What the calls of a stream go by together.
    pub(crate) pace: Option<Arc<Pace>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Options {
    pub(crate) fn idempotent(idempotent: bool) -> Self {
        Self { idempotent: Some(idempotent), ..Self::default() }
    }

    /// Adds a header, or a violation if it is none.
    pub(crate) fn header(&mut self, name: &str, value: &str, violations: &mut Violations) {
        match parse_header(name, value) {
            Ok(header) => self.headers.push(header),
            Err(reason) => violations.add("header", reason),
        }
    }
}

/// The methods with which a caller sets them, for a type that keeps them and the violations in these fields.
macro_rules! option_methods {
    ($($options:ident).+, $($violations:ident).+) => {
        /// Adds a header to the request.
        pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
            self.$($options).+.header(name.as_ref(), value.as_ref(), &mut self.$($violations).+);
            self
        }

        /// The time that each call may take in all, instead of the client's.
        pub fn timeout(mut self, limit: std::time::Duration) -> Self {
            self.$($options).+.timeout = Some(limit);
            self
        }

        /// How each call is retried, instead of the client's way.
        pub fn retry(mut self, policy: crate::RetryPolicy) -> Self {
            self.$($options).+.retry = Some(policy);
            self
        }
    };
}
pub(crate) use option_methods;

/// A request as the generated client makes it for an operation, by the `call`.
pub(crate) fn prepare<T, E>(
    client: &Client,
    call: impl AsyncFnOnce(&suprsend_api::Client) -> Result<ResponseValue<T>, suprsend_api::Error<E>>,
) -> Result<Prepared<T>, Error> {
    client.shared.api.prepare(call).map_err(not_made)
}

/// Sends a request of an operation, and decodes the reply as the document declares it.
///
/// `is_result` tells a result from other JSON that happens to decode, for types that require nothing.
pub(crate) async fn send<T: DeserializeOwned>(
    client: &Client,
    options: &Options,
    mut prepared: Prepared<T>,
    is_result: fn(&T) -> bool,
) -> Result<Response<T>, Error> {
    let (reply, attempts) = run(client, options, prepared.operation, &mut prepared.request).await?;
    // Here and not by the generated code, which knows only the statuses that the document declares, and takes a reply only
    // as it is declared: one that it could not place, or not decode, may be a success all the same.
    let value = match decode::lenient(reply.body()) {
        Ok(value) if is_result(&value) => value,
        Ok(_) => {
            return Err(UndecodableReply::new(reply, "holds nothing of what the document declares").into());
        }
        Err(reason) => return Err(UndecodableReply::new(reply, reason).into()),
    };
    let (status, headers, _) = reply.into_parts();
    Ok(Response::new(value, status, headers, attempts))
}

/// As [`send`], for operations whose reply has no body, or one that says nothing.
pub(crate) async fn send_without_reply(
    client: &Client,
    options: &Options,
    mut prepared: Prepared<()>,
) -> Result<Response<()>, Error> {
    let (reply, attempts) = run(client, options, prepared.operation, &mut prepared.request).await?;
    let (status, headers, _) = reply.into_parts();
    Ok(Response::new((), status, headers, attempts))
}

/// Sends a request that no operation of the generated client makes.
pub(crate) async fn send_raw(
    client: &Client,
    options: &Options,
    mut request: Request,
) -> Result<Response<Body>, Error> {
    let (reply, attempts) = run(client, options, "request", &mut request).await?;
    let (status, headers, body) = reply.into_parts();
    Ok(Response::new(Body::new(body), status, headers, attempts))
}

/// Sends a request until it succeeds or has failed for good; gives the reply of a success and the number of attempts.
async fn run(
    client: &Client,
    options: &Options,
    operation: &'static str,
    request: &mut Request,
) -> Result<(Reply, u32), Error> {
    if Handle::try_current().is_err() {
        let reason = "is missing: calls have to be awaited in a tokio runtime";
        return Err(ConfigError::new("runtime", reason).into());
    }
    let span = trace::Span::new(operation, client.shared.base.host());
    let call = Call { client, options, operation, span };
    let ended = call.span.cover(call.attempts(request)).await;
    call.span.end(&ended);
    ended
}

/// A call on its way.
struct Call<'a> {
    client: &'a Client,
    options: &'a Options,
    operation: &'static str,
    span: trace::Span,
}

impl Call<'_> {
    /// Sends until there is a result: the loop in which all retries are made.
    ///
    /// Its future, and that of an attempt, are in the future of every call, so they keep little: what they know from `self` they
    /// ask it for again.
    async fn attempts(&self, request: &mut Request) -> Result<(Reply, u32), Error> {
        // A limit beyond what a clock can show is none.
        let mut deadline = Instant::now().checked_add(self.time_limit());
        self.set_headers(request.headers_mut());
        let mut attempts = 0;
        let mut taken = None;
        let mut last = None;
        loop {
            attempts += 1;
            if let Some(pace) = self.pace() {
                deadline = later(deadline, pace.admit(attempts).await);
            }
            self.span.attempt(attempts);
            // It may be replaced meanwhile: what is sent is what a reply may echo.
            let key = self.client.key();
            request.headers_mut().insert(header::AUTHORIZATION, key.header().clone());
            let (copy, repeatable) = copy(request);
            let sent = Instant::now();
            let own = sent.checked_add(self.shared().settings.attempt_timeout);
            let until = [own, deadline].into_iter().flatten().min();
            let response = self.shared().http.execute(copy);
            let error = match self.attempt(response, until, until == deadline).await {
                Ok(reply) => {
                    if let Some(pace) = self.pace() {
                        pace.answered(sent);
                    }
                    self.shared().quota.succeeded(taken);
                    return Ok((reply, attempts));
                }
                Err(Failure::OutOfTime(reply)) => {
                    if let Some(pace) = self.pace() {
                        pace.not_answered(sent);
                    }
                    return Err(TimeoutError::of_call(self.time_limit(), attempts, reply, last).into());
                }
                Err(Failure::Refused(reply)) => {
                    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
                    let mut secrets = schema::secrets(self.operation, body);
                    secrets.insert(key.secret().expose_secret().to_owned());
                    ApiError::new(reply, &secrets).into()
                }
                Err(Failure::Of(error)) => error,
            };
            if let Some(pace) = self.pace() {
                pace.failed(sent, &error);
                // The server's own delay is one of the whole stream.
                deadline = later(deadline, error.retry_after().unwrap_or_default());
            }
            let delay = self.delay(attempts, &error).filter(|_| repeatable);
            // There is no sense in waiting for an attempt that no time is left for.
            let too_late = |delay| deadline.is_some_and(|end| end.duration_since(Instant::now()) <= delay);
            if delay.is_some_and(too_late) {
                return Err(TimeoutError::of_call(self.time_limit(), attempts, None, Some(error)).into());
            }
            let quota = &self.shared().quota;
            let Some((delay, cost)) = delay.and_then(|delay| Some((delay, quota.take(&error)?))) else {
                let gave_up = attempts > 1 && error.is_retryable();
                return Err(if gave_up { TooManyAttempts::new(attempts, error).into() } else { error });
            };
            self.span.retry(attempts, delay, &error);
            sleep(delay).await;
            taken = Some(cost);
            last = Some(error);
        }
    }

    /// Makes an attempt, of which this is the response, until a time, which may be the one that ends the call.
    async fn attempt(
        &self,
        response: impl Future<Output = reqwest::Result<reqwest::Response>>,
        until: Option<Instant>,
        ends_call: bool,
    ) -> Result<Reply, Failure> {
        let settings = &self.shared().settings;
        let mut reply = None;
        let exchange = exchange(response, &mut reply, settings.max_reply);
        let ended = match until {
            Some(until) => timeout_at(until, exchange).await.ok(),
            None => Some(exchange.await),
        };

        // A status that is no success says more than what became of the body after it.
        if let Some(reply) = reply.take_if(|reply| !reply.status().is_success()) {
            return Err(Failure::Refused(reply));
        }
        match (ended, reply) {
            (Some(Ok(true)), Some(reply)) => Ok(reply),
            (Some(Ok(_)), Some(reply)) => {
                let reason = format!("is longer than the limit of {} bytes", settings.max_reply);
                Err(Failure::Of(UndecodableReply::new(reply, reason).into()))
            }
            (Some(Err(error)), reply) => Err(Failure::Of(of_transfer(error, reply, settings))),
            (None, reply) if ends_call => Err(Failure::OutOfTime(reply)),
            (_, reply) => {
                let limit = Some(settings.attempt_timeout);
                Err(Failure::Of(TimeoutError::of_attempt(TimeoutKind::Attempt, limit, reply).into()))
            }
        }
    }

    /// Adds what every request of the client and of this call has. The key is added with each attempt, since it may change.
    fn set_headers(&self, headers: &mut HeaderMap) {
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

    /// The time for the whole call.
    fn time_limit(&self) -> Duration {
        self.options.timeout.unwrap_or(self.shared().settings.timeout)
    }

    fn pace(&self) -> Option<&Pace> {
        self.options.pace.as_deref()
    }

    /// How long to wait before this is tried again after an attempt (the first is 1) that failed so, if it is.
    fn delay(&self, attempt: u32, error: &Error) -> Option<Duration> {
        let idempotent = self.options.idempotent.unwrap_or_else(|| retry::is_idempotent(self.operation));
        let policy = self.options.retry.as_ref().unwrap_or(&self.shared().settings.retry);
        if idempotent || retry::was_not_processed(error) { policy.delay(attempt, error) } else { None }
    }
}

/// What is sent of a request, and whether the request is there to be sent again: a body that is a stream is gone then.
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
    /// The API replied with a status that is not a success.
    Refused(Reply),
    /// The time for the whole call is over; with what came of the reply.
    OutOfTime(Option<Reply>),
}

/// A deadline moved by this much; none if a clock cannot show it.
fn later(deadline: Option<Instant>, by: Duration) -> Option<Instant> {
    deadline?.checked_add(by)
}

/// Reads a response into `reply`, where it can be seen even if this is cut short. False if it is too long.
async fn exchange(
    response: impl Future<Output = reqwest::Result<reqwest::Response>>,
    reply: &mut Option<Reply>,
    limit: usize,
) -> reqwest::Result<bool> {
    let mut response = response.await?;
    let reply = reply.insert(Reply::of_head(&mut response));
    let limit = reply.limit(limit);
    while let Some(part) = response.chunk().await? {
        if !reply.extend(part, limit) {
            return Ok(false);
        }
    }
    reply.complete();
    Ok(true)
}

/// What a failure of the HTTP client is to the caller.
fn of_transfer(error: reqwest::Error, reply: Option<Reply>, settings: &Settings) -> Error {
    // The URL holds the id of a person.
    let error = error.without_url();
    if error.is_timeout() {
        // Attempts are timed here, so what is left is connecting, or a limit of the caller's own HTTP client.
        let (kind, limit) = if error.is_connect() {
            (TimeoutKind::Connect, settings.connect_timeout)
        } else {
            (TimeoutKind::Attempt, None)
        };
        return TimeoutError::of_attempt(kind, limit, reply).into();
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
        ("cannot connect to the API", true)
    } else if error.is_redirect() {
        ("the API redirects without end", false)
    } else if error.is_decode() {
        ("the API's reply is compressed and cannot be decompressed", true)
    } else {
        ("the connection to the API broke before the reply was complete", true)
    };
    ConnectionError::new(what, retryable, reply, Box::new(error)).into()
}

/// Whether the HTTP client was built without TLS and asked for it. It may have TLS without this crate's features, if the program
/// depends on reqwest too, so only the text of the error is certain.
fn is_without_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "invalid URL, scheme is not http" {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The generated client gave up before it made a request.
fn not_made<E>(error: suprsend_api::Error<E>) -> Error {
    let reason = match error {
        suprsend_api::Error::InvalidRequest(reason) | suprsend_api::Error::Custom(reason) => reason,
        _ => "cannot be made into an HTTP request".to_owned(),
    };
    ConfigError::new("request", reason).into()
}
