//! The output of the check: lines for people, JSON for machines.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{
    check::Report,
    finding::{Entry, Finding},
};

/// The maximum length of a value's text.
const SHOWN: usize = 120;

/// Writes one line for each finding, and a summary.
pub(crate) fn lines(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}", line(finding))?;
    }
    writeln!(
        out,
        "{} findings; {} differences are known and accepted",
        report.findings.len(),
        report.accepted
    )?;
    let counts: Vec<String> = report.counts.iter().map(|(class, count)| format!("{count} {class}")).collect();
    writeln!(out, "compared: {}", counts.join(", "))
}

/// Formats a finding as one line.
pub(super) fn line(finding: &Finding) -> String {
    let difference = &finding.difference;
    let kind = difference.kind.name();
    let pointer = match difference.pointer.as_str() {
        "" => "the document",
        pointer => pointer,
    };
    let text = match finding.entry {
        Entry::Stale => {
            format!(
                "{pointer}: drift.yaml accepts `{kind}` here, and there is none; remove the entry, or use --accept"
            )
        }
        entry => {
            let changed = match entry {
                Entry::Changed => ", which is not what drift.yaml accepts",
                _ => "",
            };
            format!(
                "{pointer}: {}: the document says {}, the code does {}{changed}; {} [{kind}]",
                difference.rust,
                shown(&difference.document),
                shown(&difference.code),
                difference.kind.remedy(),
            )
        }
    };
    // A finding is always one line, whatever text of the document it quotes.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("...".chars()).collect()
}

/// Returns the same as one JSON object. `docs/drift.md` describes its form.
pub(crate) fn json(report: &Report) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let difference = &finding.difference;
            json!({
                "comparison": finding.comparison().word(),
                "kind": difference.kind.name(),
                "pointer": difference.pointer.as_str(),
                "place": difference.place.as_str(),
                "rust": difference.rust,
                "document": difference.document,
                "code": difference.code,
                "ledger": finding.entry.word(),
                "hash": difference.hash(),
                "remedy": difference.kind.remedy(),
            })
        })
        .collect();
    json!({
        "version": 1,
        "findings": findings,
        "accepted": report.accepted,
        "compared": report.counts,
    })
}
