//! The keys of a workspace. Secret ones are shown only once.

use chrono::Utc;
use serde_json::{Value, json};

use super::{
    Answer, Answered, Asked, Members, Space, bad_request, members, object, offset_page, system_user, time,
};

/// Returns the key with this id unless it is deleted.
fn find<'a>(keys: &'a mut [Members], member: &str, asked: &Asked<'_>) -> Option<&'a mut Members> {
    let (_, id) = asked.path.last()?;
    let is_there = |key: &&mut Members| {
        let has = |name: &str, none: &Value| key.get(name).unwrap_or(none) == none;
        has("is_deleted", &Value::Bool(false)) && has("deleted_at", &Value::Null)
    };
    keys.iter_mut().filter(is_there).find(|key| key.get(member).is_some_and(|known| *known == *id))
}

fn delete(keys: &mut [Members], member: &str, asked: &Asked<'_>) -> Answer {
    let key = find(keys, member, asked).ok_or_else(|| asked.missing())?;
    if let Some(is_deleted) = key.get_mut("is_deleted") {
        *is_deleted = true.into();
    }
    if key.contains_key("deleted_at") {
        key.extend(object(json!({"deleted_at": time(Utc::now()), "deleted_by": system_user()})));
    }
    Ok(Answered::AsDocumented)
}

impl Space {
    /// Returns a number that no other key of the workspace has.
    fn number(&mut self) -> String {
        self.made += 1;
        format!("{:08}", self.made)
    }

    pub(super) fn api_keys(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        Some(match verb {
            "list" => Ok(offset_page(self.api_keys.clone(), asked)),
            "create" => {
                let number = self.number();
                let key = object(json!({
                    "id": format!("ws_apik_{number}"), "name": asked.text("name"),
                    "masked_api_key": format!("SS.****{}", &number[4..]), "is_deleted": false,
                    "allowed_domains": [], "created_at": time(Utc::now()), "created_by": system_user(),
                    "deleted_at": null, "deleted_by": null,
                }));
                self.api_keys.push(key.clone());
                let mut created = key;
                created.insert("api_key".to_owned(), format!("SS.MOCK.{number}").into());
                Ok(members(created))
            }
            "delete" => delete(&mut self.api_keys, "id", asked),
            _ => return None,
        })
    }

    pub(super) fn public_keys(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let now = time(Utc::now());
        Some(match verb {
            "list" => Ok(offset_page(self.public_keys.clone(), asked)),
            "create" => {
                let number = self.number();
                let key = object(json!({
                    "id": format!("ws_pubk_{number}"), "api_key": format!("SS.PUBK.{number}"),
                    "name": asked.text("name"), "allowed_domains": [], "is_secure_mode_enabled": false,
                    "is_deleted": false, "is_default": self.public_keys.is_empty(), "created_at": now,
                    "created_by": system_user(), "rotated_at": null, "rotated_by": null, "updated_at": now,
                    "updated_by": system_user(),
                }));
                self.public_keys.push(key.clone());
                Ok(members(key))
            }
            "set_secure_mode" => {
                let enabled = asked.member("is_secure_mode_enabled").cloned().unwrap_or_default();
                find(&mut self.public_keys, "id", asked).ok_or_else(|| asked.missing()).map(|key| {
                    key.extend(object(json!({"is_secure_mode_enabled": enabled, "updated_at": now})));
                    members(key.clone())
                })
            }
            "rotate" => {
                let number = self.number();
                // The id of the key is not in the last segment of the path.
                let id = asked.parameter("public_key_id");
                let found =
                    self.public_keys.iter_mut().find(|key| key["id"] == id && key["is_deleted"] == false);
                found.ok_or_else(|| asked.missing()).map(|key| {
                    let rotated = json!({"api_key": format!("SS.PUBK.{number}"), "rotated_at": now, "rotated_by": system_user()});
                    key.extend(object(rotated));
                    members(key.clone())
                })
            }
            "delete" => delete(&mut self.public_keys, "id", asked),
            _ => return None,
        })
    }

    pub(super) fn signing_keys(&mut self, verb: &str, asked: &Asked<'_>) -> Option<Answer> {
        let is_active = |key: &Members| key["status"] == "active" && key["deleted_at"].is_null();
        Some(match verb {
            "list" => Ok(offset_page(self.signing_keys.clone(), asked)),
            "create" if self.signing_keys.iter().any(is_active) => {
                Err(bad_request("an active signing key exists already"))
            }
            "create" => Ok(members(self.sign())),
            "roll" => match find(&mut self.signing_keys, "uid", asked) {
                None => Err(asked.missing()),
                Some(key) => {
                    let rolled = json!({"status": "rolled", "rolled_at": time(Utc::now()), "rolled_by": system_user()});
                    key.extend(object(rolled));
                    Ok(members(self.sign()))
                }
            },
            "delete" => delete(&mut self.signing_keys, "uid", asked),
            _ => return None,
        })
    }

    /// Creates a signing key, including its private half.
    fn sign(&mut self) -> Members {
        let number = self.number();
        let key = object(json!({
            "id": format!("ws_signk_{number}"), "uid": format!("signing_key_{number}"), "status": "active",
            "allowed_domains": [], "expiry_at": null, "created_at": time(Utc::now()),
            "created_by": system_user(), "rolled_at": null, "rolled_by": null, "deleted_at": null,
            "deleted_by": null,
        }));
        self.signing_keys.push(key.clone());
        let private: Value = json!({
            "private_key_pem": format!("-----BEGIN PRIVATE KEY-----\nmock {number}\n-----END PRIVATE KEY-----\n"),
            "private_key_base64": format!("bW9jay{number}"),
        });
        key.into_iter().chain(object(private)).collect()
    }
}
