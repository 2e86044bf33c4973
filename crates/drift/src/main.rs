//! `cargo xtask drift`: proof that the generated code is what the corrected document says.
//!
//! Facts are read from the document ([`document`], [`schema`]) and from the code: its source ([`code`]), its compiled types
//! ([`compiled`]), what those do with instances ([`behaviour`]), and what the client sends ([`wire`]). Comparisons are
//! functions from facts to differences; the ledger takes away those that are known. Nothing here uses the lowering that
//! it judges.

mod behaviour;
mod check;
mod code;
mod compare;
mod compiled;
mod document;
mod finding;
mod instances;
mod ledger;
mod output;
mod pointer;
mod project;
mod prove;
mod schema;
#[cfg(test)]
mod tests;
mod wire;

use std::{
    fs,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::Value;

use self::{
    behaviour::Effort,
    check::{Depth, Evidence, check},
    code::Code,
    document::Document,
    ledger::Ledger,
    wire::{Sdk, Wire},
};
use crate::project::{Input, root};

const SOURCE: &str = "src/generated.rs";
const LEDGER: &str = "drift.yaml";

/// How many instances of each schema are tried if nothing else is said.
const INSTANCES: usize = 300;

/// How many are tried for each mutant.
const OF_A_MUTANT: usize = 20;

/// Compare the generated code with the corrected document.
#[derive(Parser)]
#[command(name = "cargo xtask drift", bin_name = "cargo xtask drift")]
struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Print one JSON object instead of lines.
    #[arg(long)]
    json: bool,
    /// Enter in the ledger what generated code cannot carry, by rule, and take out what is no longer so.
    #[arg(long, conflicts_with_all = ["spec", "json"])]
    accept: bool,
    /// Prove that the check can fail: change everything that it looks at, one thing at a time, and see each change found.
    #[arg(long, conflicts_with_all = ["spec", "accept"])]
    prove: bool,
    /// How many valid instances of each schema are tried, and about as many invalid ones; fewer for each mutant of --prove.
    #[arg(long, value_name = "COUNT")]
    instances: Option<usize>,
    /// What the instances are made from; the same number gives the same ones.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Exit codes: 0 is no finding, 1 are findings, 2 is input that cannot be used.
fn main() -> ExitCode {
    run(&Arguments::parse()).unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::from(2)
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let document = arguments.input.open()?.correct()?;
    let ledger = ledger()?;
    let own = Own::read()?;
    let instances = arguments.instances.unwrap_or(if arguments.prove { OF_A_MUTANT } else { INSTANCES });
    let effort = Effort { instances, seed: arguments.seed };
    let report = check(&document, &own.evidence(&ledger), effort, Depth::Whole)?;
    if arguments.prove && report.findings.is_empty() {
        let matrix =
            prove::prove(&document, &own.source, &own.definitions, &report, &own.evidence(&ledger), effort)?;
        let mut out = io::stdout().lock();
        let written =
            if arguments.json { writeln!(out, "{:#}", matrix.json()) } else { matrix.lines(&mut out) };
        return said(written, matrix.is_proof());
    }
    if arguments.accept {
        let accepting = ledger.accepting(&report.differences);
        fs::write(root().join(LEDGER), accepting.to_text()).context("cannot write the ledger")?;
        eprintln!("wrote {LEDGER} with {} entries; review it", accepting.len());
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

/// The exit code. That a reader went away does not make it another one.
fn said(written: io::Result<()>, clean: bool) -> Result<ExitCode> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write"),
        _ if clean => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::FAILURE),
    }
}

/// The ledger as committed; none is an empty one.
fn ledger() -> Result<Ledger> {
    match fs::read_to_string(root().join(LEDGER)) {
        Ok(text) => Ledger::parse(&text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ledger::default()),
        Err(error) => Err(error).context(format!("cannot read {LEDGER}")),
    }
}

/// The facts of the workspace's own code.
struct Own {
    source: String,
    definitions: compiled::Definitions,
    code: Code,
    types: Value,
    unverified: Vec<finding::Difference>,
    wire: Wire,
}

impl Own {
    fn read() -> Result<Self> {
        let source =
            fs::read_to_string(root().join(SOURCE)).with_context(|| format!("cannot read {SOURCE}"))?;
        let file = syn::parse_file(&source).with_context(|| format!("{SOURCE} is no Rust"))?;
        let code = Code::read(&file, SOURCE);
        let definitions = compiled::definitions(compiled::own::schemas);
        let unverified = compiled::verify(&code, &definitions);
        let generated_from: Value =
            serde_json::from_str(suprsend_api::DOCUMENT).context("the compiled document")?;
        let generated_from = Document::read(&generated_from)?;
        let client = |base_url: &str| -> Box<dyn wire::Calls> { Box::new(Sdk::new(base_url)) };
        let wire = wire::record(&code, &generated_from, Sdk::BASE_URL, Sdk::KEY, &client)?;
        let types = code.schemas();
        Ok(Self { source, definitions, code, types, unverified, wire })
    }

    fn evidence<'e>(&'e self, ledger: &'e Ledger) -> Evidence<'e> {
        Evidence {
            code: &self.code,
            types: &self.types,
            unverified: &self.unverified,
            codecs: &codec,
            wire: &self.wire,
            ledger,
            clean: None,
        }
    }
}

fn codec(name: &str, text: &str) -> Option<Result<Value, String>> {
    Some(compiled::own::codec(&format!("types::{name}"))?(text))
}
