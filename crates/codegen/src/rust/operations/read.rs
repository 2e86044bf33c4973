//! Reads progenitor's functions statement by statement, and rejects any unknown form.

use quote::ToTokens;
use syn::{
    Expr, ExprMethodCall, File, FnArg, GenericArgument, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Lit,
    Local, Pat, PathArguments, ReturnType, Stmt, Type, parse_quote,
};

/// The version of progenitor whose form is known.
const VERSION: &str = "0.15";

/// A function of the generated client.
pub(super) struct Function {
    pub(super) name: String,
    /// The arguments in order: names, and types that own their values.
    pub(super) arguments: Vec<(syn::Ident, Type)>,
    pub(super) response: Type,
    pub(super) refusal: Type,
    /// The arguments for the path, in the order of the template.
    pub(super) path: Vec<syn::Ident>,
    pub(super) query: Vec<(String, syn::Ident)>,
    pub(super) headers: Vec<(String, syn::Ident)>,
    pub(super) body: Option<Body>,
    pub(super) accepts_json: bool,
    /// The statuses with a match arm of their own.
    pub(super) statuses: Vec<u16>,
}

/// The form in which the body is sent.
pub(super) enum Body {
    Json,
    Form,
    /// Unchanged, with this media type.
    Raw(String),
}

/// Reads all functions of the client, and returns the module with the types.
pub(super) fn read(file: File) -> Result<(ItemMod, Vec<Function>), String> {
    let mut types = None;
    let mut functions = Vec::new();
    for item in file.items {
        match item {
            Item::Mod(module) if module.ident == "types" => types = Some(module),
            Item::Impl(block) if block.trait_.is_none() => operations(&block, &mut functions)?,
            // The client itself, its constructor's types, and re-exports.
            Item::Impl(_) | Item::Struct(_) | Item::Use(_) | Item::Mod(_) => {}
            other => return Err(unknown("an item", &other)),
        }
    }
    let types = types.ok_or_else(|| unknown_form("no module `types`"))?;
    Ok((types, functions))
}

fn operations(block: &ItemImpl, functions: &mut Vec<Function>) -> Result<(), String> {
    for member in &block.items {
        match member {
            ImplItem::Fn(function) if function.sig.asyncness.is_some() => {
                functions.push(read_function(function)?);
            }
            // The constructor of the client.
            ImplItem::Fn(_) => {}
            other => return Err(unknown("a member of the client", other)),
        }
    }
    Ok(())
}

fn read_function(function: &ImplItemFn) -> Result<Function, String> {
    let (response, refusal) = result(&function.sig.output)?;
    let mut read = Function {
        name: function.sig.ident.to_string().trim_start_matches("r#").to_owned(),
        arguments: Vec::new(),
        response,
        refusal,
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        accepts_json: false,
        statuses: Vec::new(),
    };
    for argument in &function.sig.inputs {
        match argument {
            FnArg::Receiver(_) => {}
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(pattern) => read.arguments.push((pattern.ident.clone(), owned(&argument.ty))),
                other => return Err(unknown("an argument", other)),
            },
        }
    }
    let mut statements = function.block.stmts.iter();
    url(statements.next(), &mut read)?;
    for statement in statements.by_ref() {
        match statement {
            Stmt::Local(local) if starts(local, "let mut header_map = ") => {}
            Stmt::Local(local) if text(local).contains(". build () ?") => {
                request(local, &mut read)?;
                break;
            }
            Stmt::Expr(expr, _) => header(expr, &mut read)?,
            other => return Err(unknown("a statement", other)),
        }
    }
    // From here on the function sends the request, which operations do not do.
    match statements.next_back() {
        Some(Stmt::Expr(Expr::Match(responses), _)) => {
            for arm in &responses.arms {
                if let Pat::Lit(syn::ExprLit { lit: Lit::Int(status), .. }) = &arm.pat {
                    read.statuses.extend(status.base10_parse::<u16>());
                }
            }
        }
        other => return Err(unknown("how responses are read", &other)),
    }
    Ok(read)
}

/// Reads `let url = format!("{}/a/{}", self.baseurl, encode_path(&a.to_string()))`.
fn url(statement: Option<&Stmt>, read: &mut Function) -> Result<(), String> {
    let Some(Stmt::Local(Local { init: Some(init), .. })) = statement else {
        return Err(unknown("the URL", &statement));
    };
    let Expr::Macro(call) = &*init.expr else { return Err(unknown("the URL", &init.expr)) };
    let arguments = call
        .mac
        .parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)
        .map_err(|_| unknown("the URL", &call.mac))?;
    for argument in arguments.iter().skip(2) {
        let Expr::Call(encoded) = argument else { return Err(unknown("a value of the path", argument)) };
        let value = match encoded.args.first() {
            Some(Expr::Reference(value)) if text(&encoded.func) == "encode_path" => printed(&value.expr),
            _ => None,
        };
        read.path.push(value.ok_or_else(|| unknown("a value of the path", argument))?);
    }
    Ok(())
}

/// Reads `a.to_string()`.
fn printed(expr: &Expr) -> Option<syn::Ident> {
    let Expr::MethodCall(call) = expr else { return None };
    let Expr::Path(value) = &*call.receiver else { return None };
    (call.method == "to_string").then(|| value.path.get_ident().cloned())?
}

/// Reads `header_map.append("a", a.to_string().try_into()?)`, optionally inside `if let Some(value) = a`.
fn header(expr: &Expr, read: &mut Function) -> Result<(), String> {
    let refuse = || unknown("a header", expr);
    let (append, optional) = match expr {
        Expr::If(optional) => {
            let Expr::Let(condition) = &*optional.cond else { return Err(refuse()) };
            let Expr::Path(value) = &*condition.expr else { return Err(refuse()) };
            let [Stmt::Expr(append, _)] = optional.then_branch.stmts.as_slice() else { return Err(refuse()) };
            (append, Some(value.path.get_ident().cloned().ok_or_else(refuse)?))
        }
        append => (append, None),
    };
    let Expr::MethodCall(call) = append else { return Err(refuse()) };
    if text(&call.receiver) != "header_map" || call.method != "append" || call.args.len() != 2 {
        return Err(refuse());
    }
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(name), .. }) = &call.args[0] else {
        // This header states the version of the API, which the document does not require.
        return if text(&call.args[0]).contains("\"api-version\"") { Ok(()) } else { Err(refuse()) };
    };
    let value = match (&call.args[1], optional) {
        (_, Some(value)) => Some(value),
        (Expr::Try(attempt), None) => match &*attempt.expr {
            Expr::MethodCall(conversion) if conversion.method == "try_into" => printed(&conversion.receiver),
            _ => None,
        },
        _ => None,
    };
    read.headers.push((name.value(), value.ok_or_else(refuse)?));
    Ok(())
}

/// Reads `let mut request = self.client.get(url).query(..).json(&body).headers(header_map).build()?`.
fn request(local: &Local, read: &mut Function) -> Result<(), String> {
    let refuse = |part: &dyn ToTokens| Err(unknown("a part of the request", &part.to_token_stream()));
    let Some(init) = &local.init else { return refuse(local) };
    let Expr::Try(attempt) = &*init.expr else { return refuse(&init.expr) };
    let mut expr = &*attempt.expr;
    let mut media = None;
    loop {
        // A form can cause errors of its own.
        while let Expr::Try(attempt) = expr {
            expr = &attempt.expr;
        }
        let Expr::MethodCall(call) = expr else {
            return if text(expr) == "self . client" { Ok(()) } else { refuse(expr) };
        };
        match call.method.to_string().as_str() {
            "build" | "headers" | "get" | "put" | "post" | "delete" | "options" | "head" | "patch"
            | "trace" => {}
            "query" => read.query.insert(0, query(call)?),
            "json" => read.body = Some(Body::Json),
            "form_urlencoded" => read.body = Some(Body::Form),
            "body" => read.body = Some(Body::Raw(media.take().unwrap_or_default())),
            "header" if text(&call.args[0]).ends_with("ACCEPT") => read.accepts_json = true,
            "header" if text(&call.args[0]).ends_with("CONTENT_TYPE") => media = literal(&call.args[1]),
            _ => return refuse(call),
        }
        if let (Some(Body::Raw(stated)), Some(media)) = (&mut read.body, &media) {
            stated.clone_from(media);
        }
        expr = &call.receiver;
    }
}

/// Reads `&progenitor_client::QueryParam::new("limit", &limit)`.
fn query(call: &ExprMethodCall) -> Result<(String, syn::Ident), String> {
    let refuse = || unknown("a parameter of the query", call);
    let Some(Expr::Reference(parameter)) = call.args.first() else { return Err(refuse()) };
    let Expr::Call(parameter) = &*parameter.expr else { return Err(refuse()) };
    match (parameter.args.first(), parameter.args.get(1)) {
        (Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(name), .. })), Some(Expr::Reference(value))) => {
            let Expr::Path(value) = &*value.expr else { return Err(refuse()) };
            Ok((name.value(), value.path.get_ident().cloned().ok_or_else(refuse)?))
        }
        _ => Err(refuse()),
    }
}

/// Returns the text in `HeaderValue::from_static("..")`.
fn literal(expr: &Expr) -> Option<String> {
    let Expr::Call(call) = expr else { return None };
    match call.args.first()? {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Reads `Result<ResponseValue<Response>, Error<Refusal>>`.
fn result(output: &ReturnType) -> Result<(Type, Type), String> {
    let refuse = || unknown("a result", output);
    let ReturnType::Type(_, whole) = output else { return Err(refuse()) };
    let [response, refusal] = arguments(whole).try_into().map_err(|_| refuse())?;
    let inner = |ty: Type| <[Type; 1]>::try_from(arguments(&ty)).map_err(|_| refuse());
    let [response] = inner(response)?;
    let [refusal] = inner(refusal)?;
    Ok((bytes(response), bytes(refusal)))
}

/// Replaces a stream of bytes, which is read to its end. A connection upgrade has nothing to read.
fn bytes(ty: Type) -> Type {
    match text(&ty).as_str() {
        "ByteStream" => parse_quote!(::std::vec::Vec<u8>),
        "reqwest :: Upgraded" => parse_quote!(()),
        _ => ty,
    }
}

/// Returns the type arguments of the last segment of a path.
pub(crate) fn arguments(ty: &Type) -> Vec<Type> {
    let Type::Path(path) = ty else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(list)) = path.path.segments.last().map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    types.collect()
}

/// Returns a type that owns what this one borrows.
fn owned(ty: &Type) -> Type {
    match ty {
        Type::Reference(reference) if text(&reference.elem) == "str" => parse_quote!(::std::string::String),
        Type::Reference(reference) => match &*reference.elem {
            Type::Slice(list) => {
                let item = owned(&list.elem);
                parse_quote!(::std::vec::Vec<#item>)
            }
            other => owned(other),
        },
        // The body of other media types is any type that converts to one.
        Type::Path(path) if path.path.is_ident("B") => parse_quote!(::std::vec::Vec<u8>),
        Type::Path(path) if path.path.is_ident("String") => parse_quote!(::std::string::String),
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Option") => {
            match <[Type; 1]>::try_from(arguments(ty)) {
                Ok([inner]) => {
                    let inner = owned(&inner);
                    parse_quote!(::std::option::Option<#inner>)
                }
                Err(_) => ty.clone(),
            }
        }
        other => other.clone(),
    }
}

fn starts(local: &Local, beginning: &str) -> bool {
    text(local).starts_with(beginning)
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

fn unknown(what: &str, tokens: &(impl ToTokens + ?Sized)) -> String {
    let shown: String = tokens.to_token_stream().to_string().chars().take(120).collect();
    unknown_form(&format!("{what} is `{shown}`"))
}

fn unknown_form(what: &str) -> String {
    format!("progenitor's output has not the form that version {VERSION} gives it: {what}; use that version")
}
