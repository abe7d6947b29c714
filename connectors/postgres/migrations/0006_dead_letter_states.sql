-- What becomes of a dead letter, who decided it and when; and its outbox: what of it is still to be sent to Kafka.

ALTER TABLE dead_letters RENAME COLUMN discarded_at TO settled_at;
ALTER TABLE dead_letters
    ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'retried', 'discarded', 'closed')),
    ADD COLUMN settled_by      text CHECK (octet_length(settled_by) <= 256),
    ADD COLUMN retried_at      timestamptz,
    ADD COLUMN retried_by      text CHECK (octet_length(retried_by) <= 256),
    -- How often a retry was asked for: makes each retry's event one of its own.
    ADD COLUMN retries         bigint NOT NULL DEFAULT 0,
    -- Its record on sanitization-failed is not sent yet.
    ADD COLUMN announce_due    boolean NOT NULL DEFAULT true,
    -- Its retry's record on terraform-state-updated is not sent yet.
    ADD COLUMN retry_due       boolean NOT NULL DEFAULT false,
    ADD COLUMN outbox_attempts bigint NOT NULL DEFAULT 0,
    ADD COLUMN outbox_after    timestamptz NOT NULL DEFAULT now();

-- The owner is bound by the policies, too, and none lets it see a row. Nobody else sees the table meanwhile.
ALTER TABLE dead_letters NO FORCE ROW LEVEL SECURITY;
UPDATE dead_letters SET state = 'discarded', announce_due = false WHERE settled_at IS NOT NULL;
ALTER TABLE dead_letters FORCE ROW LEVEL SECURITY;

ALTER TABLE dead_letters
    ADD CONSTRAINT dead_letters_settled CHECK ((settled_at IS NOT NULL) = (state IN ('discarded', 'closed')));

-- Both hold a handful of rows: what is settled and sent is in neither.
CREATE INDEX dead_letters_of_workspace ON dead_letters (tenant_id, workspace_id) WHERE settled_at IS NULL;
CREATE INDEX dead_letters_outbox ON dead_letters (outbox_after)
    WHERE (announce_due OR retry_due) AND outbox_attempts < 300;

CREATE POLICY ledger_rows ON dead_letters TO terrasift_ledger USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE (outbox_attempts, outbox_after) ON dead_letters TO terrasift_ledger;
GRANT SELECT (state, announce_due, retry_due) ON dead_letters TO terrasift_auditor;

-- Hands out what is to be sent, over all tenants, each to one caller: until outbox_after nobody else gets it. The first
-- wait is longer than a send may take (15 s). 300 tries are about a day of brokers that do not answer.
CREATE FUNCTION claim_outbox(at_most bigint) RETURNS SETOF public.dead_letters
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
    WITH due AS MATERIALIZED (
        SELECT d.tenant_id, d.letter_id FROM public.dead_letters AS d
        WHERE (d.announce_due OR d.retry_due) AND d.outbox_attempts < 300 AND d.outbox_after <= now()
        ORDER BY d.outbox_after LIMIT at_most FOR UPDATE SKIP LOCKED
    )
    UPDATE public.dead_letters AS l SET
        outbox_attempts = l.outbox_attempts + 1,
        outbox_after = now() + least(interval '300 seconds',
                                     interval '30 seconds' * (2 ^ least(l.outbox_attempts, 4))::double precision)
    FROM due WHERE l.tenant_id = due.tenant_id AND l.letter_id = due.letter_id
    RETURNING l.*
$$;
REVOKE ALL ON FUNCTION claim_outbox(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_outbox(bigint) TO terrasift_app;

-- Handing a function over needs CREATE on the schema for the new owner, for as long as it takes.
GRANT CREATE ON SCHEMA public TO terrasift_ledger;
ALTER FUNCTION claim_outbox(bigint) OWNER TO terrasift_ledger;
REVOKE CREATE ON SCHEMA public FROM terrasift_ledger;
