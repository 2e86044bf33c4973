//! Compares the hosts that requests are sent to.

use serde_json::Value;
use suprsend_codegen::Pointer;

use super::{
    change::{Kind, Level, Side},
    document::{Operation, Place},
    operations::Context,
};

pub(super) fn compare<'a>(context: &mut Context<'_, 'a>, old: &Operation<'a>, new: &Operation<'a>) {
    let (before, at) = servers(&context.documents.old.root(), old);
    let (after, place) = servers(&context.documents.new.root(), new);
    if before.first() != after.first() {
        let name = |all: &[String]| all.first().map_or("none".to_owned(), |url| format!("`{url}`"));
        let message = format!("the first, {}, became {}", name(&before), name(&after));
        context.changes.add(Level::Breaking, Kind::ServerChanged, (Side::New, &place), None, message);
    }
    for (index, url) in before.iter().enumerate().skip(1).filter(|(_, url)| !after.contains(url)) {
        let (at, message) = (at.child(index), format!("`{url}` is gone"));
        context.changes.add(Level::Breaking, Kind::ServerRemoved, (Side::Old, &at), None, message);
    }
    for (index, url) in after.iter().enumerate().skip(1).filter(|(_, url)| !before.contains(url)) {
        let (place, message) = (place.child(index), format!("`{url}` came"));
        context.changes.add(Level::Additive, Kind::ServerAdded, (Side::New, &place), None, message);
    }
}

/// Returns the servers of an operation, each with the defaults of its variables, and their place.
fn servers<'a>(root: &Place<'a>, operation: &Operation<'a>) -> (Vec<String>, Pointer) {
    let own = operation.place.get("servers").or_else(|| operation.shared("servers"));
    let Some(list) = own.or_else(|| root.get("servers")) else {
        return (vec!["/".to_owned()], Pointer::root().child("servers"));
    };
    let urls = list.elements().map(|server| {
        let mut url = server.text("url").unwrap_or("/").to_owned();
        for (name, variable) in server.get("variables").into_iter().flat_map(|all| all.members()) {
            if let Some(Value::String(value)) = variable.value.get("default") {
                url = url.replace(&format!("{{{name}}}"), value);
            }
        }
        url
    });
    (urls.collect(), list.pointer)
}
