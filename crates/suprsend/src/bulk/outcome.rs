//! What came of one input.

use crate::{Error, Response, types::User};

/// What came of one upsert of many.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Where the upsert stood in the input, the first being 0.
    pub index: u64,
    /// The user's id.
    pub distinct_id: String,
    /// The stored profile, or why there is none.
    pub result: Result<Response<User>, Error>,
}
