//! Makes documentation tests of Markdown pages whose Rust blocks show exactly what a reader needs.
//!
//! rustdoc hides lines that begin with `# `, but a repository's web page shows them. So the pages have none: this macro adds them when
//! `cargo test --doc` reads a page, and only then.
//!
//! - A block with a `fn main` is tested as it is.
//! - Any other block becomes the body of an async function that has a running mock server, `hub`, and a `client` of it.
//! - A comment `<!-- given: ... -->` before a block has Rust to run before it, and `<!-- then: ... -->` has Rust to run after it. Web pages
//!   show neither.

mod page;

use std::{fs, path::Path};

use proc_macro::TokenStream;
use quote::quote;
use syn::{
    Attribute, Ident, LitStr, Token,
    parse::{Parse, ParseStream},
    parse_macro_input,
    punctuated::Punctuated,
};

/// A name and a file: `sending = "src/docs/sending.md"`, with any attributes before it.
struct Entry {
    attributes: Vec<Attribute>,
    name: Ident,
    file: LitStr,
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (attributes, name) = (Attribute::parse_outer(input)?, input.parse()?);
        input.parse::<Token![=]>()?;
        Ok(Self { attributes, name, file: input.parse()? })
    }
}

struct Entries(Punctuated<Entry, Token![,]>);

impl Parse for Entries {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Punctuated::parse_terminated(input).map(Self)
    }
}

/// Makes a module for each page, whose documentation is the page with the lines that its blocks need to be tested.
///
/// Paths are relative to the package's folder.
#[proc_macro]
pub fn pages(input: TokenStream) -> TokenStream {
    let Entries(entries) = parse_macro_input!(input);
    let modules = entries.iter().map(|entry| match module(entry) {
        Ok(tokens) => tokens,
        Err(reason) => syn::Error::new(entry.file.span(), reason).to_compile_error(),
    });
    quote!(#(#modules)*).into()
}

fn module(Entry { attributes, name, file }: &Entry) -> Result<proc_macro2::TokenStream, String> {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?;
    let path = Path::new(&folder).join(file.value());
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let docs = page::testable(&text).map_err(|reason| format!("{}: {reason}", path.display()))?;
    Ok(quote! {
        #(#attributes)*
        #[doc = #docs]
        mod #name {}
    })
}
