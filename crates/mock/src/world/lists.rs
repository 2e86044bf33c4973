//! Lists of users, and drafts that replace a list at once.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    Answer, Answered, Asked, World, json as members, missing,
    page::{Order, by_cursor, by_offset},
    people::page,
    time,
};
use crate::server::response::HubResponse;

/// The list of all users, which exists in every workspace.
pub(super) const ALL: &str = "all_users";

/// The members of a list or a draft: when each was added, and the number of its entry.
type Members = BTreeMap<String, (u64, DateTime<Utc>)>;

#[derive(Debug, Default)]
pub(crate) struct Lists {
    by_id: BTreeMap<String, List>,
    /// The last number that was assigned to a draft or an entry.
    last: u64,
}

#[derive(Debug, Clone)]
struct List {
    /// The members of the list that were sent.
    own: Map<String, Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    members: Members,
    drafts: BTreeMap<String, Draft>,
}

#[derive(Debug, Clone)]
struct Draft {
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    members: Members,
}

impl Lists {
    /// Returns the ids of the lists, except that of all users.
    #[cfg(feature = "page")]
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn upsert(&mut self, id: &str, own: Map<String, Value>, now: DateTime<Utc>) {
        let new = || List {
            own: Map::new(),
            created_at: now,
            updated_at: now,
            members: Members::new(),
            drafts: BTreeMap::new(),
        };
        let list = self.by_id.entry(id.to_owned()).or_insert_with(new);
        list.own.extend(own);
        list.updated_at = now;
    }

    /// Adds users to a list or a draft, or removes them. Returns how many changed.
    fn change(&mut self, id: &str, draft: Option<&str>, users: Vec<String>, add: bool) -> Option<usize> {
        let (now, mut last) = (Utc::now(), self.last);
        let found = self.by_id.get_mut(id)?;
        let (kept, updated) = match draft {
            None => (&mut found.members, &mut found.updated_at),
            Some(draft) => {
                found.drafts.get_mut(draft).map(|draft| (&mut draft.members, &mut draft.updated_at))?
            }
        };
        let before = kept.len();
        for user in users {
            if add {
                last += 1;
                kept.entry(user).or_insert((last, now));
            } else {
                kept.remove(&user);
            }
        }
        let changed = before.abs_diff(kept.len());
        *updated = now;
        self.last = last;
        Some(changed)
    }

    pub(super) fn forget(&mut self, user: &str) {
        self.each(|members| {
            members.remove(user);
        });
    }

    /// Moves the list memberships of one user to another.
    pub(super) fn move_to(&mut self, from: &str, into: &str) {
        self.each(|members| {
            if let Some(entry) = members.remove(from) {
                members.entry(into.to_owned()).or_insert(entry);
            }
        });
    }

    fn each(&mut self, change: impl Fn(&mut Members)) {
        for list in self.by_id.values_mut() {
            change(&mut list.members);
            list.drafts.values_mut().for_each(|draft| change(&mut draft.members));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.by_id.values().map(|list| 256 + list.members.len() * 64).sum()
    }
}

impl World {
    pub(super) fn lists(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let id = asked.parameter("list_id");
        Some(match verb {
            "get" => self.list(id, None).map(members).ok_or_else(|| asked.missing()),
            "list" => {
                let mut ids: Vec<_> = self.lists.by_id.keys().map(String::as_str).chain([ALL]).collect();
                ids.sort_unstable();
                let all: Vec<_> = ids.iter().filter_map(|id| Some(self.list(id, None)?.into())).collect();
                Ok(Answered::Json(by_offset(&all, &asked.window())))
            }
            "upsert" => {
                let id = asked.text("list_id").to_lowercase();
                if id == ALL {
                    return Some(Err(HubResponse::bad_request(format!("list_id: {ALL} cannot be changed"))));
                }
                let mut own = asked.body.as_ref()?.as_object()?.clone();
                own.insert("list_id".into(), id.as_str().into());
                self.lists.upsert(&id, own, Utc::now());
                self.list(&id, None).map(members).ok_or_else(|| asked.missing())
            }
            "delete" if self.lists.by_id.remove(id).is_some() => Ok(succeeded()),
            "delete" => Err(asked.missing()),
            _ => return None,
        })
    }

    pub(super) fn list_subscribers(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let id = asked.parameter("list_id");
        if self.members_of(id).is_none() {
            return Some(Err(missing("list_id", id)));
        }
        Some(match verb {
            "list" => {
                let stored =
                    self.lists.by_id.get(id).map_or_else(|| self.everybody(), |list| list.members.clone());
                let entry = |(user, (number, at)): (&String, &(u64, DateTime<Utc>))| {
                    let shown =
                        json!({"id": number.to_string(), "distinct_id": user, "created_at": time(*at)});
                    (format!("{number:020}"), shown)
                };
                let mut entries: Vec<_> = stored.iter().map(entry).collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                let ascending = asked.query("sort").as_deref() == Some("id");
                let order = if ascending { Order::Ascending } else { Order::Descending };
                if !ascending {
                    entries.reverse();
                }
                page(by_cursor(&entries, order, &asked.window(), Value::clone))
            }
            "add" | "remove" if id == ALL => {
                Err(HubResponse::bad_request(format!("list_id: {ALL} cannot be changed")))
            }
            "add" | "remove" => Ok(self.change(asked, None, verb == "add")),
            _ => return None,
        })
    }

    pub(super) fn drafts(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let (id, version) = (asked.parameter("list_id"), asked.parameter("version_id"));
        let known = self.lists.by_id.get(id).ok_or_else(|| missing("list_id", id));
        let draft = known.map(|list| verb == "start" || list.drafts.contains_key(version));
        match draft {
            Err(refusal) => return Some(Err(refusal)),
            Ok(false) => return Some(Err(missing("version_id", version))),
            Ok(true) => {}
        }
        Some(match verb {
            "start" => {
                let (version, now) = (format!("version-{}", self.lists.next()), Utc::now());
                let draft = Draft { created_at: now, updated_at: now, members: Members::new() };
                self.lists.by_id.get_mut(id)?.drafts.insert(version.clone(), draft);
                Ok(members(self.list(id, Some(&version))?))
            }
            "get" => Ok(members(self.list(id, Some(version))?)),
            "add" | "remove" => Ok(self.change(asked, Some(version), verb == "add")),
            "finish" => {
                let list = self.lists.by_id.get_mut(id)?;
                list.members = list.drafts.remove(version)?.members;
                list.updated_at = Utc::now();
                Ok(members(self.list(id, None)?))
            }
            "delete" => {
                self.lists.by_id.get_mut(id)?.drafts.remove(version);
                Ok(succeeded())
            }
            _ => return None,
        })
    }

    /// Adds the users that exist, or removes users.
    fn change(&mut self, asked: &Asked<'_>, draft: Option<&str>, add: bool) -> Answered {
        let users = asked.texts("distinct_ids").map(str::to_owned);
        let users = users.filter(|id| !add || self.users.has(std::slice::from_ref(id))).collect();
        let count = self.lists.change(asked.parameter("list_id"), draft, users, add);
        Answered::Json(json!({"success": true, "affected_count": count}))
    }

    /// Returns a list or one of its drafts in the form that the document declares.
    fn list(&self, id: &str, draft: Option<&str>) -> Option<Map<String, Value>> {
        let all = (id == ALL).then(|| self.all_list());
        let list = self.lists.by_id.get(id).or(all.as_ref())?;
        let shown = draft.map(|draft| Some((draft, list.drafts.get(draft)?)));
        let (status, version, count) = match shown {
            None => ("active", None, list.members.len()),
            Some(draft) => draft.map(|(version, draft)| ("draft", Some(version), draft.members.len()))?,
        };
        let summary = |(version, draft): (&String, &Draft)| {
            json!({
                "version_id": version, "subscribers_count": draft.members.len(),
                "created_at": time(draft.created_at), "updated_at": time(draft.updated_at),
            })
        };
        let mut json = json!({
            "list_id": id, "list_name": id, "list_description": null, "list_type": "static_list",
            "subscribers_count": count, "source": null, "is_readonly": id == ALL, "status": status,
            "track_user_entry": false, "track_user_exit": false, "requested_for_delete": false,
            "created_at": time(list.created_at), "updated_at": time(list.updated_at), "version_id": version,
        });
        let members = json.as_object_mut()?;
        members.extend(list.own.clone());
        if draft.is_none() {
            let drafts: Vec<_> = list.drafts.iter().map(summary).collect();
            members.insert("drafts".into(), drafts.into());
        }
        Some(members.clone())
    }

    fn all_list(&self) -> List {
        let own = json!({"list_type": "query_based"}).as_object().cloned().unwrap_or_default();
        let (created_at, members) = (DateTime::UNIX_EPOCH, self.everybody());
        List { own, created_at, updated_at: created_at, members, drafts: BTreeMap::new() }
    }

    fn everybody(&self) -> Members {
        let users = self.users.numbers();
        users.map(|(key, number)| (key[0].clone(), (number, DateTime::UNIX_EPOCH))).collect()
    }

    /// Returns the users of a list.
    pub(super) fn members_of(&self, list: &str) -> Option<Vec<String>> {
        let all = || (list == ALL).then(|| self.everybody().into_keys().collect());
        self.lists.by_id.get(list).map(|list| list.members.keys().cloned().collect()).or_else(all)
    }

    /// Returns the lists that contain a user.
    pub(super) fn lists_of(&self, user: &str, asked: &Asked<'_>) -> Answer {
        let on = self.lists.by_id.iter().filter_map(|(id, list)| Some((id, list.members.get(user)?.1)));
        let on: Vec<_> = on.map(|(id, at)| (id.as_str(), (id, at))).collect();
        let names = [
            "list_id",
            "list_name",
            "list_description",
            "list_type",
            "source",
            "subscribers_count",
            "updated_at",
        ];
        let shown = |(id, at): &(&String, DateTime<Utc>)| {
            let mut list = self.list(id, None).unwrap_or_default();
            list.retain(|name, _| names.contains(&name.as_str()));
            json!({"list": list, "created_at": time(*at)})
        };
        page(by_cursor(&on, Order::Ascending, &asked.window(), shown))
    }

    /// Adds a user to a list without a request.
    pub(crate) fn subscribe_to_list(&mut self, distinct_id: &str, list: &Map<String, Value>) {
        let id = list.get("list_id").and_then(Value::as_str).unwrap_or_default();
        self.lists.upsert(id, list.clone(), Utc::now());
        self.lists.change(id, None, vec![distinct_id.to_owned()], true);
    }
}

fn succeeded() -> Answered {
    Answered::Json(json!({"success": true}))
}
