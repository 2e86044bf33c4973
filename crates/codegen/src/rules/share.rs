//! Merges equal schemas, and names those that become statics.

use std::collections::{HashMap, HashSet};

use heck::ToShoutySnakeCase;
use serde_json::Value;

use super::{
    collect::Collected,
    model::{Id, Model, Rule, Schema, Type},
    schema::Source,
};
use crate::{
    Pointer,
    names::{self, Names},
};

/// The maximum nesting of schemas in the code. Deeper ones become separate statics.
const DEPTH: usize = 6;

/// Merges equal schemas, and decides which of them become statics.
pub(super) fn share(document: &Value, collected: Collected) -> Model {
    let schemas = skip_wrappers(&collected.schemas);
    let (classes, first) = classes(&schemas);
    let mut model = Model::default();
    for &id in &first {
        let rules = schemas[id].iter().map(|rule| rule.map(&mut |id| classes[id])).collect();
        model.schemas.push(Schema { name: String::new(), is_static: false, rules });
    }
    model.operations = collected.operations;
    for operation in &mut model.operations {
        operation.body = operation.body.map(|id| classes[id]);
        operation.parameters.iter_mut().for_each(|parameter| parameter.schema = classes[parameter.schema]);
    }
    cut_circles(&mut model);
    let mut origins: Vec<Vec<&Source>> = vec![Vec::new(); first.len()];
    for (id, source) in collected.sources.iter().enumerate() {
        origins[classes[id]].push(source);
    }
    choose_statics(document, &mut model, &origins);
    name(document, &mut model, &origins);
    model
}

/// Replaces a schema that only applies another one with the rules of that one.
fn skip_wrappers(schemas: &[Vec<Rule>]) -> Vec<Vec<Rule>> {
    let behind = |mut id: Id| {
        for _ in 0..schemas.len() {
            match schemas[id].as_slice() {
                [Rule::AllOf(parts)] if parts.len() == 1 => id = parts[0],
                _ => break,
            }
        }
        id
    };
    let rules = |id: Id| schemas[behind(id)].iter().map(|rule| rule.map(&mut |id| behind(id))).collect();
    (0..schemas.len()).map(rules).collect()
}

/// Determines which schemas are equal: the class of each, and the first of each class.
///
/// At first, all schemas count as equal. Those whose own keywords differ, or whose parts belong to different classes, are separated until
/// nothing changes, so that schemas that contain themselves are compared too.
fn classes(schemas: &[Vec<Rule>]) -> (Vec<usize>, Vec<Id>) {
    let mut own: HashMap<String, usize> = HashMap::new();
    let shapes: Vec<(usize, Vec<Id>)> = schemas
        .iter()
        .map(|rules| {
            let bare: Vec<Rule> = rules.iter().map(|rule| rule.map(&mut |_| 0)).collect();
            let next = own.len();
            let number = *own.entry(format!("{bare:?}")).or_insert(next);
            (number, rules.iter().flat_map(Rule::children).collect())
        })
        .collect();
    let mut classes = vec![0; schemas.len()];
    let mut count = 1;
    loop {
        let mut numbers = HashMap::new();
        let mut first = Vec::new();
        let next: Vec<usize> = shapes
            .iter()
            .enumerate()
            .map(|(id, (own, children))| {
                let children: Vec<usize> = children.iter().map(|child| classes[*child]).collect();
                *numbers.entry((*own, children)).or_insert_with(|| {
                    first.push(id);
                    first.len() - 1
                })
            })
            .collect();
        classes = next;
        if first.len() == count || schemas.is_empty() {
            return (classes, first);
        }
        count = first.len();
    }
}

/// Replaces every step that leads back to an enclosing schema with a `Ref`.
fn cut_circles(model: &mut Model) {
    let mut done = vec![false; model.schemas.len()];
    for root in roots(model) {
        walk(model, root, &mut vec![false; done.len()], &mut done);
    }
}

fn walk(model: &mut Model, id: Id, open: &mut Vec<bool>, done: &mut Vec<bool>) {
    if std::mem::replace(&mut done[id], true) {
        return;
    }
    open[id] = true;
    let rules = std::mem::take(&mut model.schemas[id].rules);
    let mut back = HashMap::new();
    for child in rules.iter().flat_map(Rule::children) {
        if open[child] {
            back.insert(child, 0);
        } else {
            walk(model, child, open, done);
        }
    }
    for (child, reference) in &mut back {
        *reference = model.schemas.len();
        let rules = vec![Rule::Ref(*child)];
        model.schemas.push(Schema { name: String::new(), is_static: false, rules });
    }
    let rules = rules.iter().map(|rule| rule.map(&mut |id| *back.get(&id).unwrap_or(&id))).collect();
    model.schemas[id].rules = rules;
    open[id] = false;
}

fn roots(model: &Model) -> Vec<Id> {
    let operation = |operation: &super::model::Operation| {
        let parameters = operation.parameters.iter().map(|parameter| parameter.schema);
        operation.body.into_iter().chain(parameters).collect::<Vec<_>>()
    };
    model.operations.iter().flat_map(operation).collect()
}

/// Chooses the statics: schemas that an operation or a circle refers to, that several schemas contain, that are components or have a title,
/// or that would be nested too deep.
fn choose_statics(document: &Value, model: &mut Model, origins: &[Vec<&Source>]) {
    let mut uses = vec![0_usize; model.schemas.len()];
    let mut chosen: HashSet<Id> = roots(model).into_iter().collect();
    for rule in model.schemas.iter().flat_map(|schema| &schema.rules) {
        if let Rule::Ref(id) = rule {
            chosen.insert(*id);
        }
        rule.children().into_iter().for_each(|id| uses[id] += 1);
    }
    let shared = (0..uses.len()).filter(|id| uses[*id] > 1);
    let is_named = |source: &&Source| component(source).is_some() || has_title(document, source);
    let named = (0..origins.len()).filter(|id| origins[*id].iter().any(is_named));
    chosen.extend(shared.chain(named));
    let mut open: Vec<Id> = chosen.iter().copied().collect();
    while let Some(id) = open.pop() {
        let mut level = vec![id];
        for depth in 0.. {
            level = level
                .iter()
                .flat_map(|id| model.schemas[*id].rules.iter().flat_map(Rule::children))
                .filter(|id| !chosen.contains(id))
                .collect();
            if level.is_empty() {
                break;
            }
            if depth == DEPTH {
                chosen.extend(&level);
                open.append(&mut level);
                break;
            }
        }
    }
    for id in chosen {
        model.schemas[id].is_static = true;
    }
}

fn has_title(document: &Value, source: &Source) -> bool {
    let schema = place(source).and_then(|place| place.get(document));
    schema.is_some_and(|schema| schema.get("title").is_some_and(Value::is_string))
}

/// Returns the name of the component that a source is.
fn component(source: &Source) -> Option<String> {
    let Source::At(pointer) = source else { return None };
    let parent = pointer.parent()?;
    (parent.as_str() == "/components/schemas").then(|| names::type_name(&pointer.last()))
}

fn name(document: &Value, model: &mut Model, origins: &[Vec<&Source>]) {
    let mut names = Names::default();
    for id in 0..model.schemas.len() {
        let component = origins.get(id).into_iter().flatten().find_map(|source| component(source));
        if let Some(component) = component.filter(|_| model.schemas[id].is_static) {
            model.schemas[id].name = names.take(&component.to_shouty_snake_case());
        }
    }
    for id in 0..model.schemas.len() {
        let schema = &model.schemas[id];
        if !schema.is_static || !schema.name.is_empty() {
            continue;
        }
        let place = origins.get(id).into_iter().flatten().find_map(|source| place(source));
        let describe = || place.map(|place| names::describe(document, place).to_shouty_snake_case());
        let wanted = plain_name(model, &schema.rules).or_else(describe).unwrap_or_else(|| "PART".to_owned());
        model.schemas[id].name = names.take(&wanted);
    }
}

fn place(source: &Source) -> Option<&Pointer> {
    match source {
        Source::At(pointer) | Source::NotNull(pointer) => Some(pointer),
        _ => None,
    }
}

/// Returns a name for what many places have in common: `STRING`, `EMAIL_LIST`, `STRING_OR_NULL`, `SENSITIVE_STRING`.
fn plain_name(model: &Model, rules: &[Rule]) -> Option<String> {
    let (mut types, mut format, mut items, mut sensitive) = (None, None, None, "");
    for rule in rules {
        match rule {
            Rule::Type(names) => types = Some(names.as_slice()),
            Rule::Format(name) => format = Some(name.to_shouty_snake_case()),
            // Only to a limited depth, because a list may contain itself.
            Rule::Items(id)
                if !model.schemas[*id].rules.iter().any(|rule| matches!(rule, Rule::Items(_))) =>
            {
                items = Some(plain_name(model, &model.schemas[*id].rules)?);
            }
            Rule::Sensitive => sensitive = "SENSITIVE_",
            Rule::Never if rules.len() == 1 => return Some("NEVER".to_owned()),
            _ => return None,
        }
    }
    let names = |types: &[Type]| {
        let names: Vec<_> =
            types.iter().rev().map(|name| format!("{name:?}").to_shouty_snake_case()).collect();
        names.join("_OR_")
    };
    let kind = match (types, format, items) {
        (Some([Type::Array]), None, Some(items)) => format!("{items}_LIST"),
        (_, _, Some(_)) => return None,
        (Some([Type::String]) | None, Some(format), None) => format,
        (Some(types), Some(format), None) => format!("{format}_{}", names(types)),
        (Some(types), None, None) => names(types),
        (None, None, None) => "ANY".to_owned(),
    };
    Some(format!("{sensitive}{kind}"))
}
