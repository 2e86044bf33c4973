//! Generates text with a format, a pattern or a length.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::Value;

use super::greatest;

/// The maximum number of repetitions for an unbounded repetition.
const REPEATED: u32 = 300;

/// The formats that text can be generated for.
#[cfg(test)]
pub(super) const FORMATS: [&str; 18] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "iri",
    "uri-reference",
    "iri-reference",
    "uri-template",
    "uuid",
    "json-pointer",
    "regex",
];

/// Generates the `nth` text that all of the schemas apply to.
pub(super) fn text(parts: &[&Value], nth: usize) -> Option<String> {
    let least = usize::try_from(greatest(parts, "minLength")).ok()?;
    let most = parts.iter().filter_map(|part| part.get("maxLength")?.as_u64()).min();
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let stated = |keyword: &str| parts.iter().find_map(|part| part.get(keyword)?.as_str());
    if let Some(pattern) = stated("pattern") {
        let hir = regex_syntax::parse(pattern).ok()?;
        let fits = |text: &String| (least..=most).contains(&text.chars().count());
        let mut made: Vec<String> = Vec::new();
        for (more, pick) in (0..REPEATED).flat_map(|more| (0..4).map(move |pick| (more, pick))) {
            let mut text = matching(&hir, more, pick);
            if !pattern.ends_with('$') {
                text.extend(std::iter::repeat_n('x', more as usize));
            }
            if fits(&text) && !made.contains(&text) {
                made.push(text);
            }
            if made.len() > nth {
                break;
            }
        }
        return made.into_iter().nth(nth);
    }
    if let Some(text) = stated("format").and_then(|format| sample_for_format(format, nth)) {
        return Some(text);
    }
    let number = if nth == 0 { String::new() } else { (nth + 1).to_string() };
    let mut text = format!("text{number}");
    let length = text.chars().count();
    if length > most {
        // The part that distinguishes the texts is at the end.
        text = text.chars().skip(if nth == 0 { 0 } else { length - most }).take(most).collect();
    }
    text.extend(std::iter::repeat_n('x', least.saturating_sub(length)));
    Some(text)
}

fn sample_for_format(format: &str, nth: usize) -> Option<String> {
    let number = if nth == 0 { String::new() } else { (nth + 1).to_string() };
    Some(match format {
        "date-time" => format!("2025-04-04T09:55:{:02}.397Z", (12 + nth) % 60),
        "date" => format!("2025-04-{:02}", 1 + (3 + nth) % 30),
        "time" => format!("09:55:{:02}Z", (12 + nth) % 60),
        "duration" => format!("PT{}S", nth + 1),
        "email" | "idn-email" => format!("user{number}@example.com"),
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" | "uri-template" => {
            format!("https://example.com/{number}")
        }
        "hostname" | "idn-hostname" => format!("host{number}.example.com"),
        "uuid" => format!("018f4f2e-7a3c-7b1d-9a55-{:012x}", 0x3c1f_0e9d_2b64_usize + nth),
        "ipv4" => format!("127.0.0.{}", 1 + nth),
        "ipv6" => format!("::{}", 1 + nth),
        "json-pointer" => format!("/text{number}"),
        _ => return None,
    })
}

/// Generates text that the pattern matches, with `more` repetitions than required and the `pick`th of the characters allowed.
fn matching(hir: &Hir, more: u32, pick: usize) -> String {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => String::new(),
        HirKind::Literal(literal) => String::from_utf8_lossy(&literal.0).into_owned(),
        HirKind::Class(class) => character(class, pick).into_iter().collect(),
        HirKind::Repetition(repetition) => {
            let times = repetition.min.saturating_add(more).min(repetition.max.unwrap_or(u32::MAX));
            (0..times.min(REPEATED.max(repetition.min)))
                .map(|_| matching(&repetition.sub, more, pick))
                .collect()
        }
        HirKind::Capture(capture) => matching(&capture.sub, more, pick),
        HirKind::Concat(parts) => parts.iter().map(|part| matching(part, more, pick)).collect(),
        HirKind::Alternation(variants) => variants
            .get(pick % variants.len().max(1))
            .map(|variant| matching(variant, more, pick))
            .unwrap_or_default(),
    }
}

/// Returns a character of the class, preferably a readable one.
fn character(class: &Class, pick: usize) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    let holds = |c: &char| ranges.iter().any(|(from, to)| (from..=to).contains(&c));
    let readable: Vec<char> =
        ('a'..='z').chain('0'..='9').chain('A'..='Z').chain('!'..='~').filter(holds).collect();
    readable.get(pick).or(readable.first()).copied().or_else(|| ranges.first().map(|(from, _)| *from))
}
