//! The schemas of the document, and problems with values, described in words that name the field.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use jsonschema::{Draft, EmailOptions, Registry, ValidationError, Validator, error::ValidationErrorKind};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

/// The base URI of the document's references while schemas are compiled. Nothing is ever fetched.
const BASE: &str = "urn:suprsend:document";
/// The maximum number of problems on a line, and of characters in it.
const SHOWN: usize = 10;
const LONGEST: usize = 2000;
/// The characters that a JSON pointer must escape in the fragment of a URI.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'#');

/// Compiles the schemas of one document.
#[derive(Clone)]
pub(crate) struct Schemas {
    document: Arc<Value>,
    registry: Arc<Registry<'static>>,
}

/// A schema that is compiled on first use.
#[derive(Clone)]
pub(crate) struct Schema(Arc<Lazy>);

struct Lazy {
    schemas: Schemas,
    pointer: String,
    validator: OnceLock<Result<Validator, String>>,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.0.pointer).finish()
    }
}

/// A problem with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The field, such as `$slack[0].email`; empty for the whole value.
    pub(crate) field: String,
    /// The problem, to be read after the field: `is required`.
    pub(crate) what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => write!(f, "the body {}", self.what),
            field => write!(f, "{field}: {}", self.what),
        }
    }
}

impl Schemas {
    pub(crate) fn new(document: Arc<Value>) -> Result<Self, String> {
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(BASE, Value::clone(&document))
            .and_then(jsonschema::RegistryBuilder::prepare)
            .map_err(|error| error.to_string())?;
        Ok(Self { document, registry: Arc::new(registry) })
    }

    /// Returns the schema at this JSON pointer of the document.
    pub(crate) fn schema(&self, pointer: &str) -> Schema {
        let (schemas, pointer) = (self.clone(), pointer.to_owned());
        Schema(Arc::new(Lazy { schemas, pointer, validator: OnceLock::new() }))
    }

    fn compile(&self, pointer: &str) -> Result<Validator, String> {
        let reference = format!("{BASE}#{}", utf8_percent_encode(pointer, FRAGMENT));
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            // A mailbox of RFC 5321, without a display name.
            .with_email_options(EmailOptions::default().without_display_text())
            .build(&json!({"$ref": reference}))
            .map_err(|error| format!("the schema at {pointer} cannot be used: {error}"))
    }
}

impl Schema {
    /// Returns the problems with a value; none if it is valid. No text repeats the value, which may contain a secret.
    pub(crate) fn problems(&self, value: &Value) -> Vec<Problem> {
        match self.compiled() {
            Ok(validator) => validator.iter_errors(value).map(|error| self.problem(&error)).collect(),
            Err(error) => vec![Problem { field: String::new(), what: format!("cannot be judged: {error}") }],
        }
    }

    /// Returns the places in a value that the schema marks as sensitive, as JSON pointers.
    #[cfg(feature = "page")]
    pub(crate) fn sensitive(&self, value: &Value) -> std::collections::BTreeSet<String> {
        let document = &self.0.schemas.document;
        let schema = document.pointer(&self.0.pointer).unwrap_or(&Value::Null);
        super::secrets::sensitive(document, schema, value)
    }

    /// Returns an error if the schema cannot be used.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.compiled().map(|_| ()).map_err(str::to_owned)
    }

    fn compiled(&self) -> Result<&Validator, &str> {
        let compile = || self.0.schemas.compile(&self.0.pointer);
        self.0.validator.get_or_init(compile).as_ref().map_err(String::as_str)
    }

    fn problem(&self, error: &ValidationError<'_>) -> Problem {
        let field = field(error.instance_path().as_str());
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                Problem { field: join(&field, name), what: "is required".into() }
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                Problem { what: self.fits_none(error, context), field }
            }
            ValidationErrorKind::OneOfMultipleValid { context } => {
                Problem { what: self.fits_several(error, context), field }
            }
            ValidationErrorKind::Format { format } => {
                Problem { field, what: format!("is not a valid {format}") }
            }
            _ => {
                let text = error.masked().to_string();
                // Masked text describes the value. Rephrase it to describe the field.
                Problem { what: text.strip_prefix("value ").unwrap_or(&text).to_owned(), field }
            }
        }
    }

    /// Describes for each variant of a union why it does not match. Nested fields are named relative to the union.
    fn fits_none(&self, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> String {
        let own = field(error.instance_path().as_str());
        let variants = context.iter().enumerate().map(|(index, errors)| {
            let reasons = errors.iter().map(|error| {
                let Problem { field, what } = self.problem(error);
                let inner = field.strip_prefix(own.as_str()).unwrap_or(&field).trim_start_matches('.');
                if inner.is_empty() { what } else { format!("{inner} {what}") }
            });
            format!("{} ({})", self.title(error, index), reasons.collect::<Vec<_>>().join(", "))
        });
        format!("fits none of: {}", variants.collect::<Vec<_>>().join("; "))
    }

    fn fits_several(&self, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) -> String {
        let adapting = context.iter().enumerate().filter(|(_, errors)| errors.is_empty());
        let titles: Vec<_> = adapting.map(|(index, _)| self.title(error, index)).collect();
        format!("must fit exactly one of the variants, but fits {}", titles.join(" and "))
    }

    /// Returns the title of a union's variant, or its number.
    fn title(&self, error: &ValidationError<'_>, index: usize) -> String {
        let found = || {
            let location = error.absolute_keyword_location()?.as_str();
            let pointer = percent_decode_str(location.split_once('#')?.1).decode_utf8().ok()?;
            self.0.schemas.document.pointer(&pointer)?.get(index)?.get("title")?.as_str().map(str::to_owned)
        };
        found().unwrap_or_else(|| format!("variant {}", index + 1))
    }
}

/// Converts `/$slack/0/email` to `$slack[0].email`.
fn field(pointer: &str) -> String {
    pointer.split('/').skip(1).fold(String::new(), |field, segment| {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        if !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{field}[{segment}]")
        } else {
            join(&field, &segment)
        }
    })
}

fn join(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

/// Formats problems as one line of limited length, however many problems there are and however long a field's name is.
pub(crate) fn list(problems: &[Problem]) -> String {
    let shown: Vec<_> = problems.iter().take(SHOWN).map(ToString::to_string).collect();
    let line = shown.join("; ");
    let line = match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    };
    match problems.len() - shown.len() {
        0 => line,
        more => format!("{line}; and {more} more"),
    }
}
