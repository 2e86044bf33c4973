//! Reading responses, for the fuzzer in `fuzz/` and, with its committed inputs, as a test.

use std::future::ready;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use suprsend_api::{Operation, Visitor, operations};

use crate::{
    call::response,
    error::{ApiError, Error, Secrets, UndecodableResponse},
    gunzip::Gunzip,
    response::Attempts,
    send::{Read, exchange},
};

/// The inputs echo it, and no error may contain it.
const SECRET: &str = "fuzz-secret-that-nobody-may-see";
/// The maximum number of bytes that are read of a response.
const LIMIT: usize = 1 << 20;
/// The maximum length of an error message, in bytes.
const LONGEST: usize = 4096;

/// Reads a response. The first line names the operation's id, the status and, if the body is compressed, `gzip`. The body follows.
pub fn read(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (head, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let Ok(head) = str::from_utf8(head) else { return };
    let mut words = head.split(' ');
    let (Some(id), Some(status)) = (words.next(), words.next()) else { return };
    let Ok(status) = StatusCode::from_bytes(status.as_bytes()) else { return };
    let is_gzip = words.next() == Some("gzip");
    if is_gzip {
        in_pieces(body);
    }
    operations::visit(id, Reading { status, is_gzip, body });
}

/// Checks that decompressing returns the same, however the body is split in transit.
fn in_pieces(body: &[u8]) {
    let unpack = |size: usize| {
        let mut headers =
            HeaderMap::from_iter([(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
        let mut gunzip = Gunzip::from_headers(&mut headers)?;
        assert!(headers.is_empty(), "nothing of the compressed form is left");
        let mut all = Vec::new();
        for piece in body.chunks(size.max(1)) {
            let take = |part: Bytes| {
                all.extend_from_slice(&part);
                all.len() < LIMIT
            };
            if !gunzip.unpack(piece, take).ok()? {
                return None;
            }
        }
        gunzip.finish().ok().map(|()| all)
    };
    let whole = unpack(body.len());
    for size in [1, 7, 1000] {
        assert!(unpack(size) == whole, "it depends on the pieces, here of {size} bytes");
    }
}

struct Reading<'a> {
    status: StatusCode,
    is_gzip: bool,
    body: &'a [u8],
}

impl Visitor for Reading<'_> {
    type Output = ();

    fn visit<O>(self)
    where
        O: Operation + Clone + Serialize + DeserializeOwned,
    {
        let mut answer = http::Response::new(self.body.to_vec());
        *answer.status_mut() = self.status;
        if self.is_gzip {
            answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let mut received = None;
        let read = exchange(ready(Ok(answer.into())), &mut received, LIMIT).now_or_never();
        let (Some(Ok(read)), Some(received)) = (read, received) else {
            panic!("the whole response is at hand")
        };
        assert!(received.body().len() <= LIMIT);
        if !self.status.is_success() {
            let error = ApiError::new(received, &Secrets::new([SECRET.to_owned()]));
            judge(&Error::of_response(error, false));
            return;
        }
        match read {
            Read::Whole => {
                let attempts = Attempts { made: 1, counted: 1 };
                _ = response::<O>(received, attempts).map_err(|error| judge(&error));
            }
            Read::TooLong => judge(&UndecodableResponse::new(received, "is too long".to_owned()).into()),
            Read::Corrupt => {}
        }
    }
}

/// Checks that every form of an error is a single line of limited length without secrets.
fn judge(error: &Error) {
    for text in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(text.len() < LONGEST, "{} bytes: {text:.100}", text.len());
        assert!(!text.contains(SECRET), "{text}");
        assert!(!text.contains(['\u{202e}', '\u{2028}', '\u{200b}', '\u{1b}']), "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn every_input_is_taken() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/response");
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            super::read(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 20, "{count} inputs");
    }
}
