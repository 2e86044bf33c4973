//! Source as text that does not depend on its layout.

use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, Stmt, Type};

/// Returns the tokens without spaces between them, and without trailing commas.
pub(crate) fn text(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text
}

fn write(tokens: proc_macro2::TokenStream, text: &mut String) {
    for tree in tokens {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        match tree {
            proc_macro2::TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                if text.ends_with(',') {
                    text.pop();
                }
                text.push_str(close);
            }
            other => {
                let piece = other.to_string();
                // Otherwise `mut self` would become `mutself`.
                if text.ends_with(word) && piece.starts_with(word) {
                    text.push(' ');
                }
                if piece == ">" && text.ends_with(',') {
                    text.pop();
                }
                text.push_str(&piece);
            }
        }
    }
}

/// Returns what two spellings of a name have in common: letters and digits, in lowercase.
pub(crate) fn squeezed(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

pub(super) fn string(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// Returns the only statement of a block, if it is an expression, through any nesting of blocks and parentheses.
pub(super) fn only(expr: &Expr) -> &Expr {
    match expr {
        Expr::Block(block) => match block.block.stmts.as_slice() {
            [Stmt::Expr(inner, None)] => only(inner),
            _ => expr,
        },
        Expr::Paren(inner) => only(&inner.expr),
        Expr::Group(inner) => only(&inner.expr),
        _ => expr,
    }
}

/// Returns the arguments of a generic type whose last segment has this name: for `::std::vec::Vec<T>`, `T`.
pub(super) fn arguments<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if segment.ident != name {
        return None;
    }
    let syn::PathArguments::AngleBracketed(generic) = &segment.arguments else {
        return None;
    };
    let types = generic.args.iter().map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect()
}
