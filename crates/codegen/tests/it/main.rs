//! Tests of the whole pipeline from a document to Rust, in one program: the long ones run side by side.

mod beyond_one_host;
mod corpus;
mod faults;
mod fuzz;
mod fuzz_corpus;
mod large;
mod random;
mod targets;
