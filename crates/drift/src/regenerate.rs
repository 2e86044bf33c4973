//! Checks a document other than the project's own: its code is generated, compiled in a separate project, and compared there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use quote::quote;
use serde_json::Value;
use suprsend_codegen::{Settings, generate};

use super::{SOURCE, table};

/// The dependencies of the generated code and the table.
const DEPENDENCIES: [&str; 5] = ["chrono", "regress", "schemars", "serde", "serde_json"];

/// Checks the document's own code; `arguments` are passed to the check that runs there.
pub(crate) fn run(root: &Path, document: &Value, arguments: &[String]) -> Result<ExitCode> {
    let folder = target()?.join("drift");
    write(root, &folder, document)?;
    let manifest = folder.join("Cargo.toml");
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["run", "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(target()?);
    // Variables for a test or a build script must not affect another build.
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command.args(["--", "--by-rule"]).args(arguments);
    let status = command.status().context("cannot run cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    // Cargo's own failure, such as code that does not compile.
    ensure!(code != Some(101), "the generated code does not compile, or the check failed; see above");
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Returns the target folder in which this program was built.
fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot find this program")?;
    let folder = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    Ok(folder.context("this program is in no target folder")?.to_owned())
}

/// Writes the project: the document, its code, and a program that checks it.
fn write(root: &Path, folder: &Path, document: &Value) -> Result<()> {
    // The space keeps typify from recognising the derive: otherwise it would add an implementation for schemars 0.8.
    let derives = vec![":: schemars :: JsonSchema".to_owned()];
    let settings = Settings { derives, runtime: "suprsend_api".to_owned() };
    let generated = generate(document, &settings)?;
    let uses = quote!(
        use super::generated::{operations, types};
    );
    let (home, text) = (quote!(env!("CARGO_MANIFEST_DIR")), quote!(include_str!("../openapi.yaml")));
    let file = syn::parse_file(&generated.rust).context("the generated code is no Rust")?;
    let table = table::table(&file, &quote!(suprsend_drift), &uses, &home, &text);
    let source = folder.join("src");
    for folder in [&source, &folder.join("overlays")] {
        fs::create_dir_all(folder).context("cannot write below target")?;
    }
    let put = |path: PathBuf, text: &str| {
        // An unchanged file keeps its modification time, so that it is not compiled again.
        if fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    put(folder.join("openapi.yaml"), &generated.document)?;
    put(folder.join(SOURCE), &generated.rust)?;
    put(source.join("table.rs"), &prettyplease::unparse(&syn::parse2(table)?))?;
    put(source.join("main.rs"), MAIN)?;
    put(folder.join("Cargo.toml"), &manifest(root)?)?;
    // The same versions as here.
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    let own = folder.join("Cargo.lock");
    if own.exists() { Ok(()) } else { put(own, &lock) }
}

const MAIN: &str = "\
// Types may nest as deep as a document at the limit.
#![recursion_limit = \"512\"]

#[allow(warnings)]
#[rustfmt::skip]
mod generated;
mod table;

fn main() -> std::process::ExitCode {
    suprsend_drift::main(&table::COMPILED)
}
";

fn manifest(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("Cargo.toml")).context("cannot read Cargo.toml")?;
    let version = |name: &str| {
        let prefix = format!("{name} = ");
        let line = text.lines().find(|line| line.starts_with(&prefix));
        line.map(str::to_owned).with_context(|| format!("Cargo.toml has no dependency `{name}`"))
    };
    let dependencies = DEPENDENCIES.into_iter().map(version).collect::<Result<Vec<_>>>()?.join("\n");
    let path = |folder: PathBuf| toml(&folder);
    let (api, drift) = (path(root.to_owned()), path(root.join("crates/drift")));
    Ok(format!(
        "[package]\nname = \"suprsend-drift-of-a-document\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\nsuprsend-api = {{ path = {api}, default-features = false, features = [\"document\", \"schemars\"] }}\n\
         suprsend-drift = {{ path = {drift} }}\n{dependencies}\n\n{}\n[workspace]\n",
        profiles(&text)
    ))
}

/// Returns the profiles of a manifest. With the same ones, the program shares what it depends on with the workspace.
fn profiles(manifest: &str) -> String {
    let mut is_inside = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_inside = line.starts_with("[profile.");
        }
        is_inside
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Formats a path as a TOML string.
fn toml(path: &Path) -> String {
    format!("{:?}", path.display().to_string())
}
