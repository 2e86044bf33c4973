//! Collects the conditions that distinguish alternatives and that their Rust types do not express: constants, bounds, absent members, tags.
//!
//! They are read from the document as it was before it was adapted, because adapting removes such conditions.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    super::schema::resolve,
    bases::{BASE, is_target},
    kinds::{COMPOUND, kinds},
};
use crate::{Pointer, Report, rules::flags};

/// A condition on a value that is an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Check {
    /// The member has a value that passes the test. If it is optional, it may be absent.
    Member { name: String, optional: bool, test: Test },
    /// The member exists.
    Present(String),
    /// Not all of these conditions hold.
    Not(Vec<Check>),
}

/// A test of a member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// It is one of these strings, numbers, booleans or null.
    OneOf(Vec<Value>),
    /// It is not a number, or its comparison with the limit by this operator is true.
    Bound(&'static str, f64),
    /// It is not a string, or the comparison of its number of characters with the limit by this operator is true.
    Length(&'static str, u64),
    /// It is not a string, or it matches the pattern.
    Pattern(String),
}

/// The documents in which schemas are looked up.
pub(super) struct Source<'a> {
    /// The adapted document.
    pub(super) document: &'a Value,
    /// The document before it was adapted.
    pub(super) lowered: &'a Value,
    /// The places that have moved since.
    pub(super) report: &'a Report,
}

/// The conditions of an alternative on its members.
#[derive(Default)]
struct Shape<'a> {
    /// The schemas of each member, each with the document that contains the targets of its references.
    members: BTreeMap<&'a str, Vec<(&'a Value, &'a Value)>>,
    required: BTreeSet<&'a str>,
    nots: Vec<&'a Value>,
}

impl<'a> Source<'a> {
    /// Returns the checks of each alternative, and its tags in the unions that it is an alternative of.
    pub(super) fn checks(
        &self,
        alternatives: &[Value],
        unions: &[Vec<String>],
    ) -> Vec<(Vec<Check>, Vec<Check>)> {
        let shapes: Vec<Shape<'_>> = alternatives
            .iter()
            .map(|one| {
                let mut shape = Shape::default();
                if kinds(self.document, one) & COMPOUND != 0 {
                    self.gather(self.document, one, &mut shape, 0);
                }
                shape
            })
            .collect();
        let all: Vec<BTreeMap<&str, Vec<Check>>> = shapes.iter().map(Shape::checks).collect();
        let apart = |index: usize, name: &str, checks: &Vec<Check>| {
            let mut others = (0..alternatives.len()).filter(|other| *other != index);
            others
                .any(|other| shapes[other].members.contains_key(name) && all[other].get(name) != Some(checks))
        };
        let mut found = Vec::new();
        for (index, shape) in shapes.iter().enumerate() {
            let mut checks: Vec<Check> = all[index]
                .iter()
                .filter(|(name, checks)| apart(index, name, checks))
                .flat_map(|(_, checks)| checks.clone())
                .collect();
            for not in &shape.nots {
                checks.extend(exactly(not).map(Check::Not));
            }
            let stated = |tag: &Check| match tag {
                Check::Member { name, .. } => {
                    all[index].get(name.as_str()).is_some_and(|own| apart(index, name, own))
                }
                _ => false,
            };
            // Constants already express this.
            let tags = unions[index].iter().filter_map(|union| self.tag(union, &alternatives[index], shape));
            found.push((checks, tags.filter(|tag| !stated(tag)).collect()));
        }
        found
    }

    /// Collects the conditions of a schema and its parts.
    fn gather(&self, within: &'a Value, schema: &'a Value, shape: &mut Shape<'a>, depth: usize) {
        let (within, schema) = self.follow(within, schema);
        if depth > 16 {
            return;
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            shape.members.entry(name).or_default().push((within, member));
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        shape.required.extend(required.filter_map(Value::as_str));
        shape.nots.extend(schema.get("not"));
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.gather(within, part, shape, depth + 1);
        }
    }

    /// Returns the target of a reference, as it was before adapting if it existed then, and the document that contains it.
    fn follow(&self, within: &'a Value, schema: &'a Value) -> (&'a Value, &'a Value) {
        if std::ptr::eq(within, self.document)
            && let Some(place) = schema.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference)
            && let Some(before) = self.before(&place).get(self.lowered)
        {
            return (self.lowered, resolve(self.lowered, before, 0));
        }
        (within, resolve(within, schema, 0))
    }

    fn before(&self, place: &Pointer) -> Pointer {
        self.report.origin_in(self.lowered, place)
    }

    /// Returns the condition of the discriminator on the values of an alternative.
    fn tag(&self, union: &str, alternative: &Value, shape: &Shape<'_>) -> Option<Check> {
        let components = Pointer::from_text("/components/schemas");
        let before = self.before(&components.child(union));
        let discriminator = before.get(self.lowered)?.get("discriminator")?;
        let name = discriminator.get("propertyName").and_then(Value::as_str)?;
        let member = shape.members.get(name)?;
        let target = alternative.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference)?;
        let target = self.before(&target);
        let own = target.last();
        if target.parent().as_ref() != Some(&components) {
            return None;
        }
        let mapping = discriminator.get("mapping").and_then(Value::as_object).into_iter().flatten();
        let mut values: Vec<Value> = mapping
            .filter(|(_, to)| to.as_str().is_some_and(|to| is_target(to, &own)))
            .map(|(tag, _)| tag.clone().into())
            .collect();
        let listed: Vec<&Value> =
            member.iter().filter_map(|(within, one)| listed(within, one)).flatten().collect();
        // The base that the others extend accepts values that none of them accepts.
        if values.is_empty() && listed.is_empty() && discriminator.get(BASE).is_none_or(|base| *base != *own)
        {
            // The name of the component, unless the document declares another.
            values.push(own.into());
        }
        values.retain(|value| listed.is_empty() || listed.contains(&value));
        let optional = !shape.required.contains(name);
        (!values.is_empty()).then(|| Check::Member {
            name: name.to_owned(),
            optional,
            test: Test::OneOf(values),
        })
    }
}

impl<'a> Shape<'a> {
    fn checks(&self) -> BTreeMap<&'a str, Vec<Check>> {
        let checks = self.members.iter().map(|(name, schemas)| {
            let optional = !self.required.contains(name);
            let checks = schemas
                .iter()
                .flat_map(|(within, schema)| tests(within, schema))
                .map(|test| Check::Member { name: (*name).to_owned(), optional, test });
            (*name, checks.collect::<Vec<_>>())
        });
        checks.filter(|(_, checks)| !checks.is_empty()).collect()
    }
}

/// Returns the values that a schema lists, if all of them can be compared.
fn listed<'a>(document: &'a Value, schema: &'a Value) -> Option<&'a Vec<Value>> {
    let values = resolve(document, schema, 0).get("enum")?.as_array()?;
    values.iter().all(|value| !value.is_array() && !value.is_object()).then_some(values)
}

/// Returns the testable conditions of a schema on a member.
fn tests(document: &Value, schema: &Value) -> Vec<Test> {
    let mut tests: Vec<Test> =
        listed(document, schema).map(|values| Test::OneOf(values.clone())).into_iter().collect();
    let schema = resolve(document, schema, 0);
    for (keyword, exclusive, operators) in
        [("minimum", "exclusiveMinimum", [">=", ">"]), ("maximum", "exclusiveMaximum", ["<=", "<"])]
    {
        let exclusive = schema.get(exclusive) == Some(&Value::Bool(true));
        if let Some(limit) = schema.get(keyword).and_then(Value::as_f64) {
            tests.push(Test::Bound(operators[usize::from(exclusive)], limit));
        }
    }
    for (keyword, operator) in [("minLength", ">="), ("maxLength", "<=")] {
        if let Some(limit) = schema.get(keyword).and_then(Value::as_u64) {
            tests.push(Test::Length(operator, limit));
        }
    }
    let pattern = schema.get("pattern").and_then(Value::as_str);
    tests.extend(
        pattern.filter(|pattern| flags(pattern).is_some()).map(|pattern| Test::Pattern(pattern.to_owned())),
    );
    if let Some([only]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        tests.extend(self::tests(document, only));
    }
    tests
}

/// Returns all conditions of a schema, if all of them can be expressed as checks.
fn exactly(schema: &Value) -> Option<Vec<Check>> {
    let members = schema.as_object()?;
    let required: Vec<&str> = members
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut checks: Vec<Check> = required.iter().map(|name| Check::Present((*name).to_owned())).collect();
    for (keyword, value) in members {
        match keyword.as_str() {
            "required" | "description" | "title" => {}
            "type" if value == "object" => {}
            "properties" => {
                for (name, member) in value.as_object()? {
                    let known = ["description", "enum", "title", "type"];
                    let values = member.get("enum").and_then(Value::as_array)?;
                    let scalar = values.iter().all(|value| !value.is_array() && !value.is_object());
                    if !scalar || !member.as_object()?.keys().all(|keyword| known.contains(&keyword.as_str()))
                    {
                        return None;
                    }
                    let optional = !required.contains(&name.as_str());
                    checks.push(Check::Member {
                        name: name.clone(),
                        optional,
                        test: Test::OneOf(values.clone()),
                    });
                }
            }
            _ => return None,
        }
    }
    (!checks.is_empty()).then_some(checks)
}
