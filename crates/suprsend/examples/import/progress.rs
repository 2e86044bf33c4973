//! Shows the progress of an import: a bar on a terminal, elsewhere an occasional line.

use std::{
    cell::Cell,
    io::{self, Write},
    time::{Duration, Instant},
};

use anyhow::Result;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The interval between lines if there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// A bar and its counts in less than 80 columns, so that it never wraps: a bar cannot erase a second line. A terminal also echoes what is
/// typed after it, such as `^C`. Messages that are too long are cut.
const TEMPLATE: &str = "{bar:8} {percent:>3}% {eta:>4} left {msg:50!}";

pub(crate) struct Progress {
    bar: ProgressBar,
    last_line: Cell<Instant>,
}

impl Progress {
    pub(crate) fn start(bytes: u64) -> Result<Self> {
        // It hides itself if stderr is not a terminal.
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(TEMPLATE)?);
        Ok(Self { bar, last_line: Cell::new(Instant::now()) })
    }

    /// Returns the bar, which follows the position in the input.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Marks the start of sending, from which the remaining time is estimated.
    pub(crate) fn begin(&self) {
        self.bar.reset_eta();
    }

    /// Shows the counts.
    pub(crate) fn show(&self, text: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(text.to_owned());
        } else if self.last_line.get().elapsed() >= LINE {
            self.last_line.set(Instant::now());
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            self.note(&format!("{} of {} read: {text}", HumanBytes(done), HumanBytes(all)));
        }
    }

    /// Prints a permanent line for people.
    pub(crate) fn note(&self, line: &str) {
        // A progress bar that cannot be shown is not a failure.
        let _ = self.bar.suspend(|| writeln!(io::stderr(), "{line}"));
    }

    /// Prints a line of the result.
    pub(crate) fn print(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| writeln!(io::stdout(), "{line}"))
    }

    /// Prints the last line.
    pub(crate) fn end(&self, line: &str) -> io::Result<()> {
        self.bar.finish_and_clear();
        writeln!(io::stdout(), "{line}")
    }
}
