//! `cargo xtask package`: tests the crates as users get them: packed, built from the packages, and used by a program outside the workspace,
//! also with a document that this program's author changes.

mod changed;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;
use suprsend_console::{say, tell};

use crate::project::{cargo, root};

/// The program outside the workspace.
const PROGRAM: &str = "crates/suprsend/examples/quickstart.rs";

/// Its dependencies, as its author would write them. The last section points to the packed crates.
const MANIFEST: &str = r#"[package]
name = "consumer"
version = "0.0.0"
edition = "2024"

[dependencies]
clap = { version = "4", features = ["derive"] }
serde_json = "1"
suprsend = { version = "0.1", features = ["codegen"] }
suprsend-mock = { version = "0.1", default-features = false }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }

[patch.crates-io]"#;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Pack uncommitted changes too.
    #[arg(long)]
    allow_dirty: bool,
    /// Also build each packed crate by itself, as a release does. Takes some minutes.
    #[arg(long)]
    verify: bool,
}

/// A crate that is published.
struct Published {
    name: String,
    version: String,
}

impl Published {
    /// Returns the name of the folder that its tarball contains, which is also that of the tarball.
    fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (published, target) = published()?;
    let mut command = cargo();
    command.args(["package", "--quiet", "--locked"]);
    if arguments.allow_dirty {
        command.arg("--allow-dirty");
    }
    if !arguments.verify {
        command.arg("--no-verify");
    }
    for Published { name, .. } in &published {
        command.args(["--package", name]);
    }
    if !command.status().context("cannot run cargo package")?.success() {
        tell!("the crates cannot be packed, or do not build from what is packed");
        return Ok(ExitCode::FAILURE);
    }

    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    unpack(folder.path(), &published, &target.join("package"))?;
    write_consumer(folder.path(), &published)?;
    let output = cargo()
        .current_dir(folder.path())
        .args(["run", "--quiet", "--target-dir"])
        .arg(&target)
        .args(["--", "--json"])
        // The program must use its own mock server.
        .env_remove("SUPRSEND_API_KEY")
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        tell!("a program that uses the packed crates fails:\n{}", String::from_utf8_lossy(&output.stderr));
        return Ok(ExitCode::FAILURE);
    }
    let profile: Value = serde_json::from_slice(&output.stdout)
        .context("the program printed something else than a profile")?;
    say!("packed: {}", published.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", "))?;
    say!("a program outside the workspace stored {}", profile["distinct_id"])?;
    let api =
        published.iter().find(|one| one.name == "suprsend-api").context("suprsend-api is not published")?;
    changed::check(folder.path(), &folder.path().join(api.folder()), &target)?;
    say!("with a changed document, it has other code; a broken overlay is refused")?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the crates that are published, and the target folder.
fn published() -> Result<(Vec<Published>, PathBuf)> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--locked", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let published = packages
        .iter()
        // `publish = false` is represented as an empty list of registries.
        .filter(|package| package["publish"].is_null())
        .map(|package| Published { name: text(&package["name"]), version: text(&package["version"]) })
        .collect();
    Ok((published, text(&metadata["target_directory"]).into()))
}

/// Unpacks the crates.
fn unpack(folder: &Path, published: &[Published], packed: &Path) -> Result<()> {
    for one in published {
        let tarball = packed.join(format!("{}.crate", one.folder()));
        let unpacked = Command::new("tar").arg("-xzf").arg(&tarball).arg("-C").arg(folder).status();
        if !unpacked.context("cannot run tar")?.success() {
            bail!("cannot unpack {}", tarball.display());
        }
    }
    Ok(())
}

/// Writes a package that depends on the unpacked SDK and mock server.
fn write_consumer(folder: &Path, published: &[Published]) -> Result<()> {
    let mut lines = vec![MANIFEST.to_owned()];
    lines.extend(published.iter().map(|one| format!("{} = {{ path = \"{}\" }}", one.name, one.folder())));
    fs::write(folder.join("Cargo.toml"), lines.join("\n"))?;
    // The versions with which everything here is tested.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    fs::create_dir(folder.join("src"))?;
    fs::copy(root().join(PROGRAM), folder.join("src/main.rs"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The content of every tarball: cargo's own files, the licences, the page for the registry, the source.
    const ALWAYS: [&str; 8] = [
        ".cargo_vcs_info.json",
        "Cargo.lock",
        "Cargo.toml",
        "Cargo.toml.orig",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "src",
    ];

    fn files(package: &str) -> Vec<String> {
        let arguments = ["package", "--list", "--offline", "--locked", "--allow-dirty", "--package", package];
        let output = cargo().args(arguments).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.replace('\\', "/")).collect()
    }

    /// Returns the files and folders at the top of a tarball. Outside a repository, there is no `.cargo_vcs_info.json`.
    fn top(files: &[String]) -> BTreeSet<&str> {
        let top = files.iter().filter_map(|file| file.split('/').next());
        top.chain([".cargo_vcs_info.json"]).collect()
    }

    #[test]
    fn every_published_crate_is_packed_without_tests_and_snapshots_of_others() {
        let (published, _) = published().expect("cargo metadata works");
        let names: BTreeSet<_> = published.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(
            names,
            BTreeSet::from([
                "suprsend",
                "suprsend-api",
                "suprsend-codegen",
                "suprsend-mock",
                "suprsend-outbox"
            ])
        );
        for name in names {
            let own: &[&str] =
                if name == "suprsend-api" { &["build.rs", "openapi.yaml", "overlays"] } else { &[] };
            let files = files(name);
            assert_eq!(top(&files), ALWAYS.iter().chain(own).copied().collect(), "{name}");
        }
    }

    #[test]
    fn the_generated_crate_has_the_document_the_overlays_and_both_snapshots() {
        let files = files("suprsend-api");
        let has = |file: &str| files.iter().any(|one| one == file);
        for file in ["openapi.yaml", "src/generated.rs", "src/openapi.json"] {
            assert!(has(file), "{file}");
        }
        for overlay in fs::read_dir(root().join("overlays")).expect("a folder") {
            let name = overlay.expect("an entry").file_name();
            assert!(has(&format!("overlays/{}", name.to_string_lossy())), "{name:?}");
        }
    }

    /// Checks that a release names the document that it was generated from.
    #[test]
    fn versions_carry_that_of_the_document() {
        let document = fs::read_to_string(root().join("src/openapi.json")).expect("the snapshot is there");
        let document: Value = serde_json::from_str(&document).expect("the document is JSON");
        let of_document = document["info"]["version"].as_str().expect("a version");
        for Published { name, version } in published().expect("cargo metadata works").0 {
            let metadata = version.split_once('+').map(|(_, metadata)| metadata);
            assert_eq!(metadata, Some(format!("api.{of_document}").as_str()), "{name} {version}");
        }
    }
}
