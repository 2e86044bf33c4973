//! OpenAPI Overlay 1.0 and 1.1: corrections and additions to a document that is never edited itself.
//!
//! Two rules are ours. An action whose target matches nothing is an error (the specification lets it pass), and an action
//! may state with `x-was` what stands at its target: where the document says something else, for example because
//! upstream has since made the correction, that is an error too.
//!
//! `x-was` is compared as a pattern: of an object, the members it names (`null` says that a member is absent); of anything
//! else, the whole value. An object that names absent members only may be absent itself: `{schemas: {User: null}}` holds
//! where there are no schemas at all.

use std::collections::HashSet;

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

use crate::{Pointer, Problem, Problems, Source, limits};

/// Applies the actions of the overlays to the document, in their order. On an error the document is as it was.
///
/// Every action of every overlay is tried, so that one run names all that upstream changed. An action that finds something else than it
/// states is applied all the same, for the sake of those that build on it.
pub(crate) fn apply(document: &mut Value, sources: &[Source]) -> Result<(), Problems> {
    // Where an overlay cannot be read, those after it would not find what it adds.
    let overlays = every(sources.iter().map(Source::parse))?;
    let read = every(overlays.iter().zip(sources).map(|(overlay, source)| actions_of(overlay, source)))?;
    let mut result = document.clone();
    let mut problems = Vec::new();
    for (action, source) in
        read.iter().zip(sources).flat_map(|(actions, source)| actions.iter().map(move |it| (it, source)))
    {
        let targets = locate(&action.path, &result);
        let stated = action.check(&targets, &result);
        let applied = action.apply(targets, &mut result);
        if let Err((reason, remedy)) = stated.and(applied) {
            problems.push(Problem::at(action.place(source), reason, remedy));
        }
        if let Err((reason, remedy)) = limits::check(&result) {
            problems.push(Problem::at(action.place(source), reason, remedy));
            break;
        }
    }
    Problems::none_or(problems)?;
    *document = result;
    Ok(())
}

/// Every result, or all problems.
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

/// Why an action failed, and what to do about it.
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
    let problem = |reason: &str, remedy: &str| Problem::at(source.name.clone(), reason, remedy);
    let version = overlay.get("overlay").and_then(Value::as_str).unwrap_or("");
    if !(version.starts_with("1.0.") || version.starts_with("1.1.")) {
        return Err(problem(
            &format!("`overlay: {version}` is not a version this reads"),
            "write `overlay: 1.1.0`",
        )
        .into());
    }
    for member in ["title", "version"] {
        if !overlay["info"][member].is_string() {
            return Err(problem(&format!("`info.{member}` is missing"), "add it").into());
        }
    }
    unknown_members(overlay, &["overlay", "info", "extends", "actions"])
        .map_err(|(reason, remedy)| problem(&reason, &remedy))?;
    let Some(actions) = overlay.get("actions").and_then(Value::as_array) else {
        return Err(problem("`actions` is missing or no list", "add the list of actions").into());
    };
    let mut read = Vec::new();
    let mut problems = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        match Action::read(index, action) {
            Ok(action) => read.push(action),
            Err((reason, remedy)) => {
                let target = action["target"].as_str().unwrap_or_default();
                problems.push(Problem::at(place(source, index, target), reason, remedy));
            }
        }
    }
    Problems::none_or(problems)?;
    Ok(read)
}

impl<'a> Action<'a> {
    fn read(index: usize, action: &'a Value) -> Result<Self, Failure> {
        unknown_members(action, &["target", "description", "update", "copy", "remove"])?;
        let Some(target) = action.get("target").and_then(Value::as_str) else {
            return Err(fail("`target` is missing or no text", "write a JSONPath query (RFC 9535)"));
        };
        let remove = match action.get("remove") {
            None | Some(Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err(fail("`remove` is no boolean", "write `true` or leave it out")),
        };
        let change = match (remove, action.get("update"), action.get("copy")) {
            (true, _, _) => Change::Remove,
            (false, Some(update), None) => Change::Update(update),
            (false, None, Some(Value::String(copy))) => Change::Copy(copy, query(copy)?),
            (false, None, Some(_)) => {
                return Err(fail("`copy` is no text", "write a JSONPath query (RFC 9535)"));
            }
            (false, Some(_), Some(_)) => {
                return Err(fail("`update` and `copy` stand in one action", "make them two actions"));
            }
            (false, None, None) => {
                return Err(fail("the action does nothing", "give it `update`, `copy` or `remove`"));
            }
        };
        Ok(Self { index, target, path: query(target)?, change, was: action.get("x-was") })
    }

    fn place(&self, source: &Source) -> String {
        place(source, self.index, self.target)
    }

    /// Whether the targets are what the action states.
    fn check(&self, targets: &[Pointer], document: &Value) -> Result<(), Failure> {
        let Some(was) = self.was else { return Ok(()) };
        for target in targets {
            let found = target.get(document).unwrap_or(&Value::Null);
            if let Some((place, stated, found)) = differs(was, found, target) {
                return Err(fail(
                    format!("`x-was` says {stated} at {place}, the document says {found}"),
                    "look at what upstream changed, then adapt or delete the action",
                ));
            }
        }
        Ok(())
    }

    fn apply(&self, mut targets: Vec<Pointer>, document: &mut Value) -> Result<(), Failure> {
        if targets.is_empty() {
            return Err(fail(
                "the target matches nothing in the document",
                "correct the path, or delete the action if upstream removed the place",
            ));
        }
        let value = match &self.change {
            Change::Remove => {
                // From the end, so that an array's earlier elements keep their index.
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
        // Before anything is written: a small action with many targets can make a document that no memory holds.
        if limits::measure(&value).0.saturating_mul(targets.len()) > limits::VALUES {
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
    // A query may select a node more than once; an action applies to it once.
    places.filter(|place| seen.insert(place.clone())).collect()
}

fn unknown_members(object: &Value, known: &[&str]) -> Result<(), Failure> {
    let Some(members) = object.as_object() else {
        return Err(fail("not an object", "write `key: value` lines"));
    };
    match members.keys().find(|key| !key.starts_with("x-") && !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(fail(
            format!("`{key}` is not a member the specification knows"),
            format!("use one of {}", known.join(", ")),
        )),
    }
}

/// File, line where it can be told, number and target of an action.
fn place(source: &Source, index: usize, target: &str) -> String {
    let line = line(source, index, target).map_or(String::new(), |line| format!(":{line}"));
    format!("{}{line}: action {} ({target})", source.name, index + 1)
}

/// The line of an action's target. The text is searched, since the parsed overlay does not know its lines: values that are
/// added may have a `target` too, and several actions one target.
fn line(source: &Source, index: usize, target: &str) -> Option<usize> {
    let stated = |line: &str| -> Option<String> {
        let line = line.trim_start_matches([' ', '-', '{']);
        let rest = line.strip_prefix("target:").or_else(|| line.strip_prefix("\"target\":"))?;
        Some(rest.trim().replace("''", "'"))
    };
    let lines = source.text.lines().enumerate();
    let lines: Vec<_> = lines.filter_map(|(number, line)| Some((number + 1, stated(line)?))).collect();
    // What may stand around it: quotes, the other members of an action in braces, a comment.
    let begins = |text: &str| text.trim_start_matches(['"', '\'']).strip_prefix(target).map(str::to_owned);
    let is = |text: &str| {
        begins(text).is_some_and(|rest| rest.is_empty() || rest.starts_with(['"', '\'', ',', ' ', '}']))
    };
    // Other lines only come between, so it is not before the one of that number.
    lines.iter().skip(index).find(|(_, text)| is(text)).map(|(number, _)| *number)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "an object",
        Value::Array(_) => "an array",
        _ => "a scalar",
    }
}

/// The first place at which the document is not what `x-was` states, with both values.
fn differs(was: &Value, found: &Value, place: &Pointer) -> Option<(Pointer, String, String)> {
    match (was, found) {
        (Value::Object(stated), Value::Object(members)) => stated.iter().find_map(|(key, stated)| {
            let place = place.child(key);
            match members.get(key) {
                Some(found) => differs(stated, found, &place),
                None if is_absence(stated) => None,
                None => Some((place, stated.to_string(), "nothing".to_owned())),
            }
        }),
        _ if was == found => None,
        _ => {
            let stated = if was.is_null() { "nothing".to_owned() } else { was.to_string() };
            Some((place.clone(), stated, found.to_string()))
        }
    }
}

/// Whether a statement says of everything it names that it is absent.
fn is_absence(stated: &Value) -> bool {
    match stated {
        Value::Null => true,
        Value::Object(members) => !members.is_empty() && members.values().all(is_absence),
        _ => false,
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

/// The specification's rules for a target: an object is merged, an array gains elements, a scalar is replaced.
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
mod tests {
    use serde_json::json;

    use super::*;

    fn run(document: &Value, actions: &str) -> Result<Value, String> {
        let text = format!("overlay: 1.1.0\ninfo: {{title: t, version: '1'}}\nactions:\n{actions}");
        let mut result = document.clone();
        match apply(&mut result, &[Source::new("o.yaml", text)]) {
            Ok(()) => Ok(result),
            Err(problems) => {
                assert_eq!(&result, document, "a failed overlay left its mark");
                Err(problems.to_string())
            }
        }
    }

    #[test]
    fn objects_merge_arrays_grow_scalars_are_replaced() {
        let document = json!({"a": {"x": 1, "list": [1], "deep": {"y": 1}}});
        let merged = run(
            &document,
            "- target: $.a\n  update: {x: 2, list: [2], deep: {z: 3}}\n- target: $.a.list\n  update: 3\n",
        );
        assert_eq!(merged.unwrap(), json!({"a": {"x": 2, "list": [1, 2, 3], "deep": {"y": 1, "z": 3}}}));
        let error = run(&document, "- target: $.a\n  update: {x: {y: 1}}\n").unwrap_err();
        assert!(error.contains("an object cannot be merged into a scalar at /a/x"), "{error}");
    }

    #[test]
    fn removal_keeps_the_order_and_hits_every_element() {
        let document = json!({"first": 1, "list": ["a", "b", "a", "c"], "middle": 2, "last": 3});
        let result = run(
            &document,
            "- target: $.list[?@ == 'a']\n  remove: true\n- target: $.first\n  remove: true\n",
        )
        .unwrap();
        assert_eq!(result, json!({"list": ["b", "c"], "middle": 2, "last": 3}));
        assert_eq!(result.as_object().unwrap().keys().next().unwrap(), "list");
        let many = json!({"list": (0..12).collect::<Vec<_>>()});
        let none = run(&many, "- target: $.list[*]\n  remove: true\n").unwrap();
        assert_eq!(none, json!({"list": []}));
    }

    #[test]
    fn copy_takes_one_place() {
        let document = json!({"from": {"a": 1}, "to": {}, "list": [1, 2]});
        let result = run(&document, "- target: $.to\n  copy: $.from\n").unwrap();
        assert_eq!(result["to"], json!({"a": 1}));
        let error = run(&document, "- target: $.to\n  copy: $.list[*]\n").unwrap_err();
        assert!(error.contains("matches 2 places"), "{error}");
    }

    #[test]
    fn an_action_cannot_multiply_without_end() {
        let document = json!({"list": (0..3000).map(|_| json!([])).collect::<Vec<_>>(), "big": (0..3000).collect::<Vec<_>>()});
        let error = run(&document, "- target: $.list[*]\n  copy: $.big\n").unwrap_err();
        assert!(error.contains("would add more than 2000000 values"), "{error}");
        // As many targets as a document may have, each of them selected twice.
        let many = json!({"list": (0..50_000).collect::<Vec<_>>()});
        let result = run(&many, "- target: $.list[*, *]\n  update: 0\n").unwrap();
        assert_eq!(result["list"][49_999], json!(0));
    }

    #[test]
    fn a_target_that_matches_nothing_names_its_line() {
        let error = run(&json!({"a": 1}), "- target: $.b\n  remove: true\n").unwrap_err();
        assert!(error.starts_with("o.yaml:4: action 1 ($.b): the target matches nothing"), "{error}");
    }

    #[test]
    fn an_action_whose_target_begins_like_another_has_its_own_line() {
        let document = json!({"a": {"b": 1}, "c": {}});
        let error = run(
            &document,
            "- target: $.a.b\n  x-was: 1\n  update: 2\n- target: $.c\n  update:\n    target: text\n- target: \"$.a\"\n  \
             x-was: {b: 3}\n  update: {}\n- target: '$[''a'']'\n  x-was: 1\n  update: {}\n- {target: $.a, x-was: 1, update: {}}\n",
        )
        .unwrap_err();
        let places: Vec<_> = error.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(places, ["o.yaml:10", "o.yaml:13", "o.yaml:16"], "{error}");
        let text = r#"{"overlay": "1.1.0", "info": {"title": "t", "version": "1"}, "actions": [
            {"target": "$.a.b", "update": 2},
            {"target": "$.a", "x-was": 1, "update": {}}
        ]}"#;
        let error = apply(&mut document.clone(), &[Source::new("o.json", text)]).unwrap_err().to_string();
        assert!(error.starts_with("o.json:3: action 2 ($.a): "), "{error}");
    }

    #[test]
    fn what_was_is_checked() {
        let document = json!({"a": {"x": 1, "y": 2}});
        let action =
            |was: &str| run(&document, &format!("- target: $.a\n  x-was: {was}\n  update: {{z: 3}}\n"));
        assert!(action("{x: 1, z: null}").is_ok());
        let error = action("{x: 2}").unwrap_err();
        assert!(error.contains("`x-was` says 2 at /a/x, the document says 1"), "{error}");
        assert!(action("{y: null}").unwrap_err().contains("says nothing at /a/y"));
        assert!(action("{q: {}}").unwrap_err().contains("the document says nothing"));
        assert!(action("{q: {r: null, s: {t: null}}}").is_ok());
        assert!(action("{q: {r: null, s: 1}}").unwrap_err().contains("the document says nothing"));
    }

    #[test]
    fn every_action_that_does_not_fit_is_named_in_one_run() {
        let error = run(
            &json!({"a": {"x": 1}}),
            "- target: $.a\n  x-was: {x: 2, y: null}\n  update: {y: {}}\n- target: $.a.y\n  update: {z: 1}\n\
             - target: $.b\n  remove: true\n- target: $.a.y.z\n  x-was: 2\n  remove: true\n",
        )
        .unwrap_err();
        let lines: Vec<_> = error.lines().collect();
        assert_eq!(lines.len(), 3, "the second action fits, for it builds on the first: {error}");
        assert!(lines[0].contains("action 1 ($.a): `x-was` says 2"), "{error}");
        assert!(lines[1].contains("action 3 ($.b): the target matches nothing"), "{error}");
        assert!(lines[2].contains("action 4 ($.a.y.z): `x-was` says 2"), "{error}");
    }

    #[test]
    fn every_overlay_is_tried_in_one_run() {
        let head = "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions:\n";
        let run = |one: &str, other: &str| {
            let source = |name: &str, actions: &str| Source::new(name, format!("{head}{actions}"));
            let mut document = json!({"a": 1});
            let problems =
                apply(&mut document, &[source("1.yaml", one), source("2.yaml", other)]).unwrap_err();
            assert_eq!(document, json!({"a": 1}));
            problems.iter().map(|problem| problem.place().to_owned()).collect::<Vec<_>>()
        };
        // The second builds on what the first adds all the same.
        let places = run(
            "- target: $\n  x-was: {a: 2}\n  update: {b: {}}\n",
            "- target: $.b\n  update: {c: 1}\n- target: $.d\n  remove: true\n",
        );
        assert_eq!(places, ["1.yaml:4: action 1 ($)", "2.yaml:6: action 2 ($.d)"]);
        // Where one cannot be read, only what cannot be read is named.
        let places = run("- target: $\n", "- target: $.d\n  remove: true\n");
        assert_eq!(places, ["1.yaml:4: action 1 ($)"]);
    }

    #[test]
    fn every_malformed_action_is_named_in_one_run() {
        let error = run(
            &json!({}),
            "- target: $.a\n  updat: 1\n- target: '$['\n  remove: true\n- update: 1\n- target: $.b\n\
             - target: $.c\n  remove: 'yes'\n- target: $.d\n  update: 1\n  copy: $.e\n",
        )
        .unwrap_err();
        assert_eq!(error.lines().count(), 6, "{error}");
        assert!(error.contains("`updat` is not a member"), "{error}");
        assert!(error.contains("is no JSONPath query"), "{error}");
    }

    #[test]
    fn the_overlay_itself_is_checked() {
        for (text, part) in [
            ("overlay: 2.0.0\n", "is not a version"),
            ("overlay: 1.1.0\n", "`info.title` is missing"),
            ("overlay: 1.1.0\ninfo: {title: t, version: v}\n", "`actions` is missing"),
            ("overlay: 1.1.0\ninfo: {title: t, version: v}\naction: []\n", "`action` is not"),
            ("[]", "is not a version"),
        ] {
            let error = apply(&mut json!({}), &[Source::new("o.yaml", text)]).unwrap_err();
            assert!(error.to_string().contains(part), "{text:?} gave {error}");
        }
    }
}
