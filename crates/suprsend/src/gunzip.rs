//! Decompresses gzip bodies, with one member or several (RFC 1952, section 2.2).
//!
//! reqwest has a feature for this, but it adds more crates and reads only the first member.

use std::{error, fmt, io::Write, mem};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{HeaderMap, header};

/// The number of compressed bytes that are decompressed at once. They become at most 4 MB, so a limit is reached before memory is full.
const STEP: usize = 4096;

/// A gzip stream that is being decompressed. Boxed, because it is part of the future of every call.
pub(crate) struct Gunzip(Box<State>);

struct State {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// A response without content sometimes has the header, too.
    is_empty: bool,
}

/// The error for a body that is not a gzip stream or that is truncated.
#[derive(Debug)]
pub(crate) struct Corrupt;

impl Gunzip {
    /// Returns a decompressor if these headers declare a compressed body. Removes the headers of the compressed form.
    pub(crate) fn from_headers(headers: &mut HeaderMap) -> Option<Self> {
        let coding = headers.get(header::CONTENT_ENCODING)?.as_bytes().trim_ascii();
        if !coding.eq_ignore_ascii_case(b"gzip") && !coding.eq_ignore_ascii_case(b"x-gzip") {
            return None;
        }
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        Some(Self(Box::new(State { decoder: MultiGzDecoder::new(Vec::new()), is_empty: true })))
    }

    /// Decompresses a part of the body and passes it on, piece by piece, until one is rejected. Returns whether all were accepted.
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

    /// Ends the body. Returns an error if the stream is truncated.
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
