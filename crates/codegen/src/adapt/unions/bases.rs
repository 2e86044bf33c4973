//! Turns bases into unions: a base with a `discriminator` stands for itself and for every component that extends it by `allOf`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::{
    Pointer, Report,
    grammar::{self, Node},
    names::{self, Names, type_name},
    report::Kind,
};

/// Next to the `mapping`: the name of the component that is the base itself.
pub(super) const BASE: &str = "x-base";

/// Makes a union of every base that something refers to: the components that extend it, and the base itself under another name, which they
/// continue to extend.
pub(in crate::adapt) fn bases(document: &mut Value, report: &mut Report) {
    let bases = found(document, report);
    if bases.is_empty() {
        return;
    }
    let mut names = Names::from_components(document);
    let plain: BTreeMap<String, String> = bases
        .keys()
        .map(|name| (reference(name), reference(&names.take(&format!("{}Base", type_name(name))))))
        .collect();
    let extending: BTreeSet<Pointer> = extensions(document).into_iter().map(|(_, place)| place).collect();
    grammar::rewrite(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema
            && extending.contains(pointer)
            && let Some(Value::String(target)) = value.get_mut("$ref")
            && let Some(plain) = plain.get(target)
        {
            target.clone_from(plain);
        }
    });
    let place = Pointer::from_text("/components/schemas");
    let schemas = names::components(document);
    for (name, children) in bases {
        let Some(Value::Object(base)) = schemas.get_mut(&name) else { continue };
        let discriminator = base.shift_remove("discriminator").unwrap_or_default();
        let mut union = Map::new();
        for keyword in ["description", "title", "x-sensitive"] {
            union.extend(base.get(keyword).map(|value| (keyword.to_owned(), value.clone())));
        }
        base.shift_remove("title");
        let own = &plain[&reference(&name)];
        let target =
            |child: &String| plain.get(&reference(child)).cloned().unwrap_or_else(|| reference(child));
        let mut alternatives: Vec<Value> =
            children.iter().map(|child| json!({"$ref": target(child)})).collect();
        alternatives.push(json!({"$ref": own}));
        union.insert("oneOf".to_owned(), alternatives.into());
        union.insert("discriminator".to_owned(), tags(&discriminator, &children, own, target));
        report.add(
            Kind::Combined,
            &place.child(&name),
            "it stands for the components that extend it as well",
        );
        let own = own.rsplit('/').next().unwrap_or_default().to_owned();
        let base = schemas.insert(name.clone(), Value::Object(union)).unwrap_or_default();
        report.moved(&place.child(&name), &own);
        schemas.insert(own, base);
    }
}

fn reference(name: &str) -> String {
    format!("#{}", Pointer::from_text("/components/schemas").child(name).as_str())
}

/// Returns the discriminator of the union. Every component that extends the base has a tag, which is its name unless the document declares
/// another.
fn tags(discriminator: &Value, children: &[String], base: &str, target: impl Fn(&String) -> String) -> Value {
    let mut mapping = Map::new();
    for (tag, to) in discriminator["mapping"].as_object().into_iter().flatten() {
        let to = to.as_str().unwrap_or_default();
        if let Some(child) = children.iter().find(|child| is_target(to, child)) {
            mapping.insert(tag.clone(), target(child).into());
        }
    }
    for child in children {
        if !mapping.values().any(|to| *to == *target(child)) {
            mapping.insert(child.clone(), target(child).into());
        }
    }
    json!({"propertyName": discriminator["propertyName"], "mapping": mapping, BASE: base.rsplit('/').next()})
}

/// Returns whether a value of `mapping` names a component, either by a reference or by its name.
pub(super) fn is_target(value: &str, name: &str) -> bool {
    value == name || value == reference(name)
}

/// Returns the bases that something refers to, each with the components that extend it. If there are no references, removes the
/// discriminator.
fn found(document: &mut Value, report: &mut Report) -> BTreeMap<String, Vec<String>> {
    let extensions = extensions(document);
    let extending: BTreeSet<&Pointer> = extensions.iter().map(|(_, place)| place).collect();
    let mut used = BTreeSet::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if let (Node::Schema, Some(target)) = (node, value.get("$ref").and_then(Value::as_str))
            && !extending.contains(pointer)
        {
            used.insert(target.to_owned());
        }
    });
    let mut bases = BTreeMap::new();
    let components = Pointer::from_text("/components/schemas");
    let schemas = names::components(document);
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in &names {
        let Some(Value::Object(schema)) = schemas.get_mut(name) else { continue };
        if !schema.contains_key("discriminator")
            || schema.contains_key("oneOf")
            || schema.contains_key("anyOf")
        {
            continue;
        }
        let children = children(&components.child(name), &extensions);
        if !children.is_empty() && used.contains(&reference(name)) {
            bases.insert(name.clone(), children);
        } else {
            schema.shift_remove("discriminator");
            let note = if children.is_empty() {
                "no component extends the schema, so there is nothing to tell apart"
            } else {
                "nothing but the components that extend the schema refers to it"
            };
            report.add(Kind::AnnotationDropped, &components.child(name).child("discriminator"), note);
        }
    }
    bases
}

/// Returns the components that extend the one at the place, directly or through others, in the order of the document.
fn children(place: &Pointer, extensions: &[(Pointer, Pointer)]) -> Vec<String> {
    let components = Pointer::from_text("/components/schemas");
    let mut found: Vec<String> = Vec::new();
    let mut open = vec![place.clone()];
    while let Some(target) = open.pop() {
        for (_, part) in extensions.iter().filter(|(extended, _)| *extended == target) {
            let Some(owner) = part.parent().and_then(|list| list.parent()) else { continue };
            let name = owner.last();
            if owner.parent().as_ref() == Some(&components) && owner != *place && !found.contains(&name) {
                found.push(name);
                open.push(owner);
            }
        }
    }
    found
}

/// Returns the parts of an `allOf` that refer to an extended component, each with that component. A reference with only a description next
/// to it does not count.
fn extensions(document: &Value) -> Vec<(Pointer, Pointer)> {
    let components = Pointer::from_text("/components/schemas");
    let mut found = Vec::new();
    grammar::walk(document, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        let (Node::Schema, Some(Value::Array(parts))) = (node, value.get("allOf")) else { return };
        let others = ["additionalProperties", "anyOf", "oneOf", "properties", "required"];
        let is_component = pointer.parent().as_ref() == Some(&components);
        if !is_component && parts.len() < 2 && !others.iter().any(|keyword| value.get(*keyword).is_some()) {
            return;
        }
        for (index, part) in parts.iter().enumerate() {
            if let Some(target) = part.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference) {
                found.push((target, pointer.child("allOf").child(index)));
            }
        }
    });
    found
}
