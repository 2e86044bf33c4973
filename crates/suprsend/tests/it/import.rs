//! The example that imports a file, run as a user runs it.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use suprsend_mock::{Fault, Hub};
use tempfile::TempDir;

const KEY: &str = "import-key";

/// `cargo test` builds examples beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().nth(2).unwrap().join("examples");
    let program = folder.join("import").with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "build it first: cargo build -p suprsend --example import");
    program
}

fn hub() -> Hub {
    Hub::builder().key(KEY).recorded_requests(100_000).start_on_thread().unwrap()
}

fn import(hub: &Hub, input: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.arg(input).args(arguments).env("NO_PROXY", "127.0.0.1");
    command.env("SUPRSEND_API_KEY", KEY).env("SUPRSEND_BASE_URL", hub.url());
    command
}

fn run(hub: &Hub, input: &Path, arguments: &[&str]) -> Output {
    import(hub, input, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn assert_ends(output: &Output, code: i32, said: &str) {
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{errors}");
    assert!(out.contains(said) || errors.contains(said), "{out}{errors}");
    assert!(!errors.contains("panicked"));
}

fn write(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    file
}

/// Rows `user-1` and so on.
fn rows(count: usize) -> String {
    (1..=count).fold(String::new(), |mut text, number| {
        writeln!(text, "{}", json!({"distinct_id": format!("user-{number}"), "number": number})).unwrap();
        text
    })
}

fn beside(input: &Path, suffix: &str) -> PathBuf {
    let mut name = input.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn rejected(input: &Path) -> Vec<Value> {
    let text = fs::read_to_string(beside(input, ".rejected.ndjson")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn assert_imported(hub: &Hub, count: usize) {
    for number in 1..=count {
        let profile = hub.profile(&format!("user-{number}"));
        assert_eq!(profile.unwrap_or_default()["properties"]["number"], number, "user-{number}");
    }
}

#[test]
fn the_sample_files() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/import");
    let input = write(&folder, "sample.ndjson", fs::read(samples.join("sample.ndjson")).unwrap());
    assert_ends(&run(&hub, &input, &[]), 0, "12 rows imported");
    let aiko = hub.profile("user-3").unwrap();
    assert_eq!(aiko["$email"].as_array().unwrap().len(), 2);
    assert_eq!(aiko["properties"]["seats"], 3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");

    hub.reset();
    let input = write(&folder, "sample.csv", fs::read(samples.join("sample.csv")).unwrap());
    assert_ends(&run(&hub, &input, &[]), 0, "6 rows imported");
    let same = hub.profile("user-3").unwrap();
    assert_eq!(
        (&same["$email"][1]["value"], &same["properties"]),
        (&aiko["$email"][1]["value"], &aiko["properties"])
    );
}

#[test]
fn a_line_without_end_is_one_rejected_row() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let mut text = rows(1).into_bytes();
    text.extend(vec![b'['; 9 * 1024 * 1024]);
    text.extend_from_slice(b"\n{\"distinct_id\": \"user-2\", \"number\": 2}\n");
    let input = write(&folder, "users.ndjson", text);
    assert_ends(&run(&hub, &input, &[]), 1, "2 rows imported, 1 rejected");
    assert_imported(&hub, 2);
    let rejected = rejected(&input);
    assert_eq!(rejected[0]["row"], 2);
    assert!(rejected[0]["reason"].as_str().unwrap().starts_with("is longer than 8388608 bytes"));
    assert_eq!(rejected[0]["input"].as_str().unwrap().len(), 1024);
}

#[test]
fn rows_that_cannot_be_imported_are_told_with_their_reason() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let lines: [&[u8]; 9] = [
        b"\xEF\xBB\xBF{\"distinct_id\": \"user-1\", \"number\": 1}\r\n",
        b"{\"distinct_id\": \"user-2\", \"$email\": [\"no address\"]}\n",
        b"\n",
        b"{\"distinct_id\": \"user-3\", \"$email\n",
        b"[1, 2]\n",
        b"{\"number\": 5}\n",
        b"{\"distinct_id\": [], \"number\": 5}\n",
        b"{\"distinct_id\": \"\xFF\"}\n",
        b"{\"distinct_id\": 7, \"number\": 7}",
    ];
    let input = write(&folder, "users.ndjson", lines.concat());
    hub.inject(Fault::status(422).body(json!({"message": "seven is unlucky"}))).unwrap();
    // One at a time, so that the fault is the first row's.
    assert_ends(&run(&hub, &input, &["--concurrency", "1"]), 1, "1 rows imported, 7 rejected: see ");
    let rejected = rejected(&input);
    let told: Vec<_> =
        rejected.iter().map(|row| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap())).collect();
    let expected = [
        (1, "the API answered 422 Unprocessable Entity: seven is unlucky"),
        (2, "invalid input: $email[0]"),
        (4, "is not JSON"),
        (5, "is JSON, but not an object"),
        (6, "has no distinct_id"),
        (7, "distinct_id is neither a string nor a number"),
        (8, "is not JSON"),
    ];
    for (row, reason) in expected {
        assert!(
            told.iter().any(|told| told.0 == row && told.1.contains(reason)),
            "{row} {reason} in {told:?}"
        );
    }
    assert_eq!(
        rejected.iter().find(|row| row["row"] == 2).unwrap()["input"]["$email"],
        json!(["no address"])
    );
    assert!(hub.profile("7").is_some());
    assert!(!beside(&input, ".checkpoint").exists());
}

#[test]
fn csv_rows_that_cannot_be_read() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let rows =
        "id,$email,number:json\nuser-1,a@example.com; b@example.com,1\nuser-2,\nuser-3,,{\nuser-4,,4\n";
    let input = write(&folder, "users.csv", rows);
    assert_ends(&run(&hub, &input, &[]), 2, "has no column distinct_id; --id names");
    assert_ends(&run(&hub, &input, &["--id", "id"]), 1, "2 rows imported, 2 rejected");
    assert_eq!(hub.profile("user-1").unwrap()["$email"].as_array().unwrap().len(), 2);
    assert_eq!(hub.profile("user-4").unwrap()["properties"], json!({"number": 4}));
    let mut rows: Vec<_> = rejected(&input).iter().map(|row| row["row"].as_u64().unwrap()).collect();
    rows.sort_unstable();
    assert_eq!(rows, [2, 3]);
}

#[test]
fn a_dry_run_checks_and_sends_nothing() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(3) + "{\"distinct_id\": \"x\", \"$email\": [\"?\"]}\n");
    let output = run(&hub, &input, &["--dry-run"]);
    assert_ends(&output, 1, "3 rows can be imported, 1 cannot; nothing was sent");
    assert!(text(&output.stdout).contains("row 4: invalid input: $email[0]"));
    assert!(hub.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// So many rows of an import that [`begin`] starts are answered at once, and half of them are noted before it returns. The others
/// take half a second each, so that the import is far from its end then, however slow the machine.
const QUICK: u32 = 100;

/// Starts an import that takes a while, and returns once it is under way and has noted something.
fn begin(hub: &Hub, input: &Path) -> std::process::Child {
    hub.inject(Fault::delay(Duration::ZERO).times(QUICK)).unwrap();
    hub.inject(Fault::delay(Duration::from_millis(500)).share(1.0)).unwrap();
    let mut command = import(hub, input, &["--concurrency", "4"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let checkpoint = beside(input, ".checkpoint");
    let noted = || {
        let text = fs::read(&checkpoint).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["imported"].as_u64()
    };
    while noted().is_none_or(|imported| imported < u64::from(QUICK / 2)) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it noted anything");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    const COUNT: usize = 1000;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(COUNT));
    let mut child = begin(&hub, &input);
    child.kill().unwrap();
    child.wait().unwrap();
    hub.clear_faults();
    let before = hub.requests().len();
    assert!(before < COUNT, "it was killed too late to show anything");

    let output = run(&hub, &input, &[]);
    assert_ends(&output, 1, "1000 rows imported, 1 rejected");
    assert_ends(&output, 1, "going on: ");
    assert_imported(&hub, COUNT);
    // What was noted is not sent again. The hub may have noticed the last requests of the first run after they were counted.
    assert!(hub.requests().len() - before < COUNT, "{before}");
    assert_eq!(rejected(&input).len(), 1, "and the rejected row is told once");
}

#[cfg(unix)]
#[test]
fn an_interrupted_import_finishes_what_is_in_flight() {
    const COUNT: usize = 1000;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(COUNT));
    let child = begin(&hub, &input);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_ends(&output, 130, "run the same command again to go on");
    let (before, errors) = (hub.requests().len(), text(&output.stderr));
    hub.clear_faults();
    // Any number up to the concurrency: some may just have ended.
    assert!(errors.contains(" calls in flight; Ctrl-C again drops them"), "{errors}");
    // All that was sent has an outcome: nothing is sent again.
    assert_ends(&run(&hub, &input, &["--concurrency", "16"]), 0, "1000 rows imported");
    assert_eq!(hub.requests().len(), COUNT, "{before} before");
    assert_imported(&hub, COUNT);
}

#[test]
fn a_changed_file_is_not_continued() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(1000));
    let mut child = begin(&hub, &input);
    child.kill().unwrap();
    child.wait().unwrap();
    // Another hub, since the first one may only notice now what was sent to it last.
    let hub = self::hub();
    fs::write(&input, rows(10)).unwrap();
    assert_ends(&run(&hub, &input, &[]), 2, "has changed since");
    assert!(hub.requests().is_empty());
    assert_ends(&run(&hub, &input, &["--restart"]), 0, "10 rows imported");
    assert_imported(&hub, 10);
}

#[test]
fn a_key_that_is_not_accepted_ends_it_and_rejects_no_row() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(100));
    let output = import(&hub, &input, &[]).env("SUPRSEND_API_KEY", "another").output().unwrap();
    assert_ends(&output, 2, "the API key is not accepted");
    assert!(hub.requests().len() <= 4, "{}", hub.requests().len());
    assert!(rejected(&input).is_empty());
    assert_ends(&run(&hub, &input, &[]), 0, "100 rows imported");
    assert_imported(&hub, 100);
}

#[test]
fn a_file_that_is_not_there() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    assert_ends(&run(&hub, &folder.path().join("users.ndjson"), &[]), 2, "cannot open");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
