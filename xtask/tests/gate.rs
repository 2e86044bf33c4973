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

/// A fuzz target that is in no list is never run.
#[test]
fn every_fuzz_target_is_run_weekly_and_has_inputs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the top of the workspace");
    let names = |text: &str| -> Vec<String> {
        let mut names: Vec<_> = text.split([',', '\n']).map(|name| name.trim().to_owned()).collect();
        names.sort_unstable();
        names
    };
    let manifest = read("fuzz/Cargo.toml");
    let lines: Vec<_> = manifest.lines().collect();
    let binaries = lines.windows(2).filter(|two| two[0] == "[[bin]]");
    let targets: Vec<_> = binaries.filter_map(|two| two[1].strip_prefix("name = ")).collect();
    let targets = names(&targets.join(",").replace('"', ""));
    assert!(targets.len() >= 6, "{targets:?}");
    let workflow = read(".github/workflows/fuzz.yml");
    let matrix =
        workflow.split("target: [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    assert_eq!(names(matrix), targets);
    for target in &targets {
        assert!(root.join("fuzz/fuzz_targets").join(target).with_extension("rs").is_file(), "{target}");
        let inputs = fs::read_dir(root.join("fuzz/corpus").join(target)).map(Iterator::count);
        assert!(inputs.is_ok_and(|count| count > 2), "{target}");
    }
    let table = read("fuzz/README.md");
    assert!(targets.iter().all(|target| table.contains(&format!("`{target}`"))), "{targets:?}");
}
