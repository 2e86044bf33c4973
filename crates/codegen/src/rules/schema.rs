//! Reads a single JSON Schema as rules.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Number, Value};

use super::model::{FORMATS, Id, Rule, Type};
use crate::{Pointer, Report, lower::whole, report::Kind};

/// A source of rules: a schema in the document, or one that is composed of its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The schema at a place.
    At(Pointer),
    /// Any value.
    Anything,
    /// `null`.
    Null,
    /// The schema at a place, ignoring its `nullable`.
    NotNull(Pointer),
    /// An object with this member.
    Has(String),
    /// An object with these members.
    HasAll(Vec<String>),
}

/// The context for reading a schema.
pub(super) struct Context<'a> {
    /// Whether the document uses OpenAPI 3.0.
    pub(super) is_3_0: bool,
    /// The required members that a request may leave out, each with the place of the schema that requires it.
    pub(super) read_only: HashSet<(Pointer, String)>,
    /// The document.
    pub(super) document: &'a Value,
    /// The report of what is lost.
    pub(super) report: &'a mut Report,
}

/// Keywords that reject instances and that the rules cannot express.
const LOST: [&str; 4] = ["$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"];

/// Keywords that apply further schemas to the same value; the members and items in them count as evaluated.
const IN_PLACE: [&str; 9] =
    ["$ref", "allOf", "anyOf", "dependencies", "dependentSchemas", "if", "not", "oneOf", "$dynamicRef"];

/// Formats that describe how a value is stored or shown, rather than which values are valid.
const ANNOTATIONS: [&str; 7] = ["binary", "byte", "double", "float", "int32", "int64", "password"];

/// Reads the schema of a source. `to` assigns a number to each further schema.
pub(super) fn read(
    source: &Source,
    context: &mut Context<'_>,
    to: &mut impl FnMut(Source) -> Id,
) -> Vec<Rule> {
    match source {
        Source::At(pointer) | Source::NotNull(pointer) => match pointer.get(context.document) {
            Some(Value::Bool(false)) => vec![Rule::Never],
            Some(Value::Object(schema)) => {
                let nullable = !matches!(source, Source::NotNull(_)) && flag(schema, "nullable");
                Reader { schema, pointer, nullable, context, to, rules: Vec::new() }.read()
            }
            _ => Vec::new(),
        },
        Source::Anything => Vec::new(),
        Source::Null => vec![Rule::Type(vec![Type::Null])],
        Source::Has(name) => vec![Rule::Type(vec![Type::Object]), Rule::Required(vec![name.clone()])],
        Source::HasAll(names) => vec![Rule::Required(names.clone())],
    }
}

fn flag(schema: &Map<String, Value>, keyword: &str) -> bool {
    schema.get(keyword) == Some(&Value::Bool(true))
}

struct Reader<'a, 'c, F> {
    schema: &'a Map<String, Value>,
    pointer: &'a Pointer,
    /// Whether null is valid regardless of the other keywords.
    nullable: bool,
    context: &'a mut Context<'c>,
    to: &'a mut F,
    rules: Vec<Rule>,
}

impl<F: FnMut(Source) -> Id> Reader<'_, '_, F> {
    /// Reads the keywords in the order of `Rule`, so that equal schemas have equal rules.
    fn read(mut self) -> Vec<Rule> {
        if self.nullable && IN_PLACE.iter().any(|keyword| self.get(keyword).is_some()) {
            // The other schemas must not reject null.
            let parts = [Source::NotNull(self.pointer.clone()), Source::Null];
            let parts = parts.map(|part| (self.to)(part));
            self.report_nullable();
            return vec![Rule::AnyOf(parts.to_vec())];
        }
        self.types();
        self.values();
        self.strings();
        self.numbers();
        self.arrays();
        self.objects();
        self.combinations();
        if flag(self.schema, "x-sensitive") {
            self.rules.push(Rule::Sensitive);
        }
        for keyword in LOST {
            if self.get(keyword).is_some() && !self.is_carried(keyword) {
                self.lost(keyword, format!("no rule carries `{keyword}`"));
            }
        }
        self.rules
    }

    /// Returns the value of a keyword. A keyword without a value counts as absent.
    fn get(&self, keyword: &str) -> Option<&Value> {
        self.schema.get(keyword).filter(|value| !value.is_null())
    }

    fn lost(&mut self, keyword: &str, note: impl Into<String>) {
        self.context.report.add(Kind::Widened, &self.pointer.child(keyword), note);
    }

    fn report_nullable(&mut self) {
        if !self.context.is_3_0 {
            self.lost("nullable", "OpenAPI 3.1 gives it no meaning; null is valid here");
        }
    }

    fn below(&mut self, step: &Pointer) -> Id {
        (self.to)(Source::At(self.pointer.join(step)))
    }

    fn one(&mut self, keyword: &str) -> Option<Id> {
        self.get(keyword)?;
        Some(self.below(&Pointer::root().child(keyword)))
    }

    fn list(&mut self, keyword: &str) -> Option<Vec<Id>> {
        let count = self.get(keyword)?.as_array()?.len();
        let place = Pointer::root().child(keyword);
        Some((0..count).map(|index| self.below(&place.child(index))).collect())
    }

    fn map(&mut self, keyword: &str) -> Option<Vec<(String, Id)>> {
        let names: Vec<String> = self.get(keyword)?.as_object()?.keys().cloned().collect();
        let place = Pointer::root().child(keyword);
        Some(names.into_iter().map(|name| (name.clone(), self.below(&place.child(name)))).collect())
    }

    fn types(&mut self) {
        let names = match self.get("type") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(name)) => vec![name.as_str()],
            _ => return,
        };
        let mut types: BTreeSet<Type> = names.into_iter().filter_map(Type::from_name).collect();
        if types.contains(&Type::Number) {
            types.remove(&Type::Integer);
        }
        if self.nullable && types.insert(Type::Null) {
            self.report_nullable();
        }
        if !types.is_empty() {
            self.rules.push(Rule::Type(types.into_iter().collect()));
        }
    }

    fn values(&mut self) {
        if let Some(Value::Array(values)) = self.get("enum") {
            let mut distinct: Vec<Value> = Vec::new();
            let null = self.nullable.then_some(&Value::Null);
            for value in values.iter().chain(null) {
                if !distinct.contains(value) {
                    distinct.push(value.clone());
                }
            }
            self.rules.push(Rule::Enum(distinct));
        }
        // Here null is a value.
        if let Some(value) = self.schema.get("const") {
            let rule = if self.nullable {
                Rule::Enum(vec![value.clone(), Value::Null])
            } else {
                Rule::Const(value.clone())
            };
            self.rules.push(rule);
        }
    }

    fn strings(&mut self) {
        if let Some(name) = self.get("format").and_then(Value::as_str) {
            if let Some((known, _)) = FORMATS.iter().find(|(known, _)| *known == name) {
                self.rules.push(Rule::Format(known));
            } else if !ANNOTATIONS.contains(&name) && self.may_be_string() {
                let note = format!("the format `{name}` is not checked");
                self.lost("format", note);
            }
        }
        self.count("minLength", Rule::MinLength);
        self.count("maxLength", Rule::MaxLength);
        if let Some(pattern) = self.get("pattern").and_then(Value::as_str).map(str::to_owned)
            && self.is_readable(&pattern, "pattern")
        {
            self.rules.push(Rule::Pattern(pattern));
        }
    }

    /// Returns whether the value may be a string. Formats of other types describe a width or a unit.
    fn may_be_string(&self) -> bool {
        self.rules.iter().all(|rule| !matches!(rule, Rule::Type(types) if !types.contains(&Type::String)))
    }

    fn is_readable(&mut self, pattern: &str, keyword: &str) -> bool {
        let readable = super::emit::flags(pattern).is_some();
        if !readable {
            self.lost(keyword, format!("`{pattern}` is not a regular expression"));
        }
        readable
    }

    fn count(&mut self, keyword: &str, rule: impl FnOnce(u64) -> Rule) {
        let Some(value) = self.get(keyword) else { return };
        let count = value.as_u64().or_else(|| whole(value).and_then(|count| u64::try_from(count).ok()));
        match count {
            Some(0) if keyword.starts_with("min") => {}
            Some(count) => self.rules.push(rule(count)),
            None => self.lost(keyword, "no 64 bits hold it"),
        }
    }

    fn numbers(&mut self) {
        for (keyword, exclusive, inclusively, exclusively) in [
            (
                "minimum",
                "exclusiveMinimum",
                Rule::Minimum as fn(Number) -> Rule,
                Rule::ExclusiveMinimum as fn(Number) -> Rule,
            ),
            ("maximum", "exclusiveMaximum", Rule::Maximum, Rule::ExclusiveMaximum),
        ] {
            // In 3.0, the exclusive bound is a flag of the other one.
            let is_exclusive = flag(self.schema, exclusive);
            if let Some(bound) = self.number(keyword) {
                self.rules.push(if is_exclusive { exclusively(bound) } else { inclusively(bound) });
            }
            if let Some(bound) = self.number(exclusive) {
                self.rules.push(exclusively(bound));
            }
        }
        if let Some(number) = self.number("multipleOf")
            && number.as_f64().is_some_and(|number| number > 0.0)
        {
            self.rules.push(Rule::MultipleOf(number));
        }
    }

    fn number(&self, keyword: &str) -> Option<Number> {
        match self.get(keyword) {
            Some(Value::Number(number)) => Some(number.clone()),
            _ => None,
        }
    }

    fn arrays(&mut self) {
        self.count("minItems", Rule::MinItems);
        self.count("maxItems", Rule::MaxItems);
        if flag(self.schema, "uniqueItems") {
            self.rules.push(Rule::UniqueItems);
        }
        // A list under `items` is the older drafts' `prefixItems`, and `additionalItems` is their `items`.
        let old = self.get("items").is_some_and(Value::is_array);
        let (prefix, rest) = if old { ("items", "additionalItems") } else { ("prefixItems", "items") };
        if let Some(prefix) = self.list(prefix) {
            self.rules.push(Rule::PrefixItems(prefix));
        }
        let unevaluated = self.is_carried("unevaluatedItems").then_some("unevaluatedItems");
        if let Some(items) = self.one(unevaluated.unwrap_or(rest)) {
            self.rules.push(Rule::Items(items));
        }
        if let Some(id) = self.one("contains") {
            let bound =
                |keyword: &str| self.get(keyword).and_then(whole).and_then(|it| u32::try_from(it).ok());
            let (least, most) = (bound("minContains").unwrap_or(1), bound("maxContains").unwrap_or(u32::MAX));
            self.rules.push(Rule::Contains(id, least, most));
        }
    }

    /// Returns whether an `unevaluated…` keyword is equivalent to the keyword for further items or members. This is the case if no further
    /// schema evaluates any.
    fn is_carried(&self, keyword: &str) -> bool {
        let taken: &[&str] = match keyword {
            "unevaluatedProperties" => &["additionalProperties"],
            "unevaluatedItems" => &["items", "additionalItems", "contains"],
            _ => return false,
        };
        self.get(keyword).is_some() && !IN_PLACE.iter().chain(taken).any(|other| self.get(other).is_some())
    }

    fn objects(&mut self) {
        self.count("minProperties", Rule::MinProperties);
        self.count("maxProperties", Rule::MaxProperties);
        let required = self.required();
        if !required.is_empty() {
            self.rules.push(Rule::Required(required));
        }
        if let Some(properties) = self.map("properties").filter(|properties| !properties.is_empty()) {
            self.rules.push(Rule::Properties(properties));
        }
        if let Some(mut patterns) = self.map("patternProperties") {
            patterns.retain(|(pattern, _)| self.is_readable(pattern, "patternProperties"));
            self.rules.push(Rule::PatternProperties(patterns));
        }
        let unevaluated = self.is_carried("unevaluatedProperties").then_some("unevaluatedProperties");
        let additional = unevaluated.unwrap_or("additionalProperties");
        if self.get(additional).is_some_and(|schema| *schema != Value::Bool(true))
            && let Some(id) = self.one(additional)
        {
            self.rules.push(Rule::AdditionalProperties(id));
        }
        if let Some(id) = self.one("propertyNames") {
            self.rules.push(Rule::PropertyNames(id));
        }
    }

    /// Returns the required members. In 3.0, a read-only property is not required in a request.
    fn required(&self) -> Vec<String> {
        let is_read_only =
            |name: &str| self.context.read_only.contains(&(self.pointer.clone(), name.to_owned()));
        let mut names: Vec<String> = Vec::new();
        for name in self.get("required").and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = name.as_str() else { continue };
            if !names.iter().any(|other| other == name) && !is_read_only(name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    fn combinations(&mut self) {
        let mut all = Vec::new();
        // A schema that only contains a reference was already resolved by the caller.
        if let Some(target) = self.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference) {
            all.push((self.to)(Source::At(target)));
        }
        all.extend(self.list("allOf").unwrap_or_default());
        if !all.is_empty() {
            self.rules.push(Rule::AllOf(all));
        }
        if let Some(parts) = self.list("anyOf") {
            self.rules.push(Rule::AnyOf(parts));
        }
        if let Some(parts) = self.list("oneOf") {
            self.rules.push(Rule::OneOf(parts));
        }
        if let Some(id) = self.one("not") {
            self.rules.push(Rule::Not(id));
        }
        if (self.get("then").is_some() || self.get("else").is_some())
            && let Some(condition) = self.one("if")
        {
            let part = |id: Option<Id>, to: &mut F| id.unwrap_or_else(|| to(Source::Anything));
            let (then, otherwise) = (self.one("then"), self.one("else"));
            let parts = [condition, part(then, self.to), part(otherwise, self.to)];
            self.rules.push(Rule::If(parts));
        }
        for keyword in ["dependencies", "dependentRequired", "dependentSchemas"] {
            self.dependencies(keyword);
        }
    }

    /// Reads the requirements of a member, if it exists: other members, or a schema for the whole.
    fn dependencies(&mut self, keyword: &str) {
        let Some(Value::Object(dependencies)) = self.get(keyword) else { return };
        for (name, dependency) in dependencies.clone() {
            let then = match dependency {
                Value::Array(names) => {
                    let names = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    (self.to)(Source::HasAll(names))
                }
                _ => self.below(&Pointer::root().child(keyword).child(&name)),
            };
            let parts = [(self.to)(Source::Has(name)), then, (self.to)(Source::Anything)];
            self.rules.push(Rule::If(parts));
        }
    }
}

/// Follows references without other keywords; lint has checked that they have targets.
pub(super) fn resolve<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    // More hops than any document has in a row, but fewer than a circle.
    for _ in 0..64 {
        let target = value.get("$ref").and_then(Value::as_str).and_then(Pointer::from_reference);
        match target.and_then(|place| place.get(document)) {
            Some(target) => value = target,
            None => break,
        }
    }
    value
}
