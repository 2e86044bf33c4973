//! Puts items that only operations behind a Cargo feature need behind that feature.
//!
//! Starting with the operations that are behind no feature, everything that they need is followed: types, rules, and what those need in
//! turn. The rest is marked with the features of the operations that lead to it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{
    Attribute, File, Item, ItemImpl, ItemMacro, ItemMod, Path, parse_quote,
    visit::{self, Visit},
};

/// A name and the module that contains it.
type Name = (&'static str, String);

const MODULES: [&str; 3] = ["types", "operations", "rules"];

/// Marks the items of a generated file. `behind` maps the type name of each operation that is behind a feature to the feature.
pub(super) fn gate(file: &mut File, behind: &BTreeMap<String, String>) {
    if behind.is_empty() {
        return;
    }
    let graph = Graph::new(file);
    let roots = graph.names.iter().filter(|(module, _)| *module == "operations");
    let mut reached: BTreeMap<Option<&String>, BTreeSet<&Name>> = BTreeMap::new();
    for root in roots {
        graph.follow(root, reached.entry(behind.get(&root.1)).or_default());
    }
    let always = reached.remove(&None).unwrap_or_default();
    // Items that nothing leads to are left unchanged.
    let features = |name: &Name| -> BTreeSet<&String> {
        if always.contains(name) {
            return BTreeSet::new();
        }
        reached.iter().filter(|(_, names)| names.contains(name)).filter_map(|(feature, _)| *feature).collect()
    };
    for item in &mut file.items {
        let Item::Mod(module) = item else { continue };
        let Some(known) = known(module) else { continue };
        for item in module.content.iter_mut().flat_map(|(_, items)| items) {
            let sets: BTreeSet<Vec<&String>> = graph
                .owners(known, item)
                .iter()
                .map(|name| features(name).into_iter().collect::<Vec<_>>())
                .filter(|features| !features.is_empty())
                .collect();
            if let (Some(attribute), Some(attributes)) = (attribute(&sets), attributes(item)) {
                attributes.push(attribute);
            }
        }
    }
}

/// Returns `#[cfg(feature = "a")]`. Of each set, one feature is required.
fn attribute(sets: &BTreeSet<Vec<&String>>) -> Option<Attribute> {
    let any = |features: &Vec<&String>| -> TokenStream {
        match features.as_slice() {
            [feature] => quote!(feature = #feature),
            several => quote!(any(#(feature = #several),*)),
        }
    };
    let mut sets: Vec<TokenStream> = sets.iter().map(any).collect();
    match sets.len() {
        0 => None,
        1 => sets.pop().map(|set| parse_quote!(#[cfg(#set)])),
        _ => Some(parse_quote!(#[cfg(all(#(#sets),*))])),
    }
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Type(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        Item::Macro(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn known(module: &ItemMod) -> Option<&'static str> {
    MODULES.into_iter().find(|name| module.ident == name)
}

/// The dependencies between items.
struct Graph {
    names: BTreeSet<Name>,
    edges: BTreeMap<Name, BTreeSet<Name>>,
}

impl Graph {
    fn new(file: &File) -> Self {
        let mut graph = Self { names: BTreeSet::new(), edges: BTreeMap::new() };
        let items = || {
            let modules = file.items.iter().filter_map(|item| match item {
                Item::Mod(module) => Some((known(module)?, module.content.as_ref()?)),
                _ => None,
            });
            modules.flat_map(|(module, (_, items))| items.iter().map(move |item| (module, item)))
        };
        graph.names.extend(items().filter_map(|(module, item)| Some((module, defined(item)?))));
        for (module, item) in items() {
            // A conversion between two types does not make either of them need the other.
            if let [owner] = graph.owners(module, item).as_slice() {
                let needed = graph.mentioned(module, item);
                graph.edges.entry(owner.clone()).or_default().extend(needed);
            }
        }
        graph
    }

    /// Returns the names without which an item cannot exist.
    fn owners(&self, module: &'static str, item: &Item) -> Vec<Name> {
        if let Some(name) = defined(item) {
            return vec![(module, name)];
        }
        let Item::Impl(ItemImpl { self_ty, trait_, .. }) = item else { return Vec::new() };
        let mut mentions = Mentions { graph: self, module, found: BTreeSet::new() };
        mentions.visit_type(self_ty);
        if let Some((path, _)) = trait_ {
            visit::visit_path(&mut mentions, path);
        }
        mentions.found.into_iter().collect()
    }

    fn mentioned(&self, module: &'static str, item: &Item) -> BTreeSet<Name> {
        let mut mentions = Mentions { graph: self, module, found: BTreeSet::new() };
        mentions.visit_item(item);
        mentions.found
    }

    fn follow<'a>(&'a self, root: &'a Name, reached: &mut BTreeSet<&'a Name>) {
        let mut open = vec![root];
        while let Some(name) = open.pop() {
            if reached.insert(name) {
                open.extend(self.edges.get(name).into_iter().flatten());
            }
        }
    }
}

/// Returns the name that an item defines.
fn defined(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        // `schema!(NAME: …)`
        Item::Macro(ItemMacro { ident: None, mac, .. }) => match mac.tokens.clone().into_iter().next() {
            Some(TokenTree::Ident(name)) => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Collects the names that are mentioned.
struct Mentions<'a> {
    graph: &'a Graph,
    module: &'static str,
    found: BTreeSet<Name>,
}

impl Mentions<'_> {
    fn add(&mut self, module: &'static str, name: &str) {
        let name = (module, name.to_owned());
        if self.graph.names.contains(&name) {
            self.found.insert(name);
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(name) => self.add(self.module, &name.to_string()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl<'a> Visit<'a> for Mentions<'_> {
    fn visit_path(&mut self, path: &'a Path) {
        let mut segments = path.segments.iter().map(|segment| segment.ident.to_string());
        if let (None, Some(mut first)) = (path.leading_colon, segments.next()) {
            let mut module = self.module;
            for next in segments {
                match MODULES.into_iter().find(|name| *name == first) {
                    Some(named) => module = named,
                    None if first == "super" || first == "self" => {}
                    None => break,
                }
                first = next;
            }
            self.add(module, &first);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        // Other macros name fields and variants.
        if mac.path.is_ident("schema") {
            self.tokens(mac.tokens.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn gated(source: &str, behind: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut file = syn::parse_file(source).unwrap();
        let behind =
            behind.iter().map(|(name, feature)| ((*name).to_owned(), (*feature).to_owned())).collect();
        gate(&mut file, &behind);
        let mut found = Vec::new();
        for item in &mut file.items {
            let Item::Mod(module) = item else { continue };
            for item in module.content.iter_mut().flat_map(|(_, items)| items) {
                let mut bare = item.clone();
                let Some(attributes) = attributes(&mut bare) else { continue };
                let cfg: Vec<String> =
                    std::mem::take(attributes).iter().map(|one| one.to_token_stream().to_string()).collect();
                let text = bare.to_token_stream().to_string();
                let head = text.split('{').next().unwrap_or_default().trim().to_owned();
                found.push((head, cfg.join(" ")));
            }
        }
        found
    }

    #[test]
    fn what_only_a_feature_needs_is_marked() {
        let source = r"
            mod types {
                pub struct A { own: Inner }
                pub struct Inner;
                pub struct B { shared: Shared, own: OnlyB, again: Option<Box<B>> }
                pub struct OnlyB;
                pub struct C { shared: Shared, own: OnlyC }
                pub struct OnlyC;
                pub enum Shared { B, C }
                pub struct Unused;
                impl From<OnlyB> for Shared { fn from(value: OnlyB) -> Self { Self::B } }
                impl Default for OnlyB { fn default() -> Self { OnlyB } }
                impl From<A> for B { fn from(value: A) -> Self { Self::new(value) } }
            }
            mod operations {
                use super::{rules, types};
                pub struct A { body: types::A }
                impl Operation for A { const RULES: &Schema = &rules::A; }
                pub struct B { body: types::B }
                impl Operation for B { const RULES: &Schema = &rules::B; }
                pub struct C { body: types::C }
            }
            mod rules {
                schema!(A: Ref(&BOTH));
                schema!(B: Properties(&[(B, &BOTH), (C, &ONLY_B)]));
                schema!(BOTH: Type(A));
                schema!(ONLY_B: Type(A));
            }
        ";
        let marked = |behind: &[(&str, &str)]| -> Vec<(String, String)> {
            gated(source, behind).into_iter().filter(|(_, cfg)| !cfg.is_empty()).collect()
        };
        assert_eq!(marked(&[]), []);
        let one = r#"# [cfg (feature = "b")]"#;
        let expected = [
            "pub struct B",
            "pub struct OnlyB ;",
            "impl From < OnlyB > for Shared",
            "impl Default for OnlyB",
            "impl From < A > for B",
            "pub struct B",
            "impl Operation for B",
            "schema ! (B : Properties (& [(B , & BOTH) , (C , & ONLY_B)])) ;",
            "schema ! (ONLY_B : Type (A)) ;",
        ];
        let expected: Vec<_> = expected.iter().map(|head| ((*head).to_owned(), one.to_owned())).collect();
        assert_eq!(marked(&[("B", "b")]), expected);

        let two = marked(&[("B", "b"), ("C", "c")]);
        let of = |head: &str| two.iter().find(|(other, _)| other == head).map(|(_, cfg)| cfg.as_str());
        assert_eq!(of("pub enum Shared"), Some(r#"# [cfg (any (feature = "b" , feature = "c"))]"#));
        assert_eq!(of("pub struct OnlyC ;"), Some(r#"# [cfg (feature = "c")]"#));
        assert_eq!(
            of("impl From < OnlyB > for Shared"),
            Some(r#"# [cfg (all (feature = "b" , any (feature = "b" , feature = "c")))]"#)
        );
        assert_eq!(of("pub struct Unused ;"), None);
    }
}
