//! Reads serde's attributes of a field.

use syn::{Attribute, Expr, Field, Lit, Token};

/// The way in which serde deserializes and serializes a field.
#[derive(Debug, Default)]
pub(crate) struct Serde {
    /// The name in JSON; empty for the map of unknown keys.
    pub(crate) wire: String,
    pub(crate) flatten: bool,
    pub(crate) default: bool,
}

/// Reads the attributes of a field.
pub(crate) fn read(field: &Field) -> Serde {
    let mut serde = Serde { wire: String::new(), ..read_attributes(&field.attrs) };
    if !serde.flatten {
        let plain = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let plain = plain.trim_start_matches("r#").to_owned();
        serde.wire = renamed(&field.attrs).unwrap_or(plain);
    }
    serde
}

/// Returns the name that an attribute assigns to a field or a variant.
pub(crate) fn renamed(attributes: &[Attribute]) -> Option<String> {
    let renamed = read_attributes(attributes).wire;
    (!renamed.is_empty()).then_some(renamed)
}

fn read_attributes(attributes: &[Attribute]) -> Serde {
    let mut serde = Serde::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // An unknown form leaves the field unchanged.
        let _ = attribute.parse_nested_meta(|meta| {
            serde.flatten |= meta.path.is_ident("flatten");
            serde.default |= meta.path.is_ident("default");
            if meta.input.peek(Token![=]) {
                let value: Expr = meta.value()?.parse()?;
                if let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = value
                    && meta.path.is_ident("rename")
                {
                    serde.wire = text.value();
                }
            }
            Ok(())
        });
    }
    serde
}
