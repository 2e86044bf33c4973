//! Operators on the list of alternatives with which a union is decoded.

use std::collections::BTreeMap;

use quote::ToTokens;
use syn::{
    Expr, ExprPath, Ident, ImplItem, ItemImpl, Stmt, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::{Turn, Types};

/// Changes the list, or the variant that keeps values that match no alternative.
pub(super) fn visit(
    operator: Types,
    item: &mut ItemImpl,
    variants: &BTreeMap<String, Vec<Ident>>,
    turn: &mut Turn,
) {
    let owner = item.self_ty.to_token_stream().to_string();
    let Some(variants) = variants.get(&owner) else { return };
    let Some((alternatives, other)) = reading(item) else { return };
    let place =
        |index: usize| format!("{owner}: {}", variants.get(index).map_or(String::new(), Ident::to_string));
    match operator {
        Types::AlternativeNotRead => {
            for index in (0..alternatives.len()).rev() {
                if turn.here(|| place(index)) {
                    *alternatives = std::mem::take(alternatives)
                        .into_iter()
                        .enumerate()
                        .filter(|(known, _)| *known != index)
                        .map(|(_, alternative)| alternative)
                        .collect();
                }
            }
        }
        Types::AlternativesReadInAnotherOrder => {
            for index in 1..alternatives.len() {
                if turn.here(|| place(index)) {
                    let one = alternatives[index - 1].clone();
                    alternatives[index - 1] = std::mem::replace(&mut alternatives[index], one);
                }
            }
        }
        Types::AlternativeReadAsAnother => {
            for (index, alternative) in alternatives.iter_mut().enumerate() {
                for variant in variants {
                    let mut swap = Swap { variant, done: false };
                    let mut changed = alternative.clone();
                    swap.visit_expr_mut(&mut changed);
                    if swap.done && turn.here(|| format!("{} as {variant}", place(index))) {
                        *alternative = changed;
                    }
                }
            }
        }
        Types::CheckOfAnAlternativeAdded | Types::TagOfAnAlternativeAdded => {
            for (index, alternative) in alternatives.iter_mut().enumerate() {
                if turn.here(|| place(index)) {
                    let tag = operator == Types::TagOfAnAlternativeAdded;
                    *alternative = if tag {
                        parse_quote!(#alternative.tagged(|value| value["drift"] == "new"))
                    } else {
                        parse_quote!(#alternative.when(|value| value["drift"].is_null()))
                    };
                }
            }
        }
        Types::KeptAsAnother => {
            if let Some(variant) = variants.first()
                && turn.here(|| owner.clone())
            {
                *other = parse_quote!(Self::#variant);
            }
        }
        _ => {}
    }
}

type Alternatives = syn::punctuated::Punctuated<Expr, syn::Token![,]>;

/// Returns the list of alternatives, and the variant that keeps JSON.
fn reading(item: &mut ItemImpl) -> Option<(&mut Alternatives, &mut Expr)> {
    let function = item.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "deserialize" => Some(function),
        _ => None,
    })?;
    let [Stmt::Expr(Expr::Call(call), None)] = function.block.stmts.as_mut_slice() else { return None };
    let mut arguments = call.args.iter_mut().skip(1);
    let (Expr::Reference(list), other) = (arguments.next()?, arguments.next()?) else { return None };
    match &mut *list.expr {
        Expr::Array(list) => Some((&mut list.elems, other)),
        _ => None,
    }
}

/// Replaces a variant with another one of the enum.
struct Swap<'a> {
    variant: &'a Ident,
    done: bool,
}

impl VisitMut for Swap<'_> {
    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        visit_mut::visit_expr_path_mut(self, expr);
        let segments = &mut expr.path.segments;
        if segments.len() == 2 && segments[0].ident == "Self" && segments[1].ident != *self.variant {
            segments[1].ident = self.variant.clone();
            self.done = true;
        }
    }
}
