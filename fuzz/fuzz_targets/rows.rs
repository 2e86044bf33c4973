//! Reading the rows of an import.

#![no_main]

#[path = "../../crates/suprsend/tests/it/rows.rs"]
mod rows;

libfuzzer_sys::fuzz_target!(|input: &[u8]| rows::target(input));
