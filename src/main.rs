//! The one binary. Command line, configuration, wiring; nothing else.

mod app;
mod audit;
mod beside;
mod broker;
mod cache;
mod certificates;
mod check;
mod cli;
mod config;
mod demo;
mod dlq;
mod identity;
mod key;
mod logging;
mod memory;
mod migrate;
mod rule_file;
mod rules;
mod sanitize;
mod schemas;
mod secrets;
mod serve;
mod tenant;
mod trail;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    cli.run().unwrap_or_else(|error| {
        cli::complain(&error);
        ExitCode::FAILURE
    })
}
