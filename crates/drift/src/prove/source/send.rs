//! Operators on the client's methods and on the builders that send.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Block, Expr, ExprMatch, ExprMethodCall, File, FnArg, ImplItem, ImplItemFn, Item, Lit, Macro, Stmt, Type,
    parse::Parser,
    parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::{Turn, module};

/// What is done to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Send {
    OperationRemoved,
    BuilderExchanged,
    MethodChanged,
    TextChanged,
    UrlChanged,
    NumberChanged,
    StatementRemoved,
    StatementAdded,
    CallLeftOut,
    CallAdded,
    ArmRemoved,
    ArmAdded,
    OutcomeExchanged,
    ReplyTypeChanged,
    FirstValueChanged,
    ParameterTypeChanged,
    SetterExchanged,
    VersionChanged,
}

const METHODS: [&str; 7] = ["delete", "get", "head", "options", "patch", "post", "put"];

/// Each of the client's methods with its builder, as a file of its own.
pub(super) fn parts(file: &File) -> Vec<(String, File)> {
    let mut parts = Vec::new();
    let builders = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "builder" => module.content.as_ref(),
        _ => None,
    });
    let builders = builders.map(|(_, items)| items.as_slice()).unwrap_or_default();
    for item in &file.items {
        let Item::Impl(item) = item else { continue };
        if item.trait_.is_some() || item.self_ty.to_token_stream().to_string() != "Client" {
            continue;
        }
        for method in item.items.iter().filter(|item| is_operation(item)) {
            let ImplItem::Fn(function) = method else { continue };
            let made = function.block.to_token_stream().to_string().replace(' ', "");
            let of = |item: &&Item| {
                let name = match item {
                    Item::Struct(item) => item.ident.to_string(),
                    Item::Impl(item) => builder_of(&item.self_ty),
                    _ => return false,
                };
                made.contains(&format!("builder::{name}::new"))
            };
            let own: Vec<&Item> = builders.iter().filter(of).collect();
            let file = parse_quote! {
                impl Client { #method }
                pub mod builder { #(#own)* }
            };
            parts.push((function.sig.ident.to_string(), file));
        }
    }
    parts
}

/// The name of a type without its lifetime.
fn builder_of(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

/// Whether it is a method that takes the client by reference.
fn is_operation(item: &ImplItem) -> bool {
    match item {
        ImplItem::Fn(function) => matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_))),
        _ => false,
    }
}

impl Send {
    pub(super) const ALL: &[Self] = &[
        Self::OperationRemoved,
        Self::BuilderExchanged,
        Self::MethodChanged,
        Self::TextChanged,
        Self::UrlChanged,
        Self::NumberChanged,
        Self::StatementRemoved,
        Self::StatementAdded,
        Self::CallLeftOut,
        Self::CallAdded,
        Self::ArmRemoved,
        Self::ArmAdded,
        Self::OutcomeExchanged,
        Self::ReplyTypeChanged,
        Self::FirstValueChanged,
        Self::ParameterTypeChanged,
        Self::SetterExchanged,
        Self::VersionChanged,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OperationRemoved => "operation removed",
            Self::BuilderExchanged => "builder of another operation",
            Self::MethodChanged => "method swapped",
            Self::TextChanged => "text in `send` changed",
            Self::UrlChanged => "URL made otherwise",
            Self::NumberChanged => "status of an arm changed",
            Self::StatementRemoved => "statement of `send` removed",
            Self::StatementAdded => "statement of `send` added",
            Self::CallLeftOut => "call in `send` left out",
            Self::CallAdded => "header added",
            Self::ArmRemoved => "arm removed",
            Self::ArmAdded => "arm added",
            Self::OutcomeExchanged => "arm with another outcome",
            Self::ReplyTypeChanged => "reply of another type",
            Self::FirstValueChanged => "parameter required or optional",
            Self::ParameterTypeChanged => "parameter of another type",
            Self::SetterExchanged => "setter sets another part",
            Self::VersionChanged => "version changed",
        }
    }

    pub(super) fn visit(self, file: &mut File, turn: &mut Turn) {
        match self {
            Self::OperationRemoved | Self::BuilderExchanged => self.of_client(file, turn),
            Self::VersionChanged => version(file, turn),
            _ => {
                let Some(items) = module(file, "builder") else { return };
                for item in items {
                    let Item::Impl(item) = item else { continue };
                    let owner = builder_of(&item.self_ty);
                    let parts = setters(&item.items);
                    for function in &mut item.items {
                        if let ImplItem::Fn(function) = function {
                            self.of_function(function, &owner, &parts, turn);
                        }
                    }
                }
            }
        }
    }

    /// The methods that take the client by reference.
    fn of_client(self, file: &mut File, turn: &mut Turn) {
        for item in &mut file.items {
            let Item::Impl(item) = item else { continue };
            if item.trait_.is_some() || item.self_ty.to_token_stream().to_string() != "Client" {
                continue;
            }
            let operations: Vec<usize> =
                (0..item.items.len()).filter(|index| is_operation(&item.items[*index])).collect();
            let name = |item: &ImplItem| match item {
                ImplItem::Fn(function) => function.sig.ident.to_string(),
                _ => String::new(),
            };
            for (position, index) in operations.iter().enumerate().rev() {
                let place = format!("Client::{}", name(&item.items[*index]));
                if self == Self::OperationRemoved {
                    if turn.here(|| place) {
                        item.items.remove(*index);
                    }
                    continue;
                }
                let other = item.items[operations[(position + 1) % operations.len()]].clone();
                if operations.len() > 1
                    && turn.here(|| place)
                    && let (ImplItem::Fn(function), ImplItem::Fn(other)) = (&mut item.items[*index], other)
                {
                    function.block = other.block;
                }
            }
        }
    }

    fn of_function(self, function: &mut ImplItemFn, owner: &str, parts: &[String], turn: &mut Turn) {
        let name = function.sig.ident.to_string();
        let place = format!("builder::{owner}::{name}");
        if name == "send" {
            if self == Self::ReplyTypeChanged {
                return reply_types(function, &place, turn);
            }
            Walk { change: self, place, turn }.visit_block_mut(&mut function.block);
        } else if name == "new" && self == Self::FirstValueChanged {
            Walk { change: self, place, turn }.visit_block_mut(&mut function.block);
        } else if parts.contains(&name) {
            match self {
                Self::ParameterTypeChanged => parameter_type(function, &place, turn),
                Self::SetterExchanged => {
                    if let Some(other) = parts.iter().find(|other| **other != name)
                        && turn.here(|| place)
                    {
                        let mut names = Names { from: &name, to: other };
                        names.visit_block_mut(&mut function.block);
                    }
                }
                _ => {}
            }
        }
    }
}

/// The builder's methods that set a part of the request.
fn setters(items: &[ImplItem]) -> Vec<String> {
    let functions = items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if function.sig.generics.where_clause.is_some() => Some(function),
        _ => None,
    });
    functions.map(|function| function.sig.ident.to_string()).filter(|name| !name.ends_with("_map")).collect()
}

fn version(file: &mut File, turn: &mut Turn) {
    for item in &mut file.items {
        let Item::Impl(item) = item else { continue };
        for function in &mut item.items {
            if let ImplItem::Fn(function) = function
                && function.sig.ident == "api_version"
                && turn.here(|| "Client::api_version".to_owned())
            {
                function.block = parse_quote!({ "0.0.0-drift" });
            }
        }
    }
}

/// Exchanges each of the types in `Result<ResponseValue<S>, Error<E>>`.
fn reply_types(function: &mut ImplItemFn, place: &str, turn: &mut Turn) {
    let syn::ReturnType::Type(_, ty) = &mut function.sig.output else { return };
    let text = ty.to_token_stream().to_string().replace(' ', "");
    for outer in ["ResponseValue<", "Error<"] {
        let Some(start) = text.find(outer).map(|start| start + outer.len()) else { continue };
        let Some(end) = text[start..].find('>').map(|end| start + end) else { continue };
        if turn.here(|| format!("{place}: {outer}{}>", &text[start..end])) {
            let other = if &text[start..end] == "()" { "::std::string::String" } else { "()" };
            let changed = format!("{}{other}{}", &text[..start], &text[end..]);
            if let Ok(changed) = syn::parse_str::<Type>(&changed) {
                **ty = changed;
            }
        }
    }
}

fn parameter_type(function: &mut ImplItemFn, place: &str, turn: &mut Turn) {
    let bounds = function.sig.generics.where_clause.as_mut();
    let Some(syn::WherePredicate::Type(predicate)) = bounds.and_then(|bounds| bounds.predicates.first_mut())
    else {
        return;
    };
    if turn.here(|| place.to_owned()) {
        let text = predicate.to_token_stream().to_string();
        let other: Type = if text.contains("bool") { parse_quote!(i64) } else { parse_quote!(bool) };
        predicate.bounds = parse_quote!(std::convert::TryInto<#other>);
    }
}

/// Gives what one name stands for another.
struct Names<'n> {
    from: &'n str,
    to: &'n str,
}

impl VisitMut for Names<'_> {
    fn visit_member_mut(&mut self, member: &mut syn::Member) {
        if let syn::Member::Named(name) = member
            && *name == self.from
        {
            *name = quote::format_ident!("{}", self.to);
        }
    }
}

/// Goes through a function.
struct Walk<'t> {
    change: Send,
    place: String,
    turn: &'t mut Turn,
}

impl Walk<'_> {
    fn here(&mut self, what: impl FnOnce() -> String) -> bool {
        let place = &self.place;
        self.turn.here(|| format!("{place}: {}", what()))
    }

    /// Exchanges one piece of `client.inner.url(client, format_args!(..))`.
    fn of_url(&mut self, call: &mut ExprMethodCall) {
        let (sender, client, path) = (&call.receiver, &call.args[0], &call.args[1]);
        let others: [ExprMethodCall; 6] = [
            parse_quote!(drift.inner.url(#client, #path)),
            parse_quote!(client.url(#client, #path)),
            parse_quote!(#sender.drift(#client, #path)),
            parse_quote!(#sender.url(drift, #path)),
            parse_quote!(#sender.url(#client, format_args!("{}", #path))),
            parse_quote!(#sender.url(#client, #path, #path)),
        ];
        for other in others {
            if self.here(|| text(&other)) {
                *call = other;
                return;
            }
        }
    }
}

fn text(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string().replace(' ', "");
    text.chars().take(60).collect()
}

impl VisitMut for Walk<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        match self.change {
            Send::StatementRemoved => {
                for index in (0..block.stmts.len()).rev() {
                    let said = text(&block.stmts[index]);
                    if self.here(|| said) {
                        block.stmts.remove(index);
                    }
                }
                return;
            }
            Send::StatementAdded => {
                let statements: [Stmt; 2] = [
                    parse_quote!(request.headers_mut().clear();),
                    parse_quote!(let url = url.to_lowercase();),
                ];
                for statement in statements {
                    if self.here(|| text(&statement)) {
                        // Before the last statements: the reply is read there.
                        let index = block.stmts.len().saturating_sub(6);
                        block.stmts.insert(index, statement);
                    }
                }
                return;
            }
            _ => {}
        }
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match (self.change, &*expr) {
            (Send::CallLeftOut, Expr::MethodCall(call)) => {
                let receiver = (*call.receiver).clone();
                if self.here(|| format!(".{}({})", call.method, text(&call.args))) {
                    *expr = receiver;
                }
            }
            (Send::CallAdded, Expr::MethodCall(call)) if call.method == "build" => {
                let receiver = (*call.receiver).clone();
                if self.here(|| "x-drift".to_owned()) {
                    *expr = parse_quote! {
                        #receiver
                            .header("x-drift", ::reqwest::header::HeaderValue::from_static("1"))
                            .build()
                    };
                }
            }
            (Send::FirstValueChanged, Expr::Call(call)) => {
                let other: Option<Expr> = match text(call).as_str() {
                    "Ok(None)" => Some(parse_quote!(Err("drift was not initialized".to_string()))),
                    said if said.starts_with("Err(") => Some(parse_quote!(Ok(None))),
                    _ => None,
                };
                if let Some(other) = other
                    && self.here(|| text(expr))
                {
                    *expr = other;
                }
            }
            _ => {}
        }
    }

    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        let sent = text(&call.args) == "url" && METHODS.iter().any(|method| call.method == method);
        if self.change == Send::MethodChanged && sent {
            for other in METHODS.iter().filter(|other| call.method != *other) {
                let known = call.method.clone();
                if self.here(|| format!("{known} as {other}")) {
                    call.method = quote::format_ident!("{other}");
                    return;
                }
            }
        }
        if self.change == Send::UrlChanged && call.method == "url" && call.args.len() == 2 {
            self.of_url(call);
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }

    fn visit_lit_mut(&mut self, literal: &mut Lit) {
        let changed: Lit = match (self.change, &*literal) {
            (Send::TextChanged, Lit::Str(known)) => {
                let changed = format!("{}drift", known.value());
                parse_quote!(#changed)
            }
            // How much room there is for headers.
            (Send::NumberChanged, Lit::Int(number)) if number.suffix() == "usize" => return,
            (Send::NumberChanged, Lit::Int(number)) if text(number) == "418u16" => parse_quote!(419u16),
            (Send::NumberChanged, Lit::Int(_)) => parse_quote!(418u16),
            _ => return,
        };
        if self.here(|| text(literal)) {
            *literal = changed;
        }
    }

    /// The arguments of `format!` are tokens to the parser.
    fn visit_macro_mut(&mut self, item: &mut Macro) {
        let parser = Punctuated::<Expr, syn::Token![,]>::parse_terminated;
        if let Ok(mut arguments) = parser.parse2(item.tokens.clone()) {
            for argument in &mut arguments {
                self.visit_expr_mut(argument);
            }
            item.tokens = arguments.to_token_stream();
        }
    }

    fn visit_expr_match_mut(&mut self, expr: &mut ExprMatch) {
        match self.change {
            Send::ArmRemoved => {
                for index in (0..expr.arms.len()).rev() {
                    let said = text(&expr.arms[index].pat);
                    // The last one stands for all statuses that are not declared, which no document does.
                    if said != "_" && self.here(|| said) {
                        expr.arms.remove(index);
                    }
                }
            }
            Send::ArmAdded => {
                let added: [TokenStream; 2] = [
                    quote::quote!(418u16 => ResponseValue::from_response(response).await,),
                    quote::quote!(418u16 => Err(Error::ErrorResponse(ResponseValue::empty(response))),),
                ];
                for arm in added {
                    if self.here(|| text(&arm))
                        && let Ok(arm) = syn::parse2(arm)
                    {
                        expr.arms.insert(0, arm);
                    }
                }
            }
            Send::OutcomeExchanged => {
                for arm in &mut expr.arms {
                    let outcomes: [Expr; 5] = [
                        parse_quote!(ResponseValue::from_response(response).await),
                        parse_quote!(Ok(ResponseValue::empty(response))),
                        parse_quote!(Ok(ResponseValue::stream(response))),
                        parse_quote!(Err(Error::ErrorResponse(ResponseValue::empty(response)))),
                        parse_quote!(Err(Error::UnexpectedResponse(response))),
                    ];
                    for outcome in outcomes {
                        if text(&outcome) != text(&arm.body)
                            && self.here(|| format!("{} gives {}", text(&arm.pat), text(&outcome)))
                        {
                            *arm.body = outcome;
                        }
                    }
                }
            }
            _ => {}
        }
        visit_mut::visit_expr_match_mut(self, expr);
    }
}
