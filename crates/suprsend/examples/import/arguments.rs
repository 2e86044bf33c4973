//! The command line.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Parser;

use crate::rows::Format;

/// Import users from a file with one row for each user.
#[derive(Parser)]
#[command(after_help = "Exit codes:
  0    all rows are imported
  1    all rows are done, and some are rejected
  2    the import cannot continue: the input, a file, an argument, the API key
  3    some rows are not done because of the API or the connection
  130  interrupted, 141 output closed
After 2, 3 and 130 the same command resumes with the rows that are not done.")]
pub(crate) struct Arguments {
    /// File with the rows: .ndjson, .jsonl or .csv.
    #[arg(required_unless_present = "retry_rejected")]
    input: Option<PathBuf>,
    /// Import the corrected .rejected.ndjson of another import.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "format"])]
    retry_rejected: Option<PathBuf>,
    /// Format of the file. Defaults to the one that its name ends with.
    #[arg(long)]
    format: Option<Format>,
    /// Field or column with the user's id.
    #[arg(long, value_name = "NAME", default_value = "distinct_id")]
    pub(crate) id: String,
    /// Send up to 400 rows in a request, which the API accepts and stores later; an address is added to those that a user has.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) ingest: bool,
    /// Validate all rows and send none.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// File for rejected rows. Defaults to INPUT.rejected.ndjson.
    #[arg(long, value_name = "FILE")]
    rejected: Option<PathBuf>,
    /// File for the progress. Defaults to INPUT.checkpoint.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Begin with the first row and ignore the checkpoint.
    #[arg(long)]
    pub(crate) restart: bool,
    /// Number of calls in flight. Defaults to adapting to the API.
    #[arg(long, value_name = "CALLS")]
    pub(crate) concurrency: Option<usize>,
    /// Maximum number of calls in flight.
    #[arg(long, value_name = "CALLS", default_value_t = 64, conflicts_with = "concurrency")]
    pub(crate) max_concurrency: usize,
    /// Maximum number of requests per second.
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) max_rate: Option<u32>,
    /// Longest wait while the API or the connection to it is down.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) max_outage: u32,
}

impl Arguments {
    /// Returns the file with the rows.
    pub(crate) fn input(&self) -> &Path {
        // The arguments' declaration guarantees that one of the two is set.
        self.retry_rejected.as_deref().or(self.input.as_deref()).unwrap_or_else(|| Path::new(""))
    }

    pub(crate) fn format(&self) -> Format {
        if self.retry_rejected.is_some() {
            return Format::Rejected;
        }
        let is_csv = self.input().extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        self.format.unwrap_or(if is_csv { Format::Csv } else { Format::Ndjson })
    }

    pub(crate) fn rejected(&self) -> PathBuf {
        self.rejected.clone().unwrap_or_else(|| self.beside(".rejected.ndjson"))
    }

    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| self.beside(".checkpoint"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.input());
        name.push(suffix);
        name.into()
    }
}
