//! Whether a success is one: the document's table says of an operation where its reply tells.

use reqwest::Url;
use serde_json::Value;
use suprsend_api::Verdict;

use crate::{
    error::{Error, InvalidDraft, Secrets, UndecodableReply},
    reply::Reply,
};

/// Returns the reply unless it says that what was asked for was not done.
pub(crate) fn judge(
    verdict: &Verdict,
    request: &Url,
    reply: Reply,
    secrets: impl FnOnce() -> Secrets,
) -> Result<Reply, Error> {
    let asked = verdict
        .asked_by
        .map(|parameter| request.query_pairs().any(|(name, value)| name == parameter && value == "true"));
    if asked == Some(false) {
        return Ok(reply);
    }
    // What is no JSON is refused when it is decoded.
    let Ok(body) = serde_json::from_slice::<Value>(reply.body()) else { return Ok(reply) };
    let at = |path: &[&str]| path.iter().try_fold(&body, |value, name| value.get(name));
    match at(verdict.holds) {
        Some(Value::Bool(true)) => Ok(reply),
        Some(Value::Bool(false)) => {
            let reasons = at(verdict.reasons).and_then(Value::as_array).cloned().unwrap_or_default();
            Err(InvalidDraft::new(&reply, reasons, &secrets()).into())
        }
        _ if asked.is_none() => Ok(reply),
        _ => {
            let reason = format!("does not say whether it was done, in `{}`", verdict.holds.join("."));
            Err(UndecodableReply::new(reply, reason).into())
        }
    }
}
