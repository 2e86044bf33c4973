//! Lint: finds what cannot be generated, before anything is changed.
//!
//! Lint reports everything that would make progenitor panic or generate wrong or uncompilable code, as lines with place, reason and remedy,
//! all in one run. It does not report what adapting can work around.
//!
//! The checks build on each other: if a value has the wrong JSON type, references to it cannot be checked. So a later check runs only on
//! what passed the earlier ones.

mod alternatives;
mod descriptions;
mod operations;
mod references;
mod resources;
mod schemas;
mod servers;
mod shape;

use serde_json::Value;

pub(crate) use descriptions::missing as undescribed;
pub(crate) use servers::unmet;

use crate::{Pointer, Problem, Problems, limits};

/// Rejects a corrected document that cannot be read: values of the wrong type, dangling references.
pub(crate) fn readable(document: &Value) -> Result<(), Problems> {
    let mut findings = Findings::default();
    if let Err((reason, remedy)) = limits::check(document) {
        findings.add(&Pointer::root(), reason, remedy);
        return findings.settle();
    }
    shape::check(document, &mut findings);
    findings.settle()?;
    let mut findings = Findings::default();
    references::check(document, &mut findings);
    findings.settle()
}

/// Rejects a corrected document from which progenitor would not generate what it declares.
pub(crate) fn generatable(document: &Value) -> Result<(), Problems> {
    readable(document)?;
    let mut findings = Findings::default();
    schemas::check(document, &mut findings);
    alternatives::check(document, &mut findings);
    operations::check(document, &mut findings);
    servers::check(document, &mut findings);
    findings.settle()?;
    resources::check(document)
}

/// Collects problems.
#[derive(Default)]
struct Findings(Vec<Problem>);

impl Findings {
    fn add(&mut self, place: &Pointer, reason: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Problem::new(place, reason, remedy));
    }

    fn settle(self) -> Result<(), Problems> {
        Problems::none_or(self.0)
    }
}

/// Follows references to the object itself. References have already been checked: they have targets and form no circle.
fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    while let Some(next) = value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(Pointer::from_reference)
        .and_then(|target| target.get(document))
    {
        value = next;
    }
    value
}

#[cfg(test)]
mod tests;
