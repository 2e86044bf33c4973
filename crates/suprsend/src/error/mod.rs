//! Everything that can go wrong with a call, in one type.
//!
//! The variants wrap structs with private fields, so both can grow, and no type of another crate is part of them. `Display` prints one line
//! with everything that this crate knows. Underlying errors of other crates are available through [`source`](std::error::Error::source),
//! and `{error:#}` prints the whole chain. None of these shows a header or a secret.

mod api;
mod draft;
mod input;
mod lists;
mod redact;
mod transfer;

use std::{error, fmt, time::Duration};

use http::StatusCode;

pub use self::{
    api::{ApiError, UndecodableResponse},
    draft::InvalidDraft,
    input::{ConfigError, InvalidInput, Violation},
    lists::{NotFound, PagingError},
    transfer::{ConnectionError, TimeoutError, TimeoutKind, TooManyAttempts},
};
pub(crate) use self::{input::Violations, redact::Secrets};

/// The error type of every call.
///
/// [The guide on errors](crate::docs::errors) lists the failures and their variants. `{error}` prints one line, and `{error:#}` adds the
/// causes.
///
/// ```no_run
/// # async fn example(client: suprsend::Client) {
/// use suprsend::Error;
///
/// match client.users().edit("jane").set("plan", "pro").await {
///     Ok(user) => println!("{:?} changed", user.distinct_id),
///     // Nothing was sent. Correct the program's configuration.
///     Err(Error::Config(error)) => println!("{}: {error}", error.setting()),
///     // Nothing was sent. Correct the data.
///     Err(Error::InvalidInput(input)) => {
///         for violation in input.violations() {
///             println!("{}: {}", violation.path(), violation.rule());
///         }
///     }
///     // The user, list, workflow or other item does not exist.
///     Err(Error::NotFound(missing)) => println!("{missing}"),
///     // The API refused the call.
///     Err(Error::Api(error)) => {
///         println!("{}: {}", error.status(), error.message().unwrap_or("no message"));
///     }
///     // The API could not be reached, or was too slow. An edit may have been done all the same.
///     Err(Error::Connection(error)) => println!("{error}"),
///     Err(Error::Timeout(error)) => println!("{error} ({:?})", error.kind()),
///     // The same, and several attempts failed. The last one is one of the variants above.
///     Err(Error::TooManyAttempts(error)) => println!("{} attempts: {}", error.attempts(), error.last()),
///     // The call was done, but its response cannot be read.
///     Err(Error::UndecodableResponse(error)) => println!("{error}: {:?}", error.body()),
///     // Only lists: the API's pages do not lead to an end.
///     Err(Error::Paging(error)) => println!("{error}"),
///     // Variants may be added.
///     Err(error) => println!("{error:#}"),
/// }
/// # }
/// ```
///
/// Most programs need fewer arms: [`is_retryable`](Error::is_retryable) returns whether the same call may succeed later,
/// [`is_caused_by_input`](Error::is_caused_by_input) returns whether calls with other arguments may succeed, and [`status`](Error::status),
/// [`request_id`](Error::request_id) and [`api`](Error::api) work for every variant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built or used with its configuration. Nothing was sent.
    Config(ConfigError),
    /// The arguments violate rules of the OpenAPI document. Nothing was sent.
    InvalidInput(InvalidInput),
    /// A timeout elapsed.
    Timeout(TimeoutError),
    /// No connection could be made, or it broke before the response was complete.
    Connection(ConnectionError),
    /// The API responded with an unsuccessful status.
    Api(ApiError),
    /// The user, object, list, workflow or other item that the call names does not exist.
    NotFound(NotFound),
    /// The API responded with a success, but its body cannot be decoded.
    UndecodableResponse(UndecodableResponse),
    /// The API saved a draft but did not commit it, because it has errors.
    InvalidDraft(InvalidDraft),
    /// A list cannot be read to its end.
    Paging(PagingError),
    /// Every attempt failed.
    TooManyAttempts(TooManyAttempts),
}

/// The kind of error with which a call ended, for metrics and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be used with its configuration.
    Config,
    /// The arguments violate rules; nothing was sent.
    InvalidInput,
    /// A timeout elapsed.
    Timeout,
    /// No connection could be made, or it broke.
    Connection,
    /// The API rejected the call.
    Api,
    /// The user, object, list, workflow or other item that the call names does not exist.
    NotFound,
    /// The body of the response cannot be decoded.
    UndecodableResponse,
    /// A draft was not committed, because it has errors.
    InvalidDraft,
    /// A list cannot be read to its end.
    Paging,
    /// The call was dropped before it ended.
    Cancelled,
}

impl ErrorKind {
    /// Returns the kind as a name, such as `not_found`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::InvalidInput => "invalid_input",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Api => "api",
            Self::NotFound => "not_found",
            Self::UndecodableResponse => "undecodable_response",
            Self::InvalidDraft => "invalid_draft",
            Self::Paging => "paging",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Error {
    /// Returns the kind of the error. For [`TooManyAttempts`](Self::TooManyAttempts), this is the kind of its last failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Config(_) => ErrorKind::Config,
            Self::InvalidInput(_) => ErrorKind::InvalidInput,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Connection(_) => ErrorKind::Connection,
            Self::Api(_) => ErrorKind::Api,
            Self::NotFound(_) => ErrorKind::NotFound,
            Self::UndecodableResponse(_) => ErrorKind::UndecodableResponse,
            Self::InvalidDraft(_) => ErrorKind::InvalidDraft,
            Self::Paging(_) => ErrorKind::Paging,
            Self::TooManyAttempts(error) => error.last().kind(),
        }
    }

    /// Returns whether the same call may succeed later.
    ///
    /// This depends only on the failure. Some operations, such as an edit that increments a property, must not be repeated if they may have
    /// taken effect. An upsert can always be repeated.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::InvalidInput(_)
            | Self::NotFound(_)
            | Self::InvalidDraft(_)
            | Self::Paging(_)
            | Self::UndecodableResponse(_) => false,
            Self::Timeout(_) | Self::TooManyAttempts(_) => true,
            Self::Connection(error) => error.is_retryable(),
            Self::Api(error) => error.is_retryable(),
        }
    }

    /// Returns whether the arguments of this call caused the failure, so that calls with other arguments may succeed.
    ///
    /// These are [`InvalidInput`](Self::InvalidInput), [`NotFound`](Self::NotFound) unless an earlier attempt [may have taken
    /// effect](NotFound::may_be_done), and [`Api`](Self::Api) with the status 400, 409, 413 or 422. Any other failure may affect every call:
    /// the API key is not accepted (401), a setting is missing, or the API is down. A program that sends many records should skip a record
    /// only if this returns true, and otherwise stop and keep the record for later.
    pub fn is_caused_by_input(&self) -> bool {
        match self {
            Self::InvalidInput(_) => true,
            Self::NotFound(error) => !error.may_be_done(),
            Self::Api(error) => matches!(error.status().as_u16(), 400 | 409 | 413 | 422),
            Self::Config(_)
            | Self::Timeout(_)
            | Self::Connection(_)
            | Self::InvalidDraft(_)
            | Self::UndecodableResponse(_)
            | Self::Paging(_)
            | Self::TooManyAttempts(_) => false,
        }
    }

    /// Returns how long the API asks to wait before the call is repeated, from the last response's `Retry-After`.
    pub fn retry_after(&self) -> Option<Duration> {
        self.api().and_then(ApiError::retry_after)
    }

    /// Returns the status of the last response, if there was one, even if its body is missing.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Config(_) | Self::InvalidInput(_) | Self::Paging(_) => None,
            Self::Timeout(error) => error.status(),
            Self::Connection(error) => error.status(),
            Self::Api(error) => Some(error.status()),
            Self::NotFound(error) => Some(error.api().status()),
            Self::InvalidDraft(error) => Some(error.status()),
            Self::UndecodableResponse(error) => Some(error.status()),
            Self::TooManyAttempts(error) => error.last().status(),
        }
    }

    /// Returns the id that the API assigned to the last request. Quote it to SuprSend's support.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Config(_) | Self::InvalidInput(_) => None,
            Self::Timeout(error) => error.request_id(),
            Self::Connection(error) => error.request_id(),
            Self::Api(error) => error.request_id(),
            Self::NotFound(error) => error.api().request_id(),
            Self::Paging(error) => error.request_id(),
            Self::InvalidDraft(error) => error.request_id(),
            Self::UndecodableResponse(error) => error.request_id(),
            Self::TooManyAttempts(error) => error.last().request_id(),
        }
    }

    /// Returns the API's own error, whether this is that error or the last of several attempts failed with it.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::NotFound(error) => Some(error.api()),
            Self::TooManyAttempts(error) => error.last().api(),
            Self::Timeout(error) => error.last()?.api(),
            _ => None,
        }
    }

    /// Creates the error of a response: [`Error::NotFound`] if the API itself reports that.
    pub(crate) fn of_response(error: ApiError, may_be_done: bool) -> Self {
        NotFound::new(error, may_be_done).map_or_else(Self::Api, Self::NotFound)
    }

    /// Returns the number of attempts, as far as the error tells, and the error of the last attempt.
    pub(crate) fn into_last_attempt(self) -> (u32, Self) {
        match self {
            Self::TooManyAttempts(error) => (error.attempts(), error.into_last()),
            Self::Timeout(error) => (error.attempts(), Self::Timeout(error)),
            other => (1, other),
        }
    }

    /// Returns the error after this total number of attempts.
    pub(crate) fn after_attempts(self, attempts: u32) -> Self {
        let told = if let Self::Timeout(error) = &self { error.attempts() } else { 1 };
        if attempts > told && self.is_retryable() {
            TooManyAttempts::new(attempts, self).into()
        } else {
            self
        }
    }

    /// Returns the content of the variant, which describes the error completely.
    fn inner(&self) -> &(dyn error::Error + 'static) {
        match self {
            Self::Config(error) => error,
            Self::InvalidInput(error) => error,
            Self::Timeout(error) => error,
            Self::Connection(error) => error,
            Self::Api(error) => error,
            Self::NotFound(error) => error,
            Self::Paging(error) => error,
            Self::InvalidDraft(error) => error,
            Self::UndecodableResponse(error) => error,
            Self::TooManyAttempts(error) => error,
        }
    }
}

/// With `#`, the causes follow, separated by colons.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner())?;
        if f.alternate() { transfer::fmt_causes(f, self.inner()) } else { Ok(()) }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.inner().source()
    }
}

/// Defines the conversions for `?`. Each struct belongs to one variant.
macro_rules! variants {
    ($($variant:ident($content:ty)),* $(,)?) => {
        $(impl From<$content> for Error {
            fn from(error: $content) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

variants! {
    Config(ConfigError),
    NotFound(NotFound),
    Paging(PagingError),
    InvalidDraft(InvalidDraft),
    InvalidInput(InvalidInput),
    Timeout(TimeoutError),
    Connection(ConnectionError),
    Api(ApiError),
    UndecodableResponse(UndecodableResponse),
    TooManyAttempts(TooManyAttempts),
}
