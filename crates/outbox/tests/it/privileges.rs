//! Tests the privileges that the documentation states.

use suprsend_outbox::{
    Outbox,
    sqlx::{self, Executor, PgPool, postgres::PgPoolOptions},
};

use crate::setup::{Running, Setup, on_postgres};

/// Returns the statements of the documentation that grant privileges.
fn documented() -> String {
    let section = include_str!("../../src/lib.rs").split("//! # Privileges").nth(1).unwrap();
    let block = section.split("```sql").nth(1).unwrap().split("```").next().unwrap();
    block.lines().map(|line| line.trim_start_matches("//!")).collect::<Vec<_>>().join("\n")
}

async fn connect(setup: &Setup, role: &str) -> PgPool {
    let url = setup.url.replacen("//postgres@", &format!("//{role}@"), 1);
    PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap()
}

#[test]
fn the_documented_privileges_suffice() {
    on_postgres(async |setup| {
        let database: String =
            sqlx::query_scalar("select current_database()").fetch_one(&setup.pool).await.unwrap();
        // Roles belong to the whole server.
        let [owner, worker, producer] =
            ["owner", "worker", "producer"].map(|role| format!("outbox_{role}_{database}"));
        for role in [&owner, &worker, &producer] {
            setup.pool.execute(format!("create role {role} login").as_str()).await.unwrap();
        }
        let grant = format!(
            "grant create on database {database} to {owner}; drop schema suprsend_outbox, suprsend_outbox_queue cascade"
        );
        setup.pool.execute(grant.as_str()).await.unwrap();
        let as_owner = connect(&setup, &owner).await;
        Outbox::new(as_owner.clone()).migrate().await.unwrap();
        let grants = documented()
            .replace("outbox_owner", &owner)
            .replace("outbox_worker", &worker)
            .replace("outbox_producer", &producer);
        for statement in grants.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let by = if statement.contains(&worker) { &setup.pool } else { &as_owner };
            by.execute(statement).await.unwrap();
        }

        let as_producer = connect(&setup, &producer).await;
        let outbox = Outbox::new(as_producer.clone());
        let mut transaction = as_producer.begin().await.unwrap();
        let trigger = setup.client.workflows().trigger("by-rust").recipient("jane");
        outbox.enqueue(&mut transaction, trigger).ordered_by("jane").await.unwrap();
        let by_sql = r#"insert into suprsend_outbox.messages (operation, arguments, order_key)
            values ('trigger-workflow-api', '{"body": {"workflow": "by-sql", "recipients": ["jane"]}}', 'jane')"#;
        transaction.execute(by_sql).await.unwrap();
        transaction.commit().await.unwrap();
        let read = sqlx::query("select arguments from suprsend_outbox.messages").execute(&as_producer).await;
        assert!(read.unwrap_err().to_string().contains("permission denied"));

        let outbox = Outbox::new(connect(&setup, &worker).await);
        let left = async || outbox.waiting().await.unwrap() == 0;
        Running::start(outbox.worker(setup.client.clone())).until(left).await;
        assert_eq!(setup.ran(), ["by-rust", "by-sql"]);
    });
}
