//! Checks quotes in CSV, which the CSV reader accepts unconditionally: an unclosed one swallows the rows after it.

use std::{
    cell::RefCell,
    fmt,
    io::{self, Read},
    rc::Rc,
};

/// A position in the file.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    column: u64,
    byte: u64,
}

/// A quote after which the start of the next row is ambiguous.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    opened: Place,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    NotClosed,
    /// Text follows the closing quote, in this line.
    TextBehind(u64),
    /// The row is longer than this number of bytes.
    TooLong(u64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { line, column, .. } = self.opened;
        write!(f, "the quote that opens in line {line}, column {column}, ")?;
        match self.what {
            What::NotClosed => f.write_str("is not closed"),
            What::TextBehind(line) => {
                write!(
                    f,
                    "closes in line {line} in the middle of a cell: a quote inside of one is written twice"
                )
            }
            What::TooLong(bytes) => write!(f, "is not closed within {bytes} bytes"),
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Start,
    Plain,
    Quoted,
    /// After a closing quote, unless another quote follows.
    Closed,
}

struct State {
    at: At,
    here: Place,
    /// The position of the last opening quote.
    opened: Place,
    /// The position where the row began, if it is known.
    row: u64,
    longest: u64,
    fault: Option<Fault>,
}

impl State {
    fn step(&mut self, byte: u8) {
        self.at = match (self.at, byte) {
            (At::Start, b'"') => {
                self.opened = self.here;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) | (At::Closed, b'"') => At::Quoted,
            (_, b',' | b'\n' | b'\r') => At::Start,
            (At::Closed, _) => {
                self.found(What::TextBehind(self.here.line));
                At::Plain
            }
            (At::Start | At::Plain, _) => At::Plain,
        };
        self.here.byte += 1;
        self.here.column += 1;
        if byte == b'\n' {
            (self.here.line, self.here.column) = (self.here.line + 1, 1);
        }
        if self.at == At::Start && byte != b',' {
            self.row = self.here.byte;
        }
        if self.at == At::Quoted && self.here.byte - self.opened.byte > self.longest {
            self.found(What::TooLong(self.longest));
        }
    }

    fn found(&mut self, what: What) {
        self.fault.get_or_insert(Fault { opened: self.opened, what });
    }
}

/// Passes a file on and checks its quotes.
pub(crate) struct Quotes<R> {
    inner: R,
    state: Rc<RefCell<State>>,
}

/// The findings of [`Quotes`].
#[derive(Clone)]
pub(crate) struct Watch(Rc<RefCell<State>>);

impl<R: Read> Quotes<R> {
    /// Watches a file from its beginning. A row longer than `longest` bytes is an error, so that it cannot fill the memory.
    pub(crate) fn new(inner: R, longest: u64) -> (Self, Watch) {
        let here = Place { line: 1, column: 1, byte: 0 };
        let state = State { at: At::Start, here, opened: here, row: 0, longest, fault: None };
        let state = Rc::new(RefCell::new(state));
        (Self { inner, state: Rc::clone(&state) }, Watch(state))
    }
}

impl Watch {
    /// Returns the first fault before this byte.
    pub(crate) fn fault(&self, byte: u64) -> Option<Fault> {
        self.0.borrow().fault.filter(|fault| fault.opened.byte < byte)
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        let mut state = self.state.borrow_mut();
        if length == 0 && !buffer.is_empty() && state.at == At::Quoted {
            state.found(What::NotClosed);
        }
        buffer[..length].iter().for_each(|byte| state.step(*byte));
        if let Some(fault) = state.fault.filter(|fault| matches!(fault.what, What::TooLong(_))) {
            return Err(io::Error::other(fault.to_string()));
        }
        if state.here.byte - state.row > state.longest {
            return Err(io::Error::other(format!("it is longer than {} bytes", state.longest)));
        }
        Ok(length)
    }
}
