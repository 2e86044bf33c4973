//! How far an import is: a bar on a terminal, a line now and then elsewhere.

use std::{
    cell::Cell,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use suprsend::bulk::Summary;

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

pub(crate) struct Progress {
    bar: ProgressBar,
    last_line: Cell<Instant>,
}

impl Progress {
    pub(crate) fn start(input: &Path) -> Result<Self> {
        let bytes = fs::metadata(input).with_context(|| format!("cannot open {}", input.display()))?.len();
        // Hidden by itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("{bar:30} {percent:>3}% {bytes}/{total_bytes}, {eta} left {msg}")?;
        bar.set_style(style);
        Ok(Self { bar, last_line: Cell::new(Instant::now()) })
    }

    /// The bar, which follows what is read of the input.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    pub(crate) fn show(&self, summary: &Summary, concurrency: usize) {
        let text = format!("| {summary}, {concurrency} at a time");
        if !self.bar.is_hidden() {
            self.bar.set_message(text);
        } else if self.last_line.get().elapsed() >= LINE {
            self.last_line.set(Instant::now());
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            eprintln!("{} of {} read {text}", HumanBytes(done), HumanBytes(all));
        }
    }

    /// A line that stays, for people.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// A line of the result.
    pub(crate) fn print(&self, line: &str) {
        self.bar.suspend(|| println!("{line}"));
    }

    /// The last line.
    pub(crate) fn end(&self, line: &str) {
        self.bar.finish_and_clear();
        println!("{line}");
    }
}
