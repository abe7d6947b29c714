-- Tenants, and the one expression that every policy hangs on.

-- The tenant of this transaction, set by set_config('app.tenant', …, true). Never set and '' (what a used transaction
-- leaves behind) are both no tenant: no row matches, no write passes, and a warning says so.
CREATE FUNCTION app_tenant() RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    tenant text := nullif(current_setting('app.tenant', true), '');
BEGIN
    IF tenant IS NULL THEN
        RAISE WARNING 'no tenant is set: no rows are visible' USING ERRCODE = '42501';
    END IF;
    RETURN tenant;
END
$$;

CREATE TABLE tenants (
    tenant_id  text COLLATE "C" PRIMARY KEY,
    slug       text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Deferred, so that two tenants can swap slugs in one statement.
    CONSTRAINT tenants_slug_key UNIQUE (slug) DEFERRABLE INITIALLY DEFERRED
);

-- The end of a tenant's feed. Its row lock, held from the allocation of change_seq to the commit, is what makes the
-- order of change_seq the order of visibility: a reader can skip nothing.
CREATE TABLE tenant_heads (
    tenant_id  text COLLATE "C" PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    -- Generation of the feed: cursors of another one are void. Microseconds of its birth, so that it never repeats.
    feed_epoch bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    seq        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenants TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY ledger_rows ON tenants TO terrasift_ledger USING (true) WITH CHECK (true);

ALTER TABLE tenant_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON tenant_heads TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY ledger_rows ON tenant_heads TO terrasift_ledger USING (true) WITH CHECK (true);

GRANT SELECT ON tenants TO terrasift_app;
GRANT SELECT, UPDATE (seq) ON tenant_heads TO terrasift_app;
GRANT SELECT, INSERT, UPDATE ON tenants TO terrasift_ledger;
GRANT SELECT, INSERT ON tenant_heads TO terrasift_ledger;
GRANT SELECT (tenant_id, slug) ON tenants TO terrasift_auditor;
GRANT SELECT (tenant_id, feed_epoch, seq) ON tenant_heads TO terrasift_auditor;

-- Declares tenants and renames slugs; ids stay for ever. Idempotent: what does not change is not written.
CREATE FUNCTION declare_tenants(ids text[], slugs text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.tenants AS t (tenant_id, slug)
    SELECT id, slug FROM unnest(ids, slugs) AS wanted (id, slug) ORDER BY id
    ON CONFLICT (tenant_id) DO UPDATE SET slug = excluded.slug WHERE t.slug <> excluded.slug;
    INSERT INTO public.tenant_heads (tenant_id)
    SELECT id FROM unnest(ids) AS wanted (id) ORDER BY id
    ON CONFLICT (tenant_id) DO NOTHING;
$$;
REVOKE ALL ON FUNCTION declare_tenants(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION declare_tenants(text[], text[]) TO terrasift_app;
