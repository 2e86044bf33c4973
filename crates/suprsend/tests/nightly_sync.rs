//! The example of the guide on a nightly sync.

#[allow(dead_code, reason = "its `main` runs as a program")]
#[path = "../examples/nightly_sync.rs"]
mod nightly_sync;

use std::{error::Error, time::Duration};

use nightly_sync::{MARGIN, Row, Table, sync};
use suprsend::{Client, RetryPolicy};
use suprsend_mock::{Fault, Hub};

const PATIENCE: Duration = Duration::from_secs(60);

fn client(hub: &Hub) -> Client {
    let policy = RetryPolicy::default().base_delay(Duration::from_millis(1));
    Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().retry(policy).build().unwrap()
}

/// The time between changes. Rows of two changes are within the margin before the last one.
const STEP: u64 = MARGIN / 2;

/// Rows of which ten each changed at the same time.
fn table(rows: u64) -> Table {
    let row = |number: u64| Row {
        position: (number / 10 * STEP, format!("user-{number:04}")),
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

    // The rows of the last change, and of the two before it, which are within the margin. The skipped one is among them.
    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!((second.succeeded, second.failed), (29, 1));

    table.rows[9].position.0 = 100 * STEP;
    let third = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!((third.succeeded, third.failed), (29, 1));
    let fourth = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(fourth.succeeded, 1);
}

/// PostgreSQL's `now()` is the start of the transaction.
#[tokio::test]
async fn a_row_that_is_committed_late_is_sent() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let mut table = table(300);
    sync(&client, &table, &file, PATIENCE).await.unwrap();

    let last = table.rows[0].position.0;
    table.rows.push(Row {
        position: (last - MARGIN, "user-late".to_owned()),
        email: "late@example.com".to_owned(),
    });
    // A run that ends early leaves the checkpoint where it was.
    table.breaks_at = Some((last - MARGIN, "user-0275".to_owned()));
    sync(&client, &table, &file, PATIENCE).await.unwrap_err();
    let checkpoint: (u64, String) = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(checkpoint, (last, "user-0299".to_owned()));

    table.breaks_at = None;
    sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert!(hub.profile("user-late").is_some());
}

#[tokio::test]
async fn a_run_resumes_where_the_table_broke() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let mut table = table(300);
    table.breaks_at = Some((15 * STEP, "user-0155".to_owned()));

    let error = sync(&client, &table, &file, PATIENCE).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection broke");
    assert_eq!(hub.requests().len(), 155);

    table.breaks_at = None;
    // 25 rows before it are within the margin.
    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 145 + 25);
}

/// The key and the workspace concern all rows, so none counts as done.
#[tokio::test]
async fn a_revoked_key_ends_the_run_and_loses_no_row() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let table = table(300);

    let revoked = client.with_api_key("revoked").unwrap();
    let error = sync(&revoked, &table, &file, PATIENCE).await.unwrap_err();
    assert_eq!(status(&*error), Some(401), "{error:#}");
    assert!(hub.requests().len() < 300);
    assert!(!file.exists());

    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 300);

    // A checkpoint that is there already stays where it is, although the table has new rows.
    let checkpoint = std::fs::read(&file).unwrap();
    let error = sync(&revoked, &self::table(600), &file, PATIENCE).await.unwrap_err();
    assert_eq!(status(&*error), Some(401), "{error:#}");
    assert_eq!(std::fs::read(&file).unwrap(), checkpoint);
}

/// The status of the API's response that a run failed with.
fn status(error: &(dyn Error + 'static)) -> Option<u16> {
    Some(error.downcast_ref::<suprsend::Error>()?.status()?.as_u16())
}

#[tokio::test]
async fn an_outage_ends_the_run_and_loses_no_row() {
    let (hub, folder) = (Hub::start().await.unwrap(), tempfile::tempdir().unwrap());
    let (client, file) = (client(&hub), folder.path().join("checkpoint"));
    let table = table(300);

    hub.inject(Fault::status(503).share(1.0)).unwrap();
    let error = sync(&client, &table, &file, Duration::ZERO).await.unwrap_err();
    assert_eq!(status(&*error), Some(503), "{error:#}");
    assert!(hub.requests().len() < 300);
    assert!(!file.exists());

    hub.clear_faults();
    let second = sync(&client, &table, &file, PATIENCE).await.unwrap();
    assert_eq!(second.succeeded, 300);
}
