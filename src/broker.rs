//! `terrasift kafka`: a real Apache Kafka on this machine, for load and for trying things by hand; `make kafka` calls it.
//!
//! Must never be reachable from another machine: it asks nobody for a name.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use terrasift_kafka::{ClusterPlan, PrivateKafka};
use tokio::signal::unix::{SignalKind, signal};

/// Arguments of `kafka`.
#[derive(Args)]
pub struct BrokerArguments {
    /// Folder with Kafka's jars, as `make kafka-jars` fills it
    #[arg(long, value_name = "DIR")]
    libs: PathBuf,
    /// One node, or three of which one may be lost
    #[arg(long, default_value_t = 1)]
    nodes: u16,
}

/// Runs until a signal comes.
pub fn run(arguments: &BrokerArguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(serve(arguments))
}

#[expect(clippy::print_stdout, reason = "the command line's own voice")]
async fn serve(arguments: &BrokerArguments) -> anyhow::Result<ExitCode> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let starting = PrivateKafka::start(ClusterPlan::new(&arguments.libs, arguments.nodes));
    let kafka = tokio::select! {
        started = starting => started?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    println!("bootstrap   {}", kafka.bootstrap());
    println!("durability  {}", kafka.durability());
    println!("files       {} (gone when it stops)", kafka.data_dir().display());
    println!("Ctrl-C stops it");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    kafka.stop().await;
    Ok(ExitCode::SUCCESS)
}
