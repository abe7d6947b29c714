//! Keyed identities: what tells two raw addresses apart after their texts are redacted.
//!
//! HMAC-SHA-256 under a key of the tenant that never rotates (a rotation would delete and recreate the catalog).
//! Must never keep, log or return a raw text: text in, fingerprint out.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use terrasift_schemas::WorkspaceId;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A tenant's identity key, or a workspace's key derived from it. No Debug; wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct IdentityKey([u8; 32]);

/// A keyed fingerprint of an address: 128 bits of an HMAC. Says nothing without the key, so it may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u8; 16]);

impl IdentityKey {
    /// Takes the 32 bytes of the key; the caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of one workspace: entities of two workspaces never share an identity.
    #[must_use]
    pub fn for_workspace(&self, workspace: &WorkspaceId) -> Self {
        Self(self.tag(b"terrasift/workspace-key/1", &[workspace.as_str().as_bytes()]))
    }

    /// Identity of a resource block by its raw (decoded, unredacted) address; `module` is empty in the root module.
    #[must_use]
    pub fn resource(&self, module: &str, mode: &str, rtype: &str, name: &str) -> Identity {
        let fields = [module.as_bytes(), mode.as_bytes(), rtype.as_bytes(), name.as_bytes()];
        self.identity(b"terrasift/resource/1", &fields)
    }

    /// Identity of an instance within its resource.
    ///
    /// `raw_index_key` is the JSON token as it stands (`0` and `"0"` differ); escapes do not matter, so a state that
    /// another tool re-encoded keeps its identities.
    #[must_use]
    pub fn instance(&self, raw_index_key: Option<&[u8]>, deposed: Option<&str>) -> Identity {
        let mut decoded = None;
        let (tag, key): (&[u8], &[u8]) = match raw_index_key {
            None => (b"none", b""),
            Some(raw) if raw.first() == Some(&b'"') => {
                decoded = serde_json::from_slice::<String>(raw).ok();
                decoded
                    .as_ref()
                    .map_or((b"raw".as_slice(), raw), |text| (b"text".as_slice(), text.as_bytes()))
            }
            Some(raw) => (b"raw", raw),
        };
        let deposed_tag: &[u8] = if deposed.is_some() { b"deposed" } else { b"" };
        let fields = [tag, key, deposed_tag, deposed.unwrap_or_default().as_bytes()];
        let identity = self.identity(b"terrasift/instance/1", &fields);
        decoded.zeroize();
        identity
    }

    /// Fingerprint of the raw lineage.
    #[must_use]
    pub fn lineage(&self, raw: &str) -> [u8; 16] {
        self.identity(b"terrasift/lineage/1", &[raw.as_bytes()]).0
    }

    /// Identity of the workspace's own entity, under a key from [`Self::for_workspace`].
    #[must_use]
    pub(crate) fn workspace_entity(&self) -> Identity {
        self.identity(b"terrasift/workspace-entity/1", &[])
    }

    /// Identity of a resource instance's entity, under a key from [`Self::for_workspace`].
    #[must_use]
    pub(crate) fn entity(&self, resource: Identity, instance: Identity) -> Identity {
        self.identity(b"terrasift/entity/1", &[&resource.0, &instance.0])
    }

    fn identity(&self, domain: &[u8], fields: &[&[u8]]) -> Identity {
        let tag = self.tag(domain, fields);
        let mut short = [0; 16];
        short.copy_from_slice(&tag[..16]);
        Identity(short)
    }

    /// HMAC over the domain and the fields, each with its length before it, so that no two inputs run together.
    fn tag(&self, domain: &[u8], fields: &[&[u8]]) -> [u8; 32] {
        // INVARIANT: HMAC takes a key of any length (RFC 2104), so this cannot fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("hmac takes any key");
        for part in std::iter::once(&domain).chain(fields) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn different_addresses_have_different_identities_and_equal_ones_equal() {
        let key = IdentityKey::new([1; 32]);
        let blocks = [
            ("", "managed", "aws_vpc", "main"),
            ("", "data", "aws_vpc", "main"),
            ("", "managed", "aws_vpc", "Main"),
            ("module.a", "managed", "aws_vpc", "main"),
            ("", "managed", "aws_vpcm", "ain"),
            ("managed", "", "aws_vpc", "main"),
        ];
        let ids: HashSet<Identity> = blocks.iter().map(|(m, o, t, n)| key.resource(m, o, t, n)).collect();
        assert_eq!(ids.len(), blocks.len());
        let instances: [(Option<&[u8]>, Option<&str>); 7] = [
            (None, None),
            (None, Some("00000001")),
            (Some(b"0"), None),
            (Some(br#""0""#), None),
            (Some(br#""""#), None),
            (Some(br#""a&b""#), None),
            (Some(br#""a&b""#), Some("00000001")),
        ];
        let ids: HashSet<Identity> = instances.iter().map(|(k, d)| key.instance(*k, *d)).collect();
        assert_eq!(ids.len(), instances.len());
        assert_eq!(key.instance(Some(br#""a&b""#), None), key.instance(Some(br#""a\u0026b""#), None));
    }

    #[test]
    fn keys_and_domains_separate_identities() {
        let (a, b) = (IdentityKey::new([1; 32]), IdentityKey::new([2; 32]));
        let workspace = |id: &str| WorkspaceId::parse(id).expect("a workspace id");
        assert_ne!(a.lineage("x"), b.lineage("x"));
        assert_eq!(a.lineage("x"), a.lineage("x"));
        let id = a.resource("", "managed", "t", "n");
        let (one, two) = (a.for_workspace(&workspace("ws-1")), a.for_workspace(&workspace("ws-2")));
        assert_ne!(one.entity(id, id), two.entity(id, id));
        assert_ne!(one.workspace_entity(), two.workspace_entity());
    }
}
