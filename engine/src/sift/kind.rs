//! Is it a state v4? The version may stand last (`jq -S` sorts it there), so hints are collected on the way.
//!
//! Must never accept a document without a version.

use crate::refusal::{Refusal, RefusalKind};

/// What was seen so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Kind {
    version: bool,
    /// `format_version`: a plan or `show -json`.
    format: bool,
}

const PLAN: &str = "a JSON plan, not a state; use the output of `terraform state pull`";
const SHOW: &str =
    "the output of `terraform show -json`, not a state; use the output of `terraform state pull`";
const FORMAT: &str =
    "a plan or `terraform show -json` output, not a state; use the output of `terraform state pull`";
const OLD: &str =
    "a state of version 3 or older; run `terraform apply -refresh-only` with Terraform 0.13 or later first";
const NEW: &str = "a state newer than version 4; update terrasift";
const NO_NUMBER: &str = "the state's version is no whole number; pull the state again";
const MISSING: &str =
    "JSON, but no Terraform state: there is no version; pull it with `terraform state pull`";

impl Kind {
    /// A top-level key. Some settle it.
    ///
    /// # Errors
    /// `NotAStateV4` for keys that only other documents have.
    pub(super) fn key(&mut self, key: &str, offset: u64) -> Result<(), Refusal> {
        match key {
            "planned_values" | "resource_changes" | "prior_state" | "output_changes" => refuse(offset, PLAN),
            "values" => refuse(offset, SHOW),
            "modules" => refuse(offset, OLD),
            "format_version" => {
                self.format = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The value of `version`, as it stands.
    ///
    /// # Errors
    /// `NotAStateV4` for all but 4.
    pub(super) fn version(&mut self, raw: &str, offset: u64) -> Result<(), Refusal> {
        match raw.parse::<u64>() {
            Ok(4) => {
                self.version = true;
                Ok(())
            }
            Ok(..4) => refuse(offset, OLD),
            Ok(_) => refuse(offset, NEW),
            Err(_) => refuse(offset, NO_NUMBER),
        }
    }

    /// The document is complete.
    ///
    /// # Errors
    /// `NotAStateV4` without a version.
    pub(super) fn decide(self, offset: u64) -> Result<(), Refusal> {
        match self {
            Self { format: true, .. } => refuse(offset, FORMAT),
            Self { version: false, .. } => refuse(offset, MISSING),
            _ => Ok(()),
        }
    }
}

fn refuse(offset: u64, detail: &'static str) -> Result<(), Refusal> {
    Err(Refusal { kind: RefusalKind::NotAStateV4, offset, detail })
}
