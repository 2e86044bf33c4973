//! What somebody pays to build a program that depends on the SDK, beside the same program written by hand.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use suprsend_console::tell;
use tempfile::TempDir;

use crate::{process::children_cpu_time, results::Build};

/// A program of one file.
struct Program {
    title: &'static str,
    source: &'static str,
    /// What it depends on besides tokio; `{root}` is the top of this workspace.
    dependencies: &'static str,
}

/// The dependencies are what `cargo add` writes, with the features that the SDK has them with.
const PROGRAMS: [Program; 3] = [
    Program {
        title: "hand-written reqwest and serde",
        source: include_str!("../programs/handwritten.rs"),
        dependencies: r#"
reqwest = { version = "0.13.5", default-features = false, features = ["gzip", "json", "rustls"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1""#,
    },
    Program {
        title: "suprsend",
        source: include_str!("../programs/sdk.rs"),
        dependencies: r#"
suprsend = { path = "{root}/crates/suprsend" }"#,
    },
    Program {
        title: "suprsend with `codegen`",
        source: include_str!("../programs/sdk.rs"),
        dependencies: r#"
suprsend = { path = "{root}/crates/suprsend", features = ["codegen"] }"#,
    },
];

/// The top of this workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The programs in a folder of their own, with all that they depend on at hand.
pub struct Programs(TempDir);

impl Programs {
    /// Writes the programs and fetches their dependencies, so that a missing one is known before anything is measured.
    ///
    /// # Errors
    ///
    /// Files that cannot be written, and the registry's failures.
    pub fn prepare() -> Result<Self> {
        let programs =
            Self(TempDir::with_prefix("suprsend-bench-").context("cannot make a temporary folder")?);
        let root = fs::canonicalize(ROOT)?;
        for (index, program) in PROGRAMS.iter().enumerate() {
            let here = programs.folder(index);
            program.write(&here, &root)?;
            run(cargo(&here).args(["fetch", "--quiet"]), program)?;
        }
        Ok(programs)
    }

    /// Builds the programs, or only counts what they would compile.
    ///
    /// # Errors
    ///
    /// Fails if a program does not build, with cargo's own message.
    pub fn measure(&self, quick: bool) -> Result<Vec<Build>> {
        let mut builds = Vec::new();
        for (index, program) in PROGRAMS.iter().enumerate() {
            let here = self.folder(index);
            let crates = count(&here)?;
            let mut row = Build { program: program.title.to_owned(), crates, ..Build::default() };
            if !quick {
                build(&here, program, &mut row)?;
                release(&here, program, &mut row)?;
            }
            builds.push(row);
        }
        Ok(builds)
    }

    fn folder(&self, index: usize) -> PathBuf {
        self.0.path().join(format!("program-{index}"))
    }
}

impl Program {
    fn write(&self, here: &Path, root: &Path) -> Result<()> {
        fs::create_dir_all(here.join("src"))?;
        fs::write(here.join("src/main.rs"), self.source)?;
        let root_text = root.to_str().context("the path of the workspace is not UTF-8")?;
        let dependencies = self.dependencies.replace("{root}", root_text);
        let manifest = format!(
            r#"[package]
name = "program"
version = "0.0.0"
edition = "2024"

[dependencies]
tokio = {{ version = "1", features = ["macros", "rt"] }}{dependencies}

[workspace]
"#
        );
        fs::write(here.join("Cargo.toml"), manifest)?;
        // The versions of the workspace, so that all three compile the same ones.
        fs::copy(root.join("Cargo.lock"), here.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        Ok(())
    }
}

/// The crates that a build compiles, build scripts' own dependencies included.
fn count(here: &Path) -> Result<usize> {
    let mut tree = cargo(here);
    tree.args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"]);
    let output = tree.output().context("cannot run cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    // Without the program itself.
    Ok(crates.len() - 1)
}

/// Builds from nothing: how long that takes, and how much CPU time.
fn build(here: &Path, program: &Program, row: &mut Build) -> Result<()> {
    tell!("building a program on {}", program.title);
    let (start, cpu) = (Instant::now(), children_cpu_time()?);
    run(cargo(here).args(["build", "--offline", "--quiet"]), program)?;
    let (time, cpu) = (start.elapsed(), children_cpu_time()?.saturating_sub(cpu));
    row.seconds = Some(time.as_secs_f64());
    row.cpu_seconds = Some(cpu.as_secs_f64());
    // The next one needs the room.
    fs::remove_dir_all(here.join("target"))?;
    Ok(())
}

/// Builds with optimization: how large the binary is, as it comes and without symbols.
fn release(here: &Path, program: &Program, row: &mut Build) -> Result<()> {
    tell!("building a program on {} with optimization", program.title);
    run(cargo(here).args(["build", "--release", "--offline", "--quiet"]), program)?;
    let binary = here.join("target/release/program");
    let bytes = || Ok::<_, anyhow::Error>(Some(fs::metadata(&binary)?.len()));
    row.release_bytes = bytes()?;
    run(Command::new("strip").arg(&binary), program)?;
    row.stripped_bytes = bytes()?;
    fs::remove_dir_all(here.join("target"))?;
    Ok(())
}

fn run(command: &mut Command, program: &Program) -> Result<()> {
    let output =
        command.output().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("a program on {} does not build:\n{}", program.title, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn cargo(here: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Neither the folder nor the flags of whoever runs the benchmark. A crate from a registry is never compiled incrementally, but one with
    // a path is, which takes a third longer.
    command.current_dir(here).env("CARGO_TARGET_DIR", here.join("target")).env("CARGO_INCREMENTAL", "0");
    command.env_remove("RUSTFLAGS");
    command
}
