//! Upserts and edits as records for the event endpoint, in the form that SuprSend's own SDKs send.

use serde_json::{Map, Value};
use suprsend_api::{
    Operation,
    operations::{CreateUpdateUsers, EditUserProfile, IngestUsers},
    types::{
        EditOperation, EditValues, UserEdit, UserProperties, UserRecord, UserRecordProperties, UserUpsert,
    },
};

use super::{
    envelope,
    record::{Draft, Record, Records, Verdict, sealed::Sealed},
};
use crate::{
    call::Call,
    checks,
    client::{AsClient, Client},
    error::{ConfigError, Violations},
};

/// Identifies the SDK that created a record.
const VERSION: &str = concat!("suprsend-rust/", env!("CARGO_PKG_VERSION"));
/// The version of the record format.
const SCHEMA: &str = "2";

impl Sealed for IngestUsers {}

impl Records for IngestUsers {
    type Record = UserRecord;
    type Receipt = ();

    /// The limit of SuprSend's own SDKs.
    const RECORD_BYTES: usize = 10 * 1024;

    fn pack(records: Vec<UserRecord>) -> Self {
        Self::new(records)
    }

    fn complete(draft: &mut Draft<Self>, client: &Client) {
        let record = &mut draft.record;
        record.env = record.env.take().or_else(|| client.workspace_setting().map(str::to_owned));
        if record.env.is_none() {
            let reason = "is not set, and every record has it: set it by `ClientBuilder::workspace` or SUPRSEND_WORKSPACE";
            draft.violations.lacks(ConfigError::new("workspace", reason));
        }
        record.schema.get_or_insert_with(|| SCHEMA.to_owned());
        record.insert_id.get_or_insert_with(envelope::id);
        record.time.get_or_insert_with(envelope::now);
        let about = record.properties.get_or_insert_with(UserRecordProperties::default);
        about.ss_sdk_version.get_or_insert_with(|| VERSION.to_owned());
    }

    /// Returns `None`: repeated records are not recognized.
    fn key(_: &UserRecord) -> Option<&str> {
        None
    }

    fn receipts(_: String, sent: usize) -> Result<Vec<Verdict<()>>, String> {
        Ok((0..sent).map(|_| Ok(())).collect())
    }
}

impl Sealed for UserRecord {}

impl Record for UserRecord {
    type Operation = IngestUsers;

    fn into_draft(self) -> Draft<IngestUsers> {
        let mut violations = Violations::default();
        checks::id("distinct_id", &self.distinct_id, &mut violations);
        draft(self, violations)
    }
}

impl<C: AsClient> Sealed for Call<CreateUpdateUsers, C> {}

impl<C: AsClient> Record for Call<CreateUpdateUsers, C> {
    type Operation = IngestUsers;

    fn into_draft(self) -> Draft<IngestUsers> {
        let (operation, violations) = self.into_record();
        let violations = checked(&operation, violations);
        draft(record(operation.distinct_id, upsert(operation.body)), violations)
    }
}

impl<C: AsClient> Sealed for Call<EditUserProfile, C> {}

impl<C: AsClient> Record for Call<EditUserProfile, C> {
    type Operation = IngestUsers;

    fn into_draft(self) -> Draft<IngestUsers> {
        let (operation, violations) = self.into_record();
        let violations = checked(&operation, violations);
        draft(record(operation.distinct_id, edit(operation.body)), violations)
    }
}

/// Validates an operation by its own rules, whose violations name members as the caller knows them.
fn checked<O: Operation>(operation: &O, mut violations: Violations) -> Violations {
    let checked = checks::operation(operation);
    violations.append(checked.parameters);
    violations.append(checked.body);
    violations
}

fn draft(record: UserRecord, violations: Violations) -> Draft<IngestUsers> {
    let idempotent = record.user_operations.iter().all(EditOperation::is_idempotent);
    Draft { idempotent, violations, ..Draft::new(record) }
}

fn record(distinct_id: String, user_operations: Vec<EditOperation>) -> UserRecord {
    UserRecord {
        distinct_id,
        user_operations,
        env: None,
        insert_id: None,
        properties: None,
        schema: None,
        tenant_id: None,
        time: None,
    }
}

/// Sets all properties in one operation, then each address of a channel in its own.
fn upsert(body: UserUpsert) -> Vec<EditOperation> {
    let UserUpsert {
        androidpush,
        email,
        inbox,
        iospush,
        locale,
        ms_teams,
        slack,
        sms,
        timezone,
        webpush,
        whatsapp,
        mut extra,
    } = body;
    // Undeclared members are details of push addresses, or properties under SuprSend's own names.
    let mut text = |name: &str| match extra.remove(name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (id_provider, bundle_id) = (text("$id_provider"), text("$bundle_id"));
    let preferred_language = text("$preferred_language");
    let has_properties =
        !extra.is_empty() || locale.is_some() || timezone.is_some() || preferred_language.is_some();

    let values = EditValues::default;
    let push = || EditValues {
        id_provider: id_provider.clone(),
        bundle_id: bundle_id.clone(),
        ..EditValues::default()
    };
    let mut appended = Vec::new();
    appended.extend(email.into_iter().map(|it| EditValues { email: Some(it), ..values() }));
    appended.extend(sms.into_iter().map(|it| EditValues { sms: Some(it), ..values() }));
    appended.extend(whatsapp.into_iter().map(|it| EditValues { whatsapp: Some(it), ..values() }));
    appended.extend(inbox.into_iter().map(|it| EditValues { inbox: Some(it), ..values() }));
    appended.extend(webpush.into_iter().map(|it| EditValues { webpush: Some(it), ..push() }));
    appended.extend(androidpush.into_iter().map(|it| EditValues { androidpush: Some(it), ..push() }));
    appended.extend(iospush.into_iter().map(|it| EditValues { iospush: Some(it), ..push() }));
    appended.extend(slack.into_iter().map(|it| EditValues { slack: Some(it), ..values() }));
    appended.extend(ms_teams.into_iter().map(|it| EditValues { ms_teams: Some(it), ..values() }));

    let mut operations = Vec::with_capacity(appended.len() + 1);
    // A user without any data is created, too.
    if has_properties || appended.is_empty() {
        let set = UserProperties { locale, preferred_language, timezone, extra };
        operations.push(EditOperation { set: Some(set), ..EditOperation::default() });
    }
    operations.extend(appended.into_iter().map(append));
    operations
}

fn append(values: EditValues) -> EditOperation {
    EditOperation { append: Some(values), ..EditOperation::default() }
}

fn remove(values: EditValues) -> EditOperation {
    EditOperation { remove: Some(values), ..EditOperation::default() }
}

/// Renames the operations as records require, with one address each, in the same order.
fn edit(body: UserEdit) -> Vec<EditOperation> {
    let mut operations = Vec::with_capacity(body.operations.len());
    for mut operation in body.operations {
        let added = operation.append.take().map(single);
        let removed = operation.remove.take().map(single);
        operation.add.extend(std::mem::take(&mut operation.increment));
        // The order of several actions in one operation is not defined; this is the order in which the document lists them.
        let is_empty = operation == EditOperation::default();
        let unset = std::mem::take(&mut operation.unset);
        if operation != EditOperation::default() {
            operations.push(operation);
        }
        operations.extend(added.into_iter().flatten().map(append));
        operations.extend(removed.into_iter().flatten().map(remove));
        if !is_empty && !unset.is_empty() {
            operations.push(EditOperation { unset, ..EditOperation::default() });
        }
    }
    operations
}

/// Splits values into values with one address or element each.
fn single(values: EditValues) -> Vec<EditValues> {
    let EditValues {
        androidpush,
        bundle_id,
        email,
        id_provider,
        inbox,
        iospush,
        ms_teams,
        slack,
        sms,
        webpush,
        whatsapp,
        extra,
    } = values;
    let values = EditValues::default;
    let push = || EditValues {
        id_provider: id_provider.clone(),
        bundle_id: bundle_id.clone(),
        ..EditValues::default()
    };
    let mut singles = Vec::new();
    singles.extend(email.map(|it| EditValues { email: Some(it), ..values() }));
    singles.extend(sms.map(|it| EditValues { sms: Some(it), ..values() }));
    singles.extend(whatsapp.map(|it| EditValues { whatsapp: Some(it), ..values() }));
    singles.extend(inbox.map(|it| EditValues { inbox: Some(it), ..values() }));
    singles.extend(webpush.map(|it| EditValues { webpush: Some(it), ..push() }));
    singles.extend(androidpush.map(|it| EditValues { androidpush: Some(it), ..push() }));
    singles.extend(iospush.map(|it| EditValues { iospush: Some(it), ..push() }));
    singles.extend(slack.map(|it| EditValues { slack: Some(it), ..values() }));
    singles.extend(ms_teams.map(|it| EditValues { ms_teams: Some(it), ..values() }));
    singles
        .extend(extra.into_iter().map(|member| EditValues { extra: Map::from_iter([member]), ..values() }));
    singles
}
