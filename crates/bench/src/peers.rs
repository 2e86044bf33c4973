//! SuprSend's own SDKs for Node and Python, in the versions that the conformance suite pins, in a temporary folder.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use suprsend_console::tell;
use tempfile::TempDir;

use crate::{
    client::Task,
    contenders::{Contender, KEY},
};

const NODE: &str = "@suprsend/node-sdk";
const PYTHON: &str = "suprsend-py-sdk";

/// The program that runs Node's scripts, and the one in the folder that runs Python's.
const NODE_PROGRAM: &str = "node";
const PYTHON_PROGRAM: &str = "venv/bin/python";

/// Where the versions are pinned.
const PINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance");

/// Installed SDKs, deleted with this.
pub struct Peers {
    folder: TempDir,
}

impl Peers {
    /// Installs them.
    pub fn install() -> Result<Self> {
        let folder = TempDir::with_prefix("suprsend-bench-").context("cannot make a temporary folder")?;
        let here = folder.path();
        fs::write(here.join("node.mjs"), include_str!("../peers/node.mjs"))?;
        fs::write(here.join("python.py"), include_str!("../peers/python.py"))?;
        fs::write(here.join("bulk.mjs"), include_str!("../peers/bulk.mjs"))?;
        fs::write(here.join("bulk.py"), include_str!("../peers/bulk.py"))?;
        install_node(here).context("cannot install the Node SDK")?;
        install_python(here).context("cannot install the Python SDK")?;
        Ok(Self { folder })
    }

    /// A client on one of them.
    pub fn client(&self, task: &Task) -> Command {
        let Task { contender, concurrency, warm_up, requests, .. } = task;
        let each = || vec![concurrency.to_string(), warm_up.to_string(), requests.to_string()];
        let bulk = |kind: &str| vec![kind.to_owned(), requests.to_string()];
        let (program, script, arguments) = match contender {
            Contender::PythonUsers => (PYTHON_PROGRAM, "bulk.py", bulk("users")),
            Contender::PythonTriggers => (PYTHON_PROGRAM, "bulk.py", bulk("triggers")),
            Contender::NodeUsers => (NODE_PROGRAM, "bulk.mjs", bulk("users")),
            Contender::NodeTriggers => (NODE_PROGRAM, "bulk.mjs", bulk("triggers")),
            Contender::Python => (PYTHON_PROGRAM, "python.py", each()),
            _ => (NODE_PROGRAM, "node.mjs", each()),
        };
        let here = self.folder.path();
        let program = if program == NODE_PROGRAM { program.into() } else { here.join(program) };
        let mut command = Command::new(program);
        command.arg(script).current_dir(here).arg(format!("http://{}", task.server)).arg(KEY).args(arguments);
        command
    }
}

/// npm keeps to the lock file for what is left of the dependencies.
fn install_node(here: &Path) -> Result<()> {
    tell!("installing {NODE}");
    let package: Value = serde_json::from_str(&pinned("package.json")?)?;
    let version =
        package["dependencies"][NODE].as_str().context("conformance/package.json does not pin it")?;
    let ours = json!({"private": true, "dependencies": {NODE: version}});
    fs::write(here.join("package.json"), ours.to_string())?;
    fs::write(here.join("package-lock.json"), pinned("package-lock.json")?)?;
    run(Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(here))
}

/// The list has what other clients need too, so here it only says which version of each is taken.
fn install_python(here: &Path) -> Result<()> {
    tell!("installing {PYTHON}");
    fs::write(here.join("constraints.txt"), pinned("requirements.txt")?)?;
    run(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(here))?;
    let mut pip = Command::new(here.join(PYTHON_PROGRAM));
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]);
    run(pip.args(["--constraint", "constraints.txt", PYTHON]).current_dir(here))
}

fn pinned(name: &str) -> Result<String> {
    fs::read_to_string(Path::new(PINS).join(name)).with_context(|| format!("cannot read conformance/{name}"))
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run {name}"))?;
    if !output.status.success() {
        bail!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
