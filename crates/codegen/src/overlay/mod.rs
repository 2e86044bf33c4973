//! OpenAPI Overlay 1.0 and 1.1: corrections and additions to a document that is never edited itself.
//!
//! Two rules are additional. An action whose target matches nothing is an error (the specification ignores it). An action may declare the
//! expected content of its target with `x-was`: if the document differs, for example because SuprSend has since made the correction, that
//! is an error, too.
//!
//! `x-was` is a pattern. For an object, the named members are compared (`null` means that a member is absent); for anything else, the whole
//! value. An object that only names absent members may be absent itself: `{schemas: {User: null}}` matches if there are no schemas at all.

mod schema;
mod trace;
mod was;

pub use trace::{Step, trace};

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use self::was::Difference;
use crate::{Pointer, Problem, Problems, Source, limits};

/// Applies the actions of the overlays to the document in order. On an error, the document is unchanged.
///
/// Every action of every overlay is tried, so that one run reports everything that SuprSend has changed. An action that does not find what
/// it expects is still applied, because later actions may build on it.
pub(crate) fn apply(document: &mut Value, sources: &[Source]) -> Result<(), Problems> {
    // If an overlay cannot be parsed, later ones would not find what it adds.
    let overlays = every(sources.iter().map(Source::parse))?;
    let read = every(overlays.iter().zip(sources).map(|(overlay, source)| actions_of(overlay, source)))?;
    let mut result = document.clone();
    let mut bound = limits::Bound::of(&result);
    let mut problems = Vec::new();
    for (action, source) in
        read.iter().zip(sources).flat_map(|(actions, source)| actions.iter().map(move |it| (it, source)))
    {
        let targets = locate(&action.path, &result);
        let stated = action.check(&targets, &result);
        let applied = action.apply(targets, &mut result, &mut bound);
        if let Err((reason, remedy)) = stated.and(applied) {
            problems.push(Problem::at(action.place(source), reason, remedy));
        }
        if let Err((reason, remedy)) = bound.check(&result) {
            problems.push(Problem::at(action.place(source), reason, remedy));
            break;
        }
    }
    Problems::none_or(problems)?;
    *document = result;
    Ok(())
}

/// Returns all results, or all problems.
fn every<T>(results: impl Iterator<Item = Result<T, Problems>>) -> Result<Vec<T>, Problems> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => good.push(one),
            Err(found) => problems.extend(found.iter().cloned()),
        }
    }
    Problems::none_or(problems)?;
    Ok(good)
}

/// The reason why an action failed, and the remedy.
type Failure = (String, String);

struct Action<'a> {
    index: usize,
    target: &'a str,
    path: JsonPath,
    change: Change<'a>,
    was: Option<&'a Value>,
}

enum Change<'a> {
    Update(&'a Value),
    Copy(&'a str, JsonPath),
    Remove,
}

fn actions_of<'a>(overlay: &'a Value, source: &Source) -> Result<Vec<Action<'a>>, Problems> {
    let actions = schema::document(overlay)
        .map_err(|(reason, remedy)| Problem::at(source.name.clone(), reason, remedy))?;
    let newer = overlay["overlay"].as_str().is_some_and(|version| version.starts_with("1.1."));
    let mut read = Vec::new();
    let mut problems = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (index, action) in actions.iter().enumerate() {
        let target = action["target"].as_str().unwrap_or_default();
        let result = Action::read(index, action, newer).and_then(|action_read| {
            // By their texts, which are the same for the same members in any order.
            match known.insert(was::sorted(action).to_string(), index) {
                None => Ok(action_read),
                Some(first) => {
                    Err(fail(format!("it is the same as action {}", first + 1), "remove one of the two"))
                }
            }
        });
        match result {
            Ok(action) => read.push(action),
            Err((reason, remedy)) => problems.push(Problem::at(place(source, index, target), reason, remedy)),
        }
    }
    Problems::none_or(problems)?;
    Ok(read)
}

impl<'a> Action<'a> {
    fn read(index: usize, action: &'a Value, newer: bool) -> Result<Self, Failure> {
        let known: &[&str] = if newer {
            &["target", "description", "update", "copy", "remove"]
        } else {
            &["target", "description", "update", "remove"]
        };
        schema::unknown_members(action, known).map_err(|(reason, remedy)| match action.get("copy") {
            Some(_) if !newer => fail("`copy` is a member of Overlay 1.1", "write `overlay: 1.1.0`"),
            _ => (reason, remedy),
        })?;
        let Some(target) = action.get("target").and_then(Value::as_str) else {
            return Err(fail("`target` is missing or no text", "write a JSONPath query (RFC 9535)"));
        };
        if action.get("description").is_some_and(|description| !description.is_string()) {
            return Err(fail("`description` is no text", "write text, or leave it out"));
        }
        let remove = match action.get("remove") {
            None => None,
            Some(Value::Bool(remove)) => Some(*remove),
            Some(_) => return Err(fail("`remove` is no boolean", "write `true` or leave it out")),
        };
        let (update, copy) = (action.get("update"), action.get("copy"));
        let stated =
            usize::from(update.is_some()) + usize::from(copy.is_some()) + usize::from(remove == Some(true));
        // Overlay 1.0 allows `update` next to `remove: true`, without any effect.
        if stated > 1 && (newer || copy.is_some()) {
            return Err(fail(
                "of `update`, `copy` and `remove` an action has one",
                "make them actions of their own",
            ));
        }
        let change = match (remove, update, copy) {
            (Some(true), _, _) => Change::Remove,
            (_, Some(update), None) => Change::Update(update),
            (_, None, Some(Value::String(copy))) => Change::Copy(copy, query(copy)?),
            (_, _, Some(_)) => return Err(fail("`copy` is no text", "write a JSONPath query (RFC 9535)")),
            (_, None, None) => {
                return Err(fail("the action does nothing", "give it `update`, `copy` or `remove`"));
            }
        };
        Ok(Self { index, target, path: query(target)?, change, was: action.get("x-was") })
    }

    fn place(&self, source: &Source) -> String {
        place(source, self.index, self.target)
    }

    /// Checks that the targets are what the action expects.
    fn check(&self, targets: &[Pointer], document: &Value) -> Result<(), Failure> {
        match targets.iter().find_map(|target| self.differs(target, document)) {
            None => Ok(()),
            Some(difference) => Err(fail(
                difference.to_string(),
                "look at what upstream changed, then adapt or delete the action",
            )),
        }
    }

    /// Returns where a target is not what the action expects.
    fn differs(&self, target: &Pointer, document: &Value) -> Option<Difference> {
        was::differs(self.was?, target.get(document).unwrap_or(&Value::Null), target)
    }

    fn apply(
        &self,
        mut targets: Vec<Pointer>,
        document: &mut Value,
        bound: &mut limits::Bound,
    ) -> Result<(), Failure> {
        if targets.is_empty() {
            return Err(fail(
                "the target matches nothing in the document",
                "correct the path, or delete the action if upstream removed the place",
            ));
        }
        let value = match &self.change {
            Change::Remove => {
                // From the end, so that earlier elements of an array keep their index.
                targets.sort_by_key(|target| std::cmp::Reverse(sort_key(target)));
                return targets.iter().try_for_each(|target| remove(document, target));
            }
            Change::Update(update) => (*update).clone(),
            Change::Copy(copy, path) => {
                let sources = locate(path, document);
                let [source] = sources.as_slice() else {
                    return Err(fail(
                        format!("`copy: {copy}` matches {} places, not one", sources.len()),
                        "correct the path",
                    ));
                };
                source.get(document).cloned().unwrap_or_default()
            }
        };
        // Checked before anything is written: a small action with many targets can make a document too large for the memory.
        let (values, nesting) = limits::measure(&value);
        let values = values.saturating_mul(targets.len());
        if values > limits::VALUES {
            return Err(fail(
                format!("the update would add more than {} values", limits::VALUES),
                "narrow the path",
            ));
        }
        let kinds = targets.iter().filter_map(|target| target.get(document).map(kind));
        if kinds.collect::<std::collections::BTreeSet<_>>().len() > 1 {
            return Err(fail(
                "the target matches objects, arrays and scalars together",
                "narrow the path to places of one kind",
            ));
        }
        let below = targets.iter().map(|target| target.tokens().len()).max().unwrap_or_default();
        bound.add(values, nesting, below);
        for target in &targets {
            if let Some(slot) = target.get_mut(document) {
                update(slot, &value, target)?;
            }
        }
        Ok(())
    }
}

fn fail(reason: impl Into<String>, remedy: impl Into<String>) -> Failure {
    (reason.into(), remedy.into())
}

fn query(text: &str) -> Result<JsonPath, Failure> {
    JsonPath::parse(text)
        .map_err(|error| fail(format!("`{text}` is no JSONPath query: {error}"), "write it after RFC 9535"))
}

fn locate(path: &JsonPath, document: &Value) -> Vec<Pointer> {
    let mut seen = HashSet::new();
    let nodes = path.query_located(document);
    let places = nodes.iter().map(|node| Pointer::from_text(node.location().to_json_pointer()));
    // A query may select a node more than once; an action applies to it only once.
    places.filter(|place| seen.insert(place.clone())).collect()
}

/// Returns the file, the line if known, the number and the target of an action.
fn place(source: &Source, index: usize, target: &str) -> String {
    let line = line(source, index, target).map_or(String::new(), |line| format!(":{line}"));
    format!("{}{line}: action {} ({target})", source.name, index + 1)
}

/// Returns the line of an action's target. The text is searched, because the parsed overlay has no line numbers: values that are added may
/// also have a `target`, and several actions may have the same target.
fn line(source: &Source, index: usize, target: &str) -> Option<usize> {
    let stated = |line: &str| -> Option<String> {
        let line = line.trim_start_matches([' ', '-', '{']);
        let rest = line.strip_prefix("target:").or_else(|| line.strip_prefix("\"target\":"))?;
        Some(rest.trim().replace("''", "'"))
    };
    let lines = source.text.lines().enumerate();
    let lines = lines.filter_map(|(number, line)| Some((number + 1, stated(line)?)));
    // Possible surroundings: quotes, the other members of an action in braces, a comment.
    let begins = |text: &str| text.trim_start_matches(['"', '\'']).strip_prefix(target).map(str::to_owned);
    let is = |text: &str| {
        begins(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '\'', ',', ' ', '}']))
    };
    // Other matching lines can only be in between, so it is at least the line with that number.
    lines.skip(index).find(|(_, text)| is(text)).map(|(number, _)| number)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        _ => "a scalar",
    }
}

fn sort_key(pointer: &Pointer) -> Vec<(usize, String)> {
    pointer.tokens().into_iter().map(|token| (token.parse().unwrap_or(0), token)).collect()
}

fn remove(document: &mut Value, target: &Pointer) -> Result<(), Failure> {
    let Some(parent) = target.parent() else {
        return Err(fail("the whole document would be removed", "narrow the path"));
    };
    match parent.get_mut(document) {
        Some(Value::Object(members)) => {
            // `Map::remove` would move the last member into the gap.
            members.shift_remove(&target.last());
        }
        Some(Value::Array(items)) => {
            let index = target.last().parse().unwrap_or(usize::MAX);
            if index < items.len() {
                items.remove(index);
            }
        }
        // A parent that the same action removed.
        _ => {}
    }
    Ok(())
}

/// Applies the specification's rules for a target: an object is merged, an array is extended, a scalar is replaced.
fn update(slot: &mut Value, value: &Value, place: &Pointer) -> Result<(), Failure> {
    match (slot, value) {
        (Value::Array(items), value) if !value.is_array() => {
            items.push(value.clone());
            Ok(())
        }
        (slot, value) => merge(slot, value, place),
    }
}

fn merge(slot: &mut Value, value: &Value, place: &Pointer) -> Result<(), Failure> {
    match (slot, value) {
        (Value::Object(members), Value::Object(update)) => merge_members(members, update, place),
        (Value::Array(items), Value::Array(more)) => {
            items.extend(more.iter().cloned());
            Ok(())
        }
        (slot, value) if kind(slot) == "a scalar" && kind(value) == "a scalar" => {
            *slot = value.clone();
            Ok(())
        }
        (slot, value) => Err(fail(
            format!("{} cannot be merged into {} at {place}", kind(value), kind(slot)),
            "remove the old value in an action before this one",
        )),
    }
}

fn merge_members(
    members: &mut Map<String, Value>,
    update: &Map<String, Value>,
    place: &Pointer,
) -> Result<(), Failure> {
    for (key, value) in update {
        match members.get_mut(key) {
            Some(slot) => merge(slot, value, &place.child(key))?,
            None => {
                members.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
