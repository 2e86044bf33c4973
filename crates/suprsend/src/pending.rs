//! Calls that are prepared and not sent yet.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use crate::{
    Client, Error,
    call::{Options, option_methods},
    error::Violations,
};

/// A call on its way, as it is kept where its own type cannot be named.
pub(crate) type Sending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A call that is awaited or sent by `send`.
///
/// What it was made with is checked when it was made; what is wrong with that is the call's error, and nothing is sent then.
#[derive(Clone)]
#[must_use = "a call is made when it is awaited, or by `send`"]
pub struct Pending<C, T> {
    client: C,
    options: Options,
    violations: Violations,
    /// Makes the call. Not a type parameter, so that every call with the same result is of one type.
    make: Arc<dyn Fn(Client, Options) -> Sending<T> + Send + Sync>,
}

impl<C, T> Pending<C, T> {
    pub(crate) fn new<F>(
        client: C,
        violations: Violations,
        make: impl Fn(Client, Options) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let make = Arc::new(move |client, options| Box::pin(make(client, options)) as Sending<T>);
        Self { client, options: Options::default(), violations, make }
    }

    option_methods!(options, violations);

    fn start(self, client: &Client) -> Sending<T>
    where
        T: 'static,
    {
        match self.violations.finish() {
            Ok(()) => (self.make)(client.clone(), self.options),
            Err(error) => Box::pin(async { Err(error.into()) }),
        }
    }
}

impl<T: 'static> Pending<Client, T> {
    /// Makes the call. Awaiting it does the same.
    pub async fn send(self) -> Result<T, Error> {
        self.await
    }
}

impl<T: 'static> IntoFuture for Pending<Client, T> {
    type Output = Result<T, Error>;
    type IntoFuture = Sending<T>;

    fn into_future(self) -> Self::IntoFuture {
        let client = self.client.clone();
        self.start(&client)
    }
}

#[cfg(feature = "blocking")]
impl<T: 'static> Pending<crate::blocking::Client, T> {
    /// Makes the call and waits for its result.
    pub fn send(self) -> Result<T, Error> {
        let client = self.client.clone();
        client.wait(self.start(client.inner()))
    }
}

/// Leaves out what the call was made with, which holds the ids of people.
impl<C, T> fmt::Debug for Pending<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").finish_non_exhaustive()
    }
}
