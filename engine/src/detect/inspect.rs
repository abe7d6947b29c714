//! The order of the stages over one value: cheap look, nested content, candidates, people, drawn strings, tenant rules.
//!
//! Nothing is decided twice here: each stage pushes what it found, `resolve` settles it. Must not allocate for a
//! value that holds nothing.

use super::gate::{Candidate, Signs};
use super::literal::Trigger;
use super::resolve::{self, Found};
use super::structural as rule;
use super::{Acquitted, Hint, Hit, KeyContext, KeyVerdict, Kind, Look, RuleIx, RuleSet, Scratch, marker};
use super::{
    announced, assignment, blocks, elsewhere, encoded, json, landmarks, network, people, tokens, url,
};

/// JSON or encodings inside each other, at most this deep.
pub(super) const LEVELS_MAX: u8 = 6;

/// Shorter values hold nothing that a format, and not a key, could tell.
pub(crate) const SHORTEST: usize = 6;

/// After each round the text is searched again with the markers in place: what only then shows is found too, and a
/// second run finds nothing new. More rounds than these mean that a value cannot be settled.
const ROUNDS_MAX: usize = 4;

/// Bytes read ahead for each byte of a value. Real texts stay below two; a text made to be slow is redacted whole.
const FUEL_PER_BYTE: usize = 48;

/// What a first look at a value told.
pub(crate) struct Glimpse(Option<Signs>);

/// The search of one value, possibly inside another.
pub(super) struct Search<'r> {
    pub(super) rules: &'r RuleSet,
    pub(super) scratch: &'r mut Scratch,
}

fn hint_of(key: KeyVerdict) -> Hint {
    match key {
        KeyVerdict::Context(context) => context.hint,
        _ => Hint::None,
    }
}

/// What a key says of this value: nothing, where a secret's name stands before what names its place or its type.
#[inline]
fn told(text: &str, key: KeyVerdict) -> KeyVerdict {
    match key {
        KeyVerdict::Sensitive(rule::SENSITIVE_KEY) if elsewhere::told_elsewhere(text) => {
            KeyVerdict::Context(KeyContext { hint: Hint::None, tenant: 0 })
        }
        key => key,
    }
}

/// The key says that what looks drawn is none.
fn public(hint: Hint) -> bool {
    matches!(hint, Hint::Public | Hint::Version)
}

/// The key says that what looks drawn is a secret: even digests are.
fn inviting(hint: Hint) -> bool {
    matches!(hint, Hint::Secret(_) | Hint::Service(_) | Hint::Rare | Hint::Connection(_))
}

impl RuleSet {
    /// All hits of a decoded value under its key: sorted, disjoint, priorities and allowlists applied (`allow` hits are
    /// not returned). `hits` is cleared first. A text that consists of markers has none.
    pub fn inspect(&self, text: &str, key: KeyVerdict, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        hits.clear();
        let key = told(text, key);
        if let KeyVerdict::Sensitive(ix) = key
            && self.enabled(ix)
        {
            match self.beyond(text, ix) {
                None => return self.whole(text, ix, hits),
                Some(key) => return self.inspect(text, key, scratch, hits),
            }
        }

        if self.worth_a_look(text, key, scratch) {
            self.search(text, key, false, scratch, hits);
        }
    }

    /// A map key that is itself data (an e-mail address, a token). `hits` is cleared first.
    pub fn inspect_key(&self, key: &str, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        hits.clear();
        if self.worth_a_look(key, KeyVerdict::Plain, scratch) {
            self.search(key, KeyVerdict::Plain, true, scratch, hits);
        }
    }

    /// Whether a tenant's own patterns are tried with every value.
    pub(crate) fn has_own_patterns(&self) -> bool {
        self.overlay.has_value_patterns()
    }

    /// Nothing can be found in the value with which `around` begins, by the built-in rules and under a key that says nothing
    /// (`public`: that what looks drawn is none). What stands behind the value may be read along.
    #[inline]
    pub(crate) fn acquits(&self, around: &[u8], len: usize, public: bool) -> bool {
        self.glimpse(around, len, public).is_none()
    }

    /// The same; what was seen where something may be found spares [`RuleSet::inspect_seen`] a second look.
    #[inline]
    pub(crate) fn glimpse(&self, around: &[u8], len: usize, public: bool) -> Option<Glimpse> {
        if len < SHORTEST {
            return None;
        }
        if matches!(around[0], b'{' | b'[' | b' ' | b'\n') {
            return Some(Glimpse(None));
        }
        let signs = self.core.gate.look(around, len, public);
        let quiet = !signs.any() && (!signs.proper || public || !self.mentions(&around[..len]));
        (!quiet).then_some(Glimpse(Some(signs)))
    }

    /// As [`RuleSet::inspect`], for a value under a key of some [`Kind`] that was looked at, where no tenant has patterns.
    pub(crate) fn inspect_seen(
        &self,
        text: &str,
        key: KeyVerdict,
        glimpse: Glimpse,
        scratch: &mut Scratch,
        hits: &mut Vec<Hit>,
    ) {
        if scratch.thorough {
            return self.inspect(text, key, scratch, hits);
        }
        hits.clear();
        scratch.signs = glimpse.0;
        self.search(text, key, false, scratch, hits);
    }

    /// Whether a text with a capital behind a space names a person or an address. What is no text does.
    #[cold]
    fn mentions(&self, bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).map_or(true, |text| people::mentioned(&self.core.gazetteer, text))
    }

    fn whole(&self, text: &str, ix: RuleIx, hits: &mut Vec<Hit>) {
        let mut found = vec![Found { start: 0, end: text.len(), rule: ix }];
        if !marker::only(text) && !text.is_empty() {
            resolve::settle(self, text, &mut found, hits);
        }
    }

    /// The cheap look. Most values end here.
    #[inline]
    fn worth_a_look(&self, text: &str, key: KeyVerdict, scratch: &mut Scratch) -> bool {
        let bytes = text.as_bytes();
        scratch.signs = None;
        if scratch.thorough
            || self.tenant_looks(text, key, scratch)
            || (json::matters(key) && !bytes.is_empty())
        {
            return true;
        }
        if bytes.len() < SHORTEST {
            return false;
        }
        if matches!(bytes[0], b'{' | b'[' | b' ' | b'\n') {
            return true;
        }
        let hint = hint_of(key);
        let signs = self.core.gate.look(bytes, bytes.len(), public(hint));
        scratch.signs = Some(signs);
        signs.any() || signs.proper && !public(hint) && self.mentions(bytes)
    }

    fn search(&self, text: &str, key: KeyVerdict, is_key: bool, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        self.once(text, key, is_key, scratch, hits);
        if hits.is_empty() || self.is_settled(text, key, scratch, hits) {
            return;
        }
        for _ in 0..ROUNDS_MAX {
            let mut replaced = std::mem::take(&mut scratch.round);
            replaced.clear();
            let spans = self.stand_ins(text, hits, &mut replaced);
            let mut more = Vec::new();
            let readable = std::str::from_utf8(&replaced).unwrap_or("");
            self.once(readable, key, is_key, scratch, &mut more);
            scratch.round = replaced;
            if let Some(witness) = &mut scratch.witness {
                witness.translate(|at| back(&spans, at));
            }
            if more.is_empty() {
                return;
            }
            for hit in &mut more {
                hit.start = back(&spans, hit.start);
                hit.end = back(&spans, hit.end);
            }
            hits.append(&mut more);
            hits.sort_by_key(|hit| hit.start);
        }
        hits.clear();
        hits.push(Hit { start: 0, end: text.len(), rule: rule::UNSETTLED, secret: false });
    }

    /// What would be searched again is one marker, in which no built-in rule finds anything.
    fn is_settled(&self, text: &str, key: KeyVerdict, scratch: &Scratch, hits: &[Hit]) -> bool {
        let tenant = matches!(key, KeyVerdict::Context(context) if context.tenant != 0);
        matches!(hits, [hit] if hit.start == 0 && hit.end == text.len())
            && !(tenant || self.has_own_patterns() || scratch.witness.is_some())
    }

    /// The text with markers in place of the hits. Returns `(offset behind the marker, source offset)` pairs.
    fn stand_ins(&self, text: &str, hits: &[Hit], out: &mut Vec<u8>) -> Vec<(usize, usize)> {
        let mut spans = Vec::with_capacity(hits.len());
        let mut at = 0;
        for hit in hits {
            out.extend_from_slice(&text.as_bytes()[at..hit.start]);
            let info = self.rule(hit.rule);
            marker::write(info.category, info.action, || [0; 8], out);
            at = hit.end;
            spans.push((out.len(), at));
        }
        out.extend_from_slice(&text.as_bytes()[at..]);
        spans
    }

    fn once(&self, text: &str, key: KeyVerdict, is_key: bool, scratch: &mut Scratch, hits: &mut Vec<Hit>) {
        scratch.found.clear();
        scratch.fuel = Some(4_096 + text.len().saturating_mul(FUEL_PER_BYTE));
        scratch.acquitted.under(self.serial);
        let mut search = Search { rules: self, scratch };
        search.leaf(text, key, 0, is_key);
        if search.scratch.fuel.is_none() {
            search.push(0, text.len(), rule::UNSETTLED);
        }
        let mut found = std::mem::take(&mut scratch.found);
        if let Some(witness) = &mut scratch.witness {
            witness.round(&found);
        }
        found.retain(|f| {
            self.enabled(f.rule) && !self.allowed(text.get(f.start..f.end).unwrap_or(""), f.rule)
        });
        resolve::settle(self, text, &mut found, hits);
        scratch.found = found;
    }
}

/// Source offset of an offset in the text with stand-ins. New hits never lie inside a marker; what does is told by the
/// source that the marker stands for.
fn back(spans: &[(usize, usize)], at: usize) -> usize {
    let n = spans.partition_point(|(behind, _)| *behind <= at);
    let source = match n {
        0 => at,
        n => spans[n - 1].1 + (at - spans[n - 1].0),
    };
    spans.get(n).map_or(source, |(_, end)| source.min(*end))
}

impl Search<'_> {
    pub(super) fn push(&mut self, start: usize, end: usize, rule: RuleIx) {
        self.scratch.found.push(Found { start, end, rule });
    }

    /// Accounts for reading ahead. `false`: enough was read, the value cannot be decided.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        self.scratch.fuel = self.scratch.fuel.and_then(|left| left.checked_sub(bytes));
        self.scratch.fuel.is_some()
    }

    /// Moves findings, from one on, that were made in a part of the text which begins at `by`.
    pub(super) fn shift(&mut self, from: usize, by: usize) {
        for found in &mut self.scratch.found[from..] {
            found.start += by;
            found.end += by;
        }
    }

    /// A decoded value at a nesting level; findings are pushed in its own offsets.
    pub(super) fn leaf(&mut self, text: &str, key: KeyVerdict, level: u8, is_key: bool) {
        let kind = if is_key { Some(Kind::Key) } else { Kind::of(key) };
        let known = kind.filter(|_| level > 0 && text.len() >= SHORTEST && !self.rules.has_own_patterns());
        let Some(kind) = known else { return self.look_into(text, key, level, is_key) };
        let (place, look) = (Acquitted::place(text.as_bytes()), Look { kind, level, escaped: false });
        if self.scratch.acquitted.knows(place, look, text.as_bytes()) {
            return;
        }
        let (found, fuel) = (self.scratch.found.len(), self.scratch.fuel);
        self.look_into(text, key, level, is_key);
        // What was read ahead for it has to be accounted for again: what a value may cost must not depend on those before it.
        if self.scratch.found.len() == found && self.scratch.fuel.is_some() && self.scratch.fuel == fuel {
            self.scratch.acquitted.remember(place, look, text.as_bytes());
        }
    }

    fn look_into(&mut self, text: &str, key: KeyVerdict, level: u8, is_key: bool) {
        // Only the first text that is looked into is the one that was looked at.
        let signs = self.scratch.signs.take();
        let key = told(text, key);
        if let KeyVerdict::Sensitive(ix) = key
            && self.rules.enabled(ix)
        {
            if let Some(key) = self.rules.beyond(text, ix) {
                self.leaf(text, key, level, is_key);
            } else if !text.is_empty() && !marker::only(text) {
                self.push(0, text.len(), ix);
            }
            return;
        }

        self.rules.tenant_search(text, key, self.scratch);
        let hint = hint_of(key);
        if hint == Hint::Allowed {
            blocks::search(self, text);
            self.scratch.quiet.clear();
            return;
        }
        let bytes = text.as_bytes();
        if level < LEVELS_MAX && is_json(bytes) && json::walk(self, text, key, level) {
            return;
        }
        people::under_key(self, text, hint);
        assignment::under_key(self, text, hint);
        if bytes.len() < SHORTEST || blocks::whole(self, text) {
            return;
        }
        let signs = match (self.scratch.thorough, signs) {
            (true, _) => Signs::ALL,
            (false, Some(signs)) => signs,
            (false, None) => self.rules.core.gate.look(bytes, bytes.len(), public(hint)),
        };
        if level < LEVELS_MAX {
            json::embedded(self, text, level);
        }
        self.flat(text, hint, level, is_key, signs);
    }

    fn flat(&mut self, text: &str, hint: Hint, level: u8, is_key: bool, signs: Signs) {
        let bytes = text.as_bytes();
        let quiet_before = self.scratch.quiet.len();
        if signs.literal {
            self.literals(text, hint, is_key);
        }
        if signs.at_sign {
            people::emails(self, text);
        }
        if signs.number {
            people::numbers(self, text, hint);
        }
        if signs.proper && !public(hint) {
            people::mentions(self, text);
        }
        let decoded = signs.percent && level < LEVELS_MAX && encoded::percent(self, text, hint, level);
        if signs.run || inviting(hint) && tokens::has_long_run(bytes) {
            tokens::runs(self, text, hint, level, decoded);
        }
        self.scratch.quiet.truncate(quiet_before);
    }

    /// Confirms what the gate proposes.
    fn literals(&mut self, text: &str, hint: Hint, is_key: bool) {
        let mut candidates = std::mem::take(&mut self.scratch.candidates);
        candidates.clear();
        self.rules.core.gate.candidates(text.as_bytes(), |c| candidates.push(c));
        let mut seen = Seen::default();
        for candidate in &candidates {
            if self.scratch.fuel.is_none() {
                break;
            }
            self.confirm(text, *candidate, hint, is_key, &mut seen);
        }
        self.scratch.candidates = candidates;
    }

    fn confirm(&mut self, text: &str, candidate: Candidate, hint: Hint, is_key: bool, seen: &mut Seen) {
        let at = candidate.at;
        match candidate.trigger {
            Trigger::Shape { shape, back } => tokens::shape(self, text, shape, at, usize::from(back), seen),
            Trigger::Block => {
                if at >= seen.block {
                    blocks::search(self, text);
                    seen.block = text.len();
                }
            }
            Trigger::Announced => {
                if at >= seen.announced {
                    announced::lettered(self, text.as_bytes());
                    seen.announced = text.len();
                }
            }
            Trigger::Url => url::at(self, text, at),
            Trigger::Jwt => {
                if at >= seen.jwt {
                    seen.jwt = tokens::jwt(self, text, at);
                }
            }
            Trigger::Header => assignment::header(self, text, at),
            Trigger::Landmark { mark, back } => {
                // A key of one word is no script, but it may be an address.
                if !is_key || mark.addresses() || text.contains(' ') {
                    landmarks::at(self, text, at - usize::from(back), mark);
                }
            }
            Trigger::Address => {
                if hint != Hint::Version && at >= seen.address {
                    seen.address = network::at(self, text, at);
                }
            }
            Trigger::Assignment => {
                if (!is_key || assigns(text)) && at >= seen.assignment {
                    seen.assignment = assignment::at(self, text, at);
                }
            }
        }
    }
}

/// How far each kind of confirmation has read: nothing is read twice.
#[derive(Default)]
pub(super) struct Seen {
    block: usize,
    jwt: usize,
    announced: usize,
    address: usize,
    assignment: usize,
    /// The last confirmed shape.
    pub(super) shape: (usize, usize),
}

/// A map key that is an assignment, a header, a statement or a command itself: `password=…`, `PRIVATE-TOKEN: …`, `PASSWORD '…'`.
fn assigns(key: &str) -> bool {
    key.contains(['=', '\'', '"', '<']) || key.contains(": ") || key.contains("--")
}

fn is_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}
