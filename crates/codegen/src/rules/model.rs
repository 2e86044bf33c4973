//! The rules of a document, before they are written as Rust.

use serde_json::{Number, Value};

/// The index of a schema in [`Model::schemas`].
pub type Id = usize;

/// The rules of all requests of a document.
///
/// Equal schemas are merged, whatever their names and places.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// The schemas, which refer to each other.
    pub schemas: Vec<Schema>,
    /// The operations in the order of the document.
    pub operations: Vec<Operation>,
}

/// The rules of the requests of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// The path template.
    pub path: String,
    /// The method in lowercase.
    pub method: String,
    /// The parameters, including those of the path item.
    pub parameters: Vec<Parameter>,
    /// The schema of the body, if it is JSON or a form.
    pub body: Option<Id>,
}

/// The rules of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name.
    pub name: String,
    /// `path`, `query`, `header` or `cookie`.
    pub place: String,
    /// The schema of the value.
    pub schema: Id,
}

/// A schema with a name that is derived from its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// A name in the form of Rust constants. It is unique only among schemas that are written as separate statics.
    pub name: String,
    /// Whether it is a separate static, rather than written where it is used.
    pub is_static: bool,
    /// The rules, in the order of [`Rule`].
    pub rules: Vec<Rule>,
}

/// A keyword with its value. The variants are those of `rules::Rule` in the crate of the generated code.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "they are the keywords")]
pub enum Rule {
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
    /// A schema that contains this one.
    Ref(Id),
    Sensitive,
}

/// A type of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "they are the types of JSON")]
pub enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Type {
    /// Returns the type with this name in `type`.
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

/// The formats that are validated: the name in the document, and the variant of `rules::Format`.
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
    /// Returns the schemas that the rule refers to.
    pub(super) fn children(&self) -> Vec<Id> {
        self.clone().children_mut().into_iter().map(|id| *id).collect()
    }

    /// Returns the same rule with other schemas.
    pub(super) fn map(&self, to: &mut impl FnMut(Id) -> Id) -> Self {
        let mut rule = self.clone();
        for id in rule.children_mut() {
            *id = to(*id);
        }
        rule
    }

    fn children_mut(&mut self) -> Vec<&mut Id> {
        match self {
            Self::Items(id)
            | Self::Contains(id, ..)
            | Self::AdditionalProperties(id)
            | Self::PropertyNames(id)
            | Self::Not(id)
            | Self::Ref(id) => vec![id],
            Self::PrefixItems(ids) | Self::AllOf(ids) | Self::AnyOf(ids) | Self::OneOf(ids) => {
                ids.iter_mut().collect()
            }
            Self::Properties(list) | Self::PatternProperties(list) => {
                list.iter_mut().map(|(_, id)| id).collect()
            }
            Self::If(ids) => ids.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}
