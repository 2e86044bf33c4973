//! Corrects upstream's description where it contradicts statements of the overlays that are based on evidence.
//!
//! The absence of a keyword counts as a statement if it does in JSON Schema (no type means any type, and a member that is not required may
//! be absent). Everything that upstream adds to the overlays is accepted: another property, a limit, another variant.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use suprsend_codegen::Pointer;

use super::{
    evidence::{Evidence, Reason},
    places::{is_operation, resolve},
    references::written_out,
};
use crate::spec::{
    diff::{Change, Compared, Kind, Side},
    overlays::query,
};

/// Keywords whose absence has a meaning, too.
const SHAPE: [&str; 11] = [
    "type",
    "nullable",
    "const",
    "enum",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "additionalProperties",
    "items",
    "prefixItems",
];
/// Keywords that only add to the rest. If either upstream or the overlays lack them, nothing is contradicted.
const LIMITS: [&str; 15] = [
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contentEncoding",
];

/// Returns whether upstream states less, or something else, after such a change from the overlay's description to upstream's.
pub(super) fn contradicts(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ParameterRemoved
            | Kind::ParameterRequired
            | Kind::ParameterMoved
            | Kind::SerialisationChanged
            | Kind::BodyRemoved
            | Kind::BodyOptional
            | Kind::BodyRequired
            | Kind::MediaTypeRemoved
            | Kind::StatusRemoved
            | Kind::PropertyRemoved
            | Kind::PropertyRequired
            | Kind::PropertyOptional
            | Kind::AccessChanged
            | Kind::ExtraRemoved
            | Kind::ExtraForbidden
            | Kind::TypeChanged
            | Kind::TypeNarrowed
            | Kind::NullRemoved
            | Kind::FormatChanged
            | Kind::EnumRemoved
            | Kind::EnumValueRemoved
            | Kind::VariantRemoved
            | Kind::UnionRemoved
            | Kind::UnionKindChanged
            | Kind::Loosened
            | Kind::ConstraintChanged
            | Kind::TupleChanged
            | Kind::KeywordChanged
    )
}

/// A change of one place.
struct Pending {
    steps: Vec<query::Step>,
    /// The action without its target.
    action: Map<String, Value>,
}

/// The steps to several places.
type Places = Vec<Vec<query::Step>>;

/// The corrections, and the resulting document.
pub(super) struct Kept<'a> {
    /// The previous document, with its overlays.
    pub(super) before: &'a Value,
    /// Upstream's document without overlays.
    pub(super) base: &'a Value,
    now: Value,
    actions: Vec<Value>,
    /// Changes of single places that are not yet written, because equal ones become one action.
    pending: Vec<Pending>,
    /// The places that have been corrected.
    done: BTreeSet<Pointer>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(before: &'a Value, base: &'a Value, now: Value) -> Self {
        Self { before, base, now, actions: Vec::new(), pending: Vec::new(), done: BTreeSet::new() }
    }

    pub(super) fn now(&self) -> &Value {
        &self.now
    }

    pub(super) fn count(&self) -> usize {
        self.actions.len() + self.pending.len()
    }

    pub(super) fn actions(mut self) -> Vec<Value> {
        self.flush();
        self.actions
    }

    /// Writes the pending changes. Removals come first, so that an update finds its place as it states.
    pub(super) fn flush(&mut self) {
        let (removals, updates): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| pending.action.contains_key("remove"));
        for group in [removals, updates] {
            let mut alike: Vec<(Map<String, Value>, Places)> = Vec::new();
            for pending in group {
                match alike.iter_mut().find(|(action, _)| *action == pending.action) {
                    Some((_, places)) => places.push(pending.steps),
                    None => alike.push((pending.action, vec![pending.steps])),
                }
            }
            for (action, places) in alike {
                for steps in query::united(&places) {
                    let mut whole = Map::from_iter([("target".to_owned(), query::from_steps(&steps).into())]);
                    whole.extend(action.clone());
                    self.actions.push(Value::Object(whole));
                }
            }
        }
    }

    /// Returns whether a place has not been corrected yet. From then on, it counts as corrected.
    pub(super) fn once(&mut self, place: &Pointer) -> bool {
        self.done.insert(place.clone())
    }

    /// Corrects what upstream contradicts despite evidence, and changes of operations that it does not describe.
    pub(super) fn contradictions(&mut self, pairs: &[Compared], evidence: &Evidence) {
        for pair in pairs {
            let (Some(old), Some(new)) = (&pair.old, &pair.new) else { continue };
            let own = new.get(self.base).is_none();
            for change in pair.changes.iter().filter(|change| contradicts(change.kind) || own) {
                let reason = if own {
                    let text =
                        "An operation that upstream does not describe refers to it, and keeps what it was.";
                    let action = String::new();
                    Some(Reason { action, text: text.to_owned(), source: None })
                } else {
                    self.reason(old, change, evidence)
                };
                let Some(reason) = reason else { continue };
                let reason = Why::new(reason, change);
                match &change.schemas {
                    Some((old, new)) => self.schema(old, new, &reason),
                    None => self.operation((old, new), change, &reason),
                }
            }
        }
    }

    pub(super) fn reason(&self, operation: &Pointer, change: &Change, evidence: &Evidence) -> Option<Reason> {
        let mut places = Vec::new();
        if change.side == Side::Old {
            places.push(change.pointer.clone());
        }
        if let Some((old, _)) = &change.schemas {
            places.extend([resolve(self.before, old), old.clone()]);
        }
        if change.schemas.is_none() {
            // Declarations that an operation leaves to a component still concern the operation.
            places.push(operation.clone());
        }
        places.iter().find_map(|place| evidence.reason(place))
    }

    /// Makes upstream's schema equal to the overlay's, except for its additions.
    fn schema(&mut self, old: &Pointer, new: &Pointer, why: &Why) {
        let (from, to) = (resolve(self.before, old), resolve(&self.now, new));
        let Some(wanted) = from.get(self.before).cloned() else { return };
        let Some(found) = to.get(&self.now).cloned() else { return };
        if !self.once(&to) {
            return;
        }
        let (Value::Object(wanted), Value::Object(found)) = (&wanted, &found) else {
            return self.put(&to, &wanted, why);
        };
        // If schemas are combined, it is unknown which part to correct.
        let whole = found.contains_key("allOf") && !wanted.contains_key("allOf");
        let mut update = Map::new();
        for keyword in SHAPE {
            let (one, other) = (wanted.get(keyword), found.get(keyword).filter(|value| !value.is_null()));
            if same(keyword, one, other)
                || (one.is_none() && matches!(keyword, "additionalProperties" | "items"))
            {
                continue;
            }
            let apart = |value: Option<&Value>| value.is_some_and(Value::is_object);
            let lists = |value: Option<&Value>| value.and_then(Value::as_array).map(Vec::len);
            let parts = matches!(keyword, "additionalProperties" | "items") && apart(one) && apart(other);
            let alternatives = matches!(keyword, "oneOf" | "anyOf" | "allOf" | "prefixItems")
                && lists(one).is_some()
                && lists(one) == lists(other);
            if (parts || alternatives) && !whole {
                // They are compared separately.
                continue;
            }
            self.set(&to, keyword, one, &mut update, why);
        }
        for keyword in LIMITS {
            if let Some(value) = wanted.get(keyword)
                && found.get(keyword) != Some(value)
            {
                self.set(&to, keyword, Some(value), &mut update, why);
            }
        }
        self.properties(&to, (wanted, found), whole, &mut update, why);
        self.update(&to, update, why);
    }

    fn properties(
        &mut self,
        to: &Pointer,
        (wanted, found): (&Map<String, Value>, &Map<String, Value>),
        whole: bool,
        update: &mut Map<String, Value>,
        why: &Why,
    ) {
        let none = Map::new();
        let members = |schema: &'_ Map<String, Value>| {
            schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
        };
        let (ours, theirs) = (members(wanted), if whole { none.clone() } else { members(found) });
        let missing: Map<String, Value> = ours
            .iter()
            .filter(|(name, _)| !theirs.contains_key(*name))
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect();
        if !missing.is_empty() {
            if found.get("properties").is_some_and(|value| !value.is_object()) {
                self.remove(&to.child("properties"), why);
            }
            update.insert("properties".to_owned(), Value::Object(missing));
        }
        let names = |schema: &Map<String, Value>| -> Vec<Value> {
            schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (need, has) = (names(wanted), names(found));
        let own = |name: &&Value| {
            name.as_str().is_some_and(|name| !ours.contains_key(name) && theirs.contains_key(name))
        };
        let mut all = need.clone();
        all.extend(has.iter().filter(own).filter(|name| !need.contains(name)).cloned());
        if has.iter().all(|name| all.contains(name)) {
            let more: Vec<Value> = all.into_iter().filter(|name| !has.contains(name)).collect();
            if !more.is_empty() {
                update.insert("required".to_owned(), more.into());
            }
        } else {
            let all = (!all.is_empty()).then(|| Value::from(all));
            self.set(to, "required", all.as_ref(), update, why);
        }
    }

    /// Sets a keyword to another value. The existing value is removed by a separate action, unless an update replaces it.
    fn set(
        &mut self,
        at: &Pointer,
        key: &str,
        value: Option<&Value>,
        update: &mut Map<String, Value>,
        why: &Why,
    ) {
        let place = at.child(key);
        let found = place.get(&self.now);
        let scalar = |value: &Value| !value.is_object() && !value.is_array();
        let replaced = value.is_some_and(scalar) && found.is_some_and(scalar);
        if found.is_some() && !replaced {
            self.remove(&place, why);
        }
        if let Some(value) = value {
            update.insert(key.to_owned(), value.clone());
        }
    }

    /// Replaces a value.
    pub(super) fn put(&mut self, place: &Pointer, value: &Value, why: &Why) {
        let parent = place.parent().unwrap_or_default();
        if parent.get(&self.now).is_some_and(Value::is_array) {
            // An element keeps its place in the list.
            let members: Vec<Pointer> = place
                .get(&self.now)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(key, _)| place.child(key))
                .collect();
            for member in &members {
                self.remove(member, why);
            }
            if let Value::Object(members) = value {
                self.update(place, members.clone(), why);
            }
            return;
        }
        // States the whole value, so that every upstream change of it is noticed.
        self.remove_stating(place, why, usize::MAX);
        self.update(&parent, Map::from_iter([(place.last(), value.clone())]), why);
    }

    /// Corrects the declarations of an operation outside of schemas.
    fn operation(&mut self, (old, new): (&Pointer, &Pointer), change: &Change, why: &Why) {
        // Elements of a list are removed one after another.
        self.flush();
        match change.kind {
            Kind::ParameterRemoved
            | Kind::ParameterRequired
            | Kind::ParameterMoved
            | Kind::SerialisationChanged => {
                self.parameter(old, new, change, why);
            }
            Kind::BodyRemoved if change.request => self.part(old, new, &["requestBody"], why),
            Kind::BodyOptional | Kind::BodyRequired => {
                let (from, to) = (old.child("requestBody"), new.child("requestBody"));
                let required = resolve(self.before, &from).child("required");
                let value = required.get(self.before).cloned().unwrap_or(Value::Bool(false));
                let to = resolve(&self.now, &to);
                if self.once(&to.child("required")) {
                    self.update(&to, Map::from_iter([("required".to_owned(), value)]), why);
                }
            }
            Kind::StatusRemoved | Kind::BodyRemoved => {
                let tokens = change.pointer.tokens();
                // A response may be a component, which the operation refers to under a status.
                let inside = old.contains(&change.pointer).then(|| tokens.get(4).cloned()).flatten();
                if let Some(status) = inside {
                    self.part(old, new, &["responses", &status], why);
                }
            }
            _ => {}
        }
        self.flush();
    }

    /// Copies a part of an operation.
    fn part(&mut self, old: &Pointer, new: &Pointer, steps: &[&str], why: &Why) {
        let below = |place: &Pointer| steps.iter().fold(place.clone(), |place, step| place.child(step));
        let (from, to) = (below(old), below(new));
        let Some(value) = from.get(self.before).cloned() else { return };
        if !self.once(&to) {
            return;
        }
        // The innermost place that exists.
        let mut place = to;
        let mut value = value;
        while place.parent().is_some_and(|parent| parent.get(&self.now).is_none()) {
            value = json!({ place.last(): value });
            place = place.parent().unwrap_or_default();
        }
        if place.get(&self.now).is_some() {
            return self.put(&place, &value, why);
        }
        let parent = place.parent().unwrap_or_default();
        self.update(&parent, Map::from_iter([(place.last(), value)]), why);
    }

    fn parameter(&mut self, old: &Pointer, new: &Pointer, change: &Change, why: &Why) {
        let list = |document: &Value, operation: &Pointer| -> Vec<(Pointer, Value)> {
            let item = operation.parent().unwrap_or_default();
            let places = [operation.child("parameters"), item.child("parameters")];
            let all = places.iter().flat_map(|place| {
                let count = place.get(document).and_then(Value::as_array).map_or(0, Vec::len);
                (0..count).map(|index| place.child(index))
            });
            all.filter_map(|place| Some((place.clone(), resolve(document, &place).get(document)?.clone())))
                .collect()
        };
        let changed = if change.side == Side::Old {
            change.pointer.get(self.before)
        } else {
            change.pointer.get(&self.now)
        };
        let Some(changed) = changed.cloned() else { return };
        let (ours, theirs) = (list(self.before, old), list(&self.now, new));
        let is = |it: &Value| it["name"] == changed["name"];
        let Some((from, _)) = ours.iter().find(|(_, it)| is(it)) else { return };
        let Some(value) = from.get(self.before).cloned() else { return };
        let at = new.child("parameters");
        if !self.once(&at.child(changed["name"].as_str().unwrap_or_default())) {
            return;
        }
        if let Some((place, _)) = theirs.iter().find(|(_, it)| is(it)) {
            let place = place.clone();
            self.remove(&place, why);
            self.flush();
        }
        self.update(new, Map::from_iter([("parameters".to_owned(), json!([value]))]), why);
    }

    /// Writes an action that merges members into an object.
    pub(super) fn update(&mut self, target: &Pointer, members: Map<String, Value>, why: &Why) {
        if members.is_empty() {
            return;
        }
        let update = written_out(&Value::Object(members), &self.now, self.before, 0);
        let was = was(&update, target.get(&self.now));
        self.act(target, why, json!({"x-was": was, "update": update}));
        if let Some(slot) = target.get_mut(&mut self.now) {
            merge(slot, &update);
        }
    }

    pub(super) fn remove(&mut self, target: &Pointer, why: &Why) {
        self.remove_stating(target, why, 2);
    }

    /// Removes something, stating its old value down to a depth.
    fn remove_stating(&mut self, target: &Pointer, why: &Why, depth: usize) {
        let was = target.get(&self.now).map_or(Value::Null, |value| outline(value, depth));
        self.act(target, why, json!({"x-was": was, "remove": true}));
        self.take(target);
    }

    /// Removes something from the document without an action.
    pub(super) fn take(&mut self, target: &Pointer) {
        match target.parent().unwrap_or_default().get_mut(&mut self.now) {
            Some(Value::Object(members)) => {
                members.shift_remove(&target.last());
            }
            Some(Value::Array(items)) => {
                if let Some(index) = target.last().parse().ok().filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }

    fn act(&mut self, target: &Pointer, why: &Why, change: Value) {
        let steps = query::steps(&self.now, target);
        self.pending.push(Pending { steps, action: why.action(change) });
    }

    /// Writes an action unchanged.
    pub(super) fn write(&mut self, target: &str, why: &Why, change: Value) {
        self.flush();
        let mut action = Map::from_iter([("target".to_owned(), target.into())]);
        action.extend(why.action(change));
        self.actions.push(Value::Object(action));
    }

    /// Returns the document, to apply the effect of an action that was written unchanged.
    pub(super) fn now_mut(&mut self) -> &mut Value {
        &mut self.now
    }
}

/// The reason for a correction.
pub(super) struct Why {
    reason: Reason,
    /// Upstream's different statement.
    change: String,
}

impl Why {
    /// Creates the reason for rejecting a change.
    pub(super) fn new(reason: Reason, change: &Change) -> Self {
        Self { reason, change: change.message.clone() }
    }

    /// Creates a reason that does not come from an action.
    pub(super) fn own(text: &str) -> Self {
        Self {
            reason: Reason { action: String::new(), text: text.to_owned(), source: None },
            change: String::new(),
        }
    }

    /// Returns the members of an action with this reason, except its target.
    fn action(&self, change: Value) -> Map<String, Value> {
        let mut action = Map::from_iter([("description".to_owned(), self.description().into())]);
        if let Some(source) = &self.reason.source {
            action.insert("x-source".to_owned(), source.as_str().into());
        }
        if let Value::Object(change) = change {
            action.extend(change);
        }
        action
    }

    fn description(&self) -> String {
        let Reason { action, text, .. } = &self.reason;
        if action.is_empty() {
            return text.clone();
        }
        let change = self.change.split_whitespace().collect::<Vec<_>>().join(" ");
        // Without the line, which will change soon, and the target, which may be long.
        let file = action.split(':').next().unwrap_or_default();
        format!(
            "{text} (Carried over from {file} when upstream published its description, by which this is otherwise: {change}.)"
        )
    }
}

/// Returns whether two values of a keyword are equivalent.
fn same(keyword: &str, one: Option<&Value>, other: Option<&Value>) -> bool {
    let names = |value: &Value| -> BTreeSet<String> {
        let all = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        all.iter().map(Value::to_string).collect()
    };
    match (one, other) {
        (Some(one), Some(other)) if matches!(keyword, "type" | "enum") => names(one) == names(other),
        (None, Some(Value::Bool(false))) if keyword == "nullable" => true,
        (one, other) => one == other,
    }
}

/// Returns what an update relies on: the values that it replaces, and the absence of the rest.
fn was(update: &Value, found: Option<&Value>) -> Value {
    match (update, found) {
        (_, None) => Value::Null,
        (Value::Object(update), Some(found @ Value::Object(_))) => {
            update.iter().map(|(key, update)| (key.clone(), was(update, found.get(key)))).collect()
        }
        (_, Some(found)) => outline(found, 2),
    }
}

/// Returns the part of a value that a statement about it must contain: its scalars, and those of nested objects down to a depth. Prose is
/// irrelevant. Lists are stated as a whole, so lists of objects are left out because of the prose in them.
fn outline(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(members) => {
            let told = members.iter().filter(|(key, value)| match value {
                // A property may have the name of a keyword.
                Value::String(_) => !matches!(key.as_str(), "description" | "summary" | "example"),
                Value::Object(_) => depth > 0 && !matches!(key.as_str(), "example" | "examples"),
                Value::Array(items) => {
                    *key != "examples" && !items.iter().any(|item| item.is_object() || item.is_array())
                }
                _ => *key != "example",
            });
            let told = told.map(|(key, value)| (key.clone(), outline(value, depth.saturating_sub(1))));
            told.filter(|(_, value)| !value.as_object().is_some_and(Map::is_empty)).collect()
        }
        other => other.clone(),
    }
}

/// Merges an update into an object.
pub(super) fn merge(slot: &mut Value, update: &Value) {
    match (slot, update) {
        (Value::Object(members), Value::Object(update)) => {
            for (key, value) in update {
                match members.get_mut(key) {
                    Some(slot) => merge(slot, value),
                    None => {
                        members.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(items), Value::Array(more)) => items.extend(more.iter().cloned()),
        (slot, value) => *slot = value.clone(),
    }
}

/// Returns whether a change concerns a name; names are always kept.
pub(super) fn is_name(change: &Change) -> bool {
    matches!(change.kind, Kind::TypeRenamed | Kind::OperationRenamed)
}

/// Returns the operations in a list of pairs that exist in both documents.
pub(super) fn both(pairs: &[Compared]) -> impl Iterator<Item = (&Pointer, &Pointer, &Compared)> {
    pairs
        .iter()
        .filter_map(|pair| Some((pair.old.as_ref()?, pair.new.as_ref().filter(|it| is_operation(it))?, pair)))
}
