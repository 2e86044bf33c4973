use serde_json::{Value, json};

use super::{
    matrix::{Matrix, Said, Side, Trial, listed},
    mutant::{Edit, Mutant},
};
use crate::pointer::Pointer;

fn changed(document: &Value, edit: Edit) -> Value {
    let mutant =
        Mutant { operator: "test", pointer: Pointer::root(), note: String::new(), edits: vec![edit] };
    mutant.apply(document)
}

fn at(text: &str) -> Pointer {
    Pointer::from_text(text)
}

#[test]
fn references_go_where_they_went() {
    let document = json!({
        "list": [{"name": "one"}, {"name": "two"}],
        "schemas": {"a/b": {"type": "string"}, "user": {"$ref": "#/schemas/a~1b", "title": "t"}},
        "second": {"$ref": "#/list/1"},
    });
    // References now use the other name.
    let renamed = changed(&document, Edit::Rename(at("/schemas/a~1b"), "c%".to_owned()));
    assert_eq!(renamed["schemas"]["user"], json!({"$ref": "#/schemas/c%25", "title": "t"}));
    assert_eq!(renamed["schemas"]["c%"], json!({"type": "string"}));
    // References now lead to a copy of what was removed or moved.
    let removed = changed(&document, Edit::Remove(at("/schemas/a~1b")));
    assert_eq!(removed["schemas"], json!({"user": {"type": "string", "title": "t"}}));
    for edit in [Edit::Remove(at("/list/0")), Edit::Reverse(at("/list"))] {
        assert_eq!(changed(&document, edit)["second"], json!({"name": "two"}));
    }
    // References now lead to a copy of what was overwritten, but not of what stays in place.
    let over = changed(&document, Edit::Put(at("/list"), json!([{"name": "new"}])));
    assert_eq!(over["second"], json!({"name": "two"}));
    let beside = changed(&document, Edit::Put(at("/list/-"), json!({})));
    assert_eq!(beside["second"], json!({"$ref": "#/list/1"}));
    assert_eq!(beside["list"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_name_that_is_taken_gives_way() {
    let document = json!({"one": {"x": 1}, "two": {"y": {"$ref": "#/one"}}, "user": {"$ref": "#/two"}});
    let renamed = changed(&document, Edit::Rename(at("/one"), "two".to_owned()));
    assert_eq!(renamed, json!({"two": {"x": 1}, "user": {"y": {"$ref": "#/two"}}}));
}

fn trial((side, operator): (Side, &'static str), said: Said) -> Trial {
    Trial { side, operator, place: "/place".to_owned(), note: "note".to_owned(), said }
}

fn matrix(trials: Vec<Trial>) -> Matrix {
    Matrix { trials, left_out: 0 }
}

#[test]
fn survivors_false_alarms_and_what_cannot_be_checked_are_no_proof() {
    let found = || Said::Found("finding".to_owned());
    let as_it_should = |side| if side == Side::Neutral { Said::Nothing } else { found() };
    let good: Vec<_> = listed().map(|operator| trial(operator, as_it_should(operator.0))).collect();
    assert!(matrix(good.clone()).is_proof());
    let unusable = Said::Unusable("reason".to_owned());
    for (operator, said, line) in [
        ((Side::Wire, "body sent"), Said::Nothing, "survived: wire: body sent at /place (note)\n"),
        ((Side::Neutral, "prose"), found(), "false alarm: neutral: prose at /place (note): finding\n"),
        (
            (Side::Ledger, "stale entry"),
            unusable.clone(),
            "unusable: ledger: stale entry at /place (note): reason\n",
        ),
        ((Side::Neutral, "prose"), unusable, "unusable: neutral: prose at /place (note): reason\n"),
    ] {
        let matrix = matrix([good.clone(), vec![trial(operator, said)]].concat());
        assert!(!matrix.is_proof());
        let mut lines = Vec::new();
        matrix.lines(&mut lines).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        assert!(lines.contains(line), "{lines}");
        assert_eq!(matrix.json()["wrong"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn an_operator_that_is_not_tried_is_no_proof_and_one_that_is_not_listed_neither() {
    let all: Vec<_> = listed().collect();
    let trials = |operators: &[(Side, &'static str)]| {
        let said =
            |side| if side == Side::Neutral { Said::Nothing } else { Said::Found("finding".to_owned()) };
        matrix(operators.iter().map(|operator| trial(*operator, said(operator.0))).collect())
    };
    assert!(!Matrix::default().is_proof());
    let fewer = trials(&all[1..]);
    assert!(!fewer.is_proof());
    assert_eq!(fewer.json()["untried"].as_array().map(Vec::len), Some(1));
    let more = trials(&[all.as_slice(), &[(Side::Wire, "new")]].concat());
    assert!(!more.is_proof());
    assert_eq!(more.json()["unlisted"], json!(["wire: new"]));
}
