//! Compares bodies of requests, and single responses: formats, schemas and headers.

use suprsend_codegen::media::{essence, is_json, read_as, sent_as};

use super::{
    change::{Kind, Level, Side, Way},
    document::{Documents, Operation, Place},
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
            let message = "there is a body, which the constructor takes";
            context.changes.add(Level::Breaking, Kind::BodyAdded, (Side::New, &other.pointer), way, message);
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
            let (one, other) = (Body::sent(&one), Body::sent(&other));
            formats(context, &one, &other, Way::Request, one.name() != other.name());
        }
    }
}

/// The formats of a body, and the one that the crate writes or reads.
pub(super) struct Body<'a> {
    formats: Vec<(&'a str, Place<'a>)>,
    chosen: Option<usize>,
}

/// The form in which Rust reads the body of a response.
#[derive(Clone)]
pub(super) enum Read<'a> {
    Nothing,
    /// Any other format.
    Bytes,
    /// The schema, if there is one.
    Json(Option<Place<'a>>),
}

impl<'a> Body<'a> {
    fn sent(holder: &Place<'a>) -> Self {
        Self::new(holder, |names| sent_as(names.iter().copied()))
    }

    pub(super) fn received(holder: &Place<'a>) -> Self {
        Self::new(holder, |names| read_as(names.iter().copied()))
    }

    fn new(holder: &Place<'a>, choose: impl Fn(&[&'a str]) -> Option<&'a str>) -> Self {
        let formats: Vec<_> = holder.get("content").into_iter().flat_map(|all| all.members()).collect();
        let names: Vec<_> = formats.iter().map(|(name, _)| *name).collect();
        let chosen = choose(&names).and_then(|chosen| names.iter().position(|name| *name == chosen));
        // A body that cannot be sent is compared nevertheless.
        let chosen = chosen.or_else(|| (!formats.is_empty()).then_some(0));
        Self { formats, chosen }
    }

    /// Returns whether it has the format that is used for the other one.
    pub(super) fn has(&self, other: &Self) -> bool {
        self.formats.iter().any(|(name, _)| other.name().is_some_and(|used| used == essence(name)))
    }

    fn name(&self) -> Option<String> {
        self.chosen.map(|index| essence(self.formats[index].0))
    }

    pub(super) fn read(&self) -> Read<'a> {
        match self.chosen.map(|index| &self.formats[index]) {
            None => Read::Nothing,
            Some((name, media)) if is_json(name) => Read::Json(media.get("schema")),
            Some(_) => Read::Bytes,
        }
    }
}

impl<'a> Read<'a> {
    /// Returns whether it is the same in Rust.
    pub(super) fn is(&self, documents: Documents<'a>, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Bytes, Self::Bytes) => true,
            (Self::Json(one), Self::Json(other)) => documents.alike(one.clone(), other.clone()),
            _ => false,
        }
    }
}

/// Compares the formats of two bodies, and the ones that the crate writes or reads. `another` tells whether those differ.
pub(super) fn formats<'a>(
    context: &mut Context<'_, 'a>,
    old: &Body<'a>,
    new: &Body<'a>,
    way: Way,
    another: bool,
) {
    let of = |body: &Body<'a>, name: &str| body.formats.iter().position(|(it, _)| essence(it) == name);
    let mut told = false;
    for (index, (name, one)) in old.formats.iter().enumerate() {
        let Some(at) = of(new, &essence(name)) else {
            let used = another && old.chosen == Some(index);
            told |= used;
            let (level, message) = if used {
                (Level::Breaking, format!("`{name}` is gone, which was used"))
            } else {
                (Level::Neutral, format!("`{name}` is gone"))
            };
            context.changes.add(level, Kind::MediaTypeRemoved, (Side::Old, &one.pointer), Some(way), message);
            continue;
        };
        let other = &new.formats[at].1;
        if old.chosen != Some(index) || new.chosen != Some(at) {
            if !context.documents.alike(Some(one.clone()), Some(other.clone())) {
                let message = format!("what is said of `{name}` is not used, or was not");
                context.changes.add(
                    Level::Neutral,
                    Kind::MediaTypeChanged,
                    (Side::New, &other.pointer),
                    Some(way),
                    message,
                );
            }
            continue;
        }
        let (encoding, now) = (one.get("encoding"), other.get("encoding"));
        if !context.documents.alike(encoding, now) {
            let message = "the parts of the form are written in another way";
            let at = (Side::New, &other.pointer);
            context.changes.add(Level::Neutral, Kind::SerialisationChanged, at, Some(way), message);
        }
    }
    for (index, (name, other)) in new.formats.iter().enumerate() {
        if of(old, &essence(name)).is_some() {
            continue;
        }
        let (level, message) = if another && !told && new.chosen == Some(index) {
            (Level::Breaking, format!("`{name}` came, and is used instead"))
        } else {
            (Level::Neutral, format!("`{name}` came"))
        };
        context.changes.add(level, Kind::MediaTypeAdded, (Side::New, &other.pointer), Some(way), message);
    }
    // Values in different formats have nothing in common.
    if let (Some(one), Some(other)) = (old.chosen, new.chosen) {
        let ((before, one), (after, other)) = (&old.formats[one], &new.formats[other]);
        let json = way == Way::Response && is_json(before) && is_json(after);
        if json || essence(before) == essence(after) {
            context.queue.push(Pair::new(one, other, "schema", way));
        }
    }
}

pub(super) fn headers<'a>(context: &mut Context<'_, 'a>, old: &Place<'a>, new: &Place<'a>) {
    let way = Some(Way::Response);
    let documents = context.documents;
    let all = |holder: &Place<'a>, document: super::document::Document<'a>| -> Vec<(String, Place<'a>)> {
        let all = holder.get("headers");
        let all = all.into_iter().flat_map(|all| all.members());
        all.map(|(name, place)| (name.to_ascii_lowercase(), document.resolve(place))).collect()
    };
    let (before, after) = (all(old, documents.old), all(new, documents.new));
    for (name, one) in &before {
        let Some((_, other)) = after.iter().find(|(other, _)| other == name) else {
            // No code is generated for headers, but those that are promised are read from the raw response.
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
        context.queue.push(Pair::new(one, other, "schema", Way::Response));
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
