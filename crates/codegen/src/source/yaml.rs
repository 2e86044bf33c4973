//! Parses YAML 1.2, with the merge keys of YAML 1.1.

use std::{borrow::Cow, collections::HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::Value;

use super::{
    number,
    tree::{Refusal, Tree},
};
use crate::limits;

/// The reason why there is no value, and the line.
pub(super) struct Stop {
    pub(super) refusal: Refusal,
    pub(super) line: usize,
}

pub(super) fn read(text: &str) -> Result<Value, Stop> {
    let mut reader = Reader { tree: Tree::new(), anchors: HashMap::new(), nodes: Vec::new(), documents: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| unreadable(&error))?;
        reader.event(event).map_err(|refusal| stop(refusal, span.start))?;
    }
    reader.tree.whole().ok_or_else(|| {
        let reason = "there is nothing in it".to_owned();
        Stop { refusal: Refusal { reason, remedy: "give it a document" }, line: 1 }
    })
}

fn stop(refusal: Refusal, mark: Marker) -> Stop {
    Stop { refusal, line: mark.line().max(1) }
}

fn unreadable(error: &ScanError) -> Stop {
    // The parser looks ahead, so it may reach its own nesting limit before ours.
    let refusal = if error.info() == "recursion limit exceeded" {
        let reason = format!("it nests more than {} levels deep", limits::NESTING);
        Refusal { reason, remedy: "make the inner parts components, and refer to them" }
    } else {
        let reason = format!("not readable as YAML or JSON: {}", error.info());
        Refusal { reason, remedy: "correct the text there" }
    };
    stop(refusal, *error.marker())
}

/// A value that an alias may refer to.
struct Anchored {
    value: Value,
    /// The number of its values, and their nesting.
    count: usize,
    depth: usize,
}

struct Reader {
    tree: Tree,
    /// The values with anchors, by number. A value that is not complete is `None`.
    anchors: HashMap<usize, Option<Anchored>>,
    /// The anchors of the open lists and objects; 0 means none.
    nodes: Vec<usize>,
    documents: usize,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), Refusal> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self
                        .tree
                        .refuse("a second document, which begins", "keep one document in a file"));
                }
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.not_a_key()?;
                self.known(tag.as_deref(), "seq")?;
                self.tree.open_list()?;
                self.begin(anchor);
                Ok(())
            }
            Event::MappingStart(anchor, tag) => {
                self.not_a_key()?;
                self.known(tag.as_deref(), "map")?;
                self.tree.open_object()?;
                self.begin(anchor);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let value = self.tree.close();
                let anchor = self.nodes.pop().unwrap_or_default();
                self.keep(anchor, &value)?;
                self.tree.put(value)
            }
            Event::Alias(anchor) => self.alias(anchor),
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag.as_deref()),
        }
    }

    fn begin(&mut self, anchor: usize) {
        self.nodes.push(anchor);
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
    }

    /// Keeps a copy of a value for later aliases.
    fn keep(&mut self, anchor: usize, value: &Value) -> Result<(), Refusal> {
        if anchor == 0 {
            return Ok(());
        }
        let (count, depth) = limits::measure(value);
        // Copies of copies count; otherwise nested anchors could multiply a text.
        if self.nodes.iter().any(|outer| *outer > 0) {
            self.tree.spend(count)?;
        }
        self.anchors.insert(anchor, Some(Anchored { value: value.clone(), count, depth }));
        Ok(())
    }

    fn alias(&mut self, anchor: usize) -> Result<(), Refusal> {
        let Some(Some(anchored)) = self.anchors.get(&anchor) else {
            return Err(self.tree.refuse("an alias of what it stands in", "write out what is meant"));
        };
        if self.tree.wants_key() {
            let Value::String(text) = &anchored.value else {
                return Err(self.tree.refuse("a key that is no text, but an alias,", "write it out"));
            };
            if text == "<<" {
                return Err(self.tree.refuse("the merge key `<<` as an alias", "write it out"));
            }
            return self.tree.key(text.clone());
        }
        self.tree.spend(anchored.count)?;
        self.tree.fits(anchored.depth)?;
        self.tree.put(anchored.value.clone())
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Refusal> {
        let plain = style == ScalarStyle::Plain;
        if self.tree.wants_key() {
            let merge = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "merge");
            if text == "<<" && (merge || (plain && tag.is_none())) {
                return self.tree.merge_key();
            }
            // As written, so that no two keys coincide, and `1.10` is not `1.1`.
            if let Some(tag) = tag.filter(|tag| !is_core(tag)) {
                return Err(self.foreign(tag));
            }
            self.keep(anchor, &Value::String(text.clone().into_owned()))?;
            return self.tree.key(text.into_owned());
        }
        let value = match tag {
            None if plain => self.resolve(text)?,
            None => text.into_owned().into(),
            Some(tag) => self.tagged(text, plain, tag)?,
        };
        self.keep(anchor, &value)?;
        self.tree.spend(1)?;
        self.tree.put(value)
    }

    /// Interprets a plain scalar according to the core schema.
    fn resolve(&self, text: Cow<'_, str>) -> Result<Value, Refusal> {
        Ok(match &*text {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => true.into(),
            "false" | "False" | "FALSE" => false.into(),
            ".nan" | ".NaN" | ".NAN" => return Err(self.no_number(&text)),
            infinity if matches!(infinity.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") => {
                return Err(self.no_number(&text));
            }
            number => match self.number(number)? {
                Some(value) => value,
                None => text.into_owned().into(),
            },
        })
    }

    /// Parses a number, unless it has a leading zero without a meaning: `007` is a string.
    fn number(&self, text: &str) -> Result<Option<Value>, Refusal> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let read = number::based(text).or_else(|| number::decimal(text));
        let read = read.transpose().map_err(|nearest| self.tree.inexact(text, nearest))?;
        Ok(read.map(Value::Number))
    }

    fn no_number(&self, text: &str) -> Refusal {
        self.tree
            .refuse(format!("`{text}`, which is not a JSON number,"), "write a number, or text in quotes")
    }

    fn tagged(&self, text: Cow<'_, str>, plain: bool, tag: &Tag) -> Result<Value, Refusal> {
        if tag.handle.is_empty() && tag.suffix == "!" {
            return Ok(text.into_owned().into());
        }
        if !is_core(tag) {
            return Err(self.foreign(tag));
        }
        let value = match tag.suffix.as_str() {
            "str" => return Ok(text.into_owned().into()),
            "null" if !plain && text.is_empty() => Value::Null,
            _ => self.resolve(text)?,
        };
        let is = match tag.suffix.as_str() {
            "null" => value.is_null(),
            "bool" => value.is_boolean(),
            "int" => value.is_i64() || value.is_u64(),
            "float" => value.is_number(),
            _ => false,
        };
        if is { Ok(value) } else { Err(self.foreign(tag)) }
    }

    /// Checks that the tag of a list or an object says only what it is anyway.
    fn known(&self, tag: Option<&Tag>, kind: &str) -> Result<(), Refusal> {
        match tag {
            Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == kind) => Err(self.foreign(tag)),
            _ => Ok(()),
        }
    }

    fn foreign(&self, tag: &Tag) -> Refusal {
        let handle = if tag.is_yaml_core_schema() { "!!" } else { &tag.handle };
        self.tree.refuse(format!("the YAML tag `{handle}{}`", tag.suffix), "write a value that JSON has too")
    }

    fn not_a_key(&self) -> Result<(), Refusal> {
        if self.tree.wants_key() {
            return Err(self.tree.refuse("a key that is no plain scalar", "write it as text"));
        }
        Ok(())
    }
}

/// Returns whether a scalar's tag belongs to the core schema.
fn is_core(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "bool" | "float" | "int" | "null" | "str")
}
