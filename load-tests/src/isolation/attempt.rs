//! One attempt: the connection's past, the transaction, the statement, and the judgement.
//!
//! Must never keep what an attempt wrote, nor call an attempt refused that failed for another reason.

use anyhow::{Context, Result};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::case::{Case, Past, Setting, Verb};
use super::furnish;
use super::site::Site;

/// Permission denied, or a row that violates a policy.
const REFUSED: &str = "42501";
/// `COPY FROM` a table with row-level security, merging into one that cannot be merged into.
const NOT_SUPPORTED: &str = "0A000";
/// A key that is there already: only what is one's own can be told so.
const THERE_ALREADY: &str = "23505";
/// Postgres makes a plan of its own for a prepared statement the first five times (plancache.c), and keeps one then.
const UNTIL_THE_PLAN_IS_KEPT: usize = 6;

/// What came of a statement.
enum Seen {
    /// Tenants of the rows that were read.
    Read(Vec<String>),
    /// Rows that were written.
    Wrote(u64),
    Refused(String),
}

/// A connection that is used again, if the attempt before left it as it was.
pub(super) struct Bench<'s> {
    site: &'s Site,
    database: &'s str,
    connection: Option<PgConnection>,
}

impl<'s> Bench<'s> {
    pub(super) fn new(site: &'s Site, database: &'s str) -> Self {
        Self { site, database, connection: None }
    }

    /// Tries a case: what is wrong, or nothing.
    pub(super) async fn attempt(&mut self, case: &Case) -> Result<Option<String>> {
        let scene = Scene::of(self.site, case);
        let mut connection = match self.connection.take() {
            Some(connection) if case.past != Past::Fresh => connection,
            _ => self.site.app(self.database).await?,
        };
        scene.live_through(&mut connection, case).await.with_context(|| case.name())?;
        begin(&mut connection, scene.tenant).await?;
        let seen = scene.act(&mut connection, case).await;
        // A copy that was refused leaves sqlx out of step with the server.
        if !case.verb.copies() {
            rollback(&mut connection).await?;
            self.connection = Some(connection);
        }
        Ok(scene.judge(case, &seen).map(|wrong| format!("{}: {wrong}", case.name())))
    }

    /// Tries what nobody but an owner or a superuser may do.
    pub(super) async fn escape(&mut self, statement: &str) -> Result<Option<String>> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.site.app(self.database).await?,
        };
        begin(&mut connection, Some(&self.site.tenants[0])).await?;
        let outcome = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
        // What was done, and be it to become somebody else, ends with the transaction.
        rollback(&mut connection).await?;
        self.connection = Some(connection);
        Ok(match outcome {
            Ok(_) => Some(format!("{statement}: done")),
            Err(error) => {
                let state = sqlstate(&error);
                (state != REFUSED).then(|| format!("{statement}: ended with {state}, which is no refusal"))
            }
        })
    }

    /// Statistics hold values: nobody else's may be seen.
    pub(super) async fn statistics(&mut self) -> Result<Option<String>> {
        let mut connection = self.site.app(self.database).await?;
        begin(&mut connection, Some(&self.site.tenants[0])).await?;
        let seen: Vec<String> = sqlx::query_scalar(
            "SELECT tablename::text FROM pg_stats WHERE schemaname = 'public' AND tablename <> ALL ($1)",
        )
        .bind(furnish::WITHOUT_TENANT.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        .fetch_all(&mut connection)
        .await?;
        connection.close().await?;
        Ok((!seen.is_empty()).then(|| format!("statistics of {} are to be seen", seen.join(", "))))
    }
}

/// Who is who in an attempt.
struct Scene<'s> {
    /// What `app.tenant` is set to.
    tenant: Option<&'s str>,
    /// Whose rows must stay theirs.
    target: &'s str,
}

impl<'s> Scene<'s> {
    fn of(site: &'s Site, case: &Case) -> Self {
        let [first, looks_alike, _, other] = &site.tenants;
        let (tenant, target) = match case.setting {
            Setting::Never => (None, first),
            Setting::Empty => (Some(""), first),
            Setting::Own => (Some(first.as_str()), other),
            Setting::LooksAlike => (Some(looks_alike.as_str()), first),
            Setting::Unknown => (Some("nobody"), looks_alike),
            Setting::Pattern => (Some("%"), first),
            Setting::Sql => (Some("' OR tenant_id <> '"), first),
        };
        Self { tenant, target }
    }

    /// What the connection went through before: always as the one whose rows are wanted.
    async fn live_through(&self, connection: &mut PgConnection, case: &Case) -> Result<()> {
        match case.past {
            Past::Fresh => return Ok(()),
            // A copy has no plan to be kept.
            Past::Prepared if !case.verb.copies() => {
                for _ in 0..UNTIL_THE_PLAN_IS_KEPT {
                    begin(connection, Some(self.target)).await?;
                    self.act(connection, case).await;
                    rollback(connection).await?;
                }
                return Ok(());
            }
            Past::Used | Past::Prepared => {
                begin(connection, Some(self.target)).await?;
                sqlx::raw_sql("SELECT count(*) FROM workspaces; COMMIT").execute(connection).await?;
                return Ok(());
            }
            Past::Failed => {
                begin(connection, Some(self.target)).await?;
                let failed = sqlx::raw_sql("SELECT 1 / (count(*) - count(*)) FROM workspaces");
                anyhow::ensure!(failed.execute(&mut *connection).await.is_err(), "nothing failed");
            }
            Past::Cancelled => {
                begin(connection, Some(self.target)).await?;
                let late = "SET LOCAL statement_timeout = 1; SELECT count(*), pg_sleep(5) FROM workspaces";
                let cancelled = sqlx::raw_sql(late).execute(&mut *connection).await;
                anyhow::ensure!(
                    cancelled.is_err_and(|error| sqlstate(&error) == "57014"),
                    "nothing was cancelled"
                );
            }
        }
        rollback(connection).await
    }

    async fn act(&self, connection: &mut PgConnection, case: &Case) -> Seen {
        let seen = match case.verb {
            Verb::Cursor => self.by_cursor(connection, case).await,
            Verb::CopyOut => copy_out(connection, &case.relation.name).await,
            Verb::CopyIn => copy_in(connection, &case.relation.name, self.target).await,
            Verb::SecurityOff => {
                let off = sqlx::raw_sql("SET LOCAL row_security = off").execute(&mut *connection).await;
                match off {
                    Ok(_) => self.read(connection, &self.statement(case)).await,
                    Err(error) => Err(error),
                }
            }
            Verb::SelectAll | Verb::SelectTheirs | Verb::SelectForUpdate | Verb::Exists | Verb::Probe => {
                self.read(connection, &self.statement(case)).await
            }
            Verb::InsertTheirs | Verb::InsertUnlessThere => {
                let statement = self.statement(case);
                let insert = sqlx::query(AssertSqlSafe(statement)).bind(self.target).bind("intruder");
                insert.execute(connection).await.map(|done| Seen::Wrote(done.rows_affected()))
            }
            _ => {
                let write = sqlx::query(AssertSqlSafe(self.statement(case)));
                write.execute(connection).await.map(|done| Seen::Wrote(done.rows_affected()))
            }
        };
        seen.unwrap_or_else(|error| Seen::Refused(sqlstate(&error)))
    }

    /// The statement of a verb that has one. Tenants are ours: they need no quoting.
    fn statement(&self, case: &Case) -> String {
        let (name, theirs) = (&case.relation.name, format!("tenant_id = '{}'", self.target));
        let insert = || furnish::insert(case.relation.table()).unwrap_or_default();
        let change = case.relation.updatable.as_deref().unwrap_or("tenant_id");
        let mine = self.tenant.unwrap_or_default().replace('\'', "''");
        match case.verb {
            Verb::SelectAll | Verb::SecurityOff | Verb::Cursor => format!("SELECT tenant_id FROM {name}"),
            Verb::SelectTheirs => format!("SELECT tenant_id FROM {name} WHERE {theirs}"),
            Verb::SelectForUpdate => format!("SELECT tenant_id FROM {name} FOR UPDATE"),
            Verb::Exists => {
                format!("SELECT '{}' WHERE EXISTS (SELECT FROM {name} WHERE {theirs})", self.target)
            }
            Verb::Probe => {
                format!("SELECT tenant_id FROM {name} WHERE 1 / (CASE WHEN {theirs} THEN 0 ELSE 1 END) = 1")
            }
            Verb::InsertTheirs => named(insert(), case),
            Verb::InsertUnlessThere => format!("{} ON CONFLICT DO NOTHING", named(insert(), case)),
            Verb::UpdateAll => format!("UPDATE {name} SET {change} = {change}"),
            Verb::UpdateTheirs => format!("UPDATE {name} SET {change} = {change} WHERE {theirs}"),
            Verb::GiveAway => format!("UPDATE {name} SET tenant_id = '{}'", self.target),
            Verb::TakeOver => format!("UPDATE {name} SET tenant_id = '{mine}' WHERE {theirs}"),
            Verb::DeleteAll => format!("DELETE FROM {name}"),
            Verb::DeleteTheirs => format!("DELETE FROM {name} WHERE {theirs}"),
            Verb::Merge => format!(
                "MERGE INTO {name} AS t USING (VALUES ('{}')) AS s (tenant) ON t.tenant_id = s.tenant
                 WHEN MATCHED THEN UPDATE SET {change} = t.{change}",
                self.target
            ),
            Verb::Truncate => format!("TRUNCATE {name}"),
            Verb::CopyOut | Verb::CopyIn => String::new(),
        }
    }

    async fn read(&self, connection: &mut PgConnection, statement: &str) -> Result<Seen, sqlx::Error> {
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(connection).await?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map(Seen::Read)
    }

    async fn by_cursor(&self, connection: &mut PgConnection, case: &Case) -> Result<Seen, sqlx::Error> {
        let declare = format!("DECLARE theirs CURSOR FOR {}", self.statement(case));
        sqlx::raw_sql(AssertSqlSafe(declare)).execute(&mut *connection).await?;
        self.read(connection, "FETCH ALL FROM theirs").await
    }

    /// What is wrong with what came of it.
    fn judge(&self, case: &Case, seen: &Seen) -> Option<String> {
        let mine = |tenant: &str| self.tenant.is_some_and(|own| own == tenant);
        let own = self.tenant.and_then(|tenant| case.relation.rows.get(tenant)).copied().unwrap_or(0);
        match seen {
            Seen::Refused(state) if state == REFUSED => None,
            Seen::Refused(state) if state == NOT_SUPPORTED && case.verb == Verb::CopyIn => None,
            Seen::Refused(state) if state == THERE_ALREADY => Some("a key of theirs was told".to_owned()),
            Seen::Refused(state) if state == "22012" => Some("a row of theirs was looked at".to_owned()),
            Seen::Refused(state) => Some(format!("ended with {state}, which is no refusal")),
            _ if case.relation.parent.is_some() => Some("a partition can be named".to_owned()),
            _ if case.verb == Verb::Truncate => Some("all rows were removed".to_owned()),
            Seen::Read(tenants) => {
                let foreign = tenants.iter().filter(|tenant| !mine(tenant)).count();
                // Of a partitioned table nothing is copied out.
                let all = matches!(case.verb, Verb::SelectAll | Verb::Cursor);
                let count = u64::try_from(tenants.len()).unwrap_or(u64::MAX);
                if foreign > 0 {
                    Some(format!("{foreign} rows of others were read"))
                } else if all && count != own {
                    Some(format!("{count} of {own} own rows were read: the case tries nothing"))
                } else {
                    None
                }
            }
            Seen::Wrote(rows) => {
                let allowed = match case.verb {
                    Verb::UpdateAll | Verb::DeleteAll => own,
                    _ => 0,
                };
                (*rows > allowed).then(|| format!("{rows} rows were written, {allowed} are its own"))
            }
        }
    }
}

/// The statement, with a partition's name in place of its table's.
fn named(insert: &str, case: &Case) -> String {
    let (table, name) = (case.relation.table(), &case.relation.name);
    insert.replacen(&format!("INSERT INTO {table} "), &format!("INSERT INTO {name} "), 1)
}

async fn copy_out(connection: &mut PgConnection, name: &str) -> Result<Seen, sqlx::Error> {
    let statement = format!("COPY {name} (tenant_id) TO STDOUT");
    let mut stream = connection.copy_out_raw(&statement).await?;
    let mut text = Vec::new();
    while let Some(chunk) = stream.try_next().await? {
        text.extend_from_slice(&chunk);
    }
    Ok(Seen::Read(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()))
}

async fn copy_in(connection: &mut PgConnection, name: &str, target: &str) -> Result<Seen, sqlx::Error> {
    let statement = format!("COPY {name} (tenant_id) FROM STDIN");
    let mut copy = connection.copy_in_raw(&statement).await?;
    copy.send(format!("{target}\n").as_bytes()).await?;
    copy.finish().await.map(Seen::Wrote)
}

async fn begin(connection: &mut PgConnection, tenant: Option<&str>) -> Result<()> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    if let Some(tenant) = tenant {
        let set = sqlx::query("SELECT set_config('app.tenant', $1, true)").bind(tenant);
        set.execute(connection).await?;
    }
    Ok(())
}

async fn rollback(connection: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("ROLLBACK").execute(connection).await?;
    Ok(())
}

fn sqlstate(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code());
    code.map_or_else(|| "no SQLSTATE".to_owned(), std::borrow::Cow::into_owned)
}
