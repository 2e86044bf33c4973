//! Cargo features: items that are compiled only with a feature.
//!
//! The attributes are removed before anything else is read. Then an operation, its implementations and its entries in the tables must
//! declare the same feature, and a type or rules must be behind a feature exactly if only operations behind it lead to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syn::{Attribute, Expr, File, Item};

use super::{Code, Unrecognised, tokens::text};

/// The features that items declare, by module and name. An item may have several parts, which declare one each.
pub(crate) type Gates = BTreeMap<(String, String), BTreeSet<Option<String>>>;

/// Removes the attributes and returns them.
pub(super) fn take(file: &mut File) -> Gates {
    let mut gates = Gates::new();
    for item in &mut file.items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let mut note = |item: String, attrs: &mut Vec<Attribute>| {
            gates.entry((name.clone(), item)).or_default().insert(off(attrs));
        };
        for item in module.content.iter_mut().flat_map(|(_, items)| items) {
            match item {
                Item::Struct(item) => note(item.ident.to_string(), &mut item.attrs),
                Item::Enum(item) => note(item.ident.to_string(), &mut item.attrs),
                // A conversion between two types may need a feature that one of them does not.
                Item::Impl(item) if name == "types" => _ = off(&mut item.attrs),
                Item::Impl(item) => note(text(&item.self_ty), &mut item.attrs),
                Item::Macro(item) => {
                    let first = item.mac.tokens.clone().into_iter().next();
                    note(first.map(|first| first.to_string()).unwrap_or_default(), &mut item.attrs);
                }
                Item::Const(item) => {
                    let Expr::Reference(list) = &mut *item.expr else { continue };
                    let Expr::Array(list) = &mut *list.expr else { continue };
                    for element in &mut list.elems {
                        let Expr::Path(path) = element else { continue };
                        let owner = path.path.segments.first().map(|first| first.ident.to_string());
                        note(owner.unwrap_or_default(), &mut path.attrs);
                    }
                }
                Item::Fn(item) => {
                    for statement in &mut item.block.stmts {
                        let syn::Stmt::Expr(Expr::Match(arms), _) = statement else { continue };
                        for arm in &mut arms.arms {
                            let said = text(&arm.body);
                            let owner =
                                said.split_once("visit::<").and_then(|(_, rest)| rest.split_once('>'));
                            if let Some((owner, _)) = owner {
                                note(owner.to_owned(), &mut arm.attrs);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
    gates
}

/// Removes `#[cfg(..)]` and returns its content.
fn off(attrs: &mut Vec<Attribute>) -> Option<String> {
    let said: Vec<String> =
        attrs.extract_if(.., |attr| attr.path().is_ident("cfg")).map(|attr| text(&attr.meta)).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// Returns the feature in `cfg(feature="management")`.
fn feature(said: &str) -> Option<&str> {
    said.strip_prefix("cfg(feature=\"")?.strip_suffix("\")").filter(|name| !name.contains('"'))
}

/// Records the features of operations, and items with a wrong feature.
pub(super) fn judge(code: &mut Code) {
    let mut wrong: Vec<(String, String)> = Vec::new();
    let mut reached: BTreeMap<&str, BTreeSet<Option<String>>> = BTreeMap::new();
    let mut features = Vec::new();
    for operation in &code.operations {
        let key = ("operations".to_owned(), operation.name.clone());
        let said: Vec<&Option<String>> = code.gates.get(&key).into_iter().flatten().collect();
        let own = match said.as_slice() {
            [] | [None] => None,
            [Some(said)] => {
                let feature = feature(said).map(str::to_owned);
                if feature.is_none() {
                    wrong.push((operation.spot.to_string(), format!("`#[{said}]` of an operation")));
                }
                feature
            }
            _ => {
                let what = format!("several features of the operation `{}` and its parts", operation.name);
                wrong.push((operation.spot.to_string(), what));
                None
            }
        };
        let parts = operation.parameters.iter().map(|(_, part)| part);
        let parts: Vec<_> = parts.chain(operation.body.iter().map(|(_, part)| part)).collect();
        let types = parts.iter().filter_map(|part| part.ty.as_ref());
        for root in types.chain(&operation.response).chain(&operation.refusal) {
            let root = code.roots.get(root).into_iter().collect();
            for name in follow(root, &code.types) {
                reached.entry(name).or_default().insert(own.clone());
            }
        }
        for rules in parts.iter().filter_map(|part| part.rules.as_deref()) {
            let root = code.rules.get(rules).into_iter().collect();
            let below = follow(root, &code.rules);
            for name in below.into_iter().chain(code.rules.contains_key(rules).then_some(rules)) {
                reached.entry(name).or_default().insert(own.clone());
            }
        }
        features.push(own);
    }
    for ((module, name), said) in code.gates.iter().filter(|((module, _), _)| module != "operations") {
        let Some(leading) = reached.get(name.as_str()) else { continue };
        let expected = match leading.iter().map(Option::as_deref).collect::<Option<Vec<_>>>() {
            None => None,
            Some(features) => match features.as_slice() {
                [feature] => Some(format!("cfg(feature=\"{feature}\")")),
                several => {
                    let all: Vec<String> = several.iter().map(|name| format!("feature=\"{name}\"")).collect();
                    Some(format!("cfg(any({}))", all.join(",")))
                }
            },
        };
        if *said != BTreeSet::from([expected.clone()]) {
            let what = format!("the features {said:?} of what only {expected:?} leads to");
            wrong.push((format!("{} {module}::{name}", code.file), what));
        }
    }
    for (operation, feature) in code.operations.iter_mut().zip(features) {
        operation.feature = feature;
    }
    code.unrecognised.extend(wrong.into_iter().map(|(spot, what)| Unrecognised { spot, what }));
}

/// Returns the names that schemas lead to.
fn follow<'a>(roots: Vec<&'a Value>, all: &'a BTreeMap<String, Value>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = roots;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let name = members.get("$ref").and_then(Value::as_str);
                if let Some(name) = name.and_then(|name| name.strip_prefix("#/$defs/"))
                    && let Some((name, next)) = all.get_key_value(name)
                    && found.insert(name.as_str())
                {
                    open.push(next);
                }
                open.extend(members.values());
            }
            Value::Array(values) => open.extend(values),
            _ => {}
        }
    }
    found
}
