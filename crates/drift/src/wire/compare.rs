//! Compares the recorded requests with the document.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Call, OF_HTTP, Request, Wire, form_decoded};
use crate::{
    behaviour::Rewriting,
    code::{self, Code, Place},
    compare::Compared,
    document::{Document, Operation},
    finding::{Difference, Kind},
    instances::Subject,
    pointer::Pointer,
};

/// Compares every operation that both sides have. One that is not `as_read`, which is already known to differ, is compared only in what
/// leaves no trace in the source. `which` selects the operations to compare.
pub(crate) fn compare(
    document: &Document<'_>,
    code: &Code,
    compared: &Compared<'_>,
    wire: &Wire,
    as_read: &dyn Fn(&Operation<'_>, &code::Operation) -> bool,
    which: &dyn Fn(&code::Operation) -> bool,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for operation in &document.operations {
        let Some(own) = code.operations.iter().find(|own| operation.is(own)).filter(|own| which(own)) else {
            continue;
        };
        let mut pass = Pass { document, compared, operation, own, wire, differences: Vec::new() };
        pass.call(as_read(operation, own));
        differences.extend(pass.differences);
    }
    differences
}

struct Pass<'p, 'a> {
    document: &'p Document<'a>,
    compared: &'p Compared<'a>,
    operation: &'p Operation<'a>,
    own: &'p code::Operation,
    wire: &'p Wire,
    differences: Vec<Difference>,
}

impl Pass<'_, '_> {
    fn differ(&mut self, kind: Kind, at: (Pointer, Pointer), document: Value, code: Value) {
        self.differences.push(Difference {
            kind,
            pointer: at.0,
            place: at.1,
            rust: format!("{}, as it is sent", self.own.spot),
            owner: None,
            document,
            code,
        });
    }

    fn at(&self, member: &str) -> (Pointer, Pointer) {
        let at = self.operation.at.child(member);
        (at.pointer, at.place)
    }

    fn call(&mut self, as_read: bool) {
        let Some(call) = self.wire.0.get(&self.own.name) else {
            return self.differ(Kind::NotSent, self.at("operationId"), Value::Null, json!("not called"));
        };
        let ended = call.outcome.clone().err().unwrap_or_else(|| "success".to_owned());
        let [request] = call.requests.as_slice() else {
            let says = json!(format!("{} requests; {ended}", call.requests.len()));
            return self.differ(Kind::NotSent, self.at("operationId"), json!("one request"), says);
        };
        if call.outcome.is_err() {
            self.differ(Kind::NotSent, self.at("responses"), json!("success"), json!(ended));
        }
        if !as_read {
            return;
        }
        if request.method.to_ascii_lowercase() != self.operation.method {
            let says = (json!(self.operation.method), json!(request.method));
            self.differ(Kind::WireMethod, self.at("method"), says.0, says.1);
        }
        self.path(call, request);
        self.query(call, request);
        self.headers(call, request);
        self.body(call, request);
    }

    fn path(&mut self, call: &Call, request: &Request) {
        let (path, _) = request.parts();
        let (shape, names) = code::shape(&self.operation.path);
        let given: Vec<Option<&Value>> = self
            .own
            .parameters
            .iter()
            .filter(|(place, _)| *place == Place::Path)
            .map(|(_, part)| call.arguments.get(&part.field))
            .collect();
        // A fragment only distinguishes operations.
        let shape = shape.split('#').next().unwrap_or_default();
        let mut rest = Some(path);
        for (index, text) in shape.split("{}").enumerate() {
            if index > 0 {
                // The value extends to the next slash; it is encoded, so it contains none itself.
                rest = rest.and_then(|rest| {
                    let end = rest.find('/').unwrap_or(rest.len());
                    let end = if text.is_empty() || text.starts_with('/') { end } else { rest.find(text)? };
                    let (value, after) = rest.split_at(end);
                    let sent = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
                    let given = written(given.get(index - 1).copied().flatten()?);
                    same_text(&given, &sent).then_some(after)
                });
            }
            rest = rest.and_then(|rest| rest.strip_prefix(text));
        }
        if rest != Some("") {
            let says = json!({"path": self.operation.path, "with": names.iter().zip(given).collect::<BTreeMap<_, _>>()});
            self.differ(Kind::WirePath, self.at("path"), says, json!(path));
        }
    }

    fn query(&mut self, call: &Call, request: &Request) {
        let (_, mut sent) = request.parts();
        let mut expected = Vec::new();
        for ((place, name), parameter) in &self.operation.parameters {
            if *place != Place::Query {
                continue;
            }
            let Some(value) = self.given(*place, name, call) else { continue };
            // In the style `form` with `explode`.
            match value {
                Value::Array(values) => {
                    expected.extend(values.iter().map(|value| (parameter.name.clone(), written(value))));
                }
                Value::Object(members) => {
                    expected.extend(members.iter().map(|(name, value)| (name.clone(), written(value))));
                }
                other => expected.push((parameter.name.clone(), written(other))),
            }
        }
        let key = |pair: &(String, String)| pair.clone();
        sent.sort_by_key(key);
        expected.sort_by_key(key);
        let same = sent.len() == expected.len()
            && sent.iter().zip(&expected).all(|(one, other)| one.0 == other.0 && same_text(&one.1, &other.1));
        if !same {
            self.differ(Kind::WireQuery, self.at("parameters"), json!(expected), json!(sent));
        }
    }

    /// Returns the argument for a parameter of the document.
    fn given<'c>(&self, place: Place, name: &str, call: &'c Call) -> Option<&'c Value> {
        call.arguments.get(&self.own.parameter(place, name)?.field)
    }

    fn headers(&mut self, call: &Call, request: &Request) {
        let mut left: Vec<(String, String)> = request
            .headers
            .iter()
            .filter(|(name, _)| !OF_HTTP.contains(&name.as_str()) && name != "content-type")
            .cloned()
            .collect();
        for ((place, name), parameter) in &self.operation.parameters {
            if *place != Place::Header {
                continue;
            }
            let Some(value) = self.given(*place, name, call) else { continue };
            let found = left.iter().position(|(sent, _)| sent == name);
            let sent = found.map(|index| left.remove(index).1);
            if !sent.as_ref().is_some_and(|sent| same_text(sent, &written(value))) {
                let at = (parameter.at.pointer.clone(), parameter.at.place.clone());
                self.differ(Kind::WireHeader, at, json!(written(value)), json!(sent));
            }
        }
        for (name, value) in left {
            let at = self.at("parameters");
            let at = (at.0, at.1.child(format!("header:{name}")));
            self.differ(Kind::WireHeader, at, Value::Null, json!(format!("{name}: {value}")));
        }
        if request.header("host") != Some(call.host.as_str()) {
            let says = (json!(call.host), json!(request.header("host")));
            self.differ(Kind::WireHeader, self.at("host"), says.0, says.1);
        }
    }

    fn body(&mut self, call: &Call, request: &Request) {
        let sent = request.header("content-type");
        let essence = sent.map(|media| media.split(';').next().unwrap_or_default().trim().to_owned());
        let Some(body) = &self.operation.body else {
            if sent.is_some() || !request.body.is_empty() {
                let says = json!(format!("{} bytes, {}", request.body.len(), sent.unwrap_or("untyped")));
                self.differ(Kind::WireMedia, self.at("requestBody"), json!("no body"), says);
            }
            return;
        };
        let names: Vec<&String> = body.media.keys().collect();
        let Some((_, media)) = body
            .media
            .iter()
            .find(|(name, _)| essence.as_ref().is_some_and(|essence| name.starts_with(essence.as_str())))
        else {
            return self.differ(Kind::WireMedia, self.at("requestBody"), json!(names), json!(sent));
        };
        let given = self.own.body.as_ref().and_then(|(_, part)| call.arguments.get(&part.field));
        let (Some(given), Some(schema)) = (given, &media.schema) else { return };
        let at = (schema.pointer(), schema.place.clone());
        let text = || String::from_utf8_lossy(&request.body).into_owned();
        let parsed = match essence.as_deref() {
            // Everything in a form is text, so the types of its members are not visible.
            Some("application/x-www-form-urlencoded") => {
                let (mut sent, mut expected) = (pairs(&text()), expected_form(given));
                sent.sort();
                expected.sort();
                if sent != expected {
                    self.differ(Kind::WireBody, at, json!(expected), json!(sent));
                }
                return;
            }
            Some(name) if name == "application/json" || name.ends_with("+json") => {
                serde_json::from_slice(&request.body).ok()
            }
            // Bytes, which are sent unchanged.
            _ if given.is_array() => {
                if *given != json!(request.body) {
                    self.differ(Kind::WireBody, at, given.clone(), text().into());
                }
                return;
            }
            _ => Some(text().into()),
        };
        let Some(parsed) = parsed else {
            return self.differ(Kind::WireBody, at, json!("a readable body"), text().into());
        };
        let subject = Subject::new(self.document, schema);
        if let Some(error) = subject
            .and_then(|subject| subject.validator.iter_errors(&parsed).next().map(|error| error.to_string()))
        {
            return self.differ(Kind::WireBody, at, json!(error), parsed);
        }
        let mut rewriting = Rewriting::new(self.document.schemas, self.compared);
        if let Some(altered) = rewriting.altered(schema, given, &parsed) {
            let at = (altered.node.pointer(), altered.node.place);
            self.differ(Kind::WireBody, at, json!(altered.read), json!(altered.written));
        }
    }
}

/// Formats a value for a path, a query or a header: `simple` and `form`.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Returns whether two texts are equal, or are the same time in RFC 3339.
fn same_text(one: &str, other: &str) -> bool {
    let time = |text: &str| DateTime::parse_from_rfc3339(text);
    one == other || matches!((time(one), time(other)), (Ok(one), Ok(other)) if one == other)
}

fn pairs(form: &str) -> Vec<(String, String)> {
    let pairs = form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(name), form_decoded(value))
    });
    pairs.collect()
}

/// Returns the pairs of an object: each item of a list is a separate pair.
fn expected_form(given: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in given.as_object().into_iter().flatten() {
        match value {
            Value::Array(items) => pairs.extend(items.iter().map(|item| (name.clone(), written(item)))),
            Value::Null => {}
            value => pairs.push((name.clone(), written(value))),
        }
    }
    pairs
}
