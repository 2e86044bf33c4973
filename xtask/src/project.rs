//! The project's own document and overlays, or those that the command line names.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use clap::Args;
use serde_json::Value;
use suprsend_codegen::{Problems, Project, generate_partial};
use suprsend_console::err;

/// The document to work on.
#[derive(Args)]
pub(crate) struct Input {
    /// Document to use instead of the project's.
    ///
    /// Limits: 64 megabytes, 128 levels of nesting, and two million values after YAML's aliases and overlays are applied.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Overlay to apply to it instead of the project's; may be repeated, in the order of application.
    #[arg(long, value_name = "FILE", requires = "spec")]
    overlay: Vec<PathBuf>,
    /// Apply no overlay to it.
    #[arg(long, requires = "spec", conflicts_with = "overlay")]
    no_overlay: bool,
    /// Leave out and report operations that cannot be generated, instead of refusing the document.
    #[arg(long, requires = "spec")]
    lenient: bool,
}

impl Input {
    /// Returns whether this is the project's own document.
    pub(crate) fn is_own(&self) -> bool {
        self.spec.is_none()
    }

    /// Corrects the document and calls `work` with it, or with what `--lenient` leaves of it. Reports what that dropped on stderr.
    pub(crate) fn work<T>(&self, work: impl Fn(&Value) -> Result<T, Problems>) -> Result<T> {
        let document = self.open()?.correct()?;
        if !self.lenient {
            return Ok(work(&document)?);
        }
        let (made, dropped) = generate_partial(&document, work)?;
        err(format_args!("{dropped}"));
        Ok(made)
    }

    /// Reads the document and its overlays.
    pub(crate) fn open(&self) -> Result<Project> {
        let root = root();
        let own = Project::open(root)?;
        let Some(spec) = &self.spec else {
            return Ok(own);
        };
        let overlays = if self.no_overlay || !self.overlay.is_empty() {
            self.overlay.clone()
        } else {
            own.files()[1..].to_vec()
        };
        Ok(Project::from_files(root, spec, &overlays)?)
    }
}

/// Returns the root of the workspace.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Returns a command with the cargo that runs this, in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = cargo_here();
    command.current_dir(root());
    command
}

/// Returns a command with the cargo that runs this, in the caller's folder.
pub(crate) fn cargo_here() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
