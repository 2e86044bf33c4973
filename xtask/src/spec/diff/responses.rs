//! Compares responses: the statuses, and what Rust returns for them.
//!
//! As in the generator, all success statuses share one type, and all errors another. `default` is an error, and also the success if no
//! other is declared. The first kind among JSON, bytes and nothing determines the type; a status with another kind of body counts as
//! undeclared. No code is generated for statuses that are neither success nor error.

use suprsend_codegen::{
    Pointer,
    media::{allows_content, may_lack_content},
};

use super::{
    bodies::{Body, Read, formats, headers},
    change::{Kind, Level, Side, Way},
    document::{Document, Documents, Operation, Place},
    operations::Context,
    view::View,
};

const RESPONSE: Option<Way> = Some(Way::Response);

pub(super) fn compare<'a>(context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let documents = context.documents;
    let (before, after) = (Responses::new(documents.old, old), Responses::new(documents.new, new));
    for one in &before.all {
        match after.find(one.status) {
            Some(other) => response(context, (&before, one), (&after, other)),
            None => gone(context, (&before, one), &after),
        }
    }
    for other in after.all.iter().filter(|other| before.find(other.status).is_none()) {
        let level = other.roles(&after).map(|role| {
            if !after.holds(role, other) {
                (Level::Additive, "beside statuses with another kind of body it is not read")
            } else if after.is_none(role, other) {
                (Level::Additive, "it is `None` beside those with a body")
            } else if has(documents, (&before, &after), role, other) {
                (Level::Additive, "its body is among those that the method returns already")
            } else {
                (Level::Breaking, "its body changes the type that the method returns")
            }
        });
        let (level, message) = level.max_by_key(|(level, _)| *level).unwrap_or(UNUSED);
        let message = format!("{} came; {message}", other.status);
        context.changes.add(level, Kind::StatusAdded, (Side::New, &other.at.pointer), RESPONSE, message);
    }
    option(context, &before, &after);
}

/// Compares whether the method returns an `Option` because a success may lack content.
fn option<'a>(context: &mut Context<'_, 'a>, before: &Responses<'a>, after: &Responses<'a>) {
    let json = [before, after].iter().all(|responses| responses.has_json(Role::Success));
    let [one, other] = [before, after].map(Responses::may_lack_content);
    // Beside null, `None` is nothing new.
    let same = (one || before.is_nullable(context.documents.old))
        == (other || after.is_nullable(context.documents.new));
    if !json || one == other || same {
        return;
    }
    let (kind, message) = if other {
        (Kind::SuccessOptional, "a success may have no content, so the method returns an `Option`")
    } else {
        (Kind::SuccessRequired, "every success has content, so the method returns no `Option`")
    };
    context.changes.add(Level::Breaking, kind, (Side::New, &after.place), RESPONSE, message);
}

const UNUSED: (Level, &str) = (Level::Neutral, "no code is generated for it");

/// Returns whether the old type of the role covers the body of a new response: declared by the old document, or by a status that remains.
fn has<'a>(
    documents: Documents<'a>,
    (before, after): (&Responses<'a>, &Responses<'a>),
    role: Role,
    other: &Response<'a>,
) -> bool {
    let within = Documents { old: documents.new, new: documents.new };
    before.type_of(role).any(|one| one.read.is(documents, &other.read))
        || after.type_of(role).any(|twin| {
            let stays = before.type_of(role).any(|one| one.is(twin.status));
            stays && twin.status != other.status && twin.read.is(within, &other.read)
        })
        || (matches!(other.read, Read::Nothing) && before.type_of(role).next().is_none())
}

fn response<'a>(
    context: &mut Context<'_, 'a>,
    (before, one): (&Responses<'a>, &Response<'a>),
    (after, other): (&Responses<'a>, &Response<'a>),
) {
    let documents = context.documents;
    let mut roles = one.roles(before).chain(other.roles(after)).peekable();
    if roles.peek().is_none() {
        let part = |it: &Response<'a>, key| it.place.get(key);
        if ["content", "headers", "links"]
            .iter()
            .any(|key| !documents.alike(part(one, key), part(other, key)))
        {
            let at = (Side::New, &other.place.pointer);
            context.changes.add(Level::Neutral, Kind::StatusUnused, at, RESPONSE, UNUSED.1);
        }
        return;
    }
    match (&one.read, &other.read) {
        (Read::Nothing, Read::Nothing) => {}
        (_, Read::Nothing) => {
            let message = "the response has no body any more";
            let at = (Side::Old, &one.place.pointer);
            context.changes.add(Level::Breaking, Kind::BodyRemoved, at, RESPONSE, message);
        }
        (Read::Nothing, _) => {
            let known = roles.all(|role| has(documents, (before, after), role, other));
            let (level, message) = if known {
                (
                    Level::Additive,
                    "the response has a body, which the method returns for another status already",
                )
            } else {
                (Level::Breaking, "the response has a body, so the method returns another type")
            };
            context.changes.add(level, Kind::BodyAdded, (Side::New, &other.place.pointer), RESPONSE, message);
        }
        (was, is) => {
            let (one, other) = (Body::received(&one.place), Body::received(&other.place));
            let another = match (was, is) {
                (Read::Json(_), Read::Json(_)) => false,
                // The type is the same, but not the content that the caller must read from it.
                (Read::Bytes, Read::Bytes) => !other.has(&one),
                _ => true,
            };
            formats(context, &one, &other, Way::Response, another);
        }
    }
    headers(context, &one.place, &other.place);
    if !documents.alike(one.place.get("links"), other.place.get("links")) {
        let message = "no code is generated for links";
        context.changes.add(
            Level::Neutral,
            Kind::LinksChanged,
            (Side::New, &other.place.pointer),
            RESPONSE,
            message,
        );
    }
}

fn gone<'a>(
    context: &mut Context<'_, 'a>,
    (before, one): (&Responses<'a>, &Response<'a>),
    after: &Responses<'a>,
) {
    let documents = context.documents;
    let within = Documents { old: documents.old, new: documents.old };
    let level = one.roles(before).map(|role| {
        let stays = after.type_of(role).any(|other| one.read.is(documents, &other.read))
            || before.type_of(role).any(|twin| {
                let stays = after.type_of(role).any(|other| other.is(twin.status));
                stays && twin.status != one.status && one.read.is(within, &twin.read)
            });
        let none = role == Role::Error && after.type_of(role).next().is_none();
        if !before.holds(role, one) {
            (Level::Neutral, "its body was not read")
        } else if before.is_none(role, one) {
            (Level::Neutral, "it was `None` beside those with a body")
        } else if stays || (none && matches!(one.read, Read::Nothing)) {
            (Level::Neutral, "the method returns the same type")
        } else {
            (Level::Breaking, "its body is no longer among those that the method returns")
        }
    });
    let (level, message) = level.max_by_key(|(level, _)| *level).unwrap_or(UNUSED);
    let message = format!("{} is gone; {message}", one.status);
    context.changes.add(level, Kind::StatusRemoved, (Side::Old, &one.at.pointer), RESPONSE, message);
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Success,
    Error,
}

/// The responses of an operation.
struct Responses<'a> {
    place: Pointer,
    all: Vec<Response<'a>>,
}

struct Response<'a> {
    status: &'a str,
    /// The place where it is declared or referred to.
    at: Place<'a>,
    place: Place<'a>,
    read: Read<'a>,
}

impl<'a> Responses<'a> {
    fn new(document: Document<'a>, operation: &Operation<'a>) -> Self {
        let all = operation.place.get("responses").into_iter().flat_map(|all| all.members());
        let all = all.filter(|(status, _)| !status.starts_with("x-")).map(|(status, at)| {
            let place = document.resolve(at.clone());
            let content = allows_content(operation.method, status);
            let read = if content { Body::received(&place).read() } else { Read::Nothing };
            Response { status, at, place, read }
        });
        Self { place: operation.place.pointer.child("responses"), all: all.collect() }
    }

    fn find(&self, status: &str) -> Option<&Response<'a>> {
        self.all.iter().find(|response| response.is(status))
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = &Response<'a>> {
        self.all.iter().filter(move |response| response.roles(self).any(|own| own == role))
    }

    fn has_json(&self, role: Role) -> bool {
        self.with_role(role).any(|response| matches!(response.read, Read::Json(_)))
    }

    /// Returns whether the role's type covers the body of a response.
    fn holds(&self, role: Role, response: &Response<'a>) -> bool {
        let bytes = |response: &Response<'a>| matches!(response.read, Read::Bytes);
        match response.read {
            Read::Json(_) => true,
            Read::Bytes => !self.has_json(role),
            Read::Nothing if self.has_json(role) => self.is_none(role, response),
            Read::Nothing => !self.with_role(role).any(bytes),
        }
    }

    /// Returns whether a response is `None` in the role's type.
    fn is_none(&self, role: Role, response: &Response<'a>) -> bool {
        let nothing = matches!(response.read, Read::Nothing);
        role == Role::Success && nothing && self.has_json(role) && response.may_lack_content()
    }

    /// Returns the responses whose bodies the role's type covers.
    fn type_of(&self, role: Role) -> impl Iterator<Item = &Response<'a>> {
        self.with_role(role).filter(move |response| self.holds(role, response))
    }

    /// Returns whether a success may lack content.
    fn may_lack_content(&self) -> bool {
        self.with_role(Role::Success).any(Response::may_lack_content)
    }

    /// Returns whether the content of every success may be null.
    fn is_nullable(&self, document: Document<'a>) -> bool {
        let nullable = |schema: &Place<'a>| {
            let view = View::new(document, std::slice::from_ref(schema));
            view.nullable && !view.is_any()
        };
        self.with_role(Role::Success).all(|response| match &response.read {
            Read::Json(schema) => schema.as_ref().is_some_and(nullable),
            Read::Bytes | Read::Nothing => true,
        })
    }
}

impl<'a> Response<'a> {
    fn is(&self, status: &str) -> bool {
        self.status.eq_ignore_ascii_case(status)
    }

    fn may_lack_content(&self) -> bool {
        // As the success, `default` stands for any.
        let status = if self.status == "default" { "2XX" } else { self.status };
        may_lack_content(status, !matches!(self.read, Read::Nothing))
    }

    /// Returns its roles, given the other responses.
    fn roles(&self, all: &Responses<'a>) -> impl Iterator<Item = Role> + use<'a> {
        let (success, error) = if self.status == "default" {
            (
                !all.all.iter().any(|response| response.status.starts_with('2')),
                all.find("4XX").is_none() || all.find("5XX").is_none(),
            )
        } else {
            (self.status == "101" || self.status.starts_with('2'), self.status.starts_with(['4', '5']))
        };
        [success.then_some(Role::Success), error.then_some(Role::Error)].into_iter().flatten()
    }
}
