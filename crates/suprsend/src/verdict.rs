//! Checks whether a successful status is a success: the OpenAPI document's table declares where an operation's response reports it.

use reqwest::Url;
use serde_json::Value;
use suprsend_api::Verdict;

use crate::{
    error::{Error, InvalidDraft, Secrets, UndecodableResponse},
    raw_response::RawResponse,
};

/// Returns the response, unless it says that the request was not carried out.
pub(crate) fn judge(
    verdict: &Verdict,
    request: Option<&Url>,
    received: RawResponse,
    secrets: impl FnOnce() -> Secrets,
) -> Result<RawResponse, Error> {
    let asked = verdict.asked_by.map(|parameter| {
        let mut pairs = request.into_iter().flat_map(Url::query_pairs);
        pairs.any(|(name, value)| name == parameter && value == "true")
    });
    if asked == Some(false) {
        return Ok(received);
    }
    // A body that is not JSON is rejected when it is decoded.
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
