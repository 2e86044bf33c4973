//! Faults that are injected into a mock server.

use std::{collections::BTreeMap, time::Duration};

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    refused::Refused,
    server::response::{Content, HubResponse},
};

/// The seed of the random choice by share. It is the same for every server, so that a test sees the same faults in each run.
const SEED: u64 = 0x5EED;

/// A failure that is injected into requests.
///
/// A fault defines what happens (a status, a delay, a cut connection, or a delay followed by one of the others), and how often. By default
/// it affects only the next request; see [`times`](Self::times) and [`share`](Self::share).
///
/// ```
/// use std::time::Duration;
/// use suprsend_mock::Fault;
///
/// // The next two requests get a 503 that asks to wait for a second.
/// let busy = Fault::status(503).retry_after(Duration::from_secs(1)).times(2);
/// // A gateway's page, in place of one upsert in ten.
/// let gateway = Fault::status(502).header("content-type", "text/html").body("<h1>Bad Gateway</h1>");
/// let gateway = gateway.operation("create-update-users").share(0.1);
/// // The next upsert is stored, but its response is lost.
/// let lost = Fault::lost();
/// ```
///
/// It serializes to the form that the admin API accepts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u16>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Cut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
}

/// The way in which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Cut {
    /// It is reset before the request is performed.
    Reset,
    /// It is reset after the request was performed, in place of the response.
    Lost,
    /// It is closed in the middle of the response.
    Truncated,
}

impl Fault {
    /// Responds with this status without performing the request. The body is `{code, message}`, unless [`body`](Self::body) sets another.
    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Rejects a record with this status, in a response that contains an outcome for each record of the request. This record is not
    /// performed, the others are. [`times`](Self::times) and [`share`](Self::share) count records.
    ///
    /// ```
    /// # use suprsend_mock::Fault;
    /// // One trigger in ten is told to come back later.
    /// let busy = Fault::record(429).operation("trigger-workflows").share(0.1);
    /// ```
    pub fn record(status: u16) -> Self {
        Self { record: Some(status), ..Self::default() }
    }

    /// Delays the request before it is performed and answered.
    pub fn delay(delay: Duration) -> Self {
        Self::default().after(delay)
    }

    /// Resets the connection without performing the request.
    pub fn reset() -> Self {
        Self { cut: Some(Cut::Reset), ..Self::default() }
    }

    /// Performs the request, then resets the connection in place of the response.
    pub fn lost() -> Self {
        Self { cut: Some(Cut::Lost), ..Self::default() }
    }

    /// Performs the request and closes the connection in the middle of the response body. A response without a body is [lost](Self::lost).
    pub fn truncated() -> Self {
        Self { cut: Some(Cut::Truncated), ..Self::default() }
    }

    /// Delays the effect of the fault.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay_ms = Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Sets the body of the response: a string is sent as text, any other value as JSON.
    pub fn body(mut self, body: impl Into<Value>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Adds a header to the response.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into().to_ascii_lowercase(), value.into());
        self
    }

    /// Sets `Retry-After` in whole seconds, rounded up. To send a date, use [`header`](Self::header).
    pub fn retry_after(self, wait: Duration) -> Self {
        self.header("retry-after", whole_seconds(wait).to_string())
    }

    /// Limits the fault to the next `times` requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Applies the fault to this share of requests, from 0 to 1, without end unless [`times`](Self::times) limits it. The choice of
    /// requests is random, but the same in each run.
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// Limits the fault to the operation with this id in the OpenAPI document. The guide on operations of the crate `suprsend` lists the ids.
    /// An unknown id is refused when the fault is injected.
    pub fn operation(mut self, id: impl Into<String>) -> Self {
        self.operation = Some(id.into());
        self
    }

    /// Returns the id of the only operation that the fault applies to, if it is limited to one.
    pub(crate) fn limited_to(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// Returns the response to send in place of the operation's own, if the fault has a status. Fails if HTTP does not allow the status or
    /// a header.
    fn response(&self) -> Result<Option<HubResponse>, Refused> {
        let Some(status) = self.status else {
            return if self.body.is_none() && self.headers.is_empty() {
                Ok(None)
            } else {
                Err(Refused::new("a fault with a body or headers needs a status"))
            };
        };
        let code = StatusCode::from_u16(status).ok().filter(|code| code.as_u16() >= 200);
        let code = code.ok_or_else(|| Refused::new(format!("{status} is no status of a response")))?;
        let mut response = match &self.body {
            None => HubResponse::refusal(code, code.canonical_reason().unwrap_or("injected fault")),
            Some(Value::String(text)) => HubResponse::new(code, Content::Text(text.clone())),
            Some(body) => HubResponse::json(code, body.clone()),
        };
        response.headers = self.headers.iter().map(header).collect::<Result<_, Refused>>()?;
        Ok(Some(response))
    }
}

fn header((name, value): (&String, &String)) -> Result<(HeaderName, HeaderValue), Refused> {
    match (name.parse(), value.parse()) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(Refused::new(format!("`{name}: {value}` is no header"))),
    }
}

/// Returns the duration in seconds, rounded up.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// The effect of faults on one request.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    pub(crate) delay: Duration,
    pub(crate) cut: Option<Cut>,
    pub(crate) response: Option<HubResponse>,
}

impl Effect {
    /// Describes the effect in a few words; `None` if there is none.
    pub(crate) fn summary(&self) -> Option<String> {
        let delay = (!self.delay.is_zero()).then(|| format!("delayed by {} ms", self.delay.as_millis()));
        let cut = self.cut.map(|cut| cut.summary().to_owned());
        let response =
            self.response.as_ref().map(|response| format!("answered with {}", response.status.as_u16()));
        let all: Vec<_> = [delay, response, cut].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

impl Cut {
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Reset => "connection reset",
            Self::Lost => "response lost",
            Self::Truncated => "response truncated",
        }
    }
}

/// The faults of a mock server, in the order in which they were injected.
#[derive(Debug)]
pub(crate) struct Faults {
    active: Vec<Active>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    response: Option<HubResponse>,
    /// The remaining number of times; `None` if unlimited.
    left: Option<u32>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { active: Vec::new(), random: fastrand::Rng::with_seed(SEED) }
    }
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) -> Result<(), Refused> {
        if fault.share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(Refused::new("a share is from 0 to 1"));
        }
        let response = fault.response()?;
        if let Some(status) = fault.record {
            let others = response.is_some() || fault.cut.is_some() || fault.delay_ms.is_some();
            if others || !(300..600).contains(&status) {
                return Err(Refused::new(
                    "a fault of a record has a status that is an error, and nothing else",
                ));
            }
        }
        match (response.is_some(), fault.cut) {
            (false, None) if fault.delay_ms.is_none() && fault.record.is_none() => {
                return Err(Refused::new("a fault needs a status, a delay or a cut"));
            }
            (true, Some(Cut::Reset | Cut::Lost)) => {
                return Err(Refused::new("a connection that is reset has no status"));
            }
            _ => {}
        }
        let left = fault.times.or(if fault.share.is_some() { None } else { Some(1) });
        self.active.push(Active { fault, response, left });
        Ok(())
    }

    /// Returns the effect on the next request: that of the first fault that applies.
    pub(crate) fn next(&mut self, operation: Option<&str>) -> Effect {
        self.hit(operation, false, |hit| Effect {
            delay: Duration::from_millis(hit.fault.delay_ms.unwrap_or_default()),
            cut: hit.fault.cut,
            response: hit.response.clone(),
        })
        .unwrap_or_default()
    }

    /// Returns the statuses with which this number of records of a request are rejected.
    pub(crate) fn records(&mut self, operation: &str, count: usize) -> Vec<Option<u16>> {
        if self.active.iter().all(|active| active.fault.record.is_none()) {
            return Vec::new();
        }
        (0..count).map(|_| self.hit(Some(operation), true, |hit| hit.fault.record).flatten()).collect()
    }

    /// Applies the first matching fault, to a record or to a whole request, and returns what `make` creates from it.
    fn hit<T>(&mut self, operation: Option<&str>, of_record: bool, make: fn(&Active) -> T) -> Option<T> {
        let Self { active, random } = self;
        let hit = active.iter_mut().find(|active| {
            let Fault { operation: only, share, record, .. } = &active.fault;
            let is_meant = only.as_deref().is_none_or(|only| operation == Some(only));
            is_meant
                && record.is_some() == of_record
                && active.left != Some(0)
                && share.is_none_or(|share| random.f64() < share)
        })?;
        hit.left = hit.left.map(|left| left - 1);
        let result = make(hit);
        active.retain(|active| active.left != Some(0));
        Some(result)
    }

    /// Returns the faults that remain active. `times` is the remaining number.
    pub(crate) fn active(&self) -> Vec<Fault> {
        let left = |active: &Active| Fault { times: active.left, ..active.fault.clone() };
        self.active.iter().map(left).collect()
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(faults: &mut Faults, operation: Option<&str>) -> Option<u16> {
        faults.next(operation).response.map(|response| response.status.as_u16())
    }

    #[test]
    fn faults_happen_in_order_and_as_often_as_they_say() {
        let mut faults = Faults::default();
        faults.inject(Fault::status(503).times(2)).expect("a fault");
        faults.inject(Fault::status(429)).expect("a fault");
        let seen: Vec<_> = (0..4).map(|_| status(&mut faults, None)).collect();
        assert_eq!(seen, [Some(503), Some(503), Some(429), None]);
    }

    #[test]
    fn a_fault_of_an_operation_leaves_the_others_alone() {
        let mut faults = Faults::default();
        faults.inject(Fault::status(500).operation("upsert")).expect("a fault");
        assert_eq!(status(&mut faults, None), None);
        assert_eq!(status(&mut faults, Some("list")), None);
        assert_eq!(status(&mut faults, Some("upsert")), Some(500));
    }

    #[test]
    fn a_share_hits_about_that_many_and_the_same_in_each_run() {
        let run = || {
            let mut faults = Faults::default();
            faults.inject(Fault::status(500).share(0.25)).expect("a fault");
            (0..1000).map(|_| status(&mut faults, None).is_some()).collect::<Vec<_>>()
        };
        let hits = run();
        let count = hits.iter().filter(|hit| **hit).count();
        assert!((200..300).contains(&count), "{count}");
        assert_eq!(hits, run());
    }

    #[test]
    fn a_fault_of_records_leaves_the_request_alone() {
        let mut faults = Faults::default();
        faults.inject(Fault::record(429).operation("many").times(2)).expect("a fault");
        assert_eq!(status(&mut faults, Some("many")), None);
        assert_eq!(faults.records("other", 2), [None, None]);
        assert_eq!(faults.records("many", 3), [Some(429), Some(429), None]);
        assert_eq!(faults.active(), []);
    }

    #[test]
    fn a_fault_that_cannot_be_is_refused() {
        let mut faults = Faults::default();
        let refused = [
            Fault::status(99),
            Fault::status(100),
            Fault::status(503).header("a b", "c"),
            Fault::status(503).header("a", "c\n"),
            Fault::default(),
            Fault::delay(Duration::ZERO).body("x"),
            Fault::reset().share(1.5),
            Fault { status: Some(500), ..Fault::reset() },
            Fault::record(200),
            Fault::record(429).after(Duration::ZERO),
        ];
        for fault in refused {
            assert!(faults.inject(fault.clone()).is_err(), "{fault:?}");
        }
        assert_eq!(faults.active(), []);
    }

    #[test]
    fn the_json_form_is_the_same_fault() {
        let json = json!({
            "operation": "create-update-users", "status": 503, "headers": {"retry-after": "2"},
            "body": {"a": 1}, "delay_ms": 50, "times": 3, "share": 0.5
        });
        let fault = Fault::status(503)
            .operation("create-update-users")
            .retry_after(Duration::from_millis(1200))
            .body(json!({"a": 1}))
            .after(Duration::from_millis(50))
            .times(3)
            .share(0.5);
        assert_eq!(serde_json::to_value(&fault).ok(), Some(json.clone()));
        assert_eq!(serde_json::from_value::<Fault>(json).ok(), Some(fault));
        assert!(
            serde_json::from_value::<Fault>(json!({"staus": 1})).is_err(),
            "a misspelt member is an error"
        );
    }
}
