//! Code that is the same for every operation, generated again from the facts that were read.

use std::{collections::BTreeMap, fmt::Write};

use quote::ToTokens;
use serde_json::{Value, json};
use syn::{ImplItem, Item, ItemImpl, ItemStruct, spanned::Spanned};

use super::{
    Code, Unrecognised,
    operations::{self, Field, Operation},
    tokens::{arguments as arguments_of, text},
};

/// Finds code that differs from the regular form, with its line.
pub(super) fn check(
    definition: &ItemStruct,
    impls: &BTreeMap<String, &ItemImpl>,
    fields: &[Field<'_>],
    operation: &Operation,
) -> Vec<(usize, String)> {
    let mut wrong = Vec::new();
    let mut compare = |line: usize, what: &str, own: &str, regular: &str| {
        if own != regular {
            wrong.push((line, format!("{what}: `{own}`, where `{regular}` is regular")));
        }
    };
    let default = if all_optional(fields) { "Default," } else { "" };
    let derives = format!("#[derive(Clone,{default}PartialEq,::serde::Serialize)]#[non_exhaustive]");
    compare(line(definition), "its attributes", &attributes(&definition.attrs), &derives);
    let absent = "#[serde(default,skip_serializing_if=\"Option::is_none\")]";
    for (field, known) in definition.fields.iter().zip(fields) {
        let regular = if known.inner.is_some() { absent } else { "" };
        compare(
            line(field),
            &format!("the attributes of `{}`", known.name),
            &attributes(&field.attrs),
            regular,
        );
    }
    let own = own_functions(fields);
    for item in impls.get("").into_iter().flat_map(|item| &item.items) {
        if let ImplItem::Fn(function) = item {
            let name = function.sig.ident.to_string();
            let said = text(&function.vis) + " " + &text(&function.sig) + &text(&function.block);
            compare(
                line(item),
                &format!("`{name}`"),
                &said,
                own.get(&name).map_or("nothing", String::as_str),
            );
        }
    }
    let functions = operation_functions(operation, fields);
    if let Some(item) = impls.get("Operation") {
        for item in &item.items {
            let (name, said) = match item {
                ImplItem::Fn(function) => {
                    (function.sig.ident.to_string(), text(&function.sig) + &text(&function.block))
                }
                ImplItem::Type(item) if item.ident == "Body" => ("Body".to_owned(), text(&item.ty)),
                _ => continue,
            };
            // These three are read elsewhere.
            let signature = match name.as_str() {
                "request" => Some("fn request(&self,base:&Base)->Result<Request,RequestError>"),
                "idempotency_keys" => {
                    Some("fn idempotency_keys(&mut self,visit:&mut dyn FnMut(&mut Option<String>))")
                }
                _ => None,
            };
            if let Some(signature) = signature {
                let own = said.split('{').next().unwrap_or_default();
                compare(line(item), &format!("`{name}`"), own, signature);
            } else if name != "is_idempotent" {
                let regular = functions.get(name.as_str()).map_or("nothing", String::as_str);
                compare(line(item), &format!("`{name}`"), &said, regular);
            }
        }
        for name in functions.keys() {
            let has = item.items.iter().any(|item| match item {
                ImplItem::Fn(function) => function.sig.ident == name,
                ImplItem::Type(item) => item.ident == name,
                _ => false,
            });
            if !has {
                compare(line(*item), &format!("`{name}`"), "nothing", &functions[name]);
            }
        }
    }
    for name in own.keys() {
        let has = impls.get("").is_some_and(|item| {
            item.items.iter().any(|item| matches!(item, ImplItem::Fn(function) if function.sig.ident == name))
        });
        if !has {
            compare(line(definition), &format!("`{name}`"), "nothing", &own[name]);
        }
    }
    wrong
}

fn line(spanned: &impl Spanned) -> usize {
    spanned.span().start().line
}

/// Returns the attributes that are not documentation.
fn attributes(attrs: &[syn::Attribute]) -> String {
    let kept =
        attrs.iter().filter(|attr| !attr.path().is_ident("doc") && !attr.path().is_ident("deprecated"));
    kept.map(|attr| text(&attr.to_token_stream())).collect()
}

fn all_optional(fields: &[Field<'_>]) -> bool {
    fields.iter().all(|field| field.inner.is_some())
}

/// Returns `new`, and a setter for each optional field.
fn own_functions(fields: &[Field<'_>]) -> BTreeMap<String, String> {
    let mut functions = BTreeMap::new();
    let (mut arguments, mut values) = (Vec::new(), Vec::new());
    for field in fields {
        let name = &field.name;
        let Some(inner) = field.inner else {
            let ty = text(field.ty);
            let is_text = ty == "String";
            arguments.push(if is_text { format!("{name}:impl Into<{ty}>") } else { format!("{name}:{ty}") });
            values.push(if is_text { format!("{name}:{name}.into()") } else { name.clone() });
            continue;
        };
        values.push(format!("{name}:None"));
        let method = if name == "new" { "set_new" } else { name };
        let item = arguments_of(inner, "Vec").and_then(|inner| inner.first().copied());
        let ty = text(item.unwrap_or(inner));
        let plain = operations::is_plain(item.unwrap_or(inner));
        let (argument, value) =
            if plain { (ty, "value") } else { (format!("impl Into<{ty}>"), "value.into()") };
        let set = match item {
            Some(_) => format!("self.{name}.get_or_insert_default().push({value});"),
            None => format!("self.{name}=Some({value});"),
        };
        functions.insert(
            method.to_owned(),
            format!("pub fn {method}(mut self,value:{argument})->Self{{{set}self}}"),
        );
    }
    let made = if all_optional(fields) {
        "<Self as Default>::default()".to_owned()
    } else {
        format!("Self{{{}}}", values.join(","))
    };
    functions.insert("new".to_owned(), format!("pub fn new({})->Self{{{made}}}", arguments.join(",")));
    functions
}

/// Returns the members of `impl Operation` that are not read.
fn operation_functions(operation: &Operation, fields: &[Field<'_>]) -> BTreeMap<&'static str, String> {
    let mut functions = BTreeMap::new();
    let optional = |name: &str| fields.iter().any(|field| field.name == name && field.inner.is_some());
    let mut inspected = String::new();
    for (index, (_, part)) in operation.parameters.iter().enumerate() {
        let field = &part.field;
        let method = if optional(field) { "optional" } else { "parameter" };
        let _ = write!(inspected, "inspector.{method}(&Self::PARAMETERS[{index}],&self.{field});");
    }
    let body = operation.body.as_ref().map(|(_, part)| part);
    if let Some((field, rules)) = body.and_then(|part| Some((&part.field, part.rules.as_ref()?))) {
        let rules = if code_has_name(rules) { format!("&rules::{rules}") } else { rules.clone() };
        let _ = write!(inspected, "inspector.body({rules},&self.{field});");
    }
    if !inspected.is_empty() {
        let signature = "fn inspect<I:Inspector>(&self,inspector:&mut I)";
        functions.insert("inspect", format!("{signature}{{{inspected}}}"));
    }
    let ty = fields
        .iter()
        .find(|field| body.is_some_and(|part| part.field == field.name))
        .map(|field| text(field.ty));
    if let Some(ty) = &ty {
        functions.insert("body", format!("fn body(&self)->Option<&{ty}>{{Some(&self.body)}}"));
    }
    functions.insert("Body", ty.unwrap_or_else(|| "()".to_owned()));
    functions
}

/// Returns whether the rules are a static with a name.
fn code_has_name(rules: &str) -> bool {
    !rules.starts_with('&')
}

/// Checks the list of all operations, and the function that finds one by its id.
pub(super) fn tables(items: &[Item], code: &mut Code) {
    let stated = items.iter().filter_map(|item| match item {
        Item::Const(item) => Some((item.ident.to_string(), text(&item.expr), line(item))),
        Item::Fn(item) => Some((item.sig.ident.to_string(), text(&item.block), line(item))),
        _ => None,
    });
    let names: Vec<String> =
        code.operations.iter().map(|operation| format!("{}::SPEC", operation.name)).collect();
    let arms = code
        .operations
        .iter()
        .map(|operation| format!("{:?}=>Some(visitor.visit::<{}>())", operation.id, operation.name));
    let visit = format!("let _=&visitor;match id{}_=>None", arms.collect::<Vec<_>>().concat());
    for (name, said, line) in stated {
        let same = match name.as_str() {
            "ALL" => said == format!("&[{}]", names.join(",")),
            "visit" => plain(&said) == plain(&visit),
            _ => false,
        };
        if !same {
            let spot = format!("{}:{line}", code.file);
            code.unrecognised
                .push(Unrecognised { spot, what: format!("`{name}`, which is not that of the operations") });
        }
    }
}

/// Checks the implementations of paging traits, based on the response type and the fields. Runs after all types are known.
pub(super) fn pages(items: &[Item], code: &mut Code) {
    let mut wrong = Vec::new();
    for item in items {
        let Item::Impl(item) = item else { continue };
        let Some((path, _)) = &item.trait_ else { continue };
        let operation = code.operations.iter().find(|operation| operation.name == text(&item.self_ty));
        let Some(operation) = operation else { continue };
        let regular = match text(path).as_str() {
            "Lookup" | "CursorPaged" | "OffsetPaged" => Some(String::new()),
            "Paged" => paged(operation, code),
            _ => continue,
        };
        let own: String = item.items.iter().map(text).collect();
        if regular.as_ref().is_none_or(|regular| plain(&own) != plain(regular)) {
            let spot = format!("{}:{}", code.file, line(item));
            let regular = regular.unwrap_or_else(|| "nothing".to_owned());
            let what = format!(
                "`impl {}` of `{}`: `{own}`, where `{regular}` is regular",
                text(path),
                operation.name
            );
            wrong.push(Unrecognised { spot, what });
        }
    }
    code.unrecognised.extend(wrong);
}

/// Returns the type that a key of the roots leads to.
fn target<'c>(code: &'c Code, schema: &Value) -> Option<&'c Value> {
    let reference = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    code.types.get(reference)
}

/// Returns whether the types can select and describe pages: the parameters and the members of `meta` have the types of `Paged`.
pub(crate) fn has_pages(operation: &Operation, code: &Code) -> bool {
    let is = |schema: &Value, of: &str| {
        let format = if of == "integer" { json!("int64") } else { Value::Null };
        let is_type = schema["type"] == of || schema["type"] == json!([of, "null"]);
        is_type && schema["format"] == format && schema.get("enum").is_none()
    };
    let selects = |name: &str, of: &str| {
        operation.parameter(super::Place::Query, name).is_none_or(|part| {
            let schema = part.ty.as_ref().and_then(|ty| code.roots.get(ty));
            !part.required && schema.is_some_and(|schema| is(schema, of))
        })
    };
    let meta = || {
        let response = target(code, code.roots.get(operation.response.as_ref()?)?)?;
        target(code, &response["properties"]["meta"])?["properties"].as_object()
    };
    let Some(meta) = meta() else { return false };
    let members = [
        ("count", "integer"),
        ("limit", "integer"),
        ("offset", "integer"),
        ("has_next", "boolean"),
        ("has_prev", "boolean"),
        ("after", "string"),
        ("before", "string"),
    ];
    let known: Vec<_> =
        members.iter().filter_map(|(name, of)| meta.get(*name).map(|schema| is(schema, of))).collect();
    let parameters = [("limit", "integer"), ("after", "string"), ("before", "string"), ("offset", "integer")];
    parameters.iter().all(|(name, of)| selects(name, of))
        && !known.is_empty()
        && known.iter().all(|known| *known)
}

fn paged(operation: &Operation, code: &Code) -> Option<String> {
    let response = target(code, code.roots.get(operation.response.as_ref()?)?)?;
    let field = |schema: &Value, name: &str| {
        let note = schema.pointer(&format!("/x-rust/fields/{name}/field"))?;
        note.as_str().map(str::to_owned)
    };
    let (results, meta) = (field(response, "results")?, field(response, "meta")?);
    let item = response.pointer("/x-rust/fields/results/item")?.as_str()?;
    let of_meta = target(code, &response["properties"]["meta"])?;
    let query = |name: &str| operation.parameter(super::Place::Query, name).map(|part| part.field.clone());
    let (mut reset, mut arms, mut members) = (String::new(), String::new(), String::new());
    for (name, variant) in [("after", "After"), ("before", "Before"), ("offset", "Offset")] {
        let Some(field) = query(name) else { continue };
        let _ = write!(reset, "self.{field}=None;");
        let _ = write!(arms, "Position::{variant}(value)=>self.{field}=Some(value),");
    }
    for name in ["count", "limit", "offset", "has_next", "has_prev", "after", "before"] {
        let Some(field) = field(of_meta, name) else { continue };
        let cursor = matches!(name, "after" | "before");
        let required = of_meta.pointer(&format!("/x-rust/fields/{name}/omits")).is_none_or(Value::is_null);
        let value = match (required, cursor) {
            (false, false) => format!("meta.{field}"),
            (false, true) => format!("meta.{field}.as_deref()"),
            (true, false) => format!("Some(meta.{field})"),
            (true, true) => format!("Some(&*meta.{field})"),
        };
        let _ = write!(members, "{name}:{value},");
    }
    let limit = query("limit")?;
    Some(format!(
        "type Item={item};fn set_limit(&mut self,limit:i64){{self.{limit}=Some(limit);}}\
         fn go_to(&mut self,position:Position){{{reset}match position{{{arms}_=>{{}}}}}}\
         fn page(response:&Self::Response)->Page<'_>{{let meta=&response.{meta};Page{{{members}..Page::default()}}}}\
         fn items(response:&Self::Response)->&[Self::Item]{{&response.{results}}}\
         fn into_items(response:Self::Response)->Vec<Self::Item>{{response.{results}}}"
    ))
}

/// Removes what the printer adds or leaves out: braces around an expression, and separators.
pub(super) fn plain(text: &str) -> String {
    text.replace(['{', '}', ';', ','], "")
}
