//! Reading a response.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| suprsend::fuzz::read(input));
