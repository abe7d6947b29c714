-- The rounds in which a tenant's workspaces are listed upstream: one replica at a time holds a tenant's, and whoever
-- comes next goes on where it stopped.
CREATE TABLE reconciliations (
    tenant_id    text COLLATE "C" PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    -- Counts the claims: who holds an older one has lost the round.
    claim        bigint NOT NULL DEFAULT 0,
    lease_until  timestamptz NOT NULL DEFAULT 'epoch',
    began_at     timestamptz NOT NULL DEFAULT 'epoch',
    -- NULL while a round is under way or was left unfinished.
    ended_at     timestamptz,
    -- Where an unfinished round goes on; NULL: at its beginning.
    organization text,
    page         integer CHECK (page >= 1)
);

ALTER TABLE reconciliations ENABLE ROW LEVEL SECURITY;
ALTER TABLE reconciliations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON reconciliations TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

GRANT SELECT, INSERT, UPDATE ON reconciliations TO terrasift_app;
GRANT SELECT ON reconciliations TO terrasift_auditor;
