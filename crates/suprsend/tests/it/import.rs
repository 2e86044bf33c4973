//! The example that imports a file, run as a user runs it.

use std::{
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
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
    let text = fs::read_to_string(beside(input, ".rejected.ndjson")).unwrap_or_default();
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
    assert_ends(&output, 1, "3 rows can be imported, 1 would be rejected; nothing was sent");
    assert!(text(&output.stdout).contains("row 4: invalid input: $email[0]"));
    assert!(hub.requests().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// So many rows of an import that [`begin`] starts are answered at once, and half of them are noted before it returns. The others
/// take half a second each, so that the import is far from its end then, however slow the machine.
const QUICK: u32 = 100;

/// Starts an import that takes a while, and returns once it is under way and has noted something.
fn begin(hub: &Hub, input: &Path, arguments: &[&str]) -> Child {
    hub.inject(Fault::delay(Duration::ZERO).times(QUICK)).unwrap();
    hub.inject(Fault::delay(Duration::from_millis(500)).share(1.0)).unwrap();
    let mut command = import(hub, input, arguments);
    let mut child =
        command.args(["--concurrency", "4"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let named = arguments.iter().skip_while(|argument| **argument != "--checkpoint").nth(1);
    let checkpoint = named.map_or_else(|| beside(input, ".checkpoint"), PathBuf::from);
    let noted = || {
        let text = fs::read(&checkpoint).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["checkpoint"]["imported"].as_u64()
    };
    while noted().is_none_or(|imported| imported < u64::from(QUICK / 2)) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it noted anything");
        thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    const COUNT: usize = 1000;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(COUNT));
    let mut child = begin(&hub, &input, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    hub.clear_faults();
    let before = hub.requests().len();
    assert!(before < COUNT, "it was killed too late to show anything");

    let output = run(&hub, &input, &[]);
    assert_ends(&output, 1, "1000 rows imported, 1 rejected");
    assert_ends(&output, 1, "resuming after ");
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
    let child = begin(&hub, &input, &[]);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert_ends(&output, 130, "run the same command again to resume");
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
    let mut child = begin(&hub, &input, &[]);
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
fn a_checkpoint_belongs_to_a_workspace() {
    let (hub, other, folder) = (hub(), hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(50));
    leave_both(&hub, &input);
    let files =
        || [".checkpoint", ".rejected.ndjson"].map(|suffix| fs::read(beside(&input, suffix)).unwrap());
    let before = (hub.requests().len(), files());
    let remedy = "or use --restart to begin with the first row";
    let another_key = import(&hub, &input, &[]).env("SUPRSEND_API_KEY", "another").output().unwrap();
    assert_ends(&another_key, 2, "belongs to an import with another API key");
    assert_ends(&another_key, 2, remedy);
    let elsewhere = run(&other, &input, &[]);
    assert_ends(&elsewhere, 2, &format!("belongs to an import into {}", hub.url()));
    assert_ends(&elsewhere, 2, remedy);
    for restart in [&[][..], &["--restart"]] {
        let rehearsal = import(&hub, &input, restart).env_remove("SUPRSEND_API_KEY").output().unwrap();
        assert_ends(&rehearsal, 2, "set SUPRSEND_API_KEY to resume it, or remove it");
    }
    assert_eq!((hub.requests().len(), files()), before);
    assert!(other.requests().is_empty());
    assert_ends(&run(&hub, &input, &[]), 1, "50 rows imported, 1 rejected");
}

#[test]
fn an_import_into_the_mock_server_leaves_no_checkpoint() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.csv", "distinct_id,number:json\nuser-1,1\nuser-2,2\n\"");
    let rehearsal = import(&hub, &input, &[]).env_remove("SUPRSEND_API_KEY").output().unwrap();
    assert_ends(&rehearsal, 2, "2 rows imported");
    assert!(!beside(&input, ".checkpoint").exists());
    assert_ends(&rehearsal, 2, "the next run begins with the first row");
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

// --- Nothing is guessed. ---

/// The reasons of the rejected rows, by their rows.
fn reasons(input: &Path) -> Vec<(u64, String)> {
    let told = |row: &Value| (row["row"].as_u64().unwrap(), row["reason"].as_str().unwrap().to_owned());
    let mut reasons: Vec<_> = rejected(input).iter().map(told).collect();
    reasons.sort_unstable();
    reasons
}

/// A number may be an id, as the integer that is written.
#[test]
fn f24_number_as_id() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let lines = [
        r#"{"distinct_id":12345678901234567890123,"plan":"x"}"#,
        r#"{"distinct_id":9007199254740993,"plan":"x"}"#,
        r#"{"distinct_id":1e3,"plan":"x"}"#,
        r#"{"distinct_id":12.0,"plan":"x"}"#,
        r#"{"distinct_id":-0,"plan":"x"}"#,
        r#"{"distinct_id":12345678901234567890124,"plan":"y"}"#,
        r#"{"distinct_id":-17}"#,
        r#"{"distinct_id":18446744073709551616}"#,
        r#"{"distinct_id":1E+2}"#,
        r#"{"distinct_id":true}"#,
    ];
    let input = write(&folder, "users.ndjson", lines.join("\n"));
    assert_ends(&run(&hub, &input, &[]), 1, "5 rows imported, 5 rejected");
    for id in [
        "12345678901234567890123",
        "12345678901234567890124",
        "9007199254740993",
        "-17",
        "18446744073709551616",
    ] {
        assert!(hub.profile(id).is_some(), "{id}");
    }
    let reasons = reasons(&input);
    assert_eq!(reasons[0].1, "distinct_id is the number 1e3: an id is a string or an integer such as 12");
    assert_eq!(reasons.iter().map(|reason| reason.0).collect::<Vec<_>>(), [3, 4, 5, 9, 10]);
    // As it was written, so that it can be mended.
    assert!(
        fs::read_to_string(beside(&input, ".rejected.ndjson")).unwrap().contains(r#""distinct_id":12.0"#)
    );
}

#[test]
fn f24_numbers_in_properties_are_not_rounded() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let number =
        |id: &str, number: &str| format!(r#"{{"distinct_id":"{id}","deep":{{"list":[0,{number}]}}}}"#);
    let lines = [
        number("0", "12345678901234567890123"),
        number("1", "0.12345678901234567890"),
        number("2", "-123456789012345678901"),
        number("3", "1e-400"),
        number("4", "18446744073709551615"),
        number("5", "-9223372036854775808"),
        number("6", "0.1"),
        number("7", "1.50"),
        number("8", "1e3"),
        number("9", "0.30000000000000004"),
    ];
    let input = write(&folder, "users.ndjson", lines.join("\n"));
    assert_ends(&run(&hub, &input, &[]), 1, "6 rows imported, 4 rejected");
    let reasons = reasons(&input);
    assert_eq!(
        reasons[0].1,
        "deep.list[1] is a number that would be rounded to 1.2345678901234568e+22: write it as a string"
    );
    assert_eq!(reasons.iter().map(|reason| reason.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let stored = |id: &str| hub.profile(id).unwrap()["properties"]["deep"]["list"][1].clone();
    assert_eq!((stored("4"), stored("5")), (json!(u64::MAX), json!(i64::MIN)));
    assert_eq!(
        (stored("6"), stored("7"), stored("8"), stored("9")),
        (json!(0.1), json!(1.5), json!(1000.0), json!(0.300_000_000_000_000_04))
    );
    let cells =
        write(&folder, "users.csv", "distinct_id:json,a:json\n12.0,1\n7,12345678901234567890123\n8,1\n");
    assert_ends(&run(&hub, &cells, &[]), 1, "1 rows imported, 2 rejected");
}

#[test]
fn f23_duplicate_keys() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let lines = [
        r#"{"distinct_id":"u1","address":{"city":"A","city":"B"},"plan":"x"}"#,
        r#"{"distinct_id":"u2","distinct_id":"u3","plan":"z"}"#,
        r#"{"distinct_id":"u4","plan":"x","pl\u0061n":"y"}"#,
        r#"{"distinct_id":"u5","list":[{"a":1},{"a":1,"a":1}]}"#,
        r#"{"distinct_id":"u6","a":{"b":1},"b":{"a":1}}"#,
    ];
    let input = write(&folder, "users.ndjson", lines.join("\n"));
    assert_ends(&run(&hub, &input, &["--dry-run"]), 1, "row 2: distinct_id occurs twice");
    assert_ends(&run(&hub, &input, &[]), 1, "1 rows imported, 4 rejected");
    assert!(hub.profile("u6").is_some() && hub.requests().len() == 1);
    let reasons: Vec<_> = reasons(&input).into_iter().map(|reason| reason.1).collect();
    assert_eq!(
        reasons,
        [
            "address.city occurs twice",
            "distinct_id occurs twice",
            "plan occurs twice",
            "list[1].a occurs twice"
        ]
    );
}

#[test]
fn f22_two_columns_of_one_name() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    for (text, said) in [
        (
            "distinct_id,$email,$email,plan\nu1,a@example.com,b@example.com,pro\n",
            "columns 2 and 3 are both `$email`: write the addresses into one cell",
        ),
        (
            "distinct_id,plan, plan ,plan:json\nu1,a,b,\"\"\"c\"\"\"\n",
            "columns 2 and 3 are both `plan`: rename or remove one",
        ),
        ("distinct_id,plan,plan :json\nu1,a,1\n", "columns 2 and 3 are both `plan`"),
        ("distinct_id,a,distinct_id\nu1,a,u2\n", "columns 1 and 3 are both `distinct_id`"),
    ] {
        let input = write(&folder, "users.csv", text);
        assert_ends(&run(&hub, &input, &[]), 2, said);
        assert_ends(&run(&hub, &input, &["--dry-run"]), 2, said);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
    assert!(hub.requests().is_empty());
    // Spreadsheets write columns that nobody uses.
    let input = write(&folder, "users.csv", "distinct_id,plan,,\nu1,a,,\nu2,a,b,\n");
    assert_ends(&run(&hub, &input, &[]), 1, "1 rows imported, 1 rejected");
    assert_eq!(reasons(&input)[0].1, "has a cell in column 3, which has no name");
}

#[test]
fn f25_quote_not_closed() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    for (text, said, users) in [
        (
            "distinct_id,name\nu1,\"Ann\nu2,Bob\nu3,Eve\n",
            "cannot read row 1: the quote that opens in line 2, column 4, is not closed",
            0,
        ),
        (
            "distinct_id,$email,note\nu1,a@example.com,\"he said \nu2,b@example.com,ok\nu3,c@example.com,\"fine\"\nu4,d@example.com,ok\n",
            "cannot read row 1: the quote that opens in line 2, column 18, closes in line 4 in the middle of a cell",
            0,
        ),
        (
            "\u{feff}\"distinct_id\",\"name\"\r\n\"u1\",\"A \"\"B\"\"\r\nC\"\r\nu2,3\" pipe\r\nu3,\"open\r\n",
            "cannot read row 3: the quote that opens in line 5, column 4, is not closed",
            2,
        ),
        ("distinct_id,\"name\nu1,a\n", "the quote that opens in line 1, column 13, is not closed", 0),
    ] {
        hub.reset();
        let input = write(&folder, "users.csv", text);
        assert_ends(&run(&hub, &input, &["--dry-run"]), 2, said);
        assert_ends(&run(&hub, &input, &[]), 2, said);
        assert_eq!(hub.requests().len(), users, "{text}");
        let _ = fs::remove_file(beside(&input, ".checkpoint"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
    let endless = "distinct_id,name\nu1,\"".to_owned() + &"x".repeat(9 << 20) + "\"\n";
    let input = write(&folder, "users.csv", endless);
    assert_ends(&run(&hub, &input, &[]), 2, "is not closed within 8388608 bytes");
}

// --- Outages. ---

/// An address at which nobody listens.
const NOBODY: &str = "http://127.0.0.1:9";

#[test]
fn a_hub_that_is_down_rejects_no_row_and_says_why() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(100));
    let mut command = import(&hub, &input, &["--max-outage", "0"]);
    let output = command.env("SUPRSEND_BASE_URL", NOBODY).output().unwrap();
    assert_ends(&output, 3, "run the same command again to resume");
    let told = text(&output.stderr);
    assert!(told.contains("cannot connect to the API: "), "{told}");
    assert!(told.contains("efused"), "the whole cause: {told}");
    assert!(!told.contains("user-"), "{told}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was done");
    assert_ends(&run(&hub, &input, &[]), 0, "100 rows imported");
    assert_imported(&hub, 100);
}

/// Waits until the program has said this.
fn wait_for(child: &mut Child, said: &str) -> String {
    let mut all = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        all += &line.unwrap();
        if all.contains(said) {
            return all;
        }
        all.push('\n');
    }
    panic!("it did not say {said:?}: {all}")
}

#[test]
fn an_outage_is_told_at_once_and_waited_out() {
    const COUNT: usize = 500;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(COUNT));
    hub.inject(Fault::status(500).body(json!({"message": "out of order"})).share(1.0)).unwrap();
    let mut child = import(&hub, &input, &[]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for(
        &mut child,
        "waiting for the API, for up to 600 s: the API answered 500 Internal Server Error: out of order",
    );
    hub.clear_faults();
    assert_ends(&child.wait_with_output().unwrap(), 0, "500 rows imported");
    assert_imported(&hub, COUNT);
}

/// No row is lost, none is rejected, and the hub is not hammered meanwhile, in whatever way it is out of order.
#[test]
fn ten_seconds_of_an_outage_cost_no_row() {
    const COUNT: usize = 3000;
    const OUTAGE: Duration = Duration::from_secs(10);
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    let faults = [
        Fault::status(500),
        Fault::status(429).retry_after(Duration::ZERO),
        Fault::status(429).header("retry-after", past),
        Fault::reset(),
    ];
    thread::scope(|scope| {
        for fault in faults {
            scope.spawn(move || {
                let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
                let input = write(&folder, "users.ndjson", rows(COUNT));
                // In the middle of the import.
                hub.inject(Fault::delay(Duration::ZERO).times(500)).unwrap();
                hub.inject(fault.share(1.0)).unwrap();
                let mut child =
                    import(&hub, &input, &[]).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
                wait_for(&mut child, "waiting for the API");
                let before = hub.requests().len();
                thread::sleep(OUTAGE);
                let probes = hub.requests().len() - before;
                hub.clear_faults();
                assert_ends(&child.wait_with_output().unwrap(), 0, "3000 rows imported");
                assert_imported(&hub, COUNT);
                assert!(!beside(&input, ".rejected.ndjson").exists());
                // A probe at a time, with the back-off between them: at first two a second.
                assert!((1..40).contains(&probes), "{probes} requests while it was out of order");
            });
        }
    });
}

/// The acceptance of imports: whatever happens to the hub, every row is either stored or rejected in the end, and none is both.
#[test]
fn a_hub_that_goes_down_half_way_and_comes_back() {
    const COUNT: usize = 300;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let wrong = |number| number % 50 == 7;
    let lines = (1..=COUNT).fold(String::new(), |mut text, number| {
        let email = if wrong(number) { "no address" } else { "a@example.com" };
        let row = json!({"distinct_id": format!("user-{number}"), "number": number, "$email": [email]});
        writeln!(text, "{row}").unwrap();
        text
    });
    let input = write(&folder, "users.ndjson", lines);
    for fault in [
        Fault::reset(),
        Fault::lost(),
        Fault::status(503),
        Fault::status(429),
        Fault::status(500),
        Fault::truncated(),
    ] {
        // The first ones are answered as they should be.
        hub.inject(Fault::delay(Duration::ZERO).times(20)).unwrap();
        hub.inject(fault.share(1.0)).unwrap();
        assert_ends(&run(&hub, &input, &["--max-outage", "0"]), 3, "not done");
        hub.clear_faults();
    }
    let noted = fs::read_to_string(beside(&input, ".checkpoint")).unwrap();
    assert_ends(&run(&hub, &input, &[]), 1, "294 rows imported, 6 rejected");
    let rejected: Vec<_> = reasons(&input).into_iter().map(|reason| reason.0).collect();
    for number in 1..=COUNT {
        let stored = hub.profile(&format!("user-{number}")).is_some();
        let rejections = rejected.iter().filter(|row| **row == number as u64).count();
        assert_eq!(
            (stored, rejections),
            if wrong(number) { (false, 1) } else { (true, 0) },
            "row {number}, {noted}"
        );
    }
    assert!(!beside(&input, ".checkpoint").exists());
}

/// As records: few requests, and the same care.
#[test]
fn rows_are_ingested_many_at_a_time() {
    const COUNT: usize = 1500;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(
        &folder,
        "users.ndjson",
        rows(COUNT) + "{\"distinct_id\": \"x\", \"$email\": [\"no address\"]}\n",
    );
    let ingest = |arguments: &[&str]| {
        let arguments = [&["--ingest"], arguments].concat();
        import(&hub, &input, &arguments).env("SUPRSEND_WORKSPACE", "a-workspace-uid").output().unwrap()
    };
    // Without the workspace's UID nothing is sent, and no row is to blame.
    let mut without = import(&hub, &input, &["--ingest"]);
    let output = without.env_remove("SUPRSEND_WORKSPACE").output().unwrap();
    assert_ends(&output, 2, "SUPRSEND_WORKSPACE");
    assert_eq!(hub.requests().len(), 0);

    hub.inject(Fault::delay(Duration::ZERO).times(1)).unwrap();
    hub.inject(Fault::status(503).share(1.0)).unwrap();
    assert_ends(&ingest(&["--max-outage", "0", "--concurrency", "1"]), 3, "400 rows imported");
    hub.clear_faults();
    let before = hub.requests().len();
    assert_ends(&ingest(&[]), 1, "1500 rows imported, 1 rejected");
    assert_eq!(hub.requests().len() - before, 3, "1,100 rows, 400 in a request");
    assert_eq!(reasons(&input).len(), 1);
    assert_imported(&hub, COUNT);
    assert!(hub.profile("x").is_none());
}

#[test]
fn a_response_that_is_no_profile_rejects_no_row() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(100));
    // A captive portal answers 200 to every request.
    hub.inject(Fault::status(200).body("<html>please log in</html>").share(1.0)).unwrap();
    let output = run(&hub, &input, &["--concurrency", "1"]);
    assert_ends(
        &output,
        3,
        "20 consecutive rows failed, the last because the API answered 200 OK, but its response ",
    );
    assert!(text(&output.stderr).contains("row 1 is not done: the API answered 200 OK"), "{output:?}");
    assert_eq!(hub.requests().len(), 20);
    hub.clear_faults();
    assert_ends(&run(&hub, &input, &[]), 0, "100 rows imported");
    assert_imported(&hub, 100);
}

#[test]
fn rejected_rows_are_imported_once_they_are_mended() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(
        &folder,
        "users.ndjson",
        format!(
            "{}{{\"distinct_id\": \"user-3\", \"$email\": [\"?\"], \"number\": 3}}\n{{\"number\": 4}}\nnot JSON\n",
            rows(2)
        ),
    );
    assert_ends(&run(&hub, &input, &[]), 1, "2 rows imported, 3 rejected");
    let file = beside(&input, ".rejected.ndjson");
    let again = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.arg("--retry-rejected").arg(&file).args(arguments).env("NO_PROXY", "127.0.0.1");
        command.env("SUPRSEND_API_KEY", KEY).env("SUPRSEND_BASE_URL", hub.url()).output().unwrap()
    };
    assert_ends(&again(&["--dry-run"]), 1, "row 4: has no distinct_id");
    let mended = fs::read_to_string(&file).unwrap();
    let mended = mended
        .replace("[\"?\"]", "[\"a@example.com\"]")
        .replace(r#""not JSON""#, r#""{\"distinct_id\": \"user-5\"}""#);
    fs::write(&file, mended + "{}\n").unwrap();
    assert_ends(&again(&[]), 1, "2 rows imported, 2 rejected");
    assert_imported(&hub, 3);
    assert!(hub.profile("user-5").is_some());
    let reasons = reasons(&file);
    assert_eq!(reasons[0], (4, "has no distinct_id".to_owned()), "the row of the first file");
    assert_eq!(reasons[1], (4, "is not a rejected row: it has no `row` and `input`".to_owned()));
}

// --- Files. ---

#[cfg(unix)]
fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// An import that leaves a checkpoint and a rejected row behind.
fn leave_both(hub: &Hub, input: &Path) {
    hub.inject(Fault::delay(Duration::ZERO).times(5)).unwrap();
    hub.inject(Fault::status(503).share(1.0)).unwrap();
    assert_ends(&run(hub, input, &["--max-outage", "0"]), 3, "1 rejected");
    hub.clear_faults();
}

#[cfg(unix)]
#[test]
fn what_an_import_writes_is_for_those_who_may_read_the_input() {
    use std::os::unix::fs::PermissionsExt;
    for mode in [0o600, 0o400, 0o640] {
        let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
        let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(50));
        fs::set_permissions(&input, fs::Permissions::from_mode(mode)).unwrap();
        // Earlier content does not matter.
        fs::write(beside(&input, ".rejected.ndjson"), "old\n").unwrap();
        leave_both(&hub, &input);
        for suffix in [".checkpoint", ".rejected.ndjson"] {
            let written = fs::metadata(beside(&input, suffix)).unwrap().permissions().mode() & 0o777;
            // The owner writes them, nobody else may do more than with the input.
            assert_eq!((written | 0o600) & !(mode | 0o600), 0, "{suffix}: {written:o}, {mode:o}");
        }
        assert_eq!(rejected(&input).len(), 1);
        assert_ends(&run(&hub, &input, &[]), 1, "50 rows imported, 1 rejected");
        assert_eq!(rejected(&input).len(), 1);
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    use std::os::unix::fs::symlink;
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(50));
    let target = write(&folder, "target", "precious");
    let missing = folder.path().join("missing");
    for suffix in [".checkpoint", ".checkpoint.new", ".rejected.ndjson"] {
        let planted = beside(&input, suffix);
        for kind in 0..3 {
            match kind {
                0 => symlink(&target, &planted).unwrap(),
                1 => symlink(&missing, &planted).unwrap(),
                _ => fs::hard_link(&target, &planted).unwrap(),
            }
            assert_ends(&run(&hub, &input, &["--restart"]), 2, "is a link or not a regular file");
            fs::remove_file(planted.clone()).unwrap();
            assert_eq!(fs::read_to_string(&target).unwrap(), "precious", "{suffix}");
            assert!(!missing.exists(), "{suffix}");
        }
    }
    assert!(hub.requests().is_empty(), "it is found before anything is sent");
    // Planted before an import goes on.
    leave_both(&hub, &input);
    fs::remove_file(beside(&input, ".rejected.ndjson")).unwrap();
    symlink(&target, beside(&input, ".rejected.ndjson")).unwrap();
    assert_ends(&run(&hub, &input, &[]), 2, "is a link or not a regular file");
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
}

#[test]
fn an_input_that_cannot_be_read_leaves_nothing_behind() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = folder.path().join("users.ndjson");
    fs::create_dir(&input).unwrap();
    assert_ends(&run(&hub, &input, &[]), 2, "users.ndjson: it is a folder");
    for (name, text) in [("empty.csv", ""), ("names.csv", "a,b\n"), ("binary.csv", "\u{0}\u{1}")] {
        assert_ends(&run(&hub, &write(&folder, name, text), &[]), 2, name);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn two_imports_of_one_input_exclude_each_other() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(1000));
    let mut child = begin(&hub, &input, &[]);
    let before = fs::read(beside(&input, ".checkpoint")).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    let elsewhere = elsewhere.to_str().unwrap();
    for arguments in [&[][..], &["--restart"], &["--checkpoint", elsewhere, "--rejected", elsewhere]] {
        assert_ends(&run(&hub, &input, arguments), 2, "another import is using");
    }
    assert!(child.try_wait().unwrap().is_none() && !before.is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    hub.clear_faults();
    assert_ends(&run(&hub, &input, &[]), 0, "1000 rows imported");
}

/// Neither loses the rows that it rejected.
#[test]
fn two_imports_do_not_write_their_rejected_rows_to_one_file() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let shared = folder.path().join("shared");
    let arguments = ["--rejected", shared.to_str().unwrap()];
    let first = write(&folder, "first.ndjson", "{}\n".to_owned() + &rows(1000));
    let second = write(&folder, "second.ndjson", "{}\n");
    let mut child = begin(&hub, &first, &arguments);
    assert_ends(&run(&hub, &second, &arguments), 2, "another import is using");
    child.kill().unwrap();
    child.wait().unwrap();
    hub.clear_faults();
    assert_ends(&run(&hub, &first, &arguments), 1, "1000 rows imported, 1 rejected");
    assert_eq!(fs::read_to_string(&shared).unwrap().lines().count(), 1);
    assert_ends(&run(&hub, &second, &[]), 1, "0 rows imported, 1 rejected");
}

/// Neither forgets which of its rows are done.
#[test]
fn two_imports_do_not_write_their_checkpoints_to_one_file() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let shared = folder.path().join("shared");
    let arguments = ["--checkpoint", shared.to_str().unwrap()];
    let first = write(&folder, "first.ndjson", rows(1000));
    let second = write(&folder, "second.ndjson", rows(10));
    let mut child = begin(&hub, &first, &arguments);
    for restart in [&[][..], &["--restart"]] {
        assert_ends(&run(&hub, &second, &[&arguments[..], restart].concat()), 2, "another import is using");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    hub.clear_faults();
    assert_ends(&run(&hub, &first, &arguments), 0, "1000 rows imported");
    assert_ends(&run(&hub, &second, &arguments), 0, "10 rows imported");
    assert!(!shared.exists());
}

/// A tampered checkpoint is refused: it is never believed, and never a panic.
#[test]
fn a_tampered_checkpoint_is_refused() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "{}\n".to_owned() + &rows(50));
    leave_both(&hub, &input);
    let file = beside(&input, ".checkpoint");
    let good = fs::read(&file).unwrap();
    let before = hub.requests().len();
    let refused = |text: &[u8], what: &str| {
        fs::write(&file, text).unwrap();
        let output = run(&hub, &input, &[]);
        assert_ends(&output, 2, "or use --restart to begin with the first row");
        assert_eq!(hub.requests().len(), before, "{what}");
    };
    for text in [&b""[..], b"{}", b"[]", b"null", b"\xff", &good[..good.len() / 2]] {
        refused(text, &String::from_utf8_lossy(text));
    }
    for at in (0..good.len()).step_by(13) {
        let mut bad = good.clone();
        bad[at] = if bad[at] == b'1' { b'2' } else { b'1' };
        refused(&bad, &format!("byte {at}"));
    }
    // With the seal made anew.
    let sealed: Value = serde_json::from_slice(&good).unwrap();
    for (member, value) in [
        ("last", json!(u64::MAX)),
        ("last", json!(0)),
        ("last", json!(-1)),
        ("open", json!([0])),
        ("open", json!([u64::MAX])),
        ("imported", json!(u64::MAX)),
        ("rejected", json!(u64::MAX)),
        ("rejected", json!(1000)),
        ("input", json!({"bytes": u64::MAX, "modified": {"secs": u64::MAX, "nanos": 0}})),
        ("input", json!({"bytes": 1, "modified": {"secs": u64::MAX, "nanos": 4_294_967_295_u32}})),
        // As versions wrote it that did not have it.
        ("target", Value::Null),
        ("more", json!(1)),
    ] {
        let mut checkpoint = sealed["checkpoint"].clone();
        checkpoint[member] = value.clone();
        let text = checkpoint.to_string();
        let seal: [u8; 32] =
            sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &text)).into();
        let text = format!("{{\"checkpoint\":{text},\"sha256\":{}}}", json!(seal));
        refused(text.as_bytes(), &format!("{member} {value}"));
    }
    fs::write(&file, good).unwrap();
    assert_ends(&run(&hub, &input, &[]), 1, "50 rows imported, 1 rejected");
}

#[test]
fn an_input_that_is_cut_short_while_it_is_read_is_not_complete() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", rows(2000));
    let child = begin(&hub, &input, &[]);
    let length = fs::metadata(&input).unwrap().len();
    fs::File::options().write(true).open(&input).unwrap().set_len(length / 2).unwrap();
    hub.clear_faults();
    assert_ends(&child.wait_with_output().unwrap(), 2, "has changed while it was read");
    assert_ends(&run(&hub, &input, &[]), 2, "has changed since");
}

// --- Signals, pipes and terminals. ---

#[cfg(unix)]
#[test]
fn ctrl_c_is_heard_while_rows_are_rejected_without_a_call() {
    for line in ["x\n", "{\"distinct_id\":\"u\",\"$email\":[\"?\"]}\n"] {
        let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
        let input = write(&folder, "users.ndjson", line.repeat(1_000_000));
        let mut command = import(&hub, &input, &[]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // The checkpoint is written meanwhile.
        while !beside(&input, ".checkpoint").exists() {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it noted anything");
            thread::sleep(Duration::from_millis(10));
        }
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_ends(&output, 130, "run the same command again to resume");
        let lines = fs::read_to_string(beside(&input, ".rejected.ndjson")).unwrap().lines().count();
        assert!((1..1_000_000).contains(&lines), "{lines}");
        assert_ends(&output, 130, &format!("0 rows imported, {lines} rejected"));
        assert!(hub.requests().is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_ends_it_quietly() {
    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "x\n".repeat(100_000));
    for arguments in [&["--dry-run"][..], &[]] {
        let mut command = import(&hub, &input, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{output:?}");
        let told = text(&output.stderr);
        assert!(!told.contains("panicked") && !told.contains("import: "), "{told}");
    }
    // An import goes on to its end, with nobody to listen.
    let input = write(&folder, "good.ndjson", rows(20));
    let mut child = import(&hub, &input, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(141));
    assert_imported(&hub, 20);
    assert!(!beside(&input, ".checkpoint").exists());
}

/// A terminal of 80 columns shows every line of the bar in one line, and what is told stands on lines of its own.
#[cfg(target_os = "linux")]
#[test]
fn the_bar_fits_a_terminal_of_80_columns() {
    use std::io::Read;

    use rustix::{
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{Winsize, tcsetwinsize},
    };

    let (hub, folder) = (hub(), tempfile::tempdir().unwrap());
    let input = write(&folder, "users.ndjson", "x\n".repeat(1000) + &rows(100_000));
    hub.inject(Fault::status(200).body("no profile").times(10)).unwrap();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let terminal = fs::File::options().read(true).write(true).open(name).unwrap();
    let mut command = import(&hub, &input, &[]);
    command.stdout(Stdio::piped()).stderr(terminal.try_clone().unwrap()).env("TERM", "xterm-256color");
    let child = command.spawn().unwrap();
    // The program alone has the terminal now, so that its end is the end of what is read.
    drop((command, terminal));
    let mut master = fs::File::from(master);
    let (mut shown, mut part, mut interrupted) = (Vec::new(), [0; 4096], false);
    while let Ok(length @ 1..) = master.read(&mut part) {
        shown.extend_from_slice(&part[..length]);
        // Earlier, some of the ten may not have been counted yet.
        if !interrupted && String::from_utf8_lossy(&shown).contains("1000 rejected, 10 not done") {
            interrupted = true;
            interrupt(&child);
        }
    }
    assert_ends(&child.wait_with_output().unwrap(), 130, "10 not done, 1000 rejected");
    let shown = String::from_utf8(shown).unwrap();
    let lines: Vec<_> = regress::Regex::new("\x1b\\[[0-9;?]*[A-Za-z]|[\r\n]")
        .unwrap()
        .replace_all(&shown, "\n")
        .lines()
        .map(str::to_owned)
        .collect();
    let bars: Vec<_> = lines.iter().filter(|line| line.contains(" left ")).collect();
    assert!(bars.iter().any(|bar| bar.contains("1000 rejected, 10 not done")), "{lines:#?}");
    for bar in bars {
        assert!(bar.trim_end().chars().count() < 79, "{bar:?}");
    }
    let told = lines.iter().filter(|line| line.contains("finishing ")).collect::<Vec<_>>();
    assert!(told.len() == 1 && told[0].starts_with("finishing "), "{told:?}");
}

#[test]
fn the_help_says_what_the_exit_codes_mean() {
    let output = Command::new(program()).arg("--help").output().unwrap();
    let help = text(&output.stdout);
    assert!(help.contains("3    some rows are not done"), "{help}");
    // Neither input, or both.
    for arguments in [&[][..], &["a.ndjson", "--retry-rejected", "b.ndjson"]] {
        assert_eq!(Command::new(program()).args(arguments).output().unwrap().status.code(), Some(2));
    }
}
