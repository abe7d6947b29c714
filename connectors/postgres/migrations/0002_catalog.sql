-- The catalog: workspaces, their entities, runs, and the audit record of every sanitized state.

CREATE TABLE workspaces (
    tenant_id        text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    workspace_id     text COLLATE "C" NOT NULL,
    -- Last number drawn by a reader, before it asked for the current state.
    read_seq         bigint NOT NULL DEFAULT 0,
    -- Greatest read_seq whose answer the row reflects: across lineages the later read wins.
    applied_read_seq bigint NOT NULL DEFAULT 0,
    -- Counts the writes: a diff is valid only against the write it was made from.
    basis            bigint NOT NULL DEFAULT 0,
    lineage          bytea CHECK (octet_length(lineage) = 16),
    serial           bigint,
    pipeline         bigint,
    state_version    text COLLATE "C",
    resource_count   bigint NOT NULL DEFAULT 0,
    bytes_in         bigint NOT NULL DEFAULT 0,
    synced_at        timestamptz,
    stale_reason     text COLLATE "C",
    stale_since      timestamptz,
    PRIMARY KEY (tenant_id, workspace_id),
    CHECK (num_nulls(lineage, serial, pipeline) IN (0, 3))
) WITH (fillfactor = 80);

-- Live entities and tombstones. Text, not jsonb: the feed serves the bytes that the digest was taken of.
CREATE TABLE entities (
    tenant_id     text COLLATE "C" NOT NULL,
    entity_ref    text COLLATE "C" NOT NULL,
    workspace_id  text COLLATE "C" NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    namespace     text COLLATE "C" NOT NULL,
    name          text COLLATE "C" NOT NULL,
    resource_type text COLLATE "C",
    body          text,
    digest        bytea NOT NULL CHECK (octet_length(digest) = 32),
    change_seq    bigint NOT NULL,
    deleted_at    timestamptz,
    PRIMARY KEY (tenant_id, entity_ref),
    CHECK ((body IS NULL) = (deleted_at IS NOT NULL))
) PARTITION BY HASH (tenant_id);

DO $$
BEGIN
    FOR remainder IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE entities_%s PARTITION OF entities FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
            lpad(remainder::text, 2, '0'), remainder
        );
    END LOOP;
END
$$;
CREATE INDEX entities_feed ON entities (tenant_id, change_seq);
CREATE INDEX entities_of_workspace ON entities (tenant_id, workspace_id);

CREATE TABLE runs (
    tenant_id     text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    run_id        text COLLATE "C" NOT NULL,
    workspace_id  text COLLATE "C" NOT NULL,
    serial        bigint NOT NULL,
    state_version text COLLATE "C",
    synced_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, run_id)
);
CREATE INDEX runs_of_workspace ON runs (tenant_id, workspace_id, synced_at);

-- One row a sanitized state: which rules fired, on which paths of the output, how often; never a value.
CREATE TABLE sanitization_audit_log (
    tenant_id      text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    audit_id       bigint GENERATED ALWAYS AS IDENTITY,
    workspace_id   text COLLATE "C" NOT NULL,
    at             timestamptz NOT NULL DEFAULT now(),
    lineage        bytea NOT NULL,
    serial         bigint NOT NULL,
    pipeline       bigint NOT NULL,
    state_version  text COLLATE "C",
    pii            bigint NOT NULL,
    credential     bigint NOT NULL,
    infrastructure bigint NOT NULL,
    truncated      bigint NOT NULL,
    -- [{rule, category, action, count, pointers: [RFC 6901 into the output]}]
    findings       jsonb NOT NULL,
    run_id         text COLLATE "C",
    trace          text COLLATE "C",
    PRIMARY KEY (tenant_id, audit_id)
);
CREATE INDEX sanitization_audit_of_workspace ON sanitization_audit_log (tenant_id, workspace_id, audit_id);

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['workspaces', 'entities', 'runs', 'sanitization_audit_log'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
        EXECUTE format(
            'CREATE POLICY tenant_rows ON %I TO terrasift_app
             USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant())', guarded
        );
    END LOOP;
END
$$;

-- By table, never ON ALL TABLES: naming a partition goes round its parent's policy.
GRANT SELECT, INSERT, UPDATE ON workspaces TO terrasift_app;
GRANT SELECT, INSERT, UPDATE ON entities TO terrasift_app;
GRANT SELECT, INSERT, UPDATE ON runs TO terrasift_app;
-- Append only.
GRANT SELECT, INSERT ON sanitization_audit_log TO terrasift_app;

GRANT SELECT (tenant_id, workspace_id, serial, pipeline, state_version, synced_at, stale_reason) ON workspaces
    TO terrasift_auditor;
GRANT SELECT (tenant_id, entity_ref, workspace_id, kind, change_seq, deleted_at) ON entities TO terrasift_auditor;
GRANT SELECT (tenant_id, run_id, workspace_id) ON runs TO terrasift_auditor;
GRANT SELECT ON sanitization_audit_log TO terrasift_auditor;
