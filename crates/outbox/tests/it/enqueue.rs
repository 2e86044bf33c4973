//! Tests which messages the outbox takes, and the time at which they are sent.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use suprsend_outbox::{
    Error, Outbox,
    sqlx::{self, Row, postgres::PgPoolOptions},
};

use crate::setup::on_postgres;

#[test]
fn what_is_committed_is_sent_with_its_key_and_what_is_rolled_back_is_not() {
    on_postgres(async |setup| {
        let workflows = setup.client.workflows();
        let mut committed = setup.pool.begin().await.unwrap();
        let trigger = workflows.trigger("kept").recipient("jane").data("order", 1);
        let kept = setup.outbox.enqueue(&mut committed, trigger).await.unwrap();
        let mut rolled_back = setup.pool.begin().await.unwrap();
        setup.outbox.enqueue(&mut rolled_back, workflows.trigger("lost").recipient("jane")).await.unwrap();
        committed.commit().await.unwrap();
        rolled_back.rollback().await.unwrap();
        setup.work_until(0).await;
        let sent = setup.hub.sent();
        assert_eq!(setup.ran(), ["kept"]);
        assert_eq!(sent[0].key(), kept.idempotency_key());
        assert!(kept.idempotency_key().is_some());
    });
}

#[test]
fn an_operation_is_taken_by_itself_and_by_a_call_of_any_kind() {
    on_postgres(async |setup| {
        let mut transaction = setup.pool.begin().await.unwrap();
        let upsert = setup.client.users().upsert("jane").email("jane@example.com");
        setup.outbox.enqueue(&mut transaction, upsert).await.unwrap();
        let delete = suprsend::operations::DeleteUser::new("joe");
        setup.outbox.enqueue(&mut transaction, delete).ordered_by("joe").await.unwrap();
        setup.hub.seed("joe", serde_json::json!({})).unwrap();
        transaction.commit().await.unwrap();
        setup.work_until(0).await;
        assert!(setup.hub.profile("jane").is_some() && setup.hub.profile("joe").is_none());
        assert!(setup.outbox.dead_letters(None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn what_cannot_be_repeated_is_refused_by_name_and_the_transaction_goes_on() {
    on_postgres(async |setup| {
        let (users, outbox) = (setup.client.users(), &setup.outbox);
        let mut transaction = setup.pool.begin().await.unwrap();
        let broadcast = setup.client.broadcasts().send("all", "news", "promotional").idempotency_key("own");
        let refusals = [
            outbox.enqueue(&mut transaction, users.merge("jane", "joe")).await.unwrap_err(),
            outbox.enqueue(&mut transaction, broadcast).await.unwrap_err(),
            outbox.enqueue(&mut transaction, users.edit("jane").increment("seats", 1)).await.unwrap_err(),
        ];
        let names = ["merge-users", "trigger-broadcast", "edit-user-profile"];
        for (error, name) in refusals.iter().zip(names) {
            let Error::Refused(refused) = error else { panic!("{error}") };
            assert_eq!(refused.operation(), name);
            assert!(error.to_string().contains(name), "{error}");
        }
        let wrong = outbox.enqueue(&mut transaction, users.upsert(" ")).await.unwrap_err();
        assert!(matches!(wrong, Error::Invalid(_)), "{wrong}");
        outbox.enqueue(&mut transaction, users.edit("jane").set("plan", "pro")).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(outbox.waiting().await.unwrap(), 1);
    });
}

/// Inserts as another language does.
async fn insert(pool: &sqlx::PgPool, operation: &str, arguments: &str) -> Result<i64, sqlx::Error> {
    let row = sqlx::query(
        "insert into suprsend_outbox.messages (operation, arguments) values ($1, $2::text::json) returning id",
    );
    row.bind(operation).bind(arguments).fetch_one(pool).await.map(|row| row.get(0))
}

#[test]
fn sql_refuses_by_name_too() {
    on_postgres(async |setup| {
        for operation in ["merge-users", "trigger-broadcast", "fetch-user-profile", "nonsense"] {
            let error = insert(&setup.pool, operation, "{}").await.unwrap_err();
            assert!(error.to_string().contains(&format!("\"{operation}\"")), "{error}");
        }
        let error = insert(&setup.pool, "delete-user", "[]").await.unwrap_err();
        assert!(error.to_string().contains("not a JSON object"), "{error}");
    });
}

#[test]
fn a_message_by_sql_gets_its_key_before_it_is_sent() {
    on_postgres(async |setup| {
        // The response is lost, so that it is sent again, with the same key or notifying twice.
        setup.hub.inject(suprsend_mock::Fault::lost().times(1)).unwrap();
        let arguments = r#"{"body": {"workflow": "by-sql", "recipients": ["jane"], "data": {"order": 1}}}"#;
        insert(&setup.pool, "trigger-workflow-api", arguments).await.unwrap();
        setup.work_until(0).await;
        let sent = setup.hub.sent();
        assert_eq!((sent.len(), setup.ran().len()), (2, 1));
        assert!(sent[0].key().is_some() && sent[0].key() == sent[1].key());
    });
}

#[test]
fn what_sql_got_wrong_goes_to_the_dead_letters() {
    on_postgres(async |setup| {
        let increment = r#"{"distinct_id": "jane", "body": {"operations": [{"$increment": {"seats": 1}}]}}"#;
        insert(&setup.pool, "edit-user-profile", increment).await.unwrap();
        insert(&setup.pool, "delete-user", r#"{"user": "jane"}"#).await.unwrap();
        insert(&setup.pool, "delete-user", r#"{"distinct_id": "..", "more": 1}"#).await.unwrap();
        setup.work_until(0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        let kinds: Vec<_> = dead.iter().map(suprsend_outbox::DeadLetter::kind).collect();
        assert_eq!(kinds, ["refused", "invalid_input", "invalid_input"], "{dead:?}");
        assert!(setup.hub.requests().is_empty());
    });
}

#[test]
fn a_message_waits_for_its_time() {
    on_postgres(async |setup| {
        let mut transaction = setup.pool.begin().await.unwrap();
        let workflows = setup.client.workflows();
        let tomorrow = SystemTime::now() + Duration::from_secs(24 * 60 * 60);
        let later = setup.outbox.enqueue(&mut transaction, workflows.trigger("later").recipient("jane"));
        later.not_before(tomorrow).ordered_by("jane").await.unwrap();
        let now = setup.outbox.enqueue(&mut transaction, workflows.trigger("now").recipient("jane"));
        now.ordered_by("jane").await.unwrap();
        transaction.commit().await.unwrap();
        setup.work_until(1).await;
        assert_eq!(setup.ran(), ["now"]);
        // Its time has come.
        sqlx::query("select suprsend_outbox_queue.reschedule_jobs(array(select id from suprsend_outbox_queue._private_jobs), now())")
            .execute(&setup.pool)
            .await
            .unwrap();
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["now", "later"]);
    });
}

#[test]
fn lower_priorities_are_sent_first() {
    on_postgres(async |setup| {
        for priority in [5, -1, 3, 0] {
            let mut transaction = setup.pool.begin().await.unwrap();
            let trigger = setup.client.workflows().trigger(format!("p{priority}")).recipient("jane");
            setup.outbox.enqueue(&mut transaction, trigger).priority(priority).await.unwrap();
            transaction.commit().await.unwrap();
        }
        let worker = setup.worker().concurrency(1);
        let left = async || setup.outbox.waiting().await.unwrap() == 0;
        crate::setup::Running::start(worker).until(left).await;
        assert_eq!(setup.ran(), ["p-1", "p0", "p3", "p5"]);
    });
}

#[test]
fn migrating_again_and_by_several_at_a_time_changes_nothing() {
    on_postgres(async |setup| {
        setup.trigger("kept", "jane").await;
        let (one, two) = tokio::join!(setup.outbox.migrate(), setup.outbox.migrate());
        one.unwrap();
        two.unwrap();
        let other = setup.outbox.clone().schema("acme_1").unwrap();
        other.migrate().await.unwrap();
        assert_eq!(other.waiting().await.unwrap(), 0);
        assert_eq!(setup.outbox.waiting().await.unwrap(), 1);
        for name in ["", "1a", "Acme", "a\"b", "a b"] {
            assert!(matches!(setup.outbox.clone().schema(name), Err(Error::Schema(_))), "{name}");
        }
    });
}

#[test]
fn one_connection_is_enough_to_migrate() {
    on_postgres(async |setup| {
        let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
        let pool = options.connect(&setup.url).await.unwrap();
        Outbox::new(pool).schema("one_connection").unwrap().migrate().await.unwrap();
    });
}

/// The operations that SQL may insert are those that the table of resources calls idempotent or gives a key, and the edits.
#[test]
fn the_operations_that_are_taken_are_those_of_the_table() {
    on_postgres(async |setup| {
        let document: Value = serde_json::from_str(include_str!("../../../../src/openapi.json")).unwrap();
        let mut expected =
            BTreeSet::from(["edit-user-profile", "edit-object-profile", "edit-user-tenant-profile"]);
        let mut keyed = BTreeSet::new();
        collect(&document["x-resources"], &mut keyed);
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(id) = operation["operationId"].as_str() else { continue };
                // The management API's.
                if item.get("servers").is_some() {
                    continue;
                }
                let spec = suprsend::operations::ALL.iter().find(|spec| spec.id == id).unwrap();
                let takes_key = keyed.contains(&format!("{method} {path}"));
                if method != "get" && (spec.idempotent || takes_key) {
                    expected.insert(id);
                }
            }
        }
        let taken: Vec<String> = sqlx::query_scalar("select id from suprsend_outbox.operations")
            .fetch_all(&setup.pool)
            .await
            .unwrap();
        assert!(keyed.len() >= 6, "{keyed:?}");
        assert_eq!(taken.iter().map(String::as_str).collect::<BTreeSet<_>>(), expected);
    });
}

/// Collects `post /path/` of each entry with a place for a key.
fn collect(value: &Value, keyed: &mut BTreeSet<String>) {
    let Value::Object(members) = value else { return };
    if members.contains_key("idempotency_key") {
        for method in ["post", "put", "patch", "delete"] {
            if let Some(path) = members.get(method).and_then(Value::as_str) {
                keyed.insert(format!("{method} {path}"));
            }
        }
    }
    members.values().for_each(|member| collect(member, keyed));
}
