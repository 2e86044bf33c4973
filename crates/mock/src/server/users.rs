//! The operations on users: from a request that the document allows to what is stored, and the reply.

use axum::http::StatusCode;
use chrono::Utc;
use serde_json::{Map, Value};

use super::{Shared, refuse, reply::Content, reply::Reply};
use crate::{
    document::Operation,
    profiles::{DISTINCT_ID, Missing, Subscriptions, UPSERT, Window, limit},
};

/// A request whose parameters and body fit the document.
pub(super) struct Asked<'a> {
    pub(super) operation: &'a Operation,
    pub(super) path: &'a [(String, String)],
    pub(super) query: &'a str,
    pub(super) body: Option<Value>,
}

/// Answers an operation on users; nothing if it is another one. The status is the success that the document declares.
pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Option<Result<Reply, Reply>> {
    let user = || asked.user();
    let result = match asked.operation.id.as_str() {
        UPSERT => user().and_then(|id| shared.upsert(id, asked.body.clone())).map(Content::Json),
        "fetch-user-profile" => user()
            .and_then(|id| shared.state().profiles.get(id).ok_or_else(|| missing(DISTINCT_ID, id)))
            .map(Content::Json),
        "edit-user-profile" => {
            user().and_then(|id| edit(shared, id, &asked.list("operations"))).map(Content::Json)
        }
        "delete-user" => user().and_then(|id| {
            let deleted = shared.state().profiles.delete(id);
            if deleted { Ok(Content::Empty) } else { Err(missing(DISTINCT_ID, id)) }
        }),
        "bulk-delete-users" => {
            let mut state = shared.state();
            for id in asked.list("distinct_ids").iter().filter_map(Value::as_str) {
                state.profiles.delete(id);
            }
            Ok(Content::Empty)
        }
        "merge-users" => {
            user().and_then(|id| merge(shared, id, &asked.text("from_user_id"))).map(Content::Json)
        }
        "list-users" => {
            shared.state().profiles.list(&asked.window()).map_err(Reply::bad_request).map(Content::Json)
        }
        "fetch-user-object-subscriptions" => subscriptions(shared, asked, Subscriptions::Objects),
        "fetch-user-list-subscriptions" => subscriptions(shared, asked, Subscriptions::Lists),
        _ => return None,
    };
    Some(result.map(|content| Reply::new(asked.operation.success().status, content)))
}

/// Whether an operation is answered here.
pub(super) fn knows(id: &str) -> bool {
    const KNOWN: [&str; 9] = [
        UPSERT,
        "fetch-user-profile",
        "edit-user-profile",
        "delete-user",
        "bulk-delete-users",
        "merge-users",
        "list-users",
        "fetch-user-object-subscriptions",
        "fetch-user-list-subscriptions",
    ];
    KNOWN.contains(&id)
}

/// The reply of the document for a user that does not exist.
fn missing(place: &str, distinct_id: &str) -> Reply {
    Reply::refusal(StatusCode::NOT_FOUND, format!("{place}: {distinct_id} not found"))
}

fn edit(shared: &Shared, distinct_id: &str, operations: &[Value]) -> Result<Value, Reply> {
    let mut state = shared.state();
    shared.has_room(&state)?;
    match state.profiles.edit(&shared.keys, distinct_id, operations, Utc::now()) {
        None => Err(missing(DISTINCT_ID, distinct_id)),
        Some(Err(problems)) => {
            Err(refuse(&problems).err().unwrap_or_else(|| Reply::bad_request("is no edit")))
        }
        Some(Ok(profile)) => Ok(profile),
    }
}

fn merge(shared: &Shared, into: &str, from: &str) -> Result<Value, Reply> {
    if into == from {
        return Err(Reply::bad_request("from_user_id: is the user that it would be merged into"));
    }
    shared.state().profiles.merge(into, from, Utc::now()).map_err(|which| match which {
        Missing::Into => missing(DISTINCT_ID, into),
        Missing::From => missing("from_user_id", from),
    })
}

fn subscriptions(shared: &Shared, asked: &Asked<'_>, kind: Subscriptions) -> Result<Content, Reply> {
    let (id, window) = (asked.user()?, asked.window());
    let state = shared.state();
    let page = state.profiles.subscriptions(id, kind, &window).ok_or_else(|| missing(DISTINCT_ID, id))?;
    page.map(Content::Json).map_err(Reply::bad_request)
}

impl Asked<'_> {
    fn user(&self) -> Result<&str, Reply> {
        let named = self.path.iter().find(|(name, _)| name == DISTINCT_ID);
        named.map(|(_, id)| id.as_str()).ok_or_else(|| Reply::bad_request("distinct_id: is required"))
    }

    /// A member of the body that is a list.
    fn list(&self, name: &str) -> Vec<Value> {
        self.body.as_ref().and_then(|body| body.get(name)?.as_array().cloned()).unwrap_or_default()
    }

    /// A member of the body that is a text.
    fn text(&self, name: &str) -> String {
        self.body.as_ref().and_then(|body| Some(body.get(name)?.as_str()?.to_owned())).unwrap_or_default()
    }

    fn window(&self) -> Window {
        let mut window = Window::default();
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            match name.as_ref() {
                "limit" => window.limit = limit(&value),
                "before" => window.before = Some(value.into_owned()),
                "after" => window.after = Some(value.into_owned()),
                _ => {}
            }
        }
        window
    }
}

impl Shared {
    /// Stores an upsert whose body fits its schema.
    pub(super) fn upsert(&self, distinct_id: &str, body: Option<Value>) -> Result<Value, Reply> {
        let body = match body {
            None => Map::new(),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(Reply::bad_request("the body is not of type \"object\"")),
        };
        refuse(&self.keys.problems(distinct_id, &body))?;
        let mut state = self.state();
        self.has_room(&state)?;
        Ok(state.profiles.upsert(&self.keys, distinct_id, body, Utc::now()))
    }
}
