//! Generates Rust source from the adapted document.

mod bisect;
mod catch_panic;
mod check;
mod deserialize;
mod docs;
mod features;
mod operations;
mod recursion;
pub(crate) mod serde;
mod types;

use std::collections::BTreeMap;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::visit_mut::VisitMut;

pub(crate) use self::operations::arguments;
use crate::{Pointer, Problem, Problems, adapt, facts::Facts, rules};

/// The settings of the generated code.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The path of the module with the building blocks of operations (`Operation`, `Spec`, `Base` and so on). Defaults to `crate`.
    pub runtime: String,
    /// Paths of derive macros that every generated type gets in addition to those of serde.
    pub derives: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { runtime: "crate".to_owned(), derives: Vec::new() }
    }
}

impl Settings {
    /// Returns the path of the module with the types of rules.
    pub(crate) fn rules(&self) -> Result<TokenStream, Problems> {
        let runtime: TokenStream = self.runtime.parse().map_err(|_| {
            let reason = format!("the runtime `{}` is no path", self.runtime);
            Problem::new(&Pointer::root(), reason, "state the path of a module, such as `crate`")
        })?;
        Ok(quote!(#runtime::rules))
    }
}

/// Additional inputs for the Rust code, besides the adapted document.
pub(crate) struct Beside<'a> {
    pub(crate) notes: &'a adapt::Notes,
    pub(crate) facts: &'a [Facts],
    pub(crate) rules: &'a rules::Rust,
}

/// Notes on operations, each with its place in the document.
type Notes = Vec<(Pointer, String)>;

/// Rust source, and notes on what it lacks.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) text: String,
    pub(crate) notes: Notes,
}

/// The stages of generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Progenitor has generated code.
    Generator,
    /// Types, operations and rules have been made from progenitor's output, which takes most of the time.
    Source,
}

/// A function that returns a reason, in addition to the generator's own, why a document cannot be generated.
pub type Fault = fn(&Value) -> Option<String>;

/// Generates the types and the operations. The document must have been linted, lowered and adapted.
pub(crate) fn generate(
    document: &Value,
    beside: &Beside<'_>,
    settings: &Settings,
    fault: Fault,
) -> Result<Source, Problems> {
    let attempt = |part: &Value, until: Stage| attempt(part, beside, settings, fault, until);
    attempt(document, Stage::Source).map_err(|(failed, reason)| {
        // No part is taken further than the whole document got.
        bisect::bisect(document, &reason, |part| attempt(part, failed).err().map(|(_, reason)| reason))
    })
}

/// Returns the Rust source, or the stage that failed and the reason. The source is empty if it is not requested.
fn attempt(
    document: &Value,
    beside: &Beside<'_>,
    settings: &Settings,
    fault: Fault,
    until: Stage,
) -> Result<Source, (Stage, String)> {
    let tokens = caught(|| {
        recursion::check(document)?;
        fault(document).map_or(Ok(()), Err)?;
        tokens(&read(document)?, settings)
    });
    let tokens = tokens.map_err(|reason| (Stage::Generator, reason))?;
    if until == Stage::Generator {
        return Ok(Source::default());
    }
    let source = caught(|| {
        let file = syn::parse2(tokens)
            .map_err(|error| format!("progenitor generated Rust that does not parse: {error}"))?;
        let (file, notes) = patch(file, beside, settings)?;
        check::compiles(&file)?;
        Ok(Source { text: prettyplease::unparse(&file), notes })
    });
    source.map_err(|reason| (Stage::Source, reason))
}

fn caught<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_panic::catch_panic(work).unwrap_or_else(|panic| Err(format!("progenitor panicked: {panic}")))
}

/// Turns progenitor's client into types, operations and rules.
fn patch(file: syn::File, beside: &Beside<'_>, settings: &Settings) -> Result<(syn::File, Notes), String> {
    let runtime = syn::parse_str(&settings.runtime)
        .map_err(|error| format!("the runtime `{}` is no path: {error}", settings.runtime))?;
    let operations::Split { mut types, operations } = operations::split(file, beside.facts)?;
    let behind: BTreeMap<String, String> = operations
        .iter()
        .filter_map(|operation| Some((operation.name().to_string(), operation.facts().feature.clone()?)))
        .collect();
    types::patch(&mut types, beside.notes, &runtime)?;
    let (operations, notes) =
        operations::write(&operations, &operations::Types::new(&types), beside.rules, &runtime)?;
    let rules: syn::ItemMod = syn::parse2(beside.rules.module.clone())
        .map_err(|error| format!("the rules are no Rust: {error}"))?;
    let mut file: syn::File = syn::parse_quote!(#types #operations #rules);
    features::gate(&mut file, &behind);
    docs::Docs.visit_file_mut(&mut file);
    Ok((file, notes))
}

fn read(document: &Value) -> Result<OpenAPI, String> {
    // Through text, because only then does the parser report the place.
    let text = document.to_string();
    serde_json::from_str(&text).map_err(|error| {
        let around: String = text.chars().skip(error.column().saturating_sub(80)).take(100).collect();
        format!("not readable as OpenAPI 3.0 after lowering: {error}, near `{around}`")
    })
}

fn tokens(document: &OpenAPI, settings: &Settings) -> Result<TokenStream, String> {
    let mut generation = GenerationSettings::new();
    generation.with_interface(InterfaceStyle::Positional);
    for derive in &settings.derives {
        generation.with_derive(derive);
    }
    Generator::new(&generation)
        .generate_tokens(document)
        .map_err(|error| format!("progenitor cannot generate it: {error}"))
}

/// Returns a doc comment, or `None` for empty text.
fn doc(text: &str) -> Option<TokenStream> {
    let text = text.trim();
    (!text.is_empty()).then(|| quote!(#[doc = #text]))
}

/// Returns a type as text without spaces.
pub(crate) fn type_text(ty: &syn::Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}
