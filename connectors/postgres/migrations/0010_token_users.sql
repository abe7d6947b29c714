-- Whose a tenant's Terraform Cloud tokens are, asked once a token: a replica that starts need not ask again while the
-- rate budget of that user is in use. A token is named by a digest that does not lead back to it.
CREATE TABLE token_users (
    tenant_id   text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    fingerprint text COLLATE "C" NOT NULL,
    user_id     text NOT NULL,
    PRIMARY KEY (tenant_id, fingerprint)
);

ALTER TABLE token_users ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON token_users TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

GRANT SELECT, INSERT, UPDATE ON token_users TO terrasift_app;
GRANT SELECT ON token_users TO terrasift_auditor;
