//! The program as it is called: what it prints where, and how it exits.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    thread,
};

const PAGE: &str = "xtask/tests/fixtures/create-update-users.md";
/// Two of its three operations are refused.
const REFUSED: &str = "crates/codegen/corpus/cookies.yaml";

fn run(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments).current_dir(root).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_check_of_the_page_succeeds() {
    let output = run(&["spec", "import", "--check", PAGE]);
    assert_eq!(code(&output), Some(0), "{output:?}");
    assert_eq!(text(&output.stderr), "openapi.yaml is this text already\n");
}

#[test]
fn a_refused_import_says_why_and_exits_with_2() {
    let output = run(&["spec", "import", "--check", REFUSED]);
    assert_eq!(code(&output), Some(2));
    let error = text(&output.stderr);
    assert!(error.starts_with("overlays/10-corrections.yaml:"), "{error}");
    assert!(error.ends_with("not imported; openapi.yaml is as it was\n"), "{error}");
    assert_eq!(code(&run(&["spec", "import"])), Some(2), "no file at all");
}

#[test]
fn a_difference_is_listed_and_fails_only_if_asked_to() {
    let itself = run(&["spec", "diff", "openapi.yaml", PAGE, "--fail-on", "neutral"]);
    assert_eq!(code(&itself), Some(0));
    assert_eq!(text(&itself.stdout), "0 breaking, 0 additive, 0 neutral\nversion: none, before 1.0 none\n");
    let pair = ["spec", "diff", "openapi.yaml", REFUSED];
    let lines = run(&pair);
    assert_eq!(code(&lines), Some(0));
    assert!(text(&lines.stdout).contains("breaking operation-removed: old /paths/~1v1~1user"));
    let said = text(&lines.stderr);
    for side in ["old", "new"] {
        let line = format!(
            "signatures are not compared, because no Rust can be generated from the {side} document:\n"
        );
        assert!(said.contains(&line), "{said}");
    }
    assert_eq!(code(&run(&[&pair[..], &["--fail-on", "breaking"]].concat())), Some(1));
    let two = run(&["spec", "diff", PAGE, PAGE, "openapi.yaml", "--fail-on", "neutral"]);
    assert_eq!(code(&two), Some(0), "pages are united: {two:?}");
    let json = run(&[&pair[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["bump"], "major");
}

#[test]
fn documents_that_cannot_be_compared_exit_with_2() {
    let broken = "crates/codegen/corpus/references-broken.yaml";
    for (old, new, part) in [
        ("missing.yaml", "openapi.yaml", "missing.yaml: cannot be read"),
        ("openapi.yaml", "README.md", "README.md: no fenced block"),
        ("openapi.yaml", broken, "references-broken.yaml cannot be compared: /"),
    ] {
        let output = run(&["spec", "diff", old, new]);
        assert_eq!(code(&output), Some(2), "{old} {new}");
        let error = text(&output.stderr);
        assert!(error.contains(part) && output.stdout.is_empty(), "{error}");
    }
}

#[test]
fn leniently_the_operations_that_cannot_be_generated_are_named_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("client.rs");
    let out = out.to_str().unwrap();
    let command = ["generate", "--spec", REFUSED, "--no-overlay", "--out", out];
    let strict = run(&command);
    assert_eq!(code(&strict), Some(2));
    assert!(text(&strict.stderr).contains("/paths/~1me/get/parameters: the cookie parameter `session`"));
    assert!(!Path::new(out).exists(), "nothing is written of a refused document");
    let lenient = run(&[&command[..], &["--lenient"]].concat());
    assert_eq!(code(&lenient), Some(0), "{lenient:?}");
    let dropped = text(&lenient.stderr);
    assert!(
        dropped.contains("/paths/~1me/get: dropped: GET /me (me): the cookie parameter `session`"),
        "{dropped}"
    );
    assert!(dropped.contains("/paths/~1shared/get: dropped: GET /shared (shared)"), "{dropped}");
    let rust = fs::read_to_string(out).unwrap();
    assert!(rust.contains("pub struct ChangeMe ") && !rust.contains("pub struct Me "));
}

#[test]
fn a_check_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("client.rs");
    let out = out.to_str().unwrap();
    let output = run(&["generate", "--check", "--spec", "openapi.yaml", "--out", out]);
    assert_eq!(code(&output), Some(2), "{output:?}");
    assert!(!Path::new(out).exists());
}

#[test]
fn the_limits_are_stated() {
    for command in [&["lower"][..], &["generate"], &["drift"], &["spec", "import"]] {
        let help = text(&run(&[command, &["--help"]].concat()).stdout);
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains("64 megabytes, 128 levels of nesting, and two million values"), "{help}");
    }
}

/// As behind `head -1`: the exit code is the command's own, and nobody hears of a panic.
#[test]
fn a_closed_pipe_changes_nothing() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(arguments).current_dir(root);
        command
    };
    let diff = ["spec", "diff", "openapi.yaml", REFUSED, "--fail-on", "breaking"];
    let commands = [
        (&["operations"][..], 0),
        (&["operations", "--json"], 0),
        (&["lower"], 0),
        (&["generate", "--check"], 0),
        (&diff, 1),
        (&["spec", "import", "--check", REFUSED], 2),
        (&["--help"], 0),
    ];
    // All at the same time, since most of them generate.
    thread::scope(|scope| {
        for (arguments, expected) in commands {
            scope.spawn(move || {
                let output = command(arguments).stdout(closed()).output().unwrap();
                assert_eq!(code(&output), Some(expected), "{arguments:?}: {output:?}");
                assert!(!text(&output.stderr).contains("panicked"), "{arguments:?}: {output:?}");
                let output = command(arguments).stdout(closed()).stderr(closed()).status().unwrap();
                assert_eq!(output.code(), Some(expected), "{arguments:?}, without stderr");
            });
        }
    });
}
