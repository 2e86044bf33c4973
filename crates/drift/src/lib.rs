//! `cargo xtask drift`: proves that the generated code matches the corrected document.
//!
//! Facts are read from the document ([`document`], [`schema`]) and from the code: its source ([`code`]), its compiled types and constants
//! ([`compiled`], [`specs`]), the behaviour of the types with instances ([`behaviour`]), and the requests of operations ([`wire`]).
//! Comparisons are functions from facts to differences; the ledger removes the known ones. The check uses nothing of the lowering that it
//! checks.
//!
//! # What is compared
//!
//! **Operations** are read from the source with `syn`. Every operation of the document must exist once, and no other. The check compares
//! the id, method, path template and its parameters; parameters with place, name, type and whether they are required; unexpected headers;
//! the media type and type of the body; the type into which every status is decoded; and the version that the client declares.
//!
//! **Types.** The source of the types is converted to JSON Schema, with notes on what derives cannot express: what is left out when
//! written, which checks are written by hand, which JSON type creates which variant, what is read side by side. `schemars` describes the
//! compiled types in the same way, and the two must agree; this shows that the source was read correctly and is the code that runs. Then
//! both sides are normalized (references followed, `allOf` joined, null removed, several types turned into alternatives) and walked in
//! parallel: names, required, type, format, null, listed values, alternatives, items, maps, unknown keys. A keyword that no Rust type
//! expresses (`minItems`) is a difference like any other. For a union with hand-written deserialization, the order of the alternatives and
//! the conditions on their values are read, and the conditions must match the document. `Debug` must leave out what the document marks as
//! sensitive.
//!
//! **Behaviour.** For every schema with a type, seeded instances are created by a library and by random changes to them, and a 2020-12
//! validator determines whether they are valid. A valid instance must be decoded, and the encoded result must be valid and equal, except
//! for what the comparison of the types has listed (an empty list that is left out). An invalid instance may pass only if the violated rule
//! is listed as unchecked. A property without any instance is a finding.
//!
//! **Wire.** Each operation is called once against a local recording server, with values that are hard to encode and with the headers that
//! the SDK adds, which a request of the SDK itself shows. Method, raw path, query, headers, media type, body and host are compared, and
//! also `servers` and `security`, which leave no trace in the source.
//!
//! `drift.yaml` lists the known and accepted differences: kind, place, a reason, and a hash of both sides. Kinds that code cannot avoid are
//! added by rule with `--accept`; all others are added by hand. Findings are differences without an entry, entries that no longer match
//! their place, and entries that are no longer needed. An entry refers to a place by a name that survives a reordering of parameters or
//! alternatives, and the renaming of a component.
//!
//! Nothing passes unnoticed. A form of source that the reader does not know is a finding; comments are not evidence; a member of the
//! document that neither the check nor the code reads is a finding, and so is a type that no operation leads to. The number of facts of
//! each class is printed.
//!
//! `--prove` shows that the check can fail. It changes one thing at a time, wherever possible: the document (thousands of places), the
//! source as a syntax tree, the schemas of the compiled types, the behaviour of the types with instances, the recorded requests, and each
//! entry of the ledger. Every one of these mutants must be found. Changes without a meaning (prose, examples, order, notation, names of
//! components) must not be found. The cheap comparisons are made first, for the smallest operation that the change can be seen in, and
//! instances are tried only if nothing was found. The operators know OpenAPI and the form of generated code, and no operation by name, so
//! operations that an overlay adds are covered. If a mutant survives, the check must be fixed.
//!
//! # As a library
//!
//! As a library, the check can be applied to a program with other generated code: this is how the code of another document is checked
//! ([`regenerate`]).

#![deny(clippy::print_stdout, clippy::print_stderr, reason = "a reader may go away: see suprsend_console")]

mod behaviour;
mod check;
mod code;
mod compare;
mod compiled;
mod document;
mod finding;
mod instances;
mod ledger;
mod making;
mod output;
mod pointer;
mod project;
mod prove;
mod regenerate;
mod schema;
mod specs;
mod table;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use suprsend_console::{tell, unless_closed};

pub use schemars::SchemaGenerator;
pub use serde_json::Value;
pub use suprsend_api::Client;

pub use self::compiled::{CallFuture, Calling, Codec, Compiled, round_trip};
use self::{
    behaviour::Effort,
    check::{Depth, Evidence, check},
    code::Code,
    document::Document,
    ledger::Ledger,
    project::Input,
    wire::Wire,
};

const SOURCE: &str = "src/generated.rs";
const LEDGER: &str = "drift.yaml";

/// The default number of instances of each schema.
const INSTANCES: usize = 300;

/// The number of instances before mutants are tried, and for each mutant.
const BEFORE_MUTANTS: usize = 80;
const OF_A_MUTANT: usize = 20;

/// Compare the generated code with the corrected document.
#[derive(Parser)]
#[command(name = "cargo xtask drift", bin_name = "cargo xtask drift")]
#[allow(clippy::struct_excessive_bools, reason = "options of a command line")]
struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Update the ledger by rule: add differences that generated code cannot avoid, and remove entries that no longer apply.
    #[arg(long, conflicts_with_all = ["spec", "json"])]
    accept: bool,
    /// Prove that the check can fail: change everything it looks at, one thing at a time, and see that each change is found.
    #[arg(long, conflicts_with_all = ["spec", "accept"])]
    prove: bool,
    /// Generate and compile the code of the document of --spec, and compare that instead of the project's code.
    ///
    /// Differences that generated code cannot avoid are accepted by rule, without the ledger.
    #[arg(long, requires = "spec")]
    regenerate: bool,
    /// Accept differences by rule instead of by the ledger.
    #[arg(long, hide = true, conflicts_with_all = ["accept", "prove"])]
    by_rule: bool,
    /// Number of valid instances of each schema, and about as many invalid ones. Mutants of --prove have fewer.
    #[arg(long, value_name = "COUNT")]
    instances: Option<usize>,
    /// Seed of the instances; the same seed gives the same instances.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Runs the program. Exit codes: 0 no findings, 1 findings, 2 unusable input.
pub fn main(compiled: &Compiled) -> ExitCode {
    run(compiled, &Arguments::parse()).unwrap_or_else(|error| {
        tell!("{error:#}");
        ExitCode::from(2)
    })
}

fn run(compiled: &Compiled, arguments: &Arguments) -> Result<ExitCode> {
    let root = Path::new(compiled.root);
    let document = arguments.input.open(root)?.correct()?;
    if arguments.regenerate {
        let mut rest: Vec<String> = vec!["--seed".to_owned(), arguments.seed.to_string()];
        rest.extend(
            arguments.instances.iter().flat_map(|count| ["--instances".to_owned(), count.to_string()]),
        );
        rest.extend(arguments.json.then(|| "--json".to_owned()));
        return regenerate::run(root, &document, &rest);
    }
    let own = Own::read(compiled, root)?;
    let instances = arguments.instances.unwrap_or(if arguments.prove { BEFORE_MUTANTS } else { INSTANCES });
    let effort = Effort { instances, seed: arguments.seed };
    let ledger = if arguments.by_rule { Ledger::default() } else { ledger(root)? };
    let mut report = check(&document, &own.evidence(&ledger), effort, Depth::Whole)?;
    if arguments.by_rule {
        let accepting = ledger.accepting(&report.differences);
        report = check(&document, &own.evidence(&accepting), effort, Depth::Whole)?;
    }
    if arguments.prove && report.findings.is_empty() {
        let effort = Effort { instances: instances.min(OF_A_MUTANT), ..effort };
        let matrix = prove::prove(&document, own.compiled(), &report, &own.evidence(&ledger), effort)?;
        let mut out = io::stdout().lock();
        let written =
            if arguments.json { writeln!(out, "{:#}", matrix.json()) } else { matrix.lines(&mut out) };
        return said(written, matrix.is_proof());
    }
    if arguments.accept {
        let accepting = ledger.accepting(&report.differences);
        fs::write(root.join(LEDGER), accepting.to_text()).context("cannot write the ledger")?;
        tell!("wrote {LEDGER} with {} entries; review it", accepting.len());
        let report = check(&document, &own.evidence(&accepting), effort, Depth::Whole)?;
        return said(output::lines(&report, &mut io::stdout().lock()), report.findings.is_empty());
    }
    let mut out = io::stdout().lock();
    let written = if arguments.json {
        writeln!(out, "{:#}", output::json(&report))
    } else {
        output::lines(&report, &mut out)
    };
    said(written, report.findings.is_empty())
}

/// Returns the exit code. It does not change if the reader has gone away.
fn said(written: io::Result<()>, clean: bool) -> Result<ExitCode> {
    unless_closed(written).context("cannot write")?;
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the committed ledger. A missing one counts as empty.
fn ledger(root: &Path) -> Result<Ledger> {
    match fs::read_to_string(root.join(LEDGER)) {
        Ok(text) => Ledger::parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
        Err(error) => Err(error).context(format!("cannot read {LEDGER}")),
    }
}

/// The facts of generated code.
struct Own<'c> {
    compiled: &'c Compiled,
    source: String,
    definitions: compiled::Definitions,
    constants: specs::Constants,
    code: Code,
    types: Value,
    rules: Value,
    unverified: Vec<finding::Difference>,
    wire: Wire,
    base_url: Option<String>,
}

impl<'c> Own<'c> {
    fn read(compiled: &'c Compiled, root: &Path) -> Result<Self> {
        let source =
            fs::read_to_string(root.join(SOURCE)).with_context(|| format!("cannot read {SOURCE}"))?;
        let mut own = Self::from_source(compiled, source, SOURCE)?;
        own.base_url = project::base_url(root);
        Ok(own)
    }

    fn from_source(compiled: &'c Compiled, source: String, name: &str) -> Result<Self> {
        let file = syn::parse_file(&source).with_context(|| format!("{name} is no Rust"))?;
        let code = Code::read(&file, name);
        let definitions = compiled::definitions(compiled.schemas);
        let mut unverified = compiled::verify(&code, &definitions);
        let constants = specs::constants(compiled.operations);
        unverified.extend(specs::verify(&code, &constants));
        let generated_from: Value =
            serde_json::from_str(compiled.document).context("the compiled document")?;
        let wire = wire::record(&code, &Document::read(&generated_from)?, compiled.call)?;
        let (types, rules) = (code.schemas(), code.rules());
        Ok(Self {
            compiled,
            source,
            definitions,
            constants,
            code,
            types,
            rules,
            unverified,
            wire,
            base_url: None,
        })
    }

    fn compiled(&self) -> prove::Own<'_> {
        prove::Own { source: &self.source, definitions: &self.definitions, constants: &self.constants }
    }

    fn evidence<'e>(&'e self, ledger: &'e Ledger) -> Evidence<'e> {
        Evidence {
            code: &self.code,
            types: &self.types,
            rules: &self.rules,
            base_url: self.base_url.as_deref(),
            unverified: &self.unverified,
            codecs: self,
            wire: &self.wire,
            ledger,
            clean: None,
        }
    }
}

impl behaviour::Codecs for Own<'_> {
    fn read(&self, name: &str, text: &str) -> Option<Result<Value, String>> {
        Some((self.compiled.codec)(name)?(text))
    }
}
