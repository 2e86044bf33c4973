//! Finds generated code that would not compile before the compiler does: two items have the same name, or a type is checked against an
//! empty list of values.
//!
//! Lint finds the collisions that are visible in the document. This finds those that arise later, when schemas are merged.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::{
    Expr, ExprMethodCall, Fields, File, ImplItem, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct,
    visit::{self, Visit},
};

/// Rejects a file that would not compile.
pub(super) fn compiles(file: &File) -> Result<(), String> {
    let mut check = Check::default();
    check.items("the crate", &file.items);
    check.visit_file(file);
    check.found.map_or(Ok(()), Err)
}

#[derive(Default)]
struct Check {
    /// The first finding.
    found: Option<String>,
}

impl Check {
    fn distinct(&mut self, place: &str, what: &str, names: impl Iterator<Item = String>) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.clone()) {
                self.found.get_or_insert_with(|| format!("in `{place}` two {what} would be named `{name}`"));
            }
        }
    }

    fn items(&mut self, place: &str, items: &[Item]) {
        let types = items.iter().filter_map(|item| match item {
            Item::Struct(item) => Some(item.ident.to_string()),
            Item::Enum(item) => Some(item.ident.to_string()),
            Item::Type(item) => Some(item.ident.to_string()),
            _ => None,
        });
        self.distinct(place, "types", types);
    }
}

impl<'a> Visit<'a> for Check {
    fn visit_item_mod(&mut self, module: &'a ItemMod) {
        if let Some((_, items)) = &module.content {
            self.items(&module.ident.to_string(), items);
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        if let Fields::Named(fields) = &item.fields {
            let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
            self.distinct(&item.ident.to_string(), "fields", names.map(ToString::to_string));
        }
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        let names = item.variants.iter().map(|variant| variant.ident.to_string());
        self.distinct(&item.ident.to_string(), "variants", names);
    }

    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        let names = item.items.iter().filter_map(|member| match member {
            ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
            _ => None,
        });
        self.distinct(&item.self_ty.to_token_stream().to_string(), "methods", names);
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        if let Expr::Array(list) = &*call.receiver
            && list.elems.is_empty()
            && call.method == "contains"
        {
            self.found.get_or_insert_with(|| {
                "the parts of a schema exclude each other: no value is all of them".to_owned()
            });
        }
        visit::visit_expr_method_call(self, call);
    }
}
