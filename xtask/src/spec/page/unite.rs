//! Merges many pages into one document.
//!
//! Upstream publishes a page for each operation, with everything that the operation needs. So the pages repeat each other, and the repeated
//! parts must be equal: a difference means that they belong to different versions.

use std::collections::HashMap;

use serde_json::{Map, Value};
use suprsend_codegen::{Pointer, Problem, Problems, Source, is_method, path_template};

use super::Page;

/// The way in which the values of two pages at one place are merged.
enum Rule {
    /// An object, to which each page may add members.
    Unite,
    /// The list of tags, to which each page may add others.
    Tags,
    /// A value that only one page has is taken; if both have it, it must be equal.
    Once,
    /// The value must be equal in both pages, or absent from both, because its absence has a meaning.
    Same,
}

fn rule(place: &[String]) -> Rule {
    let steps: Vec<&str> = place.iter().map(String::as_str).collect();
    match steps.as_slice() {
        []
        | ["paths" | "webhooks" | "components"]
        | ["paths" | "webhooks" | "components", _] => Rule::Unite,
        ["openapi" | "info" | "servers" | "security" | "jsonSchemaDialect"]
        // They apply to all operations of the path.
        | ["paths" | "webhooks", _, "$ref" | "parameters" | "servers"] => Rule::Same,
        ["tags"] => Rule::Tags,
        _ => Rule::Once,
    }
}

/// Merges the pages in order. Every contradiction is reported with both files.
pub(super) fn unite(pages: &[Page]) -> Result<Value, Problems> {
    let Some((first, others)) = pages.split_first() else {
        return Err(Problem::at("no file", "nothing to import", "name a file").into());
    };
    let mut merger = Merger {
        document: first.document.clone(),
        origins: HashMap::from([(Pointer::root(), first.file.as_str())]),
        problems: Vec::new(),
    };
    for page in others {
        merger.unite(&Pointer::root(), page, &page.document);
    }
    merger.paths();
    Problems::none_or(merger.problems)?;
    Ok(merger.document)
}

/// Writes the document as YAML, in its order.
pub(super) fn write(document: &Value) -> Result<String, Problems> {
    let problem = |reason: String| Problem::at("the merged document", reason, "import a single document");
    let text =
        yaml_serde::to_string(document).map_err(|error| problem(format!("not to be written: {error}")))?;
    if Source::new("the merged document", text.as_str()).parse()? != *document {
        return Err(problem("YAML does not hold it".to_owned()).into());
    }
    Ok(text)
}

struct Merger<'a> {
    document: Value,
    /// The origin of a place, if it is another file than that of the surrounding place.
    origins: HashMap<Pointer, &'a str>,
    problems: Vec<Problem>,
}

const REMEDY: &str = "download both again, so that they are of one version";

impl<'a> Merger<'a> {
    /// Reports operations that two files have under paths that differ only in the names of parameters.
    fn paths(&mut self) {
        let root = Pointer::root().child("paths");
        let mut known: HashMap<(&str, String), (&str, &str)> = HashMap::new();
        let mut found = Vec::new();
        for (path, item) in root.get(&self.document).and_then(Value::as_object).into_iter().flatten() {
            let place = root.child(path);
            let file = self.origin(&place);
            let keys = item.as_object().into_iter().flat_map(Map::keys);
            for method in keys.filter(|key| is_method(key)) {
                let (other, called) = *known.entry((method, path_template(path))).or_insert((file, path));
                if other != file {
                    let reason =
                        format!("{file} has what {other} calls `{called}`, the names of parameters aside");
                    found.push(Problem::new(&place.child(method), reason, REMEDY));
                }
            }
        }
        self.problems.extend(found);
    }

    /// Merges an object of the page into that of the document.
    fn unite(&mut self, place: &Pointer, page: &'a Page, theirs: &'a Value) {
        let ours = place.get(&self.document);
        let (Some(Value::Object(ours)), Value::Object(theirs)) = (ours, theirs) else {
            // The value does not have the expected type. If all pages agree, lint reports it.
            let ours = ours.cloned();
            return self.same(place, page, ours.as_ref(), Some(theirs));
        };
        let missing: Vec<String> = ours.keys().filter(|key| !theirs.contains_key(*key)).cloned().collect();
        for key in missing {
            let place = place.child(&key);
            if matches!(rule(&place.tokens()), Rule::Same) {
                let ours = place.get(&self.document).cloned();
                self.same(&place, page, ours.as_ref(), None);
            }
        }
        for (key, value) in theirs {
            self.member(&place.child(key), page, value);
        }
    }

    fn member(&mut self, place: &Pointer, page: &'a Page, value: &'a Value) {
        let rule = rule(&place.tokens());
        let Some(ours) = place.get(&self.document) else {
            if matches!(rule, Rule::Same) {
                return self.same(place, page, None, Some(value));
            }
            if let Some(Value::Object(members)) =
                place.parent().and_then(|parent| parent.get_mut(&mut self.document))
            {
                members.insert(place.last(), value.clone());
                self.origins.insert(place.clone(), &page.file);
            }
            return;
        };
        // `components:` without a value does not contradict one with a value.
        let nothing = ours.is_null() || value.is_null();
        match rule {
            Rule::Unite if !nothing => self.unite(place, page, value),
            Rule::Unite if value.is_null() => {}
            Rule::Unite => {
                if let Some(slot) = place.get_mut(&mut self.document) {
                    *slot = value.clone();
                    self.origins.insert(place.clone(), &page.file);
                }
            }
            Rule::Tags => self.tags(place, page, value),
            Rule::Once | Rule::Same => {
                let ours = ours.clone();
                self.same(place, page, Some(&ours), Some(value));
            }
        }
    }

    /// Merges lists of named objects.
    fn tags(&mut self, place: &Pointer, page: &'a Page, theirs: &'a Value) {
        let ours = place.get(&self.document).cloned().unwrap_or_default();
        let (Value::Array(ours), Value::Array(theirs)) = (&ours, theirs) else {
            return self.same(place, page, Some(&ours), Some(theirs));
        };
        for tag in theirs {
            let twin = ours.iter().position(|other| other.get("name") == tag.get("name"));
            if let Some(index) = twin {
                self.same(&place.child(index), page, Some(&ours[index]), Some(tag));
            } else if let Some(Value::Array(tags)) = place.get_mut(&mut self.document) {
                self.origins.insert(place.child(tags.len()), &page.file);
                tags.push(tag.clone());
            }
        }
    }

    /// Reports the first place at which the two differ.
    fn same(&mut self, place: &Pointer, page: &Page, ours: Option<&Value>, theirs: Option<&Value>) {
        let Some((place, ours, theirs)) = difference(place, ours, theirs) else {
            return;
        };
        let reason = format!(
            "{} has {}, {} has {}",
            self.origin(&place),
            shown(ours.as_ref()),
            page.file,
            shown(theirs.as_ref())
        );
        self.problems.push(Problem::new(&place, reason, REMEDY));
    }

    /// Returns the file that the place was taken from.
    fn origin(&self, place: &Pointer) -> &'a str {
        let mut place = Some(place.clone());
        while let Some(here) = place {
            if let Some(file) = self.origins.get(&here) {
                return file;
            }
            place = here.parent();
        }
        ""
    }
}

/// Returns the first place at which two values differ, with the values there. The order of members is ignored.
fn difference(
    place: &Pointer,
    one: Option<&Value>,
    other: Option<&Value>,
) -> Option<(Pointer, Option<Value>, Option<Value>)> {
    if one == other {
        return None;
    }
    let inner = match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => inside(place, one, other),
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| difference(&place.child(index), Some(one), Some(other)))
        }
        _ => None,
    };
    inner.or_else(|| Some((place.clone(), one.cloned(), other.cloned())))
}

fn inside(
    place: &Pointer,
    one: &Map<String, Value>,
    other: &Map<String, Value>,
) -> Option<(Pointer, Option<Value>, Option<Value>)> {
    let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
    let mut keys = keys.map(|key| difference(&place.child(key), one.get(key), other.get(key)));
    keys.find_map(|found| found)
}

/// Formats a value for an error, limited to the length of a line.
fn shown(value: Option<&Value>) -> String {
    const LENGTH: usize = 60;
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    if text.chars().count() <= LENGTH {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(LENGTH).collect::<String>())
}
