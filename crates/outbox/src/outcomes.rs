//! The outcomes of records, which the response to many of them lists: such a request succeeds even if all of its records are refused.

use std::any::Any;

use suprsend::types::{BulkRecord, BulkResponse, MessageBulkResponse, MessageRecord};

/// The outcome of a message whose request succeeded.
pub(crate) enum Outcome {
    /// All records are accepted, or there is only one.
    Accepted,
    Refused(Vec<Record>),
    /// The response does not have an outcome for each record.
    Unclear {
        outcomes: usize,
        records: usize,
    },
}

/// The API's response to one of many records.
pub(crate) struct Record {
    pub(crate) status: i64,
    pub(crate) is_accepted: bool,
    pub(crate) error: String,
}

/// Returns the outcome of a message with this number of idempotency keys, one for each record.
pub(crate) fn judge(response: &dyn Any, keys: usize) -> Outcome {
    match records(response) {
        Some(records) if keys > 0 && records.len() != keys => {
            Outcome::Unclear { outcomes: records.len(), records: keys }
        }
        Some(records) if records.iter().any(|record| !record.is_accepted) => Outcome::Refused(records),
        _ => Outcome::Accepted,
    }
}

/// Returns the outcomes of records, if a response is of a type that lists them. A test compares these types with the document.
fn records(response: &dyn Any) -> Option<Vec<Record>> {
    if let Some(response) = response.downcast_ref::<BulkResponse>() {
        return Some(response.records.iter().map(Record::from).collect());
    }
    let response = response.downcast_ref::<MessageBulkResponse>()?;
    Some(response.records.iter().map(Record::from).collect())
}

impl Record {
    /// Returns whether the same record may be accepted later.
    pub(crate) fn is_transient(&self) -> bool {
        !self.is_accepted && matches!(self.status, 408 | 429 | 500..=599)
    }
}

impl From<&BulkRecord> for Record {
    fn from(record: &BulkRecord) -> Self {
        let error = record.error.as_ref();
        let (message, kind) = (
            error.and_then(|error| error.message.as_deref()),
            error.and_then(|error| error.type_.as_deref()),
        );
        let is_accepted = record.is_accepted();
        Self { status: record.status_code, is_accepted, error: text(message, kind) }
    }
}

impl From<&MessageRecord> for Record {
    fn from(record: &MessageRecord) -> Self {
        let error = record.error.as_ref();
        let message = error.map(|error| error.message.as_str());
        let error = text(message, error.map(|error| error.type_.as_str()));
        Self { status: record.status_code, is_accepted: record.is_accepted(), error }
    }
}

/// Returns the error of a record as that of a whole request is shown.
fn text(message: Option<&str>, kind: Option<&str>) -> String {
    let kind = kind.map(|kind| format!("({kind})"));
    [message, kind.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::{Value, json};
    use suprsend::{Operation, operations, types::BulkRecordStatus};
    use suprsend_api::Visitor;

    use super::*;
    use crate::stored;

    fn bulk(statuses: &[i64]) -> BulkResponse {
        let record = |status: &i64| json!({"status_code": status, "status": if *status < 300 { "success" } else { "error" }});
        serde_json::from_value(json!({"records": statuses.iter().map(record).collect::<Vec<_>>()})).unwrap()
    }

    #[test]
    fn a_request_succeeds_only_if_all_records_are_accepted() {
        assert!(matches!(judge(&bulk(&[202, 202]), 2), Outcome::Accepted));
        assert!(matches!(judge(&"no list".to_owned(), 1), Outcome::Accepted));
        for status in [300, 404, 429, 500] {
            assert!(matches!(judge(&bulk(&[202, status]), 2), Outcome::Refused(_)), "{status}");
        }
        let mut contradiction = bulk(&[202]);
        contradiction.records[0].status = BulkRecordStatus::Error;
        assert!(matches!(judge(&contradiction, 1), Outcome::Refused(_)));
    }

    #[test]
    fn a_record_without_an_outcome_is_not_accepted() {
        assert!(matches!(judge(&bulk(&[202]), 2), Outcome::Unclear { outcomes: 1, records: 2 }));
        assert!(matches!(judge(&bulk(&[]), 1), Outcome::Unclear { .. }));
    }

    /// Follows the reference of a schema, if it is one.
    fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
        let reference = schema["$ref"].as_str().map(|name| name.replace("%7B", "{").replace("%7D", "}"));
        reference.map_or(schema, |name| document.pointer(name.trim_start_matches('#')).unwrap())
    }

    /// Returns whether a response of the document lists outcomes: items of a list have a `status_code`.
    fn lists_outcomes(document: &Value, schema: &Value, depth: u8) -> bool {
        let schema = resolve(document, schema);
        let below = |schema: &Value| depth > 0 && lists_outcomes(document, schema, depth - 1);
        let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
        let members = schema["properties"].as_object().into_iter().flat_map(|members| members.values());
        let item = schema.get("items").map(|item| resolve(document, item));
        item.is_some_and(|item| item["properties"].get("status_code").is_some())
            || parts.chain(members).chain(item).any(below)
    }

    /// Returns whether the outcomes in an operation's response are judged.
    struct IsJudged;

    impl Visitor for IsJudged {
        type Output = bool;

        fn visit<O>(self) -> bool
        where
            O: Operation + Clone + Serialize + DeserializeOwned,
        {
            serde_json::from_value::<O::Response>(json!({"records": []}))
                .is_ok_and(|response| records(&response).is_some())
        }
    }

    /// An operation that the document gains cannot be forgotten: a new type of response fails here.
    #[test]
    fn the_outcomes_of_every_operation_are_judged() {
        let document: Value = serde_json::from_str(include_str!("../../../src/openapi.json")).unwrap();
        let operations_of_path =
            |path: &Value| path.as_object().unwrap().values().cloned().collect::<Vec<_>>();
        let described: Vec<Value> =
            document["paths"].as_object().unwrap().values().flat_map(operations_of_path).collect();
        let mut judged = Vec::new();
        for id in stored::storable() {
            let described = described.iter().find(|operation| operation["operationId"] == id).unwrap();
            let successes = described["responses"]
                .as_object()
                .unwrap()
                .iter()
                .filter(|(status, _)| status.starts_with('2'));
            let lists = successes
                .flat_map(|(_, response)| response["content"].as_object().into_iter().flatten())
                .any(|(_, content)| lists_outcomes(&document, &content["schema"], 6));
            assert_eq!(operations::visit(id, IsJudged), Some(lists), "{id}");
            judged.extend(lists.then_some(id));
        }
        assert_eq!(judged, ["trigger-workflows", "track-events", "bulk-update-messages"]);
    }
}
