//! The program: what it finds, and what becomes of it if nobody reads what it says.

use std::process::Command;

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-soak"));
    // The reading end is dropped here.
    let output = command.args(["--seconds", "0"]).stdout(std::io::pipe().unwrap().1).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(0), true), "{output:?}");
}

/// Every check can fail: each finds what is done wrong on purpose.
#[test]
fn what_is_done_wrong_is_found() {
    for (sabotage, said) in [
        ("twice", "an input has several outcomes"),
        ("another", "an outcome is of another input"),
        ("untried", "inputs without an outcome, and the stream did not give up"),
        ("lost", "input 399 had a success, and is not stored"),
        ("unexplained", "the weather does not explain this: invalid input: distinct_id"),
        ("secret", "a text shows a secret or a person"),
        ("person", "a text shows a secret or a person"),
        ("long", "a text is 4096 bytes long"),
        ("memory", "memory grows: "),
    ] {
        if sabotage == "memory" && cfg!(not(target_os = "linux")) {
            continue;
        }
        let arguments = ["--seconds", "0", "--sabotage", sabotage];
        let output = Command::new(env!("CARGO_BIN_EXE_suprsend-soak")).args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{sabotage}: {errors}");
        assert!(errors.starts_with(said), "{sabotage}: {errors}");
        assert!(!errors.contains("that-nobody-may-see"), "{sabotage}");
    }
}
