//! Reads the rules of requests as the JSON Schema that they express.
//!
//! Each rule is one keyword. A static becomes a definition, and a reference to it a `$ref`. Conditions are a list under `if`, each with the
//! schemas that apply if it holds and if it does not.

use serde_json::{Map, Number, Value, json};
use syn::{Expr, Item, Lit, Token, UnOp, parse::Parser, punctuated::Punctuated};

use super::{
    Code,
    tokens::{string, text},
};

/// Reads the module of the rules.
pub(super) fn read(items: &[Item], code: &mut Code) {
    for item in items {
        let (name, schema) = match item {
            Item::Use(_) => continue,
            Item::Macro(item) if item.mac.path.is_ident("macro_rules") => continue,
            // `schema!(NAME: rule, rule);`
            Item::Macro(item) if item.mac.path.is_ident("schema") => {
                let parser = |input: syn::parse::ParseStream<'_>| {
                    let name: syn::Ident = input.parse()?;
                    input.parse::<Token![:]>()?;
                    Ok((name, Punctuated::<Expr, Token![,]>::parse_terminated(input)?))
                };
                match parser.parse2(item.mac.tokens.clone()) {
                    Ok((name, rules)) => (name.to_string(), schema(rules.iter())),
                    Err(_) => (String::new(), None),
                }
            }
            // `pub static NAME: Schema = Schema::new(&[..]);`
            Item::Static(item) => (item.ident.to_string(), constructed(&item.expr)),
            _ => (String::new(), None),
        };
        match schema {
            Some(schema) => drop(code.rules.insert(name, schema)),
            None => code.unrecognised(item, format!("the rules `{name}`")),
        }
    }
}

/// Reads `Schema::new(&[..])`.
fn constructed(expr: &Expr) -> Option<Value> {
    let Expr::Call(call) = expr else { return None };
    let rules = slice(call.args.first()?)?;
    (text(&call.func) == "Schema::new" && call.args.len() == 1).then(|| schema(rules.into_iter()))?
}

fn schema<'e>(rules: impl Iterator<Item = &'e Expr>) -> Option<Value> {
    let mut members = Map::new();
    for expr in rules {
        let (name, arguments) = match expr {
            Expr::Path(path) => (text(path), Vec::new()),
            Expr::Call(call) => (text(&call.func), call.args.iter().collect()),
            _ => return None,
        };
        for (keyword, value) in rule(&name, &arguments)? {
            match (members.get_mut(keyword), value) {
                (None, value) => drop(members.insert(keyword.to_owned(), value)),
                // There may be several conditions.
                (Some(Value::Array(known)), Value::Array(more)) if keyword == "if" => known.extend(more),
                _ => return None,
            }
        }
    }
    if members.remove("never").is_some() {
        return Some(Value::Bool(false));
    }
    Some(members.into())
}

/// Returns the keywords of a rule.
fn rule(name: &str, arguments: &[&Expr]) -> Option<Vec<(&'static str, Value)>> {
    let flag = |keyword: &'static str| Some(vec![(keyword, Value::Bool(true))]);
    match (name, arguments) {
        ("Never", []) => return flag("never"),
        ("UniqueItems", []) => return flag("uniqueItems"),
        ("Sensitive", []) => return flag("x-sensitive"),
        ("Contains", [one, least, most]) => {
            let count = |expr: &Expr| number(expr).map(Value::Number);
            let (least, most) = (count(least)?, count(most)?);
            return Some(vec![("contains", refer(one)?), ("minContains", least), ("maxContains", most)]);
        }
        ("If", [parts]) => {
            let parts = list(parts, refer)?;
            return Some(vec![("if", json!([parts]))]);
        }
        _ => {}
    }
    let [value] = arguments else { return None };
    let keyword = KEYWORDS.iter().find(|(rule, ..)| *rule == name)?;
    let value = match keyword.2 {
        Operand::Count => Value::Number(number(value)?),
        Operand::Bound => bound(value)?,
        Operand::Type => word("Type", value)?.to_ascii_lowercase().into(),
        Operand::Types => list(value, |one| Some(word("Type", one)?.to_ascii_lowercase().into()))?.into(),
        Operand::Format => dashed(&word("Format", value)?).into(),
        Operand::Pattern => pattern(value)?.into(),
        Operand::Data => data(value)?,
        Operand::AllData => list(value, data)?.into(),
        Operand::Names => list(value, |one| string(one).map(Value::from))?.into(),
        Operand::One => refer(value)?,
        Operand::All => list(value, refer)?.into(),
        Operand::ByName => pairs(value, string, refer)?.into(),
        Operand::ByPattern => pairs(value, pattern, refer)?.into(),
        Operand::Back => {
            let Expr::Call(call) = *value else { return None };
            (text(&call.func) == "Reference").then(|| refer(call.args.first()?))??
        }
    };
    match (keyword.2, value) {
        // Replaces the whole schema.
        (Operand::Back, value) => Some(vec![("$ref", value.get("$ref")?.clone())]),
        (_, value) => Some(vec![(keyword.1, value)]),
    }
}

/// The arguments of a rule.
#[derive(Clone, Copy)]
enum Operand {
    Count,
    Bound,
    Type,
    Types,
    Format,
    Pattern,
    Data,
    AllData,
    Names,
    One,
    All,
    ByName,
    ByPattern,
    Back,
}

/// Rule, keyword, arguments.
const KEYWORDS: [(&str, &str, Operand); 29] = [
    ("Type", "type", Operand::Type),
    ("Types", "type", Operand::Types),
    ("Enum", "enum", Operand::AllData),
    ("Const", "const", Operand::Data),
    ("Format", "format", Operand::Format),
    ("MinLength", "minLength", Operand::Count),
    ("MaxLength", "maxLength", Operand::Count),
    ("Pattern", "pattern", Operand::Pattern),
    ("Minimum", "minimum", Operand::Bound),
    ("Maximum", "maximum", Operand::Bound),
    ("ExclusiveMinimum", "exclusiveMinimum", Operand::Bound),
    ("ExclusiveMaximum", "exclusiveMaximum", Operand::Bound),
    ("MultipleOf", "multipleOf", Operand::Bound),
    ("MinItems", "minItems", Operand::Count),
    ("MaxItems", "maxItems", Operand::Count),
    ("PrefixItems", "prefixItems", Operand::All),
    ("Items", "items", Operand::One),
    ("MinProperties", "minProperties", Operand::Count),
    ("MaxProperties", "maxProperties", Operand::Count),
    ("Required", "required", Operand::Names),
    ("Properties", "properties", Operand::ByName),
    ("PatternProperties", "patternProperties", Operand::ByPattern),
    ("AdditionalProperties", "additionalProperties", Operand::One),
    ("PropertyNames", "propertyNames", Operand::One),
    ("AllOf", "allOf", Operand::All),
    ("AnyOf", "anyOf", Operand::All),
    ("OneOf", "oneOf", Operand::All),
    ("Not", "not", Operand::One),
    ("Ref", "$ref", Operand::Back),
];

/// Reads `&NAME`, or `&Schema::new(&[..])`.
fn refer(expr: &Expr) -> Option<Value> {
    let Expr::Reference(reference) = expr else { return None };
    match &*reference.expr {
        Expr::Path(path) => Some(json!({ "$ref": format!("#/$defs/{}", path.path.get_ident()?) })),
        other => constructed(other),
    }
}

/// Reads `&[..]`.
fn slice(expr: &Expr) -> Option<Vec<&Expr>> {
    let Expr::Reference(reference) = expr else { return None };
    let Expr::Array(array) = &*reference.expr else { return None };
    Some(array.elems.iter().collect())
}

fn list(expr: &Expr, one: impl Fn(&Expr) -> Option<Value>) -> Option<Vec<Value>> {
    slice(expr)?.into_iter().map(one).collect()
}

fn pairs(
    expr: &Expr,
    key: impl Fn(&Expr) -> Option<String>,
    value: impl Fn(&Expr) -> Option<Value>,
) -> Option<Map<String, Value>> {
    let pair = |expr: &Expr| {
        let Expr::Tuple(pair) = expr else { return None };
        let [name, schema] = pair.elems.iter().collect::<Vec<_>>()[..] else { return None };
        Some((key(name)?, value(schema)?))
    };
    slice(expr)?.into_iter().map(pair).collect()
}

/// Returns the variant of this enum.
fn word(of: &str, expr: &Expr) -> Option<String> {
    text(expr).strip_prefix(&format!("{of}::")).map(str::to_owned)
}

/// Converts `DateTime` to `date-time`.
pub(crate) fn dashed(name: &str) -> String {
    let mut dashed = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !dashed.is_empty() {
            dashed.push('-');
        }
        dashed.extend(c.to_lowercase());
    }
    dashed
}

/// Reads `pattern!("..", "u")`.
fn pattern(expr: &Expr) -> Option<String> {
    let Expr::Macro(call) = expr else { return None };
    let arguments = call.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
    call.mac.path.is_ident("pattern").then(|| string(arguments.first()?))?
}

/// Reads `Number::Integer(1)`.
fn bound(expr: &Expr) -> Option<Value> {
    let Expr::Call(call) = expr else { return None };
    let known = ["Number::Integer", "Number::Large", "Number::Float"].contains(&text(&call.func).as_str());
    known.then(|| number(call.args.first()?).map(Value::Number))?
}

fn number(expr: &Expr) -> Option<Number> {
    let (negative, expr) = match expr {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => (true, &*unary.expr),
        other => (false, other),
    };
    let Expr::Lit(literal) = expr else { return None };
    let sign = if negative { "-" } else { "" };
    match &literal.lit {
        Lit::Int(number) => format!("{sign}{}", number.base10_digits()).parse().ok(),
        Lit::Float(number) => {
            let value: f64 = format!("{sign}{}", number.base10_digits()).parse().ok()?;
            Number::from_f64(value)
        }
        _ => None,
    }
}

/// Reads `Json::String("..")`.
fn data(expr: &Expr) -> Option<Value> {
    if text(expr) == "Json::Null" {
        return Some(Value::Null);
    }
    let Expr::Call(call) = expr else { return None };
    let value = call.args.first()?;
    Some(match text(&call.func).as_str() {
        "Json::Boolean" => match text(value).as_str() {
            "true" => true.into(),
            "false" => false.into(),
            _ => return None,
        },
        "Json::Number" => bound(value)?,
        "Json::String" => string(value)?.into(),
        "Json::Array" => list(value, data)?.into(),
        "Json::Object" => pairs(value, string, data)?.into(),
        _ => return None,
    })
}
