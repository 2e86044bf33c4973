//! The settings of a client: what they are, their defaults, and what makes one refused.

use std::{env, ffi::OsString, fmt, net::IpAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use suprsend_api::{PlainTransport, Sender};

use crate::{Client, Error, RetryPolicy, error::ConfigError, retry::Quota};

/// The environment variable with the API key.
pub const API_KEY_VARIABLE: &str = "SUPRSEND_API_KEY";
/// The environment variable with the base URL.
pub const BASE_URL_VARIABLE: &str = "SUPRSEND_BASE_URL";
/// Where SuprSend's API is.
pub const DEFAULT_BASE_URL: &str = "https://hub.suprsend.com";

/// How many redirects in a row are followed.
const REDIRECTS: usize = 5;

/// Headers that belong to the SDK or to HTTP itself.
const RESERVED: [HeaderName; 4] =
    [header::AUTHORIZATION, header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// What all clones of a client share.
pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    /// Makes requests, and sends none.
    pub(crate) api: suprsend_api::Client,
    pub(crate) base: Base,
    pub(crate) headers: HeaderMap,
    pub(crate) settings: Settings,
    pub(crate) quota: Quota,
}

/// What a call goes by.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    /// None if that is up to a pool of the caller's own.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) max_reply: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) strict: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(15),
            connect_timeout: Some(Duration::from_secs(5)),
            max_reply: 4 * 1024 * 1024,
            retry: RetryPolicy::default(),
            strict: false,
        }
    }
}

/// The base URL, without a slash at its end.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) url: Url,
    pub(crate) text: String,
}

/// Makes a [`Client`]: what it needs is the API key, everything else has a default.
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
#[derive(Default)]
#[must_use]
pub struct ClientBuilder {
    api_key: Option<SecretString>,
    base_url: Option<String>,
    plain_http: bool,
    settings: Settings,
    http: Option<reqwest::Client>,
    proxy: Option<SecretString>,
    no_proxy: bool,
    app: Option<String>,
    headers: Vec<(String, SecretString)>,
}

impl ClientBuilder {
    /// The API key, from the dashboard's page "Developers, API Keys". White space around it is dropped.
    pub fn api_key(self, key: impl Into<SecretString>) -> Self {
        Self { api_key: Some(key.into()), ..self }
    }

    /// Where the API is, [`DEFAULT_BASE_URL`] unless set. It may have a path, for an API behind a gateway.
    ///
    /// Plain `http:` is for this machine, unless [allowed](Self::allow_plain_http) elsewhere. What is on this machine is reached without
    /// the proxy of the environment, which would see the key.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        Self { base_url: Some(url.into()), ..self }
    }

    /// Allows for a base URL with `http:` whose host is not this machine. The API key is then readable by everybody on the way.
    pub fn allow_plain_http(self) -> Self {
        Self { plain_http: true, ..self }
    }

    /// The time that a call may take in all, with its retries and the waiting between them; 60 s unless set.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = limit;
        self
    }

    /// The time that one attempt may take, to the last byte of the reply; 15 s unless set.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.settings.attempt_timeout = limit;
        self
    }

    /// The time that connecting may take; 5 s unless set. A [client of your own](Self::http_client) has its own.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = Some(limit);
        self
    }

    /// How calls are retried.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// Sends every call once: short for `retry(RetryPolicy::off())`.
    pub fn no_retries(self) -> Self {
        self.retry(RetryPolicy::off())
    }

    /// The longest reply that is read, in bytes after decompression; 4 MiB unless set.
    pub fn max_reply_size(mut self, bytes: usize) -> Self {
        self.settings.max_reply = bytes;
        self
    }

    /// Checks phone numbers, the time zone and the locale of users before they are sent, which the document does not ask for:
    /// E.164, the IANA's names, and language tags such as `en_GB`.
    pub fn strict(mut self) -> Self {
        self.settings.strict = true;
        self
    }

    /// Uses a connection pool of your own, with its TLS, proxy, connect time-out and redirect settings.
    ///
    /// [`connect_timeout`](Self::connect_timeout), [`proxy`](Self::proxy) and [`no_proxy`](Self::no_proxy) have no effect on it.
    /// reqwest itself keeps the API key from redirects to another host, port or scheme, but follows them unless told otherwise,
    /// and some with the body: `redirect(reqwest::redirect::Policy::none())` is the safe setting.
    pub fn http_client(self, client: reqwest::Client) -> Self {
        Self { http: Some(client), ..self }
    }

    /// Sends everything through this proxy: `http://user:password@proxy.example.com:3128`. Unless set, the usual environment
    /// variables decide (`HTTPS_PROXY`, `NO_PROXY`).
    pub fn proxy(self, url: impl Into<SecretString>) -> Self {
        Self { proxy: Some(url.into()), ..self }
    }

    /// Uses no proxy, whatever the environment says.
    pub fn no_proxy(self) -> Self {
        Self { no_proxy: true, ..self }
    }

    /// Adds the name and version of the program to the user agent, so that SuprSend's support can tell programs apart.
    pub fn app_info(self, name: impl AsRef<str>, version: impl AsRef<str>) -> Self {
        Self { app: Some(format!("{}/{}", name.as_ref(), version.as_ref())), ..self }
    }

    /// Adds a header to every request.
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<SecretString>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Makes the client. Nothing is sent.
    pub fn build(self) -> Result<Client, Error> {
        let key = api_key("api_key", self.api_key.as_ref())?;
        let base = Base::parse("base_url", self.base_url.as_deref(), self.plain_http)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, user_agent(self.app.as_deref())?);
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
            let no_proxy = self.no_proxy || (self.proxy.is_none() && is_loopback(&base.url));
            http_client(settings.connect_timeout, self.proxy.as_ref(), no_proxy)?
        };
        let api =
            suprsend_api::Client::new_with_client(&base.text, http.clone(), Sender::new(PlainTransport));
        let shared = Shared { http, api, base, headers, settings, quota: Quota::new() };
        Ok(Client::new(shared, key)?)
    }

    /// The builder with the key and the base URL of an environment.
    pub(crate) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let read = |name: &'static str| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(value)) if value.trim().is_empty() => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(_)) => Err(ConfigError::new(name, "is not UTF-8")),
        };
        let key = read(API_KEY_VARIABLE)?.map(SecretString::from);
        let key = api_key(API_KEY_VARIABLE, key.as_ref())?;
        let base_url = read(BASE_URL_VARIABLE)?;
        // Checked here so that the error names the variable; plain HTTP is for `build` to judge, which knows what is allowed.
        Base::parse(BASE_URL_VARIABLE, base_url.as_deref(), true)?;
        Ok(Self { api_key: Some(key), base_url, ..Self::default() })
    }

    /// The builder with the key and the base URL of this process's environment.
    ///
    /// The base URL may be absent, the key may not.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var_os(name))
    }
}

/// Leaves out the key, the values of headers and the proxy, which may have a password.
impl fmt::Debug for ClientBuilder {
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

/// Checks an API key: what HTTP can send as a bearer token (RFC 6750), which has no spaces.
pub(crate) fn api_key(
    setting: &'static str,
    key: Option<&SecretString>,
) -> Result<SecretString, ConfigError> {
    let key = key.map_or("", |key| key.expose_secret().trim());
    if key.is_empty() {
        return Err(ConfigError::new(setting, "is missing: set it to an API key of the SuprSend dashboard"));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason = "is malformed: a key has only visible ASCII characters, and is given without `Bearer`";
        return Err(ConfigError::new(setting, reason));
    }
    Ok(SecretString::from(key))
}

impl Base {
    fn parse(setting: &'static str, text: Option<&str>, plain_http: bool) -> Result<Self, ConfigError> {
        let refuse = |reason: &str| Err(ConfigError::new(setting, reason));
        let Ok(url) = Url::parse(text.unwrap_or(DEFAULT_BASE_URL).trim()) else {
            return refuse("is not a URL such as https://hub.suprsend.com");
        };
        if !matches!(url.scheme(), "https" | "http") || url.cannot_be_a_base() {
            return refuse("does not begin with https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("holds a user name or a password: credentials are given as api_key");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or a fragment, to which no path can be added");
        }
        if url.scheme() == "http" && !plain_http && !is_loopback(&url) {
            return refuse(
                "is plain http, over which the API key would travel readable: use https, or allow_plain_http",
            );
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    // The URL standard writes an IPv6 address with its brackets.
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    // RFC 6761: `localhost` and what is below it never leave the machine.
    address.map_or(host == "localhost" || host.ends_with(".localhost"), |address| address.is_loopback())
}

fn user_agent(app: Option<&str>) -> Result<HeaderValue, ConfigError> {
    let version = env!("CARGO_PKG_VERSION");
    let (system, processor) = (env::consts::OS, env::consts::ARCH);
    let app = app.map(|app| format!(" {app}")).unwrap_or_default();
    HeaderValue::try_from(format!("suprsend-rust/{version} ({system}; {processor}){app}"))
        .map_err(|_| ConfigError::new("app_info", "holds characters that a header cannot carry"))
}

/// A header as a caller gives it. The reason of a refusal does not quote the value.
pub(crate) fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let shown = name.escape_debug();
    let Ok(parsed) = HeaderName::try_from(name) else {
        return Err(format!("{shown} is not the name of a header"));
    };
    if RESERVED.contains(&parsed) {
        return Err(format!("{shown} is a header that the SDK sets itself"));
    }
    let Ok(mut value) = HeaderValue::try_from(value) else {
        return Err(format!("the value for {shown} holds characters that a header cannot carry"));
    };
    // A caller's header may be a credential for a gateway.
    value.set_sensitive(true);
    Ok((parsed, value))
}

fn http_client(
    connect_timeout: Option<Duration>,
    proxy: Option<&SecretString>,
    no_proxy: bool,
) -> Result<reqwest::Client, ConfigError> {
    require_crypto_provider()?;
    // What is sent again, and when, is decided in one place, which is not this one. Without retries of its own, reqwest does not
    // keep a copy of each request for them.
    let no_retries = reqwest::retry::never().max_retries_per_request(0);
    let mut builder = reqwest::Client::builder().redirect(redirects()).retry(no_retries);
    if let Some(limit) = connect_timeout {
        builder = builder.connect_timeout(limit);
    }
    if no_proxy {
        builder = builder.no_proxy();
    }
    if let Some(url) = proxy {
        let proxy = reqwest::Proxy::all(url.expose_secret())
            .map_err(|_| ConfigError::new("proxy", "is not the URL of a proxy"))?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| {
        // reqwest's own message is only "builder error".
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        ConfigError::new("http_client", format!("cannot be made: {cause}"))
    })
}

/// Follows a redirect only if nothing changes but the path, and the request stays what it is.
///
/// Elsewhere neither the key nor the body, which holds secrets too, has anything to do; and after 301, 302 and 303 a client sends
/// a GET, which is not what was asked for. What is not followed reaches the caller with its status.
fn redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        let kept =
            matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if same && kept && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

/// reqwest panics when its rustls has no cryptography; this is the same as an error.
#[cfg(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls"))))]
fn require_crypto_provider() -> Result<(), ConfigError> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    let reason =
        "cannot be made: with the feature rustls-no-provider, a `CryptoProvider` has to be installed first";
    Err(ConfigError::new("http_client", reason))
}

#[cfg(not(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls")))))]
#[allow(clippy::unnecessary_wraps, reason = "has the type of the other form")]
fn require_crypto_provider() -> Result<(), ConfigError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<ClientBuilder, Error> {
        ClientBuilder::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[track_caller]
    fn refused(result: Result<ClientBuilder, Error>) -> String {
        match result {
            Err(Error::Config(error)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_environment() {
        let client = from(&[("SUPRSEND_API_KEY", " key\n")]).unwrap().build().unwrap();
        assert_eq!(client.key().secret().expose_secret(), "key");
        assert_eq!(client.shared.base.text, DEFAULT_BASE_URL);
        let both = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "http://localhost:8000/")];
        assert_eq!(from(&both).unwrap().build().unwrap().shared.base.text, "http://localhost:8000");

        let missing = "SUPRSEND_API_KEY: is missing: set it to an API key of the SuprSend dashboard";
        assert_eq!(refused(from(&[])), missing);
        assert_eq!(refused(from(&[("SUPRSEND_API_KEY", " ")])), missing);
        assert!(refused(from(&[("SUPRSEND_API_KEY", "a b")])).starts_with("SUPRSEND_API_KEY: is malformed"));
        let url = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "hub")];
        assert_eq!(refused(from(&url)), "SUPRSEND_BASE_URL: is not a URL such as https://hub.suprsend.com");
        let plain = [("SUPRSEND_API_KEY", "key"), ("SUPRSEND_BASE_URL", "http://example.com")];
        from(&plain).unwrap().build().unwrap_err();
        from(&plain).unwrap().allow_plain_http().build().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn an_environment_that_is_not_utf8() {
        use std::os::unix::ffi::OsStringExt;
        let result = ClientBuilder::from_variables(|_| Some(OsString::from_vec(vec![0xff])));
        assert_eq!(refused(result), "SUPRSEND_API_KEY: is not UTF-8");
    }

    #[test]
    fn the_default_base_url_is_the_documents() {
        let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).unwrap();
        assert_eq!(document["servers"][0]["url"], DEFAULT_BASE_URL);
    }
}
