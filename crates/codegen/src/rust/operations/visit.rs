//! Finds an operation's type by its id.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::Read;

/// Generates a list of all operations, and a function that calls a visitor with the type of one.
pub(super) fn function(operations: &[Read], names: &[Ident]) -> TokenStream {
    let ids = operations.iter().map(|operation| &operation.facts().id);
    let features: Vec<_> = operations
        .iter()
        .map(|operation| operation.facts().feature.as_ref().map(|feature| quote!(#[cfg(feature = #feature)])))
        .collect();
    quote! {
        /// All operations, in the order of the document.
        pub const ALL: &[&Spec] = &[#(#features #names::SPEC),*];

        /// Calls a visitor with the type of the operation with this id; `None` if there is none.
        ///
        /// A queue can store an operation as its id and its JSON, and a worker that knows the id alone can send it.
        pub fn visit<V: Visitor>(id: &str, visitor: V) -> Option<V::Output> {
            let _ = &visitor;
            match id {
                #(#features #ids => Some(visitor.visit::<#names>()),)*
                _ => None,
            }
        }
    }
}
