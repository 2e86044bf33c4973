//! Compares parameters, which become setters.

use super::{
    change::{Kind, Level, Side, Way},
    document::{Document, Operation, Place},
    operations::{Context, names},
    schema::Pair,
};

const REQUEST: Option<Way> = Some(Way::Request);

pub(super) fn compare<'a>(context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let before = parameters(context.documents.old, old);
    let mut after = parameters(context.documents.new, new);
    for one in before {
        let Some(index) = counterpart(&one, &after, old.path, new.path) else {
            let message = format!("`{}` in {} is gone", one.name, one.location);
            context.changes.add(
                Level::Breaking,
                Kind::ParameterRemoved,
                (Side::Old, &one.place.pointer),
                REQUEST,
                message,
            );
            continue;
        };
        let other = after.remove(index);
        parameter(context, &one, &other);
    }
    for other in after {
        let (level, how) =
            if other.required() { (Level::Breaking, "required") } else { (Level::Additive, "optional") };
        let message = format!("`{}` in {} came, and is {how}", other.name, other.location);
        context.changes.add(level, Kind::ParameterAdded, (Side::New, &other.place.pointer), REQUEST, message);
    }
}

struct Parameter<'a> {
    name: &'a str,
    location: &'a str,
    place: Place<'a>,
}

impl Parameter<'_> {
    fn required(&self) -> bool {
        self.place.flag("required") || self.location == "path"
    }

    fn is(&self, location: &str, name: &str) -> bool {
        // Header names are case-insensitive.
        let same =
            if location == "header" { self.name.eq_ignore_ascii_case(name) } else { self.name == name };
        self.location == location && same
    }
}

/// Returns the parameters of an operation; its own precede those of the path.
fn parameters<'a>(document: Document<'a>, operation: &Operation<'a>) -> Vec<Parameter<'a>> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    for list in [operation.place.get("parameters"), operation.shared("parameters")].into_iter().flatten() {
        for place in list.elements() {
            let place = document.resolve(place);
            let (Some(name), Some(location)) = (place.text("name"), place.text("in")) else {
                continue;
            };
            // The specification says that parameters with these names are ignored.
            let reserved = ["accept", "authorization", "content-type"];
            let ignored = location == "header" && reserved.contains(&name.to_ascii_lowercase().as_str());
            if !ignored && !found.iter().any(|known| known.is(location, name)) {
                found.push(Parameter { name, location, place });
            }
        }
    }
    found
}

/// Returns the new parameter that corresponds to an old one.
fn counterpart(one: &Parameter<'_>, after: &[Parameter<'_>], old: &str, new: &str) -> Option<usize> {
    let find = |is: &dyn Fn(&Parameter<'_>) -> bool| after.iter().position(is);
    find(&|other| other.is(one.location, one.name))
        .or_else(|| {
            // In a path, the position matters.
            let position = names(old).iter().position(|name| *name == one.name)?;
            let name = *names(new).get(position)?;
            (one.location == "path").then(|| find(&|other| other.is("path", name)))?
        })
        .or_else(|| find(&|other| other.name == one.name))
}

fn parameter<'a>(context: &mut Context<'_, 'a>, one: &Parameter<'a>, other: &Parameter<'a>) {
    let at = (Side::New, &other.place.pointer);
    if !other.is(other.location, one.name) {
        let message = format!("`{}` is called `{}`, and so is its setter", one.name, other.name);
        context.changes.add(Level::Breaking, Kind::ParameterRenamed, at, REQUEST, message);
    }
    match (one.required(), other.required()) {
        (false, true) => {
            let message = format!("`{}` has to be set", other.name);
            context.changes.add(Level::Breaking, Kind::ParameterRequired, at, REQUEST, message);
        }
        (true, false) => {
            let message =
                format!("`{}` may be left out, and is no argument of the constructor any more", other.name);
            context.changes.add(Level::Breaking, Kind::ParameterOptional, at, REQUEST, message);
        }
        _ => {}
    }
    context.deprecated(&one.place, &other.place, REQUEST);
    if one.location != other.location {
        let message = format!("`{}` is sent in {} instead of {}", one.name, other.location, one.location);
        context.changes.add(Level::Neutral, Kind::ParameterMoved, at, REQUEST, message);
    } else if written(one) != written(other) || content(one).map(|it| it.0) != content(other).map(|it| it.0) {
        let message = "the crate writes it in the new way";
        context.changes.add(Level::Neutral, Kind::SerialisationChanged, at, REQUEST, message);
    }
    let holder = |it: &Parameter<'a>| content(it).map_or_else(|| it.place.clone(), |(_, media)| media);
    let mut pair = Pair::new(&holder(one), &holder(other), "schema", Way::Request);
    pair.optional = (!one.required(), !other.required());
    context.queue.push(pair);
}

/// Returns how a parameter is written into the request: style, whether it explodes, whether reserved characters are kept.
fn written<'a>(parameter: &Parameter<'a>) -> (&'a str, bool, bool) {
    let usual = if matches!(parameter.location, "query" | "cookie") { "form" } else { "simple" };
    let style = parameter.place.text("style").unwrap_or(usual);
    let explode = parameter.place.value.get("explode").and_then(serde_json::Value::as_bool);
    (style, explode.unwrap_or(style == "form"), parameter.place.flag("allowReserved"))
}

/// Returns the media type of a parameter that declares one.
fn content<'a>(parameter: &Parameter<'a>) -> Option<(&'a str, Place<'a>)> {
    parameter.place.get("content")?.members().next()
}
