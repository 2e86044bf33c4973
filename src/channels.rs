//! Addresses of users in requests: a constructor for each form that the OpenAPI document declares, with its required fields.
//!
//! Any other form does not compile.

use crate::types::{
    IncomingWebhook, MsTeamsChannel, MsTeamsUsingConversationId, MsTeamsUsingIncomingWebhook,
    MsTeamsUsingUserId, SlackChannel, SlackUsingChannel, SlackUsingEmail, SlackUsingIncomingWebhook,
    SlackUsingMemberId, WebPush, WebPushKeys,
};

/// If several identifiers are set, SuprSend's order of precedence is incoming webhook, channel, member, email.
///
/// Each constructor takes what it requires; without the token this does not compile:
///
/// ```compile_fail,E0061
/// suprsend_api::types::SlackChannel::email("jane@example.com");
/// ```
impl SlackChannel {
    /// Addresses the member of a workspace with this e-mail address, using the workspace's bot token (`xoxb-...`).
    pub fn email(email: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self::Email(SlackUsingEmail { email: email.into(), access_token: access_token.into() })
    }

    /// Addresses the member with this id (`U...` or `W...`), using the workspace's bot token.
    pub fn user_id(user_id: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self::MemberId(SlackUsingMemberId {
            user_id: user_id.into(),
            access_token: access_token.into(),
            team_id: None,
        })
    }

    /// Addresses the channel with this id (`C...`), using the workspace's bot token.
    pub fn channel(channel: impl Into<String>, access_token: impl Into<String>) -> Self {
        Self::Channel(SlackUsingChannel { channel: channel.into(), access_token: access_token.into() })
    }

    /// Addresses the channel behind this incoming webhook URL. The URL is a secret: whoever knows it can post.
    pub fn incoming_webhook(url: impl Into<String>) -> Self {
        let incoming_webhook = IncomingWebhook { url: url.into() };
        Self::IncomingWebhook(SlackUsingIncomingWebhook { incoming_webhook })
    }
}

/// If several identifiers are set, SuprSend's order of precedence is incoming webhook, conversation, user.
impl MsTeamsChannel {
    /// Addresses the conversation with this id in a tenant, through the service URL that Microsoft assigned to the bot for it.
    pub fn conversation_id(
        tenant_id: impl Into<String>,
        service_url: impl Into<String>,
        conversation_id: impl Into<String>,
    ) -> Self {
        Self::ConversationId(MsTeamsUsingConversationId {
            tenant_id: tenant_id.into(),
            service_url: service_url.into(),
            conversation_id: conversation_id.into(),
        })
    }

    /// Addresses the user with this id in a tenant, through the service URL that Microsoft assigned to the bot for it.
    pub fn user_id(
        tenant_id: impl Into<String>,
        service_url: impl Into<String>,
        user_id: impl Into<String>,
    ) -> Self {
        Self::UserId(MsTeamsUsingUserId {
            tenant_id: tenant_id.into(),
            service_url: service_url.into(),
            user_id: user_id.into(),
        })
    }

    /// Addresses the channel behind this incoming webhook URL. The URL is a secret: whoever knows it can post.
    pub fn incoming_webhook(url: impl Into<String>) -> Self {
        let incoming_webhook = IncomingWebhook { url: url.into() };
        Self::IncomingWebhook(MsTeamsUsingIncomingWebhook { incoming_webhook })
    }
}

impl WebPush {
    /// Creates a browser's push subscription from the URL of its vendor's push service and the two keys of the subscription, in base64url.
    pub fn new(endpoint: impl Into<String>, p256dh: impl Into<String>, auth: impl Into<String>) -> Self {
        let keys = WebPushKeys { p256dh: p256dh.into(), auth: auth.into() };
        Self { endpoint: endpoint.into(), keys, token: None }
    }

    /// Sets the token by which the application identifies the subscription.
    pub fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }
}
