//! Writes rules as Rust.
//!
//! A schema is an invocation of a macro, because the printer would put each element of other code on its own line:
//!
//! ```text
//! schema!(USER_MERGE: Type(Type::Object), Required(&["from_user_id"]), Properties(&[("from_user_id", &STRING)]));
//! ```

use std::collections::BTreeMap;

use proc_macro2::{Ident, Literal, Punct, Spacing, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use serde_json::{Number, Value};

use super::model::{FORMATS, Id, Model, Rule, Schema};

/// The rules as Rust code.
#[derive(Debug, Clone)]
pub struct Rust {
    /// `pub mod rules { … }`, with a static for each separate schema.
    pub module: TokenStream,
    bodies: BTreeMap<(String, String), TokenStream>,
    parameters: BTreeMap<[String; 4], TokenStream>,
}

impl Rust {
    /// Returns an expression of type `&'static Schema`: the rules of an operation's body, if it is JSON or a form.
    pub fn body(&self, path: &str, method: &str) -> Option<&TokenStream> {
        self.bodies.get(&(path.to_owned(), method.to_owned()))
    }

    /// Returns an expression of type `&'static Schema`: the rules of a parameter, if the operation has it.
    pub fn parameter(&self, path: &str, method: &str, name: &str, place: &str) -> Option<TokenStream> {
        let key = [path, method, name, place].map(str::to_owned);
        self.parameters.get(&key).cloned()
    }
}

/// Writes the rules. `runtime` is the path of the module with the types of rules (`crate::rules`), `module` is that of the generated module
/// as seen from the operations (`super::rules`).
pub fn rust(model: &Model, runtime: &TokenStream, module: &TokenStream) -> Rust {
    let mut statics: Vec<&Schema> = model.schemas.iter().filter(|schema| schema.is_static).collect();
    statics.sort_by(|left, right| left.name.cmp(&right.name));
    let statics = statics.into_iter().map(|schema| {
        let name = ident(&schema.name);
        let rules = rules(model, schema);
        quote!(schema!(#name: #rules);)
    });
    let patterns = model
        .schemas
        .iter()
        .flat_map(|schema| &schema.rules)
        .any(|rule| matches!(rule, Rule::Pattern(_) | Rule::PatternProperties(_)));
    let pattern = patterns.then(pattern_macro);
    let module_tokens = quote! {
        #[doc = "What the document says of requests."]
        #[allow(unused_imports, unused_macros)]
        pub mod rules {
            use #runtime::{Format, Json, Number, Pattern, Reference, Rule::*, Schema, Type};
            macro_rules! schema {
                ($name:ident: $($rule:expr),*) => { pub static $name: Schema = Schema::new(&[$($rule),*]); };
            }
            #pattern
            #(#statics)*
        }
    };
    let reference = |id: Id| {
        let name = ident(&model.schemas[id].name);
        quote!(&#module::#name)
    };
    let mut bodies = BTreeMap::new();
    let mut parameters = BTreeMap::new();
    for operation in &model.operations {
        let key = (operation.path.clone(), operation.method.clone());
        if let Some(body) = operation.body {
            bodies.insert(key.clone(), reference(body));
        }
        for parameter in &operation.parameters {
            let (path, method) = key.clone();
            let key = [path, method, parameter.name.clone(), parameter.place.clone()];
            parameters.insert(key, reference(parameter.schema));
        }
    }
    Rust { module: module_tokens, bodies, parameters }
}

/// Returns the flags with which a pattern can be parsed: with `u` as in JSON Schema, or without, as many patterns are written.
pub(crate) fn flags(pattern: &str) -> Option<&'static str> {
    ["u", ""].into_iter().find(|flags| regress::Regex::with_flags(pattern, *flags).is_ok())
}

/// Generates a macro that compiles a pattern once, where it is used, so that a document without patterns needs no engine.
fn pattern_macro() -> TokenStream {
    quote! {
        macro_rules! pattern {
            ($text:literal, $flags:literal) => {
                &Pattern::new($text, &|text| {
                    static REGEX: std::sync::LazyLock<::regress::Regex> = std::sync::LazyLock::new(|| {
                        ::regress::Regex::with_flags($text, $flags).expect("the generator has read it")
                    });
                    REGEX.find(text).is_some()
                })
            };
        }
    }
}

fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// Returns `&` without a following space.
fn borrow(to: impl ToTokens) -> TokenStream {
    let and = Punct::new('&', Spacing::Joint);
    quote!(#and #to)
}

/// Returns `&[…]`.
fn slice(items: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let items = items.into_iter();
    borrow(quote!([#(#items),*]))
}

fn rules(model: &Model, schema: &Schema) -> TokenStream {
    let rules = schema.rules.iter().map(|rule| self::rule(model, rule));
    quote!(#(#rules),*)
}

/// Returns a reference to a schema, or the schema itself.
fn schema(model: &Model, id: Id) -> TokenStream {
    let schema = &model.schemas[id];
    if schema.is_static {
        return borrow(ident(&schema.name));
    }
    let rules = rules(model, schema);
    let rules = borrow(quote!([#rules]));
    borrow(quote!(Schema::new(#rules)))
}

fn rule(model: &Model, rule: &Rule) -> TokenStream {
    let keyword = |name: &str, value: TokenStream| {
        let name = ident(name);
        quote!(#name(#value))
    };
    let one = |name: &str, id: &Id| keyword(name, schema(model, *id));
    let list = |name: &str, ids: &[Id]| keyword(name, slice(ids.iter().map(|id| schema(model, *id))));
    let count = |name: &str, count: u64| keyword(name, Literal::u64_unsuffixed(count).into_token_stream());
    let bound = |name: &str, bound: &Number| keyword(name, number(bound));
    let pairs = |name: &str, pairs: &[(String, Id)], key: &dyn Fn(&str) -> TokenStream| {
        let pairs = pairs.iter().map(|(name, id)| {
            let (key, schema) = (key(name), schema(model, *id));
            quote!((#key, #schema))
        });
        keyword(name, slice(pairs))
    };
    match rule {
        Rule::Type(types) => {
            let mut names = types.iter().map(|name| {
                let name = format_ident!("{name:?}");
                quote!(Type::#name)
            });
            match types.len() {
                1 => keyword("Type", names.next().unwrap_or_default()),
                _ => keyword("Types", slice(names)),
            }
        }
        Rule::Never => quote!(Never),
        Rule::Enum(values) => keyword("Enum", slice(values.iter().map(json))),
        Rule::Const(value) => keyword("Const", json(value)),
        Rule::Format(name) => {
            let variant =
                FORMATS.iter().find(|(known, _)| known == name).map_or("Email", |(_, variant)| variant);
            let variant = ident(variant);
            quote!(Format(Format::#variant))
        }
        Rule::MinLength(least) => count("MinLength", *least),
        Rule::MaxLength(most) => count("MaxLength", *most),
        Rule::Pattern(text) => keyword("Pattern", pattern(text)),
        Rule::Minimum(least) => bound("Minimum", least),
        Rule::Maximum(most) => bound("Maximum", most),
        Rule::ExclusiveMinimum(least) => bound("ExclusiveMinimum", least),
        Rule::ExclusiveMaximum(most) => bound("ExclusiveMaximum", most),
        Rule::MultipleOf(divisor) => bound("MultipleOf", divisor),
        Rule::MinItems(least) => count("MinItems", *least),
        Rule::MaxItems(most) => count("MaxItems", *most),
        Rule::UniqueItems => quote!(UniqueItems),
        Rule::PrefixItems(ids) => list("PrefixItems", ids),
        Rule::Items(id) => one("Items", id),
        Rule::Contains(id, least, most) => {
            let schema = schema(model, *id);
            let (least, most) = (Literal::u32_unsuffixed(*least), Literal::u32_unsuffixed(*most));
            quote!(Contains(#schema, #least, #most))
        }
        Rule::MinProperties(least) => count("MinProperties", *least),
        Rule::MaxProperties(most) => count("MaxProperties", *most),
        Rule::Required(names) => keyword("Required", slice(names.iter().map(|name| quote!(#name)))),
        Rule::Properties(list) => pairs("Properties", list, &|name| quote!(#name)),
        Rule::PatternProperties(list) => pairs("PatternProperties", list, &pattern),
        Rule::AdditionalProperties(id) => one("AdditionalProperties", id),
        Rule::PropertyNames(id) => one("PropertyNames", id),
        Rule::AllOf(ids) => list("AllOf", ids),
        Rule::AnyOf(ids) => list("AnyOf", ids),
        Rule::OneOf(ids) => list("OneOf", ids),
        Rule::Not(id) => one("Not", id),
        Rule::If(ids) => list("If", ids),
        Rule::Ref(id) => {
            let schema = schema(model, *id);
            quote!(Ref(Reference(#schema)))
        }
        Rule::Sensitive => quote!(Sensitive),
    }
}

fn pattern(text: &str) -> TokenStream {
    let flags = flags(text).unwrap_or_default();
    quote!(pattern!(#text, #flags))
}

fn number(number: &Number) -> TokenStream {
    if let Some(integer) = number.as_i64() {
        let digits = Literal::u64_unsuffixed(integer.unsigned_abs());
        let number = signed(integer < 0, &digits);
        return quote!(Number::Integer(#number));
    }
    if let Some(integer) = number.as_u64() {
        let digits = Literal::u64_unsuffixed(integer);
        return quote!(Number::Large(#digits));
    }
    let float = number.as_f64().unwrap_or_default();
    // Unlike `f64_unsuffixed`, this uses an exponent if that is shorter.
    let digits =
        format!("{:?}", float.abs()).parse().unwrap_or_else(|_| Literal::f64_unsuffixed(float.abs()));
    let number = signed(float.is_sign_negative(), &digits);
    quote!(Number::Float(#number))
}

fn signed(negative: bool, digits: &Literal) -> TokenStream {
    let minus = negative.then(|| Punct::new('-', Spacing::Joint));
    quote!(#minus #digits)
}

fn json(value: &Value) -> TokenStream {
    match value {
        Value::Null => quote!(Json::Null),
        Value::Bool(value) => quote!(Json::Boolean(#value)),
        Value::Number(value) => {
            let number = number(value);
            quote!(Json::Number(#number))
        }
        Value::String(text) => quote!(Json::String(#text)),
        Value::Array(items) => {
            let items = slice(items.iter().map(json));
            quote!(Json::Array(#items))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = json(value);
                quote!((#name, #value))
            });
            let members = slice(members);
            quote!(Json::Object(#members))
        }
    }
}
