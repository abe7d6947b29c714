//! All cases against the sound schema, and then every weakened one until something is noticed.

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;
use sqlx::{AssertSqlSafe, Connection as _};

use super::attempt::Bench;
use super::case::{Case, ESCAPES, TAKEOVERS, generate};
use super::mutants::{By, MUTANTS, Mutant};
use super::site::{Relation, Site, relations};
use super::structure;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Draws tenants, rows, connections and the order.
    pub seed: u64,
    /// Each attempt on every kind of connection instead of a drawn one.
    pub every: bool,
    /// The weakened schemas, too.
    pub mutants: bool,
}

/// What came of it: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// As asked for.
    pub seed: u64,
    /// Attempts and checks on the sound schema.
    pub cases: usize,
    /// Those that came out otherwise than refused or with own rows.
    pub violations: usize,
    /// Weakened schemas.
    pub mutants: usize,
    /// Those in which something was noticed.
    pub mutants_caught: usize,
    /// Sentences: violations, and mutants that nobody noticed.
    #[serde(skip)]
    pub findings: Vec<String>,
}

/// Runs the plan; `step` is told how far it is: done, of how many, what.
///
/// # Errors
/// When Postgres cannot be started or a case cannot be tried, which says nothing about the schema.
pub async fn run(plan: Plan, step: &(dyn Fn(usize, usize, &str) + Sync)) -> Result<Report> {
    let site = Site::start(plan.seed).await?;
    let report = on(&site, plan, step).await;
    site.stop().await;
    report
}

/// Lets somebody else judge the sound schema: runs a program with `DATABASE_URL` set, and says whether it was content.
///
/// # Errors
/// When Postgres or the program cannot be started.
pub async fn judged_by(seed: u64, program: &str, arguments: &[String]) -> Result<bool> {
    let site = Site::start(seed).await?;
    let judge = tokio::process::Command::new(program)
        .args(arguments)
        .env("DATABASE_URL", site.superuser_url(site.sound()))
        .kill_on_drop(true)
        .status()
        .await;
    site.stop().await;
    Ok(judge.with_context(|| format!("cannot run {program}"))?.success())
}

async fn on(site: &Site, plan: Plan, step: &(dyn Fn(usize, usize, &str) + Sync)) -> Result<Report> {
    let suite = Suite::of(site, site.sound(), plan).await?;
    let total = suite.len();
    let mut findings =
        suite.attempts(site, site.sound(), false, &|done| step(done, total, "attempts")).await?;
    findings.extend(suite.structure(site, site.sound()).await?);
    let violations = findings.len();
    let mutants = if plan.mutants { MUTANTS } else { &[] };
    let mut caught = 0;
    for (number, mutant) in mutants.iter().enumerate() {
        step(number, mutants.len(), mutant.what);
        if notices(site, number, mutant, plan).await? {
            caught += 1;
        } else {
            findings.push(format!("nobody noticed that {}", mutant.what));
        }
    }
    Ok(Report {
        seed: plan.seed,
        cases: total,
        violations,
        mutants: mutants.len(),
        mutants_caught: caught,
        findings,
    })
}

/// Whether the suite finds something in a copy that is weakened so.
async fn notices(site: &Site, number: usize, mutant: &Mutant, plan: Plan) -> Result<bool> {
    let database = format!("weak_{number}");
    site.copy(&database).await?;
    let mut admin = site.superuser(&database).await?;
    sqlx::raw_sql(mutant.make).execute(&mut admin).await?;
    let noticed = async {
        let mut suite = Suite::of(site, &database, plan).await?;
        // What it names is tried first: all would be tried, only later.
        suite.cases.sort_by_key(|case| !mutant.make.contains(&case.relation.name));
        let found = match mutant.by {
            By::Attempts => suite.attempts(site, &database, true, &|_| ()).await?,
            By::Structure => suite.structure(site, &database).await?,
        };
        anyhow::Ok(!found.is_empty())
    };
    // Roles are the whole cluster's: put right before anything else, whatever came of it.
    let noticed = noticed.await;
    if !mutant.undo.is_empty() {
        sqlx::raw_sql(AssertSqlSafe(mutant.undo)).execute(&mut admin).await?;
    }
    admin.close().await?;
    site.discard(&database).await?;
    noticed
}

/// What is tried on one database.
struct Suite {
    cases: Vec<Case>,
    relations: Vec<Relation>,
    strange: Vec<String>,
}

impl Suite {
    async fn of(site: &Site, database: &str, plan: Plan) -> Result<Self> {
        let mut admin = site.superuser(database).await?;
        let (relations, strange) = relations(&mut admin).await?;
        admin.close().await?;
        ensure!(relations.len() > 20, "there are next to no tables: the suite tries nothing");
        Ok(Self { cases: generate(plan.seed, &relations, plan.every), relations, strange })
    }

    fn len(&self) -> usize {
        self.cases.len() + self.relations.len() * TAKEOVERS.len() + ESCAPES.len() + 1 + structure::checks()
    }

    /// What is wrong with the schema as the catalogs have it.
    async fn structure(&self, site: &Site, database: &str) -> Result<Vec<String>> {
        let mut admin = site.superuser(database).await?;
        let wrong = structure::check(&mut admin).await?;
        admin.close().await?;
        Ok(wrong)
    }

    /// What the application reaches; only the first of it where that is enough.
    async fn attempts(
        &self,
        site: &Site,
        database: &str,
        first_only: bool,
        done: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<String>> {
        let mut wrong = self.strange.clone();
        let enough = |wrong: &Vec<String>| first_only && !wrong.is_empty();
        let mut bench = Bench::new(site, database);
        let takeovers = self
            .relations
            .iter()
            .flat_map(|relation| TAKEOVERS.iter().map(|statement| statement.replace("{}", &relation.name)));
        for statement in takeovers.chain(ESCAPES.iter().map(|statement| (*statement).to_owned())) {
            if enough(&wrong) {
                return Ok(wrong);
            }
            wrong.extend(bench.escape(&statement).await?);
        }
        for (number, case) in self.cases.iter().enumerate() {
            if enough(&wrong) {
                return Ok(wrong);
            }
            wrong.extend(bench.attempt(case).await?);
            done(number);
        }
        wrong.extend(bench.statistics().await?);
        Ok(wrong)
    }
}
