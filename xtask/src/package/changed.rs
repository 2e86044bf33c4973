//! A user who changes the packed document: the build script generates from it, or says what is wrong with it.

use std::{fs, path::Path, process::Output};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::project::cargo;

/// Lines of the document that are not the subject of a correction.
const PROPERTY: &str = "                  message:\n                    type: string\n";
/// The target of a correction, to the end of its line.
const TARGET: &str = "properties.value.type\n";

/// Changes the unpacked crate with the document, and builds it as a dependency of the program in this folder.
///
/// # Errors
///
/// Fails if the generated code does not follow the document, or if a broken overlay is not refused by name.
pub(super) fn check(program: &Path, api: &Path, target: &Path) -> Result<()> {
    replace(&api.join("openapi.yaml"), PROPERTY, &PROPERTY.replace("string", "boolean"))?;
    let built = build(program, target)?;
    ensure!(built.status.success(), "a changed document does not build:\n{}", said(&built));
    let code = fs::read_to_string(out_dir(&built)?.join("generated.rs"))?;
    let expected = "pub message: ::std::option::Option<bool>";
    ensure!(code.contains(expected), "a changed document changes no code: `{expected}` is missing");

    replace(&api.join("overlays/10-corrections.yaml"), TARGET, &TARGET.replace("value", "valu"))?;
    let refused = build(program, target)?;
    let said = said(&refused);
    let reason = "properties.valu.type): the target matches nothing in the document";
    let is_named = said.contains(reason) && !said.contains("panicked") && !said.contains("stack backtrace");
    ensure!(!refused.status.success() && is_named, "a broken overlay is not refused by name:\n{said}");
    Ok(())
}

fn build(program: &Path, target: &Path) -> Result<Output> {
    let mut command = cargo();
    command.current_dir(program).args(["build", "--quiet", "--package", "suprsend-api"]);
    command.arg("--message-format=json").arg("--target-dir").arg(target);
    command.output().context("cannot run cargo build")
}

fn said(output: &Output) -> String {
    let [messages, errors] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{messages}{errors}")
}

/// Returns the folder into which the build script of the crate has written.
fn out_dir(built: &Output) -> Result<Box<Path>> {
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut of_scripts = messages.filter(|message| {
        let package = message["package_id"].as_str().unwrap_or_default();
        message["reason"] == "build-script-executed" && package.contains("suprsend-api")
    });
    let folder =
        of_scripts.find_map(|message| message["out_dir"].as_str().map(|path| Path::new(path).into()));
    folder.context("cargo names no build script of suprsend-api")
}

/// Replaces a text that occurs once.
fn replace(file: &Path, old: &str, new: &str) -> Result<()> {
    let text = fs::read_to_string(file)?;
    let times = text.matches(old).count();
    if times != 1 {
        bail!("{} contains {old:?} {times} times, and not once", file.display());
    }
    fs::write(file, text.replace(old, new)).with_context(|| format!("cannot write {}", file.display()))
}
