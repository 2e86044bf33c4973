//! What the generator makes of the documents in `crates/codegen/corpus/`: that this crate compiles is the test.
//!
//! A document that the generator refuses is generated without the operations that it refuses.
//! Code in the descriptions of the documents is no doc-test: the doc-tests of this crate are none.

#![allow(
    missing_docs,
    non_camel_case_types,
    unreachable_pub,
    uncommon_codepoints,
    unreachable_patterns,
    deprecated,
    unused_imports,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style"
)]

include!(concat!(env!("OUT_DIR"), "/documents.rs"));
