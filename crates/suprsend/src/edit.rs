//! Edits of users and objects: a list of operations, built step by step.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use suprsend_api::{
    Channel,
    operations::{EditObjectProfile, EditUserProfile, EditUserTenantProfile},
    types::{
        EditOperation, EditValues, Increment, MsTeamsChannel, SlackChannel, UserEdit, UserProperties, WebPush,
    },
};

use crate::{call::Call, checks, json};

/// An operation whose body is an edit of a user, of a user's profile in a tenant, or of an object.
pub trait Edits: sealed::Sealed {
    /// Returns the edit.
    fn edit(&self) -> &UserEdit;

    /// Returns a mutable reference to the edit.
    fn edit_mut(&mut self) -> &mut UserEdit;
}

mod sealed {
    /// The OpenAPI document decides which operations are edits.
    pub trait Sealed {}
}

macro_rules! edits {
    ($($operation:ty),* $(,)?) => {
        $(impl sealed::Sealed for $operation {}

        impl Edits for $operation {
            fn edit(&self) -> &UserEdit {
                &self.body
            }

            fn edit_mut(&mut self) -> &mut UserEdit {
                &mut self.body
            }
        })*
    };
}

edits! { EditUserProfile, EditUserTenantProfile, EditObjectProfile }

/// The kind of an operation of this builder. An operation does one thing, because the order of several in one operation is not defined.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Set,
    SetOnce,
    Append,
    Remove,
    Unset,
    Increment,
}

/// A kind of operation on a target, and the place of the target in the operation.
type On<T> = (Kind, fn(&mut EditOperation) -> &mut T);

const SET: On<UserProperties> = (Kind::Set, |operation| operation.set.get_or_insert_default());
const SET_ONCE: On<UserProperties> = (Kind::SetOnce, |operation| operation.set_once.get_or_insert_default());
const APPEND: On<EditValues> = (Kind::Append, |operation| operation.append.get_or_insert_default());
const REMOVE: On<EditValues> = (Kind::Remove, |operation| operation.remove.get_or_insert_default());

/// A push token or a browser's subscription, with the details that SuprSend may need.
///
/// A plain string is a token without a provider, for SuprSend's default provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Push<T> {
    address: T,
    provider: Option<String>,
    bundle_id: Option<String>,
}

impl<T> Push<T> {
    /// Creates a push address from a token or a subscription.
    pub fn new(address: impl Into<T>) -> Self {
        Self { address: address.into(), provider: None, bundle_id: None }
    }

    /// Sets the service that issued the address: `fcm`, `xiaomi` or `oppo` for Android, `apns` for iOS, `vapid` for browsers.
    pub fn provider(self, provider: impl Into<String>) -> Self {
        Self { provider: Some(provider.into()), ..self }
    }

    /// Sets the bundle id of the application that the address belongs to: `com.example.app`.
    pub fn bundle_id(self, bundle_id: impl Into<String>) -> Self {
        Self { bundle_id: Some(bundle_id.into()), ..self }
    }
}

impl<S: Into<String>> From<S> for Push<String> {
    fn from(token: S) -> Self {
        Self::new(token)
    }
}

impl From<WebPush> for Push<WebPush> {
    fn from(subscription: WebPush) -> Self {
        Self::new(subscription)
    }
}

/// Leaves out the token: whoever has it can reach its owner.
impl<T> fmt::Debug for Push<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("provider", &self.provider)
            .field("bundle_id", &self.bundle_id)
            .finish_non_exhaustive()
    }
}

/// Defines the methods for single channels, which differ only in their names and in what they do with the address.
macro_rules! channel_methods {
    ($on:ident, $does:literal, $email:ident, $sms:ident, $whatsapp:ident, $inbox:ident, $web_push:ident,
       $android_push:ident, $ios_push:ident, $slack:ident, $ms_teams:ident $(,)?) => {
        #[doc = concat!($does, " an e-mail address.")]
        pub fn $email(self, address: impl Into<String>) -> Self {
            self.address($on, |values| &mut values.email, address.into())
        }

        #[doc = concat!($does, " a phone number for text messages, in E.164 form: `+15551234567`.")]
        pub fn $sms(self, number: impl Into<String>) -> Self {
            self.address($on, |values| &mut values.sms, number.into())
        }

        #[doc = concat!($does, " a phone number for WhatsApp, in E.164 form: `+15551234567`.")]
        pub fn $whatsapp(self, number: impl Into<String>) -> Self {
            self.address($on, |values| &mut values.whatsapp, number.into())
        }

        #[doc = concat!($does, " an identifier of SuprSend's inbox.")]
        pub fn $inbox(self, identifier: impl Into<String>) -> Self {
            self.address($on, |values| &mut values.inbox, identifier.into())
        }

        #[doc = concat!($does, " a browser's push subscription; a [`Push`] states its provider too.")]
        pub fn $web_push(self, subscription: impl Into<Push<WebPush>>) -> Self {
            self.push($on, |values| &mut values.webpush, subscription.into())
        }

        #[doc = concat!($does, " the push token of an Android device; a [`Push`] states its provider too.")]
        pub fn $android_push(self, token: impl Into<Push<String>>) -> Self {
            self.push($on, |values| &mut values.androidpush, token.into())
        }

        #[doc = concat!($does, " the push token of an iOS device; a [`Push`] states its provider and bundle too.")]
        pub fn $ios_push(self, token: impl Into<Push<String>>) -> Self {
            self.push($on, |values| &mut values.iospush, token.into())
        }

        #[doc = concat!($does, " a member, a channel or a webhook of Slack.")]
        pub fn $slack(self, channel: impl Into<SlackChannel>) -> Self {
            self.address($on, |values| &mut values.slack, channel.into())
        }

        #[doc = concat!($does, " a user, a conversation or a webhook of Microsoft Teams.")]
        pub fn $ms_teams(self, channel: impl Into<MsTeamsChannel>) -> Self {
            self.address($on, |values| &mut values.ms_teams, channel.into())
        }
    };
}

/// The steps of an edit.
///
/// Steps are applied in the order of the calls. Consecutive calls of the same kind share one operation while they fit: an operation has one
/// address for each channel, and one provider for all its push tokens.
///
/// ```no_run
/// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
/// use suprsend::users::Push;
///
/// let user = client
///     .users()
///     .edit("user-123")
///     .set("plan", "pro")
///     .append_email("jane@example.org")
///     .append_android_push(Push::new("token").provider("fcm"))
///     .remove_sms("+15551234567")
///     .increment("seats", 2)
///     .await?;
/// # Ok(())
/// # }
/// ```
///
/// An edit that increments or appends to a property is retried only if it certainly was not processed, because repeating it would apply it
/// twice; see [`RetryPolicy`](crate::RetryPolicy).
impl<O: Edits, C> Call<O, C> {
    /// Sets a custom property to any value that serializes to JSON.
    ///
    /// Names that begin with `$` are reserved for SuprSend. All methods for properties reject them, except [`unset`](Self::unset).
    pub fn set(self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.property(SET, |properties| &mut properties.extra, name.into(), value)
    }

    /// Sets a custom property, unless it is set already.
    pub fn set_once(self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.property(SET_ONCE, |properties| &mut properties.extra, name.into(), value)
    }

    /// Sets the time zone, by its IANA name: `America/New_York`.
    pub fn timezone(self, name: impl Into<String>) -> Self {
        self.address(SET, |properties| &mut properties.timezone, name.into())
    }

    /// Sets the locale that contents are translated to: `en_GB`.
    pub fn locale(self, locale: impl Into<String>) -> Self {
        self.address(SET, |properties| &mut properties.locale, locale.into())
    }

    /// Sets the language, by its code: `en`.
    pub fn preferred_language(self, code: impl Into<String>) -> Self {
        self.address(SET, |properties| &mut properties.preferred_language, code.into())
    }

    channel_methods! {
        APPEND, "Adds", append_email, append_sms, append_whatsapp, append_inbox, append_web_push, append_android_push,
        append_ios_push, append_slack, append_ms_teams
    }

    /// Adds an element to a property that is a list.
    pub fn append(self, name: impl Into<String>, element: impl Serialize) -> Self {
        self.property(APPEND, |values| &mut values.extra, name.into(), element)
    }

    channel_methods! {
        REMOVE, "Takes away", remove_email, remove_sms, remove_whatsapp, remove_inbox, remove_web_push, remove_android_push,
        remove_ios_push, remove_slack, remove_ms_teams
    }

    /// Removes an element from a property that is a list.
    pub fn remove(self, name: impl Into<String>, element: impl Serialize) -> Self {
        self.property(REMOVE, |values| &mut values.extra, name.into(), element)
    }

    /// Removes a property, either a custom one or one such as `$timezone`.
    pub fn unset(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        let is_new = |operation: &mut EditOperation| !operation.unset.contains(&name);
        self.change(Kind::Unset, is_new, |operation| operation.unset.push(name.clone()));
        self
    }

    /// Removes all addresses of a channel.
    pub fn unset_channel(self, channel: Channel) -> Self {
        self.unset(channel.key())
    }

    /// Adds a number to a numeric property, or subtracts it if it is negative. Whole numbers keep the property whole.
    pub fn increment(mut self, name: impl Into<String>, by: impl Into<Increment>) -> Self {
        let (name, by) = (name.into(), by.into());
        if let Increment::Number(number) = by
            && !number.is_finite()
        {
            self.refused_mut().add(name, "is incremented by what is no number in JSON");
        } else if checks::edited_property(&name, self.refused_mut()) {
            let is_new = |operation: &mut EditOperation| !operation.increment.contains_key(&name);
            self.change(Kind::Increment, is_new, |operation| {
                operation.increment.insert(name.clone(), by);
            });
        }
        self
    }

    /// Returns the body as it will be sent. Serializing the call produces the same.
    pub fn body(&self) -> &UserEdit {
        self.operation().edit()
    }

    /// Sets a value in a slot of this kind.
    fn address<T, V>(mut self, (kind, on): On<T>, slot: fn(&mut T) -> &mut Option<V>, value: V) -> Self {
        let is_free = |operation: &mut EditOperation| slot(on(operation)).is_none();
        self.change(kind, is_free, |operation| *slot(on(operation)) = Some(value));
        self
    }

    /// Sets a push token in a slot of this kind, next to others of the same provider only.
    fn push<T>(
        mut self,
        (kind, on): On<EditValues>,
        slot: fn(&mut EditValues) -> &mut Option<T>,
        Push { address, provider, bundle_id }: Push<T>,
    ) -> Self {
        let fits = |operation: &mut EditOperation| {
            let values = on(operation);
            let is_same = (&values.id_provider, &values.bundle_id) == (&provider, &bundle_id);
            slot(values).is_none() && (is_same || !values.has_push())
        };
        self.change(kind, fits, |operation| {
            let values = on(operation);
            *slot(values) = Some(address);
            (values.id_provider, values.bundle_id) = (provider.clone(), bundle_id.clone());
        });
        self
    }

    /// Sets a custom property next to others.
    #[allow(clippy::needless_pass_by_value, reason = "it is made for this")]
    fn property<T>(
        mut self,
        (kind, on): On<T>,
        slot: fn(&mut T) -> &mut Map<String, Value>,
        name: String,
        value: impl Serialize,
    ) -> Self {
        if !checks::edited_property(&name, self.refused_mut()) {
            return self;
        }
        if let Some(value) = json::to_value(format_args!("{name}"), value, self.refused_mut()) {
            let is_new = |operation: &mut EditOperation| !slot(on(operation)).contains_key(&name);
            self.change(kind, is_new, |operation| {
                slot(on(operation)).insert(name.clone(), value);
            });
        }
        self
    }

    /// Changes the last operation if it is of this kind and the change fits; otherwise adds a new one.
    fn change(
        &mut self,
        kind: Kind,
        fits: impl FnOnce(&mut EditOperation) -> bool,
        change: impl FnOnce(&mut EditOperation),
    ) {
        let operations = &mut self.operation_mut().edit_mut().operations;
        let last = operations.pop_if(|operation| kind.is_of(operation) && fits(operation));
        let mut operation = last.unwrap_or_default();
        change(&mut operation);
        operations.push(operation);
    }
}

impl Kind {
    /// Returns whether an operation does this and nothing else.
    fn is_of(self, operation: &EditOperation) -> bool {
        let EditOperation { set, set_once, append, remove, unset, increment, add, extra } = operation;
        let does = [
            (Self::Set, set.is_some()),
            (Self::SetOnce, set_once.is_some()),
            (Self::Append, append.is_some()),
            (Self::Remove, remove.is_some()),
            (Self::Unset, !unset.is_empty()),
            (Self::Increment, !increment.is_empty()),
        ];
        add.is_empty() && extra.is_empty() && does.into_iter().all(|(kind, does)| does == (kind == self))
    }
}
