//! The keywords that combine schemas. Each of their schemas inspects the value again.

use suprsend_api::rules::{Rule, Schema};

use super::{
    look::{At, Subject, judge as judge_by},
    message,
    run::{Mode, Run, Stop},
};

/// Validates a value against the rules that combine schemas.
pub(super) fn judge(run: &mut Run<'_>, at: At<'_>, subject: &dyn Subject) -> Result<(), Stop> {
    let look = |run: &mut Run<'_>, schema| run.again(|run| judge_by(run, at.by(schema), subject));
    let fits = |run: &mut Run<'_>, schema| run.fits(Mode::Test, |run| judge_by(run, at.by(schema), subject));
    // Only the parts of a variant tell whether it is meant.
    let is_shallow = matches!(run.mode(), Mode::Meant | Mode::Tag);
    let is_secrets = run.mode() == Mode::Secrets;
    for rule in at.schema.rules() {
        match rule {
            Rule::AllOf(schemas) => schemas.iter().try_for_each(|schema| look(run, schema))?,
            Rule::Ref(target) => look(run, target.0)?,
            Rule::AnyOf(schemas) | Rule::OneOf(schemas) if is_secrets => {
                schemas.iter().try_for_each(|schema| look(run, schema))?;
            }
            Rule::If(schemas) if is_secrets => {
                schemas.iter().try_for_each(|schema| look(run, schema))?;
            }
            _ if is_shallow || is_secrets => {}
            Rule::AnyOf(variants) if !variants.iter().any(|variant| fits(run, variant)) => {
                none(run, at, subject, variants)?;
            }
            Rule::OneOf(variants) => {
                let adapting: Vec<_> = variants.iter().filter(|variant| fits(run, variant)).collect();
                match adapting.len() {
                    0 => none(run, at, subject, variants)?,
                    1 => {}
                    _ => run.violation(at.path, || {
                        let variants = message::variants(adapting);
                        format!("fits several of its variants, keep one of: {variants}")
                    })?,
                }
            }
            Rule::Not(schema) if fits(run, schema) => run.broken(at.path, rule)?,
            Rule::If([condition, then, otherwise]) => {
                let part = if fits(run, condition) { then } else { otherwise };
                look(run, part)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reports that no variant matches. The first variant whose type, required members and tags match is the one that was meant; its violations
/// are reported.
fn none(
    run: &mut Run<'_>,
    at: At<'_>,
    subject: &dyn Subject,
    variants: &'static [&'static Schema],
) -> Result<(), Stop> {
    if run.mode() == Mode::Report {
        let is_meant =
            |run: &mut Run<'_>, schema| run.fits(Mode::Meant, |run| judge_by(run, at.by(schema), subject));
        if let Some(meant) = variants.iter().find(|variant| is_meant(run, variant)) {
            return run.again(|run| judge_by(run, at.by(meant), subject));
        }
    }
    run.violation(at.path, || format!("fits none of its variants: {}", message::variants(variants)))
}
