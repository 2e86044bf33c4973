//! What the README tells people to run is what the gate runs.

use std::{fs, path::Path};

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the top of the workspace");
    fs::read_to_string(root.join(file)).expect("a file of the workspace")
}

/// The lines of a page's `console` blocks that begin with a prompt.
fn commands(page: &str) -> Vec<&str> {
    let mut inside = false;
    let mut commands = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            commands.push(command);
        }
    }
    commands
}

#[test]
fn the_gate_runs_every_command_of_the_readme() {
    let (readme, gate) = (read("README.md"), read(".ci/run"));
    let commands = commands(&readme);
    assert!(commands.contains(&"cargo test"), "the README names the test command: {commands:?}");
    for command in commands {
        // The gate may do something with what a command prints.
        let runs = gate.lines().any(|line| {
            line.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        assert!(runs, "no line of .ci/run begins with `{command}`");
    }
}
