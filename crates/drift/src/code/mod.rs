//! Reads generated source with `syn`.
//!
//! The reader knows only the forms that the generator writes. Anything else is reported, because an ignored fact would count as agreement.
//! Comments are not read, including doc comments.

mod debug;
mod gates;
mod members;
mod operations;
mod reading;
mod regular;
mod rules;
mod tokens;
mod types;
mod union;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;
use syn::{File, Item};

pub(crate) use members::{of_macro, reading};
pub(crate) use operations::{Format, Operation, Part, Place, shape};
pub(crate) use regular::has_pages;
pub(crate) use rules::dashed;
pub(crate) use tokens::squeezed;
pub(crate) use types::Contract;

/// A place in generated source: a file, a line and the code there.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    file: String,
    line: usize,
    item: String,
}

impl Spot {
    fn new(file: &str, spanned: &impl syn::spanned::Spanned, item: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: spanned.span().start().line, item: item.into() }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.file, self.line, self.item)
    }
}

/// A piece of generated source that the reader does not understand.
#[derive(Debug, Clone)]
pub(crate) struct Unrecognised {
    pub(crate) spot: String,
    pub(crate) what: String,
}

/// The facts of one generated file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Code {
    /// The name of the file in messages.
    pub(crate) file: String,
    pub(crate) operations: Vec<Operation>,
    /// Every public type by name: the JSON Schema of what serde does with it, in the form that `types` describes.
    pub(crate) types: BTreeMap<String, Value>,
    /// The types that operations use, by the text of the type, as such schemas.
    pub(crate) roots: BTreeMap<String, Value>,
    /// The rules of requests by the names of their statics, as JSON Schema.
    pub(crate) rules: BTreeMap<String, Value>,
    pub(crate) unrecognised: Vec<Unrecognised>,
    /// The Cargo features of items.
    pub(crate) gates: gates::Gates,
}

impl Code {
    /// Reads the file, which has this name in messages.
    pub(crate) fn read(file: &File, name: &str) -> Self {
        let mut code = Self::read_part(file, name);
        code.finish(file);
        code
    }

    /// Returns the facts of a file in which this part has been replaced. `replaced` are the names of its types, operations and rules.
    pub(crate) fn with_part(&self, part: &File, replaced: &[String]) -> Self {
        let Self { operations, types, roots, rules, unrecognised, gates, file: _ } =
            Self::read_part(part, &self.file);
        let mut code = self.clone();
        code.gates.retain(|(_, name), _| !replaced.contains(name));
        code.gates.extend(gates);
        code.types.retain(|name, _| !replaced.contains(name));
        code.rules.retain(|name, _| !replaced.contains(name));
        code.operations.retain(|operation| !replaced.contains(&operation.name));
        code.operations.extend(operations);
        code.types.extend(types);
        code.rules.extend(rules);
        code.roots.extend(roots);
        code.unrecognised.extend(unrecognised);
        code.finish(part);
        code
    }

    fn read_part(file: &File, name: &str) -> Self {
        let mut file = file.clone();
        let gates = gates::take(&mut file);
        let mut code = Self { file: name.to_owned(), gates, ..Self::default() };
        for item in &file.items {
            match item {
                Item::Mod(module) => match (module.ident.to_string().as_str(), &module.content) {
                    ("types", Some((_, items))) => types::read(items, &mut code),
                    ("operations", Some((_, items))) => operations::read(items, &mut code),
                    ("rules", Some((_, items))) => rules::read(items, &mut code),
                    _ => code.unrecognised(module, format!("the module `{}`", module.ident)),
                },
                Item::Use(_) => {}
                _ => code.unrecognised(item, "an item of a kind that generated code does not have"),
            }
        }
        code
    }

    /// Runs the checks for which all types must be known.
    fn finish(&mut self, file: &File) {
        self.name_missing();
        gates::judge(self);
        reading::compare(self);
        for item in &file.items {
            if let Item::Mod(module) = item
                && module.ident == "operations"
                && let Some((_, items)) = &module.content
            {
                regular::pages(items, self);
            }
        }
    }

    /// Reports types that are used but do not exist. Each counts as a type about which nothing is known.
    fn name_missing(&mut self) {
        let whole = self.schemas();
        let mut open = vec![&whole];
        let mut missing = BTreeSet::new();
        while let Some(value) = open.pop() {
            match value {
                Value::Object(members) => {
                    let reference = members.get("$ref").and_then(Value::as_str);
                    let name = reference.and_then(|reference| reference.strip_prefix("#/$defs/"));
                    missing.extend(name.filter(|name| !self.types.contains_key(*name)));
                    open.extend(members.values());
                }
                Value::Array(values) => open.extend(values),
                _ => {}
            }
        }
        for name in missing {
            let spot = format!("{} {name}", self.file);
            let what = format!("the type `{name}`, which is used and not there");
            self.unrecognised.push(Unrecognised { spot: spot.clone(), what });
            self.types.insert(name.to_owned(), serde_json::json!({ "x-rust": { "spot": spot } }));
        }
    }

    fn unrecognised(&mut self, spanned: &impl syn::spanned::Spanned, what: impl Into<String>) {
        let spot = format!("{}:{}", self.file, spanned.span().start().line);
        self.unrecognised.push(Unrecognised { spot, what: what.into() });
    }

    /// Returns only the operations, types and rules with these names.
    pub(crate) fn part(&self, names: &BTreeSet<String>) -> Self {
        let of = |all: &BTreeMap<String, Value>| {
            all.iter()
                .filter(|(name, _)| names.contains(*name))
                .map(|(name, one)| (name.clone(), one.clone()))
                .collect()
        };
        let operations = self.operations.iter().filter(|operation| names.contains(&operation.name));
        Self {
            file: self.file.clone(),
            operations: operations.cloned().collect(),
            types: of(&self.types),
            rules: of(&self.rules),
            roots: self
                .roots
                .iter()
                .filter(|(key, _)| names.contains(*key))
                .map(|(key, one)| (key.clone(), one.clone()))
                .collect(),
            unrecognised: Vec::new(),
            gates: self
                .gates
                .iter()
                .filter(|((_, name), _)| names.contains(name))
                .map(|(key, said)| (key.clone(), said.clone()))
                .collect(),
        }
    }

    /// Returns the rules as one JSON Schema document, with a definition for each.
    pub(crate) fn rules(&self) -> Value {
        serde_json::json!({ "$defs": self.rules })
    }

    /// Returns the types as one JSON Schema document, with a definition for each.
    pub(crate) fn schemas(&self) -> Value {
        serde_json::json!({ "$defs": self.types, "roots": self.roots })
    }
}
