//! What people look up: entities by what is known of them, resources by type, runs, the tenant's own security audit, and how much was
//! done for it.
//!
//! Reads alone, each in one statement of the tenant's transaction. A list goes on behind its last entry; a list by time names, besides
//! the moment, how many entries of that very moment were shown.

use sqlx::{Postgres, QueryBuilder};
use terrasift_schemas::{RunId, StateVersionId, TenantId, WorkspaceId};
use time::OffsetDateTime;

use crate::error::wrap;
use crate::feed::{PageColumns, change, undeclared};
use crate::{ChangeRow, FeedHead, Store, StoreError, stored};

/// Which live entities are wanted. Everything that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntityFilter {
    /// Of this kind, in its `PascalCase` spelling.
    pub kind: Option<String>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// With this name, in lower case.
    pub name: Option<String>,
    /// With a name that begins so, in lower case.
    pub name_prefix: Option<String>,
    /// Of this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Of this Terraform resource type.
    pub resource_type: Option<String>,
    /// Pieces of the entity's JSON that have to be in it, such as `"owner":"platform"`: the caller looks whether they stand where they should.
    pub fragments: Vec<String>,
}

/// Where a list by time goes on, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimePosition {
    /// The moment of the last entry that was shown.
    pub at: OffsetDateTime,
    /// How many entries of that moment were shown.
    pub shown: i64,
}

/// A run whose state is, or was, in the catalog.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RunRow {
    /// The run, a [`RunId`].
    pub run_id: String,
    /// Its workspace, a [`WorkspaceId`].
    pub workspace_id: String,
    /// Serial of its state.
    pub serial: i64,
    /// Its state version, a [`StateVersionId`].
    pub state_version: Option<String>,
    /// When the catalog showed it.
    pub synced_at: OffsetDateTime,
}

/// A record of the security audit, as its tenant sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnTrailRow {
    /// When.
    pub at: OffsetDateTime,
    /// Who.
    pub actor: String,
    /// Method or command.
    pub action: String,
    /// Route or thing.
    pub resource: String,
    /// What came of it.
    pub outcome: String,
    /// Status or code.
    pub code: String,
    /// Trace.
    pub trace: String,
    /// Address of the client.
    pub client: String,
}

/// How many live resources of a type there are.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct ResourceTypeCount {
    /// Terraform resource type.
    pub resource_type: String,
    /// Entities.
    pub resources: i64,
    /// Workspaces that have some.
    pub workspaces: i64,
}

/// How a tenant stands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TenantStatus {
    /// Its slug.
    pub slug: String,
    /// Generation of its feed.
    pub feed_epoch: i64,
    /// Last position of its feed.
    pub head: i64,
    /// Known workspaces.
    pub workspaces: i64,
    /// Those that are shown as stale.
    pub stale_workspaces: i64,
    /// Those that were never synced.
    pub waiting_workspaces: i64,
    /// When the catalog was last known to be right for some workspace.
    pub last_synced_at: Option<OffsetDateTime>,
    /// The workspace that was longest not looked at.
    pub oldest_synced_at: Option<OffsetDateTime>,
    /// Dead letters that wait for somebody.
    pub open_dead_letters: i64,
}

/// What was done for a tenant on one day (UTC).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UsageDay {
    /// Its beginning.
    pub day: OffsetDateTime,
    /// States sanitized.
    pub states: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Detections of personal data.
    pub pii: i64,
    /// Detections of credentials.
    pub credential: i64,
    /// Detections of infrastructure.
    pub infrastructure: i64,
}

/// What is kept for a tenant now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    /// Workspaces.
    pub workspaces: i64,
    /// Live entities.
    pub entities: i64,
}

impl Store {
    /// The live entities behind `after` that a filter lets through, in the order of their last change; and the feed's end.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn find_entities(
        &self,
        tenant: &TenantId,
        filter: &EntityFilter,
        after: i64,
        limit: u32,
    ) -> Result<(FeedHead, Vec<ChangeRow>), StoreError> {
        let filter = filter.clone();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let mut query = find(tx.tenant, &filter, after, limit);
                let rows: Vec<PageColumns> =
                    query.build_query_as().fetch_all(tx.conn).await.map_err(wrap("find entities"))?;
                let head =
                    rows.first().map(|row| FeedHead { epoch: row.0, seq: row.1 }).ok_or_else(undeclared)?;
                let found = rows.into_iter().filter_map(|row| change(row).transpose());
                Ok((head, found.collect::<Result<_, StoreError>>()?))
            })
        })
        .await
    }

    /// How many live resources of each type there are, most first.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn resource_types(&self, tenant: &TenantId) -> Result<Vec<ResourceTypeCount>, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_as(
                    "SELECT resource_type, count(*) AS resources, count(DISTINCT workspace_id) AS workspaces
                     FROM entities WHERE tenant_id = $1 AND deleted_at IS NULL AND resource_type IS NOT NULL
                     GROUP BY resource_type ORDER BY resources DESC, resource_type",
                )
                .bind(tx.tenant)
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("count the resources"))
            })
        })
        .await
    }

    /// The runs that led to what the catalog shows, newest first.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn runs(
        &self,
        tenant: &TenantId,
        workspace: Option<&WorkspaceId>,
        from: Option<TimePosition>,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        let workspace = workspace.cloned();
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Postgres>::new(
                    "SELECT run_id, workspace_id, serial, state_version, synced_at FROM runs WHERE tenant_id = ",
                );
                query.push_bind(tx.tenant.to_owned());
                if let Some(workspace) = &workspace {
                    query.push(" AND workspace_id = ").push_bind(workspace.as_str().to_owned());
                }
                by_time(&mut query, "synced_at", "run_id", from, limit);
                query.build_query_as().fetch_all(tx.conn).await.map_err(wrap("list the runs"))
            })
        })
        .await
    }

    /// What the security audit has of a tenant, newest first.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn own_trail(
        &self,
        tenant: &TenantId,
        outcome: Option<&str>,
        since: Option<OffsetDateTime>,
        from: Option<TimePosition>,
        limit: u32,
    ) -> Result<Vec<OwnTrailRow>, StoreError> {
        let outcome = outcome.map(str::to_owned);
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Postgres>::new(
                    "SELECT at, actor, action, resource, outcome, code, trace, client FROM security_audit_log WHERE tenant_id = ",
                );
                query.push_bind(tx.tenant.to_owned());
                if let Some(outcome) = &outcome {
                    query.push(" AND outcome = ").push_bind(outcome.clone());
                }
                if let Some(since) = since {
                    query.push(" AND at >= ").push_bind(since);
                }
                by_time(&mut query, "at", "segment, number", from, limit);
                query.build_query_as().fetch_all(tx.conn).await.map_err(wrap("read the tenant's security audit"))
            })
        })
        .await
    }

    /// How a tenant stands.
    ///
    /// # Errors
    /// `Invalid` when the tenant is not declared.
    pub async fn tenant_status(&self, tenant: &TenantId) -> Result<TenantStatus, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                let row: Option<TenantStatus> = sqlx::query_as(
                    "SELECT t.slug, h.feed_epoch, h.seq AS head, w.*,
                            (SELECT count(*) FROM dead_letters WHERE tenant_id = $1 AND state = 'open') AS open_dead_letters
                     FROM tenants AS t JOIN tenant_heads AS h USING (tenant_id), LATERAL (
                         SELECT count(*) AS workspaces, count(stale_reason) AS stale_workspaces,
                                count(*) FILTER (WHERE synced_at IS NULL) AS waiting_workspaces,
                                max(synced_at) AS last_synced_at, min(synced_at) AS oldest_synced_at
                         FROM workspaces WHERE tenant_id = $1
                     ) AS w WHERE t.tenant_id = $1",
                )
                .bind(tx.tenant)
                .fetch_optional(tx.conn)
                .await
                .map_err(wrap("read how the tenant stands"))?;
                row.ok_or_else(undeclared)
            })
        })
        .await
    }

    /// What was done for a tenant from `since` until before `until`, by day, oldest first; days without anything are left out.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn usage(
        &self,
        tenant: &TenantId,
        since: OffsetDateTime,
        until: OffsetDateTime,
    ) -> Result<Vec<UsageDay>, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_as(
                    "SELECT date_trunc('day', at, 'UTC') AS day, count(*) AS states, sum(bytes_in)::bigint AS bytes,
                            sum(pii)::bigint AS pii, sum(credential)::bigint AS credential,
                            sum(infrastructure)::bigint AS infrastructure
                     FROM sanitization_audit_log WHERE tenant_id = $1 AND at >= $2 AND at < $3
                     GROUP BY day ORDER BY day",
                )
                .bind(tx.tenant)
                .bind(since)
                .bind(until)
                .fetch_all(tx.conn)
                .await
                .map_err(wrap("count what was used"))
            })
        })
        .await
    }

    /// What is kept for a tenant now.
    ///
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn kept(&self, tenant: &TenantId) -> Result<Kept, StoreError> {
        self.reading(tenant, move |tx| {
            Box::pin(async move {
                sqlx::query_as(
                    "SELECT (SELECT count(*) FROM workspaces WHERE tenant_id = $1) AS workspaces,
                            (SELECT count(*) FROM entities WHERE tenant_id = $1 AND deleted_at IS NULL) AS entities",
                )
                .bind(tx.tenant)
                .fetch_one(tx.conn)
                .await
                .map_err(wrap("count what is kept"))
            })
        })
        .await
    }
}

impl RunRow {
    /// Its ids, parsed.
    ///
    /// # Errors
    /// `Corrupt` when what is stored is none.
    pub fn ids(&self) -> Result<(RunId, WorkspaceId, Option<StateVersionId>), StoreError> {
        let version = self.state_version.as_deref().map(|text| stored::id(StateVersionId::parse, text));
        Ok((
            stored::id(RunId::parse, &self.run_id)?,
            stored::id(WorkspaceId::parse, &self.workspace_id)?,
            version.transpose()?,
        ))
    }
}

/// Names are looked up in the primary key, which begins with kind and namespace: of these there are few, and each is found by one look
/// behind the one before (`0` comes right behind `/`, and names are of letters below `{`). `OFFSET 0` keeps the planner from reading
/// the tenant's entities in the order of their changes instead: with 100,000 of them, that took 171 ms where this takes 2.
fn in_spaces(query: &mut QueryBuilder<Postgres>, tenant: &str, filter: &EntityFilter) {
    query.push("spaces AS s CROSS JOIN LATERAL (SELECT * FROM entities AS i WHERE i.tenant_id = ");
    query.push_bind(tenant.to_owned()).push(" AND i.entity_ref ");
    if let Some(name) = &filter.name {
        query.push("= s.space || '/' || ").push_bind(name.clone());
    } else {
        let prefix = filter.name_prefix.clone().unwrap_or_default();
        query.push(">= s.space || '/' || ").push_bind(prefix.clone());
        query.push(" AND i.entity_ref < s.space || '/' || ").push_bind(prefix).push(" || '{'");
    }
    query.push(" OFFSET 0) AS e");
}

/// Kinds with their namespaces, as references begin with them.
fn push_spaces(query: &mut QueryBuilder<Postgres>, tenant: &str) {
    query.push(
        "RECURSIVE spaces AS (
             (SELECT split_part(entity_ref, '/', 1) AS space FROM entities WHERE tenant_id = ",
    );
    query.push_bind(tenant.to_owned());
    query.push(
        " ORDER BY entity_ref LIMIT 1)
             UNION ALL
             SELECT (SELECT split_part(e.entity_ref, '/', 1) FROM entities AS e WHERE e.tenant_id = ",
    );
    query.push_bind(tenant.to_owned());
    query.push(
        " AND e.entity_ref >= s.space || '0' ORDER BY e.entity_ref LIMIT 1)
             FROM spaces AS s WHERE s.space IS NOT NULL
         ), ",
    );
}

fn find(tenant: &str, filter: &EntityFilter, after: i64, limit: u32) -> QueryBuilder<Postgres> {
    let by_name = filter.name.is_some() || filter.name_prefix.is_some();
    let mut query = QueryBuilder::<Postgres>::new("WITH ");
    if by_name {
        push_spaces(&mut query, tenant);
    }
    query.push("h AS (SELECT tenant_id, feed_epoch, seq FROM tenant_heads WHERE tenant_id = ");
    query.push_bind(tenant.to_owned());
    query.push(
        ") SELECT h.feed_epoch, h.seq, c.change_seq, c.entity_ref, c.deleted, c.body
         FROM h LEFT JOIN LATERAL (SELECT e.change_seq, e.entity_ref, false AS deleted, e.body FROM ",
    );
    if by_name {
        in_spaces(&mut query, tenant, filter);
    } else {
        query.push("entities AS e");
    }
    query.push(" WHERE e.tenant_id = ").push_bind(tenant.to_owned());
    query.push(" AND e.deleted_at IS NULL AND e.change_seq > ").push_bind(after);
    if let (Some(name), Some(prefix)) = (&filter.name, &filter.name_prefix) {
        query
            .push(" AND starts_with(")
            .push_bind(name.clone())
            .push(", ")
            .push_bind(prefix.clone())
            .push(")");
    }
    let columns = [
        ("kind", filter.kind.as_deref()),
        ("namespace", filter.namespace.as_deref()),
        ("workspace_id", filter.workspace.as_ref().map(WorkspaceId::as_str)),
        ("resource_type", filter.resource_type.as_deref()),
    ];
    for (column, wanted) in columns {
        if let Some(wanted) = wanted {
            query.push(" AND e.").push(column).push(" = ").push_bind(wanted.to_owned());
        }
    }
    for fragment in &filter.fragments {
        query.push(" AND strpos(e.body, ").push_bind(fragment.clone()).push(") > 0");
    }
    query.push(" ORDER BY e.change_seq LIMIT ").push_bind(i64::from(limit));
    query.push(") AS c ON true ORDER BY c.change_seq");
    query
}

/// Orders by time, newest first, and goes on at a position.
fn by_time(
    query: &mut QueryBuilder<Postgres>,
    time: &'static str,
    then: &'static str,
    from: Option<TimePosition>,
    limit: u32,
) {
    if let Some(from) = from {
        query.push(" AND ").push(time).push(" <= ").push_bind(from.at);
    }
    query.push(" ORDER BY ").push(time).push(" DESC, ").push(then);
    query.push(" LIMIT ").push_bind(i64::from(limit));
    query.push(" OFFSET ").push_bind(from.map_or(0, |from| from.shown));
}
