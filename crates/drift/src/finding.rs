//! Differences between the document and the code, and the resulting findings.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::pointer::Pointer;

/// A difference between the document and the code.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) kind: Kind,
    /// The place in the document.
    pub(crate) pointer: Pointer,
    /// The same place by the ledger's name for it, which does not depend on the order of parameters or alternatives.
    pub(crate) place: Pointer,
    /// The place in the Rust source, or a substitute for it.
    pub(crate) rust: String,
    /// The generated type that it concerns, if there is one.
    pub(crate) owner: Option<String>,
    /// The document's declaration; null means nothing.
    pub(crate) document: Value,
    /// The code's behaviour; null means nothing.
    pub(crate) code: Value,
}

impl Difference {
    /// Returns a short hash of both sides of the difference.
    pub(crate) fn hash(&self) -> String {
        hash(&json!([self.document, self.code]))
    }
}

/// Returns the first 12 hexadecimal digits of a value's SHA-256.
pub(crate) fn hash(value: &Value) -> String {
    let digest = Sha256::digest(value.to_string().as_bytes());
    format!("{:02x?}", &digest[..6]).replace(['[', ']', ',', ' '], "")
}

/// The comparison that found a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Comparison {
    Operations,
    Types,
    Rules,
    Behaviour,
    Wire,
    Ledger,
}

impl Comparison {
    pub(crate) const ALL: [Self; 6] =
        [Self::Operations, Self::Types, Self::Rules, Self::Behaviour, Self::Wire, Self::Ledger];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Types => "types",
            Self::Rules => "rules",
            Self::Behaviour => "behaviour",
            Self::Wire => "wire",
            Self::Ledger => "ledger",
        }
    }
}

macro_rules! kinds {
    ($($comparison:ident { $($kind:ident $name:literal $rule:tt $remedy:literal)* })*) => {
        /// The kind of a difference. Those that generated code cannot avoid are accepted by rule: they belong in the ledger, with the
        /// rule's reason.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Kind { $($($kind,)*)* }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$($(Self::$kind,)*)*];

            /// Returns the name in the ledger and in machine-readable output.
            pub(crate) fn name(self) -> &'static str {
                match self { $($(Self::$kind => $name,)*)* }
            }

            pub(crate) fn comparison(self) -> Comparison {
                match self { $($(Self::$kind => Comparison::$comparison,)*)* }
            }

            /// Returns why generated code cannot do what the document declares, for kinds that are accepted by rule.
            pub(crate) fn rule(self) -> Option<&'static str> {
                match self { $($(Self::$kind => kinds!(@rule $rule),)*)* }
            }

            /// Returns the remedy.
            pub(crate) fn remedy(self) -> &'static str {
                match self { $($(Self::$kind => $remedy,)*)* }
            }
        }
    };
    (@rule -) => { None };
    (@rule $rule:literal) => { Some($rule) };
}

kinds! {
    Operations {
        OperationMissing "operation-missing" -
            "generate again: `cargo xtask generate`"
        OperationExtra "operation-extra" -
            "generate again, or restore the operation in the document"
        OperationRepeated "operation-repeated" -
            "generate again; a method and path may have one operation only"
        OperationId "operation-id" -
            "generate again; hooks and retry policy go by the operation's id"
        Deprecated "deprecated" -
            "generate again, so that who uses the operation is told"
        Idempotent "idempotent" -
            "generate again, or correct the table of resources with an overlay: it says what its method does not"
        Feature "feature" -
            "generate again, or correct the table of resources with an overlay: it says what is behind a Cargo feature"
        Verdict "verdict" -
            "generate again, or correct the table of resources with an overlay: it says where a success tells whether it is one"
        Traits "traits" -
            "generate again; what may be absent and what comes in pages has methods of its own"
        PathParameters "path-parameters" -
            "generate again, or correct the names in the path"
        ParameterMissing "parameter-missing" -
            "generate again, so that the parameter can be sent"
        ParameterExtra "parameter-extra" -
            "generate again, or add the parameter to the document with an overlay"
        ParameterRequired "parameter-required" -
            "generate again, or correct `required` with an overlay"
        BodyMissing "body-missing" -
            "generate again, so that the body can be sent"
        BodyExtra "body-extra" -
            "generate again, or add the body to the document with an overlay"
        BodyAlwaysSent "body-always-sent"
            "An operation has no way to leave the body out; with nothing set, an empty one is sent."
            "enter it with --accept, or make the body required with an overlay"
        RequestMedia "request-media" -
            "generate again, or correct the media type with an overlay"
        MediaUnused "media-unused"
            "An operation sends one media type and asks for one; further ones are not used."
            "enter it with --accept after a look at what is lost"
        Accept "accept" -
            "generate again; the request asks for another kind of response"
        ResponseDecoded "response-decoded" -
            "generate again; a response is read as something else than it is"
        ResponseUndeclared "response-undeclared"
            "An operation has one type for success and one for errors. A status without a body, or with one of another kind, reaches the caller as an error with its status."
            "enter it with --accept"
        ResponseWithoutContent "response-without-content"
            "HTTP lets this response carry no body (RFC 9110), so none is read."
            "enter it with --accept, or remove the content with an overlay"
        ResponseShared "response-shared"
            "An operation has one type for success and one for errors; the bodies of several statuses become one type with an alternative each."
            "enter it with --accept"
        Statuses "statuses"
            "An operation knows success and error; which status it was reaches the caller as a number."
            "enter it with --accept"
        ResponseMedia "response-media"
            "Every response that is JSON is read as JSON, whatever its media type is called, and only application/json is asked for."
            "enter it with --accept"
        ResponseBytes "response-bytes"
            "A body that is no JSON reaches the caller as bytes, whatever its media type and its schema."
            "enter it with --accept"
        Server "server" -
            "change the SDK's base URL, or correct `servers` with an overlay"
        ServerUnused "server-unused"
            "The SDK has one base URL, the first server; others are the caller's choice."
            "enter it with --accept"
        Security "security" -
            "generate again, or correct `security` with an overlay"
        SecurityUnused "security-unused"
            "Of several ways to authenticate the SDK uses one."
            "enter it with --accept"
        Unread "unread"
            "Nothing in the generated code reflects it."
            "see whether callers need to know; then enter it with --accept"
    }
    Types {
        Unrecognised "unrecognised" -
            "teach the reader of generated code this shape, in crates/drift/src/code"
        TypeUnreached "type-unreached"
            "The generator made a type for a part of another; no operation takes or gives it."
            "see why it is generated; then enter it with --accept"
        Type "type" -
            "generate again, or correct the type with an overlay"
        TypeInferred "type-inferred"
            "The schema has no `type`; the code reads it as what its other keywords are about."
            "state the type with an overlay, or enter it with --accept"
        Format "format" -
            "generate again, or correct the format with an overlay"
        FormatUnchecked "format-unchecked"
            "The generated type is a plain string. A request is checked by its rules; of a response, or where the rules do not know the format, nothing is checked."
            "enter it with --accept"
        Width "width"
            "Rust numbers have a width, where the document states none."
            "enter it with --accept"
        Nullable "nullable" -
            "generate again, or correct the nullability with an overlay"
        NullOmitted "null-omitted"
            "Null and absent are the same to the generated type: null is read, and left out when written."
            "enter it with --accept; send null through the map of unknown keys where it matters"
        AbsentIsNull "absent-is-null"
            "A required property that may be null is read as null where it is absent."
            "enter it with --accept"
        Enum "enum" -
            "generate again, or correct the values with an overlay"
        EnumClosed "enum-closed"
            "Alternatives are told apart by these values, so a value that the document does not list cannot be read."
            "enter it with --accept after a look at whether a response may gain a value"
        EnumUnchecked "enum-unchecked"
            "Some of the values have no name of their own in Rust, so any value of the type passes."
            "enter it with --accept, or give the values names with an overlay"
        Required "required" -
            "generate again, or correct `required` with an overlay"
        PropertyMissing "property-missing" -
            "generate again, so that the property is not lost"
        PropertyExtra "property-extra" -
            "generate again, or add the property to the document with an overlay"
        UnknownKeys "unknown-keys" -
            "generate again, or correct `additionalProperties` with an overlay"
        UnknownKeysUnstated "unknown-keys-unstated"
            "The document leaves open what other keys mean. Where properties are named, others are ignored; where none are, all are kept."
            "enter it with --accept, or state `additionalProperties` with an overlay to keep them"
        UnknownKeysIgnored "unknown-keys-ignored"
            "The document refuses other keys; the code ignores them, so that a response may gain one."
            "enter it with --accept"
        Alternatives "alternatives" -
            "generate again; the type is another one altogether"
        VariantMissing "variant-missing" -
            "generate again, so that the alternative can be read and sent"
        VariantExtra "variant-extra" -
            "generate again, or add the alternative to the document with an overlay"
        FirstMatch "first-match"
            "serde tries the alternatives in this order and takes the first that fits, where the document wants exactly one, or any."
            "see that no alternative swallows a later one; then enter it with --accept"
        AlternativesKept "alternatives-kept"
            "A value is read as the first of these alternatives that keeps all of its members. An object or a list that none keeps whole stays JSON, whatever it is."
            "enter it with --accept"
        ToldApart "told-apart" -
            "generate again; a value is read as another alternative than the document says"
        SideBySide "side-by-side"
            "Objects that cannot be told apart are read side by side: each takes the properties that it knows."
            "enter it with --accept"
        Printed "printed" -
            "generate again; `Debug` prints what the document marks as sensitive"
        Tuple "tuple"
            "Items with a schema by position become items that may each be any of them."
            "enter it with --accept"
        EmptyOmitted "empty-omitted"
            "An empty list or map is left out when written."
            "enter it with --accept"
        TimeRewritten "time-rewritten"
            "A time is written in UTC with as many digits as it needs, whatever offset and digits it was read with."
            "enter it with --accept"
        Constraint "constraint"
            "Rust types carry no such bound. A request is checked by its rules; what a response says is taken as it comes."
            "enter it with --accept"
        ConstraintExtra "constraint-extra" -
            "generate again: the code refuses what the document allows"
    }
    Rules {
        RuleMissing "rule-missing" -
            "generate again, so that requests are checked"
        RuleExtra "rule-extra" -
            "generate again: the rules refuse what the document allows"
        Rule "rule" -
            "generate again: the rules say something else than the document"
        RuleUnknown "rule-unknown"
            "There is no rule for this keyword or this format; only the hub checks it."
            "enter it with --accept"
    }
    Behaviour {
        Refused "refused" -
            "see why serde refuses a valid instance; correct the document or the generator"
        Lost "lost" -
            "an alternative takes what belongs to another, and data are lost; keep the JSON as it is, or let the document tell them apart"
        Altered "altered" -
            "see what serde loses; correct the document or the generator"
        Invalid "invalid" -
            "see what serde writes; correct the document or the generator"
        Passed "passed" -
            "see why serde takes it; the type claims more than it checks"
        Unexercised "unexercised" -
            "no instance could be made of this schema; see whether it contradicts itself"
    }
    Wire {
        NotSent "not-sent" -
            "see why the operation sends nothing"
        WireMethod "wire-method" -
            "generate again; the request has another method"
        WirePath "wire-path" -
            "generate again; the request has another path"
        WireQuery "wire-query" -
            "generate again; the query differs"
        WireHeader "wire-header" -
            "see what adds or drops the header"
        WireMedia "wire-media" -
            "generate again; the body is sent as something else"
        WireBody "wire-body" -
            "see what serde writes; the body on the wire is not the one that was given"
    }
}

impl Kind {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// The relation of a finding to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The ledger cannot accept this kind, or does not.
    Missing,
    /// The ledger accepts something else at this place.
    Changed,
    /// The ledger accepts something that no longer exists.
    Stale,
}

impl Entry {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
            Self::Stale => "stale",
        }
    }
}

/// A difference that is not accepted, or an entry of the ledger that is wrong.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) difference: Difference,
    pub(crate) entry: Entry,
}

impl Finding {
    /// Returns the comparison that caused it: the ledger, if something accepted has changed.
    pub(crate) fn comparison(&self) -> Comparison {
        match self.entry {
            Entry::Missing => self.difference.kind.comparison(),
            Entry::Changed | Entry::Stale => Comparison::Ledger,
        }
    }
}
