//! Operators on operations: on everything in the source of an operation.

use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprMethodCall, Fields, File, GenericArgument, ImplItem, Item, ItemImpl, Lit, Member,
    Path, PathArguments, Stmt, Type, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::{Turn, module};
use crate::code::of_macro;

/// Changes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operations {
    Removed,
    LeftOutOfATable,
    MethodChanged,
    TextChanged,
    NumberChanged,
    FactLeftOut,
    FactAdded,
    PlaceChanged,
    RulesExchanged,
    StatementRemoved,
    StatementAdded,
    FieldExchanged,
    FieldTypeChanged,
    FieldMadeOptional,
    FieldMadeRequired,
    TypeChanged,
    TraitRemoved,
    TraitAdded,
    AttributeDropped,
    FunctionRemoved,
}

/// Returns each operation as a separate file.
pub(super) fn parts(file: &File) -> Vec<(String, File)> {
    let items = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "operations" => module.content.as_ref(),
        _ => None,
    });
    let items = items.map(|(_, items)| items.as_slice()).unwrap_or_default();
    let part = |item: &Item| {
        let Item::Struct(item) = item else { return None };
        let name = item.ident.to_string();
        let of = |item: &&Item| match item {
            Item::Struct(item) => item.ident == name,
            Item::Impl(item) => item.self_ty.to_token_stream().to_string() == name,
            Item::Macro(item) => of_macro(item).is_some_and(|(owner, _)| owner == name),
            _ => false,
        };
        let own: Vec<&Item> = items.iter().filter(of).collect();
        Some((name.clone(), parse_quote!(pub mod operations { #(#own)* })))
    };
    items.iter().filter_map(part).collect()
}

impl Operations {
    pub(super) const ALL: &[Self] = &[
        Self::Removed,
        Self::LeftOutOfATable,
        Self::MethodChanged,
        Self::TextChanged,
        Self::NumberChanged,
        Self::FactLeftOut,
        Self::FactAdded,
        Self::PlaceChanged,
        Self::RulesExchanged,
        Self::StatementRemoved,
        Self::StatementAdded,
        Self::FieldExchanged,
        Self::FieldTypeChanged,
        Self::FieldMadeOptional,
        Self::FieldMadeRequired,
        Self::TypeChanged,
        Self::TraitRemoved,
        Self::TraitAdded,
        Self::AttributeDropped,
        Self::FunctionRemoved,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Removed => "operation removed",
            Self::LeftOutOfATable => "operation left out of a table",
            Self::MethodChanged => "method swapped",
            Self::TextChanged => "text of an operation changed",
            Self::NumberChanged => "number of an operation changed",
            Self::FactLeftOut => "fact of an operation left out",
            Self::FactAdded => "fact of an operation added",
            Self::PlaceChanged => "parameter in another place",
            Self::RulesExchanged => "rules of another value",
            Self::StatementRemoved => "statement removed",
            Self::StatementAdded => "statement added",
            Self::FieldExchanged => "another field",
            Self::FieldTypeChanged => "parameter of another type",
            Self::FieldMadeOptional => "parameter made optional",
            Self::FieldMadeRequired => "parameter made required",
            Self::TypeChanged => "body or response of another type",
            Self::TraitRemoved => "trait removed",
            Self::TraitAdded => "trait added",
            Self::AttributeDropped => "attribute of an operation dropped",
            Self::FunctionRemoved => "function removed",
        }
    }

    /// Returns whether it concerns more than one operation.
    pub(super) fn is_of_whole(self) -> bool {
        matches!(self, Self::Removed | Self::LeftOutOfATable)
    }

    pub(super) fn visit(self, file: &mut File, turn: &mut Turn) {
        let Some(items) = module(file, "operations") else { return };
        match self {
            Self::Removed => {
                let names: Vec<Option<String>> = items.iter().map(struct_name).collect();
                for name in names.into_iter().flatten() {
                    if turn.here(|| name.clone()) {
                        items.retain(|item| !is_of(item, &name));
                    }
                }
            }
            Self::TraitRemoved => {
                for index in (0..items.len()).rev() {
                    let Item::Impl(item) = &items[index] else { continue };
                    let name = text(&item.trait_.as_ref().map(|(path, _)| path.clone()));
                    let known = ["Lookup", "Paged", "CursorPaged", "OffsetPaged"].contains(&name.as_str());
                    let place = place(&item.self_ty, &name);
                    if known && turn.here(|| place) {
                        items.remove(index);
                    }
                }
            }
            Self::TraitAdded => {
                let names: Vec<String> = items.iter().filter_map(struct_name).collect();
                for name in names {
                    let of = format!("impl Lookup for {name} {{}}");
                    let added: ItemImpl =
                        syn::parse_str(&of).unwrap_or_else(|_| parse_quote!(impl Lookup for X {}));
                    let has = items.iter().any(|item| matches!(item, Item::Impl(item) if item.trait_ == added.trait_ && item.self_ty == added.self_ty));
                    if !has && turn.here(|| format!("operations::{name}")) {
                        items.push(Item::Impl(added));
                    }
                }
            }
            _ => {
                for item in items {
                    self.item(item, turn);
                }
            }
        }
    }

    fn item(self, item: &mut Item, turn: &mut Turn) {
        match item {
            Item::Struct(item) => {
                let owner = item.ident.to_string();
                if self == Self::AttributeDropped {
                    let all = std::iter::once(&mut item.attrs)
                        .chain(item.fields.iter_mut().map(|field| &mut field.attrs));
                    all.for_each(|attrs| drop_one(attrs, &owner, turn));
                }
                if let Fields::Named(fields) = &mut item.fields {
                    for field in &mut fields.named {
                        self.field(field, &owner, turn);
                    }
                }
            }
            Item::Impl(item) => {
                let owner = place(&item.self_ty, "");
                if self == Self::FunctionRemoved {
                    for index in (0..item.items.len()).rev() {
                        let ImplItem::Fn(function) = &item.items[index] else { continue };
                        let name = function.sig.ident.to_string();
                        if turn.here(|| format!("{owner}{name}")) {
                            item.items.remove(index);
                        }
                    }
                }
                for inner in &mut item.items {
                    if let (Self::TypeChanged, ImplItem::Type(inner)) = (self, &mut *inner)
                        && turn.here(|| format!("{owner}{}", inner.ident))
                    {
                        inner.ty = super::types::other(&inner.ty);
                    }
                    Inner { operator: self, owner: &owner, turn }.visit_impl_item_mut(inner);
                }
            }
            // The tables.
            Item::Const(_) | Item::Fn(_) if self == Self::LeftOutOfATable => {
                Inner { operator: self, owner: "operations::", turn }.visit_item_mut(item);
            }
            _ => {}
        }
    }

    fn field(self, field: &mut syn::Field, owner: &str, turn: &mut Turn) {
        let inner = optional(&field.ty);
        let applies = match self {
            Self::FieldTypeChanged => true,
            Self::FieldMadeOptional => inner.is_none(),
            Self::FieldMadeRequired => inner.is_some(),
            _ => false,
        };
        let name = text(&field.ident);
        if !applies || !turn.here(|| format!("operations::{owner}::{name}")) {
            return;
        }
        let ty = &field.ty;
        field.ty = match (self, inner) {
            (Self::FieldMadeRequired, Some(inner)) => inner,
            (Self::FieldMadeOptional, _) => parse_quote!(Option<#ty>),
            _ => super::types::other(ty),
        };
    }
}

fn text(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}

fn place(ty: &Type, member: &str) -> String {
    format!("operations::{}::{member}", text(ty))
}

fn struct_name(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn is_of(item: &Item, name: &str) -> bool {
    match item {
        Item::Struct(item) => item.ident == name,
        Item::Impl(item) => text(&item.self_ty) == name,
        Item::Macro(item) => of_macro(item).is_some_and(|(owner, _)| owner == name),
        _ => false,
    }
}

/// Returns `T` of `Option<T>`.
fn optional(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else { return None };
    match generic.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

fn drop_one(attrs: &mut Vec<Attribute>, owner: &str, turn: &mut Turn) {
    for index in (0..attrs.len()).rev() {
        let read = !attrs[index].path().is_ident("doc") && !attrs[index].path().is_ident("deprecated");
        if read && turn.here(|| format!("operations::{owner}")) {
            attrs.remove(index);
        }
    }
}

/// Changes the content of a function or a constant.
struct Inner<'t> {
    operator: Operations,
    owner: &'t str,
    turn: &'t mut Turn,
}

impl Inner<'_> {
    fn here(&mut self, what: impl FnOnce() -> String) -> bool {
        let owner = self.owner;
        self.turn.here(|| format!("{owner}{}", what()))
    }
}

impl VisitMut for Inner<'_> {
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}

    fn visit_path_mut(&mut self, path: &mut Path) {
        visit_mut::visit_path_mut(self, path);
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let other: Option<Path> = match (self.operator, names.as_slice()) {
            (Operations::MethodChanged, ["Method", "PUT"]) => Some(parse_quote!(Method::POST)),
            (Operations::MethodChanged, ["Method", _]) => Some(parse_quote!(Method::PUT)),
            (Operations::PlaceChanged, ["Place", "Query"]) => Some(parse_quote!(Place::Header)),
            (Operations::PlaceChanged, ["Place", _]) => Some(parse_quote!(Place::Query)),
            (Operations::RulesExchanged, ["rules", _]) => Some(parse_quote!(rules::DRIFT_NEW)),
            _ => None,
        };
        if let Some(other) = other
            && self.here(|| names.join("::"))
        {
            *path = other;
        }
    }

    fn visit_lit_mut(&mut self, literal: &mut Lit) {
        match (self.operator, &*literal) {
            (Operations::TextChanged, Lit::Str(known)) => {
                let known = known.value();
                if self.here(|| known.clone()) {
                    let changed = format!("{known}drift");
                    *literal = parse_quote!(#changed);
                }
            }
            (Operations::NumberChanged, Lit::Int(known)) => {
                let known = known.base10_digits().to_owned();
                if self.here(|| known) {
                    *literal = parse_quote!(77);
                }
            }
            _ => {}
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let is_spec = |expr: &Expr| text(expr).starts_with("Spec::new(");
        if let (Operations::FactLeftOut, Expr::MethodCall(ExprMethodCall { receiver, method, .. })) =
            (self.operator, &*expr)
            && is_spec(receiver)
        {
            let (name, rest) = (method.to_string(), (**receiver).clone());
            if self.here(|| name) {
                *expr = rest;
            }
        }
        if let (Operations::FactAdded, Expr::Reference(reference)) = (self.operator, &mut *expr)
            && is_spec(&reference.expr)
        {
            let spec = reference.expr.clone();
            let said = text(&spec);
            let facts: [Expr; 5] = [
                parse_quote!(#spec.idempotent()),
                parse_quote!(#spec.server("https://drift.example.com")),
                parse_quote!(#spec.credential(Credential::Header("X-Drift"))),
                parse_quote!(#spec.response(Format::Bytes)),
                parse_quote!(#spec.verdict(Verdict::new(&["drift"], &["drift"]))),
            ];
            for (fact, name) in
                facts.into_iter().zip(["idempotent", "server", "credential", "response", "verdict"])
            {
                let known = said.contains(&format!(".{name}("))
                    || (name == "credential" && said.contains(".bearer()"));
                if !known && self.here(|| name.to_owned()) {
                    *reference.expr = fact;
                }
            }
        }
        if let (Operations::LeftOutOfATable, Expr::Array(array)) = (self.operator, &mut *expr) {
            for index in (0..array.elems.len()).rev() {
                let name = text(&array.elems[index]);
                if self.here(|| name) {
                    super::types::remove(&mut array.elems, index);
                }
            }
        }
        if let (Operations::LeftOutOfATable, Expr::Match(arms)) = (self.operator, &mut *expr) {
            for index in (0..arms.arms.len()).rev() {
                let name = text(&arms.arms[index].pat);
                if self.here(|| name) {
                    arms.arms.remove(index);
                }
            }
        }
        if let (Operations::FieldExchanged, Expr::Field(field)) = (self.operator, &mut *expr) {
            let name = text(&field.member);
            if self.here(|| name) {
                field.member = Member::Named(parse_quote!(drift_new));
            }
        }
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        visit_mut::visit_block_mut(self, block);
        match self.operator {
            Operations::StatementRemoved => {
                for index in (0..block.stmts.len()).rev() {
                    let said = text(&block.stmts[index]);
                    if self.here(|| said) {
                        block.stmts.remove(index);
                    }
                }
            }
            #[allow(clippy::collapsible_match, reason = "a guard cannot change what is matched")]
            Operations::StatementAdded => {
                if self.here(|| "first".to_owned()) {
                    let added: Stmt = parse_quote!(let drift_new = 0;);
                    block.stmts.insert(0, added);
                }
            }
            _ => {}
        }
    }
}
