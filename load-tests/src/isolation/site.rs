//! The scene: a private Postgres with the migrated schema and rows of several tenants, and copies of it to be weakened.
//!
//! Must never look at the schema as anybody but the superuser: what the application role cannot see must be counted, too.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use terrasift_postgres::{PrivatePostgres, migrate};

use super::furnish::{ROWS, SINGLE, WITHOUT_TENANT};
use crate::generator::Dice;

/// The database that everything is tried on, and that copies are made of.
const SOUND: &str = "isolation";

/// A table or partition with a tenant.
#[derive(Clone)]
pub(super) struct Relation {
    pub(super) name: String,
    /// The table, of a partition.
    pub(super) parent: Option<String>,
    /// A column that the application may update.
    pub(super) updatable: Option<String>,
    /// Rows by tenant.
    pub(super) rows: BTreeMap<String, u64>,
}

impl Relation {
    /// The name of the table that its rows belong to.
    pub(super) fn table(&self) -> &str {
        self.parent.as_deref().unwrap_or(&self.name)
    }
}

/// A running Postgres.
pub(super) struct Site {
    postgres: PrivatePostgres,
    /// Tenants with rows: one; two that look like it; one that does not.
    pub(super) tenants: [String; 4],
}

impl Site {
    pub(super) async fn start(seed: u64) -> Result<Self> {
        let postgres = PrivatePostgres::start(None).await.context("cannot start Postgres")?;
        let mut dice = Dice::new(seed, 71, 0, 0);
        let name = format!("{}{}", dice.pick(&["acme", "initech", "umbrella", "hooli"]), dice.below(1000));
        let tenants =
            [name.clone(), format!("{name}1"), name.to_uppercase(), format!("globex-{}", dice.below(1000))];
        let site = Self { postgres, tenants };
        let (owner, _) = site.postgres.create_database(SOUND).await?;
        migrate(&owner).await.context("cannot migrate")?;
        site.furnish(&mut dice).await?;
        Ok(site)
    }

    pub(super) async fn stop(self) {
        self.postgres.stop().await;
    }

    async fn furnish(&self, dice: &mut Dice) -> Result<()> {
        let mut admin = self.superuser(SOUND).await?;
        // Nothing here tries durability.
        for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
            sqlx::raw_sql(statement).execute(&mut admin).await?;
        }
        for tenant in &self.tenants {
            for (table, statement) in ROWS {
                let rows = if SINGLE.contains(table) { 1 } else { dice.between(2, 5) };
                for row in 0..rows {
                    let insert = sqlx::query(*statement).bind(tenant).bind(format!("row-{row}"));
                    insert.execute(&mut admin).await.with_context(|| format!("cannot furnish {table}"))?;
                }
            }
        }
        sqlx::raw_sql("ANALYZE").execute(&mut admin).await?;
        Ok(admin.close().await?)
    }

    /// A copy of the sound database. Nobody may be connected to that meanwhile.
    pub(super) async fn copy(&self, name: &str) -> Result<()> {
        let mut admin = PgConnection::connect(&self.postgres.superuser_url()).await?;
        let copy = format!("CREATE DATABASE {name} TEMPLATE {SOUND} OWNER terrasift_owner");
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut admin).await.context("cannot copy the database")?;
        let doors = format!(
            "REVOKE ALL ON DATABASE {name} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {name} TO terrasift_owner, terrasift_app, terrasift_auditor"
        );
        sqlx::raw_sql(AssertSqlSafe(doors)).execute(&mut admin).await?;
        Ok(admin.close().await?)
    }

    pub(super) async fn discard(&self, name: &str) -> Result<()> {
        let mut admin = PgConnection::connect(&self.postgres.superuser_url()).await?;
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await?;
        Ok(admin.close().await?)
    }

    /// The name of the sound database.
    pub(super) fn sound(&self) -> &'static str {
        SOUND
    }

    /// A connection of the superuser.
    pub(super) async fn superuser(&self, database: &str) -> Result<PgConnection> {
        let url = self.superuser_url(database);
        PgConnection::connect(&url).await.context("cannot reach Postgres as its superuser")
    }

    /// The superuser's URL, through the private socket.
    pub(super) fn superuser_url(&self, database: &str) -> String {
        self.postgres.superuser_url().replacen("/terrasift?", &format!("/{database}?"), 1)
    }

    /// A connection of the application role, as the program makes it.
    pub(super) async fn app(&self, database: &str) -> Result<PgConnection> {
        let url = self.postgres.app_url().replacen("/terrasift?", &format!("/{database}?"), 1);
        PgConnection::connect(&url).await.context("cannot reach Postgres as the application role")
    }
}

/// All tables and partitions with a tenant, with what is in them; and what is neither that nor known to have none.
pub(super) async fn relations(admin: &mut PgConnection) -> Result<(Vec<Relation>, Vec<String>)> {
    let found: Vec<(String, Option<String>, Option<String>, bool)> = sqlx::query_as(
        "SELECT c.relname::text,
                (SELECT i.inhparent::regclass::text FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition),
                (SELECT a.attname::text FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'tenant_id'
                   AND has_column_privilege('terrasift_app', c.oid, a.attnum, 'UPDATE') AND a.attidentity = ''
                 ORDER BY a.attnum LIMIT 1),
                EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
         FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1",
    )
    .fetch_all(&mut *admin)
    .await?;
    let (mut relations, mut strange) = (Vec::new(), Vec::new());
    for (name, parent, updatable, has_tenant) in found {
        if !has_tenant {
            if !WITHOUT_TENANT.contains(&name.as_str()) {
                strange
                    .push(format!("{name} has no tenant and is not on the list of such tables (furnish.rs)"));
            }
            continue;
        }
        let relation = Relation { name, parent, updatable, rows: BTreeMap::new() };
        if super::furnish::insert(relation.table()).is_none() {
            strange.push(format!("{} has no row to try (furnish.rs)", relation.table()));
            continue;
        }
        let count = format!("SELECT tenant_id, count(*) FROM {} GROUP BY 1", relation.name);
        let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(count)).fetch_all(&mut *admin).await?;
        let rows =
            rows.into_iter().map(|(tenant, rows)| (tenant, u64::try_from(rows).unwrap_or(0))).collect();
        relations.push(Relation { rows, ..relation });
    }
    Ok((relations, strange))
}
