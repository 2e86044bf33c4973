//! The messages for violated rules. The value is not quoted, because it may be a secret.

use suprsend_api::rules::{Format, Json, Number, Rule, Schema, Type};

/// The maximum number of enumeration values in a message.
const NAMED: usize = 8;

/// Describes what is wrong with a value that violates the rule.
pub(super) fn describe(rule: &Rule) -> String {
    match rule {
        Rule::Type(name) => format!("is of another type than {}", type_name(*name)),
        Rule::Types(names) => format!("is of another type than {}", types(names)),
        Rule::Never => "is not allowed".to_owned(),
        Rule::Enum(values) => format!("is none of the values {}", list(values)),
        Rule::Const(value) => format!("is not {}", json(value)),
        Rule::Format(format) => form(*format).to_owned(),
        Rule::MinLength(1) | Rule::MinItems(1) | Rule::MinProperties(1) => "is empty".to_owned(),
        Rule::MinLength(least) => format!("has fewer than {}", count(*least, "character")),
        Rule::MaxLength(most) => format!("has more than {}", count(*most, "character")),
        Rule::Pattern(pattern) => format!("does not match the pattern `{}`", pattern.as_str()),
        Rule::Minimum(least) => format!("is less than {}", number(*least)),
        Rule::Maximum(most) => format!("is greater than {}", number(*most)),
        Rule::ExclusiveMinimum(least) => format!("is not greater than {}", number(*least)),
        Rule::ExclusiveMaximum(most) => format!("is not less than {}", number(*most)),
        Rule::MultipleOf(divisor) => format!("is not a multiple of {}", number(*divisor)),
        Rule::MinItems(least) => format!("has fewer than {}", count(*least, "item")),
        Rule::MaxItems(most) => format!("has more than {}", count(*most, "item")),
        Rule::UniqueItems => "has an item twice".to_owned(),
        Rule::Contains(..) => "has too few or too many items of the kind that it must contain".to_owned(),
        Rule::MinProperties(least) => format!("has fewer than {}", count(*least, "member")),
        Rule::MaxProperties(most) => format!("has more than {}", count(*most, "member")),
        Rule::Required(_) => "is missing".to_owned(),
        Rule::PropertyNames(_) => "has a name that is not allowed".to_owned(),
        Rule::Not(_) => "is of a kind that the document excludes".to_owned(),
        // These have messages of their own, or those of their subschemas.
        _ => "is not valid".to_owned(),
    }
}

/// Describes the variants by the members that they require, or else by their types or values: "`email` and `access_token`, `channel` and
/// `access_token`".
pub(super) fn variants<'s>(variants: impl IntoIterator<Item = &'s &'static Schema>) -> String {
    let variants: Vec<_> = variants.into_iter().map(|variant| describe_variant(variant)).collect();
    variants.join(", ")
}

fn describe_variant(variant: &'static Schema) -> String {
    let required = |rule: &Rule| match rule {
        Rule::Required(names) => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            Some(names.join(" and "))
        }
        _ => None,
    };
    let kind = |rule: &Rule| match rule {
        Rule::Type(name) => Some(type_name(*name).to_owned()),
        Rule::Types(names) => Some(types(names)),
        Rule::Const(value) => Some(json(value)),
        Rule::Enum(values) => Some(list(values)),
        _ => None,
    };
    let part = |rule: &Rule| match rule {
        Rule::AllOf(parts) => parts.first().map(|part| describe_variant(part)),
        Rule::Ref(target) => Some(describe_variant(target.0)),
        _ => None,
    };
    let rules = variant.rules();
    let described = rules.iter().find_map(required).or_else(|| rules.iter().find_map(kind));
    described.or_else(|| rules.iter().find_map(part)).unwrap_or_else(|| "another".to_owned())
}

fn type_name(name: Type) -> &'static str {
    match name {
        Type::Null => "null",
        Type::Boolean => "boolean",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::String => "string",
        Type::Array => "array",
        Type::Object => "object",
    }
}

fn types(names: &[Type]) -> String {
    names.iter().rev().map(|name| type_name(*name)).collect::<Vec<_>>().join(" or ")
}

fn count(count: u64, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

fn number(number: Number) -> String {
    match number {
        Number::Integer(number) => number.to_string(),
        Number::Large(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}

fn list(values: &[Json]) -> String {
    let mut named: Vec<_> = values.iter().take(NAMED).map(json).collect();
    if values.len() > NAMED {
        named.push(format!("and {} more", values.len() - NAMED));
    }
    named.join(", ")
}

fn json(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Boolean(value) => value.to_string(),
        Json::Number(value) => number(*value),
        Json::String(text) => format!("`{text}`"),
        Json::Array(_) => "an array of the document".to_owned(),
        Json::Object(_) => "an object of the document".to_owned(),
    }
}

fn form(format: Format) -> &'static str {
    match format {
        Format::Date => "is not a date such as `2025-04-04`",
        Format::DateTime => "is not a time such as `2025-04-04T21:37:36Z`",
        Format::Email => "is not an e-mail address such as `jane@example.com`",
        Format::Hostname => "is not a host name such as `example.com`",
        Format::Ipv4 => "is not an IPv4 address such as `192.0.2.1`",
        Format::Ipv6 => "is not an IPv6 address such as `2001:db8::1`",
        Format::Time => "is not a time of day such as `21:37:36Z`",
        Format::Uri => "is not a URI such as `https://example.com/path`",
        Format::UriReference => "is not a URI or a relative reference such as `/path`",
        Format::Uuid => "is not a UUID such as `f81d4fae-7dec-11d0-a765-00a0c91e6bf6`",
        _ => "does not have the format that the document asks for",
    }
}
