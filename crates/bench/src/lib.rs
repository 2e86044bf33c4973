//! What an upsert costs with the SDK, beside what it costs without it. `cargo xtask bench` runs it; see the README beside this.

#![allow(clippy::missing_errors_doc, reason = "a library of one program: whatever fails is printed")]
#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

pub mod aims;
pub mod builds;
pub mod client;
pub mod contenders;
pub mod output;
pub mod peers;
pub mod plot;
pub mod process;
pub mod results;
pub mod server;
pub mod table;
pub mod turns;
pub mod workload;
