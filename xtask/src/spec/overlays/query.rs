//! Converts places to the JSONPath (RFC 9535) that selects them.

use std::collections::BTreeSet;

use serde_json::Value;
use suprsend_codegen::Pointer;

/// A step of a query: a name or an index, as written in brackets.
pub(in crate::spec) type Step = String;

/// Returns the steps to a place of the document.
pub(in crate::spec) fn steps(document: &Value, place: &Pointer) -> Vec<Step> {
    let mut here = Some(document);
    let mut steps = Vec::new();
    for token in place.tokens() {
        let index = matches!(here, Some(Value::Array(_)));
        here = here.and_then(|here| match here {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            other => other.get(&token),
        });
        let quoted = || format!("'{}'", token.replace('\\', "\\\\").replace('\'', "\\'"));
        steps.push(if index { token } else { quoted() });
    }
    steps
}

/// Returns the query that selects all places that one step of each set leads to.
pub(in crate::spec) fn from_steps(steps: &[BTreeSet<Step>]) -> String {
    let mut query = "$".to_owned();
    for steps in steps {
        let only = steps.first().filter(|_| steps.len() == 1);
        if let Some(name) = only.and_then(|step| name(step)) {
            query.push('.');
            query.push_str(name);
        } else {
            let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
            query.push('[');
            query.push_str(&steps.join(", "));
            query.push(']');
        }
    }
    query
}

/// Combines many places into few queries: those that differ in one step become one.
pub(in crate::spec) fn united(places: &[Vec<Step>]) -> Vec<Vec<BTreeSet<Step>>> {
    let longest = places.iter().map(Vec::len).max().unwrap_or_default();
    // From inside, properties are combined first, from outside, paths; one or the other is shorter.
    let (inside, outside) = (unite(places, (0..longest).rev()), unite(places, 0..longest));
    if outside.len() < inside.len() { outside } else { inside }
}

fn unite(places: &[Vec<Step>], order: impl Iterator<Item = usize>) -> Vec<Vec<BTreeSet<Step>>> {
    let single = |steps: &Vec<Step>| steps.iter().map(|step| BTreeSet::from([step.clone()])).collect();
    let mut all: Vec<Vec<BTreeSet<Step>>> = places.iter().map(single).collect();
    for at in order {
        let mut united: Vec<Vec<BTreeSet<Step>>> = Vec::new();
        for steps in all {
            let twin = united.iter_mut().find(|other| {
                other.len() == steps.len()
                    && at < steps.len()
                    && (0..steps.len()).all(|index| index == at || other[index] == steps[index])
            });
            match twin {
                Some(twin) => twin[at].extend(steps[at].iter().cloned()),
                None => united.push(steps),
            }
        }
        all = united;
    }
    all
}

/// Returns the name in a step, if it can follow a dot.
fn name(step: &str) -> Option<&str> {
    let token = step.strip_prefix('\'')?.strip_suffix('\'')?;
    let first = token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (first && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_selects_the_place_it_was_made_of() {
        let document = json!({"paths": {"/a/{b}": {"get": [{"it's": {"200": {"x-y": {"$k\\": 1}}}}]}}});
        let place = Pointer::root().child("paths").child("/a/{b}").child("get").child(0);
        let place = place.child("it's").child("200").child("x-y").child("$k\\");
        let query =
            |places: &[Vec<Step>]| united(places).iter().map(|steps| from_steps(steps)).collect::<Vec<_>>();
        assert_eq!(
            query(&[steps(&document, &place)]),
            [r"$.paths['/a/{b}'].get[0]['it\'s']['200']['x-y']['$k\\']"]
        );
        let places = ["/a/x/1", "/a/y/1", "/b/x/1", "/b/y/1", "/c/x/1", "/c"]
            .map(|place| steps(&document, &Pointer::from_text(place)));
        assert_eq!(query(&places), ["$['a', 'b']['x', 'y']['1']", "$.c.x['1']", "$.c"]);
    }
}
