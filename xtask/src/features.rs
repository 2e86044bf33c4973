//! `cargo xtask features`: checks that the SDK's features build alone and together, and that each adds the expected dependencies.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, ExitCode},
    thread,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use suprsend_console::{say, tell};

use crate::project;

/// The features that select the TLS implementation. Code that depends on one depends on the others too, so they are tried in every
/// combination.
const TLS: [&str; 3] = ["rustls", "rustls-no-provider", "native-tls"];

/// The other features. They are tried with none, each alone, all but one, and all together. This covers every combination of any three of
/// them: code whose conditions name up to three features is compiled in each of its forms.
const OTHERS: [&str; 6] = ["blocking", "tracing", "codegen", "http2", "management", "token"];

/// The crates that distinguish the TLS implementations and the generator in a dependency tree.
const RUSTLS: &[&str] = &["rustls", "hyper-rustls", "rustls-platform-verifier"];
const AWS_LC: &[&str] = &["aws-lc-rs", "aws-lc-sys"];
const NATIVE_TLS: &[&str] = &["native-tls", "hyper-tls"];
const GENERATOR: &[&str] =
    &["suprsend-codegen", "progenitor", "progenitor-impl", "typify", "openapiv3", "prettyplease"];
/// Crates that none of the features may add.
const UNWANTED: &[&str] = &["ring", "jsonschema", "suprsend-mock"];
const HTTP2: &[&str] = &["h2"];
const TOKEN: &[&str] = &["p256"];

/// The dependencies that a combination of features must and must not have.
struct Tree {
    features: &'static [&'static str],
    with: &'static [&'static [&'static str]],
    without: &'static [&'static [&'static str]],
}

const TREES: [Tree; 10] = [
    Tree {
        features: &[],
        with: &[],
        without: &[RUSTLS, AWS_LC, NATIVE_TLS, GENERATOR, HTTP2, TOKEN, UNWANTED],
    },
    Tree {
        features: &["default"],
        with: &[RUSTLS, AWS_LC],
        without: &[NATIVE_TLS, GENERATOR, HTTP2, TOKEN, UNWANTED],
    },
    Tree {
        features: &["rustls"],
        with: &[RUSTLS, AWS_LC],
        without: &[NATIVE_TLS, GENERATOR, HTTP2, TOKEN, UNWANTED],
    },
    Tree {
        features: &["rustls-no-provider"],
        with: &[RUSTLS],
        without: &[AWS_LC, NATIVE_TLS, GENERATOR, UNWANTED],
    },
    Tree { features: &["native-tls"], with: &[NATIVE_TLS], without: &[RUSTLS, AWS_LC, GENERATOR, UNWANTED] },
    Tree {
        features: &["blocking"],
        with: &[],
        without: &[RUSTLS, AWS_LC, NATIVE_TLS, GENERATOR, HTTP2, TOKEN, UNWANTED],
    },
    Tree {
        features: &["tracing"],
        with: &[&["tracing"]],
        without: &[RUSTLS, AWS_LC, NATIVE_TLS, GENERATOR, HTTP2, TOKEN, UNWANTED],
    },
    Tree {
        features: &["http2"],
        with: &[HTTP2],
        without: &[RUSTLS, AWS_LC, NATIVE_TLS, GENERATOR, TOKEN, UNWANTED],
    },
    Tree {
        features: &["token"],
        with: &[TOKEN],
        without: &[RUSTLS, AWS_LC, NATIVE_TLS, GENERATOR, HTTP2, UNWANTED],
    },
    Tree { features: &["codegen"], with: &[GENERATOR], without: &[RUSTLS, AWS_LC, NATIVE_TLS, UNWANTED] },
];

/// Features that change what is compiled, but add no crate.
const WITHOUT_CRATES: [&str; 2] = ["blocking", "management"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only check the dependencies, without building anything.
    #[arg(long)]
    trees: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut findings = trees()?;
    if !arguments.trees {
        findings.extend(combinations()?);
        findings.extend(provider()?);
    }
    for finding in &findings {
        say!("{finding}")?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares the dependency trees and returns the problems.
fn trees() -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for Tree { features, with, without } in TREES {
        let crates = crates(features)?;
        let features = if features.is_empty() { "no features".to_owned() } else { features.join(",") };
        let present = |name: &&&str| crates.contains(**name);
        findings.extend(
            with.concat()
                .iter()
                .filter(|name| !present(name))
                .map(|name| format!("{features}: lacks {name}")),
        );
        findings
            .extend(without.concat().iter().filter(present).map(|name| format!("{features}: brings {name}")));
        tell!("{features}: {} crates", crates.len());
    }
    let bare = crates(&[])?;
    for feature in WITHOUT_CRATES {
        let brought: Vec<_> = crates(&[feature])?.difference(&bare).cloned().collect();
        if !brought.is_empty() {
            findings.push(format!("{feature}: brings {}", brought.join(", ")));
        }
    }
    Ok(findings)
}

/// Returns the crates that a user of the SDK with these features compiles.
fn crates(features: &[&str]) -> Result<BTreeSet<String>> {
    let arguments = ["tree", "--locked", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    let output = cargo(&arguments, features).output().context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

/// Builds combinations of features and returns the problems. A warning is a problem too, because every user would see it.
fn combinations() -> Result<Vec<String>> {
    let features = [TLS.as_slice(), &OTHERS].concat();
    let is_tried = |set: &Vec<&str>| {
        let tls = set.iter().filter(|feature| TLS.contains(feature)).count();
        let others = set.len() - tls;
        match tls {
            0 => others <= 1,
            all if all == TLS.len() => others == 0 || others + 1 >= OTHERS.len(),
            _ => others == 0,
        }
    };
    let sets = (0..1_usize << features.len()).map(|set| {
        (0..features.len()).filter(|bit| set >> bit & 1 == 1).map(|bit| features[bit]).collect::<Vec<_>>()
    });
    // Cargo compiles the crates of one combination one after another, so two halves are tried at once. The slowest dependencies, those of
    // rustls and of the generator, are built in one of them only.
    let (slow, quick): (Vec<_>, Vec<_>) =
        sets.filter(is_tried).partition(|set| set.contains(&"rustls") || set.contains(&"codegen"));
    let folder = project::root().join("target/features");
    thread::scope(|scope| {
        let slow = scope.spawn(|| check(&slow, None));
        let mut findings = check(&quick, Some(&folder))?;
        findings.extend(slow.join().expect("a thread that does not panic")?);
        Ok(findings)
    })
}

/// Builds the SDK with each of these sets of features, in the usual target folder or in this one.
fn check(sets: &[Vec<&str>], target: Option<&Path>) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for features in sets {
        let shown = features.join(",");
        tell!("[{shown}]");
        let mut command = cargo(&["check", "--quiet", "--locked"], features);
        command.args(target.map(|target| format!("--target-dir={}", target.display())));
        let output = command.output().context("cannot run cargo check")?;
        if !output.status.success() || !output.stderr.is_empty() {
            findings.push(format!(
                "[{shown}] does not build cleanly:\n{}",
                String::from_utf8_lossy(&output.stderr)
            ));
        }
    }
    Ok(findings)
}

/// Tests rustls without a crypto provider, which requires a separate process.
fn provider() -> Result<Option<String>> {
    let arguments = ["test", "--quiet", "--locked", "--test", "provider"];
    let output = cargo(&arguments, &["rustls-no-provider"]).output().context("cannot run cargo test")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = output.status.success() && text.contains("1 passed");
    Ok((!passed).then(|| format!("rustls-no-provider without a provider:\n{text}")))
}

/// Returns a cargo command for the SDK with exactly these features.
fn cargo(arguments: &[&str], features: &[&str]) -> Command {
    let mut command = project::cargo();
    command.args(arguments).args(["--package", "suprsend", "--no-default-features"]);
    command.arg("--features").arg(features.join(","));
    command
}
