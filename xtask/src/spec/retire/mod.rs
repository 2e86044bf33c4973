//! Adapts overlays after upstream has published what they added.
//!
//! Statements that upstream now makes itself are removed from the overlays ([`given`]), and references to them are redirected to their new
//! place ([`references`]). Where upstream contradicts statements of the overlays that are based on evidence, corrections keep them
//! ([`evidence`], [`kept`]), as well as types that several operations share ([`shared`]), names and marks ([`names`]). Then parts that
//! nothing needs any more are removed, too ([`unused`]). All of this happens in memory, and the [`plan`] describes the result.

mod evidence;
mod given;
mod kept;
mod names;
mod places;
mod plan;
mod references;
mod shared;
#[cfg(test)]
mod tests;
mod unused;

use suprsend_codegen::{Problems, Project, Source, readable};

pub(super) use self::plan::Plan;
use self::{evidence::Evidence, given::Overlays, kept::Kept};
use super::{
    attempt::{Made, attempt},
    diff, overlays,
};

/// The overlay that corrections are written to.
pub(super) const KEPT: &str = "overlays/80-kept.yaml";

const HEAD: &str = "\
# What upstream's description of an operation contradicts, and what it does not say: written by `cargo xtask spec import --retire` when
# upstream published what the overlays had added until then.
#
# A correction carries the reason of the action that it stands for. Delete those that you take upstream's word for. The others keep the names of
# Rust types, and marks such as `x-sensitive`, which upstream does not have.
overlay: 1.1.0
info:
  title: Kept where upstream says otherwise
  version: 1.0.0
actions:
";

/// The maximum number of times to look for corrections: those of one round can make others necessary.
const ROUNDS: usize = 6;

/// The new state of the project.
#[derive(Debug)]
pub(super) struct Retired {
    /// The new overlays in order.
    pub(super) overlays: Vec<Source>,
    /// The consequences, as lines.
    pub(super) plan: Plan,
    /// The results that the project generates.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests look at it"))]
    pub(super) after: Made,
}

/// Determines the new overlays of a project for another upstream document. Everything that does not work is a problem.
///
/// `before` is what the project generates from its current document. `meant` corrects mistakes in the document before anything else
/// happens.
pub(super) fn retire(
    project: &Project,
    before: &Made,
    document: &Source,
    meant: Option<&Source>,
) -> Result<Retired, Problems> {
    let base = Project::from_sources(document.clone(), meant.cloned().into_iter().collect()).correct()?;
    readable(&base)?;
    let evidence = Evidence::new(project, &before.document)?;
    let mut ours = Overlays::new(project, &evidence);
    ours.settle(&base, &evidence)?;
    references::settle(&mut ours, &base, &before.document)?;
    let (published, _) = ours.trace(&base)?;
    let compared = compare(before, &published)?;

    let mut kept = Kept::new(&before.document, &base, published);
    for round in 0..ROUNDS {
        let done = kept.count();
        let later = if round == 0 { None } else { Some(compare(before, kept.now())?) };
        let pairs = later.as_ref().unwrap_or(&compared);
        shared::keep(&mut kept, pairs, &evidence);
        if kept.count() == done {
            kept.contradictions(pairs, &evidence);
        }
        if kept.count() == done {
            names::keep(&mut kept, pairs);
        }
        kept.flush();
        if kept.count() == done {
            break;
        }
    }
    let unused = unused::find(&before.document, &base, kept.now());
    ours.drop(&unused, &base, &evidence)?;
    let written = kept.actions();
    let mut overlays = ours.sources();
    if !written.is_empty() {
        let at = overlays.iter().position(|source| source.name == KEPT);
        let source = at.map_or_else(|| Source::new(KEPT, ""), |at| overlays.remove(at));
        overlays.push(overlays::write::append(&source, HEAD, &written)?);
        overlays.sort_by(|one, other| one.name.cmp(&other.name));
    }
    overlays.splice(0..0, meant.cloned());
    let after = attempt(document, &overlays)?;
    let left = compare(before, &after.document)?;
    let changes = diff::changes_of_made(before, &after).map_err(|error| problem(&error))?;
    let plan = Plan::new(&plan::Facts {
        base: &base,
        old_base: &project.document().parse()?,
        before,
        after: &after,
        compared: &compared,
        left: &left,
        changes: &changes,
        verdicts: ours.verdicts(),
        written: &written,
        unused: &unused,
    });
    Ok(Retired { overlays, plan, after })
}

fn compare(before: &Made, after: &serde_json::Value) -> Result<Vec<diff::Compared>, Problems> {
    diff::each(&before.document, after).map_err(|error| problem(&error))
}

fn problem(error: &anyhow::Error) -> Problems {
    suprsend_codegen::Problem::at(
        "the documents",
        format!("cannot be compared: {error:#}"),
        "import fewer pages at once",
    )
    .into()
}
