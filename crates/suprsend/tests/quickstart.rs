//! The example that the README begins with, run as a user runs it.
//!
//! `cargo test` builds the examples beside the tests. `cargo test --test quickstart` does not, and runs what was built last.
#![cfg(not(all(feature = "rustls-no-provider", not(any(feature = "rustls", feature = "native-tls")))))]

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;
use suprsend::Channel;
use suprsend_mock::Hub;

fn quickstart() -> Command {
    let tests = std::env::current_exe().unwrap();
    let folder: PathBuf = tests.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join("quickstart").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "build it first: cargo build -p suprsend --example quickstart");
    let mut command = Command::new(program);
    command.env_remove("SUPRSEND_API_KEY").env_remove("SUPRSEND_BASE_URL").env_remove("NO_PROXY");
    // What is on this machine is reached without a proxy, which would see the key; there is none behind this port.
    command.env("HTTP_PROXY", "http://127.0.0.1:9").env("ALL_PROXY", "http://127.0.0.1:9");
    command
}

#[track_caller]
fn assert_fails(output: &Output, said: &str) {
    let errors = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(output.stdout.is_empty());
    let lines: Vec<_> = errors.lines().filter(|line| line.starts_with("quickstart: ")).collect();
    assert_eq!(lines.len(), 1, "{errors}");
    assert!(lines[0].contains(said), "{errors}");
    assert!(!errors.contains("panicked"));
}

#[test]
fn without_a_key_it_uses_a_mock_server() {
    let output = quickstart().arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let profile: Value = serde_json::from_slice(&output.stdout).unwrap();
    for channel in Channel::ALL {
        assert!(!profile[channel.key()].as_array().unwrap().is_empty(), "{channel}");
    }
}

#[test]
fn it_shows_what_was_accepted_and_each_channel() {
    let output = quickstart().arg("welcome").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "user-123 is stored, with 9 channels");
    assert!(lines[1].starts_with("the trigger is accepted as ") && !lines[1].ends_with('?'), "{shown}");
    let mut messages: Vec<_> =
        lines[2..].iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    messages.sort();
    let mut expected =
        Channel::ALL.map(|channel| format!("{} delivered", channel.to_string().trim_start_matches('$')));
    expected.sort();
    assert_eq!(messages, expected);
}

/// It upserts what the document shows, but for the team of a Slack member, which is optional.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_it_talks_to_the_api() {
    let hub = Hub::start().await.unwrap();
    let mut command = quickstart();
    command.env("SUPRSEND_API_KEY", hub.key()).env("SUPRSEND_BASE_URL", hub.url());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let document: Value = serde_json::from_str(suprsend_api::DOCUMENT).unwrap();
    let body = &document["paths"]["/v1/user/{distinct_id}/"]["post"]["requestBody"];
    let client =
        suprsend::Client::builder().base_url(hub.url()).api_key(hub.key()).no_proxy().build().unwrap();
    let mut example = body["content"]["application/json"]["example"].clone();
    example["$slack"][0].as_object_mut().unwrap().remove("team_id").unwrap();
    client.users().upsert("example").with_json(example).await.unwrap();
    let (stored, example) = (hub.profile("user-123").unwrap(), hub.profile("example").unwrap());
    for channel in Channel::ALL {
        assert_eq!(stored[channel.key()], example[channel.key()]);
    }
    assert_eq!(stored["properties"], example["properties"]);
    hub.assert_triggered("order-shipped").times(1).to("user-123");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_bad_key_it_fails_in_one_line() {
    assert_fails(&quickstart().env("SUPRSEND_API_KEY", "").output().unwrap(), "SUPRSEND_API_KEY: is missing");
    let mut command = quickstart();
    command.env("SUPRSEND_API_KEY", "k").env("SUPRSEND_BASE_URL", "hub.suprsend.com");
    assert_fails(&command.output().unwrap(), "SUPRSEND_BASE_URL: is not a URL");

    let hub = Hub::start().await.unwrap();
    let mut command = quickstart();
    command.env("SUPRSEND_API_KEY", "wrong").env("SUPRSEND_BASE_URL", hub.url());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert_fails(&output, "the API answered 401 Unauthorized: the API key is not known");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let output = quickstart().stdout(closed()).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(141), "{errors}");
    assert!(!errors.contains("quickstart: ") && !errors.contains("panicked"), "{errors}");
    let output = quickstart().stderr(closed()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(141), true));
}

#[test]
fn without_a_network_it_fails_in_one_line() {
    let mut command = quickstart();
    command.env("SUPRSEND_API_KEY", "k").env("SUPRSEND_BASE_URL", "http://127.0.0.1:9");
    assert_fails(&command.output().unwrap(), "gave up after 3 attempts: cannot connect to the API");
}
