//! The example of the guide on a nightly sync.

#[allow(dead_code, reason = "its `main` runs as a program")]
#[path = "../examples/nightly_sync.rs"]
mod nightly_sync;

use std::time::Duration;

use nightly_sync::{Row, Table, sync};
use suprsend::{Client, RetryPolicy};
use suprsend_mock::{Fault, Hub};

const PATIENCE: Duration = Duration::from_secs(60);

fn client(hub: &Hub) -> Client {
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().retry(policy).build().unwrap()
}

/// Rows of which ten each changed at the same time.
fn table(rows: u64) -> Table {
    let row = |number: u64| Row {
        position: (number / 10, format!("user-{number:04}")),
        email: format!("user-{number}@example.com"),
    };
    // Not in the order in which they changed.
    Table { rows: (0..rows).rev().map(row).collect(), breaks_at: None }
}

#[tokio::test]
async fn a_night_sends_what_changed_since_the_last() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let mut table = table(300);
    // Never accepted, so it is skipped and does not hold up the checkpoint.
    table.rows[5].email = "no address".into();

    let first = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!((first.succeeded, first.failed), (299, 1));
    assert!(hub.profile("user-0299").is_some() && hub.profile("user-0294").is_none());

    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.finished(), 0);

    table.rows[9].position.0 = 1_000;
    let third = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(third.succeeded, 1);
}

#[tokio::test]
async fn a_run_resumes_where_the_table_broke() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let mut table = table(300);
    table.breaks_at = Some((15, "user-0155".to_owned()));

    let error = sync(&client, &table, &file, PATIENCE).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection broke");
    assert_eq!(hub.requests().len(), 155);

    table.breaks_at = None;
    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 145);
}

/// The key and the workspace concern all rows, so none counts as done.
#[tokio::test]
async fn a_revoked_key_ends_the_run_and_loses_no_row() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let table = table(300);

    let revoked = client.with_api_key("revoked").unwrap();
    let first = sync(&revoked, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(first.succeeded, 0);
    assert!(first.failed > 0 && first.failed < 300, "{first}");
    assert!(!file.exists());

    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 300);
}

#[tokio::test]
async fn an_outage_ends_the_run_and_loses_no_row() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let table = table(300);

    hub.inject(Fault::status(503).share(1.0)).unwrap();
    let first = sync(&client, &table, &file, Duration::ZERO).await.unwrap();
    assert_eq!(first.succeeded, 0);
    assert!(first.failed > 0 && first.failed < 300, "{first}");

    hub.clear_faults();
    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 300);
}
