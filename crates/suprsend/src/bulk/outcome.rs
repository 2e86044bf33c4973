//! What came of one call of many.

use crate::{error::Error, response::Response};

/// What came of one call of many: `R` is the type of its response, `V` that of the value that was sent with it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome<R, V = ()> {
    /// The position of the call in the input. The first is 0.
    pub index: u64,
    /// The value that stood beside the call in the input; `()` if there was none.
    pub value: V,
    /// The result of the call.
    pub result: Result<Response<R>, Error>,
}
