//! The users that every contender upserts: made from a number, so that a million of them need no memory.

use std::ops::Range;

/// A user as a program has it before it calls anything.
pub struct User {
    /// The id, which goes into the path.
    pub id: String,
    /// An e-mail address.
    pub email: String,
    /// A phone number.
    pub phone: String,
    /// A custom property that is a number.
    pub seats: u64,
}

/// What all users have alike.
pub const TIMEZONE: &str = "America/New_York";
/// What all users have alike.
pub const LOCALE: &str = "en_GB";
/// What all users have alike.
pub const PLAN: &str = "pro";

/// The workflow that is triggered for each user.
pub const WORKFLOW: &str = "benchmark";

impl User {
    /// The user with this number.
    pub fn new(number: u64) -> Self {
        Self {
            id: format!("user-{number:08}"),
            email: format!("user-{number:08}@example.com"),
            phone: format!("+1555{:07}", number % 10_000_000),
            seats: number % 100,
        }
    }

    /// The users with these numbers.
    pub fn range(numbers: Range<u64>) -> impl Iterator<Item = Self> {
        numbers.map(Self::new)
    }
}
