//! Reads hand-written deserialization of untagged enums: a visitor that passes a value on to the variant that accepts it.
//!
//! It has a single form, in which every token counts. The result tells which method creates which variant. After all types are known, it is
//! compared with the types that the variants accept.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use syn::{Expr, ImplItem, ImplItemFn, Item, ItemImpl, Stmt};

use super::{Code, Unrecognised, tokens::text};

/// The methods of such a visitor, their arguments, and the deserializers that pass these on.
const METHODS: [(&str, Given, &str); 7] = [
    ("visit_bool", Given::Plain("bool"), "BoolDeserializer"),
    ("visit_i64", Given::Plain("i64"), "I64Deserializer"),
    ("visit_u64", Given::Plain("u64"), "U64Deserializer"),
    ("visit_f64", Given::Plain("f64"), "F64Deserializer"),
    ("visit_str", Given::Plain("&str"), "StrDeserializer"),
    ("visit_seq", Given::Elements("SeqAccess"), "SeqAccessDeserializer"),
    ("visit_map", Given::Elements("MapAccess"), "MapAccessDeserializer"),
];

enum Given {
    Plain(&'static str),
    /// Through this trait.
    Elements(&'static str),
}

/// Returns the variants by the methods that create them, or `None` if anything has another form.
pub(super) fn read(item: &ItemImpl, name: &str) -> Option<Map<String, Value>> {
    let head = "impl<'de>::serde::Deserialize<'de>for ";
    let [ImplItem::Fn(function)] = item.items.as_slice() else { return None };
    let signature = "fn deserialize<__D:::serde::Deserializer<'de>>(deserializer:__D)->\
                     ::std::result::Result<Self,__D::Error>";
    let [Stmt::Item(visitor), Stmt::Item(Item::Impl(visits)), Stmt::Expr(call, None)] =
        function.block.stmts.as_slice()
    else {
        return None;
    };
    let fits = head_of(item) == format!("{head}{name}")
        && bare(function)
        && text(&function.sig) == signature
        && text(visitor) == "struct __Visitor;"
        && head_of(visits) == "impl<'de>::serde::de::Visitor<'de>for __Visitor"
        && text(call) == "deserializer.deserialize_any(__Visitor)";
    let [ImplItem::Type(value), ImplItem::Fn(expecting), methods @ ..] = visits.items.as_slice() else {
        return None;
    };
    if !fits || text(value) != format!("type Value={name};") || !says(expecting) {
        return None;
    }
    let mut found = Map::new();
    for method in methods {
        let ImplItem::Fn(method) = method else { return None };
        let variant = made_by(method, name)?;
        if found.insert(method.sig.ident.to_string(), variant.into()).is_some() {
            return None;
        }
    }
    Some(found)
}

/// Returns everything in an implementation before its items.
pub(super) fn head_of(item: &ItemImpl) -> String {
    let empty = ItemImpl { items: Vec::new(), ..item.clone() };
    text(&empty).trim_end_matches("{}").to_owned()
}

/// Returns whether there is only a signature and a body.
pub(super) fn bare(function: &ImplItemFn) -> bool {
    text(function) == text(&function.sig) + &text(&function.block)
}

/// Returns whether this method only names the expected values.
fn says(expecting: &ImplItemFn) -> bool {
    let signature = "fn expecting(&self,f:&mut::std::fmt::Formatter<'_>)->::std::fmt::Result";
    let [Stmt::Expr(Expr::MethodCall(call), None)] = expecting.block.stmts.as_slice() else { return false };
    bare(expecting)
        && text(&expecting.sig) == signature
        && text(&call.receiver) == "f"
        && call.method == "write_str"
        && call.args.len() == 1
        && call.args.iter().all(|argument| matches!(argument, Expr::Lit(_)))
}

/// Returns the variant that a method of the visitor creates.
fn made_by(method: &ImplItemFn, name: &str) -> Option<String> {
    let ident = method.sig.ident.to_string();
    let (_, given, deserializer) = METHODS.iter().find(|(known, ..)| ident == *known)?;
    let signature = match given {
        Given::Plain(ty) => {
            format!("<__E:::serde::de::Error>(self,value:{ty})->::std::result::Result<Self::Value,__E>")
        }
        Given::Elements(access) => format!(
            "<__A:::serde::de::{access}<'de>>(self,value:__A)->::std::result::Result<Self::Value,__A::Error>"
        ),
    };
    if !bare(method) || text(&method.sig) != format!("fn {ident}{signature}") {
        return None;
    }
    let start = format!(
        "{{::serde::Deserialize::deserialize(::serde::de::value::{deserializer}::new(value)).map({name}::"
    );
    let body = text(&method.block);
    let variant = body.strip_prefix(&start)?.strip_suffix(")}")?;
    syn::parse_str::<syn::Ident>(variant).ok().map(|variant| variant.to_string())
}

/// Reports enums whose deserialization does not match their variants.
pub(super) fn compare(code: &mut Code) {
    let mut wrong = Vec::new();
    for (name, schema) in &code.types {
        let Some(Value::Object(read)) = schema.pointer("/x-rust/reads") else { continue };
        let stated = stated(schema, &code.types);
        let read: BTreeMap<&str, &str> =
            read.iter().filter_map(|(method, variant)| Some((method.as_str(), variant.as_str()?))).collect();
        if stated.as_ref() != Some(&read) {
            let spot = schema.pointer("/x-rust/spot").and_then(Value::as_str).unwrap_or(name).to_owned();
            let stated =
                stated.map_or_else(|| "are not told apart by it".to_owned(), |it| format!("take {it:?}"));
            let what = format!("how `{name}` is read by JSON type: by {read:?}, and its variants {stated}");
            wrong.push(Unrecognised { spot, what });
        }
    }
    code.unrecognised.extend(wrong);
}

/// Returns the variants by the methods that must create them. Returns `None` if a variant accepts unknown types, or those of another
/// variant.
fn stated<'c>(schema: &'c Value, types: &BTreeMap<String, Value>) -> Option<BTreeMap<&'static str, &'c str>> {
    let variants = schema.pointer("/x-rust/variants")?.as_array()?;
    let alternatives = schema.get("anyOf")?.as_array()?;
    if variants.len() != alternatives.len() {
        return None;
    }
    let mut stated = BTreeMap::new();
    for (variant, alternative) in variants.iter().zip(alternatives) {
        for method in methods_for(alternative, types)? {
            if stated.insert(*method, variant.as_str()?).is_some() {
                return None;
            }
        }
    }
    Some(stated)
}

/// Returns the methods that receive the values of a schema.
fn methods_for(schema: &Value, types: &BTreeMap<String, Value>) -> Option<&'static [&'static str]> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = types.get(reference.strip_prefix("#/$defs/")?)?;
        let is_struct = target.get("type")? == "object" && target.get("properties").is_some();
        let flattens = target.get("x-parts").is_some()
            || target.get("additionalProperties").is_some_and(|rest| *rest != Value::Bool(false));
        let objects = target.pointer("/x-rust/objects").is_some();
        // Without a flattened field, serde's derive also accepts a list of the fields' values.
        return is_struct.then_some(if flattens || objects {
            &["visit_map"]
        } else {
            &["visit_map", "visit_seq"]
        });
    }
    let is_of = |length| schema.as_object().is_some_and(|members| members.len() == length);
    Some(match schema.get("type")?.as_str()? {
        "string" if is_of(1) => &["visit_str"],
        "boolean" => &["visit_bool"],
        "integer" => &["visit_i64", "visit_u64"],
        "number" => &["visit_i64", "visit_u64", "visit_f64"],
        "array" if schema.get("items").is_some() && is_of(2) => &["visit_seq"],
        "object" if schema.get("properties").is_none() => &["visit_map"],
        _ => return None,
    })
}
