//! Guides, in the order in which a program needs them. Their examples are tests, against a hub on loopback.

#[doc = include_str!("quick_start.md")]
pub mod quick_start {}

#[doc = include_str!("sending.md")]
pub mod sending {}

#[doc = include_str!("resources.md")]
pub mod resources {}

#[doc = include_str!("channels.md")]
pub mod channels {}

#[doc = include_str!("errors.md")]
pub mod errors {}

#[doc = include_str!("bulk.md")]
pub mod bulk {}

#[doc = include_str!("observability.md")]
pub mod observability {}

#[doc = include_str!("testing.md")]
pub mod testing {}

#[doc = include_str!("features.md")]
pub mod features {}

#[doc = include_str!("blocking.md")]
pub mod blocking {}

#[doc = include_str!("management.md")]
pub mod management {}

#[doc = include_str!("operations.md")]
pub mod operations {}
