//! The programs that we compare with: how each is asked for its fastest complete scan of one file, and what the
//! comparison must come to. Must never turn off a rule of theirs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A program that finds or takes away secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    RustSanitize,
    Kingfisher,
    Gitleaks,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::RustSanitize => "rust-sanitize",
            Self::Kingfisher => "kingfisher",
            Self::Gitleaks => "gitleaks",
        }
    }

    /// How many times as fast we must be, and how many we aim at.
    pub fn targets(self) -> (u32, u32) {
        match self {
            Self::RustSanitize => (12, 30),
            Self::Kingfisher => (15, 40),
            Self::Gitleaks => (120, 350),
        }
    }

    /// Whether it gets the smaller state, so that a run ends within seconds.
    pub fn is_slow(self) -> bool {
        self == Self::Gitleaks
    }

    /// Its exit code when it found something; 0 is the other that is no failure.
    pub fn found(self) -> i32 {
        match self {
            Self::RustSanitize => 2,
            Self::Kingfisher => 200,
            Self::Gitleaks => 9,
        }
    }

    /// Scans one file. `home` is a folder for what it keeps from run to run, so that the user's own configuration and
    /// caches play no part; it runs there, too, so that nothing beside the file is read as configuration.
    pub fn scan(self, program: &Path, home: &Path, state: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(home).env("HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
        command.env("XDG_CACHE_HOME", home.join("cache"));
        match self {
            Self::RustSanitize => {
                // Never the null device: it writes beside and renames, and as root would put a file in the device's place.
                command.arg(state).arg("--output").arg(home.join("sanitized"));
                command.args(["--force-text", "--threads", "1"]);
                command.args(["--quiet", "--progress", "off", "--fail-on-match"])
            }
            Self::Kingfisher => {
                command.arg("scan").arg(state).args(["--turbo", "--no-validate", "--jobs", "1"]);
                command.args(["--git-history", "none", "--format", "json", "--quiet", "--no-update-check"]);
                command.arg("--rule-cache-dir").arg(home.join("rules"))
            }
            Self::Gitleaks => {
                command.arg("dir").arg(state).args(["--exit-code", "9", "--no-banner"]);
                command.args(["--max-decode-depth", "0", "--log-level", "error"]).env("GOMAXPROCS", "1")
            }
        };
        command
    }

    /// What the program says of itself, without its name.
    pub fn version(self, program: &Path) -> Result<String> {
        let argument = if self == Self::Gitleaks { "version" } else { "--version" };
        let output = Command::new(program)
            .arg(argument)
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.split_whitespace().last().unwrap_or_default();
        ensure!(output.status.success() && !version.is_empty(), "{} tells no version", program.display());
        Ok(version.trim_start_matches('v').to_owned())
    }
}
