//! Tests messages whose delivery fails, is interrupted, or has an order.

use std::time::Duration;

use suprsend::operations::{BulkUpdateMessages, TriggerWorkflows};
use suprsend_mock::Fault;
use suprsend_outbox::sqlx;

use crate::setup::{Running, Setup, on_postgres};

#[test]
fn messages_of_one_key_keep_their_order_through_failures() {
    on_postgres(async |setup| {
        // Some attempts in a row fail, so that messages go back to the queue, while others of the key are due.
        setup.hub.inject(Fault::status(502).share(0.4).times(10)).unwrap();
        let client = suprsend::Client::builder().base_url(setup.hub.url()).api_key(setup.hub.key());
        let client = client.no_retries().build().unwrap();
        for number in 0..12 {
            let mut transaction = setup.pool.begin().await.unwrap();
            for key in ["jane", "joe"] {
                let trigger = client.workflows().trigger(format!("{key}-{number:02}")).recipient(key);
                setup.outbox.enqueue(&mut transaction, trigger).ordered_by(key).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }
        let workers = [(); 2].map(|()| Running::start(setup.outbox.worker(client.clone()).concurrency(8)));
        while setup.outbox.waiting().await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            // The delays between attempts would take a minute. A quarter of a second is long enough for others of the key to get ahead.
            sqlx::query(
                "update suprsend_outbox_queue._private_jobs set run_at = now()
                 where attempts > 0 and locked_at is null and updated_at < now() - interval '250 ms'",
            )
            .execute(&setup.pool)
            .await
            .unwrap();
        }
        for worker in workers {
            worker.stop().await;
        }
        for key in ["jane", "joe"] {
            let of_key: Vec<_> = setup.ran().into_iter().filter(|name| name.starts_with(key)).collect();
            let expected: Vec<_> = (0..12).map(|number| format!("{key}-{number:02}")).collect();
            assert_eq!(of_key, expected);
        }
        assert!(setup.hub.requests().len() > 24, "no request failed");
    });
}

#[test]
fn what_fails_for_good_is_a_dead_letter_without_anything_personal_and_can_be_sent_again() {
    on_postgres(async |setup| {
        let message = "recipient jane-secret with jane@example.com has no channel";
        let body = serde_json::json!({"code": 400, "message": message, "error_code": "no_channel"});
        setup.hub.inject(Fault::status(400).body(body)).unwrap();
        let id = setup.trigger("order-placed", "jane-secret").await;
        setup.work_until(0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        let [letter] = &dead[..] else { panic!("{dead:?}") };
        assert_eq!((letter.id(), letter.operation(), letter.attempts()), (id, "trigger-workflow-api", 1));
        assert_eq!((letter.kind(), letter.status()), ("api", Some(400)));
        assert!(letter.error().contains("has no channel (no_channel)"), "{letter}");
        assert!(!letter.error().contains("jane"), "{letter}");
        assert!(setup.ran().is_empty());

        let key: String =
            sqlx::query_scalar("select arguments->'body'->>'$idempotency_key' from suprsend_outbox.dead")
                .fetch_one(&setup.pool)
                .await
                .unwrap();
        assert_eq!(setup.outbox.retry(&[id, 12345]).await.unwrap(), 1);
        assert_eq!(setup.outbox.retry_all().await.unwrap(), 0);
        setup.work_until(0).await;
        let sent = setup.hub.sent();
        assert_eq!((sent.len(), sent[0].key()), (1, Some(key.as_str())));
        assert!(setup.outbox.dead_letters(None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn what_was_sent_is_redacted_from_a_text_that_was_cut_or_put_on_one_line() {
    on_postgres(async |setup| {
        // The SDK shows 300 characters of a message.
        let recipients = [("jane\nsecret-street", ""), ("jane-secret-street", &*"x".repeat(289))];
        for (recipient, before) in recipients {
            let message = format!("{before} {recipient} is unknown");
            let body = serde_json::json!({"message": message, "error_code": "unknown"});
            setup.hub.inject(Fault::status(400).body(body).times(1)).unwrap();
            setup.trigger("order-placed", recipient).await;
            setup.work_until(0).await;
        }
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        let texts: Vec<_> = dead.iter().map(suprsend_outbox::DeadLetter::error).collect();
        assert!(texts[0].ends_with(": [redacted] is unknown (unknown)"), "{texts:?}");
        assert!(texts[1].ends_with("x [redacted]... (unknown)"), "{texts:?}");
    });
}

#[test]
fn retry_after_is_kept_by_the_queue() {
    on_postgres(async |setup| {
        let hour = Duration::from_secs(3600);
        setup.hub.inject(Fault::status(429).retry_after(hour).times(1)).unwrap();
        let id = setup.trigger("later", "jane").await;
        let scheduled = async || {
            sqlx::query_scalar::<_, bool>(
                "select coalesce(bool_and(run_at > now() + interval '3500 seconds' and attempts = 1), false)
                 from suprsend_outbox_queue._private_jobs where locked_at is null",
            )
            .fetch_one(&setup.pool)
            .await
            .unwrap()
        };
        Running::start(setup.worker()).until(scheduled).await;
        assert_eq!(setup.hub.requests().len(), 1);
        assert_eq!(setup.outbox.waiting().await.unwrap(), 1, "{id}");
    });
}

#[test]
fn one_429_pauses_all_messages_of_its_worker_and_no_other() {
    on_postgres(async |setup| {
        let minutes = Duration::from_secs(240);
        setup.hub.inject(Fault::status(429).retry_after(minutes).times(1)).unwrap();
        for number in 0..40 {
            setup.trigger(&format!("w{number}"), "jane").await;
        }
        let text = async |statement: &str| {
            sqlx::query_scalar::<_, String>(statement).fetch_all(&setup.pool).await.unwrap()
        };
        let paused = Running::start(setup.worker().concurrency(8).grace(Duration::from_millis(100)));
        while !setup.hub.faults().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let claimed =
            "select distinct locked_by from suprsend_outbox_queue._private_jobs where locked_by is not null";
        let workers = text(claimed).await;
        let [worker] = &workers[..] else { panic!("{workers:?}") };
        // Another one sends what the first one has not claimed.
        let others = format!(
            "select id::text from suprsend_outbox_queue._private_jobs where run_at <= now() and locked_by is distinct from '{worker}'"
        );
        Running::start(setup.worker()).until(async || text(&others).await.is_empty()).await;
        // It claimed eight at least, of which four were in flight at first: one was throttled, and three may have been sent.
        assert!(setup.ran().len() <= 40 - 8 + 3, "{} were sent", setup.ran().len());
        paused.stop().await;
    });
}

#[test]
fn a_wrong_api_key_kills_no_message() {
    on_postgres(async |setup| {
        setup.trigger("kept", "jane").await;
        let wrong = suprsend::Client::builder().base_url(setup.hub.url()).api_key("wrong").build().unwrap();
        let tried = async || !setup.hub.requests().is_empty();
        Running::start(setup.outbox.worker(wrong)).until(tried).await;
        assert_eq!(setup.outbox.waiting().await.unwrap(), 1);
        assert!(setup.outbox.dead_letters(None, 10).await.unwrap().is_empty());
        make_due(&setup).await;
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["kept"]);
    });
}

/// Commits many triggers in one message.
async fn trigger_many(setup: &Setup, workflows: &[&str]) {
    let trigger = |workflow: &&str| serde_json::json!({"workflow": workflow, "recipients": ["jane-secret"]});
    let body: Vec<_> = workflows.iter().map(trigger).collect();
    let many: TriggerWorkflows = serde_json::from_value(serde_json::json!({"body": body})).unwrap();
    let mut transaction = setup.pool.begin().await.unwrap();
    setup.outbox.enqueue(&mut transaction, many).await.unwrap();
    transaction.commit().await.unwrap();
}

#[test]
fn a_record_that_is_refused_for_now_is_sent_again_with_all_others_and_none_runs_twice() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::record(429).times(1)).unwrap();
        setup.hub.inject(Fault::record(503).times(1)).unwrap();
        trigger_many(&setup, &["one", "two", "three"]).await;
        let again = async || {
            make_due(&setup).await;
            setup.outbox.waiting().await.unwrap() == 0
        };
        Running::start(setup.worker()).until(again).await;
        let mut ran = setup.ran();
        ran.sort();
        assert_eq!(ran, ["one", "three", "two"]);
        assert!(setup.hub.requests().len() > 1);
        assert!(setup.outbox.dead_letters(None, 10).await.unwrap().is_empty());
    });
}

#[test]
fn a_record_that_is_refused_for_good_is_a_dead_letter_that_names_it() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::record(404).times(1)).unwrap();
        trigger_many(&setup, &["one", "two", "three"]).await;
        let mark: BulkUpdateMessages = serde_json::from_value(
            serde_json::json!({"body": {"messages": [{"message_id": "message-unknown", "action": "seen"}]}}),
        )
        .unwrap();
        let mut transaction = setup.pool.begin().await.unwrap();
        setup.outbox.enqueue(&mut transaction, mark).await.unwrap();
        transaction.commit().await.unwrap();
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["two", "three"]);
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        let described: Vec<_> =
            dead.iter().map(|letter| (letter.kind(), letter.status(), letter.error())).collect();
        let [triggers, marked] = described[..] else { panic!("{described:?}") };
        assert_eq!((triggers.0, triggers.1), ("not_found", Some(404)));
        assert!(triggers.2.starts_with("2 of 3 records were accepted; [0]: 404 "), "{triggers:?}");
        assert_eq!((marked.0, marked.1), ("not_found", Some(404)));
        assert!(marked.2.starts_with("0 of 1 records were accepted; [0]: 404 "), "{marked:?}");
        assert!(!marked.2.contains("message-unknown"), "{marked:?}");
    });
}

/// Makes messages due that wait for their next attempt.
async fn make_due(setup: &Setup) {
    let statement = "update suprsend_outbox_queue._private_jobs set run_at = now() where locked_at is null";
    sqlx::query(statement).execute(&setup.pool).await.unwrap();
}

/// Works with a client until a message waits for its next attempt, and returns whether an attempt of unknown outcome is noted and how many
/// attempts are counted.
async fn fail_once(setup: &Setup, client: suprsend::Client) -> (bool, i16) {
    let failed = async || {
        assert_eq!(setup.outbox.waiting().await.unwrap(), 1, "it was given up");
        let waits = "select count(*) from suprsend_outbox_queue._private_jobs
            where last_error is not null and locked_at is null and run_at > now()";
        sqlx::query_scalar::<_, i64>(waits).fetch_one(&setup.pool).await.unwrap() > 0
    };
    Running::start(setup.outbox.worker(client).max_attempts(1)).until(failed).await;
    let noted = "select first_attempt_at is not null, attempts from suprsend_outbox.messages, suprsend_outbox_queue._private_jobs";
    sqlx::query_as(noted).fetch_one(&setup.pool).await.unwrap()
}

#[test]
fn attempts_that_were_surely_not_processed_do_not_make_a_message_uncertain() {
    on_postgres(async |setup| {
        let client = suprsend::Client::builder().base_url(setup.hub.url()).no_retries();
        setup.trigger("kept", "jane").await;
        // Neither an attempt of unknown outcome, nor one that counts.
        let wrong = client.clone().api_key("wrong").build().unwrap();
        assert_eq!(fail_once(&setup, wrong).await, (false, 0));
        setup.hub.inject(Fault::status(403)).unwrap();
        make_due(&setup).await;
        let right = client.api_key(setup.hub.key()).build().unwrap();
        assert_eq!(fail_once(&setup, right).await, (false, 0));
        // The first attempt may have been processed, though the last one was not.
        setup.hub.inject(Fault::lost().times(1)).unwrap();
        setup.hub.inject(Fault::status(401).times(1)).unwrap();
        make_due(&setup).await;
        assert_eq!(fail_once(&setup, setup.client.clone()).await, (true, 0));
        make_due(&setup).await;
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["kept"]);
    });
}

#[test]
fn a_message_that_fails_too_often_is_given_up() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::status(500).share(1.0)).unwrap();
        setup.trigger("broken", "jane").await;
        let client = suprsend::Client::builder().base_url(setup.hub.url()).api_key(setup.hub.key());
        let worker = setup.outbox.worker(client.no_retries().build().unwrap()).max_attempts(2);
        Running::start(worker).until(async || setup.outbox.waiting().await.unwrap() == 0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((dead[0].attempts(), dead[0].status()), (2, Some(500)), "{dead:?}");
    });
}

#[test]
fn what_may_have_been_sent_long_ago_is_sent_again_only_if_that_does_no_harm() {
    on_postgres(async |setup| {
        setup.trigger("uncertain", "jane").await;
        let mut transaction = setup.pool.begin().await.unwrap();
        let upsert = setup.client.users().upsert("jane").email("jane@example.com");
        setup.outbox.enqueue(&mut transaction, upsert).await.unwrap();
        transaction.commit().await.unwrap();
        sqlx::query("update suprsend_outbox.messages set first_attempt_at = now() - interval '2 days'")
            .execute(&setup.pool)
            .await
            .unwrap();
        setup.work_until(0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].kind()), (1, "uncertain"));
        assert!(setup.hub.profile("jane").is_some() && setup.ran().is_empty());
        // Somebody has looked, and decided.
        setup.outbox.retry_all().await.unwrap();
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["uncertain"]);
    });
}

#[test]
fn a_message_is_not_sent_after_the_time_in_which_its_key_is_recognized_even_if_it_waits_for_an_outage_to_end()
{
    on_postgres(async |setup| {
        setup.hub.inject(Fault::status(503).share(1.0)).unwrap();
        setup.trigger("kept", "jane").await;
        let soon = "update suprsend_outbox.messages set first_attempt_at = now() - interval '22:59:58'";
        sqlx::query(soon).execute(&setup.pool).await.unwrap();
        setup.work_until(0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].kind()), (1, "uncertain"));
        assert!(setup.ran().is_empty());
    });
}

#[test]
fn a_deletion_whose_response_was_lost_is_done() {
    on_postgres(async |setup| {
        let client = suprsend::Client::builder().base_url(setup.hub.url()).api_key(setup.hub.key());
        let once = client.no_retries().build().unwrap();
        for name in ["jane", "joe"] {
            setup.client.users().upsert(name).await.unwrap();
            setup.hub.inject(Fault::lost().operation("delete-user").times(1)).unwrap();
            let mut transaction = setup.pool.begin().await.unwrap();
            setup.outbox.enqueue(&mut transaction, setup.client.users().delete(name)).await.unwrap();
            transaction.commit().await.unwrap();
            if name == "jane" {
                // Within a call.
                setup.work_until(0).await;
            } else {
                let worker = setup.outbox.worker(once.clone());
                let lost = async || setup.hub.profile("joe").is_none();
                Running::start(worker).until(lost).await;
                make_due(&setup).await;
                setup.work_until(0).await;
            }
            assert!(setup.outbox.dead_letters(None, 10).await.unwrap().is_empty(), "{name}");
        }
        // Nobody has deleted this one before.
        let mut transaction = setup.pool.begin().await.unwrap();
        setup.outbox.enqueue(&mut transaction, setup.client.users().delete("nobody")).await.unwrap();
        transaction.commit().await.unwrap();
        setup.work_until(0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].kind()), (1, "not_found"));
    });
}

#[test]
fn any_failure_of_a_server_on_the_way_is_sent_again() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::status(522).times(1)).unwrap();
        setup.trigger("kept", "jane").await;
        let worker = setup.outbox.worker(setup.client.clone());
        Running::start(worker).until(async || !setup.hub.requests().is_empty()).await;
        make_due(&setup).await;
        setup.work_until(0).await;
        assert_eq!(setup.ran(), ["kept"]);
    });
}

#[test]
fn a_worker_that_was_taken_for_dead_sends_no_other_key_than_its_successor() {
    on_postgres(async |setup| {
        let insert = "insert into suprsend_outbox.messages (operation, arguments)
            values ('trigger-workflow-api', E' {\"body\": {\"workflow\": \"kept\", \"recipients\": [\"jane\"]}}\\n')";
        sqlx::query(insert).execute(&setup.pool).await.unwrap();
        // The successor has the message locked while the worker, which has read it, wants to store its key.
        let mut successor = setup.pool.begin().await.unwrap();
        sqlx::query("select from suprsend_outbox.messages for update")
            .execute(&mut *successor)
            .await
            .unwrap();
        let worker = Running::start(setup.worker());
        let waits = "select count(*) from pg_locks where not granted";
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&setup.pool).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let update = r#"update suprsend_outbox.messages set arguments = '{"body": {"workflow": "kept", "recipients": ["jane"],
            "$idempotency_key": "successor"}}'"#;
        sqlx::query(update).execute(&mut *successor).await.unwrap();
        successor.commit().await.unwrap();
        worker.until(async || setup.outbox.waiting().await.unwrap() == 0).await;
        let sent = setup.hub.sent();
        assert_eq!((sent.len(), sent[0].key()), (1, Some("successor")));
    });
}

#[test]
fn a_graceful_stop_finishes_what_is_in_flight() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::delay(Duration::from_millis(700)).share(1.0)).unwrap();
        for number in 0..30 {
            setup.trigger(&format!("w{number}"), "jane").await;
        }
        let first = async || {
            let claimed =
                "select count(*) from suprsend_outbox_queue._private_jobs where locked_at is not null";
            sqlx::query_scalar::<_, i64>(claimed).fetch_one(&setup.pool).await.unwrap() > 0
        };
        Running::start(setup.worker().concurrency(4)).until(first).await;
        // Nothing is in doubt: what was sent is gone, what was not is there, unclaimed and untried.
        let ran = u64::try_from(setup.ran().len()).unwrap();
        assert_eq!(setup.outbox.waiting().await.unwrap(), 30 - ran);
        let untouched = "select count(*) from suprsend_outbox_queue._private_jobs where locked_at is null and attempts = 0";
        let untouched: i64 = sqlx::query_scalar(untouched).fetch_one(&setup.pool).await.unwrap();
        assert_eq!(u64::try_from(untouched).unwrap(), 30 - ran);
        setup.hub.clear_faults();
        setup.work_until(0).await;
        assert_eq!(setup.hub.sent().len(), 30);
    });
}
