//! `cargo xtask drift`, with the types and operations of the workspace.

use std::process::ExitCode;

#[allow(clippy::too_many_lines, reason = "generated: an arm for each type")]
mod compiled {
    include!(concat!(env!("OUT_DIR"), "/compiled.rs"));
}

fn main() -> ExitCode {
    suprsend_drift::main(&compiled::COMPILED)
}
