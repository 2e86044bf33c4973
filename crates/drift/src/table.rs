//! Generates the table through which the check accesses compiled code by name, so that nothing is listed by hand.
//!
//! The build script writes one for the workspace's own code, and `--regenerate` writes one for the code of another document.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{File, Item};

/// Returns the constant `COMPILED`. `drift` is the path of this crate, `uses` names the modules `operations` and `types`, `root` is the
/// folder with the document and the source, and `document` is the document that they were generated from.
pub(crate) fn table(
    file: &File,
    drift: &TokenStream,
    uses: &TokenStream,
    root: &TokenStream,
    document: &TokenStream,
) -> TokenStream {
    let types: Vec<&Ident> = module(file, "types")
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            _ => None,
        })
        .collect();
    let names = types.iter().map(ToString::to_string);
    quote! {
        #uses

        fn schemas(generator: &mut #drift::SchemaGenerator) {
            let _ = &generator;
            #(generator.subschema_for::<types::#types>();)*
        }

        fn codec(name: &str) -> Option<#drift::Codec> {
            Some(match name {
                #(#names => #drift::round_trip::<types::#types>,)*
                _ => return None,
            })
        }

        fn call<'a>(
            client: &'a #drift::Client,
            id: &str,
            arguments: #drift::Value,
        ) -> Option<#drift::CallFuture<'a>> {
            operations::visit(id, #drift::Calling::new(client, arguments))
        }

        pub(crate) const COMPILED: #drift::Compiled = #drift::Compiled {
            root: #root,
            document: #document,
            schemas,
            codec,
            call,
            operations: operations::ALL,
        };
    }
}

fn module<'a>(file: &'a File, name: &str) -> &'a [Item] {
    let found = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_ref(),
        _ => None,
    });
    found.map_or(&[], |(_, items)| items.as_slice())
}
