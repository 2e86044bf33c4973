//! Imports documents into copies of the project.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use suprsend_codegen::Source;
use tempfile::TempDir;

use super::{How, Imported, import};
use crate::project;

const PAGE: &str = include_str!("../../../tests/fixtures/create-update-users.md");
const CHECK: How = How { check: true, add: false, retire: false };
const RETIRE: How = How { check: false, add: false, retire: true };

/// A copy of the project's document and overlays, and files to import.
struct Copy {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Copy {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::copy(project::root().join("openapi.yaml"), folder.path().join("openapi.yaml")).unwrap();
        fs::create_dir(folder.path().join("overlays")).unwrap();
        for entry in fs::read_dir(project::root().join("overlays")).unwrap() {
            let entry = entry.unwrap();
            // These tests import users, and generating everything else takes time. The table names every operation.
            if entry.file_name() > *"30-" {
                continue;
            }
            fs::copy(entry.path(), folder.path().join("overlays").join(entry.file_name())).unwrap();
        }
        Self { folder, files: Vec::new() }
    }

    fn with(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let file = self.folder.path().join(name);
        fs::write(&file, text).unwrap();
        self.files.push(file);
        self
    }

    fn document(&self) -> String {
        fs::read_to_string(self.folder.path().join("openapi.yaml")).unwrap()
    }

    /// Returns the overlays by name.
    fn overlays(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.folder.path().join("overlays")).unwrap();
        let read = |entry: std::io::Result<fs::DirEntry>| {
            let entry = entry.unwrap();
            let name = format!("overlays/{}", entry.file_name().to_string_lossy());
            (name, fs::read_to_string(entry.path()).unwrap())
        };
        entries.map(read).collect()
    }

    fn import(&self) -> Imported {
        import(self.folder.path(), &self.files, How::default()).unwrap().unwrap()
    }

    /// Returns the problems of an import, which must have left everything unchanged.
    fn refused(&self) -> String {
        let problems =
            import(self.folder.path(), &self.files, How::default()).unwrap().unwrap_err().to_string();
        assert_eq!(self.document(), bundled(), "a refused import left its mark");
        assert_eq!(self.names(), self.expected_names());
        // The folder has a different name in every run.
        problems.replace(&format!("{}/", self.folder.path().display()), "")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn expected_names(&self) -> Vec<String> {
        let file = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut names: Vec<_> = self.files.iter().map(file).collect();
        names.extend(["openapi.yaml".to_owned(), "overlays".to_owned()]);
        names.sort();
        names
    }
}

fn bundled() -> String {
    fs::read_to_string(project::root().join("openapi.yaml")).unwrap()
}

/// Returns an upstream page about an operation that the bundled document does not contain.
fn page(method: &str, path: &str, id: &str, components: Value) -> Value {
    let mut document = parse(&bundled());
    let parameters = if path.contains("{distinct_id}") {
        json!([{"name": "distinct_id", "in": "path", "required": true, "schema": {"type": "string"}}])
    } else {
        json!([])
    };
    let operation = json!({
        "operationId": id,
        "parameters": parameters,
        "responses": {"200": {"description": "Done", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Done"}}}}},
    });
    document["paths"] = json!({path: {method: operation}});
    document["components"]["schemas"] =
        json!({"Done": {"type": "object", "properties": {"done": {"type": "boolean"}}}});
    if let (Value::Object(ours), Value::Object(more)) = (&mut document["components"], components) {
        ours.extend(more);
    }
    document
}

/// Returns a documentation page that quotes a document.
fn quoting(method: &str, path: &str, document: &Value) -> String {
    format!(
        "# A page\n\n````yaml {} {path}\n{}````\n",
        method.to_uppercase(),
        yaml_serde::to_string(document).unwrap()
    )
}

fn parse(text: &str) -> Value {
    Source::new("document", text).parse().unwrap()
}

#[test]
fn the_page_of_upstream_is_the_bundled_document_byte_for_byte() {
    let copy = Copy::new().with("page.md", PAGE);
    let imported = copy.import();
    assert_eq!(imported.text, bundled());
    assert!(!imported.changed);
    assert_eq!(copy.names(), copy.expected_names());
}

#[test]
fn one_document_is_kept_byte_for_byte() {
    let text = format!("# A comment, and no newline at the end\n{}", bundled().trim_end()).replacen(
        "summary: Create / Update Users",
        "summary:   'Create / Update Users'",
        1,
    );
    for name in ["new.yaml", "new.yml"] {
        let copy = Copy::new().with(name, &text);
        assert!(copy.import().changed);
        assert_eq!(copy.document(), text);
        assert_eq!(copy.names(), copy.expected_names());
    }
    let json = format!("{:#}", parse(&bundled()));
    let copy = Copy::new().with("new.json", &json);
    copy.import();
    assert_eq!(copy.document(), json);
}

#[cfg(unix)]
#[test]
fn who_may_read_the_document_may_read_the_new_one() {
    use std::os::unix::fs::PermissionsExt;

    let copy = Copy::new().with("new.yaml", format!("# New\n{}", bundled()));
    let path = copy.folder.path().join("openapi.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    copy.import();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o664);
}

#[test]
fn a_check_writes_nothing() {
    let text = format!("# New\n{}", bundled());
    let copy = Copy::new().with("new.yaml", &text);
    let imported = import(copy.folder.path(), &copy.files, CHECK).unwrap().unwrap();
    assert!(imported.changed);
    assert_eq!(imported.text, text);
    assert_eq!(copy.document(), bundled());
}

#[test]
fn pages_become_one_document() {
    let put = page("put", "/v1/user/{distinct_id}/", "replace-user", json!({}));
    let event = page(
        "post",
        "/v1/event/",
        "track",
        json!({"schemas": {"Tracked": {"type": "string"}, "Done": put["components"]["schemas"]["Done"]}}),
    );
    let mut lists = page(
        "get",
        "/v1/list/",
        "lists",
        json!({"parameters": {"Page": {"name": "page", "in": "query", "schema": {"type": "integer"}}}}),
    );
    lists["tags"] = json!([{"name": "lists"}]);
    let copy = Copy::new()
        .with("create-update-users.md", PAGE)
        .with("replace.md", quoting("put", "/v1/user/{distinct_id}/", &put))
        .with("track.json", event.to_string())
        // The same page again contradicts nothing.
        .with("again.md", quoting("put", "/v1/user/{distinct_id}/", &put))
        .with("lists.yaml", yaml_serde::to_string(&lists).unwrap());
    assert!(copy.import().changed);
    let document = parse(&copy.document());
    let mut expected = parse(&bundled());
    expected["paths"]["/v1/user/{distinct_id}/"]["put"] =
        put["paths"]["/v1/user/{distinct_id}/"]["put"].clone();
    expected["components"]["schemas"] = event["components"]["schemas"].clone();
    expected["components"]["parameters"] = lists["components"]["parameters"].clone();
    expected["paths"]["/v1/event/"] = event["paths"]["/v1/event/"].clone();
    expected["paths"]["/v1/list/"] = lists["paths"]["/v1/list/"].clone();
    expected["tags"] = lists["tags"].clone();
    assert_eq!(document, expected);
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/v1/user/{distinct_id}/", "/v1/event/", "/v1/list/"], "the order of the files");
}

#[test]
fn what_the_document_has_no_longer_is_named() {
    let two = page("put", "/v1/user/{distinct_id}/", "replace-user", json!({}));
    let before = Copy::new().with("page.md", PAGE).with("two.json", two.to_string());
    assert_eq!(before.import().gone, Vec::<String>::new());
    let after = import(before.folder.path(), &before.files[..1], CHECK).unwrap().unwrap();
    assert_eq!(after.gone, ["PUT /v1/user/{distinct_id}/, in Rust `replace_user`"]);
}

#[test]
fn an_operation_keeps_servers_of_its_own() {
    let mut elsewhere = page("get", "/v1/elsewhere/", "elsewhere", json!({}));
    let servers = json!([{"url": "https://management.example"}]);
    elsewhere["paths"]["/v1/elsewhere/"]["get"]["servers"] = servers.clone();
    let copy = Copy::new().with("a.md", PAGE).with("b.md", quoting("get", "/v1/elsewhere/", &elsewhere));
    copy.import();
    assert_eq!(parse(&copy.document())["paths"]["/v1/elsewhere/"]["get"]["servers"], servers);
}

#[test]
fn every_contradiction_names_its_place_and_both_files() {
    let one = page("get", "/v1/one/", "one", json!({}));
    let mut two = page("get", "/v1/two/", "two", json!({}));
    two["info"]["version"] = json!("1.2.3");
    two["servers"][0]["url"] = json!("https://other.example");
    two["components"]["schemas"]["Done"]["properties"]["done"]["type"] = json!("string");
    two["components"]["securitySchemes"]["BearerAuth"]["extra"] = json!("x".repeat(100));
    two.as_object_mut().unwrap().shift_remove("security");
    let mut again = two.clone();
    again["info"] = one["info"].clone();
    again["servers"] = one["servers"].clone();
    again["security"] = one["security"].clone();
    again["components"] = one["components"].clone();
    again["paths"]["/v1/two/"]["get"]["operationId"] = json!("other");
    again["paths"]["/v1/two/"]["parameters"] = json!([]);
    let copy = Copy::new()
        .with("page.md", PAGE)
        .with("one.json", one.to_string())
        .with("two.json", two.to_string())
        .with("again.json", again.to_string());
    let remedy = "download both again, so that they are of one version";
    let long = "x".repeat(59);
    assert_eq!(
        copy.refused().lines().collect::<Vec<_>>(),
        [
            format!(
                "/security: page.md has `[{{\"sec0\":[]}},{{\"BearerAuth\":[]}}]`, two.json has nothing; {remedy}"
            ),
            format!("/info/version: page.md has `\"1.2.2\"`, two.json has `\"1.2.3\"`; {remedy}"),
            format!(
                "/servers/0/url: page.md has `\"https://hub.suprsend.com\"`, two.json has `\"https://other.example\"`; {remedy}"
            ),
            format!(
                "/components/securitySchemes/BearerAuth/extra: page.md has nothing, two.json has `\"{long}…`; {remedy}"
            ),
            format!(
                "/components/schemas/Done/properties/done/type: one.json has `\"boolean\"`, two.json has `\"string\"`; {remedy}"
            ),
            format!(
                "/paths/~1v1~1two~1/get/operationId: two.json has `\"two\"`, again.json has `\"other\"`; {remedy}"
            ),
            format!("/paths/~1v1~1two~1/parameters: two.json has nothing, again.json has `[]`; {remedy}"),
        ]
    );
}

#[test]
fn one_path_under_two_names_is_a_contradiction() {
    let one = page("get", "/v1/{a}/one/{b}/", "one", json!({}));
    let two = page("get", "/v1/{c}/one/{b}/", "two", json!({}));
    // Another method of the same path is another operation.
    let three = page("put", "/v1/{c}/one/{d}/", "three", json!({}));
    let copy = Copy::new()
        .with("one.json", one.to_string())
        .with("two.json", two.to_string())
        .with("three.json", three.to_string());
    assert_eq!(
        copy.refused(),
        "/paths/~1v1~1{c}~1one~1{b}~1/get: two.json has what one.json calls `/v1/{a}/one/{b}/`, the names of parameters \
         aside; download both again, so that they are of one version"
    );
}

#[test]
fn whatever_comes_after_refuses_for_the_document() {
    let edited = |old: &str, new: &str| {
        let text = bundled().replacen(old, new, 1);
        assert_ne!(text, bundled());
        Copy::new().with("new.yaml", text).refused()
    };
    // The target of the overlays does not exist at all.
    let error = edited("  /v1/user/{distinct_id}/:", "  /v1/person/{distinct_id}/:");
    assert!(error.contains("overlays/10-corrections.yaml:11: action 1 ("), "{error}");
    assert!(error.contains("the target matches nothing"), "{error}");
    // Lint fails.
    let trace = "    trace: {operationId: trace, responses: {'204': {description: Traced}}}\n    post:";
    assert!(edited("    post:", trace).contains("/trace: "));
    // Parsing fails.
    assert!(edited("paths:", "paths: [").contains(": not readable as YAML or JSON: "));
    assert!(edited("openapi: 3.1.1", "openapi: 3.1.1\nopenapi: 3.1.1").contains("stands twice"));
}

/// The words with which a plan names the first correction of a target.
fn spot(target: &str) -> String {
    let file = "overlays/10-corrections.yaml";
    let overlays = Copy::new().overlays();
    let lines = overlays[file].lines().enumerate().filter(|(_, line)| line.starts_with("  - target: "));
    let mut actions = lines.enumerate().map(|(action, (line, text))| (action + 1, line + 1, text));
    let (action, line, _) = actions.find(|(.., text)| text.ends_with(&format!(": {target}"))).unwrap();
    format!("  {file}:{line}: action {action} ({target})")
}

#[test]
fn what_the_overlays_have_otherwise_waits_with_a_plan() {
    let text = bundled().replacen("description: channel value", "title: Value", 1);
    let copy = Copy::new().with("new.yaml", &text);
    let waiting = copy.import();
    assert!(waiting.waits);
    assert_eq!(copy.document(), bundled());
    assert_eq!(copy.overlays(), Copy::new().overlays());
    let plan = waiting.plan.unwrap().to_string();
    let line = spot("$.components.schemas.ChannelEntry.properties.value")
        + ": an addition that gives way: /components/schemas/ChannelEntry/properties/value/title\n";
    assert!(plan.contains(&line), "{plan}");
    let check = import(copy.folder.path(), &copy.files, How { retire: true, ..CHECK }).unwrap().unwrap();
    assert!(!check.waits && copy.overlays() == Copy::new().overlays(), "a check writes nothing");
    let done = import(copy.folder.path(), &copy.files, RETIRE).unwrap().unwrap();
    assert_eq!(copy.document(), text);
    assert_eq!(done.overlays.len(), 2);
    let (before, after) = (Copy::new().overlays(), copy.overlays());
    assert_eq!(after.len(), before.len() + 1);
    let corrections = "overlays/10-corrections.yaml";
    let expected = before[corrections].replacen(
        "    x-was: {type: null, title: null}\n    update:\n      title: ChannelValue\n",
        "    x-was: {type: null}\n    update:\n",
        1,
    );
    assert_eq!(after[corrections], expected);
    let kept = parse(&after["overlays/80-kept.yaml"]);
    let action = json!({
        "target": "$.components.schemas.ChannelEntry.properties.value",
        "description": "Name of the type in Rust, which upstream's description does not have.",
        "x-was": {"title": "Value"},
        "update": {"title": "ChannelValue"},
    });
    assert_eq!(kept["actions"], json!([action]));
    // It is the project's own document now.
    let again = import(copy.folder.path(), &copy.files, How::default()).unwrap().unwrap();
    assert!(!again.changed && again.plan.is_none());
}

#[test]
fn a_correction_that_upstream_makes_goes() {
    let text = bundled();
    let start = text.find("additionalProperties:\n").unwrap();
    let text = text[..start].to_owned() + &text[start..].replacen("type: string", "nullable: true", 1);
    let copy = Copy::new().with("new.yaml", &text);
    let done = import(copy.folder.path(), &copy.files, RETIRE).unwrap().unwrap();
    let plan = done.plan.unwrap().to_string();
    let line = spot(
        "$.paths['/v1/user/{distinct_id}/'].post.requestBody.content['application/json'].schema.additionalProperties.type",
    ) + ": a correction that upstream has made, goes: /paths/~1v1~1user~1{distinct_id}~1/post/requestBody/";
    assert!(plan.contains(&line), "{plan}");
    let (before, after) = (Copy::new().overlays(), copy.overlays());
    let old = &before["overlays/10-corrections.yaml"];
    let (from, to) = (old.find("  - target: $.paths['/v1/user/{distinct_id}/'].post.requestBody.content['application/json'].schema.additionalProperties.type").unwrap(), old.find("  - target: $.paths['/v1/user/{distinct_id}/'].post.requestBody.content['application/json'].example['$ms_teams'][0]").unwrap());
    assert_eq!(after["overlays/10-corrections.yaml"], format!("{}{}", &old[..from], &old[to..]));
}

#[test]
fn a_page_is_added_beside_what_is_there() {
    let add = How { add: true, ..How::default() };
    let event = page("post", "/v1/event/", "track", json!({}));
    let copy = Copy::new().with("track.md", quoting("post", "/v1/event/", &event));
    let added = import(copy.folder.path(), &copy.files, add).unwrap().unwrap();
    assert!(added.changed && added.gone.is_empty());
    let (old, new) = (bundled(), copy.document());
    // Existing text keeps its notation.
    let lines = similar::TextDiff::from_lines(old.as_str(), new.as_str());
    assert!(lines.iter_all_changes().all(|change| change.tag() != similar::ChangeTag::Delete), "{new}");
    let mut expected = parse(&old);
    expected["paths"]["/v1/event/"] = event["paths"]["/v1/event/"].clone();
    expected["components"]["schemas"] = event["components"]["schemas"].clone();
    assert_eq!(parse(&new), expected);
    assert!(!import(copy.folder.path(), &copy.files, add).unwrap().unwrap().changed, "it is there now");
    // A page of another version contradicts the document.
    let mut other = event.clone();
    other["info"]["version"] = json!("1.2.3");
    other["paths"]["/v1/event/"]["post"]["operationId"] = json!("other");
    let copy = copy.with("other.json", other.to_string());
    let error = import(copy.folder.path(), &copy.files[1..], add).unwrap().unwrap_err().to_string();
    assert!(error.contains("/info/version: openapi.yaml has `\"1.2.2\"`"), "{error}");
    assert!(error.contains("/paths/~1v1~1event~1/post/operationId: openapi.yaml has `\"track\"`"), "{error}");
    assert_eq!(copy.document(), new);
}

#[test]
fn a_document_in_json_gets_pages_too() {
    let event = page("post", "/v1/event/", "track", json!({}));
    let copy = Copy::new().with("track.json", event.to_string());
    fs::write(copy.folder.path().join("openapi.yaml"), parse(&bundled()).to_string()).unwrap();
    import(copy.folder.path(), &copy.files, How { add: true, ..How::default() }).unwrap().unwrap();
    assert_eq!(parse(&copy.document())["paths"]["/v1/event/"], event["paths"]["/v1/event/"]);
}

#[test]
fn every_file_that_cannot_be_read_is_named() {
    let mut copy = Copy::new()
        .with("list.yaml", "[]")
        .with("notes.txt", "openapi: 3.1.1\n")
        .with("latin.yaml", b"a: \xff\n")
        .with("empty.md", "# Nothing\n");
    copy.files.push(Path::new("missing.yaml").to_owned());
    let problems = import(copy.folder.path(), &copy.files, How::default()).unwrap().unwrap_err().to_string();
    for part in [
        "list.yaml: this is no OpenAPI document",
        "notes.txt: the name does not say",
        "latin.yaml: is not UTF-8",
        "empty.md: no fenced block",
        "missing.yaml: cannot be read",
    ] {
        assert!(problems.contains(part), "no {part:?} in\n{problems}");
    }
    assert_eq!(problems.lines().count(), 5);
}
