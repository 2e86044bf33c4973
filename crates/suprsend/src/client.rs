//! The client: a connection pool, settings and a key, cheap to clone.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use http::{HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    ClientBuilder, Error,
    config::{self, Shared},
    error::ConfigError,
    raw::Request,
    users::Users,
};

/// A client of SuprSend's API.
///
/// Clones share one connection pool, one key and one retry quota; make one client and clone it. It has to be used inside a tokio
/// runtime.
#[derive(Clone)]
pub struct Client {
    pub(crate) shared: Arc<Shared>,
    key: Arc<RwLock<Arc<Key>>>,
}

/// An API key, and the header that carries it, which is made once.
pub(crate) struct Key {
    secret: SecretString,
    /// Marked as sensitive so that nothing on the way prints it.
    header: HeaderValue,
}

impl Client {
    /// A client with this API key, and the defaults for everything else.
    pub fn from_api_key(key: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder().api_key(key).build()
    }

    /// A client with the API key in `SUPRSEND_API_KEY` and, if that is set, the base URL in `SUPRSEND_BASE_URL`.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Settings for a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(shared: Shared, key: SecretString) -> Result<Self, ConfigError> {
        Ok(Self { shared: Arc::new(shared), key: Arc::new(RwLock::new(Key::new(key)?.into())) })
    }

    /// Calls about users.
    pub fn users(&self) -> Users<'_, Self> {
        Users::new(self)
    }

    /// A request to a path that this crate does not know, with the client's key, retries and errors: the raw way out.
    ///
    /// The path begins with a slash and is what follows the base URL; what varies in it has to be percent-encoded.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// use suprsend::Method;
    ///
    /// let reply = client.request(Method::GET, "/v1/tenant/acme/").await?;
    /// let tenant: serde_json::Value = reply.json()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> Request<Self> {
        Request::new(self.clone(), method, path.into())
    }

    /// Replaces the API key of this client and all its clones, for requests from now on. The connection pool stays.
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        let key = Key::new(config::api_key("api_key", Some(&key.into()))?)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key.into();
        Ok(())
    }

    /// A client with another API key, for another workspace, that shares the connection pool and the retry quota.
    pub fn with_api_key(&self, key: impl Into<SecretString>) -> Result<Self, Error> {
        let key = Key::new(config::api_key("api_key", Some(&key.into()))?)?;
        Ok(Self { shared: Arc::clone(&self.shared), key: Arc::new(RwLock::new(key.into())) })
    }

    /// The key as it is now.
    pub(crate) fn key(&self) -> Arc<Key> {
        Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Key {
    fn new(secret: SecretString) -> Result<Self, ConfigError> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose_secret()))
            .map_err(|_| ConfigError::new("api_key", "holds characters that a header cannot carry"))?;
        header.set_sensitive(true);
        Ok(Self { secret, header })
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Leaves out the key and the values of headers.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.shared.base.host())
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_with_the_key_is_sensitive() {
        let key = Client::from_api_key("key").unwrap().key();
        let header = key.header();
        assert!(header.is_sensitive());
        assert_eq!(header, "Bearer key");
    }
}
