//! The rules of parameters and bodies, as the operations refer to them.

use proc_macro2::TokenStream;
use quote::quote;

use crate::facts::Facts;

/// The rules of a document.
#[derive(Debug, Default)]
pub(crate) struct Rules;

impl Rules {
    /// The rules of a parameter.
    pub(super) fn parameter(&self, _: &Facts, _: &str, _: &str) -> TokenStream {
        quote!(&rules::ANY)
    }

    /// The rules of the body; `None` if there is none.
    pub(super) fn body(&self, _: &Facts) -> Option<TokenStream> {
        None
    }

    /// The module with the rules.
    pub(super) fn module(&self, runtime: &syn::Path) -> syn::ItemMod {
        syn::parse_quote! {
            /// The rules of parameters and bodies.
            pub mod rules {
                use #runtime::rules::Schema;
                /// Any value.
                pub static ANY: Schema = Schema(&[]);
            }
        }
    }
}
