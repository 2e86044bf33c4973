//! Writes the tables through which the drift check reaches compiled code by name: of the workspace's own code and, for tests, of the
//! code of a document with many constructs and of upstream's document without corrections.

#[path = "src/table.rs"]
mod table;

use std::{env, error::Error, fs, path::Path};

use quote::{format_ident, quote};
use suprsend_codegen::{Project, Settings, generate};

/// The space keeps typify from recognising the derive: it would write an implementation for schemars 0.8 beside it.
const DERIVE: &str = ":: schemars :: JsonSchema";

/// A document with many constructs.
const SAMPLE: &str = "src/tests/sample.yaml";

/// Upstream's document without corrections, but that its placeholder `$<channel>`, of which no code is generated, is a name.
const UPSTREAM: &str = "src/tests/upstream.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for input in ["build.rs", "src/table.rs", "../../openapi.yaml", "../../overlays", SAMPLE, UPSTREAM] {
        println!("cargo::rerun-if-changed={input}");
    }
    let write = |name: &str, tokens| -> Result<(), Box<dyn Error>> {
        Ok(fs::write(out.join(name), prettyplease::unparse(&syn::parse2(tokens)?))?)
    };
    // Generated and not read from the snapshot, which may be older than the code that is compiled.
    let own = generate(&Project::open(Path::new("../.."))?.correct()?, &Settings::default())?.rust;
    let root = quote!(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let uses = quote!(
        use suprsend_api::{operations, types};
    );
    let document = quote!(suprsend_api::DOCUMENT);
    write(
        "compiled.rs",
        table::table(&syn::parse_file(&own)?, &quote!(suprsend_drift), &uses, &root, &document),
    )?;
    for (name, path) in [("sample", SAMPLE), ("upstream", UPSTREAM)] {
        let document = Project::from_files(Path::new("."), Path::new(path), &[])?.correct()?;
        let settings = Settings { derives: vec![DERIVE.to_owned()], runtime: "suprsend_api".to_owned() };
        let generated = generate(&document, &settings)?;
        fs::write(out.join(format!("{name}.rs")), &generated.rust)?;
        fs::write(out.join(format!("{name}.json")), &generated.document)?;
        let module = format_ident!("{name}");
        let uses = quote!(
            use super::#module::{operations, types};
        );
        let json = format!("/{name}.json");
        let document = quote!(include_str!(concat!(env!("OUT_DIR"), #json)));
        let file = syn::parse_file(&generated.rust)?;
        let table = table::table(&file, &quote!(crate), &uses, &quote!(""), &document);
        write(&format!("{name}_compiled.rs"), table)?;
    }
    Ok(())
}
