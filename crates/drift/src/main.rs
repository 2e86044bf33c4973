//! `cargo xtask drift`, with the types and operations of the workspace.

use std::process::ExitCode;

mod compiled {
    include!(concat!(env!("OUT_DIR"), "/compiled.rs"));
}

fn main() -> ExitCode {
    suprsend_drift::main(&compiled::COMPILED)
}
