//! A database driver for the queue, on sqlx 0.8.
//!
//! The queue's own drivers do not fit: one uses sqlx 0.9, which needs Rust 1.94; the other uses tokio-postgres, which would be a second
//! PostgreSQL client in the program.

use std::{any::Any, fmt};

use futures_util::StreamExt;
use graphile_worker::{
    BoxFuture, Database, DatabaseDriver, DbCell, DbError, DbExecutor, DbParams, DbRow, DbTransaction,
    DbValue, Notification, NotificationStream, TransactionDriver,
};
use sqlx::{
    Column, PgPool, Postgres, Row, Transaction, TypeInfo,
    postgres::{PgArguments, PgListener, PgRow},
    query::Query,
};
use tokio::sync::Mutex;

/// Creates the queue's database from a pool.
pub(crate) fn database(pool: PgPool) -> Database {
    Database::new(Driver(pool))
}

struct Driver(PgPool);

struct Open(Mutex<Transaction<'static, Postgres>>);

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Driver")
    }
}

impl DbExecutor for Driver {
    fn execute<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(async move {
            let done = bind(sql, &params).execute(&self.0).await.map_err(error)?;
            Ok(done.rows_affected())
        })
    }

    fn fetch_all<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(async move {
            let rows = bind(sql, &params).fetch_all(&self.0).await.map_err(error)?;
            rows.iter().map(row).collect()
        })
    }
}

impl DatabaseDriver for Driver {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn begin(&self) -> BoxFuture<'_, Result<DbTransaction, DbError>> {
        Box::pin(async move {
            let transaction = self.0.begin().await.map_err(error)?;
            Ok(DbTransaction::new(Box::new(Open(Mutex::new(transaction)))))
        })
    }

    fn listen<'a>(&'a self, channel: &'a str) -> BoxFuture<'a, Result<Option<NotificationStream>, DbError>> {
        Box::pin(async move {
            let mut listener = PgListener::connect_with(&self.0).await.map_err(error)?;
            listener.listen(channel).await.map_err(error)?;
            let notifications = listener.into_stream().map(|received| {
                let received = received.map_err(error)?;
                Ok(Notification {
                    channel: received.channel().to_owned(),
                    payload: received.payload().to_owned(),
                })
            });
            Ok(Some(Box::pin(notifications) as NotificationStream))
        })
    }
}

impl DbExecutor for Open {
    fn execute<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<u64, DbError>> {
        Box::pin(async move {
            let mut open = self.0.lock().await;
            let done = bind(sql, &params).execute(&mut **open).await.map_err(error)?;
            Ok(done.rows_affected())
        })
    }

    fn fetch_all<'a>(&'a self, sql: &'a str, params: DbParams) -> BoxFuture<'a, Result<Vec<DbRow>, DbError>> {
        Box::pin(async move {
            let mut open = self.0.lock().await;
            let rows = bind(sql, &params).fetch_all(&mut **open).await.map_err(error)?;
            rows.iter().map(row).collect()
        })
    }
}

impl TransactionDriver for Open {
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), DbError>> {
        Box::pin(async move { self.0.into_inner().commit().await.map_err(error) })
    }
}

fn bind<'q>(sql: &'q str, params: &DbParams) -> Query<'q, Postgres, PgArguments> {
    params.values().iter().fold(sqlx::query(sql), |query, value| match value {
        DbValue::Bool(value) => query.bind(*value),
        DbValue::BoolOpt(value) => query.bind(*value),
        DbValue::I16(value) => query.bind(*value),
        DbValue::I16Opt(value) => query.bind(*value),
        DbValue::I32(value) => query.bind(*value),
        DbValue::I32Opt(value) => query.bind(*value),
        DbValue::I64(value) => query.bind(*value),
        DbValue::I64Opt(value) => query.bind(*value),
        DbValue::Json(value) => query.bind(value.clone()),
        DbValue::JsonOpt(value) => query.bind(value.clone()),
        DbValue::Text(value) => query.bind(value.clone()),
        DbValue::TextOpt(value) => query.bind(value.clone()),
        DbValue::TextArray(value) => query.bind(value.clone()),
        DbValue::TextArrayOpt(value) => query.bind(value.clone()),
        DbValue::I32Array(value) => query.bind(value.clone()),
        DbValue::I64Array(value) => query.bind(value.clone()),
        DbValue::TimestampTz(value) => query.bind(*value),
        DbValue::TimestampTzOpt(value) => query.bind(*value),
    })
}

fn row(row: &PgRow) -> Result<DbRow, DbError> {
    let cells = row.columns().iter().enumerate().map(|(index, column)| {
        let cell = match column.type_info().name() {
            "BOOL" => cell(row, index, DbCell::Bool),
            "INT2" => cell(row, index, DbCell::I16),
            "INT4" => cell(row, index, DbCell::I32),
            "INT8" => cell(row, index, DbCell::I64),
            "JSON" | "JSONB" => cell(row, index, DbCell::Json),
            "TEXT" | "VARCHAR" | "CHAR" | "NAME" => cell(row, index, DbCell::Text),
            "TIMESTAMPTZ" => cell(row, index, DbCell::TimestampTz),
            // The result of a function that returns nothing.
            "VOID" => Ok(DbCell::Null),
            other => Err(DbError::new(format!("the column {} has the unknown type {other}", column.name()))),
        };
        cell.map(|cell| (column.name().to_owned(), cell))
    });
    cells.collect::<Result<_, _>>().map(DbRow::new)
}

fn cell<'r, T>(row: &'r PgRow, index: usize, make: impl Fn(T) -> DbCell) -> Result<DbCell, DbError>
where
    T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    Ok(row.try_get::<Option<T>, _>(index).map_err(error)?.map_or(DbCell::Null, make))
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn error(error: sqlx::Error) -> DbError {
    match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) => DbError::with_code(error.to_string(), code),
        None => DbError::new(error.to_string()),
    }
}
