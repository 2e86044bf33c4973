//! Reading a stored profile: channel by channel, and properties in types of your choice.

use std::{borrow::Cow, error, fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};

use crate::types::{ChannelEntry, ChannelValue, User};

/// A kind of address that SuprSend delivers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Channel {
    /// E-mail.
    Email,
    /// Text message.
    Sms,
    /// WhatsApp.
    WhatsApp,
    /// SuprSend's in-app inbox.
    Inbox,
    /// Push to a browser.
    WebPush,
    /// Push to an Android device.
    AndroidPush,
    /// Push to an iOS device.
    IosPush,
    /// Slack.
    Slack,
    /// Microsoft Teams.
    MsTeams,
}

impl Channel {
    /// All channels, in the order of SuprSend's documentation.
    pub const ALL: [Self; 9] = [
        Self::Email,
        Self::Sms,
        Self::WhatsApp,
        Self::Inbox,
        Self::WebPush,
        Self::AndroidPush,
        Self::IosPush,
        Self::Slack,
        Self::MsTeams,
    ];

    /// Returns the key of the channel in requests and profiles: `$email`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Email => "$email",
            Self::Sms => "$sms",
            Self::WhatsApp => "$whatsapp",
            Self::Inbox => "$inbox",
            Self::WebPush => "$webpush",
            Self::AndroidPush => "$androidpush",
            Self::IosPush => "$iospush",
            Self::Slack => "$slack",
            Self::MsTeams => "$ms_teams",
        }
    }
}

/// Writes the channel's key: `$email`.
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// Parses a key, `$email`, or the name that preferences and triggers use, `email`.
impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        let name = text.strip_prefix('$').unwrap_or(text);
        let is_named = |channel: &Self| channel.key().strip_prefix('$') == Some(name);
        Self::ALL.into_iter().find(is_named).ok_or(UnknownChannel(()))
    }
}

/// Writes the channel's key.
impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.key())
    }
}

/// Deserializes the same strings that [`FromStr`] parses.
impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The error for a text that names no channel. It does not quote the text, which may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownChannel(());

impl fmt::Display for UnknownChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text names none of the channels: ")?;
        Channel::ALL
            .iter()
            .enumerate()
            .try_for_each(|(index, channel)| write!(f, "{}{channel}", if index == 0 { "" } else { ", " }))
    }
}

impl error::Error for UnknownChannel {}

impl User {
    /// Returns the addresses on a single channel.
    pub fn channel(&self, channel: Channel) -> &[ChannelEntry] {
        match channel {
            Channel::Email => &self.email,
            Channel::Sms => &self.sms,
            Channel::WhatsApp => &self.whatsapp,
            Channel::Inbox => &self.inbox,
            Channel::WebPush => &self.webpush,
            Channel::AndroidPush => &self.androidpush,
            Channel::IosPush => &self.iospush,
            Channel::Slack => &self.slack,
            Channel::MsTeams => &self.ms_teams,
        }
    }

    /// Returns all addresses with their channels, in the order of [`Channel::ALL`].
    ///
    /// Channels that this crate does not know are missing here; they are kept in [`User::extra`] under their keys.
    pub fn channels(&self) -> impl Iterator<Item = (Channel, &ChannelEntry)> {
        Channel::ALL
            .into_iter()
            .flat_map(|channel| self.channel(channel).iter().map(move |entry| (channel, entry)))
    }

    /// Deserializes a property of the user into a type of your choice. Returns `None` if the profile does not have it.
    ///
    /// `$timezone` and `$locale` are properties, too.
    ///
    /// # Errors
    ///
    /// A [`PropertyError`] if the property has another type.
    pub fn property<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, PropertyError> {
        let Some(value) = self.properties.get(name) else { return Ok(None) };
        T::deserialize(value)
            .map(Some)
            .map_err(|_| PropertyError { name: name.to_owned(), wanted: std::any::type_name::<T>() })
    }
}

impl ChannelEntry {
    /// Returns the address as text: an e-mail address, a phone number, an id, a token.
    ///
    /// Returns `None` if it is an object, as for web push, Slack and MS Teams; see [`ChannelEntry::value`].
    pub fn address(&self) -> Option<&str> {
        match &self.value {
            Some(ChannelValue::String(address)) => Some(address),
            Some(ChannelValue::Object(_)) | None => None,
        }
    }

    /// Returns whether SuprSend delivers to this address: its status is `active`, and it is not permanently disabled, as after a hard
    /// bounce.
    pub fn is_active(&self) -> bool {
        let active = |status: &String| status == "active";
        self.status.as_ref().is_some_and(active) && self.perma_status.as_ref().is_none_or(active)
    }
}

/// The error for a property of a profile that has another type than requested.
///
/// It does not reveal the value of the property, which may be personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyError {
    name: String,
    wanted: &'static str,
}

impl PropertyError {
    /// Returns the name of the property.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for PropertyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the property {:?} cannot be read as {}", self.name, self.wanted)
    }
}

impl error::Error for PropertyError {}
