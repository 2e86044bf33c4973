//! A running hub, and how it is set up.

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

/// The API key of a hub that was given none.
const API_KEY: &str = "suprsend-mock-api-key";
/// How many requests are recorded, unless the builder says otherwise.
const RECORDED: usize = 1000;
/// The largest body in bytes, unless the builder says otherwise: what SuprSend's SDKs send at most.
const LARGEST_BODY: usize = 800 * 1024;
/// How large all that is stored may become in bytes, unless the builder says otherwise.
const LARGEST_STORE: usize = 256 * 1024 * 1024;

/// A hub that runs until it is dropped.
///
/// Any number of hubs can run side by side, each with its own users. A hub runs on the Tokio runtime that started it, or on a
/// thread of its own ([`Builder::start_on_thread`]).
///
/// Its clients' connections end with it; a request that is being answered is still answered.
#[derive(Debug)]
pub struct Hub {
    url: String,
    key: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
}

impl Hub {
    /// Starts a hub on a free port of 127.0.0.1. Fails if no port can be bound.
    ///
    /// # Errors
    ///
    /// The error of the system if no port can be bound.
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

    /// Returns the URL: `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the API key that it accepts, the first of several.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the stored profile of a user, in the form of an upsert's response.
    pub fn profile(&self, distinct_id: &str) -> Option<Value> {
        self.shared.state().world.user(distinct_id)
    }

    /// Upserts a user without a request. The body is validated as that of an upsert.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the document does not allow the body, or the `distinct_id` is blank or too long.
    pub fn seed(&self, distinct_id: &str, body: Value) -> Result<(), Refused> {
        self.shared.seed(distinct_id, body).map(|_| ())
    }

    /// Subscribes a user to an object. The subscription is one as the document's `fetch-user-object-subscriptions` lists it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the user does not exist, or the document does not allow the subscription.
    #[allow(clippy::needless_pass_by_value, reason = "as the other setup takes JSON")]
    pub fn subscribe_to_object(&self, distinct_id: &str, subscription: Value) -> Result<(), Refused> {
        self.shared.subscribe(distinct_id, "object_subscriptions", &subscription)
    }

    /// Subscribes a user to a list. The subscription is one as the document's `fetch-user-list-subscriptions` lists it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the user does not exist, or the document does not allow the subscription.
    #[allow(clippy::needless_pass_by_value, reason = "as the other setup takes JSON")]
    pub fn subscribe_to_list(&self, distinct_id: &str, subscription: Value) -> Result<(), Refused> {
        self.shared.subscribe(distinct_id, "list_subscriptions", &subscription)
    }

    /// Returns the operations that the hub cannot answer, each with the reason: it has no code for them, and the document shows no
    /// response that fits its schema, nor could one be made. They are answered with 501.
    pub fn unanswerable(&self) -> Vec<(String, String)> {
        self.shared.unanswerable()
    }

    /// Returns what an operation `get` of the document's table of resources would respond, by the parameters of its path: `lists` and
    /// `["news"]`, `users.tenants` and `["user-123", "acme"]`.
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

    /// Names a workflow: a JSON object with its `slug` and, if preferences are to apply, its `category`; its `template` is shown
    /// in messages. From the first one on, a workflow that was not named is answered with 404.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it is not an object with a `slug`.
    pub fn define_workflow(&self, workflow: Value) -> Result<(), Refused> {
        self.shared.define("workflow", workflow)
    }

    /// Sets up a category of preferences: a JSON object with its slug, `category`. The other members are those of the document's
    /// `get-tenant-preference-single-category` and `section` (a name, or an object with `name` and `slug`) and `channels` (names; all unless set).
    ///
    /// # Errors
    ///
    /// [`Refused`] if it is not an object with a `category`.
    pub fn define_category(&self, category: Value) -> Result<(), Refused> {
        self.shared.define("category", category)
    }

    /// Sets up a template: a JSON object as the document's `fetch-template-details` responses it.
    ///
    /// # Errors
    ///
    /// [`Refused`] if it is not an object with a slug, or if the document has no templates.
    pub fn define_template(&self, template: Value) -> Result<(), Refused> {
        self.shared.define("template", template)
    }

    /// Answers requests of this method and path with a status and JSON (none for null), for what the document does not have.
    /// The path may have parameters, `/v1/thing/{id}/`. Credentials are not asked for.
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

    /// The id of the operation that upserts users.
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

    /// Returns the number of requests that are no longer recorded, because there were more than the hub keeps.
    pub fn dropped_requests(&self) -> u64 {
        self.shared.state().recorder.dropped()
    }

    /// Lets something go wrong. Faults happen in the order in which they were injected.
    ///
    /// # Errors
    ///
    /// [`Refused`] if the status, a header or the share is not valid, or if the fault would have no effect.
    pub fn inject(&self, fault: Fault) -> Result<(), Refused> {
        self.shared.inject(fault)
    }

    /// Returns the faults that are still to happen, each with the number of times that is left.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.state().faults.active()
    }

    /// Takes back the faults that did not happen yet.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
        self.shared.changed();
    }

    /// Limits the rate of requests from now on, or lifts the limit.
    pub fn limit_rate(&self, limit: Option<RateLimit>) {
        self.shared.state().limiter = Limiter::new(limit);
        self.shared.changed();
    }

    /// Resets the hub to its start: its seeds, no requests, no faults, its own rate limit.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Stops the hub, and waits until every request that is being answered has been.
    pub async fn stop(self) {
        let Self { stop, shared, .. } = self;
        // What is left then belongs to the server and its connections.
        drop(shared);
        stop.send_replace(true);
        stop.closed().await;
    }
}

/// Sets up a [`Hub`].
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

    /// Adds an API key to accept, instead of the built-in one.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        let key = key.into();
        self.setup.accepted.api_keys.insert(key.clone());
        self.key.get_or_insert(key);
        self
    }

    /// Adds a workspace whose signatures are verified. Without any, every signature is accepted.
    pub fn workspace(mut self, key: impl Into<String>, secret: impl Into<String>) -> Self {
        self.setup.accepted.workspaces.insert(key.into(), secret.into());
        self
    }

    /// Adds a host name for which the admin API also responds, besides loopback. Anyone who can reach the
    /// hub under that name can read what it stores.
    pub fn admin_host(mut self, name: impl Into<String>) -> Self {
        self.setup.admin_hosts.insert(name.into().to_ascii_lowercase());
        self
    }

    /// Serves an OpenAPI 3.1 document, as JSON, instead of SuprSend's.
    pub fn document(mut self, json: impl Into<String>) -> Self {
        self.setup.document = Some(json.into());
        self
    }

    /// Adds a user that exists from the start, and again after each reset. The body is validated as that of an upsert.
    pub fn seed(mut self, distinct_id: impl Into<String>, body: Value) -> Self {
        self.setup.seeds.push((distinct_id.into(), body));
        self
    }

    /// Sets the number of requests to record. Older ones are dropped, and counted. Defaults to 1000, and at most 64 MiB
    /// of them with their responses, or 4 KiB for each where that is more.
    pub fn recorded_requests(mut self, limit: usize) -> Self {
        self.setup.recorded = limit;
        self
    }

    /// Sets the largest request body, in bytes. Larger ones get 413. Defaults to 800 KiB.
    pub fn largest_body(mut self, bytes: usize) -> Self {
        self.setup.largest_body = bytes;
        self
    }

    /// Sets the limit of everything that is stored, in bytes of JSON. Requests that would store more get 507. 256 MiB unless
    /// set.
    pub fn largest_store(mut self, bytes: usize) -> Self {
        self.setup.largest_store = bytes;
        self
    }

    /// Limits the rate of requests. Defaults to no limit.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.setup.rate_limit = Some(limit);
        self
    }

    /// Sets a function to call with each request once it is answered, before its response leaves.
    pub fn observe(mut self, observer: impl Fn(&Recorded) + Send + Sync + 'static) -> Self {
        self.setup.observer = Some(Arc::new(observer));
        self
    }

    /// Starts the hub on the Tokio runtime that this is called on.
    ///
    /// Fails if the address cannot be bound, and on a document or seed that cannot be used.
    ///
    /// # Errors
    ///
    /// An error if the address cannot be bound, or if the document or a seed cannot be used.
    pub async fn start(self) -> io::Result<Hub> {
        let (hub, server) = self.bind().await?;
        tokio::spawn(server);
        Ok(hub)
    }

    /// Starts the hub on a thread and runtime of its own, for tests that are not async. Fails as [`start`](Self::start) does.
    ///
    /// # Errors
    ///
    /// The same as for [`start`](Self::start), or the error of the system if no thread can be started.
    pub fn start_on_thread(self) -> io::Result<Hub> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (started, hub) = mpsc::channel();
        thread::Builder::new().name("suprsend-mock".into()).spawn(move || {
            runtime.block_on(async {
                match self.bind().await {
                    Ok((hub, server)) => {
                        // If nobody waits for the hub, it is dropped, and the server ends.
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

    /// The hub, and what has to run for it to answer.
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
                // An error says that the hub was dropped.
                let _ = stopping.wait_for(|stop| *stop).await;
            });
            // It only ends when it is told to, and never with an error.
            let _ = server.await;
        };
        Ok((Hub { url, key: key.unwrap_or_default(), shared, stop }, server))
    }
}

/// Shows neither keys nor seeds.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("address", &self.address).finish_non_exhaustive()
    }
}
