//! Tokens by which a user is known to SuprSend's client SDKs: the inbox, the preference page, and push registration.
//!
//! A workspace whose public key is in secure mode asks for them. The signing key is on the dashboard's page "Developers, API Keys". A
//! token is handed to the user's own browser or device, and renewed before it expires.
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

/// Default lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The longest id of a tenant, in characters.
const TENANT_CHARACTERS: usize = 64;

/// The signing key of a workspace. It cannot be printed, and is wiped when it is dropped.
#[derive(Clone)]
pub struct SigningKey(ecdsa::SigningKey);

impl SigningKey {
    /// Reads a key: PEM (`-----BEGIN PRIVATE KEY-----`), or that PEM in base64, which fits into one line. SuprSend shows both.
    ///
    /// # Errors
    ///
    /// The text is neither, or the key is not of the curve P-256.
    pub fn from_pem(pem: impl Into<SecretString>) -> Result<Self, Error> {
        let pem = pem.into();
        let text = pem.expose_secret().trim();
        let refuse = || {
            let reason = "is no P-256 key in PEM (`-----BEGIN PRIVATE KEY-----`), nor that in base64: copy it from the dashboard as it is";
            ConfigError::new("signing_key", reason)
        };
        let key = if text.starts_with("-----BEGIN") {
            // In an environment variable, line breaks are often written so.
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

    /// Begins a token for a user of this `distinct_id`. It is valid for an hour from now, and for the tenant `default`, unless stated.
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

/// A token that is still to be signed, made by [`SigningKey::token`].
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
    /// Makes it valid for this tenant instead of `default`.
    pub fn tenant(mut self, id: impl Into<Id>) -> Self {
        self.tenant = Some(id.into().into());
        self
    }

    /// Sets how long it is valid, in whole seconds. SuprSend's client SDKs ask for a new one 30 s before it expires.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets when it begins to be valid, in the place of now.
    pub fn issued_at(mut self, time: SystemTime) -> Self {
        self.from = time;
        self
    }

    /// Signs it, and returns it as the client SDKs take it: a JWT with ES256.
    ///
    /// # Errors
    ///
    /// An id that is empty or too long, and a time that cannot be told in seconds since 1970, or less than one second.
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
