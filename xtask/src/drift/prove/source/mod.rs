//! Operators on the generated source.
//!
//! Such a mutant is judged by what the reader makes of its source: nothing is compiled anew, so the compiled types, the
//! instances and the recorded requests, which would say the same, are left out.

mod send;
mod types;

use syn::{File, Item};

use self::{send::Send, types::Types};

/// A change of the source: which, and at which of the places where it can be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    operator: Operator,
    nth: usize,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Types(Types),
    Send(Send),
}

impl Change {
    pub(super) fn name(self) -> &'static str {
        match self.operator {
            Operator::Types(types) => types.name(),
            Operator::Send(send) => send.name(),
        }
    }

    /// The changed source, and where it has been changed.
    pub(super) fn apply(self, file: &File) -> (File, String) {
        let mut file = file.clone();
        let mut turn = Turn::at(self.nth);
        self.operator.visit(&mut file, &mut turn);
        (file, turn.place)
    }
}

impl Operator {
    fn visit(self, file: &mut File, turn: &mut Turn) {
        match self {
            Self::Types(types) => types.visit(file, turn),
            Self::Send(send) => send.visit(file, turn),
        }
    }
}

/// Every change that can be made of a source.
pub(super) fn changes(file: &File) -> Vec<Change> {
    let operators = Types::ALL.iter().copied().map(Operator::Types);
    let operators = operators.chain(Send::ALL.iter().copied().map(Operator::Send));
    let mut changes = Vec::new();
    let mut copy = file.clone();
    for operator in operators {
        let mut turn = Turn::at(usize::MAX);
        operator.visit(&mut copy, &mut turn);
        changes.extend((0..turn.seen).map(|nth| Change { operator, nth }));
    }
    changes
}

/// The source without what the reader does not read.
pub(super) fn lean(mut file: File) -> File {
    if let Some(items) = module(&mut file, "types") {
        items.retain(|item| match item {
            Item::Mod(module) => module.ident != "builder" && module.ident != "error",
            Item::Impl(item) => item.trait_.as_ref().is_some_and(|(path, _)| {
                let name = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                ["Deserialize", "Serialize", "FromStr", "TryFrom"].contains(&name.as_str())
            }),
            _ => true,
        });
    }
    file
}

/// The items of a module of the file.
fn module<'f>(file: &'f mut File, name: &str) -> Option<&'f mut Vec<Item>> {
    file.items.iter_mut().find_map(|item| match item {
        Item::Mod(module) if module.ident == name => module.content.as_mut().map(|(_, items)| items),
        _ => None,
    })
}

/// Counts the places where a change can be made, and tells the one where it is to be.
struct Turn {
    nth: usize,
    seen: usize,
    place: String,
}

impl Turn {
    fn at(nth: usize) -> Self {
        Self { nth, seen: 0, place: String::new() }
    }

    /// Whether the change is to be made here.
    fn here(&mut self, place: impl FnOnce() -> String) -> bool {
        let here = self.seen == self.nth;
        self.seen += 1;
        if here {
            self.place = place();
        }
        here
    }
}
