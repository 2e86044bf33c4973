//! Adds pages to an existing document without rewriting it.

use serde_json::Value;
use suprsend_codegen::{Pointer, Source};

use super::Page;
use crate::spec::overlays::positions::{self, Kind, Node};

/// Returns the text of the first document with the additional members of the others, as written on their pages. Returns `None` if the
/// result is not the merged document, for example because a text is JSON.
pub(super) fn insert(pages: &[Page], united: &Value) -> Option<String> {
    let (first, others) = pages.split_first()?;
    let mut document = first.document.clone();
    let mut text = first.text.clone();
    for page in others {
        let mut missing = Vec::new();
        absent(&Pointer::root(), &document, &page.document, &mut missing);
        for place in missing {
            text = with(&text, &page.text, &place)?;
            let Value::Object(members) = place.parent()?.get_mut(&mut document)? else { return None };
            members.insert(place.last(), place.get(&page.document)?.clone());
        }
    }
    (document == *united && Source::new("", text.as_str()).parse().ok()? == *united).then_some(text)
}

/// Collects the members that a page has and the document has not, outermost first.
fn absent(place: &Pointer, document: &Value, page: &Value, found: &mut Vec<Pointer>) {
    let (Value::Object(ours), Value::Object(theirs)) = (document, page) else { return };
    for (key, value) in theirs {
        match ours.get(key) {
            None => found.push(place.child(key)),
            Some(ours) => absent(&place.child(key), ours, value, found),
        }
    }
}

/// Returns a text with a member of another text added at the end of an object.
fn with(text: &str, page: &str, place: &Pointer) -> Option<String> {
    let (root, other) = (positions::read(text)?, positions::read(page)?);
    let outer = place.parent()?.tokens();
    let ours = root.get(&outer)?;
    let Kind::Map { flow: false, entries } = &ours.kind else { return None };
    let (from, to) = (entry(other.get(&outer)?, &place.last())?, entries.last()?);
    // An anchor would have to be copied too, and could already exist in the text.
    let mut anchors = false;
    from.value.walk(&mut |node| anchors |= node.anchor > 0 || matches!(node.kind, Kind::Alias(_)));
    if anchors {
        return None;
    }
    let (start, column) = (line(page, from.at.start), from.at.start - line(page, from.at.start));
    if !page[start..from.at.start].trim().is_empty() {
        return None;
    }
    let wanted = to.at.start - line(text, to.at.start);
    let mut put = String::new();
    for line in page[start..from.value.range.end].lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if !line.trim().is_empty() {
            put.push_str(&" ".repeat((indent + wanted).checked_sub(column)?));
            put.push_str(line.trim_start_matches(' ').trim_end_matches('\r'));
        }
        put.push('\n');
    }
    let end = text[to.value.range.end..].find('\n').map(|newline| to.value.range.end + newline + 1);
    let mut result = text.to_owned();
    let end = end.unwrap_or_else(|| {
        result.push('\n');
        result.len()
    });
    result.insert_str(end, &put);
    Some(result)
}

fn entry<'a>(node: &'a Node, key: &str) -> Option<&'a positions::Entry> {
    match &node.kind {
        Kind::Map { flow: false, entries } => entries.iter().find(|entry| entry.key == key),
        _ => None,
    }
}

/// Returns the beginning of the line of a place.
fn line(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}
