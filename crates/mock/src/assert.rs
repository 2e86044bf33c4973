//! Assertions for tests. All of them check immediately what the mock server has performed so far.

use assert_json_diff::{CompareMode, Config, assert_json_matches_no_panic};
use serde_json::{Value, json};

use crate::{hub::Hub, recorded::Recorded, world::Kind};

/// Calls that the mock server performed, to be checked further. Returned by [`Hub::assert_called`] and similar methods.
#[derive(Debug, Clone)]
pub struct Calls {
    /// The noun for the calls in a message, as in `no {what} was carried out`.
    what: String,
    found: Vec<Call>,
    bodies: Vec<Value>,
}

#[derive(Debug, Clone)]
struct Call {
    /// The path and query parameters.
    parameters: Vec<(String, String)>,
    body: Value,
    /// The recipients of a trigger, an event or a broadcast.
    recipients: Vec<String>,
}

impl Hub {
    /// Asserts that an operation was performed, by its id in the OpenAPI document.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let hub = suprsend_mock::Hub::start().await?;
    /// # hub.seed("user-123", serde_json::json!({}))?;
    /// # let url = format!("{}/v1/user/user-123/", hub.url());
    /// # reqwest::Client::new().delete(url).bearer_auth(hub.key()).send().await?;
    /// hub.assert_called("delete-user").with("distinct_id", "user-123").times(1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If it was not. The message lists the calls of the operation that arrived, and why they were rejected.
    #[track_caller]
    pub fn assert_called(&self, operation: &str) -> Calls {
        self.assert_known(operation);
        self.carried_out(operation.to_owned(), operation, |_| true)
    }

    /// Asserts that an operation was not performed.
    ///
    /// # Panics
    ///
    /// If it was. The message shows the bodies.
    #[track_caller]
    pub fn assert_not_called(&self, operation: &str) {
        self.assert_known(operation);
        none(operation, &self.calls_of(operation, |_| true));
    }

    /// Asserts that this user was upserted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use serde_json::json;
    /// # let hub = suprsend_mock::Hub::start().await?;
    /// # let url = format!("{}/v1/user/user-123/", hub.url());
    /// # let body = json!({"$email": ["jane@example.com"], "plan": "pro"});
    /// # reqwest::Client::new().post(url).bearer_auth(hub.key()).json(&body).send().await?;
    /// hub.assert_upserted("user-123").times(1).containing(&json!({"$email": ["jane@example.com"]}));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If it was not. The message lists the users that were upserted, and why upserts of this one were rejected.
    #[track_caller]
    pub fn assert_upserted(&self, distinct_id: &str) -> Calls {
        let is_meant = |request: &Recorded| request.parameter("distinct_id") == Some(distinct_id);
        self.carried_out(format!("upsert of {distinct_id}"), &self.upsert_id(), is_meant)
    }

    /// Asserts that this user was not upserted.
    ///
    /// # Panics
    ///
    /// If it was. The message shows the bodies.
    #[track_caller]
    pub fn assert_not_upserted(&self, distinct_id: &str) {
        let is_meant = |request: &Recorded| request.parameter("distinct_id") == Some(distinct_id);
        none(&format!("upsert of {distinct_id}"), &self.calls_of(&self.upsert_id(), is_meant));
    }

    /// Asserts that this workflow was triggered, in a single request or in one with several triggers. Requests that repeat an idempotency
    /// key do not count.
    ///
    /// # Panics
    ///
    /// If it was not. The message lists the workflows that were triggered.
    #[track_caller]
    pub fn assert_triggered(&self, workflow: &str) -> Calls {
        self.was_sent(Kind::Workflow, "trigger", workflow)
    }

    /// Asserts that this workflow was not triggered.
    ///
    /// # Panics
    ///
    /// If it was. The message shows the triggers.
    #[track_caller]
    pub fn assert_not_triggered(&self, workflow: &str) {
        none(&format!("trigger of {workflow}"), &self.sent_of(Kind::Workflow, workflow));
    }

    /// Asserts that an event with this name was sent, in a single request or in one with several events. Requests that repeat an
    /// idempotency key do not count.
    ///
    /// # Panics
    ///
    /// If it was not. The message lists the events that were sent.
    #[track_caller]
    pub fn assert_tracked(&self, event: &str) -> Calls {
        self.was_sent(Kind::Event, "event", event)
    }

    /// Asserts that no event with this name was sent.
    ///
    /// # Panics
    ///
    /// If it was. The message shows the events.
    #[track_caller]
    pub fn assert_not_tracked(&self, event: &str) {
        none(&format!("event of {event}"), &self.sent_of(Kind::Event, event));
    }

    /// Asserts that a broadcast was sent to this list. Requests that repeat an idempotency key do not count.
    ///
    /// # Panics
    ///
    /// If none was. The message names the lists that broadcasts were sent to.
    #[track_caller]
    pub fn assert_broadcast(&self, list: &str) -> Calls {
        self.was_sent(Kind::Broadcast, "broadcast", list)
    }

    /// Asserts that no broadcast was sent to this list.
    ///
    /// # Panics
    ///
    /// If one was. The message shows the broadcasts.
    #[track_caller]
    pub fn assert_not_broadcast(&self, list: &str) {
        none(&format!("broadcast of {list}"), &self.sent_of(Kind::Broadcast, list));
    }

    #[track_caller]
    fn assert_known(&self, operation: &str) {
        assert!(self.has_operation(operation), "the document has no operation {operation}");
    }

    #[track_caller]
    fn carried_out(&self, what: String, operation: &str, is_meant: impl Fn(&Recorded) -> bool) -> Calls {
        let found = self.calls_of(operation, is_meant);
        let requests = self.requests();
        let seen = requests.iter().filter(|request| request.operation() == Some(operation));
        Calls::new(what, found, &seen.map(outcome).collect::<Vec<_>>(), &self.note_of_dropped())
    }

    fn calls_of(&self, operation: &str, is_meant: impl Fn(&Recorded) -> bool) -> Vec<Call> {
        let requests = self.requests();
        let made =
            requests.iter().filter(|request| request.performed && request.operation() == Some(operation));
        made.filter(|request| is_meant(request)).map(Call::from_request).collect()
    }

    #[track_caller]
    fn was_sent(&self, kind: Kind, verb: &str, name: &str) -> Calls {
        let seen = self.sent().into_iter().filter(|sent| sent.kind() == kind).map(|sent| {
            let repeated = if sent.is_duplicate() { " (its key was known)" } else { "" };
            format!("{}{repeated}", sent.name())
        });
        Calls::new(format!("{verb} of {name}"), self.sent_of(kind, name), &seen.collect::<Vec<_>>(), "")
    }

    fn sent_of(&self, kind: Kind, name: &str) -> Vec<Call> {
        let sent = self
            .sent()
            .into_iter()
            .filter(|sent| sent.kind() == kind && sent.name() == name && !sent.is_duplicate());
        let call = |sent: crate::Sent| Call {
            parameters: Vec::new(),
            body: sent.body().clone(),
            recipients: sent.recipients().to_vec(),
        };
        sent.map(call).collect()
    }

    fn note_of_dropped(&self) -> String {
        match self.dropped_requests() {
            0 => String::new(),
            dropped => format!("\n({dropped} older requests are no longer recorded)"),
        }
    }
}

#[track_caller]
fn none(what: &str, found: &[Call]) {
    let bodies: Vec<_> = found.iter().map(|call| call.body.to_string()).collect();
    assert!(bodies.is_empty(), "{what} was carried out:{}", listed(&bodies));
}

impl Call {
    fn from_request(request: &Recorded) -> Self {
        let query = form_urlencoded::parse(request.query().unwrap_or_default().as_bytes());
        let parameters = request.parameters.iter().cloned().chain(query.into_owned()).collect();
        // The body is optional.
        Self { parameters, body: request.json().unwrap_or_else(|| json!({})), recipients: Vec::new() }
    }
}

impl Calls {
    /// Panics if there are no calls; `seen` are calls similar to the expected ones.
    #[track_caller]
    fn new(what: String, found: Vec<Call>, seen: &[String], note: &str) -> Self {
        if found.is_empty() {
            let seen = match listed(seen) {
                lines if lines.is_empty() => "none arrived".to_owned(),
                lines => format!("these arrived:{lines}"),
            };
            panic!("no {what} was carried out; {seen}{note}");
        }
        let bodies = found.iter().map(|call| call.body.clone()).collect();
        Self { what, found, bodies }
    }

    /// Returns the bodies, oldest first.
    pub fn bodies(&self) -> &[Value] {
        &self.bodies
    }

    /// Keeps only the calls with this path or query parameter.
    ///
    /// # Panics
    ///
    /// If there are none. The message shows the parameters of the other calls.
    #[track_caller]
    pub fn with(self, parameter: &str, value: &str) -> Self {
        let is_meant =
            |call: &Call| call.parameters.iter().any(|(name, known)| name == parameter && known == value);
        let shown = |call: &Call| {
            call.parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.only(&format!("with {parameter}={value}"), is_meant, shown)
    }

    /// Keeps only the calls for this recipient: the `distinct_id` of a user, `object_type/id` of an object.
    ///
    /// # Panics
    ///
    /// If there are none. The message lists the recipients of the other calls.
    #[track_caller]
    pub fn to(self, recipient: &str) -> Self {
        let is_meant = |call: &Call| call.recipients.iter().any(|known| known == recipient);
        self.only(&format!("to {recipient}"), is_meant, |call| call.recipients.join(", "))
    }

    /// Keeps only the calls with this idempotency key.
    ///
    /// # Panics
    ///
    /// If there are none. The message lists the keys of the other calls.
    #[track_caller]
    pub fn under_key(self, key: &str) -> Self {
        let of = |call: &Call| call.body["$idempotency_key"].as_str().unwrap_or("no key").to_owned();
        self.only(&format!("under the key {key}"), |call| of(call) == key, of)
    }

    #[track_caller]
    fn only(self, narrowed: &str, is_meant: impl Fn(&Call) -> bool, shown: impl Fn(&Call) -> String) -> Self {
        let seen: Vec<_> = self.found.iter().map(shown).collect();
        let found = self.found.into_iter().filter(is_meant).collect();
        Self::new(format!("{} {narrowed}", self.what), found, &seen, "")
    }

    /// Asserts the number of calls.
    ///
    /// # Panics
    ///
    /// If there were more or fewer. The message shows the bodies.
    #[track_caller]
    pub fn times(self, times: usize) -> Self {
        let (found, what) = (self.found.len(), &self.what);
        assert!(
            found == times,
            "{what} was carried out {found} times, not {times} times:{}",
            listed(&self.bodies)
        );
        self
    }

    /// Asserts that the body of one of the calls contains at least this.
    ///
    /// # Panics
    ///
    /// If none does. The message shows how the last body differs.
    #[track_caller]
    pub fn containing(self, expected: &Value) -> Self {
        self.one_with(expected, CompareMode::Inclusive)
    }

    /// Asserts that the body of one of the calls equals this.
    ///
    /// # Panics
    ///
    /// If none does. The message shows how the last body differs.
    #[track_caller]
    pub fn exactly(self, expected: &Value) -> Self {
        self.one_with(expected, CompareMode::Strict)
    }

    #[track_caller]
    fn one_with(self, expected: &Value, mode: CompareMode) -> Self {
        let difference = |body| assert_json_matches_no_panic(body, expected, Config::new(mode)).err();
        let differences: Option<Vec<_>> = self.bodies.iter().map(difference).collect();
        if let Some(difference) = differences.and_then(|differences| differences.into_iter().next_back()) {
            panic!("no {} is as expected; in the last one:\n\n{difference}", self.what);
        }
        self
    }
}

/// Describes the sender of a call and its outcome.
fn outcome(request: &Recorded) -> String {
    let ids: Vec<_> = request.parameters.iter().map(|(_, value)| value.as_str()).collect();
    let ids = if ids.is_empty() { request.path().to_owned() } else { ids.join(" ") };
    let status = request.status().map_or("no response".to_owned(), |status| status.to_string());
    let refusal = request.refusal().map(|refusal| format!(" {refusal}")).unwrap_or_default();
    format!("{ids}: {status}{refusal}")
}

/// Formats one item per line, starting on a new line.
fn listed(lines: &[impl ToString]) -> String {
    lines.iter().flat_map(|line| ["\n  ".to_owned(), line.to_string()]).collect()
}
