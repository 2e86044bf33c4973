//! Writes new actions as YAML, in the style of the overlays.

use serde_json::{Value, json};
use suprsend_codegen::{Problem, Problems, Source};

use super::edit::flow;

/// The maximum length of a line. The content of longer ones is written below.
const WIDTH: usize = 120;

/// Returns the text of an overlay with further actions at its end. If there is no text, a new overlay is started with this head.
pub(in crate::spec) fn append(source: &Source, head: &str, actions: &[Value]) -> Result<Source, Problems> {
    let mut text = if source.text.is_empty() { head.to_owned() } else { source.text.clone() };
    let mut meant = Source::new(source.name.clone(), format!("{text}\n")).parse()?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for action in actions {
        text.push_str(&written(action));
    }
    match meant.get_mut("actions") {
        Some(Value::Array(list)) => list.extend(actions.iter().cloned()),
        _ => meant["actions"] = json!(actions),
    }
    let edited = Source::new(source.name.clone(), text);
    if edited.parse().is_ok_and(|value| value == meant) {
        return Ok(edited);
    }
    let reason = "actions cannot be written behind those that it has";
    let remedy = "write the overlay in block style, with `actions` as its last member";
    Err(Problem::at(source.name.clone(), reason, remedy).into())
}

/// Formats an action, indented as an element of `actions`.
fn written(action: &Value) -> String {
    let mut text = String::new();
    let mut begin = "  - ";
    for (key, value) in action.as_object().into_iter().flatten() {
        text.push_str(begin);
        begin = "    ";
        match value {
            Value::String(prose) if key == "description" => {
                text.push_str("description: >-\n");
                text.push_str(&folded(prose, 6));
            }
            value => text.push_str(&member(key, value, 4)),
        }
    }
    text
}

/// Formats a member and everything below it with this indentation. The indentation of the first line is already written.
fn member(key: &str, value: &Value, indent: usize) -> String {
    let key = flow(&Value::from(key));
    let line = format!("{key}: {}", flow(value));
    let below = match value {
        Value::Object(members) if !members.is_empty() => Some(true),
        Value::Array(items) if !items.is_empty() => Some(false),
        _ => None,
    };
    let multiline = value.as_str().is_some_and(|text| text.contains('\n'));
    if (below.is_none() || indent + line.len() <= WIDTH) && !multiline {
        return line + "\n";
    }
    let inner = " ".repeat(indent + 2);
    let mut text = format!("{key}:\n");
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                text.push_str(&inner);
                text.push_str(&member(key, value, indent + 2));
            }
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&inner);
                text.push_str("- ");
                text.push_str(&element(item, indent + 4));
            }
        }
        // In quotes, with escaped line breaks.
        other => return format!("{key}: {other}\n"),
    }
    text
}

/// Formats an element of a list. The indentation and dash of the first line are already written.
fn element(item: &Value, indent: usize) -> String {
    let line = flow(item);
    match item {
        Value::Object(members) if !members.is_empty() && indent + line.len() > WIDTH => {
            let lines: Vec<String> = members.iter().map(|(key, value)| member(key, value, indent)).collect();
            lines.join(&" ".repeat(indent))
        }
        _ => line + "\n",
    }
}

/// Wraps prose at the usual line length.
fn folded(prose: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in prose.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && indent + last + 1 + word.chars().count() > WIDTH + 10 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    let indent = " ".repeat(indent);
    format!("{indent}{}\n", lines.join(&format!("\n{indent}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# Head.\noverlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions:\n";

    #[test]
    fn actions_are_written_behind_those_that_are_there() {
        let long: Vec<Value> =
            (0..9).map(|at| json!({"name": format!("a rather long name {at}"), "in": "query"})).collect();
        let actions = [
            json!({"target": "$.a['b c']", "description": "Some words: of # prose. ".repeat(12).trim(), "x-was": {"a": null}, "update": {"200": "it's"}}),
            json!({"target": "$.b", "update": {"list": long, "text": "a\nb", "yes": true, "deep": [[1, "2"], {}]}}),
        ];
        let first = append(&Source::new("o.yaml", ""), HEAD, &actions[..1]).unwrap();
        let both = append(&first, HEAD, &actions[1..]).unwrap();
        assert!(both.text.starts_with(&first.text), "{}", both.text);
        assert_eq!(both.parse().unwrap()["actions"], json!(actions));
        assert!(both.text.lines().all(|line| line.chars().count() <= WIDTH + 20), "{}", both.text);
        assert!(
            both.text.contains("  - target: '$.a[''b c'']'\n    description: >-\n      Some words"),
            "{}",
            both.text
        );
    }

    #[test]
    fn an_overlay_in_another_style_is_not_spoilt() {
        let source = Source::new("o.json", "{\"overlay\": \"1.1.0\", \"actions\": [{}]}\n");
        let error = append(&source, HEAD, &[json!({"target": "$"})]).unwrap_err().to_string();
        assert!(error.contains("write the overlay in block style"), "{error}");
    }
}
