//! Schemas that are deliberately weakened, one way each: the suite must notice every one.
//!
//! Must never change the schema that the suite calls sound: each is made of a copy.

/// What has to notice it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Others' rows are reached.
    Attempts,
    /// The catalogs say so: nobody's rows are reached yet, or not by a statement on a table.
    Structure,
}

/// One weakening.
pub(super) struct Mutant {
    /// What is weak.
    pub(super) what: &'static str,
    /// How it is made, by a superuser, in a copy of the database.
    pub(super) make: &'static str,
    /// What has to notice it.
    pub(super) by: By,
    /// How it is undone where it is the whole cluster's.
    pub(super) undo: &'static str,
}

const fn leak(what: &'static str, make: &'static str) -> Mutant {
    Mutant { what, make, by: By::Attempts, undo: "" }
}

const fn flaw(what: &'static str, make: &'static str) -> Mutant {
    Mutant { what, make, by: By::Structure, undo: "" }
}

const fn of_a_role(what: &'static str, by: By, make: &'static str, undo: &'static str) -> Mutant {
    Mutant { what, make, by, undo }
}

/// All of them.
pub(super) const MUTANTS: &[Mutant] = &[
    leak(
        "a policy is dropped, and another lets everything through",
        "DROP POLICY tenant_rows ON entities; CREATE POLICY tenant_rows ON entities TO terrasift_app USING (true) WITH CHECK (true)",
    ),
    leak(
        "a second policy for reading lets everything through",
        "CREATE POLICY open ON workspaces FOR SELECT TO terrasift_app USING (true)",
    ),
    leak("a second policy is for everybody", "CREATE POLICY open ON runs TO PUBLIC USING (true)"),
    leak("a policy compares nothing", "ALTER POLICY tenant_rows ON api_keys USING (tenant_id IS NOT NULL)"),
    leak(
        "a policy lets all through while no tenant is set",
        "ALTER POLICY tenant_rows ON entities USING (app_tenant() IS NULL OR tenant_id = app_tenant())",
    ),
    leak(
        "a policy compares beginnings",
        "ALTER POLICY tenant_rows ON workspaces USING (tenant_id LIKE app_tenant() || '%')",
    ),
    leak(
        "a policy compares the other way round",
        "ALTER POLICY tenant_rows ON dead_letters USING (app_tenant() LIKE tenant_id || '%')",
    ),
    leak(
        "a policy takes a tenant for a pattern",
        "ALTER POLICY tenant_rows ON runs USING (tenant_id LIKE app_tenant())",
    ),
    leak(
        "a policy looks at no case",
        "ALTER POLICY tenant_rows ON token_users USING (lower(tenant_id) = lower(app_tenant()))",
    ),
    leak("rows may be given away", "ALTER POLICY tenant_rows ON entities WITH CHECK (true)"),
    leak(
        "rows may be written for others",
        "ALTER POLICY tenant_rows ON webhook_deliveries WITH CHECK (tenant_id IS NOT NULL)",
    ),
    leak(
        "a policy lets others' rows be deleted",
        "CREATE POLICY broom ON dirty_marks FOR DELETE TO terrasift_app USING (true)",
    ),
    leak(
        "a policy lets others' rows be changed",
        "CREATE POLICY pen ON workspaces FOR UPDATE TO terrasift_app USING (true)",
    ),
    flaw("the owner is shown whoever is not erased", "ALTER POLICY erasing_rows ON entities USING (true)"),
    flaw("the owner may change what it erases", "ALTER POLICY erasing_rows ON workspaces WITH CHECK (true)"),
    flaw("rows of a table are not erased", "DROP POLICY erasing_rows ON runs"),
    flaw(
        "the trail is erased with its tenant",
        "CREATE POLICY erasing_rows ON security_audit_log TO terrasift_owner
         USING (tenant_id IN (SELECT e.tenant_id FROM erased_tenants AS e WHERE e.ended_at IS NULL)) WITH CHECK (false)",
    ),
    leak("row-level security is off", "ALTER TABLE sanitization_audit_log DISABLE ROW LEVEL SECURITY"),
    leak(
        "row-level security is off for the list of tenants",
        "ALTER TABLE tenants DISABLE ROW LEVEL SECURITY",
    ),
    flaw(
        "the security audit may be changed",
        "GRANT UPDATE (outcome) ON security_audit_log TO terrasift_app",
    ),
    flaw("the security audit may be removed", "GRANT DELETE ON security_audit_log TO terrasift_ledger"),
    flaw("checkpoints may be changed", "GRANT UPDATE ON security_audit_checkpoints TO terrasift_app"),
    leak(
        "the security audit of others can be read",
        "ALTER POLICY tenant_rows ON security_audit_log USING (tenant_id = app_tenant() OR tenant_id <> '')",
    ),
    flaw("row-level security is not forced", "ALTER TABLE runs NO FORCE ROW LEVEL SECURITY"),
    leak(
        "it is not forced, and the table is the application's",
        "ALTER TABLE rule_sets NO FORCE ROW LEVEL SECURITY; ALTER TABLE rule_sets OWNER TO terrasift_app",
    ),
    leak("a partition can be read by name", "GRANT SELECT ON entities_00 TO terrasift_app"),
    leak(
        "a partition can be written by name",
        "GRANT INSERT, UPDATE, DELETE ON entities_07 TO terrasift_app",
    ),
    leak("a partition is everybody's", "GRANT ALL ON entities_15 TO PUBLIC"),
    leak("everything is granted on all tables", "GRANT ALL ON ALL TABLES IN SCHEMA public TO terrasift_app"),
    leak("a table can be emptied", "GRANT TRUNCATE ON entities TO terrasift_app"),
    leak("a table may get triggers", "GRANT TRIGGER ON workspaces TO terrasift_app"),
    flaw("a column is everybody's", "GRANT SELECT (digest) ON api_keys TO PUBLIC"),
    leak(
        "a policy lets all through that a used connection asks for",
        "ALTER POLICY tenant_rows ON workspaces
         USING (tenant_id = app_tenant() OR current_setting('app.tenant', true) = '')",
    ),
    flaw(
        "the tenant is folded into kept plans",
        "CREATE OR REPLACE FUNCTION app_tenant() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT nullif(current_setting('app.tenant', true), '') $$",
    ),
    leak(
        "the tenant outlives its transaction",
        "CREATE OR REPLACE FUNCTION app_tenant() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT set_config('app.kept', coalesce(nullif(current_setting('app.tenant', true), ''), nullif(current_setting('app.kept', true), ''), ''), false) $$",
    ),
    flaw(
        "a function runs before the policies",
        "CREATE FUNCTION seen(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE LEAKPROOF AS $$ BEGIN RETURN true; END $$",
    ),
    leak(
        "division runs before the policies",
        "ALTER FUNCTION pg_catalog.int4div(integer, integer) LEAKPROOF",
    ),
    flaw(
        "a view shows all",
        "CREATE VIEW everything AS SELECT * FROM entities; GRANT SELECT ON everything TO terrasift_app",
    ),
    flaw(
        "a materialized view holds all",
        "CREATE MATERIALIZED VIEW everything AS SELECT * FROM entities; GRANT SELECT ON everything TO terrasift_app",
    ),
    flaw(
        "a function hands out all",
        "CREATE FUNCTION everything() RETURNS SETOF entities LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM public.entities'",
    ),
    flaw(
        "a function finds what it calls by the caller's path",
        "ALTER FUNCTION find_api_key(bytea) RESET search_path",
    ),
    flaw(
        "a function is everybody's",
        "GRANT EXECUTE ON FUNCTION load_marks(integer, text, text, bigint) TO PUBLIC",
    ),
    flaw("a function has a superuser's rights", "ALTER FUNCTION claim_outbox(bigint) OWNER TO postgres"),
    leak(
        "a new table has no policy",
        "CREATE TABLE notes (tenant_id text COLLATE \"C\" NOT NULL, note text); GRANT SELECT ON notes TO terrasift_app",
    ),
    leak(
        "a new table has no tenant",
        "CREATE TABLE notes (note text); GRANT SELECT, INSERT ON notes TO terrasift_app",
    ),
    flaw(
        "a unique key tells of others",
        "CREATE UNIQUE INDEX told ON runs (run_id, workspace_id, synced_at, serial, state_version)",
    ),
    flaw(
        "a primary key has no tenant",
        "ALTER TABLE token_users DROP CONSTRAINT token_users_pkey; UPDATE token_users SET fingerprint = fingerprint || tenant_id; ALTER TABLE token_users ADD PRIMARY KEY (fingerprint)",
    ),
    flaw(
        "a foreign key sees others' rows",
        "ALTER TABLE webhook_deliveries ADD COLUMN key bytea REFERENCES api_keys (digest)",
    ),
    flaw(
        "a trigger copies rows",
        "CREATE FUNCTION copied() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER copied BEFORE INSERT ON entities FOR EACH ROW EXECUTE FUNCTION copied()",
    ),
    flaw("a rule copies rows", "CREATE RULE copied AS ON INSERT TO runs DO ALSO NOTHING"),
    flaw("rows are published", "CREATE PUBLICATION all_rows FOR ALL TABLES"),
    leak("the application may make tables", "GRANT CREATE ON SCHEMA public TO terrasift_app"),
    flaw("the auditor reads bodies", "GRANT SELECT (body) ON entities TO terrasift_auditor"),
    flaw("the auditor writes", "GRANT DELETE ON sanitization_audit_log TO terrasift_auditor"),
    of_a_role(
        "the application bypasses the policies",
        By::Attempts,
        "ALTER ROLE terrasift_app BYPASSRLS",
        "ALTER ROLE terrasift_app NOBYPASSRLS",
    ),
    of_a_role(
        "the application is a superuser",
        By::Attempts,
        "ALTER ROLE terrasift_app SUPERUSER",
        "ALTER ROLE terrasift_app NOSUPERUSER",
    ),
    of_a_role(
        "the application is the owner, too",
        By::Attempts,
        "GRANT terrasift_owner TO terrasift_app",
        "REVOKE terrasift_owner FROM terrasift_app",
    ),
    of_a_role(
        "the application is the ledger, too",
        By::Attempts,
        "GRANT terrasift_ledger TO terrasift_app",
        "REVOKE terrasift_ledger FROM terrasift_app",
    ),
    of_a_role(
        "the application is the auditor, too",
        By::Attempts,
        "GRANT terrasift_auditor TO terrasift_app",
        "REVOKE terrasift_auditor FROM terrasift_app",
    ),
    of_a_role(
        "the ledger can log in",
        By::Structure,
        "ALTER ROLE terrasift_ledger LOGIN",
        "ALTER ROLE terrasift_ledger NOLOGIN",
    ),
    of_a_role(
        "the application makes roles",
        By::Structure,
        "ALTER ROLE terrasift_app CREATEROLE",
        "ALTER ROLE terrasift_app NOCREATEROLE",
    ),
    of_a_role(
        "the application comes with a tenant",
        By::Structure,
        "ALTER ROLE terrasift_app SET app.tenant = 'globex'",
        "ALTER ROLE terrasift_app RESET app.tenant",
    ),
    of_a_role(
        "the owner is a superuser",
        By::Structure,
        "ALTER ROLE terrasift_owner SUPERUSER",
        "ALTER ROLE terrasift_owner NOSUPERUSER",
    ),
];
