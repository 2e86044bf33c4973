//! Creating and configuring clients.

use std::{env, ffi::OsString, fmt, marker::PhantomData, time::Duration};

use http::{HeaderMap, header};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{Client, Key, Keys},
    config::{self, API_KEY_VARIABLE, BASE_URL_VARIABLE, Host, Settings, Shared, api_key, parse_header},
    error::{ConfigError, Error},
    report::{CallReport, Hook},
    retry::RetryPolicy,
};

impl Client {
    /// Creates a client with this API key and the defaults for everything else.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is empty or malformed.
    pub fn from_api_key(key: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder().api_key(key).build()
    }

    /// Creates a client with the API key in `SUPRSEND_API_KEY` and, if they are set, the base URL in `SUPRSEND_BASE_URL` and the UID of the
    /// workspace in `SUPRSEND_WORKSPACE`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing or malformed, or if the base URL cannot be used.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a builder, to change settings and to [build](ClientBuilder::build) a client.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

/// A builder for a client of type `C`. It needs an API key; everything else has a default.
///
/// ```
/// # fn main() -> Result<(), suprsend::Error> {
/// use std::time::Duration;
///
/// let client = suprsend::Client::builder()
///     .api_key("sk_...")
///     .timeout(Duration::from_secs(20))
///     .retry(suprsend::RetryPolicy::default().max_attempts(5))
///     .app_info("billing", "2.4.0")
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ClientBuilder<C = Client> {
    api_key: Option<SecretString>,
    base_url: Option<String>,
    #[cfg(feature = "management")]
    service_token: Option<SecretString>,
    #[cfg(feature = "management")]
    management_url: Option<String>,
    plain_http: bool,
    settings: Settings,
    http: Option<reqwest::Client>,
    workspace: Option<String>,
    proxy: Option<SecretString>,
    no_proxy: bool,
    app: Option<String>,
    headers: Vec<(String, SecretString)>,
    hook: Option<Hook>,
    client: PhantomData<fn() -> C>,
}

/// Not derived, because a derived impl would require `C: Default`.
impl<C> Default for ClientBuilder<C> {
    fn default() -> Self {
        Self {
            api_key: None,
            base_url: None,
            #[cfg(feature = "management")]
            service_token: None,
            #[cfg(feature = "management")]
            management_url: None,
            plain_http: false,
            settings: Settings::default(),
            http: None,
            workspace: None,
            proxy: None,
            no_proxy: false,
            app: None,
            headers: Vec::new(),
            hook: None,
            client: PhantomData,
        }
    }
}

impl<C> Clone for ClientBuilder<C> {
    fn clone(&self) -> Self {
        Self {
            api_key: self.api_key.clone(),
            base_url: self.base_url.clone(),
            #[cfg(feature = "management")]
            service_token: self.service_token.clone(),
            #[cfg(feature = "management")]
            management_url: self.management_url.clone(),
            plain_http: self.plain_http,
            settings: self.settings.clone(),
            http: self.http.clone(),
            workspace: self.workspace.clone(),
            proxy: self.proxy.clone(),
            no_proxy: self.no_proxy,
            app: self.app.clone(),
            headers: self.headers.clone(),
            hook: self.hook.clone(),
            client: PhantomData,
        }
    }
}

impl<C> ClientBuilder<C> {
    /// Sets the API key, from the dashboard's page "Developers, API Keys". Surrounding whitespace is trimmed.
    pub fn api_key(self, key: impl Into<SecretString>) -> Self {
        Self { api_key: Some(key.into()), ..self }
    }

    /// Sets the base URL. Defaults to [`DEFAULT_BASE_URL`](crate::DEFAULT_BASE_URL). It may have a path, for an API behind a gateway.
    ///
    /// Plain `http:` is accepted only for this machine, unless [allowed](Self::allow_plain_http) for other hosts. Requests to this machine
    /// bypass the proxy from the environment, which would see the key.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        Self { base_url: Some(url.into()), ..self }
    }

    /// Sets the service token for the management API, from the dashboard's page "Account Settings, Service Tokens". Surrounding whitespace
    /// is trimmed.
    ///
    /// A client may have an API key, a service token or both. Each is sent to its own host only. A call whose key is missing is rejected
    /// before it is sent.
    #[cfg(feature = "management")]
    pub fn service_token(self, token: impl Into<SecretString>) -> Self {
        Self { service_token: Some(token.into()), ..self }
    }

    /// Sets the URL of the management API. Defaults to [`DEFAULT_MANAGEMENT_URL`](crate::DEFAULT_MANAGEMENT_URL). The rules of
    /// [`base_url`](Self::base_url), which is for all other operations, apply.
    #[cfg(feature = "management")]
    pub fn management_url(self, url: impl Into<String>) -> Self {
        Self { management_url: Some(url.into()), ..self }
    }

    /// Allows a base URL with `http:` whose host is not this machine. The API key can then be read by anybody along the way.
    pub fn allow_plain_http(self) -> Self {
        Self { plain_http: true, ..self }
    }

    /// Limits the duration of a call, including its retries and the delays between them. Defaults to 60 s.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = limit;
        self
    }

    /// Limits the duration of one attempt, up to the last byte of the response. Defaults to 15 s.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.settings.attempt_timeout = limit;
        self
    }

    /// Limits the time to connect. Defaults to 5 s. A [client of your own](Self::http_client) has its own limit.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = Some(limit);
        self
    }

    /// Sets the retry policy.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Sends every call only once: short for `retry(RetryPolicy::off())`.
    pub fn no_retries(self) -> Self {
        self.retry(RetryPolicy::off())
    }

    /// Limits the size of a response, in bytes after decompression. Defaults to 4 MiB.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.settings.max_response = bytes;
        self
    }

    /// Validates phone numbers (E.164), time zones (IANA names) and locales (language tags such as `en_GB`) of users before they are sent,
    /// although the OpenAPI document does not require it.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// Sets whether to generate an idempotency key for each call that accepts one and was given none. Defaults to true.
    ///
    /// The key is generated once for a call, so all its attempts carry the same key: a trigger whose response was lost is sent again, and
    /// SuprSend recognises it. A key of your own is never replaced. Without a key, such a call is retried only if it certainly was not
    /// processed.
    pub fn idempotency_keys(mut self, make: bool) -> Self {
        self.settings.idempotency_keys = make;
        self
    }

    /// Sets a function that is called at the end of every call with a report: the operation, the status, attempts, duration, bytes and the
    /// kind of error. The report contains nothing that identifies a person.
    ///
    /// It also covers calls that were rejected before anything was sent, and those whose future is dropped. The function runs where the
    /// call does, so it should be quick. If it panics, the call is not affected. Setting a second function replaces the first.
    ///
    /// ```
    /// # fn main() -> Result<(), suprsend::Error> {
    /// let client = suprsend::Client::builder()
    ///     .api_key("sk_...")
    ///     .on_call(|call| {
    ///         println!("{}: {:?} after {:?}, {} attempts", call.operation, call.status, call.duration, call.attempts);
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_call(self, hook: impl Fn(&CallReport) + Send + Sync + 'static) -> Self {
        Self { hook: Some(Hook::new(hook)), ..self }
    }

    /// Sets the UID of the workspace, which a few operations, such as broadcasts, have in their path. It is shown on the dashboard's page
    /// "Developers, API Keys".
    pub fn workspace(self, uid: impl Into<String>) -> Self {
        Self { workspace: Some(uid.into()), ..self }
    }

    /// Uses a connection pool of your own, with its TLS, proxy, connect timeout and redirect settings.
    ///
    /// [`connect_timeout`](Self::connect_timeout), [`proxy`](Self::proxy) and [`no_proxy`](Self::no_proxy) have no effect on it. reqwest
    /// itself keeps the API key from redirects to another host, port or scheme, but by default it follows them, some with the body. The
    /// safe setting is `redirect(reqwest::redirect::Policy::none())`.
    pub fn http_client(self, client: reqwest::Client) -> Self {
        Self { http: Some(client), ..self }
    }

    /// Sends everything through this proxy: `http://user:password@proxy.example.com:3128`. Defaults to the usual environment variables
    /// (`HTTPS_PROXY`, `NO_PROXY`). The last of this and [`no_proxy`](Self::no_proxy) counts.
    pub fn proxy(self, url: impl Into<SecretString>) -> Self {
        Self { proxy: Some(url.into()), no_proxy: false, ..self }
    }

    /// Disables proxies, whatever the environment says. The last of this and [`proxy`](Self::proxy) counts.
    pub fn no_proxy(self) -> Self {
        Self { proxy: None, no_proxy: true, ..self }
    }

    /// Adds the name and version of your program to the user agent, so that SuprSend's support can tell programs apart.
    pub fn app_info(self, name: impl AsRef<str>, version: impl AsRef<str>) -> Self {
        Self { app: Some(format!("{}/{}", name.as_ref(), version.as_ref())), ..self }
    }

    /// Adds a header to every request.
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Validates the settings and creates the client that sends.
    pub(crate) fn finish(self) -> Result<Client, ConfigError> {
        let keys = self.keys()?;
        let base =
            config::base("base_url", self.base_url.as_deref(), config::DEFAULT_BASE_URL, self.plain_http)?;
        let is_local = config::is_loopback(base.url());
        #[cfg(feature = "management")]
        let management = {
            let (url, server) = (self.management_url.as_deref(), config::DEFAULT_MANAGEMENT_URL);
            config::base("management_url", url, server, self.plain_http)?.in_place_of(server)
        };
        #[cfg(feature = "management")]
        let is_local = is_local || (keys.service_token.is_some() && config::is_loopback(management.url()));
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, config::user_agent(self.app.as_deref())?);
        for (name, value) in &self.headers {
            let (name, value) = parse_header(name, value.expose_secret())
                .map_err(|reason| ConfigError::new("default_header", reason))?;
            headers.insert(name, value);
        }
        let mut settings = self.settings;
        let http = if let Some(http) = self.http {
            settings.connect_timeout = None;
            http
        } else {
            let no_proxy = self.no_proxy || (self.proxy.is_none() && is_local);
            config::http_client(settings.connect_timeout, self.proxy.as_ref(), no_proxy)?
        };
        let shared = Shared {
            http,
            hub: Host::new(base),
            #[cfg(feature = "management")]
            management: Host::new(management),
            headers,
            settings,
            hook: self.hook,
        };
        Ok(Client::new(shared, keys, self.workspace))
    }

    /// Returns the keys, at least one of which must be set.
    fn keys(&self) -> Result<Keys, ConfigError> {
        let mut keys = Keys::default();
        #[cfg(feature = "management")]
        if let Some(token) = &self.service_token {
            keys.service_token =
                Some(Key::service_token(config::service_token("service_token", token)?)?.into());
        }
        if self.api_key.is_some() || keys.secrets().next().is_none() {
            keys.api_key = Some(Key::bearer(api_key("api_key", self.api_key.as_ref())?)?.into());
        }
        Ok(keys)
    }

    /// Returns a builder with the key, the base URL and the workspace from an environment.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let read = |name: &'static str| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) if value.trim().is_empty() => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err(ConfigError::new(name, "is not UTF-8")),
        };
        let key = read(API_KEY_VARIABLE)?.map(SecretString::from);
        let mut builder = Self { base_url: read(BASE_URL_VARIABLE)?, ..Self::default() };
        builder.workspace = read(config::WORKSPACE_VARIABLE)?.map(|uid| uid.trim().to_owned());
        // Checked here so that the error names the variable. Plain HTTP is checked by `build`, which knows what is allowed.
        config::base(BASE_URL_VARIABLE, builder.base_url.as_deref(), config::DEFAULT_BASE_URL, true)?;
        #[cfg(not(feature = "management"))]
        let is_needed = true;
        #[cfg(feature = "management")]
        let is_needed = {
            let url = read(config::MANAGEMENT_URL_VARIABLE)?;
            config::base(
                config::MANAGEMENT_URL_VARIABLE,
                url.as_deref(),
                config::DEFAULT_MANAGEMENT_URL,
                true,
            )?;
            builder.management_url = url;
            if let Some(token) = read(config::SERVICE_TOKEN_VARIABLE)? {
                let token = config::service_token(config::SERVICE_TOKEN_VARIABLE, &token.into())?;
                builder.service_token = Some(token);
            }
            builder.service_token.is_none()
        };
        if is_needed || key.is_some() {
            builder.api_key = Some(api_key(API_KEY_VARIABLE, key.as_ref())?);
        }
        Ok(builder)
    }

    /// Returns a builder with the key, the base URL and the workspace from this process's environment.
    pub(crate) fn from_environment() -> Result<Self, ConfigError> {
        Self::from_variables(|name| env::var_os(name))
    }
}

/// Leaves out the key, the values of headers and the proxy, which may contain a password.
impl<C> fmt::Debug for ClientBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("ClientBuilder")
            .field(
                "base_url",
                &self.base_url.as_deref().and_then(|url| Url::parse(url).ok()?.host_str().map(str::to_owned)),
            )
            .field("settings", &self.settings)
            .field("app", &self.app)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder<Client> {
    /// Reads the key, the base URL and the UID of the workspace from this process's environment: `SUPRSEND_API_KEY`, `SUPRSEND_BASE_URL`
    /// and `SUPRSEND_WORKSPACE`.
    ///
    /// All but the key are optional.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if `SUPRSEND_API_KEY` is missing or malformed, or if `SUPRSEND_BASE_URL` is not a URL.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::from_environment()?)
    }

    /// Creates the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the key is missing, or if a setting is invalid. The error names the setting.
    pub fn build(self) -> Result<Client, Error> {
        Ok(self.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::DEFAULT_BASE_URL;

    fn from(variables: &[(&str, &str)]) -> Result<ClientBuilder, ConfigError> {
        ClientBuilder::<Client>::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[track_caller]
    fn refused(result: Result<ClientBuilder, ConfigError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn the_environment() {
        let finish = |variables: &[(&str, &str)]| from(variables).unwrap().finish();
        let client = finish(&[("SUPRSEND_API_KEY", " key\n")]).unwrap();
        assert_eq!(client.keys().secrets().collect::<Vec<_>>(), ["key"]);
        assert_eq!(client.shared.hub.base.url().as_str(), "https://hub.suprsend.com/");
        let both = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "http://localhost:8000/")];
        assert_eq!(finish(&both).unwrap().shared.hub.base.url().as_str(), "http://localhost:8000/");

        assert_eq!(client.workspace_setting(), None);
        let variables = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_WORKSPACE", " 9a1b\n")];
        assert_eq!(finish(&variables).unwrap().workspace_setting(), Some("9a1b"));

        let missing = "SUPRSEND_API_KEY: is missing: set it to an API key of the SuprSend dashboard";
        assert_eq!(refused(from(&[])), missing);
        assert_eq!(refused(from(&[("SUPRSEND_API_KEY", " ")])), missing);
        assert!(refused(from(&[("SUPRSEND_API_KEY", "a b")])).starts_with("SUPRSEND_API_KEY: is malformed"));
        let url = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "hub")];
        assert_eq!(refused(from(&url)), "SUPRSEND_BASE_URL: is not a URL such as https://hub.suprsend.com");
        let plain = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "http://example.com")];
        assert!(finish(&plain).is_err());
        assert!(from(&plain).unwrap().allow_plain_http().finish().is_ok());
        // Anybody may resolve such a name.
        let below = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "http://x.localhost")];
        assert!(finish(&below).is_err());
    }

    #[cfg(feature = "management")]
    #[test]
    fn the_environment_of_the_management_api() {
        let token = ("SUPRSEND_SERVICE_TOKEN", " token\n");
        let client = from(&[token]).unwrap().finish().unwrap();
        assert_eq!(client.keys().secrets().collect::<Vec<_>>(), ["token"]);
        assert_eq!(client.shared.management.base.url().as_str(), "https://management-api.suprsend.com/");
        let all = [token, ("SUPRSEND_API_KEY", "key"), ("SUPRSEND_MANAGEMENT_URL", "http://localhost:1/m/")];
        let client = from(&all).unwrap().finish().unwrap();
        assert_eq!(client.keys().secrets().collect::<Vec<_>>(), ["key", "token"]);
        assert_eq!(client.shared.management.base.url().as_str(), "http://localhost:1/m/");
        let printed = format!("{:?}", from(&all).unwrap());
        assert!(!printed.contains("token\"") && !printed.contains("\"key\""), "{printed}");

        let refused = |variables: &[(&str, &str)]| self::refused(from(variables));
        assert!(
            refused(&[("SUPRSEND_SERVICE_TOKEN", "ServiceToken x")]).contains("given without `ServiceToken`")
        );
        let url = [token, ("SUPRSEND_MANAGEMENT_URL", "hub")];
        assert_eq!(refused(&url), "SUPRSEND_MANAGEMENT_URL: is not a URL such as https://hub.suprsend.com");
        let plain = [token, ("SUPRSEND_MANAGEMENT_URL", "http://example.com")];
        assert!(
            from(&plain).unwrap().finish().err().unwrap().to_string().starts_with("management_url: is plain")
        );
        assert!(from(&plain).unwrap().allow_plain_http().finish().is_ok());
    }

    #[cfg(feature = "management")]
    #[test]
    fn the_default_management_url_is_that_of_its_operations() {
        let mut found = 0;
        for spec in suprsend_api::operations::ALL.iter().filter(|spec| spec.server.is_some()) {
            assert_eq!(spec.server, Some(config::DEFAULT_MANAGEMENT_URL), "{}", spec.id);
            let scheme = suprsend_api::Credential::Scheme(config::SERVICE_TOKEN_SCHEME);
            assert_eq!(spec.credential, scheme, "{}", spec.id);
            found += 1;
        }
        assert!(found > 0);
    }

    #[cfg(unix)]
    #[test]
    fn an_environment_that_is_not_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let result = ClientBuilder::<Client>::from_variables(|_| Some(OsString::from_vec(vec![0xff])));
        assert_eq!(refused(result), "SUPRSEND_API_KEY: is not UTF-8");
    }

    #[test]
    fn the_default_base_url_is_the_documents() {
        let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).unwrap();
        assert_eq!(document["servers"][0]["url"], DEFAULT_BASE_URL);
    }
}
