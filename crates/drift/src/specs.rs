//! Compares the compiled constants of operations and their rules with what was read from their source.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use suprsend_api::{
    Credential, Spec,
    rules::{self, Json, Number, Rule, Schema},
};

use super::{
    code::{Code, dashed},
    finding::{Difference, Kind},
    pointer::Pointer,
};

/// The compiled constants by operation id.
pub(crate) type Constants = BTreeMap<String, Value>;

pub(crate) fn constants(compiled: &[&Spec]) -> Constants {
    compiled.iter().map(|spec| (spec.id.to_owned(), spec_to_value(spec))).collect()
}

/// Compares the facts about operations that were read from the source with the compiled constants, and returns the differences.
pub(crate) fn verify(code: &Code, compiled: &Constants) -> Vec<Difference> {
    let mut open: BTreeMap<&str, &Value> = compiled.iter().map(|(id, spec)| (id.as_str(), spec)).collect();
    let mut differences = Vec::new();
    let mut differ = |id: &str, rust: String, source: Value, compiled: Value| {
        if source != compiled {
            differences.push(Difference {
                kind: Kind::Unrecognised,
                pointer: Pointer::root(),
                place: Pointer::root().child("rust").child("operations").child(id),
                rust,
                owner: None,
                document: Value::Null,
                code: json!({"source": source, "compiled": compiled}),
            });
        }
    };
    for operation in &code.operations {
        let compiled = open.remove(operation.id.as_str());
        let mut source = operation.spec();
        // Replaces the names of rules with their content.
        let said = |name: &mut Value| {
            *name =
                name.as_str().map_or(Value::Null, |name| inlined(&code.rules, &refer(name), &mut Vec::new()));
        };
        source["parameters"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .for_each(|parameter| said(&mut parameter[2]));
        said(&mut source["body"]);
        differ(&operation.id, operation.spot.to_string(), source, compiled.cloned().unwrap_or_default());
    }
    for (id, spec) in open {
        differ(id, id.to_owned(), Value::Null, spec.clone());
    }
    differences
}

fn refer(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Stands for a schema that contains the reference to it.
const BACK: &str = "back";

/// Returns rules from the source, with the rules that they refer to inlined.
fn inlined(rules: &BTreeMap<String, Value>, schema: &Value, open: &mut Vec<String>) -> Value {
    match schema {
        Value::Object(members) => {
            let name =
                members.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            if let Some(name) = name {
                if open.iter().any(|known| known == name) {
                    return json!({ "$ref": BACK });
                }
                open.push(name.to_owned());
                let whole = rules.get(name).map_or(Value::Null, |schema| inlined(rules, schema, open));
                open.pop();
                return whole;
            }
            let mut members: Map<String, Value> = members
                .iter()
                .map(|(key, value)| {
                    let data = matches!(key.as_str(), "const" | "enum");
                    (key.clone(), if data { value.clone() } else { inlined(rules, value, open) })
                })
                .collect();
            members.sort_keys();
            members.into()
        }
        Value::Array(values) => values.iter().map(|value| inlined(rules, value, open)).collect(),
        _ => schema.clone(),
    }
}

fn spec_to_value(spec: &Spec) -> Value {
    let credential = match spec.credential {
        Credential::None => "None".to_owned(),
        Credential::Bearer => "Bearer".to_owned(),
        Credential::Basic => "Basic".to_owned(),
        Credential::Scheme(name) => format!("Scheme({name:?})"),
        Credential::Header(name) => format!("Header({name:?})"),
        Credential::Query(name) => format!("Query({name:?})"),
        Credential::Other(name) => format!("Other({name:?})"),
        _ => "unknown".to_owned(),
    };
    let parameters: Vec<Value> = spec
        .parameters
        .iter()
        .map(|parameter| {
            let place = format!("{:?}", parameter.place).to_ascii_lowercase();
            json!([parameter.name, place, schema_to_value(parameter.rules)])
        })
        .collect();
    json!({
        "id": spec.id,
        "method": spec.method.as_str().to_ascii_lowercase(),
        "path": spec.path,
        "server": spec.server,
        "credential": credential,
        "idempotent": spec.idempotent,
        "response": format!("{:?}", spec.response),
        "parameters": parameters,
        "body": spec.body.map(schema_to_value),
        "verdict": spec.verdict.map(|verdict| {
            json!({"asked_by": verdict.asked_by, "holds": verdict.holds, "reasons": verdict.reasons})
        }),
    })
}

/// Converts compiled rules to JSON Schema.
fn schema_to_value(schema: &Schema) -> Value {
    let mut members = Map::new();
    let mut conditions: Vec<Value> = Vec::new();
    for rule in schema.rules() {
        let (keyword, value) = match rule {
            Rule::Never => return Value::Bool(false),
            Rule::Ref(_) => return json!({ "$ref": BACK }),
            Rule::If(parts) => {
                conditions.push(parts.iter().map(|part| schema_to_value(part)).collect());
                continue;
            }
            Rule::Contains(one, least, most) => {
                members.insert("minContains".to_owned(), json!(least));
                members.insert("maxContains".to_owned(), json!(most));
                ("contains", schema_to_value(one))
            }
            other => rule_to_keyword(other),
        };
        members.insert(keyword.to_owned(), value);
    }
    if !conditions.is_empty() {
        members.insert("if".to_owned(), conditions.into());
    }
    members.sort_keys();
    members.into()
}

fn rule_to_keyword(rule: &Rule) -> (&'static str, Value) {
    let word = |of: rules::Type| Value::from(format!("{of:?}").to_ascii_lowercase());
    let list = |schemas: &[&Schema]| schemas.iter().map(|schema| schema_to_value(schema)).collect::<Value>();
    match rule {
        Rule::Type(of) => ("type", word(*of)),
        Rule::Types(all) => ("type", all.iter().copied().map(word).collect()),
        Rule::Enum(values) => ("enum", values.iter().map(json_to_value).collect()),
        Rule::Const(value) => ("const", json_to_value(value)),
        Rule::Format(format) => ("format", dashed(&format!("{format:?}")).into()),
        Rule::MinLength(least) => ("minLength", json!(least)),
        Rule::MaxLength(most) => ("maxLength", json!(most)),
        Rule::Pattern(pattern) => ("pattern", pattern.as_str().into()),
        Rule::Minimum(bound) => ("minimum", number_to_value(*bound)),
        Rule::Maximum(bound) => ("maximum", number_to_value(*bound)),
        Rule::ExclusiveMinimum(bound) => ("exclusiveMinimum", number_to_value(*bound)),
        Rule::ExclusiveMaximum(bound) => ("exclusiveMaximum", number_to_value(*bound)),
        Rule::MultipleOf(divisor) => ("multipleOf", number_to_value(*divisor)),
        Rule::MinItems(least) => ("minItems", json!(least)),
        Rule::MaxItems(most) => ("maxItems", json!(most)),
        Rule::UniqueItems => ("uniqueItems", Value::Bool(true)),
        Rule::PrefixItems(all) => ("prefixItems", list(all)),
        Rule::Items(one) => ("items", schema_to_value(one)),
        Rule::MinProperties(least) => ("minProperties", json!(least)),
        Rule::MaxProperties(most) => ("maxProperties", json!(most)),
        Rule::Required(names) => ("required", json!(names)),
        Rule::Properties(all) => {
            let all = all.iter().map(|(name, schema)| ((*name).to_owned(), schema_to_value(schema)));
            ("properties", in_order(all.collect()))
        }
        Rule::PatternProperties(all) => {
            let all =
                all.iter().map(|(pattern, schema)| (pattern.as_str().to_owned(), schema_to_value(schema)));
            ("patternProperties", in_order(all.collect()))
        }
        Rule::AdditionalProperties(one) => ("additionalProperties", schema_to_value(one)),
        Rule::PropertyNames(one) => ("propertyNames", schema_to_value(one)),
        Rule::AllOf(all) => ("allOf", list(all)),
        Rule::AnyOf(all) => ("anyOf", list(all)),
        Rule::OneOf(all) => ("oneOf", list(all)),
        Rule::Not(one) => ("not", schema_to_value(one)),
        Rule::Sensitive => ("x-sensitive", Value::Bool(true)),
        Rule::Never | Rule::Ref(_) | Rule::If(_) | Rule::Contains(..) => ("", Value::Null),
    }
}

fn in_order(mut members: Map<String, Value>) -> Value {
    members.sort_keys();
    members.into()
}

fn number_to_value(number: Number) -> Value {
    match number {
        Number::Integer(number) => json!(number),
        Number::Large(number) => json!(number),
        Number::Float(number) => json!(number),
    }
}

fn json_to_value(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Boolean(value) => json!(value),
        Json::Number(number) => number_to_value(*number),
        Json::String(text) => json!(text),
        Json::Array(values) => values.iter().map(json_to_value).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json_to_value(value)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
