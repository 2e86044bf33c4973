//! Bodies of requests and replies, statuses and headers.

use super::{
    change::{Kind, Level, Side, Way},
    document::{Operation, Place},
    operations::Context,
    schema::Pair,
};

pub(super) fn request<'a>(context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let way = Some(Way::Request);
    let documents = context.documents;
    let one = old.place.get("requestBody").map(|body| documents.old.resolve(body));
    let other = new.place.get("requestBody").map(|body| documents.new.resolve(body));
    match (one, other) {
        (None, None) => {}
        (Some(one), None) => {
            let message = "the method takes no body any more";
            context.changes.add(Level::Breaking, Kind::BodyRemoved, (Side::Old, &one.pointer), way, message);
        }
        (None, Some(other)) => {
            let (level, message) = if other.flag("required") {
                (Level::Breaking, "the method takes a body, which is required")
            } else {
                (Level::Additive, "the method takes a body, which is optional")
            };
            context.changes.add(level, Kind::BodyAdded, (Side::New, &other.pointer), way, message);
        }
        (Some(one), Some(other)) => {
            let at = (Side::New, &other.pointer);
            match (one.flag("required"), other.flag("required")) {
                (false, true) => {
                    let message = "the API no longer takes the request without";
                    context.changes.add(Level::Breaking, Kind::BodyRequired, at, way, message);
                }
                (true, false) => {
                    let message = "the API takes the request without";
                    context.changes.add(Level::Additive, Kind::BodyOptional, at, way, message);
                }
                _ => {}
            }
            content(context, &one, &other, Way::Request, Level::Breaking);
        }
    }
}

/// Compares the media types of two bodies, and what they hold. The level is that of a body that comes or goes as a whole.
fn content<'a>(context: &mut Context<'_, 'a>, old: &Place<'a>, new: &Place<'a>, way: Way, whole: Level) {
    let media = |holder: &Place<'a>| -> Vec<(String, Place<'a>)> {
        let all = holder.get("content");
        let all = all.into_iter().flat_map(|all| all.members());
        all.map(|(name, place)| (essence(name), place)).collect()
    };
    let (before, after) = (media(old), media(new));
    if way == Way::Reply && before.is_empty() != after.is_empty() {
        let (kind, place, message) = if after.is_empty() {
            (Kind::BodyRemoved, (Side::Old, &old.pointer), "the reply has no body any more")
        } else {
            (
                Kind::BodyAdded,
                (Side::New, &new.pointer),
                "the reply has a body, so the method returns another type",
            )
        };
        context.changes.add(whole, kind, place, Some(way), message);
        return;
    }
    for (name, one) in &before {
        let Some((_, other)) = after.iter().find(|(other, _)| other == name) else {
            let message = format!("`{name}` is gone");
            context.changes.add(
                Level::Breaking,
                Kind::MediaTypeRemoved,
                (Side::Old, &one.pointer),
                Some(way),
                message,
            );
            continue;
        };
        context.queue.push(Pair::of(one, other, "schema", way));
        let (encoding, now) = (one.get("encoding"), other.get("encoding"));
        if !context.documents.alike(encoding, now) {
            let message = "the parts of the form are written in another way";
            let at = (Side::New, &other.pointer);
            context.changes.add(Level::Neutral, Kind::SerialisationChanged, at, Some(way), message);
        }
    }
    for (name, other) in after.iter().filter(|(name, _)| !before.iter().any(|(before, _)| before == name)) {
        let message = format!("`{name}` came");
        context.changes.add(
            Level::Additive,
            Kind::MediaTypeAdded,
            (Side::New, &other.pointer),
            Some(way),
            message,
        );
    }
}

/// A media type without its parameters.
fn essence(name: &str) -> String {
    name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(super) fn replies<'a>(context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let documents = context.documents;
    let statuses = |document: super::document::Document<'a>, operation: &Operation<'a>| -> Vec<Reply<'a>> {
        let all = operation.place.get("responses");
        let all = all.into_iter().flat_map(|all| all.members());
        let all = all.filter(|(status, _)| !status.starts_with("x-"));
        all.map(|(status, place)| Reply { status, at: place.clone(), place: document.resolve(place) })
            .collect()
    };
    let (before, after) = (statuses(documents.old, old), statuses(documents.new, new));
    for one in &before {
        if let Some(other) = after.iter().find(|other| other.is(one.status)) {
            let whole = if one.is_success() { Level::Breaking } else { Level::Additive };
            content(context, &one.place, &other.place, Way::Reply, whole);
            headers(context, &one.place, &other.place);
            if !documents.alike(one.place.get("links"), other.place.get("links")) {
                let message = "no code is generated for links";
                let at = (Side::New, &other.place.pointer);
                context.changes.add(Level::Neutral, Kind::LinksChanged, at, Some(Way::Reply), message);
            }
            continue;
        }
        let stays = after.iter().any(|other| same_body(context, one, other));
        let (level, message) = match (one.is_success(), stays) {
            (true, true) => (Level::Neutral, "another success has the same body, which the method returns"),
            (true, false) => (Level::Breaking, "its body is no longer what the method returns"),
            (false, true) => (Level::Neutral, "another error has the same body"),
            (false, false) => (Level::Breaking, "its body is no longer among the errors"),
        };
        let message = format!("{} is gone; {message}", one.status);
        context.changes.add(
            level,
            Kind::StatusRemoved,
            (Side::Old, &one.at.pointer),
            Some(Way::Reply),
            message,
        );
    }
    for other in after.iter().filter(|other| !before.iter().any(|one| one.is(other.status))) {
        let known = before.iter().any(|one| same_body(context, one, other));
        let (level, message) = match (other.is_success(), known) {
            (true, false) => (Level::Breaking, "its body changes what the method returns"),
            (true, true) => (Level::Additive, "its body is what the method returns already"),
            (false, _) => (Level::Additive, "the API may answer with this error"),
        };
        let message = format!("{} came; {message}", other.status);
        context.changes.add(
            level,
            Kind::StatusAdded,
            (Side::New, &other.at.pointer),
            Some(Way::Reply),
            message,
        );
    }
}

struct Reply<'a> {
    status: &'a str,
    /// Where it is declared or referred to.
    at: Place<'a>,
    place: Place<'a>,
}

impl Reply<'_> {
    fn is(&self, status: &str) -> bool {
        self.status.eq_ignore_ascii_case(status)
    }

    /// `default` is what the errors have in common.
    fn is_success(&self) -> bool {
        self.status.starts_with(['1', '2', '3'])
    }
}

/// Whether two replies, both of success or both of an error, have the same body.
fn same_body<'a>(context: &Context<'_, 'a>, one: &Reply<'a>, other: &Reply<'a>) -> bool {
    one.is_success() == other.is_success()
        && context.documents.alike(one.place.get("content"), other.place.get("content"))
}

fn headers<'a>(context: &mut Context<'_, 'a>, old: &Place<'a>, new: &Place<'a>) {
    let way = Some(Way::Reply);
    let documents = context.documents;
    let all = |holder: &Place<'a>, document: super::document::Document<'a>| -> Vec<(String, Place<'a>)> {
        let all = holder.get("headers");
        let all = all.into_iter().flat_map(|all| all.members());
        all.map(|(name, place)| (name.to_ascii_lowercase(), document.resolve(place))).collect()
    };
    let (before, after) = (all(old, documents.old), all(new, documents.new));
    for (name, one) in &before {
        let Some((_, other)) = after.iter().find(|(other, _)| other == name) else {
            // No code is generated for headers, but those that are promised are read from the raw reply.
            let level = if one.flag("required") { Level::Breaking } else { Level::Neutral };
            context.changes.add(
                level,
                Kind::HeaderRemoved,
                (Side::Old, &one.pointer),
                way,
                format!("`{name}` is gone"),
            );
            continue;
        };
        let at = (Side::New, &other.pointer);
        match (one.flag("required"), other.flag("required")) {
            (false, true) => {
                context.changes.add(
                    Level::Additive,
                    Kind::HeaderRequired,
                    at,
                    way,
                    format!("`{name}` is always there"),
                );
            }
            (true, false) => {
                let message = format!("`{name}` may be missing");
                context.changes.add(Level::Breaking, Kind::HeaderOptional, at, way, message);
            }
            _ => {}
        }
        context.queue.push(Pair::of(one, other, "schema", Way::Reply));
    }
    for (name, other) in after.iter().filter(|(name, _)| !before.iter().any(|(before, _)| before == name)) {
        context.changes.add(
            Level::Additive,
            Kind::HeaderAdded,
            (Side::New, &other.pointer),
            way,
            format!("`{name}` came"),
        );
    }
}
