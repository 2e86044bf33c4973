//! Whether a success is one: the document's table says of an operation where its response tells.

use reqwest::Url;
use serde_json::Value;
use suprsend_api::Verdict;

use crate::{
    error::{Error, InvalidDraft, Secrets, UndecodableResponse},
    raw_response::RawResponse,
};

/// Returns the response unless it says that what was asked for was not done.
pub(crate) fn judge(
    verdict: &Verdict,
    request: &Url,
    received: RawResponse,
    secrets: impl FnOnce() -> Secrets,
) -> Result<RawResponse, Error> {
    let asked = verdict
        .asked_by
        .map(|parameter| request.query_pairs().any(|(name, value)| name == parameter && value == "true"));
    if asked == Some(false) {
        return Ok(received);
    }
    // What is no JSON is refused when it is decoded.
    let Ok(body) = serde_json::from_slice::<Value>(received.body()) else { return Ok(received) };
    let at = |path: &[&str]| path.iter().try_fold(&body, |value, name| value.get(name));
    match at(verdict.holds) {
        Some(Value::Bool(true)) => Ok(received),
        Some(Value::Bool(false)) => {
            let reasons = at(verdict.reasons).and_then(Value::as_array).cloned().unwrap_or_default();
            Err(InvalidDraft::new(&received, reasons, &secrets()).into())
        }
        _ if asked.is_none() => Ok(received),
        _ => {
            let reason = format!("does not say whether it was done, in `{}`", verdict.holds.join("."));
            Err(UndecodableResponse::new(received, reason).into())
        }
    }
}
