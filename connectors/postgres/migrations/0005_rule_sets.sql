-- Which rule sets a tenant was sanitized with, in the order in which they came: the number is what makes one write of a
-- state newer than another, the digest says which rules it was. Never a pattern.
CREATE TABLE rule_sets (
    tenant_id    text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    number       integer NOT NULL CHECK (number BETWEEN 1 AND 999999),
    -- SHA-256 over the built-in rules and the tenant's.
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    -- What the file says about itself.
    file_version integer NOT NULL,
    activated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);

ALTER TABLE rule_sets ENABLE ROW LEVEL SECURITY;
ALTER TABLE rule_sets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON rule_sets TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

-- Append only.
GRANT SELECT, INSERT ON rule_sets TO terrasift_app;
GRANT SELECT ON rule_sets TO terrasift_auditor;
