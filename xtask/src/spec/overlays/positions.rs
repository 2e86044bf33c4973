//! Finds the positions of values in a YAML text.

use std::ops::Range;

use saphyr_parser::{Event, Parser};

/// A value and its range of bytes, without the comments and the whitespace after it.
#[derive(Debug)]
pub(in crate::spec) struct Node {
    pub(in crate::spec) range: Range<usize>,
    /// The number of its anchor; 0 means none.
    pub(in crate::spec) anchor: usize,
    pub(in crate::spec) kind: Kind,
}

#[derive(Debug)]
pub(in crate::spec) enum Kind {
    Scalar(String),
    /// The number of the anchor that it refers to.
    Alias(usize),
    List {
        flow: bool,
        items: Vec<Node>,
    },
    Map {
        flow: bool,
        entries: Vec<Entry>,
    },
}

/// A member of an object.
#[derive(Debug)]
pub(in crate::spec) struct Entry {
    pub(in crate::spec) key: String,
    pub(in crate::spec) at: Range<usize>,
    pub(in crate::spec) value: Node,
}

impl Node {
    /// Returns the value that the steps lead to.
    pub(in crate::spec) fn get(&self, steps: &[String]) -> Option<&Self> {
        let Some((step, rest)) = steps.split_first() else { return Some(self) };
        let below = match &self.kind {
            Kind::Map { entries, .. } => &entries.iter().find(|entry| entry.key == *step)?.value,
            Kind::List { items, .. } => items.get(step.parse::<usize>().ok()?)?,
            Kind::Scalar(_) | Kind::Alias(_) => return None,
        };
        below.get(rest)
    }

    /// Calls `visit` for the value and everything below it.
    pub(in crate::spec) fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Self)) {
        visit(self);
        match &self.kind {
            Kind::Map { entries, .. } => entries.iter().for_each(|entry| entry.value.walk(visit)),
            Kind::List { items, .. } => items.iter().for_each(|item| item.walk(visit)),
            Kind::Scalar(_) | Kind::Alias(_) => {}
        }
    }
}

/// Parses a text. Returns `None` if it is not YAML, or has keys that are not plain strings.
pub(in crate::spec) fn read(text: &str) -> Option<Node> {
    // The parser counts characters.
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        let (start, end) = (*bytes.get(span.start.index())?, *bytes.get(span.end.index())?);
        let node = match event {
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let flow = text[start..end].trim_end().ends_with(['[', '{']);
                let map = matches!(event, Event::MappingStart(..));
                let kind = if map {
                    Kind::Map { flow, entries: Vec::new() }
                } else {
                    Kind::List { flow, items: Vec::new() }
                };
                open.push(Open { node: Node { range: start..end, anchor, kind }, key: None });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let mut node = open.pop()?.node;
                let flow = matches!(node.kind, Kind::List { flow: true, .. } | Kind::Map { flow: true, .. });
                node.range.end = if flow { end } else { last(&node).unwrap_or(node.range.end) };
                node
            }
            Event::Scalar(value, _, anchor, _) => {
                let written = text[start..end].trim_end().len();
                Node { range: start..start + written, anchor, kind: Kind::Scalar(value.into_owned()) }
            }
            Event::Alias(anchor) => Node { range: start..end, anchor: 0, kind: Kind::Alias(anchor) },
            _ => continue,
        };
        match open.last_mut() {
            None => whole = Some(node),
            Some(outer) => outer.put(node)?,
        }
    }
    whole
}

/// A list or an object that is not yet complete.
struct Open {
    node: Node,
    key: Option<(String, Range<usize>)>,
}

impl Open {
    fn put(&mut self, mut node: Node) -> Option<()> {
        match &mut self.node.kind {
            Kind::List { items, .. } => items.push(node),
            Kind::Map { entries, .. } => match self.key.take() {
                Some((key, at)) => {
                    // A missing value is directly after its key.
                    if node.range.is_empty() && node.range.start != at.end {
                        node.range = at.end + 1..at.end + 1;
                    }
                    entries.push(Entry { key, at, value: node });
                }
                None => match node.kind {
                    Kind::Scalar(key) => self.key = Some((key, node.range)),
                    _ => return None,
                },
            },
            Kind::Scalar(_) | Kind::Alias(_) => return None,
        }
        Some(())
    }
}

/// Returns the end of the last value of a list or an object.
fn last(node: &Node) -> Option<usize> {
    match &node.kind {
        Kind::List { items, .. } => items.last().map(|item| item.range.end),
        Kind::Map { entries, .. } => entries.last().map(|entry| entry.value.range.end),
        Kind::Scalar(_) | Kind::Alias(_) => None,
    }
}
