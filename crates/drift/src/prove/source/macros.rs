//! Operators on the macros from which types and operations are read.

use proc_macro2::{Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::{File, Item, ItemMacro, parse_quote};

use super::{Turn, module};
use crate::code::{of_macro, reading};

/// Changes of a macro that leave the type as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Macros {
    Removed,
    PartLeftOut,
    PartAdded,
    WordChanged,
    NameChanged,
    NameAdded,
    RestExchanged,
}

impl Macros {
    pub(super) const ALL: &[Self] = &[
        Self::Removed,
        Self::PartLeftOut,
        Self::PartAdded,
        Self::WordChanged,
        Self::NameChanged,
        Self::NameAdded,
        Self::RestExchanged,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Removed => "macro removed",
            Self::PartLeftOut => "macro's part left out",
            Self::PartAdded => "macro's part added",
            Self::WordChanged => "macro's word changed",
            Self::NameChanged => "macro's name changed",
            Self::NameAdded => "macro's name added",
            Self::RestExchanged => "macro's rest exchanged",
        }
    }

    pub(super) fn visit(self, file: &mut File, turn: &mut Turn) {
        for name in ["types", "operations"] {
            let Some(items) = module(file, name) else { continue };
            for index in (0..items.len()).rev() {
                let Item::Macro(item) = &mut items[index] else { continue };
                let Some((owner, macro_name)) = of_macro(item) else { continue };
                let place = format!("{macro_name}! of {owner}");
                if self != Self::Removed {
                    self.arguments(item, &macro_name, &place, turn);
                } else if turn.here(|| place) {
                    items.remove(index);
                }
            }
        }
    }

    /// Visits `Name { part, part } rest`.
    fn arguments(self, item: &mut ItemMacro, name: &str, place: &str, turn: &mut Turn) {
        let mut tokens: Vec<TokenTree> = item.mac.tokens.clone().into_iter().collect();
        let Some(TokenTree::Group(group)) = tokens.get(1) else { return };
        let mut parts = parts(group);
        if self == Self::RestExchanged {
            let rest = TokenTree::Ident(Ident::new("drift_new", Span::call_site()));
            if name != "partial_debug" && turn.here(|| place.to_owned()) {
                tokens.truncate(2);
                tokens.push(rest);
            }
        } else {
            self.parts(&mut parts, name, place, turn);
            let separated = parts.iter().enumerate().flat_map(|(index, part)| {
                let comma = (index > 0).then(|| TokenTree::Punct(Punct::new(',', Spacing::Alone)));
                comma.into_iter().chain(part.clone())
            });
            tokens[1] = TokenTree::Group(Group::new(group.delimiter(), separated.collect()));
        }
        item.mac.tokens = tokens.into_iter().collect();
    }

    fn parts(self, parts: &mut Vec<Vec<TokenTree>>, name: &str, place: &str, turn: &mut Turn) {
        let ident = |name: &str| TokenTree::Ident(Ident::new(name, Span::call_site()));
        let literal = || TokenTree::Literal(Literal::string("drift_new"));
        // If `Debug` prints less, nothing is lost that anybody must not see.
        let reads = name != "partial_debug";
        if self == Self::PartAdded {
            let part: &[TokenTree] = match name {
                "deserialize" => &[ident("optional"), ident("drift_new")],
                "open_enum" => &[ident("DriftNew"), literal()],
                _ => &[ident("drift_new")],
            };
            if turn.here(|| place.to_owned()) {
                parts.push(part.to_vec());
            }
            return;
        }
        for index in (0..parts.len()).rev() {
            let part = &mut parts[index];
            let applies = match (self, part.as_slice()) {
                (Self::WordChanged, _) => name == "deserialize",
                (Self::NameChanged, [.., TokenTree::Literal(_)]) => true,
                (Self::PartLeftOut, _) | (Self::NameAdded, [.., TokenTree::Ident(_)]) => reads,
                _ => false,
            };
            if !applies || !turn.here(|| place.to_owned()) {
                continue;
            }
            match self {
                Self::PartLeftOut => drop(parts.remove(index)),
                Self::WordChanged => {
                    let word = part[0].to_string();
                    part[0] = ident(if word == "optional" { "required" } else { "optional" });
                }
                Self::NameChanged => {
                    part.pop();
                    part.push(literal());
                }
                _ => part.push(literal()),
            }
        }
    }
}

/// Returns what stands between the commas.
fn parts(group: &Group) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    tokens.split(is_comma).filter(|part| !part.is_empty()).map(<[TokenTree]>::to_vec).collect()
}

/// Writes the macros of types as the generator would for the types as they are now. A type of which no macro knows the form gets the derive.
pub(super) fn follow(items: &mut Vec<Item>) {
    let mut said: Vec<(String, Option<TokenStream>)> = Vec::new();
    for item in items.iter() {
        if let Some(name) = super::types::name_of(item) {
            said.push((name, reading(item)));
        }
    }
    let mut derived = Vec::new();
    items.retain_mut(|item| {
        let Item::Macro(item) = item else { return true };
        let owner = of_macro(item).map(|(owner, _)| owner);
        let Some((name, said)) = said.iter().find(|(name, _)| Some(name) == owner.as_ref()) else {
            return true;
        };
        match said {
            Some(said) => item.mac.tokens = said.clone(),
            None => derived.push(name.clone()),
        }
        said.is_some()
    });
    for item in items {
        if let Item::Struct(item) = item
            && derived.contains(&item.ident.to_string())
        {
            item.attrs.push(parse_quote!(#[derive(::serde::Deserialize)]));
        }
    }
}
