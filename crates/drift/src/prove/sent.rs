//! Changes of the recorded requests of operations.

use serde_json::{Value, json};

use super::{
    LeftOut,
    matrix::{Said, Side, Trial},
};
use crate::{
    check::{Evidence, OF_FACTS},
    compare::Compared,
    document::Document,
    finding::Comparison,
    output,
    wire::{self, Call, Request, Wire},
};

/// Changes the recording of each call.
pub(super) fn trials(
    document: &Document<'_>,
    compared: &Compared<'_>,
    evidence: &Evidence<'_>,
    left_out: &LeftOut,
) -> Vec<Trial> {
    let mut wires: Vec<(&'static str, String, String, Wire)> = Vec::new();
    for (name, call) in &evidence.wire.0 {
        for (operator, note, changed) in call_changes(call) {
            let mut wire = evidence.wire.clone();
            match changed {
                Some(changed) => drop(wire.0.insert(name.clone(), changed)),
                None => drop(wire.0.remove(name)),
            }
            wires.push((operator, name.clone(), note, wire));
        }
    }
    let wires = super::sampled(wires, left_out, |(operator, ..)| operator);
    super::shared_out(&wires, |(operator, place, note, wire)| {
        let mut differences = compared.differences.clone();
        differences.extend(wire::compare(document, evidence.code, compared, wire, &|_, _| true, &|own| {
            own.name == *place
        }));
        let done = [OF_FACTS.as_slice(), &[Comparison::Wire]].concat();
        let (findings, _) = evidence.ledger.settle(&differences, &done);
        let said = findings.first().map_or(Said::Nothing, |first| Said::Found(output::line(first)));
        Trial { side: Side::Wire, operator, place: place.clone(), note: note.clone(), said }
    })
}

/// Makes every change of one call; `None` means no call at all.
fn call_changes(call: &Call) -> Vec<(&'static str, String, Option<Call>)> {
    let none = String::new;
    let mut changes = vec![
        ("operation not called", none(), None),
        ("no request", none(), Some(Call { requests: Vec::new(), ..call.clone() })),
        ("call failed", none(), Some(Call { outcome: Err("drift".to_owned()), ..call.clone() })),
    ];
    let [request] = call.requests.as_slice() else { return changes };
    let two = vec![request.clone(), request.clone()];
    changes.push(("two requests", none(), Some(Call { requests: two, ..call.clone() })));
    for (operator, note, request) in request_changes(request) {
        changes.push((operator, note, Some(Call { requests: vec![request], ..call.clone() })));
    }
    changes
}

fn request_changes(request: &Request) -> Vec<(&'static str, String, Request)> {
    let mut changes = Vec::new();
    let method = if request.method == "PUT" { "POST" } else { "PUT" };
    changes.push((
        "method sent",
        method.to_owned(),
        Request { method: method.to_owned(), ..request.clone() },
    ));
    for target in targets(&request.target) {
        changes.push(("path or query sent", target.clone(), Request { target, ..request.clone() }));
    }
    for index in 0..request.headers.len() {
        let (name, value) = &request.headers[index];
        let of_api = ["content-type", "host"].contains(&name.as_str());
        if !of_api {
            continue;
        }
        let mut dropped = request.headers.clone();
        dropped.remove(index);
        changes.push(("header dropped", name.clone(), Request { headers: dropped, ..request.clone() }));
        for other in [format!("{value}x"), format!("Drift {value}")] {
            let mut altered = request.headers.clone();
            altered[index].1.clone_from(&other);
            changes.push(("header of another value", other, Request { headers: altered, ..request.clone() }));
        }
    }
    let mut added = request.headers.clone();
    added.push(("x-drift".to_owned(), "1".to_owned()));
    changes.push(("header added", "x-drift".to_owned(), Request { headers: added, ..request.clone() }));
    for (note, body) in bodies(&request.body) {
        changes.push(("body sent", note, Request { body, ..request.clone() }));
    }
    changes
}

fn targets(target: &str) -> Vec<String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let with = |path: &str, query: &str| {
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    };
    let mut targets = vec![with(&format!("{path}drift"), query), with(&format!("/drift{path}"), query)];
    targets.extend(path.strip_suffix('/').map(|path| with(path, query)));
    // A value that is encoded incorrectly.
    for (encoded, plain) in [("%2F", "/"), ("%5C", "/"), ("%3F", "?"), ("%20", "+"), ("%C3%A9", "%E9")] {
        if path.contains(encoded) {
            targets.push(with(&path.replacen(encoded, plain, 1), query));
        }
    }
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    for index in 0..pairs.len() {
        let mut left = pairs.clone();
        left.remove(index);
        targets.push(with(path, &left.join("&")));
        for other in [format!("drift{}", pairs[index]), format!("{}drift", pairs[index])] {
            let mut altered = pairs.clone();
            altered[index] = &other;
            targets.push(with(path, &altered.join("&")));
        }
    }
    targets.push(with(path, &[query, "drift=new"].join("&")));
    targets
}

fn bodies(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut bodies = vec![("more".to_owned(), [body, b"drift"].concat())];
    if !body.is_empty() {
        bodies.push(("nothing".to_owned(), Vec::new()));
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return bodies };
    let text = |members: serde_json::Map<String, Value>| Value::Object(members).to_string().into_bytes();
    for name in members.keys() {
        let mut without = members.clone();
        without.shift_remove(name);
        bodies.push((format!("without {name}"), text(without)));
        let mut altered = members.clone();
        altered.insert(name.clone(), json!([{"drift": "new"}]));
        bodies.push((format!("another {name}"), text(altered)));
        let renamed = members.iter().map(|(known, value)| {
            (if known == name { format!("drift_{name}") } else { known.clone() }, value.clone())
        });
        bodies.push((format!("{name} by another name"), text(renamed.collect())));
    }
    bodies
}
