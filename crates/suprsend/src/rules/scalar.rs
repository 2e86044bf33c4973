//! Scalars, judged by the keywords that concern them.

use suprsend_api::rules::{Json, Rule, Type};

use super::{
    format,
    look::{At, Seen},
    number::Number,
    run::{Mode, Run, Stop},
};

/// Judges a string.
pub(super) fn text(run: &mut Run<'_>, at: At<'_>, text: &str) -> Result<Seen, Stop> {
    if at.is_sensitive {
        run.keep(text);
    }
    let equals = |json: &Json| matches!(json, Json::String(other) if *other == text);
    judge(run, at, Type::String, equals, |rule| match rule {
        Rule::Format(format) => !format::is_valid(*format, text),
        Rule::MinLength(least) => characters(text) < *least,
        Rule::MaxLength(most) => text.len() as u64 > *most && characters(text) > *most,
        Rule::Pattern(pattern) => !pattern.is_match(text),
        _ => false,
    })
}

/// Judges a number.
pub(super) fn number(run: &mut Run<'_>, at: At<'_>, number: Number) -> Result<Seen, Stop> {
    let kind = if number.is_integer() { Type::Integer } else { Type::Number };
    let equals = |json: &Json| matches!(json, Json::Number(other) if number == (*other).into());
    judge(run, at, kind, equals, |rule| match *rule {
        Rule::Minimum(least) => number < least.into(),
        Rule::Maximum(most) => number > most.into(),
        Rule::ExclusiveMinimum(least) => number <= least.into(),
        Rule::ExclusiveMaximum(most) => number >= most.into(),
        Rule::MultipleOf(divisor) => !number.is_multiple_of(divisor.into()),
        _ => false,
    })
}

/// Judges a boolean.
pub(super) fn boolean(run: &mut Run<'_>, at: At<'_>, value: bool) -> Result<Seen, Stop> {
    let equals = |json: &Json| matches!(json, Json::Boolean(other) if *other == value);
    judge(run, at, Type::Boolean, equals, |_| false)
}

/// Judges null.
pub(super) fn null(run: &mut Run<'_>, at: At<'_>) -> Result<Seen, Stop> {
    judge(run, at, Type::Null, |json| matches!(json, Json::Null), |_| false)
}

fn judge(
    run: &mut Run<'_>,
    at: At<'_>,
    kind: Type,
    equals: impl Fn(&Json) -> bool,
    is_broken: impl Fn(&Rule) -> bool,
) -> Result<Seen, Stop> {
    if !is_typed(run, at, kind)? {
        return Ok(Seen::Unfit);
    }
    for rule in at.schema.0 {
        let is_broken = match rule {
            Rule::Enum(values) => !values.iter().any(&equals),
            Rule::Const(value) => !equals(value),
            rule => is_broken(rule),
        };
        if is_broken {
            run.broken(at.path, rule)?;
        }
    }
    Ok(Seen::Scalar)
}

/// Whether the value has a type that the schema lets pass. `Integer` stands for any number without a fraction.
pub(super) fn is_typed(run: &mut Run<'_>, at: At<'_>, kind: Type) -> Result<bool, Stop> {
    let is_of = |wanted: Type| wanted == kind || (wanted, kind) == (Type::Number, Type::Integer);
    for rule in at.schema.0 {
        let is_fit = match rule {
            _ if run.mode() == Mode::Secrets => true,
            Rule::Type(wanted) => is_of(*wanted),
            Rule::Types(wanted) => wanted.iter().any(|wanted| is_of(*wanted)),
            Rule::Never => false,
            _ => true,
        };
        if !is_fit {
            run.broken(at.path, rule)?;
            return Ok(false);
        }
    }
    Ok(true)
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The bytes of a string in JSON, as `serde_json` writes it.
pub(super) fn quoted(text: &str) -> usize {
    let special = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    let count = text.as_bytes().iter().map(|byte| usize::from(special(byte))).sum::<usize>();
    if count == 0 {
        return text.len() + 2;
    }
    // `\n`, `\"` and their like add one byte, `\u0000` five.
    let extra = |byte: u8| match byte {
        0x08 | 0x09 | 0x0A | 0x0C | 0x0D | b'"' | b'\\' => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + 2 + text.bytes().map(extra).sum::<usize>()
}
