//! Reads hand-written deserialization of unions: ordered alternatives, each with its conditions. A value that none keeps completely stays
//! JSON.
//!
//! Converts the conditions of an alternative to JSON: `{"member", "one of"}`, `{"member", "bound"}`, `{"member", "length"}`,
//! `{"member", "pattern"}`, `{"present"}` and `{"not"}`. They are compared with the document's declarations about its alternatives.

use serde_json::{Value, json};
use syn::{
    BinOp, Expr, ExprBinary, ExprClosure, ExprMethodCall, ImplItem, ItemImpl, Lit, LitStr, Stmt, Token, UnOp,
    parse::Parser, punctuated::Punctuated,
};

use super::{
    reading::{bare, head_of},
    tokens::{only, string, text},
};
use crate::schema::plain_number;

/// The deserialization of a union.
pub(super) struct Union {
    /// The variants in order, with the checks and the tags of each.
    pub(super) variants: Vec<Variant>,
    /// The variant that keeps JSON.
    pub(super) other: String,
}

#[derive(Default)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) checks: Vec<Value>,
    pub(super) tags: Vec<Value>,
}

/// The paths of the function that decodes a union.
const RUNTIMES: [&str; 2] = ["crate", "suprsend_api"];

/// Returns `None` if anything has another form.
pub(super) fn read(item: &ItemImpl, name: &str) -> Option<Union> {
    let head = format!("impl<'de>::serde::Deserialize<'de>for {name}");
    let signature = "fn deserialize<__D:::serde::Deserializer<'de>>(deserializer:__D)->\
                     ::std::result::Result<Self,__D::Error>";
    let [ImplItem::Fn(function)] = item.items.as_slice() else { return None };
    let [Stmt::Expr(Expr::Call(call), None)] = function.block.stmts.as_slice() else { return None };
    let fits = head_of(item) == head && bare(function) && text(&function.sig) == signature;
    let called = text(&call.func);
    let runtime = RUNTIMES.into_iter().find(|runtime| called == format!("{runtime}::union::read"))?;
    let arguments: Vec<&Expr> = call.args.iter().collect();
    let [given, Expr::Reference(list), other] = arguments.as_slice() else { return None };
    let Expr::Array(list) = &*list.expr else { return None };
    if !fits || text(given) != "deserializer" {
        return None;
    }
    let variants = list.elems.iter().map(|one| variant(one, runtime)).collect::<Option<_>>()?;
    Some(Union { variants, other: text(other).strip_prefix("Self::")?.to_owned() })
}

fn variant(expr: &Expr, runtime: &str) -> Option<Variant> {
    match expr {
        Expr::Call(call) if text(&call.func) == format!("{runtime}::union::Variant::new") => {
            let reads = text(only(closure_body(call.args.first()?, "value")?));
            let name = reads.strip_prefix("::serde::Deserialize::deserialize(value).map(Self::")?;
            let name = name.strip_suffix(')').filter(|_| call.args.len() == 1)?;
            syn::parse_str::<syn::Ident>(name).ok()?;
            Some(Variant { name: name.to_owned(), ..Variant::default() })
        }
        Expr::MethodCall(call) if call.args.len() == 1 => {
            let mut variant = variant(&call.receiver, runtime)?;
            let asked = all(closure_body(call.args.first()?, "value")?)?;
            let list = match call.method.to_string().as_str() {
                "when" => &mut variant.checks,
                "tagged" => &mut variant.tags,
                _ => return None,
            };
            list.is_empty().then(|| list.extend(asked))?;
            Some(variant)
        }
        _ => None,
    }
}

/// Returns the body of a closure that has only this argument.
fn closure_body<'e>(expr: &'e Expr, argument: &str) -> Option<&'e Expr> {
    let Expr::Closure(ExprClosure { body, .. }) = expr else { return None };
    (text(expr) == format!("|{argument}|{}", text(body))).then_some(body)
}

/// Returns the conditions of a conjunction.
fn all(expr: &Expr) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    operands(only(expr), |op| matches!(op, BinOp::And(_)), &mut found);
    found.into_iter().map(one).collect()
}

/// Returns the two sides of an operator.
fn operands<'e>(expr: &'e Expr, is: fn(&BinOp) -> bool, found: &mut Vec<&'e Expr>) {
    match expr {
        Expr::Binary(ExprBinary { left, op, right, .. }) if is(op) => {
            operands(left, is, found);
            operands(right, is, found);
        }
        other => found.push(only(other)),
    }
}

fn one(expr: &Expr) -> Option<Value> {
    let expr = only(expr);
    match expr {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => Some(json!({"not": all(&unary.expr)?})),
        Expr::MethodCall(call) if call.method == "is_some" && call.args.is_empty() => {
            let Expr::MethodCall(get) = &*call.receiver else { return None };
            let name = get.args.first().filter(|_| get.method == "get" && text(&get.receiver) == "value")?;
            Some(json!({"present": string(name)?}))
        }
        Expr::MethodCall(call) if call.method == "is_none_or" => limit(call),
        _ => {
            let mut found = Vec::new();
            operands(expr, |op| matches!(op, BinOp::Or(_)), &mut found);
            let equal: Vec<(String, String)> = found.into_iter().map(equals).collect::<Option<_>>()?;
            let (name, _) = equal.first()?.clone();
            let mut values: Vec<String> = Vec::new();
            for (of, value) in equal {
                if of != name || values.contains(&value) {
                    return None;
                }
                values.push(value);
            }
            values.sort();
            Some(json!({"member": name, "one of": values}))
        }
    }
}

/// Returns the member of the value.
fn member(expr: &Expr) -> Option<String> {
    let Expr::Index(index) = expr else { return None };
    string(&index.index).filter(|_| text(&index.expr) == "value")
}

/// Returns the member and its required value, as JSON.
fn equals(expr: &Expr) -> Option<(String, String)> {
    match expr {
        Expr::MethodCall(call) if call.method == "is_null" && call.args.is_empty() => {
            Some((member(&call.receiver)?, "null".to_owned()))
        }
        Expr::Binary(ExprBinary { left, op: BinOp::Eq(_), right, .. }) => {
            if let Some(name) = member(left) {
                let value = match (number(right), &**right) {
                    (Some(number), _) => plain_number(number),
                    (None, Expr::Lit(literal)) => match &literal.lit {
                        Lit::Str(text) => Value::from(text.value()).to_string(),
                        Lit::Bool(value) => value.value.to_string(),
                        _ => return None,
                    },
                    _ => return None,
                };
                return Some((name, value));
            }
            let Expr::MethodCall(call) = &**left else { return None };
            let Expr::Call(some) = &**right else { return None };
            let fits = call.method == "as_f64" && text(&some.func) == "::std::option::Option::Some";
            let value = some.args.first().filter(|_| fits && some.args.len() == 1)?;
            Some((member(&call.receiver)?, plain_number(number(value)?)))
        }
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => number(&unary.expr).map(|number| -number),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            Lit::Float(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Reads `value["n"].as_f64().is_none_or(|number| number >= 1f64)` and similar expressions.
fn limit(call: &ExprMethodCall) -> Option<Value> {
    let Expr::MethodCall(of) = &*call.receiver else { return None };
    let name = member(&of.receiver)?;
    let closure = call.args.first().filter(|_| call.args.len() == 1 && of.args.is_empty())?;
    let argument = match of.method.to_string().as_str() {
        "as_f64" => "number",
        "as_str" => "text",
        _ => return None,
    };
    match (argument, only(closure_body(closure, argument)?)) {
        (_, Expr::Binary(ExprBinary { left, op, right, .. })) => {
            let kind = match (argument, text(left).as_str()) {
                ("number", "number") => "bound",
                ("text", "text.chars().count()") => "length",
                _ => return None,
            };
            Some(json!({"member": name, kind: format!("{} {}", text(op), plain_number(number(right)?))}))
        }
        ("text", Expr::Block(block)) => {
            let [Stmt::Item(item), Stmt::Expr(finds, None)] = block.block.stmts.as_slice() else {
                return None;
            };
            let said = text(item);
            let (before, rest) = said.split_once("::regress::Regex::with_flags(")?;
            let (arguments, after) = rest
                .rsplit_once(')')
                .and_then(|(rest, _)| rest.rsplit_once(')'))
                .and_then(|(rest, _)| rest.rsplit_once(')'))?;
            let bare = |text: &str| text.replace(['{', '}'], "");
            let fits = bare(before)
                == "static PATTERN:::std::sync::LazyLock<::std::option::Option<::regress::Regex>>=\
                    ::std::sync::LazyLock::new(||"
                && bare(after) == ".ok("
                && text(finds) == "PATTERN.as_ref().is_none_or(|pattern|pattern.find(text).is_some())";
            let literals = Punctuated::<LitStr, Token![,]>::parse_terminated.parse_str(arguments).ok()?;
            let literals: Vec<String> = literals.iter().map(LitStr::value).collect();
            let [pattern, flags] = literals.as_slice() else { return None };
            (fits && (flags == "u" || flags.is_empty())).then(|| json!({"member": name, "pattern": pattern}))
        }
        _ => None,
    }
}
