//! JSON numbers, compared exactly.

use std::cmp::Ordering;

use suprsend_api::rules;

/// A number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Integer(i128),
    /// Any other finite number.
    Float(f64),
}

impl From<rules::Number> for Number {
    fn from(number: rules::Number) -> Self {
        match number {
            rules::Number::Integer(number) => Self::Integer(number.into()),
            rules::Number::Large(number) => Self::Integer(number.into()),
            rules::Number::Float(number) => Self::Float(number),
        }
    }
}

impl Number {
    /// Parses a JSON number. Returns `None` if it is not a number, or too large for a float.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let float = || text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Float);
        text.parse().map(Self::Integer).ok().or_else(float)
    }

    /// Returns whether there is no fraction: 1.0 is an integer in JSON Schema.
    pub(super) fn is_integer(self) -> bool {
        match self {
            Self::Integer(_) => true,
            Self::Float(number) => number.fract() == 0.0,
        }
    }

    /// Returns whether a division leaves no remainder, based on the numbers as written: 0.3 is a multiple of 0.1.
    pub(super) fn is_multiple_of(self, divisor: Self) -> bool {
        let ((number, exponent), (divisor, other)) = (self.decimal(), divisor.decimal());
        if divisor == 0 || number == 0 {
            return number == 0;
        }
        if exponent >= other {
            // Below 10^39, so that ten times a remainder fits, whatever divisor a float or a 64-bit integer yields.
            let times = |rest: u128, _| rest.checked_mul(10).map(|rest| rest % divisor);
            (other..exponent).try_fold(number % divisor, times) == Some(0)
        } else {
            let scaled = (exponent..other).try_fold(divisor, |divisor, _| divisor.checked_mul(10));
            scaled.is_some_and(|divisor| number % divisor == 0)
        }
    }

    /// Returns the digits and the power of ten of the shortest text.
    fn decimal(self) -> (u128, i32) {
        match self {
            Self::Integer(number) => (number.unsigned_abs(), 0),
            Self::Float(number) => {
                let text = format!("{:e}", number.abs());
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let places = i32::try_from(fraction.len()).unwrap_or_default();
                let digits = format!("{whole}{fraction}").parse().unwrap_or_default();
                (digits, exponent.parse::<i32>().unwrap_or_default() - places)
            }
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Integer(left), Self::Float(right)) => Some(compare(left, right)),
            (Self::Float(left), Self::Integer(right)) => Some(compare(right, left).reverse()),
        }
    }
}

/// Compares an integer with a float, without rounding either.
fn compare(integer: i128, float: f64) -> Ordering {
    /// 2^127, which is greater than the largest `i128`.
    const LIMIT: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float >= LIMIT {
        return Ordering::Less;
    }
    if float < -LIMIT {
        return Ordering::Greater;
    }
    #[allow(clippy::cast_possible_truncation, reason = "truncated on purpose, and in range")]
    let whole = float.trunc() as i128;
    integer.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}
