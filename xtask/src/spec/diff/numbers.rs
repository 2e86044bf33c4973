//! Compares numbers by value: `1` is `1.0`, and 9007199254740993 is not 9007199254740992.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The exact value of a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exact {
    Whole(i128),
    /// Not an integer, or greater than every integer that is written out.
    Other(f64),
}

impl Exact {
    pub(super) fn new(number: &Number) -> Option<Self> {
        let whole =
            number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).map(Self::Whole);
        whole.or_else(|| number.as_f64().map(Self::from_float))
    }

    fn from_float(value: f64) -> Self {
        if value.fract() == 0.0 && value.abs() < 2_f64.powi(126) {
            #[allow(clippy::cast_possible_truncation, reason = "it is whole and in range")]
            return Self::Whole(value as i128);
        }
        Self::Other(value)
    }

    /// Returns the smallest integer that is not less than it.
    pub(super) fn ceil(self) -> Self {
        if let Self::Other(value) = self { Self::from_float(value.ceil()) } else { self }
    }

    /// Returns the greatest integer that is not greater than it.
    pub(super) fn floor(self) -> Self {
        if let Self::Other(value) = self { Self::from_float(value.floor()) } else { self }
    }

    /// Returns the adjacent integer; other numbers are returned unchanged.
    pub(super) fn next(self, step: i128) -> Self {
        if let Self::Whole(value) = self { Self::Whole(value + step) } else { self }
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "only compared with numbers that are not whole, or far greater"
    )]
    fn float(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Other(value) => value,
        }
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (one, other) => one.float().total_cmp(&other.float()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

/// Returns whether two values are the same JSON, however their numbers are written.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => Exact::new(one) == Exact::new(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let alike = |(key, one): (&String, &Value)| other.get(key).is_some_and(|other| same(one, other));
            one.len() == other.len() && one.iter().all(alike)
        }
        (one, other) => one == other,
    }
}

/// Returns whether a number is an integer in JSON Schema, as `1.0` is.
pub(super) fn is_whole(number: &Number) -> bool {
    matches!(Exact::new(number), Some(Exact::Whole(_)))
}

/// Returns the value without zero fractions in its numbers.
pub(super) fn plain(value: &Value) -> Value {
    let whole = match value {
        Value::Number(number) if number.is_f64() => Exact::new(number),
        _ => None,
    };
    match whole {
        Some(Exact::Whole(whole)) => i64::try_from(whole).map_or_else(|_| value.clone(), Value::from),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn exact(value: &Value) -> Exact {
        value.as_number().and_then(Exact::new).unwrap()
    }

    #[test]
    fn f18_a_number_is_what_it_says_however_it_is_written() {
        for (one, other) in [
            (json!(1), json!(1.0)),
            (json!(-0.0), json!(0)),
            (json!([1, {"a": 2.0}]), json!([1.0, {"a": 2}])),
            (json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_992.0)),
        ] {
            assert!(same(&one, &other), "{one} {other}");
        }
        for (one, other) in [
            (json!(1), json!(1.5)),
            (json!(1), json!("1")),
            (json!([1]), json!([1, 1])),
            (json!({"a": 1}), json!({"b": 1})),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)),
        ] {
            assert!(!same(&one, &other), "{one} {other}");
        }
    }

    #[test]
    fn f20_the_order_is_that_of_the_numbers_at_any_size() {
        let ascending = [
            json!(-1e300),
            json!(i64::MIN),
            json!(-2.5),
            json!(-2),
            json!(0.5),
            json!(1),
            json!(9_007_199_254_740_992_u64),
            json!(9_007_199_254_740_993_u64),
            json!(i64::MAX),
            json!(u64::MAX),
            json!(1e40),
            json!(1e300),
        ];
        for pair in ascending.windows(2) {
            assert!(exact(&pair[0]) < exact(&pair[1]), "{pair:?}");
        }
    }
}
