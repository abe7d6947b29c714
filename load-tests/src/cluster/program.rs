//! A command of the program, run to its end.
//!
//! Must never hand the program more of the environment than it is given here.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

/// Runs a command of `binary` on a configuration: what it says on standard output.
///
/// # Errors
/// When it fails: with what it says.
pub(crate) async fn run_program(
    binary: &Path,
    config: &Path,
    environment: &[(String, String)],
    words: &[&str],
    options: &[&str],
) -> Result<String> {
    let output = tokio::process::Command::new(binary)
        .args(words)
        .arg("--config")
        .arg(config)
        .args(options)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run the program")?;
    if !output.status.success() {
        bail!("terrasift {} failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
