//! `terrasift schemas`: writes the contracts of events and API, as producers and clients generate code from them.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use terrasift_schemas::contract::{GeneratedFile, generated_files};

/// Arguments of `schemas`.
#[derive(Args)]
pub struct SchemasArguments {
    /// Folder to write to; it is created
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Writes the files.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(arguments: &SchemasArguments) -> anyhow::Result<ExitCode> {
    let folder = &arguments.out;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let openapi = GeneratedFile {
        name: "openapi.json".to_owned(),
        content: format!("{:#}\n", terrasift_http::openapi()),
    };
    for file in generated_files().into_iter().chain([openapi]) {
        let path = folder.join(&file.name);
        std::fs::write(&path, file.content).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(ExitCode::SUCCESS)
}
