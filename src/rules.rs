//! Rules of the values that a request carries, as constant data.
//!
//! A [`Schema`] says what the OpenAPI document says about a value: the keywords of JSON Schema 2020-12 in a form that takes no
//! parsing. The generated operations refer to the schemas of their parameters and bodies, and whoever sends an operation can check
//! its values against them.

use std::fmt;

/// The rules of a value: all of them hold.
///
/// Each keyword occurs at most once in a schema, and none constrains a value of a type that it does not concern: `minLength` says
/// nothing about numbers. Without a rule any value is valid. A schema that contains itself does so by [`Rule::Ref`], so that its
/// `Debug` output is finite.
#[derive(Debug, Clone, Copy)]
pub struct Schema(pub &'static [Rule]);

/// A keyword of JSON Schema with its value.
///
/// The enumeration is exhaustive on purpose: code that judges values has to know every keyword, or it accepts what the document
/// refuses.
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
    /// `contains` with `minContains` and `maxContains`: how many items at least and at most are valid by the schema.
    Contains(&'static Schema, u32, u32),
    /// `minProperties`.
    MinProperties(u64),
    /// `maxProperties`.
    MaxProperties(u64),
    /// `required`: the members that an object has to have.
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
    /// `if`, `then` and `else`. One that is absent is a schema without rules. `dependentRequired` and `dependentSchemas` are
    /// written this way too: if the member is there, then the schema holds.
    If(&'static [&'static Schema; 3]),
    /// `$ref` to a schema that contains this one.
    Ref(Reference),
    /// `x-sensitive: true`: the value is a secret or personal, and no message shows it.
    Sensitive,
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
    /// Any number, integers among them.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// A format of strings that is checked.
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

/// A number, exactly as the document states it as far as 64 bits go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Integer(i64),
    /// An integer that is beyond `i64`.
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
    /// An object. The order of its members has no meaning.
    Object(&'static [(&'static str, Json)]),
}

/// A regular expression of ECMA-262.
///
/// It brings the function that matches it, since no engine is needed where a document has no pattern.
#[derive(Clone, Copy)]
pub struct Pattern {
    text: &'static str,
    matches: &'static (dyn Fn(&str) -> bool + Send + Sync),
}

impl Pattern {
    /// Makes a pattern of its text and a function that returns whether it matches somewhere in a string.
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

/// Refers to a schema that contains the one with the reference. Its `Debug` output ends here.
#[derive(Clone, Copy)]
pub struct Reference(pub &'static Schema);

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reference(..)")
    }
}
