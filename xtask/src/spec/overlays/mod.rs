//! Overlays as texts: an action or a part of it is removed or replaced where it is written, and all else stays byte for byte.
//!
//! A YAML parser that knows positions says where each value stands ([`positions`]); texts are cut there ([`edit`]), and new actions are
//! written below ([`write`]), with targets as JSONPath ([`query`]). Every text that comes of it is read again and has to say what was meant.

mod edit;
pub(in crate::spec) mod positions;
pub(in crate::spec) mod query;
pub(in crate::spec) mod write;

pub(in crate::spec) use self::edit::{remove, replace};
