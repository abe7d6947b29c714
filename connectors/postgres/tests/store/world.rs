//! What every case needs: a migrated database, a store as the application role, and builders of small inputs.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use terrasift_postgres::{
    Auditor, CommitOutcome, Epoch, KnownVersion, Mark, NewMark, PrivatePostgres, ReadTicket, Store,
    TenantRow, WorkspaceCommit, migrate,
};
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::detection::Report;
use terrasift_schemas::event::Priority;
use terrasift_schemas::{EntityRef, PipelineVersion, Sanitized, TenantId, TenantSlug, WorkspaceId};
use time::OffsetDateTime;

/// Nothing here tests durability, and waiting for the disk is most of what small transactions do.
pub async fn do_not_wait_for_the_disk(cluster: &PrivatePostgres) {
    let mut admin = PgConnection::connect(&cluster.superuser_url()).await.expect("the superuser");
    for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
        sqlx::raw_sql(statement).execute(&mut admin).await.expect(statement);
    }
}

/// One case's database.
pub struct World {
    pub cluster: Arc<PrivatePostgres>,
    pub owner_url: String,
    pub app_url: String,
    pub store: Store,
}

impl World {
    /// A migrated database with the tenants `acme` and `globex`.
    pub async fn new(cluster: Arc<PrivatePostgres>, database: &str) -> Self {
        let (owner_url, app_url) = cluster.create_database(database).await.expect("a database");
        migrate(&owner_url).await.expect("migrated");
        let store = Store::connect(&app_url, 8).await.expect("a store");
        store.declare_tenants(&[row("acme", "acme"), row("globex", "globex")]).await.expect("tenants");
        Self { cluster, owner_url, app_url, store }
    }

    /// A plain connection of the application role: what wrong application code could do.
    pub async fn app(&self) -> PgConnection {
        PgConnection::connect(&self.app_url).await.expect("the application role")
    }

    /// A plain connection of the superuser to this database.
    pub async fn superuser(&self) -> PgConnection {
        let name =
            self.app_url.rsplit_once('/').and_then(|(_, rest)| rest.split('?').next()).expect("a name");
        let url = self.cluster.superuser_url().replacen("/terrasift?", &format!("/{name}?"), 1);
        PgConnection::connect(&url).await.expect("the superuser")
    }

    /// The auditor of this database.
    pub fn auditor(&self) -> Auditor {
        let name =
            self.app_url.rsplit_once('/').and_then(|(_, rest)| rest.split('?').next()).expect("a name");
        let url = self.cluster.auditor_url().replacen("/terrasift?", &format!("/{name}?"), 1);
        Auditor::new(&url).expect("an address")
    }

    /// Marks a workspace dirty.
    pub async fn mark(&self, epoch: Epoch, partition: i32, workspace: &WorkspaceId) -> Mark {
        let marked =
            self.store.mark_dirty(partition, epoch, &[new_mark("acme", workspace)]).await.expect("marked");
        marked.marks.into_iter().next().expect("a mark")
    }

    /// Draws a ticket for a workspace of acme.
    pub async fn ticket(&self, workspace: &WorkspaceId) -> ReadTicket {
        self.store.begin_read(&tenant("acme"), workspace).await.expect("a ticket")
    }

    /// Commits one workspace of acme.
    pub async fn commit(&self, commit: WorkspaceCommit) -> CommitOutcome {
        self.store.commit(&tenant("acme"), vec![commit]).await.expect("committed")[0]
    }
}

pub fn row(id: &str, slug: &str) -> TenantRow {
    TenantRow { id: tenant(id), slug: TenantSlug::parse(slug).unwrap() }
}

pub fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}

pub fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(&format!("ws-{id}")).unwrap()
}

pub fn entity_ref(name: &str) -> EntityRef {
    EntityRef::parse(&format!("resource:acme/{name}")).unwrap()
}

pub fn new_mark(tenant_id: &str, workspace: &WorkspaceId) -> NewMark {
    NewMark {
        tenant: tenant(tenant_id),
        workspace: workspace.clone(),
        since: OffsetDateTime::UNIX_EPOCH,
        priority: Priority::Normal,
        trace: None,
        event_id: "event".into(),
    }
}

/// A digest that differs when the text does; the store only compares.
pub fn digest(text: &str) -> [u8; 32] {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let mut out = [0; 32];
    for (chunk, salt) in out.chunks_exact_mut(8).zip(1_u64..) {
        chunk.copy_from_slice(&hash.wrapping_mul(2 * salt + 1).to_le_bytes());
    }
    out
}

#[allow(clippy::disallowed_methods, reason = "tests stand in for the engine")]
pub fn entity(name: &str, content: &str) -> Sanitized<RenderedEntity> {
    let body = format!("{{\"name\":\"{name}\",\"content\":\"{content}\"}}");
    Sanitized::seal(RenderedEntity {
        entity_ref: entity_ref(name),
        kind: "Resource".into(),
        resource_type: Some("aws_s3_bucket".into()),
        digest: digest(&body),
        body: body.into_bytes(),
    })
}

pub fn version(lineage: u8, serial: i64, pipeline: i64) -> KnownVersion {
    KnownVersion { lineage: [lineage; 16], serial, pipeline: PipelineVersion(pipeline), state_version: None }
}

/// A commit of `names`, each with the serial as content.
pub fn commit(
    workspace: &WorkspaceId,
    ticket: &ReadTicket,
    epoch: Epoch,
    mark_generation: i64,
    version: KnownVersion,
    names: &[&str],
) -> WorkspaceCommit {
    let content = format!("{}-{}", version.lineage[0], version.serial);
    WorkspaceCommit {
        workspace: workspace.clone(),
        partition: 0,
        epoch,
        mark_generation,
        read_seq: ticket.read_seq,
        basis: ticket.basis,
        version,
        upserts: names.iter().map(|name| entity(name, &content)).collect(),
        removals: Vec::new(),
        report: Report::default(),
        resource_count: 1,
        bytes_in: 100,
        run: None,
        trace: None,
    }
}

/// Commits a workspace of a tenant under a pipeline.
pub async fn applied_version(w: &World, tenant_id: &str, serial: i64, pipeline: i64) {
    let (owner, ws) = (tenant(tenant_id), workspace("old"));
    let epoch = w.store.claim_partition(0).await.expect("an epoch");
    let ticket = w.store.begin_read(&owner, &ws).await.expect("a ticket");
    let one = commit(&ws, &ticket, epoch, 0, version(1, serial, pipeline), &[]);
    w.store.commit(&owner, vec![one]).await.expect("committed");
}

/// Waits until a question to the database is answered with true, bounded.
pub async fn until(what: &str, conn: &mut PgConnection, question: &'static str) {
    for _ in 0..1_000 {
        if sqlx::query_scalar::<_, bool>(question).fetch_one(&mut *conn).await.unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited too long until {what}");
}
