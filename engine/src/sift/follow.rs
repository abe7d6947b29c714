//! Follows an instance along the trails of others (`trail.rs`), by its bytes: nothing is indexed for it.
//!
//! Owns no decision: an instance that is followed to its end is one of which the walk (`walk.rs`) would say the same, and
//! whatever else is met on the way leaves it to the walk. So nothing may be noted before the end. In the first of two passes
//! only: elsewhere bytes are written, or copies are looked for.

use super::between::{Found, Top, structure};
use super::keys::decide;
use super::leaves::End;
use super::places::{BEFORE, HEADER};
use super::roles::{Member, Role};
use super::schema_marks::Mark;
use super::trail::{LOST, Leaf, NAMELESS, Naming, RESOURCE, Stop, Taking, Trip};
use super::walk::Walk;
use crate::detect::{KeyVerdict, Kin, PairPart};
use crate::scan::closing_quote;

/// Longer instances are left to the walk.
const INSTANCE_BYTES_MAX: usize = 1 << 20;

/// Deeper objects do not ask: so no more is looked at for all answers of an instance than the walk may look at
/// (`siblings.rs`).
const ASKING_DEPTH_MAX: u32 = 16;

/// The member that ends the header of a resource.
const INSTANCES: &str = "instances";

/// What was followed to its end.
pub(super) struct Followed {
    /// One past its last byte.
    pub(super) end: usize,
    /// Bits of the members that it has ([`Role::once`]).
    pub(super) seen: u32,
}

/// A step in the making.
struct Making {
    place: u32,
    once: u32,
    /// Of the value that is next.
    leaf: Leaf,
    /// What the schema says of that value.
    mark: Mark,
    marks: Marks,
    /// No container may stand behind this key.
    flat: bool,
    /// The instances of a resource stand behind it.
    instances: bool,
    naming: Naming,
    names: bool,
}

/// How far an instance's marks were read, of which there must be none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// Not under way.
    No,
    /// Their list has to open.
    Open,
    /// And to end at once.
    Close,
}

impl Walk {
    /// Follows the instance with which the bytes begin.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<Followed> {
        self.trails.begin();
        let start = self.trails.root(self.of_schema)?;
        self.follow_from(start, bytes)
    }

    /// Follows the resource with which the bytes begin, to where its instances do.
    pub(super) fn follow_header(&mut self, bytes: &[u8]) -> Option<Followed> {
        self.trails.begin();
        self.follow_from(RESOURCE, bytes)
    }

    fn follow_from(&mut self, start: u32, bytes: &[u8]) -> Option<Followed> {
        self.pending.clear();
        let mut trip = Trip::new(start);
        while trip.at < INSTANCE_BYTES_MAX {
            match self.trails.run(&mut trip, bytes)? {
                Stop::End => return Some(Followed { end: trip.at, seen: trip.seen }),
                Stop::Turn => {
                    let behind = self.turn(trip.step, &bytes[trip.at..])?;
                    self.trails.follows(trip.step, behind);
                }
                Stop::Leaf => {
                    let leaf = self.trails.leaf(trip.step);
                    if self.is_telling_flag(trip.step, &bytes[trip.at..]) {
                        return None;
                    }
                    let end = match leaf {
                        Leaf::Asks(own, above) => {
                            let verdict = self.told(bytes, &mut trip, own)?.under(above);
                            // Another name may say something else of the same leaf.
                            End { quiet: false, ..self.leaf(bytes, trip.at, Leaf::Data(verdict))? }
                        }
                        leaf => self.leaf(bytes, trip.at, leaf)?,
                    };
                    self.trails.keep(trip.step, &bytes[trip.at..end.at], end.quiet);
                    trip.at = end.at;
                }
            }
        }
        None
    }

    /// An element of a list that tells what the next one is: the walk knows.
    fn is_telling_flag(&self, step: u32, leaf: &[u8]) -> bool {
        leaf.starts_with(b"\"-")
            && !self.trails.places.get(self.trails.place_behind(step)).object
            && closing_quote(leaf, 1).is_some_and(|closed| {
                let text = std::str::from_utf8(&leaf[1..closed.end]);
                closed.escaped || text.is_ok_and(|text| self.rules.told_by_flag(text).is_some())
            })
    }

    /// What the name of the object at hand says of the value that asks for it. `None`: that is not known.
    fn told(&mut self, bytes: &[u8], trip: &mut Trip, own: KeyVerdict) -> Option<KeyVerdict> {
        let mut told = None;
        match trip.name {
            LOST => return None,
            NAMELESS => {}
            name if bytes.get(name) == Some(&b'"') => {
                let closed = closing_quote(bytes, name + 1).filter(|closed| !closed.escaped)?;
                let text = std::str::from_utf8(&bytes[name + 1..closed.end]).ok()?;
                told = self.rules.told_by_name(text, &mut self.scratch);
            }
            // What is no text tells nothing.
            _ => {}
        }
        if told.is_none() {
            trip.unanswered |= 1 << self.trails.places.get(self.trails.place_behind(trip.step)).depth;
        }
        Some(own.answered(told))
    }

    /// The step behind this one, which is not the expected one.
    fn turn(&mut self, step: u32, rest: &[u8]) -> Option<u32> {
        if let Some(other) = self.trails.other(step, rest) {
            return Some(other);
        }
        let from = self.trails.place_behind(step);
        let len = self.extent(rest, from)?;
        match self.trails.find(from, &rest[..len]) {
            Some(found) => Some(found),
            None => self.make(&rest[..len], from),
        }
    }

    /// How long what stands between two leaves is.
    fn extent(&self, bytes: &[u8], from: u32) -> Option<usize> {
        let (mut place, mut opened, mut depth) = (from, 0u64, 0u32);
        let mut instances = false;
        structure(bytes, self.top(from), |found| {
            match found {
                Found::Open { object: false } if instances => return Some(Top::None),
                Found::Open { .. } if place == BEFORE => place = HEADER,
                Found::Open { object } => {
                    opened = opened << 1 | u64::from(object);
                    depth += 1;
                }
                Found::Close if depth > 0 => {
                    opened >>= 1;
                    depth -= 1;
                }
                Found::Close => place = self.trails.places.get(place).parent,
                Found::Key(from, to) => {
                    instances = place == HEADER && depth == 0 && bytes[from..to] == *INSTANCES.as_bytes();
                }
            }
            match depth {
                0 => Some(self.top(place)),
                64.. => None,
                _ if opened & 1 == 1 => Some(Top::Object),
                _ => Some(Top::Array),
            }
        })
    }

    fn top(&self, place: u32) -> Top {
        match place {
            BEFORE => Top::None,
            place if self.trails.places.is_outside(place) => Top::None,
            place if self.trails.places.get(place).object => Top::Object,
            _ => Top::Array,
        }
    }

    /// A step that was not taken before.
    fn make(&mut self, glue: &[u8], from: u32) -> Option<u32> {
        let place = self.trails.places.get(from);
        let mut making = Making {
            place: from,
            once: 0,
            leaf: Leaf::Data(place.verdict),
            mark: place.mark,
            marks: Marks::No,
            flat: false,
            instances: false,
            naming: Naming::Keep,
            names: false,
        };
        // What stands between leaves may end behind a key, and then what `structure` wants is not there: a leaf.
        let mut padded = glue.to_vec();
        padded.push(b'0');
        structure(&padded, self.top(from), |found| {
            self.found(&padded, &found, &mut making)?;
            Some(if matches!(making.leaf, Leaf::End) { Top::None } else { self.top(making.place) })
        })?;
        // A header that ends before its instances has none: the walk knows what to do.
        if making.marks != Marks::No || making.place == BEFORE || making.instances && making.leaf != Leaf::End
        {
            return None;
        }
        let leaf = match making.leaf {
            _ if self.trails.places.is_outside(making.place) => Leaf::End,
            // A path that leads further down than the value goes marks all of it.
            Leaf::Data(_) | Leaf::Asks(..) if making.mark != Mark::None => Leaf::Marked,
            leaf => leaf,
        };
        let Making { place: to, once, naming, names, .. } = making;
        self.trails.take(glue, Taking { from, to, once, leaf, naming, names })
    }

    fn found(&mut self, glue: &[u8], found: &Found, making: &mut Making) -> Option<()> {
        if !matches!(found, Found::Key(..)) {
            let fresh = matches!(found, Found::Open { object: true });
            making.naming = if fresh { Naming::Fresh } else { Naming::Lost };
            making.names = false;
        }
        match *found {
            Found::Open { object }
                if making.place == BEFORE || self.trails.places.is_outside(making.place) =>
            {
                making.place += 1;
                object.then_some(())
            }
            Found::Open { object } if making.instances => {
                making.leaf = Leaf::End;
                (!object).then_some(())
            }
            Found::Open { object } => {
                let Leaf::Data(verdict) = making.leaf else { return None };
                if making.flat || making.marks == Marks::Close || making.marks == Marks::Open && object {
                    return None;
                }
                if making.marks == Marks::Open {
                    making.marks = Marks::Close;
                }
                if !object {
                    making.mark = making.mark.element();
                }
                making.place = self.trails.places.enter(making.place, object, verdict, making.mark)?;
                Some(())
            }
            Found::Close => {
                making.marks = Marks::No;
                making.place = self.trails.places.get(making.place).parent;
                let place = self.trails.places.get(making.place);
                (making.leaf, making.mark) = (Leaf::Data(place.verdict), place.mark);
                Some(())
            }
            Found::Key(..) if making.marks != Marks::No => None,
            Found::Key(from, to) => self.found_key(std::str::from_utf8(&glue[from..to]).ok()?, making),
        }
    }

    /// A key that is no data itself and asks nobody.
    fn found_key(&mut self, key: &str, making: &mut Making) -> Option<()> {
        let Self { memo, rules, scratch, hits, .. } = self;
        let (facts, _) = memo.look_up(key.as_bytes(), || decide(rules, key, true, scratch, hits));
        if facts.found || facts.named {
            return None;
        }
        making.flat = false;
        if making.place == HEADER {
            let role = Role::Resource.of_key(key);
            let twice = making.once & role.once() != 0;
            making.once |= role.once();
            making.leaf = Leaf::Data(KeyVerdict::Plain);
            making.instances = key == INSTANCES;
            return (!twice).then_some(());
        }
        let place = self.trails.places.get(making.place);
        let (above, mark, members) = (place.verdict, place.mark, self.trails.places.is_members(making.place));
        making.mark = if members { Mark::None } else { mark.member(key)? };
        making.leaf = match facts.verdict.kin() {
            None => Leaf::Data(facts.verdict.under(above)),
            // Nobody is asked about what goes anyway.
            Some(_) if making.mark == Mark::Whole => Leaf::Data(above),
            Some(Kin::Pair) if !members && place.depth <= ASKING_DEPTH_MAX => {
                Leaf::Asks(facts.verdict, above)
            }
            Some(_) => return None,
        };
        making.names = self.rules.pair_part(key) == Some(PairPart::Name);
        if !members {
            // Types may follow.
            making.flat = key == "type";
            return Some(());
        }
        let role = Role::Instance.of_key(key);
        if making.once & role.once() != 0 {
            return None;
        }
        making.once |= role.once();
        match role {
            Role::Member(Member::AttributesFlat) => return None,
            Role::Member(Member::Attributes) => making.mark = mark,
            Role::Member(Member::SensitiveAttributes) => making.marks = Marks::Open,
            Role::Member(Member::Private) => making.leaf = Leaf::Private,
            Role::Member(Member::IndexKey) => making.leaf = Leaf::IndexKey,
            _ => {}
        }
        if let (Role::Member(_), Leaf::Data(_)) = (role, making.leaf) {
            making.leaf = Leaf::Data(KeyVerdict::Plain);
        }
        Some(())
    }
}
