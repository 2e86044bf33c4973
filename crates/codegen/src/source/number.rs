//! Parses numbers exactly as written, or not at all.

use serde_json::Number;

/// Parses a decimal number: sign, digits, fraction and exponent.
///
/// Returns `None` if the text is not a number. Returns an error with the nearest number if neither a 64-bit integer nor a 64-bit float can
/// hold it.
pub(super) fn decimal(text: &str) -> Option<Result<Number, f64>> {
    let (negative, digits) = unsigned(text);
    let written = Decimal::parse(digits)?;
    if digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Some(integer) = integer(negative, digits, 10)
    {
        return Some(Ok(integer));
    }
    let float: f64 = text.parse().ok()?;
    // People write the shortest text that is parsed as this float; its exact value may have many more digits.
    let is = |printed: String| Decimal::parse(printed.trim_start_matches('-')).as_ref() == Some(&written);
    let exact = || is(format!("{float:e}")) || (written.digits.len() < 800 && is(format!("{float:.1074}")));
    Some(Number::from_f64(float).filter(|_| exact()).ok_or(float))
}

/// Parses a YAML integer in another base: `0x1F`, `0o17`, and `0b11` as in versions before YAML 1.2.
pub(super) fn based(text: &str) -> Option<Result<Number, f64>> {
    let (negative, rest) = unsigned(text);
    let (digits, radix) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((rest.strip_prefix(prefix)?, radix)))?;
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    is_number.then(|| integer(negative, digits, radix).ok_or(f64::INFINITY))
}

fn unsigned(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Returns a 64-bit integer, signed or unsigned.
fn integer(negative: bool, digits: &str, radix: u32) -> Option<Number> {
    if negative {
        return i64::from_str_radix(&format!("-{digits}"), radix).ok().map(Number::from);
    }
    u64::from_str_radix(digits, radix).ok().map(Number::from)
}

/// A number without a sign: its digits, with no zeros at either end, and the power of ten of the last one.
#[derive(PartialEq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, power(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_end_matches('0');
        let dropped = digits.len() - significant.len();
        let exponent = exponent.saturating_sub(length(fraction.len())).saturating_add(length(dropped));
        let digits = significant.trim_start_matches('0').to_owned();
        // Zero is zero, whatever its power of ten.
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Self { digits, exponent })
    }
}

/// Parses an exponent. One with excessively many digits is as large as possible.
fn power(text: &str) -> Option<i64> {
    let (negative, digits) = unsigned(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // A tenth of the range, so that later additions do not overflow.
    let power = digits.parse().unwrap_or(i64::MAX).min(i64::MAX / 10);
    Some(if negative { -power } else { power })
}

fn length(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX / 10)
}

#[cfg(test)]
mod tests {
    use serde_json::{Number, json};

    use super::{based, decimal};

    #[test]
    fn a_number_is_read_exactly_or_not_at_all() {
        for (text, value) in [
            ("0", json!(0)),
            ("-7", json!(-7)),
            ("+7", json!(7)),
            ("9007199254740993", json!(9_007_199_254_740_993_u64)),
            ("9223372036854775807", json!(i64::MAX)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("18446744073709551615", json!(u64::MAX)),
            // 2 to the power of 64, and of 100: floats can hold them.
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0_f64)),
            ("1267650600228229401496703205376", json!(1_267_650_600_228_229_401_496_703_205_376.0_f64)),
            ("1e22", json!(1e22)),
            ("1E+22", json!(1e22)),
            ("10000000000000000000000.0", json!(1e22)),
            ("1.10", json!(1.1)),
            ("0.1", json!(0.1)),
            (".5", json!(0.5)),
            ("5.", json!(5.0)),
            ("1e-7", json!(1e-7)),
            ("0.0e99999999999999999999", json!(0.0)),
            ("1.7976931348623157e308", json!(f64::MAX)),
            ("5e-324", json!(5e-324)),
            ("0.1000000000000000055511151231257827021181583404541015625", json!(0.1)),
        ] {
            let number =
                decimal(text).expect(text).unwrap_or_else(|nearest| panic!("{text} is not {nearest}"));
            assert_eq!(json!(number), value, "{text}");
        }
        for text in [
            "12345678901234567890123",
            "-9223372036854775809",
            "18446744073709551617",
            "9007199254740993.0",
            "0.30000000000000000001",
            "1.00000000000000000001",
            "123456789.123456789123456789",
            "1e309",
            "1e-400",
            "1e99999999999999999999",
        ] {
            assert!(decimal(text).expect(text).is_err(), "{text}");
        }
        for text in
            ["", "-", ".", "e5", "1e", "1e+", "1_000", "0x1", "1.2.3", "inf", "nan", "--1", "+-1", "1 "]
        {
            assert!(decimal(text).is_none(), "{text}");
        }
    }

    #[test]
    fn other_bases_are_exact_too() {
        for (text, value) in [("0x1F", 31_i64), ("-0x10", -16), ("0o17", 15), ("+0b11", 3)] {
            assert_eq!(based(text), Some(Ok(Number::from(value))), "{text}");
        }
        assert_eq!(based("0xFFFFFFFFFFFFFFFF"), Some(Ok(Number::from(u64::MAX))));
        assert!(based("0x1FFFFFFFFFFFFFFFF").is_some_and(|read| read.is_err()));
        for text in ["0x", "0xG", "0b2", "x1", "0x-1"] {
            assert_eq!(based(text), None, "{text}");
        }
    }

    proptest::proptest! {
        /// Every printed float is parsed as that float, and every printed integer as that integer.
        #[test]
        fn what_is_printed_is_read(float in proptest::num::f64::NORMAL, integer: i64) {
            proptest::prop_assert_eq!(decimal(&format!("{float:e}")), Some(Ok(Number::from_f64(float).unwrap())));
            proptest::prop_assert_eq!(decimal(&float.to_string()).map(|read| read.is_ok()), Some(true));
            proptest::prop_assert_eq!(decimal(&integer.to_string()), Some(Ok(Number::from(integer))));
        }
    }
}
