//! From the fitted document to Rust source.

mod check;
mod culprits;
mod docs;
mod endless;
mod mend;
mod quiet;
mod untagged;
mod url;

use openapiv3::OpenAPI;
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle};
use serde_json::Value;

use crate::{Problems, fit::Sensitive};

/// What the generated code looks like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The path of the type that the generated `Client` carries and that does the sending: `crate::Sender`, unless stated
    /// otherwise. The crate that includes the code has to define it and to implement `ClientHooks` with it; a
    /// missing implementation is one compile error. It makes the URLs too, with a method that the generated module can see:
    /// `fn url(&self, client: &Client, path: std::fmt::Arguments<'_>) -> reqwest::Result<reqwest::Url>`.
    /// `None` generates a client that sends by itself.
    pub sender: Option<String>,
    /// Paths of derive macros that every generated type gets besides those of serde.
    pub derives: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sender: Some("crate::Sender".to_owned()), derives: Vec::new() }
    }
}

/// Generates the client. The document has been linted, lowered and fitted.
pub(crate) fn generate(
    document: &Value,
    sensitive: &Sensitive,
    settings: &Settings,
) -> Result<String, Problems> {
    attempt(document, sensitive, settings)
        .map_err(|reason| culprits::find(document, &reason, |part| attempt(part, sensitive, settings).err()))
}

/// The Rust source, or why there is none.
fn attempt(document: &Value, sensitive: &Sensitive, settings: &Settings) -> Result<String, String> {
    endless::check(document)?;
    let document = read(document)?;
    quiet::catch(|| {
        let tokens = tokens(&document, settings)?;
        let mut file: syn::File = syn::parse2(tokens)
            .map_err(|error| format!("progenitor generated Rust that does not parse: {error}"))?;
        mend::mend(&mut file, sensitive, settings)?;
        check::compiles(&file)?;
        Ok(prettyplease::unparse(&file))
    })
    .unwrap_or_else(|panic| Err(format!("progenitor panicked: {panic}")))
}

fn read(document: &Value) -> Result<OpenAPI, String> {
    // Through text, because only there the reader tells the place.
    let text = document.to_string();
    serde_json::from_str(&text).map_err(|error| {
        let around: String = text.chars().skip(error.column().saturating_sub(80)).take(100).collect();
        format!("not readable as OpenAPI 3.0 after lowering: {error}, near `{around}`")
    })
}

fn tokens(document: &OpenAPI, settings: &Settings) -> Result<TokenStream, String> {
    let mut generation = GenerationSettings::new();
    generation.with_interface(InterfaceStyle::Builder);
    if let Some(sender) = &settings.sender {
        let sender = sender.parse().map_err(|error| format!("the sender `{sender}` is no type: {error}"))?;
        generation.with_inner_type(sender);
        generation.with_hooks(HooksMode::Expected);
    }
    for derive in &settings.derives {
        generation.with_derive(derive);
    }
    Generator::new(&generation)
        .generate_tokens(document)
        .map_err(|error| format!("progenitor cannot generate it: {error}"))
}
