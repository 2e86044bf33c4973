//! Operators on the rules of requests.

use quote::{ToTokens, quote};
use syn::{
    Expr, File, Ident, Item, Lit, Path, Token,
    parse::Parser,
    parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::{Turn, module};

/// Changes of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    Removed,
    RuleLeftOut,
    RuleAdded,
    NumberChanged,
    TextChanged,
    WordChanged,
    ReferenceChanged,
    OneOfAListRemoved,
}

type List = Punctuated<Expr, Token![,]>;

/// Returns each static as a separate file.
pub(super) fn parts(file: &File) -> Vec<(String, File)> {
    let items = file.items.iter().find_map(|item| match item {
        Item::Mod(module) if module.ident == "rules" => module.content.as_ref(),
        _ => None,
    });
    let items = items.map(|(_, items)| items.as_slice()).unwrap_or_default();
    let part = |item: &Item| {
        let (name, _) = read(item)?;
        Some((name.to_string(), parse_quote!(pub mod rules { #item })))
    };
    items.iter().filter_map(part).collect()
}

/// Returns the name of a static and its rules.
fn read(item: &Item) -> Option<(Ident, List)> {
    let Item::Macro(item) = item else { return None };
    let parser = |input: syn::parse::ParseStream<'_>| {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok((name, List::parse_terminated(input)?))
    };
    item.mac.path.is_ident("schema").then(|| parser.parse2(item.mac.tokens.clone()).ok())?
}

impl Rules {
    pub(super) const ALL: &[Self] = &[
        Self::Removed,
        Self::RuleLeftOut,
        Self::RuleAdded,
        Self::NumberChanged,
        Self::TextChanged,
        Self::WordChanged,
        Self::ReferenceChanged,
        Self::OneOfAListRemoved,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Removed => "rules removed",
            Self::RuleLeftOut => "rule left out",
            Self::RuleAdded => "rule added",
            Self::NumberChanged => "number of a rule changed",
            Self::TextChanged => "text of a rule changed",
            Self::WordChanged => "type or format of a rule changed",
            Self::ReferenceChanged => "rule about another schema",
            Self::OneOfAListRemoved => "one of a rule's list removed",
        }
    }

    pub(super) fn visit(self, file: &mut File, turn: &mut Turn) {
        let Some(items) = module(file, "rules") else { return };
        for index in (0..items.len()).rev() {
            let Some((name, mut rules)) = read(&items[index]) else { continue };
            match self {
                Self::Removed => {
                    if turn.here(|| format!("rules::{name}")) {
                        items.remove(index);
                    }
                    continue;
                }
                Self::RuleLeftOut => {
                    for index in (0..rules.len()).rev() {
                        let said = rules[index].to_token_stream().to_string();
                        if turn.here(|| format!("rules::{name}: {said}")) {
                            super::types::remove(&mut rules, index);
                        }
                    }
                }
                Self::RuleAdded => {
                    for more in
                        [parse_quote!(MaxProperties(7)), parse_quote!(Not(&DRIFT_NEW)), parse_quote!(Never)]
                    {
                        let more: Expr = more;
                        let said = more.to_token_stream().to_string();
                        if turn.here(|| format!("rules::{name}: {said}")) {
                            rules.push(more);
                        }
                    }
                }
                _ => {
                    let mut inner = Inner { operator: self, owner: name.to_string(), turn };
                    rules.iter_mut().for_each(|rule| inner.visit_expr_mut(rule));
                }
            }
            if let Item::Macro(item) = &mut items[index] {
                item.mac.tokens = quote!(#name: #rules);
            }
        }
    }
}

struct Inner<'t> {
    operator: Rules,
    owner: String,
    turn: &'t mut Turn,
}

impl Inner<'_> {
    fn here(&mut self, what: &str) -> bool {
        let owner = &self.owner;
        self.turn.here(|| format!("rules::{owner}: {what}"))
    }
}

impl VisitMut for Inner<'_> {
    fn visit_lit_mut(&mut self, literal: &mut Lit) {
        match (self.operator, &*literal) {
            (Rules::NumberChanged, Lit::Int(known)) => {
                let known = known.base10_digits().to_owned();
                if self.here(&known) {
                    *literal = if known == "77" { parse_quote!(78) } else { parse_quote!(77) };
                }
            }
            (Rules::TextChanged, Lit::Str(known)) => {
                let known = known.value();
                if self.here(&known) {
                    let changed = format!("{known}drift");
                    *literal = parse_quote!(#changed);
                }
            }
            _ => {}
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_static =
            |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let other: Option<Path> = match (self.operator, names.as_slice()) {
            (Rules::WordChanged, ["Type", "Boolean"]) => Some(parse_quote!(Type::String)),
            (Rules::WordChanged, ["Type", _]) => Some(parse_quote!(Type::Boolean)),
            (Rules::WordChanged, ["Format", "Ipv4"]) => Some(parse_quote!(Format::Uuid)),
            (Rules::WordChanged, ["Format", _]) => Some(parse_quote!(Format::Ipv4)),
            (Rules::ReferenceChanged, [name]) if is_static(name) => Some(parse_quote!(DRIFT_NEW)),
            _ => None,
        };
        if let Some(other) = other
            && self.here(&names.join("::"))
        {
            *path = other;
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let (Rules::OneOfAListRemoved, Expr::Array(array)) = (self.operator, &mut *expr) {
            for index in (0..array.elems.len()).rev() {
                let said = array.elems[index].to_token_stream().to_string();
                if self.here(&said) {
                    super::types::remove(&mut array.elems, index);
                }
            }
        }
    }
}
