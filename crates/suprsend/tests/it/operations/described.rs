//! What the document says of its operations, and its table of resources of each.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use suprsend_api::{Spec, operations};

/// The name of the example that has every parameter of the query.
pub(super) const WITH_QUERY: &str = "with a query";

/// An operation of the document.
pub(super) struct Described {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Its name in the table of resources: `upsert`.
    verb: String,
    /// Whether the table says that it may be sent twice, by its nature or by a key.
    is_repeatable: bool,
    /// The parameters of the path with their examples.
    pub(super) path_parameters: Vec<(String, Value)>,
    /// The parameters of the query that have an example.
    query: Vec<(String, Value)>,
    /// The parameter of the query that is no text.
    pub(super) of_another_type: Option<String>,
    pub(super) takes_body: bool,
    /// The examples of the body.
    bodies: Vec<(String, Value)>,
    /// The example of the first success.
    pub(super) success: Value,
    /// The examples of the declared refusals.
    pub(super) refusals: BTreeMap<u16, Value>,
}

/// A valid call by the document's own examples.
pub(super) struct Example {
    pub(super) name: String,
    /// The operation as JSON.
    pub(super) arguments: Map<String, Value>,
}

impl Described {
    /// Every operation of the document that the hub's own server has. Those of the management API, which stands at another server, behind a
    /// feature, are tried in `management.rs` and `dashboard.rs`.
    pub(super) fn all() -> Vec<Self> {
        let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).unwrap();
        let reader = Reader { document: &document, table: table(&document["x-resources"]) };
        let items = document["paths"].as_object().unwrap().iter();
        let operations = items.flat_map(|(path, item)| {
            let members = item.as_object().unwrap().iter();
            members
                .filter(|(_, member)| {
                    let is_it = |spec: &&&Spec| spec.id == member["operationId"];
                    operations::ALL.iter().find(is_it).is_some_and(|spec| spec.server.is_none())
                })
                .map(move |(method, operation)| (path, method, operation))
        });
        operations.map(|(path, method, operation)| reader.operation(path, method, operation)).collect()
    }

    pub(super) fn is_upsert(&self) -> bool {
        self.verb == "upsert"
    }

    /// The path as it is sent, with these values of its parameters.
    pub(super) fn filled(&self, arguments: &Map<String, Value>) -> String {
        let path = self.path.split('#').next().unwrap().to_owned();
        self.path_parameters.iter().fold(path, |path, (name, _)| {
            path.replace(&format!("{{{name}}}"), arguments[name].as_str().unwrap())
        })
    }

    /// A call for each example of the body, and one with every parameter of the query that has an example.
    pub(super) fn examples(&self) -> Vec<Example> {
        let path: Map<String, Value> = self.path_parameters.iter().cloned().collect();
        let with_body = self.bodies.iter().map(|(name, body)| {
            let mut arguments = path.clone();
            arguments.insert("body".into(), body.clone());
            Example { name: name.clone(), arguments }
        });
        let mut examples: Vec<_> = with_body.collect();
        if !self.takes_body {
            examples.push(Example { name: "without a body".into(), arguments: path });
        }
        if !self.query.is_empty() {
            let mut arguments = examples[0].arguments.clone();
            // A field has no brackets.
            let field = |name: &String| name.trim_end_matches("[]").to_owned();
            arguments.extend(self.query.iter().map(|(name, value)| (field(name), value.clone())));
            examples.push(Example { name: WITH_QUERY.into(), arguments });
        }
        examples
    }

    /// Returns whether a call with this body may be sent twice.
    pub(super) fn may_be_repeated(&self, arguments: &Map<String, Value>) -> bool {
        let operations = arguments.get("body").and_then(|body| body["operations"].as_array());
        self.is_repeatable
            || self.verb == "edit" && operations.is_some_and(|all| all.iter().all(is_the_same_twice))
    }
}

/// Whether an edit done twice does what it does once: it neither counts nor adds to a property that is a list.
fn is_the_same_twice(operation: &Value) -> bool {
    let appended = operation["$append"].as_object().into_iter().flatten();
    operation.as_object().unwrap().keys().all(|name| !["$increment", "$add"].contains(&name.as_str()))
        && appended.into_iter().all(|(name, _)| name.starts_with('$'))
}

/// The table's rows by method and path: name, and whether the operation may be sent twice.
type Table = BTreeMap<(String, String), (String, bool)>;

fn table(resources: &Value) -> Table {
    let mut found = Table::new();
    for (name, entry) in resources.as_object().into_iter().flatten() {
        let row = match entry {
            Value::String(text) => text.split_once(' ').map(|(method, path)| (method, path, entry)),
            entry => ["get", "put", "post", "delete", "patch"].into_iter().find_map(|method| {
                // A resource may have a method of this name.
                let path = entry[method].as_str().filter(|path| path.starts_with('/'))?;
                Some((method, path, entry))
            }),
        };
        if let Some((method, path, entry)) = row {
            // RFC 9110, 9.2.2.
            let by_method = matches!(method, "get" | "put" | "delete");
            let is_repeatable = entry["idempotent"].as_bool().unwrap_or(by_method);
            let has_key = entry["idempotency_key"].is_string();
            found.insert((method.into(), path.into()), (name.clone(), is_repeatable || has_key));
        } else {
            found.extend(table(entry));
        }
    }
    found
}

struct Reader<'a> {
    document: &'a Value,
    table: Table,
}

impl<'a> Reader<'a> {
    fn operation(&self, path: &str, method: &str, operation: &'a Value) -> Described {
        let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
        let parameters: Vec<_> = parameters.into_iter().map(|parameter| self.follow(parameter)).collect();
        let of = |place: &'static str| parameters.iter().filter(move |parameter| parameter["in"] == place);
        let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
        let example = |parameter: &Value| match &parameter["example"] {
            Value::Null => self.example_of(parameter["name"].as_str().unwrap()),
            example => example.clone(),
        };
        let content = &self.follow(&operation["requestBody"])["content"]["application/json"];
        let is_text = |parameter: &Value| {
            matches!(self.follow(&parameter["schema"])["type"].as_str(), Some("string" | "array") | None)
        };
        let statuses = operation["responses"].as_object().unwrap();
        let response = |response: &'a Value| {
            let media = self.follow(response)["content"].as_object().into_iter().flatten().next();
            media.and_then(|(_, media)| examples(media).pop()).map(|(_, example)| example).unwrap_or_default()
        };
        let id = operation["operationId"].as_str().unwrap().to_owned();
        let row = self.table.get(&(method.to_owned(), path.to_owned()));
        let (verb, is_repeatable) =
            row.cloned().unwrap_or_else(|| panic!("{id} is not in the table of resources"));
        Described {
            method: method.to_uppercase(),
            path: path.to_owned(),
            verb,
            is_repeatable,
            path_parameters: of("path").map(|parameter| (name(parameter), example(parameter))).collect(),
            query: of("query")
                .filter(|parameter| !parameter["example"].is_null())
                .map(|parameter| (name(parameter), parameter["example"].clone()))
                .collect(),
            of_another_type: of("query").find(|parameter| !is_text(parameter)).map(|found| name(found)),
            takes_body: content.is_object(),
            bodies: examples(content),
            success: statuses
                .iter()
                .find(|(status, _)| status.starts_with('2'))
                .map(|it| response(it.1))
                .unwrap(),
            refusals: statuses
                .iter()
                .filter_map(|(status, refusal)| Some((status.parse().ok()?, refusal)))
                .filter(|(status, _)| *status >= 400)
                .map(|(status, refusal)| (status, response(refusal)))
                .collect(),
            id,
        }
    }

    fn follow(&self, value: &'a Value) -> &'a Value {
        let Some(target) = value["$ref"].as_str() else { return value };
        let pointer = percent_decode_str(target.trim_start_matches('#')).decode_utf8().unwrap();
        self.follow(self.document.pointer(&pointer).unwrap())
    }

    /// The text that the members of this name have most often in the document's examples.
    fn example_of(&self, name: &str) -> Value {
        let mut counts = BTreeMap::new();
        count(self.document, name, &mut counts);
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        most.unwrap_or_else(|| panic!("the document has no example of {name}")).0.into()
    }
}

fn count(value: &Value, name: &str, counts: &mut BTreeMap<String, usize>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text) if key == name => *counts.entry(text.clone()).or_default() += 1,
                    member => count(member, name, counts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| count(item, name, counts)),
        _ => {}
    }
}

/// The examples of a media type, with their names.
fn examples(media: &Value) -> Vec<(String, Value)> {
    let one = media.get("example").map(|example| ("the example".to_owned(), example.clone()));
    let named = media["examples"].as_object().into_iter().flatten();
    one.into_iter().chain(named.map(|(name, example)| (name.clone(), example["value"].clone()))).collect()
}
