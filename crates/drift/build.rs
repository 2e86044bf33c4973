//! Writes the tables through which the drift check reaches compiled code by name: nothing of it is listed by hand.
//!
//! For the generated client of the workspace, and, for tests, for two more that are generated here: what progenitor makes
//! of upstream's document with nothing but the version changed, and a document with many constructs.

use std::{collections::BTreeMap, env, error::Error, fs, path::Path};

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use suprsend_codegen::{Project, Settings, generate};
use syn::{
    FnArg, GenericArgument, ImplItem, ImplItemFn, Item, PathArguments, ReturnType, Type, TypeParamBound,
    WherePredicate,
};

/// The space keeps typify from recognising the derive: it would write an implementation for schemars 0.8 beside it.
const DERIVE: &str = ":: schemars :: JsonSchema";

/// A document with many constructs.
const SAMPLE: &str = "src/tests/sample.yaml";
/// Upstream's document as it was when the tests were written.
const UPSTREAM: &str = "src/tests/upstream.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for input in ["build.rs", "../../openapi.yaml", "../../overlays", SAMPLE, UPSTREAM] {
        println!("cargo::rerun-if-changed={input}");
    }
    let table = |source: &str, prelude: TokenStream| -> Result<String, Box<dyn Error>> {
        Ok(prettyplease::unparse(&syn::parse2(table(&syn::parse_file(source)?, &prelude))?))
    };
    // Generated and not read from the snapshot, which may be older than the code that is compiled.
    let own = generate(&Project::open(Path::new("../.."))?.correct()?, &Settings::default())?.rust;
    fs::write(
        out.join("compiled.rs"),
        table(
            &own,
            quote!(
                use suprsend_api::{Client, types};
            ),
        )?,
    )?;
    let local = |module: &str| {
        let module = format_ident!("{module}");
        quote!(use super::#module::{Client, types};)
    };
    let raw = raw()?;
    fs::write(out.join("raw.rs"), &raw)?;
    fs::write(out.join("raw_compiled.rs"), table(&raw, local("raw"))?)?;
    let document = Project::of_files(Path::new("."), Path::new(SAMPLE), &[])?.correct()?;
    let settings = Settings { derives: vec![DERIVE.to_owned()], ..Settings::default() };
    let sample = generate(&document, &settings)?.rust;
    fs::write(out.join("sample.rs"), &sample)?;
    fs::write(out.join("sample_compiled.rs"), table(&sample, local("sample"))?)?;
    Ok(())
}

/// What progenitor alone makes of upstream's document, when that says that it is OpenAPI 3.0.
fn raw() -> Result<String, Box<dyn Error>> {
    let mut document = Project::of_files(Path::new("."), Path::new(UPSTREAM), &[])?.correct()?;
    document["openapi"] = "3.0.3".into();
    let document: openapiv3::OpenAPI = serde_json::from_str(&document.to_string())?;
    let mut settings = progenitor::GenerationSettings::new();
    settings.with_interface(progenitor::InterfaceStyle::Builder).with_derive(DERIVE);
    let tokens = progenitor::Generator::new(&settings).generate_tokens(&document)?;
    Ok(prettyplease::unparse(&syn::parse2(tokens)?))
}

/// The functions `schemas`, `codec` and `call` over everything that generated code defines.
fn table(file: &syn::File, prelude: &TokenStream) -> TokenStream {
    let mut types: BTreeMap<String, Type> = BTreeMap::new();
    let mut add = |ty: Type| drop(types.insert(ty.to_token_stream().to_string().replace(' ', ""), ty));
    for item in module(file, "types") {
        let ident = match item {
            Item::Struct(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            _ => continue,
        };
        add(syn::parse_quote!(types::#ident));
    }
    let mut calls = Vec::new();
    for item in module(file, "builder") {
        let Item::Impl(item) = item else { continue };
        let functions: Vec<&ImplItemFn> = item
            .items
            .iter()
            .filter_map(|item| match item {
                ImplItem::Fn(function) => Some(function),
                _ => None,
            })
            .collect();
        let Some(method) = method_of(file, &item.self_ty) else { continue };
        let name = method.to_string();
        let mut setters = Vec::new();
        for function in &functions {
            let Some(ty) = set_type(function) else { continue };
            let setter = &function.sig.ident;
            let key = setter.to_string();
            // A raw body is given as text.
            let ty = if ty == syn::parse_quote!(reqwest::Body) { syn::parse_quote!(String) } else { ty };
            setters.push(quote! {
                let call = match arguments.take::<#ty>(#key)? {
                    Some(value) => call.#setter(value),
                    None => call,
                };
            });
        }
        calls.push(quote! {
            #name => {
                let call = client.#method();
                #(#setters)*
                Ok(outcome(call.send().await))
            }
        });
    }
    let (names, types): (Vec<_>, Vec<_>) = types.into_iter().unzip();
    quote! {
        #prelude
        use crate::compiled::{Arguments, Codec, Outcome, outcome, round_trip};

        pub(crate) fn schemas(generator: &mut schemars::SchemaGenerator) {
            #(generator.subschema_for::<#types>();)*
        }

        pub(crate) fn codec(name: &str) -> Option<Codec> {
            Some(match name {
                #(#names => round_trip::<#types>,)*
                _ => return None,
            })
        }

        pub(crate) async fn call(
            client: &Client,
            operation: &str,
            arguments: &mut Arguments,
        ) -> Result<Outcome, String> {
            match operation {
                #(#calls)*
                _ => Err(format!("the table of calls has no `{operation}`")),
            }
        }
    }
}

fn module<'a>(file: &'a syn::File, name: &str) -> &'a [Item] {
    let found = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_ref(),
        _ => None,
    });
    found.map_or(&[], |(_, items)| items.as_slice())
}

/// The client's method that gives this builder.
fn method_of<'a>(file: &'a syn::File, builder: &Type) -> Option<&'a syn::Ident> {
    let Type::Path(builder) = builder else { return None };
    let builder = &builder.path.segments.last()?.ident;
    let functions = file.items.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() => Some(&item.items),
        _ => None,
    });
    functions.flatten().find_map(|item| match item {
        ImplItem::Fn(function) if matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_))) => {
            let ReturnType::Type(_, ty) = &function.sig.output else { return None };
            let Type::Path(ty) = &**ty else { return None };
            let made = ty.path.segments.last().is_some_and(|last| last.ident == *builder);
            (made && ty.path.segments.len() == 2).then_some(&function.sig.ident)
        }
        _ => None,
    })
}

/// `T` of a method that takes `value: V where V: TryInto<T>`.
fn set_type(function: &ImplItemFn) -> Option<Type> {
    let WherePredicate::Type(predicate) = function.sig.generics.where_clause.as_ref()?.predicates.first()?
    else {
        return None;
    };
    let TypeParamBound::Trait(bound) = predicate.bounds.first()? else {
        return None;
    };
    let last = bound.path.segments.last().filter(|last| last.ident == "TryInto")?;
    let PathArguments::AngleBracketed(generic) = &last.arguments else {
        return None;
    };
    match generic.args.first()? {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }
}
