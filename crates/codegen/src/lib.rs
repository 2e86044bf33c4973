//! Generates a Rust client from an OpenAPI 3.1 document and its overlays, and records what was lost on the way.
//!
//! ```text
//! document + overlays -> lint -> lower to 3.0.3 -> adapt -> openapiv3 -> progenitor -> patch -> Rust
//! ```
//!
//! - [`Project::correct`] applies the overlays; the result is the reference for everything else.
//! - [`generate`] validates it, lowers it, adapts it to progenitor and generates.
//!
//! - [`rules`] reads the document's constraints on requests that no Rust type expresses, to be written as constant data.
//! - [`generate_partial`] leaves out the operations that cannot be generated.
//!
//! # Limits
//!
//! Exceeding one of these limits is reported as a problem with its place, and never causes a crash:
//!
//! - a text, either a document or an overlay: 64 megabytes ([`TEXT`]), nested 128 levels deep;
//! - a document: two million values after YAML's aliases are expanded and the overlays are applied, nested 256 levels deep;
//! - a schema: a chain of 256 schemas that include each other, by `$ref` and combinations.
//!
//! # The steps
//!
//! **Parsing** loses nothing: a number is read exactly or rejected, a key is the text as written, and YAML's `<<` is merged as in YAML 1.1.
//! Limits are checked before anything beyond them is read, so the time is proportional to the size of the text.
//!
//! **Lint** has three rounds, each of which relies on the previous one: the JSON types of values, the targets of references, and the
//! limitations of progenitor. A round reports everything it finds. The last one also counts the combinations of alternatives that the
//! generator would have to merge, which would soon exhaust the memory.
//!
//! **Lowering** walks the document by one table (`grammar.rs`) that knows where schemas are, so a property named `const` is not mistaken
//! for a keyword. First it makes a component of every schema that something refers to, because everything else may move. Weakening is
//! harmless except below `not` and inside `oneOf`, where it makes the whole stricter; `lower/polarity.rs` finds those places. A `oneOf`
//! that must become `anyOf` is marked with `x-one-of`, so that it still becomes an enum. A property test compares a 2020-12 validator on
//! the original schema with a draft 4 validator on the lowered one.
//!
//! **Adapting** works around limitations of progenitor. It names every inline schema (by its title, or else by operation, role and status).
//! It combines several success or error bodies into one type, and leaves a status with another kind of body undeclared, so that it reaches
//! the caller. It keeps unknown keys where the document allows them. It drops defaults, which would be sent whether set or not, and widens
//! enumerations whose values have no Rust names.
//!
//! Limits of strings, numbers and lists do not become types: the rules contain them. A component that is a plain string or number is
//! inlined, and equal schemas become one type.
//!
//! **Unions.** typify does not handle unions that contain objects or lists, because it chooses the first alternative that can be decoded.
//! Adapting replaces such a union with an object that has a property for each alternative, and patching turns the resulting struct into an
//! enum. If the JSON type does not distinguish the alternatives, `suprsend_api::union` decodes the enum as the first alternative that keeps
//! every member that any of them keeps, among those whose checks pass. Checks are conditions of the document that the type does not
//! express: a tag by `discriminator`, constants, bounds, lengths, patterns, members that must be absent. A value that no alternative keeps
//! completely stays JSON, in the variant `Other`. A property test generates random unions and random instances, validates them, and
//! compares the decoded and encoded values.
//!
//! **Operations.** progenitor generates in its positional style. For each function of its client, the signature becomes a struct, the
//! result becomes the types `Response` and `Refusal`, and the statements before sending become the method `request`
//! (`rust/operations/read.rs` reads them and rejects an unknown form, naming progenitor's version). The client itself is removed. An
//! operation is data: it can be stored as JSON under its id, and `operations::visit` finds its type again.
//!
//! **Types.** String enums are open, so that one unknown value does not fail a response; an enum stays closed if nothing else distinguishes
//! the alternatives of a union. Types with secrets (`x-sensitive` in an overlay) do not print them. Doc comments are safe for rustdoc. An
//! untagged enum whose variants have distinct JSON types, as far as the syntax tree proves it, is decoded by a visitor instead of serde's
//! derive, which buffers the value and tries every variant.
//!
//! **Rules** are read from the corrected document, before it is lowered, and written as constant data. The SDK validates a body with them
//! while serializing it into nothing, and uses the same data to find what must not be shown.
//!
//! **Bisecting.** If the generator panics in spite of all this, each operation and schema is tried separately, with stubs for what it only
//! refers to, by bisection. One run names all culprits, and takes a few times as long as generating, however many there are.
//!
//! # Errors
//!
//! Nothing here knows a particular API. Input that cannot be generated results in [`Problems`]: one line each with place, reason and
//! remedy, and all of them in one run.

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
pub use limits::{TEXT, deep};
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

/// The result of [`generate`].
#[derive(Debug, Clone)]
pub struct Generated {
    /// The formatted Rust source of client and types.
    pub rust: String,
    /// The corrected document as formatted JSON, which is the reference for the Rust code.
    pub document: String,
    /// Everything that was lost, moved or renamed between the document and the Rust code.
    pub report: Report,
}

/// The result of [`lower`].
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The document in OpenAPI 3.0.3.
    pub document: Value,
    /// Everything that was lost, moved or renamed.
    pub report: Report,
}

/// Rejects a document with values of an unexpected JSON type or with dangling references. A document that passes can be walked safely,
/// although it need not be valid OpenAPI.
///
/// # Errors
///
/// Every value of an unexpected type and every dangling reference.
pub fn readable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::readable(document))
}

/// Rejects everything that [`generate`] rejects before it generates anything.
///
/// # Errors
///
/// Every place that cannot be generated from, with the reason and the remedy.
pub fn generatable(document: &Value) -> Result<(), Problems> {
    limits::deep(|| lint::generatable(document))
}

/// Lists the places without a description, of which users of the generated code see only the name: operations, parameters, components,
/// schemas with a title, and properties.
///
/// # Errors
///
/// The same as for [`readable`].
pub fn undescribed(document: &Value) -> Result<Vec<Pointer>, Problems> {
    limits::deep(|| {
        lint::readable(document)?;
        Ok(lint::undescribed(document))
    })
}

/// Validates a corrected document and lowers it to OpenAPI 3.0.3, without adapting it to the generator.
///
/// # Errors
///
/// The same as for [`readable`].
pub fn lower(document: &Value) -> Result<Lowered, Problems> {
    limits::deep(|| {
        lint::readable(document)?;
        let mut report = Report::default();
        let document = lower::lower(document, &mut report);
        report.settle();
        Ok(Lowered { document, report })
    })
}

/// Generates the Rust client for a corrected document.
///
/// # Errors
///
/// The same as for [`generatable`], and operations or schemas at which the generator panics.
pub fn generate(document: &Value, settings: &Settings) -> Result<Generated, Problems> {
    generate_or_fail(document, settings, |_| None)
}

/// Generates like [`generate`], but also fails where `fault` returns a reason, as if the generator could not handle it. This measures how
/// long it takes to find the culprits. `fault` is called with the adapted document or parts of it.
///
/// # Errors
///
/// The same as for [`generate`], and the parts for which `fault` returns a reason.
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
        let rust::Source { text, notes } = rust::generate(&adapted, &beside, settings, fault)
            .map_err(|problems| problems.relocate(|place| report.origin(place)))?;
        for (place, note) in notes {
            report.add(Kind::AnnotationDropped, &place, note);
        }
        let document = format!("{document:#}\n");
        Ok(Generated { rust: text, document, report })
    })
}
