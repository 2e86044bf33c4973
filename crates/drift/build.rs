//! Writes the tables through which the drift check reaches compiled code by name: of the workspace's own code and, for tests, of the
//! code of a document with many constructs.

#[path = "src/table.rs"]
mod table;

use std::{env, error::Error, fs, path::Path};

use quote::quote;
use suprsend_codegen::{Project, Settings, generate};

/// The space keeps typify from recognising the derive: it would write an implementation for schemars 0.8 beside it.
const DERIVE: &str = ":: schemars :: JsonSchema";

/// A document with many constructs.
const SAMPLE: &str = "src/tests/sample.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    let out = env::var("OUT_DIR")?;
    let out = Path::new(&out);
    for input in ["build.rs", "src/table.rs", "../../openapi.yaml", "../../overlays", SAMPLE] {
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
    let document = Project::of_files(Path::new("."), Path::new(SAMPLE), &[])?.correct()?;
    let settings = Settings { derives: vec![DERIVE.to_owned()], runtime: "suprsend_api".to_owned() };
    let sample = generate(&document, &settings)?;
    fs::write(out.join("sample.rs"), &sample.rust)?;
    fs::write(out.join("sample.json"), &sample.document)?;
    let uses = quote!(
        use super::sample::{operations, types};
    );
    let document = quote!(include_str!(concat!(env!("OUT_DIR"), "/sample.json")));
    let table = table::table(&syn::parse_file(&sample.rust)?, &quote!(crate), &uses, &quote!(""), &document);
    write("sample_compiled.rs", table)
}
