//! What was recorded, against the document.

use std::collections::BTreeMap;

use chrono::DateTime;
use serde_json::{Value, json};

use super::{Call, OF_HTTP, Request, Wire, form_decoded};
use crate::{
    behaviour::Rewriting,
    code::{self, Code, Place, Segment, squeezed},
    compare::Compared,
    compiled::Outcome,
    document::{Document, Operation, Requirement, Scheme},
    finding::{Difference, Kind},
    instances::Subject,
    pointer::Pointer,
};

/// Compares every operation that both sides have. One that is not `as_read`, known from the source to differ, is compared only in
/// what leaves no trace there.
pub(crate) fn compare(
    document: &Document<'_>,
    code: &Code,
    compared: &Compared<'_>,
    wire: &Wire,
    as_read: &dyn Fn(&Operation<'_>, &code::Operation) -> bool,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for operation in &document.operations {
        let shape = operation.shape().0;
        let same = |own: &&code::Operation| own.method == operation.method && own.shape() == shape;
        let Some(own) = code.operations.iter().find(same) else { continue };
        let mut pass = Pass { document, compared, operation, own, wire, differences: Vec::new() };
        pass.server();
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

    fn server(&mut self) {
        let plain = |url: &str| url.trim_end_matches('/').to_owned();
        let base = &self.wire.base_url;
        match self.operation.servers.split_first() {
            Some((first, others)) => {
                if plain(&first.url) != plain(base) {
                    // Not the URL's own place, which would be another one with every URL.
                    let at = (first.at.pointer.clone(), self.at("servers").1);
                    self.differ(Kind::Server, at, json!(first.url), json!(base));
                }
                for other in others {
                    let at = (other.at.pointer.clone(), other.at.place.clone());
                    self.differ(Kind::ServerUnused, at, json!(other.url), Value::Null);
                }
            }
            None => self.differ(Kind::Server, self.at("servers"), Value::Null, json!(base)),
        }
    }

    fn call(&mut self, as_read: bool) {
        let Some(call) = self.wire.calls.get(&self.own.name) else {
            return self.differ(Kind::NotSent, self.at("operationId"), Value::Null, json!("not called"));
        };
        let ended = match &call.outcome {
            Ok(outcome) => outcome.to_string(),
            Err(reason) => reason.clone(),
        };
        let [request] = call.requests.as_slice() else {
            let says = json!(format!("{} requests; {ended}", call.requests.len()));
            return self.differ(Kind::NotSent, self.at("operationId"), json!("one request"), says);
        };
        if !matches!(call.outcome, Ok(Outcome::Success(_))) {
            self.differ(Kind::NotSent, self.at("responses"), json!("success"), json!(ended));
        }
        let credentials = self.credentials(request);
        if !as_read {
            return;
        }
        if request.method.to_ascii_lowercase() != self.operation.method {
            let says = (json!(self.operation.method), json!(request.method));
            self.differ(Kind::WireMethod, self.at("method"), says.0, says.1);
        }
        self.path(call, request);
        self.query(call, request, &credentials);
        self.headers(call, request, &credentials);
        self.body(call, request);
    }

    fn path(&mut self, call: &Call, request: &Request) {
        let (path, _) = request.parts();
        let (shape, names) = self.operation.shape();
        let given: Vec<Option<&Value>> = self
            .own
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Parameter(setter) => Some(call.arguments.get(setter)),
                Segment::Text(_) => None,
            })
            .collect();
        let mut rest = Some(path);
        for (index, text) in shape.split("{}").enumerate() {
            if index > 0 {
                // Up to the next slash stands the value, encoded so that it has none itself.
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

    fn query(&mut self, call: &Call, request: &Request, credentials: &[(Place, String)]) {
        let (_, mut sent) = request.parts();
        sent.retain(|(name, _)| !credentials.contains(&(Place::Query, name.clone())));
        let mut expected = Vec::new();
        for ((place, name), parameter) in &self.operation.parameters {
            if *place != Place::Query {
                continue;
            }
            let Some(value) = self.given(*place, name, call) else { continue };
            let values: Vec<&Value> = match value {
                Value::Array(values) => values.iter().collect(),
                other => vec![other],
            };
            expected.extend(values.into_iter().map(|value| (parameter.name.clone(), written(value))));
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

    /// What was given for a parameter of the document.
    fn given<'c>(&self, place: Place, name: &str, call: &'c Call) -> Option<&'c Value> {
        let own = self.own.parameters.iter().find(|((own, known), _)| {
            *own == place && (known == name || (place == Place::Path && squeezed(known) == squeezed(name)))
        });
        call.arguments.get(&own?.1.setter)
    }

    fn headers(&mut self, call: &Call, request: &Request, credentials: &[(Place, String)]) {
        let mut left: Vec<(String, String)> = request
            .headers
            .iter()
            .filter(|(name, _)| !OF_HTTP.contains(&name.as_str()) && name != "content-type")
            .filter(|(name, _)| !credentials.contains(&(Place::Header, name.clone())))
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
        let Some((_, media)) = body.media.iter().find(|(name, _)| Some(*name) == essence.as_ref()) else {
            return self.differ(Kind::WireMedia, self.at("requestBody"), json!(names), json!(sent));
        };
        let given = self.own.body.as_ref().and_then(|(_, part)| call.arguments.get(&part.setter));
        let (Some(given), Some(schema)) = (given, &media.schema) else { return };
        let at = (schema.pointer(), schema.place.clone());
        let parsed = match essence.as_deref() {
            Some("application/x-www-form-urlencoded") => form(&request.body),
            Some(name) if name == "application/json" || name.ends_with("+json") => {
                serde_json::from_slice(&request.body).ok()
            }
            _ => Some(String::from_utf8_lossy(&request.body).into()),
        };
        let Some(parsed) = parsed else {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            return self.differ(Kind::WireBody, at, json!("a readable body"), text.into());
        };
        if essence.as_deref() == Some("application/x-www-form-urlencoded") {
            // Everything is text in a form, so the types of its members cannot be seen.
            let given = given.as_object().into_iter().flatten();
            let given: serde_json::Map<String, Value> =
                given.map(|(name, value)| (name.clone(), written(value).into())).collect();
            if parsed != Value::Object(given.clone()) {
                self.differ(Kind::WireBody, at, given.into(), parsed);
            }
            return;
        }
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

    /// Compares what authenticates the request with what is asked for; gives where it stands.
    fn credentials(&mut self, request: &Request) -> Vec<(Place, String)> {
        let key = &self.wire.key;
        let stated: Vec<&Requirement> =
            self.operation.security.iter().filter(|one| !one.schemes.is_empty()).collect();
        let optional = stated.len() < self.operation.security.len();
        let met = |scheme: &Scheme| match scheme {
            Scheme::Http(name) => {
                let sent = request.header("authorization").and_then(|sent| sent.split_once(' '));
                sent.is_some_and(|(word, rest)| word.eq_ignore_ascii_case(name) && rest == key)
            }
            Scheme::Key(Place::Header, name) => {
                request.header(&name.to_ascii_lowercase()) == Some(key.as_str())
            }
            Scheme::Key(Place::Query, name) => request.parts().1.contains(&(name.clone(), key.clone())),
            Scheme::Key(..) | Scheme::Other(_) => false,
        };
        let mut used: Option<&Requirement> = None;
        for requirement in &stated {
            let better = used.is_none_or(|used| requirement.schemes < used.schemes);
            if better && requirement.schemes.iter().all(met) {
                used = Some(requirement);
            }
        }
        let sent = request.header("authorization").map(|sent| {
            // The scheme, not the secret.
            sent.split_once(' ').map_or("a key alone", |(word, _)| word).to_owned()
        });
        let at = &self.operation.security_at;
        let at = (at.pointer.clone(), self.operation.at.child("security").place);
        let says = |requirement: &Requirement| {
            let words: Vec<String> = requirement.schemes.iter().map(ToString::to_string).collect();
            words.join(" and ")
        };
        let words: Vec<String> = stated.iter().map(|requirement| says(requirement)).collect();
        match used {
            None if stated.is_empty() && sent.is_some() => {
                let says = json!(format!("Authorization: {}", sent.unwrap_or_default()));
                self.differ(Kind::Security, at, json!("nothing"), says);
                return vec![(Place::Header, "authorization".to_owned())];
            }
            None if stated.is_empty() || (optional && sent.is_none()) => return Vec::new(),
            None => {
                let says = json!(sent.map(|sent| format!("Authorization: {sent}")));
                self.differ(Kind::Security, at, json!(words), says);
                return vec![(Place::Header, "authorization".to_owned())];
            }
            Some(_) => {}
        }
        let used = used.map(|used| used.schemes.clone()).unwrap_or_default();
        if optional {
            let at = (at.0.clone(), at.1.child("none"));
            self.differ(Kind::SecurityUnused, at, json!("none at all"), Value::Null);
        }
        for requirement in stated.iter().filter(|one| one.schemes != used) {
            let at = (requirement.at.pointer.clone(), requirement.at.place.clone());
            self.differ(Kind::SecurityUnused, at, json!(says(requirement)), Value::Null);
        }
        used.iter()
            .filter_map(|scheme| match scheme {
                Scheme::Http(_) => Some((Place::Header, "authorization".to_owned())),
                Scheme::Key(Place::Header, name) => Some((Place::Header, name.to_ascii_lowercase())),
                Scheme::Key(place, name) => Some((*place, name.clone())),
                Scheme::Other(_) => None,
            })
            .collect()
    }
}

/// A value as it is written in a path, a query or a header.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The same text, or the same time.
fn same_text(one: &str, other: &str) -> bool {
    let time =
        |text: &str| DateTime::parse_from_rfc3339(text).or_else(|_| text.replacen(' ', "T", 1).parse());
    one == other || matches!((time(one), time(other)), (Ok(one), Ok(other)) if one == other)
}

fn form(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(name), Value::from(form_decoded(value)))
    });
    Some(Value::Object(pairs.collect()))
}
