//! The generated Rust code, as far as the resource layer needs it.

use std::collections::BTreeMap;

use quote::ToTokens;
use serde_json::Value;
use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Meta, Type};

use crate::{
    PathItem, Pointer,
    names::rust_function,
    rust::{serde, type_text},
    table::Entry,
};

/// Operations and types by name, and the document.
pub(super) struct Source {
    document: Value,
    operations: BTreeMap<String, Vec<Field>>,
    types: BTreeMap<String, Shape>,
    docs: BTreeMap<String, String>,
    paged: Vec<String>,
}

/// The form of a type.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A struct with named fields.
    Struct(Vec<Field>),
    /// A struct that wraps one value.
    Around(Box<Type>),
    Enum,
}

/// A field of an operation or of a type.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    /// The name in JSON; empty for the map of further members.
    pub(super) wire: String,
    pub(super) ty: Type,
    pub(super) doc: String,
    /// Whether the field may be omitted.
    pub(super) optional: bool,
}

impl Source {
    pub(super) fn read(document: &Value, rust: &str) -> Result<Self, String> {
        let file =
            syn::parse_file(rust).map_err(|error| format!("the generated Rust does not parse: {error}"))?;
        let mut source = Self {
            document: document.clone(),
            operations: BTreeMap::new(),
            types: BTreeMap::new(),
            docs: BTreeMap::new(),
            paged: Vec::new(),
        };
        for item in file.items {
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                for item in module.content.into_iter().flat_map(|(_, items)| items) {
                    source.item(&name, item);
                }
            }
        }
        Ok(source)
    }

    fn item(&mut self, module: &str, item: Item) {
        match (module, item) {
            ("operations", Item::Struct(item)) => {
                let name = item.ident.to_string();
                self.docs.insert(name.clone(), doc_of(&item.attrs));
                self.operations.insert(name, fields(&item.fields));
            }
            ("operations", Item::Impl(item)) => {
                let is_paged = item.trait_.as_ref().is_some_and(|(path, _)| path.is_ident("Paged"));
                if is_paged {
                    self.paged.push(item.self_ty.to_token_stream().to_string());
                }
            }
            ("types", Item::Struct(item)) => {
                let shape = match &item.fields {
                    Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                        Shape::Around(Box::new(fields.unnamed[0].ty.clone()))
                    }
                    all => Shape::Struct(fields(all)),
                };
                self.types.insert(item.ident.to_string(), shape);
            }
            ("types", Item::Enum(item)) => {
                self.types.insert(item.ident.to_string(), Shape::Enum);
            }
            _ => {}
        }
    }

    /// Returns the name of an operation's struct.
    pub(super) fn name(&self, entry: &Entry) -> Result<String, String> {
        let function = rust_function(self.operation(entry), &entry.path, &entry.method);
        let name = heck::ToPascalCase::to_pascal_case(function.as_str());
        if self.operations.contains_key(&name) {
            Ok(name)
        } else {
            Err(format!("there is no generated operation `{name}`"))
        }
    }

    pub(super) fn fields(&self, operation: &str) -> &[Field] {
        self.operations.get(operation).map_or(&[], Vec::as_slice)
    }

    pub(super) fn doc(&self, operation: &str) -> &str {
        self.docs.get(operation).map_or("", String::as_str)
    }

    pub(super) fn is_paged(&self, operation: &str) -> bool {
        self.paged.iter().any(|name| name == operation)
    }

    pub(super) fn shape(&self, ty: &Type) -> Option<&Shape> {
        let Type::Path(path) = ty else { return None };
        self.types.get(&path.path.segments.last()?.ident.to_string())
    }

    /// Returns the operation in the document.
    pub(super) fn operation(&self, entry: &Entry) -> &Value {
        let place = Pointer::root().child("paths").child(&entry.path);
        let item = PathItem::read(&self.document, &place);
        item.get(&entry.method).map_or(&Value::Null, |(_, operation)| operation)
    }

    /// Returns the members that the body of an operation requires, in the order of the document.
    pub(super) fn required(&self, operation: &Value) -> Vec<String> {
        let content = self.follow(&operation["requestBody"])["content"].as_object();
        let media = content.and_then(|content| content.values().next());
        let schema = media.map(|media| self.follow(&media["schema"]));
        let names = schema.and_then(|schema| schema["required"].as_array()).into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns the schema of a member of an operation's body.
    pub(super) fn member<'a>(&'a self, operation: &'a Value, wire: &str) -> Option<&'a Value> {
        let content = self.follow(&operation["requestBody"])["content"].as_object()?;
        let (_, media) = content.iter().next()?;
        self.property(&media["schema"], wire, 0)
    }

    /// Returns the schema of a member of a schema.
    pub(super) fn property<'a>(&'a self, schema: &'a Value, wire: &str, depth: usize) -> Option<&'a Value> {
        let schema = self.follow(schema);
        if let Some(property) = schema["properties"].get(wire) {
            // Keywords next to a reference take precedence over its target.
            return Some(property);
        }
        let parts = schema["allOf"].as_array().filter(|_| depth < 8)?;
        parts.iter().find_map(|part| self.property(part, wire, depth + 1))
    }

    /// Returns the value of an extension of a schema, or of the schema that it refers to.
    pub(super) fn extension<'a>(&'a self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        schema.get(name).or_else(|| self.follow(schema).get(name))
    }

    fn follow<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..32 {
            let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
            match target.and_then(|place| place.get(&self.document)) {
                Some(next) => value = next,
                None => break,
            }
        }
        value
    }
}

fn fields(all: &Fields) -> Vec<Field> {
    let read = |field: &syn::Field| {
        let attributes = serde::read(field);
        let text = type_text(&field.ty);
        Field {
            name: field.ident.as_ref().map(ToString::to_string).unwrap_or_default(),
            wire: attributes.wire,
            ty: field.ty.clone(),
            doc: doc_of(&field.attrs),
            optional: attributes.flatten
                || attributes.default
                || text.contains("option::Option<")
                || text.starts_with("Option<"),
        }
    };
    all.iter().map(read).collect()
}

fn doc_of(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n")
}
