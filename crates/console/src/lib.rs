//! Printing to readers that may go away, as in `cargo xtask operations | head -1`.
//!
//! `println!` panics once nobody reads its output. The maintainers' programs print with [`say!`] and [`tell!`] instead, to which a reader
//! that went away makes no difference: the program goes on to its end, since its exit code says something too. Their sources deny
//! `print_stdout` and `print_stderr` of clippy.

use std::{
    fmt,
    io::{self, ErrorKind, Write},
};

/// Prints a line on stdout, or returns why it cannot be written.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => {
        $crate::out(::std::format_args!("{}\n", ::std::format_args!($($argument)*)))
    };
}

/// Prints a line on stderr. If it cannot be written, there is nowhere to say so.
#[macro_export]
macro_rules! tell {
    ($($argument:tt)*) => {
        $crate::err(::std::format_args!("{}\n", ::std::format_args!($($argument)*)))
    };
}

/// Prints a text on stdout.
///
/// # Errors
///
/// Any failure of writing but that the reader has gone away.
pub fn out(text: fmt::Arguments<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    unless_closed(out.write_fmt(text).and_then(|()| out.flush()))
}

/// Prints a text on stderr.
pub fn err(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Returns the result of writing, or success if only the reader has gone away.
///
/// # Errors
///
/// Every other failure of writing.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_has_gone_away_is_no_failure() {
        let (reader, mut writer) = io::pipe().unwrap();
        writeln!(writer, "heard").unwrap();
        drop(reader);
        let written = writeln!(writer, "not heard");
        assert_eq!(written.as_ref().unwrap_err().kind(), ErrorKind::BrokenPipe);
        unless_closed(written).unwrap();
        let full = unless_closed(Err(ErrorKind::StorageFull.into()));
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
