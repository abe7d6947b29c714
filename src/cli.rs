//! The command line: what can be asked, with examples.
//!
//! Must never do the work itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{audit, broker, check, demo, dlq, key, migrate, rules, sanitize, schemas, serve, tenant};

/// Keeps a Backstage catalog in step with Terraform Cloud, for many tenants, without letting a secret through.
#[derive(Parser)]
#[command(name = "terrasift", version, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine: Postgres, Kafka, a simulated Terraform Cloud, the engine and its API
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(demo::DemoArguments),
    /// Run in production
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(serve::ServeArguments),
    /// Redact a Terraform state: a Unix filter
    #[command(after_help = SANITIZE_EXAMPLES)]
    Sanitize(sanitize::SanitizeArguments),
    /// Try rules on a sample, list them
    Rules(rules::RulesArguments),
    /// Check a configuration file, its secrets' references and its rules, without starting anything
    Check(check::CheckArguments),
    /// Bring the database's schema up to date, as its owner
    Migrate(migrate::MigrateArguments),
    /// Read what the sanitizer found in a tenant's states (rules, paths, counts; never a value), or the security audit
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(audit::AuditArguments),
    /// Dead letters: list, show, retry, discard
    #[command(after_help = DLQ_EXAMPLES)]
    Dlq(dlq::DlqArguments),
    /// API keys of a tenant: issue, list, rotate, revoke
    #[command(after_help = KEY_EXAMPLES)]
    Key(key::KeyArguments),
    /// Tenants: list, suspend, resume, export, erase
    #[command(after_help = TENANT_EXAMPLES)]
    Tenant(tenant::TenantArguments),
    /// Run a real Apache Kafka on this machine
    #[command(hide = true)]
    Kafka(broker::BrokerArguments),
    /// Write the event contract: JSON Schemas and AsyncAPI
    Schemas(schemas::SchemasArguments),
}

const DEMO_EXAMPLES: &str = "\
Examples:
  terrasift demo                                       watch a small world live; Ctrl-C stops it clean
  terrasift demo --tenants 20 --workspaces 50 --exit-after-sync --json
  terrasift demo --states ./my-states --data ./demo    serve your own state files, keep database and log";

const SERVE_EXAMPLES: &str = "\
Examples:
  terrasift serve --config terrasift.yaml
  terrasift serve --config terrasift.yaml --roles worker      scale the three roles apart
  terrasift serve --print-default-config > terrasift.yaml     the commented defaults";

const SANITIZE_EXAMPLES: &str = "\
Examples:
  terrasift sanitize terraform.tfstate > clean.tfstate
  terraform state pull | terrasift sanitize - --report findings.json > clean.tfstate
  terrasift sanitize huge.tfstate --stats --rules my-rules.yaml > clean.tfstate

Exit status: 0 done · 2 bad input (what was written to standard output is incomplete) · 3 bad rules";

const AUDIT_EXAMPLES: &str = "\
Examples:
  terrasift audit --config terrasift.yaml --tenant acme --workspace ws-a1B2
  terrasift audit --config terrasift.yaml --tenant acme --rule private-key --since 2026-01-01T00:00:00Z
  terrasift audit --config terrasift.yaml --tenant acme --id 4711 --json | jq '.findings[].pointers'
  terrasift audit query --config terrasift.yaml --outcome denied --since 24h
  terrasift audit verify --config terrasift.yaml";

const DLQ_EXAMPLES: &str = "\
Examples:
  terrasift dlq list --config terrasift.yaml --tenant acme --reason state_refused --since 2026-01-01T00:00:00Z
  terrasift dlq list --config terrasift.yaml --tenant acme --limit 50 --cursor 4711 --json
  terrasift dlq show --config terrasift.yaml --tenant acme 4711
  terrasift dlq retry --config terrasift.yaml --tenant acme --by alice 4711 4712
  terrasift dlq discard --config terrasift.yaml --tenant acme --by alice 4711

Exit status: 0 done, or done before · 1 a letter was refused or is none of this tenant";

const KEY_EXAMPLES: &str = "\
Examples:
  terrasift key issue --config terrasift.yaml --tenant acme --name backstage --days 90
  terrasift key issue --config terrasift.yaml --tenant acme --name auditor --scopes audit:read,dead-letters:read --json
  terrasift key list --config terrasift.yaml --tenant acme
  terrasift key rotate --config terrasift.yaml --tenant acme 12 --overlap-hours 48     both are valid for two days
  terrasift key revoke --config terrasift.yaml --tenant acme --by alice 12             refused from the next request on

Exit status: 0 done, or done before · 1 a key is none of this tenant, was rotated before, or is over";

const TENANT_EXAMPLES: &str = "\
Examples:
  terrasift tenant list --config terrasift.yaml
  terrasift tenant suspend --config terrasift.yaml --by alice acme     on every replica within seconds; nothing is lost
  terrasift tenant resume --config terrasift.yaml --by alice acme --json
  terrasift tenant export --config terrasift.yaml --by alice acme --out acme.jsonl
  terrasift tenant erase --config terrasift.yaml --by alice acme --confirm acme-prod     its slug; suspend and export it first

Exit status: 0 done, or done before · 1 refused, or not done to the end: ask again, it goes on";

impl Cli {
    /// Runs what was asked.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Demo(arguments) => demo::run(arguments),
            Command::Serve(arguments) => serve::run(arguments),
            Command::Sanitize(arguments) => sanitize::run(&arguments),
            Command::Rules(arguments) => rules::run(&arguments),
            Command::Check(arguments) => check::run(&arguments),
            Command::Migrate(arguments) => migrate::run(&arguments),
            Command::Audit(arguments) => audit::run(&arguments),
            Command::Dlq(arguments) => dlq::run(&arguments),
            Command::Key(arguments) => key::run(&arguments),
            Command::Tenant(arguments) => tenant::run(&arguments),
            Command::Kafka(arguments) => broker::run(&arguments),
            Command::Schemas(arguments) => schemas::run(&arguments),
        }
    }
}

/// Where the configuration is: shared by all commands that need one.
#[derive(clap::Args, Clone)]
pub struct ConfigFile {
    /// Configuration file; keys that it leaves out have their defaults
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Says on standard error what went wrong, with its causes.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub fn complain(error: &anyhow::Error) {
    eprintln!("terrasift: {error:#}");
}
