//! Redacts errors that may be stored and logged: a message of the API may repeat the request.

use serde_json::Value;

/// The replacement for a redacted value.
const BLANK: &str = "[redacted]";
/// Members of a body whose values name items of the dashboard, not people.
const NAMES: [&str; 3] = ["workflow", "event", "template"];
/// The maximum length of a text. A longer one is cut.
const LONGEST: usize = 1000;

/// Redacts every string and number of the arguments that the text of an error repeats, and everything that looks like an address.
pub(crate) fn error(text: &str, arguments: &str) -> String {
    let mut values = Vec::new();
    if let Ok(arguments) = serde_json::from_str::<Value>(arguments) {
        collect(&arguments, &mut values);
    }
    // The longest first, so that no value is broken up by a shorter one in it.
    values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
    let mut text = text.chars().take(LONGEST).collect::<String>();
    for value in &values {
        blank(&mut text, value);
    }
    let words = text
        .split_inclusive(char::is_whitespace)
        .map(|word| if is_address(word) { word.replace(word.trim_end(), BLANK) } else { word.to_owned() });
    words.collect()
}

fn collect(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::String(text) => add(text, values),
        Value::Number(number) => add(&number.to_string(), values),
        Value::Array(items) => items.iter().for_each(|item| collect(item, values)),
        Value::Object(members) => {
            for (name, value) in members {
                if !(NAMES.contains(&name.as_str()) && value.is_string()) {
                    collect(value, values);
                }
                // The name of a custom property may be a value.
                if name.contains('@') {
                    add(name, values);
                }
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Adds a value, except single characters, which reveal nothing and would redact half of a text.
fn add(text: &str, values: &mut Vec<String>) {
    let text = text.trim();
    if text.chars().nth(1).is_some() {
        values.push(text.to_owned());
    }
}

/// Redacts a value where it is a separate word, not a part of one.
fn blank(text: &mut String, value: &str) {
    let mut from = 0;
    while let Some(found) = text[from..].find(value).map(|found| from + found) {
        let end = found + value.len();
        let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        if value.len() > 5 || !(joins(text[..found].chars().next_back()) || joins(text[end..].chars().next()))
        {
            text.replace_range(found..end, BLANK);
            from = found + BLANK.len();
        } else {
            from = end;
        }
    }
}

/// Returns whether a word looks like an e-mail address or a telephone number.
fn is_address(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    word.contains('@')
        || (digits >= 7 && word.chars().all(|c| c.is_ascii_digit() || "+-().,;:/\"' \n".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGUMENTS: &str = r#"{"body": {"workflow": "order-placed", "recipients": ["jane-1"], "data": {"total": 95, "code": "to"}}}"#;

    #[test]
    fn what_was_sent_is_blanked_out_and_names_stay() {
        let text = "workflow order-placed: recipient 'jane-1' of total 95 is not to be found";
        let expected =
            "workflow order-placed: recipient '[redacted]' of total [redacted] is not [redacted] be found";
        assert_eq!(error(text, ARGUMENTS), expected);
    }

    #[test]
    fn short_values_do_not_cut_words() {
        assert_eq!(error("tomorrow, stop, 1950", ARGUMENTS), "tomorrow, stop, 1950");
    }

    #[test]
    fn addresses_are_blanked_out_wherever_they_come_from() {
        let text = "no user JANE@example.com, +1-555-123-4567 or so (400)";
        assert_eq!(error(text, "{}"), "no user [redacted] [redacted] or so (400)");
    }
}
