//! Rules for operations on users that the OpenAPI document cannot express.
//!
//! They apply to an operation however it is created: by the methods of a resource, or as a value passed to
//! [`Client::call`](crate::Client::call).

use std::any::Any;

use suprsend_api::{
    Operation,
    operations::{
        BulkDeleteUsers, CreateUpdateUsers, EditObjectProfile, EditUserProfile, EditUserTenantProfile,
        MergeUsers,
    },
    types::{EditOperation, User, UserEdit},
};

use super::{Checked, id, property};
use crate::error::Violations;

/// SuprSend's own names that its documentation uses and the OpenAPI document does not declare. A body may contain them as strings.
pub(super) const RESERVED: [&str; 3] = ["$preferred_language", "$id_provider", "$bundle_id"];

/// Inlined, so that only the branch of the operation's type is left.
#[inline]
pub(super) fn check<O: Operation>(operation: &O, checked: &mut Checked) {
    let operation: &dyn Any = operation;
    if let Some(operation) = operation.downcast_ref::<CreateUpdateUsers>() {
        upsert(operation, &mut checked.body);
    } else if let Some(body) = edit_of(operation) {
        edit(body, &mut checked.body);
        // Repeating the edit would increment numbers and append to lists a second time.
        checked.idempotent = Some(body.operations.iter().all(EditOperation::is_idempotent));
    } else if let Some(operation) = operation.downcast_ref::<MergeUsers>() {
        merge(operation, &mut checked.body);
    } else if let Some(operation) = operation.downcast_ref::<BulkDeleteUsers>() {
        bulk_delete(operation, &mut checked.body);
    }
}

/// Returns whether a profile contains anything. Other values always count as results. The OpenAPI document requires no member of a profile.
#[inline]
pub(super) fn is_result<T: Any>(value: &T) -> bool {
    (value as &dyn Any).downcast_ref().is_none_or(|user: &User| {
        user.distinct_id.is_some()
            || user.created_at.is_some()
            || user.updated_at.is_some()
            || !user.properties.is_empty()
            || user.channels().next().is_some()
    })
}

/// Returns the edit of an operation, if it is an edit.
#[inline]
fn edit_of(operation: &dyn Any) -> Option<&UserEdit> {
    let of_user = operation.downcast_ref().map(|operation: &EditUserProfile| &operation.body);
    let of_tenant = || operation.downcast_ref().map(|operation: &EditUserTenantProfile| &operation.body);
    let of_object = || operation.downcast_ref().map(|operation: &EditObjectProfile| &operation.body);
    of_user.or_else(of_tenant).or_else(of_object)
}

fn upsert(operation: &CreateUpdateUsers, violations: &mut Violations) {
    for (name, value) in &operation.body.extra {
        if !RESERVED.contains(&name.as_str()) {
            property(name, violations);
        } else if !value.is_string() {
            violations.add(name, "is not a text");
        }
    }
}

fn edit(body: &UserEdit, violations: &mut Violations) {
    if body.operations.is_empty() {
        violations.add("operations", "is empty: there is nothing to do");
    }
}

fn merge(operation: &MergeUsers, violations: &mut Violations) {
    let MergeUsers { distinct_id, body, .. } = operation;
    id("from_user_id", &body.from_user_id, violations);
    if *distinct_id == body.from_user_id {
        violations.add("from_user_id", "is the user that it would be merged into");
    }
}

fn bulk_delete(operation: &BulkDeleteUsers, violations: &mut Violations) {
    if operation.body.distinct_ids.is_empty() {
        violations.add("distinct_ids", "is empty: there is nobody to delete");
    }
    for (index, distinct_id) in operation.body.distinct_ids.iter().enumerate() {
        id(&format!("distinct_ids[{index}]"), distinct_id, violations);
    }
}
