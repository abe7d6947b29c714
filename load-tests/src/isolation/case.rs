//! The cases: what is tried on which table, under which tenant, on which connection.
//!
//! Generated as a product, so that a new table or a new way is tried in all combinations. Must never depend on what the
//! schema allows: that is what the attempt finds out.

use super::site::Relation;
use crate::generator::Dice;

/// What the transaction says about its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// Nothing: it was never set on this connection, or what a used transaction left.
    Never,
    /// The empty text.
    Empty,
    /// A tenant that has rows.
    Own,
    /// A tenant whose name begins like another's.
    LooksAlike,
    /// A tenant that does not exist.
    Unknown,
    /// A text that is no tenant and matches all, as a pattern.
    Pattern,
    /// A text that is no tenant and wants to be SQL.
    Sql,
}

pub(super) const SETTINGS: [Setting; 7] = [
    Setting::Never,
    Setting::Empty,
    Setting::Own,
    Setting::LooksAlike,
    Setting::Unknown,
    Setting::Pattern,
    Setting::Sql,
];

/// What the connection went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing.
    Fresh,
    /// A committed transaction of another tenant.
    Used,
    /// One that failed, and was rolled back.
    Failed,
    /// One that was cancelled in the middle of a statement.
    Cancelled,
    /// The same statement, prepared, and run for another tenant so often that its plan is kept.
    Prepared,
}

pub(super) const PASTS: [Past; 5] = [Past::Fresh, Past::Used, Past::Failed, Past::Cancelled, Past::Prepared];

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    SelectAll,
    SelectTheirs,
    SelectForUpdate,
    Exists,
    /// Divides by zero where a row of theirs is looked at.
    Probe,
    Cursor,
    CopyOut,
    /// Asks for no row-level security.
    SecurityOff,
    InsertTheirs,
    InsertUnlessThere,
    UpdateAll,
    UpdateTheirs,
    GiveAway,
    TakeOver,
    DeleteAll,
    DeleteTheirs,
    Merge,
    Truncate,
    CopyIn,
}

pub(super) const VERBS: [Verb; 19] = [
    Verb::SelectAll,
    Verb::SelectTheirs,
    Verb::SelectForUpdate,
    Verb::Exists,
    Verb::Probe,
    Verb::Cursor,
    Verb::CopyOut,
    Verb::SecurityOff,
    Verb::InsertTheirs,
    Verb::InsertUnlessThere,
    Verb::UpdateAll,
    Verb::UpdateTheirs,
    Verb::GiveAway,
    Verb::TakeOver,
    Verb::DeleteAll,
    Verb::DeleteTheirs,
    Verb::Merge,
    Verb::Truncate,
    Verb::CopyIn,
];

impl Verb {
    /// Whether it is `COPY`.
    pub(super) fn copies(self) -> bool {
        matches!(self, Self::CopyOut | Self::CopyIn)
    }
}

/// What only an owner may do to a table, with `{}` for its name: tried once a table.
pub(super) const TAKEOVERS: [&str; 11] = [
    "ALTER TABLE {} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {} NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON {} USING (true)",
    "ALTER POLICY tenant_rows ON {} USING (true)",
    "ALTER TABLE {} ALTER COLUMN tenant_id DROP NOT NULL",
    "ALTER TABLE {} OWNER TO terrasift_app",
    "CREATE TRIGGER mine AFTER INSERT ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE mine AS ON INSERT TO {} DO ALSO NOTHING",
    "CREATE INDEX mine ON {} (tenant_id)",
    "ALTER TABLE {} ADD COLUMN mine text",
    "DROP TABLE {}",
];

/// What would make the application somebody else, or let it make objects: tried once.
pub(super) const ESCAPES: [&str; 16] = [
    "SET ROLE terrasift_owner",
    "SET ROLE terrasift_auditor",
    "SET ROLE terrasift_ledger",
    "SET SESSION AUTHORIZATION terrasift_owner",
    "ALTER ROLE terrasift_app BYPASSRLS",
    "ALTER ROLE terrasift_app SUPERUSER",
    "ALTER ROLE terrasift_app SET app.tenant = 'mine'",
    "GRANT terrasift_owner TO terrasift_app",
    "CREATE TABLE public.mine (a integer)",
    "CREATE TEMP TABLE mine (a integer)",
    "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION app_tenant() RETURNS text LANGUAGE sql AS 'SELECT tenant_id FROM tenants LIMIT 1'",
    "CREATE VIEW public.mine AS SELECT * FROM entities",
    "CREATE SCHEMA mine",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    "COPY entities TO '/tmp/mine'",
];

/// One attempt on a table.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) relation: Relation,
    pub(super) verb: Verb,
    pub(super) setting: Setting,
    pub(super) past: Past,
}

impl Case {
    /// How a finding names it.
    pub(super) fn name(&self) -> String {
        format!(
            "{:?} of {}, tenant {:?}, connection {:?}",
            self.verb, self.relation.name, self.setting, self.past
        )
    }
}

/// All combinations of table, way and tenant, each on one kind of connection (`every`: on all kinds), in a seeded order.
pub(super) fn generate(seed: u64, relations: &[Relation], every: bool) -> Vec<Case> {
    let mut dice = Dice::new(seed, 72, 0, 0);
    let mut cases = Vec::new();
    for relation in relations {
        for verb in VERBS {
            for setting in SETTINGS {
                let drawn = *dice.pick(&PASTS);
                for past in PASTS.into_iter().filter(|past| every || *past == drawn) {
                    cases.push(Case { relation: relation.clone(), verb, setting, past });
                }
            }
        }
    }
    for last in (1..cases.len()).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        cases.swap(last, usize::try_from(dice.below(bound)).unwrap_or(0));
    }
    cases
}
