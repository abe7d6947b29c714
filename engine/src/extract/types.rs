//! Which Terraform resource types become catalog entities, and as what.
//!
//! Must never decide by a wildcard: a type that nobody listed is counted, not published.

use std::collections::HashMap;

/// What a listed resource type becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRule {
    /// `spec.type` of the Resource, for example `database`.
    pub spec_type: String,
}

/// The allow-list: Terraform resource type → rule. Built once, shared by all tenants with the same configuration.
#[derive(Debug, Clone, Default)]
pub struct TypeTable {
    rules: HashMap<String, TypeRule>,
}

impl TypeTable {
    /// The list that ships with Terrasift.
    #[must_use]
    pub fn builtin() -> Self {
        Self::default()
    }

    /// Adds or replaces types: `(resource type, spec.type)`. An empty `spec.type` takes the type off the list.
    #[must_use]
    pub fn with_types(mut self, types: Vec<(String, String)>) -> Self {
        for (rtype, spec_type) in types {
            if spec_type.is_empty() {
                self.rules.remove(&rtype);
            } else {
                self.rules.insert(rtype, TypeRule { spec_type });
            }
        }
        self
    }

    /// The rule of a type; `None` is "count it only".
    #[must_use]
    pub fn get(&self, rtype: &str) -> Option<&TypeRule> {
        self.rules.get(rtype)
    }

    /// Number of listed types.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether no type is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
