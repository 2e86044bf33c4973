//! Operations: what a generated builder sends, and what it makes of the reply.

use std::collections::{BTreeMap, BTreeSet};

use syn::{
    Expr, Fields, FnArg, ImplItem, ImplItemFn, Item, ItemImpl, ItemStruct, Lit, Local, Pat, RangeLimits,
    ReturnType, Stmt, Type, WherePredicate, punctuated::Punctuated,
};

use super::{
    Code, Spot,
    tokens::{arguments, only, string, text},
    types,
};

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Path, Self::Query, Self::Header, Self::Cookie];

    /// The word for it in a document.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// A piece of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Text(String),
    /// The value of the parameter that is set with the method of this name, percent-encoded.
    Parameter(String),
}

/// A parameter that is sent, or a body.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) spot: Spot,
    /// The name on the wire; of a path parameter, which has none there, and of a body, that of the method that sets it.
    pub(crate) name: String,
    /// The method of the builder that sets it.
    pub(crate) setter: String,
    pub(crate) required: bool,
    /// The text of its type, a key of the code's roots, if the reader knows the type.
    pub(crate) ty: Option<String>,
}

/// What a body is decoded into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// The type of this text, a key of the code's roots.
    Type(String),
    Nothing,
    Bytes,
    /// The status counts as one that the document does not declare.
    Undeclared,
}

/// One arm of the match over the status.
#[derive(Debug, Clone)]
pub(crate) struct Arm {
    pub(crate) spot: Spot,
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) success: bool,
    pub(crate) decoded: Decoded,
}

/// An operation as the generated code carries it out.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) spot: Spot,
    /// The name of the client's method.
    pub(crate) name: String,
    /// What hooks are told.
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: Vec<Segment>,
    pub(crate) parameters: BTreeMap<(Place, String), Part>,
    /// Headers with a value that is no parameter: name and source text of the value.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) accept: Option<String>,
    /// The media type and the body.
    pub(crate) body: Option<(String, Part)>,
    /// In the order in which they are tried.
    pub(crate) arms: Vec<Arm>,
}

impl Operation {
    /// The path with empty braces for parameters.
    pub(crate) fn shape(&self) -> String {
        self.path
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.as_str(),
                Segment::Parameter(_) => "{}",
            })
            .collect()
    }
}

pub(super) fn version(item: &ItemImpl, code: &mut Code) {
    let Some((path, _)) = &item.trait_ else { return };
    if path.segments.last().is_none_or(|segment| segment.ident != "ClientInfo") {
        return;
    }
    for inner in &item.items {
        if let ImplItem::Fn(function) = inner
            && function.sig.ident == "api_version"
            && let [Stmt::Expr(expr, None)] = function.block.stmts.as_slice()
        {
            code.version = string(expr);
        }
    }
}

/// Reads the client's methods and the builders behind them.
pub(super) fn read(top: &[Item], builders: &[Item], code: &mut Code) {
    let mut structs: BTreeMap<String, &ItemStruct> = BTreeMap::new();
    let mut impls: BTreeMap<String, &ItemImpl> = BTreeMap::new();
    for item in builders {
        match item {
            Item::Struct(item) => {
                structs.insert(item.ident.to_string(), item);
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let name = name_of(&item.self_ty);
                if impls.insert(name.clone(), item).is_some() {
                    code.unrecognised(item, format!("a second `impl` of the builder `{name}`"));
                }
            }
            Item::Use(_) => {}
            _ => code.unrecognised(item, "an item among the builders that is no builder"),
        }
    }
    let mut reached = BTreeSet::new();
    for method in client_methods(top) {
        let name = method.sig.ident.to_string();
        let Some(builder) = built(method) else {
            code.unrecognised(method, format!("the method `Client::{name}`"));
            continue;
        };
        let (Some(fields), Some(methods)) = (structs.get(&builder), impls.get(&builder)) else {
            code.unrecognised(method, format!("`Client::{name}` without its builder `{builder}`"));
            continue;
        };
        reached.insert(builder);
        if let Some(operation) = Builder::new(fields, methods, code).operation(name, method) {
            code.operations.push(operation);
        }
    }
    for (name, item) in structs {
        if !reached.contains(&name) {
            code.unrecognised(item, format!("the builder `{name}`, which no method of the client gives"));
        }
    }
}

/// The methods of the client that take it by reference: the operations.
fn client_methods(top: &[Item]) -> Vec<&ImplItemFn> {
    let impls = top.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() && name_of(&item.self_ty) == "Client" => Some(item),
        _ => None,
    });
    impls
        .flat_map(|item| &item.items)
        .filter_map(|item| match item {
            ImplItem::Fn(function) if matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_))) => {
                Some(function)
            }
            _ => None,
        })
        .collect()
}

fn name_of(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The builder that a method of the client makes.
fn built(method: &ImplItemFn) -> Option<String> {
    let [Stmt::Expr(expr, None)] = method.block.stmts.as_slice() else {
        return None;
    };
    let made = text(expr);
    made.strip_prefix("builder::")?.strip_suffix("::new(self)").map(str::to_owned)
}

/// The reader of one builder. What it reads of `send` collects in the optional members.
struct Builder<'a> {
    item: &'a ItemStruct,
    methods: &'a ItemImpl,
    code: &'a mut Code,
    /// The names of the local variables of `send`, by what they hold.
    client: String,
    url: Option<String>,
    headers: Option<String>,
    result: Option<String>,
    response: Option<String>,
    /// The fields that hold the builder of a type, which has to become the type.
    built: BTreeSet<String>,
    unpacked: BTreeSet<String>,
    used: BTreeSet<String>,
    parts: BTreeMap<String, Part>,
    path: Vec<Segment>,
    parameters: BTreeMap<(Place, String), Part>,
    constants: Vec<(String, String)>,
    accept: Option<String>,
    content_type: Option<String>,
    body: Option<(String, Part)>,
    method: Option<String>,
    id: Option<String>,
    arms: Vec<Arm>,
    steps: BTreeSet<&'static str>,
}

impl<'a> Builder<'a> {
    fn new(item: &'a ItemStruct, methods: &'a ItemImpl, code: &'a mut Code) -> Self {
        Self {
            item,
            methods,
            code,
            client: String::new(),
            url: None,
            headers: None,
            result: None,
            response: None,
            built: BTreeSet::new(),
            unpacked: BTreeSet::new(),
            used: BTreeSet::new(),
            parts: BTreeMap::new(),
            path: Vec::new(),
            parameters: BTreeMap::new(),
            constants: Vec::new(),
            accept: None,
            content_type: None,
            body: None,
            method: None,
            id: None,
            arms: Vec::new(),
            steps: BTreeSet::new(),
        }
    }

    fn operation(mut self, name: String, method: &ImplItemFn) -> Option<Operation> {
        let spot = Spot::new(&self.code.file, method, format!("Client::{name}"));
        self.fields();
        let send = self.function("send")?;
        let Some((success, error)) = reply_types(&send.sig.output) else {
            self.unrecognised(&send.sig, "what `send` returns");
            return None;
        };
        for stmt in &send.block.stmts {
            if self.statement(stmt, success, error).is_none() {
                self.unrecognised(stmt, "a statement of `send`");
            }
        }
        for step in ["unpack", "request", "build", "pre", "exec", "post", "reply"] {
            if !self.steps.contains(step) {
                self.unrecognised(send, &format!("`send` without its step `{step}`"));
            }
        }
        if self.headers.is_some() && !self.steps.contains("headers") {
            self.unrecognised(send, "headers that are made and not sent");
        }
        let read = |arm: &Arm| !arm.success && matches!(arm.decoded, Decoded::Type(_));
        if text(error) != "()" && text(error) != "ByteStream" && !self.arms.iter().any(read) {
            self.unrecognised(&send.sig, "a type of errors that no error is read into");
        }
        let unused: Vec<_> = self.parts.keys().filter(|part| !self.used.contains(*part)).cloned().collect();
        for part in unused {
            self.unrecognised(self.item, &format!("the parameter `{part}`, which is taken and not sent"));
        }
        let (Some(id), Some(method)) = (self.id.take(), self.method.take()) else {
            self.unrecognised(send, "`send` without operation id or method");
            return None;
        };
        Some(Operation {
            spot,
            name,
            id,
            method,
            path: self.path,
            parameters: self.parameters,
            headers: self.constants,
            accept: self.accept,
            body: self.body,
            arms: self.arms,
        })
    }

    fn unrecognised(&mut self, spanned: &impl syn::spanned::Spanned, what: &str) {
        let what = format!("{what}, in the builder `{}`", self.item.ident);
        self.code.unrecognised(spanned, what);
    }

    fn function(&mut self, name: &str) -> Option<&'a ImplItemFn> {
        let found = self.methods.items.iter().find_map(|item| match item {
            ImplItem::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        });
        if found.is_none() {
            self.unrecognised(self.item, &format!("it has no `{name}`"));
        }
        found
    }

    /// The fields: the client, and a part of the request each.
    fn fields(&mut self) {
        let initial = self.function("new").map(initial_values).unwrap_or_default();
        let Fields::Named(fields) = &self.item.fields else { return };
        for field in &fields.named {
            let Some(ident) = &field.ident else { continue };
            let name = ident.to_string();
            if text(&field.ty) == "&'a super::Client" {
                self.client = name;
                continue;
            }
            let unset = initial.get(&name).map(String::as_str).unwrap_or_default();
            let optional = arguments(&field.ty, "Result")
                .and_then(|inner| arguments(inner.first()?, "Option").map(|_| ()))
                .is_some();
            let required = match unset {
                "Ok(None)" if optional => false,
                "Ok(::std::default::Default::default())" if name == "body" => true,
                _ if unset.starts_with("Err(") && !optional => true,
                _ => {
                    self.unrecognised(field, &format!("the field `{name}` and its first value"));
                    continue;
                }
            };
            if text(&field.ty).starts_with("Result<types::builder::") {
                self.built.insert(name.clone());
            }
            let setter = self.function(&name).filter(|setter| sets(setter, &name));
            let Some(ty) = setter.and_then(set_type) else {
                self.unrecognised(field, &format!("how the field `{name}` is set"));
                continue;
            };
            let spot = Spot::new(&self.code.file, field, format!("builder::{}::{name}", self.item.ident));
            let ty = self.root(&ty);
            self.parts.insert(name.clone(), Part { spot, name: name.clone(), setter: name, required, ty });
        }
    }

    /// Notes a type that the operation uses and gives its key.
    fn root(&mut self, ty: &Type) -> Option<String> {
        let key = text(ty);
        // A raw body.
        let schema = match key.as_str() {
            "reqwest::Body" => Some(serde_json::json!({"type": "string", "format": "binary"})),
            _ => types::schema(ty),
        };
        if let Some(schema) = schema {
            self.code.roots.insert(key.clone(), schema);
            Some(key)
        } else {
            self.unrecognised(ty, &format!("the type `{key}`"));
            None
        }
    }

    fn statement(&mut self, stmt: &Stmt, success: &Type, error: &Type) -> Option<()> {
        match stmt {
            Stmt::Local(local) => self.local(local),
            Stmt::Expr(Expr::Match(expr), _) => {
                let response = self.response.clone()?;
                if text(&expr.expr) != format!("{response}.status().as_u16()") {
                    return None;
                }
                self.steps.insert("reply");
                for arm in &expr.arms {
                    if self.arm(arm, success, error).is_none() {
                        self.unrecognised(arm, "an arm of the match over the status");
                    }
                }
                Some(())
            }
            Stmt::Expr(Expr::If(expr), _) => self.optional_header(expr),
            Stmt::Expr(expr, Some(_)) => self.header(expr, None).or_else(|| self.hook(expr)),
            _ => None,
        }
    }

    fn hook(&mut self, expr: &Expr) -> Option<()> {
        let said = text(expr);
        let client = &self.client;
        if said == format!("{client}.pre(&mut request,&info).await?") {
            self.steps.insert("pre");
        } else if said == format!("{client}.post(&{},&info).await?", self.result.as_ref()?) {
            self.steps.insert("post");
        } else {
            return None;
        }
        Some(())
    }

    fn local(&mut self, local: &Local) -> Option<()> {
        let init = &local.init.as_ref()?.expr;
        let said = text(init);
        let name = match &local.pat {
            Pat::Struct(_) if said == "self" => {
                self.steps.insert("unpack");
                return Some(());
            }
            Pat::Ident(ident) => ident.ident.to_string(),
            _ => return None,
        };
        if self.parts.contains_key(&name) && said.starts_with(&format!("{name}.")) {
            return self.unpack(&name, &said);
        }
        match &**init {
            Expr::Macro(expr) if expr.mac.path.is_ident("format") => {
                self.url = Some(name);
                self.joined(&expr.mac)
            }
            Expr::Struct(expr) if expr.path.is_ident("OperationInfo") => {
                let value = expr.fields.first()?;
                self.id = Some(string(&value.expr)?);
                Some(())
            }
            Expr::Call(_) if said.starts_with("::reqwest::header::HeaderMap::with_capacity(") => {
                self.headers = Some(name);
                Some(())
            }
            Expr::Await(_) if said == format!("{}.exec(request,&info).await", self.client) => {
                self.result = Some(name);
                self.steps.insert("exec");
                Some(())
            }
            Expr::Try(expr) => {
                if Some(text(&expr.expr)) == self.result {
                    self.response = Some(name);
                    return Some(());
                }
                if let Expr::MethodCall(call) = &*expr.expr
                    && text(&call.receiver) == format!("{}.inner", self.client)
                {
                    self.url = Some(name);
                    return self.made_by_sender(call);
                }
                if name != "request" {
                    return None;
                }
                self.steps.insert("request");
                self.request(&expr.expr)
            }
            _ => None,
        }
    }

    /// `let x = x.map_err(Error::InvalidRequest)?;`
    fn unpack(&mut self, name: &str, said: &str) -> Option<()> {
        let rest = said.strip_prefix(name)?.strip_suffix(".map_err(Error::InvalidRequest)?")?;
        let ty = self.parts.get(name)?.ty.clone().unwrap_or_default();
        let converted = format!(".and_then(|v|{ty}::try_from(v).map_err(|e|e.to_string()))");
        // A longer name of a type makes the closure's body a block.
        let rest = rest.replace(['{', '}'], "");
        if rest != if self.built.contains(name) { converted.as_str() } else { "" } {
            return None;
        }
        self.unpacked.insert(name.to_owned());
        Some(())
    }

    /// A part of the request that is put into it here.
    fn take(&mut self, name: &str) -> Option<Part> {
        let part = self.parts.get(name).filter(|_| self.unpacked.contains(name))?.clone();
        self.used.insert(name.to_owned()).then_some(part)
    }

    /// `format!("{}/a/{}", client.baseurl, ..)`
    fn joined(&mut self, call: &syn::Macro) -> Option<()> {
        let arguments = arguments_of(call)?;
        let [template, base, values @ ..] = arguments.as_slice() else {
            return None;
        };
        if text(base) != format!("{}.baseurl", self.client) {
            return None;
        }
        self.path(string(template)?.strip_prefix("{}")?, values)
    }

    /// `client.inner.url(client, format_args!("/a/{}", ..))`, which puts the path behind the base URL of the client.
    fn made_by_sender(&mut self, call: &syn::ExprMethodCall) -> Option<()> {
        let [client, Expr::Macro(path)] = call.args.iter().collect::<Vec<_>>()[..] else {
            return None;
        };
        let known = call.method == "url" && call.turbofish.is_none() && text(client) == self.client;
        if !known || !path.mac.path.is_ident("format_args") {
            return None;
        }
        let arguments = arguments_of(&path.mac)?;
        let (template, values) = arguments.split_first()?;
        self.path(&string(template)?, values)
    }

    /// A template, and one encoded value for each of its gaps.
    fn path(&mut self, template: &str, values: &[Expr]) -> Option<()> {
        let mut pieces = template.split("{}");
        let mut values = values.iter();
        self.path.push(Segment::Text(pieces.next()?.to_owned()));
        for piece in pieces {
            let value = values.next()?;
            let said = text(value);
            let encoded = said.strip_suffix(r#".replace('\\',"%5C")"#);
            let name =
                encoded.unwrap_or(&said).strip_prefix("encode_path(&")?.strip_suffix(".to_string())")?;
            let part = self.take(name)?;
            if encoded.is_none() {
                // Encoding leaves it as it is.
                let what =
                    format!("the path parameter `{name}`, whose backslashes a URL would take for slashes");
                self.unrecognised(value, &what);
            }
            self.path.push(Segment::Parameter(name.to_owned()));
            self.path.push(Segment::Text(piece.to_owned()));
            self.parameters.insert((Place::Path, name.to_owned()), part);
        }
        values.next().is_none().then_some(())
    }

    /// The chain that builds the request, from its end to its start.
    fn request(&mut self, expr: &Expr) -> Option<()> {
        let mut calls = Vec::new();
        let mut rest = expr;
        loop {
            match rest {
                Expr::MethodCall(call) => {
                    calls.push(call);
                    rest = &call.receiver;
                }
                Expr::Try(inner) => rest = &inner.expr,
                _ => break,
            }
        }
        if text(rest) != format!("{}.client", self.client) {
            return None;
        }
        let first = calls.pop()?;
        if Some(text(&first.args)) != self.url {
            return None;
        }
        self.method = Some(first.method.to_string());
        while let Some(call) = calls.pop() {
            let name = call.method.to_string();
            let arguments: Vec<&Expr> = call.args.iter().collect();
            let known = match (name.as_str(), arguments.as_slice()) {
                ("build", []) => {
                    self.steps.insert("build");
                    Some(())
                }
                ("headers", [map]) => {
                    self.steps.insert("headers");
                    (Some(text(map)) == self.headers).then_some(())
                }
                ("header", [key, value]) => self.fixed(key, value),
                ("query", [value]) => self.query(value),
                ("json", [value]) => self.set_body("application/json", value),
                ("form_urlencoded", [value]) => self.set_body("application/x-www-form-urlencoded", value),
                ("body", [value]) => {
                    let media = self.content_type.clone()?;
                    self.set_body(&media, value)
                }
                _ => None,
            };
            if known.is_none() {
                self.unrecognised(&call.method, &format!("the call `{name}` on the request"));
            }
        }
        Some(())
    }

    fn set_body(&mut self, media: &str, value: &Expr) -> Option<()> {
        let said = text(value);
        let part = self.take(said.trim_start_matches('&'))?;
        self.body = Some((media.to_owned(), part));
        Some(())
    }

    /// `.header(NAME, HeaderValue::from_static("value"))`
    fn fixed(&mut self, key: &Expr, value: &Expr) -> Option<()> {
        let Expr::Call(call) = value else { return None };
        if text(&call.func) != "::reqwest::header::HeaderValue::from_static" {
            return None;
        }
        let value = string(call.args.first()?)?;
        match text(key).as_str() {
            "::reqwest::header::ACCEPT" => self.accept = Some(value),
            "::reqwest::header::CONTENT_TYPE" => self.content_type = Some(value),
            other => self.constants.push((other.to_owned(), value)),
        }
        Some(())
    }

    /// `.query(&progenitor_client::QueryParam::new("name", &value))`
    fn query(&mut self, value: &Expr) -> Option<()> {
        let Expr::Reference(reference) = value else { return None };
        let Expr::Call(call) = &*reference.expr else { return None };
        if text(&call.func) != "progenitor_client::QueryParam::new" {
            return None;
        }
        let [name, value] = call.args.iter().collect::<Vec<_>>()[..] else {
            return None;
        };
        let name = string(name)?;
        let said = text(value);
        let part = self.take(said.strip_prefix('&')?)?;
        self.parameters.insert((Place::Query, name.clone()), Part { name, ..part });
        Some(())
    }

    /// `if let Some(value) = x { header_map.append("X", value.to_string().try_into()?); }`
    fn optional_header(&mut self, expr: &syn::ExprIf) -> Option<()> {
        let Expr::Let(condition) = &*expr.cond else { return None };
        if text(&condition.pat) != "Some(value)" || expr.else_branch.is_some() {
            return None;
        }
        let [Stmt::Expr(append, Some(_))] = expr.then_branch.stmts.as_slice() else {
            return None;
        };
        self.header(append, Some(&text(&condition.expr)))
    }

    /// `header_map.append("X", x.to_string().try_into()?);`, or a header whose value is no parameter.
    fn header(&mut self, expr: &Expr, optional: Option<&str>) -> Option<()> {
        let Expr::MethodCall(call) = expr else { return None };
        if Some(text(&call.receiver)) != self.headers || call.method != "append" {
            return None;
        }
        let [key, value] = call.args.iter().collect::<Vec<_>>()[..] else {
            return None;
        };
        if let Some(name) = string(key) {
            let said = text(value);
            let value = said.strip_suffix(".to_string().try_into()?")?;
            let held = match optional {
                Some(held) if value == "value" => held,
                Some(_) => return None,
                None => value,
            };
            let part = self.take(held)?;
            self.parameters.insert((Place::Header, name.to_ascii_lowercase()), Part { name, ..part });
            return Some(());
        }
        let Expr::Call(key) = key else { return None };
        if text(&key.func) != "::reqwest::header::HeaderName::from_static" {
            return None;
        }
        self.constants.push((string(key.args.first()?)?, text(value)));
        Some(())
    }

    fn arm(&mut self, arm: &syn::Arm, success_type: &Type, error_type: &Type) -> Option<()> {
        let number = |expr: &Expr| match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => number.base10_parse::<u16>().ok(),
                _ => None,
            },
            _ => None,
        };
        let (from, to) = match &arm.pat {
            Pat::Lit(literal) => {
                let status = number(&Expr::Lit(literal.clone()))?;
                (status, status)
            }
            Pat::Range(range) if matches!(range.limits, RangeLimits::Closed(_)) => {
                (number(range.start.as_deref()?)?, number(range.end.as_deref()?)?)
            }
            Pat::Wild(_) => (0, u16::MAX),
            _ => return None,
        };
        let response = self.response.clone()?;
        let said = text(only(&arm.body));
        let is = |form: &str| said == form.replace('$', &response);
        let failure = |inner: &str| is(&format!("Err(Error::ErrorResponse(ResponseValue::{inner}))"));
        let (success, decoded) = if is("ResponseValue::from_response($).await") {
            (true, Decoded::Type(self.root(success_type)?))
        } else if is("Ok(ResponseValue::empty($))") {
            (true, Decoded::Nothing)
        } else if is("Ok(ResponseValue::stream($))") {
            (true, Decoded::Bytes)
        } else if failure("from_response($).await?") {
            (false, Decoded::Type(self.root(error_type)?))
        } else if failure("empty($)") {
            (false, Decoded::Nothing)
        } else if failure("stream($)") {
            (false, Decoded::Bytes)
        } else if is("Err(Error::UnexpectedResponse($))") {
            (false, Decoded::Undeclared)
        } else {
            return None;
        };
        // What is made of no body, or of bytes, has a type of its own.
        let made = text(if success { success_type } else { error_type });
        let fits = match decoded {
            Decoded::Nothing => made == "()",
            Decoded::Bytes => made == "ByteStream",
            Decoded::Type(_) | Decoded::Undeclared => true,
        };
        if !fits {
            return None;
        }
        let item = format!("builder::{}::send", self.item.ident);
        let spot = Spot::new(&self.code.file, &arm.pat, item);
        self.arms.push(Arm { spot, from, to, success, decoded });
        Some(())
    }
}

/// The arguments of a macro that takes them as a function does.
fn arguments_of(call: &syn::Macro) -> Option<Vec<Expr>> {
    let arguments = call.parse_body_with(Punctuated::<Expr, syn::Token![,]>::parse_terminated).ok()?;
    Some(arguments.into_iter().collect())
}

/// What `new` sets the fields to.
fn initial_values(new: &ImplItemFn) -> BTreeMap<String, String> {
    let Some(Stmt::Expr(Expr::Struct(expr), None)) = new.block.stmts.first() else {
        return BTreeMap::new();
    };
    let named = expr.fields.iter().filter_map(|field| match &field.member {
        syn::Member::Named(name) => Some((name.to_string(), text(&field.expr))),
        syn::Member::Unnamed(_) => None,
    });
    named.collect()
}

/// Whether a method sets the part of this name, and does nothing else.
fn sets(setter: &ImplItemFn, name: &str) -> bool {
    let [Stmt::Expr(set, Some(_)), Stmt::Expr(this, None)] = setter.block.stmts.as_slice() else {
        return false;
    };
    text(set).starts_with(&format!("self.{name}=value.try_into().map")) && text(this) == "self"
}

/// `T` of `fn name<V>(mut self, value: V) -> Self where V: std::convert::TryInto<T>`.
fn set_type(setter: &ImplItemFn) -> Option<Type> {
    let bounds = setter.sig.generics.where_clause.as_ref()?;
    let WherePredicate::Type(predicate) = bounds.predicates.first()? else {
        return None;
    };
    let syn::TypeParamBound::Trait(bound) = predicate.bounds.first()? else {
        return None;
    };
    let bound = Type::Path(syn::parse_quote!(#bound));
    arguments(&bound, "TryInto")?.first().map(|ty| (*ty).clone())
}

/// `S` and `E` of `Result<ResponseValue<S>, Error<E>>`.
fn reply_types(output: &ReturnType) -> Option<(&Type, &Type)> {
    let ReturnType::Type(_, ty) = output else { return None };
    let [value, error] = arguments(ty, "Result")?[..] else {
        return None;
    };
    let success = *arguments(value, "ResponseValue")?.first()?;
    let error = *arguments(error, "Error")?.first()?;
    Some((success, error))
}
