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

/// A client for SuprSend's API.
///
/// Clones share one connection pool, one key and one retry quota. Create one client and clone it, or keep it in a `static`: nothing created
/// from it borrows it. It must be used inside a tokio runtime.
///
/// A connection belongs to the runtime that opened it. Several runtimes can share a client, with one limitation: if an idle connection
/// belongs to a runtime that nobody is driving at the moment, such as one of `new_current_thread` outside of `block_on`, a call that picks
/// it gets no response until [`attempt_timeout`](crate::ClientBuilder::attempt_timeout). The call is then retried on a new connection, or
/// fails if it cannot be sent twice. Give each such runtime its own client. Multi-threaded runtimes and runtimes that were dropped are not
/// affected.
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
    access: Arc<Access>,
}

/// The workspace that a client and its clones use. All calls keep a client, so it is a single pointer.
struct Access {
    /// The UID of the workspace, for the operations that have it in their path.
    workspace: Option<Box<str>>,
    keys: RwLock<Arc<Keys>>,
}

/// The credentials of a client. At least one of them is set.
#[derive(Default, Clone)]
pub(crate) struct Keys {
    pub(crate) api_key: Option<Arc<Key>>,
    /// For the management API.
    #[cfg(feature = "management")]
    pub(crate) service_token: Option<Arc<Key>>,
}

/// A key, with the header that carries it, which is built only once.
pub(crate) struct Key {
    secret: SecretString,
    /// Marked as sensitive so that nothing along the way prints it.
    header: HeaderValue,
}

impl Client {
    pub(crate) fn new(shared: Shared, keys: Keys, workspace: Option<String>) -> Self {
        Self::with_access(Arc::new(shared), workspace, keys)
    }

    fn with_access(shared: Arc<Shared>, workspace: Option<String>, keys: Keys) -> Self {
        let workspace = workspace.map(String::into_boxed_str);
        Self { shared, access: Arc::new(Access { workspace, keys: RwLock::new(keys.into()) }) }
    }

    /// Replaces the API key of this client and all its clones for all further requests. The connection pool is kept.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed. In that case, the old key stays in use.
    pub fn set_api_key(&self, key: impl Into<SecretString>) -> Result<(), Error> {
        let key = Key::bearer(config::api_key("api_key", Some(&key.into()))?)?;
        self.replace(|keys| keys.api_key = Some(key.into()));
        Ok(())
    }

    /// Replaces the service token of this client and all its clones for all further requests; see
    /// [`ClientBuilder::service_token`](crate::ClientBuilder::service_token).
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the token is empty or malformed. In that case, the old token stays in use.
    #[cfg(feature = "management")]
    pub fn set_service_token(&self, token: impl Into<SecretString>) -> Result<(), Error> {
        let token = Key::service_token(config::service_token("service_token", &token.into())?)?;
        self.replace(|keys| keys.service_token = Some(token.into()));
        Ok(())
    }

    fn replace(&self, change: impl FnOnce(&mut Keys)) {
        change(Arc::make_mut(&mut self.access.keys.write().unwrap_or_else(PoisonError::into_inner)));
    }

    /// Returns a client with another API key, for another workspace. It shares the connection pool and the retry quota. Set the UID of that
    /// workspace with [`with_workspace`](Self::with_workspace) if you use operations that need it: the UID of this client is not kept.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed.
    pub fn with_api_key(&self, key: impl Into<SecretString>) -> Result<Self, Error> {
        let key = Key::bearer(config::api_key("api_key", Some(&key.into()))?)?;
        let mut keys = Keys::clone(&self.keys());
        keys.api_key = Some(key.into());
        Ok(Self::with_access(Arc::clone(&self.shared), None, keys))
    }

    /// Returns a client with another UID of the workspace; see [`ClientBuilder::workspace`](crate::ClientBuilder::workspace). It has the
    /// same keys, but they are replaced separately.
    ///
    /// ```no_run
    /// # fn example(client: suprsend::Client) -> Result<(), suprsend::Error> {
    /// let other = client.with_api_key("key-of-the-other-workspace")?.with_workspace("uid-of-the-other-workspace");
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_workspace(&self, uid: impl Into<String>) -> Self {
        Self::with_access(Arc::clone(&self.shared), Some(uid.into()), Keys::clone(&self.keys()))
    }

    /// Returns the UID of the workspace, which some paths contain.
    pub(crate) fn workspace_setting(&self) -> Option<&str> {
        self.access.workspace.as_deref()
    }

    /// Returns the current keys.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.access.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keys {
    /// Returns all secrets of the client: a response may echo any of them, whichever was sent.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let keys = [
            self.api_key.as_ref(),
            #[cfg(feature = "management")]
            self.service_token.as_ref(),
        ];
        keys.into_iter().flatten().map(|key| key.secret().expose_secret())
    }
}

impl Key {
    pub(crate) fn bearer(secret: SecretString) -> Result<Self, ConfigError> {
        Self::new("api_key", "Bearer", secret)
    }

    #[cfg(feature = "management")]
    pub(crate) fn service_token(secret: SecretString) -> Result<Self, ConfigError> {
        Self::new("service_token", config::SERVICE_TOKEN_SCHEME, secret)
    }

    fn new(setting: &'static str, scheme: &str, secret: SecretString) -> Result<Self, ConfigError> {
        let mut header = HeaderValue::try_from(format!("{scheme} {}", secret.expose_secret()))
            .map_err(|_| ConfigError::new(setting, "holds characters that a header cannot carry"))?;
        header.set_sensitive(true);
        Ok(Self { secret, header })
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// Returns the `Authorization` header.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// Leaves out the key and the values of headers.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.shared.hub.name())
            .field("workspace", &self.workspace_setting())
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

/// A client of either kind: async or blocking.
pub trait AsClient: Clone + Send + Sync + 'static + sealed::Sealed {
    /// Returns the client that sends.
    #[doc(hidden)]
    fn as_client(&self) -> &Client;

    /// Polls a source of calls, which is foreign code.
    #[doc(hidden)]
    fn polling<T>(poll: impl FnOnce() -> T) -> T {
        poll()
    }
}

pub(crate) mod sealed {
    /// Keeps other crates from implementing the trait.
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
        let key = Key::bearer("key".into()).unwrap();
        let header = key.header();
        assert!(header.is_sensitive());
        assert_eq!(header, "Bearer key");
    }
}
