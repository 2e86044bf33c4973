//! A running mock server and its builder.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, mpsc},
    thread,
};

use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    fault::Fault,
    rate_limit::{Limiter, RateLimit},
    recorded::Recorded,
    refused::Refused,
    server::{
        Setup, Shared,
        auth::Accepted,
        connection::{Connections, Reset},
        router,
    },
    world::Sent,
};

/// The default API key.
const API_KEY: &str = "suprsend-mock-api-key";
/// The default number of requests to record.
const RECORDED: usize = 1000;
/// The default limit of a request body in bytes: the most that SuprSend's SDKs send.
const LARGEST_BODY: usize = 800 * 1024;
/// The default limit of all stored data in bytes.
const LARGEST_STORE: usize = 256 * 1024 * 1024;

/// A mock server that runs until it is dropped.
///
/// Any number of servers can run side by side, each with its own users. A server runs on the Tokio runtime that started it, or on its own
/// thread ([`Builder::start_on_thread`]).
///
/// Its clients' connections end with it. A request in flight still gets its response.
#[derive(Debug)]
pub struct Hub {
    url: String,
    key: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Hub {
    /// Starts a mock server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Fails if no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> Builder {
        Builder {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            key: None,
            setup: Setup {
                document: None,
                accepted: Accepted { api_keys: [].into(), workspaces: [].into() },
                admin_hosts: [].into(),
                seeds: Vec::new(),
                rate_limit: None,
                recorded: RECORDED,
                largest_body: LARGEST_BODY,
                largest_store: LARGEST_STORE,
                observer: None,
            },
        }
    }

    /// Returns the base URL: `http://127.0.0.1:PORT`, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the API key that the server accepts, or the first of several.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the stored profile of a user, in the form of an upsert's response.
    pub fn profile(&self, distinct_id: &str) -> Option<Value> {
        self.shared.state().world.user(distinct_id)
    }

    /// Upserts a user without a request. The body is validated like that of an upsert.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the OpenAPI document does not allow the body, or if the `distinct_id` is blank or too long.
    pub fn seed(&self, distinct_id: &str, body: Value) -> Result<(), Refused> {
        self.shared.seed(distinct_id, body).map(|_| ())
    }

    /// Subscribes a user to an object. The subscription has the form that `fetch-user-object-subscriptions` returns.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the user does not exist, or if the OpenAPI document does not allow the subscription.
    #[allow(clippy::needless_pass_by_value, reason = "as the other setup takes JSON")]
    pub fn subscribe_to_object(&self, distinct_id: &str, subscription: Value) -> Result<(), Refused> {
        self.shared.subscribe(distinct_id, "object_subscriptions", &subscription)
    }

    /// Subscribes a user to a list. The subscription has the form that `fetch-user-list-subscriptions` returns.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the user does not exist, or if the OpenAPI document does not allow the subscription.
    #[allow(clippy::needless_pass_by_value, reason = "as the other setup takes JSON")]
    pub fn subscribe_to_list(&self, distinct_id: &str, subscription: Value) -> Result<(), Refused> {
        self.shared.subscribe(distinct_id, "list_subscriptions", &subscription)
    }

    /// Returns the operations that the server cannot answer, each with the reason: it does not implement them, and the OpenAPI document has
    /// no example that matches its schema, nor could one be generated. They are answered with 501.
    pub fn unanswerable(&self) -> Vec<(String, String)> {
        self.shared.unanswerable()
    }

    /// Returns the response of an operation `get` in the document's table of resources, by its path parameters: `lists` and `["news"]`,
    /// `users.tenants` and `["user-123", "acme"]`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let hub = suprsend_mock::Hub::start().await?;
    /// let tenant = hub.stored("tenants", &["default"]).ok_or("no tenant")?;
    /// assert_eq!(tenant["tenant_id"], "default");
    /// # Ok(())
    /// # }
    /// ```
    pub fn stored(&self, resource: &str, key: &[&str]) -> Option<Value> {
        self.shared.read(resource, key)
    }

    /// Returns the triggers, events and broadcasts that were accepted, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.state().world.outbox().sent().to_vec()
    }

    /// Defines a workflow: a JSON object with its `slug` and, if preferences should apply, its `category`. Its `template` is shown in
    /// messages. Once a workflow is defined, or committed in the workspace `production`, unknown ones are answered with 404.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the value is not an object with a `slug`.
    pub fn define_workflow(&self, workflow: Value) -> Result<(), Refused> {
        self.shared.define("workflow", workflow)
    }

    /// Defines a category of preferences: a JSON object with its slug in `category`. The other members are those of the document's
    /// `get-tenant-preference-single-category`, `section` (a name, or an object with `name` and `slug`) and `channels` (names; defaults to
    /// all).
    ///
    /// # Errors
    ///
    /// [`Refused`] if the value is not an object with a `category`.
    pub fn define_category(&self, category: Value) -> Result<(), Refused> {
        self.shared.define("category", category)
    }

    /// Defines a template: a JSON object in the form that `fetch-template-details` returns.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the value is not an object with a slug, or if the OpenAPI document has no templates.
    pub fn define_template(&self, template: Value) -> Result<(), Refused> {
        self.shared.define("template", template)
    }

    /// Answers requests with this method and path with a status and JSON (no body for null), for operations that the OpenAPI document does
    /// not declare. The path may have parameters, `/v1/thing/{id}/`. Credentials are not required.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the method, the path or the status is malformed.
    pub fn stub(&self, method: &str, path: &str, status: u16, body: Value) -> Result<(), Refused> {
        self.shared.state().stubs.add(method, path, status, body)
    }

    pub(crate) fn has_operation(&self, id: &str) -> bool {
        self.shared.document().operation(id).is_some()
    }

    /// Returns the id of the operation that upserts users.
    pub(crate) fn upsert_id(&self) -> String {
        self.shared
            .document()
            .named("users", "upsert")
            .map_or_else(String::new, |operation| operation.id.clone())
    }

    /// Returns the recorded requests, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().recorder.kept().cloned().collect()
    }

    /// Returns the number of requests that were dropped because there were more than the server records.
    pub fn dropped_requests(&self) -> u64 {
        self.shared.state().recorder.dropped()
    }

    /// Injects a fault. Faults take effect in the order in which they were injected.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the status, a header or the share is invalid, or if the fault would have no effect.
    pub fn inject(&self, fault: Fault) -> Result<(), Refused> {
        self.shared.inject(fault)
    }

    /// Returns the faults that are still active, each with its remaining number of times.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.state().faults.active()
    }

    /// Removes all faults that are still active.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
        self.shared.changed();
    }

    /// Sets or removes the limit of the request rate.
    pub fn limit_rate(&self, limit: Option<RateLimit>) {
        self.shared.state().limiter = Limiter::new(limit);
        self.shared.changed();
    }

    /// Resets the server to its initial state: its seeds, no requests, no faults, its initial rate limit.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops the server, and waits for the responses to all requests in flight.
    pub async fn stop(self) {
        let Self { stop, shared, .. } = self;
        // The remaining references belong to the server and its connections.
        drop(shared);
        stop.send_replace(true);
        stop.closed().await;
    }
}

/// A builder that configures and starts a [`Hub`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use suprsend_mock::{Hub, RateLimit};
///
/// let hub = Hub::builder()
///     .key("an API key")
///     .workspace("a workspace key", "its secret")
///     .seed("user-123", serde_json::json!({"$email": ["jane@example.com"]}))
///     .rate_limit(RateLimit::new(100, Duration::from_secs(1)))
///     .start()
///     .await?;
/// assert_eq!(hub.key(), "an API key");
/// assert!(hub.profile("user-123").is_some());
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    address: SocketAddr,
    key: Option<String>,
    setup: Setup,
}

impl Builder {
    /// Sets the address. Defaults to 127.0.0.1.
    pub fn host(mut self, host: impl Into<IpAddr>) -> Self {
        self.address.set_ip(host.into());
        self
    }

    /// Sets the port. Defaults to a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Adds an accepted API key. The first one replaces the built-in key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.setup.accepted.api_keys.insert(key.clone());
        self.key.get_or_insert(key);
        self
    }

    /// Adds a workspace whose signatures are verified. If there is none, every signature is accepted.
    pub fn workspace(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.setup.accepted.workspaces.insert(key.into(), secret.into());
        self
    }

    /// Adds a host name, besides loopback, under which the admin API responds. Anyone who can reach the server under that name can read
    /// everything it stores.
    pub fn admin_host(mut self, name: impl Into<String>) -> Self {
        self.setup.admin_hosts.insert(name.into().to_ascii_lowercase());
        self
    }

    /// Serves this OpenAPI 3.1 document, in JSON, instead of SuprSend's.
    pub fn document(mut self, json: impl Into<String>) -> Self {
        self.setup.document = Some(json.into());
        self
    }

    /// Adds a user that exists from the start and after each reset. The body is validated like that of an upsert.
    pub fn seed(mut self, distinct_id: impl Into<String>, body: Value) -> Self {
        self.setup.seeds.push((distinct_id.into(), body));
        self
    }

    /// Sets the number of requests to record. Older ones are dropped and counted. Defaults to 1000. Requests and responses are limited to
    /// 64 MiB in total, or to 4 KiB for each request if that is more.
    pub fn recorded_requests(mut self, limit: usize) -> Self {
        self.setup.recorded = limit;
        self
    }

    /// Sets the maximum size of a request body in bytes. Larger ones are answered with 413. Defaults to 800 KiB.
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.setup.largest_body = bytes;
        self
    }

    /// Sets the limit of all stored data, in bytes of JSON. Requests that would exceed it are answered with 507. Defaults to 256 MiB.
    pub fn largest_store(mut self, bytes: usize) -> Self {
        self.setup.largest_store = bytes;
        self
    }

    /// Limits the rate of requests. Unlimited by default.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.setup.rate_limit = Some(limit);
        self
    }

    /// Sets a function that is called with each request when its response is ready, before it is sent.
    pub fn observe(mut self, observer: impl Fn(&Recorded) + Send + Sync + 'static) -> Self {
        self.setup.observer = Some(Arc::new(observer));
        self
    }

    /// Starts the server on the current Tokio runtime.
    ///
    /// Fails if the address cannot be bound, or if the document or a seed is invalid.
    ///
    /// # Errors
    ///
    /// An error if the address cannot be bound, or if the document or a seed is invalid.
    pub async fn start(self) -> io::Result<Hub> {
        let (hub, server) = self.bind().await?;
        tokio::spawn(server);
        Ok(hub)
    }

    /// Starts the server on its own thread and runtime, for tests that are not async. Fails like [`start`](Self::start).
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start), or the system's error if no thread can be started.
    pub fn start_on_thread(self) -> io::Result<Hub> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, hub) = mpsc::channel();
        thread::Builder::new().name("suprsend-mock".into()).spawn(move || {
            runtime.block_on(async {
                match self.bind().await {
                    Ok((hub, server)) => {
                        // If nobody waits for the hub, it is dropped, which stops the server.
                        let _ = started.send(Ok(hub));
                        server.await;
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                    }
                }
            });
        })?;
        hub.recv().map_err(|_| io::Error::other("the hub's thread ended before the hub was started"))?
    }

    /// Returns the hub and the future that serves requests.
    async fn bind(mut self) -> io::Result<(Hub, impl Future<Output = ()> + Send + 'static)> {
        if self.key.is_none() {
            self = self.key(API_KEY);
        }
        let Self { address, key, setup } = self;
        let (stop, mut stopping) = watch::channel(false);
        let shared = Arc::new(Shared::new(setup, stopping.clone())?);
        let listener = Connections(TcpListener::bind(address).await?);
        let url = format!("http://{}", listener.0.local_addr()?);
        let service = router(Arc::clone(&shared)).into_make_service_with_connect_info::<Reset>();
        let server = async move {
            let server = axum::serve(listener, service).with_graceful_shutdown(async move {
                // An error means that the hub was dropped.
                let _ = stopping.wait_for(|stop| *stop).await;
            });
            // The server ends only when it is told to, and never with an error.
            let _ = server.await;
        };
        Ok((Hub { url, key: key.unwrap_or_default(), shared, stop }, server))
    }
}

/// Leaves out keys and seeds.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("address", &self.address).finish_non_exhaustive()
    }
}
