//! Redacts errors that may be stored and logged: a message of the API may repeat the request.

use serde_json::Value;

/// The replacement for a redacted value.
const BLANK: &str = "[redacted]";
/// Members of a body whose values name items of the dashboard, not people.
const NAMES: [&str; 3] = ["workflow", "event", "template"];
/// The maximum length of a text, in characters. A longer one is cut.
const LONGEST: usize = 1000;
/// The end of a text that the SDK has cut.
const CUT: &str = "...";

/// Redacts every string and number of the arguments that the text of an error repeats, and everything that looks like an address.
///
/// The text is put on one line first, like the values, because the SDK may have done so to a part of it.
pub(crate) fn error(text: &str, arguments: &str) -> String {
    let mut values = Vec::new();
    if let Ok(arguments) = serde_json::from_str::<Value>(arguments) {
        collect(&arguments, &mut values);
    }
    let text = one_line(text);
    let mut hidden = vec![false; text.len()];
    for value in &values {
        hide(&text, value, &mut hidden);
        hide_cut(&text, value, &mut hidden);
    }
    let text = blank(&text, &hidden);
    let words = text
        .split_inclusive(char::is_whitespace)
        .map(|word| if is_address(word) { word.replace(word.trim_end(), BLANK) } else { word.to_owned() });
    words.collect::<String>().chars().take(LONGEST).collect()
}

/// Replaces line breaks and characters that cannot be seen, at least all that the SDK replaces.
fn one_line(text: &str) -> String {
    let hidden = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.replace(|c: char| c.is_control() || hidden(c), " ")
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
    let text = one_line(text);
    let text = text.trim();
    if text.chars().nth(1).is_some() {
        values.push(text.to_owned());
    }
}

/// Marks the bytes of a text that are a value.
fn hide(text: &str, value: &str, hidden: &mut [bool]) {
    let mut from = 0;
    while let Some(found) = text[from..].find(value).map(|found| from + found) {
        let end = found + value.len();
        if is_separate(text, found, end) {
            hidden[found..end].fill(true);
        }
        from = found + text[found..].chars().next().map_or(1, char::len_utf8);
    }
}

/// Marks the bytes of a text that are the beginning of a value, before a place where the text was cut.
fn hide_cut(text: &str, value: &str, hidden: &mut [bool]) {
    // As for whole values, not a single character.
    let ends = value.char_indices().skip(1).map(|(at, last)| at + last.len_utf8());
    for (cut, _) in text.match_indices(CUT) {
        let begins = ends.clone().take_while(|end| *end <= cut).map(|end| &value[..end]);
        let starts = begins.filter(|begins| text[..cut].ends_with(begins)).map(|begins| cut - begins.len());
        if let Some(start) = starts.filter(|start| is_separate(text, *start, cut)).last() {
            hidden[start..cut].fill(true);
        }
    }
}

/// Returns whether a part of a text is a separate word, or too long to be part of one by chance.
fn is_separate(text: &str, start: usize, end: usize) -> bool {
    let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
    end - start > 5 || !(joins(text[..start].chars().next_back()) || joins(text[end..].chars().next()))
}

/// Replaces the marked bytes.
fn blank(text: &str, hidden: &[bool]) -> String {
    let mut blanked = String::new();
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        match (hidden[at], was_hidden) {
            (true, false) => blanked.push_str(BLANK),
            (true, true) => {}
            (false, _) => blanked.push(character),
        }
        was_hidden = hidden[at];
    }
    blanked
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

    #[test]
    fn what_was_sent_is_found_on_one_line() {
        let arguments = r#"{"note": "Jane Doe\n5 Main\u200bStreet\tParis"}"#;
        for text in ["no Jane Doe\n5 Main\u{200b}Street\tParis here", "no Jane Doe 5 Main Street Paris here"]
        {
            assert_eq!(error(text, arguments), "no [redacted] here");
        }
    }

    #[test]
    fn what_was_sent_is_found_wherever_it_is_cut() {
        let value = format!("Jane Doe, {}", "5 Main Street, ".repeat(40));
        let arguments = serde_json::json!({"note": value, "name": "Doe"}).to_string();
        for (cut, _) in value.char_indices().skip(2) {
            let text = format!("bad note: {}... (bad_note)", &value[..cut]);
            let redacted = error(&text, &arguments);
            assert!(redacted.starts_with("bad note: [redacted]"), "{cut}: {redacted}");
            assert!(!redacted.contains("Doe") && !redacted.contains("Main"), "{cut}: {redacted}");
        }
    }

    #[test]
    fn a_text_is_cut_after_it_is_redacted() {
        for before in LONGEST - 10..LONGEST {
            let redacted = error(&format!("{} jane-1", "x".repeat(before)), ARGUMENTS);
            assert!(!redacted.contains("ja") && redacted.chars().count() <= LONGEST, "{redacted}");
        }
    }

    #[test]
    fn values_that_overlap_are_blanked_out_as_one() {
        let arguments = r#"["bob jane", "jane smith road"]"#;
        assert_eq!(error("no bob jane smith road", arguments), "no [redacted]");
        assert_eq!(error("no bob jane smith...", arguments), "no [redacted]...");
    }
}
