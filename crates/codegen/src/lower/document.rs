//! Lowers everything around the schemas.

use serde_json::{Map, Value, json};

use crate::{
    PathItem, Pointer, Report,
    grammar::{self, Node},
    path_item,
    report::Kind,
};

pub(super) fn lower(document: &mut Value, report: &mut Report) {
    let root = Pointer::root();
    drop_empty_members(document, report);
    inline_path_items(document, report);
    drop_mutual_tls(document, report);
    if let Value::Object(members) = document {
        for (key, what) in [
            ("webhooks", "requests that the API sends are no part of a client"),
            ("jsonSchemaDialect", "3.0 has one dialect"),
            ("$self", "3.0 documents do not name themselves"),
        ] {
            if members.shift_remove(key).is_some() {
                report.add(Kind::AnnotationDropped, &root.child(key), what);
            }
        }
        members.insert("openapi".to_owned(), "3.0.3".into());
        members.entry("paths").or_insert_with(|| Value::Object(Map::new()));
    }
    responses(document, report);
    for (place, what) in [
        ("/info/summary", "3.0 has no summary of the API"),
        ("/info/license/identifier", "3.0 names a licence by URL only"),
    ] {
        let place = Pointer::from_text(place);
        if remove(document, &place) {
            report.add(Kind::AnnotationDropped, &place, what);
        }
    }
}

/// Removes members without a value, such as `tags:`, which count as absent.
fn drop_empty_members(document: &mut Value, report: &mut Report) {
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let Value::Object(members) = value else { return };
        if matches!(node, Node::Schema | Node::Paths | Node::Responses | Node::Callback) {
            return;
        }
        if let (Node::Document, Some(Value::Object(info))) = (node, members.get_mut("info")) {
            drop_empty(info, &pointer.child("info"), report);
        }
        drop_empty(members, pointer, report);
    });
}

fn drop_empty(members: &mut Map<String, Value>, pointer: &Pointer, report: &mut Report) {
    members.retain(|key, value| {
        // An example may be null.
        let empty = value.is_null() && key != "example" && !key.starts_with("x-");
        if empty {
            report.add(Kind::AnnotationDropped, &pointer.child(key), format!("`{key}` has no value"));
        }
        !empty
    });
}

/// Adds missing responses and descriptions: in 3.0 every operation has a response, and every response a description.
fn responses(document: &mut Value, report: &mut Report) {
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let Value::Object(members) = value else { return };
        match node {
            Node::Operation => {
                let responses = members.entry("responses").or_insert_with(|| json!({}));
                if let Value::Object(responses) = responses
                    && !responses.keys().any(|status| !status.starts_with("x-"))
                {
                    responses.insert("default".to_owned(), json!({"description": ""}));
                    let note = "no response is declared; any response is let in, its body unread";
                    report.add(Kind::Widened, &pointer.child("responses"), note);
                }
            }
            Node::Response if !members.contains_key("$ref") => {
                members.entry("description").or_insert_with(|| "".into());
            }
            _ => {}
        }
    });
}

/// Replaces references to path items with their targets: 3.0 has no `components.pathItems`.
fn inline_path_items(document: &mut Value, report: &mut Report) {
    let whole = document.clone();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node != Node::PathItem {
            return;
        }
        let Some(target) = path_item::target(&whole, pointer) else { return };
        let item = PathItem::read(&whole, pointer);
        report.add(
            Kind::Combined,
            pointer,
            format!("the path item at {target} stands here, not a reference to it"),
        );
        for hidden in item.hidden() {
            let note =
                format!("it is not part of {pointer}, where `{}` stands beside the reference", hidden.last());
            report.add(Kind::Combined, hidden, note);
        }
        *value = item.to_value();
    });
    let place = Pointer::from_text("/components/pathItems");
    if remove(document, &place) {
        report.add(
            Kind::AnnotationDropped,
            &place,
            "3.0 has no shared path items; each stands where it is used",
        );
    }
}

/// Removes the security scheme `mutualTLS`, which 3.0 does not know: a client certificate is set on the HTTP client.
fn drop_mutual_tls(document: &mut Value, report: &mut Report) {
    let schemes = Pointer::from_text("/components/securitySchemes");
    let Some(Value::Object(members)) = schemes.get_mut(document) else {
        return;
    };
    let names: Vec<String> = members
        .iter()
        .filter(|(_, scheme)| scheme["type"] == "mutualTLS")
        .map(|(name, _)| name.clone())
        .collect();
    for name in &names {
        members.shift_remove(name);
        report.add(
            Kind::Widened,
            &schemes.child(name),
            "3.0 cannot ask for a client certificate; set it on the HTTP client",
        );
    }
    if names.is_empty() {
        return;
    }
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, _| {
        if !matches!(node, Node::Document | Node::Operation) {
            return;
        }
        if let Some(Value::Array(alternatives)) = value.get_mut("security") {
            for alternative in alternatives.iter_mut().filter_map(Value::as_object_mut) {
                alternative.retain(|name, _| !names.contains(name));
            }
        }
    });
}

fn remove(document: &mut Value, place: &Pointer) -> bool {
    let parent = place.parent().unwrap_or_default();
    match parent.get_mut(document) {
        Some(Value::Object(members)) => members.shift_remove(&place.last()).is_some(),
        _ => false,
    }
}
