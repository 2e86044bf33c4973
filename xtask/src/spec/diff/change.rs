//! The result of a comparison: changes, each with its place, its kind and its consequences for users of the crate.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use suprsend_codegen::Pointer;

/// The consequences of a change for programs that use the crate, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::spec) enum Level {
    /// No consequences: programs compile without changes and behave as before.
    Neutral,
    /// More can be called, sent or read. Everything that was possible before still is.
    Additive,
    /// A program may no longer compile, its requests may be rejected, or what it reads may differ.
    Breaking,
}

impl Level {
    pub(in crate::spec) fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Additive => "additive",
            Self::Breaking => "breaking",
        }
    }
}

/// The direction in which a value travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::spec) enum Way {
    Request,
    Response,
}

/// The document that contains the place of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::spec) enum Side {
    Old,
    New,
}

/// Declares the kinds of changes, with their names and meanings.
macro_rules! kinds {
    ($($kind:ident $name:literal $meaning:literal)*) => {
        /// What has changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(in crate::spec) enum Kind {
            $(#[doc = $meaning] $kind,)*
        }

        impl Kind {
            /// Every kind, with its meaning.
            pub(in crate::spec) const ALL: &[(Self, &str)] = &[$((Self::$kind, $meaning)),*];

            /// Returns the name in the output, which is stable.
            pub(in crate::spec) fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    OperationAdded "operation-added" "there is another method to call"
    OperationRemoved "operation-removed" "a method is gone"
    OperationRenamed "operation-renamed" "the method of an operation has another name"
    OperationMoved "operation-moved" "an operation has another path or verb; its method is the same"
    Deprecated "deprecated" "an operation, a parameter or a property is no longer to be used"
    NoLongerDeprecated "no-longer-deprecated" "it may be used again"
    TagsChanged "tags-changed" "an operation is listed elsewhere in the documentation"
    CallbacksChanged "callbacks-changed" "the API calls back in another way; no code is generated for that"
    WebhooksChanged "webhooks-changed" "the API calls webhooks in another way; no code is generated for that"
    VersionChanged "version-changed" "the version of the API, or of OpenAPI"
    ParameterAdded "parameter-added" "an operation takes another parameter"
    ParameterRemoved "parameter-removed" "a parameter is gone"
    ParameterRenamed "parameter-renamed" "a parameter of the path has another name"
    ParameterMoved "parameter-moved" "a parameter is sent elsewhere in the request; its setter is the same"
    ParameterRequired "parameter-became-required" "a parameter can no longer be left out"
    ParameterOptional "parameter-became-optional" "a parameter can be left out"
    SerialisationChanged "serialisation-changed" "a parameter or a part of a form is written in another way"
    BodyAdded "body-added" "there is a body where there was none"
    BodyRemoved "body-removed" "there is no body any more"
    BodyRequired "body-became-required" "the request's body can no longer be left out"
    BodyOptional "body-became-optional" "the request's body can be left out"
    MediaTypeAdded "media-type-added" "a body may have another format too"
    MediaTypeRemoved "media-type-removed" "a body no longer has a format"
    MediaTypeChanged "unused-media-type-changed" "a format of a body that the crate does not use says something else"
    StatusAdded "status-added" "an operation may answer with another status"
    StatusRemoved "status-removed" "an operation no longer declares a status"
    SuccessOptional "success-became-optional" "a success may have no content: the method returns an `Option`"
    SuccessRequired "success-became-required" "every success has content: the method returns no `Option`"
    StatusUnused "unused-status-changed" "a status that is neither success nor error says something else"
    HeaderAdded "header-added" "a response has another header"
    HeaderRemoved "header-removed" "a response's header is gone"
    HeaderRequired "header-became-required" "a response always has a header"
    HeaderOptional "header-became-optional" "a response may lack a header"
    LinksChanged "links-changed" "a response links to other operations; no code is generated for that"
    PropertyAdded "property-added" "an object has another property"
    PropertyRemoved "property-removed" "a property is gone"
    PropertyRequired "property-became-required" "an object always has a property"
    PropertyOptional "property-became-optional" "an object may lack a property"
    AccessChanged "access-changed" "a property became read-only or write-only, or no longer is"
    ExtraAdded "extra-keys-added" "an object keeps keys that the document does not name"
    ExtraRemoved "extra-keys-removed" "an object no longer keeps keys that the document does not name"
    ExtraForbidden "extra-keys-forbidden" "keys that the document does not name are an error"
    ExtraAllowed "extra-keys-allowed" "keys that the document does not name are no longer an error"
    TypeChanged "type-changed" "a value has another type"
    TypeWidened "type-widened" "a value may have more types"
    TypeNarrowed "type-narrowed" "a value may have fewer types"
    NullAdded "null-added" "a value may be null"
    NullRemoved "null-removed" "a value may no longer be null"
    FormatChanged "format-changed" "a value has another format"
    EnumAdded "enum-added" "only listed values are allowed"
    EnumRemoved "enum-removed" "values are no longer listed"
    EnumValueAdded "enum-value-added" "more values are listed"
    EnumValueRemoved "enum-value-removed" "fewer values are listed"
    Tightened "constraint-tightened" "a bound, a length, a pattern or the like allows less"
    Loosened "constraint-loosened" "a bound, a length, a pattern or the like allows more"
    ConstraintChanged "constraint-changed" "it allows something else, and cannot be compared"
    DefaultChanged "default-changed" "what the API takes for a value that is left out"
    TupleChanged "tuple-changed" "a list has another number of elements of their own"
    VariantAdded "variant-added" "a union has another variant"
    VariantRemoved "variant-removed" "a union has lost a variant"
    UnionAdded "union-added" "one type became a union, or has to be one of several"
    UnionRemoved "union-removed" "a union became one type"
    UnionKindChanged "union-kind-changed" "`oneOf` became `anyOf`, or the reverse"
    DiscriminatorChanged "discriminator-changed" "the variants of a union are told apart in another way"
    KeywordChanged "keyword-changed" "another part of a schema, which is not compared in detail"
    SignatureChanged "signature-changed" "the generated Rust differs for programs, although nothing else that is listed says so"
    TypeRenamed "type-renamed" "the Rust type of a schema has another name"
    SecurityAdded "security-added" "another way to authenticate is accepted, or none is needed"
    SecurityRemoved "security-removed" "a way to authenticate is no longer accepted"
    ScopesAdded "scopes-added" "more has to be granted to the caller"
    ScopesRemoved "scopes-removed" "less has to be granted to the caller"
    SchemeChanged "security-scheme-changed" "a way to authenticate works otherwise"
    DefaultUnused "unused-default-changed" "the document's own servers or ways to authenticate, for which each operation has its own"
    Refused "cannot-be-generated" "no code is generated from the new document until this is mended"
    ServerChanged "server-changed" "requests go to another host"
    ServerAdded "server-added" "there is another host"
    ServerRemoved "server-removed" "a host is gone"
}

/// Returns every kind with its meaning, one per line.
pub(in crate::spec) fn kinds() -> String {
    let lines = Kind::ALL.iter().map(|(kind, meaning)| format!("  {:<28}{meaning}\n", kind.name()));
    format!("Kinds of changes:\n{}", lines.collect::<String>())
}

/// One change.
#[derive(Debug, Clone)]
pub(in crate::spec) struct Change {
    pub(in crate::spec) level: Level,
    pub(in crate::spec) kind: Kind,
    /// The document that the pointer refers to: the old one for something that was removed.
    pub(in crate::spec) side: Side,
    /// The place, with references resolved.
    pub(in crate::spec) pointer: Pointer,
    /// Whether requests are affected, and responses. Neither is set for changes of an operation as a whole.
    pub(in crate::spec) request: bool,
    pub(in crate::spec) response: bool,
    /// The old and new state, and the consequences.
    pub(in crate::spec) message: String,
    /// The two schemas that differ, if this is a difference of schemas.
    pub(in crate::spec) schemas: Option<(Pointer, Pointer)>,
}

impl Change {
    /// Returns a key that identifies the change: two changes with the same key are one.
    pub(in crate::spec) fn key(&self) -> (Side, Pointer, Kind) {
        (self.side, self.pointer.clone(), self.kind)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match (self.request, self.response) {
            (true, true) => " in requests and responses",
            (true, false) => " in requests",
            (false, true) => " in responses",
            (false, false) => "",
        };
        let side = if self.side == Side::Old { "old " } else { "" };
        let line = format!(
            "{} {}: {side}{}{way}: {}",
            self.level.name(),
            self.kind.name(),
            self.pointer,
            self.message
        );
        // A change is always one line, whatever text of the document it quotes.
        f.write_str(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// The changes so far. A change that is found again, because two operations refer to it or it applies in both directions, is recorded once.
#[derive(Debug, Default)]
pub(in crate::spec) struct Changes {
    list: Vec<Change>,
    known: HashMap<(Side, Pointer, Kind), usize>,
    /// The schemas that are being compared.
    pub(super) schemas: Option<(Pointer, Pointer)>,
    /// The names of Rust types that have another name now.
    pub(super) renamed: BTreeMap<String, String>,
}

impl Changes {
    pub(super) fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.list.iter().filter(|change| change.level == Level::Breaking)
    }

    pub(in crate::spec) fn add(
        &mut self,
        level: Level,
        kind: Kind,
        (side, pointer): (Side, &Pointer),
        way: Option<Way>,
        message: impl Into<String>,
    ) {
        let index = *self.known.entry((side, pointer.clone(), kind)).or_insert_with(|| {
            let pointer = pointer.clone();
            let message = String::new();
            let schemas = self.schemas.clone();
            self.list.push(Change {
                level,
                kind,
                side,
                pointer,
                request: false,
                response: false,
                message,
                schemas,
            });
            self.list.len() - 1
        });
        let change = &mut self.list[index];
        change.request |= way == Some(Way::Request);
        change.response |= way == Some(Way::Response);
        if change.message.is_empty() || level > change.level {
            change.level = level;
            change.message = message.into();
        }
    }

    /// Removes changes of how values are sent at or below a place, which the crate would follow: it is known that it cannot.
    pub(in crate::spec) fn forget_writing(&mut self, place: &Pointer) {
        let below = format!("{}/", place.as_str());
        self.list.retain(|change| {
            let within = change.pointer == *place || change.pointer.as_str().starts_with(&below);
            !(within && matches!(change.kind, Kind::SerialisationChanged | Kind::ParameterMoved))
        });
        self.known = self.list.iter().enumerate().map(|(index, it)| (it.key(), index)).collect();
    }

    /// Returns the changes: breaking ones first, otherwise in the order of the documents.
    pub(in crate::spec) fn sorted(mut self) -> Vec<Change> {
        self.list.sort_by_key(|change| std::cmp::Reverse(change.level));
        self.list
    }
}
