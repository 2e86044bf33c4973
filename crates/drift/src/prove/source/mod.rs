//! Operators on the generated source.
//!
//! Such a mutant is checked only by what the reader finds in its source: nothing is compiled again, so the compiled types, the instances
//! and the recorded requests, which would be unchanged, are left out.

mod macros;
mod operations;
mod rules;
mod types;

use syn::{File, Item};

use self::{macros::Macros, operations::Operations, rules::Rules, types::Types};
use crate::code::Code;

/// A change of the source: its operator, and the index of the place where it is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    operator: Operator,
    /// The part of the source in which it is made; `None` stands for the whole.
    part: Option<usize>,
    nth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Types(Types),
    Operations(Operations),
    Rules(Rules),
    Macros(Macros),
}

/// A generated source, as a whole and in parts that can be read separately: one for each type, each operation and each static with rules.
pub(super) struct Source {
    whole: File,
    parts: Vec<Part>,
}

struct Part {
    file: File,
    /// The type, the operation or the static.
    name: String,
}

impl Source {
    pub(super) fn new(text: &str) -> syn::Result<Self> {
        let whole = lean(syn::parse_file(text)?);
        let parts = [types::parts(&whole), operations::parts(&whole), rules::parts(&whole)].concat();
        let parts = parts.into_iter().map(|(name, file)| Part { file, name }).collect();
        Ok(Self { whole, parts })
    }

    /// Returns every change that can be made.
    pub(super) fn changes(&self) -> Vec<Change> {
        let operators = Types::ALL.iter().copied().map(Operator::Types);
        let operators = operators.chain(Operations::ALL.iter().copied().map(Operator::Operations));
        let operators = operators.chain(Rules::ALL.iter().copied().map(Operator::Rules));
        let operators = operators.chain(Macros::ALL.iter().copied().map(Operator::Macros));
        let mut changes = Vec::new();
        for operator in operators {
            let parts: Vec<Option<usize>> =
                if operator.is_of_whole() { vec![None] } else { (0..self.parts.len()).map(Some).collect() };
            for part in parts {
                let mut turn = Turn::at(usize::MAX);
                operator.visit(&mut self.file(part).clone(), &mut turn);
                changes.extend((0..turn.seen).map(|nth| Change { operator, part, nth }));
            }
        }
        changes
    }

    /// Returns the place of a change.
    pub(super) fn place(&self, change: Change) -> String {
        self.changed(change).1
    }

    /// Reads the source with a change.
    pub(super) fn read(&self, change: Change, code: &Code) -> Code {
        let (file, _) = self.changed(change);
        match change.part {
            None => Code::read(&file, &code.file),
            Some(part) => code.with_part(&file, std::slice::from_ref(&self.parts[part].name)),
        }
    }

    fn changed(&self, change: Change) -> (File, String) {
        let mut file = self.file(change.part).clone();
        let mut turn = Turn::at(change.nth);
        change.operator.visit(&mut file, &mut turn);
        (file, turn.place)
    }

    fn file(&self, part: Option<usize>) -> &File {
        part.map_or(&self.whole, |part| &self.parts[part].file)
    }
}

impl Change {
    pub(super) fn name(self) -> &'static str {
        match self.operator {
            Operator::Types(types) => types.name(),
            Operator::Operations(operations) => operations.name(),
            Operator::Rules(rules) => rules.name(),
            Operator::Macros(macros) => macros.name(),
        }
    }
}

impl Operator {
    /// Returns whether it concerns more than one type or one operation.
    fn is_of_whole(self) -> bool {
        match self {
            Self::Types(types) => types == Types::TypeRemoved,
            Self::Operations(operations) => operations.is_of_whole(),
            Self::Rules(_) | Self::Macros(_) => false,
        }
    }

    fn visit(self, file: &mut File, turn: &mut Turn) {
        match self {
            Self::Types(types) => types.visit(file, turn),
            Self::Operations(operations) => operations.visit(file, turn),
            Self::Rules(rules) => rules.visit(file, turn),
            Self::Macros(macros) => macros.visit(file, turn),
        }
    }
}

/// Returns the source without what the reader ignores.
fn lean(mut file: File) -> File {
    if let Some(items) = module(&mut file, "types") {
        items.retain(|item| match item {
            Item::Mod(module) => module.ident != "error",
            Item::Impl(item) => item.trait_.as_ref().is_some_and(|(path, _)| {
                let name = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                ["Debug", "Deserialize", "Serialize", "FromStr", "TryFrom"].contains(&name.as_str())
            }),
            _ => true,
        });
    }
    file
}

/// Returns the items of a module of the file.
fn module<'f>(file: &'f mut File, name: &str) -> Option<&'f mut Vec<Item>> {
    file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

/// Counts the places where a change can be made, and tells which one is meant.
struct Turn {
    nth: usize,
    seen: usize,
    place: String,
}

impl Turn {
    fn at(nth: usize) -> Self {
        Self { nth, seen: 0, place: String::new() }
    }

    /// Returns whether to make the change here.
    fn here(&mut self, place: impl FnOnce() -> String) -> bool {
        let here = self.seen == self.nth;
        self.seen += 1;
        if here {
            self.place = place();
        }
        here
    }
}
