-- The life of an API key: a number to name it by, what replaces it, and when it was used last.

ALTER TABLE api_keys
    -- Names a key to people and in the audit; it opens nothing.
    ADD COLUMN key_id       bigint GENERATED ALWAYS AS IDENTITY,
    -- The key that this one was made for by a rotation.
    ADD COLUMN replaces     bigint,
    -- Up to two minutes late, and written at most once a minute.
    ADD COLUMN last_used_at timestamptz,
    ADD CONSTRAINT api_keys_key_id_key UNIQUE (tenant_id, key_id),
    -- A rotation that is asked for twice makes one key.
    ADD CONSTRAINT api_keys_replaces_key UNIQUE (tenant_id, replaces);

GRANT UPDATE (expires_at) ON api_keys TO terrasift_app;
GRANT UPDATE (last_used_at) ON api_keys TO terrasift_ledger;
GRANT SELECT (key_id, replaces, last_used_at) ON api_keys TO terrasift_auditor;
DROP POLICY ledger_rows ON api_keys;
CREATE POLICY ledger_rows ON api_keys TO terrasift_ledger USING (true) WITH CHECK (true);

-- As before, with the key's number.
DROP FUNCTION find_api_key(bytea);
CREATE FUNCTION find_api_key(wanted bytea)
    RETURNS TABLE (
        tenant_id text, slug text, key_id bigint, name text, scopes text[], expires_at timestamptz, disabled boolean
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.tenant_id, t.slug, k.key_id, k.name, k.scopes, k.expires_at, k.disabled_at IS NOT NULL
    FROM public.api_keys AS k JOIN public.tenants AS t ON t.tenant_id = k.tenant_id
    WHERE k.digest = wanted;
END
$$;

-- When keys of whatever tenants were used last. What another replica writes just now, or wrote within a minute before, is left as it is:
-- nobody waits here, and a busy key costs one row a minute.
CREATE FUNCTION note_key_uses(tenants text[], ids bigint[], ats timestamptz[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH due AS MATERIALIZED (
        SELECT k.tenant_id, k.key_id, u.at FROM unnest(tenants, ids, ats) AS u (tenant_id, key_id, at)
        JOIN public.api_keys AS k ON k.tenant_id = u.tenant_id COLLATE "C" AND k.key_id = u.key_id
        WHERE k.last_used_at IS NULL OR k.last_used_at <= u.at - interval '1 minute'
        FOR NO KEY UPDATE OF k SKIP LOCKED
    )
    UPDATE public.api_keys AS k SET last_used_at = due.at
    FROM due WHERE k.tenant_id = due.tenant_id AND k.key_id = due.key_id
$$;

REVOKE ALL ON FUNCTION find_api_key(bytea), note_key_uses(text[], bigint[], timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea), note_key_uses(text[], bigint[], timestamptz[]) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION find_api_key(bytea) OWNER TO terrasift_ledger;
ALTER FUNCTION note_key_uses(text[], bigint[], timestamptz[]) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
