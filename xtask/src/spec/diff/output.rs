//! Prints changes as text and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::change::{Change, Kind, Level, Side};

/// Writes one line for each change, and a summary.
pub(in crate::spec) fn lines(changes: &[Change], out: &mut impl Write) -> io::Result<()> {
    for change in changes {
        writeln!(out, "{change}")?;
    }
    let [breaking, additive, neutral] = LEVELS.map(|level| count(changes, level));
    writeln!(out, "{breaking} breaking, {additive} additive, {neutral} neutral")?;
    let renamed = changes.iter().filter(|change| change.kind == Kind::TypeRenamed).count();
    if renamed > 0 {
        writeln!(out, "{renamed} of the neutral ones rename Rust types, which the next line does not count")?;
    }
    writeln!(out, "version: {}, before 1.0 {}", bump(changes), bump_before_1_0(changes))
}

/// Returns the object that the command's help describes.
pub(super) fn json(changes: &[Change]) -> Value {
    let counts: serde_json::Map<String, Value> =
        LEVELS.iter().map(|level| (level.name().to_owned(), count(changes, *level).into())).collect();
    let list: Vec<Value> = changes
        .iter()
        .map(|change| {
            let ways = [(change.request, "request"), (change.response, "response")];
            let ways: Vec<&str> = ways.iter().filter(|(there, _)| *there).map(|(_, name)| *name).collect();
            json!({
                "level": change.level.name(),
                "kind": change.kind.name(),
                "document": if change.side == Side::Old { "old" } else { "new" },
                "pointer": change.pointer.as_str(),
                "in": ways,
                "message": change.message,
            })
        })
        .collect();
    json!({
        "format": 1,
        "bump": bump(changes),
        "bump_before_1_0": bump_before_1_0(changes),
        "counts": counts,
        "changes": list,
    })
}

const LEVELS: [Level; 3] = [Level::Breaking, Level::Additive, Level::Neutral];

fn count(changes: &[Change], level: Level) -> usize {
    changes.iter().filter(|change| change.level == level).count()
}

fn bump(changes: &[Change]) -> &'static str {
    match changes.iter().map(|change| change.level).max() {
        None => "none",
        Some(Level::Neutral) => "patch",
        Some(Level::Additive) => "minor",
        Some(Level::Breaking) => "major",
    }
}

/// Returns the bump before 1.0, where cargo treats a minor version like a major one.
fn bump_before_1_0(changes: &[Change]) -> &'static str {
    match bump(changes) {
        "major" => "minor",
        "minor" => "patch",
        other => other,
    }
}
