//! Removes limits of strings, numbers and lists: the rules of an operation contain them instead of its types.
//!
//! The generator would make a checked type of each limited string (`TryFrom` wherever a string is expected), another integer type for each
//! lower bound, and an array of a list of fixed length. Limits are for requests: rules validate a whole request and report every violation.
//! A response that violates one is still decoded.

use serde_json::{Map, Value};

use crate::{Pointer, Report, report::Kind};

const LIMITS: [&str; 12] = [
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
];

pub(super) fn drop_limits(schema: &mut Map<String, Value>, pointer: &Pointer, report: &mut Report) {
    // A bound outside the range of `i64` determines the required integer type.
    let wide = |schema: &Map<String, Value>, keyword: &str| {
        schema
            .get(keyword)
            .is_some_and(|bound| bound.as_u64().is_some_and(|bound| i64::try_from(bound).is_err()))
    };
    if wide(schema, "maximum") || wide(schema, "exclusiveMaximum") {
        return;
    }
    for keyword in LIMITS {
        if schema.shift_remove(keyword).is_some() {
            let note = "no Rust type carries it; in requests the rules of the operation check it";
            report.add(Kind::Widened, &pointer.child(keyword), note);
        }
    }
    if schema.shift_remove("uniqueItems").is_some_and(|unique| unique == Value::Bool(true)) {
        let note = "a list in Rust may hold a value twice; in requests the rules of the operation check it";
        report.add(Kind::Widened, &pointer.child("uniqueItems"), note);
    }
}
