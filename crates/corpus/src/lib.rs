//! What the generator makes of the documents in `crates/codegen/corpus/`: that this crate compiles is the test.
//!
//! A document that the generator refuses is generated without the operations that it refuses.
//! Code in the descriptions of the documents is no doc-test: the doc-tests of this crate are none.

// A document of the corpus nests lists as deep as the limit.
#![recursion_limit = "512"]
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

/// A document and the code that was made of it.
pub struct Document {
    /// The name of the module.
    pub name: &'static str,
    /// The document as JSON.
    pub text: &'static str,
    /// Reads a value as the type of a component, and writes it again; `None` if the component has no type.
    pub again: fn(&str, serde_json::Value) -> Option<serde_json::Result<serde_json::Value>>,
}

fn again<T: serde::Serialize + serde::de::DeserializeOwned>(
    value: serde_json::Value,
) -> serde_json::Result<serde_json::Value> {
    serde_json::to_value(serde_json::from_value::<T>(value)?)
}
