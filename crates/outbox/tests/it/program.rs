//! The outbox as a program.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use suprsend_mock::Fault;

use crate::{
    setup::{Setup, on_postgres},
    support::signal,
};

/// The program, which knows nothing of the test's environment.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-outbox"));
    for name in
        ["DATABASE_URL", "SUPRSEND_API_KEY", "SUPRSEND_BASE_URL", "SUPRSEND_OUTBOX_LOG", "SUPRSEND_WORKSPACE"]
    {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(setup: &Setup, arguments: &[&str]) -> Output {
    program(arguments).env("DATABASE_URL", &setup.url).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Starts a worker.
fn work(setup: &Setup, arguments: &[&str]) -> Child {
    let mut command = program(&["work", "--take-over-after", "1"]);
    setup.server.attach(&mut command);
    command.args(arguments).env("DATABASE_URL", &setup.url);
    command.env("SUPRSEND_API_KEY", setup.hub.key()).env("SUPRSEND_BASE_URL", setup.hub.url());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn help_and_wrong_arguments() {
    let help = program(&["--help"]).output().unwrap();
    assert!(help.status.success());
    for word in ["migrate", "work", "dead", "retry", "Exit codes", "--database-url"] {
        assert!(text(&help.stdout).contains(word), "{word}");
    }
    assert_eq!(program(&["nonsense"]).output().unwrap().status.code(), Some(2));
    assert_eq!(program(&["retry"]).output().unwrap().status.code(), Some(2));
    let nowhere = program(&["dead"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1));
    let line: Value = serde_json::from_slice(&nowhere.stderr).unwrap();
    assert!(line["error"].as_str().unwrap().contains("DATABASE_URL"), "{line}");
}

#[test]
fn a_worker_needs_the_tables_and_an_api_key() {
    on_postgres(async |setup| {
        let no_key = run(&setup, &["work"]);
        assert_eq!(no_key.status.code(), Some(1));
        assert!(text(&no_key.stderr).contains("SUPRSEND_API_KEY"), "{}", text(&no_key.stderr));
        let no_tables = work(&setup, &["--schema", "absent"]).wait_with_output().unwrap();
        assert_eq!(no_tables.status.code(), Some(1));
        assert!(text(&no_tables.stderr).contains("suprsend-outbox migrate"), "{}", text(&no_tables.stderr));
        let migrated = run(&setup, &["migrate", "--schema", "absent"]);
        assert!(migrated.status.success(), "{}", text(&migrated.stderr));
        assert_eq!(text(&run(&setup, &["dead", "--schema", "absent"]).stdout), "");
    });
}

#[test]
fn dead_letters_are_printed_checked_and_enqueued_again() {
    on_postgres(async |setup| {
        assert_eq!(run(&setup, &["dead", "--check"]).status.code(), Some(0));
        setup.hub.inject(Fault::status(404).times(1)).unwrap();
        let id = setup.trigger("order-placed", "jane").await;
        setup.work_until(0).await;
        let dead = run(&setup, &["dead", "--json", "--check"]);
        assert_eq!(dead.status.code(), Some(3));
        let letter: Value = serde_json::from_slice(&dead.stdout).unwrap();
        assert_eq!((&letter["id"], &letter["status"]), (&id.into(), &404.into()));
        assert!(text(&run(&setup, &["dead"]).stdout).contains("trigger-workflow-api"));
        assert_eq!(run(&setup, &["retry", "987"]).status.code(), Some(3));
        let retried = run(&setup, &["retry", "--all"]);
        assert_eq!((retried.status.code(), text(&retried.stdout).as_str()), (Some(0), "1 enqueued again\n"));
        assert_eq!(setup.outbox.waiting().await.unwrap(), 1);
    });
}

/// A writing end that nobody reads.
fn closed() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    on_postgres(async |setup| {
        let quiet = |arguments: &[&str], code: i32| {
            let mut command = program(arguments);
            let output = command.env("DATABASE_URL", &setup.url).stdout(closed()).output().unwrap();
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
            assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
        };
        setup.hub.inject(Fault::status(404).times(3)).unwrap();
        for user in ["jane", "joe", "jim"] {
            setup.trigger("order-placed", user).await;
        }
        setup.work_until(0).await;
        quiet(&["dead"], 0);
        quiet(&["dead", "--json"], 0);
        // The exit code is for those who do not read.
        quiet(&["dead", "--check"], 3);
        quiet(&["retry", "--all"], 0);
        assert_eq!(setup.outbox.waiting().await.unwrap(), 3);

        // A worker goes on, whoever reads its log.
        let mut command = program(&["work", "--log-filter", "trace"]);
        command.env("DATABASE_URL", &setup.url).env("SUPRSEND_API_KEY", setup.hub.key());
        command.env("SUPRSEND_BASE_URL", setup.hub.url()).stdout(closed()).stderr(closed());
        let mut worker = command.spawn().unwrap();
        while setup.outbox.waiting().await.unwrap() > 0 {
            assert!(worker.try_wait().unwrap().is_none(), "it ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        signal(worker.id(), "TERM");
        assert_eq!(worker.wait().unwrap().code(), Some(0));
    });
}

#[test]
fn it_stops_on_sigterm_and_its_log_is_json_without_anything_personal() {
    on_postgres(async |setup| {
        let body = serde_json::json!({"message": "no user jane-secret"});
        setup.hub.inject(Fault::status(500).body(body.clone()).times(1)).unwrap();
        setup.hub.inject(Fault::status(422).body(body).operation("create-update-users")).unwrap();
        let mut worker = work(&setup, &["--log-filter", "trace,hyper=info,hyper_util=info"]);
        // Read meanwhile, so that the worker does not wait for a full pipe.
        let mut stderr = worker.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).map(|_| log).unwrap()
        });
        let upsert = setup.client.users().upsert("jane-secret").email("jane-secret@example.com");
        let mut transaction = setup.pool.begin().await.unwrap();
        setup.outbox.enqueue(&mut transaction, upsert).ordered_by("jane-secret").await.unwrap();
        transaction.commit().await.unwrap();
        setup.trigger("order-placed", "jane-secret").await;
        while setup.outbox.waiting().await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(signal(worker.id(), "TERM"));
        assert_eq!(worker.wait().unwrap().code(), Some(0));
        let log = log.join().unwrap();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let says = |text: &str| lines.iter().any(|line| line["message"] == text);
        assert!(
            says("sent") && says("failed for good") && says("stopping: messages in flight are finished"),
            "{log}"
        );
        assert!(!log.contains("jane"), "{log}");
        assert!(!log.contains(setup.hub.key()), "{log}");
    });
}

#[test]
fn a_killed_workers_message_is_taken_over_with_its_key() {
    on_postgres(async |setup| {
        setup.hub.inject(Fault::delay(Duration::from_secs(60)).times(1)).unwrap();
        setup.trigger("taken-over", "jane").await;
        let mut killed = work(&setup, &[]);
        let mut lines = BufReader::new(killed.stderr.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("working"));
        while !setup.hub.faults().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
        let worker = setup.worker().take_over_after(Duration::from_secs(1));
        let sent = async || setup.outbox.waiting().await.unwrap() == 0;
        crate::setup::Running::start(worker).until(sent).await;
        assert_eq!(setup.ran(), ["taken-over"]);
    });
}
