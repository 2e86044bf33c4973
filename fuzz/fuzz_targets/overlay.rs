//! Applying an overlay.

#![no_main]

#[path = "../../crates/codegen/tests/it/targets/mod.rs"]
#[allow(dead_code, reason = "one of the targets each")]
mod targets;

libfuzzer_sys::fuzz_target!(|input: &[u8]| targets::overlay(input));
