//! The document as it streams by: frames for what is never held as a whole, units for what is.
//!
//! Owns the order of members, the refusals of what is no state v4, and the way down into units above the cap. The
//! design names struson for those; it is left out because the frames below are a push parser already: an oversize
//! container becomes one more frame and its members become units, and an oversize string is skipped with its marker
//! in its place. An oversize instance's attributes cannot wait for their marks, so all their leaves are redacted.
//!
//! Must never hold more than one unit, and never let the cut into chunks change a decision.

use super::members::Place;
use super::roles::{Field, Role};
use super::walk::{Ctx, Walk};
use crate::refusal::{Refusal, RefusalKind};
use crate::scan::{DEPTH_MAX, Find, Finder, UNEXPECTED, UNIT_BYTES_MAX, UNIT_TOKENS_MAX, Window};

/// What wants to know of resources and fields while they pass. Sanitized bytes are JSON of the output.
pub(super) trait Listener {
    /// Whether sanitized bytes are collected unit by unit instead of streamed.
    const COLLECTS: bool;
    /// A scalar of the head or of a resource's header: raw and sanitized JSON.
    fn field(&mut self, field: Field, raw: &str, sanitized: &[u8]) -> Result<(), Refusal>;
    /// A resource's instances begin; false when their sanitized bytes are not wanted.
    fn instances_begin(&mut self) -> bool;
    /// An instance: sanitized JSON, raw JSON of its index key and of its deposed key.
    fn instance(
        &mut self,
        sanitized: &[u8],
        index_key: Option<&str>,
        deposed: Option<&str>,
    ) -> Result<(), Refusal>;
    /// A resource ends.
    fn resource_end(&mut self) -> Result<(), Refusal>;
    /// Bytes held.
    fn memory_bytes(&self) -> usize;
}

/// For passes that need nothing but the bytes.
pub(super) struct Nobody;

impl Listener for Nobody {
    const COLLECTS: bool = false;
    fn field(&mut self, _: Field, _: &str, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
    fn instances_begin(&mut self) -> bool {
        true
    }
    fn instance(&mut self, _: &[u8], _: Option<&str>, _: Option<&str>) -> Result<(), Refusal> {
        Ok(())
    }
    fn resource_end(&mut self) -> Result<(), Refusal> {
        Ok(())
    }
    fn memory_bytes(&self) -> usize {
        0
    }
}

/// What the grammar wants next in a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// First member or element, or the end.
    FirstOrEnd,
    /// A key (after a comma).
    Key,
    Colon,
    Value,
    CommaOrEnd,
}

/// An open container that is not held.
pub(super) struct Frame {
    pub role: Role,
    pub object: bool,
    pub expect: Expect,
    /// Of its values.
    pub ctx: Ctx,
    /// Of the value that is next.
    pub child: (Role, Ctx),
    /// Index of the next element.
    pub index: u64,
    /// Length of the pointer's prefix down to here.
    pub prefix: usize,
    /// Members that stand once only and were seen.
    pub seen: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Start,
    Inside,
    /// In a string above the cap, that began at this offset.
    Skipping(u64),
    Done,
}

/// A pass over one state.
pub(super) struct Stream<L> {
    pub window: Window,
    pub finder: Finder,
    pub frames: Vec<Frame>,
    pub phase: Phase,
    /// Position in the window up to which everything is decided.
    pub done: usize,
    pub walk: Walk,
    pub places: Vec<Place>,
    pub listener: L,
    /// Sanitized bytes of instances are wanted.
    pub wanted: bool,
    pub kind: super::kind::Kind,
    /// What is kept of an instance above the cap.
    pub oversize: super::oversize::Kept,
    /// Position in the window up to which bytes were given to the notes.
    noted: usize,
    /// Where an instance was to be followed in vain, offset in the input, and how many bytes of it there were.
    pub(super) tried: (u64, usize),
}

impl<L: Listener> Stream<L> {
    pub(super) fn new(walk: Walk, listener: L) -> Self {
        Self {
            window: Window::new(),
            finder: Finder::default(),
            frames: Vec::new(),
            phase: Phase::Start,
            done: 0,
            walk,
            places: Vec::new(),
            listener,
            wanted: true,
            kind: super::kind::Kind::default(),
            oversize: super::oversize::Kept::default(),
            noted: 0,
            tried: (0, 0),
        }
    }

    /// Takes the next bytes; sanitized bytes are appended to the walk's output.
    pub(super) fn push(&mut self, mut chunk: &[u8]) -> Result<(), Refusal> {
        while !chunk.is_empty() {
            // What is followed needs no index.
            let follows = !L::COLLECTS && self.walk.follows();
            chunk = if follows { self.window.take(chunk) } else { self.window.feed(chunk) };
            self.run()?;
        }
        Ok(())
    }

    /// The input ends.
    pub(super) fn finish(&mut self) -> Result<(), Refusal> {
        self.window.finish();
        self.run()?;
        let end = self.window.bytes().len();
        let refuse = |kind, detail| Err(self.window.refuse_at(end, kind, detail));
        match self.phase {
            Phase::Start => refuse(RefusalKind::Empty, "no state at all; look at what was meant to write it"),
            Phase::Inside | Phase::Skipping(_) => {
                refuse(RefusalKind::Truncated, "the state ends in the middle; transfer it again")
            }
            Phase::Done => {
                self.done = end;
                self.settle();
                self.kind.decide(self.window.offset(0))
            }
        }
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.window.memory_bytes()
            + self.finder.memory_bytes()
            + self.walk.memory_bytes()
            + self.frames.capacity() * size_of::<Frame>()
            + self.places.capacity() * size_of::<Place>()
            + self.oversize.memory_bytes()
            + self.walk.notes.as_ref().map_or(0, super::notes::Notes::memory_bytes)
            + self.listener.memory_bytes()
    }

    pub(super) fn run(&mut self) -> Result<(), Refusal> {
        loop {
            while self.step()? {}
            if !self.window.index_more() {
                break;
            }
        }
        if self.window.peek().is_none() {
            // Nothing but white space is left, or the inside of a skipped string.
            self.done = self.window.indexed();
            if matches!(self.phase, Phase::Skipping(_)) {
                self.walk.copied = self.done;
            }
        }
        self.settle();
        Ok(())
    }

    /// Hands on what is decided and forgets it.
    fn settle(&mut self) {
        if self.done == 0 {
            return;
        }
        self.flush(self.done);
        self.note(self.done);
        self.noted = 0;
        self.window.compact(self.done);
        self.done = 0;
        self.walk.copied = 0;
    }

    /// Gives bytes up to a position to the notes.
    fn note(&mut self, to: usize) {
        if let Some(notes) = &mut self.walk.notes {
            notes.take(&self.window.bytes()[self.noted..to]);
            self.noted = to;
        }
    }

    /// Copies the input up to a position, unless only units are collected.
    pub(super) fn flush(&mut self, to: usize) {
        if self.walk.emit && !L::COLLECTS {
            self.walk.out.extend_from_slice(&self.window.bytes()[self.walk.copied..to]);
        }
        self.walk.copied = to;
    }

    /// One step of the grammar; false when more bytes are needed.
    fn step(&mut self) -> Result<bool, Refusal> {
        if let Phase::Skipping(from) = self.phase {
            return self.skip(from);
        }
        if self.window.pending().is_empty() && self.ride()? {
            return Ok(true);
        }
        let Some((at, byte)) = self.window.peek() else { return Ok(false) };
        let Some(frame) = self.frames.last() else {
            return if self.phase == Phase::Start { self.start(at, byte) } else { Err(self.trailing(at)) };
        };
        match (frame.expect, byte) {
            (Expect::FirstOrEnd | Expect::CommaOrEnd, b'}' | b']') => self.close(at, byte),
            (Expect::FirstOrEnd | Expect::Key, b'"') if frame.object => self.key(),
            (Expect::FirstOrEnd | Expect::Value, _)
                if !(frame.object && frame.expect == Expect::FirstOrEnd) =>
            {
                self.value(at, byte)
            }
            (Expect::Colon, b':') => Ok(self.pass(at, Expect::Value)),
            (Expect::CommaOrEnd, b',') => {
                let next = if frame.object { Expect::Key } else { Expect::Value };
                Ok(self.pass(at, next))
            }
            _ => Err(self.unexpected(at)),
        }
    }

    /// Takes a token that only the grammar cares about.
    fn pass(&mut self, at: usize, next: Expect) -> bool {
        self.window.consume(1);
        self.done = at + 1;
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = next;
        }
        self.finder.reset();
        true
    }

    /// The document's first token.
    fn start(&mut self, at: usize, byte: u8) -> Result<bool, Refusal> {
        if byte == b'{' {
            self.open(Role::Document, Ctx::PLAIN, at, byte);
            self.phase = Phase::Inside;
            return Ok(true);
        }
        let refuse = |kind, detail| Err(self.window.refuse_at(at, kind, detail));
        match self.window.bytes_from(at) {
            [0xef, 0xbb, 0xbf, ..] => refuse(
                RefusalKind::NotJson,
                "a byte order mark stands before the state; remove the byte order mark",
            ),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                refuse(RefusalKind::NotJson, "UTF-16; store the state as UTF-8")
            }
            _ => self.stranger(at, byte),
        }
    }

    /// Something that is no object. Its grammar is looked at, so that the refusal is right.
    fn stranger(&mut self, at: usize, byte: u8) -> Result<bool, Refusal> {
        let detail =
            "JSON, but no Terraform state: a state is an object; pull it with `terraform state pull`";
        let other = self.window.refuse_at(at, RefusalKind::NotAStateV4, detail);
        self.walk.emit = false;
        let found = match self.finder.advance(&self.window, DEPTH_MAX)? {
            // Nothing follows that could tell whether it was cut, and it is no state either way.
            Find::More if self.window.is_finished() && !matches!(byte, b'[' | b'"') => Find::Complete(0),
            found => found,
        };
        match found {
            Find::Complete(last) => {
                let unit = self.window.unit(last)?;
                self.walk.copied = at;
                self.walk.unit(&unit, &Ctx::PLAIN)?;
                Err(other)
            }
            Find::More if self.window.indexed() - at > UNIT_BYTES_MAX => Err(other),
            Find::More if self.window.is_finished() => {
                let detail = "the state ends in the middle; transfer it again";
                Err(self.window.refuse_at(at, RefusalKind::Truncated, detail))
            }
            Find::More => Ok(false),
        }
    }

    /// Opens a frame on the bracket at a position.
    pub(super) fn open(&mut self, role: Role, ctx: Ctx, at: usize, byte: u8) {
        self.window.consume(1);
        self.done = at + 1;
        self.enter(role, ctx, byte);
    }

    /// What stands behind a bracket that was taken belongs to a frame of its own.
    pub(super) fn enter(&mut self, role: Role, ctx: Ctx, byte: u8) {
        self.finder.reset();
        if role == Role::Resources {
            self.note(self.done);
            if let Some(notes) = &mut self.walk.notes {
                notes.begin(self.window.offset(self.done));
            }
        }
        self.frames.push(Frame {
            role,
            object: byte == b'{',
            expect: Expect::FirstOrEnd,
            ctx,
            child: (Role::Data, ctx),
            index: 0,
            prefix: self.walk.pointer.prefix_len(),
            seen: 0,
        });
    }

    fn close(&mut self, at: usize, byte: u8) -> Result<bool, Refusal> {
        if self.frames.last().is_none_or(|frame| (byte == b'}') != frame.object) {
            return Err(self.unexpected(at));
        }
        self.window.consume(1);
        self.leave(at)?;
        Ok(true)
    }

    /// The top frame's bracket stands at a position and was taken.
    pub(super) fn leave(&mut self, at: usize) -> Result<(), Refusal> {
        let Some(frame) = self.frames.pop() else { return Err(self.unexpected(at)) };
        self.walk.names.leave(self.frames.len() + 1);
        self.done = at + 1;
        match frame.role {
            Role::Resource => {
                self.note(self.done);
                if let Some(notes) = &mut self.walk.notes {
                    notes.end(self.window.offset(at + 1));
                }
                self.walk.names.leave_resource();
                self.walk.of_type(None);
                self.wanted = true;
                self.listener.resource_end()?;
            }
            Role::Instance => self.oversize_instance_end()?,
            _ => {}
        }
        self.value_done();
        Ok(())
    }

    /// A value of the top frame is complete.
    pub(super) fn value_done(&mut self) {
        self.finder.reset();
        match self.frames.last_mut() {
            None => self.phase = Phase::Done,
            Some(frame) => {
                frame.expect = Expect::CommaOrEnd;
                frame.index += 1;
                self.walk.pointer.cut_prefix(frame.prefix);
            }
        }
    }

    /// Whether a value that is not complete, or just became so, is above the cap.
    pub(super) fn is_oversize(bytes: usize, tokens: usize) -> bool {
        bytes > UNIT_BYTES_MAX || tokens > UNIT_TOKENS_MAX
    }

    pub(super) fn unexpected(&self, at: usize) -> Refusal {
        self.window.refuse_at(at, RefusalKind::NotJson, UNEXPECTED)
    }

    fn trailing(&self, at: usize) -> Refusal {
        let detail = "something stands after the state's end; remove it";
        self.window.refuse_at(at, RefusalKind::TrailingBytes, detail)
    }
}
