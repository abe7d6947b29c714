-- The security audit: who asked for what, and what came of it. Each process writes a chain of its own (a segment), in which each record
-- holds the hash of the one before it; signed checkpoints say how long a chain was (docs/adr/0022-a-trail-that-shows-its-gaps.md).

CREATE TABLE security_audit_log (
    -- Empty where none was proven: then app_tenant() equals it for nobody. No foreign key: what a tenant did stays when it goes.
    tenant_id text COLLATE "C" NOT NULL CHECK (octet_length(tenant_id) <= 256),
    segment   text COLLATE "C" NOT NULL CHECK (segment ~ '^[0-9a-f]{32}$'),
    number    bigint NOT NULL CHECK (number > 0),
    at        timestamptz NOT NULL,
    actor     text COLLATE "C" NOT NULL CHECK (octet_length(actor) <= 512),
    action    text COLLATE "C" NOT NULL CHECK (octet_length(action) <= 64),
    resource  text COLLATE "C" NOT NULL CHECK (octet_length(resource) <= 512),
    outcome   text COLLATE "C" NOT NULL CHECK (octet_length(outcome) <= 64),
    code      text COLLATE "C" NOT NULL CHECK (octet_length(code) <= 64),
    trace     text COLLATE "C" NOT NULL CHECK (octet_length(trace) <= 64),
    client    text COLLATE "C" NOT NULL CHECK (octet_length(client) <= 64),
    previous  bytea NOT NULL CHECK (octet_length(previous) = 32),
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant_id, at, segment, number)
) PARTITION BY RANGE (at);
CREATE INDEX security_audit_chain ON security_audit_log (segment, number);
-- What no month was made for: no record is refused because somebody forgot to make one.
CREATE TABLE security_audit_log_default PARTITION OF security_audit_log DEFAULT;

-- No tenant: a chain holds records of all.
CREATE TABLE security_audit_checkpoints (
    segment   text COLLATE "C" NOT NULL,
    number    bigint NOT NULL,
    at        timestamptz NOT NULL,
    hash      bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- Nothing comes after it.
    closes    boolean NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (segment, number, closes)
);

-- No tenant: up to when records were dropped because they were old, so that a chain may begin in its middle.
CREATE TABLE security_audit_retired (
    until      timestamptz PRIMARY KEY,
    retired_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE security_audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE security_audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON security_audit_log TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY ledger_rows ON security_audit_log FOR INSERT TO terrasift_ledger WITH CHECK (true);

-- Nobody who serves may change or remove a record, nor write one past the functions below.
GRANT SELECT ON security_audit_log TO terrasift_app;
GRANT INSERT ON security_audit_log, security_audit_checkpoints TO terrasift_ledger;
GRANT SELECT ON security_audit_log, security_audit_checkpoints, security_audit_retired TO terrasift_auditor;

-- Appends records of one segment, of whatever tenants: a failed attempt has none. Sent again, it adds nothing.
CREATE FUNCTION append_security_audit(
    wanted text, numbers bigint[], ats timestamptz[], tenants text[], actors text[], actions text[], resources text[],
    outcomes text[], codes text[], traces text[], clients text[], previouses bytea[], hashes bytea[]
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.security_audit_log
        (segment, number, at, tenant_id, actor, action, resource, outcome, code, trace, client, previous, hash)
    SELECT wanted, r.* FROM unnest(numbers, ats, tenants, actors, actions, resources, outcomes, codes, traces, clients,
                                   previouses, hashes) AS r
    ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION append_security_checkpoint(
    wanted text, number bigint, at timestamptz, hash bytea, closes boolean, signature bytea
) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.security_audit_checkpoints VALUES (wanted, number, at, hash, closes, signature) ON CONFLICT DO NOTHING;
END
$$;

-- Makes the partitions of this month and of the months after it. The owner's only. A month of which the default partition has records
-- already stays there.
CREATE FUNCTION prepare_security_audit(ahead integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    SET timezone = 'UTC'
    SET lock_timeout = '10s'
AS $$
DECLARE
    month timestamptz;
    wanted text;
BEGIN
    -- Several may migrate at once.
    PERFORM pg_advisory_xact_lock(20260613, 13);
    FOR distance IN 0..ahead LOOP
        month := date_trunc('month', now()) + make_interval(months => distance);
        wanted := 'security_audit_log_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass('public.' || wanted) IS NOT NULL;
        BEGIN
            EXECUTE format(
                'CREATE TABLE public.%I PARTITION OF public.security_audit_log FOR VALUES FROM (%L) TO (%L)',
                wanted, month, month + interval '1 month'
            );
        EXCEPTION WHEN check_violation THEN
            RAISE NOTICE 'records of this month are in the default partition already';
        END;
    END LOOP;
END
$$;

-- Drops the months that ended more than so many months ago, and writes down that it did: how many. The owner's only.
CREATE FUNCTION retire_security_audit(keep_months integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp
    SET timezone = 'UTC'
    SET lock_timeout = '10s'
AS $$
DECLARE
    old record;
    retired integer := 0;
BEGIN
    FOR old IN
        SELECT c.relname AS name, to_date(right(c.relname, 7), 'YYYY_MM')::timestamptz + interval '1 month' AS until
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.security_audit_log'::regclass AND c.relname ~ '^security_audit_log_\d{4}_\d{2}$'
        ORDER BY c.relname
    LOOP
        CONTINUE WHEN old.until > date_trunc('month', now()) - make_interval(months => keep_months);
        EXECUTE format('DROP TABLE public.%I', old.name);
        INSERT INTO public.security_audit_retired (until) VALUES (old.until) ON CONFLICT DO NOTHING;
        retired := retired + 1;
    END LOOP;
    RETURN retired;
END
$$;

REVOKE ALL ON FUNCTION prepare_security_audit(integer), retire_security_audit(integer),
    append_security_audit(text, bigint[], timestamptz[], text[], text[], text[], text[], text[], text[], text[], text[], bytea[], bytea[]),
    append_security_checkpoint(text, bigint, timestamptz, bytea, boolean, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    append_security_audit(text, bigint[], timestamptz[], text[], text[], text[], text[], text[], text[], text[], text[], bytea[], bytea[]),
    append_security_checkpoint(text, bigint, timestamptz, bytea, boolean, bytea) TO terrasift_app;
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION
    append_security_audit(text, bigint[], timestamptz[], text[], text[], text[], text[], text[], text[], text[], text[], bytea[], bytea[])
    OWNER TO terrasift_ledger;
ALTER FUNCTION append_security_checkpoint(text, bigint, timestamptz, bytea, boolean, bytea) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
SELECT prepare_security_audit(2);
