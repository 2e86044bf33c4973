//! Templates, which are stored as they were defined; a channel of one can be read separately.

use serde_json::Value;

use super::{Answer, Answered, Asked, World, missing};

impl World {
    /// Returns a channel of a template.
    pub(super) fn template_channel(&self, asked: &Asked<'_>) -> Answer {
        let (template, channel) = (asked.parameter("template_slug"), asked.parameter("channel_slug"));
        let stored = self.stores.get("templates").and_then(|templates| templates.get(&[template.to_owned()]));
        let stored = stored.ok_or_else(|| missing("template_slug", template))?;
        let channels = stored.get("channels").and_then(Value::as_array);
        let found = channels.into_iter().flatten().find(|it| it["channel"]["slug"] == channel);
        found.cloned().map(Answered::Json).ok_or_else(|| asked.missing())
    }
}
