//! Scalars, validated against the keywords that apply to them.

use suprsend_api::rules::{Group, Json, Rule, Type};

use super::{
    format,
    look::{At, Seen},
    number::Number,
    run::{Mode, Run, Stop},
};

/// Validates a string.
pub(super) fn text(run: &mut Run<'_>, at: At<'_>, text: &str) -> Result<Seen, Stop> {
    run.keep(text);
    let equals = |json: &Json| matches!(json, Json::String(other) if *other == text);
    judge(run, at, Type::String, equals, |rule| match rule {
        Rule::Format(format) => !format::is_valid(*format, text),
        // A character has at most four bytes.
        Rule::MinLength(least) => (text.len() as u64).div_ceil(4) < *least && characters(text) < *least,
        Rule::MaxLength(most) => text.len() as u64 > *most && characters(text) > *most,
        Rule::Pattern(pattern) => !pattern.is_match(text),
        _ => false,
    })
}

/// Validates a number.
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

/// Validates a boolean.
pub(super) fn boolean(run: &mut Run<'_>, at: At<'_>, value: bool) -> Result<Seen, Stop> {
    let equals = |json: &Json| matches!(json, Json::Boolean(other) if *other == value);
    judge(run, at, Type::Boolean, equals, |_| false)
}

/// Validates null.
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
    if !at.schema.has(Group::Scalar) {
        return Ok(Seen::Scalar);
    }
    for rule in at.schema.rules() {
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

/// Returns whether the schema accepts the type of the value. `Integer` stands for any number without a fraction.
pub(super) fn is_typed(run: &mut Run<'_>, at: At<'_>, kind: Type) -> Result<bool, Stop> {
    if at.schema.allows(kind) || run.mode() == Mode::Secrets {
        return Ok(true);
    }
    let is_of_types = |rule: &&Rule| matches!(rule, Rule::Type(_) | Rule::Types(_) | Rule::Never);
    if let Some(rule) = at.schema.rules().iter().find(is_of_types) {
        run.broken(at.path, rule)?;
    }
    Ok(false)
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}
