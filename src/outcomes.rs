//! Outcomes of records, which the response to a request with many lists. The status of the whole response says nothing about them.

use crate::types::{BulkRecord, BulkRecordStatus, MessageRecord};

impl BulkRecord {
    /// Returns whether the API has accepted the record.
    pub fn is_accepted(&self) -> bool {
        is_success(self.status_code) && self.status != BulkRecordStatus::Error
    }
}

impl MessageRecord {
    /// Returns whether the API has changed the message.
    pub fn is_accepted(&self) -> bool {
        is_success(self.status_code) && self.error.is_none()
    }
}

fn is_success(status: i64) -> bool {
    (200..300).contains(&status)
}
