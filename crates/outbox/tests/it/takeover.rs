//! Tests taking over the messages of workers that died.

use std::time::Duration;

use suprsend_outbox::sqlx;

use crate::setup::{Running, Setup, on_postgres};

/// Makes it look as if a worker that is gone had claimed all messages at some time.
async fn claim_all(setup: &Setup, ago: &str) {
    for (statement, claimed) in [
        ("update suprsend_outbox_queue._private_jobs set attempts = 1, locked_by = 'gone', locked_at = now() - $1::interval", true),
        ("update suprsend_outbox_queue._private_job_queues set locked_by = 'gone', locked_at = now() - $1::interval
          where id in (select job_queue_id from suprsend_outbox_queue._private_jobs)", false),
    ] {
        let done = sqlx::query(statement).bind(ago).execute(&setup.pool).await.unwrap();
        assert!(!claimed || done.rows_affected() > 0);
    }
}

/// Runs a worker that takes over soon until a number of messages is left.
async fn take_over_until(setup: &Setup, left: u64) {
    let worker = setup.worker().take_over_after(Duration::from_secs(1));
    Running::start(worker).until(async || setup.outbox.waiting().await.unwrap() == left).await;
}

#[test]
fn a_message_that_something_holds_does_not_keep_the_others_from_being_taken_over() {
    on_postgres(async |setup| {
        // More than one statement frees.
        let mut transaction = setup.pool.begin().await.unwrap();
        for number in 0..450 {
            let trigger = setup.client.workflows().trigger("taken-over").recipient("jane");
            let message = setup.outbox.enqueue(&mut transaction, trigger);
            let message = if number % 3 == 0 { message.ordered_by(format!("key-{number}")) } else { message };
            message.await.unwrap();
        }
        transaction.commit().await.unwrap();
        claim_all(&setup, "1 minute").await;
        let mut holds = setup.pool.begin().await.unwrap();
        let first = "select from suprsend_outbox_queue._private_jobs where job_queue_id is null order by id limit 1 for update";
        sqlx::query(first).execute(&mut *holds).await.unwrap();
        take_over_until(&setup, 1).await;
        assert_eq!(setup.ran().len(), 449);
        holds.rollback().await.unwrap();
        take_over_until(&setup, 0).await;
        assert_eq!((setup.ran().len(), setup.hub.sent().len()), (450, 450));
        let queues =
            "select count(*) from suprsend_outbox_queue._private_job_queues where locked_by is not null";
        assert_eq!(sqlx::query_scalar::<_, i64>(queues).fetch_one(&setup.pool).await.unwrap(), 0);
    });
}

#[test]
fn an_attempt_of_a_dead_worker_may_have_been_delivered_and_is_not_counted() {
    on_postgres(async |setup| {
        setup.trigger("uncertain", "jane").await;
        claim_all(&setup, "2 days").await;
        take_over_until(&setup, 0).await;
        let dead = setup.outbox.dead_letters(None, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].kind(), dead[0].attempts()), (1, "uncertain", 1));
        assert!(setup.hub.requests().is_empty());
    });
}

#[test]
fn the_messages_of_a_worker_that_reports_are_its_own_however_long_they_take() {
    on_postgres(async |setup| {
        setup.trigger("its-own", "jane").await;
        claim_all(&setup, "1 hour").await;
        let reports = "select suprsend_outbox_queue.worker_heartbeat('gone'), suprsend_outbox_queue.worker_heartbeat('dead')";
        sqlx::query(reports).execute(&setup.pool).await.unwrap();
        sqlx::query("update suprsend_outbox_queue._private_workers set last_heartbeat_at = now() - interval '1 day' where id = 'dead'")
            .execute(&setup.pool)
            .await
            .unwrap();
        // The dead one is forgotten in the end of a sweep, so that there was one.
        let swept = async || {
            sqlx::query_scalar::<_, i64>(
                "select count(*) from suprsend_outbox_queue._private_workers where id = 'dead'",
            )
            .fetch_one(&setup.pool)
            .await
            .unwrap()
                == 0
        };
        Running::start(setup.worker().take_over_after(Duration::from_secs(3600))).until(swept).await;
        let owner = "select locked_by from suprsend_outbox_queue._private_jobs";
        assert_eq!(sqlx::query_scalar::<_, String>(owner).fetch_one(&setup.pool).await.unwrap(), "gone");
        assert!(setup.hub.requests().is_empty());
    });
}

#[test]
fn an_order_key_whose_message_is_gone_is_free_again() {
    on_postgres(async |setup| {
        let mut transaction = setup.pool.begin().await.unwrap();
        let trigger = setup.client.workflows().trigger("behind").recipient("jane");
        setup.outbox.enqueue(&mut transaction, trigger).ordered_by("jane").await.unwrap();
        transaction.commit().await.unwrap();
        // As a worker leaves it that was taken for dead, and completes a message that another one has taken over.
        claim_all(&setup, "1 minute").await;
        sqlx::query("update suprsend_outbox_queue._private_jobs set locked_by = null, locked_at = null")
            .execute(&setup.pool)
            .await
            .unwrap();
        take_over_until(&setup, 0).await;
        assert_eq!(setup.ran(), ["behind"]);
    });
}
