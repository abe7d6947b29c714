-- How new what is shown of a tenant is, in two numbers that move in the transactions that change it. Who keeps what it read looks at them
-- instead of being told (docs/adr/0034-a-cache-that-needs-no-message.md).

-- Counts the transactions after which a workspace is shown otherwise. Beside the feed's end, and written under the same lock: the last
-- that a commit takes. Another column, because a workspace may be shown otherwise while no entity is.
ALTER TABLE tenant_heads ADD COLUMN workspaces_seq bigint NOT NULL DEFAULT 0;
GRANT UPDATE (workspaces_seq) ON tenant_heads TO terrasift_app;
GRANT SELECT (workspaces_seq) ON tenant_heads TO terrasift_auditor;

-- Of one tenant: numbers alone. Asked with a key's look-up, in the same statement, before a tenant is set.
CREATE FUNCTION catalog_version(wanted text) RETURNS TABLE (feed_epoch bigint, seq bigint, workspaces_seq bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT h.feed_epoch, h.seq, h.workspaces_seq FROM public.tenant_heads AS h WHERE h.tenant_id = wanted COLLATE "C";
END
$$;

REVOKE ALL ON FUNCTION catalog_version(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalog_version(text) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION catalog_version(text) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
