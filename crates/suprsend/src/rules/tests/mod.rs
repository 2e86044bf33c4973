//! Tests the evaluator with rules that the generator reads.

mod convert;
mod keywords;
mod messages;
mod random;
mod values;

use std::fmt::Debug;

use serde::Serialize;
use serde_json::{Value, json};
use suprsend_api::rules::Schema;

use super::check;
use crate::error::{Error, Violations};

/// Returns the violations of a schema by a value.
fn found(schema: &'static Schema, value: &(impl Serialize + ?Sized)) -> Vec<String> {
    let mut violations = Violations::default();
    check("", schema, value, &mut violations);
    match violations.finish() {
        Ok(()) => Vec::new(),
        Err(Error::InvalidInput(input)) => input.violations().iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

/// Returns the violations of a JSON Schema by a value.
fn violations(schema: &Value, value: &Value) -> Vec<String> {
    found(convert::schema(schema), value)
}

#[track_caller]
fn assert_found<T: Debug + PartialEq<&'static str>>(found: &[T], expected: &[&'static str]) {
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(|(left, right)| left == right),
        "{found:#?}"
    );
}

fn object(members: &Value) -> Value {
    json!({"type": "object", "properties": members})
}
