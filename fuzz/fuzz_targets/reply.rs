//! Reading a reply.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| suprsend::fuzz::reply(input));
