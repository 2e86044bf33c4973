//! Edits of users: numbers of every width as increments, and what an operation does.

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

// Those that the generated code has not: it knows `i64` and `f64`.
increments! {
    i8 as Integer, i16 as Integer, i32 as Integer,
    u8 as Integer, u16 as Integer, u32 as Integer,
    f32 as Number,
}

impl EditValues {
    /// Returns whether the values are the addresses of channels only, none of them an element of a property.
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
    /// Returns whether doing this twice has the effect of doing it once.
    ///
    /// Numbers add up, and so do the elements of a list; what is newer than this crate may do anything. An address that a channel has
    /// already is not added again.
    pub fn is_idempotent(&self) -> bool {
        self.increment.is_empty()
            && self.add.is_empty()
            && self.extra.is_empty()
            && self.append.as_ref().is_none_or(EditValues::is_of_channels)
    }
}
