//! Reads types as the JSON Schema of what serde does with them.
//!
//! A schema contains standard keywords as `schemars` writes them for deserialization (`required` lists the members that must exist), and
//! these additional ones:
//!
//! - `x-sent`: the properties that are always written;
//! - `x-insists`: optional types that must nevertheless exist, as null if there is no value, which `schemars` does not see;
//! - `x-checks`: keywords that hand-written deserialization checks, which a derive cannot know;
//! - `x-open`: strings that are not listed are nevertheless kept;
//! - `x-kept`: the variant that keeps JSON of which no alternative keeps everything;
//! - `x-present`: properties of which null is decoded as a value, and absence as none;
//! - `x-parts`: alternatives that are all read from, and written to, the same object;
//! - `x-rust`: the place in the source, what each property leaves out when it is written (`null` or `empty`), whether it is read from
//!   objects only, which variant is created from which JSON type, if that is written by hand, and what `Debug` leaves out.
//!
//! [`Contract`] reduces it to what `schemars` knows about the compiled type, so that the two can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use syn::{
    Attribute, Expr, Field, Fields, FieldsNamed, GenericArgument, ImplItem, ImplItemFn, Item, ItemEnum,
    ItemImpl, ItemMacro, ItemStruct, Lit, PathArguments, Stmt, Type, UnOp,
};

use super::{
    Code, Spot, debug, members, reading,
    tokens::{arguments, only, string, text},
    union::{self, Union, Variant},
};

/// The direction of serde that a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    Read,
    Written,
}

impl Contract {
    /// Reduces a schema to what `schemars` can know about it.
    pub(crate) fn reduce(self, schema: &Value) -> Value {
        match schema {
            Value::Object(members) if members.contains_key("x-open") => {
                let listed = json!({"type": members["type"], "enum": members["enum"]});
                json!({"anyOf": [listed, {"type": "string"}]})
            }
            Value::Object(members) if members.contains_key("x-kept") => {
                let mut alternatives = members["anyOf"].as_array().cloned().unwrap_or_default();
                alternatives.push(Value::Bool(true));
                self.reduce(&json!({ "anyOf": alternatives }))
            }
            Value::Object(members) => {
                let mut plain = Map::new();
                let list = |key: &str| members.get(key).and_then(Value::as_array).into_iter().flatten();
                for (key, value) in members {
                    match key.as_str() {
                        "properties" => {
                            let inner = value.as_object().into_iter().flatten();
                            let present = |name: &String| list("x-present").any(|other| other == name);
                            let of = |name: &String, schema: &Value| {
                                let schema = self.reduce(schema);
                                if present(name) { nullable(schema) } else { schema }
                            };
                            let inner: Map<_, _> =
                                inner.map(|(name, schema)| (name.clone(), of(name, schema))).collect();
                            plain.insert(key.clone(), inner.into());
                        }
                        "required" if self == Self::Read => {
                            let seen = |name: &&Value| !list("x-insists").any(|other| other == *name);
                            let names: Vec<Value> = list(key).filter(seen).cloned().collect();
                            if !names.is_empty() {
                                plain.insert(key.clone(), names.into());
                            }
                        }
                        "x-sent" if self == Self::Written => {
                            plain.insert("required".to_owned(), value.clone());
                        }
                        "required" | "x-sent" | "x-insists" | "x-present" | "x-checks" | "x-rust" => {}
                        _ => drop(plain.insert(key.clone(), self.reduce(value))),
                    }
                }
                plain.into()
            }
            Value::Array(values) => values.iter().map(|value| self.reduce(value)).collect(),
            _ => schema.clone(),
        }
    }
}

/// Returns the schema of a type, or `None` if the reader does not know the type.
pub(super) fn schema(ty: &Type) -> Option<Value> {
    if let Type::Array(array) = ty {
        let length = match &array.len {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => number.base10_parse::<u64>().ok()?,
                _ => return None,
            },
            _ => return None,
        };
        let items = schema(&array.elem)?;
        return Some(json!({"type": "array", "items": items, "minItems": length, "maxItems": length}));
    }
    if let Type::Tuple(tuple) = ty {
        let items: Vec<Value> = tuple.elems.iter().map(schema).collect::<Option<_>>()?;
        return Some(match items.len() {
            0 => json!({"type": "null"}),
            length => {
                json!({"type": "array", "prefixItems": items, "minItems": length, "maxItems": length})
            }
        });
    }
    let Type::Path(path) = ty else { return None };
    let segments: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let argument = |index: usize| match &path.path.segments.last()?.arguments {
        PathArguments::AngleBracketed(generic) => match generic.args.iter().nth(index)? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    };
    let number = |name: &str, format: &str| json!({"type": name, "format": format});
    let text_of = |format: &str| json!({"type": "string", "format": format});
    Some(match names.as_slice() {
        ["std", "string", "String"] | ["String"] => json!({"type": "string"}),
        ["bool"] => json!({"type": "boolean"}),
        ["f64"] => number("number", "double"),
        ["f32"] => number("number", "float"),
        [name @ ("i32" | "i64")] => number("integer", &format!("int{}", &name[1..])),
        ["i8"] => json!({"type": "integer", "format": "int8", "minimum": i8::MIN, "maximum": i8::MAX}),
        ["i16"] => json!({"type": "integer", "format": "int16", "minimum": i16::MIN, "maximum": i16::MAX}),
        ["u8"] => json!({"type": "integer", "format": "uint8", "minimum": 0, "maximum": u8::MAX}),
        ["u16"] => json!({"type": "integer", "format": "uint16", "minimum": 0, "maximum": u16::MAX}),
        [name @ ("u32" | "u64")] => {
            json!({"type": "integer", "format": format!("uint{}", &name[1..]), "minimum": 0})
        }
        ["std", "num", name] => {
            let width = name.strip_prefix("NonZeroU")?;
            let mut inner = schema(&syn::parse_str(&format!("u{width}")).ok()?)?;
            inner["minimum"] = 1.into();
            inner
        }
        ["std", "net", "Ipv4Addr"] => text_of("ipv4"),
        ["std", "net", "Ipv6Addr"] => text_of("ipv6"),
        ["std", "net", "IpAddr"] => text_of("ip"),
        ["uuid", "Uuid"] => text_of("uuid"),
        ["chrono", "DateTime"] => text_of("date-time"),
        ["chrono", "naive", "NaiveDate"] => text_of("date"),
        ["serde_json", "Value"] => json!(true),
        ["serde_json", "Map"] => json!({"type": "object", "additionalProperties": true}),
        ["std", "collections", "HashMap" | "BTreeMap"] => {
            json!({"type": "object", "additionalProperties": schema(argument(1)?)?})
        }
        ["std", "vec", "Vec"] | ["Vec"] => json!({"type": "array", "items": schema(argument(0)?)?}),
        ["std", "boxed", "Box"] => schema(argument(0)?)?,
        ["std", "option", "Option"] | ["Option"] => nullable(schema(argument(0)?)?),
        ["types" | "super", name] | [name]
            if name.starts_with(char::is_uppercase) && argument(0).is_none() =>
        {
            json!({"$ref": format!("#/$defs/{name}")})
        }
        _ => return None,
    })
}

/// Adds null, in the form that `schemars` writes.
fn nullable(mut schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        return json!({"anyOf": [schema, {"type": "null"}]});
    }
    // Null is already among them.
    if schema.get("anyOf").is_some() {
        return schema;
    }
    if let Some(name) = schema.get("type").filter(|name| name.is_string()).cloned() {
        schema["type"] = json!([name, "null"]);
    }
    schema
}

/// Reads the module of the types.
pub(super) fn read(items: &[Item], code: &mut Code) {
    let mut impls: BTreeMap<(String, String), &ItemImpl> = BTreeMap::new();
    let mut macros: BTreeMap<(String, String), &ItemMacro> = BTreeMap::new();
    for item in items {
        if let Item::Macro(item) = item {
            // One that names no type is claimed by none, and reported.
            let key = members::of_macro(item).unwrap_or_default();
            if macros.insert(key.clone(), item).is_some() {
                code.unrecognised(item, format!("a second `{}!` of `{}`", key.1, key.0));
            }
        }
        if let Item::Impl(item) = item
            && let Some((path, _)) = &item.trait_
            && let Some(last) = path.segments.last()
        {
            let argument = match &last.arguments {
                PathArguments::AngleBracketed(generic) => generic.args.iter().map(text).collect(),
                _ => String::new(),
            };
            let name = format!("{}<{argument}>", last.ident).replace("<>", "");
            impls.insert((text(&item.self_ty), name), item);
        }
    }
    for item in items {
        let (name, attrs, read) = match item {
            Item::Struct(item) => (item.ident.to_string(), &item.attrs, struct_schema(item, &impls, code)),
            Item::Enum(item) => (item.ident.to_string(), &item.attrs, enum_schema(item, &impls, code)),
            // Those that no type claims are reported below.
            Item::Impl(_) | Item::Macro(_) => continue,
            Item::Mod(module) if module.ident == "error" => continue,
            _ => {
                code.unrecognised(item, "an item among the types that is no type");
                continue;
            }
        };
        let Some(mut schema) = read else { continue };
        schema["x-rust"]["name"] = name.clone().into();
        let traits = derives(attrs);
        let hidden = match (traits.contains("Debug"), impls.get(&(name.clone(), "Debug".to_owned()))) {
            (true, None) => Some(Value::Null),
            (false, Some(by_hand)) => debug::hidden(item, by_hand),
            _ => None,
        };
        match hidden {
            Some(hidden) => schema["x-rust"]["hides"] = hidden,
            None => code.unrecognised(item, format!("how `{name}` implements `Debug`")),
        }
        // One of them, and what it says, are the type's own: a derive, a macro or an implementation.
        let by_macro = match macros.remove(&(name.clone(), reading_macro(item).to_owned())) {
            None => false,
            Some(invoked) => {
                let regular =
                    members::reading(item).filter(|_| is_open(&schema) || matches!(item, Item::Struct(_)));
                if !regular.is_some_and(|said| members::is_regular(invoked, reading_macro(item), &said)) {
                    code.unrecognised(invoked, format!("what `{name}` is read from"));
                }
                true
            }
        };
        if by_macro && matches!(item, Item::Struct(_)) {
            schema["x-rust"]["objects"] = true.into();
        }
        for (wanted, own) in [("Serialize", "Serialize"), ("Deserialize", "Deserialize<'de>")] {
            let derived = traits.contains(wanted);
            let by_hand = impls.contains_key(&(name.clone(), own.to_owned()));
            let by_macro = by_macro && wanted == "Deserialize";
            // Hand-written deserialization is known if it checks the content of the newtype, or distinguishes variants.
            let known = schema.get("x-checks").is_some()
                || schema.get("x-kept").is_some()
                || schema.pointer("/x-rust/reads").is_some();
            let ways = [derived, by_hand, by_macro].into_iter().filter(|way| *way).count();
            // A derive does not know the conversions to and from strings.
            if ways != 1 || (by_hand && !known) || (derived && wanted == "Deserialize" && is_open(&schema)) {
                code.unrecognised(item, format!("how `{name}` implements `{wanted}`"));
            }
        }
        if code.types.insert(name.clone(), schema).is_some() {
            code.unrecognised(item, format!("a second type `{name}`"));
        }
    }
    for ((owner, _), item) in macros {
        code.unrecognised(item, format!("`{}!` of `{owner}`", text(&item.mac.path)));
    }
}

/// Returns the macro that a type may be read by.
fn reading_macro(item: &Item) -> &'static str {
    if matches!(item, Item::Struct(_)) { "deserialize" } else { "open_enum" }
}

fn is_open(schema: &Value) -> bool {
    schema.get("x-open").is_some()
}

fn derives(attrs: &[Attribute]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("derive")) {
        let _ = attr.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|last| last.ident.to_string()));
            Ok(())
        });
    }
    names
}

/// Returns serde's attributes, or `None` if there is one that the reader does not know.
pub(super) fn serde(attrs: &[Attribute]) -> Option<BTreeMap<String, Option<String>>> {
    let known = [
        "default",
        "deny_unknown_fields",
        "deserialize_with",
        "flatten",
        "rename",
        "skip_serializing_if",
        "tag",
        "transparent",
        "untagged",
    ];
    let mut found = BTreeMap::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let parsed = attr.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if !known.contains(&name.as_str()) {
                return Err(meta.error("not known"));
            }
            let value = match meta.value() {
                Ok(value) => Some(value.parse::<syn::LitStr>()?.value()),
                Err(_) => None,
            };
            found.insert(name, value);
            Ok(())
        });
        parsed.ok()?;
    }
    Some(found)
}

fn struct_schema(
    item: &ItemStruct,
    impls: &BTreeMap<(String, String), &ItemImpl>,
    code: &mut Code,
) -> Option<Value> {
    let name = item.ident.to_string();
    let Some(attributes) = serde(&item.attrs) else {
        code.unrecognised(item, format!("the attributes of `{name}`"));
        return None;
    };
    let spot = Spot::new(&code.file, &item.ident, name.clone()).to_string();
    match &item.fields {
        Fields::Named(fields) if !attributes.contains_key("transparent") => {
            let mut schema = fields_schema(fields, &name, code);
            if attributes.contains_key("deny_unknown_fields") {
                schema["additionalProperties"] = false.into();
            }
            schema["x-rust"]["spot"] = spot.into();
            Some(schema)
        }
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 && attributes.contains_key("transparent") => {
            let inner = &fields.unnamed[0].ty;
            let Some(mut schema) = schema(inner) else {
                code.unrecognised(inner, format!("the type `{}`", text(inner)));
                return None;
            };
            // Any value at all, which allows no further keywords.
            if schema == Value::Bool(true) {
                schema = json!({});
            }
            let by_hand = impls.contains_key(&(name.clone(), "Deserialize<'de>".to_owned()));
            if by_hand {
                let checks = ["FromStr".to_owned(), format!("TryFrom<{}>", text(inner))];
                let function = checks
                    .iter()
                    .filter_map(|check| impls.get(&(name.clone(), check.clone())))
                    .find_map(|item| checking(item));
                let Some(checks) = function.and_then(checks_of) else {
                    code.unrecognised(item, format!("what `{name}` checks"));
                    return None;
                };
                schema["x-checks"] = checks;
            }
            schema["x-rust"] = json!({ "spot": spot });
            Some(schema)
        }
        _ => {
            code.unrecognised(item, format!("the form of `{name}`"));
            None
        }
    }
}

/// Converts named fields to an object.
fn fields_schema(fields: &FieldsNamed, owner: &str, code: &mut Code) -> Value {
    let mut properties = Map::new();
    let (mut required, mut sent, mut insisted, mut presences) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut schema_of_rest, mut name_of_rest) = (None, None);
    let mut parts = Vec::new();
    let mut places = Map::new();
    for field in &fields.named {
        let ident = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
        let item = arguments(&field.ty, "Vec").and_then(|inner| inner.first().map(|item| outside(item)));
        let (Some(attributes), Some(mut schema)) = (serde(&field.attrs), schema(&field.ty)) else {
            code.unrecognised(field, format!("the field `{owner}::{ident}`: {}", text(&field.ty)));
            continue;
        };
        if has_own_default(&attributes) {
            code.unrecognised(field, format!("what the field `{owner}::{ident}` is if it is absent"));
            continue;
        }
        let present = tells_null(&attributes);
        let omits = match attributes.get("skip_serializing_if").map(Option::as_deref) {
            None => None,
            Some(Some("::std::option::Option::is_none")) => Some(if present { "absent" } else { "null" }),
            Some(Some(path)) if path.replace(' ', "").ends_with("::is_empty") => Some("empty"),
            Some(_) => {
                code.unrecognised(field, format!("what leaves out the field `{owner}::{ident}`"));
                continue;
            }
        };
        let optional = arguments(&field.ty, "Option").is_some();
        if attributes.contains_key("flatten") {
            if let Some(rest) = schema.get("additionalProperties")
                && schema_of_rest.is_none()
            {
                schema_of_rest = Some(rest.clone());
                name_of_rest = Some(ident);
            } else if let (true, Some([part, _])) =
                (optional, schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice))
            {
                parts.push(part.clone());
            } else {
                code.unrecognised(field, format!("the flattened field `{owner}::{ident}`"));
            }
            continue;
        }
        let plain = ident.trim_start_matches("r#").to_owned();
        let wire = attributes.get("rename").cloned().flatten().unwrap_or(plain);
        let insists = match attributes.get("deserialize_with").map(Option::as_deref) {
            None => false,
            Some(_) if insists(field, &attributes) => true,
            // Any value counts, including null; only absence means none.
            Some(Some(_)) if present && optional && omits.is_some() => {
                let Some(inner) =
                    arguments(&field.ty, "Option").and_then(|inner| self::schema(inner.first()?))
                else {
                    continue;
                };
                schema = inner;
                presences.push(wire.clone());
                false
            }
            Some(_) => {
                code.unrecognised(field, format!("how the field `{owner}::{ident}` is read"));
                continue;
            }
        };
        if insists {
            insisted.push(wire.clone());
        }
        if insists || (!optional && !attributes.contains_key("default")) {
            required.push(wire.clone());
        }
        if omits.is_none() {
            sent.push(wire.clone());
        }
        let spot = Spot::new(&code.file, field, format!("{owner}::{ident}")).to_string();
        places.insert(wire.clone(), json!({"spot": spot, "omits": omits, "field": ident, "item": item}));
        if properties.insert(wire.clone(), schema).is_some() {
            code.unrecognised(field, format!("a second field `{wire}` of `{owner}`"));
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "x-rust": {"fields": places}});
    for (keyword, names) in
        [("required", required), ("x-sent", sent), ("x-insists", insisted), ("x-present", presences)]
    {
        if !names.is_empty() {
            schema[keyword] = names.into();
        }
    }
    if let Some(rest) = schema_of_rest {
        schema["additionalProperties"] = rest;
        schema["x-rust"]["rest"] = name_of_rest.into();
    }
    if !parts.is_empty() {
        schema["x-parts"] = parts.into();
    }
    schema
}

/// Returns whether a field is decoded by the helper that distinguishes null from absent.
pub(super) fn tells_null(attributes: &BTreeMap<String, Option<String>>) -> bool {
    let by = attributes.get("deserialize_with").and_then(Option::as_deref);
    matches!(by, Some("crate::union::present" | "suprsend_api::union::present"))
        && attributes.contains_key("default")
}

/// Returns whether a field that is absent is read as what a function returns.
pub(super) fn has_own_default(attributes: &BTreeMap<String, Option<String>>) -> bool {
    attributes.get("default").is_some_and(Option::is_some)
}

/// Returns whether a field must be there although it may be null. A derive takes both for none.
pub(super) fn insists(field: &Field, attributes: &BTreeMap<String, Option<String>>) -> bool {
    let by = attributes.get("deserialize_with").and_then(Option::as_deref);
    by == Some("::std::option::Option::deserialize")
        && arguments(&field.ty, "Option").is_some()
        && !attributes.contains_key("default")
}

/// Returns a type as it is named outside of the module.
fn outside(ty: &Type) -> String {
    match ty {
        Type::Path(path)
            if path.path.get_ident().is_some_and(|name| name.to_string().starts_with(char::is_uppercase)) =>
        {
            format!("types::{}", text(ty))
        }
        _ => text(ty),
    }
}

fn enum_schema(
    item: &ItemEnum,
    impls: &BTreeMap<(String, String), &ItemImpl>,
    code: &mut Code,
) -> Option<Value> {
    let name = item.ident.to_string();
    let spot = Spot::new(&code.file, &item.ident, name.clone()).to_string();
    let Some(attributes) = serde(&item.attrs) else {
        code.unrecognised(item, format!("the attributes of `{name}`"));
        return None;
    };
    let untagged = attributes.contains_key("untagged");
    let tag = attributes.get("tag").cloned().flatten();
    let denies = attributes.contains_key("deny_unknown_fields");
    let mut names = Vec::new();
    let mut spots = Vec::new();
    let mut texts = Vec::new();
    let mut open = false;
    let mut variants = Vec::new();
    for variant in &item.variants {
        let ident = variant.ident.to_string();
        let owner = format!("{name}::{ident}");
        let spot = Spot::new(&code.file, variant, owner.clone()).to_string();
        let wire = serde(&variant.attrs).map(|found| found.get("rename").cloned().flatten());
        let body = match &variant.fields {
            Fields::Unit => Some(json!({"type": "null"})),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => schema(&fields.unnamed[0].ty),
            Fields::Named(fields) => Some(fields_schema(fields, &owner, code)),
            Fields::Unnamed(_) => None,
        };
        let (Some(wire), Some(mut body)) = (wire, body) else {
            code.unrecognised(variant, format!("the variant `{owner}`"));
            continue;
        };
        let wire = wire.unwrap_or_else(|| ident.clone());
        let unit = matches!(variant.fields, Fields::Unit);
        // The variant for strings that the document does not list.
        let attributes = serde(&variant.attrs).unwrap_or_default();
        let other = attributes.contains_key("untagged");
        if other
            && attributes.len() == 1
            && !untagged
            && tag.is_none()
            && !open
            && body == json!({"type": "string"})
        {
            open = true;
            continue;
        }
        if other || open {
            code.unrecognised(variant, format!("the variant `{owner}`"));
            continue;
        }
        if denies && matches!(variant.fields, Fields::Named(_)) {
            body["additionalProperties"] = false.into();
        }
        if unit && !untagged && tag.is_none() {
            texts.push(Value::from(wire));
            continue;
        }
        let schema = match (&tag, untagged) {
            (_, true) => body,
            (None, false) => {
                json!({"type": "object", "properties": {&wire: body}, "required": [&wire],
                    "x-sent": [&wire], "additionalProperties": false})
            }
            (Some(tag), false) if unit => tagged(json!({"type": "object"}), tag, &wire),
            (Some(tag), false) => tagged(body, tag, &wire),
        };
        names.push(ident);
        spots.push(spot);
        variants.push(schema);
    }
    let mut schema = match (texts.is_empty(), variants.is_empty()) {
        (false, true) if open => json!({"type": "string", "enum": texts, "x-open": true}),
        (false, true) => json!({"type": "string", "enum": texts}),
        (true, false) if untagged => json!({ "anyOf": variants }),
        (true, false) => json!({ "oneOf": variants }),
        _ => {
            code.unrecognised(item, format!("the variants of `{name}`"));
            return None;
        }
    };
    if open && schema.get("x-open").is_none() {
        code.unrecognised(item, format!("the variants of `{name}`"));
        return None;
    }
    schema["x-rust"] = json!({"spot": spot, "variants": names, "spots": spots});
    if let (true, Some(item)) = (untagged, impls.get(&(name.clone(), "Deserialize<'de>".to_owned()))) {
        if let Some(reads) = reading::read(item, &name) {
            schema["x-rust"]["reads"] = reads.into();
        } else if let Some(read) = union::read(item, &name) {
            keeping(&mut schema, &read);
        }
    }
    Some(schema)
}

/// Removes the variant that keeps JSON from the alternatives, if they are tried in their order.
fn keeping(schema: &mut Value, read: &Union) {
    let names: Vec<Value> = read.variants.iter().map(|variant| variant.name.clone().into()).collect();
    let Some(variants) = schema.pointer("/x-rust/variants").and_then(Value::as_array) else { return };
    let Some((last, variants)) = variants.split_last() else { return };
    let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) else { return };
    let Some((Value::Bool(true), alternatives)) = alternatives.split_last() else { return };
    if *last != *read.other || variants != names {
        return;
    }
    let told =
        |of: fn(&Variant) -> &Vec<Value>| read.variants.iter().map(|one| json!(of(one))).collect::<Value>();
    schema["anyOf"] = alternatives.into();
    schema["x-kept"] = read.other.clone().into();
    schema["x-rust"]["variants"] = names.into();
    schema["x-rust"]["checks"] = told(|one| &one.checks);
    schema["x-rust"]["tags"] = told(|one| &one.tags);
}

/// Returns the object with the property that determines the variant.
fn tagged(mut schema: Value, tag: &str, value: &str) -> Value {
    schema["type"] = "object".into();
    schema["properties"][tag] = json!({"type": "string", "const": value});
    for keyword in ["required", "x-sent"] {
        let mut names = vec![Value::from(tag)];
        names.extend(schema[keyword].as_array().cloned().unwrap_or_default());
        schema[keyword] = names.into();
    }
    schema
}

/// Returns the function of a newtype's `FromStr` or `TryFrom` that creates one.
fn checking(item: &ItemImpl) -> Option<&ImplItemFn> {
    item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) => Some(function),
        _ => None,
    })
}

/// Returns the checks before `Ok(Self(..))` as keywords, or `None` if there is a statement of another form.
fn checks_of(function: &ImplItemFn) -> Option<Value> {
    let mut checks = Map::new();
    for stmt in &function.block.stmts {
        match stmt {
            Stmt::Expr(Expr::If(check), _) => {
                if let Expr::Binary(compared) = &*check.cond {
                    let keyword = match (text(&compared.left).as_str(), &compared.op) {
                        ("value.chars().count()", syn::BinOp::Gt(_)) => "maxLength",
                        ("value.chars().count()", syn::BinOp::Lt(_)) => "minLength",
                        _ => return None,
                    };
                    checks.insert(keyword.to_owned(), constant(&compared.right)?);
                } else if let Some((denied, values)) = listed(&check.cond) {
                    let (keyword, value) =
                        if denied { ("not", json!({ "enum": values })) } else { ("enum", values.into()) };
                    checks.insert(keyword.to_owned(), value);
                } else if text(&check.cond) != "PATTERN.find(value).is_none()" {
                    return None;
                }
            }
            Stmt::Item(Item::Static(item)) if item.ident == "PATTERN" => {
                let said = text(&item.expr);
                let start = "::std::sync::LazyLock::new(||{::regress::Regex::new(";
                let literal = said.strip_prefix(start)?.strip_suffix(").unwrap()})")?;
                checks.insert("pattern".to_owned(), string(&syn::parse_str(literal).ok()?)?.into());
            }
            Stmt::Expr(expr, None) => {
                let said = text(only(expr));
                if said != "Ok(Self(value.to_string()))" && said != "Ok(Self(value))" {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(checks.into())
}

/// Reads `![a, b].contains(&value)`, or the same without the negation, which means that these values are rejected.
fn listed(condition: &Expr) -> Option<(bool, Vec<Value>)> {
    let (denied, call) = match condition {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => (false, &*unary.expr),
        other => (true, other),
    };
    let Expr::MethodCall(call) = call else { return None };
    let Expr::Array(array) = &*call.receiver else { return None };
    if call.method != "contains" {
        return None;
    }
    Some((denied, array.elems.iter().map(constant).collect::<Option<_>>()?))
}

/// Reads a literal, possibly negated or converted to a `String`.
fn constant(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse::<i64>().ok().map(Value::from),
            Lit::Float(number) => number.base10_parse::<f64>().ok().map(Value::from),
            Lit::Str(text) => Some(text.value().into()),
            Lit::Bool(value) => Some(value.value.into()),
            _ => None,
        },
        Expr::MethodCall(call) if call.method == "to_string" => constant(&call.receiver),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            let value = constant(&unary.expr)?;
            value.as_i64().map(|n| (-n).into()).or_else(|| value.as_f64().map(|n| (-n).into()))
        }
        _ => None,
    }
}
