-- Which versions the catalog shows, for the intake: a record about a state that is served already needs no mark, and the
-- intake acts before a tenant is known.

CREATE POLICY ledger_rows ON workspaces FOR SELECT TO terrasift_ledger USING (true);
GRANT SELECT (tenant_id, workspace_id, lineage, serial, pipeline, state_version, missing_since) ON workspaces
    TO terrasift_ledger;

-- The versions of these workspaces that are shown; `tenants` and `wanted` are pairs. What upstream was once said not to
-- have is left out: somebody has to look.
CREATE FUNCTION served_versions(tenants text[], wanted text[])
    RETURNS TABLE (
        tenant_id text, workspace_id text, lineage bytea, serial bigint, pipeline bigint, state_version text
    )
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT w.tenant_id, w.workspace_id, w.lineage, w.serial, w.pipeline, w.state_version
    FROM unnest(tenants, wanted) AS n (tenant_id, workspace_id)
    JOIN public.workspaces AS w
      ON w.tenant_id = n.tenant_id COLLATE "C" AND w.workspace_id = n.workspace_id COLLATE "C"
    WHERE w.lineage IS NOT NULL AND w.missing_since IS NULL
$$;
REVOKE ALL ON FUNCTION served_versions(text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION served_versions(text[], text[]) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION served_versions(text[], text[]) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
