//! The settings that all clones of a client share, their defaults and their validation.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use reqwest::{Url, redirect};
use secrecy::{ExposeSecret, SecretString};
use suprsend_api::{Base, Credential, Spec};

use crate::{
    client::{Key, Keys},
    error::{ConfigError, Secrets},
    report::Hook,
    retry::{Quota, RetryPolicy},
};

/// The environment variable with the API key.
pub const API_KEY_VARIABLE: &str = "SUPRSEND_API_KEY";
/// The environment variable with the base URL.
pub const BASE_URL_VARIABLE: &str = "SUPRSEND_BASE_URL";
/// The environment variable with the UID of the workspace.
pub const WORKSPACE_VARIABLE: &str = "SUPRSEND_WORKSPACE";
/// The base URL of SuprSend's API.
pub const DEFAULT_BASE_URL: &str = "https://hub.suprsend.com";
/// The environment variable with the service token of the management API.
#[cfg(feature = "management")]
pub const SERVICE_TOKEN_VARIABLE: &str = "SUPRSEND_SERVICE_TOKEN";
/// The environment variable with the URL of the management API.
#[cfg(feature = "management")]
pub const MANAGEMENT_URL_VARIABLE: &str = "SUPRSEND_MANAGEMENT_URL";
/// The URL of SuprSend's management API: the server that its operations declare.
#[cfg(feature = "management")]
pub const DEFAULT_MANAGEMENT_URL: &str = "https://management-api.suprsend.com";
/// The scheme in the `Authorization` header that carries the service token for the management API.
#[cfg(feature = "management")]
pub(crate) const SERVICE_TOKEN_SCHEME: &str = "ServiceToken";

/// The number of redirects in a row that are followed.
const REDIRECTS: usize = 5;

/// Headers reserved for the SDK or for HTTP itself.
const RESERVED: [HeaderName; 4] =
    [header::AUTHORIZATION, header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// The state that all clones of a client share.
pub(crate) struct Shared {
    pub(crate) http: reqwest::Client,
    pub(crate) hub: Host,
    #[cfg(feature = "management")]
    pub(crate) management: Host,
    pub(crate) headers: HeaderMap,
    pub(crate) settings: Settings,
    /// Hook that receives a report of every call.
    pub(crate) hook: Option<Hook>,
}

/// The settings of a call.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) attempt_timeout: Duration,
    /// `None` if a connection pool of your own decides.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) max_response: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) strict: bool,
    /// Whether to generate an idempotency key for calls that have none.
    pub(crate) idempotency_keys: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(15),
            connect_timeout: Some(Duration::from_secs(5)),
            max_response: 4 * 1024 * 1024,
            retry: RetryPolicy::default(),
            strict: false,
            idempotency_keys: true,
        }
    }
}

/// A host that calls are sent to. Each host has its own retry quota, because failures of one say nothing about another.
pub(crate) struct Host {
    pub(crate) base: Base,
    pub(crate) quota: Quota,
}

impl Host {
    pub(crate) fn new(base: Base) -> Self {
        Self { base, quota: Quota::new() }
    }

    /// Returns whether a URL leads to this host.
    pub(crate) fn is_of(&self, url: &Url) -> bool {
        let own = self.base.url();
        (own.scheme(), own.host(), own.port()) == (url.scheme(), url.host(), url.port())
    }

    pub(crate) fn name(&self) -> &str {
        self.base.url().host_str().unwrap_or_default()
    }
}

impl Shared {
    /// Returns the secrets of the client: its keys, and the values of its headers.
    pub(crate) fn secrets<'s>(&'s self, keys: &'s Keys) -> impl Iterator<Item = &'s str> {
        keys.secrets().chain(self.headers.values().filter_map(credential))
    }

    /// Returns the host of an operation. One with another server of its own counts as the hub's, but is sent to that server.
    pub(crate) fn host(&self, spec: &Spec) -> &Host {
        #[cfg(feature = "management")]
        if is_management(spec) {
            return &self.management;
        }
        let _ = spec;
        &self.hub
    }

    /// Returns the key that an operation is sent with to its [host](Self::host), or `None` if it needs none.
    pub(crate) fn key<'a>(spec: &Spec, keys: &'a Keys) -> Result<Option<&'a Key>, ConfigError> {
        match spec.credential {
            Credential::None => Ok(None),
            #[cfg(feature = "management")]
            Credential::Scheme(SERVICE_TOKEN_SCHEME) if is_management(spec) => {
                present("service_token", spec, keys.service_token.as_deref()).map(Some)
            }
            Credential::Bearer | Credential::Header(_) if !is_management(spec) => {
                present("api_key", spec, keys.api_key.as_deref()).map(Some)
            }
            _ => Err(ConfigError::new("api_key", "is not the credential that the operation demands")),
        }
    }
}

/// Rejects a call whose key the client does not have.
fn present<'a>(setting: &'static str, spec: &Spec, key: Option<&'a Key>) -> Result<&'a Key, ConfigError> {
    let missing = || {
        let reason = format!("is missing, and `{}` needs it: set it by `ClientBuilder::{setting}`", spec.id);
        ConfigError::new(setting, reason)
    };
    key.ok_or_else(missing)
}

/// Returns whether an operation belongs to the management API.
fn is_management(spec: &Spec) -> bool {
    #[cfg(feature = "management")]
    return spec.server == Some(DEFAULT_MANAGEMENT_URL);
    #[cfg(not(feature = "management"))]
    {
        let _ = spec;
        false
    }
}

/// Validates an API key: HTTP must be able to send it as a bearer token (RFC 6750), which contains no spaces.
pub(crate) fn api_key(
    setting: &'static str,
    key: Option<&SecretString>,
) -> Result<SecretString, ConfigError> {
    let missing = "is missing: set it to an API key of the SuprSend dashboard";
    visible(setting, key.map_or("", |key| key.expose_secret()), missing, "Bearer")
}

/// Validates a service token, which is sent in the same header.
#[cfg(feature = "management")]
pub(crate) fn service_token(
    setting: &'static str,
    token: &SecretString,
) -> Result<SecretString, ConfigError> {
    let missing = "is empty: set it to a service token of the SuprSend dashboard";
    visible(setting, token.expose_secret(), missing, SERVICE_TOKEN_SCHEME)
}

fn visible(
    setting: &'static str,
    key: &str,
    missing: &str,
    scheme: &str,
) -> Result<SecretString, ConfigError> {
    let key = key.trim();
    if key.is_empty() {
        return Err(ConfigError::new(setting, missing));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let reason =
            format!("is malformed: a key has only visible ASCII characters, and is given without `{scheme}`");
        return Err(ConfigError::new(setting, reason));
    }
    Ok(SecretString::from(key))
}

/// Validates and parses a base URL.
pub(crate) fn base(
    setting: &'static str,
    text: Option<&str>,
    default: &str,
    plain_http: bool,
) -> Result<Base, ConfigError> {
    let refuse = |reason: &str| Err(ConfigError::new(setting, reason));
    let text = text.unwrap_or(default).trim();
    let Ok(url) = Url::parse(text) else {
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
    Base::new(text).map_err(|error| ConfigError::new(setting, error.reason()))
}

/// The name of this machine, which is [resolved](http_builder) without a resolver.
const LOCALHOST: &str = "localhost";

/// Returns whether requests to a URL never leave this machine. A name below `localhost` does not count: whoever resolves it decides where
/// it leads.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    // The URL standard keeps the brackets around an IPv6 address.
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == LOCALHOST, |address| address.is_loopback())
}

pub(crate) fn user_agent(app: Option<&str>) -> Result<HeaderValue, ConfigError> {
    let version = env!("CARGO_PKG_VERSION");
    let (system, processor) = (env::consts::OS, env::consts::ARCH);
    let app = app.map(|app| format!(" {app}")).unwrap_or_default();
    HeaderValue::try_from(format!("suprsend-rust/{version} ({system}; {processor}){app}"))
        .map_err(|_| ConfigError::new("app_info", "holds characters that a header cannot carry"))
}

/// Returns the value of a header if it may be a credential.
pub(crate) fn credential(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok().filter(|_| value.is_sensitive());
    text.filter(|text| Secrets::is_long_enough(text))
}

/// Parses a header that a caller sets. The reason for a rejection does not quote the value.
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

pub(crate) fn http_client(
    connect_timeout: Option<Duration>,
    proxy: Option<&SecretString>,
    no_proxy: bool,
) -> Result<reqwest::Client, ConfigError> {
    require_crypto_provider()?;
    http_builder(connect_timeout, proxy, no_proxy)?.build().map_err(|error| {
        // reqwest's own message is only "builder error".
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        ConfigError::new("http_client", format!("cannot be made: {cause}"))
    })
}

fn http_builder(
    connect_timeout: Option<Duration>,
    proxy: Option<&SecretString>,
    no_proxy: bool,
) -> Result<reqwest::ClientBuilder, ConfigError> {
    // Retries are decided in `send`, not here. Without retries of its own, reqwest does not keep a copy of each request for them.
    let no_retries = reqwest::retry::never().max_retries_per_request(0);
    let mut builder = reqwest::Client::builder().redirect(redirects()).retry(no_retries);
    // Bodies are decompressed by this crate, even if another crate of the program enables the feature in reqwest.
    builder = builder.no_gzip();
    // No resolver is asked where `localhost` is, because it could lead plain HTTP elsewhere. Port 0 is replaced by the URL's port.
    let loopback = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
    builder = builder.resolve_to_addrs(LOCALHOST, &loopback);
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
    Ok(builder)
}

/// Follows a redirect only if nothing but the path changes and the method is preserved.
///
/// Another host must receive neither the key nor the body, which contains secrets too. After 301, 302 and 303 a client sends a GET, which
/// is not the request that was made. A redirect that is not followed is returned to the caller with its status.
fn redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let same = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        let kept =
            matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if same && kept && attempt.previous().len() <= REDIRECTS { attempt.follow() } else { attempt.stop() }
    })
}

/// Returns an error where reqwest would panic because its rustls has no cryptography.
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
    use std::sync::{Arc, Mutex};

    use reqwest::dns::{Name, Resolve, Resolving};
    use tokio::net::TcpListener;

    use super::{http_builder, require_crypto_provider};

    /// A resolver that resolves nothing and records the names that it was asked for.
    #[derive(Default)]
    struct Asked(Mutex<Vec<String>>);

    impl Resolve for Asked {
        fn resolve(&self, name: Name) -> Resolving {
            self.0.lock().unwrap().push(name.as_str().to_owned());
            Box::pin(async { Err("no resolver here".into()) })
        }
    }

    #[tokio::test]
    async fn localhost_is_this_machine_whatever_the_resolver_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Asked::default());
        require_crypto_provider().unwrap();
        let builder = http_builder(None, None, true).unwrap().dns_resolver(asked.clone());
        let client = builder.build().unwrap();
        for host in ["localhost", "LocalHost"] {
            let mut request = tokio::spawn(client.get(format!("http://{host}:{port}/")).send());
            tokio::select! {
                connection = listener.accept() => drop(connection.unwrap()),
                response = &mut request => panic!("{host} is not this machine: {response:?}"),
            }
            assert!(!request.await.unwrap().unwrap_err().is_connect(), "{host}");
        }
        assert!(asked.0.lock().unwrap().is_empty());

        let other = client.get(format!("http://x.localhost:{port}/")).send().await;
        assert!(other.unwrap_err().is_connect());
        assert_eq!(*asked.0.lock().unwrap(), ["x.localhost"]);
    }
}
