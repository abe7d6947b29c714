//! What may be done with what, and whether somebody may: the one place that decides.
//!
//! A permission is `resource:action`. It allows exactly that; `admin` allows every action on its resource. What nothing allows is
//! denied, and what a permission of an unknown name allows is nothing. Must never look at who asks: only at what was granted.

/// What is worked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Entities, workspaces, the feed.
    Catalog,
    /// What the sanitizer took out.
    Audit,
    /// What was parked.
    DeadLetters,
    /// How much was done for a tenant, and what it costs.
    Usage,
}

impl Resource {
    /// As it stands in permissions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Audit => "audit",
            Self::DeadLetters => "dead-letters",
            Self::Usage => "usage",
        }
    }
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Look.
    Read,
    /// Decide, change.
    Write,
    /// Everything.
    Admin,
}

/// A resource and an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// What is worked with.
    pub resource: Resource,
    /// What is done with it.
    pub action: Action,
}

/// Reads the catalog and how it stands.
pub const CATALOG_READ: Permission = Permission { resource: Resource::Catalog, action: Action::Read };
/// Reads the sanitizer's audit.
pub const AUDIT_READ: Permission = Permission { resource: Resource::Audit, action: Action::Read };
/// Reads dead letters.
pub const DEAD_LETTERS_READ: Permission =
    Permission { resource: Resource::DeadLetters, action: Action::Read };
/// Decides about dead letters.
pub const DEAD_LETTERS_WRITE: Permission =
    Permission { resource: Resource::DeadLetters, action: Action::Write };
/// Reads how much was done, and what it costs.
pub const USAGE_READ: Permission = Permission { resource: Resource::Usage, action: Action::Read };

impl Permission {
    /// All that can be granted: what a route asks for, and everything on a resource.
    pub const ALL: [Self; 9] = [
        CATALOG_READ,
        AUDIT_READ,
        DEAD_LETTERS_READ,
        DEAD_LETTERS_WRITE,
        Self { resource: Resource::Catalog, action: Action::Admin },
        Self { resource: Resource::Audit, action: Action::Admin },
        Self { resource: Resource::DeadLetters, action: Action::Admin },
        USAGE_READ,
        Self { resource: Resource::Usage, action: Action::Admin },
    ];

    /// As it stands in keys, tokens and the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match (self.resource, self.action) {
            (Resource::Catalog, Action::Read) => "catalog:read",
            (Resource::Catalog, Action::Write) => "catalog:write",
            (Resource::Catalog, Action::Admin) => "catalog:admin",
            (Resource::Audit, Action::Read) => "audit:read",
            (Resource::Audit, Action::Write) => "audit:write",
            (Resource::Audit, Action::Admin) => "audit:admin",
            (Resource::DeadLetters, Action::Read) => "dead-letters:read",
            (Resource::DeadLetters, Action::Write) => "dead-letters:write",
            (Resource::DeadLetters, Action::Admin) => "dead-letters:admin",
            (Resource::Usage, Action::Read) => "usage:read",
            (Resource::Usage, Action::Write) => "usage:write",
            (Resource::Usage, Action::Admin) => "usage:admin",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    fn covers(self, wanted: Self) -> bool {
        self.resource == wanted.resource && (self.action == wanted.action || self.action == Action::Admin)
    }
}

/// Whether one of the granted permissions allows `wanted`.
#[must_use]
pub fn is_allowed(granted: &[String], wanted: Permission) -> bool {
    granted.iter().filter_map(|name| Permission::of_name(name)).any(|permission| permission.covers(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_allowed_that_was_not_granted() {
        let cases: [(&[&str], Permission, bool); 13] = [
            (&[], CATALOG_READ, false),
            (&["catalog:read"], CATALOG_READ, true),
            (&["catalog:admin"], CATALOG_READ, true),
            (&["audit:read", "catalog:read"], CATALOG_READ, true),
            (&["catalog:write"], CATALOG_READ, false),
            (&["catalog:readx"], CATALOG_READ, false),
            (&["CATALOG:READ"], CATALOG_READ, false),
            (&["*"], CATALOG_READ, false),
            (&["catalog:*"], CATALOG_READ, false),
            (&["audit:admin"], CATALOG_READ, false),
            (&["dead-letters:write"], DEAD_LETTERS_READ, false),
            (&["dead-letters:read"], DEAD_LETTERS_WRITE, false),
            (&["dead-letters:admin"], DEAD_LETTERS_WRITE, true),
        ];
        for (granted, wanted, expected) in cases {
            let granted: Vec<String> = granted.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(is_allowed(&granted, wanted), expected, "{granted:?}");
        }
    }
}
