-- The ends of many tenants' feeds at once, for a process that wakes waiting readers: positions, and nothing of what stands there.
CREATE FUNCTION feed_heads(wanted text[]) RETURNS TABLE (tenant_id text, seq bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT h.tenant_id, h.seq
    FROM unnest(wanted) AS n (tenant_id)
    JOIN public.tenant_heads AS h ON h.tenant_id = n.tenant_id COLLATE "C"
$$;
REVOKE ALL ON FUNCTION feed_heads(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_heads(text[]) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION feed_heads(text[]) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
