//! A reader that has gone away makes no panic, and no other exit code.

use std::process::Command;

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let run = |is_read: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-page"));
        command.args(["--chromium", "not-there"]);
        if !is_read {
            // The reading end is dropped here.
            command.stderr(std::io::pipe().unwrap().1);
        }
        command.output().unwrap()
    };
    let said = run(true);
    assert!(String::from_utf8(said.stderr).unwrap().starts_with("not-there is not there"));
    assert_eq!((said.status.code(), run(false).status.code()), (Some(2), Some(2)));
}
