//! What the catalog holds, read from its tables by the superuser, and a record of every write to them.
//!
//! The record is made by triggers that belong to the oracle: no step of a workspace or an entity can hide between two looks.
//! Must never write to a table of the program's.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, PgConnection, Row as _};

/// Two tables beside the program's, filled by triggers.
const RECORDER: &str = r"
CREATE SCHEMA oracle;
CREATE TABLE oracle.entity_writes (
    n bigint GENERATED ALWAYS AS IDENTITY, tenant text, entity_ref text, workspace text, seq bigint,
    was_live boolean, live boolean, same boolean
);
CREATE TABLE oracle.workspace_writes (n bigint GENERATED ALWAYS AS IDENTITY, tenant text, workspace text, state_version text);
CREATE FUNCTION oracle.entity_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO oracle.entity_writes (tenant, entity_ref, workspace, seq, was_live, live, same)
        VALUES (NEW.tenant_id, NEW.entity_ref, NEW.workspace_id, NEW.change_seq, false, NEW.deleted_at IS NULL, false);
    ELSIF NEW.change_seq <> OLD.change_seq THEN
        INSERT INTO oracle.entity_writes (tenant, entity_ref, workspace, seq, was_live, live, same)
        VALUES (NEW.tenant_id, NEW.entity_ref, NEW.workspace_id, NEW.change_seq, OLD.deleted_at IS NULL,
                NEW.deleted_at IS NULL, NEW.digest = OLD.digest);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION oracle.workspace_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.state_version IS DISTINCT FROM OLD.state_version THEN
        INSERT INTO oracle.workspace_writes (tenant, workspace, state_version)
        VALUES (NEW.tenant_id, NEW.workspace_id, NEW.state_version);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER oracle_writes AFTER INSERT OR UPDATE ON public.entities
    FOR EACH ROW EXECUTE FUNCTION oracle.entity_written();
CREATE TRIGGER oracle_writes AFTER INSERT OR UPDATE ON public.workspaces
    FOR EACH ROW EXECUTE FUNCTION oracle.workspace_written();
";

/// Starts to record; the schema has to be there and nothing written yet.
///
/// # Errors
/// When Postgres refuses.
pub async fn record(superuser_url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(superuser_url).await?;
    sqlx::raw_sql(RECORDER).execute(&mut connection).await.context("cannot record writes")?;
    Ok(connection.close().await?)
}

/// A workspace as the catalog has it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct KnownWorkspace {
    /// Whose.
    pub tenant: String,
    /// Its id.
    pub workspace: String,
    /// The state version that is served.
    pub state_version: Option<String>,
    /// Its serial.
    pub serial: Option<i64>,
    /// It is suspected to be gone.
    pub missing: bool,
}

/// An entity as the catalog has it.
#[derive(Debug, Clone, Serialize)]
pub struct KnownEntity {
    /// Whose.
    pub tenant: String,
    /// Reference.
    pub entity_ref: String,
    /// Workspace that it comes from.
    pub workspace: String,
    /// Place in the feed.
    pub seq: i64,
    /// The entity; nothing when it was removed.
    pub body: Option<String>,
}

/// An audit record of one sanitized state.
#[derive(Debug, Clone, Serialize)]
pub struct KnownAudit {
    /// Whose.
    pub tenant: String,
    /// Workspace.
    pub workspace: String,
    /// State version.
    pub state_version: Option<String>,
    /// Rules and extractor.
    pub pipeline: i64,
}

/// A dead letter.
#[derive(Debug, Clone, Serialize)]
pub struct KnownLetter {
    /// Whose.
    pub tenant: String,
    /// Workspace.
    pub workspace: Option<String>,
    /// Reason.
    pub reason: String,
    /// open, retried, discarded, closed
    pub state: String,
}

/// A write of an entity, in the order of the writes.
#[derive(Debug, Clone, Serialize)]
pub struct EntityWrite {
    /// Whose.
    pub tenant: String,
    /// Reference.
    pub entity_ref: String,
    /// Place in the feed.
    pub seq: i64,
    /// Whether it was there before.
    pub was_live: bool,
    /// Whether it is there after.
    pub live: bool,
    /// Whether the write changed nothing of its content.
    pub same: bool,
}

/// A step of a workspace from one state version to another, in the order of the steps.
#[derive(Debug, Clone, Serialize)]
pub struct WorkspaceWrite {
    /// Whose.
    pub tenant: String,
    /// Workspace.
    pub workspace: String,
    /// The version after the step.
    pub state_version: Option<String>,
}

/// All that the catalog holds.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// By id.
    pub workspaces: BTreeMap<String, KnownWorkspace>,
    /// Live ones and tombstones.
    pub entities: Vec<KnownEntity>,
    /// In order.
    pub audits: Vec<KnownAudit>,
    /// In order.
    pub letters: Vec<KnownLetter>,
    /// Workspaces that wait to be synced.
    pub marks: Vec<String>,
    /// Topic, partition and offset of records that fit no tenant.
    pub unrouted: Vec<(String, i32, i64)>,
    /// In order.
    pub entity_writes: Vec<EntityWrite>,
    /// In order.
    pub workspace_writes: Vec<WorkspaceWrite>,
}

impl Catalog {
    /// Reads everything, in one snapshot.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn read(superuser_url: &str) -> Result<Self> {
        let mut connection = PgConnection::connect(superuser_url).await?;
        let mut all = Self::glance(&mut connection, true).await?;
        all.entities = rows(
            &mut connection,
            "SELECT tenant_id, entity_ref, workspace_id, change_seq, body FROM entities ORDER BY tenant_id, change_seq",
            |row| KnownEntity {
                tenant: row.get(0),
                entity_ref: row.get(1),
                workspace: row.get(2),
                seq: row.get(3),
                body: row.get(4),
            },
        )
        .await?;
        all.audits = rows(
            &mut connection,
            "SELECT tenant_id, workspace_id, state_version, pipeline FROM sanitization_audit_log ORDER BY audit_id",
            |row| KnownAudit {
                tenant: row.get(0),
                workspace: row.get(1),
                state_version: row.get(2),
                pipeline: row.get(3),
            },
        )
        .await?;
        connection.close().await?;
        Ok(all)
    }

    /// Reads what is needed to tell whether work is finished or durable; with `history` also the recorded writes.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn glance(connection: &mut PgConnection, history: bool) -> Result<Self> {
        let mut transaction = connection.begin().await?;
        sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut *transaction)
            .await?;
        let mut all = Self::default();
        let workspaces = rows(
            &mut transaction,
            "SELECT tenant_id, workspace_id, state_version, serial, missing_since IS NOT NULL FROM workspaces",
            |row| KnownWorkspace {
                tenant: row.get(0),
                workspace: row.get(1),
                state_version: row.get(2),
                serial: row.get(3),
                missing: row.get(4),
            },
        );
        all.workspaces = workspaces.await?.into_iter().map(|it| (it.workspace.clone(), it)).collect();
        all.marks = rows(&mut transaction, "SELECT workspace_id FROM dirty_marks", |row| row.get(0)).await?;
        all.unrouted =
            rows(&mut transaction, "SELECT topic, partition, record_offset FROM unrouted_records", |row| {
                (row.get(0), row.get(1), row.get(2))
            })
            .await?;
        all.letters = rows(
            &mut transaction,
            "SELECT tenant_id, workspace_id, reason, state FROM dead_letters ORDER BY letter_id",
            |row| KnownLetter {
                tenant: row.get(0),
                workspace: row.get(1),
                reason: row.get(2),
                state: row.get(3),
            },
        )
        .await?;
        if history {
            all.history(&mut transaction).await?;
        }
        transaction.rollback().await?;
        Ok(all)
    }

    async fn history(&mut self, connection: &mut PgConnection) -> Result<()> {
        self.entity_writes = rows(
            connection,
            "SELECT tenant, entity_ref, seq, was_live, live, same FROM oracle.entity_writes ORDER BY n",
            |row| EntityWrite {
                tenant: row.get(0),
                entity_ref: row.get(1),
                seq: row.get(2),
                was_live: row.get(3),
                live: row.get(4),
                same: row.get(5),
            },
        )
        .await?;
        self.workspace_writes = rows(
            connection,
            "SELECT tenant, workspace, state_version FROM oracle.workspace_writes ORDER BY n",
            |row| WorkspaceWrite { tenant: row.get(0), workspace: row.get(1), state_version: row.get(2) },
        )
        .await?;
        Ok(())
    }

    /// Writes everything, a JSON object a line, each with the table that it stands in.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        put(&mut out, "workspaces", self.workspaces.values())?;
        put(&mut out, "entities", &self.entities)?;
        put(&mut out, "audit", &self.audits)?;
        put(&mut out, "dead_letters", &self.letters)?;
        put(&mut out, "marks", &self.marks)?;
        put(&mut out, "unrouted", &self.unrouted)?;
        put(&mut out, "workspace_writes", &self.workspace_writes)?;
        put(&mut out, "entity_writes", &self.entity_writes)?;
        Ok(out.flush()?)
    }
}

fn put<T: Serialize>(
    out: &mut BufWriter<File>,
    table: &str,
    rows: impl IntoIterator<Item = T>,
) -> Result<()> {
    for row in rows {
        writeln!(out, "{}", serde_json::json!({ "table": table, "row": row }))?;
    }
    Ok(())
}

async fn rows<T>(
    connection: &mut PgConnection,
    query: &'static str,
    read: impl Fn(&PgRow) -> T,
) -> Result<Vec<T>> {
    let rows = sqlx::query(query).fetch_all(connection).await.context("cannot read the catalog")?;
    Ok(rows.iter().map(read).collect())
}
