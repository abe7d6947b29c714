-- Tenants that are erased, or being erased: their ids, so that none of them is brought to life again.

CREATE TABLE erased_tenants (
    -- No foreign key: it stays when the tenant goes.
    tenant_id text COLLATE "C" PRIMARY KEY,
    begun_at  timestamptz NOT NULL DEFAULT now(),
    -- Who asked for it, as in the security audit.
    begun_by  text NOT NULL CHECK (octet_length(begun_by) <= 256),
    -- NULL while there may be rows left.
    ended_at  timestamptz
);

ALTER TABLE erased_tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON erased_tenants TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
-- The owner, who writes here and nobody else does, is a member of the ledger.
CREATE POLICY ledger_rows ON erased_tenants TO terrasift_ledger USING (true) WITH CHECK (true);
GRANT SELECT ON erased_tenants TO terrasift_app, terrasift_ledger;
GRANT SELECT (tenant_id, begun_at, ended_at) ON erased_tenants TO terrasift_auditor;

-- Forced row-level security binds the owner, too: it is shown rows of tenants that are being erased, to delete them, and no others; it
-- may neither change them nor add any. Not those of the security audit, whose chains hold records of all tenants.
DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY[
        'api_keys', 'dead_letters', 'dirty_marks', 'entities', 'reconciliations', 'rule_sets', 'runs', 'sanitization_audit_log',
        'tenant_heads', 'tenant_states', 'tenants', 'token_users', 'webhook_deliveries', 'workspaces'
    ] LOOP
        EXECUTE format(
            'CREATE POLICY erasing_rows ON %I TO terrasift_owner
             USING (tenant_id IN (SELECT e.tenant_id FROM erased_tenants AS e WHERE e.ended_at IS NULL)) WITH CHECK (false)',
            guarded
        );
    END LOOP;
END
$$;

-- As before, but for what is erased: of these it declares none, and tells which they are.
DROP FUNCTION declare_tenants(text[], text[]);
CREATE FUNCTION declare_tenants(ids text[], slugs text[]) RETURNS SETOF text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Whoever begins to erase or lifts a suspension holds it, too: what was declared before is erased with the rest, what comes
    -- after sees the tombstone.
    PERFORM pg_advisory_xact_lock_shared(20261126, 18);
    INSERT INTO public.tenants AS t (tenant_id, slug)
    SELECT id, slug FROM unnest(ids, slugs) AS wanted (id, slug)
    WHERE NOT EXISTS (SELECT FROM public.erased_tenants AS e WHERE e.tenant_id = id COLLATE "C") ORDER BY id
    ON CONFLICT (tenant_id) DO UPDATE SET slug = excluded.slug WHERE t.slug <> excluded.slug;
    INSERT INTO public.tenant_heads (tenant_id)
    SELECT id FROM unnest(ids) AS wanted (id)
    WHERE NOT EXISTS (SELECT FROM public.erased_tenants AS e WHERE e.tenant_id = id COLLATE "C") ORDER BY id
    ON CONFLICT (tenant_id) DO NOTHING;
    RETURN QUERY
    SELECT e.tenant_id FROM public.erased_tenants AS e
    WHERE e.tenant_id IN (SELECT id COLLATE "C" FROM unnest(ids) AS wanted (id)) ORDER BY e.tenant_id;
END
$$;

-- As before; and who is erased stays shut out for a process that was started with it.
CREATE OR REPLACE FUNCTION suspended_tenants() RETURNS TABLE (tenant_id text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT s.tenant_id FROM public.tenant_states AS s WHERE s.state = 'suspended'
    UNION
    SELECT e.tenant_id FROM public.erased_tenants AS e ORDER BY 1;
END
$$;

REVOKE ALL ON FUNCTION declare_tenants(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION declare_tenants(text[], text[]) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION declare_tenants(text[], text[]) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
