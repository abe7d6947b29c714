//! Keys and values of the frames: units where they fit, frames or a skip where not.
//!
//! Must never treat a value by its size in a way that depends on how much of it has arrived.

use super::members::TWICE;
use super::roles::{Field, Role};
use super::schema_marks;
use super::stream::{Expect, Listener, Phase, Stream};
use super::walk::{Ctx, key_slice};
use crate::detect::KeyVerdict;
use crate::refusal::{Refusal, RefusalKind};
use crate::scan::{DEPTH_MAX, Find, UNIT_BYTES_MAX, decode};

/// Tokens of a member of a header: `"provider": "provider[\"…\"]"` has some for its escapes.
const FIELD_TOKENS_MAX: usize = 12;

const LONG: &str = "a key, number, name or version is above 8 MiB; no Terraform writes that";
const SHAPE: &str =
    "JSON, but no Terraform state: a part has another shape; pull it with `terraform state pull`";

impl<L: Listener> Stream<L> {
    /// The key of a member of the top frame.
    pub(super) fn key(&mut self) -> Result<bool, Refusal> {
        if self.quiet_field() {
            return Ok(true);
        }
        let Some((at, _)) = self.window.peek() else { return Ok(false) };
        let long = || Err(self.window.refuse_at(at, RefusalKind::TooLarge, LONG));
        let last = match self.finder.advance(&self.window, DEPTH_MAX)? {
            Find::Complete(last) => last,
            Find::More if self.window.indexed() - at > UNIT_BYTES_MAX => return long(),
            Find::More => return Ok(false),
        };
        let (from, end) = self.window.unit_span(last);
        if end - from > UNIT_BYTES_MAX {
            return long();
        }
        self.begin(from);
        let unit = self.window.unit(last)?;
        self.walk.depth = self.frames.len();
        let Some(frame) = self.frames.last_mut() else { return Err(unit.unexpected(0)) };
        let close = unit.closing_quote(0)?;
        let mut decoded = String::new();
        let text = if close == 1 {
            key_slice(&unit, 0, close)
        } else {
            decode(&unit, 0, close, &mut decoded)?;
            &decoded
        };
        let role = frame.role.of_key(text);
        if frame.seen & role.once() != 0 {
            return Err(unit.refuse(from, RefusalKind::DuplicateMember, TWICE));
        }
        frame.seen |= role.once();
        if frame.role == Role::Document {
            self.kind.key(text, self.window.offset(from))?;
        }
        let verdict = self.walk.key(&unit, 0, close, frame.ctx.flat)?;
        self.walk.pointer.prefix_last(key_slice(&unit, 0, close));
        frame.child = (role, self.walk.child_ctx(frame.role, role, verdict, &frame.ctx));
        frame.expect = Expect::Colon;
        self.end(last, end);
        Ok(true)
    }

    /// A member of a resource's header on the short way (`quiet.rs`), if it is complete and its value holds nothing.
    fn quiet_field(&mut self) -> bool {
        let Some(frame) = self.frames.last_mut().filter(|frame| frame.role == Role::Resource) else {
            return false;
        };
        if L::COLLECTS {
            return false;
        }
        while self.window.pending().len() < FIELD_TOKENS_MAX && self.window.index_more() {}
        let pending = self.window.pending();
        let byte = |token: usize| pending.get(token).map(|at| self.window.byte_at(*at));
        let opens = [byte(0), byte(1), byte(2), byte(3)];
        if opens != [Some(b'"'), Some(b'"'), Some(b':'), Some(b'"')] {
            return false;
        }
        let Some(close) = (4..FIELD_TOKENS_MAX).find(|token| byte(*token) == Some(b'"')) else {
            return false;
        };
        let Ok(unit) = self.window.unit(close) else { return false };
        let role = frame.role.of_key(key_slice(&unit, 0, 1));
        let ctx = self.walk.child_ctx(frame.role, role, KeyVerdict::Plain, &frame.ctx);
        if !matches!(role, Role::Field(_))
            || frame.seen & role.once() != 0
            || !self.walk.quiet_field(&unit, &ctx)
        {
            return false;
        }
        if role == Role::Field(Field::Type) {
            self.walk.of_type(Some(key_slice(&unit, 3, close)));
        }
        frame.seen |= role.once();
        frame.expect = Expect::CommaOrEnd;
        frame.index += 1;
        let end = unit.end_of(close);
        self.end(close, end);
        true
    }

    /// A value of the top frame.
    pub(super) fn value(&mut self, at: usize, byte: u8) -> Result<bool, Refusal> {
        let Some(frame) = self.frames.last_mut() else { return Err(self.unexpected(at)) };
        if frame.expect == Expect::FirstOrEnd {
            frame.expect = Expect::Value;
        }
        let (role, ctx) = if frame.object {
            frame.child
        } else {
            let role = frame.role.of_element();
            (role, frame.ctx)
        };
        if let Some(bracket) = role.bracket() {
            if byte == bracket {
                return self.descend(role, ctx, at, byte);
            }
            if !(byte == b'n' && role.may_be_null()) {
                return Err(self.misshapen(at, byte));
            }
        }
        if role == Role::Instance && byte == b'{' && self.followed(at)? {
            return Ok(true);
        }
        let depth_max = DEPTH_MAX - self.frames.len();
        match self.finder.advance(&self.window, depth_max)? {
            Find::Complete(last) => {
                let (from, end) = self.window.unit_span(last);
                if Self::is_oversize(end - from, last) {
                    return self.go_down(role, ctx, at, byte);
                }
                self.unit(role, &ctx, last)?;
                Ok(true)
            }
            Find::More if Self::is_oversize(self.finder.bytes(&self.window), self.finder.tokens()) => {
                self.go_down(role, ctx, at, byte)
            }
            Find::More => Ok(false),
        }
    }

    /// Neither the container that belongs here nor, where it may be, null.
    fn misshapen(&self, at: usize, byte: u8) -> Refusal {
        if matches!(byte, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            self.window.refuse_at(at, RefusalKind::NotAStateV4, SHAPE)
        } else {
            self.unexpected(at)
        }
    }

    /// Goes down into a container that is not held.
    pub(super) fn descend(&mut self, role: Role, ctx: Ctx, at: usize, byte: u8) -> Result<bool, Refusal> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(self.window.refuse_at(at, RefusalKind::TooDeep, "nested deeper than 512 levels"));
        }
        self.index_prefix();
        if role == Role::Instances {
            self.wanted = self.listener.instances_begin();
        }
        self.open(role, ctx, at, byte);
        Ok(true)
    }

    /// The pointer of an element.
    pub(super) fn index_prefix(&mut self) {
        if let Some(frame) = self.frames.last()
            && !frame.object
        {
            self.walk.pointer.cut_prefix(frame.prefix);
            self.walk.pointer.prefix_index(frame.index);
        }
    }

    /// The output is brought up to a position; what follows is decided by the walk.
    pub(super) fn begin(&mut self, from: usize) {
        self.flush(from);
        self.walk.copied = from;
        if L::COLLECTS {
            self.walk.out.clear();
        }
    }

    /// The walk is through with the tokens up to `last`.
    fn end(&mut self, last: usize, end: usize) {
        self.window.consume(last + 1);
        self.done = end;
        self.finder.reset();
    }

    /// A complete value below the cap.
    fn unit(&mut self, role: Role, ctx: &Ctx, last: usize) -> Result<(), Refusal> {
        let (from, end) = self.window.unit_span(last);
        self.begin(from);
        self.index_prefix();
        self.walk.depth = self.frames.len();
        if L::COLLECTS {
            self.walk.emit = match role {
                Role::Instance => self.wanted,
                Role::Field(_) => true,
                Role::Member(_) => self.wanted && self.oversize.keeps(role),
                _ => false,
            };
        }
        let unit = self.window.unit(last)?;
        let mut parts = super::members::InstanceParts::default();
        match role {
            Role::Instance => {
                parts = self.walk.instance(&unit, self.finder.member_ends(), &mut self.places)?;
            }
            Role::Output => {
                self.walk.output(&unit, self.finder.member_ends(), &mut self.places, ctx.verdict)?;
            }
            Role::Member(super::roles::Member::IndexKey) => {
                self.walk.index_key(&unit, 0)?;
            }
            _ => self.walk.unit(&unit, ctx)?,
        }
        self.walk.pointer.clear_segs();
        let raw = unit.slice(from, end);
        match role {
            Role::Field(Field::Version) => self.kind.version(raw, self.window.offset(from))?,
            Role::Field(Field::TerraformVersion) => {
                self.walk.marked = schema_marks::writes_marks(raw.trim_matches('"'));
            }
            Role::Field(Field::Type) => self.walk.of_type(Some(raw.trim_matches('"'))),
            _ => {}
        }
        if L::COLLECTS {
            if self.walk.emit {
                self.walk.out.extend_from_slice(unit.slice(self.walk.copied, end).as_bytes());
                self.walk.copied = end;
            }
            match role {
                Role::Instance => self.listener.instance(&self.walk.out, parts.index_key, parts.deposed)?,
                Role::Field(field) => self.listener.field(field, raw, &self.walk.out)?,
                Role::Member(_) => self.oversize.take(role, raw, &self.walk.out),
                _ => {}
            }
        }
        self.end(last, end);
        self.value_done();
        Ok(())
    }

    /// A value above the cap.
    fn go_down(&mut self, role: Role, ctx: Ctx, at: usize, byte: u8) -> Result<bool, Refusal> {
        self.walk.needs_walk();
        let bounded = matches!(role, Role::Field(_) | Role::Member(super::roles::Member::IndexKey));
        match byte {
            b'{' | b'[' if !bounded => {
                if role == Role::Instance {
                    self.oversize.begin();
                }
                self.descend(role, ctx, at, byte)
            }
            b'"' if !bounded => {
                self.begin(at);
                self.index_prefix();
                self.skip_begin(at, &ctx);
                Ok(true)
            }
            _ => Err(self.window.refuse_at(at, RefusalKind::TooLarge, LONG)),
        }
    }

    fn skip_begin(&mut self, at: usize, _ctx: &Ctx) {
        self.flush(at + 1);
        self.walk.write_marker(self.walk.rules.oversize_rule());
        self.window.consume(1);
        self.done = at + 1;
        self.walk.copied = at + 1;
        self.phase = Phase::Skipping(self.window.offset(at + 1));
    }

    /// Inside of a string above the cap: its end is looked for, its text is not.
    pub(super) fn skip(&mut self, from: u64) -> Result<bool, Refusal> {
        while let Some((at, byte)) = self.window.peek() {
            self.window.consume(1);
            self.done = at;
            self.walk.copied = at;
            match byte {
                b'"' => {
                    let bytes = usize::try_from(self.window.offset(at) - from).unwrap_or(usize::MAX);
                    self.walk.report_oversize(bytes);
                    self.done = at + 1;
                    self.phase = Phase::Inside;
                    self.value_done();
                    return Ok(true);
                }
                b'\\' => {}
                _ => {
                    let detail = "a string holds a control character; escape it";
                    return Err(self.window.refuse_at(at, RefusalKind::NotJson, detail));
                }
            }
        }
        Ok(false)
    }
}
