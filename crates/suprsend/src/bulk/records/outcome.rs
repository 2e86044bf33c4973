//! The outcome of one of many records.

use crate::{error::Error, response::Response};

/// The outcome of one of many records. `R` is the type of its receipt, `V` that of the value that was paired with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct RecordOutcome<R, V = ()> {
    /// The position of the record in the input. The first is 0.
    pub index: u64,
    /// The value paired with the record in the input; `()` if there was none.
    pub value: V,
    /// The key that the record was sent with, either its own or a generated one. To send a record again whose outcome is unknown, use this
    /// key.
    pub idempotency_key: Option<String>,
    /// The API's response to the record, with the status and the headers of the request that it was accepted in; or the API's error for the
    /// record, or the error of the call.
    pub result: Result<Response<R>, Error>,
}
