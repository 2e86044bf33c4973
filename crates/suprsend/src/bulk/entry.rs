//! The items of a source of calls: a call, optionally with one of your values, or a failure to make one.

use std::convert::Infallible;

use suprsend_api::Operation;

use super::outcome::Outcome;
use crate::{call::Call, client::AsClient};

/// An item that `send_all` accepts: a call; a pair of a value and a call, whose outcome returns the value; or a `Result` of either, whose
/// error ends the stream.
#[diagnostic::on_unimplemented(
    message = "`send_all` cannot send a `{Self}`",
    label = "expected calls, pairs `(value, call)`, or `Result`s of these",
    note = "map the input to calls first: `.map(|row| client.users().upsert(row.id))`, without `.send()` and `.await`"
)]
pub trait Entry {
    /// The operation of the call.
    type Operation: Operation;
    /// The kind of the client.
    type Client: AsClient;
    /// The value paired with the call.
    type Value;
    /// The error that may take the place of a call.
    type Error;
    /// The item that the stream returns for an outcome.
    type Outcome;

    /// Splits the entry into the value and the call.
    ///
    /// # Errors
    ///
    /// The error that takes the place of a call.
    #[allow(clippy::type_complexity, reason = "a name for it would say less")]
    fn into_call(self) -> Result<(Self::Value, Call<Self::Operation, Self::Client>), Self::Error>;

    /// Converts an outcome to an item of the stream.
    fn outcome(outcome: OutcomeOf<Self>) -> Self::Outcome;

    /// Converts an error of the source to an item of the stream.
    fn failed(error: Self::Error) -> Self::Outcome;
}

/// The outcome of an entry.
pub type OutcomeOf<E> = Outcome<<<E as Entry>::Operation as Operation>::Response, <E as Entry>::Value>;

impl<O: Operation, C: AsClient> Entry for Call<O, C> {
    type Operation = O;
    type Client = C;
    type Value = ();
    type Error = Infallible;
    type Outcome = Outcome<O::Response>;

    fn into_call(self) -> Result<((), Self), Infallible> {
        Ok(((), self))
    }

    fn outcome(outcome: Outcome<O::Response>) -> Self::Outcome {
        outcome
    }

    fn failed(error: Infallible) -> Self::Outcome {
        match error {}
    }
}

impl<V, O: Operation, C: AsClient> Entry for (V, Call<O, C>) {
    type Operation = O;
    type Client = C;
    type Value = V;
    type Error = Infallible;
    type Outcome = Outcome<O::Response, V>;

    fn into_call(self) -> Result<Self, Infallible> {
        Ok(self)
    }

    fn outcome(outcome: Outcome<O::Response, V>) -> Self::Outcome {
        outcome
    }

    fn failed(error: Infallible) -> Self::Outcome {
        match error {}
    }
}

impl<T: Entry<Error = Infallible>, E> Entry for Result<T, E> {
    type Operation = T::Operation;
    type Client = T::Client;
    type Value = T::Value;
    type Error = E;
    type Outcome = Result<T::Outcome, E>;

    fn into_call(self) -> Result<(T::Value, Call<T::Operation, T::Client>), E> {
        self.map(|entry| match entry.into_call() {
            Ok(call) => call,
            Err(never) => match never {},
        })
    }

    fn outcome(outcome: OutcomeOf<Self>) -> Self::Outcome {
        Ok(T::outcome(outcome))
    }

    fn failed(error: E) -> Self::Outcome {
        Err(error)
    }
}
