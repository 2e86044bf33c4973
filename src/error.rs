//! Errors of building and sending requests.

use std::{error, fmt};

use http::StatusCode;

/// A request that cannot be built. Nothing has been sent.
///
/// The error does not quote values, which may be secrets or ids of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    place: String,
    reason: &'static str,
    is_parameter: bool,
}

impl RequestError {
    /// Creates an error about a part of a request, for implementations of [`Operation`](crate::Operation).
    #[cold]
    pub fn new(place: &str, reason: &'static str) -> Self {
        Self { place: place.to_owned(), reason, is_parameter: false }
    }

    #[cold]
    pub(crate) fn for_parameter(name: &str, reason: &'static str) -> Self {
        Self { place: name.to_owned(), reason, is_parameter: true }
    }

    /// Returns the name of the invalid parameter, or of another invalid part.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the reason why it is invalid.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_parameter { "the parameter " } else { "the " };
        write!(f, "{what}{} {}", self.place, self.reason)
    }
}

impl error::Error for RequestError {}

/// The error of [`Client::send`](crate::Client::send). `E` is the type that the OpenAPI document declares for the body of an error.
#[non_exhaustive]
pub enum Error<E> {
    /// The request cannot be built. Nothing has been sent.
    Request(RequestError),
    /// The request could not be sent, or the response could not be received.
    Http(reqwest::Error),
    /// The API responded with an unsuccessful status.
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// The body, if it has the declared form.
        refusal: Option<E>,
    },
    /// The API responded with a success, but the body cannot be decoded. The call may have taken effect.
    Undecodable {
        /// The HTTP status.
        status: StatusCode,
    },
}

impl<E> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
            Self::Refused { status, .. } => write!(f, "the API answered {status}"),
            Self::Undecodable { status } => {
                write!(f, "the API answered {status}, but the response cannot be decoded")
            }
        }
    }
}

/// Leaves out the body, which may echo the request.
impl<E> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl<E> error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Http(error) => error.source(),
            Self::Request(_) | Self::Refused { .. } | Self::Undecodable { .. } => None,
        }
    }
}

impl<E> From<RequestError> for Error<E> {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl<E> From<reqwest::Error> for Error<E> {
    fn from(error: reqwest::Error) -> Self {
        // The URL contains ids of people.
        Self::Http(error.without_url())
    }
}
