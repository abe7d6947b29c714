//! The rule file: YAML that operators and tenants write. Parsed here, compiled in the engine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::detection::{Action, Category};

/// A rule file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Grows with each change, 1 to 999,999: of two replicas with different files the one with the smaller version is
    /// behind. A change is noticed without it, by the content's digest.
    #[serde(default = "one")]
    pub version: u32,
    /// Ids of built-in rules that are switched off.
    #[serde(default)]
    pub disable: Vec<String>,
    /// Own rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Values that are let through on purpose.
    #[serde(default)]
    pub allowlist: Vec<Allow>,
}

fn one() -> u32 {
    1
}

/// One rule. Exactly one of `pattern` and `key_pattern`, or both (then both must match).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable id, kebab-case, unique in the set.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// What it protects.
    pub category: Category,
    /// Off rules are parsed and checked, and never fire.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Regular expression (Rust syntax) over decoded values.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Regular expression over the key that holds the value.
    #[serde(default)]
    pub key_pattern: Option<String>,
    /// What to do.
    #[serde(default = "redact")]
    pub action: Action,
    /// Higher wins; equal priorities: the longer span, then the smaller id. Without it, an own rule has 100 and a
    /// built-in rule keeps its own.
    #[serde(default)]
    pub priority: Option<i32>,
    /// Shannon entropy in bits per character that a match must reach.
    #[serde(default)]
    pub min_entropy: Option<f32>,
    /// Why the rule exists, for auditors.
    #[serde(default)]
    pub reason: String,
}

fn yes() -> bool {
    true
}
fn redact() -> Action {
    Action::Redact
}

/// A value that is let through. Never overrides private keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allow {
    /// Regular expression that must match the whole span (it is anchored by the engine).
    pub pattern: String,
    /// Rule ids it applies to; empty: all but private keys.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Why; must not be empty.
    pub reason: String,
}
