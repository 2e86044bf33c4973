//! JSON exactly as written: no number is rounded, and no key replaces another.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Number, Value, value::RawValue};

/// The maximum nesting, the same as that of `serde_json`.
const DEPTH: usize = 127;

/// The reason why text cannot be read exactly, and the member.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    path: String,
    what: String,
}

impl Problem {
    fn new(what: impl Into<String>) -> Self {
        Self { path: String::new(), what: what.into() }
    }

    /// Moves the problem into a member or an item.
    pub(crate) fn inside(mut self, part: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{part}{separator}{}", self.path);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.what),
            path => write!(f, "{} {}", path.escape_debug(), self.what),
        }
    }
}

/// All members of an object, in order.
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect).map(Members)
    }
}

/// Reads an object, with a function that reads its members.
pub(crate) fn object<T>(
    raw: &RawValue,
    read: impl Fn(&str, &RawValue) -> Result<T, Problem>,
) -> Result<Vec<(String, T)>, Problem> {
    let Members(members) = parse(raw)?;
    let mut names: Vec<_> = members.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Problem::new("occurs twice").inside(pair[0]));
    }
    let read = |(name, raw): (String, &RawValue)| match read(&name, raw) {
        Ok(value) => Ok((name, value)),
        Err(problem) => Err(problem.inside(&name)),
    };
    members.into_iter().map(read).collect()
}

/// Reads any value.
pub(crate) fn value(raw: &RawValue) -> Result<Value, Problem> {
    value_within(raw, DEPTH)
}

fn value_within(raw: &RawValue, depth: usize) -> Result<Value, Problem> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(Problem::new(format!("is nested deeper than {DEPTH} levels")));
    };
    match raw.get().as_bytes().first() {
        Some(b'{') => {
            let members = object(raw, |_, raw| value_within(raw, below))?;
            Ok(Value::Object(Map::from_iter(members)))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = parse(raw)?;
            let read = |(index, raw)| {
                value_within(raw, below).map_err(|problem| problem.inside(&format!("[{index}]")))
            };
            items.into_iter().enumerate().map(read).collect()
        }
        Some(b'-' | b'0'..=b'9') => number(raw.get()).map(Value::Number),
        _ => parse(raw),
    }
}

/// Reads the id of a user: a string, or the digits of a number exactly as written.
pub(crate) fn id(raw: &RawValue) -> Result<String, Problem> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => parse(raw),
        Some(b'-' | b'0'..=b'9') if is_integer(text) => Ok(text.to_owned()),
        Some(b'-' | b'0'..=b'9') => {
            Err(Problem::new(format!("is the number {text}: an id is a string or an integer such as 12")))
        }
        _ => Err(Problem::new("is neither a string nor a number")),
    }
}

/// Parses a part of a JSON text. An error applies to the text as a whole.
fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, Problem> {
    serde_json::from_str(raw.get()).map_err(|error| Problem::new(format!("cannot be read: {error}")))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit()) && text != "-0"
}

fn number(text: &str) -> Result<Number, Problem> {
    if let Ok(number) = text.parse::<u64>() {
        return Ok(number.into());
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(number.into());
    }
    // Rounded correctly, which serde_json does not do by default.
    let number = text.parse().ok().and_then(Number::from_f64);
    let number = number.ok_or_else(|| Problem::new("is a number that is too large"))?;
    let sent = number.to_string();
    if Decimal::parse(text).is_some_and(|written| Some(written) == Decimal::parse(&sent)) {
        return Ok(number);
    }
    Err(Problem::new(format!("is a number that would be rounded to {sent}: write it as a string")))
}

/// The value of a number: the significant digits, and the power of ten of the last one.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(mantissa) => (true, mantissa),
            None => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let digits = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - digits.len()).ok()?;
        let power = power.parse::<i64>().ok()?;
        let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
        let digits = digits.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, power: 0 });
        }
        Some(Self { negative, digits, power })
    }
}
