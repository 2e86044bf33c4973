//! The gate runs every command of the README and builds nothing twice, and pages show on the web what they show in the documentation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the top of the workspace")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).expect("a file of the workspace")
}

/// The Markdown files of folders.
fn pages() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).expect("the folder of the crates");
    let crates = crates.map(|entry| entry.expect("an entry").path());
    let folders =
        [".", "docs", "conformance", "fuzz", "crates/suprsend/src/docs"].map(|name| root().join(name));
    let mut pages = Vec::new();
    for folder in folders.into_iter().chain(crates) {
        let files = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        pages.extend(files.filter(|file| file.extension().is_some_and(|extension| extension == "md")));
    }
    pages
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

/// Returns the packages that the workspace depends on by these edges, each with its features.
fn dependencies(edges: &str) -> BTreeSet<String> {
    let arguments =
        ["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "--format", "{p} [{f}]"];
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--edges", edges])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// Otherwise `cargo run` after `cargo test` builds most of the workspace once more, with fewer features.
#[test]
fn programs_have_the_dependencies_that_tests_have() {
    let (programs, tests) = (dependencies("normal,build"), dependencies("normal,build,dev"));
    assert!(programs.len() > 100 && tests.len() > programs.len());
    let more: Vec<_> = programs.difference(&tests).collect();
    assert!(
        more.is_empty(),
        "tests need other features; name them in crates/workspace-hack/Cargo.toml: {more:#?}"
    );
}

/// Otherwise the generator is built twice: for build scripts, and for the programs that generate.
#[test]
fn no_package_has_other_features_in_build_scripts() {
    let packages = dependencies("normal,build,dev");
    let mut forms: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in &packages {
        let (name, features) = package.rsplit_once(" [").expect("a package and its features");
        forms.entry(name).or_default().push(features);
    }
    forms.retain(|_, forms| forms.len() > 1);
    assert!(forms.is_empty(), "name these features in crates/workspace-hack/Cargo.toml: {forms:#?}");
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

/// rustdoc hides lines that begin with `# `; the repository's page and the package index do not.
#[test]
fn no_page_shows_lines_that_only_rustdoc_hides() {
    let pages = pages();
    assert!(pages.iter().any(|page| page.ends_with("docs/sending.md")), "{pages:?}");
    let mut hidden = Vec::new();
    for page in pages {
        let mut language = None;
        for (number, line) in fs::read_to_string(&page).expect("a page").lines().enumerate() {
            if let Some(info) = line.strip_prefix("```") {
                language = if language.is_some() { None } else { Some(info.to_owned()) };
            } else if language.as_deref().is_some_and(|language| language.starts_with("rust"))
                && (line.trim_start() == "#" || line.trim_start().starts_with("# "))
            {
                hidden.push(format!("{}:{}: {line}", page.display(), number + 1));
            }
        }
    }
    assert!(hidden.is_empty(), "{}", hidden.join("\n"));
}

/// The guide for users of the official SDKs has every method that `cargo xtask conformance` compares.
#[test]
fn every_compared_method_of_the_official_sdks_is_in_the_guide() {
    let guide = read("crates/suprsend/src/docs/other_sdks.md");
    let table = guide.split("# Method by method").nth(1).expect("the table");
    let calls: serde_json::Value = serde_json::from_str(&read("conformance/calls.json")).expect("JSON");
    let calls = calls.as_array().expect("a list");
    let methods = calls.iter().flat_map(|call| ["call", "edit", "bulk"].map(|member| call[member].as_str()));
    let mut methods: Vec<&str> = methods.flatten().collect();
    methods.sort_unstable();
    methods.dedup();
    assert!(methods.len() > 40, "{methods:?}");
    let absent: Vec<_> = methods
        .into_iter()
        .filter(|method| {
            // A row names the resource once: `tenants.upsert`, `get`.
            let (resource, name) = method.split_once('.').unwrap_or(("", method));
            !table.lines().any(|line| {
                let official = line.split('|').nth(1).unwrap_or_default();
                official.contains(resource)
                    && official.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
            })
        })
        .collect();
    assert!(absent.is_empty(), "not in the guide: {absent:?}");
}
