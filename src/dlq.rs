//! `terrasift dlq`: what was given up, and the decisions about it.
//!
//! Reads and decides as the application's role, so that the policies hold here too. A retry is a row; a running worker
//! sends what follows from it. There is no value to show: none is stored.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use terrasift_http::DeadLetterBody;
use terrasift_postgres::{
    DeadLetter, DeadLetterFilter, DeadLetterId, LetterState, LetterVerdict, Store, TrailOutcome,
};
use terrasift_schemas::config::Config;
use terrasift_schemas::event::FailureReason;
use terrasift_schemas::{TenantId, WorkspaceId};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::ConfigFile;
use crate::{config, secrets, trail};

/// Letters that one call asks the database for.
const PAGE: u32 = 500;

/// Arguments of `dlq`.
#[derive(Args)]
pub struct DlqArguments {
    #[command(subcommand)]
    command: DlqCommand,
}

#[derive(Subcommand)]
enum DlqCommand {
    /// List a tenant's letters, oldest first
    List(ListArguments),
    /// Show one letter
    Show(ShowArguments),
    /// Sync the letters' workspaces anew; asked twice, it happens once
    Retry(DecideArguments),
    /// Take letters out of the queue; their rows stay
    Discard(DecideArguments),
}

#[derive(Args)]
struct Whose {
    #[command(flatten)]
    file: ConfigFile,
    /// Tenant id
    #[arg(long)]
    tenant: TenantId,
    /// One line of JSON a letter
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ListArguments {
    #[command(flatten)]
    whose: Whose,
    /// In this state
    #[arg(long, value_enum, default_value_t = StateArgument::Open)]
    state: StateArgument,
    /// For this reason, such as state_refused
    #[arg(long, visible_alias = "kind", value_name = "REASON", value_parser = reason_of)]
    reason: Option<FailureReason>,
    /// Of this workspace
    #[arg(long, value_name = "WS-ID")]
    workspace: Option<WorkspaceId>,
    /// Last parked at this time or later, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time_of)]
    since: Option<OffsetDateTime>,
    /// Most letters
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Go on after this letter: the id of the last one of the page before
    #[arg(long, value_name = "LETTER")]
    cursor: Option<i64>,
}

#[derive(Args)]
struct ShowArguments {
    #[command(flatten)]
    whose: Whose,
    /// Id of the letter
    #[arg(value_name = "LETTER")]
    id: i64,
}

#[derive(Args)]
struct DecideArguments {
    #[command(flatten)]
    whose: Whose,
    /// Who decides: it is kept with the letter
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    by: String,
    /// Ids of the letters
    #[arg(value_name = "LETTER", required = true)]
    ids: Vec<i64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StateArgument {
    Open,
    Retried,
    Discarded,
    Closed,
    All,
}

impl StateArgument {
    fn state(self) -> Option<LetterState> {
        match self {
            Self::Open => Some(LetterState::Open),
            Self::Retried => Some(LetterState::Retried),
            Self::Discarded => Some(LetterState::Discarded),
            Self::Closed => Some(LetterState::Closed),
            Self::All => None,
        }
    }
}

fn reason_of(code: &str) -> Result<FailureReason, String> {
    FailureReason::from_code(code).ok_or_else(|| {
        format!("expected one of {}", FailureReason::ALL.map(FailureReason::as_str).join(", "))
    })
}

fn time_of(text: &str) -> Result<OffsetDateTime, &'static str> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "expected a time such as 2026-01-31T12:00:00Z")
}

/// Runs a command about dead letters.
pub fn run(arguments: &DlqArguments) -> anyhow::Result<ExitCode> {
    let whose = match &arguments.command {
        DlqCommand::List(list) => &list.whose,
        DlqCommand::Show(show) => &show.whose,
        DlqCommand::Retry(decide) | DlqCommand::Discard(decide) => &decide.whose,
    };
    let config = config::load(&whose.file.config)?;
    let url = secrets::one(&config, "postgres.url", &config.postgres.url)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let store = Store::connect(url.expose(), 2).await?;
        let done = match &arguments.command {
            DlqCommand::List(arguments) => list(&store, arguments).await,
            DlqCommand::Show(arguments) => show(&store, arguments).await,
            DlqCommand::Retry(arguments) => decide_recorded(&config, &store, arguments, true).await,
            DlqCommand::Discard(arguments) => decide_recorded(&config, &store, arguments, false).await,
        };
        store.close().await;
        done
    })
}

async fn list(store: &Store, arguments: &ListArguments) -> anyhow::Result<ExitCode> {
    let filter = DeadLetterFilter {
        state: arguments.state.state(),
        reason: arguments.reason,
        workspace: arguments.workspace.clone(),
        since: arguments.since,
    };
    let (mut after, mut left) = (arguments.cursor.map(DeadLetterId), arguments.limit);
    while left > 0 {
        let asked = left.min(PAGE);
        let page = store.dead_letters(&arguments.whose.tenant, &filter, after, asked).await?;
        let got = u32::try_from(page.len()).unwrap_or(asked);
        after = page.last().map(|letter| letter.id).or(after);
        for letter in page {
            print(&arguments.whose, letter)?;
        }
        left -= got;
        if got < asked {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if !arguments.whose.json
        && let Some(last) = after
    {
        say(&format!("there may be more: --cursor {} goes on", last.0));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &Store, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    let tenant = &arguments.whose.tenant;
    let Some(letter) = store.dead_letter(tenant, DeadLetterId(arguments.id)).await? else {
        bail!("no dead letter of tenant {tenant} has the id {}", arguments.id);
    };
    print(&arguments.whose, letter)?;
    Ok(ExitCode::SUCCESS)
}

/// Decides, and records each attempt in the security audit, also one that failed.
async fn decide_recorded(
    config: &Config,
    store: &Store,
    arguments: &DecideArguments,
    retries: bool,
) -> anyhow::Result<ExitCode> {
    let mut attempts = Vec::new();
    let decided = decide(store, arguments, retries, &mut attempts).await;
    let by = format!("command line {}", arguments.by);
    let action = if retries { "dlq retry" } else { "dlq discard" };
    let entries = attempts.into_iter().map(|(letter, outcome)| {
        trail::entry(&arguments.whose.tenant, &by, action, format!("dead letter {letter}"), outcome)
    });
    let recorded = trail::record(config, store, entries.collect()).await;
    let code = decided?;
    recorded.map(|()| code)
}

/// Decides about each letter; one that is refused does not hinder the others, and makes the command fail.
async fn decide(
    store: &Store,
    arguments: &DecideArguments,
    retries: bool,
    attempts: &mut Vec<(i64, TrailOutcome)>,
) -> anyhow::Result<ExitCode> {
    let tenant = &arguments.whose.tenant;
    let by = format!("command line {}", arguments.by);
    let mut code = ExitCode::SUCCESS;
    for id in arguments.ids.iter().copied() {
        let letter = DeadLetterId(id);
        attempts.push((id, TrailOutcome::Failed));
        let decided = if retries {
            store.retry_dead_letter(tenant, letter, &by).await?
        } else {
            store.discard_dead_letter(tenant, letter, &by).await?
        };
        let refusal = match decided.as_ref().map(|decided| decided.verdict) {
            Some(LetterVerdict::Done | LetterVerdict::Already) => None,
            Some(LetterVerdict::Settled) => Some("is discarded or closed: a new failure makes a new letter"),
            Some(LetterVerdict::NoWorkspace) => {
                Some("names no workspace, so there is nothing to sync: discard it")
            }
            None => Some("is none of this tenant"),
        };
        if let Some((_, outcome)) = attempts.last_mut() {
            *outcome = if refusal.is_none() { TrailOutcome::Ok } else { TrailOutcome::Invalid };
        }
        match (refusal, decided) {
            (None, Some(decided)) => print(&arguments.whose, decided.letter)?,
            (refusal, _) => {
                say(&format!("letter {id} {}", refusal.unwrap_or_default()));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

#[expect(clippy::print_stdout, reason = "the command line's own voice")]
fn print(whose: &Whose, letter: DeadLetter) -> anyhow::Result<()> {
    if whose.json {
        println!("{}", serde_json::to_string(&DeadLetterBody::from(letter))?);
    } else {
        print!("{}", text(&letter));
    }
    Ok(())
}

/// What is no letter goes to the other stream.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
fn say(what: &str) {
    eprintln!("terrasift: {what}");
}

/// A letter for people.
fn text(letter: &DeadLetter) -> String {
    let at = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
    let shown = |text: &str| text.chars().flat_map(char::escape_debug).collect::<String>();
    let workspace = letter.workspace.as_ref().map_or("no workspace", WorkspaceId::as_str);
    let mut out = format!(
        "{} {} {workspace} {} {}, {} × after {} attempts\n    {}\n",
        letter.id.0,
        at(letter.last_at),
        letter.state.as_str(),
        letter.reason,
        letter.occurrences,
        letter.attempts,
        shown(&letter.detail),
    );
    if let Some(retried) = &letter.retried {
        let waits = if letter.retry_due { ", waits for a worker to send it" } else { "" };
        out.push_str(&format!("    retried {} by {}{waits}\n", at(retried.at), shown(&retried.by)));
    }
    if let Some(settled) = &letter.settled {
        out.push_str(&format!(
            "    {} {} by {}\n",
            letter.state.as_str(),
            at(settled.at),
            shown(&settled.by)
        ));
    }
    out
}
