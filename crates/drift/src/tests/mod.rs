//! The check on code that is known to be wrong: what progenitor alone makes of upstream's document.

mod told_apart;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde_json::Value;
use suprsend_codegen::Project;

use super::{
    behaviour::Effort,
    check::{Depth, Evidence, Report, check},
    code::Code,
    compiled::{self, Arguments},
    document::Document,
    finding::{Comparison, Difference, Entry, Finding, Kind},
    ledger::Ledger,
    wire,
};
use crate::project::root;

#[allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style"
)]
mod raw {
    include!(concat!(env!("OUT_DIR"), "/raw.rs"));
}

mod raw_compiled {
    include!(concat!(env!("OUT_DIR"), "/raw_compiled.rs"));
}

#[allow(
    missing_docs,
    unreachable_pub,
    unreachable_patterns,
    clippy::all,
    clippy::pedantic,
    reason = "progenitor's style"
)]
mod sample {
    include!(concat!(env!("OUT_DIR"), "/sample.rs"));
}

#[allow(clippy::too_many_lines, reason = "generated: an arm for each operation")]
mod sample_compiled {
    include!(concat!(env!("OUT_DIR"), "/sample_compiled.rs"));
}

const BASE_URL: &str = "https://hub.suprsend.com";

/// The raw client, which has no credentials.
struct Raw(raw::prelude::Client);

impl wire::Calls for Raw {
    fn call<'a>(&'a self, operation: &'a str, mut arguments: Arguments) -> wire::CallFuture<'a> {
        Box::pin(async move { raw_compiled::call(&self.0, operation, &mut arguments).await })
    }
}

fn codec(name: &str, text: &str) -> Option<Result<Value, String>> {
    Some(raw_compiled::codec(&format!("types::{name}"))?(text))
}

/// Compares the raw client with a document.
fn report_on_raw(document: &Value) -> Report {
    let source = include_str!(concat!(env!("OUT_DIR"), "/raw.rs"));
    let code = Code::read(&syn::parse_file(source).unwrap(), "raw.rs");
    let unverified = compiled::verify(&code, &compiled::definitions(raw_compiled::schemas));
    let client = |base_url: &str| -> Box<dyn wire::Calls> {
        Box::new(Raw(raw::Client::new_with_client(base_url, reqwest::Client::new())))
    };
    // What it was generated from says what it can be called with.
    let own = upstreams();
    let read = Document::read(&own).unwrap();
    let wire = wire::record(&code, &read, BASE_URL, "no key", &client).unwrap();
    let types = code.schemas();
    let evidence = Evidence {
        code: &code,
        types: &types,
        unverified: &unverified,
        codecs: &codec,
        wire: &wire,
        ledger: &Ledger::default(),
        clean: None,
    };
    check(document, &evidence, Effort { instances: 20, seed: 1 }, Depth::Whole).unwrap()
}

/// Whether there is a finding of this kind at a place that ends like this, which the code has something to do with.
fn finds(report: &Report, kind: Kind, place: &str, code: &str) -> bool {
    let fits = |finding: &&Finding| {
        let difference = &finding.difference;
        difference.kind == kind
            && difference.place.as_str().ends_with(place)
            && format!("{} {}", difference.document, difference.code).contains(code)
    };
    report.findings.iter().any(|finding| fits(&finding))
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests")
}

fn corrected() -> Value {
    Project::open(root()).unwrap().correct().unwrap()
}

fn upstreams() -> Value {
    Project::of_files(root(), &here().join("upstream.yaml"), &[]).unwrap().correct().unwrap()
}

#[test]
fn what_progenitor_loses_of_upstreams_document_is_found() {
    let report = report_on_raw(&corrected());
    let upsert = "/paths/~1v1~1user~1{distinct_id}~1/post";
    let schema = "content/application~1json/schema";
    let lines: Vec<String> = report.findings.iter().map(super::output::line).collect();
    let said = lines.join("\n");
    // The body of a 400 is read as that of a 201.
    let error = format!("{upsert}/responses/400/{schema}");
    assert!(finds(&report, Kind::Alternatives, &error, "$<channel>"), "{said}");
    // The placeholder is the name of a field, and no channel is.
    let reply = format!("{upsert}/responses/201/{schema}/properties");
    assert!(finds(&report, Kind::PropertyExtra, &format!("{reply}/$<channel>"), "$<channel>"), "{said}");
    assert!(finds(&report, Kind::PropertyMissing, &format!("{reply}/$email"), "$email"), "{said}");
    // Web push cannot be sent.
    let webpush = format!("{upsert}/requestBody/{schema}/properties/$webpush");
    assert!(finds(&report, Kind::PropertyMissing, &webpush, "$webpush"), "{said}");
    // A header that nobody asked for.
    let header = format!("{upsert}/parameters/header:api-version");
    assert!(finds(&report, Kind::HeaderExtra, &header, "api-version"), "{said}");
    // The source of the types was read rightly all the same.
    assert!(!lines.iter().any(|line| line.contains("\"compiled\"")), "{said}");
}

#[test]
fn the_lost_body_shows_against_upstreams_own_document_too() {
    let report = report_on_raw(&upstreams());
    let of_the_error = |finding: &&Finding| finding.difference.place.as_str().contains("/responses/400/");
    let kinds: Vec<Kind> =
        report.findings.iter().filter(of_the_error).map(|finding| finding.difference.kind).collect();
    assert!(kinds.contains(&Kind::Alternatives), "{kinds:?}");
    assert!(report.findings.iter().any(|finding| finding.difference.kind == Kind::HeaderExtra));
    // Nothing is sent that would authenticate.
    assert!(report.findings.iter().any(|finding| finding.difference.kind == Kind::Security));
}

#[test]
fn an_entry_by_hand_accepts_what_it_speaks_of_and_nothing_else() {
    let report = report_on_raw(&corrected());
    let webpush =
        report.findings.iter().find(|finding| finding.difference.place.as_str().ends_with("/$webpush"));
    let difference = &webpush.unwrap().difference;
    let entry = |hash: &str| {
        let (kind, place) = (difference.kind.name(), difference.place.as_str());
        let text = format!("- kind: {kind}\n  reason: known\n  at:\n    '{place}': '{hash}'\n");
        Ledger::parse(&text).unwrap()
    };
    let says = |ledger: &Ledger, differences: &[Difference]| {
        let (findings, accepted) = ledger.settle(differences, &Comparison::ALL);
        let about = findings.iter().find(|finding| finding.difference.place == difference.place);
        (about.map(|finding| finding.entry), accepted)
    };
    assert_eq!(says(&entry(&difference.hash()), &report.differences), (None, 1));
    assert_eq!(says(&entry("000000000000"), &report.differences), (Some(Entry::Changed), 0));
    assert_eq!(says(&Ledger::default(), &report.differences), (Some(Entry::Missing), 0));
    assert_eq!(says(&entry(&difference.hash()), &[]), (Some(Entry::Stale), 0));
    // By rule it is neither entered nor taken out.
    let kept = entry(&difference.hash()).accepting(&report.differences);
    assert_eq!(says(&kept, &report.differences).0, None);
    assert!(kept.to_text().contains("reason: >-\n    known\n"));
    assert_eq!(
        says(&Ledger::default().accepting(&report.differences), &report.differences).0,
        Some(Entry::Missing)
    );
}

/// The client of a document with many constructs. It sends a key in the header that the document asks for.
struct Sample(sample::prelude::Client);

impl wire::Calls for Sample {
    fn call<'a>(&'a self, operation: &'a str, mut arguments: Arguments) -> wire::CallFuture<'a> {
        Box::pin(async move { sample_compiled::call(&self.0, operation, &mut arguments).await })
    }
}

fn sample_codec(name: &str, text: &str) -> Option<Result<Value, String>> {
    Some(sample_compiled::codec(&format!("types::{name}"))?(text))
}

#[test]
fn of_a_document_with_many_constructs_nothing_is_found_that_is_not_so() {
    let path = here().join("sample.yaml");
    let document = Project::of_files(root(), &path, &[]).unwrap().correct().unwrap();
    let source = include_str!(concat!(env!("OUT_DIR"), "/sample.rs"));
    let code = Code::read(&syn::parse_file(source).unwrap(), "sample.rs");
    let definitions = compiled::definitions(sample_compiled::schemas);
    let unverified = compiled::verify(&code, &definitions);
    let key = "drift-key";
    let client = |base_url: &str| -> Box<dyn wire::Calls> {
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert("X-Key", reqwest::header::HeaderValue::from_static("drift-key"));
        let http = reqwest::Client::builder().default_headers(headers).build().unwrap();
        Box::new(Sample(sample::Client::new_with_client(base_url, http)))
    };
    let read = Document::read(&document).unwrap();
    let wire = wire::record(&code, &read, "https://hub.example.com/base", key, &client).unwrap();
    let types = code.schemas();
    let none = Ledger::default();
    let evidence = Evidence {
        code: &code,
        types: &types,
        unverified: &unverified,
        codecs: &sample_codec,
        wire: &wire,
        ledger: &none,
        clean: None,
    };
    let report = check(&document, &evidence, Effort { instances: 60, seed: 1 }, Depth::Whole).unwrap();
    let accepted = none.accepting(&report.differences);
    let (findings, _) = accepted.settle(&report.differences, &Comparison::ALL);
    let hard: BTreeSet<(Kind, &str)> =
        findings.iter().map(|finding| (finding.difference.kind, finding.difference.place.as_str())).collect();
    // The client has one server and always sends its key, whatever an operation says; and an object without required
    // properties swallows what is read after it.
    let text = "/paths/~1v1~1items~1{id}~1sub~1{n}/put";
    let swallowed = "/paths/~1v1~1items~1/delete/responses/409/content/application~1json/schema";
    let (servers, parameters, with) = (
        format!("{text}/servers"),
        format!("{text}/parameters/header:x-key"),
        format!("{swallowed}/properties/with"),
    );
    let expected = [
        (Kind::Server, servers.as_str()),
        (Kind::WireHeader, parameters.as_str()),
        (Kind::Altered, with.as_str()),
        (Kind::Invalid, swallowed),
        (Kind::Passed, swallowed),
        (Kind::Unexercised, with.as_str()),
    ];
    assert_eq!(hard, BTreeSet::from(expected), "{findings:#?}");
}
