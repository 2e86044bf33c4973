//! Whatever comes in, what comes out is Rust or problems in lines: no panic, and no stack that overflows.
//!
//! The runs are the same every time. `FUZZ_ROUNDS` makes them longer.

use serde_json::{Value, json};
use suprsend_codegen::{Problems, Project, Settings, Source, generate, generate_partial, lower};

use crate::random::{self, Random};

fn rounds(usual: u64) -> u64 {
    std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

fn settings() -> Settings {
    Settings::default()
}

/// Every problem is one line with a place, a reason and a remedy.
fn judge(problems: &Problems, input: &str) {
    for problem in problems.iter() {
        assert!(!problem.place().is_empty() && !problem.reason().is_empty(), "{problem} of {input}");
        assert!(!problem.remedy().is_empty(), "{problem} of {input}");
        assert_eq!(problem.to_string().lines().count(), 1, "{problem} of {input}");
    }
}

#[test]
fn random_documents() {
    for seed in 0..rounds(60) {
        let document = random::document(seed);
        match generate(&document, &settings()) {
            Ok(generated) => assert!(generated.rust.contains("pub mod operations"), "seed {seed}"),
            Err(problems) => {
                judge(&problems, &format!("seed {seed}"));
                let rest = generate_partial(&document, |document| generate(document, &settings()));
                if let Err(left) = rest {
                    panic!("seed {seed}: {problems}, and then {left}");
                }
            }
        }
    }
}

/// What a maintainer could leave in a text by mistake.
fn spoil(random: &mut Random, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let place = random.below(chars.len());
        match random.below(6) {
            0 => drop(chars.drain(place..(place + random.below(30)).min(chars.len()))),
            1 => chars.insert(
                place,
                random.pick(&[
                    '{', '}', '[', ']', ':', '-', '"', '&', '*', '!', '\t', '\n', '\0', '🦀', '#', '|',
                ]),
            ),
            2 => chars.truncate(place.max(1)),
            3 => {
                let piece: Vec<char> = chars[place..(place + 40).min(chars.len())].to_vec();
                let to = random.below(chars.len());
                chars.splice(to..to, piece);
            }
            _ => {
                if let Some(slot) = chars.get_mut(place) {
                    *slot = random.pick(&['0', '9', '$', '/', '~', '%', ' ', 'x', '.', '\'']);
                }
            }
        }
        if chars.is_empty() {
            chars.push('a');
        }
    }
    chars.into_iter().collect()
}

/// Puts something else in place of something, anywhere in a document.
fn mutate(random: &mut Random, document: &mut Value) {
    let mut place = document;
    let depth = 1 + random.below(12);
    for _ in 0..depth {
        let next = match place {
            Value::Object(members) if !members.is_empty() => {
                let key = members.keys().nth(random.below(members.len())).cloned().unwrap_or_default();
                if random.once_in(20) {
                    let moved = members.shift_remove(&key).unwrap_or_default();
                    members.insert(
                        random.pick(&["$ref", "type", "allOf", "items", "properties", "x"]).to_owned(),
                        moved,
                    );
                    return;
                }
                members.get_mut(&key)
            }
            Value::Array(items) if !items.is_empty() => {
                let index = random.below(items.len());
                items.get_mut(index)
            }
            _ => return,
        };
        let Some(next) = next else { return };
        place = next;
    }
    *place = random.pick(&[
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("#/components/schemas/User"),
        json!("#/paths"),
        json!([]),
        json!({}),
        json!([{}]),
        json!({"$ref": "#/components/schemas/User"}),
        json!({"$ref": "#"}),
        json!(["string", "null"]),
        json!("string"),
        json!({"type": "object"}),
    ]);
}

#[test]
fn spoilt_texts() {
    let corpus: Vec<String> = std::fs::read_dir("corpus")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let mut random = Random::new(1);
    for round in 0..rounds(300) {
        let text = spoil(&mut random, &random_of(&corpus, round));
        match Source::new("spoilt", text.as_str()).parse() {
            Err(problems) => judge(&problems, &text),
            Ok(document) => {
                if let Err(problems) = lower(&document) {
                    judge(&problems, &text);
                }
            }
        }
    }
}

fn random_of(corpus: &[String], round: u64) -> String {
    corpus[usize::try_from(round).unwrap_or(0) % corpus.len()].clone()
}

#[test]
fn mutated_documents() {
    let mut random = Random::new(2);
    for round in 0..rounds(150) {
        let mut document = random::document(round);
        for _ in 0..=random.below(4) {
            mutate(&mut random, &mut document);
        }
        for problems in [lower(&document).err(), generate(&document, &settings()).err()].into_iter().flatten()
        {
            judge(&problems, &format!("round {round}: {document}"));
        }
    }
}

#[test]
fn random_overlays() {
    let mut random = Random::new(3);
    let targets = [
        "$",
        "$.paths",
        "$.paths.*.*",
        "$..schema",
        "$.components.schemas[*]",
        "$..[?@.type == 'string']",
        "$.info.title",
        "$..*",
        "$[",
        "$.x",
    ];
    for round in 0..rounds(150) {
        let document = random::document(round);
        let mut actions = Vec::new();
        for _ in 0..=random.below(6) {
            let target = random.pick(&targets);
            actions.push(match random.below(4) {
                0 => json!({"target": target, "remove": true}),
                1 => json!({"target": target, "copy": random.pick(&targets)}),
                2 => json!({"target": target, "update": random::schema(&mut random, &["User"], 3)}),
                _ => json!({"target": target, "update": {"a": [{"b": {}}]}, "x-was": random.pick(&[json!(null), json!({}), json!("")])}),
            });
        }
        let mut overlay =
            json!({"overlay": "1.1.0", "info": {"title": "t", "version": "1"}, "actions": actions});
        if random.once_in(4) {
            mutate(&mut random, &mut overlay);
        }
        let overlay = overlay.to_string();
        let project = Project::from_sources(
            Source::new("document", document.to_string()),
            vec![Source::new("overlay", overlay.as_str())],
        );
        if let Err(problems) = project.correct() {
            judge(&problems, &overlay);
        }
    }
}
