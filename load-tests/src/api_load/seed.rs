//! A full catalog, put where commits would have put it: entities, workspaces and the ends of the feeds, consistent with each other.
//!
//! Must never be used for what is measured itself: rows are written by the superuser, round the store.

use anyhow::{Context, Result};
use futures_util::{StreamExt as _, TryStreamExt as _};
use sqlx::{Connection as _, PgConnection};

pub(super) const RESOURCE_KIND: &str = "Resource";
pub(super) const WORKSPACE_KIND: &str = "TerraformWorkspace";

/// Entities of a workspace; the first of them stands for the workspace itself.
const WORKSPACE_ENTITIES: u64 = 100;
/// Entities of one statement, about: a transaction of some 30 MB.
const CHUNK_ENTITIES: u64 = 20_000;
/// Statements at once: as many as the machine of the measure has cores.
const STATEMENTS_AT_ONCE: usize = 2;

/// A tenant with its catalog. Tenant, slug, namespace and organization are one name.
#[derive(Debug, Clone)]
pub(super) struct Seeded {
    pub(super) id: String,
    pub(super) entities: u64,
}

impl Seeded {
    /// The tenants of a run: the first one large, the others alike.
    pub(super) fn all(tenants: u64, entities: u64, largest: u64) -> Vec<Self> {
        let others = tenants.saturating_sub(1).max(1);
        let (each, left) = ((entities - largest) / others, (entities - largest) % others);
        let size = |tenant: u64| match tenant {
            0 => largest,
            tenant => each + u64::from(tenant <= left),
        };
        (0..tenants).map(|tenant| Self { id: format!("org-{tenant:04}"), entities: size(tenant) }).collect()
    }

    /// An entity of the tenant, by any number: its path in the API and its name.
    pub(super) fn entity(&self, draw: u64) -> (String, String) {
        let number = draw % self.entities + 1;
        let kind = if number % WORKSPACE_ENTITIES == 1 { WORKSPACE_KIND } else { RESOURCE_KIND };
        let name = format!("r{number:07}");
        let path = format!("/v1/entities/by-ref/{}/{}/{name}", kind.to_ascii_lowercase(), self.id);
        (path, name)
    }
}

/// `$1` tenants, `$2` their entities, `$3` the body, from `$4` and at most `$5` of each.
const ENTITIES: &str = "
    INSERT INTO entities (tenant_id, entity_ref, workspace_id, kind, namespace, name, resource_type, body, digest, change_seq)
    SELECT b.tenant_id, lower(b.kind) || ':' || b.tenant_id || '/' || b.name, b.workspace_id, b.kind, b.tenant_id, b.name,
           CASE b.kind WHEN 'Resource' THEN 'aws_instance' END, b.body, sha256(convert_to(b.body, 'UTF8')), b.number
    FROM (
        SELECT r.*, format($3, r.kind, r.name, r.tenant_id, r.workspace_id, r.number, r.hash) AS body
        FROM (
            SELECT t.tenant_id, n AS number, 'r' || lpad(n::text, 7, '0') AS name, md5(t.tenant_id || n) AS hash,
                   CASE n % 100 WHEN 1 THEN 'TerraformWorkspace' ELSE 'Resource' END AS kind,
                   'ws-' || substr(md5(t.tenant_id || (n - 1) / 100), 1, 16) AS workspace_id
            FROM unnest($1::text[], $2::bigint[]) AS t (tenant_id, entities),
                 generate_series($4::bigint, least(t.entities, $5::bigint)) AS n
        ) AS r
    ) AS b";

const WORKSPACES: &str = "
    INSERT INTO workspaces (tenant_id, workspace_id, read_seq, applied_read_seq, basis, lineage, serial, pipeline, state_version,
                            resource_count, bytes_in, synced_at)
    SELECT t.tenant_id, 'ws-' || substr(md5(t.tenant_id || w), 1, 16), 1, 1, 1, decode(md5(w || t.tenant_id), 'hex'), 7, 1,
           'sv-' || substr(md5(t.tenant_id || w), 1, 16), 100, 250000, now()
    FROM unnest($1::text[], $2::bigint[]) AS t (tenant_id, entities), generate_series(0, (t.entities - 1) / 100) AS w";

const HEADS: &str = "
    UPDATE tenant_heads AS h SET seq = t.entities
    FROM unnest($1::text[], $2::bigint[]) AS t (tenant_id, entities) WHERE h.tenant_id = t.tenant_id";

/// A body of about 1 KB, as a resource of a state becomes one: kind, name, tenant, workspace, number, 32 hex digits.
const BODY: &str = r#"{"apiVersion":"backstage.io/v1alpha1","kind":"%1$s","metadata":{"name":"%2$s","namespace":"%3$s","title":"module.service_%5$s.aws_instance.web[%5$s]","annotations":{"backstage.io/managed-by-location":"url:https://app.terraform.io/app/%3$s/workspaces/%4$s","backstage.io/managed-by-origin-location":"url:https://app.terraform.io/app/%3$s/workspaces/%4$s","terraform/organization":"%3$s","terraform/workspaces":"%4$s","terrasift.io/identity":"%6$s"},"labels":{"terrasift.io/environment":"production","terrasift.io/provider":"aws"},"tags":["aws","aws-instance","production"]},"spec":{"type":"compute-instance","lifecycle":"production","owner":"group:default/platform","system":"system:%3$s/network","dependsOn":["resource:%3$s/subnet-%5$s","resource:%3$s/security-group-%5$s","terraformworkspace:%3$s/r0000001"],"attributes":{"ami":"[redacted:infrastructure]","arn":"[redacted:infrastructure]","availability_zone":"eu-central-1a","instance_state":"running","instance_type":"m6i.large","monitoring":true,"private_ip":"[redacted:infrastructure]","root_block_device":{"encrypted":true,"volume_size":100,"volume_type":"gp3"},"tags":{"service":"service-%5$s"}}}}"#;

/// Fills the catalog of declared tenants; `step` hears how far it is.
pub(super) async fn fill(
    superuser_url: &str,
    tenants: &[Seeded],
    step: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let chunks = chunks(tenants);
    let of = chunks.len();
    let filling = futures_util::stream::iter(chunks.into_iter().enumerate()).map(|(at, chunk)| async move {
        step(&format!("filling the catalog, {at} of {of}"));
        let mut superuser = connect(superuser_url).await?;
        sqlx::query(ENTITIES)
            .bind(chunk.tenants.iter().map(|tenant| tenant.id.as_str()).collect::<Vec<_>>())
            .bind(chunk.tenants.iter().map(|tenant| signed(tenant.entities)).collect::<Vec<_>>())
            .bind(BODY)
            .bind(signed(chunk.from))
            .bind(signed(chunk.to))
            .execute(&mut superuser)
            .await
            .context("cannot write entities")?;
        Ok::<_, anyhow::Error>(superuser.close().await?)
    });
    filling.buffer_unordered(STATEMENTS_AT_ONCE).try_collect::<()>().await?;
    let mut superuser = connect(superuser_url).await?;
    for statement in [WORKSPACES, HEADS] {
        sqlx::query(statement)
            .bind(tenants.iter().map(|tenant| tenant.id.as_str()).collect::<Vec<_>>())
            .bind(tenants.iter().map(|tenant| signed(tenant.entities)).collect::<Vec<_>>())
            .execute(&mut superuser)
            .await
            .context("cannot write workspaces and the ends of the feeds")?;
    }
    step("settling the catalog");
    // As a catalog is that was not written a minute ago: with statistics, and nothing left to clean or to flush.
    for statement in ["VACUUM (ANALYZE)", "CHECKPOINT"] {
        sqlx::raw_sql(statement).execute(&mut superuser).await.context("cannot settle the catalog")?;
    }
    Ok(superuser.close().await?)
}

/// What Postgres says that makes a commit durable here, beside its version and its memory.
pub(super) async fn settings(superuser_url: &str) -> Result<Vec<(String, String)>> {
    let mut superuser = connect(superuser_url).await?;
    let rows = sqlx::query_as(
        "SELECT name, setting FROM pg_settings
         WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'shared_buffers', 'server_version') ORDER BY name",
    );
    let settings = rows.fetch_all(&mut superuser).await?;
    superuser.close().await?;
    Ok(settings)
}

async fn connect(superuser_url: &str) -> Result<PgConnection> {
    PgConnection::connect(superuser_url).await.context("cannot reach Postgres as its superuser")
}

/// Some tenants, and which of their entities.
struct Chunk<'a> {
    tenants: &'a [Seeded],
    from: u64,
    to: u64,
}

/// The large tenant in parts, then the others by groups.
fn chunks(tenants: &[Seeded]) -> Vec<Chunk<'_>> {
    let (first, others) = tenants.split_at(1.min(tenants.len()));
    let largest = first.first().map_or(0, |tenant| tenant.entities);
    let mut chunks: Vec<Chunk<'_>> = (0..largest.div_ceil(CHUNK_ENTITIES))
        .map(|part| Chunk {
            tenants: first,
            from: part * CHUNK_ENTITIES + 1,
            to: (part + 1) * CHUNK_ENTITIES,
        })
        .collect();
    let each = others.first().map_or(1, |tenant| tenant.entities.max(1));
    let group = usize::try_from(CHUNK_ENTITIES / each).unwrap_or(1).max(1);
    chunks.extend(others.chunks(group).map(|tenants| Chunk { tenants, from: 1, to: u64::MAX >> 1 }));
    chunks
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entity_is_in_one_chunk() {
        for (tenants, entities, largest) in
            [(1000, 1_000_000, 100_000), (50, 5_000, 500), (2, 30, 10), (1, 9, 9)]
        {
            let all = Seeded::all(tenants, entities, largest);
            assert_eq!(all.iter().map(|tenant| tenant.entities).sum::<u64>(), entities, "{tenants}");
            let written: u64 = chunks(&all)
                .iter()
                .flat_map(|chunk| {
                    chunk.tenants.iter().map(|tenant| tenant.entities.min(chunk.to) + 1 - chunk.from)
                })
                .sum();
            assert_eq!(written, entities, "{tenants}");
        }
    }

    #[test]
    fn an_entity_is_found_by_any_number() {
        let tenant = Seeded { id: "org-0001".into(), entities: 250 };
        let cases = [
            (0, "/v1/entities/by-ref/terraformworkspace/org-0001/r0000001"),
            (1, "/v1/entities/by-ref/resource/org-0001/r0000002"),
            (250, "/v1/entities/by-ref/terraformworkspace/org-0001/r0000001"),
        ];
        for (draw, path) in cases {
            assert_eq!(tenant.entity(draw).0, path);
        }
    }
}
