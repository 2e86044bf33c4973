//! Removes or replaces a part of a text.

use std::ops::Range;

use serde_json::Value;
use suprsend_codegen::{Pointer, Problem, Problems, Source};

use super::positions::{self, Kind, Node};

/// Removes members and elements at these places. To remove all parts of an object or a list, remove the object or list itself.
///
/// Comments are kept, except inside of what is removed. If a removed anchor is used elsewhere, its value is written out there.
pub(in crate::spec) fn remove(source: &Source, places: &[Pointer]) -> Result<Source, Problems> {
    let mut places: Vec<&Pointer> = places.iter().collect();
    // From the end, so that earlier elements keep their index.
    places.sort_by_key(|place| std::cmp::Reverse(order(place)));
    places.dedup();
    let mut source = source.clone();
    for place in places {
        let mut meant = source.parse()?;
        cut(&mut meant, place);
        let text = without(&source.text, place);
        source = judged(&source, text, &meant, place)?;
    }
    Ok(source)
}

/// Replaces a value.
pub(in crate::spec) fn replace(source: &Source, place: &Pointer, value: &Value) -> Result<Source, Problems> {
    let mut meant = source.parse()?;
    if let Some(slot) = place.get_mut(&mut meant) {
        slot.clone_from(value);
    }
    let text = positions::read(&source.text).and_then(|root| {
        let node = root.get(&place.tokens())?;
        let mut text = source.text.clone();
        let before = text[..node.range.start].trim_end();
        // A value that began on its own line is now written after its key.
        let range = if before.ends_with(':') { before.len()..node.range.end } else { node.range.clone() };
        let space = if before.ends_with(':') { " " } else { "" };
        text.replace_range(range, &format!("{space}{}", flow(value)));
        Some(text)
    });
    judged(source, text, &meant, place)
}

/// Formats a value on a single line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// Formats a string, with quotes unless it is certainly parsed as it is.
fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_$-".contains(c);
    let words = ["true", "false", "null", "yes", "no", "on", "off"];
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || "_$".contains(c))
        && text.chars().all(plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if safe {
        return text.to_owned();
    }
    if text.contains(|c: char| c.is_control()) {
        return Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns the edited text, if its content is as intended.
fn judged(source: &Source, text: Option<String>, meant: &Value, place: &Pointer) -> Result<Source, Problems> {
    let edited = text.map(|text| Source::new(source.name.clone(), text));
    match edited {
        Some(edited) if edited.parse().is_ok_and(|value| value == *meant) => Ok(edited),
        _ => {
            let reason = format!("{place} cannot be taken out of the text without touching the rest");
            Err(Problem::at(source.name.clone(), reason, "edit the overlay there by hand").into())
        }
    }
}

fn order(place: &Pointer) -> Vec<(usize, String)> {
    place.tokens().into_iter().map(|token| (token.parse().unwrap_or(0), token)).collect()
}

fn cut(value: &mut Value, place: &Pointer) {
    let parent = place.parent().unwrap_or_default();
    match parent.get_mut(value) {
        Some(Value::Object(members)) => {
            members.shift_remove(&place.last());
        }
        Some(Value::Array(items)) => {
            if let Some(index) = place.last().parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}

/// Returns the text without the value at the place.
fn without(text: &str, place: &Pointer) -> Option<String> {
    let root = positions::read(text)?;
    let parent = root.get(&place.parent()?.tokens())?;
    // Each part, with the bytes from its beginning to the end of its value.
    let (flow, parts, index) = match &parent.kind {
        Kind::Map { flow, entries } => {
            let index = entries.iter().position(|entry| entry.key == place.last())?;
            let range = |entry: &positions::Entry| entry.at.start..entry.value.range.end;
            (*flow, entries.iter().map(range).collect::<Vec<_>>(), index)
        }
        Kind::List { flow, items } => {
            let index: usize = place.last().parse().ok()?;
            (*flow, items.iter().map(|item| item.range.clone()).collect(), index)
        }
        Kind::Scalar(_) | Kind::Alias(_) => return None,
    };
    let part = parts.get(index)?.clone();
    let gone = if flow {
        match (parts.get(index + 1), index.checked_sub(1).map(|before| &parts[before])) {
            (Some(next), _) => part.start..next.start,
            (None, Some(before)) => before.end..part.end,
            (None, None) => part,
        }
    } else {
        lines(text, part)
    };
    let mut edits = vec![(gone.clone(), String::new())];
    edits.extend(moved_anchors(text, &root, &gone)?);
    edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut result = text.to_owned();
    for (range, put) in edits {
        result.replace_range(range, &put);
    }
    Some(result)
}

/// Returns the lines of a part of a block, with one of the two surrounding empty lines.
fn lines(text: &str, part: Range<usize>) -> Range<usize> {
    let start = text[..part.start].rfind('\n').map_or(0, |newline| newline + 1);
    let mut end = text[part.end..].find('\n').map_or(text.len(), |newline| part.end + newline + 1);
    // A comment above several parts stays with the next one, unless that has its own.
    let above = text[..start].lines().next_back().unwrap_or_default().trim_start();
    let next = text[end..].trim_start().starts_with('#');
    let alone = above.is_empty() || (above.starts_with('#') && !next);
    if alone && text[end..].starts_with('\n') {
        end += 1;
    }
    start..end
}

/// Writes out the values of anchors in the range where something outside first refers to them.
fn moved_anchors(text: &str, root: &Node, gone: &Range<usize>) -> Option<Vec<(Range<usize>, String)>> {
    let inside = |node: &Node| gone.contains(&node.range.start);
    let (mut anchored, mut aliases) = (Vec::new(), Vec::new());
    root.walk(&mut |node| match node.kind {
        Kind::Alias(anchor) if !inside(node) => aliases.push((anchor, node)),
        _ if node.anchor > 0 && inside(node) => anchored.push(node),
        _ => {}
    });
    let mut edits = Vec::new();
    for node in anchored {
        let Some((_, alias)) = aliases.iter().find(|(anchor, _)| *anchor == node.anchor) else { continue };
        let name = text[alias.range.clone()].strip_prefix('*')?;
        // The anchor precedes a scalar, and is inside the range of a list or an object.
        let start = text[..node.range.end].rfind(&format!("&{name}"))?;
        let (from, to) = (column(text, start), column(text, alias.range.start));
        let written = &text[start..node.range.end];
        edits.push((alias.range.clone(), shifted(written, from, to)));
    }
    Some(edits)
}

/// Returns the number of spaces at the start of a place's line.
fn column(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].len() - text[start..].trim_start_matches(' ').len()
}

/// Moves the lines after the first one from one column to another.
fn shifted(text: &str, from: usize, to: usize) -> String {
    let mut lines = text.split('\n');
    let mut moved = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        moved.push('\n');
        if line.trim().is_empty() {
            continue;
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        moved.push_str(&" ".repeat((indent + to).saturating_sub(from)));
        moved.push_str(line.trim_start_matches(' '));
    }
    moved
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "\
# head
actions:
  # --- Ä section. ---
  - target: $.a   # why
    x-was: {one: null, 'two': null, three: null}
    update:
      one: &one
        # inside
        k: |
          text

          more
      # between
      two:
        list: [1, 2]
        again: *one
      three: *one

  # --- Next. ---
  - target: $.b
    update: {x: 1}

  - target: $.c
    remove: true
# tail
";

    fn removed(places: &[&str]) -> String {
        let places: Vec<Pointer> = places.iter().map(|place| Pointer::from_text(*place)).collect();
        remove(&Source::new("o.yaml", TEXT), &places).unwrap().text
    }

    #[test]
    fn what_is_cut_leaves_comments_order_and_everything_else_as_it_is() {
        let text = removed(&["/actions/1"]);
        assert_eq!(text, TEXT.replace("  - target: $.b\n    update: {x: 1}\n\n", ""));
        let text = removed(&["/actions/0/update/two", "/actions/0/x-was/two", "/actions/2"]);
        let expected = TEXT
            .replace("      two:\n        list: [1, 2]\n        again: *one\n", "")
            .replace("'two': null, ", "")
            .replace("  - target: $.c\n    remove: true\n", "");
        assert_eq!(text, expected);
        assert_eq!(removed(&["/actions/0/x-was/three"]), TEXT.replace(", three: null", ""));
        let all = removed(&["/actions/0", "/actions/1", "/actions/2/remove"]);
        let expected =
            "# head\nactions:\n  # --- Ä section. ---\n\n  # --- Next. ---\n  - target: $.c\n# tail\n";
        assert_eq!(all, expected);
    }

    #[test]
    fn an_anchor_moves_to_where_it_is_needed_next() {
        let text = removed(&["/actions/0/update/one"]);
        assert!(text.contains("        again: &one\n          # inside\n          k: |\n            text\n\n            more\n"), "{text}");
        assert!(text.contains("      three: *one\n"), "{text}");
    }

    #[test]
    fn a_value_is_replaced_where_it_stands() {
        let source = Source::new("o.yaml", TEXT);
        let edited =
            replace(&source, &Pointer::from_text("/actions/0/x-was/two"), &json!({"a-b": null, "yes": [1]}))
                .unwrap();
        assert_eq!(edited.text, TEXT.replace("'two': null", "'two': {a-b: null, 'yes': [1]}"));
        let edited = replace(&source, &Pointer::from_text("/actions/0/update/two"), &json!({})).unwrap();
        let block = "      two:\n        list: [1, 2]\n        again: *one\n";
        assert_eq!(edited.text, TEXT.replace(block, "      two: {}\n"));
    }

    #[test]
    fn what_cannot_be_cut_alone_is_refused() {
        let source = Source::new("o.yaml", "a: {b: 1}\nc:\n  d: 1\n");
        let error = remove(&source, &[Pointer::from_text("/c/d")]).unwrap_err().to_string();
        assert_eq!(
            error,
            "o.yaml: /c/d cannot be taken out of the text without touching the rest; edit the overlay there by hand"
        );
        assert!(remove(&source, &[Pointer::from_text("/a/b")]).is_ok(), "an object in braces may be empty");
    }
}
