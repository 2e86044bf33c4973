//! Unpacks bodies that are compressed with gzip, of one member or of several (RFC 1952, section 2.2).
//!
//! reqwest has a feature for this, which brings more crates and reads the first member only.

use std::{error, fmt, io::Write, mem};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};

/// The number of compressed bytes that are unpacked at once: they become 4 MB at most, so that a limit is met before memory is full.
const STEP: usize = 4096;

/// A gzip stream in the middle of being unpacked. It is in the future of every call, so it is a pointer.
pub(crate) struct Gunzip(Box<State>);

struct State {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// A response without content has the header now and then.
    is_empty: bool,
}

/// Tells that a body is no gzip stream, or breaks off in the middle of one.
#[derive(Debug)]
pub(crate) struct Corrupt;

impl Gunzip {
    /// Returns what unpacks the body that has these headers, if it is compressed. Headers of the compressed form are removed.
    pub(crate) fn from_headers(headers: &mut HeaderMap) -> Option<Self> {
        let coding = headers.get(header::CONTENT_ENCODING)?.as_bytes().trim_ascii();
        if !coding.eq_ignore_ascii_case(b"gzip") && !coding.eq_ignore_ascii_case(b"x-gzip") {
            return None;
        }
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        Some(Self(Box::new(State { decoder: MultiGzDecoder::new(Vec::new()), is_empty: true })))
    }

    /// Unpacks a part of the body and gives it on, piece by piece, until one is not taken. Returns whether all were.
    pub(crate) fn unpack(
        &mut self,
        part: &[u8],
        mut take: impl FnMut(Bytes) -> bool,
    ) -> Result<bool, Corrupt> {
        let State { decoder, is_empty } = &mut *self.0;
        for piece in part.chunks(STEP) {
            *is_empty = false;
            let unpacked = decoder.write_all(piece).and_then(|()| decoder.flush());
            let fits = take(mem::take(decoder.get_mut()).into());
            unpacked.map_err(|_| Corrupt)?;
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the body: an error if it breaks off in the middle of the stream.
    pub(crate) fn finish(&mut self) -> Result<(), Corrupt> {
        if self.0.is_empty { Ok(()) } else { self.0.decoder.try_finish().map_err(|_| Corrupt) }
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is no gzip stream, or breaks off in the middle of one")
    }
}

impl error::Error for Corrupt {}
