//! Parses the requests that SuprSend posts to your webhook: the status of a message, or an inbound message.
//!
//! Webhooks are configured on the dashboard's page "Developers, Webhooks". They are not part of any OpenAPI document, so these types are
//! written by hand. Parsing is tolerant: members that are missing, null or of another type are `None`, and unknown members are kept in
//! `extra`.
//!
//! SuprSend does not sign webhooks. You can add a header of your own on the dashboard and verify it with a [`Secret`].
//!
//! ```
//! use suprsend::webhook::{EventType, Secret, Webhook};
//!
//! # let mut headers = suprsend::HeaderMap::new();
//! # headers.insert("x-webhook-secret", "correct horse".parse()?);
//! # let body = br#"{"event_type": "status", "channel": "email", "suprsend_status": {"status": "delivered", "timestamp": 1735689600000}}"#;
//! let secret = Secret::new("correct horse");
//! assert!(secret.is_in(&headers, "x-webhook-secret"));
//!
//! let webhook: Webhook = serde_json::from_slice(body)?;
//! assert_eq!(webhook.event_type, Some(EventType::Status));
//! assert_eq!(webhook.status(), Some("delivered"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// The value of a header that proves that a webhook comes from SuprSend. It cannot be printed.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Creates a secret. An empty one matches nothing.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(secret.into())
    }

    /// Returns whether this is the secret. The comparison takes constant time; it reveals only whether the lengths are equal.
    pub fn matches(&self, value: impl AsRef<[u8]>) -> bool {
        let own = self.0.expose_secret().as_bytes();
        !own.is_empty() && bool::from(own.ct_eq(value.as_ref()))
    }

    /// Returns whether a request has this header exactly once, with the secret as its value.
    pub fn is_in(&self, headers: &HeaderMap, name: &str) -> bool {
        let mut values = headers.get_all(name).into_iter();
        match (values.next(), values.next()) {
            (Some(value), None) => self.matches(value.as_bytes()),
            _ => false,
        }
    }
}

/// The event that a webhook reports.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventType {
    /// The status of a message changed.
    Status,
    /// Somebody replied to a message.
    InboundMessage,
    /// An event that this crate does not know.
    Other(String),
}

impl EventType {
    /// Returns the name as it was received.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Status => "status",
            Self::InboundMessage => "inbound_message",
            Self::Other(name) => name,
        }
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match String::deserialize(deserializer)? {
            name if name == "status" => Self::Status,
            name if name == "inbound_message" => Self::InboundMessage,
            name => Self::Other(name),
        })
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Defines a type whose members are all parsed tolerantly, and lists the members that `Debug` shows.
macro_rules! tolerant {
    (
        $(#[$about:meta])* $name:ident shows($($shown:ident),*)
        { $($(#[doc = $doc:literal])* $field:ident $(as $wire:literal)?: $type:ty = $with:literal,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                #[serde(default, deserialize_with = $with, skip_serializing_if = "Option::is_none"$(, rename = $wire)?)]
                pub $field: Option<$type>,
            )*
            /// Members that this crate does not know.
            #[serde(flatten)]
            pub extra: Map<String, Value>,
        }

        /// Leaves out everything that identifies a person, or may do so.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    };
}

tolerant! {
    /// A webhook request.
    Webhook shows(event_type, channel, template, workflow_name, vendor_name, suprsend_status) {
        /// The version of the format: `1.0`.
        version: String = "text",
        /// The reported event.
        event_type: EventType = "value",
        /// The channel of the message.
        channel: String = "text",
        /// The address on the channel.
        channel_value: String = "text",
        /// The user's `distinct_id`.
        distinct_id: String = "text",
        /// The slug of the template.
        template: String = "text",
        /// The name of the workflow.
        workflow_name: String = "text",
        /// The vendor that delivers through the channel.
        vendor_name: String = "text",
        /// The vendor's response, by vendor.
        vendor_response: Value = "value",
        /// The new status, if the webhook reports one.
        suprsend_status: Status = "value",
        /// The message that was sent back, if the webhook reports one.
        suprsend_inbound_message: InboundMessage = "value",
        /// The message that the webhook refers to.
        reference: Reference = "value",
    }
}

tolerant! {
    /// The status of a message.
    Status shows(status, timestamp) {
        /// The status, such as `delivered` or `seen`.
        status: String = "text",
        /// The time of the status, in milliseconds since 1970.
        timestamp: i64 = "number",
    }
}

tolerant! {
    /// An inbound message: one that somebody sent back.
    InboundMessage shows(kind, message_type, timestamp) {
        /// The sender of the message.
        from: String = "text",
        /// The address that the message was sent to.
        to: String = "text",
        /// The kind of the content, from the member `type`.
        kind as "type": String = "text",
        /// The text, from `body`.
        text: Value = "value",
        /// The kind of the message.
        message_type: String = "text",
        /// The message that this one answers.
        context: Value = "value",
        /// The vendor's id of the message that this one answers.
        source_message_id: String = "text",
        /// Whether that message was sent by SuprSend.
        source_message_sent_via_suprsend: bool = "value",
        /// The time when the message was sent, in milliseconds since 1970.
        timestamp: i64 = "number",
    }
}

tolerant! {
    /// The message that a webhook refers to.
    Reference shows(supr_execution_id, supr_ngid, supr_nid, workspace_name) {
        /// The idempotency key of the trigger.
        idempotency_key: String = "text",
        /// The id of the workflow execution.
        supr_execution_id: String = "text",
        /// SuprSend's id of the group of notifications.
        supr_ngid: String = "text",
        /// SuprSend's id of the notification.
        supr_nid: String = "text",
        /// The vendor's id of the message.
        vendor_ack_id: String = "text",
        /// The name of the workspace.
        workspace_name: String = "text",
        /// The UID of the workspace.
        workspace_uid: String = "text",
    }
}

impl Webhook {
    /// Returns the status, if the webhook reports one.
    pub fn status(&self) -> Option<&str> {
        self.suprsend_status.as_ref()?.status.as_deref()
    }

    /// Returns the idempotency key of the trigger that caused the message.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.reference.as_ref()?.idempotency_key.as_deref()
    }
}

impl Status {
    /// Returns the time of the status.
    pub fn at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.timestamp?)
    }
}

impl InboundMessage {
    /// Returns the text of the message.
    pub fn body(&self) -> Option<&str> {
        let text = self.text.as_ref()?;
        text.as_str().or_else(|| text.get("body")?.as_str())
    }
}

/// Deserializes a value, or `None` if it has another form.
fn value<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

/// Deserializes a string; a number or a boolean is converted.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    })
}

/// Deserializes an integer; a string that contains one is converted.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Webhook {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_status() {
        let webhook = read(json!({
            "version": "1.0", "event_type": "status", "channel": "email", "channel_value": "jane@example.com",
            "distinct_id": "jane", "template": "order", "workflow_name": "Order", "vendor_name": "ses",
            "vendor_response": {"ses": {"id": 1}},
            "suprsend_status": {"status": "delivered", "timestamp": 1_735_689_600_000_i64},
            "suprsend_inbound_message": null,
            "reference": {"idempotency_key": "order-1", "supr_nid": "n1"},
            "brand_new": true,
        }));
        assert_eq!((webhook.status(), webhook.idempotency_key()), (Some("delivered"), Some("order-1")));
        assert_eq!(
            webhook.suprsend_status.as_ref().unwrap().at().unwrap().to_rfc3339(),
            "2025-01-01T00:00:00+00:00"
        );
        assert_eq!(webhook.extra, json!({"brand_new": true}).as_object().unwrap().clone());
        assert_eq!(webhook.suprsend_inbound_message, None);
        let printed = format!("{webhook:?}");
        assert!(printed.contains("delivered") && !printed.contains("jane"), "{printed}");
    }

    #[test]
    fn an_answer() {
        let webhook = read(json!({
            "event_type": "inbound_message",
            "suprsend_inbound_message": {"from": "+1", "type": "text", "text": {"body": "yes"}, "timestamp": "1735689600000"},
        }));
        let message = webhook.suprsend_inbound_message.unwrap();
        assert_eq!((message.body(), message.kind.as_deref()), (Some("yes"), Some("text")));
        assert_eq!(message.timestamp, Some(1_735_689_600_000));
        assert!(!format!("{message:?}").contains("yes"));
    }

    #[test]
    fn whatever_comes_is_read() {
        let webhook = read(json!({
            "version": 1.0, "event_type": 7, "distinct_id": 42, "channel": ["email"],
            "suprsend_status": "delivered", "reference": [], "vendor_response": null,
        }));
        assert_eq!((webhook.distinct_id.as_deref(), webhook.version.as_deref()), (Some("42"), Some("1.0")));
        assert_eq!((webhook.event_type, webhook.channel, webhook.suprsend_status), (None, None, None));
        assert_eq!(read(json!({"event_type": "new"})).event_type, Some(EventType::Other("new".to_owned())));
        assert_eq!(read(json!({})), Webhook::default());
        assert!(serde_json::from_value::<Webhook>(json!("text")).is_err());
    }

    #[test]
    fn a_secret_matches_itself_only() {
        let secret = Secret::new("correct horse");
        assert!(secret.matches("correct horse"));
        for other in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!secret.matches(other), "{other}");
        }
        assert!(!Secret::new("").matches(""));
        assert!(!format!("{secret:?}").contains("horse"));
        let mut headers = HeaderMap::new();
        assert!(!secret.is_in(&headers, "x-secret"));
        headers.insert("x-secret", "correct horse".parse().unwrap());
        assert!(secret.is_in(&headers, "X-Secret"));
        // If there are two values, it is unknown which one counts.
        headers.append("x-secret", "other".parse().unwrap());
        assert!(!secret.is_in(&headers, "x-secret"));
    }
}
