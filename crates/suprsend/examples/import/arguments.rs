//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, ValueEnum};

/// Import users from a file, one profile a row, each user in one row only.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// File with the rows: .ndjson, .jsonl or .csv.
    pub(crate) input: PathBuf,
    /// Format of the file, if its name does not tell.
    #[arg(long)]
    format: Option<Format>,
    /// Member or column with the user's id.
    #[arg(long, value_name = "NAME", default_value = "distinct_id")]
    pub(crate) id: String,
    /// Check all rows and send none.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Where rejected rows go instead of to INPUT.rejected.ndjson.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// Where what is done is noted instead of in INPUT.checkpoint.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Begin with the first row, whatever the checkpoint says.
    #[arg(long)]
    pub(crate) restart: bool,
    /// Calls to keep in flight, instead of adapting to the hub.
    #[arg(long, value_name = "CALLS")]
    pub(crate) concurrency: Option<usize>,
    /// Calls in flight at most.
    #[arg(long, value_name = "CALLS", default_value_t = 64, conflicts_with = "concurrency")]
    pub(crate) max_concurrency: usize,
    /// Requests a second at most.
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) max_rate: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Ndjson,
    Csv,
}

impl Arguments {
    pub(crate) fn format(&self) -> Format {
        let is_csv = self.input.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        self.format.unwrap_or(if is_csv { Format::Csv } else { Format::Ndjson })
    }

    pub(crate) fn rejected(&self) -> PathBuf {
        self.rejected.clone().unwrap_or_else(|| self.beside(".rejected.ndjson"))
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| self.beside(".checkpoint"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.input);
        name.push(suffix);
        name.into()
    }
}
