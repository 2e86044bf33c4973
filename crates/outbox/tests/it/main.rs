//! The outbox on a real PostgreSQL, which the tests start themselves.

#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod delivery;
mod enqueue;
mod killing;
mod privileges;
mod program;
mod setup;
mod takeover;
