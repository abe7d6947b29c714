//! `terrasift demo`: everything on this machine, with nothing to install but packages of the system.
//!
//! A private Postgres, librdkafka's in-process Kafka listener, the Terraform Cloud simulator and the whole engine with
//! its API on loopback. Must never listen elsewhere, nor leave anything running.

mod follow;
mod leaks;
mod live;
mod summary;
mod sync;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use terrasift_actors::SyncEnded;
use terrasift_load_tests::leak_search::distinct;
use tokio::sync::broadcast;

use summary::Summary;
use world::World;

/// Exit status of what Ctrl-C ended early, as shells have it: 128 + SIGINT.
const INTERRUPTED: u8 = 130;
/// Longest first sync.
const SYNC_WAIT_MAX: Duration = Duration::from_secs(1800);

/// Arguments of `demo`.
#[derive(Args, Clone)]
pub struct DemoArguments {
    /// Tenants (client organizations)
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    tenants: u16,
    /// Workspaces of each tenant
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=5000))]
    workspaces: u16,
    /// Seed of the simulated world: the same seed makes the same states
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Serve the state files below this folder instead of generated ones
    #[arg(long, value_name = "DIR")]
    states: Option<PathBuf>,
    /// Keep Postgres' files and the log here; without it they are gone at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Write the planted secrets here, a JSON object a line, so that anyone can search for them
    #[arg(long, value_name = "FILE")]
    canaries: Option<PathBuf>,
    /// Write each tenant's API key here, a JSON object a line, as soon as the API answers; for Backstage on this machine
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Address of the API; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: std::net::SocketAddr,
    /// Requests per second for one tenant (the default is the production default)
    #[arg(long, default_value_t = 5.0)]
    tenant_requests_per_second: f64,
    /// Seconds between two changes of the simulated world
    #[arg(long, default_value_t = 3.0)]
    change_every: f64,
    /// When all is synced, spoil the states of one workspace of each tenant: what changes there is a dead letter to look at
    #[arg(long)]
    dead_letters: bool,
    /// End after the first full sync, with a summary
    #[arg(long)]
    exit_after_sync: bool,
    /// The summary as one line of JSON, the last on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the demo.
pub fn run(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    if !arguments.listen.ip().is_loopback() {
        bail!("--listen: the demo listens on loopback only: its keys are printed on the screen");
    }
    let rate = arguments.tenant_requests_per_second;
    if !(rate > 0.0 && rate <= 1000.0) {
        bail!("--tenant-requests-per-second: expected more than 0, at most 1000");
    }
    if !(arguments.change_every >= 0.05 && arguments.change_every <= 86_400.0) {
        bail!("--change-every: expected 0.05 to 86400 seconds");
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(demo(&arguments))
}

async fn demo(arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    let (world, reports) = tokio::select! {
        started = World::start(arguments) => started?,
        // Nothing to stop but what stops itself when it is dropped.
        signal = world::interrupted() => return signal.map(|()| ExitCode::from(INTERRUPTED)),
    };
    if let Some(file) = &arguments.keys {
        world.write_keys(file)?;
    }
    let outcome = tokio::select! {
        outcome = watch(arguments, &world, reports) => outcome,
        signal = world::interrupted() => signal.map(|()| {
            live::say("stopping");
            // A demo without an end is meant to be ended so.
            if arguments.exit_after_sync { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS }
        }),
    };
    world.stop().await;
    outcome
}

async fn watch(
    arguments: &DemoArguments,
    world: &World,
    reports: broadcast::Receiver<SyncEnded>,
) -> anyhow::Result<ExitCode> {
    let first = sync::first_sync(world, reports, !arguments.json);
    let (canaries, first) = tokio::join!(
        world.canaries(arguments.canaries.as_deref()),
        tokio::time::timeout(SYNC_WAIT_MAX, first)
    );
    let canaries = canaries?;
    let first = first.context("the first sync did not end in time: see the log")??;
    let found = leaks::search(world, &canaries).await?;
    let summary = Summary::new(world, &first, canaries.len(), distinct(&found));
    summary.print(arguments.json)?;
    leaks::report(&found);
    if !arguments.exit_after_sync {
        live::run(world, first, arguments).await?;
    }
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
