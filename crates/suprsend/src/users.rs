//! Calls about users.

mod edit;

use std::{
    fmt,
    future::{Future, IntoFuture},
    mem,
    pin::Pin,
    sync::Arc,
};

use serde::{Serialize, Serializer};
use serde_json::Value;
use suprsend_api::Prepared;

#[cfg(feature = "blocking")]
use crate::blocking;
use crate::{
    Client, Error, Response,
    bulk::pace::Pace,
    call::{self, Options, option_methods},
    checks,
    config::Settings,
    error::{InvalidInput, Violations},
    pages::{List, Query},
    pending::Pending,
    types::{
        ListSubscriptionList, MsTeamsChannel, ObjectSubscriptionList, SlackChannel, User, UserBulkDelete,
        UserList, UserMerge, UserUpsert, WebPush,
    },
};

pub use self::edit::{EditUser, Push};

/// The operation that an upsert is.
const UPSERT: &str = "create_update_users";

/// Calls about users, made by [`Client::users`].
#[derive(Debug, Clone, Copy)]
pub struct Users<'a, C> {
    client: &'a C,
}

impl<'a, C: Clone> Users<'a, C> {
    pub(crate) fn new(client: &'a C) -> Self {
        Self { client }
    }

    pub(crate) fn client(&self) -> &C {
        self.client
    }

    /// Creates the user with this id, or updates it: what is set is added to the profile, what is not is left as it is.
    ///
    /// The id is the one of your own system: up to 255 characters, case-sensitive, never changed once set. White space around it is
    /// dropped, as SuprSend's other SDKs do.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// let user = client.users().upsert("user-123").email("jane@example.com").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert(&self, distinct_id: impl AsRef<str>) -> UpsertUser<C> {
        let mut violations = Violations::default();
        let distinct_id = checks::distinct_id(distinct_id.as_ref(), &mut violations).to_owned();
        let parts = Parts {
            distinct_id,
            violations,
            body: UserUpsert::default(),
            options: Options::default(),
            refused: Violations::default(),
        };
        UpsertUser { client: self.client.clone(), parts: Box::new(parts) }
    }

    /// The stored profile of the user with this id. If there is none, that is [`Error::NotFound`]; see [`find`](Self::find).
    pub fn get(&self, distinct_id: impl AsRef<str>) -> Pending<C, Response<User>> {
        self.about(distinct_id, fetch)
    }

    /// The stored profile of the user with this id, or `None` if there is none.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// if let Some(user) = client.users().find("user-123").await? {
    ///     println!("{} e-mail addresses", user.email.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn find(&self, distinct_id: impl AsRef<str>) -> Pending<C, Option<Response<User>>> {
        self.about(distinct_id, |client, options, distinct_id| async move {
            match fetch(client, options, distinct_id).await {
                Err(Error::NotFound(_)) => Ok(None),
                found => found.map(Some),
            }
        })
    }

    /// Changes single values of the profile of the user with this id, by operations that are done in order.
    pub fn edit(&self, distinct_id: impl AsRef<str>) -> EditUser<C> {
        let mut violations = Violations::default();
        let distinct_id = checks::distinct_id(distinct_id.as_ref(), &mut violations).to_owned();
        EditUser::new(self.client.clone(), distinct_id, violations)
    }

    /// Deletes the user with this id for good.
    ///
    /// If there is none, that is [`Error::NotFound`]. It is so too if an attempt deleted the user and its reply was lost.
    pub fn delete(&self, distinct_id: impl AsRef<str>) -> Pending<C, Response<()>> {
        self.about(distinct_id, |client, options, distinct_id| async move {
            let request =
                call::prepare(&client, async |api| api.delete_user().distinct_id(distinct_id).send().await)?;
            call::send_without_reply(&client, &options, request).await.map_err(Error::of_missing)
        })
    }

    /// Deletes the users with these ids for good, in one call. Those that do not exist are passed over.
    ///
    /// This is in no document of SuprSend's; its other SDKs have it.
    pub fn delete_many<I>(&self, distinct_ids: I) -> Pending<C, Response<()>>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let mut violations = Violations::default();
        let mut body = UserBulkDelete { distinct_ids: Vec::new() };
        for (index, distinct_id) in distinct_ids.into_iter().enumerate() {
            let place = format!("distinct_ids[{index}]");
            body.distinct_ids.push(checks::id(&place, distinct_id.as_ref(), &mut violations).to_owned());
        }
        checks::bulk_delete(&body, &mut violations);
        Pending::new(self.client.clone(), violations, move |client, options| {
            let body = body.clone();
            async move {
                let request =
                    call::prepare(&client, async |api| api.bulk_delete_users().body(body).send().await)?;
                call::send_without_reply(&client, &options, request).await
            }
        })
    }

    /// Merges the user `from` into the user `into`, and gives the profile that is left: what only `from` had `into` has too now.
    /// `from` is deleted for good.
    ///
    /// If one of them does not exist, that is [`Error::NotFound`], whose message names which. A merge is sent again only if it surely
    /// was not processed; see [`RetryPolicy`](crate::RetryPolicy).
    pub fn merge(&self, into: impl AsRef<str>, from: impl AsRef<str>) -> Pending<C, Response<User>> {
        let mut violations = Violations::default();
        let into = checks::distinct_id(into.as_ref(), &mut violations).to_owned();
        let from = checks::id("from_user_id", from.as_ref(), &mut violations).to_owned();
        if into == from {
            violations.add("from_user_id", "is the user that it would be merged into");
        }
        Pending::new(self.client.clone(), violations, move |client, options| {
            let (into, body) = (into.clone(), UserMerge { from_user_id: from.clone() });
            async move {
                let request = call::prepare(&client, async |api| {
                    api.merge_users().distinct_id(into).body(body).send().await
                })?;
                call::send(&client, &options, request, is_profile).await.map_err(Error::of_missing)
            }
        })
    }

    /// All users of the workspace, without their channels.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// let mut users = client.users().list().limit(100).items();
    /// while let Some(user) = users.next().await.transpose()? {
    ///     println!("{:?}", user.distinct_id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> List<C, UserList> {
        List::new(
            self.client.clone(),
            Violations::default(),
            |client: Client, options, query: Query| async move {
                let request =
                    call::prepare(&client, async |api| paged!(api.list_users(), query).send().await)?;
                call::send(&client, &options, request, |_| true).await
            },
        )
    }

    /// The objects that the user with this id is subscribed to. If there is no such user, that is [`Error::NotFound`].
    pub fn object_subscriptions(&self, distinct_id: impl AsRef<str>) -> List<C, ObjectSubscriptionList> {
        self.list_about(distinct_id, |client, options, distinct_id, query| async move {
            let request = call::prepare(&client, async |api| {
                paged!(api.fetch_user_object_subscriptions().distinct_id(distinct_id), query).send().await
            })?;
            call::send(&client, &options, request, |_| true).await.map_err(Error::of_missing)
        })
    }

    /// The lists that the user with this id is subscribed to. If there is no such user, that is [`Error::NotFound`].
    pub fn list_subscriptions(&self, distinct_id: impl AsRef<str>) -> List<C, ListSubscriptionList> {
        self.list_about(distinct_id, |client, options, distinct_id, query| async move {
            let request = call::prepare(&client, async |api| {
                paged!(api.fetch_user_list_subscriptions().distinct_id(distinct_id), query).send().await
            })?;
            call::send(&client, &options, request, |_| true).await.map_err(Error::of_missing)
        })
    }

    /// A call about one user.
    fn about<T, F>(
        &self,
        distinct_id: impl AsRef<str>,
        make: impl Fn(Client, Options, String) -> F + Send + Sync + 'static,
    ) -> Pending<C, T>
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut violations = Violations::default();
        let distinct_id = checks::distinct_id(distinct_id.as_ref(), &mut violations).to_owned();
        Pending::new(self.client.clone(), violations, move |client, options| {
            make(client, options, distinct_id.clone())
        })
    }

    /// A list about one user.
    fn list_about<L, F>(
        &self,
        distinct_id: impl AsRef<str>,
        fetch: impl Fn(Client, Options, String, Query) -> F + Send + Sync + 'static,
    ) -> List<C, L>
    where
        F: Future<Output = Result<Response<L>, Error>> + Send + 'static,
    {
        let mut violations = Violations::default();
        let distinct_id = checks::distinct_id(distinct_id.as_ref(), &mut violations).to_owned();
        List::new(self.client.clone(), violations, move |client, options, query| {
            fetch(client, options, distinct_id.clone(), query)
        })
    }
}

/// Adds the query of a page to a request of the generated client, which has a type of its own for each operation.
macro_rules! paged {
    ($request:expr, $query:ident) => {{
        let mut request = $request;
        if let Some(limit) = $query.limit {
            request = request.limit(limit);
        }
        if let Some(cursor) = $query.before {
            request = request.before(cursor);
        }
        if let Some(cursor) = $query.after {
            request = request.after(cursor);
        }
        request
    }};
}
use paged;

async fn fetch(client: Client, options: Options, distinct_id: String) -> Result<Response<User>, Error> {
    let request =
        call::prepare(&client, async |api| api.fetch_user_profile().distinct_id(distinct_id).send().await)?;
    call::send(&client, &options, request, is_profile).await.map_err(Error::of_missing)
}

/// An upsert of a user, to be awaited or sent by `send`.
///
/// The addresses of a channel add up: two calls of [`email`](Self::email) give two addresses. Everything is checked before
/// anything is sent, and what is wrong is reported together, by [`check`](Self::check) or when the upsert is sent.
#[derive(Clone)]
#[must_use = "an upsert is sent when it is awaited, or by `send`"]
pub struct UpsertUser<C> {
    client: C,
    /// Every method takes and gives the upsert: what is moved then is small.
    parts: Box<Parts>,
}

#[derive(Clone)]
struct Parts {
    distinct_id: String,
    body: UserUpsert,
    options: Options,
    /// What was wrong with the id and the headers.
    violations: Violations,
    /// What was wrong with what could not go into the body.
    refused: Violations,
}

impl<C> UpsertUser<C> {
    /// Adds an e-mail address.
    pub fn email(mut self, address: impl Into<String>) -> Self {
        self.parts.body.email.push(address.into());
        self
    }

    /// Adds a phone number for text messages, in E.164 form: `+15551234567`.
    pub fn sms(mut self, number: impl Into<String>) -> Self {
        self.parts.body.sms.push(number.into());
        self
    }

    /// Adds a phone number for WhatsApp, in E.164 form: `+15551234567`.
    pub fn whatsapp(mut self, number: impl Into<String>) -> Self {
        self.parts.body.whatsapp.push(number.into());
        self
    }

    /// Adds an identifier of SuprSend's inbox.
    pub fn inbox(mut self, identifier: impl Into<String>) -> Self {
        self.parts.body.inbox.push(identifier.into());
        self
    }

    /// Adds a browser's push subscription.
    pub fn web_push(mut self, subscription: impl Into<WebPush>) -> Self {
        self.parts.body.webpush.push(subscription.into());
        self
    }

    /// Adds the push token of an Android device.
    pub fn android_push(mut self, token: impl Into<String>) -> Self {
        self.parts.body.androidpush.push(token.into());
        self
    }

    /// Adds the push token of an iOS device.
    pub fn ios_push(mut self, token: impl Into<String>) -> Self {
        self.parts.body.iospush.push(token.into());
        self
    }

    /// Adds a member, a channel or a webhook of Slack.
    pub fn slack(mut self, channel: impl Into<SlackChannel>) -> Self {
        self.parts.body.slack.push(channel.into());
        self
    }

    /// Adds a user, a conversation or a webhook of Microsoft Teams.
    pub fn ms_teams(mut self, channel: impl Into<MsTeamsChannel>) -> Self {
        self.parts.body.ms_teams.push(channel.into());
        self
    }

    /// Sets the time zone, by its IANA name: `America/New_York`.
    pub fn timezone(mut self, name: impl Into<String>) -> Self {
        self.parts.body.timezone = Some(name.into());
        self
    }

    /// Sets the locale, by which contents are translated: `en_GB`.
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.parts.body.locale = Some(locale.into());
        self
    }

    /// Sets a custom property to anything that JSON can express.
    ///
    /// Names that begin with `$` are SuprSend's own, and refused.
    pub fn property(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        let Parts { body, refused, .. } = &mut *self.parts;
        match serde_json::to_value(value) {
            _ if name.starts_with('$') => checks::property(&name, refused),
            Ok(value) => {
                body.extra.insert(name, value);
            }
            Err(_) => refused.add(name, "cannot be written as JSON"),
        }
        self
    }

    /// Replaces what has been set so far by a body of the generated type.
    pub fn with_body(mut self, body: UserUpsert) -> Self {
        self.parts.body = body;
        self.parts.refused = Violations::default();
        self
    }

    /// Replaces what has been set so far by a body as JSON, which is checked against the document.
    ///
    /// Members that the document does not know are custom properties; inside a channel's entry they are not sent.
    pub fn with_json(mut self, body: Value) -> Self {
        let mut found = Violations::default();
        checks::schema::check(UPSERT, &body, &mut found);
        if found.is_empty() {
            match serde_json::from_value(body) {
                Ok(body) => self.parts.body = body,
                Err(_) => found.add("", "has not the form that the document declares"),
            }
        }
        self.parts.refused = found;
        self
    }

    option_methods!(parts.options, parts.violations);

    /// The user's id, as it is sent.
    pub fn distinct_id(&self) -> &str {
        &self.parts.distinct_id
    }

    /// The body, as it is sent. Serializing the upsert gives the same.
    pub fn body(&self) -> &UserUpsert {
        &self.parts.body
    }
}

impl Parts {
    fn check(&self, settings: &Settings) -> Result<(), InvalidInput> {
        let mut violations = self.violations.clone();
        violations.append(self.refused.clone());
        checks::user(&self.body, settings.strict, &mut violations);
        violations.finish()
    }

    /// Takes the body and makes the request.
    fn prepare(&mut self, client: &Client) -> Result<Prepared<User>, Error> {
        self.check(&client.shared.settings)?;
        let (distinct_id, body) = (mem::take(&mut self.distinct_id), mem::take(&mut self.body));
        call::prepare(client, async |api| {
            api.create_update_users().distinct_id(distinct_id).body(body).send().await
        })
    }

    async fn send(mut self: Box<Self>, client: &Client) -> Result<Response<User>, Error> {
        let request = self.prepare(client)?;
        call::send(client, &self.options, request, is_profile).await
    }
}

/// Whether anything of a profile came: the document requires no member of it, so that any JSON object decodes as one.
fn is_profile(user: &User) -> bool {
    user.distinct_id.is_some()
        || user.created_at.is_some()
        || user.updated_at.is_some()
        || !user.properties.is_empty()
        || user.channels().next().is_some()
}

impl UpsertUser<Client> {
    /// Checks what is set, as sending it does, without sending it.
    pub fn check(&self) -> Result<(), Error> {
        Ok(self.parts.check(&self.client.shared.settings)?)
    }

    /// Sends the upsert, and gives the stored profile. Awaiting it does the same.
    pub async fn send(self) -> Result<Response<User>, Error> {
        self.parts.send(&self.client).await
    }

    /// Sends the upsert as one of many, which keep the same pace.
    pub(crate) fn paced(mut self, pace: Arc<Pace>) -> impl Future<Output = Result<Response<User>, Error>> {
        let options = &mut self.parts.options;
        let policy = options.retry.take().unwrap_or_else(|| self.client.shared.settings.retry.clone());
        options.retry = Some(pace.policy(policy));
        options.pace = Some(pace);
        self.send()
    }
}

impl IntoFuture for UpsertUser<Client> {
    type Output = Result<Response<User>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

#[cfg(feature = "blocking")]
impl UpsertUser<blocking::Client> {
    /// Checks what is set, as sending it does, without sending it.
    pub fn check(&self) -> Result<(), Error> {
        Ok(self.parts.check(&self.client.inner().shared.settings)?)
    }

    /// Sends the upsert, and gives the stored profile.
    pub fn send(self) -> Result<Response<User>, Error> {
        self.client.wait(self.parts.send(self.client.inner()))
    }
}

/// The body.
impl<C> Serialize for UpsertUser<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts.body.serialize(serializer)
    }
}

impl<C> fmt::Debug for UpsertUser<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpsertUser")
            .field("distinct_id", &self.parts.distinct_id)
            .field("body", &self.parts.body)
            .finish_non_exhaustive()
    }
}
