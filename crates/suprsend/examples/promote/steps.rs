//! The calls that make the target equal to the source. All are validated against the API's rules before the first is sent.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use futures_util::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use serde_json::Value;
use suprsend::{
    Call, Client, Operation, operations as op,
    types::{self, ValidationResult},
};

use crate::{
    arguments::Arguments,
    plan::Plan,
    snapshot::{Content, Key, Kind, Snapshot},
};

/// A call that is ready to be sent.
pub(crate) struct Step {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    /// Whether it only saves a draft.
    pub(crate) is_draft: bool,
    pub(crate) future: BoxFuture<'static, Result<()>>,
}

/// Builds the steps of a plan, with drafts and commits each in their order. Items that cannot be written are added to the plan's refusals.
pub(crate) fn build(
    client: &Client,
    source: &Snapshot,
    live: &Snapshot,
    arguments: &Arguments,
    plan: &mut Plan,
) -> Vec<Step> {
    let touched: Vec<Key> = plan.left().cloned().collect();
    let mut steps = Steps { client, to: &arguments.to, message: arguments.message(), ready: Vec::new() };
    let mut templates: BTreeMap<&str, Vec<types::TemplateVariantRef>> = BTreeMap::new();
    for key in &touched {
        let (content, there) = (&source[key], live.get(key));
        if let Err(error) = steps.add(key, content, there) {
            plan.refused.push(format!("{key} cannot be written: {error:#}"));
        }
        if key.is_of_template() {
            let variants = templates.entry(&key.name).or_default();
            let named = key
                .variant
                .iter()
                .map(|(channel, id)| types::TemplateVariantRef { channel: channel.clone(), id: id.clone() });
            variants.extend(named);
        }
    }
    let is_touched = |kind: Kind| touched.iter().any(|key| key.kind == kind);
    let mut commits = Vec::new();
    if is_touched(Kind::Categories) {
        commits.push(
            steps.commit(&Key::new(Kind::Categories, ""), op::CommitCategory::new(steps.to, &steps.message)),
        );
    }
    if is_touched(Kind::Translation) {
        let operation = op::CommitTranslation::new(steps.to).commit_message(&steps.message);
        commits.push(steps.commit(&Key::new(Kind::Translation, "files"), operation));
    }
    for key in &touched {
        let message = &steps.message;
        commits.push(match key.kind {
            Kind::Schema => {
                steps.commit(key, op::CommitSchema::new(steps.to, &key.name).commit_message(message))
            }
            Kind::Workflow => {
                steps.commit(key, op::CommitWorkflow::new(steps.to, &key.name).commit_message(message))
            }
            _ => continue,
        });
    }
    for (slug, mut variants) in templates {
        if variants.is_empty() {
            // Only its head or its mock data has changed: a commit names variants, which are the same.
            let all = source.keys().filter(|key| key.name == slug).filter_map(|key| key.variant.clone());
            variants.extend(all.map(|(channel, id)| types::TemplateVariantRef { channel, id }));
        }
        let body = types::TemplateCommit { variants: (!variants.is_empty()).then_some(variants) };
        let operation = op::CommitTemplate::new(steps.to, slug, body).commit_message(&steps.message);
        commits.push(steps.commit(&Key::new(Kind::Template, slug), operation));
    }
    for commit in commits {
        match commit {
            Ok(step) => steps.ready.push(step),
            Err(error) => plan.refused.push(format!("{error:#}")),
        }
    }
    // Events and translations of categories have no draft, so they are among the commits.
    steps.ready.sort_by_key(|step| step.kind);
    steps.ready
}

struct Steps<'a> {
    client: &'a Client,
    to: &'a str,
    message: String,
    ready: Vec<Step>,
}

impl Steps<'_> {
    fn step<O>(
        &self,
        key: &Key,
        is_draft: bool,
        operation: O,
        judge: fn(&O::Response) -> Result<()>,
    ) -> Result<Step>
    where
        O: Operation + Send + 'static,
        O::Response: Send,
    {
        let call: Call<O> = self.client.call(operation);
        call.check()?;
        let future = async move { judge(&*call.send().await?) }.boxed();
        Ok(Step { kind: key.kind, what: key.to_string(), is_draft, future })
    }

    /// Adds a commit. The SDK itself reports a commit that was not carried out as an error.
    fn commit<O>(&self, key: &Key, operation: O) -> Result<Step>
    where
        O: Operation + Send + 'static,
        O::Response: Send,
    {
        self.step(key, false, operation, |_| Ok(()))
    }

    /// Adds the calls that write one item.
    fn add(&mut self, key: &Key, content: &Content, there: Option<&Content>) -> Result<()> {
        let (to, name) = (self.to, key.name.as_str());
        // Members that only the target has are cleared.
        let cleared =
            || there.into_iter().flat_map(Content::keys).filter(|name| !content.contains_key(*name));
        let cleared: Content = cleared().map(|name| (name.clone(), Value::Null)).collect();
        macro_rules! body {
            ($type:ident) => {{
                let mut body: types::$type = typed(content)?;
                body.extra.extend(cleared);
                body
            }};
        }
        let step = match key.kind {
            Kind::Categories => {
                let operation = op::CreateUpdateCategory::new(to, body!(CategoryTreeReplace));
                self.step(key, true, operation, |response| judge(response.validation_result.as_ref()))?
            }
            Kind::CategoryTranslation => {
                let operation = op::AddCategoryTranslation::new(to, name, body!(CategoryTranslation));
                self.step(key, false, operation, |_| Ok(()))?
            }
            Kind::Schema => {
                self.step(key, true, op::UpsertSchema::new(to, name, body!(SchemaUpsert)), |_| Ok(()))?
            }
            Kind::Event if there.is_none() => {
                self.step(key, false, op::CreateEvent::new(to, body!(EventDefinitionCreate)), |_| Ok(()))?
            }
            Kind::Event => {
                let mut body = body!(EventDefinitionUpdate);
                body.extra.remove("name");
                if body.extra.remove("payload_schema").is_some() {
                    let unlink = self.step(key, false, op::DelinkEventSchema::new(to, name), |_| Ok(()))?;
                    self.ready.push(unlink);
                }
                self.step(key, false, op::UpdateEvent::new(to, name, body), |_| Ok(()))?
            }
            Kind::Translation => {
                self.step(key, true, op::AddTranslation::new(to, name, body!(TranslationPut)), |_| Ok(()))?
            }
            Kind::Template => self.step(
                key,
                true,
                op::UpsertTemplate::new(to, name, body!(TemplateHeadUpsert)),
                |_| Ok(()),
            )?,
            Kind::Variant => {
                let Some((channel, id)) = &key.variant else { bail!("has neither a channel nor an id") };
                let operation =
                    op::UpsertVariant::new(to, name, channel.as_str(), id, body!(TemplateVariantUpsert));
                self.step(key, true, operation, |response| match (response.has_error, &response.errors) {
                    (Some(true), errors) => bail!("the draft has errors: {}", serde_json::to_string(errors)?),
                    _ => Ok(()),
                })?
            }
            Kind::MockData => {
                let body = types::MockDataUpdate { data: body!(MockData), extra: Content::new() };
                self.step(key, true, op::UpdateMockData::new(to, name, body), |_| Ok(()))?
            }
            Kind::Workflow => {
                let operation = op::UpsertWorkflow::new(to, name, body!(WorkflowUpsert));
                self.step(key, true, operation, |response| judge(response.validation_result.as_ref()))?
            }
        };
        self.ready.push(step);
        Ok(())
    }
}

/// Converts content that was read to a body. The error names missing members.
fn typed<T: DeserializeOwned>(content: &Content) -> Result<T> {
    Ok(serde_json::from_value(Value::Object(content.clone()))?)
}

/// Rejects an invalid draft, which cannot be committed.
fn judge(result: Option<&ValidationResult>) -> Result<()> {
    match result {
        Some(result) if !result.is_valid => {
            bail!("the draft has errors: {}", Value::from(result.errors.clone().unwrap_or_default()))
        }
        _ => Ok(()),
    }
}
