//! The client: a connection pool, settings and a key, cheap to clone.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{self, Shared},
    error::{ConfigError, Error},
};

/// A client of SuprSend's API.
///
/// Clones share one connection pool, one key and one retry quota. Make one client and clone it, or keep it in a `static`: nothing that
/// is made from it borrows it. It has to be used inside a tokio runtime.
///
/// ```no_run
/// use std::sync::LazyLock;
///
/// use suprsend::{Client, Users};
///
/// static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::from_env().expect("SUPRSEND_API_KEY is set"));
///
/// struct Profiles {
///     users: Users,
/// }
///
/// let profiles = Profiles { users: CLIENT.users() };
/// ```
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
    pub(crate) fn new(shared: Shared, key: SecretString) -> Result<Self, ConfigError> {
        Ok(Self { shared: Arc::new(shared), key: Arc::new(RwLock::new(Key::new(key)?.into())) })
    }

    /// Replaces the API key of this client and all its clones, for requests from now on. The connection pool stays.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed. The old key stays in use then.
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        let key = Key::new(config::api_key("api_key", Some(&key.into()))?)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key.into();
        Ok(())
    }

    /// Returns a client with another API key, for another workspace, that shares the connection pool and the retry quota.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed.
    pub fn with_api_key(&self, key: impl Into<SecretString>) -> Result<Self, Error> {
        let key = Key::new(config::api_key("api_key", Some(&key.into()))?)?;
        Ok(Self { shared: Arc::clone(&self.shared), key: Arc::new(RwLock::new(key.into())) })
    }

    /// The UID of the workspace, which some paths hold.
    pub(crate) fn workspace(&self) -> Option<&str> {
        self.shared.settings.workspace.as_deref()
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

    /// The header `Authorization`.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Leaves out the key and the values of headers.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.shared.host())
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

/// A client of either kind: async or blocking.
pub trait AsClient: Clone + Send + Sync + 'static + sealed::Sealed {
    /// Returns the client that sends.
    #[doc(hidden)]
    fn as_client(&self) -> &Client;
}

pub(crate) mod sealed {
    /// Nobody else makes clients.
    pub trait Sealed {}
}

impl sealed::Sealed for Client {}

impl AsClient for Client {
    fn as_client(&self) -> &Client {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_with_the_key_is_sensitive() {
        let key = Key::new("key".into()).unwrap();
        let header = key.header();
        assert!(header.is_sensitive());
        assert_eq!(header, "Bearer key");
    }
}
