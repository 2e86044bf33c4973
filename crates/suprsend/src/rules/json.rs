//! JSON values, compared as JSON Schema does: 1 equals 1.0, and the order of members is irrelevant.

use std::cmp::Ordering;

use serde_json::Value;
use suprsend_api::rules::{Json, Rule};

use super::{
    look::{At, Subject},
    number::Number,
    run::{Run, Stop},
};

/// Validates an array or an object against `enum` and `const`.
pub(super) fn judge(run: &mut Run<'_>, at: At<'_>, subject: &dyn Subject) -> Result<(), Stop> {
    for rule in at.schema.rules() {
        let listed = match rule {
            Rule::Enum(values) => *values,
            Rule::Const(value) => std::slice::from_ref(value),
            _ => continue,
        };
        let value = subject.to_value();
        if value.is_some_and(|value| !listed.iter().any(|json| equals(json, &value))) {
            run.broken(at.path, rule)?;
        }
    }
    Ok(())
}

fn equals(json: &Json, value: &Value) -> bool {
    match (json, value) {
        (Json::Null, Value::Null) => true,
        (Json::Boolean(left), Value::Bool(right)) => left == right,
        (Json::Number(left), Value::Number(right)) => number(right) == Some((*left).into()),
        (Json::String(left), Value::String(right)) => left == right,
        (Json::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equals(left, right))
        }
        (Json::Object(left), Value::Object(right)) => {
            let has = |(name, json): &(&str, Json)| right.get(*name).is_some_and(|value| equals(json, value));
            left.len() == right.len() && left.iter().all(has)
        }
        _ => false,
    }
}

/// Returns whether two of the values are equal.
pub(super) fn has_equals(values: &mut [Value]) -> bool {
    // Sorted first, because a list may be long.
    values.sort_by(order);
    values.windows(2).any(|pair| order(&pair[0], &pair[1]) == Ordering::Equal)
}

fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => {
            number(left).partial_cmp(&number(right)).unwrap_or(Ordering::Equal)
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let unequal =
                left.iter().zip(right).map(|(left, right)| order(left, right)).find(|it| it.is_ne());
            unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (Value::Object(left), Value::Object(right)) => {
            let sorted = |object: &serde_json::Map<String, Value>| {
                let mut members: Vec<_> =
                    object.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                members.sort_by(|left, right| left.0.cmp(&right.0));
                members
            };
            let (left, right) = (sorted(left), sorted(right));
            let member = |(left, right): (&(String, Value), &(String, Value))| {
                left.0.cmp(&right.0).then_with(|| order(&left.1, &right.1))
            };
            let unequal = left.iter().zip(&right).map(member).find(|it| it.is_ne());
            unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn number(number: &serde_json::Number) -> Option<Number> {
    let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    integer.map(Number::Integer).or_else(|| number.as_f64().map(Number::Float))
}
