//! Applies the operations of an edit to a profile.

use serde_json::{Map, Number, Value, json};

use super::profiles::{ABOUT_PUSH, Keys, PUSH, Profile, entry, merge};
use crate::document::Problem;

/// The members of an operation, in the order in which they are performed. SuprSend's SDKs send `$add` where the document has `$increment`.
const MEMBERS: [&str; 7] = ["$set", "$set_once", "$increment", "$add", "$append", "$remove", "$unset"];

/// Performs all operations in order. If that fails, returns the problems, and the profile may be partly changed.
pub(super) fn apply(profile: &mut Profile, keys: &Keys, operations: &[Value]) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let place = |name: &str| format!("operations[{index}].{name}");
        for name in operation.as_object().into_iter().flat_map(Map::keys) {
            if !MEMBERS.contains(&name.as_str()) {
                problems.push(Problem { field: place(name), what: "is no operation".into() });
            }
        }
        for (name, members) in MEMBERS.iter().filter_map(|name| Some((*name, operation.get(name)?))) {
            let mut step = Step { profile, keys, place: place(name), problems: Vec::new() };
            match (name, members) {
                ("$set", Value::Object(members)) => step.set(members, true),
                ("$set_once", Value::Object(members)) => step.set(members, false),
                ("$append", Value::Object(members)) => step.values(members, Step::append),
                ("$remove", Value::Object(members)) => step.values(members, Step::remove),
                ("$unset", Value::Array(names)) => {
                    names.iter().filter_map(Value::as_str).for_each(|name| step.unset(name));
                }
                ("$increment" | "$add", Value::Object(members)) => step.increment(members),
                _ => step.problem("", "is of another type than the operation takes"),
            }
            problems.append(&mut step.problems);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

struct Step<'a> {
    profile: &'a mut Profile,
    keys: &'a Keys,
    place: String,
    problems: Vec<Problem>,
}

impl Step<'_> {
    fn problem(&mut self, member: &str, what: &str) {
        let field = if member.is_empty() { self.place.clone() } else { format!("{}.{member}", self.place) };
        self.problems.push(Problem { field, what: what.to_owned() });
    }

    fn set(&mut self, members: &Map<String, Value>, again: bool) {
        for (name, value) in members {
            let about_push = ABOUT_PUSH.iter().any(|(key, _)| key == name);
            if name.starts_with('$') && (about_push || !self.keys.is_reserved(name)) {
                self.problem(name, "is no property; custom properties may not start with `$`");
            } else if again || !self.profile.properties.contains_key(name) {
                self.profile.properties.insert(name.clone(), value.clone());
            }
        }
    }

    /// Applies a change for each address or element.
    fn values(&mut self, members: &Map<String, Value>, change: fn(&mut Self, &str, Value, &[(&str, Value)])) {
        let said = |(key, member): &(&str, &'static str)| {
            let value = members.get(*key).filter(|value| !value.is_null())?;
            Some((*member, value.clone()))
        };
        let about: Vec<_> = ABOUT_PUSH.iter().filter_map(said).collect();
        let is_about = |name: &String| ABOUT_PUSH.iter().any(|(key, _)| key == name);
        for (name, value) in members.iter().filter(|(name, _)| !is_about(name)) {
            if name.starts_with('$') && !self.keys.is_channel(name) {
                self.problem(name, "is no channel; custom properties may not start with `$`");
            } else {
                change(self, name, value.clone(), if name.ends_with(PUSH) { &about } else { &[] });
            }
        }
    }

    fn append(&mut self, name: &str, value: Value, about: &[(&str, Value)]) {
        if self.keys.is_channel(name) {
            let entry = entry(name, value, about);
            merge(self.profile.channels.entry(name.to_owned()).or_default(), [entry].into_iter());
            return;
        }
        match self.profile.properties.entry(name).or_insert_with(|| json!([])) {
            Value::Array(elements) => elements.push(value),
            _ => self.problem(name, "is no list, so nothing can be appended to it"),
        }
    }

    fn remove(&mut self, name: &str, value: Value, _about: &[(&str, Value)]) {
        if self.keys.is_channel(name) {
            let gone = entry(name, value, &[]);
            if let Some(entries) = self.profile.channels.get_mut(name) {
                entries.retain(|entry| entry["value"] != gone["value"]);
            }
            return;
        }
        match self.profile.properties.get_mut(name) {
            Some(Value::Array(elements)) => elements.retain(|element| *element != value),
            Some(_) => self.problem(name, "is no list, so nothing can be removed from it"),
            None => {}
        }
    }

    fn unset(&mut self, name: &str) {
        self.profile.channels.remove(name);
        self.profile.properties.remove(name);
    }

    fn increment(&mut self, members: &Map<String, Value>) {
        for (name, by) in members {
            let now = self.profile.properties.get(name).cloned().unwrap_or_else(|| json!(0));
            match sum(&now, by) {
                _ if name.starts_with('$') => self.problem(name, "is no custom property"),
                Some(sum) => {
                    self.profile.properties.insert(name.clone(), sum.into());
                }
                None => self.problem(name, "is no number, or what is added to it is none"),
            }
        }
    }
}

/// Adds two numbers. Whole numbers stay whole while they fit.
fn sum(a: &Value, b: &Value) -> Option<Number> {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64())
        && let Some(sum) = a.checked_add(b)
    {
        return Some(sum.into());
    }
    Number::from_f64(a.as_f64()? + b.as_f64()?)
}
