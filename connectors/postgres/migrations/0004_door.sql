-- What the doors need: API keys, and which webhook deliveries were seen.

CREATE TABLE api_keys (
    tenant_id    text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    -- HMAC-SHA-256 of the key under the pepper; the key itself is stored nowhere.
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    name         text NOT NULL CHECK (octet_length(name) <= 256),
    scopes       text[] NOT NULL,
    expires_at   timestamptz,
    disabled_at  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest),
    CONSTRAINT api_keys_digest_key UNIQUE (digest)
);

CREATE TABLE webhook_deliveries (
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    digest    bytea NOT NULL CHECK (octet_length(digest) = 32),
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, digest)
);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON api_keys TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY ledger_rows ON api_keys FOR SELECT TO terrasift_ledger USING (true);

ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON webhook_deliveries TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

GRANT SELECT, INSERT, UPDATE (disabled_at) ON api_keys TO terrasift_app;
GRANT SELECT, INSERT, DELETE ON webhook_deliveries TO terrasift_app;
GRANT SELECT ON api_keys TO terrasift_ledger;
GRANT SELECT (tenant_id, name, scopes, expires_at, disabled_at, created_at) ON api_keys TO terrasift_auditor;
GRANT SELECT (tenant_id, at) ON webhook_deliveries TO terrasift_auditor;

-- Digest to tenant: what must be known before a tenant is. At most one row.
CREATE FUNCTION find_api_key(wanted bytea)
    RETURNS TABLE (
        tenant_id text, slug text, name text, scopes text[], expires_at timestamptz, disabled boolean
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT k.tenant_id, t.slug, k.name, k.scopes, k.expires_at, k.disabled_at IS NOT NULL
    FROM public.api_keys AS k JOIN public.tenants AS t ON t.tenant_id = k.tenant_id
    WHERE k.digest = wanted
$$;
REVOKE ALL ON FUNCTION find_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION declare_tenants(text[], text[]) OWNER TO terrasift_ledger;
ALTER FUNCTION claim_partition(integer) OWNER TO terrasift_ledger;
ALTER FUNCTION hold_epochs(integer[]) OWNER TO terrasift_ledger;
ALTER FUNCTION mark_dirty(integer, bigint, text[], text[], timestamptz[], smallint[], text[], text[])
    OWNER TO terrasift_ledger;
ALTER FUNCTION load_marks(integer, text, text, bigint) OWNER TO terrasift_ledger;
ALTER FUNCTION find_api_key(bytea) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
