//! `terrasift migrate`: brings the schema up to date, as the owner of the tables.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::cli::ConfigFile;
use crate::{config, secrets};

/// Arguments of `migrate`.
#[derive(Args)]
pub struct MigrateArguments {
    #[command(flatten)]
    file: ConfigFile,
}

/// Migrates.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(arguments: &MigrateArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let owner_url = secrets::one(&config, "postgres.owner_url", &config.postgres.owner_url)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(terrasift_postgres::migrate(owner_url.expose()))?;
    println!("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}
