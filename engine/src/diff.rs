//! What changed between the catalog and what a state says now: digests in, upserts and removals out.
//!
//! Must never compare bodies or trust the order of what a database hands over (its collation is not byte order).

use std::cmp::Ordering;

use terrasift_schemas::{EntityRef, Sanitized, catalog::RenderedEntity};

use crate::refusal::{Refusal, RefusalKind};

/// The change of one workspace's entities. Upserts and removals are in the byte order of their references.
#[derive(Debug, Default)]
pub struct Delta {
    /// Entities that are new or whose digest differs.
    pub upserts: Vec<Sanitized<RenderedEntity>>,
    /// References that the catalog has and the state no longer has.
    pub removals: Vec<EntityRef>,
    /// Entities that are as they were.
    pub unchanged: usize,
}

/// Compares the catalog's references and digests with the entities of now, in any order.
///
/// # Errors
/// [`RefusalKind::DuplicateMember`] when `now` holds one reference twice: publishing either would be a guess.
pub fn diff(
    known: &[(EntityRef, [u8; 32])],
    mut now: Vec<Sanitized<RenderedEntity>>,
) -> Result<Delta, Refusal> {
    now.sort_unstable_by(|a, b| a.get().entity_ref.cmp(&b.get().entity_ref));
    if now.windows(2).any(|pair| pair[0].get().entity_ref == pair[1].get().entity_ref) {
        return Err(Refusal {
            kind: RefusalKind::DuplicateMember,
            offset: 0,
            detail: "two entities have one reference; look for a resource instance that stands twice in the state",
        });
    }
    let mut known: Vec<&(EntityRef, [u8; 32])> = known.iter().collect();
    known.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    known.dedup_by(|a, b| a.0 == b.0);

    let mut delta = Delta::default();
    let mut old = known.into_iter().peekable();
    for entity in now {
        while let Some((gone, _)) = old.next_if(|(name, _)| *name < entity.get().entity_ref) {
            delta.removals.push(gone.clone());
        }
        let same = old.next_if(|(name, _)| name.cmp(&entity.get().entity_ref) == Ordering::Equal);
        if same.is_some_and(|(_, digest)| *digest == entity.get().digest) {
            delta.unchanged += 1;
        } else {
            delta.upserts.push(entity);
        }
    }
    delta.removals.extend(old.map(|(gone, _)| gone.clone()));
    Ok(delta)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    fn reference(n: u8) -> EntityRef {
        EntityRef::parse(&format!("resource:acme/r{n}")).expect("a reference")
    }

    fn entity(n: u8, digest: u8) -> Sanitized<RenderedEntity> {
        crate::seal::seal(RenderedEntity {
            entity_ref: reference(n),
            kind: "Resource".to_owned(),
            resource_type: None,
            body: vec![digest],
            digest: [digest; 32],
        })
    }

    #[test]
    fn a_reference_that_stands_twice_is_refused() {
        let refusal = diff(&[], vec![entity(1, 1), entity(2, 1), entity(1, 2)]).expect_err("refused");
        assert_eq!(refusal.kind, RefusalKind::DuplicateMember);
    }

    proptest! {
        #[test]
        fn agrees_with_two_hash_maps(
            known in proptest::collection::vec((0..40_u8, 0..3_u8), 0..40),
            now in proptest::collection::hash_map(0..40_u8, 0..3_u8, 0..40),
        ) {
            let old: HashMap<u8, u8> = known.iter().copied().collect();
            let known: Vec<_> = old.iter().map(|(n, digest)| (reference(*n), [*digest; 32])).collect();
            let delta = diff(&known, now.iter().map(|(n, digest)| entity(*n, *digest)).collect()).expect("a delta");
            let upserts: HashSet<EntityRef> = delta.upserts.iter().map(|e| e.get().entity_ref.clone()).collect();
            let changed = now.iter().filter(|(n, digest)| old.get(n) != Some(digest));
            prop_assert_eq!(upserts, changed.map(|(n, _)| reference(*n)).collect());
            let gone = old.keys().filter(|n| !now.contains_key(n)).map(|n| reference(*n));
            prop_assert_eq!(delta.removals.iter().cloned().collect::<HashSet<_>>(), gone.collect());
            prop_assert_eq!(delta.unchanged + delta.upserts.len(), now.len());
            prop_assert!(delta.removals.is_sorted());
            prop_assert!(delta.upserts.is_sorted_by(|a, b| a.get().entity_ref < b.get().entity_ref));
        }
    }
}
