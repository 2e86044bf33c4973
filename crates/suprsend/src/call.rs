//! One call: authentication, attempts, time-outs and limits, for every operation alike.
//!
//! [`Call`] is the behaviour that the generated client is given. The generated code makes the request and says of which type the
//! reply is; what happens in between, and everything that goes wrong in between, is here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{ResponseBuilderExt, Url};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use suprsend_api::{ResponseValue, SendFuture, Sender, Transport};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    Client, Error, Response, RetryPolicy,
    bulk::pace::Pace,
    checks::schema,
    config::{Settings, parse_header},
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

/// A call on its way, and how it ended.
pub(crate) struct Call {
    client: Client,
    options: Options,
    end: Mutex<Option<End>>,
}

/// How a call ended: with a success's reply, whatever is in it, or an error.
struct End {
    attempts: u32,
    result: Result<Reply, Error>,
}

impl Call {
    /// A call with these options, and the generated client that makes it.
    pub(crate) fn start(client: &Client, options: Options) -> (suprsend_api::Client, Arc<Self>) {
        let call = Arc::new(Self { client: client.clone(), options, end: Mutex::new(None) });
        let shared = &client.shared;
        let sender = Sender::shared(Arc::clone(&call) as Arc<dyn Transport>);
        (suprsend_api::Client::new_with_client(&shared.base.text, shared.http.clone(), sender), call)
    }

    /// As [`finish`](Self::finish), for operations whose reply has no body, or one that says nothing.
    pub(crate) fn finish_without_body<E>(
        &self,
        generated: Result<ResponseValue<()>, suprsend_api::Error<E>>,
    ) -> Result<Response<()>, Error> {
        let (reply, attempts) = self.end(generated.err())?;
        let (status, headers, _) = reply.into_parts();
        Ok(Response::new((), status, headers, attempts))
    }

    /// The reply of a call that was made.
    fn end<E>(&self, error: Option<suprsend_api::Error<E>>) -> Result<(Reply, u32), Error> {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(End { attempts, result }) = end else {
            return Err(not_sent(error));
        };
        Ok((result?, attempts))
    }

    /// Turns what the generated client made of the call into the caller's result, for any operation.
    ///
    /// `is_result` tells a result from other JSON that happens to decode, for types that require nothing.
    pub(crate) fn finish<T: DeserializeOwned, E>(
        &self,
        generated: Result<ResponseValue<T>, suprsend_api::Error<E>>,
        is_result: impl FnOnce(&T) -> bool,
    ) -> Result<Response<T>, Error> {
        let (reply, attempts) = self.end(generated.err())?;
        // Here and not by the generated code, which knows only the statuses that the document declares, and takes a reply only
        // as it is declared: one that it could not place, or not decode, may be a success all the same.
        let value = match decode::lenient(reply.body()) {
            Ok(value) if is_result(&value) => value,
            Ok(_) => {
                return Err(
                    UndecodableReply::new(reply, "holds nothing of what the document declares").into()
                );
            }
            Err(reason) => return Err(UndecodableReply::new(reply, reason).into()),
        };
        let (status, headers, _) = reply.into_parts();
        Ok(Response::new(value, status, headers, attempts))
    }

    /// Sends a request that no operation of the generated client makes.
    pub(crate) async fn send_raw(
        client: &Client,
        options: Options,
        request: reqwest::Request,
    ) -> Result<Response<Body>, Error> {
        let call = Self { client: client.clone(), options, end: Mutex::new(None) };
        let End { attempts, result } = call.run(&client.shared.http, request, "request").await;
        let (status, headers, body) = result?.into_parts();
        Ok(Response::new(Body::new(body), status, headers, attempts))
    }

    async fn run(&self, http: &reqwest::Client, request: reqwest::Request, operation: &'static str) -> End {
        if Handle::try_current().is_err() {
            let error =
                ConfigError::new("runtime", "is missing: calls have to be awaited in a tokio runtime");
            return End { attempts: 0, result: Err(error.into()) };
        }
        let span = trace::Span::new(operation, self.client.shared.base.host());
        let end = span.cover(self.attempts(http, request, operation, &span)).await;
        span.end(&end.result);
        end
    }

    /// Sends until there is a result: the loop in which all retries are made.
    async fn attempts(
        &self,
        http: &reqwest::Client,
        mut request: reqwest::Request,
        operation: &'static str,
        span: &trace::Span,
    ) -> End {
        let settings = &self.client.shared.settings;
        let quota = &self.client.shared.quota;
        let policy = self.options.retry.as_ref().unwrap_or(&settings.retry);
        let idempotent = self.options.idempotent.unwrap_or_else(|| retry::is_idempotent(operation));
        let limit = self.options.timeout.unwrap_or(settings.timeout);
        // A limit beyond what a clock can show is none.
        let mut deadline = Instant::now().checked_add(limit);
        let pace = self.options.pace.as_deref();

        self.set_headers(request.headers_mut());
        let mut attempts = 0;
        let mut taken = None;
        let mut last = None;
        loop {
            attempts += 1;
            if let Some(pace) = pace {
                deadline = later(deadline, pace.admit(attempts).await);
            }
            span.attempt(attempts);
            // None if the body is a stream, which is gone once it is sent.
            let copy = request.try_clone();
            // It may be replaced meanwhile: what is sent is what a reply may echo.
            let key = self.client.key();
            let sent = Instant::now();
            let error = match self.attempt(http, request, key.header(), deadline).await {
                Ok(reply) => {
                    if let Some(pace) = pace {
                        pace.answered(sent);
                    }
                    quota.succeeded(taken);
                    return End { attempts, result: Ok(reply) };
                }
                Err(Failure::OutOfTime(reply)) => {
                    if let Some(pace) = pace {
                        pace.not_answered(sent);
                    }
                    let error = TimeoutError::of_call(limit, attempts, reply, last);
                    return End { attempts, result: Err(error.into()) };
                }
                Err(Failure::Refused(reply)) => {
                    let mut secrets = schema::secrets(operation, body(copy.as_ref()));
                    secrets.insert(key.secret().expose_secret().to_owned());
                    ApiError::new(reply, &secrets).into()
                }
                Err(Failure::Of(error)) => error,
            };
            if let Some(pace) = pace {
                pace.failed(sent, &error);
                // The server's own delay is one of the whole stream.
                deadline = later(deadline, error.retry_after().unwrap_or_default());
            }
            let harmless = idempotent || retry::was_not_processed(&error);
            let next = copy.filter(|_| harmless).zip(policy.delay(attempts, &error));
            // There is no sense in waiting for an attempt that no time is left for.
            let too_late = |delay| deadline.is_some_and(|end| end.duration_since(Instant::now()) <= delay);
            if next.as_ref().is_some_and(|(_, delay)| too_late(*delay)) {
                let error = TimeoutError::of_call(limit, attempts, None, Some(error));
                return End { attempts, result: Err(error.into()) };
            }
            let Some(((next, delay), cost)) = next.and_then(|next| Some((next, quota.take(&error)?))) else {
                let gave_up = attempts > 1 && error.is_retryable();
                let error = if gave_up { TooManyAttempts::new(attempts, error).into() } else { error };
                return End { attempts, result: Err(error) };
            };
            span.retry(attempts, delay, &error);
            sleep(delay).await;
            request = next;
            taken = Some(cost);
            last = Some(error);
        }
    }

    /// Adds what every request of the client and of this call has. The key is added with each attempt, since it may change.
    fn set_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.client.shared.headers {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.options.headers {
            headers.insert(name, value.clone());
        }
    }

    async fn attempt(
        &self,
        http: &reqwest::Client,
        mut request: reqwest::Request,
        authorization: &HeaderValue,
        deadline: Option<Instant>,
    ) -> Result<Reply, Failure> {
        let settings = &self.client.shared.settings;
        request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        let own = Instant::now().checked_add(settings.attempt_timeout);
        let until = [own, deadline].into_iter().flatten().min();
        let mut reply = None;
        let exchange = exchange(http, request, &mut reply, settings.max_reply);
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
            (None, reply) if until == deadline => Err(Failure::OutOfTime(reply)),
            (_, reply) => {
                let limit = Some(settings.attempt_timeout);
                Err(Failure::Of(TimeoutError::of_attempt(TimeoutKind::Attempt, limit, reply).into()))
            }
        }
    }
}

/// Hands the outcome to [`Call::finish`]. The generated client is given nothing of it: its errors have no room for what is known
/// about a failure, and what it made of a success would be a copy.
impl Transport for Call {
    fn send<'a>(
        &'a self,
        http: &'a reqwest::Client,
        request: reqwest::Request,
        operation: &'static str,
    ) -> SendFuture<'a> {
        Box::pin(async move {
            let end = self.run(http, request, operation).await;
            *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
            Ok(nothing(&self.client.shared.base.url).into())
        })
    }
}

/// A response without anything, with a status that no document declares, so that the generated client looks no further.
fn nothing(url: &Url) -> http::Response<&'static str> {
    // reqwest parses a URL for each response that comes without.
    let response = http::Response::builder().url(url.clone()).status(StatusCode::IM_USED);
    response.body("").unwrap_or_default()
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

fn body(request: Option<&reqwest::Request>) -> &[u8] {
    request.and_then(|request| request.body()?.as_bytes()).unwrap_or_default()
}

/// Sends a request and reads the reply into `reply`, where it can be seen even if this is cut short. False if it is too long.
async fn exchange(
    http: &reqwest::Client,
    request: reqwest::Request,
    reply: &mut Option<Reply>,
    limit: usize,
) -> reqwest::Result<bool> {
    let mut response = http.execute(request).await?;
    let reply = reply.insert(Reply::of_head(&response));
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

/// The generated client gave up before it sent anything.
fn not_sent<E>(error: Option<suprsend_api::Error<E>>) -> Error {
    let reason = match error {
        Some(suprsend_api::Error::InvalidRequest(reason) | suprsend_api::Error::Custom(reason)) => reason,
        _ => "cannot be made into an HTTP request".to_owned(),
    };
    ConfigError::new("request", reason).into()
}
