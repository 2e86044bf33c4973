//! From an OpenAPI 3.1 document and its overlays to a Rust client, with a record of what was lost on the way.
//!
//! ```text
//! document + overlays -> lint -> lower to 3.0.3 -> adapt -> openapiv3 -> progenitor -> patch -> Rust
//! ```
//!
//! - [`Project::correct`] applies the overlays; the result is what everything else is judged by.
//! - [`generate`] checks it, lowers it, fits it to progenitor and generates.
//!
//! - [`rules`] reads what the document says of requests and no Rust type carries, to be written as constant data.
//! - [`generate_partial`] leaves out the operations that cannot be generated.
//!
//! # Limits
//!
//! What is beyond one of these is a problem with its place, never a crash:
//!
//! - a text, be it a document or an overlay: 64 megabytes ([`TEXT`]), nested 128 levels deep;
//! - a document: two million values once YAML's aliases are written out and the overlays are applied, nested 256 levels deep;
//! - a schema: 256 others that it includes one by way of the other, by `$ref` and combinations.
//!
//! # The steps
//!
//! **Reading** loses nothing: a number is read exactly or refused, a key is the text that is written, and YAML's `<<` is merged as YAML 1.1
//! says. Limits are found before anything beyond them is read, so that the time is proportional to the size of the text.
//!
//! **Lint** comes in three rounds, since each relies on the one before: the JSON type of what is read, where references lead, and
//! what progenitor cannot do. A round reports everything it finds. The last one also
//! counts the combinations of alternatives that the generator would have to merge, which take all memory soon.
//!
//! **Lowering** walks the document by one table (`grammar.rs`) that knows where schemas are, so a
//! property named `const` is no keyword. It first gives every schema that something refers to a place as a component, since
//! everything else may move. Weakening is harmless except below `not` and inside `oneOf`, where it makes the whole stricter;
//! `lower/polarity.rs` finds those; a `oneOf` that it has to make `anyOf` carries `x-one-of`, by which it
//! still becomes an enum. A property test compares a 2020-12 validator on the schema
//! given with a draft 4 validator on the schema lowered.
//!
//! **Fitting** works around what progenitor does not do: it names every inline schema (title, else operation, role and status),
//! makes one type of several success or error bodies, leaves a status with another kind of body undeclared so that it
//! reaches the caller, keeps unknown keys where the document allows them, drops defaults (they would be sent whether set or not),
//! and widens enumerations whose values have no Rust names.
//!
//! Limits of texts, numbers and lists make no types: rules carry them. A component that is a plain text or number stands inline, and equal
//! schemas are one type.
//!
//! **Unions.** A union with objects or lists in it is not left to typify, which takes the first alternative that can be read. Fitting puts an
//! object in its place, with a property for each alternative, and mending turns the struct that comes of it into an enum. Where
//! the JSON type does not tell the alternatives apart, the enum is read by `suprsend_api::union`: the first alternative that keeps every member
//! that any keeps, of those whose checks hold. Checks are what the document says and the type does not: a tag by `discriminator`, constants,
//! bounds, lengths, patterns, members that may not be there. A value that no alternative keeps whole stays JSON, in the variant `Other`. A
//! property test makes random unions and random instances, which a validator judges, and compares what is read and written again.
//!
//! **Operations.** progenitor generates in its positional style. Of each function of its client, the signature becomes a struct, the result
//! the types `Response` and `Refusal`, and the statements before it sends the method `request` (`rust/operations/read.rs` reads them
//! and refuses a form that it does not know, with progenitor's version). The client itself goes. An operation is data: it can be stored as
//! JSON under its id, and `operations::visit` finds its type again.
//!
//! **Types.** Text enums are open, so that one unknown value does not fail a response; an enum stays closed where nothing else tells the
//! alternatives of a union apart. Types with secrets (`x-sensitive` in an overlay) do not print them; doc comments
//! are safe for rustdoc. An enum without a tag whose variants take different JSON types, which the tree has to show for certain, is read by
//! a visitor instead of what serde derives, which buffers the value and tries every variant on it.
//!
//! **Rules** are read from the corrected document, before it is lowered, and written as constant data. The SDK judges a body by them while
//! it is serialized into nothing, and finds by the same data what must not be shown.
//!
//! **Culprits.** Where the generator panics all the same, each operation and schema is tried by itself, with stubs of what it only holds, by
//! halves: all culprits are named in one run, which takes a few times as long as generating, however many there are.
//!
//! # Errors
//!
//! Nothing here knows a particular API. Input that cannot be generated gives [`Problems`]: a line each with place, reason
//! and remedy, all of them in one run.

mod adapt;
mod directions;
mod facts;
mod grammar;
mod limits;
mod lint;
mod lower;
pub mod media;
mod names;
mod overlay;
mod partial;
mod path_item;
mod pointer;
mod problem;
mod project;
mod report;
mod resources;
pub mod rules;
mod rust;
mod source;
mod table;

use serde_json::Value;

pub use adapt::is_closed;
pub use grammar::{Node, is_method, path_template, walk};
pub use limits::TEXT;
pub use names::{rust_function, rust_type};
pub use overlay::{Step, trace};
pub use partial::generate_partial;
pub use path_item::{PathItem, path_items};
pub use pointer::Pointer;
pub use problem::{Problem, Problems};
pub use project::Project;
pub use report::{Entry, Kind, Report};
pub use resources::resources;
pub use rust::{Fault, Settings};
pub use source::Source;
pub use table::{Entry as TableEntry, RESOURCES, Resource, Table, Verdict};

/// What [`generate`] makes of a document.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The Rust source of client and types, formatted.
    pub rust: String,
    /// The corrected document as JSON, formatted: what the Rust is to be judged by.
    pub document: String,
    /// What was lost, moved or renamed between the document and the Rust.
    pub report: Report,
}

/// What [`lower`] makes of a document.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The document in OpenAPI 3.0.3.
    pub document: Value,
    /// What was lost, moved or renamed.
    pub report: Report,
}

/// Refuses a document in which values have another JSON type than is read, or references lead nowhere. What passes can be
/// walked without surprises, though it need not be valid OpenAPI.
///
/// # Errors
///
/// Every value of another type and every reference that leads nowhere.
pub fn readable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::readable(document))
}

/// Refuses what [`generate`] refuses before it generates anything.
///
/// # Errors
///
/// Every place that cannot be generated from, with the reason and the remedy.
pub fn generatable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::generatable(document))
}

/// Lists what has no description, of which users of the generated code see only the name: operations, parameters, components,
/// schemas with a title and properties.
///
/// # Errors
///
/// What [`readable`] refuses.
pub fn undescribed(document: &Value) -> Result<Vec<Pointer>, Problems> {
    limits::deep(|| {
        lint::readable(document)?;
        Ok(lint::undescribed(document))
    })
}

/// Checks a corrected document and lowers it to OpenAPI 3.0.3, without adapting it to the generator.
///
/// # Errors
///
/// What [`readable`] refuses.
pub fn lower(document: &Value) -> Result<Lowered, Problems> {
    limits::deep(|| {
        lint::readable(document)?;
        let mut report = Report::default();
        let document = lower::lower(document, &mut report);
        report.settle();
        Ok(Lowered { document, report })
    })
}

/// Generates the Rust client of a corrected document.
///
/// # Errors
///
/// What [`generatable`] refuses, and operations or schemas at which the generator panics.
pub fn generate(document: &Value, settings: &Settings) -> Result<Generated, Problems> {
    generate_or_fail(document, settings, |_| None)
}

/// Generates as [`generate`] does, but fails for one more reason, as if the generator could not do that: for measuring how long it takes
/// to find out which parts are to blame. The reason is asked for with the adapted document or parts of it.
///
/// # Errors
///
/// Those of [`generate`], and the parts for which `fault` has a reason.
#[doc(hidden)]
pub fn generate_or_fail(document: &Value, settings: &Settings, fault: Fault) -> Result<Generated, Problems> {
    limits::deep(|| {
        lint::generatable(document)?;
        let mut report = Report::default();
        let mut adapted = lower::lower(document, &mut report);
        let facts = facts::collect(&adapted, &Table::from_document(document)?);
        if directions::is_3_0(document) {
            directions::settle(&mut adapted, &mut report);
        }
        let notes = adapt::adapt(&mut adapted, &mut report);
        report.settle();
        let rules = rules::read(document, &mut report);
        let rules = rules::rust(&rules, &settings.rules()?, &quote::quote!(rules));
        let beside = rust::Beside { notes: &notes, facts: &facts, rules: &rules };
        let rust = rust::generate(&adapted, &beside, settings, fault)
            .map_err(|problems| problems.relocate(|place| report.origin(place)))?;
        let document = format!("{document:#}\n");
        Ok(Generated { rust, document, report })
    })
}
