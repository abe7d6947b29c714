//! `terrasift check`: says whether `serve` would start, without starting anything.

use std::process::ExitCode;

use clap::Args;

use crate::cli::ConfigFile;
use crate::{config, serve};

/// Arguments of `check`.
#[derive(Args)]
pub struct CheckArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// Checks the file, resolves its references, compiles its rules.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let config = config::load(&arguments.file.config)?;
    let settings = serve::resolve(&config)?;
    if arguments.json {
        println!("{}", serde_json::json!({ "ok": true, "tenants": settings.tenants.len() }));
    } else {
        println!("fine: {} tenants", settings.tenants.len());
    }
    Ok(ExitCode::SUCCESS)
}
