//! `terrasift check`: says whether `serve` would start, without starting anything.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use terrasift_schemas::config::Config;
use terrasift_secrets::Unread;

use crate::cli::ConfigFile;
use crate::{config, secrets, serve};

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
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let book = match runtime.block_on(secrets::read(&config))? {
        Ok(book) => book,
        Err(unread) => return Ok(tell(arguments.json, &config, &unread)),
    };
    let secrets = book.places().count();
    let settings = serve::resolve(&config, book)?;
    let tenants = settings.tenants.len();
    if arguments.json {
        println!("{}", serde_json::json!({ "ok": true, "tenants": tenants, "secrets": secrets }));
    } else {
        println!("fine: {tenants} tenants, {secrets} secrets could be read");
    }
    Ok(ExitCode::SUCCESS)
}

/// Which secrets could be read and which not, in the order of the file; never a value.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
fn tell(json: bool, config: &Config, unread: &[Unread]) -> ExitCode {
    let problem = |place: &str| unread.iter().find(|unread| unread.place == place);
    if json {
        let unread = unread.iter().map(
            |Unread { place, error }| serde_json::json!({ "place": place, "problem": error.to_string() }),
        );
        println!("{}", serde_json::json!({ "ok": false, "unread": unread.collect::<Vec<_>>() }));
        return ExitCode::FAILURE;
    }
    for declared in secrets::declared(config) {
        match problem(&declared.place) {
            Some(unread) => println!("{unread}"),
            None => println!("{}: can be read", declared.place),
        }
    }
    ExitCode::FAILURE
}
