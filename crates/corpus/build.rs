//! Generates a module from every document of the corpus, and from random ones.
//!
//! `CORPUS_SEEDS` says from how many random documents, and of how many with unions; 12, unless it is set.
//!
//! Each module with unions has a function `again`, which reads a value as the type of a component and writes it again.

#[path = "../codegen/tests/it/random/mod.rs"]
mod random;

use std::{env, error::Error, fmt::Write, fs, path::Path};

use serde_json::Value;
use suprsend_codegen::{Pointer, Settings, Source, generate, generate_partial, rust_type};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../codegen/corpus");
    println!("cargo::rerun-if-changed=../codegen/tests/it/random");
    println!("cargo::rerun-if-env-changed=CORPUS_SEEDS");
    let out = env::var("OUT_DIR")?;
    let (mut modules, mut list) = (String::new(), String::new());
    for (name, document) in documents()? {
        let settings = Settings { runtime: "::suprsend_api".to_owned(), ..Settings::default() };
        // A document that is refused as a whole has no code. That it is to be refused is stated in its outcome.
        let Ok((generated, _)) = generate_partial(&document, |document| generate(document, &settings)) else {
            continue;
        };
        let file = Path::new(&out).join(format!("{name}.rs"));
        let mut rust = generated.rust;
        // Only unions are read by tests; it takes its time to compile.
        let is_read = name.starts_with("unions_");
        if is_read {
            rust += &again(&document, &rust);
        }
        fs::write(&file, rust)?;
        writeln!(modules, "pub mod {name} {{ include!({:?}); }}", file.display().to_string())?;
        if !is_read {
            continue;
        }
        writeln!(
            list,
            "Document {{ name: {name:?}, text: {:?}, again: {name}::again }},",
            document.to_string()
        )?;
    }
    writeln!(modules, "/// The documents with unions.\npub static DOCUMENTS: &[Document] = &[{list}];")?;
    fs::write(Path::new(&out).join("documents.rs"), modules)?;
    Ok(())
}

/// The function `again` for the types of the components.
fn again(document: &Value, rust: &str) -> String {
    let place = Pointer::from_text("/components/schemas");
    let mut arms = String::new();
    for name in document["components"]["schemas"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        let ty = rust_type(document, &place.child(name));
        let is_there = ["struct", "enum"]
            .iter()
            .any(|kind| [" ", "(", "{"].iter().any(|end| rust.contains(&format!("pub {kind} {ty}{end}"))));
        if is_there && !arms.contains(&format!("<types::{ty}>")) {
            let _ = writeln!(arms, "{name:?} => crate::again::<types::{ty}>(value),");
        }
    }
    let body = if arms.is_empty() {
        "let _ = (name, value); ::std::option::Option::None".to_owned()
    } else {
        format!(
            "::std::option::Option::Some(match name {{ {arms} _ => return ::std::option::Option::None }})"
        )
    };
    format!(
        "/// Reads a value as the type of a component, and writes it again.
         pub fn again(
            name: &str,
            value: ::serde_json::Value,
         ) -> ::std::option::Option<::serde_json::Result<::serde_json::Value>> {{ {body} }}"
    )
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
    documents
        .extend((0..seeds).map(|seed| (format!("unions_random_{seed}"), random::unions::document(seed))));
    Ok(documents)
}
