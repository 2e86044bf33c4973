//! The rules of a document, before they are written as Rust.

use serde_json::{Number, Value};

/// A schema among those of [`Model::schemas`].
pub(crate) type Id = usize;

/// The rules of all requests of a document.
///
/// Equal schemas are one, whatever they are called and wherever they stand.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    /// The schemas, which refer to each other.
    pub(crate) schemas: Vec<Schema>,
    /// The operations in the order of the document.
    pub(crate) operations: Vec<Operation>,
}

/// The rules of the requests of one operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    /// The path template.
    pub(crate) path: String,
    /// The method, in lower case.
    pub(crate) method: String,
    /// The parameters, those of the path item included.
    pub(crate) parameters: Vec<Parameter>,
    /// The schema of the body, if it is JSON or a form.
    pub(crate) body: Option<Id>,
}

/// The rules of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub(crate) place: String,
    /// The schema of its value.
    pub(crate) schema: Id,
}

/// A schema with a name that was derived from where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    /// A name in the form of Rust constants. Only those of schemas that are written as a static of their own differ.
    pub(crate) name: String,
    /// Whether it is a static of its own, rather than written where it is used.
    pub(crate) is_static: bool,
    /// The rules, in the order of [`Rule`].
    pub(crate) rules: Vec<Rule>,
}

/// A keyword with its value. The variants are those of `rules::Rule` in the generated code's crate.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "they are the keywords")]
pub(crate) enum Rule {
    Type(Vec<Type>),
    Never,
    Enum(Vec<Value>),
    Const(Value),
    Format(&'static str),
    MinLength(u64),
    MaxLength(u64),
    Pattern(String),
    Minimum(Number),
    Maximum(Number),
    ExclusiveMinimum(Number),
    ExclusiveMaximum(Number),
    MultipleOf(Number),
    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    PrefixItems(Vec<Id>),
    Items(Id),
    Contains(Id, u32, u32),
    MinProperties(u64),
    MaxProperties(u64),
    Required(Vec<String>),
    Properties(Vec<(String, Id)>),
    PatternProperties(Vec<(String, Id)>),
    AdditionalProperties(Id),
    PropertyNames(Id),
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    If([Id; 3]),
    /// A schema that this one is a part of.
    Ref(Id),
    Sensitive,
}

/// A type of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the types of JSON")]
pub(crate) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    /// Returns the type that `type` calls so.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }
}

/// The formats that are checked: as the document has them, and the variant of `rules::Format`.
pub(super) const FORMATS: [(&str, &str); 10] = [
    ("date", "Date"),
    ("date-time", "DateTime"),
    ("email", "Email"),
    ("hostname", "Hostname"),
    ("ipv4", "Ipv4"),
    ("ipv6", "Ipv6"),
    ("time", "Time"),
    ("uri", "Uri"),
    ("uri-reference", "UriReference"),
    ("uuid", "Uuid"),
];

impl Rule {
    /// The schemas that the rule refers to.
    pub(super) fn children(&self) -> Vec<Id> {
        match self {
            Self::Items(id)
            | Self::Contains(id, ..)
            | Self::AdditionalProperties(id)
            | Self::PropertyNames(id)
            | Self::Not(id)
            | Self::Ref(id) => vec![*id],
            Self::PrefixItems(ids) | Self::AllOf(ids) | Self::AnyOf(ids) | Self::OneOf(ids) => ids.clone(),
            Self::Properties(list) | Self::PatternProperties(list) => list.iter().map(|(_, id)| *id).collect(),
            Self::If(ids) => ids.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The same rule with other schemas.
    pub(super) fn map(&self, to: &mut impl FnMut(Id) -> Id) -> Self {
        let mut rule = self.clone();
        match &mut rule {
            Self::Items(id)
            | Self::Contains(id, ..)
            | Self::AdditionalProperties(id)
            | Self::PropertyNames(id)
            | Self::Not(id)
            | Self::Ref(id) => *id = to(*id),
            Self::PrefixItems(ids) | Self::AllOf(ids) | Self::AnyOf(ids) | Self::OneOf(ids) => {
                ids.iter_mut().for_each(|id| *id = to(*id));
            }
            Self::Properties(list) | Self::PatternProperties(list) => {
                list.iter_mut().for_each(|(_, id)| *id = to(*id));
            }
            Self::If(ids) => ids.iter_mut().for_each(|id| *id = to(*id)),
            _ => {}
        }
        rule
    }
}
