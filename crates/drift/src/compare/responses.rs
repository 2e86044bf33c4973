//! Compares the responses of an operation: one type for success, one for errors, and how a success is decoded.

use serde_json::{Value, json};

use super::{
    operations::unstated,
    schemas::{Comparer, Role, Rust},
};
use crate::{
    code::{self, Format},
    document::{Media, Operation, Response},
    finding::Kind,
    schema::Dangling,
};

/// The content of a response, as far as the code distinguishes it.
enum Carried<'d, 'a> {
    Nothing,
    Json(&'d str, &'d Media<'a>),
    Text,
    Bytes,
}

pub(super) struct Responses<'p, 'a> {
    pub(super) operation: &'p Operation<'a>,
    pub(super) own: &'p code::Operation,
    pub(super) comparer: &'p mut Comparer<'a>,
}

/// Returns the responses that count as success. This includes `default` if no success is declared.
pub(super) fn successes<'d, 'a>(
    operation: &'d Operation<'a>,
) -> impl Iterator<Item = (&'d String, &'d Response<'a>)> {
    let any = operation.responses.keys().any(|status| status.starts_with('2'));
    operation
        .responses
        .iter()
        .filter(move |(status, _)| status.starts_with('2') || (!any && *status == "default"))
}

/// Returns the responses that count as errors.
fn errors<'d, 'a>(operation: &'d Operation<'a>) -> impl Iterator<Item = (&'d String, &'d Response<'a>)> {
    operation.responses.iter().filter(|(status, _)| status.starts_with(['4', '5']) || *status == "default")
}

/// Returns the JSON that a response carries.
pub(super) fn json<'d, 'a>(
    operation: &Operation<'a>,
    response: &'d Response<'a>,
) -> Option<(&'d str, &'d Media<'a>)> {
    match carried(operation, "", response) {
        Carried::Json(name, media) => Some((name, media)),
        _ => None,
    }
}

/// Returns the content that the document declares and HTTP permits (RFC 9110, 9.3.2, 15.3.5, 15.3.6).
fn carried<'d, 'a>(operation: &Operation<'a>, status: &str, response: &'d Response<'a>) -> Carried<'d, 'a> {
    if operation.method == "head" || matches!(status, "204" | "205") {
        return Carried::Nothing;
    }
    let essence = |name: &str| name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = |name: &str| essence(name) == "application/json" || essence(name).ends_with("+json");
    let plain = response.media.iter().find(|(name, _)| essence(name) == "application/json");
    match plain.or_else(|| response.media.iter().find(|(name, _)| is_json(name))) {
        Some((name, media)) => Carried::Json(name, media),
        None if response.media.is_empty() => Carried::Nothing,
        None if response.media.keys().all(|name| essence(name).starts_with("text/")) => Carried::Text,
        None => Carried::Bytes,
    }
}

impl<'a> Responses<'_, 'a> {
    pub(super) fn compare(mut self) -> Result<(), Dangling> {
        self.statuses();
        let operation = self.operation;
        let success: Vec<_> = successes(operation)
            .map(|(status, response)| (status, response, carried(operation, status, response)))
            .collect();
        let has =
            |wanted: fn(&Carried<'_, '_>) -> bool| success.iter().any(|(_, _, carried)| wanted(carried));
        let expected = if has(|carried| matches!(carried, Carried::Json(..))) {
            Format::Json
        } else if has(|carried| matches!(carried, Carried::Bytes)) {
            Format::Bytes
        } else if has(|carried| matches!(carried, Carried::Text)) {
            Format::Text
        } else {
            Format::Empty
        };
        let ty = match expected {
            Format::Json => None,
            Format::Text => Some("String"),
            Format::Bytes => Some("Vec<u8>"),
            Format::Empty => Some("()"),
        };
        let right =
            self.own.format == expected && ty.is_none_or(|ty| self.own.response.as_deref() == Some(ty));
        if !right {
            let says = json!([self.own.format.word(), self.own.response]);
            self.differ(Kind::ResponseDecoded, "success", json!([expected.word(), ty]), says);
        }
        // JSON errors matter only if a success has no content.
        let any = operation
            .responses
            .iter()
            .any(|(status, response)| matches!(carried(operation, status, response), Carried::Json(..)));
        let wanted = expected == Format::Json || (expected == Format::Empty && any);
        if wanted != self.own.accepts_json {
            let says = |json: bool| json!(if json { "JSON" } else { "no JSON" });
            self.differ(Kind::Accept, "accept", says(wanted), says(self.own.accepts_json));
        }
        let response = if right { self.own.response.clone() } else { None };
        // Any success of a range may have no content.
        let any = success.iter().any(|(status, ..)| matches!(status.as_str(), "2XX" | "default"));
        let role = if expected == Format::Json && (any || has(|carried| matches!(carried, Carried::Nothing)))
        {
            Role::ResponseOrNothing
        } else {
            Role::Response
        };
        for (_, stated, carried) in success {
            self.response(stated, &carried, response.as_deref(), (expected, role))?;
        }
        let errors: Vec<_> = errors(operation)
            .map(|(status, response)| (response, carried(operation, status, response)))
            .collect();
        let of_json = errors.iter().any(|(_, carried)| matches!(carried, Carried::Json(..)));
        let of_bytes = errors.iter().any(|(_, carried)| matches!(carried, Carried::Text | Carried::Bytes));
        let refusal = self.own.refusal.clone();
        let (expected, right) = match refusal.as_deref() {
            _ if of_json => (Format::Json, refusal.as_deref() != Some("()")),
            Some("Vec<u8>") if of_bytes => (Format::Bytes, true),
            other => (Format::Empty, other == Some("()")),
        };
        if !right {
            self.differ(Kind::ResponseDecoded, "error", json!(expected.word()), json!(refusal));
            return Ok(());
        }
        for (stated, carried) in errors {
            self.response(stated, &carried, refusal.as_deref(), (expected, Role::Response))?;
        }
        Ok(())
    }

    fn rust(&self) -> Rust {
        Rust { spot: self.own.spot.to_string(), owner: None, hides: false }
    }

    fn differ(&mut self, kind: Kind, member: &str, document: Value, code: Value) {
        let at = self.operation.at.child("responses");
        let rust = self.rust();
        self.comparer.differ(kind, at.pointer, at.place.child(member), &rust, document, code);
    }

    /// Checks the statuses. A status reaches the caller as a number, so the code has no list of them.
    fn statuses(&mut self) {
        let declared: Vec<&String> = self.operation.responses.keys().collect();
        if !declared.is_empty() {
            self.comparer.count("operations with statuses");
            let at = self.operation.at.child("responses");
            let rust = self.rust();
            self.comparer.differ(
                Kind::Statuses,
                at.pointer,
                at.place,
                &rust,
                json!(declared),
                json!("success or error"),
            );
        }
    }

    fn response(
        &mut self,
        response: &Response<'a>,
        carried: &Carried<'_, 'a>,
        key: Option<&str>,
        (kept, role): (Format, Role),
    ) -> Result<(), Dangling> {
        self.comparer.count("responses");
        let rust = self.rust();
        let at = &response.at;
        let content = at.child("content");
        let schemas = self.comparer.document();
        let says =
            content.pointer.get(schemas.root()).map_or(json!("no body"), |content| schemas.content(content));
        let other = match (carried, kept) {
            (Carried::Json(media, stated), Format::Json) => {
                let Some((key, root)) = key.and_then(|key| Some((key, self.comparer.root(key)?))) else {
                    return Ok(());
                };
                for (other, unused) in &response.media {
                    if unused.at != stated.at {
                        let (at, says) = (unused.at.clone(), json!(other));
                        self.comparer.differ(
                            Kind::MediaUnused,
                            at.pointer,
                            at.place,
                            &rust,
                            says,
                            json!("JSON"),
                        );
                    }
                }
                if *media != "application/json" {
                    let (at, says) = (stated.at.clone(), (json!(media), json!("application/json")));
                    self.comparer.differ(Kind::ResponseMedia, at.pointer, at.place, &rust, says.0, says.1);
                }
                return match &stated.schema {
                    Some(schema) => self.comparer.compare(schema, &root, &rust, role),
                    None => unstated(self.comparer, stated, Some(key), &rust),
                };
            }
            (Carried::Nothing, Format::Empty) if response.media.is_empty() => return Ok(()),
            // The body is optional.
            (Carried::Nothing, _) if response.media.is_empty() && role == Role::ResponseOrNothing => {
                return Ok(());
            }
            (Carried::Nothing, _) if !response.media.is_empty() => Kind::ResponseWithoutContent,
            (Carried::Text | Carried::Bytes, Format::Text | Format::Bytes) => Kind::ResponseBytes,
            _ => Kind::ResponseUndeclared,
        };
        self.comparer.differ(other, at.pointer.clone(), at.place.clone(), &rust, says, json!(kept.word()));
        Ok(())
    }
}
