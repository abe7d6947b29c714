//! Where a step of a trail (`trail.rs`) stands: the containers that are open, and what is said of their values from above.
//!
//! Knows keys by what they say only. Must never be the same for two places at which one key could mean different things.

use super::schema_marks::Mark;
use crate::detect::KeyVerdict;

/// Containers that are open at once, at most. Real states stay below 40.
const LEVELS_MAX: u32 = 63;

/// The containers that are open: the innermost one, and the place that it stands at.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) parent: u32,
    pub(super) object: bool,
    pub(super) depth: u32,
    /// What is said of its values from above.
    pub(super) verdict: KeyVerdict,
    /// What a schema says of it; among an instance's members, of its attributes.
    pub(super) mark: Mark,
    /// The last place that was found in this one, and the one that was found before it in the same one; 0: none.
    inner: u32,
    beside: u32,
}

/// Before an instance, or behind it; its members come right behind it.
pub(super) const OUTSIDE: u32 = 0;
/// Before a resource.
pub(super) const BEFORE: u32 = 2;
/// Among its members; it is left where its instances begin.
pub(super) const HEADER: u32 = 3;

/// All that are known. Numbers are places.
#[derive(Default)]
pub(super) struct Places {
    list: Vec<Place>,
    /// So many are known at most.
    max: usize,
}

impl Places {
    /// Forgets all but those that every trail begins with.
    pub(super) fn begin(&mut self) {
        self.list.clear();
        let outside = Place {
            parent: OUTSIDE,
            object: false,
            depth: 0,
            verdict: KeyVerdict::Plain,
            mark: Mark::None,
            inner: 0,
            beside: 0,
        };
        self.list.push(outside);
        self.list.push(Place { object: true, depth: 1, ..outside });
        self.list.push(Place { parent: BEFORE, ..outside });
        self.list.push(Place { parent: BEFORE, object: true, depth: 1, ..outside });
    }

    /// Takes room for so many.
    pub(super) fn reserve(&mut self, max: usize) {
        (self.list, self.max) = (Vec::with_capacity(max), max);
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.list.capacity() * size_of::<Place>()
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> &Place {
        &self.list[index(place)]
    }

    /// Another place before an instance, whose attributes have a mark; its members come right behind it.
    pub(super) fn instance(&mut self, mark: Mark) -> Option<u32> {
        if self.list.len() + 2 > self.max {
            return None;
        }
        let outside = small(self.list.len());
        let before = Place { parent: outside, inner: 0, ..*self.get(OUTSIDE) };
        self.list.push(before);
        self.list.push(Place { object: true, depth: 1, mark, ..before });
        Some(outside)
    }

    /// Whether this is a place before an instance, or behind it.
    pub(super) fn is_outside(&self, place: u32) -> bool {
        place != BEFORE && self.get(place).depth == 0
    }

    /// Whether it is one among the members of an instance.
    pub(super) fn is_members(&self, place: u32) -> bool {
        place != HEADER && self.get(place).depth == 1
    }

    /// The place within a container that opens.
    pub(super) fn enter(
        &mut self,
        parent: u32,
        object: bool,
        verdict: KeyVerdict,
        mark: Mark,
    ) -> Option<u32> {
        let Place { depth, inner, .. } = *self.get(parent);
        let depth = depth + 1;
        let mut known = inner;
        while known != 0 {
            let place = self.get(known);
            if place.object == object && place.verdict == verdict && place.mark == mark {
                return Some(known);
            }
            known = place.beside;
        }
        if depth > LEVELS_MAX || self.list.len() == self.max {
            return None;
        }
        let place = small(self.list.len());
        self.list.push(Place { parent, object, depth, verdict, mark, inner: 0, beside: inner });
        self.list[index(parent)].inner = place;
        Some(place)
    }
}

pub(super) fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[inline]
#[expect(clippy::as_conversions, reason = "hot path: u32 fits usize on every target that runs this")]
pub(super) fn index(n: u32) -> usize {
    n as usize
}
