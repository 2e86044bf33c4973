//! Overlays as texts: an action or a part of it is removed or replaced in place, and everything else stays byte for byte.
//!
//! A YAML parser with positions finds the place of each value ([`positions`]). Texts are cut there ([`edit`]), and new actions are appended
//! ([`write`]), with targets as JSONPath ([`query`]). Every resulting text is parsed again, and must have the intended content.

mod edit;
pub(in crate::spec) mod positions;
pub(in crate::spec) mod query;
pub(in crate::spec) mod write;

pub(in crate::spec) use self::edit::{remove, replace};
