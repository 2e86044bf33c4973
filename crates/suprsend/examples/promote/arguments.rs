//! The command line.

use clap::{Args, Parser};

/// Promote what is live in one workspace to another.
#[derive(Clone, Default, Parser)]
#[command(after_help = "Exit codes:
  0  the target is as the source, or was made so
  1  there are differences (--check)
  2  nothing was committed: it was refused, or a draft could not be saved
  3  a commit failed, and others were made; the same command goes on from there
Without arguments, all of this is shown on a hub that is started for it.")]
pub(crate) struct Arguments {
    /// Workspace to read.
    pub(crate) from: String,
    /// Workspace to write to.
    pub(crate) to: String,
    /// Only show the plan; exit with 1 if there is anything to do.
    #[arg(long)]
    pub(crate) check: bool,
    /// Message of the commits. Defaults to "promoted from FROM".
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    pub(crate) allowed: Allowed,
}

/// Actions that are refused unless they are explicitly allowed.
#[derive(Args, Clone, Default)]
pub(crate) struct Allowed {
    /// Overwrite drafts in the target that were not committed.
    #[arg(long)]
    pub(crate) overwrite_drafts: bool,
    /// Delete categories that only the target has.
    #[arg(long)]
    pub(crate) delete_categories: bool,
    /// Link to the live version of a schema where the source links to a numbered one.
    #[arg(long)]
    pub(crate) unpin: bool,
}

impl Arguments {
    pub(crate) fn message(&self) -> String {
        self.message.clone().unwrap_or_else(|| format!("promoted from {}", self.from))
    }
}
