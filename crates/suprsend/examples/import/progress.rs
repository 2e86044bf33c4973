//! How far an import is: a bar on a terminal, a line now and then elsewhere.

use std::{
    cell::Cell,
    io::{self, Write},
    time::{Duration, Instant},
};

use anyhow::Result;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(5);

/// A bar and its numbers in less than 80 columns, so that it never wraps: what a terminal has shown in two lines, no bar can take back.
/// A terminal also shows what is typed behind it, such as `^C`. What is too long in a message is cut.
const TEMPLATE: &str = "{bar:8} {percent:>3}% {eta:>4} left {msg:50!}";

pub(crate) struct Progress {
    bar: ProgressBar,
    last_line: Cell<Instant>,
}

impl Progress {
    pub(crate) fn start(bytes: u64) -> Result<Self> {
        // Hidden by itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(TEMPLATE)?);
        Ok(Self { bar, last_line: Cell::new(Instant::now()) })
    }

    /// The bar, which follows what is read of the input.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// From here on rows are sent: the time that is left is reckoned from what comes after this.
    pub(crate) fn begin(&self) {
        self.bar.reset_eta();
    }

    /// Shows the numbers.
    pub(crate) fn show(&self, text: &str) {
        if !self.bar.is_hidden() {
            self.bar.set_message(text.to_owned());
        } else if self.last_line.get().elapsed() >= LINE {
            self.last_line.set(Instant::now());
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            self.note(&format!("{} of {} read: {text}", HumanBytes(done), HumanBytes(all)));
        }
    }

    /// A line that stays, for people.
    pub(crate) fn note(&self, line: &str) {
        // Where nobody reads it, nobody misses it.
        let _ = self.bar.suspend(|| writeln!(io::stderr(), "{line}"));
    }

    /// A line of the result.
    pub(crate) fn print(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| writeln!(io::stdout(), "{line}"))
    }

    /// The last line.
    pub(crate) fn end(&self, line: &str) -> io::Result<()> {
        self.bar.finish_and_clear();
        writeln!(io::stdout(), "{line}")
    }
}
