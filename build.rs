//! Generates the client from `openapi.yaml` and `overlays/`; without the feature `codegen` the committed snapshot is compiled.

#[cfg(feature = "codegen")]
fn main() -> std::io::Result<()> {
    use std::{env, fs, path::PathBuf};

    use suprsend_codegen::{Project, Settings, generate};

    let folder = |name| env::var_os(name).map(PathBuf::from).ok_or(std::io::ErrorKind::NotFound);
    let (root, out) = (folder("CARGO_MANIFEST_DIR")?, folder("OUT_DIR")?);
    println!("cargo::rerun-if-changed=openapi.yaml");
    println!("cargo::rerun-if-changed=overlays");
    let document = Project::open(&root).and_then(|project| project.correct());
    // The space keeps typify from recognising the derive: it would write an implementation for schemars 0.8 beside it.
    let derives =
        if cfg!(feature = "schemars") { vec![":: schemars :: JsonSchema".to_owned()] } else { vec![] };
    let settings = Settings { derives, ..Settings::default() };
    match document.and_then(|document| generate(&document, &settings)) {
        Ok(generated) => {
            fs::write(out.join("generated.rs"), generated.rust)?;
            fs::write(out.join("openapi.json"), generated.document)?;
        }
        Err(problems) => problems.iter().for_each(|problem| println!("cargo::error={problem}")),
    }
    Ok(())
}

#[cfg(not(feature = "codegen"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
