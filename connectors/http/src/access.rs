//! What may be done with what, and whether somebody may: the one place that decides.
//!
//! A permission is `resource:action`. It allows exactly that; `admin` allows every action on its resource. `catalog:read@acme-prod`
//! allows it within one namespace. What nothing allows is denied, and what a permission of an unknown name allows is nothing. Must
//! never look at who asks: only at what was granted.

use std::collections::BTreeSet;

use terrasift_schemas::EntityRef;

/// Longest namespace of Backstage.
const NAMESPACE_BYTES_MAX: usize = 63;

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
    /// API keys of the tenant.
    Keys,
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
            Self::Keys => "keys",
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

/// Lists, issues, rotates and revokes keys.
pub const KEYS_ADMIN: Permission = Permission { resource: Resource::Keys, action: Action::Admin };

impl Permission {
    /// All that can be granted: what a route asks for, and everything on a resource.
    pub const ALL: [Self; 10] = [
        CATALOG_READ,
        AUDIT_READ,
        DEAD_LETTERS_READ,
        DEAD_LETTERS_WRITE,
        Self { resource: Resource::Catalog, action: Action::Admin },
        Self { resource: Resource::Audit, action: Action::Admin },
        Self { resource: Resource::DeadLetters, action: Action::Admin },
        USAGE_READ,
        Self { resource: Resource::Usage, action: Action::Admin },
        KEYS_ADMIN,
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
            (Resource::Keys, Action::Read) => "keys:read",
            (Resource::Keys, Action::Write) => "keys:write",
            (Resource::Keys, Action::Admin) => "keys:admin",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    fn covers(self, wanted: Self) -> bool {
        self.resource == wanted.resource && (self.action == wanted.action || self.action == Action::Admin)
    }
}

/// A permission as it is granted: everywhere, or within a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    permission: Permission,
    namespace: Option<String>,
}

impl Grant {
    /// Parses `resource:action` or `catalog:action@namespace`; `None` for what grants nothing. Only the catalog has namespaces.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((name, namespace)) = text.split_once('@') else {
            return Some(Self { permission: Permission::of_name(text)?, namespace: None });
        };
        let permission = Permission::of_name(name).filter(|p| p.resource == Resource::Catalog)?;
        is_namespace(namespace).then(|| Self { permission, namespace: Some(namespace.to_owned()) })
    }
}

/// A lower-case DNS label, as Backstage has it.
fn is_namespace(text: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=NAMESPACE_BYTES_MAX).contains(&text.len())
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// How much of a tenant's catalog somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of it.
    All,
    /// What is in these namespaces.
    Namespaces(BTreeSet<String>),
}

impl Scope {
    /// Whether an entity may be seen. By its reference: that is what a reader of Backstage knows it by.
    pub(crate) fn shows(&self, entity: &EntityRef) -> bool {
        let Self::Namespaces(namespaces) = self else { return true };
        let namespace = entity.as_str().split_once(':').and_then(|(_, rest)| rest.split_once('/'));
        namespace.is_some_and(|(namespace, _)| namespaces.contains(namespace))
    }
}

/// Within what scope the granted permissions allow `wanted`; `None`: not at all.
pub(crate) fn allowed(granted: &[String], wanted: Permission) -> Option<Scope> {
    let mut namespaces = BTreeSet::new();
    let grants = granted.iter().filter_map(|text| Grant::parse(text));
    for grant in grants.filter(|grant| grant.permission.covers(wanted)) {
        match grant.namespace {
            None => return Some(Scope::All),
            Some(namespace) => drop(namespaces.insert(namespace)),
        }
    }
    (!namespaces.is_empty()).then_some(Scope::Namespaces(namespaces))
}

/// Whether everything that `wanted` allows is granted: nobody hands on more than he has. What grants nothing is granted to everybody.
pub(crate) fn includes(granted: &[String], wanted: &str) -> bool {
    let Some(wanted) = Grant::parse(wanted) else { return true };
    granted.iter().filter_map(|text| Grant::parse(text)).any(|own| {
        own.permission.covers(wanted.permission)
            && (own.namespace.is_none() || own.namespace == wanted.namespace)
    })
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
            let scope = allowed(&granted, wanted);
            assert_eq!(scope, expected.then_some(Scope::All), "{granted:?}");
        }
    }

    #[test]
    fn nobody_hands_on_more_than_was_granted() {
        let cases: [(&[&str], &str, bool); 17] = [
            (&[], "catalog:read", false),
            (&["catalog:read"], "catalog:read", true),
            (&["catalog:read"], "catalog:admin", false),
            (&["catalog:admin"], "catalog:read", true),
            (&["catalog:admin"], "catalog:admin", true),
            (&["catalog:admin"], "audit:read", false),
            (&["keys:admin"], "catalog:read", false),
            (&["keys:admin"], "keys:admin", true),
            (&["dead-letters:read", "dead-letters:write"], "dead-letters:admin", false),
            (&["catalog:read"], "catalog:read@a", true),
            (&["catalog:admin"], "catalog:read@a", true),
            (&["catalog:read@a"], "catalog:read@a", true),
            (&["catalog:read@a"], "catalog:read@b", false),
            (&["catalog:read@a"], "catalog:read", false),
            (&["catalog:admin@a"], "catalog:read@a", true),
            (&["catalog:read@a"], "catalog:admin@a", false),
            (&[], "of no meaning", true),
        ];
        for (granted, wanted, expected) in cases {
            let granted: Vec<String> = granted.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(includes(&granted, wanted), expected, "{granted:?} {wanted}");
        }
    }

    /// What is granted, what is wanted, and the namespaces of that; none of them are all.
    type Case = (&'static [&'static str], Permission, Option<&'static [&'static str]>);

    #[test]
    fn a_namespace_narrows_what_is_allowed() {
        let cases: [Case; 16] = [
            (&["catalog:read@acme-prod"], CATALOG_READ, Some(&["acme-prod"])),
            (&["catalog:admin@acme-prod"], CATALOG_READ, Some(&["acme-prod"])),
            (&["catalog:read@b", "catalog:read@a", "catalog:read@b"], CATALOG_READ, Some(&["a", "b"])),
            (&["catalog:read@a", "audit:read"], CATALOG_READ, Some(&["a"])),
            (&["catalog:read@a", "catalog:admin"], CATALOG_READ, Some(&[])),
            (&["catalog:write@a"], CATALOG_READ, None),
            (&["catalog:read@a"], AUDIT_READ, None),
            (&["audit:read@a"], AUDIT_READ, None),
            (&["dead-letters:admin@a"], DEAD_LETTERS_READ, None),
            (&["catalog:read@"], CATALOG_READ, None),
            (&["catalog:read@*"], CATALOG_READ, None),
            (&["catalog:read@A"], CATALOG_READ, None),
            (&["catalog:read@a@b"], CATALOG_READ, None),
            (&["catalog:read@-a"], CATALOG_READ, None),
            (&["catalog:read@a/b"], CATALOG_READ, None),
            (&["@a", "catalog@a", "catalog:read @a"], CATALOG_READ, None),
        ];
        for (granted, wanted, expected) in cases {
            let granted: Vec<String> = granted.iter().map(|name| (*name).to_owned()).collect();
            let expected = expected.map(|namespaces| match namespaces {
                [] => Scope::All,
                names => Scope::Namespaces(names.iter().map(|name| (*name).to_owned()).collect()),
            });
            assert_eq!(allowed(&granted, wanted), expected, "{granted:?}");
        }
    }

    #[test]
    fn a_scope_shows_whole_namespaces_only() {
        let scope = Scope::Namespaces(BTreeSet::from(["acme".to_owned()]));
        for (entity, shown) in [
            ("resource:acme/a", true),
            ("resource:acme-prod/a", false),
            ("resource:acm/a", false),
            ("resource:b/acme", false),
            ("acme:b/acme", false),
        ] {
            let entity = EntityRef::parse(entity).unwrap();
            assert_eq!((scope.shows(&entity), Scope::All.shows(&entity)), (shown, true), "{entity:?}");
        }
    }
}
