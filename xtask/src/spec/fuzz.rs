//! Checks that reading, merging and comparing always give a result or problems in lines, and never panic.
//!
//! The runs are deterministic. `FUZZ_ROUNDS` makes them longer.

#[path = "../../../crates/codegen/tests/it/random/mod.rs"]
mod random;

use std::{fs, path::Path};

use random::Random;
use serde_json::Value;
use suprsend_codegen::{Problems, Source, readable};

use super::{diff, page};
use crate::project::root;

const PAGE: &str = include_str!("../../tests/fixtures/create-update-users.md");

fn rounds(usual: u64) -> u64 {
    std::env::var("FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// Damages a text like a broken download or a typo.
fn spoil(random: &mut Random, text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let place = random.below(lines.len());
        match random.below(6) {
            0 => drop(lines.remove(place)),
            1 => lines.truncate(place + 1),
            2 => lines.insert(place, lines[random.below(lines.len())].clone()),
            3 => lines[place] = lines[place].replacen(':', "", 1),
            4 => lines[place] = lines[place].replacen("  ", "", 1),
            _ => {
                let other = ["\t", "````", "- ", "'", "{", "null", "\u{0}", "type: [", "$ref: '#/paths'"];
                lines[place].push_str(other[random.below(other.len())]);
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

/// Checks that every problem is one line with a remedy.
fn judge(problems: &Problems) {
    for problem in problems.iter() {
        assert!(!problem.place().is_empty() && !problem.remedy().is_empty(), "{problem}");
        assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
    }
}

#[test]
fn spoilt_pages() {
    let mut random = Random::new(7);
    let whole = || page::parse(Path::new("page.md"), PAGE.to_owned()).unwrap();
    let (mut read, mut united) = (0, 0);
    for _ in 0..rounds(400) {
        let text = spoil(&mut random, PAGE);
        let page = match page::parse(Path::new("spoilt.md"), text) {
            Ok(page) => page,
            Err(problems) => {
                judge(&problems);
                continue;
            }
        };
        read += 1;
        if readable(&page.document).is_ok() {
            diff::changes(&whole().document, &page.document).unwrap();
        }
        match page::text_of(vec![whole(), page]) {
            Ok(_) => united += 1,
            Err(problems) => judge(&problems),
        }
    }
    assert!(read > 0 && united > 0 && united < read, "{read} could be read, {united} united");
}

#[test]
fn random_documents_are_compared() {
    let mut differing = 0;
    for seed in 0..rounds(60) {
        let (one, other) = (random::document(seed), random::document(seed + 1));
        for (old, new) in [(&one, &one), (&one, &other), (&other, &one)] {
            if readable(old).is_err() || readable(new).is_err() {
                continue;
            }
            let changes = diff::changes(old, new).unwrap();
            if old == new {
                assert!(changes.is_empty(), "seed {seed}: {changes:#?}");
            } else {
                differing += usize::from(!changes.is_empty());
            }
        }
    }
    assert!(differing > 0);
}

#[test]
fn the_corpus_is_compared() {
    let mut entries: Vec<_> = fs::read_dir(root().join("crates/codegen/corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    entries.sort();
    let parse =
        |path: &std::path::PathBuf| Source::new("document", fs::read_to_string(path).unwrap()).parse().ok();
    let documents: Vec<Value> = entries.iter().filter_map(parse).filter(|it| readable(it).is_ok()).collect();
    assert!(documents.len() > 30, "{} documents", documents.len());
    for (index, document) in documents.iter().enumerate() {
        let changes = diff::changes(document, document).unwrap();
        assert!(changes.is_empty(), "{changes:#?}\n{document:#}");
        let next = &documents[(index + 1) % documents.len()];
        diff::changes(document, next).unwrap();
    }
}
