//! The outcome of one of many calls.

use crate::{error::Error, response::Response};

/// The outcome of one of many calls. `R` is the type of its response, `V` that of the value that was paired with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome<R, V = ()> {
    /// The position of the call in the input. The first is 0.
    pub index: u64,
    /// The value paired with the call in the input; `()` if there was none.
    pub value: V,
    /// The result of the call.
    pub result: Result<Response<R>, Error>,
}
