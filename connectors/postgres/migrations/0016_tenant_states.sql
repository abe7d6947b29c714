-- Which tenants an operator has suspended. Only the owner writes here: what serves can neither suspend a tenant nor lift that.

CREATE TABLE tenant_states (
    tenant_id  text COLLATE "C" PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    state      text COLLATE "C" NOT NULL CHECK (state IN ('active', 'suspended')),
    changed_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE tenant_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_states FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_states TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
-- The owner is a member of the ledger.
CREATE POLICY ledger_rows ON tenant_states TO terrasift_ledger USING (true) WITH CHECK (true);

GRANT SELECT ON tenant_states TO terrasift_app, terrasift_ledger, terrasift_auditor;

-- As before, with whether the key's tenant is suspended.
DROP FUNCTION find_api_key(bytea);
CREATE FUNCTION find_api_key(wanted bytea)
    RETURNS TABLE (
        tenant_id text, slug text, key_id bigint, name text, scopes text[], expires_at timestamptz, disabled boolean,
        suspended boolean
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.tenant_id, t.slug, k.key_id, k.name, k.scopes, k.expires_at, k.disabled_at IS NOT NULL,
           coalesce(s.state = 'suspended', false)
    FROM public.api_keys AS k JOIN public.tenants AS t ON t.tenant_id = k.tenant_id
    LEFT JOIN public.tenant_states AS s ON s.tenant_id = k.tenant_id
    WHERE k.digest = wanted;
END
$$;

-- Who is suspended, for a process that looks again and again: ids only.
CREATE FUNCTION suspended_tenants() RETURNS TABLE (tenant_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT s.tenant_id FROM public.tenant_states AS s WHERE s.state = 'suspended' ORDER BY s.tenant_id;
END
$$;

REVOKE ALL ON FUNCTION find_api_key(bytea), suspended_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea), suspended_tenants() TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION find_api_key(bytea) OWNER TO terrasift_ledger;
ALTER FUNCTION suspended_tenants() OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
