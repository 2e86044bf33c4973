//! Reads from the generated Rust everything that programs depend on: types with their fields and variants, signatures, traits, the id and
//! the credential of each operation, and how the variants of a response are told apart.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{
    Expr, Fields, File, ImplItem, Item, ItemImpl, Lit, Signature, Type, Visibility, parse_quote,
    visit::{self, Visit},
};

use crate::spec::attempt::Made;

/// The part of the Rust code that a fact belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// A type of this name.
    Type(String),
    /// The operation of this name, and the methods of resources that return a call of it.
    Operation(String),
    /// The credential that the operation of this name sends.
    Credential(String),
    /// A handle of resources of this name.
    Handle(String),
}

/// The members by their names, without the name of a type in front, each with the rest of its signature. Together they read like Rust.
pub(super) type Facts = BTreeMap<String, String>;

/// Everything that programs depend on.
#[derive(Debug, Default)]
pub(super) struct Surface {
    pub(super) facts: BTreeMap<Owner, Facts>,
    /// The method and the path of each operation.
    pub(super) operations: BTreeMap<String, (String, String)>,
}

/// The variants of an enum and their tags, as they are read. Names in Rust have no spaces, so this is not one of them.
const READING: &str = " in a response";

impl Surface {
    /// Reads the generated code, the resources only if asked to.
    pub(super) fn new(made: &Made, resources: bool) -> Option<Self> {
        let mut surface = Self::default();
        for (name, items) in modules(syn::parse_file(&made.rust).ok()?) {
            match name.as_str() {
                "types" => items.iter().for_each(|item| surface.item(item, Owner::Type)),
                "operations" => items.iter().for_each(|item| surface.item(item, Owner::Operation)),
                _ => {}
            }
        }
        if resources {
            for item in syn::parse_file(&made.resources).ok()?.items {
                if let Item::Impl(block) = item {
                    surface.resource(&block);
                }
            }
        }
        surface.keep_readings();
        Some(surface)
    }

    pub(super) fn has_type(&self, name: &str) -> bool {
        self.facts.contains_key(&Owner::Type(name.to_owned()))
    }

    fn add(&mut self, owner: &Owner, member: impl Into<String>, rest: impl Into<String>) {
        let member = match owner {
            Owner::Operation(name) => format!("operations::{name}{}", member.into()),
            _ => member.into(),
        };
        self.facts.entry(owner.clone()).or_default().insert(member, rest.into());
    }

    fn item(&mut self, item: &Item, owner: fn(String) -> Owner) {
        match item {
            Item::Struct(item) => {
                let owner = owner(item.ident.to_string());
                self.add(&owner, "", ", a struct");
                for (index, field) in item.fields.iter().enumerate() {
                    if matches!(field.vis, Visibility::Public(_)) {
                        let name = field.ident.as_ref().map_or(index.to_string(), ToString::to_string);
                        self.add(&owner, format!(".{name}"), format!(": {}", text(&field.ty)));
                    }
                }
            }
            Item::Enum(item) => {
                let owner = owner(item.ident.to_string());
                self.add(&owner, "", ", an enum");
                for variant in &item.variants {
                    let fields = match &variant.fields {
                        Fields::Unit => String::new(),
                        fields => text(fields),
                    };
                    self.add(&owner, format!("::{}", variant.ident), fields);
                }
            }
            Item::Type(item) => {
                self.add(&owner(item.ident.to_string()), "", format!(" = {}", text(&item.ty)));
            }
            Item::Impl(block) => {
                if let Some(name) = last(&block.self_ty) {
                    self.block(block, &owner(name));
                }
            }
            Item::Macro(item)
                if item.mac.path.segments.last().is_some_and(|last| last.ident == "open_enum") =>
            {
                if let Some(name) = item.mac.tokens.clone().into_iter().next() {
                    let owner = owner(name.to_string());
                    for block in open_enum(&name) {
                        self.block(&block, &owner);
                    }
                }
            }
            _ => {}
        }
    }

    fn block(&mut self, block: &ItemImpl, owner: &Owner) {
        let of_trait = block.trait_.as_ref().map(|(path, _)| path);
        let name = of_trait.and_then(|path| path.segments.last()).map(|last| last.ident.to_string());
        match (of_trait, name.as_deref()) {
            // The type decides whether these are derived or written out.
            (_, Some("Debug" | "Serialize")) => return,
            (_, Some("Deserialize")) => {
                let mut reading = Reading::default();
                reading.visit_item_impl(block);
                if !reading.0.is_empty() {
                    let variants: Vec<String> = reading.0.into_iter().collect();
                    self.add(owner, READING, format!(": {}", variants.join(", ")));
                }
                return;
            }
            (Some(path), _) => self.add(owner, format!(": {}", text(path)), ""),
            (None, _) => {}
        }
        for item in &block.items {
            match item {
                ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
                    self.add(owner, format!("::{}", method.sig.ident), signature(&method.sig));
                }
                ImplItem::Type(item) => {
                    self.add(owner, format!("::{}", item.ident), format!(" = {}", text(&item.ty)));
                }
                ImplItem::Const(item) if item.ident == "SPEC" => self.spec(&item.expr, owner),
                _ => {}
            }
        }
    }

    /// Reads `&Spec::new(id, method, path)` and the calls that follow.
    fn spec(&mut self, spec: &Expr, owner: &Owner) {
        let Owner::Operation(name) = owner else { return };
        let mut spec = spec;
        loop {
            match spec {
                Expr::Reference(inner) => spec = &inner.expr,
                Expr::MethodCall(call) => {
                    if call.method == "bearer" || call.method == "credential" {
                        let credential = format!("{}({})", call.method, text(&call.args));
                        self.add(
                            &Owner::Credential(name.clone()),
                            format!("operations::{name} sends "),
                            credential,
                        );
                    }
                    spec = &call.receiver;
                }
                Expr::Call(call) => {
                    let literal = |index: usize| match call.args.get(index) {
                        Some(Expr::Lit(literal)) => match &literal.lit {
                            Lit::Str(text) => Some(text.value()),
                            _ => None,
                        },
                        _ => None,
                    };
                    let method = call.args.get(1).map(text).unwrap_or_default();
                    let method = method.rsplit("::").next().unwrap_or_default().to_lowercase();
                    if let (Some(id), Some(path)) = (literal(0), literal(2)) {
                        // An operation that is stored is found again by its id.
                        self.add(owner, " has the id ", id);
                        self.operations.insert(name.clone(), (method, path));
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    /// Reads the methods of a handle, or the setters of a call.
    fn resource(&mut self, block: &ItemImpl) {
        let whole = text(&block.self_ty);
        let Some(name) = last(&block.self_ty).filter(|_| block.trait_.is_none()) else { return };
        // The blocking client has the same handles.
        if whole.starts_with("blocking::") {
            return;
        }
        for item in &block.items {
            let ImplItem::Fn(method) = item else { continue };
            if !matches!(method.vis, Visibility::Public(_)) {
                continue;
            }
            let rest = signature(&method.sig);
            let operation = |text: &str| Some(words(text.split_once("operations::")?.1).next()?.to_owned());
            let operation = operation(&whole).or_else(|| operation(&text(&method.sig.output)));
            let owner = operation.map_or(Owner::Handle(name.clone()), Owner::Operation);
            let member = format!("{whole}::{}", method.sig.ident);
            self.facts.entry(owner).or_default().insert(member, rest);
        }
    }

    /// Forgets how types are read that are only sent.
    fn keep_readings(&mut self) {
        let mut read: BTreeSet<String> = BTreeSet::new();
        let mut open: Vec<String> = Vec::new();
        for (owner, facts) in &self.facts {
            if let Owner::Operation(name) = owner {
                let response = ["Response", "Refusal"].map(|ty| format!("operations::{name}::{ty}"));
                open.extend(response.iter().filter_map(|member| facts.get(member)).cloned());
            }
        }
        while let Some(text) = open.pop() {
            for name in words(&text) {
                if let Some(facts) = self.facts.get(&Owner::Type(name.to_owned()))
                    && read.insert(name.to_owned())
                {
                    open.extend(facts.values().cloned());
                }
            }
        }
        for (owner, facts) in &mut self.facts {
            if !matches!(owner, Owner::Type(name) if read.contains(name)) {
                facts.remove(READING);
            }
        }
    }
}

/// The variants that a union is read as, each with its tag.
#[derive(Default)]
struct Reading(BTreeSet<String>);

impl<'a> Visit<'a> for Reading {
    fn visit_expr_array(&mut self, array: &'a syn::ExprArray) {
        for variant in &array.elems {
            let mut tag = String::new();
            let mut call = variant;
            while let Expr::MethodCall(outer) = call {
                if let (true, Some(Expr::Closure(condition))) = (outer.method == "tagged", outer.args.first())
                {
                    tag = format!(" if {}", text(&condition.body));
                }
                call = &outer.receiver;
            }
            let constructor = text(call);
            if let Some((_, name)) = constructor.split_once("Self::") {
                self.0.extend(words(name).next().map(|name| format!("{name}{tag}")));
            }
        }
        visit::visit_expr_array(self, array);
    }
}

/// Returns what the macro `open_enum!` implements for a type, as far as programs depend on it.
fn open_enum(name: &impl ToTokens) -> [ItemImpl; 4] {
    [
        parse_quote!(impl #name { pub fn as_str(&self) -> &str {} }),
        parse_quote!(impl ::std::convert::From<&str> for #name {}),
        parse_quote!(impl ::std::convert::From<::std::string::String> for #name {}),
        parse_quote!(impl ::std::fmt::Display for #name {}),
    ]
}

fn modules(file: File) -> impl Iterator<Item = (String, Vec<Item>)> {
    file.items.into_iter().filter_map(|item| match item {
        Item::Mod(module) => Some((module.ident.to_string(), module.content?.1)),
        _ => None,
    })
}

/// Returns the last name of a type's path.
fn last(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        _ => None,
    }
}

/// Returns a signature after the name.
fn signature(method: &Signature) -> String {
    let Signature { generics, inputs, output, .. } = method;
    format!("{}({}){}", text(generics), text(inputs), text(output))
}

/// Returns names and whatever is between them, without white space.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text.trim_start();
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end =
            if is_name(first) { rest.find(|c| !is_name(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(word)
    })
}

/// Returns the tokens in the usual notation, with the standard library's types by their names.
fn text(tokens: impl ToTokens) -> String {
    const NOTATION: [(&str, &str); 17] = [
        (" :: ", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" : ", ": "),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (",)", ")"),
        (" [", "["),
        ("-> ", " -> "),
        ("::std::option::", ""),
        ("::std::string::", ""),
        ("::std::vec::", ""),
    ];
    let tokens = tokens.to_token_stream().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    NOTATION.iter().fold(tokens, |text, (from, to)| text.replace(from, to))
}
