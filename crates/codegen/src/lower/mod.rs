//! Lowering from OpenAPI 3.1 to 3.0.3, the version that `openapiv3` and progenitor read.
//!
//! Lowering never narrows: the 3.0 schema accepts every instance that the 3.1 schema accepts. Lowering leaves out or weakens what 3.0
//! cannot express, and every such step adds an entry to the [`Report`].

mod document;
mod polarity;
mod references;
mod schema;

use serde_json::Value;

pub(crate) use schema::{OF_ARRAY, OF_NUMBER, OF_OBJECT, OF_STRING, ONE_OF, whole};

use crate::{
    Pointer, Report,
    directions::is_3_0,
    grammar::{self, Node},
};

/// Lowers a corrected document, which uses OpenAPI 3.1 or already 3.0, to 3.0.3.
pub(crate) fn lower(document: &Value, report: &mut Report) -> Value {
    let is_3_0 = is_3_0(document);
    let mut lowered = document.clone();
    references::bundle(&mut lowered, report);
    document::lower(&mut lowered, report);
    polarity::settle(&mut lowered, is_3_0, report);
    grammar::rewrite(&mut lowered, Node::Document, &Pointer::root(), &mut |value, node, pointer| {
        if node == Node::Schema {
            schema::lower(value, pointer, report);
        }
    });
    lowered
}

#[cfg(test)]
mod tests;
