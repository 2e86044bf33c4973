//! A reader that has gone away makes no panic, and no other exit code.

use std::{io::PipeWriter, process::Command};

fn closed() -> PipeWriter {
    // The reading end is dropped here.
    std::io::pipe().unwrap().1
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_suprsend-conformance"));
        command.args(arguments);
        command
    };
    // Nothing can be installed in a file.
    let cannot = ["--tools", folder.path().to_str().unwrap()];
    let said = command(&cannot).output().unwrap();
    assert_eq!((said.status.code(), said.stderr.is_empty()), (Some(2), false));
    assert_eq!(command(&cannot).stdout(closed()).stderr(closed()).status().unwrap().code(), Some(2));
    assert_eq!(command(&["--help"]).stdout(closed()).status().unwrap().code(), Some(0));
}
