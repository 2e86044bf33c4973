//! `cargo xtask drift`, as it is called.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn drift(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_suprsend-drift"))
        .args(["--instances", "40"])
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Upstream's document with one text in it exchanged.
fn changed(folder: &Path, from: &str, to: &str) -> String {
    let text = fs::read_to_string(root().join("openapi.yaml")).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let path = folder.join("changed.yaml");
    fs::write(&path, text.replace(from, to)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_repository_does_not_drift() {
    let output = drift(&[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.starts_with("0 findings; "), "{said}");
    // What has been compared, so that seeing nothing would show.
    for class in [
        "operations",
        "properties",
        "schemas",
        "responses",
        "rules",
        "types tried",
        "valid instances",
        "calls",
    ] {
        let counted = said
            .split([':', ','])
            .find_map(|part| part.trim().strip_suffix(class)?.trim().parse::<u32>().ok());
        assert!(counted.is_some_and(|count| count > 0), "{class}: {said}");
    }
}

#[test]
fn the_types_of_two_fields_swapped_are_two_findings_that_name_both() {
    let folder = tempfile::tempdir().unwrap();
    let code = "                  code:\n                    type: integer\n";
    let message = "                  message:\n                    type: string\n";
    let document = fs::read_to_string(root().join("openapi.yaml")).unwrap();
    for place in [code, message] {
        assert_eq!(document.matches(place).count(), 1, "{place}");
    }
    let swapped = document
        .replace(code, &code.replace("integer", "string"))
        .replace(message, &message.replace("string", "integer"));
    let path = folder.path().join("swapped.yaml");
    fs::write(&path, swapped).unwrap();
    let output = drift(&["--spec", path.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let findings: Vec<&str> = said.lines().filter(|line| line.starts_with('/')).collect();
    assert_eq!(findings.len(), 2, "{said}");
    assert!(said.contains("\n2 findings; "), "{said}");
    for (field, (says, does)) in [("code", ("`string`", "`integer")), ("message", ("`integer`", "`string"))] {
        let line = findings.iter().find(|line| line.contains(&format!("/properties/{field}/type: ")));
        let line = line.unwrap_or_else(|| panic!("{field}: {said}"));
        // The place in the code, what both sides say, and what to do.
        assert!(line.contains(&format!("ApiError::{field}: ")), "{line}");
        assert!(line.contains(&format!("the document says {says}")), "{line}");
        assert!(line.contains(&format!("the code does {does}")), "{line}");
        assert!(line.contains("; generate again"), "{line}");
    }
}

#[test]
fn what_is_said_to_machines_has_a_stable_form() {
    let folder = tempfile::tempdir().unwrap();
    let path = changed(folder.path(), "/v1/user/{distinct_id}/:\n", "/v2/user/{distinct_id}/:\n");
    let output = drift(&["--json", "--no-overlay", "--spec", &path]);
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["version"], 1);
    assert!(said["compared"]["operations"].as_u64().is_some_and(|count| count == 1), "{said}");
    assert!(said["accepted"].is_u64());
    let findings = said["findings"].as_array().unwrap();
    let missing = findings.iter().find(|finding| finding["kind"] == "operation-missing").unwrap();
    assert_eq!(missing["comparison"], "operations");
    assert_eq!(missing["pointer"], "/paths/~1v2~1user~1{distinct_id}~1/post");
    for member in ["place", "rust", "remedy", "hash"] {
        assert!(missing[member].as_str().is_some_and(|text| !text.is_empty()), "{missing}");
    }
    assert_eq!(missing["document"], "post /v2/user/{distinct_id}/");
    assert_eq!(missing["code"], Value::Null);
    assert_eq!(missing["ledger"], "missing");
}

#[test]
fn another_document_is_compared_with_the_overlays_that_are_named() {
    let folder = root().join("overlays");
    let mut overlays: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    overlays.sort();
    let document = root().join("openapi.yaml");
    let with = |overlays: &[PathBuf]| {
        let named = overlays.iter().flat_map(|path| ["--overlay", path.to_str().unwrap()]);
        drift(&["--spec", document.to_str().unwrap()].into_iter().chain(named).collect::<Vec<_>>())
    };
    let all = with(&overlays);
    assert_eq!(all.status.code(), Some(0), "{}", text(&all.stdout));
    let own = drift(&["--spec", document.to_str().unwrap()]);
    assert_eq!(text(&own.stdout), text(&all.stdout));
    let corrected = with(&overlays[..1]);
    assert_eq!(corrected.status.code(), Some(1));
    assert!(text(&corrected.stdout).contains("[operation-extra]"), "{}", text(&corrected.stdout));
    let bare = drift(&["--spec", document.to_str().unwrap(), "--no-overlay"]);
    assert_eq!(bare.status.code(), Some(1));
    assert!(text(&bare.stdout).contains("$<channel>"), "{}", text(&bare.stdout));
}

#[test]
fn what_cannot_be_used_is_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let older = changed(folder.path(), "openapi: 3.1.1", "openapi: 3.0.3");
    for (arguments, said) in [
        (vec!["--spec", older.as_str(), "--no-overlay"], "/openapi: "),
        (vec!["--spec", "there is no such file"], "cannot be read"),
        (vec!["--no-overlay"], "--spec"),
        (vec!["--prove", "--accept"], "cannot be used with"),
    ] {
        let output = drift(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(said), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

/// Behind `head -1`, say: the exit code still says whether there are findings.
#[test]
fn a_closed_pipe_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = "                  message:\n                    type: string\n";
    let document = changed(folder.path(), text, &text.replace("string", "boolean"));
    // Each exit code and each form of the output, with and without somebody who reads errors.
    for (arguments, is_heard, expected) in [
        (&[][..], false, 0),
        (&["--json"], true, 0),
        (&["--spec", &document], true, 1),
        (&["--spec", &document, "--json"], false, 1),
        (&["--spec", "not-there.yaml"], true, 2),
        (&["--spec", "not-there.yaml"], false, 2),
    ] {
        let closed = || std::io::pipe().unwrap().1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-drift"));
        command.args(["--instances", "40"]).args(arguments).stdout(closed());
        if !is_heard {
            command.stderr(closed());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{arguments:?}: {output:?}");
        assert!(!self::text(&output.stderr).contains("panicked"), "{arguments:?}: {output:?}");
    }
}
