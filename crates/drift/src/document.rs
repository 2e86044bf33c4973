//! Reads the corrected document's declarations about operations.
//!
//! Every member of every object is either read here, or is prose, or is reported as unread: nothing is silently ignored. Schemas are left
//! to [`Schemas`], which does the same for keywords.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::{
    code::{self, Place},
    finding::{Difference, Kind, hash},
    pointer::Pointer,
    schema::{Node, Schemas},
};

pub(crate) const METHODS: [&str; 8] = ["delete", "get", "head", "options", "patch", "post", "put", "trace"];

/// Prose and examples, wherever they occur.
const NEUTRAL: [&str; 6] = ["description", "example", "examples", "externalDocs", "summary", "tags"];

/// The facts of a document.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    pub(crate) schemas: Schemas<'a>,
    pub(crate) operations: Vec<Operation<'a>>,
    /// The servers of the document as a whole.
    pub(crate) servers: Vec<Server>,
    /// Members that neither this module nor the code reads.
    pub(crate) unread: Vec<Difference>,
}

#[derive(Debug)]
pub(crate) struct Operation<'a> {
    pub(crate) at: At,
    pub(crate) path: String,
    /// The path with empty braces for parameters.
    pub(crate) shape: String,
    pub(crate) method: String,
    pub(crate) deprecated: bool,
    pub(crate) id: Option<String>,
    pub(crate) parameters: BTreeMap<(Place, String), Parameter<'a>>,
    pub(crate) body: Option<Body<'a>>,
    /// By status, range or `default`, as written.
    pub(crate) responses: BTreeMap<String, Response<'a>>,
    pub(crate) servers: Vec<Server>,
    /// Whether sending it twice has the same effect as sending it once.
    pub(crate) idempotent: bool,
    /// The Cargo feature that enables it according to the table of resources.
    pub(crate) feature: Option<String>,
    /// The verdict that the table declares: the place where a success reports whether it is one.
    pub(crate) verdict: Option<Value>,
    /// The place of the idempotency key in the body, as tokens of a pointer; `*` stands for every item of a list.
    pub(crate) key: Option<Vec<String>>,
    /// Any of these is sufficient. If empty, no credential is required.
    pub(crate) security: Vec<Requirement>,
    /// The place where servers and security are declared: here or further up.
    pub(crate) security_at: At,
}

/// A place in the document: its pointer, and a name that does not depend on the order of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) pointer: Pointer,
    pub(crate) place: Pointer,
}

impl At {
    fn root() -> Self {
        Self { pointer: Pointer::root(), place: Pointer::root() }
    }

    pub(crate) fn child(&self, token: &str) -> Self {
        Self { pointer: self.pointer.child(token), place: self.place.child(token) }
    }

    /// Returns a member that has another name in the ledger.
    fn known_as(&self, token: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self { pointer: self.pointer.child(token), place: self.place.child(name) }
    }
}

#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    pub(crate) at: At,
    pub(crate) name: String,
    pub(crate) required: bool,
    pub(crate) schema: Option<Node<'a>>,
}

#[derive(Debug)]
pub(crate) struct Body<'a> {
    pub(crate) at: At,
    pub(crate) required: bool,
    pub(crate) media: BTreeMap<String, Media<'a>>,
}

#[derive(Debug)]
pub(crate) struct Media<'a> {
    pub(crate) at: At,
    pub(crate) schema: Option<Node<'a>>,
}

#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) at: At,
    pub(crate) media: BTreeMap<String, Media<'a>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) at: At,
    pub(crate) url: String,
}

/// Schemes that must be met together.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) at: At,
    pub(crate) schemes: Vec<Scheme>,
}

/// A way to authenticate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scheme {
    /// An `Authorization` header with this scheme, in lowercase.
    Http(String),
    /// The key itself in a parameter.
    Key(Place, String),
    /// A scheme of another type, with that type.
    Other(String),
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(scheme) => write!(f, "http {scheme}"),
            Self::Key(place, name) => write!(f, "key in {} {name}", place.word()),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Operation<'_> {
    /// Returns the status, range or `default` that applies to a status.
    pub(crate) fn declared(&self, status: u16) -> Option<&str> {
        let exact = status.to_string();
        let range = format!("{}XX", status / 100);
        [exact.as_str(), range.as_str(), "default"].into_iter().find_map(|wanted| {
            self.responses.keys().find(|name| name.eq_ignore_ascii_case(wanted)).map(String::as_str)
        })
    }

    /// Returns whether this is the given operation of the code. Text after a `#` distinguishes operations with the same path.
    pub(crate) fn is(&self, own: &code::Operation) -> bool {
        own.method == self.method && own.shape == self.shape
    }
}

impl<'a> Document<'a> {
    /// Reads a document. Fails if it is not an OpenAPI 3.1 document that can be compared.
    pub(crate) fn read(root: &'a Value) -> Result<Self> {
        Self::read_of(root, &Pointer::root())
    }

    /// Reads the operations at or below a place.
    pub(crate) fn read_of(root: &'a Value, only: &Pointer) -> Result<Self> {
        let version = root.get("openapi").and_then(Value::as_str).unwrap_or_default();
        ensure!(
            version.starts_with("3.1."),
            "/openapi: the document has to be OpenAPI 3.1, not `{version}`; convert it, or state the version that it is in"
        );
        let mut reader = Reader {
            root,
            schemas: Schemas::new(root),
            unread: Vec::new(),
            used: BTreeSet::new(),
            table: Table::from_document(root),
        };
        let (servers, operations) = reader.document(only)?;
        if *only == Pointer::root() {
            reader.components();
        }
        Ok(Self { schemas: reader.schemas, operations, servers, unread: reader.unread })
    }
}

struct Reader<'a> {
    root: &'a Value,
    schemas: Schemas<'a>,
    unread: Vec<Difference>,
    /// Shared objects that are used by some operation.
    used: BTreeSet<Pointer>,
    table: Table,
}

/// The operations of the table of resources, by method and path.
#[derive(Default)]
struct Table(BTreeMap<(String, String), Entry>);

/// The table's facts about an operation.
#[derive(Default, Clone)]
struct Entry {
    /// Whether it may be repeated.
    idempotent: Option<bool>,
    /// The place of its idempotency key.
    key: Option<Vec<String>>,
    feature: Option<String>,
    verdict: Option<Value>,
}

impl Table {
    fn from_document(root: &Value) -> Self {
        let mut table = Self::default();
        let mut open: Vec<(&Value, Option<&str>)> =
            root.get("x-resources").into_iter().map(|all| (all, None)).collect();
        while let Some((resource, feature)) = open.pop() {
            // A method of that name has a path.
            let own = resource.get("feature").and_then(Value::as_str).filter(|name| !name.contains(' '));
            let feature = own.or(feature);
            for (_, entry) in resource.as_object().into_iter().flatten() {
                // A method of the table may have the name of an HTTP method; in this case, its value is not a path.
                let path =
                    METHODS.into_iter().find_map(|method| Some((method, entry.get(method)?.as_str()?)));
                let path = path.filter(|(_, path)| path.starts_with('/'));
                let text = entry.as_str().and_then(|entry| entry.split_once(' '));
                match path.or(text) {
                    Some((method, path)) => {
                        let idempotent = entry.get("idempotent").and_then(Value::as_bool);
                        let key = entry.get("idempotency_key").and_then(Value::as_str);
                        let key = key.map(|key| Pointer::from_text(key).tokens());
                        let feature = feature.map(str::to_owned);
                        let verdict = entry.get("verdict").map(verdict);
                        let entry = Entry { idempotent, key, feature, verdict };
                        table.0.insert((method.to_owned(), path.to_owned()), entry);
                    }
                    // A handle, or a resource below one.
                    None => open.push((entry, feature)),
                }
            }
        }
        table
    }
}

/// Returns a verdict with its pointers as lists of tokens.
fn verdict(stated: &Value) -> Value {
    let tokens =
        |name: &str| stated.get(name).and_then(Value::as_str).map(|text| Pointer::from_text(text).tokens());
    json!({"asked_by": stated.get("asked_by"), "holds": tokens("holds"), "reasons": tokens("reasons")})
}

/// The members of a path item, each with its place. Members next to a reference take precedence over those of its target.
type Item<'a> = BTreeMap<&'a str, (&'a Value, At)>;

/// The facts that path items and operations inherit.
#[derive(Clone)]
struct Inherited {
    servers: (At, Vec<Server>),
    security: (At, Vec<Requirement>),
}

impl<'a> Reader<'a> {
    fn unread(&mut self, at: &At, value: &Value) {
        self.unread.push(Difference {
            kind: Kind::Unread,
            pointer: at.pointer.clone(),
            place: at.place.clone(),
            rust: "nowhere".to_owned(),
            owner: None,
            document: self.schemas.content(value),
            code: Value::Null,
        });
    }

    /// Returns the members of an object. Those that are neither in `read` nor prose are reported.
    fn object(&mut self, value: &'a Value, at: &At, read: &[&str]) -> Result<&'a Map<String, Value>> {
        let Value::Object(members) = value else {
            bail!("{}: an object has to stand here, not `{value}`; correct the place", at.pointer);
        };
        for (key, value) in members {
            let neutral = key.starts_with("x-") || NEUTRAL.contains(&key.as_str());
            if !neutral && !read.contains(&key.as_str()) && !is_default(key, value) {
                self.unread(&at.child(key), value);
            }
        }
        Ok(members)
    }

    /// Follows references to shared objects. Returns the object and its place.
    fn resolve(&self, value: &'a Value, at: &At) -> Result<(&'a Value, At)> {
        let (mut value, mut at) = (value, at.clone());
        for _ in 0..32 {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok((value, at));
            };
            (value, at.pointer) = self.target(reference, &at)?;
        }
        bail!("{}/$ref: it leads in a circle; correct the reference", at.pointer)
    }

    /// Returns the target of a reference and its place.
    fn target(&self, reference: &str, at: &At) -> Result<(&'a Value, Pointer)> {
        let target = Pointer::from_reference(reference);
        match target.and_then(|target| Some((target.get(self.root)?, target))) {
            Some(found) => Ok(found),
            None => bail!("{}/$ref: nothing stands at `{reference}`; correct the reference", at.pointer),
        }
    }

    fn document(&mut self, only: &Pointer) -> Result<(Vec<Server>, Vec<Operation<'a>>)> {
        let at = At::root();
        let read = ["openapi", "info", "servers", "security", "paths", "components"];
        let members = self.object(self.root, &at, &read)?;
        if let Some(info) = members.get("info") {
            let prose = ["title", "version", "termsOfService", "contact", "license"];
            self.object(info, &at.child("info"), &prose)?;
        }
        let servers = (at.child("servers"), self.servers(members.get("servers"), &at.child("servers"))?);
        let security = (at.child("security"), self.security(members.get("security"), &at.child("security"))?);
        let inherited = Inherited { servers, security };
        let at = at.child("paths");
        let mut operations = Vec::new();
        for (path, item) in members.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let at = at.child(path);
            if !path.starts_with("x-") && (at.pointer.contains(only) || only.contains(&at.pointer)) {
                self.path_item(path, item, &at, only, &inherited, &mut operations)?;
            }
        }
        for (name, at) in [("servers", &inherited.servers.0), ("security", &inherited.security.0)] {
            if let Some(value) = members.get(name)
                && !self.used.contains(&at.pointer)
            {
                let value = if name == "security" { self.described(value) } else { value.clone() };
                self.unread(at, &value);
            }
        }
        operations.sort_by(|one, other| (&one.path, &one.method).cmp(&(&other.path, &other.method)));
        Ok((inherited.servers.1, operations))
    }

    fn path_item(
        &mut self,
        path: &str,
        item: &'a Value,
        at: &At,
        only: &Pointer,
        inherited: &Inherited,
        operations: &mut Vec<Operation<'a>>,
    ) -> Result<()> {
        let item = self.item(item, at)?;
        let mut inherited = inherited.clone();
        if let Some((servers, at)) = item.get("servers") {
            inherited.servers = (at.clone(), self.servers(Some(servers), at)?);
        }
        let methods: Vec<&str> = METHODS.into_iter().filter(|method| item.contains_key(*method)).collect();
        let wanted =
            |method: &&&str| only.contains(&at.pointer.child(method)) || *only == at.pointer.child(method);
        for method in methods.iter().filter(wanted) {
            operations.push(self.operation(path, method, &item, &inherited)?);
        }
        if let Some((servers, at)) = item.get("servers")
            && !self.used.contains(&at.pointer)
        {
            self.unread(at, servers);
        }
        if methods.is_empty()
            && let Some((parameters, at)) = item.get("parameters")
        {
            self.unread(at, parameters);
        }
        Ok(())
    }

    fn item(&mut self, value: &'a Value, at: &At) -> Result<Item<'a>> {
        let read: Vec<&str> = METHODS.into_iter().chain(["$ref", "parameters", "servers"]).collect();
        let (mut item, mut value, mut at) = (Item::new(), value, at.clone());
        for _ in 0..32 {
            for (key, member) in self.object(value, &at, &read)? {
                item.entry(key).or_insert_with(|| (member, at.child(key)));
            }
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                item.remove("$ref");
                return Ok(item);
            };
            (value, at.pointer) = self.target(reference, &at)?;
        }
        bail!("{}/$ref: it leads in a circle; correct the reference", at.pointer)
    }

    fn operation(
        &mut self,
        path: &str,
        method: &str,
        item: &Item<'a>,
        inherited: &Inherited,
    ) -> Result<Operation<'a>> {
        let (operation, at) = &item[method];
        let read =
            ["operationId", "parameters", "requestBody", "responses", "servers", "security", "deprecated"];
        let members = self.object(operation, at, &read)?;
        let mut parameters = BTreeMap::new();
        let shared = item.get("parameters").map(|(list, at)| (*list, at.pointer.clone()));
        let own = members.get("parameters").map(|list| (list, at.pointer.child("parameters")));
        for (list, from) in [shared, own].into_iter().flatten() {
            for (index, value) in list.as_array().into_iter().flatten().enumerate() {
                let from = At { pointer: from.element(index), place: at.place.child("parameters") };
                let (key, parameter) = self.parameter(value, &from)?;
                parameters.insert(key, parameter);
            }
        }
        let body = match members.get("requestBody") {
            Some(value) => Some(self.body(value, &at.child("requestBody"))?),
            None => None,
        };
        let mut responses = BTreeMap::new();
        let place = at.child("responses");
        for (status, value) in members.get("responses").and_then(Value::as_object).into_iter().flatten() {
            if !status.starts_with("x-") {
                responses.insert(status.clone(), self.response(value, &place.child(status))?);
            }
        }
        let servers = match members.get("servers") {
            Some(value) => (at.child("servers"), self.servers(Some(value), &at.child("servers"))?),
            None => inherited.servers.clone(),
        };
        let security = match members.get("security") {
            Some(value) => (at.child("security"), self.security(Some(value), &at.child("security"))?),
            None => inherited.security.clone(),
        };
        self.used.insert(servers.0.pointer);
        let entry = self.table.0.get(&(method.to_owned(), path.to_owned()));
        // RFC 9110, 9.2.2.
        let by_method = matches!(method, "get" | "head" | "put" | "delete" | "options" | "trace");
        let Entry { idempotent, key, feature, verdict } = entry.cloned().unwrap_or_default();
        self.used.insert(security.0.pointer.clone());
        Ok(Operation {
            at: at.clone(),
            path: path.to_owned(),
            shape: code::shape(path).0,
            method: method.to_owned(),
            deprecated: members.get("deprecated") == Some(&Value::Bool(true)),
            id: members.get("operationId").and_then(Value::as_str).map(str::to_owned),
            parameters,
            body,
            responses,
            servers: servers.1,
            idempotent: idempotent.unwrap_or(by_method),
            key,
            feature,
            verdict,
            security: security.1,
            security_at: security.0,
        })
    }

    fn parameter(&mut self, value: &'a Value, at: &At) -> Result<((Place, String), Parameter<'a>)> {
        let (value, mut at) = self.resolve(value, at)?;
        let word = value.get("in").and_then(Value::as_str).unwrap_or_default();
        let Some(place) = Place::ALL.into_iter().find(|place| place.word() == word) else {
            bail!("{}/in: a parameter cannot stand in `{word}`; correct the place", at.pointer);
        };
        let Some(name) = value.get("name").and_then(Value::as_str) else {
            bail!("{}/name: a parameter needs a name; add it", at.pointer);
        };
        at.place = at.place.child(format!("{word}:{name}"));
        let mut read = vec!["in", "name", "required", "schema", "content"];
        // The style of a value, if it is the default.
        let form = matches!(place, Place::Query | Place::Cookie);
        if value.get("style").is_some_and(|style| *style == if form { "form" } else { "simple" }) {
            read.push("style");
        }
        if value.get("explode") == Some(&Value::Bool(form)) {
            read.push("explode");
        }
        let members = self.object(value, &at, &read)?;
        let mut schema = self.node(members, &at);
        if let Some(content) = members.get("content").and_then(Value::as_object) {
            // A parameter with a media type is written in that format, which the code does not support.
            let names: Vec<&String> = content.keys().collect();
            let (place, says) = (at.child("content"), json!(names));
            self.unread(&place, &says);
            let content = self.media(content, &at)?;
            schema = content.into_values().next().and_then(|media| media.schema);
        }
        let required = members.get("required") == Some(&Value::Bool(true));
        // Header names are case-insensitive.
        let key = if place == Place::Header { name.to_ascii_lowercase() } else { name.to_owned() };
        Ok(((place, key), Parameter { at, name: name.to_owned(), required, schema }))
    }

    fn node(&self, members: &Map<String, Value>, at: &At) -> Option<Node<'a>> {
        let at = at.child("schema");
        members.get("schema").and_then(|_| self.schemas.node(&at.pointer, &at.place))
    }

    fn body(&mut self, value: &'a Value, at: &At) -> Result<Body<'a>> {
        let (value, found) = self.resolve(value, at)?;
        let at = At { place: at.place.clone(), ..found };
        let members = self.object(value, &at, &["content", "required"])?;
        let media = match members.get("content").and_then(Value::as_object) {
            Some(content) => self.media(content, &at)?,
            None => BTreeMap::new(),
        };
        let required = members.get("required") == Some(&Value::Bool(true));
        Ok(Body { at, required, media })
    }

    fn media(&mut self, content: &'a Map<String, Value>, at: &At) -> Result<BTreeMap<String, Media<'a>>> {
        let at = at.child("content");
        let mut media = BTreeMap::new();
        for (name, value) in content {
            let at = at.child(name);
            let members = self.object(value, &at, &["schema"])?;
            let schema = self.node(members, &at);
            media.insert(name.clone(), Media { at, schema });
        }
        Ok(media)
    }

    fn response(&mut self, value: &'a Value, at: &At) -> Result<Response<'a>> {
        let (value, found) = self.resolve(value, at)?;
        let at = At { place: at.place.clone(), ..found };
        let members = self.object(value, &at, &["content", "headers", "links"])?;
        for keyword in ["headers", "links"] {
            let at = at.child(keyword);
            for (name, value) in members.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                self.unread(&at.child(name), value);
            }
        }
        let media = match members.get("content").and_then(Value::as_object) {
            Some(content) => self.media(content, &at)?,
            None => BTreeMap::new(),
        };
        Ok(Response { at, media })
    }

    fn servers(&mut self, value: Option<&'a Value>, at: &At) -> Result<Vec<Server>> {
        let mut servers = Vec::new();
        for (index, value) in value.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let mut url = value.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
            for (name, variable) in value.get("variables").and_then(Value::as_object).into_iter().flatten() {
                let default = variable.get("default").and_then(Value::as_str).unwrap_or_default();
                url = url.replace(&format!("{{{name}}}"), default);
            }
            let at = at.known_as(index.to_string(), &url);
            self.object(value, &at, &["url"])?;
            servers.push(Server { at, url });
        }
        Ok(servers)
    }

    fn security(&mut self, value: Option<&'a Value>, at: &At) -> Result<Vec<Requirement>> {
        let mut requirements = Vec::new();
        for (index, value) in value.and_then(Value::as_array).into_iter().flatten().enumerate() {
            let mut schemes = Vec::new();
            for (name, scopes) in value.as_object().into_iter().flatten() {
                let place = Pointer::root().child("components").child("securitySchemes").child(name);
                let Some(found) = place.get(self.root) else {
                    bail!(
                        "{}/{index}: there is no security scheme `{name}`; declare it in components",
                        at.pointer
                    );
                };
                let known = At { pointer: place.clone(), place: at.place.clone() };
                let (scheme, found) = self.resolve(found, &known)?;
                self.used.insert(place);
                // By its content: the name is only for references.
                let schemes_at = Pointer::root().child("components").child("securitySchemes");
                let at = At { pointer: found.pointer, place: schemes_at.child(describe(scheme).to_string()) };
                self.object(scheme, &at, &["type", "scheme", "in", "name"])?;
                if scopes.as_array().is_some_and(|scopes| !scopes.is_empty()) {
                    let place = known.place.element(index).child("scopes");
                    self.unread(&At { pointer: known.pointer, place }, scopes);
                }
                schemes.push(describe(scheme));
            }
            schemes.sort();
            let words: Vec<String> = schemes.iter().map(ToString::to_string).collect();
            let at = at.known_as(index.to_string(), words.join(" and "));
            requirements.push(Requirement { at, schemes });
        }
        Ok(requirements)
    }

    /// Returns a list of requirements in which the schemes replace their names.
    fn described(&self, value: &Value) -> Value {
        let mut described: Vec<Value> = Vec::new();
        for requirement in value.as_array().into_iter().flatten() {
            let schemes = requirement.as_object().into_iter().flatten();
            let mut schemes: Vec<Value> = schemes
                .map(|(name, scopes)| {
                    let place = Pointer::root().child("components").child("securitySchemes").child(name);
                    let scheme = place.get(self.root).unwrap_or(&Value::Null);
                    json!([self.schemas.content(scheme), scopes])
                })
                .collect();
            schemes.sort_by_key(Value::to_string);
            described.push(schemes.into());
        }
        described.sort_by_key(Value::to_string);
        described.into()
    }

    /// Reports components that nothing refers to. They are identified by their content, because an unused name means nothing.
    fn components(&mut self) {
        let mut reached = self.used.clone();
        let mut open: Vec<&Value> = self.root.get("paths").into_iter().collect();
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    let reference = members.get("$ref").and_then(Value::as_str);
                    if let Some(place) = reference.and_then(Pointer::from_reference)
                        && reached.insert(place.clone())
                    {
                        open.extend(place.get(self.root));
                    }
                    open.extend(members.values());
                }
                Value::Array(values) => open.extend(values),
                _ => {}
            }
        }
        let at = At::root().child("components");
        let categories = self.root.get("components").and_then(Value::as_object);
        for (category, components) in categories.into_iter().flatten() {
            if category.starts_with("x-") || category == "examples" {
                continue;
            }
            let at = at.child(category);
            for (name, component) in components.as_object().into_iter().flatten() {
                let pointer = at.pointer.child(name);
                if reached.iter().any(|place| pointer.contains(place)) {
                    continue;
                }
                let at = at.known_as(name, hash(&self.schemas.content(component)));
                self.unread(&at, component);
            }
        }
    }
}

/// Returns whether a member has the value that it also has if it is missing.
fn is_default(key: &str, value: &Value) -> bool {
    match key {
        "deprecated" | "allowEmptyValue" | "allowReserved" => *value == Value::Bool(false),
        "parameters" | "security" | "servers" => value.as_array().is_some_and(Vec::is_empty),
        _ => value.as_object().is_some_and(Map::is_empty),
    }
}

fn describe(scheme: &Value) -> Scheme {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    match text("type").as_str() {
        "http" => {
            let (scheme, known) = (text("scheme"), text("scheme").to_ascii_lowercase());
            // If an API has its own scheme, it is unknown whether its server ignores case.
            Scheme::Http(if matches!(known.as_str(), "bearer" | "basic") { known } else { scheme })
        }
        "apiKey" => {
            let word = text("in");
            let place = Place::ALL.into_iter().find(|place| place.word() == word).unwrap_or(Place::Cookie);
            Scheme::Key(place, text("name"))
        }
        other => Scheme::Other(other.to_owned()),
    }
}
