//! Requests that the generated client makes and somebody else sends.

use std::{
    cell::RefCell,
    fmt,
    marker::PhantomData,
    mem,
    pin::pin,
    task::{Context, Poll, Waker},
};

use reqwest::{Method, Request};

use crate::{Client, Error, ResponseValue};

thread_local! {
    /// Where the hook puts the request while one is prepared on this thread.
    static SLOT: RefCell<Slot> = const { RefCell::new(Slot::Closed) };
}

/// Whether a request is to be kept instead of sent, and the one that was.
enum Slot {
    Closed,
    Open,
    Filled(Box<Request>, &'static str),
    /// There was more than one, of which none can be the request of the call.
    Overfull,
}

/// A request of an operation, as the generated client made it, not sent yet; `T` is what the operation's reply is decoded into.
#[non_exhaustive]
pub struct Prepared<T> {
    /// The request. It has no credentials but those of the base URL, if that has any.
    pub request: Box<Request>,
    /// The id of the operation, written as the generated method is: `create_update_users`.
    pub operation: &'static str,
    reply: PhantomData<fn() -> T>,
}

impl Client {
    /// Makes the request of a call, and sends nothing.
    ///
    /// For programs that send, retry and decode in a way of their own: what is known only to the generated code is how the request
    /// looks and of which type the reply is. The call is given this client, and has to await nothing but one operation of it.
    ///
    /// # Errors
    ///
    /// What the generated client refuses, such as an operation without an argument that it requires; and [`Error::Custom`] if the
    /// call did not make one request.
    ///
    /// ```
    /// use suprsend_api::{Client, PlainTransport, Sender};
    ///
    /// let client = Client::new_with_client(
    ///     "https://hub.suprsend.com",
    ///     reqwest::Client::new(),
    ///     Sender::new(PlainTransport),
    /// );
    /// let prepared =
    ///     client.prepare(async |client| client.fetch_user_profile().distinct_id("jane").send().await).unwrap();
    /// assert_eq!(prepared.request.url().path(), "/v1/user/jane/");
    /// assert_eq!(prepared.operation, "fetch_user_profile");
    /// ```
    #[allow(clippy::result_large_err, reason = "the error is progenitor's")]
    pub fn prepare<T, E>(
        &self,
        call: impl AsyncFnOnce(&Self) -> Result<ResponseValue<T>, Error<E>>,
    ) -> Result<Prepared<T>, Error<E>> {
        let opened = Opened::new();
        // The generated code waits for nothing before its hook, and the hook ends it.
        let polled = pin!(call(self)).poll(&mut Context::from_waker(Waker::noop()));
        match (opened.close(), polled) {
            (Slot::Filled(request, operation), _) => Ok(Prepared { request, operation, reply: PhantomData }),
            (Slot::Overfull, _) => Err(Error::Custom("the call made more than one request".to_owned())),
            (_, Poll::Ready(Err(error))) => Err(error),
            _ => Err(Error::Custom("the call made no request".to_owned())),
        }
    }
}

/// Ends a call whose request is kept.
#[allow(clippy::result_large_err, reason = "the error is progenitor's")]
pub(crate) fn keep<E>(request: &mut Request, operation: &'static str) -> Result<(), Error<E>> {
    SLOT.with_borrow_mut(|slot| {
        if matches!(slot, Slot::Closed) {
            return Ok(());
        }
        *slot = if matches!(slot, Slot::Open) {
            let nothing = Request::new(Method::GET, request.url().clone());
            Slot::Filled(Box::new(mem::replace(request, nothing)), operation)
        } else {
            Slot::Overfull
        };
        Err(Error::Custom(String::new()))
    })
}

/// The slot is open as long as this lives, and is then what it was before: a call may prepare another one.
struct Opened {
    before: Option<Slot>,
}

impl Opened {
    fn new() -> Self {
        Self { before: Some(SLOT.replace(Slot::Open)) }
    }

    fn close(mut self) -> Slot {
        SLOT.replace(self.before.take().unwrap_or(Slot::Closed))
    }
}

/// Where the call panicked.
impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(before) = self.before.take() {
            SLOT.set(before);
        }
    }
}

/// Leaves out the request, whose URL and body hold what is known about a person.
impl<T> fmt::Debug for Prepared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("operation", &self.operation).finish_non_exhaustive()
    }
}
