//! Imports documents in upstream's style, generated from our own: one page per operation, everything inline, no titles, other prose.

use std::{collections::BTreeMap, sync::OnceLock};

use serde_json::{Map, Value, json};
use suprsend_codegen::{Pointer, Project, Source, is_method, resources};

use super::{
    Evidence, KEPT, Kept, Made, Retired, attempt,
    kept::{contradicts, is_name},
    retire,
};
use crate::{project, spec::diff};

/// The project's own document and overlays, except for the management API: none of it is imported here, and generating it takes time.
fn own() -> Project {
    let project = Project::open(project::root()).unwrap();
    let is_of_the_hub = |source: &&Source| source.name.as_str() < "overlays/40-";
    Project::from_sources(
        project.document().clone(),
        project.overlays().iter().filter(is_of_the_hub).cloned().collect(),
    )
}

fn parse(source: &Source) -> Value {
    source.parse().unwrap()
}

/// Returns the document as upstream would describe these operations, in addition to its existing content.
fn upstream(project: &Project, of: &dyn Fn(&str, &str) -> bool) -> Value {
    let effective = project.correct().unwrap();
    let mut document = parse(project.document());
    let mut components = Map::new();
    for (path, item) in effective["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let known = document["paths"][path].get(method).is_some();
            // The management API has its own host.
            let elsewhere = operation.get("servers").or(item.get("servers")).is_some();
            if known || elsewhere || path.contains('#') || !is_method(method) || !of(method, path) {
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

/// Expands references, as upstream does.
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
                // A recursive schema stays a component.
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

/// Returns what the project generates from its own document.
fn before() -> &'static Made {
    static BEFORE: OnceLock<Made> = OnceLock::new();
    BEFORE.get_or_init(|| attempt(own().document(), own().overlays()).unwrap())
}

/// Imports this document into the project, and returns the plan's lines and the result.
fn done(project: &Project, document: &Value) -> (Vec<String>, Retired) {
    let retired =
        retire(project, before(), &source(document), None).unwrap_or_else(|problems| panic!("{problems}"));
    (retired.plan.to_string().lines().map(str::to_owned).collect(), retired)
}

/// Checks that a document that agrees changes nothing but prose.
fn unchanged(lines: &[String], retired: &Retired) {
    let changes = diff::changes_of_made(before(), &retired.after).unwrap();
    let found: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let differing: Vec<_> =
        lines.iter().filter(|line| line.contains(": different") || line.contains(": new")).collect();
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(lines.contains(&"users: version: none, before 1.0 none".to_owned()), "{lines:#?}");
    let (one, other) = (code(&before().rust), code(&retired.after.rust));
    let differing: Vec<_> = one.iter().filter(|(line, count)| other.get(*line) != Some(count)).collect();
    assert!(differing.is_empty() && one.len() == other.len(), "{differing:#?}");
}

/// Returns the lines of generated code that start a public item, each with its number of occurrences.
fn code(rust: &str) -> BTreeMap<&str, usize> {
    let mut lines = BTreeMap::new();
    for line in rust.lines().map(str::trim).filter(|line| line.starts_with("pub ")) {
        *lines.entry(line).or_default() += 1;
    }
    lines
}

/// Checks that overlays only lose lines. Comments are kept, and only an action's statement about the previous value may be written
/// differently.
fn only_cut(project: &Project, retired: &Retired) {
    for old in project.overlays() {
        let new = retired.overlays.iter().find(|new| new.name == old.name);
        let Some(new) = new else { continue };
        let stated = ["x-was: ", "parameters: ", "responses: ", "- $ref: ", "schema: {$ref: ", "$ref: "];
        let comment =
            |line: &&str| line.trim_start().starts_with('#') && line.len() - line.trim_start().len() <= 2;
        let comments = |text: &'_ str| text.lines().filter(comment).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(comments(&new.text), comments(&old.text), "{}", old.name);
        let mut rest = old.text.lines();
        for line in new.text.lines() {
            let begins = |begin: &&str| line.trim_start().starts_with(*begin);
            let found = rest.clone().any(|other| other == line);
            assert!(found || stated.iter().any(begins), "{}: {line}", old.name);
            if found {
                rest.find(|other| *other == line);
            }
        }
    }
}

/// Makes upstream's descriptions contradict ours: a parameter, a status, a property and required members are removed, another property has
/// another type, and there is an unknown one.
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
        let last = properties.keys().next_back().unwrap().clone();
        properties.shift_remove(&last);
    }
    if let Some(first) = properties.values_mut().find(|it| it["type"] == "string" && it.get("enum").is_none())
    {
        first["type"] = "integer".into();
    }
    properties.insert("brand_new".to_owned(), json!({"type": "string", "description": "Words"}));
    schema.as_object_mut().unwrap().shift_remove("required");
}

/// Checks what a contradicting document changes for users: nothing that contradicts a description with evidence. The plan contains all of
/// it.
fn only_what_is_not_known_otherwise(project: &Project, lines: &[String], retired: &Retired) {
    let evidence = Evidence::new(project, &before().document).unwrap();
    let pairs = diff::each(&before().document, &retired.after.document).unwrap();
    let base = retired.after.document.clone();
    let kept = Kept::new(&before().document, &base, base.clone());
    let mut taken = 0;
    let changes = pairs
        .iter()
        .flat_map(|pair| pair.changes.iter().map(move |change| (pair.old.as_ref().unwrap(), change)));
    for (operation, change) in changes {
        assert!(!is_name(change), "{change}");
        let known = contradicts(change.kind) && kept.reason(operation, change, &evidence).is_some();
        assert!(!known, "{change}");
        let line = format!("  {change} (upstream's is taken)");
        assert!(lines.contains(&line), "not in the plan: {line}");
        taken += 1;
    }
    assert!(taken > 0);
    assert!(lines.iter().any(|line| line.ends_with(" (a correction keeps ours)")), "{lines:#?}");
    for action in corrections(retired) {
        let follows = action.get("copy").is_some() || action["target"].as_str().unwrap().starts_with("$..");
        assert!(action.get("x-was").is_some() || follows, "{action}");
    }
}

fn corrections(retired: &Retired) -> Vec<Value> {
    let kept = retired.overlays.iter().find(|source| source.name == KEPT).unwrap();
    kept.parse().unwrap()["actions"].as_array().unwrap().clone()
}

const ONE: [(&str, &str); 1] = [("get", "/v1/object/{object_type}/")];
const FIVE: [(&str, &str); 5] = [
    ("get", "/v1/object/{object_type}/"),
    ("patch", "/v1/object/{object_type}/{id}/"),
    ("get", "/v1/user/{distinct_id}/subscribed_to/object/"),
    ("get", "/v1/tenant/{tenant_id}/preference/"),
    ("post", "/trigger/"),
];

fn agreeing(of: &dyn Fn(&str, &str) -> bool) -> (Vec<String>, Retired) {
    let project = own();
    let (lines, retired) = done(&project, &upstream(&project, of));
    unchanged(&lines, &retired);
    only_cut(&project, &retired);
    (lines, retired)
}

fn contradicting(of: &dyn Fn(&str, &str) -> bool) -> (Vec<String>, Retired) {
    let project = own();
    let mut document = upstream(&project, of);
    contradict(&mut document);
    let (lines, retired) = done(&project, &document);
    only_what_is_not_known_otherwise(&project, &lines, &retired);
    only_cut(&project, &retired);
    (lines, retired)
}

#[test]
fn one_page_that_agrees() {
    let (lines, retired) = agreeing(&|method, path| ONE.contains(&(method, path)));
    assert_eq!(lines[1], "GET /v1/object/{object_type}/: the same as that of overlays/34-objects.yaml");
    assert_eq!(
        lines[2],
        "  overlays/34-objects.yaml:196: action 3 ($.paths): an addition that gives way: \
         /paths/~1v1~1object~1{object_type}~1/get"
    );
    let objects = retired.overlays.iter().find(|source| source.name == "overlays/34-objects.yaml").unwrap();
    assert!(!objects.text.contains("operationId: list-objects-by-type"));
}

#[test]
fn one_page_that_contradicts() {
    let (lines, retired) = contradicting(&|method, path| ONE.contains(&(method, path)));
    let schema = "/paths/~1v1~1object~1{object_type}~1/get/responses/200/content/application~1json/schema";
    assert_eq!(
        lines[1..6],
        [
            "GET /v1/object/{object_type}/: different from that of overlays/34-objects.yaml".to_owned(),
            "  breaking parameter-removed: old /components/parameters/Limit in requests: `limit` in query is gone (a correction keeps ours)"
                .to_owned(),
            format!("  breaking property-became-optional: {schema}/properties/meta in responses: `meta` may be left out; in Rust an `Option` (a correction keeps ours)"),
            format!("  breaking property-became-optional: {schema}/properties/results in responses: `results` may be left out; in Rust an `Option` (a correction keeps ours)"),
            format!("  additive property-added: {schema}/properties/brand_new in responses: `brand_new` came (upstream's is taken)"),
        ]
    );
    assert_eq!(lines.last().unwrap(), "users: version: minor, before 1.0 patch");
    let corrections = corrections(&retired);
    let limit = json!([{"$ref": "#/components/parameters/Limit"}]);
    let action = corrections.iter().find(|action| action["update"]["parameters"] == limit).unwrap();
    assert_eq!(action["target"], "$.paths['/v1/object/{object_type}/'].get");
    assert_eq!(action["x-source"], "document");
    assert!(action["x-was"]["parameters"].is_array(), "{action}");
    let reason = action["description"].as_str().unwrap();
    assert!(
        reason.contains("the official SDKs send these three. (Carried over from overlays/34-objects.yaml"),
        "{reason}"
    );
}

/// With the table of resources, and everything that it names.
#[test]
fn the_methods_of_the_sdk_stay() {
    let project = Project::open(project::root()).unwrap();
    let before = attempt(project.document(), project.overlays()).unwrap();
    let document = upstream(&project, &|method, path| ONE.contains(&(method, path)));
    let retired = retire(&project, &before, &source(&document), None).unwrap();
    let [old, new] = [&before, &retired.after]
        .map(|made| resources(&made.document, &made.rust, &BTreeMap::new()).unwrap());
    assert!(code(&old).len() > 100 && code(&old) == code(&new));
}

/// Upstream states another value at one of two targets.
#[test]
fn an_action_keeps_the_targets_where_it_applies() {
    const NAME: &str = "overlays/12-multi.yaml";
    let overlay = |target: &str| {
        format!(
            "overlay: 1.1.0\ninfo: {{title: A correction of two places, version: 1.0.0}}\nactions:\n  \
             - target: {target}\n    description: The documentation says so.\n    \
             x-was: {{type: array, deprecated: null}}\n    update: {{deprecated: true}}\n"
        )
    };
    let target = "$.paths['/v1/user/{distinct_id}/'].post.requestBody.content['application/json'].schema.properties['$sms', '$whatsapp']";
    let written = format!("'{}'", target.replace("'$sms', ", "").replace('\'', "''"));
    let mut overlays = own().overlays().to_vec();
    overlays.insert(1, Source::new(NAME, overlay(target)));
    let project = Project::from_sources(own().document().clone(), overlays);
    let before = attempt(project.document(), project.overlays()).unwrap();
    let place =
        "/paths/~1v1~1user~1{distinct_id}~1/post/requestBody/content/application~1json/schema/properties";
    let retire_with = |stated: bool| {
        let mut document = parse(project.document());
        document.pointer_mut(place).unwrap()["$sms"]["deprecated"] = stated.into();
        retire(&project, &before, &source(&document), None).unwrap()
    };
    for (stated, fate) in [
        (false, "a correction of what upstream says in another way now, goes"),
        (true, "a correction that upstream has made, goes"),
    ] {
        let retired = retire_with(stated);
        let properties = retired.after.document.pointer(place).unwrap();
        assert_eq!(
            (&properties["$sms"]["deprecated"], &properties["$whatsapp"]["deprecated"]),
            (&json!(stated), &json!(true))
        );
        let left = retired.overlays.iter().find(|source| source.name == NAME).unwrap();
        assert_eq!(left.text, overlay(&written));
        let plan = retired.plan.to_string();
        let line = plan.lines().find(|line| line.contains(NAME)).unwrap();
        assert!(line.ends_with(&format!("{fate}: {place}/$sms")), "{line}");
    }
}

#[test]
fn five_pages_that_agree() {
    let (lines, _) = agreeing(&|method, path| FIVE.contains(&(method, path)));
    assert_eq!(lines.iter().filter(|line| line.contains(": the same as that of overlays/")).count(), 5);
}

#[test]
fn five_pages_that_contradict() {
    let (lines, _) = contradicting(&|method, path| FIVE.contains(&(method, path)));
    assert_eq!(lines.iter().filter(|line| line.contains(": different from that of overlays/")).count(), 5);
}

#[test]
fn the_whole_hub_that_agrees() {
    let (lines, retired) = agreeing(&|_, _| true);
    assert!(lines.iter().filter(|line| line.contains(": the same as that of overlays/")).count() > 70);
    // An operation that upstream cannot describe, because it shares its path with another, is kept.
    assert!(retired.overlays.iter().any(|source| source.text.contains("/trigger/#many")));
}

#[test]
fn the_whole_hub_that_contradicts() {
    let (lines, _) = contradicting(&|_, _| true);
    assert!(lines.iter().filter(|line| line.contains(": different from that of overlays/")).count() > 60);
}
