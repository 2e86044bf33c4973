//! The command line.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Parser;

use crate::rows::Format;

/// Import users from a file, one profile a row, each user in one row only.
#[derive(Parser)]
#[command(after_help = "Exit codes:
  0    all rows are imported
  1    all rows are done, and some are rejected
  2    the import cannot go on: the input, a file, an argument, the API key
  3    rows are not done, since the API or the way to it is out of order
  130  interrupted, 141 nobody reads the output any more
After 2, 3 and 130 the same command goes on with the rows that are not done.")]
pub(crate) struct Arguments {
    /// File with the rows: .ndjson, .jsonl or .csv.
    #[arg(required_unless_present = "retry_rejected")]
    input: Option<PathBuf>,
    /// Import what another import has rejected, once it is mended: FILE is its .rejected.ndjson.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "format"])]
    retry_rejected: Option<PathBuf>,
    /// Format of the file, if its name does not tell.
    #[arg(long)]
    format: Option<Format>,
    /// Member or column with the user's id.
    #[arg(long, value_name = "NAME", default_value = "distinct_id")]
    pub(crate) id: String,
    /// Send up to 400 rows in a request, which the API accepts and stores later; an address is added to those that a user has.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) ingest: bool,
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
    /// Longest wait while the API or the connection to it is down.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) max_outage: u32,
}

impl Arguments {
    /// The file with the rows.
    pub(crate) fn input(&self) -> &Path {
        // One of the two is there, says their declaration.
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
