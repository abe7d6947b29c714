//! Follows an instance along the trails of others (`trail.rs`), by its bytes: nothing is indexed for it.
//!
//! Owns no decision: an instance that is followed to its end is one of which the walk (`walk.rs`) would say the same, and
//! whatever else is met on the way leaves it to the walk. So nothing may be noted before the end. In the first of two passes
//! only: elsewhere bytes are written, or copies are looked for.

use super::keys::decide;
use super::leaf::{TAINT_BYTES_MIN, may_need_name};
use super::marker::is_marker;
use super::roles::{Member, Role};
use super::trail::{BEFORE, Fit, HEADER, INSTANCE, Leaf, MEMBERS, OUTSIDE, RESOURCE};
use super::walk::Walk;
use crate::detect::{Acquitted, KeyVerdict, Kind, Look, SHORTEST};
use crate::scan::{closing_quote, decode_plain, is_number};

/// Longer texts between two leaves, and longer leaves, are left to the walk.
const GLUE_BYTES_MAX: usize = 1 << 10;
const LEAF_BYTES_MAX: usize = 64 << 10;
/// And longer instances.
const INSTANCE_BYTES_MAX: usize = 1 << 20;

/// The member that ends the header of a resource.
const INSTANCES: &str = "instances";

/// What was followed to its end.
pub(super) struct Followed {
    /// One past its last byte.
    pub(super) end: usize,
    /// Bits of the members that it has ([`Role::once`]).
    pub(super) seen: u32,
    /// What the provider keeps in it, between the quotes.
    pub(super) private: Option<(usize, usize)>,
}

/// What the grammar finds between two leaves.
enum Found {
    /// `{` or `[`.
    Open { object: bool },
    /// Their ends.
    Close,
    /// A key, between its quotes.
    Key(usize, usize),
}

/// The innermost container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    None,
    Object,
    Array,
}

/// A step in the making.
struct Making {
    place: u32,
    once: u32,
    /// Of the value that is next.
    leaf: Leaf,
    marks: Marks,
    /// No container may stand behind this key.
    flat: bool,
    /// The instances of a resource stand behind it.
    instances: bool,
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
    /// Whether instances may be followed at all.
    pub(super) fn follows(&self) -> bool {
        !(self.mode.find || self.emit || self.own_patterns)
    }

    /// What the provider keeps goes whole, in the instance that is at hand. Offsets in the input.
    pub(super) fn private_goes(&mut self, from: u64, to: u64) {
        self.events += 1;
        self.pointer.push_kept("private");
        let Self { pointer, notes, rules, .. } = self;
        if let Some(notes) = notes {
            let bytes = usize::try_from(to - from).unwrap_or(usize::MAX);
            notes.edit(rules, rules.private_rule(), (from, to), bytes, false, || pointer.render(|_, _| ""));
        }
        self.pointer.pop();
    }

    /// Follows the instance with which the bytes begin.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<Followed> {
        self.follow_from(INSTANCE, bytes)
    }

    /// Follows the resource with which the bytes begin, to where its instances do.
    pub(super) fn follow_header(&mut self, bytes: &[u8]) -> Option<Followed> {
        self.follow_from(RESOURCE, bytes)
    }

    fn follow_from(&mut self, start: u32, bytes: &[u8]) -> Option<Followed> {
        self.trails.begin();
        let (mut at, mut seen, mut step) = (0, 0, start);
        let mut private = None;
        loop {
            let rest = &bytes[at..];
            let [next, other] = self.trails.behind(step);
            let mut fit = self.trails.fit(next, rest);
            let mut found = next;
            if next == 0 || matches!(fit.0, Fit::Not) {
                (found, fit) = self.turn(step, other, rest)?;
                self.trails.follows(step, found);
            }
            step = found;
            at += fit.1;
            let taken = self.trails.step(step);
            if seen & taken.once != 0 || at > INSTANCE_BYTES_MAX {
                return None;
            }
            seen |= taken.once;
            let leaf = taken.leaf;
            if matches!(leaf, Leaf::End) {
                return Some(Followed { end: at, seen, private });
            }
            if let Fit::Glue = fit.0 {
                let end = self.leaf(bytes, at, leaf, &mut private)?;
                if !matches!(leaf, Leaf::Private) {
                    self.trails.keep(step, &bytes[at..end]);
                }
                at = end;
            }
        }
    }

    /// The step behind this one, which is not the expected one.
    fn turn(&mut self, step: u32, other: u32, rest: &[u8]) -> Option<(u32, (Fit, usize))> {
        if other != 0 {
            let fit = self.trails.fit(other, rest);
            if !matches!(fit.0, Fit::Not) {
                return Some((other, fit));
            }
        }
        let from = self.trails.step(step).to;
        let len = self.extent(rest, from)?;
        let found = match self.trails.find(from, &rest[..len]) {
            Some(found) => found,
            None => self.make(&rest[..len], from)?,
        };
        let fit = self.trails.fit(found, rest);
        (!matches!(fit.0, Fit::Not)).then_some((found, fit))
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
                Found::Close => place = self.trails.place(place).parent,
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
            OUTSIDE | BEFORE => Top::None,
            place if self.trails.place(place).object => Top::Object,
            _ => Top::Array,
        }
    }

    /// A step that was not taken before.
    fn make(&mut self, glue: &[u8], from: u32) -> Option<u32> {
        let leaf = Leaf::Data(self.trails.place(from).verdict);
        let mut making =
            Making { place: from, once: 0, leaf, marks: Marks::No, flat: false, instances: false };
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
        let leaf = if making.place == OUTSIDE { Leaf::End } else { making.leaf };
        self.trails.take(from, making.place, glue, making.once, leaf)
    }

    fn found(&mut self, glue: &[u8], found: &Found, making: &mut Making) -> Option<()> {
        match *found {
            Found::Open { object } if matches!(making.place, OUTSIDE | BEFORE) => {
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
                making.place = self.trails.enter(making.place, object, verdict)?;
                Some(())
            }
            Found::Close => {
                making.marks = Marks::No;
                making.place = self.trails.place(making.place).parent;
                making.leaf = Leaf::Data(self.trails.place(making.place).verdict);
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
        if facts.found || facts.named || facts.verdict.kin().is_some() && making.place != HEADER {
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
        let above = self.trails.place(making.place).verdict;
        making.leaf = Leaf::Data(facts.verdict.under(above));
        if making.place != MEMBERS {
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

    /// The end of the leaf that begins at a position, if nothing is found in it.
    fn leaf(
        &mut self,
        bytes: &[u8],
        at: usize,
        leaf: Leaf,
        private: &mut Option<(usize, usize)>,
    ) -> Option<usize> {
        if bytes.get(at) != Some(&b'"') {
            return self.scalar_leaf(bytes, at, leaf);
        }
        let closed = closing_quote(bytes, at + 1)?;
        let raw = &bytes[at + 1..closed.end];
        if raw.is_empty() {
            return Some(closed.end + 1);
        }
        if raw.len() > LEAF_BYTES_MAX || closed.wide && std::str::from_utf8(raw).is_err() {
            return None;
        }
        let quiet = match leaf {
            Leaf::End => false,
            Leaf::Private => {
                if closed.escaped {
                    return None;
                }
                if !is_marker(std::str::from_utf8(raw).ok()?) {
                    *private = Some((at + 1, closed.end));
                }
                true
            }
            Leaf::IndexKey => !closed.escaped && self.quiet_index_key(raw),
            Leaf::Data(KeyVerdict::Sensitive(_)) => false,
            Leaf::Data(verdict) if closed.escaped => self.quiet_escaped(raw, verdict),
            Leaf::Data(verdict) => self.quiet_text(&bytes[at + 1..], raw.len(), verdict),
        };
        quiet.then_some(closed.end + 1)
    }

    /// The same for a number or a word.
    fn scalar_leaf(&mut self, bytes: &[u8], at: usize, leaf: Leaf) -> Option<usize> {
        let rest = &bytes[at..];
        let len = rest.iter().take(GLUE_BYTES_MAX).position(|b| b" \t\n\r,}]".contains(b))?;
        let raw = &rest[..len];
        if matches!(raw, b"null" | b"true" | b"false") {
            return Some(at + len);
        }
        if !is_number(raw) {
            return None;
        }
        let verdict = match leaf {
            Leaf::Data(verdict) => verdict,
            Leaf::IndexKey => KeyVerdict::Plain,
            Leaf::Private | Leaf::End => return None,
        };
        if len < TAINT_BYTES_MIN && Kind::of(verdict).is_some() {
            return Some(at + len);
        }
        let found = self.rules.inspect_number(std::str::from_utf8(raw).ok()?, verdict);
        found.is_none().then_some(at + len)
    }

    /// A text without escapes with which `around` begins.
    #[inline]
    fn quiet_text(&mut self, around: &[u8], len: usize, verdict: KeyVerdict) -> bool {
        let raw = &around[..len];
        let Some(kind) = Kind::of(verdict) else { return self.finds_nothing(raw, verdict) };
        if len < SHORTEST {
            return true;
        }
        let (place, look) = (Acquitted::place(raw), Look::top(kind, false));
        if self.scratch.acquitted.knows(place, look, raw) {
            return true;
        }
        let quiet = self.rules.acquits(around, len, kind != Kind::Plain) || self.finds_nothing(raw, verdict);
        if quiet {
            self.scratch.acquitted.remember(place, look, raw);
        }
        quiet
    }

    fn quiet_escaped(&mut self, raw: &[u8], verdict: KeyVerdict) -> bool {
        let kind = Kind::of(verdict);
        let place = Acquitted::place(raw);
        if kind.is_some_and(|kind| self.scratch.acquitted.knows(place, Look::top(kind, true), raw)) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(raw) else { return false };
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let plain = decode_plain(text, &mut decoded);
        let quiet = plain && {
            self.rules.inspect(&decoded, verdict, &mut self.scratch, &mut self.hits);
            self.hits.is_empty()
        };
        self.decoded = decoded;
        if let (true, Some(kind)) = (quiet, kind) {
            self.scratch.acquitted.remember(place, Look::top(kind, true), raw);
        }
        quiet
    }

    fn quiet_index_key(&mut self, raw: &[u8]) -> bool {
        let (place, look) = (Acquitted::place(raw), Look::top(Kind::Key, false));
        if self.scratch.acquitted.knows(place, look, raw) {
            return true;
        }
        let Ok(text) = std::str::from_utf8(raw) else { return false };
        self.rules.inspect_key(text, &mut self.scratch, &mut self.hits);
        let quiet = self.hits.is_empty() && !may_need_name(text);
        if quiet {
            self.scratch.acquitted.remember(place, look, raw);
        }
        quiet
    }

    fn finds_nothing(&mut self, raw: &[u8], verdict: KeyVerdict) -> bool {
        let Ok(text) = std::str::from_utf8(raw) else { return false };
        self.rules.inspect(text, verdict, &mut self.scratch, &mut self.hits);
        self.hits.is_empty()
    }
}

/// Reads the grammar between two leaves and tells what it finds; `top` is the container that is open, and each answer the one
/// that then is. Returns where a leaf begins, or where the outermost container has ended.
fn structure(bytes: &[u8], mut top: Top, mut tell: impl FnMut(Found) -> Option<Top>) -> Option<usize> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Want {
        FirstKey,
        Key,
        FirstValue,
        Value,
        CommaOrEnd,
    }
    let mut want = if top == Top::None { Want::Value } else { Want::CommaOrEnd };
    let mut at = 0;
    while at < GLUE_BYTES_MAX {
        let byte = *bytes.get(at)?;
        at += 1;
        want = match (want, byte) {
            (_, b' ' | b'\n' | b'\t' | b'\r') => continue,
            (Want::CommaOrEnd, b',') if top == Top::Object => Want::Key,
            (Want::CommaOrEnd, b',') => Want::Value,
            (Want::CommaOrEnd | Want::FirstKey, b'}') if top == Top::Object => {
                top = tell(Found::Close)?;
                Want::CommaOrEnd
            }
            (Want::CommaOrEnd | Want::FirstValue, b']') if top == Top::Array => {
                top = tell(Found::Close)?;
                Want::CommaOrEnd
            }
            (Want::FirstKey | Want::Key, b'"') => {
                let key = closing_quote(bytes, at)?;
                if key.escaped || key.wide {
                    return None;
                }
                top = tell(Found::Key(at, key.end))?;
                let colon = bytes[key.end + 1..].iter().position(|b| !b" \n\t\r".contains(b))?;
                at = key.end + 1 + colon + 1;
                if bytes[at - 1] != b':' {
                    return None;
                }
                Want::Value
            }
            (Want::Value | Want::FirstValue, b'{') => {
                top = tell(Found::Open { object: true })?;
                Want::FirstKey
            }
            (Want::Value | Want::FirstValue, b'[') => {
                top = tell(Found::Open { object: false })?;
                if top == Top::None {
                    return Some(at);
                }
                Want::FirstValue
            }
            (Want::Value | Want::FirstValue, _) => return Some(at - 1),
            _ => return None,
        };
        if want == Want::CommaOrEnd && top == Top::None {
            return Some(at);
        }
    }
    None
}
