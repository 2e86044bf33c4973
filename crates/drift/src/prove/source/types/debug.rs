//! Operators on hand-written `Debug`, which leaves out what is sensitive.

use quote::{ToTokens, format_ident};
use syn::{
    Expr, ExprMethodCall, Item, ItemImpl, parse_quote,
    visit_mut::{self, VisitMut},
};

use super::{Turn, name_of};

/// Prints a field that is left out.
pub(super) fn print(item: &mut ItemImpl, turn: &mut Turn) {
    if is_debug(item) {
        let owner = item.self_ty.to_token_stream().to_string();
        Print { owner, turn }.visit_item_impl_mut(item);
    }
}

struct Print<'t> {
    owner: String,
    turn: &'t mut Turn,
}

impl VisitMut for Print<'_> {
    fn visit_expr_method_call_mut(&mut self, call: &mut ExprMethodCall) {
        visit_mut::visit_expr_method_call_mut(self, call);
        let is_hidden = |value: &Expr| value.to_token_stream().to_string().contains("[redacted]");
        if call.method == "field"
            && call.args.last().is_some_and(is_hidden)
            && let Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. })) = call.args.first()
        {
            let name = name.value();
            if self.turn.here(|| format!("{}::{name}", self.owner)) {
                let field = format_ident!("{}", name);
                call.args[1] = parse_quote!(&self.#field);
            }
        }
    }
}

/// Replaces the implementation with the derive, which prints everything.
pub(super) fn derive(items: &mut Vec<Item>, turn: &mut Turn) {
    for index in (0..items.len()).rev() {
        let Item::Impl(item) = &items[index] else { continue };
        let owner = item.self_ty.to_token_stream().to_string();
        if !is_debug(item) || !turn.here(|| owner.clone()) {
            continue;
        }
        items.remove(index);
        for item in items.iter_mut().filter(|item| name_of(item).is_some_and(|name| name == owner)) {
            if let Item::Struct(syn::ItemStruct { attrs, .. }) | Item::Enum(syn::ItemEnum { attrs, .. }) =
                item
            {
                attrs.push(parse_quote!(#[derive(Debug)]));
            }
        }
        return;
    }
}

fn is_debug(item: &ItemImpl) -> bool {
    let last = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    last.is_some_and(|last| last.ident == "Debug")
}
