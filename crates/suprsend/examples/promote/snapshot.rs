//! Reads the writable part of everything in a workspace, under names that mean the same in each workspace.
//!
//! The SDK's types keep unknown members, so those are copied too. Only members that the API itself sets are left out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::{Map, Value};
use suprsend::{
    Workspace,
    types::{ChannelName, Mode, TranslationAction},
};

use crate::IN_FLIGHT;

/// The kinds that are promoted, in the order of the commits: each depends only on those before it, and workflows, which send, come last.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    Categories,
    CategoryTranslation,
    Schema,
    Event,
    Translation,
    Template,
    Variant,
    MockData,
    Workflow,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    /// A slug, a name or a locale. For variants and mock data, the slug of the template.
    pub(crate) name: String,
    /// The channel and id of a variant.
    pub(crate) variant: Option<(ChannelName, String)>,
}

impl Key {
    pub(crate) fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), variant: None }
    }

    /// Returns whether it is a part of a template; such parts are committed together.
    pub(crate) fn is_of_template(&self) -> bool {
        matches!(self.kind, Kind::Template | Kind::Variant | Kind::MockData)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Categories => return f.write_str("preference categories"),
            Kind::CategoryTranslation => "category translation",
            Kind::Schema => "schema",
            Kind::Event => "event",
            Kind::Translation => "translation",
            Kind::Template => "template",
            Kind::Variant => "variant",
            Kind::MockData => "mock data",
            Kind::Workflow => "workflow",
        };
        // Names of events may contain any characters.
        write!(f, "{kind} {}", self.name.escape_debug())?;
        self.variant.iter().try_for_each(|(channel, id)| write!(f, " {channel}:{id}"))
    }
}

pub(crate) type Content = Map<String, Value>;
pub(crate) type Snapshot = BTreeMap<Key, Content>;

/// Members of several kinds of items that the API sets and nobody writes.
const OF_THE_API: [&str; 16] = [
    "$schema",
    "slug",
    "status",
    "hash",
    "version_no",
    "commit_message",
    "committed_at",
    "created_at",
    "updated_at",
    "updated_by",
    "active_at",
    "last_executed_at",
    "last_triggered_at",
    "channels",
    "validation_result",
    "commit_result",
];

/// Further such members of variants, and the approvals, which belong to a workspace's own vendors.
const OF_VARIANTS: [&str; 9] = [
    "channel",
    "id",
    "sysgen_template_name",
    "approval_status",
    "discard_comment",
    "approval_at",
    "has_error",
    "action",
    "errors",
];
const APPROVALS: &str = "vendor_approvals";

fn content(response: &impl Serialize, left_out: &[&str]) -> Result<Content> {
    let mut content = members(serde_json::to_value(response)?);
    content.retain(|name, value| !left_out.contains(&name.as_str()) && !value.is_null());
    Ok(content)
}

fn members(value: Value) -> Content {
    match value {
        Value::Object(members) => members,
        _ => Content::new(),
    }
}

pub(crate) async fn read(workspace: &Workspace, mode: Mode) -> Result<Snapshot> {
    let mut found = Snapshot::new();
    if let Some(tree) = workspace.categories().get(mode.clone()).optional().await? {
        found.insert(Key::new(Kind::Categories, ""), content(&*tree, &OF_THE_API)?);
    }
    let translations = workspace.categories().translations();
    // English translations are derived from the names themselves.
    for locale in
        translations.locales().await?.into_inner().results.into_iter().filter(|it| it.locale != "en")
    {
        let mut texts = translations.get(&locale.locale).await?.into_inner();
        // All categories are listed, even those without a text.
        for texts in [&mut texts.categories, &mut texts.sections].into_iter().flatten() {
            texts.retain(|_, text| text.name.is_some() || text.description.is_some());
        }
        found.insert(Key::new(Kind::CategoryTranslation, locale.locale), content(&texts, &[])?);
    }
    let mut schemas = workspace.schemas().list().mode(mode.clone()).items();
    while let Some(schema) = schemas.next().await {
        let schema = schema?;
        found.insert(Key::new(Kind::Schema, &schema.slug), content(&schema, &OF_THE_API)?);
    }
    let mut events = workspace.events().list().limit(100).items();
    while let Some(event) = events.next().await {
        let event = event?;
        found.insert(Key::new(Kind::Event, &event.name), content(&event, &["$schema", "created_at"])?);
    }
    let mut files = workspace.translations().list().mode(mode.clone()).include_content(true).items();
    while let Some(file) = files.next().await {
        let mut file = file?;
        if file.action == Some(TranslationAction::Deleted) {
            continue;
        }
        if file.content.is_none() {
            let whole = workspace.translations().get(&file.filename).mode(mode.clone()).await?;
            file.content = Some(whole.into_inner().content);
        }
        let texts = file.content.take().unwrap_or_default();
        found.insert(
            Key::new(Kind::Translation, &file.filename),
            content(&Map::from_iter([("content".to_owned(), texts.into())]), &[])?,
        );
    }
    let mut workflows = workspace.workflows().list().mode(mode.clone()).items();
    while let Some(workflow) = workflows.next().await {
        let workflow = workflow?;
        found.insert(Key::new(Kind::Workflow, &workflow.slug), content(&workflow, &OF_THE_API)?);
    }
    let heads: Vec<_> = workspace.templates().list().mode(mode.clone()).items().try_collect().await?;
    let mut templates = stream::iter(heads)
        .map(|head| {
            let mode = mode.clone();
            async move {
                let slug = head.slug.clone();
                let mut parts =
                    template(workspace, &slug, mode).await.with_context(|| format!("template {slug}"))?;
                parts.insert(Key::new(Kind::Template, slug), content(&head, &OF_THE_API)?);
                Ok::<_, anyhow::Error>(parts)
            }
        })
        .buffered(IN_FLIGHT);
    while let Some(parts) = templates.next().await {
        found.extend(parts?);
    }
    // A missing number is the same as null, which stands for the live version.
    for link in found.values_mut().filter_map(link) {
        link.entry("version_no").or_insert(Value::Null);
    }
    Ok(found)
}

/// Reads the parts of a template.
async fn template(workspace: &Workspace, slug: &str, mode: Mode) -> Result<Snapshot> {
    let mut found = Snapshot::new();
    let template = workspace.template(slug);
    let mut variants = template.variants().list().mode(mode.clone()).include_content(true).items();
    while let Some(variant) = variants.next().await {
        let variant = variant?;
        let mut key = Key::new(Kind::Variant, slug);
        let left_out = [&OF_THE_API[..], &OF_VARIANTS, &[APPROVALS]].concat();
        let content = content(&variant, &left_out)?;
        key.variant = Some((variant.channel, variant.id));
        found.insert(key, content);
    }
    if let Some(mock) = template.mock_data().get().mode(mode).optional().await? {
        found.insert(Key::new(Kind::MockData, slug), content(&mock.data, &[])?);
    }
    Ok(found)
}

/// Returns whether a variant goes live only after a vendor's approval.
pub(crate) fn waits(source: &Snapshot, key: &Key) -> bool {
    let needed = |content: &Content| content.get("needs_vendor_approval") == Some(&Value::Bool(true));
    key.kind == Kind::Variant && source.get(key).is_some_and(needed)
}

/// Returns the number of the schema version that an event or a workflow is pinned to.
pub(crate) fn pinned(content: &Content) -> Option<i64> {
    content.get("payload_schema")?.get("version_no")?.as_i64()
}

/// Returns the schema that an event or a workflow is linked to.
fn link(content: &mut Content) -> Option<&mut Content> {
    content.get_mut("payload_schema")?.as_object_mut()
}

/// Links everything to the live versions of schemas.
pub(crate) fn unpin(snapshot: &mut Snapshot) {
    for link in snapshot.values_mut().filter_map(link) {
        link.insert("version_no".to_owned(), Value::Null);
    }
}

/// Returns the slugs of all categories of a tree.
pub(crate) fn categories(tree: Option<&Content>) -> BTreeSet<String> {
    let lists =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let roots = tree.and_then(|tree| tree.get("root_categories")?.as_array().cloned()).unwrap_or_default();
    let sections = roots.iter().flat_map(|root| lists(root, "sections"));
    let categories = sections.flat_map(|section| lists(&section, "categories"));
    categories.filter_map(|category| category["category"].as_str().map(str::to_owned)).collect()
}
