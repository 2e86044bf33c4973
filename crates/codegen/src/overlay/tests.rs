use serde_json::{Value, json};

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
    let result =
        run(&document, "- target: $.list[?@ == 'a']\n  remove: true\n- target: $.first\n  remove: true\n")
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
    // As many targets as a document may have, each selected twice.
    let many = json!({"list": (0..50_000).collect::<Vec<_>>()});
    let result = run(&many, "- target: $.list[*, *]\n  update: 0\n").unwrap();
    assert_eq!(result["list"][49_999], json!(0));
}

#[test]
fn actions_cannot_grow_a_document_beyond_the_limits_together() {
    let run = |document: &Value, count, action: &dyn Fn(usize) -> String| {
        run(document, &(0..count).map(action).collect::<String>())
    };
    let long = json!({"a": [], "b": (0..500_000).collect::<Vec<_>>()});
    let longer =
        |count| run(&long, count, &|index| format!("- {{target: $.a, copy: $.b, description: '{index}'}}\n"));
    assert_eq!(longer(2).unwrap()["a"].as_array().unwrap().len(), 1_000_000);
    assert!(longer(3).is_err_and(|error| error.contains("more than 2000000 values")));
    let nested = format!("{}{{}}{}", "{n: ".repeat(100), "}".repeat(100));
    let deeper = |count| {
        run(&json!({"n": {}}), count, &|index| {
            format!("- {{target: $.n{}, update: {nested}}}\n", ".n".repeat(100 * index))
        })
    };
    deeper(2).unwrap();
    assert!(deeper(3).is_err_and(|error| error.contains("more than 256 levels deep")));
    // To the level: items of a list are one level below it.
    for (depth, added) in (248..256)
        .flat_map(|depth| [json!(1), json!({}), json!({"a": 1}), json!([[1]])].map(|added| (depth, added)))
    {
        let nest = |list: Value| (0..depth).fold(list, |inner, _| json!({"n": inner}));
        let action = format!("- {{target: ${}, update: {added}}}\n", ".n".repeat(depth));
        let items = if added.is_array() { added.clone() } else { json!([added]) };
        let fits = limits::check(&nest(items)).is_ok();
        assert_eq!(run(&nest(json!([])), 1, &|_| action.clone()).is_ok(), fits, "{added} at {depth}");
    }
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
    let action = |was: &str| run(&document, &format!("- target: $.a\n  x-was: {was}\n  update: {{z: 3}}\n"));
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
        let problems = apply(&mut document, &[source("1.yaml", one), source("2.yaml", other)]).unwrap_err();
        assert_eq!(document, json!({"a": 1}));
        problems.iter().map(|problem| problem.place().to_owned()).collect::<Vec<_>>()
    };
    // The second still builds on what the first adds.
    let places = run(
        "- target: $\n  x-was: {a: 2}\n  update: {b: {}}\n",
        "- target: $.b\n  update: {c: 1}\n- target: $.d\n  remove: true\n",
    );
    assert_eq!(places, ["1.yaml:4: action 1 ($)", "2.yaml:6: action 2 ($.d)"]);
    // If an overlay cannot be parsed, only the parse errors are reported.
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
        ("overlay: 1.1.0\n", "`info` is missing"),
        ("overlay: 1.1.0\ninfo: {version: v}\n", "`info.title` is missing"),
        ("overlay: 1.1.0\ninfo: {title: t, version: v}\n", "`actions` is missing"),
        ("overlay: 1.1.0\ninfo: {title: t, version: v}\naction: []\n", "`action` is not"),
        ("[]", "is not a version"),
    ] {
        let error = apply(&mut json!({}), &[Source::new("o.yaml", text)]).unwrap_err();
        assert!(error.to_string().contains(part), "{text:?} gave {error}");
    }
}

fn refused(head: &str, actions: &str) -> String {
    let text = format!("{head}\nactions:\n{actions}");
    apply(&mut json!({"a": 1}), &[Source::new("o.yaml", text)]).expect_err(head).to_string()
}

#[test]
fn f21_an_overlay_is_what_the_schema_of_its_version_says() {
    let info = "info: {title: t, version: '1'}";
    let fine = "- target: $.a\n  update: 2\n";
    for (head, actions, part) in [
        (format!("overlay: 1.1.0\n{info}"), "  []\n", "o.yaml: `actions` has no action; "),
        (format!("overlay: 1.1.0\n{info}\nextends: 5"), fine, "`extends: 5` is no reference"),
        (format!("overlay: 1.1.0\n{info}\nextends: [a]"), fine, "`extends: [\"a\"]` is no reference"),
        (format!("overlay: 1.1.0\n{info}\nextends: 'a b'"), fine, "is no reference"),
        (format!("overlay: 1.1.0\n{info}\nextends: 'a%2'"), fine, "is no reference"),
        (format!("overlay: 1.1.\n{info}"), fine, "`overlay: 1.1.` is not a version"),
        (format!("overlay: 1.1.x\n{info}"), fine, "is not a version"),
        (format!("overlay: 1.10.0\n{info}"), fine, "is not a version"),
        ("overlay: 1.1.0\ninfo: []".to_owned(), fine, "`info` is missing or no object"),
        (
            "overlay: 1.1.0\ninfo: {title: 1, version: '1'}".to_owned(),
            fine,
            "`info.title` is missing or no text",
        ),
        (
            "overlay: 1.1.0\ninfo: {title: t, version: 1}".to_owned(),
            fine,
            "`info.version` is missing or no text",
        ),
        (
            "overlay: 1.1.0\ninfo: {title: t, version: '1', description: 7}".to_owned(),
            fine,
            "`info.description` is no text",
        ),
        (
            "overlay: 1.1.0\ninfo: {title: t, version: '1', other: 7}".to_owned(),
            fine,
            "in `info`, `other` is not a member",
        ),
    ] {
        let error = refused(&head, actions);
        assert!(error.contains(part), "{head} gave {error}");
    }
    for extends in ["openapi.yaml", "https://example.com/a%20b.yaml?x=1#/y", "''", "../a"] {
        let text = format!("overlay: 1.1.3\n{info}\nextends: {extends}\nx-more: 1\nactions:\n{fine}");
        assert_eq!(apply(&mut json!({"a": 1}), &[Source::new("o.yaml", text)]), Ok(()), "{extends}");
    }
}

#[test]
fn f21_an_action_is_what_the_schema_says_and_no_other() {
    let twice = |one: &str, other: &str| run(&json!({"a": {}, "b": {}}), &format!("- {one}\n- {other}\n"));
    let error =
        twice("{target: $.a, update: {x: 1, y: 2}}", "{update: {y: 2, x: 1}, target: $.a}").unwrap_err();
    assert!(error.contains("action 2 ($.a): it is the same as action 1; "), "{error}");
    let error = twice("{target: $.a, update: {x: 1}}", "{target: $.a, update: {x: 1.0}}").unwrap_err();
    assert!(error.contains("it is the same as action 1"), "{error}");
    let three =
        "- {target: $.a, remove: true}\n- {target: $.b, remove: true}\n- {target: $.a, remove: true}\n";
    assert!(
        run(&json!({"a": 1, "b": 1}), three)
            .unwrap_err()
            .contains("action 3 ($.a): it is the same as action 1")
    );
    assert!(twice("{target: $.a, update: {x: 1}}", "{target: $.b, update: {x: 1}}").is_ok());
    assert!(
        twice("{target: $.a, update: {x: 1}}", "{target: $.a, update: {x: 1}, description: again}").is_ok()
    );
    let one = |action: &str| run(&json!({"a": {}, "b": {}}), &format!("- {action}\n"));
    for action in [
        "{target: $.a, update: {}, copy: $.b}",
        "{target: $.a, remove: true, copy: $.b}",
        "{target: $.a, remove: true, update: 1}",
    ] {
        assert!(one(action).unwrap_err().contains("an action has one"), "{action}");
    }
    assert!(
        one("{target: $.a, description: 1, update: {}}").unwrap_err().contains("`description` is no text")
    );
    assert!(one("{target: $.a, remove: false}").unwrap_err().contains("the action does nothing"));
    let older = |action: &str| {
        let text = format!("overlay: 1.0.0\ninfo: {{title: t, version: '1'}}\nactions:\n- {action}\n");
        apply(&mut json!({"a": {}, "b": {}}), &[Source::new("o.yaml", text)])
            .map_err(|problems| problems.to_string())
    };
    assert!(older("{target: $.a, copy: $.b}").unwrap_err().contains("`copy` is a member of Overlay 1.1"));
    assert_eq!(older("{target: $.a, remove: true, update: 1}"), Ok(()));
}

#[test]
fn a_stale_statement_names_the_first_difference_in_brief() {
    let long = "x".repeat(5_000);
    let document = json!({"a": {"list": [1, {"deep": [{"text": long, "same": 1}]}], "text": long}});
    let action = |was: Value| {
        let action = json!([{"target": "$.a", "x-was": was, "update": {}}]);
        let text = json!({"overlay": "1.1.0", "info": {"title": "t", "version": "1"}, "actions": action})
            .to_string();
        apply(&mut document.clone(), &[Source::new("o.json", text)]).unwrap_err().to_string()
    };
    let cases = [
        (
            json!({"list": [1, {"deep": [{"text": "y", "same": 1}]}]}),
            "`x-was` says \"y\" at /a/list/1/deep/0/text, the document says \"xxx",
        ),
        (
            json!({"list": [1, {"deep": [{"text": long, "same": 1}, {}]}]}),
            "says an empty object at /a/list/1/deep/1, the document says nothing",
        ),
        (json!({"list": [1]}), "says nothing at /a/list/1, the document says an object with `deep`;"),
        (
            json!({"list": [1, {"deep": [{"text": long}]}]}),
            "says nothing at /a/list/1/deep/0/same, the document says 1",
        ),
        (
            json!({"text": format!("{long}y")}),
            "says `…xxxxxxxxxxy…` around character 5001 at /a/text, the document says `…xxxxxxxxxx…` around character 5001;",
        ),
        (
            json!({"other": {"much": long}}),
            "says an object with `much` at /a/other, the document says nothing;",
        ),
        (json!([]), "says an empty list at /a, the document says an object with `list`, `text`;"),
        (json!({"list": null}), "says nothing at /a/list, the document says a list of 2 elements;"),
    ];
    for (was, part) in cases {
        let error = action(was);
        assert!(error.contains(part), "{error}");
        assert!(error.len() < 500, "{} characters: {error}", error.len());
    }
    assert!(run(&json!({"a": 1}), "- {target: $.a, x-was: 1.0, update: 2}\n").is_ok());
}

#[test]
fn a_trace_says_what_each_action_finds_and_stops_at_none() {
    let text = "overlay: 1.1.0\ninfo: {title: t, version: '1'}\nactions:\n- target: $.a\n  x-was: {b: null}\n  update: {b: 1}\n\
                - target: $.c[*]\n  update: {d: 1}\n- target: $.e\n  remove: true\n";
    let mut before = Vec::new();
    let document = json!({"a": {"b": 0}, "c": [{}, {}]});
    let (after, steps) = trace(&document, &[Source::new("o.yaml", text)], &mut |step, document| {
        before.push((step.index, document.clone()));
    })
    .unwrap();
    assert_eq!(after, json!({"a": {"b": 1}, "c": [{"d": 1}, {"d": 1}]}));
    assert_eq!(before[0].1, document);
    assert_eq!(before[1], (1, json!({"a": {"b": 1}, "c": [{}, {}]})));
    let targets: Vec<Vec<_>> =
        steps.iter().map(|step| step.targets.iter().map(Pointer::as_str).collect()).collect();
    assert_eq!(targets, [vec!["/a"], vec!["/c/0", "/c/1"], vec![]]);
    let failures: Vec<_> =
        steps.iter().map(|step| step.failure.as_ref().map_or("", |problem| problem.reason())).collect();
    let stale = "`x-was` says nothing at /a/b, the document says 0";
    assert_eq!(failures, [stale, "", "the target matches nothing in the document"]);
    assert_eq!(steps[2].place, "o.yaml:9: action 3 ($.e)");
    assert_eq!(steps[0].action["update"], json!({"b": 1}));
}
