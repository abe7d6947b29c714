//! What binds an entry to what it is, whose, and how new: an HMAC over all of it.
//!
//! A store that lies (another tenant's bytes, a flipped bit, an entry of before) can make an entry be thrown away and nothing else. Must
//! never take apart what was not proven.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::port::EntryName;
use super::read_through::{Fresh, Thing};

/// Begins each entry, and is part of each name: entries of another format are under other names.
const FORMAT: u8 = 1;
const TAG_BYTES: usize = 32;
const FRESH_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + TAG_BYTES + FRESH_BYTES;

/// Makes and opens entries. No Debug: it holds a key.
pub(super) struct Seal {
    key: [u8; 32],
}

impl Seal {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Under what name a thing is kept.
    pub(super) fn name(&self, thing: &Thing) -> EntryName {
        self.mac("name", thing).finalize().into_bytes().into()
    }

    /// Format, tag, how new it is, and the bytes themselves.
    pub(super) fn seal(&self, thing: &Thing, fresh: Fresh, payload: &[u8]) -> Vec<u8> {
        let mut mac = self.mac("entry", thing);
        let fresh = fresh_bytes(fresh);
        mac.update(&fresh);
        mac.update(payload);
        let mut entry = Vec::with_capacity(HEAD_BYTES + payload.len());
        entry.push(FORMAT);
        entry.extend(mac.finalize().into_bytes());
        entry.extend(fresh);
        entry.extend(payload);
        entry
    }

    /// What was sealed for this thing, and how new it was; `None` for everything else.
    pub(super) fn open<'e>(&self, thing: &Thing, entry: &'e [u8]) -> Option<(Fresh, &'e [u8])> {
        let (&format, rest) = entry.split_first()?;
        let (tag, rest) = rest.split_at_checked(TAG_BYTES)?;
        let (fresh, payload) = rest.split_at_checked(FRESH_BYTES)?;
        let mut mac = self.mac("entry", thing);
        mac.update(fresh);
        mac.update(payload);
        mac.verify_slice(tag).ok().filter(|()| format == FORMAT)?;
        let (epoch, seq) = fresh.split_at_checked(FRESH_BYTES / 2)?;
        let number = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes).ok();
        Some((Fresh { epoch: number(epoch)?, seq: number(seq)? }, payload))
    }

    /// Over purpose and thing, each part with its length before it: nothing can move from one to the next.
    fn mac(&self, purpose: &str, thing: &Thing) -> Hmac<Sha256> {
        // INVARIANT: HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length");
        mac.update(&[FORMAT]);
        for part in [purpose, thing.kind, thing.tenant.as_str(), &thing.name] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

fn fresh_bytes(fresh: Fresh) -> [u8; FRESH_BYTES] {
    let mut bytes = [0; FRESH_BYTES];
    bytes[..8].copy_from_slice(&fresh.epoch.to_be_bytes());
    bytes[8..].copy_from_slice(&fresh.seq.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use terrasift_schemas::TenantId;

    use super::super::read_through::Ttl;
    use super::*;

    fn thing(tenant: &str, kind: &'static str, name: &str) -> Thing {
        let tenant = TenantId::parse(tenant).unwrap();
        Thing { tenant, kind, name: name.to_owned(), ttl: Ttl::Entity }
    }

    #[test]
    fn an_entry_opens_as_what_it_was_sealed_for_and_as_nothing_else() {
        let (seal, fresh) = (Seal::new([7; 32]), Fresh { epoch: 3, seq: 9 });
        let own = thing("org-acme", "entity", "resource:acme/a");
        let entry = seal.seal(&own, fresh, b"payload");
        assert_eq!(seal.open(&own, &entry), Some((fresh, &b"payload"[..])));
        for other in [
            thing("org-beta", "entity", "resource:acme/a"),
            thing("org-acme", "workspace", "resource:acme/a"),
            thing("org-acme", "entity", "resource:acme/b"),
            thing("org-acme", "entityr", "esource:acme/a"),
        ] {
            assert_eq!(seal.open(&other, &entry), None, "{}", other.name);
            assert_ne!(seal.name(&other), seal.name(&own));
        }
        assert_eq!(Seal::new([8; 32]).open(&own, &entry), None, "another key");
        for cut in 0..entry.len() {
            assert_eq!(seal.open(&own, &entry[..cut]), None, "cut at {cut}");
        }
        for bit in 0..entry.len() * 8 {
            let mut flipped = entry.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.open(&own, &flipped), None, "bit {bit}");
        }
        assert_eq!(seal.open(&own, &[&entry[..], b"x"].concat()), None, "longer");
    }

    #[test]
    fn names_and_entries_show_nothing_of_a_name() {
        let seal = Seal::new([7; 32]);
        let own = thing("org-acme", "entity", "resource:acme/a");
        assert_ne!(Seal::new([8; 32]).name(&own), seal.name(&own), "keyed");
        assert_ne!(&seal.name(&own)[..], &seal.seal(&own, Fresh { epoch: 0, seq: 0 }, b"")[1..33]);
    }
}
