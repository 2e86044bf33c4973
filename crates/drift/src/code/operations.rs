//! Reads operations: the constants of each, and the statements that build its request.
//!
//! Code that is the same for every operation is not interpreted: it is generated again from the facts that were read, and must be equal
//! ([`super::regular`]).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use syn::{
    Expr, ExprCall, ExprMethodCall, Fields, ImplItem, ImplItemFn, Item, ItemImpl, ItemMacro, ItemStruct,
    Stmt, Type, punctuated::Punctuated,
};

use super::{
    Code, Spot, members, regular,
    tokens::{only, string, text},
    types,
};

/// The place of a parameter in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Path, Self::Query, Self::Header, Self::Cookie];

    /// Returns the word for it in a document.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// A parameter or a body.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) spot: Spot,
    /// The name in requests.
    pub(crate) name: String,
    /// The field that contains it.
    pub(crate) field: String,
    pub(crate) required: bool,
    /// The text of its type, which is a key of the code's roots, if the reader knows the type.
    pub(crate) ty: Option<String>,
    /// The static with its rules; `None` if there are no rules.
    pub(crate) rules: Option<String>,
    /// Whether the operation's `Debug` prints it.
    pub(crate) printed: bool,
}

/// The format of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Empty,
    Json,
    Text,
    Bytes,
}

impl Format {
    const ALL: [Self; 4] = [Self::Empty, Self::Json, Self::Text, Self::Bytes];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Json => "Json",
            Self::Text => "Text",
            Self::Bytes => "Bytes",
        }
    }
}

/// An operation as declared in the generated code.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) spot: Spot,
    /// The name of the struct.
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) deprecated: bool,
    /// In lowercase.
    pub(crate) method: String,
    pub(crate) path: String,
    /// The path with empty braces for parameters.
    pub(crate) shape: String,
    pub(crate) server: Option<String>,
    /// The variant, followed by its name in quotes if it has one.
    pub(crate) credential: String,
    pub(crate) idempotent: bool,
    /// The source of the code that decides instead.
    pub(crate) key: Option<String>,
    /// The Cargo feature that enables it.
    pub(crate) feature: Option<String>,
    /// The place where the body of a successful response reports whether it is a success.
    pub(crate) verdict: Option<Value>,
    /// The source of the code that passes on its idempotency keys.
    pub(crate) visit: Option<String>,
    pub(crate) format: Format,
    /// In the order of the constant.
    pub(crate) parameters: Vec<(Place, Part)>,
    pub(crate) accepts_json: bool,
    /// The media type and the body.
    pub(crate) body: Option<(String, Part)>,
    /// The types of a success and of an error, which are keys of the code's roots.
    pub(crate) response: Option<String>,
    pub(crate) refusal: Option<String>,
    /// Further traits that it implements.
    pub(crate) traits: BTreeMap<String, Spot>,
}

impl Operation {
    /// Returns the part for a parameter of the document.
    pub(crate) fn parameter(&self, place: Place, name: &str) -> Option<&Part> {
        let is_it = |known: &str| {
            if place == Place::Header { known.eq_ignore_ascii_case(name) } else { known == name }
        };
        self.parameters.iter().find(|(own, part)| *own == place && is_it(&part.name)).map(|(_, part)| part)
    }

    /// Returns the constant in the form of the compiled one.
    pub(crate) fn spec(&self) -> Value {
        let rules = |name: &Option<String>| name.as_deref().map_or(Value::Null, Value::from);
        let parameters: Vec<Value> = self
            .parameters
            .iter()
            .map(|(place, part)| json!([part.name, place.word(), rules(&part.rules)]))
            .collect();
        json!({
            "id": self.id,
            "method": self.method,
            "path": self.path,
            "server": self.server,
            "credential": self.credential,
            "idempotent": self.idempotent,
            "response": self.format.word(),
            "parameters": parameters,
            "body": self.body.as_ref().map(|(_, part)| rules(&part.rules)),
            "verdict": self.verdict,
        })
    }
}

/// Reads `Verdict::new(&["a", "b"], &["c"]).asked_by("d")`.
fn verdict(expr: &Expr) -> Option<Value> {
    let (asked_by, new) = match expr {
        Expr::MethodCall(call) if call.method == "asked_by" => {
            (Some(string(call.args.first()?)?), &*call.receiver)
        }
        other => (None, other),
    };
    let Expr::Call(new) = new else { return None };
    let [holds, reasons] = new.args.iter().collect::<Vec<_>>()[..] else { return None };
    let path = |expr: &Expr| {
        let Expr::Reference(list) = expr else { return None };
        let Expr::Array(list) = &*list.expr else { return None };
        list.elems.iter().map(string).collect::<Option<Vec<String>>>()
    };
    (text(&new.func) == "Verdict::new")
        .then_some(json!({"asked_by": asked_by, "holds": path(holds)?, "reasons": path(reasons)?}))
}

/// Returns a path with empty braces for parameters, and their names in order.
pub(crate) fn shape(path: &str) -> (String, Vec<String>) {
    let (mut shape, mut names) = (String::new(), Vec::new());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        shape.push_str(before);
        shape.push_str("{}");
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        names.push(name.to_owned());
        rest = after;
    }
    shape.push_str(rest);
    (shape, names)
}

/// Reads the module of the operations.
pub(super) fn read(items: &[Item], code: &mut Code) {
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for item in items {
        match item {
            Item::Struct(item) => groups.entry(item.ident.to_string()).or_default().definition = Some(item),
            Item::Impl(item) => {
                let of = item.trait_.as_ref().map(|(path, _)| text(path)).unwrap_or_default();
                let group = groups.entry(text(&item.self_ty)).or_default();
                if group.impls.insert(of.clone(), item).is_some() {
                    code.unrecognised(item, format!("a second `impl {of}` of `{}`", text(&item.self_ty)));
                }
            }
            Item::Macro(item) => {
                let (owner, name) = members::of_macro(item).unwrap_or_default();
                let group = groups.entry(owner.clone()).or_default();
                if group.macros.insert(name.clone(), item).is_some() {
                    code.unrecognised(item, format!("a second `{name}!` of `{owner}`"));
                }
            }
            Item::Use(_) | Item::Const(_) | Item::Fn(_) => {}
            _ => code.unrecognised(item, "an item among the operations that is no operation"),
        }
    }
    // In the order of the source.
    let order: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    for name in order {
        if let Some(group) = groups.remove(&name) {
            let operation = Reader { group: &group, name, code }.operation();
            code.operations.extend(operation);
        }
    }
    for (name, group) in groups {
        if let Some(item) = group.impls.values().next() {
            code.unrecognised(*item, format!("an `impl` of `{name}`, which is no operation"));
        }
        if let Some(item) = group.macros.values().next() {
            code.unrecognised(*item, format!("a macro for `{name}`, which is no operation"));
        }
    }
    regular::tables(items, code);
}

/// The source of one operation.
#[derive(Default)]
struct Group<'s> {
    definition: Option<&'s ItemStruct>,
    /// By trait; the empty name stands for the inherent implementation.
    impls: BTreeMap<String, &'s ItemImpl>,
    /// By the name of the macro.
    macros: BTreeMap<String, &'s ItemMacro>,
}

/// A field of an operation.
pub(super) struct Field<'s> {
    pub(super) name: String,
    pub(super) ty: &'s Type,
    /// The type inside an `Option`.
    pub(super) inner: Option<&'s Type>,
}

impl Field<'_> {
    /// Returns whether its values are booleans or numbers.
    pub(super) fn is_plain(&self) -> bool {
        is_plain(self.inner.unwrap_or(self.ty))
    }
}

/// Returns whether a type is that of booleans or numbers.
pub(super) fn is_plain(ty: &Type) -> bool {
    matches!(text(ty).as_str(), "bool" | "i64" | "i32" | "u64" | "u32" | "f64")
}

struct Reader<'r, 's> {
    group: &'r Group<'s>,
    name: String,
    code: &'r mut Code,
}

/// A statement of `request`.
enum Step {
    Parameter(Place, String, String),
    AcceptJson,
    Body(String, String),
}

impl<'s> Reader<'_, 's> {
    fn unrecognised(&mut self, spanned: &impl syn::spanned::Spanned, what: &str) {
        let what = format!("{what}, of the operation `{}`", self.name);
        self.code.unrecognised(spanned, what);
    }

    fn function(&self, of: &str, name: &str) -> Option<&'s ImplItemFn> {
        self.group.impls.get(of)?.items.iter().find_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        })
    }

    fn operation(mut self) -> Option<Operation> {
        let definition = self.group.definition?;
        let spot = Spot::new(&self.code.file, &definition.ident, format!("operations::{}", self.name));
        let Some(item) = self.group.impls.get("Operation").copied() else {
            self.unrecognised(definition, "a struct without `impl Operation`");
            return None;
        };
        let fields = Self::fields(definition);
        let deprecated = definition.attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
        let mut operation = Operation { spot, name: self.name.clone(), deprecated, ..self.spec(item)? };
        self.types(item, &mut operation);
        self.request(item, &fields, &mut operation);
        operation.key = self.function("Operation", "is_idempotent").map(|function| text(&function.block));
        operation.visit =
            self.function("Operation", "idempotency_keys").map(|function| text(&function.block));
        for (of, item) in &self.group.impls {
            if !matches!(of.as_str(), "" | "Operation") {
                let spot = Spot::new(&self.code.file, *item, format!("operations::{}: {of}", self.name));
                operation.traits.insert(of.clone(), spot);
            }
        }
        self.macros(definition, &fields, &mut operation);
        let irregular = regular::check(definition, &self.group.impls, &fields, &operation);
        for (spot, what) in irregular {
            let what = format!("{what}, of the operation `{}`", self.name);
            self.code
                .unrecognised
                .push(super::Unrecognised { spot: format!("{}:{spot}", self.code.file), what });
        }
        Some(operation)
    }

    /// Reads from what the operation is deserialized, and what its `Debug` prints.
    fn macros(&mut self, definition: &ItemStruct, fields: &[Field<'_>], operation: &mut Operation) {
        let mut left = self.group.macros.clone();
        let reading = left.remove("deserialize");
        let regular = members::of_struct(definition);
        let regular = reading
            .zip(regular)
            .is_some_and(|(own, regular)| members::is_regular(own, "deserialize", &regular));
        if !regular {
            self.unrecognised(definition, "what it is read from");
        }
        let printed = left.remove("partial_debug").and_then(|item| members::printed(item, &self.name));
        // Others may be secrets or the ids of people.
        let is_plain = |name: &String| fields.iter().any(|field| field.name == *name && field.is_plain());
        match printed {
            Some(printed) if printed.iter().all(is_plain) => {
                let parameters = operation.parameters.iter_mut().map(|(_, part)| part);
                for part in parameters.chain(operation.body.iter_mut().map(|(_, part)| part)) {
                    part.printed = printed.contains(&part.field);
                }
            }
            _ => self.unrecognised(definition, "what its `Debug` prints"),
        }
        for (name, item) in left {
            self.unrecognised(item, &format!("`{name}!`"));
        }
    }

    fn fields(definition: &'s ItemStruct) -> Vec<Field<'s>> {
        let Fields::Named(fields) = &definition.fields else { return Vec::new() };
        let field = |field: &'s syn::Field| {
            let inner =
                super::tokens::arguments(&field.ty, "Option").and_then(|inner| inner.first().copied());
            Field {
                name: field.ident.as_ref().map(ToString::to_string).unwrap_or_default(),
                ty: &field.ty,
                inner,
            }
        };
        fields.named.iter().map(field).collect()
    }

    /// Reads `const SPEC: &'static Spec = &Spec::new(..).idempotent()..`.
    fn spec(&mut self, item: &ItemImpl) -> Option<Operation> {
        let stated = item.items.iter().find_map(|item| match item {
            ImplItem::Const(item) if item.ident == "SPEC" => Some(item),
            _ => None,
        });
        let Some(stated) = stated else {
            self.unrecognised(item, "no constant `SPEC`");
            return None;
        };
        let read = self.spec_of(&stated.expr);
        if read.is_none() {
            self.unrecognised(&stated.expr, "the constant `SPEC`");
        }
        read
    }

    fn spec_of(&mut self, expr: &Expr) -> Option<Operation> {
        let Expr::Reference(reference) = expr else { return None };
        let mut calls: Vec<&ExprMethodCall> = Vec::new();
        let mut rest = &*reference.expr;
        while let Expr::MethodCall(call) = rest {
            calls.push(call);
            rest = &call.receiver;
        }
        let Expr::Call(new) = rest else { return None };
        let [id, method, path] = new.args.iter().collect::<Vec<_>>()[..] else { return None };
        if text(&new.func) != "Spec::new" {
            return None;
        }
        let mut operation = Operation {
            spot: Spot::default(),
            name: String::new(),
            id: string(id)?,
            deprecated: false,
            method: text(method).strip_prefix("Method::")?.to_ascii_lowercase(),
            shape: shape(&string(path)?).0,
            path: string(path)?,
            server: None,
            credential: "None".to_owned(),
            idempotent: false,
            key: None,
            feature: None,
            verdict: None,
            visit: None,
            format: Format::Json,
            parameters: Vec::new(),
            accepts_json: false,
            body: None,
            response: None,
            refusal: None,
            traits: BTreeMap::new(),
        };
        let mut seen = Vec::new();
        for call in calls.into_iter().rev() {
            let name = call.method.to_string();
            // Both are about the same fact.
            let fact = if name == "bearer" { "credential".to_owned() } else { name.clone() };
            if seen.contains(&fact) {
                return None;
            }
            seen.push(fact);
            match (name.as_str(), call.args.iter().collect::<Vec<_>>().as_slice()) {
                ("bearer", []) => "Bearer".clone_into(&mut operation.credential),
                ("credential", [of]) => {
                    text(of).strip_prefix("Credential::")?.clone_into(&mut operation.credential);
                }
                ("response", [format]) => {
                    let format = text(format);
                    let known = |known: &Format| format == format!("Format::{}", known.word());
                    operation.format = Format::ALL.into_iter().find(known)?;
                }
                ("server", [url]) => operation.server = Some(string(url)?),
                ("idempotent", []) => operation.idempotent = true,
                ("parameters", [list]) if text(list) == "Self::PARAMETERS" => {
                    operation.parameters = self.parameters()?;
                }
                ("verdict", [stated]) => operation.verdict = Some(verdict(stated)?),
                ("body", [rules]) => {
                    let part = Part { rules: Some(self.rules(rules)?), ..part("body") };
                    operation.body = Some((String::new(), part));
                }
                _ => return None,
            }
        }
        Some(operation)
    }

    /// Returns the name in `&rules::NAME`. If there are no rules, there is no static.
    fn rules(&mut self, expr: &Expr) -> Option<String> {
        let said = text(expr);
        if said == NO_RULES {
            self.code.rules.insert(said.clone(), json!({}));
            return Some(said);
        }
        said.strip_prefix("&rules::").map(str::to_owned)
    }

    /// Reads `const PARAMETERS: &'static [Parameter] = &[Parameter::new("a", Place::Path, &rules::TEXT), ..]`.
    fn parameters(&mut self) -> Option<Vec<(Place, Part)>> {
        let item = self.group.impls.get("")?.items.iter().find_map(|item| match item {
            ImplItem::Const(item) if item.ident == "PARAMETERS" => Some(item),
            _ => None,
        });
        let Expr::Reference(list) = &item?.expr else { return None };
        let Expr::Array(list) = &*list.expr else { return None };
        let mut parameter = |expr: &Expr| {
            let Expr::Call(call) = expr else { return None };
            let [name, place, rules] = call.args.iter().collect::<Vec<_>>()[..] else { return None };
            let place = text(place).strip_prefix("Place::")?.to_ascii_lowercase();
            let place = Place::ALL.into_iter().find(|known| known.word() == place)?;
            let part = Part { rules: Some(self.rules(rules)?), ..part(&string(name)?) };
            (text(&call.func) == "Parameter::new").then_some((place, part))
        };
        list.elems.iter().map(&mut parameter).collect()
    }

    fn types(&mut self, item: &ItemImpl, operation: &mut Operation) {
        for item in &item.items {
            let ImplItem::Type(item) = item else { continue };
            match item.ident.to_string().as_str() {
                "Response" => operation.response = self.root(&item.ty),
                "Refusal" => operation.refusal = self.root(&item.ty),
                "Body" => {}
                _ => self.unrecognised(item, "a type"),
            }
        }
    }

    /// Records a type that the operation uses, and returns its key.
    fn root(&mut self, ty: &Type) -> Option<String> {
        let key = text(ty);
        if let Some(schema) = types::schema(ty) {
            self.code.roots.insert(key.clone(), schema);
            return Some(key);
        }
        self.unrecognised(ty, &format!("the type `{key}`"));
        None
    }

    /// Reads the fields that are sent, and the part of the request that carries each.
    fn request(&mut self, item: &ItemImpl, fields: &[Field<'_>], operation: &mut Operation) {
        let Some(request) = self.function("Operation", "request") else {
            return self.unrecognised(item, "no `request`");
        };
        let mut sent = Vec::new();
        let [first, steps @ .., last] = request.block.stmts.as_slice() else {
            return self.unrecognised(request, "the statements of `request`");
        };
        match path_fields(first) {
            Some(fields) => {
                let names = shape(&operation.path).1;
                let same = names.len() == fields.len()
                    && names
                        .iter()
                        .zip(&fields)
                        .all(|(name, (wire, _))| wire.as_ref().is_none_or(|wire| wire == name));
                if !same {
                    self.unrecognised(first, "the values of the path");
                }
                let pairs = names.into_iter().zip(fields);
                sent.extend(pairs.map(|(name, (_, field))| (Place::Path, name, field)));
            }
            None => self.unrecognised(first, "how the request begins"),
        }
        let mut body = None;
        for step in steps {
            match step_of(step) {
                Some(Step::Parameter(place, name, field)) => sent.push((place, name, field)),
                Some(Step::AcceptJson) if !operation.accepts_json => operation.accepts_json = true,
                Some(Step::Body(media, field)) if body.is_none() => body = Some((media, field)),
                _ => self.unrecognised(step, "a statement of `request`"),
            }
        }
        if text(last) != "Ok(request)" {
            self.unrecognised(last, "how `request` ends");
        }
        let stated: Vec<(Place, String)> =
            operation.parameters.iter().map(|(place, part)| (*place, part.name.clone())).collect();
        let same = sent.iter().map(|(place, name, _)| (*place, name.clone())).eq(stated);
        if !same {
            self.unrecognised(request, "the parameters of `request`, which are not those of `PARAMETERS`");
        }
        for ((_, part), (_, _, field)) in operation.parameters.iter_mut().zip(sent) {
            self.held(part, &field, fields);
        }
        if let Some((media, field)) = body {
            let mut part = operation.body.take().map_or_else(|| part("body"), |(_, part)| part);
            self.held(&mut part, &field, fields);
            operation.body = Some((media, part));
        } else if operation.body.take().is_some() {
            self.unrecognised(request, "rules of a body that is not sent");
        }
        let held = operation.parameters.iter().map(|(_, part)| &part.field);
        let mut held: Vec<&String> = held.chain(operation.body.iter().map(|(_, part)| &part.field)).collect();
        held.sort();
        let mut all: Vec<&String> = fields.iter().map(|field| &field.name).collect();
        all.sort();
        if held != all {
            self.unrecognised(request, "a field that is not sent, or sent twice");
        }
    }

    /// Records the field that contains a part.
    fn held(&mut self, part: &mut Part, name: &str, fields: &[Field<'_>]) {
        let Some(field) = fields.iter().find(|field| field.name == name) else { return };
        let item = format!("operations::{}::{name}", self.name);
        part.spot = Spot::new(&self.code.file, field.ty, item);
        name.clone_into(&mut part.field);
        part.required = field.inner.is_none();
        part.ty = self.root(field.inner.unwrap_or(field.ty));
    }
}

/// The expression for a value without rules.
const NO_RULES: &str = "&Schema::new(&[])";

fn part(name: &str) -> Part {
    let (spot, name) = (Spot::default(), name.to_owned());
    Part { spot, name, field: String::new(), required: false, ty: None, rules: None, printed: false }
}

/// Returns the field in `self.field`, which may be borrowed.
fn field_of(expr: &Expr) -> Option<String> {
    text(expr).strip_prefix("&self.").filter(|name| !name.contains('.')).map(str::to_owned)
}

/// Reads `let mut request = base.request(Self::SPEC, &[..])?`. Returns for each value the name in the path, if it is declared, and the
/// field.
fn path_fields(stmt: &Stmt) -> Option<Vec<(Option<String>, String)>> {
    let Stmt::Local(local) = stmt else { return None };
    let Expr::Try(attempt) = &*local.init.as_ref()?.expr else { return None };
    let Expr::MethodCall(call) = &*attempt.expr else { return None };
    let [spec, Expr::Reference(values)] = call.args.iter().collect::<Vec<_>>()[..] else { return None };
    let known = ["request", "mut request"].contains(&text(&local.pat).as_str())
        && text(&call.receiver) == "base"
        && call.method == "request";
    let Expr::Array(values) = &*values.expr else { return None };
    if !known || text(spec) != "Self::SPEC" {
        return None;
    }
    let value = |expr: &Expr| {
        if let Some(field) = field_of(expr) {
            return Some((None, field));
        }
        let Expr::Reference(reference) = expr else { return None };
        let Expr::Try(attempt) = &*reference.expr else { return None };
        let Expr::Call(call) = &*attempt.expr else { return None };
        let [name, value] = call.args.iter().collect::<Vec<_>>()[..] else { return None };
        (text(&call.func) == "parameter::text").then_some((Some(string(name)?), field_of(value)?))
    };
    values.elems.iter().map(value).collect()
}

fn step_of(stmt: &Stmt) -> Option<Step> {
    let Stmt::Expr(expr, end) = stmt else { return None };
    match expr {
        Expr::Try(attempt) if end.is_some() => {
            let Expr::Call(call) = &*attempt.expr else { return None };
            let function = text(&call.func);
            match function.as_str() {
                "parameter::query" | "parameter::header" => {
                    let place = if function.ends_with("query") { Place::Query } else { Place::Header };
                    let [request, name, value] = arguments(call, &function)?;
                    is_request(request).then_some(Step::Parameter(place, string(name)?, field_of(value)?))
                }
                "parameter::json" | "parameter::form" => {
                    let form = function.ends_with("form");
                    let media = if form { "application/x-www-form-urlencoded" } else { "application/json" };
                    let [request, value] = arguments(call, &function)?;
                    is_request(request).then_some(Step::Body(media.to_owned(), field_of(value)?))
                }
                _ => None,
            }
        }
        Expr::Call(call) if end.is_some() => match text(&call.func).as_str() {
            "parameter::accept_json" => {
                let [request] = arguments(call, "parameter::accept_json")?;
                is_request(request).then_some(Step::AcceptJson)
            }
            "parameter::bytes" => {
                let [request, media, value] = arguments(call, "parameter::bytes")?;
                is_request(request).then_some(Step::Body(string(media)?, field_of(value)?))
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_request(expr: &Expr) -> bool {
    text(only(expr)) == "&mut request"
}

/// Returns the arguments of a call of this function.
fn arguments<'e, const N: usize>(call: &'e ExprCall, function: &str) -> Option<[&'e Expr; N]> {
    let list: &Punctuated<Expr, _> = &call.args;
    (text(&call.func) == function).then(|| list.iter().collect::<Vec<_>>().try_into().ok()).flatten()
}
