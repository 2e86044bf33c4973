//! The base URL, which is parsed once, and requests of operations relative to it.

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::{Request, Url};

use crate::{RequestError, Spec, parameter::is_plain};

/// The maximum length of a URL. A longer one is rejected, because setting its path would panic.
const LONGEST: usize = 64 * 1024;

/// The capacity for a path, enough for a typical one, in bytes.
const USUAL: usize = 128;

/// The capacity for headers, enough for those of a typical request and those that the HTTP client adds.
const HEADERS: usize = 8;

/// Characters that would end a path segment or that a URL cannot contain. This includes the backslash: the URL standard reads it as a
/// slash.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'%')
    .add(b'\\');

/// A base URL: the scheme, the host and an optional path that precedes those of operations.
#[derive(Debug, Clone)]
pub struct Base {
    url: Url,
    /// The path of the base URL, without a trailing slash.
    path: String,
    /// The server in the OpenAPI document that this URL replaces.
    stands_for: Option<Cow<'static, str>>,
}

impl Base {
    /// Parses a base URL such as `https://hub.suprsend.com`. Trailing slashes are ignored.
    ///
    /// # Errors
    ///
    /// Fails if the text is not an `http` or `https` URL, or if it has a user name, a password, a query or a fragment.
    pub fn new(text: &str) -> Result<Self, RequestError> {
        let refuse = |reason: &'static str| RequestError::new("base URL", reason);
        let url =
            Url::parse(text.trim()).map_err(|_| refuse("is not a URL such as https://hub.suprsend.com"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(refuse("must start with http:// or https:// and have a host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("must not have a user name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("must not have a query or a fragment"));
        }
        if text.len() > LONGEST {
            return Err(refuse("is too long"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url, path, stands_for: None })
    }

    /// Replaces a server that operations declare as their own: their requests are sent to this base URL instead, such as a test server or a
    /// gateway.
    pub fn in_place_of(self, server: impl Into<Cow<'static, str>>) -> Self {
        Self { stands_for: Some(server.into()), ..self }
    }

    /// Returns the base URL itself.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Creates a request of an operation, without query, headers and body. `values` are those of its path parameters, in the order of the
    /// template.
    ///
    /// # Errors
    ///
    /// Fails if a value, or several that form one segment together, would address another resource: the segment would be empty, `.` or
    /// `..`, with or without surrounding whitespace.
    pub fn request(&self, spec: &Spec, values: &[&str]) -> Result<Request, RequestError> {
        let own = spec.server.filter(|server| self.stands_for.as_deref() != Some(*server));
        let own = own.map(Self::new).transpose()?;
        let base = own.as_ref().unwrap_or(self);
        let mut url = base.url.clone();
        url.set_path(&base.path_of(spec.path, values)?);
        let mut request = Request::new(spec.method.clone(), url);
        request.headers_mut().reserve(HEADERS);
        Ok(request)
    }

    /// Appends a path, made from a template, to the path of the base URL.
    fn path_of(&self, template: &str, values: &[&str]) -> Result<String, RequestError> {
        let mut path = String::with_capacity(USUAL);
        path.push_str(&self.path);
        let mut rest = template.find('/').map_or("", |start| &template[start..]);
        let mut values = values.iter();
        while let Some(after) = rest.strip_prefix('/') {
            let end = after.bytes().position(|byte| matches!(byte, b'/' | b'#')).unwrap_or(after.len());
            let (segment, more) = after.split_at(end);
            path.push('/');
            if segment.bytes().all(|byte| byte != b'{') {
                path.push_str(segment);
            } else if is_parameter(segment) && values.as_slice().first().is_some_and(|value| is_plain(value))
            {
                path.extend(values.next().copied());
            } else {
                fill(segment, &mut values, &mut path)?;
            }
            rest = more;
        }
        if path.len() > LONGEST {
            return Err(RequestError::new("path", "is too long"));
        }
        Ok(path)
    }
}

/// Returns whether a segment of a template is one parameter.
fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.bytes().position(|byte| byte == b'}') == Some(segment.len() - 1)
}

/// Appends a segment of a template with its values, percent-encoded.
#[cold]
fn fill<'a>(
    segment: &'a str,
    values: &mut impl Iterator<Item = &'a &'a str>,
    path: &mut String,
) -> Result<(), RequestError> {
    // The server acts on the decoded segment.
    let mut whole = String::new();
    let mut name = "";
    let mut append = |text: &str| {
        path.extend(utf8_percent_encode(text, SEGMENT));
        whole.push_str(text);
    };
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('{') {
        append(before);
        let (parameter, after) = after.split_once('}').unwrap_or((after, ""));
        name = parameter;
        append(values.next().copied().unwrap_or_default());
        rest = after;
    }
    append(rest);
    let reason = match whole.trim() {
        "" => "is empty, which would address another resource",
        "." | ".." => "is `.` or `..`, which in the path of a URL means another resource",
        _ => return Ok(()),
    };
    Err(RequestError::for_parameter(name, reason))
}

/// The value of the header `Accept`, and of `Content-Type` for JSON.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(base: &str, template: &str, values: &[&str]) -> Result<String, String> {
        Base::new(base).and_then(|base| base.path_of(template, values)).map_err(|error| error.to_string())
    }

    #[test]
    fn base_urls() {
        for (base, whole) in [
            ("https://hub.suprsend.com", "/v1/a/"),
            ("https://hub.suprsend.com/", "/v1/a/"),
            ("http://[::1]:8000/a/./b%20c", "/a/b%20c/v1/a/"),
            (" http://host/a b\t", "/a%20b/v1/a/"),
            ("https://bücher.example/a//", "/a/v1/a/"),
        ] {
            assert_eq!(path(base, "/v1/a/", &[]).as_deref(), Ok(whole), "{base}");
        }
        for base in [
            "",
            "hub.suprsend.com",
            "https:",
            "ftp://host",
            "mailto:a@b.example",
            "https://host?query",
            "https://host#part",
            "https://user@host",
            "https://:word@host",
        ] {
            Base::new(base).unwrap_err();
        }
    }

    #[test]
    fn an_operation_with_a_server_of_its_own_goes_there_unless_another_stands_for_it() {
        static OWN: Spec = Spec::new("a", http::Method::GET, "/a/").server("https://own.example");
        static COMMON: Spec = Spec::new("b", http::Method::GET, "/b/");
        let sent = |base: &Base, spec: &'static Spec| base.request(spec, &[]).unwrap().url().to_string();
        let base = Base::new("http://127.0.0.1:1/path").unwrap();
        assert_eq!(sent(&base, &OWN), "https://own.example/a/");
        assert_eq!(sent(&base, &COMMON), "http://127.0.0.1:1/path/b/");
        let other = base.clone().in_place_of("https://other.example");
        assert_eq!(sent(&other, &OWN), "https://own.example/a/");
        let own = base.in_place_of("https://own.example");
        assert_eq!(sent(&own, &OWN), "http://127.0.0.1:1/path/a/");
    }

    #[test]
    fn values_stay_in_their_segment() {
        let filled = |template, values: &[&str]| path("http://host", template, values);
        assert_eq!(filled("/a/{b}/", &["x/../y?z#%2e\\"]).unwrap(), "/a/x%2F..%2Fy%3Fz%23%252e%5C/");
        assert_eq!(filled("/a/{b}-{c}.json", &["1", "ä"]).unwrap(), "/a/1-%C3%A4.json");
        assert_eq!(filled("/a/{b}/#many", &["1"]).unwrap(), "/a/1/");
        assert_eq!(filled("/a/{b}", &["..."]).unwrap(), "/a/...");
    }

    #[test]
    fn f11_dot_segment() {
        for (template, values) in [
            ("/vaults/{vault}/items/{item}", &["v1", ".."][..]),
            ("/vaults/{vault}/items/{item}", &["", "i"]),
            ("/vaults/{vault}", &["."]),
            ("/vaults/{vault}", &[" \t.. "]),
            ("/vaults/{vault}", &["\u{a0}"]),
            ("/vaults/{a}{b}", &[".", "."]),
            ("/vaults/{a}{b}", &["", " "]),
            ("/vaults/.{a}", &["."]),
        ] {
            let error = path("http://host", template, values).unwrap_err();
            assert!(error.contains("another resource"), "{template} {values:?}: {error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

        /// Checks that for any value the path has as many segments as the template, and decoding returns the value.
        #[test]
        fn a_value_is_one_segment(value in r"([.%/\\?#{}a é\t\u{0}-]|%2e){0,8}") {
            let base = Base::new("http://host/base").unwrap();
            let Ok(filled) = base.path_of("/v1/{id}/end", &[&value]) else {
                let trimmed = value.trim();
                prop_assert!(trimmed.is_empty() || trimmed == "." || trimmed == "..");
                return Ok(());
            };
            let mut url = base.url.clone();
            url.set_path(&filled);
            let segments: Vec<&str> = url.path().split('/').collect();
            prop_assert_eq!(segments.len(), 5, "{}", url);
            let decoded = percent_encoding::percent_decode_str(segments[3]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, value);
        }
    }
}
