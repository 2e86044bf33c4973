//! Converts JSON Schema to rules at run time, through the model that the generator writes as Rust.

use serde_json::{Value, json};
use suprsend_api::rules::{Format, Json, Number, Pattern, Reference, Rule, Schema, Type};
use suprsend_codegen::{
    Report,
    rules::model::{self, Id, Model},
};

/// The number of times that a recursive schema is expanded. Deeper levels are not validated, and no test reaches them.
const UNROLLED: usize = 8;

/// Returns a document whose only request has a body with this schema.
pub(super) fn document(schema: &Value, components: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": {"/": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}},
        "components": {"schemas": components},
    })
}

/// Converts a schema to rules. It refers to itself as `#/paths/~1/post/requestBody/content/application~1json/schema`.
pub(super) fn schema(schema: &Value) -> &'static Schema {
    body(&document(schema, &json!({})))
}

/// Returns the rules of the only body of a document.
pub(super) fn body(document: &Value) -> &'static Schema {
    let model = suprsend_codegen::rules::read(document, &mut Report::default());
    let body = model.operations[0].body.unwrap();
    convert(&model, body, 0)
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn list<T>(values: impl IntoIterator<Item = T>) -> &'static [T] {
    Vec::leak(values.into_iter().collect())
}

fn text(text: &str) -> &'static str {
    String::leak(text.to_owned())
}

fn convert(model: &Model, id: Id, depth: usize) -> &'static Schema {
    leak(Schema::new(list(model.schemas[id].rules.iter().map(|rule| self::rule(model, rule, depth)))))
}

fn rule(model: &Model, rule: &model::Rule, depth: usize) -> Rule {
    let one = |id: &Id| convert(model, *id, depth);
    let all = |ids: &[Id]| list(ids.iter().map(one));
    match rule {
        model::Rule::Type(types) => match types.as_slice() {
            [name] => Rule::Type(kind(*name)),
            names => Rule::Types(list(names.iter().map(|name| kind(*name)))),
        },
        model::Rule::Never => Rule::Never,
        model::Rule::Enum(values) => Rule::Enum(list(values.iter().map(value))),
        model::Rule::Const(constant) => Rule::Const(value(constant)),
        model::Rule::Format(name) => Rule::Format(match *name {
            "date" => Format::Date,
            "date-time" => Format::DateTime,
            "email" => Format::Email,
            "hostname" => Format::Hostname,
            "ipv4" => Format::Ipv4,
            "ipv6" => Format::Ipv6,
            "time" => Format::Time,
            "uri" => Format::Uri,
            "uri-reference" => Format::UriReference,
            "uuid" => Format::Uuid,
            name => panic!("{name}"),
        }),
        model::Rule::MinLength(least) => Rule::MinLength(*least),
        model::Rule::MaxLength(most) => Rule::MaxLength(*most),
        model::Rule::Pattern(text) => Rule::Pattern(pattern(text)),
        model::Rule::Minimum(least) => Rule::Minimum(number(least)),
        model::Rule::Maximum(most) => Rule::Maximum(number(most)),
        model::Rule::ExclusiveMinimum(least) => Rule::ExclusiveMinimum(number(least)),
        model::Rule::ExclusiveMaximum(most) => Rule::ExclusiveMaximum(number(most)),
        model::Rule::MultipleOf(divisor) => Rule::MultipleOf(number(divisor)),
        model::Rule::MinItems(least) => Rule::MinItems(*least),
        model::Rule::MaxItems(most) => Rule::MaxItems(*most),
        model::Rule::UniqueItems => Rule::UniqueItems,
        model::Rule::PrefixItems(ids) => Rule::PrefixItems(all(ids)),
        model::Rule::Items(id) => Rule::Items(one(id)),
        model::Rule::Contains(id, least, most) => Rule::Contains(one(id), *least, *most),
        model::Rule::MinProperties(least) => Rule::MinProperties(*least),
        model::Rule::MaxProperties(most) => Rule::MaxProperties(*most),
        model::Rule::Required(names) => Rule::Required(list(names.iter().map(|name| text(name)))),
        model::Rule::Properties(properties) => {
            Rule::Properties(list(properties.iter().map(|(name, id)| (text(name), one(id)))))
        }
        model::Rule::PatternProperties(properties) => {
            Rule::PatternProperties(list(properties.iter().map(|(name, id)| (pattern(name), one(id)))))
        }
        model::Rule::AdditionalProperties(id) => Rule::AdditionalProperties(one(id)),
        model::Rule::PropertyNames(id) => Rule::PropertyNames(one(id)),
        model::Rule::AllOf(ids) => Rule::AllOf(all(ids)),
        model::Rule::AnyOf(ids) => Rule::AnyOf(all(ids)),
        model::Rule::OneOf(ids) => Rule::OneOf(all(ids)),
        model::Rule::Not(id) => Rule::Not(one(id)),
        model::Rule::If(ids) => Rule::If(leak(ids.map(|id| one(&id)))),
        model::Rule::Ref(_) if depth == UNROLLED => Rule::Ref(Reference(leak(Schema::new(&[])))),
        model::Rule::Ref(id) => Rule::Ref(Reference(convert(model, *id, depth + 1))),
        model::Rule::Sensitive => Rule::Sensitive,
    }
}

fn kind(name: model::Type) -> Type {
    match name {
        model::Type::Null => Type::Null,
        model::Type::Boolean => Type::Boolean,
        model::Type::Integer => Type::Integer,
        model::Type::Number => Type::Number,
        model::Type::String => Type::String,
        model::Type::Array => Type::Array,
        model::Type::Object => Type::Object,
    }
}

fn pattern(pattern: &str) -> &'static Pattern {
    let regex = regress::Regex::with_flags(pattern, "u").unwrap();
    leak(Pattern::new(text(pattern), leak(move |text: &str| regex.find(text).is_some())))
}

fn number(number: &serde_json::Number) -> Number {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(number), ..) => Number::Integer(number),
        (_, Some(number), _) => Number::Large(number),
        (.., number) => Number::Float(number.unwrap()),
    }
}

fn value(json: &Value) -> Json {
    match json {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Boolean(*value),
        Value::Number(value) => Json::Number(number(value)),
        Value::String(value) => Json::String(text(value)),
        Value::Array(items) => Json::Array(list(items.iter().map(value))),
        Value::Object(members) => {
            Json::Object(list(members.iter().map(|(name, member)| (text(name), value(member)))))
        }
    }
}
