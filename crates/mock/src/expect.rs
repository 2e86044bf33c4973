//! Assertions for tests.

use assert_json_diff::{CompareMode, Config, assert_json_matches_no_panic};
use serde_json::Value;

use crate::{
    hub::Hub,
    profiles::{DISTINCT_ID, UPSERT},
    recorded::Recorded,
};

/// The upserts of one user that a hub carried out. Made by [`Hub::expect_upsert`].
#[derive(Debug, Clone)]
pub struct Upserts {
    distinct_id: String,
    /// The bodies, oldest first.
    bodies: Vec<Value>,
}

impl Hub {
    /// Expects that this user was upserted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use serde_json::json;
    /// # let hub = suprsend_mock::Hub::start().await?;
    /// # let url = format!("{}/v1/user/user-123/", hub.url());
    /// # let body = json!({"$email": ["jane@example.com"], "plan": "pro"});
    /// # reqwest::Client::new().post(url).bearer_auth(hub.key()).json(&body).send().await?;
    /// hub.expect_upsert("user-123").times(1).containing(&json!({"$email": ["jane@example.com"]}));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If it was not. The message says which users were, and how upserts of this one were refused.
    #[track_caller]
    pub fn expect_upsert(&self, distinct_id: &str) -> Upserts {
        let requests = self.requests();
        let bodies: Vec<_> = requests.iter().filter_map(|request| request.upsert_of(distinct_id)).collect();
        if bodies.is_empty() {
            let upserts = requests.iter().filter(|request| request.operation() == Some(UPSERT));
            let seen: Vec<_> = upserts.map(outcome).collect();
            let seen = match listed(&seen) {
                none if none.is_empty() => "no upsert arrived".to_owned(),
                lines => format!("these arrived:{lines}"),
            };
            panic!("no upsert of {distinct_id} was carried out; {seen}{}", self.note_of_dropped());
        }
        Upserts { distinct_id: distinct_id.to_owned(), bodies }
    }

    /// Expects that this user was not upserted.
    ///
    /// # Panics
    ///
    /// If it was, with the bodies.
    #[track_caller]
    pub fn expect_no_upsert(&self, distinct_id: &str) {
        let requests = self.requests();
        let bodies: Vec<_> = requests.iter().filter_map(|request| request.upsert_of(distinct_id)).collect();
        assert!(bodies.is_empty(), "{distinct_id} was upserted:{}", listed(&bodies));
    }

    fn note_of_dropped(&self) -> String {
        match self.dropped_requests() {
            0 => String::new(),
            dropped => format!("\n({dropped} older requests are no longer recorded)"),
        }
    }
}

impl Upserts {
    /// The bodies, oldest first.
    pub fn bodies(&self) -> &[Value] {
        &self.bodies
    }

    /// Expects so many upserts.
    ///
    /// # Panics
    ///
    /// If there were more or fewer, with the bodies.
    #[track_caller]
    pub fn times(self, times: usize) -> Self {
        let (found, id) = (self.bodies.len(), &self.distinct_id);
        assert!(
            found == times,
            "{id} was upserted {found} times, not {times} times:{}",
            listed(&self.bodies)
        );
        self
    }

    /// Expects that one of the upserts has at least this in its body.
    ///
    /// # Panics
    ///
    /// If none has, with what the last one has instead.
    #[track_caller]
    pub fn containing(self, expected: &Value) -> Self {
        self.one_with(expected, CompareMode::Inclusive)
    }

    /// Expects that one of the upserts has this body.
    ///
    /// # Panics
    ///
    /// If none has, with what is different in the last one.
    #[track_caller]
    pub fn exactly(self, expected: &Value) -> Self {
        self.one_with(expected, CompareMode::Strict)
    }

    #[track_caller]
    fn one_with(self, expected: &Value, mode: CompareMode) -> Self {
        let difference = |body| assert_json_matches_no_panic(body, expected, Config::new(mode)).err();
        let differences: Option<Vec<_>> = self.bodies.iter().map(difference).collect();
        if let Some(difference) = differences.and_then(|differences| differences.into_iter().next_back()) {
            panic!("no upsert of {} is as expected; in the last one:\n\n{difference}", self.distinct_id);
        }
        self
    }
}

/// Whose upsert it was and what became of it.
fn outcome(request: &Recorded) -> String {
    let id = request.parameter(DISTINCT_ID).unwrap_or_default();
    let status = request.status().map_or("no reply".to_owned(), |status| status.to_string());
    let refusal = request.refusal().map(|refusal| format!(" {refusal}")).unwrap_or_default();
    format!("{id}: {status}{refusal}")
}

/// A line each, the first on a line of its own.
fn listed(lines: &[impl ToString]) -> String {
    lines.iter().flat_map(|line| ["\n  ".to_owned(), line.to_string()]).collect()
}
