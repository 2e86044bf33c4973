//! The inputs of the fuzz targets, as tests: those in `fuzz/corpus/`, and for each target the documents in `corpus/`.

use std::{fs, path::Path};

#[test]
fn every_input_is_taken() {
    for (name, target) in crate::targets::TARGETS {
        let own = Path::new("../../fuzz/corpus").join(name);
        let mut count = 0;
        for folder in [own.as_path(), Path::new("corpus")] {
            // Generating from these is tested with their outcomes.
            if name == "generate" && folder == Path::new("corpus") {
                continue;
            }
            for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            {
                let path = entry.unwrap().path();
                target(&fs::read(&path).unwrap());
                count += usize::from(path.starts_with(&own));
            }
        }
        assert!(count > 2, "{name} has {count} inputs of its own");
    }
}
