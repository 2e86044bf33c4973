//! Runs the check on code that is known to be right, and on code that is known to be wrong: that of SuprSend's document without
//! corrections.

mod told_apart;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use suprsend_codegen::Project;

use super::{
    Own,
    behaviour::Effort,
    check::{Depth, Report, check},
    compiled::Compiled,
    finding::{Comparison, Difference, Entry, Finding, Kind},
    ledger::Ledger,
};

macro_rules! generated {
    ($module:ident, $table:ident, $name:literal) => {
        #[allow(
            dead_code,
            missing_docs,
            unreachable_pub,
            unreachable_patterns,
            clippy::all,
            clippy::pedantic,
            reason = "generated, and not for readers"
        )]
        mod $module {
            include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
        }

        #[allow(clippy::too_many_lines, reason = "generated: an arm for each type")]
        mod $table {
            include!(concat!(env!("OUT_DIR"), "/", $name, "_compiled.rs"));
        }
    };
}

generated!(sample, sample_compiled, "sample");
generated!(upstream, upstream_compiled, "upstream");

const SAMPLE: &str = include_str!(concat!(env!("OUT_DIR"), "/sample.rs"));
const UPSTREAM: &str = include_str!(concat!(env!("OUT_DIR"), "/upstream.rs"));

fn report(compiled: &Compiled, source: &str, document: &Value, instances: usize) -> Report {
    let own = Own::from_source(compiled, source.to_owned(), "generated.rs").unwrap();
    let effort = Effort { instances, seed: 1 };
    check(document, &own.evidence(&Ledger::default()), effort, Depth::Whole).unwrap()
}

/// Compares the code of SuprSend's uncorrected document with another one.
fn report_on_upstreams(document: &Value) -> Report {
    report(&upstream_compiled::COMPILED, UPSTREAM, document, 20)
}

/// Returns whether there is a finding of this kind at a place with this ending, in which the code is involved.
fn finds(report: &Report, kind: Kind, place: &str, code: &str) -> bool {
    let fits = |finding: &&Finding| {
        let difference = &finding.difference;
        difference.kind == kind
            && difference.place.as_str().ends_with(place)
            && format!("{} {}", difference.document, difference.code).contains(code)
    };
    report.findings.iter().any(|finding| fits(&finding))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests")
}

fn corrected() -> Value {
    Project::open(&root()).unwrap().correct().unwrap()
}

fn corrected_file(name: &str) -> Value {
    Project::from_files(&root(), &here().join(name), &[]).unwrap().correct().unwrap()
}

/// Returns the differences that no rule accepts, by kind and place.
fn hard(report: &Report) -> BTreeSet<(Kind, String)> {
    let accepting = Ledger::default().accepting(&report.differences);
    let (findings, _) = accepting.settle(&report.differences, &Comparison::ALL);
    let of = |finding: Finding| (finding.difference.kind, finding.difference.place.as_str().to_owned());
    findings.into_iter().map(of).collect()
}

#[test]
fn what_the_corrections_change_is_found_in_the_code_without_them() {
    let report = report_on_upstreams(&corrected());
    let upsert = "/paths/~1v1~1user~1{distinct_id}~1/post";
    let schema = "content/application~1json/schema";
    let lines: Vec<String> = report.findings.iter().map(super::output::line).collect();
    let said = lines.join("\n");
    // Nothing can be triggered.
    assert!(finds(&report, Kind::OperationMissing, "/paths/~1trigger~1/post", "/trigger/"), "{said}");
    // The placeholder becomes the name of a field, and no channel has a name.
    let response = format!("{upsert}/responses/201/{schema}/properties");
    assert!(finds(&report, Kind::PropertyExtra, &format!("{response}/$channel"), "$channel"), "{said}");
    assert!(finds(&report, Kind::PropertyMissing, &format!("{response}/$email"), "$email"), "{said}");
    // Web push cannot be sent, and a device's token is not marked as sensitive.
    let sent = format!("{upsert}/requestBody/{schema}/properties");
    assert!(finds(&report, Kind::PropertyMissing, &format!("{sent}/$webpush"), "$webpush"), "{said}");
    assert!(finds(&report, Kind::RuleMissing, &format!("{sent}/$androidpush/x-sensitive"), "true"), "{said}");
    // The source of the types was nevertheless read correctly.
    assert!(!lines.iter().any(|line| line.contains("\"compiled\"")), "{said}");
}

#[test]
fn against_its_own_document_nothing_is_found_that_no_rule_accepts() {
    let report = report_on_upstreams(&corrected_file("upstream.yaml"));
    assert_eq!(hard(&report), BTreeSet::new());
}

#[test]
fn an_entry_by_hand_accepts_what_it_speaks_of_and_nothing_else() {
    let report = report_on_upstreams(&corrected());
    let webpush = report.findings.iter().map(|finding| &finding.difference).find(|difference| {
        difference.kind == Kind::PropertyMissing && difference.place.as_str().ends_with("/$webpush")
    });
    let difference = webpush.unwrap();
    let entry = |hash: &str| {
        let (kind, place) = (difference.kind.name(), difference.place.as_str());
        let text = format!("- kind: {kind}\n  reason: known\n  at:\n    '{place}': '{hash}'\n");
        Ledger::parse(&text).unwrap()
    };
    let says = |ledger: &Ledger, differences: &[Difference]| {
        let (findings, accepted) = ledger.settle(differences, &Comparison::ALL);
        let about = findings.iter().find(|finding| {
            (finding.difference.kind, &finding.difference.place) == (difference.kind, &difference.place)
        });
        (about.map(|finding| finding.entry), accepted)
    };
    assert_eq!(says(&entry(&difference.hash()), &report.differences), (None, 1));
    assert_eq!(says(&entry("000000000000"), &report.differences), (Some(Entry::Changed), 0));
    assert_eq!(says(&Ledger::default(), &report.differences), (Some(Entry::Missing), 0));
    assert_eq!(says(&entry(&difference.hash()), &[]), (Some(Entry::Stale), 0));
    // It is neither added nor removed by rule.
    let kept = entry(&difference.hash()).accepting(&report.differences);
    assert_eq!(says(&kept, &report.differences).0, None);
    assert!(kept.to_text().contains("reason: >-\n    known\n"));
    assert_eq!(
        says(&Ledger::default().accepting(&report.differences), &report.differences).0,
        Some(Entry::Missing)
    );
}

#[test]
fn of_a_document_with_many_constructs_nothing_is_found_that_is_not_so() {
    let document = corrected_file("sample.yaml");
    let report = report(&sample_compiled::COMPILED, SAMPLE, &document, 60);
    assert_eq!(hard(&report), BTreeSet::new());
}

#[test]
fn what_tells_alternatives_apart_is_compared() {
    let item = "/components/schemas/Item/properties";
    for (place, value) in [
        ("/components/schemas/Vehicle/discriminator/mapping/lorry".to_owned(), json!("Van")),
        ("/components/schemas/Vehicle/discriminator/propertyName".to_owned(), json!("load")),
        (format!("{item}/balance/oneOf/1/properties/sum/minimum"), json!(1)),
        (format!("{item}/account/oneOf/0/properties/number/pattern"), json!("^[A-Z]{3}")),
        (format!("{item}/account/oneOf/1/properties/number/maxLength"), json!(5)),
        (format!("{item}/answer/oneOf/0/properties/ok/const"), json!(false)),
        (format!("{item}/version/oneOf/1/properties/version/enum/0"), json!(5)),
        (format!("{item}/version/oneOf/0/required"), json!(["version"])),
        (format!("{item}/payment/oneOf/0/not/required/0"), json!("at")),
    ] {
        let mut document = corrected_file("sample.yaml");
        let (parent, key) = place.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
            other => other[key] = value,
        }
        let own = Own::from_source(&sample_compiled::COMPILED, SAMPLE.to_owned(), "generated.rs").unwrap();
        let effort = Effort { instances: 0, seed: 1 };
        let report = check(&document, &own.evidence(&Ledger::default()), effort, Depth::Facts).unwrap();
        assert!(hard(&report).iter().any(|(kind, _)| *kind == Kind::ToldApart), "{place}");
    }
}

#[test]
fn a_secret_that_is_printed_is_found() {
    let document = corrected_file("sample.yaml");
    let printed = |source: String| {
        let own = Own::from_source(&sample_compiled::COMPILED, source, "generated.rs").unwrap();
        let effort = Effort { instances: 0, seed: 1 };
        let report = check(&document, &own.evidence(&Ledger::default()), effort, Depth::Facts).unwrap();
        hard(&report).iter().filter(|(kind, _)| *kind == Kind::Printed).count()
    };
    assert_eq!(printed(SAMPLE.to_owned()), 0);
    let field = |name: &str| {
        (format!("\"{name}\", &format_args!(\"[redacted]\")"), format!("\"{name}\", &self.{name}"))
    };
    let whole = |name: &str| {
        let members = "match self { Self::String(value) => f.debug_tuple(\"String\").field(value).finish(), \
                       Self::Integer(value) => f.debug_tuple(\"Integer\").field(value).finish(), }";
        (format!("f.write_str(\"{name}([redacted])\")"), members.to_owned())
    };
    let other = (
        "Self::Other(_) => f.write_str(\"Other([redacted])\")".to_owned(),
        "Self::Other(value) => f.debug_tuple(\"Other\").field(value).finish()".to_owned(),
    );
    let fields = ["plain", "nullable", "list", "map", "extra", "key", "code"].map(field);
    let parameter = (
        "partial_debug!(ListItems { limit })".to_owned(),
        "partial_debug!(ListItems { limit, x_count })".to_owned(),
    );
    for (hidden, shown) in fields.into_iter().chain([whole("SecretsEither"), other, parameter]) {
        let source = SAMPLE.replace(&hidden, &shown);
        assert_ne!(source, SAMPLE, "{hidden}");
        assert!(printed(source) >= SAMPLE.matches(&hidden).count(), "{hidden}");
    }
}

#[test]
fn code_of_an_unknown_form_is_found() {
    let document = corrected_file("sample.yaml");
    let unrecognised = |source: String| {
        let own = Own::from_source(&sample_compiled::COMPILED, source, "generated.rs").unwrap();
        let effort = Effort { instances: 0, seed: 1 };
        let report = check(&document, &own.evidence(&Ledger::default()), effort, Depth::Facts).unwrap();
        let of_kind = report.differences.iter().filter(|difference| difference.kind == Kind::Unrecognised);
        of_kind.map(|difference| difference.code.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(unrecognised(SAMPLE.to_owned()), Vec::<String>::new());
    let mut missed = Vec::new();
    for (known, unknown, messages) in [
        // Another default than that of the type.
        (
            "#[serde(default, skip_serializing_if = \"::std::vec::Vec::is_empty\")]",
            "#[serde(default = \"five\", skip_serializing_if = \"::std::vec::Vec::is_empty\")]",
            &["what the field `Item::children` is if it is absent", "what `Item` is read from"][..],
        ),
        // A macro that names no type.
        ("pub mod types {", "pub mod types { suprsend_api::anything!();", &["`suprsend_api::anything!`"]),
        // An attribute that removes what it stands at.
        (
            "suprsend_api::deserialize!(Circle",
            "#[cfg_attr(all(), cfg(any()))] suprsend_api::deserialize!(Circle",
            &["what `Circle` is read from"],
        ),
    ] {
        let source = SAMPLE.replace(known, unknown);
        assert_ne!(source, SAMPLE, "{known}");
        let found = unrecognised(source);
        let is_missed = |message: &&str| !found.iter().any(|found| found.contains(*message));
        missed.extend(messages.iter().copied().filter(is_missed));
    }
    assert_eq!(missed, Vec::<&str>::new());
}
