//! What progenitor generates and the document does not ask for, mended in the syntax tree.
//!
//! - the header `api-version`, which is sent on every request, is not sent;
//! - a backslash in a path parameter stays in its segment;
//! - a sender makes the URLs of requests, so that the base URL is parsed once;
//! - the builder of a type with a map for unknown keys no longer insists on that map;
//! - a struct of which every field may be absent has a `Default`;
//! - an enum whose variants the JSON type tells apart is read once;
//! - what is marked as sensitive is not printed by `Debug`;
//! - doc comments are safe for rustdoc.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Block, Expr, Fields, File, Item, ItemEnum, ItemMod, ItemStruct, Macro, Path, Stmt, Token,
    parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::{Settings, docs, untagged, url};
use crate::fit::{Extent, Sensitive};

pub(super) fn mend(file: &mut File, sensitive: &Sensitive, settings: &Settings) -> Result<(), String> {
    drop_api_version(file)?;
    EncodeBackslash.visit_file_mut(file);
    if settings.sender.is_some() {
        url::made_by_sender(file)?;
    }
    FreeBuilders::of(file).visit_file_mut(file);
    docs::Docs.visit_file_mut(file);
    for item in &mut file.items {
        if let Item::Mod(module) = item
            && module.ident == "types"
        {
            default(module);
            untagged::read_once(module);
            redact(module, sensitive);
        }
    }
    Ok(())
}

/// Counts the operations and the headers taken away: they have to agree, or progenitor's output has changed its form.
#[derive(Default)]
struct ApiVersion {
    operations: usize,
    removed: usize,
}

fn drop_api_version(file: &mut File) -> Result<(), String> {
    let mut pass = ApiVersion::default();
    pass.visit_file_mut(file);
    if pass.operations == pass.removed {
        return Ok(());
    }
    Err(format!(
        "progenitor generated {} operations, of which {} send the header `api-version`; another version than expected?",
        pass.operations, pass.removed
    ))
}

impl VisitMut for ApiVersion {
    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        let text = |stmt: &Stmt| stmt.to_token_stream().to_string();
        if sends(block) {
            self.operations += 1;
        }
        let count = block.stmts.len();
        block.stmts.retain(|stmt| {
            let text = text(stmt);
            !(text.starts_with("header_map . append (") && text.contains("from_static (\"api-version\")"))
        });
        if block.stmts.len() == count {
            return;
        }
        self.removed += 1;
        // Without the header there is mostly nothing left to send.
        let map = |stmt: &Stmt| text(stmt).starts_with("let mut header_map");
        let uses = |stmt: &Stmt| mentions(stmt.to_token_stream(), "header_map");
        let left = block.stmts.iter().filter(|stmt| uses(stmt)).count();
        if left == 2 {
            block.stmts.retain(|stmt| !map(stmt));
            DropHeaders.visit_block_mut(block);
        }
    }
}

/// Whether this is the body of a function that sends a request.
pub(super) fn sends(block: &Block) -> bool {
    let names = |stmt: &Stmt| stmt.to_token_stream().to_string().starts_with("let info = OperationInfo");
    block.stmts.iter().any(names)
}

/// Whether the identifier occurs; in a literal it does not count.
fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// `request.headers(header_map)` becomes `request`.
struct DropHeaders;

impl VisitMut for DropHeaders {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::MethodCall(call) = expr
            && call.method == "headers"
            && call.args.to_token_stream().to_string() == "header_map"
        {
            *expr = (*call.receiver).clone();
        }
    }
}

/// The URL standard takes a backslash in an `http` path for a slash, so one that is not encoded begins another segment, and `..` after
/// it leaves the path. `encode_path` leaves it as it is.
struct EncodeBackslash;

impl VisitMut for EncodeBackslash {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::Call(call) = expr
            && call.func.to_token_stream().to_string() == "encode_path"
        {
            *expr = parse_quote!(#call.replace('\\', "%5C"));
        }
    }

    /// The calls are inside `format!`, whose arguments are expressions.
    fn visit_macro_mut(&mut self, call: &mut Macro) {
        let arguments = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
        if call.path.is_ident("format")
            && let Ok(mut arguments) = arguments
        {
            arguments.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
            call.tokens = arguments.to_token_stream();
        }
    }
}

/// A map of unknown keys may be empty, so a builder need not be given one. A property may be called `extra` too.
struct FreeBuilders {
    /// The types with such a map.
    open: BTreeSet<String>,
}

impl FreeBuilders {
    fn of(file: &File) -> Self {
        let types = file.items.iter().filter_map(|item| match item {
            Item::Mod(module) if module.ident == "types" => module.content.as_ref(),
            _ => None,
        });
        let open = types.flat_map(|(_, items)| items).filter_map(|item| match item {
            Item::Struct(item) if item.fields.iter().any(is_map_of_unknown_keys) => {
                Some(item.ident.to_string())
            }
            _ => None,
        });
        Self { open: open.collect() }
    }
}

fn is_map_of_unknown_keys(field: &syn::Field) -> bool {
    field.ident.as_ref().is_some_and(|ident| ident == "extra") && serde_of(&field.attrs).flatten
}

impl VisitMut for FreeBuilders {
    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        if self.open.contains(&item.self_ty.to_token_stream().to_string()) {
            visit_mut::visit_item_impl_mut(self, item);
        }
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let unset = "Err (\"no value supplied for extra\" . to_string ())";
        if field.expr.to_token_stream().to_string() == unset {
            field.expr = parse_quote!(Ok(::std::default::Default::default()));
        }
    }
}

/// Derives `Default` where every field has one because it may be absent.
fn default(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    let implemented: BTreeSet<String> = items.iter().filter_map(default_impl).collect();
    for item in items {
        if let Item::Struct(item) = item
            && !implemented.contains(&item.ident.to_string())
            && let Fields::Named(fields) = &item.fields
            && fields.named.iter().all(may_be_absent)
        {
            edit_derives(&mut item.attrs, |paths| {
                if !paths.iter().any(|path| path.is_ident("Default")) {
                    paths.push(parse_quote!(Default));
                }
            });
        }
    }
}

fn default_impl(item: &Item) -> Option<String> {
    let Item::Impl(item) = item else { return None };
    let (path, _) = item.trait_.as_ref()?;
    (path.segments.last()?.ident == "Default").then(|| item.self_ty.to_token_stream().to_string())
}

fn may_be_absent(field: &syn::Field) -> bool {
    let name = field.ty.to_token_stream().to_string().replace(' ', "");
    let serde = serde_of(&field.attrs);
    serde.flatten
        || name.starts_with("::std::option::Option<")
        || (serde.default
            && (name.starts_with("::std::vec::Vec<")
                || name.starts_with("::std::collections::HashMap<")
                || name.starts_with("::serde_json::Map<")))
}

/// What serde's attributes say of a field.
#[derive(Default)]
struct Serde {
    rename: Option<String>,
    flatten: bool,
    default: bool,
}

fn serde_of(attrs: &[Attribute]) -> Serde {
    let mut serde = Serde::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // A form that this does not read leaves the field as it is.
        let _ = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("flatten") {
                serde.flatten = true;
            }
            if meta.path.is_ident("default") {
                serde.default = true;
            }
            if meta.input.peek(Token![=]) {
                let value: Expr = meta.value()?.parse()?;
                if let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = value
                    && meta.path.is_ident("rename")
                {
                    serde.rename = Some(text.value());
                }
            }
            Ok(())
        });
    }
    serde
}

pub(super) fn edit_derives(attrs: &mut [Attribute], edit: impl FnOnce(&mut Punctuated<Path, Token![,]>)) {
    for attr in attrs {
        if attr.path().is_ident("derive")
            && let Ok(mut paths) = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            edit(&mut paths);
            *attr = parse_quote!(#[derive(#paths)]);
            return;
        }
    }
}

/// Gives the types that hold something sensitive, and their builders, a `Debug` that does not show it.
fn redact(module: &mut ItemMod, sensitive: &Sensitive) {
    let Some((_, items)) = &mut module.content else { return };
    let mut hidden: BTreeMap<String, Vec<String>> = BTreeMap::new();
    redact_items(items, |item| match item {
        Item::Struct(item) => {
            let name = item.ident.to_string();
            let fields = hidden_fields(item, sensitive.extent(&name)?);
            hidden.insert(name, fields.clone());
            Some(fields)
        }
        Item::Enum(item) => sensitive.extent(&item.ident.to_string()).map(|_| Vec::new()),
        _ => None,
    });
    for item in items {
        if let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item
            && ident == "builder"
        {
            redact_items(items, |item| match item {
                Item::Struct(item) => hidden.get(&item.ident.to_string()).cloned(),
                _ => None,
            });
        }
    }
}

/// The fields of a struct that are not to be shown.
fn hidden_fields(item: &ItemStruct, extent: &Extent) -> Vec<String> {
    let name = |field: &syn::Field| field.ident.as_ref().map(ToString::to_string);
    item.fields
        .iter()
        .filter(|field| match extent {
            Extent::Whole => true,
            Extent::Properties(names) => {
                let serde = serde_of(&field.attrs);
                let plain = name(field).unwrap_or_default();
                let wire = if serde.flatten {
                    String::new()
                } else {
                    serde.rename.unwrap_or_else(|| plain.trim_start_matches("r#").to_owned())
                };
                names.contains(&wire)
            }
        })
        .filter_map(name)
        .collect()
}

fn redact_items(items: &mut Vec<Item>, mut hidden: impl FnMut(&Item) -> Option<Vec<String>>) {
    let mut done = Vec::new();
    for mut item in std::mem::take(items) {
        let fields = hidden(&item);
        let debug = match (&mut item, &fields) {
            (Item::Struct(item), Some(fields)) => Some(debug_of_struct(item, fields)),
            (Item::Enum(item), Some(_)) => Some(debug_of_enum(item)),
            _ => None,
        };
        done.push(item);
        done.extend(debug);
    }
    *items = done;
}

fn drop_debug(attrs: &mut [Attribute]) {
    edit_derives(attrs, |paths| {
        *paths = std::mem::take(paths).into_iter().filter(|path| !path.is_ident("Debug")).collect();
    });
}

fn debug_of_struct(item: &mut ItemStruct, hidden: &[String]) -> Item {
    drop_debug(&mut item.attrs);
    let ident = &item.ident;
    let name = ident.to_string();
    let (impl_generics, type_generics, bounds) = item.generics.split_for_impl();
    let Fields::Named(fields) = &item.fields else {
        let text = format!("{name}([redacted])");
        return parse_quote! {
            impl #impl_generics ::std::fmt::Debug for #ident #type_generics #bounds {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#text)
                }
            }
        };
    };
    let shown = fields.named.iter().filter_map(|field| field.ident.as_ref()).map(|field| {
        let label = field.to_string();
        let value: Expr = if hidden.contains(&label) {
            parse_quote!(&format_args!("[redacted]"))
        } else {
            parse_quote!(&self.#field)
        };
        quote::quote!(.field(#label, #value))
    });
    parse_quote! {
        impl #impl_generics ::std::fmt::Debug for #ident #type_generics #bounds {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name) #(#shown)* .finish()
            }
        }
    }
}

fn debug_of_enum(item: &mut ItemEnum) -> Item {
    drop_debug(&mut item.attrs);
    let ident = &item.ident;
    let text = format!("{ident}([redacted])");
    parse_quote! {
        impl ::std::fmt::Debug for #ident {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(#text)
            }
        }
    }
}
