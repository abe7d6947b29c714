//! A rule set: the shared built-in core and what one tenant changes.

use std::sync::Arc;

use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::rules::RuleFile;

use super::{HashKey, Hit, KeyVerdict, RuleError, RuleIx, Scratch};

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Stable id, kebab-case.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it protects.
    pub category: Category,
    /// What happens to a match.
    pub action: Action,
    /// Higher wins; equal priorities: the longer span, then the smaller id.
    pub priority: i32,
    /// Taint remembers what it finds.
    pub secret: bool,
    /// Allowlists that name no rule do not reach it, and it cannot be switched off.
    pub protected: bool,
}

/// Compiled rules, shared by all workers and by the tenants with the same rules.
pub struct RuleSet {
    infos: Vec<RuleInfo>,
    version: u32,
}

impl RuleSet {
    /// The built-in rules.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        let info = |id: &str| RuleInfo {
            id: id.to_owned(),
            name: String::new(),
            category: Category::Credential,
            action: Action::Redact,
            priority: 900,
            secret: true,
            protected: true,
        };
        Arc::new(Self {
            infos: ["terraform-sensitive", "tainted", "oversize", "provider-private"].map(info).to_vec(),
            version: 1,
        })
    }
    /// Built-in rules and what the file changes.
    ///
    /// # Errors
    /// The first rule that cannot be taken.
    pub fn compile(file: &RuleFile) -> Result<Self, RuleError> {
        Ok(Self { infos: Self::builtin().infos.clone(), version: file.version })
    }
    /// Version of the file, 1 for the built-in set.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
    /// What is known of a rule of this set.
    #[must_use]
    pub fn rule(&self, ix: RuleIx) -> &RuleInfo {
        &self.infos[usize::from(ix.0)]
    }
    /// What Terraform marks.
    #[must_use]
    pub fn mark_rule(&self) -> RuleIx {
        RuleIx(0)
    }
    /// Copies of known secrets.
    #[must_use]
    pub fn taint_rule(&self) -> RuleIx {
        RuleIx(1)
    }
    /// Values above the cap.
    #[must_use]
    pub fn oversize_rule(&self) -> RuleIx {
        RuleIx(2)
    }
    /// The provider's `private` blob.
    #[must_use]
    pub fn private_rule(&self) -> RuleIx {
        RuleIx(3)
    }
    /// What a key says.
    #[must_use]
    pub fn classify_key(&self, _key: &str) -> KeyVerdict {
        KeyVerdict::Plain
    }
    /// All hits of a value: sorted, not overlapping; `hits` is cleared first.
    pub fn inspect(&self, _text: &str, _key: KeyVerdict, _scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        hits.clear();
    }
    /// A map key that is itself data.
    pub fn inspect_key(&self, _key: &str, _scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        hits.clear();
    }
    /// Number leaves, as they stand in the JSON.
    #[must_use]
    pub fn inspect_number(&self, _raw: &str, _key: KeyVerdict) -> Option<RuleIx> {
        None
    }
    /// Appends the marker that stands for the value.
    pub fn replacement(&self, rule: RuleIx, value: &str, hash_key: &HashKey, out: &mut Vec<u8>) {
        let info = self.rule(rule);
        let category = info.category.as_str().as_bytes();
        if info.action == Action::Hash {
            out.extend_from_slice(b"[HASHED:");
            out.extend_from_slice(category);
            out.push(b':');
            out.extend_from_slice(hex::encode(hash_key.digest(value)).as_bytes());
        } else {
            out.extend_from_slice(b"[REDACTED:");
            out.extend_from_slice(category);
        }
        out.push(b']');
    }
}
