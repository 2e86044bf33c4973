//! Generates a module from every document of the corpus, and from random ones.
//!
//! `CORPUS_SEEDS` says from how many random documents; 12, unless it is set.

#[path = "../codegen/tests/random/mod.rs"]
mod random;

use std::{env, error::Error, fmt::Write, fs, path::Path};

use serde_json::Value;
use suprsend_codegen::{Settings, Source, generate, leniently};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../codegen/corpus");
    println!("cargo::rerun-if-changed=../codegen/tests/random");
    println!("cargo::rerun-if-env-changed=CORPUS_SEEDS");
    let out = env::var("OUT_DIR")?;
    let mut modules = String::new();
    for (name, document) in documents()? {
        let settings = Settings { runtime: "::suprsend_api".to_owned(), ..Settings::default() };
        // A document that is refused as a whole has no code. That it is to be refused is stated in its outcome.
        let Ok((generated, _)) = leniently(&document, |document| generate(document, &settings)) else {
            continue;
        };
        let file = Path::new(&out).join(format!("{name}.rs"));
        fs::write(&file, generated.rust)?;
        writeln!(modules, "pub mod {name} {{ include!({:?}); }}", file.display().to_string())?;
    }
    fs::write(Path::new(&out).join("documents.rs"), modules)?;
    Ok(())
}

fn documents() -> Result<Vec<(String, Value)>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for entry in fs::read_dir("../codegen/corpus")? {
        let path = entry?.path();
        if !path.extension().is_some_and(|extension| extension == "yaml" || extension == "json") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace(['-', '.'], "_");
        if let Ok(document) = Source::new(name.as_str(), fs::read_to_string(&path)?).parse() {
            documents.push((name, document));
        }
    }
    documents.sort_by(|(one, _), (other, _)| one.cmp(other));
    let seeds = env::var("CORPUS_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(12);
    documents.extend((0..seeds).map(|seed| (format!("random_{seed}"), random::document(seed))));
    Ok(documents)
}
