//! Mutates the evidence about the compiled code (the schemas of its types, their behaviour with instances, the requests of the client), and
//! the ledger.

use serde_json::{Map, Value, json};

use super::{
    LeftOut, Own,
    matrix::{Said, Side, Trial},
};
use crate::{
    behaviour::{Effort, Specimens},
    check::{Evidence, Report},
    code::Code,
    compare::{Compared, Pair},
    compiled::verify_type,
    document::Document,
    finding::{Comparison, Difference},
    ledger::Ledger,
    output,
    pointer::Pointer,
    specs::{self, Constants},
};

/// A change of a JSON value by one of these operators, at a place.
struct Altered {
    operator: &'static str,
    at: Pointer,
    value: Value,
}

fn first(ledger: &Ledger, differences: &[Difference], done: &[Comparison]) -> Said {
    let (findings, _) = ledger.settle(differences, done);
    findings.first().map_or(Said::Nothing, |first| Said::Found(output::line(first)))
}

/// Mutates the compiled types, so that they differ from the source.
pub(super) fn compiled(code: &Code, ledger: &Ledger, own: Own<'_>, left_out: &LeftOut) -> Vec<Trial> {
    let mut trials = constants(code, ledger, own.constants, left_out);
    let mut work = Vec::new();
    for (contract, types) in own.definitions {
        for (name, schema) in types {
            work.push(("type gone", *contract, name.as_str(), name.clone(), None));
            work.push(("type not in the source", *contract, "DriftNew", name.clone(), Some(schema.clone())));
            let mut altered = Vec::new();
            alter_schema(schema, schema, &Pointer::root(), &mut altered);
            let altered = altered.into_iter();
            work.extend(altered.map(|Altered { operator, at, value }| {
                (operator, *contract, name.as_str(), format!("{name}{at}"), Some(value))
            }));
        }
    }
    for (operator, contract, name, place, changed) in
        super::sampled(work, left_out, |(operator, ..)| operator)
    {
        let differences: Vec<Difference> =
            verify_type(code, contract, name, changed.as_ref()).into_iter().collect();
        let said = first(ledger, &differences, &[]);
        trials.push(Trial { side: Side::Compiled, operator, place, note: format!("{contract:?}"), said });
    }
    trials
}

/// Mutates the compiled constants, so that they differ from the source.
fn constants(code: &Code, ledger: &Ledger, constants: &Constants, left_out: &LeftOut) -> Vec<Trial> {
    let mut work = Vec::new();
    for (id, spec) in constants {
        work.push(("constant gone", id, String::new(), None));
        let mut altered = Vec::new();
        alter_data(spec, spec, &Pointer::root(), &mut altered);
        work.extend(
            altered
                .into_iter()
                .map(|Altered { operator, at, value }| (operator, id, at.to_string(), Some(value))),
        );
    }
    super::shared_out(
        &super::sampled(work, left_out, |(operator, ..)| operator),
        |(operator, id, at, value)| {
            let operation =
                code.operations.iter().filter(|operation| operation.id == **id).cloned().collect();
            let alone = Code { operations: operation, rules: code.rules.clone(), ..Code::default() };
            let changed = value.iter().map(|value| ((*id).clone(), value.clone())).collect();
            let said = first(ledger, &specs::verify(&alone, &changed), &[]);
            Trial { side: Side::Compiled, operator, place: format!("{id}{at}"), note: String::new(), said }
        },
    )
}

/// Changes every value of a constant.
fn alter_data(whole: &Value, here: &Value, at: &Pointer, altered: &mut Vec<Altered>) {
    let other = match here {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| alter_data(whole, value, &at.child(name), altered));
            return;
        }
        Value::Array(values) if !values.is_empty() => {
            values
                .iter()
                .enumerate()
                .for_each(|(index, value)| alter_data(whole, value, &at.element(index), altered));
            json!(values[1..])
        }
        Value::Array(_) => json!(["drift"]),
        Value::Null | Value::Number(_) => json!("drift"),
        Value::Bool(value) => json!(!value),
        Value::String(text) => json!(format!("{text}drift")),
    };
    let mut value = whole.clone();
    if let Some(place) = at.get_mut(&mut value) {
        *place = other;
    }
    altered.push(Altered { operator: "constant of another value", at: at.clone(), value });
}

/// Makes every change of a schema in the form that `schemars` writes.
fn alter_schema(whole: &Value, here: &Value, at: &Pointer, altered: &mut Vec<Altered>) {
    let Value::Object(members) = here else { return };
    let mut push = |operator, changed: Map<String, Value>| {
        let mut value = whole.clone();
        if let Some(place) = at.get_mut(&mut value) {
            *place = changed.into();
        }
        altered.push(Altered { operator, at: at.clone(), value });
    };
    for keyword in
        ["type", "format", "$ref", "const", "pattern", "minimum", "maximum", "minItems", "maxItems"]
    {
        let Some(known) = members.get(keyword) else { continue };
        let mut changed = members.clone();
        let other = match known {
            Value::Number(_) => json!(77),
            Value::Array(_) => json!("boolean"),
            known if *known == "boolean" => json!("string"),
            _ if keyword == "type" => json!("boolean"),
            _ if keyword == "$ref" => json!("#/$defs/DriftNew"),
            _ => json!("drift"),
        };
        changed.insert(keyword.to_owned(), other);
        push("keyword of another value", changed);
    }
    for keyword in ["anyOf", "oneOf", "enum", "required"] {
        let Some(Value::Array(values)) = members.get(keyword) else { continue };
        for index in 0..values.len() {
            let mut values = values.clone();
            values.remove(index);
            let mut changed = members.clone();
            changed.insert(keyword.to_owned(), values.into());
            push("one of a list removed", changed);
        }
        if matches!(keyword, "anyOf" | "oneOf") && values.len() > 1 {
            let mut changed = members.clone();
            changed.insert(keyword.to_owned(), values.iter().rev().cloned().collect());
            push("variants reordered", changed);
        }
    }
    let open = members.get("additionalProperties").is_some_and(|open| *open == Value::Bool(true));
    let mut changed = members.clone();
    changed.insert("additionalProperties".to_owned(), Value::Bool(!open));
    push("unknown keys", changed);
    let Some(Value::Object(properties)) = members.get("properties") else {
        return below(whole, members, at, altered);
    };
    for name in properties.keys() {
        let renamed = properties.iter().map(|(known, schema)| {
            (if known == name { "drift_new".to_owned() } else { known.clone() }, schema.clone())
        });
        let kept = properties.iter().filter(|(known, _)| *known != name);
        let removed = kept.map(|(known, schema)| (known.clone(), schema.clone()));
        let both =
            [("property renamed", renamed.collect::<Map<_, _>>()), ("property removed", removed.collect())];
        for (operator, properties) in both {
            let mut changed = members.clone();
            changed.insert("properties".to_owned(), properties.into());
            push(operator, changed);
        }
    }
    below(whole, members, at, altered);
}

fn below(whole: &Value, members: &Map<String, Value>, at: &Pointer, altered: &mut Vec<Altered>) {
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (name, schema) in properties {
                    alter_schema(whole, schema, &at.child(keyword).child(name), altered);
                }
            }
            ("anyOf" | "oneOf", Value::Array(variants)) => {
                for (index, schema) in variants.iter().enumerate() {
                    alter_schema(whole, schema, &at.child(keyword).element(index), altered);
                }
            }
            ("items" | "additionalProperties", schema) => {
                alter_schema(whole, schema, &at.child(keyword), altered);
            }
            _ => {}
        }
    }
}

/// A function that changes the output of a type, given its input and what the original type would write.
type Broken<'b> = dyn Fn(&Value, Result<Value, String>) -> Result<Value, String> + Sync + 'b;

/// A type, and what has been done to it.
struct Breaker<'b, 'a> {
    document: &'b Document<'a>,
    compared: &'b Compared<'a>,
    pair: &'b Pair<'a>,
    evidence: &'b Evidence<'b>,
    specimens: Specimens,
    trials: Vec<Trial>,
}

impl Breaker<'_, '_> {
    fn broken(&mut self, operator: &'static str, note: &str, broken: &Broken<'_>) {
        let codecs = |name: &str, text: &str| {
            let read = serde_json::from_str(text).unwrap_or_default();
            Some(broken(&read, self.evidence.codecs.read(name, text)?))
        };
        let found = self.specimens.first(self.document, self.compared, self.pair, &codecs);
        let said = first(self.evidence.ledger, &found.into_iter().collect::<Vec<_>>(), &[]);
        let (place, note) = (self.pair.name.clone(), note.to_owned());
        self.trials.push(Trial { side: Side::Behaviour, operator, place, note, said });
    }
}

/// Mutates the behaviour of the types with instances.
pub(super) fn behaviour(
    document: &Document<'_>,
    compared: &Compared<'_>,
    evidence: &Evidence<'_>,
    effort: Effort,
) -> Vec<Trial> {
    let done =
        super::shared_out(&compared.pairs, |pair| pair_trials(document, compared, pair, evidence, effort));
    done.into_iter().flatten().collect()
}

fn pair_trials<'a>(
    document: &Document<'a>,
    compared: &Compared<'a>,
    pair: &Pair<'a>,
    evidence: &Evidence<'_>,
    effort: Effort,
) -> Vec<Trial> {
    let Some(specimens) = Specimens::new(document, pair, effort) else { return Vec::new() };
    let mut of = Breaker { document, compared, pair, evidence, specimens, trials: Vec::new() };
    of.broken("refuses everything", "", &|_, _| Err("broken".to_owned()));
    of.broken("takes everything", "", &|read, _| Ok(read.clone()));
    of.broken("writes null", "", &|_, written| written.map(|_| Value::Null));
    of.broken("writes text", "", &|_, written| written.map(|written| written.to_string().into()));
    let schema = &evidence.types["$defs"][&pair.name];
    let properties = schema["properties"].as_object();
    if properties.is_some() {
        of.broken("writes another key", "", &|_, written| {
            written.map(|written| with(written, "drift_new", Some(json!(["drift"]))))
        });
    }
    for name in properties.into_iter().flatten().map(|(name, _)| name.as_str()) {
        of.broken("loses a property", name, &|_, written| written.map(|written| with(written, name, None)));
        of.broken("refuses a property", name, &|read, written| {
            if read.get(name).is_some() { Err("broken".to_owned()) } else { written }
        });
        of.broken("writes another value", name, &|_, written| {
            written.map(|written| match written.get(name) {
                Some(known) if !known.is_null() => with(written, name, Some(json!({"drift": ["new"]}))),
                _ => written,
            })
        });
        of.broken("writes another name", name, &|_, written| {
            written.map(|written| match written.get(name).cloned() {
                Some(known) => with(with(written, name, None), "drift_new", Some(known)),
                None => written,
            })
        });
    }
    if schema["additionalProperties"] == Value::Bool(true) {
        of.broken("loses unknown keys", "", &|_, written| {
            written.map(|written| match written {
                Value::Object(mut members) => {
                    members.retain(|key, _| properties.is_some_and(|known| known.contains_key(key)));
                    members.into()
                }
                other => other,
            })
        });
    }
    of.trials
}

/// Returns an object with another value of one member, or without it.
fn with(mut object: Value, name: &str, value: Option<Value>) -> Value {
    if let Value::Object(members) = &mut object {
        match value {
            Some(value) => drop(members.insert(name.to_owned(), value)),
            None => drop(members.shift_remove(name)),
        }
    }
    object
}

/// Mutates the ledger, so that it accepts too little, something else, or too much.
pub(super) fn ledger(report: &Report, ledger: &Ledger, left_out: &LeftOut) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (kind, place) in super::sampled(ledger.keys().collect(), left_out, |(kind, _)| kind.name()) {
        let nowhere = place.child("drift_new");
        let changed = [
            ("entry deleted", ledger.without(kind, place)),
            ("entry with another hash", ledger.with(kind, place.clone(), "000000000000")),
            (
                "entry at another place",
                ledger.without(kind, place).with(kind, nowhere.clone(), "000000000000"),
            ),
            ("stale entry", ledger.with(kind, nowhere, "000000000000")),
        ];
        for (operator, changed) in changed {
            let said = first(&changed, &report.differences, &Comparison::ALL);
            let (place, note) = (place.to_string(), kind.name().to_owned());
            trials.push(Trial { side: Side::Ledger, operator, place, note, said });
        }
    }
    trials
}
