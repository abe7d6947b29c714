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
