//! Users and objects: profiles that are upserted, edited, merged and deleted.

use chrono::Utc;
use serde_json::{Map, Value};

use super::{
    Answer, Answered, Asked, World, json, missing,
    page::{Order, by_cursor},
    profiles::Missing,
};
use crate::{
    document::{Problem, list},
    server::response::HubResponse,
};

impl World {
    /// Performs operations on users.
    pub(super) fn people(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let key = asked.key();
        let exists = || if self.users.has(&key) { Ok(()) } else { Err(asked.missing()) };
        Some(match verb {
            "get" => exists().map(|()| json(self.users.get(&key).unwrap_or_default())),
            "upsert" => self.upsert_user(asked),
            "edit" => exists().and_then(|()| {
                let edited = self.users.edit(&self.keys, &key, asked.list("operations"), Utc::now());
                refuse(edited)?;
                Ok(json(self.users.get(&key).unwrap_or_default()))
            }),
            "delete" => exists().map(|()| self.forget_user(&key[0])),
            "delete_many" => {
                asked.texts("distinct_ids").for_each(|id| {
                    self.forget_user(id);
                });
                Ok(Answered::AsDocumented)
            }
            "merge" => self.merge(&key, asked.text("from_user_id")),
            "list" => {
                let users: Vec<_> = self.users.keys(&[]).map(|key| (key[0].as_str(), key)).collect();
                let without_channels = |key: &&Vec<String>| {
                    let mut user = self.users.get(key).unwrap_or_default();
                    user.retain(|name, _| !name.starts_with('$'));
                    user.into()
                };
                page(by_cursor(&users, Order::Ascending, &asked.window(), without_channels))
            }
            "object_subscriptions" => exists().and_then(|()| self.parents(&key, asked)),
            "list_subscriptions" => exists().and_then(|()| self.lists_of(&key[0], asked)),
            "ingest" => self.ingest(asked.body.as_ref()),
            _ => return None,
        })
    }

    /// Performs operations on objects.
    pub(super) fn things(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let key = asked.key();
        let exists = || if self.objects.has(&key) { Ok(()) } else { Err(asked.missing()) };
        Some(match verb {
            "get" => exists().map(|()| json(self.object(&key))),
            "upsert" => asked.members().and_then(|body| {
                refuse_any(&self.keys.problems(asked.path, &body))?;
                self.objects.upsert(&self.keys, &key, body, Utc::now());
                Ok(json(self.object(&key)))
            }),
            "edit" => exists().and_then(|()| {
                refuse(self.objects.edit(&self.keys, &key, asked.list("operations"), Utc::now()))?;
                Ok(json(self.object(&key)))
            }),
            "delete" => exists().map(|()| self.forget_object(&key)),
            "delete_many" => {
                asked.texts("object_ids").for_each(|id| {
                    self.forget_object(&[key[0].clone(), id.to_owned()]);
                });
                Ok(Answered::AsDocumented)
            }
            "list" => {
                let objects: Vec<_> = self.objects.keys(&key).map(|key| (key[1].as_str(), key)).collect();
                let object = |key: &&Vec<String>| self.object(key).into();
                page(by_cursor(&objects, Order::Ascending, &asked.window(), object))
            }
            "object_subscriptions" => exists().and_then(|()| self.parents(&key, asked)),
            _ => return None,
        })
    }

    /// Returns a user's profile, in the form of an upsert's response.
    pub(crate) fn user(&self, distinct_id: &str) -> Option<Value> {
        self.users.get(&[distinct_id.to_owned()]).map(Value::Object)
    }

    /// Returns all users by `distinct_id`.
    pub(crate) fn all_users(&self) -> Map<String, Value> {
        let keys = self.users.keys(&[]);
        keys.filter_map(|key| Some((key[0].clone(), self.users.get(key)?.into()))).collect()
    }

    pub(crate) fn count_users(&self) -> usize {
        self.users.keys(&[]).count()
    }

    /// Returns an object's profile, with the number of its subscribers.
    pub(super) fn object(&self, key: &[String]) -> Map<String, Value> {
        let mut object = self.objects.get(key).unwrap_or_default();
        object.insert("subscriptions_count".into(), self.subscriptions.count(key).into());
        object
    }

    fn upsert_user(&mut self, asked: &Asked<'_>) -> Answer {
        let (key, body) = (asked.key(), asked.members()?);
        refuse_any(&self.keys.problems(asked.path, &body))?;
        self.users.upsert(&self.keys, &key, body, Utc::now());
        Ok(json(self.users.get(&key).unwrap_or_default()))
    }

    fn forget_user(&mut self, id: &str) -> Answered {
        let key = [id.to_owned()];
        self.users.delete(&key);
        self.subscriptions.forget(&key);
        self.lists.forget(id);
        self.preferences.forget(&key);
        let tenants: Vec<_> = self.tenant_profiles.keys(&key).cloned().collect();
        for key in &tenants {
            self.tenant_profiles.delete(key);
        }
        Answered::AsDocumented
    }

    fn forget_object(&mut self, key: &[String]) -> Answered {
        self.objects.delete(key);
        self.subscriptions.forget(key);
        self.preferences.forget(key);
        Answered::AsDocumented
    }

    fn merge(&mut self, into: &[String], from: &str) -> Answer {
        if into[0] == from {
            return Err(HubResponse::bad_request("from_user_id: is the user that it would be merged into"));
        }
        let other = [from.to_owned()];
        self.users.merge(into, &other, Utc::now()).map_err(|which| match which {
            Missing::Into => missing("distinct_id", &into[0]),
            Missing::From => missing("from_user_id", from),
        })?;
        self.subscriptions.move_to(&other, into);
        self.lists.move_to(from, &into[0]);
        self.forget_user(from);
        Ok(json(self.users.get(into).unwrap_or_default()))
    }

    /// Applies edit records, each to a user that need not exist. A single invalid record rejects all of them.
    fn ingest(&mut self, records: Option<&Value>) -> Answer {
        let records = records.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut before: Vec<_> = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
            let id = text("distinct_id").unwrap_or_default();
            let operations = record["$user_operations"].as_array().map_or(&[][..], Vec::as_slice);
            let (profiles, key) = match text("tenant_id") {
                Some(tenant) => (&mut self.tenant_profiles, vec![id.clone(), tenant]),
                None => (&mut self.users, vec![id.clone()]),
            };
            before.push((key.clone(), profiles.profile(&key).cloned()));
            if let Err(problems) = profiles.edit(&self.keys, &key, operations, Utc::now()) {
                for (key, profile) in before.into_iter().rev() {
                    let profiles = if key.len() == 2 { &mut self.tenant_profiles } else { &mut self.users };
                    profiles.restore(&key, profile);
                }
                let field = |problem: &Problem| {
                    format!("[{index}].{problem}").replace(".operations", ".$user_operations")
                };
                return Err(HubResponse::bad_request(
                    problems.iter().map(field).collect::<Vec<_>>().join("; "),
                ));
            }
        }
        Ok(Answered::AsDocumented)
    }
}

fn refuse(result: Result<(), Vec<Problem>>) -> Result<(), HubResponse> {
    result.map_err(|problems| HubResponse::bad_request(list(&problems)))
}

pub(super) fn refuse_any(problems: &[Problem]) -> Result<(), HubResponse> {
    if problems.is_empty() { Ok(()) } else { Err(HubResponse::bad_request(list(problems))) }
}

pub(super) fn page(page: Result<Value, String>) -> Answer {
    page.map(Answered::Json).map_err(HubResponse::bad_request)
}
