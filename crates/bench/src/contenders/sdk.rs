//! The SDK as a program uses it, with its defaults: checks, timeouts, retries.

use anyhow::Result;
use suprsend::{Call, Client, operations::TriggerWorkflowApi, users::UpsertUser};

use super::{KEY, WORKSPACE};
use crate::workload::{LOCALE, PLAN, TIMEZONE, User, WORKFLOW};

/// A client of the server at this base URL.
pub fn client(base: &str) -> Result<Client> {
    Ok(Client::builder().api_key(KEY.to_owned()).workspace(WORKSPACE).base_url(base).build()?)
}

/// The upsert of a user, not sent yet.
pub fn upsert(client: &Client, user: User) -> UpsertUser<Client> {
    client
        .users()
        .upsert(user.id)
        .email(user.email)
        .sms(user.phone)
        .timezone(TIMEZONE)
        .locale(LOCALE)
        .property("plan", PLAN)
        .property("seats", user.seats)
}

/// A trigger for a user, not sent yet.
pub fn trigger(client: &Client, user: User) -> Call<TriggerWorkflowApi> {
    client
        .workflows()
        .trigger(WORKFLOW)
        .recipient(user.id)
        .data("email", user.email)
        .data("phone", user.phone)
        .data("plan", PLAN)
        .data("seats", user.seats)
}
