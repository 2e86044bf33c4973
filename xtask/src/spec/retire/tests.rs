//! Documents in upstream's manner, made of our own by code: a page an operation, everything inline, no titles, other prose.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::{Map, Value, json};
use suprsend_codegen::{Pointer, Project, Source, is_method};

use super::{
    Evidence, KEPT, Kept, Made, Retired, attempt,
    kept::{contradicts, is_name},
    plan::types,
    retire,
};
use crate::{project, spec::diff};

/// The project's own document and overlays.
fn own() -> Project {
    Project::open(project::root()).unwrap()
}

fn parse(source: &Source) -> Value {
    source.parse().unwrap()
}

/// The document as upstream would describe these operations, beside what it has already.
fn upstream(project: &Project, of: &dyn Fn(&str, &str) -> bool) -> Value {
    let effective = project.correct().unwrap();
    let mut document = parse(project.document());
    let mut components = Map::new();
    for (path, item) in effective["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let known = document["paths"][path].get(method).is_some();
            if known || path.contains('#') || !is_method(method) || !of(method, path) {
                continue;
            }
            let mut inline = Inline { effective: &effective, open: Vec::new(), components: &mut components };
            let mut operation = inline.value(operation);
            operation.as_object_mut().unwrap().shift_remove("description");
            operation["x-mint"] = json!({"content": "A habit."});
            document["paths"][path][method] = operation;
        }
    }
    for (name, schema) in components {
        document["components"]["schemas"][name] = schema;
    }
    document
}

/// Writes out what is referred to, in upstream's manner.
struct Inline<'a> {
    effective: &'a Value,
    open: Vec<Pointer>,
    components: &'a mut Map<String, Value>,
}

impl Inline<'_> {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Object(members) => self.object(members),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            other => other.clone(),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> Value {
        if let Some(target) = members.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference) {
            let name = format!("Upstream{}", target.last());
            if self.open.contains(&target) {
                // A schema within itself stays a component.
                self.components.entry(name.clone()).or_insert(Value::Null);
                return json!({"$ref": format!("#/components/schemas/{name}")});
            }
            self.open.push(target.clone());
            let mut written = self.value(target.get(self.effective).unwrap());
            self.open.pop();
            if self.components.get(&name) == Some(&Value::Null) {
                self.components.insert(name.clone(), written);
                return json!({"$ref": format!("#/components/schemas/{name}")});
            }
            let beside = members.iter().filter(|(key, _)| *key != "$ref");
            let beside: Map<String, Value> =
                beside.map(|(key, value)| (key.clone(), value.clone())).collect();
            if let (Value::Object(written), Value::Object(beside)) = (&mut written, self.object(&beside)) {
                written.extend(beside);
            }
            return written;
        }
        let mut written = Map::new();
        for (key, value) in members {
            let value = match (key.as_str(), value) {
                (key, _) if key.starts_with("x-") => continue,
                ("title", Value::String(_)) => continue,
                ("description", Value::String(_)) => json!("Words of another kind"),
                // Examples are data.
                ("example" | "examples" | "enum" | "required", value) => value.clone(),
                ("type", Value::Array(names)) if names.len() == 2 && names[1] == "null" => {
                    written.insert("nullable".to_owned(), true.into());
                    names[0].clone()
                }
                (_, value) => self.value(value),
            };
            written.insert(key.clone(), value);
        }
        Value::Object(written)
    }
}

fn source(document: &Value) -> Source {
    Source::new("openapi.yaml", yaml_serde::to_string(document).unwrap())
}

/// What the project makes of its own document.
fn before() -> &'static Made {
    static BEFORE: OnceLock<Made> = OnceLock::new();
    BEFORE.get_or_init(|| attempt(own().document(), own().overlays()).unwrap())
}

/// What comes of the project with this document, and the plan's lines.
fn done(project: &Project, document: &Value) -> (Vec<String>, Retired) {
    let retired =
        retire(project, before(), &source(document), None).unwrap_or_else(|problems| panic!("{problems}"));
    (retired.plan.to_string().lines().map(str::to_owned).collect(), retired)
}

/// What an agreeing document leaves as it was, but for prose.
fn unchanged(retired: &Retired) {
    let changes = diff::changes(&before().document, &retired.after.document).unwrap();
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    let (one, other) = (types(&before().rust), types(&retired.after.rust));
    let differing: BTreeSet<_> = one.symmetric_difference(&other).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

fn show(project: &Project, lines: &[String], retired: &Retired) {
    println!("{}", lines.join("\n"));
    if std::env::var("SHOW").is_err() {
        return;
    }
    for source in &retired.overlays {
        let old = project.overlays().iter().find(|old| old.name == source.name).map_or("", |old| &old.text);
        if old != source.text {
            println!(
                "{}",
                similar::TextDiff::from_lines(old, source.text.as_str())
                    .unified_diff()
                    .header(&source.name, "after")
            );
        }
    }
}

const ONE: [(&str, &str); 1] = [("get", "/v1/object/{object_type}/{id}/")];
const FIVE: [(&str, &str); 5] = [
    ("get", "/v1/object/{object_type}/"),
    ("patch", "/v1/object/{object_type}/{id}/"),
    ("get", "/v1/user/{distinct_id}/subscribed_to/object/"),
    ("get", "/v1/tenant/{tenant_id}/preference/"),
    ("post", "/trigger/"),
];

/// Makes upstream's descriptions contradict ours: a parameter, a status, a property and what is required are gone, another property has another
/// type, and there is one that nobody knew.
fn contradict(document: &mut Value) {
    let known = parse(own().document());
    for (path, item) in document["paths"].as_object_mut().unwrap() {
        for (method, operation) in item.as_object_mut().unwrap() {
            if known["paths"][path].get(method).is_some() {
                continue;
            }
            if let Some(Value::Array(parameters)) = operation.get_mut("parameters") {
                parameters.retain(|parameter| parameter["name"] != "limit");
            }
            let responses = operation["responses"].as_object_mut().unwrap();
            if responses.len() > 2 {
                responses.shift_remove("404");
            }
            let success = responses.values_mut().next().unwrap();
            if let Some(schema) = success.pointer_mut("/content/application~1json/schema") {
                differ(schema);
            }
            if let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") {
                differ(schema);
            }
        }
    }
}

fn differ(schema: &mut Value) {
    let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
    if properties.len() > 2 {
        let last = properties.keys().last().unwrap().clone();
        properties.shift_remove(&last);
    }
    if let Some(first) = properties.values_mut().find(|it| it["type"] == "string" && it.get("enum").is_none())
    {
        first["type"] = "integer".into();
    }
    properties.insert("brand_new".to_owned(), json!({"type": "string", "description": "Words"}));
    schema.as_object_mut().unwrap().shift_remove("required");
}

/// What a contradicting document changes for users: nothing that contradicts a description with evidence.
fn only_what_is_not_known_otherwise(project: &Project, lines: &[String], retired: &Retired) {
    let evidence = Evidence::of(project, &before().document).unwrap();
    let pairs = diff::each(&before().document, &retired.after.document).unwrap();
    let base = retired.after.document.clone();
    let kept = Kept::new(&before().document, &base, base.clone());
    for pair in &pairs {
        for change in &pair.changes {
            assert!(!is_name(change), "{change}");
            let known = contradicts(change.kind) && kept.reason(change, &evidence).is_some();
            assert!(!known, "{:?}: {change}", pair.called);
            let told =
                lines.iter().any(|line| line.starts_with(&format!("  {change} (upstream's is taken)")));
            assert!(told, "{change} is not in the plan");
        }
    }
    let gone: Vec<_> = types(&before().rust).difference(&types(&retired.after.rust)).cloned().collect();
    println!("gone: {gone:?}");
    let written = retired.overlays.iter().find(|source| source.name == KEPT).unwrap().parse().unwrap();
    for action in written["actions"].as_array().unwrap() {
        assert!(
            action.get("x-was").is_some()
                || action.get("copy").is_some()
                || action["target"].as_str().unwrap().starts_with("$.."),
            "{action}"
        );
    }
}

#[test]
fn one_page_that_contradicts() {
    let project = own();
    let mut document =
        upstream(&project, &|method, path| ("get", "/v1/object/{object_type}/") == (method, path));
    contradict(&mut document);
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    only_what_is_not_known_otherwise(&project, &lines, &retired);
}

#[test]
fn five_pages_that_contradict() {
    let project = own();
    let mut document = upstream(&project, &|method, path| FIVE.contains(&(method, path)));
    contradict(&mut document);
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    only_what_is_not_known_otherwise(&project, &lines, &retired);
}

#[test]
fn the_whole_hub_that_contradicts() {
    let project = own();
    let mut document = upstream(&project, &|_, _| true);
    contradict(&mut document);
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    only_what_is_not_known_otherwise(&project, &lines, &retired);
}

#[test]
fn one_page_that_agrees() {
    let project = own();
    let document = upstream(&project, &|method, path| ONE.contains(&(method, path)));
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    unchanged(&retired);
}

#[test]
fn five_pages_that_agree() {
    let project = own();
    let document = upstream(&project, &|method, path| FIVE.contains(&(method, path)));
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    unchanged(&retired);
}

#[test]
fn the_whole_hub_that_agrees() {
    let project = own();
    let document = upstream(&project, &|_, _| true);
    let (lines, retired) = done(&project, &document);
    show(&project, &lines, &retired);
    unchanged(&retired);
}
