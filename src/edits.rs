//! Edits of users: increments of every numeric type, and the effects of an operation.

use crate::types::{EditOperation, EditValues, Increment};

macro_rules! increments {
    ($($number:ty as $variant:ident),* $(,)?) => {
        $(impl From<$number> for Increment {
            fn from(number: $number) -> Self {
                Self::$variant(number.into())
            }
        })*
    };
}

// The types that the generated code does not cover: it covers `i64` and `f64`.
increments! {
    i8 as Integer, i16 as Integer, i32 as Integer,
    u8 as Integer, u16 as Integer, u32 as Integer,
    f32 as Number,
}

impl EditValues {
    /// Returns whether all values are addresses of channels, and none is an element of a property.
    pub fn is_of_channels(&self) -> bool {
        self.extra.is_empty()
    }

    /// Returns whether there is an address of a push channel, to which [`id_provider`](Self::id_provider) and
    /// [`bundle_id`](Self::bundle_id) apply.
    pub fn has_push(&self) -> bool {
        self.androidpush.is_some() || self.iospush.is_some() || self.webpush.is_some()
    }
}

impl EditOperation {
    /// Returns whether doing this twice has the same effect as doing it once.
    ///
    /// Increments and appended elements add up. Members that this crate does not know may do anything. An address that a channel already
    /// has is not added again.
    pub fn is_idempotent(&self) -> bool {
        self.increment.is_empty()
            && self.add.is_empty()
            && self.extra.is_empty()
            && self.append.as_ref().is_none_or(EditValues::is_of_channels)
    }
}
