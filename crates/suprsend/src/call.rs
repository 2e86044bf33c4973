//! A call: an operation, the client that sends it, and the options set for this one call.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{Arc, atomic::AtomicU32},
};

use serde::{Serialize, Serializer};
use suprsend_api::{Lookup, Operation};

use crate::{
    checks,
    client::{AsClient, Client},
    config::Shared,
    decode,
    error::{ConfigError, Error, UndecodableResponse, Violations},
    flow::FlowControl,
    json, keys,
    raw_response::RawResponse,
    response::{Attempts, Response},
    retry::RetryPolicy,
    send::{Exchange, Options, Outgoing},
    throttle::Throttle,
};

/// The future of a call.
pub(crate) type Sending<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// A call of an operation, ready to be sent. Await it, or use `send`.
///
/// Calls are created by the methods of the handles, such as [`Users::upsert`](crate::Users::upsert). A call has a method for each optional
/// field of its operation, in addition to the methods of every call below. It owns its client, which is cheap to clone, so it can be
/// stored, cloned and sent to another thread.
///
/// ```no_run
/// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
/// use std::time::Duration;
///
/// let call = client.users().upsert("jane").email("jane@example.com").timeout(Duration::from_secs(5));
/// call.check()?; // sends nothing
/// let user = call.await?;
/// println!("{:?}", user.updated_at);
/// # Ok(())
/// # }
/// ```
///
/// Arguments are validated against the OpenAPI document before anything is sent. All violations are reported together, by
/// [`check`](Self::check) or when the call is sent.
#[must_use = "a call is sent when it is awaited, or by `send`"]
pub struct Call<O, C = Client> {
    client: C,
    /// Boxed, because every method takes and returns the call by value: this keeps the move small.
    parts: Box<Parts<O>>,
}

#[derive(Clone)]
struct Parts<O> {
    operation: O,
    options: Options,
    /// Violations found in values that could not be put into the body.
    refused: Violations,
}

impl Client {
    /// Prepares a call of any operation, including those that this crate has no method for.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// use suprsend::operations::FetchUserProfile;
    ///
    /// let user = client.call(FetchUserProfile::new("user-123")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call<O: Operation>(&self, operation: O) -> Call<O> {
        Call::new(self, operation)
    }
}

impl<O, C> Call<O, C> {
    /// Returns the operation.
    pub fn operation(&self) -> &O {
        &self.parts.operation
    }

    /// Returns a mutable reference to the operation.
    pub fn operation_mut(&mut self) -> &mut O {
        &mut self.parts.operation
    }

    /// Adds a header to the request.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.parts.options.header(name.as_ref(), value.as_ref());
        self
    }

    /// Limits the duration of the call, including its retries and the delays between them. Defaults to the client's limit.
    pub fn timeout(mut self, limit: std::time::Duration) -> Self {
        self.parts.options.timeout = Some(limit);
        self
    }

    /// Sets the retry policy of the call. Defaults to the client's policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.parts.options.retry = Some(policy);
        self
    }

    /// Counts the attempts that the API may have processed, even if the call is dropped. An error tells only about the last attempt.
    #[doc(hidden)]
    pub fn count_uncertain(mut self, attempts: &Arc<AtomicU32>) -> Self {
        self.parts.options.uncertain = Some(Arc::clone(attempts));
        self
    }

    /// Requires a setting of the client, which the operation needs.
    pub(crate) fn needs(mut self, setting: &'static str, is_set: bool) -> Self {
        if !is_set {
            let reason = format!(
                "is not set, and the operation has it in its path: set it by `ClientBuilder::{setting}`"
            );
            self.parts.options.violations.lacks(ConfigError::new(setting, reason));
        }
        self
    }

    /// Puts a value that only JSON can express into its place. If it is invalid, the violation is reported for this member.
    pub(crate) fn insert(
        mut self,
        name: String,
        value: impl Serialize,
        insert: impl FnOnce(&mut O, String, serde_json::Value),
    ) -> Self {
        let Parts { operation, refused, .. } = &mut *self.parts;
        if let Some(value) = json::to_value(format_args!("{name}"), value, refused) {
            insert(operation, name, value);
        }
        self
    }

    /// Does the same as [`insert`](Self::insert) for a member of the body that also has declared members.
    pub(crate) fn insert_into(
        mut self,
        member: &'static str,
        declared: &[&str],
        name: String,
        value: impl Serialize,
        insert: impl FnOnce(&mut O, String, serde_json::Value),
    ) -> Self {
        let Parts { operation, refused, .. } = &mut *self.parts;
        if declared.contains(&name.as_str()) {
            refused.add(format!("{member}.{name}"), "is SuprSend's own, and has a method of its own");
        } else if let Some(value) = json::to_value(format_args!("{member}.{name}"), value, refused) {
            insert(operation, name, value);
        }
        self
    }

    /// Does the same as [`insert_into`](Self::insert_into) for each member of a value.
    pub(crate) fn insert_all(
        mut self,
        member: &'static str,
        declared: &[&str],
        members: impl Serialize,
        insert: impl Fn(&mut O, String, serde_json::Value),
    ) -> Self {
        match json::to_value(format_args!("{member}"), members, &mut self.parts.refused) {
            Some(serde_json::Value::Object(members)) => {
                for (name, value) in members {
                    self = self.insert_into(member, declared, name, value, &insert);
                }
            }
            Some(_) => self.parts.refused.add(
                member,
                "is set from what has no members: pass a struct or a map, or set a single member by its name",
            ),
            None => {}
        }
        self
    }

    /// Does the same as [`insert`](Self::insert) for custom properties, whose names must not be SuprSend's own.
    pub(crate) fn insert_property(
        mut self,
        name: String,
        value: impl Serialize,
        insert: impl FnOnce(&mut O, String, serde_json::Value),
    ) -> Self {
        if checks::property(&name, &mut self.parts.refused) { self.insert(name, value, insert) } else { self }
    }

    /// Returns the violations found in values that could not be put into the body, to add to them or replace them.
    pub(crate) fn refused_mut(&mut self) -> &mut Violations {
        &mut self.parts.refused
    }

    /// Returns the violations found in the options.
    pub(crate) fn violations_mut(&mut self) -> &mut Violations {
        &mut self.parts.options.violations
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn client(&self) -> &C {
        &self.client
    }
}

impl<O, C> Call<O, C> {
    /// Takes the operation out of the call, with all violations so far. Options that would be lost are rejected with this reason.
    pub(crate) fn into_parts(self, reason: &str) -> (O, Violations) {
        let Parts { operation, options, refused } = *self.parts;
        let mut violations = Violations::default();
        options.refuse(reason, &mut violations);
        violations.append(options.violations);
        violations.append(refused);
        (operation, violations)
    }
}

impl<O: Operation, C: AsClient> Call<O, C> {
    /// Prepares a call of an operation; see [`Client::call`].
    pub(crate) fn new(client: &C, operation: O) -> Self {
        let parts = Parts { operation, options: Options::default(), refused: Violations::default() };
        Self { client: client.clone(), parts: Box::new(parts) }
    }

    /// Validates the call, as sending it does, without sending it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] with every rule that the arguments violate, or [`Error::Config`] if the client cannot send the call.
    pub fn check(&self) -> Result<(), Error> {
        let client = self.client.as_client();
        self.parts.outgoing(&client.shared)?;
        Shared::key(O::SPEC, &client.keys())?;
        Ok(())
    }

    /// Takes the operation as a record of another call, with all violations so far.
    pub(crate) fn into_record(self) -> (O, Violations) {
        self.into_parts("cannot be set for one of many that share a request: set it for the client")
    }

    /// Assigns an idempotency key now instead of when the call is sent, unless the call has one, and returns the key. Store it so that
    /// another process can repeat a call that failed, or use it to cancel what the call starts.
    ///
    /// Returns `None` if the operation takes no key, or if it has several records. In the latter case, each record has a key afterwards.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// let mut trigger = client.workflows().trigger("order-shipped").recipient("jane");
    /// let key = trigger.assign_idempotency_key();
    /// // However often this is sent, the workflow runs once.
    /// if trigger.clone().await.is_err() {
    ///     trigger.await?;
    /// }
    /// client.workflows().cancel().idempotency_key(key).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn assign_idempotency_key(&mut self) -> Option<String> {
        keys::give(&mut self.parts.operation);
        keys::find(&mut self.parts.operation).map(String::from)
    }

    /// Sends the call under a [`Throttle`] that it shares with other calls.
    ///
    /// Time spent waiting because the API asks for it, or because it is down, does not count against the call's timeout. See [`Throttle`].
    pub fn throttle(self, throttle: &Throttle) -> Self {
        self.flowing(throttle.flow())
    }

    /// Sends the call as one of many that share their flow control.
    pub(crate) fn flowing(mut self, flow: Arc<FlowControl>) -> Self {
        self.parts.options.flow = Some(flow);
        self
    }

    /// Sends the call, with a client of either kind.
    pub(crate) async fn run(self) -> Result<Response<O::Response>, Error> {
        let Self { client, mut parts } = self;
        let shared = &client.as_client().shared;
        if shared.settings.idempotency_keys {
            keys::give(&mut parts.operation);
        }
        // Boxed, because the future of a call is moved.
        let exchange = Box::new(Exchange::new(client.as_client(), &parts.options, O::SPEC));
        let sent = match parts.outgoing(shared) {
            Ok(outgoing) => exchange.send(outgoing).await,
            Err(error) => Err(error),
        };
        let mut ended = sent.and_then(|(received, attempts)| response::<O>(received, attempts));
        exchange.end(&ended);
        if let Ok(response) = &mut ended {
            response.set_idempotency_key(keys::find(&mut parts.operation));
        }
        ended
    }
}

impl<O: Operation> Parts<O> {
    /// Validates everything and creates the request.
    fn outgoing(&self, shared: &Shared) -> Result<Box<Outgoing<'_>>, Error> {
        let checked = checks::operation(&self.operation);
        let mut violations = checked.parameters;
        violations.append(self.options.violations.clone());
        violations.append(self.refused.clone());
        violations.append(checked.body);
        // An invalid record is not serialized: it may be nested infinitely deep.
        if violations.is_empty() {
            match self.operation.request(&shared.host(O::SPEC).base) {
                Ok(request) => {
                    checks::request(&request, shared.settings.strict, &mut violations);
                    violations.finish()?;
                    let idempotent = checked.idempotent.unwrap_or_else(|| self.operation.is_idempotent());
                    return Ok(Box::new(Outgoing {
                        spec: O::SPEC,
                        operation: &self.operation,
                        request: Some(request),
                        url: None,
                        idempotent,
                        needs_key: checked.idempotent.is_none() && !O::SPEC.idempotent,
                    }));
                }
                Err(error) => violations.append(error.into()),
            }
        }
        Err(violations.into())
    }
}

/// Decodes a successful response.
pub(crate) fn response<O: Operation>(
    received: RawResponse,
    attempts: Attempts,
) -> Result<Response<O::Response>, Error> {
    match decode::read(O::SPEC.response, received.bytes()) {
        Ok(value) if checks::is_result::<O::Response>(&value) => Ok(Response::new(value, received, attempts)),
        Ok(_) => {
            Err(UndecodableResponse::new(received, "holds nothing of what the document declares").into())
        }
        Err(reason) => Err(UndecodableResponse::new(received, reason).into()),
    }
}

impl<O: Operation> Call<O> {
    /// Sends the call and returns the result. Awaiting the call does the same.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] or [`Error::Config`] before anything is sent. Otherwise the error of the last attempt, wrapped in
    /// [`Error::TooManyAttempts`] if there were several attempts. [The table](crate::docs::errors) lists all errors.
    pub async fn send(self) -> Result<Response<O::Response>, Error> {
        self.run().await
    }
}

impl<O: Operation> IntoFuture for Call<O> {
    type Output = Result<Response<O::Response>, Error>;
    type IntoFuture = Sending<Response<O::Response>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<O: Lookup, C> Call<O, C> {
    /// Returns `None` instead of an error if nothing with the requested id exists.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// if let Some(user) = client.users().get("user-123").optional().await? {
    ///     println!("{} e-mail addresses", user.email.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn optional(self) -> Optional<O, C> {
        Optional { call: self }
    }
}

/// A call that returns `None` if nothing with the requested id exists; see [`Call::optional`].
#[must_use = "a call is sent when it is awaited, or by `send`"]
pub struct Optional<O, C = Client> {
    call: Call<O, C>,
}

impl<O: Lookup, C: AsClient> Optional<O, C> {
    pub(crate) async fn run(mut self) -> Result<Option<Response<O::Response>>, Error> {
        self.call.parts.options.may_be_absent = true;
        match self.call.run().await {
            Err(Error::NotFound(_)) => Ok(None),
            found => found.map(Some),
        }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn client(&self) -> &C {
        self.call.client()
    }
}

impl<O: Lookup> Optional<O> {
    /// Sends the call and returns the result. Awaiting the call does the same.
    ///
    /// # Errors
    ///
    /// The same as for the call, except that a missing user, list or object is returned as `None`.
    pub async fn send(self) -> Result<Option<Response<O::Response>>, Error> {
        self.run().await
    }
}

impl<O: Lookup> IntoFuture for Optional<O> {
    type Output = Result<Option<Response<O::Response>>, Error>;
    type IntoFuture = Sending<Option<Response<O::Response>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<O: Clone, C: Clone> Clone for Call<O, C> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), parts: self.parts.clone() }
    }
}

/// Serializes the body.
impl<O: Operation<Body: Sized>, C> Serialize for Call<O, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts.operation.body().serialize(serializer)
    }
}

/// Shows the operation's own `Debug` output, which contains neither secrets nor ids of people.
impl<O: fmt::Debug, C> fmt::Debug for Call<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("operation", &self.parts.operation).finish_non_exhaustive()
    }
}

impl<O: fmt::Debug, C> fmt::Debug for Optional<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Optional").field("operation", self.call.operation()).finish_non_exhaustive()
    }
}
