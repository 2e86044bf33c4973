//! What the compiler says of the mistakes that are easily made: each program of `tests/messages` is compiled, and has to be refused with
//! the lines that stand beside it, which name the remedy.
//!
//! `UPDATE=1 cargo test -p suprsend --test messages` writes them anew.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The library as cargo has built it for this test.
fn library(folder: &Path) -> PathBuf {
    let is_it = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("libsuprsend-") && name.ends_with(".rlib")
    };
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_it);
    files.max_by_key(|file| fs::metadata(file).unwrap().modified().unwrap()).expect("cargo has built the library")
}

/// The first lines of the messages, and those of ours. Others depend on the compiler's version.
fn said(program: &Path) -> String {
    let tests = env::current_exe().unwrap();
    let folder = tests.parent().unwrap();
    let output = Command::new(option_env!("RUSTC").unwrap_or("rustc"))
        .args(["--edition", "2024", "--emit", "metadata", "--crate-name", "program", "--out-dir"])
        .arg(env::temp_dir())
        .arg("--extern")
        .arg(format!("suprsend={}", library(folder).display()))
        .arg("-L")
        .arg(format!("dependency={}", folder.display()))
        .arg(program)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{} compiles", program.display());
    let lines = String::from_utf8(output.stderr).unwrap();
    let is_ours = |line: &&str| {
        let is_first = line.starts_with("error[");
        let has_remedy = ["expected ", "note: convert", "note: pass", "note: map"].iter().any(|part| line.contains(part));
        is_first || has_remedy
    };
    let trimmed = |line: &str| line.trim_start_matches(|c: char| !c.is_ascii_alphabetic()).to_owned() + "\n";
    lines.lines().filter(is_ours).map(trimmed).collect()
}

#[test]
fn mistakes_are_told_with_their_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    for name in ["one_or_more", "one_or_none", "entry", "source"] {
        let said = said(&folder.join(name).with_extension("rs"));
        let expected = folder.join(name).with_extension("stderr");
        if env::var_os("UPDATE").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(&expected).unwrap_or_default(), "{name}");
    }
}
