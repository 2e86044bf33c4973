//! Matches operations, and compares their declarations other than parameters and bodies.

use std::collections::HashMap;

use anyhow::Result;
use suprsend_codegen::{Pointer, path_template, rust_function};

use super::{
    bodies,
    change::{Change, Changes, Kind, Level, Side},
    document::{Documents, Operation},
    parameters, responses,
    schema::Queue,
    security, servers,
};

/// The context for comparing the parts of an operation.
pub(super) struct Context<'c, 'a> {
    pub(super) documents: Documents<'a>,
    pub(super) changes: &'c mut Changes,
    pub(super) queue: &'c mut Queue<'a>,
}

/// Compares all operations.
pub(super) fn compare(documents: Documents<'_>, changes: &mut Changes) -> Result<()> {
    let (old, new) = (documents.old.operations(), documents.new.operations());
    let mut queue = Queue::default();
    let schemes = security::Schemes::matched(documents, changes);
    for pair in matched(&old, &new) {
        match pair {
            (Some(old), Some(new)) => {
                compare_pair(documents, changes, &mut queue, &schemes, (old, new))?;
            }
            (None, Some(new)) => {
                let message = called(new);
                changes.add(
                    Level::Additive,
                    Kind::OperationAdded,
                    (Side::New, &new.place.pointer),
                    None,
                    message,
                );
            }
            (Some(old), None) => {
                let message = called(old);
                changes.add(
                    Level::Breaking,
                    Kind::OperationRemoved,
                    (Side::Old, &old.place.pointer),
                    None,
                    message,
                );
            }
            (None, None) => {}
        }
    }
    Ok(())
}

/// An operation in two documents.
#[derive(Debug)]
pub(in crate::spec) struct Compared {
    /// The place of the operation in the old document, if it exists there.
    pub(in crate::spec) old: Option<Pointer>,
    /// The place of the operation in the new document, if it exists there.
    pub(in crate::spec) new: Option<Pointer>,
    /// Method and path, in the new document if it exists there.
    pub(in crate::spec) called: (String, String),
    /// All differences, including those that other operations share.
    pub(in crate::spec) changes: Vec<Change>,
    /// Every pair of schemas that was compared, by their places, with references not followed.
    pub(in crate::spec) schemas: Vec<(Pointer, Pointer)>,
}

/// Compares the operations, each separately.
pub(super) fn each(documents: Documents<'_>) -> Result<Vec<Compared>> {
    let (old, new) = (documents.old.operations(), documents.new.operations());
    let mut queue = Queue::default();
    let mut found = Vec::new();
    for (old, new) in matched(&old, &new) {
        let mut changes = Changes::default();
        let schemes = security::Schemes::matched(documents, &mut Changes::default());
        queue.again();
        if let (Some(old), Some(new)) = (old, new) {
            compare_pair(documents, &mut changes, &mut queue, &schemes, (old, new))?;
        }
        let Some(called) = new.or(old) else { continue };
        let place = |operation: Option<&Operation<'_>>| operation.map(|it| it.place.pointer.clone());
        found.push(Compared {
            old: place(old),
            new: place(new),
            called: (called.method.to_owned(), called.path.to_owned()),
            changes: changes.sorted(),
            schemas: queue.compared.clone(),
        });
    }
    Ok(found)
}

fn compare_pair<'a>(
    documents: Documents<'a>,
    changes: &mut Changes,
    queue: &mut Queue<'a>,
    schemes: &security::Schemes<'a>,
    (old, new): (&Operation<'a>, &Operation<'a>),
) -> Result<()> {
    let mut context = Context { documents, changes: &mut *changes, queue: &mut *queue };
    context.operation(old, new);
    parameters::compare(&mut context, old, new);
    bodies::request(&mut context, old, new);
    responses::compare(&mut context, old, new);
    schemes.compare(&mut context, old, new);
    servers::compare(&mut context, old, new);
    // Everything that belongs to an operation is compared together with it.
    queue.work(documents, changes)
}

/// Returns the names of the operations that were removed.
pub(super) fn gone(documents: Documents<'_>) -> Vec<String> {
    let (old, new) = (documents.old.operations(), documents.new.operations());
    let pairs = matched(&old, &new);
    pairs.into_iter().filter(|(_, new)| new.is_none()).filter_map(|(old, _)| old.map(called)).collect()
}

type Matched<'o, 'a> = Vec<(Option<&'o Operation<'a>>, Option<&'o Operation<'a>>)>;

/// Matches operations first by path and method, then by paths that differ only in the names of parameters, then by id. The order is that of
/// the new document, with removed operations last.
fn matched<'o, 'a>(old: &'o [Operation<'a>], new: &'o [Operation<'a>]) -> Matched<'o, 'a> {
    let keys: [fn(&Operation<'_>) -> Option<String>; 3] = [
        |it| Some(format!("{} {}", it.method, it.path)),
        |it| Some(format!("{} {}", it.method, path_template(it.path))),
        |it| it.place.text("operationId").map(str::to_owned),
    ];
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    for key in keys {
        let mut free: HashMap<String, usize> = HashMap::new();
        for (index, operation) in old.iter().enumerate().filter(|(index, _)| !taken[*index]) {
            if let Some(key) = key(operation) {
                free.entry(key).or_insert(index);
            }
        }
        for (slot, operation) in partner.iter_mut().zip(new).filter(|(slot, _)| slot.is_none()) {
            if let Some(index) = key(operation).and_then(|key| free.remove(&key)) {
                *slot = Some(index);
                taken[index] = true;
            }
        }
    }
    let kept = partner.iter().zip(new).map(|(index, new)| (index.map(|index| &old[index]), Some(new)));
    let gone = old.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(old, _)| (Some(old), None));
    kept.chain(gone).collect()
}

/// Returns the names of a path's parameters in order.
pub(super) fn names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect()
}

fn called(operation: &Operation<'_>) -> String {
    format!(
        "{} {}, in Rust `{}`",
        operation.method.to_uppercase(),
        operation.path,
        rust_function(operation.place.value, operation.path, operation.method)
    )
}

impl<'a> Context<'_, 'a> {
    fn operation(&mut self, old: &Operation<'a>, new: &Operation<'a>) {
        let at = (Side::New, &new.place.pointer);
        let function = |it: &Operation<'_>| rust_function(it.place.value, it.path, it.method);
        let (before, after) = (function(old), function(new));
        if before != after {
            let message = format!("the method `{before}` is called `{after}`");
            self.changes.add(Level::Breaking, Kind::OperationRenamed, at, None, message);
        }
        if old.method != new.method || path_template(old.path) != path_template(new.path) {
            let name = |it: &Operation<'_>| format!("{} {}", it.method.to_uppercase(), it.path);
            let message = format!("{} became {}", name(old), name(new));
            self.changes.add(Level::Neutral, Kind::OperationMoved, at, None, message);
        }
        self.deprecated(&old.place, &new.place, None);
        let tags = |it: &Operation<'a>| it.place.get("tags").map(|tags| tags.value);
        if tags(old) != tags(new) {
            self.changes.add(Level::Neutral, Kind::TagsChanged, at, None, "it has other tags");
        }
        let callbacks = |it: &Operation<'a>| it.place.get("callbacks");
        if !self.documents.alike(callbacks(old), callbacks(new)) {
            let message = "no code is generated for callbacks";
            self.changes.add(Level::Neutral, Kind::CallbacksChanged, at, None, message);
        }
    }

    /// Compares the flag `deprecated` of an operation or a parameter.
    pub(super) fn deprecated(
        &mut self,
        old: &super::document::Place<'a>,
        new: &super::document::Place<'a>,
        way: Option<super::change::Way>,
    ) {
        let (kind, message) = match (old.flag("deprecated"), new.flag("deprecated")) {
            (false, true) => (Kind::Deprecated, "it is deprecated"),
            (true, false) => (Kind::NoLongerDeprecated, "it is not deprecated any more"),
            _ => return,
        };
        self.changes.add(Level::Neutral, kind, (Side::New, &new.pointer), way, message);
    }
}
