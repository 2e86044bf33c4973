//! Creates and updates the outbox's tables.

use graphile_worker::WorkerUtils;
use sqlx::{Connection, PgConnection};

use crate::{
    Outbox, database,
    error::{DatabaseError, Error, failed},
    stored,
};

const SCHEMA: &str = include_str!("schema.sql");
/// The lock that serializes concurrent migrations: a number that nothing else is likely to lock.
const LOCK: i64 = 0x5355_5052_4F42;

impl Outbox {
    /// Creates or updates the outbox's tables and those of its queue. It is safe to run repeatedly, and concurrently from several
    /// processes.
    ///
    /// This needs PostgreSQL 14 or newer, a database user that may create schemas, and a connection in addition to those of the pool.
    /// Producers need [fewer privileges](crate#privileges).
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn migrate(&self) -> Result<(), Error> {
        const WHAT: &str = "migrate the outbox";
        // Not one of the pool's, which may have no other for the migration.
        let options = self.pool.connect_options();
        let mut guard = PgConnection::connect_with(&options).await.map_err(failed(WHAT))?;
        sqlx::query("select pg_advisory_lock($1)")
            .bind(LOCK)
            .execute(&mut guard)
            .await
            .map_err(failed(WHAT))?;
        let migrated = self.migrate_locked(WHAT).await;
        // Closing the session releases the lock, whatever happened.
        guard.close().await.map_err(failed(WHAT))?;
        migrated
    }

    async fn migrate_locked(&self, what: &'static str) -> Result<(), Error> {
        let queue = WorkerUtils::new(database::database(self.pool.clone()), self.queue());
        queue
            .migrate()
            .await
            .map_err(|error| Error::Database(DatabaseError::new(what, error.to_string())))?;
        let mut transaction = self.pool.begin().await.map_err(failed(what))?;
        sqlx::raw_sql(&self.sql(SCHEMA)).execute(&mut *transaction).await.map_err(failed(what))?;
        let storable: Vec<&str> = stored::storable().collect();
        for statement in [
            "insert into :outbox.operations select unnest($1::text[]) on conflict do nothing",
            "delete from :outbox.operations where id <> all($1)",
        ] {
            sqlx::query(&self.sql(statement))
                .bind(&storable)
                .execute(&mut *transaction)
                .await
                .map_err(failed(what))?;
        }
        transaction.commit().await.map_err(failed(what))
    }
}
