//! Pages of documentation.

#[doc = include_str!("errors.md")]
pub mod errors {}
