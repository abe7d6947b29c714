-- How many requests to Terraform Cloud a tenant was granted, by hour (UTC): what of its rate budget it uses.

CREATE TABLE upstream_requests (
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    hour      timestamptz NOT NULL,
    requests  bigint NOT NULL CHECK (requests > 0),
    PRIMARY KEY (tenant_id, hour)
);

ALTER TABLE upstream_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE upstream_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON upstream_requests TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
-- The owner erases and does nothing else to a tenant's rows.
CREATE POLICY erasing_rows ON upstream_requests TO terrasift_owner
    USING (tenant_id IN (SELECT e.tenant_id FROM erased_tenants AS e WHERE e.ended_at IS NULL)) WITH CHECK (false);

GRANT SELECT, INSERT, UPDATE, DELETE ON upstream_requests TO terrasift_app;
GRANT SELECT ON upstream_requests TO terrasift_auditor;
