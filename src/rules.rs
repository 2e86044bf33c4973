//! Rules as data.

/// A schema.
#[derive(Debug)]
pub struct Schema(pub &'static [()]);
