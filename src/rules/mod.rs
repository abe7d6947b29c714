//! `terrasift rules`: rules as a person works on them, tried on a sample and listed.
//!
//! Must never show a sample's secret unless it is asked to.

mod decided;
mod doc;
mod list;
mod render;
mod sample;
#[cfg(test)]
mod tests;
mod words;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::rule_file;

/// Longest sample.
const SAMPLE_BYTES_MAX: u64 = 16 * 1024 * 1024;
const BAD_INPUT: u8 = 2;
const BAD_RULES: u8 = 3;

const TEST_EXAMPLES: &str = "\
Examples:
  terrasift rules test --rules my-rules.yaml < terraform.tfstate
  echo 'mail ann@corp.example' | terrasift rules test --rules my-rules.yaml
  echo 's3cr3t-words' | terrasift rules test --key db_password        as the value of that key
  terrasift rules test sample.json --json | jq '.leaves[].candidates'

A state is decided as `terrasift sanitize` decides it, with Terraform's marks and copies of secrets. Other JSON, and plain
text, are decided as a value of that content would be.

Exit status: 0 done · 2 bad input · 3 bad rules";

const LIST_EXAMPLES: &str = "\
Examples:
  terrasift rules list
  terrasift rules list --rules my-rules.yaml         with own rules, and what the file changes
  terrasift rules list --json | jq -r '.[].id'";

/// Arguments of `rules`.
#[derive(Args)]
pub struct RulesArguments {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Subcommand)]
enum RulesCommand {
    /// Say for each span of a sample which rule decides, and why
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArguments),
    /// List all rules: id, category, action, priority, on or off
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArguments),
    /// Print docs/rules.md: every rule with format, source, example, category, action, priority
    Doc,
}

#[derive(Args)]
struct TestArguments {
    /// The sample: a state, other JSON, or text; `-` or nothing reads standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Own rules on top of the built-in ones
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// The sample is the value of this key, not a document
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Show the sample's text as it was given; without it, what would be redacted is redacted
    #[arg(long)]
    show: bool,
    /// One document of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ListArguments {
    /// Own rules on top of the built-in ones
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// One document of JSON
    #[arg(long)]
    json: bool,
}

/// Runs a rules command.
pub fn run(arguments: &RulesArguments) -> anyhow::Result<ExitCode> {
    let path = match &arguments.command {
        RulesCommand::Test(test) => test.rules.as_deref(),
        RulesCommand::List(list) => list.rules.as_deref(),
        RulesCommand::Doc => None,
    };
    let (file, rules) = match rule_file::load(path) {
        Ok(loaded) => loaded,
        Err(error) => {
            crate::cli::complain(&error.into());
            return Ok(ExitCode::from(BAD_RULES));
        }
    };
    match &arguments.command {
        RulesCommand::Doc => doc::run(&rules),
        RulesCommand::List(arguments) => list::run(&rules, arguments.json),
        RulesCommand::Test(arguments) => {
            let text = match read(&arguments.file) {
                Ok(text) => text,
                Err(error) => {
                    crate::cli::complain(&error);
                    return Ok(ExitCode::from(BAD_INPUT));
                }
            };
            let decided = decided::decide(&Arc::new(rules), &file, &text, arguments.key.as_deref())?;
            render::print(&decided, arguments.show, arguments.json)
        }
    }
}

/// Reads the sample; a text that ends in a line's end is meant without it.
fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let (name, read) = if path.as_os_str() == "-" {
        let stdin = std::io::stdin().lock();
        ("standard input".to_owned(), stdin.take(SAMPLE_BYTES_MAX + 1).read_to_end(&mut bytes))
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        (path.display().to_string(), file.take(SAMPLE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    let read = read.with_context(|| format!("cannot read {name}"))?;
    if u64::try_from(read).is_ok_and(|read| read > SAMPLE_BYTES_MAX) {
        anyhow::bail!("{name}: longer than 16 MiB: cut a sample out of it");
    }
    let text = String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{name}: not UTF-8"))?;
    Ok(text
        .strip_suffix('\n')
        .map(|text| text.strip_suffix('\r').unwrap_or(text))
        .unwrap_or(&text)
        .to_owned())
}
