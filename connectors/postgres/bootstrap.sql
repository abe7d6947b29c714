-- What only a superuser can do, once a cluster and once a database: roles, and who owns the database.
-- Run by `PrivatePostgres` at each start, and by the operator of a real cluster:
--   psql --dbname=terrasift --file=connectors/postgres/bootstrap.sql
-- then give terrasift_owner, terrasift_app and terrasift_auditor passwords (or client certificates) and run
-- `terrasift migrate` as terrasift_owner. Idempotent.
--
--   terrasift_owner    owns and migrates the tables; is subject to row-level security (FORCE), serves nothing
--   terrasift_app      serves; no row without its tenant
--   terrasift_auditor  leak detection; bypasses row-level security, may select ids, references and audit rows only
--   terrasift_ledger   nobody logs in as it: owns the few SECURITY DEFINER functions that act before a tenant is known

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['terrasift_owner', 'terrasift_app', 'terrasift_auditor', 'terrasift_ledger'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE terrasift_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE terrasift_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
ALTER ROLE terrasift_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
ALTER ROLE terrasift_ledger NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;

-- The owner hands its functions to terrasift_ledger, and for that must be a member of it.
GRANT terrasift_ledger TO terrasift_owner;

-- Nobody but the owner makes objects here, so nothing can be slipped under a search_path.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO terrasift_app, terrasift_auditor, terrasift_ledger;
GRANT USAGE, CREATE ON SCHEMA public TO terrasift_owner WITH GRANT OPTION;
DO $$
BEGIN
    EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', pg_catalog.current_database());
    EXECUTE pg_catalog.format(
        'GRANT CONNECT ON DATABASE %I TO terrasift_owner, terrasift_app, terrasift_auditor',
        pg_catalog.current_database()
    );
END
$$;
