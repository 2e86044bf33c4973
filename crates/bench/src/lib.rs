//! What an upsert costs with the SDK, beside what it costs without it. `cargo xtask bench` runs it; see the README beside this.

pub mod client;
pub mod contenders;
pub mod process;
pub mod server;
pub mod workload;
