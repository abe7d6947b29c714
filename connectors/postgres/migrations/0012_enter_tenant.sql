-- Begins what is done for a tenant, in one message with the BEGIN before it. A connection that carries a tenant, or a transaction that
-- began before this message, was left behind by somebody who was cancelled. No SET clause: with it, the tenant would end with the
-- function; the schema is pg_catalog's, which is looked at first.
CREATE FUNCTION enter_tenant(wanted text) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    IF coalesce(pg_catalog.current_setting('app.tenant', true), '') <> ''
        OR pg_catalog.now() <> pg_catalog.statement_timestamp() THEN
        RAISE EXCEPTION 'the connection was left behind with a tenant or a transaction' USING ERRCODE = 'TSF02';
    END IF;
    PERFORM pg_catalog.set_config('app.tenant', wanted, true);
END
$$;
REVOKE ALL ON FUNCTION enter_tenant(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter_tenant(text) TO terrasift_app;

-- As before, in a language that keeps its plans: in SQL, each of these was planned anew at each call, which took longer than its work.
CREATE OR REPLACE FUNCTION hold_epochs(wanted integer[]) RETURNS TABLE (partition_held integer, epoch_held bigint)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT p.partition, p.epoch FROM public.partition_epochs AS p
    WHERE p.partition = ANY (wanted) ORDER BY p.partition FOR SHARE;
END
$$;

CREATE OR REPLACE FUNCTION find_api_key(wanted bytea)
    RETURNS TABLE (
        tenant_id text, slug text, name text, scopes text[], expires_at timestamptz, disabled boolean
    )
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT k.tenant_id, t.slug, k.name, k.scopes, k.expires_at, k.disabled_at IS NOT NULL
    FROM public.api_keys AS k JOIN public.tenants AS t ON t.tenant_id = k.tenant_id
    WHERE k.digest = wanted;
END
$$;

CREATE OR REPLACE FUNCTION feed_heads(wanted text[]) RETURNS TABLE (tenant_id text, seq bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT h.tenant_id, h.seq
    FROM unnest(wanted) AS n (tenant_id)
    JOIN public.tenant_heads AS h ON h.tenant_id = n.tenant_id COLLATE "C";
END
$$;

-- What many wait for, in a statement of its own that sets its tenant: one round trip instead of two. These run as their caller, whom
-- row-level security binds, and only read: in a transaction that somebody left behind they would see the same. The tenant ends with
-- the statement's own transaction.
CREATE FUNCTION read_as_tenant(wanted text) RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    IF coalesce(pg_catalog.current_setting('app.tenant', true), '') <> '' THEN
        RAISE EXCEPTION 'the connection was left behind with a tenant' USING ERRCODE = 'TSF02';
    END IF;
    PERFORM pg_catalog.set_config('app.tenant', wanted, true);
END
$$;

-- A workspace's live entities.
CREATE FUNCTION known_digests(wanted_tenant text, wanted text) RETURNS TABLE (entity_ref text, digest bytea)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM public.read_as_tenant(wanted_tenant);
    RETURN QUERY
    SELECT e.entity_ref, e.digest FROM public.entities AS e
    WHERE e.tenant_id = wanted_tenant COLLATE "C" AND e.workspace_id = wanted COLLATE "C" AND e.deleted_at IS NULL
    ORDER BY e.entity_ref;
END
$$;

-- The newest change of each entity behind a position, and the feed's end at the same moment; one row without a change where none is.
CREATE FUNCTION feed_page(wanted_tenant text, after bigint, at_most bigint, wanted_kind text)
    RETURNS TABLE (feed_epoch bigint, head bigint, change_seq bigint, entity_ref text, deleted boolean, body text)
    LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM public.read_as_tenant(wanted_tenant);
    RETURN QUERY
    SELECT h.feed_epoch, h.seq, c.change_seq, c.entity_ref, c.deleted, c.body
    FROM public.tenant_heads AS h LEFT JOIN LATERAL (
        SELECT e.change_seq, e.entity_ref, e.deleted_at IS NOT NULL AS deleted, e.body FROM public.entities AS e
        WHERE e.tenant_id = wanted_tenant COLLATE "C" AND e.change_seq > after
          AND (wanted_kind IS NULL OR e.kind = wanted_kind)
        ORDER BY e.change_seq LIMIT at_most
    ) AS c ON true
    WHERE h.tenant_id = wanted_tenant COLLATE "C" ORDER BY c.change_seq;
END
$$;
REVOKE ALL ON FUNCTION read_as_tenant(text), known_digests(text, text), feed_page(text, bigint, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read_as_tenant(text), known_digests(text, text), feed_page(text, bigint, bigint, text)
    TO terrasift_app;
