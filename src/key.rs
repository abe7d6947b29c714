//! `terrasift key`: API keys of a tenant.
//!
//! A key is shown once; only its digest is stored. Works as the application's role, so that the policies hold here too, and records each
//! attempt in the security audit, also one that failed.

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use terrasift_http::{ApiKeyBody, CATALOG_READ, Grant, OVERLAP_HOURS_MAX, Permission, fresh_api_key};
use terrasift_postgres::{ApiKeyEntry, ApiKeyId, KeyRotated, Store, TrailOutcome};
use terrasift_schemas::TenantId;
use terrasift_schemas::config::Config;
use terrasift_secrets::Secret;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::ConfigFile;
use crate::{config, secrets, trail};

/// Keys that one call asks the database for.
const PAGE: u32 = 500;

/// Everything that a key can open.
#[must_use]
pub fn scopes() -> Vec<String> {
    Permission::ALL.map(|permission| permission.name().to_owned()).to_vec()
}

/// One of a key's scopes, if it opens anything.
fn scope(text: &str) -> Result<String, String> {
    let names = || Permission::ALL.map(Permission::name).join(", ");
    let known = Grant::parse(text).map(|_| text.to_owned());
    known.ok_or_else(|| format!("none of {}, nor one of the catalog's with @namespace", names()))
}

/// Arguments of `key`.
#[derive(Args)]
pub struct KeyArguments {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key of a tenant, and print it once
    Issue(IssueArguments),
    /// List a tenant's keys, oldest first: what they open, until when, when they were used last; never a key
    List(ListArguments),
    /// Make a key in the place of another one, print it once, and let the other one end
    Rotate(RotateArguments),
    /// End a key at once: every replica refuses it from the next request on
    Revoke(RevokeArguments),
}

#[derive(Args)]
struct Whose {
    #[command(flatten)]
    file: ConfigFile,
    /// Tenant id
    #[arg(long)]
    tenant: TenantId,
    /// Who asks for it: stands in the security audit
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: Option<String>,
    /// One line of JSON a key
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct IssueArguments {
    #[command(flatten)]
    whose: Whose,
    /// What the key is for
    #[arg(long)]
    name: String,
    /// Days until it expires
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
    /// What it opens; admin is everything on its resource, and `catalog:read@acme-prod` is one namespace
    #[arg(long, value_delimiter = ',', default_value = CATALOG_READ.name(), value_parser = scope)]
    scopes: Vec<String>,
}

#[derive(Args)]
struct ListArguments {
    #[command(flatten)]
    whose: Whose,
}

#[derive(Args)]
struct RotateArguments {
    #[command(flatten)]
    whose: Whose,
    /// Number of the key, as `key list` shows it
    #[arg(value_name = "KEY")]
    id: i64,
    /// Days until the new key expires
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..))]
    days: u16,
    /// Hours that the old key stays valid; 0 ends it at once
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=u64::from(OVERLAP_HOURS_MAX)))]
    overlap_hours: u64,
}

#[derive(Args)]
struct RevokeArguments {
    #[command(flatten)]
    whose: Whose,
    /// Numbers of the keys, as `key list` shows them
    #[arg(value_name = "KEY", required = true)]
    ids: Vec<i64>,
}

/// Runs a key command.
pub fn run(arguments: &KeyArguments) -> anyhow::Result<ExitCode> {
    let whose = match &arguments.command {
        KeyCommand::Issue(arguments) => &arguments.whose,
        KeyCommand::List(arguments) => &arguments.whose,
        KeyCommand::Rotate(arguments) => &arguments.whose,
        KeyCommand::Revoke(arguments) => &arguments.whose,
    };
    let config = config::load(&whose.file.config)?;
    let url = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let store = Store::connect(url.expose(), 2).await?;
        let desk = Desk { config: &config, store: &store, whose };
        let done = match &arguments.command {
            KeyCommand::Issue(arguments) => desk.issue(arguments).await,
            KeyCommand::List(_) => desk.list().await,
            KeyCommand::Rotate(arguments) => desk.rotate(arguments).await,
            KeyCommand::Revoke(arguments) => desk.revoke(arguments).await,
        };
        store.close().await;
        done
    })
}

/// A tenant's keys, worked on by somebody.
struct Desk<'a> {
    config: &'a Config,
    store: &'a Store,
    whose: &'a Whose,
}

impl Desk<'_> {
    async fn issue(&self, arguments: &IssueArguments) -> anyhow::Result<ExitCode> {
        let pepper = self.pepper()?;
        let IssueArguments { name, scopes, days, .. } = arguments;
        let issued = issue(self.store, &pepper, &self.whose.tenant, name, scopes, Some(in_days(*days))).await;
        let resource = match &issued {
            Ok((entry, _)) => format!("api key {} {name}", entry.id.0),
            Err(_) => format!("api key {name}"),
        };
        // A key that nobody could look up in the audit is shown to nobody.
        self.record("key issue", resource, outcome(&issued)).await?;
        let (entry, key) = issued?;
        self.show_once(entry, &key)
    }

    async fn list(&self) -> anyhow::Result<ExitCode> {
        self.record("key list", "api keys".to_owned(), TrailOutcome::Ok).await?;
        let mut after = None;
        loop {
            let page = self.store.api_keys(&self.whose.tenant, after, PAGE).await?;
            let full = u32::try_from(page.len()).is_ok_and(|len| len >= PAGE);
            after = page.last().map(|entry| entry.id);
            for entry in page {
                self.show(entry)?;
            }
            if !full {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }

    async fn rotate(&self, arguments: &RotateArguments) -> anyhow::Result<ExitCode> {
        let (pepper, id) = (self.pepper()?, arguments.id);
        let overlap = Duration::from_secs(arguments.overlap_hours * 3600);
        let (key, digest) = mint(&pepper)?;
        let (tenant, expires) = (&self.whose.tenant, Some(in_days(arguments.days)));
        let rotated = self.store.rotate_api_key(tenant, ApiKeyId(id), digest, expires, overlap).await;
        let (resource, outcome) = match &rotated {
            Ok(Some(KeyRotated::Done { new, .. })) => {
                (format!("api key {id} to {} {}", new.id.0, new.name), TrailOutcome::Ok)
            }
            Ok(_) => (format!("api key {id}"), TrailOutcome::Invalid),
            Err(_) => (format!("api key {id}"), TrailOutcome::Failed),
        };
        self.record("key rotate", resource, outcome).await?;
        match rotated? {
            Some(KeyRotated::Done { new, old }) => {
                let ends = old.expires_at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
                say(&format!("key {id} is valid until {ends}"));
                self.show_once(new, &key)
            }
            Some(KeyRotated::Before(by)) => {
                bail!("key {id} was rotated before: key {} is in its place, rotate that one", by.0)
            }
            Some(KeyRotated::Over) => bail!("key {id} is revoked or expired: issue a new one"),
            None => bail!("no key of tenant {tenant} has the number {id}: `terrasift key list` shows them"),
        }
    }

    /// One key that is none of this tenant does not hinder the others, and makes the command fail.
    async fn revoke(&self, arguments: &RevokeArguments) -> anyhow::Result<ExitCode> {
        let mut code = ExitCode::SUCCESS;
        for id in arguments.ids.iter().copied() {
            let revoked = self.store.revoke_api_key(&self.whose.tenant, ApiKeyId(id)).await;
            let (resource, outcome) = match &revoked {
                Ok(Some(entry)) => (format!("api key {id} {}", entry.name), TrailOutcome::Ok),
                Ok(None) => (format!("api key {id}"), TrailOutcome::Invalid),
                Err(_) => (format!("api key {id}"), TrailOutcome::Failed),
            };
            let recorded = self.record("key revoke", resource, outcome).await;
            match revoked? {
                Some(entry) => self.show(entry)?,
                None => {
                    say(&format!("no key of tenant {} has the number {id}", self.whose.tenant));
                    code = ExitCode::FAILURE;
                }
            }
            recorded?;
        }
        Ok(code)
    }

    fn pepper(&self) -> anyhow::Result<[u8; 32]> {
        const PLACE: &str = "keys.api_key_pepper";
        config::key(PLACE, &secrets::one(self.config, PLACE, &self.config.keys.api_key_pepper)?)
    }

    async fn record(&self, action: &str, resource: String, outcome: TrailOutcome) -> anyhow::Result<()> {
        let by = self.whose.by.as_ref();
        let by = by.map_or_else(|| "command line".to_owned(), |by| format!("command line {by}"));
        let entry = trail::entry(&self.whose.tenant, &by, action, resource, outcome);
        trail::record(self.config, self.store, vec![entry]).await
    }

    #[expect(
        clippy::print_stdout,
        reason = "the command line's own voice; the key is shown once, on purpose"
    )]
    fn show_once(&self, entry: ApiKeyEntry, key: &Secret) -> anyhow::Result<ExitCode> {
        if self.whose.json {
            let mut line = serde_json::to_value(ApiKeyBody::at(entry, now()))?;
            line["tenant"] = self.whose.tenant.as_str().into();
            line["key"] = key.expose().into();
            println!("{line}");
        } else {
            println!("{}", key.expose());
        }
        Ok(ExitCode::SUCCESS)
    }

    #[expect(clippy::print_stdout, reason = "the command line's own voice")]
    fn show(&self, entry: ApiKeyEntry) -> anyhow::Result<()> {
        if self.whose.json {
            println!("{}", serde_json::to_string(&ApiKeyBody::at(entry, now()))?);
        } else {
            println!("{}", text(entry));
        }
        Ok(())
    }
}

fn outcome<T, E>(done: &Result<T, E>) -> TrailOutcome {
    if done.is_ok() { TrailOutcome::Ok } else { TrailOutcome::Failed }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from(SystemTime::now())
}

fn in_days(days: u16) -> OffsetDateTime {
    now() + time::Duration::days(i64::from(days))
}

/// A new key, and what the store knows it by.
fn mint(pepper: &[u8; 32]) -> anyhow::Result<(Secret, [u8; 32])> {
    fresh_api_key(pepper).context("the operating system gives no random bytes")
}

/// Makes a key and stores its digest.
pub async fn issue(
    store: &Store,
    pepper: &[u8; 32],
    tenant: &TenantId,
    name: &str,
    scopes: &[String],
    expires_at: Option<OffsetDateTime>,
) -> anyhow::Result<(ApiKeyEntry, Secret)> {
    let (key, digest) = mint(pepper)?;
    let stored = store.insert_api_key(tenant, digest, name, scopes, expires_at).await;
    Ok((stored.context("cannot store the key")?, key))
}

/// A key for people.
fn text(entry: ApiKeyEntry) -> String {
    let at = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok());
    let name: String = entry.name.chars().flat_map(char::escape_debug).collect();
    let (expires, used, replaces) = (at(entry.expires_at), at(entry.last_used_at), entry.replaces);
    let (id, scopes) = (entry.id.0, entry.scopes.join(","));
    let state = ApiKeyBody::at(entry, now()).state();
    let replaces = replaces.map_or_else(String::new, |old| format!(", in the place of {}", old.0));
    format!(
        "{id:>6} {state:<8} {name}  {scopes}\n       expires {}, last used {}{replaces}",
        expires.unwrap_or_else(|| "never".to_owned()),
        used.unwrap_or_else(|| "never".to_owned()),
    )
}

/// What is no key goes to the other stream.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn say(what: &str) {
    eprintln!("terrasift: {what}");
}
