//! Errors of the outbox.

use std::{error, fmt};

/// The error type of the outbox.
///
/// `Display` shows neither arguments of operations nor credentials of the database.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operation cannot be stored. Nothing was written.
    Refused(Refused),
    /// The operation violates rules of the OpenAPI document. Nothing was written.
    Invalid(suprsend::Error),
    /// The database failed or rejected the statement.
    Database(DatabaseError),
    /// The name of a schema is invalid.
    Schema(SchemaError),
}

/// An operation that cannot be stored.
#[derive(Debug, Clone)]
pub struct Refused {
    operation: &'static str,
    reason: &'static str,
}

impl Refused {
    pub(crate) fn new(operation: &'static str, reason: &'static str) -> Self {
        Self { operation, reason }
    }

    /// Returns the id of the operation.
    pub fn operation(&self) -> &str {
        self.operation
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the outbox does not take the operation `{}`: {}", self.operation, self.reason)
    }
}

/// A failure of the database, with the action that was attempted.
#[derive(Debug)]
pub struct DatabaseError {
    what: &'static str,
    hint: &'static str,
    cause: Box<dyn error::Error + Send + Sync>,
}

impl DatabaseError {
    pub(crate) fn new(what: &'static str, cause: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        let cause = cause.into();
        let code = cause
            .downcast_ref::<sqlx::Error>()
            .and_then(sqlx::Error::as_database_error)
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        let hint = match code.as_deref() {
            // No such schema, table, column or function.
            Some("3F000" | "42P01" | "42703" | "42883") => "; run `suprsend-outbox migrate` first",
            Some("42501") => "; the database user lacks a privilege",
            _ => "",
        };
        Self { what, hint, cause }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}{}", self.what, self.hint)
    }
}

impl error::Error for DatabaseError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&*self.cause)
    }
}

/// An invalid name for the outbox's schema.
#[derive(Debug, Clone)]
pub struct SchemaError {
    pub(crate) name: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the schema name {:?} has to begin with a letter and have at most 50 lower-case letters, digits and underscores",
            self.name
        )
    }
}

impl error::Error for SchemaError {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Invalid(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
            Self::Schema(error) => error.fmt(f),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Refused(_) | Self::Schema(_) => None,
            Self::Invalid(error) => error.source(),
            Self::Database(error) => error.source(),
        }
    }
}

/// Converts the error of a failed statement.
pub(crate) fn failed(what: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
    move |error| Error::Database(DatabaseError::new(what, error))
}
