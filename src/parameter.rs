//! Values of parameters and bodies, in the form that requests carry.

use http::{HeaderName, HeaderValue, header};
use reqwest::{Body, Request};
use serde::Serialize;
use serde_json::Value;

use crate::{RequestError, base::JSON};

/// The capacity for a JSON body, enough for a typical one, in bytes.
const USUAL: usize = 512;

/// Formats a value for a path or a header as serde serializes it: a time as in RFC 3339, a list with commas between its items.
///
/// # Errors
///
/// A [`RequestError`] that names the parameter, if the value is null, an object, or cannot be serialized.
pub fn text<T: Serialize + ?Sized>(name: &'static str, value: &T) -> Result<String, RequestError> {
    match serde_json::to_value(value) {
        Ok(Value::Array(items)) => Ok(items.iter().filter_map(scalar).collect::<Vec<_>>().join(",")),
        Ok(value) => scalar(&value).ok_or_else(|| RequestError::for_parameter(name, "has no form as text")),
        Err(_) => Err(RequestError::for_parameter(name, "cannot be written as text")),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Adds a query parameter in the style `form` with `explode`: each item of a list and each member of an object becomes a pair. A missing or
/// null value adds nothing.
///
/// # Errors
///
/// A [`RequestError`] that names the parameter, if the value cannot be serialized.
pub fn query<T: Serialize>(request: &mut Request, name: &'static str, value: &T) -> Result<(), RequestError> {
    let value =
        serde_json::to_value(value).map_err(|_| RequestError::for_parameter(name, "cannot be written"))?;
    let add = |request: &mut Request, name: &str, value: &Value| {
        if let Some(text) = scalar(value) {
            request.url_mut().query_pairs_mut().append_pair(name, &text);
        }
    };
    match &value {
        Value::Array(items) => items.iter().for_each(|item| add(request, name, item)),
        Value::Object(members) => members.iter().for_each(|(name, member)| add(request, name, member)),
        value => add(request, name, value),
    }
    Ok(())
}

/// Adds a header. A missing or null value adds nothing.
///
/// # Errors
///
/// A [`RequestError`] that names the parameter, if the value cannot be written as text, or has characters that a header cannot carry.
pub fn header<T: Serialize + ?Sized>(
    request: &mut Request,
    name: &'static str,
    value: &T,
) -> Result<(), RequestError> {
    if matches!(serde_json::to_value(value), Ok(Value::Null)) {
        return Ok(());
    }
    let refuse = |reason| RequestError::for_parameter(name, reason);
    let header = HeaderName::try_from(name).map_err(|_| refuse("is not the name of a header"))?;
    let value = HeaderValue::try_from(text(name, value)?)
        .map_err(|_| refuse("has characters that a header cannot carry"))?;
    request.headers_mut().append(header, value);
    Ok(())
}

/// Sets a header. Never inlined, because one copy of this code for all headers stays in the processor's cache, and several do not.
#[inline(never)]
pub fn set_header(request: &mut Request, name: HeaderName, value: HeaderValue) {
    request.headers_mut().insert(name, value);
}

/// Returns whether a text has ASCII letters, digits, `-` and `_` only, and so the same form in every part of a request.
pub fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(is_plain)
}

/// Requests a JSON response.
pub fn accept_json(request: &mut Request) {
    set_header(request, header::ACCEPT, JSON);
}

/// Sets a JSON body.
///
/// # Errors
///
/// A [`RequestError`] that names the body, if it cannot be serialized.
pub fn json<T: Serialize + ?Sized>(request: &mut Request, body: &T) -> Result<(), RequestError> {
    let mut text = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut text, body)
        .map_err(|_| RequestError::new("body", "cannot be written as JSON"))?;
    set(request, JSON, text);
    Ok(())
}

/// Sets a body of HTML form fields.
///
/// # Errors
///
/// A [`RequestError`] that names the body, if it is not an object of strings, numbers, booleans and lists of these.
pub fn form<T: Serialize + ?Sized>(request: &mut Request, body: &T) -> Result<(), RequestError> {
    let refuse = || RequestError::new("body", "cannot be written as a form");
    let value = serde_json::to_value(body).map_err(|_| refuse())?;
    let members = value.as_object().ok_or_else(refuse)?;
    let mut form = url_form();
    for (name, member) in members {
        match member {
            Value::Array(items) => {
                for item in items {
                    form.append_pair(name, &scalar(item).ok_or_else(refuse)?);
                }
            }
            Value::Null => {}
            member => {
                form.append_pair(name, &scalar(member).ok_or_else(refuse)?);
            }
        }
    }
    set(request, HeaderValue::from_static("application/x-www-form-urlencoded"), form.finish().into_bytes());
    Ok(())
}

fn url_form() -> form_urlencoded::Serializer<'static, String> {
    form_urlencoded::Serializer::new(String::new())
}

/// Sets a body of another media type.
pub fn bytes(request: &mut Request, media: &'static str, body: impl AsRef<[u8]>) {
    set(request, HeaderValue::from_static(media), body.as_ref().to_vec());
}

fn set(request: &mut Request, media: HeaderValue, body: Vec<u8>) {
    set_header(request, header::CONTENT_TYPE, media);
    *request.body_mut() = Some(Body::from(body));
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use http::Method;
    use serde_json::json;

    use super::*;

    fn request() -> Request {
        Request::new(Method::GET, "http://host/".parse().unwrap())
    }

    #[test]
    fn f06_date_time_in_path_and_header() {
        let time: DateTime<Utc> = "2026-03-01T10:00:00.500Z".parse().unwrap();
        assert_eq!(text("since", &time).unwrap(), "2026-03-01T10:00:00.500Z");
        let mut request = request();
        header(&mut request, "since", &time).unwrap();
        query(&mut request, "since", &Some(time)).unwrap();
        assert_eq!(request.headers()["since"], "2026-03-01T10:00:00.500Z");
        assert_eq!(request.url().query(), Some("since=2026-03-01T10%3A00%3A00.500Z"));
    }

    #[test]
    fn lists_and_objects_in_a_query() {
        let mut request = request();
        query(&mut request, "status[]", &["read", "s&n"]).unwrap();
        query(&mut request, "absent", &None::<bool>).unwrap();
        query(&mut request, "filter", &json!({"from": 1, "to": null, "all": true})).unwrap();
        assert_eq!(request.url().query(), Some("status%5B%5D=read&status%5B%5D=s%26n&from=1&all=true"));
    }

    #[test]
    fn a_form() {
        let mut request = request();
        form(&mut request, &json!({"a": "x y", "b": [1, 2], "c": null})).unwrap();
        assert_eq!(request.body().unwrap().as_bytes(), Some(&b"a=x+y&b=1&b=2"[..]));
        form(&mut request, &json!({"a": {"b": 1}})).unwrap_err();
    }

    #[test]
    fn values_without_a_text() {
        assert_eq!(text("a", &[1, 2]).unwrap(), "1,2");
        text("a", &json!({"b": 1})).unwrap_err();
        header(&mut request(), "a", "line\nbreak").unwrap_err();
    }
}
