//! The feed's cursor: opaque to clients, bound to tenant, feed epoch and filter, and authenticated.
//!
//! Must never hold a name or a value, and never differ for the same position (pages have entity tags).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use terrasift_schemas::TenantId;

use crate::access::Scope;
use crate::mac::hmac_sha256;

const VERSION: u8 = 1;
const PAYLOAD_BYTES: usize = 1 + 8 + 8 + 8 + 8 + 8;
/// 128 bits of an HMAC-SHA-256: truncation to half is what RFC 2104 allows.
const TAG_BYTES: usize = 16;
const TEXT_BYTES: usize = (PAYLOAD_BYTES + TAG_BYTES) / 3 * 4;

/// A list and its filter, as 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterHash([u8; 8]);

impl FilterHash {
    /// Hash of a list's name and the kind that it is narrowed to.
    #[must_use]
    pub fn of(list: &str, kind: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        hash.update(list.as_bytes());
        hash.update([0, u8::from(kind.is_some())]);
        hash.update(kind.unwrap_or_default().as_bytes());
        Self(first_8(&hash.finalize()))
    }

    /// The same list for who may see this much of it. A reader who may see more, or less, than before begins anew: what was
    /// passed over while it was not shown would be missed for ever.
    pub(crate) fn within(self, scope: &Scope) -> Self {
        let Scope::Namespaces(namespaces) = scope else { return self };
        let mut hash = Sha256::new();
        hash.update(self.0);
        for namespace in namespaces {
            hash.update(namespace.as_bytes());
            hash.update([0]);
        }
        Self(first_8(&hash.finalize()))
    }
}

/// A position in a tenant's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Generation of the feed; positions of another generation mean nothing.
    pub epoch: i64,
    /// Everything up to here was delivered; not negative.
    pub seq: i64,
    /// Head of the feed when reading began: up to here tombstones say nothing new. Not negative.
    pub snapshot_until: i64,
}

/// Why a cursor is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorFault {
    /// Not issued here: cut, changed, forged, or of a version that is no more.
    Invalid,
    /// Issued here, to another tenant.
    OtherTenant,
    /// Issued here to this tenant, for another list or filter.
    OtherFilter,
}

/// The key that authenticates cursors. The same on all replicas.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl CursorKey {
    /// 32 secret bytes.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Writes a cursor: 76 characters of unpadded base64url.
    #[must_use]
    pub fn seal(&self, tenant: &TenantId, filter: FilterHash, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(PAYLOAD_BYTES + TAG_BYTES);
        bytes.push(VERSION);
        bytes.extend(self.tenant_hash(tenant));
        bytes.extend(cursor.epoch.to_be_bytes());
        bytes.extend(filter.0);
        bytes.extend(cursor.seq.to_be_bytes());
        bytes.extend(cursor.snapshot_until.to_be_bytes());
        let tag = self.tag(&bytes);
        bytes.extend(tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that [`CursorKey::seal`] wrote.
    ///
    /// # Errors
    /// [`CursorFault`]; the tag is checked before anything else is believed.
    pub fn open(&self, tenant: &TenantId, filter: FilterHash, text: &str) -> Result<Cursor, CursorFault> {
        if text.len() != TEXT_BYTES {
            return Err(CursorFault::Invalid);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorFault::Invalid)?;
        let (payload, tag) = bytes.split_at_checked(PAYLOAD_BYTES).ok_or(CursorFault::Invalid)?;
        if !bool::from(self.tag(payload).ct_eq(tag)) {
            return Err(CursorFault::Invalid);
        }
        let mut fields = payload.get(1..).unwrap_or_default().chunks_exact(8).map(first_8);
        let mut field = || fields.next().unwrap_or_default();
        let (owner, epoch, written_for) = (field(), i64::from_be_bytes(field()), FilterHash(field()));
        let (seq, snapshot_until) = (i64::from_be_bytes(field()), i64::from_be_bytes(field()));
        if payload.first() != Some(&VERSION) || seq < 0 || snapshot_until < 0 {
            return Err(CursorFault::Invalid);
        }
        if owner != self.tenant_hash(tenant) {
            return Err(CursorFault::OtherTenant);
        }
        if written_for != filter {
            return Err(CursorFault::OtherFilter);
        }
        Ok(Cursor { epoch, seq, snapshot_until })
    }

    /// Keyed, so that a cursor does not tell its tenant to whoever can guess ids.
    fn tenant_hash(&self, tenant: &TenantId) -> [u8; 8] {
        first_8(&hmac_sha256(&self.0, b"tenant", tenant.as_str().as_bytes()))
    }

    fn tag(&self, payload: &[u8]) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        tag.copy_from_slice(&hmac_sha256(&self.0, b"cursor", payload)[..TAG_BYTES]);
        tag
    }
}

fn first_8(bytes: &[u8]) -> [u8; 8] {
    let mut out = [0; 8];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Cursor = Cursor { epoch: 3, seq: 41, snapshot_until: 99 };

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).unwrap()
    }

    fn sealed() -> String {
        CursorKey::new([7; 32]).seal(&tenant("acme"), FilterHash::of("changes", None), &AT)
    }

    fn check(
        name: &str,
        key: u8,
        owner: &str,
        filter: FilterHash,
        text: &str,
        expected: Result<Cursor, CursorFault>,
    ) {
        assert_eq!(CursorKey::new([key; 32]).open(&tenant(owner), filter, text), expected, "{name}");
    }

    #[test]
    fn a_cursor_opens_only_whole_and_for_its_tenant_and_filter() {
        let all = FilterHash::of("changes", None);
        let good = sealed();
        let invalid = Err(CursorFault::Invalid);
        check("as issued", 7, "acme", all, &good, Ok(AT));
        check("another key", 8, "acme", all, &good, invalid);
        check("another tenant", 7, "globex", all, &good, Err(CursorFault::OtherTenant));
        check(
            "another tenant and filter",
            7,
            "globex",
            FilterHash::of("x", None),
            &good,
            Err(CursorFault::OtherTenant),
        );
        check(
            "another list",
            7,
            "acme",
            FilterHash::of("entities", None),
            &good,
            Err(CursorFault::OtherFilter),
        );
        check(
            "a kind",
            7,
            "acme",
            FilterHash::of("changes", Some("Resource")),
            &good,
            Err(CursorFault::OtherFilter),
        );
        check(
            "an empty kind",
            7,
            "acme",
            FilterHash::of("changes", Some("")),
            &good,
            Err(CursorFault::OtherFilter),
        );
        for (name, text) in [
            ("empty", String::new()),
            ("one short", good[1..].to_owned()),
            ("one more", format!("{good}A")),
            ("padded", format!("{good}==")),
            ("doubled", good.repeat(2)),
            ("standard alphabet", "+/".repeat(38)),
            ("all zero", "A".repeat(TEXT_BYTES)),
            ("spaces", " ".repeat(TEXT_BYTES)),
            ("not ascii", "ü".repeat(TEXT_BYTES / 2)),
            ("nul", "\0".repeat(TEXT_BYTES)),
            ("upper case", good.to_uppercase()),
            ("a number", "41".into()),
            ("huge", "A".repeat(1 << 20)),
        ] {
            check(name, 7, "acme", all, &text, invalid);
        }
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let good = sealed();
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(bytes).unwrap();
            check("changed", 7, "acme", FilterHash::of("changes", None), &text, Err(CursorFault::Invalid));
        }
    }

    #[test]
    fn a_signed_cursor_with_impossible_fields_is_invalid() {
        let all = FilterHash::of("changes", None);
        for cursor in [Cursor { seq: -1, ..AT }, Cursor { snapshot_until: i64::MIN, ..AT }] {
            let text = CursorKey::new([7; 32]).seal(&tenant("acme"), all, &cursor);
            check("negative", 7, "acme", all, &text, Err(CursorFault::Invalid));
        }
        let extreme = Cursor { epoch: i64::MIN, seq: i64::MAX, snapshot_until: i64::MAX };
        let text = CursorKey::new([7; 32]).seal(&tenant("acme"), all, &extreme);
        check("extreme", 7, "acme", all, &text, Ok(extreme));
    }

    #[test]
    fn a_cursor_is_the_same_each_time_and_is_safe_in_a_url() {
        assert_eq!(sealed(), sealed());
        assert_eq!(sealed().len(), TEXT_BYTES);
        assert!(sealed().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }
}
