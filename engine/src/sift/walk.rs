//! The walk over one complete unit: strict grammar, and what each leaf's surroundings say about it.
//!
//! Owns the recursion (bounded by the finder's depth limit) and the context that goes down with it. Must never build a
//! tree, and never write a byte that it has not decided on.

use std::sync::Arc;

use super::echo::Echo;
use super::keys::KeyMemo;
use super::leaf::Span;
use super::marks::{Here, Marks, Shape, Verdict};
use super::names::Names;
use super::notes::Notes;
use super::pending::Pending;
use super::pointer::{Pointer, Seg};
use super::schema_marks;
use super::siblings::Siblings;
use super::tally::Tally;
use super::trail::Trails;
use crate::detect::{HashKey, Hit, KeyVerdict, RuleIx, RuleSet, Scratch};
use crate::refusal::{Refusal, RefusalKind};
use crate::scan::{Unit, is_number};
use crate::taint::{Copies, Taint};

/// What a pass does. A taint pass only learns; a second pass only finds; a forward pass does both.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// Secrets are remembered.
    pub learn: bool,
    /// Known secrets are searched, findings reported.
    pub find: bool,
}

/// Why a leaf goes whole and unseen.
#[derive(Clone, Copy)]
pub(super) struct Force {
    /// The rule that says so.
    pub rule: RuleIx,
    /// The value is known to be a secret, so that its copies are looked for.
    pub learn: bool,
}

/// What a value's surroundings say about it.
#[derive(Clone, Copy)]
pub(super) struct Ctx {
    /// Of the nearest key.
    pub verdict: KeyVerdict,
    /// Every leaf below goes.
    pub force: Option<Force>,
    /// Terraform's marks that lead further down.
    pub marks: Here,
    /// Within a type expression (`["object",{"password":"string"}]`), where keys are names and words are types.
    pub types: bool,
    /// Keys are flat paths (`user.0.password`), as in `attributes_flat`.
    pub flat: bool,
}

impl Ctx {
    /// Nothing is known.
    pub(super) const PLAIN: Self =
        Self { verdict: KeyVerdict::Plain, force: None, marks: NO_MARKS, types: false, flat: false };

    /// Every leaf goes.
    pub(super) fn forced(rule: RuleIx, learn: bool) -> Self {
        Self { force: Some(Force { rule, learn }), ..Self::PLAIN }
    }
}

const NO_MARKS: Here = Here::NONE;

pub(super) const TAINT_FULL: &str =
    "more secrets than can be remembered; split the state, or have it reviewed";

/// State of a sift beside the window: everything that is decided, and where it is written.
pub(super) struct Walk {
    pub(super) rules: Arc<RuleSet>,
    pub(super) taint: Taint,
    /// Buffers for the search of copies.
    pub(super) copies: Copies,
    /// A tenant has patterns that every value is tried with.
    pub(super) own_patterns: bool,
    pub(super) hash_key: HashKey,
    pub(super) mode: Mode,
    /// Output is wanted at all.
    pub(super) emit: bool,
    /// Output so far.
    pub(super) out: Vec<u8>,
    /// Position in the window up to which input was copied to the output or replaced there.
    pub(super) copied: usize,
    pub(super) pointer: Pointer,
    pub(super) tally: Tally,
    pub(super) names: Names,
    pub(super) marks: Marks,
    /// What the schema of the resource at hand marks.
    pub(super) of_schema: &'static [&'static str],
    /// The state's own marks are complete.
    pub(super) marked: bool,
    pub(super) memo: KeyMemo,
    /// Secrets learnt so far plus one: keys that were searched before are searched again when it grows.
    pub(super) learnt: u32,
    /// Open containers, frames included.
    pub(super) depth: usize,
    pub(super) scratch: Scratch,
    pub(super) hits: Vec<Hit>,
    pub(super) found: Vec<(usize, usize)>,
    pub(super) spans: Vec<Span>,
    pub(super) offsets: Vec<usize>,
    pub(super) decoded: String,
    pub(super) key_text: String,
    /// What a second pass is told, in the first one of two.
    pub(super) notes: Option<Notes>,
    /// Tokens of this unit that were looked at for [`Siblings`].
    pub(super) looks: usize,
    /// Members in which nothing happened.
    pub(super) echo: Echo,
    /// What instances were made of so far.
    pub(super) trails: Trails,
    /// What was found in the instance that is being followed.
    pub(super) pending: Pending,
    /// What happened so far: redactions, secrets learnt, names kept, siblings asked. A member during which it stays the
    /// same comes out the same wherever it stands.
    pub(super) events: u64,
}

impl Walk {
    pub(super) fn new(rules: &Arc<RuleSet>, taint: Taint, hash_key: HashKey, mode: Mode) -> Self {
        Self {
            rules: Arc::clone(rules),
            taint,
            copies: Copies::default(),
            own_patterns: rules.has_own_patterns(),
            hash_key,
            mode,
            emit: mode.find,
            out: Vec::new(),
            copied: 0,
            pointer: Pointer::default(),
            tally: Tally::default(),
            names: Names::default(),
            marks: Marks::default(),
            of_schema: &[],
            marked: false,
            memo: KeyMemo::new(),
            learnt: 1,
            depth: 0,
            scratch: Scratch::default(),
            hits: Vec::new(),
            found: Vec::new(),
            spans: Vec::new(),
            offsets: Vec::new(),
            decoded: String::new(),
            key_text: String::new(),
            notes: None,
            looks: 0,
            echo: Echo::new(),
            trails: Trails::new(),
            pending: Pending::default(),
            events: 0,
        }
    }

    /// Bytes held; the taint's two mebibytes are counted as if full.
    pub(super) fn memory_bytes(&self) -> usize {
        const TAINT: usize = 2 << 20;
        TAINT
            + self.copies.memory_bytes()
            + self.out.capacity()
            + self.decoded.capacity()
            + self.key_text.capacity()
            + self.pointer.memory_bytes()
            + self.tally.memory_bytes()
            + self.names.memory_bytes()
            + self.marks.memory_bytes()
            + self.memo.memory_bytes()
            + self.echo.memory_bytes()
            + self.trails.memory_bytes()
            + self.pending.memory_bytes()
            + self.scratch.memory_bytes()
    }

    /// The type of the resource at hand, where it is known.
    pub(super) fn of_type(&mut self, resource_type: Option<&str>) {
        self.of_schema = resource_type.map_or(&[], |name| schema_marks::of(name, self.marked));
    }

    /// The resource at hand is more than its redactions.
    pub(super) fn needs_walk(&mut self) {
        self.events += 1;
        if let Some(notes) = &mut self.notes {
            notes.needs_walk();
        }
    }

    /// Another unit: its tokens are counted anew.
    pub(super) fn begin_unit(&mut self) {
        self.looks = 0;
        self.echo.close();
    }

    /// The whole unit is one value.
    pub(super) fn unit(&mut self, unit: &Unit<'_>, ctx: &Ctx) -> Result<(), Refusal> {
        self.begin_unit();
        let quiet = self.element_lane(ctx).and_then(|kind| self.quiet_value(unit, 0, kind));
        let next = match quiet {
            Some(next) => next,
            None => self.value(unit, 0, ctx)?,
        };
        if next == unit.len() { Ok(()) } else { Err(unit.unexpected(next)) }
    }

    /// The value that begins at a token; returns the token after it.
    pub(super) fn value(&mut self, unit: &Unit<'_>, at: usize, ctx: &Ctx) -> Result<usize, Refusal> {
        match unit.byte(at) {
            b'"' => {
                let close = unit.closing_quote(at)?;
                let forced = self.mark_forced(ctx, Shape::Leaf);
                self.string(unit, at, close, forced.as_ref().unwrap_or(ctx))?;
                Ok(close + 1)
            }
            b'{' => {
                let forced = self.mark_forced(ctx, Shape::Object);
                self.object(unit, at, forced.as_ref().unwrap_or(ctx))
            }
            b'[' => {
                let forced = self.mark_forced(ctx, Shape::Array);
                self.array(unit, at, forced.as_ref().unwrap_or(ctx))
            }
            _ => {
                let forced = self.mark_forced(ctx, Shape::Leaf);
                self.scalar(unit, at, forced.as_ref().unwrap_or(ctx))?;
                Ok(at + 1)
            }
        }
    }

    /// Marks that cannot lead further down this value hold for the whole of it.
    #[inline]
    fn mark_forced(&self, ctx: &Ctx, shape: Shape) -> Option<Ctx> {
        let whole = !ctx.marks.is_none() && self.marks.shape(ctx.marks, shape) == Verdict::Whole;
        whole.then(|| Ctx::forced(self.rules.mark_rule(), true))
    }

    fn scalar(&mut self, unit: &Unit<'_>, at: usize, ctx: &Ctx) -> Result<(), Refusal> {
        let raw = unit.scalar(at);
        if matches!(raw, "null" | "true" | "false") {
            return Ok(());
        }
        if !is_number(raw.as_bytes()) {
            return Err(unit.unexpected(at));
        }
        self.number(unit, at, raw, ctx)
    }

    fn array(&mut self, unit: &Unit<'_>, open: usize, ctx: &Ctx) -> Result<usize, Refusal> {
        let mut at = open + 1;
        if unit.byte(at) == b']' {
            return Ok(at + 1);
        }
        self.depth += 1;
        self.pointer.push(Seg::Index(0));
        let mut index = 0u64;
        let lane = self.element_lane(ctx);
        let mut flag = None;
        loop {
            let begin = at;
            // A flag of a command says what the next argument is.
            let told = flag.take().filter(|_| unit.byte(at) == b'"' && !begins_flag(unit, at));
            let argument = told.map(|verdict| Ctx { verdict, ..*ctx });
            let ctx = argument.as_ref().unwrap_or(ctx);
            let quiet = lane.filter(|_| told.is_none()).and_then(|kind| self.quiet_value(unit, at, kind));
            at = if let Some(next) = quiet {
                next
            } else if ctx.marks.is_none() {
                self.pointer.set_index(index);
                self.value(unit, at, ctx)?
            } else {
                self.pointer.set_index(index);
                let (here, verdict) = self.marks.element(ctx.marks, index);
                self.marked_value(unit, at, ctx, here, verdict)?
            };
            if at == begin + 2 && begins_flag(unit, begin) {
                flag = self.rules.told_by_flag(key_slice(unit, begin, begin + 1));
            }
            match unit.byte(at) {
                b',' => at += 1,
                b']' => break,
                _ => return Err(unit.unexpected(at)),
            }
            index += 1;
        }
        self.pointer.pop();
        self.depth -= 1;
        Ok(at + 1)
    }

    fn object(&mut self, unit: &Unit<'_>, open: usize, ctx: &Ctx) -> Result<usize, Refusal> {
        let mut at = open + 1;
        if unit.byte(at) == b'}' {
            return Ok(at + 1);
        }
        self.depth += 1;
        let mut siblings = Siblings::of(open);
        let plain = self.is_plain(ctx);
        loop {
            at = if plain {
                self.plain_member(unit, at, ctx, &mut siblings)?
            } else {
                self.member(unit, at, ctx, &mut siblings)?
            };
            match unit.byte(at) {
                b',' => at += 1,
                b'}' => break,
                _ => return Err(unit.unexpected(at)),
            }
        }
        self.names.leave(self.depth);
        self.depth -= 1;
        Ok(at + 1)
    }

    /// A member of an object: key, colon, value.
    pub(super) fn member(
        &mut self,
        unit: &Unit<'_>,
        open: usize,
        ctx: &Ctx,
        siblings: &mut Siblings,
    ) -> Result<usize, Refusal> {
        if unit.byte(open) != b'"' {
            return Err(unit.unexpected(open));
        }
        let close = unit.closing_quote(open)?;
        if unit.byte(close + 1) != b':' {
            return Err(unit.unexpected(close + 1));
        }
        let own = self.key(unit, open, close, ctx.flat)?;
        let own = match own.kin() {
            Some(kin) if ctx.force.is_none() && !ctx.types => self.ask(unit, siblings, own, kin)?,
            _ => own,
        };
        let value = close + 2;
        let below = self.below(unit, open, close, value, own, ctx);
        let next = if ctx.marks.is_none() {
            self.value(unit, value, &below)?
        } else {
            let key = std::mem::take(&mut self.key_text);
            let text = if close == open + 1 { key_slice(unit, open, close) } else { key.as_str() };
            let (here, verdict) = self.marks.member(ctx.marks, text);
            self.key_text = key;
            self.marked_value(unit, value, &below, here, verdict)?
        };
        self.pointer.pop();
        Ok(next)
    }

    /// What a member's key leaves for the value below it.
    fn below(
        &self,
        unit: &Unit<'_>,
        open: usize,
        close: usize,
        value: usize,
        own: KeyVerdict,
        ctx: &Ctx,
    ) -> Ctx {
        let mut below = Ctx { marks: Here::NONE, ..*ctx };
        if ctx.types {
            return below;
        }
        below.verdict = own.under(ctx.verdict);
        if close == open + 1 && key_slice(unit, open, close) == "type" {
            below.types = matches!(unit.byte(value), b'[' | b'{');
        }
        if ctx.flat && below.force.is_none() {
            let key = if close == open + 1 { key_slice(unit, open, close) } else { &self.key_text };
            if self.marks.covers_flat(key) {
                below.force = Some(Force { rule: self.rules.mark_rule(), learn: true });
            }
        }
        below
    }

    fn marked_value(
        &mut self,
        unit: &Unit<'_>,
        at: usize,
        ctx: &Ctx,
        here: Here,
        verdict: Verdict,
    ) -> Result<usize, Refusal> {
        let below = match verdict {
            Verdict::Whole => Ctx::forced(self.rules.mark_rule(), true),
            Verdict::Open => Ctx { marks: here, ..*ctx },
        };
        let next = self.value(unit, at, &below)?;
        self.marks.leave(here);
        Ok(next)
    }

    /// Too much is known to keep track: a person decides.
    pub(super) fn taint_full(unit: &Unit<'_>, position: usize) -> Refusal {
        unit.refuse(position, RefusalKind::Undecidable, TAINT_FULL)
    }
}

/// The raw text of a key.
#[inline]
pub(super) fn key_slice<'a>(unit: &Unit<'a>, open: usize, close: usize) -> &'a str {
    unit.slice(unit.position(open) + 1, unit.position(close))
}

/// A string whose first byte is a dash, as it stands there.
#[inline]
fn begins_flag(unit: &Unit<'_>, at: usize) -> bool {
    unit.byte(at) == b'"' && unit.bytes_from(unit.position(at) + 1).first() == Some(&b'-')
}
