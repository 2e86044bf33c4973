//! Installs what is pinned in `requirements.txt` and `package-lock.json`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use suprsend_console::tell;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{output, run};

/// The folder of this program.
const HERE: &str = env!("CARGO_MANIFEST_DIR");
/// What the clients need of it.
const FILES: [&str; 11] = [
    "requirements.txt",
    "package.json",
    "package-lock.json",
    "calls.json",
    "users.json",
    "clients/calls.mjs",
    "clients/calls.py",
    "clients/python_sdk.py",
    "clients/node_sdk.mjs",
    "clients/schemathesis_hooks.py",
    "clients/lowered.py",
];
/// The oldest Python and Node that what is pinned runs on.
const PYTHON: (u32, u32) = (3, 11);
const NODE: (u32, u32) = (18, 20);

/// Installed clients.
pub(crate) struct Tools {
    folder: PathBuf,
    requirements: String,
    packages: Value,
    /// Deleted with this.
    _temporary: Option<TempDir>,
}

impl Tools {
    /// Installs everything, in a temporary folder unless another is given.
    pub(crate) async fn install(folder: Option<PathBuf>) -> Result<Self> {
        let python = find_python().await?;
        find_node().await?;
        let temporary = match folder {
            Some(_) => None,
            None => Some(TempDir::with_prefix("conformance-").context("cannot make a temporary folder")?),
        };
        let folder = folder.or_else(|| Some(temporary.as_ref()?.path().to_owned())).unwrap_or_default();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let folder = fs::canonicalize(folder)?;
        for name in FILES {
            let from = Path::new(HERE).join(name);
            let to = folder.join(Path::new(name).file_name().unwrap_or_default());
            fs::copy(&from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
        let read =
            |name| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
        let tools = Self {
            requirements: read("requirements.txt")?,
            packages: serde_json::from_str(&read("package.json")?).context("package.json is not JSON")?,
            folder,
            _temporary: temporary,
        };
        tools.install_python(python).await?;
        tools.install_node().await?;
        Ok(tools)
    }

    async fn install_python(&self, python: &str) -> Result<()> {
        tell!("installing requirements.txt");
        let venv = run(Command::new(python).args(["-m", "venv", "venv"]).current_dir(&self.folder)).await;
        venv.context("cannot make a virtual environment; Debian has it in python3-venv")?;
        let pip =
            ["-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "8", "--timeout", "60"];
        // What is listed and nothing else, which is then checked to be enough.
        run(self.python().args(pip).args(["install", "--no-deps", "--requirement", "requirements.txt"]))
            .await?;
        run(self.python().args(pip).arg("check")).await.context("requirements.txt is not complete")?;
        Ok(())
    }

    async fn install_node(&self) -> Result<()> {
        tell!("installing package-lock.json");
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries", "8"];
        run(Command::new(NPM).args(install).current_dir(&self.folder)).await?;
        Ok(())
    }

    /// Python, with what is installed for it, in the folder of the tools.
    pub(crate) fn python(&self) -> Command {
        self.program("python")
    }

    /// A program that was installed for Python.
    pub(crate) fn program(&self, name: &str) -> Command {
        let programs = if cfg!(windows) { "venv/Scripts" } else { "venv/bin" };
        let mut command = Command::new(self.folder.join(programs).join(name));
        command.current_dir(&self.folder);
        command
    }

    /// Node, with what is installed for it, in the folder of the tools.
    pub(crate) fn node(&self) -> Command {
        let mut command = Command::new("node");
        command.current_dir(&self.folder);
        command
    }

    /// Writes a file beside the tools, and gives its path.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// An empty folder beside the tools.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("cannot empty {}", path.display()))?;
        }
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// Name and pinned version of a Python package.
    pub(crate) fn python_package(&self, name: &str) -> String {
        let version = self.requirements.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("=="));
        format!("{name} {}", version.unwrap_or("(not pinned)"))
    }

    /// Name and pinned version of a Node package.
    pub(crate) fn node_package(&self, name: &str) -> String {
        let version = self.packages["dependencies"][name].as_str();
        format!("{name} {}", version.unwrap_or("(not pinned)"))
    }
}

/// npm's name as a program.
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The name under which a Python that is new enough is found.
async fn find_python() -> Result<&'static str> {
    let mut found = Vec::new();
    for name in ["python3", "python"] {
        match version(name).await {
            Some(version) if version >= PYTHON => return Ok(name),
            version => found.extend(version),
        }
    }
    missing("Python", PYTHON, found.first().copied())
}

async fn find_node() -> Result<()> {
    match version("node").await {
        Some(version) if version >= NODE => {}
        found => return missing("Node.js", NODE, found),
    }
    if version(NPM).await.is_none() {
        bail!("npm is missing: install it with Node.js {}.{} or newer", NODE.0, NODE.1);
    }
    Ok(())
}

fn missing<T>(name: &str, (major, minor): (u32, u32), found: Option<(u32, u32)>) -> Result<T> {
    match found {
        Some((old, older)) => {
            bail!("{name} {old}.{older} is too old: install {name} {major}.{minor} or newer")
        }
        None => bail!("{name} is missing: install {name} {major}.{minor} or newer, and put it on the PATH"),
    }
}

/// What `--version` says: major and minor.
async fn version(program: &str) -> Option<(u32, u32)> {
    let output = output(Command::new(program).arg("--version").current_dir(env::temp_dir())).await.ok()?;
    let text = output.stdout.trim().trim_start_matches("Python ").trim_start_matches('v').to_owned();
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}
