-- The ledger of hop 2: which workspaces are dirty, and who owns a partition. Intake serves all tenants of a partition,
-- so it acts before a tenant is known: through these functions only, owned by a role that nobody logs in as.

-- No tenant: partitions of terraform-state-updated.
CREATE TABLE partition_epochs (
    partition  integer PRIMARY KEY CHECK (partition >= 0),
    epoch      bigint NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now()
);

-- Generations never repeat, also not after a mark was cleared: a commit that is sent again must not clear the mark of
-- an event that came in between.
CREATE SEQUENCE mark_generations;

CREATE TABLE dirty_marks (
    tenant_id    text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    workspace_id text COLLATE "C" NOT NULL,
    partition    integer NOT NULL CHECK (partition >= 0),
    generation   bigint NOT NULL,
    since        timestamptz NOT NULL,
    priority     smallint NOT NULL,
    not_before   timestamptz,
    attempts     bigint NOT NULL DEFAULT 0,
    trace        text COLLATE "C",
    event_id     text COLLATE "C" NOT NULL,
    marked_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, workspace_id)
) WITH (fillfactor = 70);
CREATE INDEX dirty_marks_of_partition ON dirty_marks (partition, tenant_id, workspace_id);

-- No tenant: records that none can be found for. Position and reason, never payload.
CREATE TABLE unrouted_records (
    topic         text COLLATE "C" NOT NULL,
    partition     integer NOT NULL,
    record_offset bigint NOT NULL,
    reason        text COLLATE "C" NOT NULL,
    detail        text NOT NULL CHECK (octet_length(detail) <= 1024),
    parked_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, record_offset)
);

CREATE TABLE dead_letters (
    tenant_id     text COLLATE "C" NOT NULL REFERENCES tenants ON DELETE CASCADE,
    letter_id     bigint GENERATED ALWAYS AS IDENTITY,
    -- One open letter a key: workspace and reason, or the record's position where no workspace is known.
    dedupe        text COLLATE "C" NOT NULL,
    workspace_id  text COLLATE "C",
    reason        text COLLATE "C" NOT NULL,
    detail        text NOT NULL CHECK (octet_length(detail) <= 1024),
    attempts      bigint NOT NULL,
    topic         text COLLATE "C",
    partition     integer,
    record_offset bigint,
    trace         text COLLATE "C",
    parked_at     timestamptz NOT NULL DEFAULT now(),
    last_at       timestamptz NOT NULL DEFAULT now(),
    occurrences   bigint NOT NULL DEFAULT 1,
    discarded_at  timestamptz,
    PRIMARY KEY (tenant_id, letter_id)
);
CREATE UNIQUE INDEX dead_letters_open ON dead_letters (tenant_id, dedupe) WHERE discarded_at IS NULL;

ALTER TABLE dirty_marks ENABLE ROW LEVEL SECURITY;
ALTER TABLE dirty_marks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON dirty_marks TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
CREATE POLICY ledger_rows ON dirty_marks TO terrasift_ledger USING (true) WITH CHECK (true);

ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON dead_letters TO terrasift_app
    USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

GRANT SELECT, DELETE, UPDATE (not_before, attempts) ON dirty_marks TO terrasift_app;
GRANT SELECT, INSERT, UPDATE ON dead_letters TO terrasift_app;
GRANT SELECT, INSERT ON unrouted_records TO terrasift_app;
GRANT SELECT, INSERT, UPDATE ON dirty_marks TO terrasift_ledger;
GRANT SELECT, INSERT, UPDATE ON partition_epochs TO terrasift_ledger;
GRANT USAGE ON SEQUENCE mark_generations TO terrasift_ledger;
GRANT SELECT (tenant_id, workspace_id, partition, generation, since, attempts) ON dirty_marks TO terrasift_auditor;
GRANT SELECT (tenant_id, letter_id, workspace_id, reason, parked_at, discarded_at) ON dead_letters TO terrasift_auditor;
GRANT SELECT ON partition_epochs, unrouted_records TO terrasift_auditor;

-- Takes a partition. Waits for effects under the old epoch (they hold it shared), so after this call no older owner
-- can write any more.
CREATE FUNCTION claim_partition(wanted integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.partition_epochs AS p (partition, epoch) VALUES (wanted, 1)
    ON CONFLICT (partition) DO UPDATE SET epoch = p.epoch + 1, claimed_at = now()
    RETURNING p.epoch
$$;

-- The epochs of partitions, held shared until the end of the transaction, in order of partition.
CREATE FUNCTION hold_epochs(wanted integer[]) RETURNS TABLE (partition_held integer, epoch_held bigint)
    LANGUAGE sql SECURITY DEFINER ROWS 4
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT p.partition, p.epoch FROM public.partition_epochs AS p
    WHERE p.partition = ANY (wanted) ORDER BY p.partition FOR SHARE
$$;

-- Stores a batch of events as marks: one a workspace, coalesced within the batch and with what is there. A new event
-- makes a mark due at once and forgives its failures. Marks of undeclared tenants are left out. Keys are taken in
-- order, as by whoever clears marks, so that the two never deadlock.
CREATE FUNCTION mark_dirty(
    wanted integer, held bigint, tenants text[], workspaces text[], sinces timestamptz[], priorities smallint[],
    traces text[], event_ids text[]
) RETURNS SETOF public.dirty_marks
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM public.partition_epochs AS p WHERE p.partition = wanted AND p.epoch = held FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the epoch is gone' USING ERRCODE = 'TSF01';
    END IF;
    RETURN QUERY
    INSERT INTO public.dirty_marks AS m
        (tenant_id, workspace_id, partition, generation, since, priority, trace, event_id)
    SELECT e.tenant_id, e.workspace_id, wanted, nextval('public.mark_generations'), e.since, e.priority, e.trace, e.event_id
    FROM (
        SELECT n.tenant_id, n.workspace_id, min(n.since) AS since, max(n.priority) AS priority,
               (array_agg(n.trace ORDER BY n.ord DESC))[1] AS trace,
               (array_agg(n.event_id ORDER BY n.ord DESC))[1] AS event_id
        FROM unnest(tenants, workspaces, sinces, priorities, traces, event_ids)
             WITH ORDINALITY AS n (tenant_id, workspace_id, since, priority, trace, event_id, ord)
        JOIN public.tenants AS t ON t.tenant_id = n.tenant_id COLLATE "C"
        GROUP BY n.tenant_id, n.workspace_id
        ORDER BY n.tenant_id COLLATE "C", n.workspace_id COLLATE "C"
    ) AS e
    ON CONFLICT (tenant_id, workspace_id) DO UPDATE SET
        partition = excluded.partition,
        generation = excluded.generation,
        since = least(m.since, excluded.since),
        priority = greatest(m.priority, excluded.priority),
        not_before = NULL,
        attempts = 0,
        trace = excluded.trace,
        event_id = excluded.event_id,
        marked_at = now()
    RETURNING m.*;
END
$$;

-- A page of a partition's marks, by tenant and workspace; ('', '') starts.
CREATE FUNCTION load_marks(wanted integer, after_tenant text, after_workspace text, at_most bigint)
    RETURNS SETOF public.dirty_marks
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.* FROM public.dirty_marks AS m
    WHERE m.partition = wanted
      AND (m.tenant_id, m.workspace_id) > (after_tenant COLLATE "C", after_workspace COLLATE "C")
    ORDER BY m.tenant_id, m.workspace_id LIMIT at_most
$$;

REVOKE ALL ON FUNCTION claim_partition(integer), hold_epochs(integer[]),
    mark_dirty(integer, bigint, text[], text[], timestamptz[], smallint[], text[], text[]),
    load_marks(integer, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_partition(integer), hold_epochs(integer[]),
    mark_dirty(integer, bigint, text[], text[], timestamptz[], smallint[], text[], text[]),
    load_marks(integer, text, text, bigint) TO terrasift_app;
