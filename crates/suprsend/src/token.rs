//! Tokens that authenticate a user to SuprSend's client SDKs: the inbox, the preference page, and push registration.
//!
//! A workspace whose public key is in secure mode requires them. The signing key is shown on the dashboard's page "Developers, API Keys".
//! Give a token only to the user's own browser or device, and renew it before it expires.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use suprsend::token::SigningKey;
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_pem(std::env::var("SUPRSEND_SIGNING_KEY")?)?;
//! let token = key.token("user-123").tenant("acme").expires_in(Duration::from_secs(15 * 60)).sign()?;
//! # Ok(())
//! # }
//! ```

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use p256::{
    ecdsa::{self, Signature, signature::Signer},
    pkcs8::DecodePrivateKey,
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde::Serialize;

use crate::{
    checks,
    error::{ConfigError, Error, Violations},
    values::Id,
};

/// The default lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The maximum length of a tenant's id, in characters.
const TENANT_CHARACTERS: usize = 64;

/// The signing key of a workspace. It cannot be printed, and its memory is wiped on drop.
#[derive(Clone)]
pub struct SigningKey(ecdsa::SigningKey);

impl SigningKey {
    /// Parses a key: PEM (`-----BEGIN PRIVATE KEY-----`), or that PEM in base64, which fits on one line. SuprSend shows both.
    ///
    /// # Errors
    ///
    /// Fails if the text is neither, or if the key does not use the curve P-256.
    pub fn from_pem(pem: impl Into<SecretString>) -> Result<Self, Error> {
        let pem = pem.into();
        let text = pem.expose_secret().trim();
        let refuse = || {
            let reason = "is no P-256 key in PEM (`-----BEGIN PRIVATE KEY-----`), nor that in base64: copy it from the dashboard as it is";
            ConfigError::new("signing_key", reason)
        };
        let key = if text.starts_with("-----BEGIN") {
            // Environment variables often contain line breaks in this form.
            let text = Zeroizing::new(text.replace("\\n", "\n"));
            ecdsa::SigningKey::from_pkcs8_pem(&text)
        } else {
            let lines = Zeroizing::new(text.split_whitespace().collect::<String>());
            let decoded = Zeroizing::new(STANDARD.decode(lines.as_bytes()).map_err(|_| refuse())?);
            let decoded = std::str::from_utf8(&decoded).map_err(|_| refuse())?;
            ecdsa::SigningKey::from_pkcs8_pem(decoded.trim())
        };
        Ok(Self(key.map_err(|_| refuse())?))
    }

    /// Creates a token for the user with this `distinct_id`. By default it is valid for one hour from now, for the tenant `default`.
    pub fn token(&self, distinct_id: impl Into<Id>) -> Token<'_> {
        let distinct_id = String::from(distinct_id.into());
        Token { key: self, distinct_id, tenant: None, lifetime: LIFETIME, from: SystemTime::now() }
    }
}

/// Leaves out the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// A token that is not yet signed, returned by [`SigningKey::token`].
#[derive(Clone)]
#[must_use = "a token is made by `sign`"]
pub struct Token<'a> {
    key: &'a SigningKey,
    distinct_id: String,
    tenant: Option<String>,
    lifetime: Duration,
    from: SystemTime,
}

/// Leaves out the id of the user.
impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    entity_type: &'static str,
    entity_id: &'a str,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<Scope<'a>>,
}

#[derive(Serialize)]
struct Scope<'a> {
    tenant_id: &'a str,
}

impl Token<'_> {
    /// Sets the tenant that the token is valid for. Defaults to `default`.
    pub fn tenant(mut self, id: impl Into<Id>) -> Self {
        self.tenant = Some(id.into().into());
        self
    }

    /// Sets the lifetime, in whole seconds. SuprSend's client SDKs ask for a new token 30 s before it expires.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets when the token becomes valid. Defaults to now.
    pub fn issued_at(mut self, time: SystemTime) -> Self {
        self.from = time;
        self
    }

    /// Signs the token and returns it in the form that the client SDKs expect: a JWT with ES256.
    ///
    /// # Errors
    ///
    /// Fails if an id is empty or too long, if a time cannot be expressed in seconds since 1970, or if the lifetime is less than one
    /// second.
    pub fn sign(&self) -> Result<String, Error> {
        let mut found = Violations::default();
        checks::id("distinct_id", &self.distinct_id, &mut found);
        if let Some(tenant) = &self.tenant {
            if tenant.trim().is_empty() {
                found.add("tenant_id", "is empty: leave it out for the tenant `default`");
            } else if tenant.chars().count() > TENANT_CHARACTERS {
                found.add("tenant_id", "has more than 64 characters");
            }
        }
        let seconds = self.lifetime.as_secs();
        let iat = self.from.duration_since(UNIX_EPOCH).map(|time| time.as_secs()).ok();
        let times = iat.and_then(|iat| Some((iat, iat.checked_add(seconds)?)));
        if seconds == 0 || times.is_none() {
            found.add(
                "expires_in",
                "is no time of at least one second that can be told in seconds since 1970",
            );
        }
        let (Some((iat, exp)), true) = (times, found.is_empty()) else {
            return Err(found.into());
        };
        let scope = self.tenant.as_deref().map(|tenant_id| Scope { tenant_id });
        let claims = Claims { entity_type: "subscriber", entity_id: &self.distinct_id, iat, exp, scope };
        let claims = serde_json::to_vec(&claims)
            .map_err(|_| ConfigError::new("token", "cannot be written as JSON"))?;
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT"}"#);
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature: Signature = self.key.0.sign(text.as_bytes());
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }
}
