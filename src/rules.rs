//! Validation rules for the values in a request, as constant data.
//!
//! A [`Schema`] contains what the OpenAPI document declares about a value: the keywords of JSON Schema 2020-12 in a form that needs no
//! parsing. The generated operations refer to the schemas of their parameters and bodies, so that whoever sends an operation can validate
//! its values.

use std::fmt;

/// The rules of a value, all of which apply.
///
/// Each keyword except [`Rule::If`] occurs at most once in a schema, and none constrains values of a type that it does not apply to:
/// `minLength` does not constrain numbers. Without a rule, any value is valid. A schema that contains itself does so through [`Rule::Ref`],
/// so that its `Debug` output is finite.
///
/// ```
/// use suprsend_api::rules::{Format, Rule, Schema, Type};
///
/// static EMAIL: Schema = Schema::new(&[Rule::Type(Type::String), Rule::Format(Format::Email)]);
/// assert!(EMAIL.allows(Type::String) && !EMAIL.allows(Type::Null));
/// ```
#[derive(Clone, Copy)]
pub struct Schema {
    rules: &'static [Rule],
    /// The types of valid values, one bit each.
    types: u8,
    /// The groups that contain a rule, one bit each.
    groups: u8,
}

impl Schema {
    /// Creates a schema from its rules.
    pub const fn new(rules: &'static [Rule]) -> Self {
        let (mut types, mut groups) = (u8::MAX, 0);
        let mut index = 0;
        while index < rules.len() {
            types &= rules[index].types();
            groups |= rules[index].groups();
            index += 1;
        }
        Self { rules, types, groups }
    }

    /// Returns the rules.
    #[inline]
    pub const fn rules(&self) -> &'static [Rule] {
        self.rules
    }

    /// Returns whether the rules accept values of a type. A number without a fraction is an `Integer`.
    #[inline]
    pub const fn allows(&self, value: Type) -> bool {
        self.types & value.bit() != 0
    }

    /// Returns whether any of the rules is in the group, so that callers can skip the others.
    #[inline]
    pub const fn has(&self, group: Group) -> bool {
        self.groups & group.bit() != 0
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.rules).finish()
    }
}

/// The part of a value that a rule applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// The value of a scalar.
    Scalar,
    /// A whole value: `enum` and `const`.
    Whole,
    /// Each item of an array.
    Items,
    /// Each member of an object.
    Members,
    /// The number of items or members, and which of them exist.
    Count,
    /// Further schemas for the same value.
    Combination,
    /// No part: the rule marks the value as sensitive.
    Mark,
}

impl Group {
    #[inline]
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A keyword of JSON Schema with its value.
///
/// The enumeration is deliberately exhaustive: code that validates values must know every keyword, or it accepts values that the OpenAPI
/// document forbids.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// `type` with one name.
    Type(Type),
    /// `type` with several names.
    Types(&'static [Type]),
    /// `false`: no value is valid.
    Never,
    /// `enum`: the value is one of these.
    Enum(&'static [Json]),
    /// `const`: the value is this one.
    Const(Json),
    /// `format` of a string.
    Format(Format),
    /// `minLength` in Unicode scalar values.
    MinLength(u64),
    /// `maxLength` in Unicode scalar values.
    MaxLength(u64),
    /// `pattern`: a regular expression that matches somewhere in a string.
    Pattern(&'static Pattern),
    /// `minimum`.
    Minimum(Number),
    /// `maximum`.
    Maximum(Number),
    /// `exclusiveMinimum`.
    ExclusiveMinimum(Number),
    /// `exclusiveMaximum`.
    ExclusiveMaximum(Number),
    /// `multipleOf`.
    MultipleOf(Number),
    /// `minItems`.
    MinItems(u64),
    /// `maxItems`.
    MaxItems(u64),
    /// `uniqueItems: true`.
    UniqueItems,
    /// `prefixItems`: the schemas of the first items, by position.
    PrefixItems(&'static [&'static Schema]),
    /// `items`: the schema of the items after those of [`PrefixItems`](Self::PrefixItems).
    Items(&'static Schema),
    /// `contains` with `minContains` and `maxContains`: the minimum and maximum number of items that match the schema.
    Contains(&'static Schema, u32, u32),
    /// `minProperties`.
    MinProperties(u64),
    /// `maxProperties`.
    MaxProperties(u64),
    /// `required`: the members that an object must have.
    Required(&'static [&'static str]),
    /// `properties`: the schemas of members by name.
    Properties(&'static [(&'static str, &'static Schema)]),
    /// `patternProperties`: the schemas of the members whose names match.
    PatternProperties(&'static [(&'static Pattern, &'static Schema)]),
    /// `additionalProperties`: the schema of the members that neither `properties` nor `patternProperties` of this schema names.
    AdditionalProperties(&'static Schema),
    /// `propertyNames`: the schema of the names of all members.
    PropertyNames(&'static Schema),
    /// `allOf`.
    AllOf(&'static [&'static Schema]),
    /// `anyOf`.
    AnyOf(&'static [&'static Schema]),
    /// `oneOf`.
    OneOf(&'static [&'static Schema]),
    /// `not`.
    Not(&'static Schema),
    /// `if`, `then` and `else`. A missing one is a schema without rules. `dependentRequired` and `dependentSchemas` are expressed in this
    /// way, too: if the member exists, the schema applies.
    If(&'static [&'static Schema; 3]),
    /// `$ref` to a schema that contains this one.
    Ref(Reference),
    /// `x-sensitive: true`: the value is secret or personal, and no message shows it.
    Sensitive,
}

impl Rule {
    const fn types(&self) -> u8 {
        match self {
            Self::Type(name) => name.accepted(),
            Self::Types(names) => {
                let (mut types, mut index) = (0, 0);
                while index < names.len() {
                    types |= names[index].accepted();
                    index += 1;
                }
                types
            }
            Self::Never => 0,
            _ => u8::MAX,
        }
    }

    const fn groups(&self) -> u8 {
        match self {
            Self::Type(_) | Self::Types(_) | Self::Never => 0,
            Self::Enum(_) | Self::Const(_) => Group::Whole.bit() | Group::Scalar.bit(),
            Self::Format(_)
            | Self::MinLength(_)
            | Self::MaxLength(_)
            | Self::Pattern(_)
            | Self::Minimum(_)
            | Self::Maximum(_)
            | Self::ExclusiveMinimum(_)
            | Self::ExclusiveMaximum(_)
            | Self::MultipleOf(_) => Group::Scalar.bit(),
            Self::PrefixItems(_) | Self::Items(_) => Group::Items.bit(),
            Self::UniqueItems | Self::Contains(..) => Group::Items.bit() | Group::Count.bit(),
            Self::Properties(_)
            | Self::PatternProperties(_)
            | Self::AdditionalProperties(_)
            | Self::PropertyNames(_) => Group::Members.bit(),
            Self::Required(_) => Group::Members.bit() | Group::Count.bit(),
            Self::MinItems(_) | Self::MaxItems(_) | Self::MinProperties(_) | Self::MaxProperties(_) => {
                Group::Count.bit()
            }
            Self::AllOf(_) | Self::AnyOf(_) | Self::OneOf(_) | Self::Not(_) | Self::If(_) | Self::Ref(_) => {
                Group::Combination.bit()
            }
            Self::Sensitive => Group::Mark.bit(),
        }
    }
}

/// A type of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fraction: `1` and `1.0`.
    Integer,
    /// Any number, including integers.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Type {
    #[inline]
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Returns the types of values that `type` accepts with this name.
    const fn accepted(self) -> u8 {
        match self {
            Self::Number => Self::Number.bit() | Self::Integer.bit(),
            _ => self.bit(),
        }
    }
}

/// A string format that is validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `date` (RFC 3339): `2025-04-04`.
    Date,
    /// `date-time` (RFC 3339): `2025-04-04T21:37:36Z`.
    DateTime,
    /// `email`: a mailbox (RFC 5321).
    Email,
    /// `hostname` (RFC 1123).
    Hostname,
    /// `ipv4`: `127.0.0.1`.
    Ipv4,
    /// `ipv6`: `::1`.
    Ipv6,
    /// `time` (RFC 3339): `21:37:36Z`.
    Time,
    /// `uri` (RFC 3986).
    Uri,
    /// `uri-reference` (RFC 3986): a URI or a relative reference.
    UriReference,
    /// `uuid` (RFC 4122).
    Uuid,
}

/// A number, exactly as declared, as far as 64 bits suffice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Integer(i64),
    /// An integer beyond `i64`.
    Large(u64),
    /// Any other number.
    Float(f64),
}

/// A JSON value of `enum` or `const`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(&'static str),
    /// An array.
    Array(&'static [Json]),
    /// An object. The order of its members is irrelevant.
    Object(&'static [(&'static str, Json)]),
}

/// An ECMA-262 regular expression.
///
/// It includes the function that matches it, so that no engine is needed for a document without patterns.
#[derive(Clone, Copy)]
pub struct Pattern {
    text: &'static str,
    matches: &'static (dyn Fn(&str) -> bool + Send + Sync),
}

impl Pattern {
    /// Creates a pattern from its text and a function that returns whether it matches anywhere in a string.
    pub const fn new(text: &'static str, matches: &'static (dyn Fn(&str) -> bool + Send + Sync)) -> Self {
        Self { text, matches }
    }

    /// Returns the regular expression.
    pub const fn as_str(&self) -> &'static str {
        self.text
    }

    /// Returns whether the pattern matches somewhere in the string.
    pub fn is_match(&self, text: &str) -> bool {
        (self.matches)(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

/// A reference to a schema that contains this reference. Its `Debug` output ends here.
#[derive(Clone, Copy)]
pub struct Reference(pub &'static Schema);

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(..)")
    }
}
