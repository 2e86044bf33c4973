//! Arrays and objects, validated while they are serialized.

use std::collections::BTreeSet;

use serde_json::Value;
use suprsend_api::rules::{Group, Rule, Schema, Type};

use super::{
    json,
    look::{ANY, At, Of, Seen, Subject, judge},
    run::{Mode, Path, Run, Stop},
    scalar,
};

/// An array or an object that is being validated.
pub(super) struct Inside<'a, 'r> {
    run: &'a mut Run<'r>,
    at: At<'a>,
    kind: Type,
    /// Whether the value has the right type. If not, no other rule applies to it.
    is_fit: bool,
    /// The number of items or members so far.
    count: usize,
    /// The required members found so far, one bit each.
    found: u64,
    /// The position in `properties` where the next member is expected. The fields of a struct come in much the same order.
    expected: usize,
    rest: Option<Box<Rest>>,
}

/// State that few arrays and objects need.
#[derive(Default)]
struct Rest {
    /// The number of items that match `contains`.
    contained: u32,
    /// The items, if they must be unique.
    items: Vec<Value>,
    /// The name of the member whose value comes next, if names and values come separately.
    name: Option<String>,
    /// The required members found so far that do not fit into `found`.
    found: BTreeSet<usize>,
}

impl<'a, 'r> Inside<'a, 'r> {
    pub(super) fn open(run: &'a mut Run<'r>, at: At<'a>, kind: Type) -> Result<Self, Stop> {
        let is_fit = scalar::is_typed(run, at, kind)?;
        run.depth += 1;
        Ok(Self {
            run,
            at: if is_fit { at } else { at.by(&ANY) },
            kind,
            is_fit,
            count: 0,
            found: 0,
            expected: 0,
            rest: None,
        })
    }

    fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// Leaves an array or an object: either this one when it is closed, or an enclosing one that contains nothing else.
    pub(super) fn leave(&mut self) {
        self.run.depth -= 1;
    }

    /// Stores the name of a member until its value comes.
    pub(super) fn name(&mut self, name: Option<String>) {
        self.rest().name = name;
    }

    pub(super) fn take_name(&mut self) -> Option<String> {
        self.rest.as_mut()?.name.take()
    }

    /// Validates the next item of an array.
    pub(super) fn item(&mut self, value: &dyn Subject) -> Result<(), Stop> {
        let index = self.count;
        let path = Path::Item(self.at.path, index);
        self.count += 1;
        if !self.at.schema.has(Group::Items) {
            return self.below(&ANY, &path, value, false);
        }
        let (mut prefix, mut rest): (&[_], _) = (&[], &ANY);
        for rule in self.at.schema.rules() {
            match rule {
                Rule::PrefixItems(schemas) => prefix = schemas,
                Rule::Items(schema) => rest = *schema,
                _ => {}
            }
        }
        self.below(prefix.get(index).copied().unwrap_or(rest), &path, value, false)?;
        if !self.at.schema.has(Group::Count) {
            return Ok(());
        }
        for rule in self.at.schema.rules() {
            match rule {
                Rule::Contains(schema, ..) if self.run.mode() == Mode::Secrets => {
                    self.below(schema, &path, value, true)?;
                }
                Rule::Contains(schema, ..) => {
                    let at = At { schema, path: &path };
                    let fits = self.run.fits(Mode::Test, |run| judge(run, at, value));
                    self.rest().contained += u32::from(fits);
                }
                Rule::UniqueItems => self.rest().items.extend(value.to_value()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Validates the next member of an object.
    pub(super) fn member(&mut self, name: &str, value: &dyn Subject) -> Result<(), Stop> {
        let path = Path::Member(self.at.path, name);
        self.count += 1;
        if !self.at.schema.has(Group::Members) {
            return self.below(&ANY, &path, value, false);
        }
        let (mut is_judged, mut rest) = (false, &ANY);
        for rule in self.at.schema.rules() {
            match rule {
                Rule::Required(names) => {
                    let places = names.iter().enumerate().filter(|(_, required)| **required == name);
                    places.for_each(|(index, _)| self.find(index));
                }
                Rule::Properties(list) => {
                    let (before, after) = list.split_at(self.expected.min(list.len()));
                    let position =
                        |part: &[(&str, _)]| part.iter().position(|(property, _)| *property == name);
                    let found =
                        position(after).map(|index| before.len() + index).or_else(|| position(before));
                    if let Some(index) = found {
                        self.expected = index + 1;
                        self.below(list[index].1, &path, value, is_judged)?;
                        is_judged = true;
                    }
                }
                Rule::PatternProperties(list) => {
                    for (_, schema) in list.iter().filter(|(pattern, _)| pattern.is_match(name)) {
                        self.below(schema, &path, value, is_judged)?;
                        is_judged = true;
                    }
                }
                Rule::AdditionalProperties(schema) => rest = *schema,
                Rule::PropertyNames(schema) => {
                    let at = At { schema, path: &path };
                    if !self.run.fits(Mode::Test, |run| judge(run, at, &Of(name))) {
                        self.run.broken(&path, rule)?;
                    }
                }
                _ => {}
            }
        }
        if is_judged { Ok(()) } else { self.below(rest, &path, value, false) }
    }

    fn find(&mut self, index: usize) {
        if index < 64 {
            self.found |= 1 << index;
        } else {
            self.rest().found.insert(index);
        }
    }

    /// Validates an item or a member. If several schemas apply to it, it is inspected for the first time only once.
    fn below(
        &mut self,
        schema: &'static Schema,
        path: &Path<'_>,
        value: &dyn Subject,
        is_second: bool,
    ) -> Result<(), Stop> {
        let at = At { schema, path };
        match self.run.mode() {
            Mode::Tag => Ok(()),
            Mode::Meant => self.run.part(Mode::Tag, |run| judge(run, at, value)),
            _ if is_second => self.run.again(|run| judge(run, at, value)),
            _ => judge(self.run, at, value),
        }
    }

    /// Checks the rules that can be decided only at the end.
    pub(super) fn close(mut self) -> Result<Seen, Stop> {
        self.leave();
        let Self { run, at, kind, is_fit, count, found, rest, .. } = self;
        if !is_fit {
            return Ok(Seen::Unfit);
        }
        if !at.schema.has(Group::Count) {
            return Ok(Seen::Container);
        }
        let (count, is_array) = (count as u64, kind == Type::Array);
        let Rest { contained, mut items, found: more, .. } = rest.map(|rest| *rest).unwrap_or_default();
        for rule in at.schema.rules() {
            let is_broken = match rule {
                Rule::MinItems(least) => is_array && count < *least,
                Rule::MaxItems(most) => is_array && count > *most,
                Rule::UniqueItems => json::has_equals(&mut items),
                Rule::Contains(_, least, most) => is_array && !(*least..=*most).contains(&contained),
                Rule::MinProperties(least) => !is_array && count < *least,
                Rule::MaxProperties(most) => !is_array && count > *most,
                Rule::Required(names) if !is_array => {
                    for (index, name) in names.iter().enumerate() {
                        let is_there =
                            if index < 64 { found & (1 << index) != 0 } else { more.contains(&index) };
                        if !is_there {
                            run.broken(&Path::Member(at.path, name), rule)?;
                        }
                    }
                    false
                }
                _ => false,
            };
            if is_broken {
                run.broken(at.path, rule)?;
            }
        }
        Ok(Seen::Container)
    }
}
