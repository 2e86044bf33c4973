//! Nothing: this package is a member of the workspace for the features of its dependencies.
//!
//! Cargo enables what tests need of a dependency only while it builds tests and examples. Programs would therefore need every dependency
//! once more with fewer features, and `cargo run` after `cargo test` would build most of the workspace again. In the same way, the generator
//! would be built twice, for build scripts and for programs. `tests/gate.rs` of `xtask` compares the features. Users of the published
//! packages get none of them.
