//! The second of two passes over what the first one noted: a resource is copied with its redactions unless it holds a copy
//! of a secret, or is not the one that was seen.
//!
//! Holds one resource of at most a mebibyte. Must never write a byte of one before its fingerprint and all known secrets
//! were compared; whatever is in doubt is walked.

use super::notes::{Notes, Region};
use super::roles::Role;
use super::stream::{Expect, Listener, Phase, Stream};
use crate::refusal::Refusal;
use crate::taint::Copies;

/// Where a second pass stands in the notes.
pub(super) struct Replay {
    notes: Notes,
    /// The next region.
    region: usize,
    /// The next region's first edit.
    edit: usize,
    mode: Mode,
    /// Bytes of the input so far.
    at: u64,
    /// Begin of a region that is not complete.
    held: Vec<u8>,
    copies: Copies,
}

#[derive(Clone, Copy)]
enum Mode {
    /// Bytes are walked up to this offset; then a region begins.
    Walk(u64),
    /// A region that can be replayed.
    Region,
    /// No notes are left, or they are not trusted.
    Rest,
}

impl Replay {
    pub(super) fn new(notes: Notes) -> Self {
        let mode = match notes.start {
            Some(start) if !notes.regions.is_empty() => Mode::Walk(start),
            _ => Mode::Rest,
        };
        Self { notes, region: 0, edit: 0, mode, at: 0, held: Vec::new(), copies: Copies::default() }
    }

    /// Takes the next bytes.
    pub(super) fn push<L: Listener>(
        &mut self,
        stream: &mut Stream<L>,
        mut chunk: &[u8],
    ) -> Result<(), Refusal> {
        while !chunk.is_empty() {
            chunk = match self.mode {
                Mode::Rest => {
                    stream.push(chunk)?;
                    &[]
                }
                Mode::Walk(until) => {
                    let (now, rest) = cut(chunk, until - self.at);
                    stream.push(now)?;
                    self.at += u64::try_from(now.len()).unwrap_or(0);
                    if self.at == until {
                        self.next(stream)?;
                    }
                    rest
                }
                Mode::Region => self.region(stream, chunk)?,
            };
        }
        Ok(())
    }

    /// The input ends: what is held is walked.
    pub(super) fn finish<L: Listener>(&mut self, stream: &mut Stream<L>) -> Result<(), Refusal> {
        stream.push(&std::mem::take(&mut self.held))
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        self.notes.memory_bytes() + self.held.capacity() + self.copies.memory_bytes()
    }

    /// A region ends here, or the first one begins.
    fn next<L: Listener>(&mut self, stream: &mut Stream<L>) -> Result<(), Refusal> {
        if !stream.pause()? {
            self.mode = Mode::Rest;
            return Ok(());
        }
        self.mode = match self.notes.regions.get(self.region) {
            None => Mode::Rest,
            Some(region) if region.walk => {
                self.region += 1;
                Mode::Walk(self.at + region.len)
            }
            Some(_) => Mode::Region,
        };
        Ok(())
    }

    fn region<'c, L: Listener>(
        &mut self,
        stream: &mut Stream<L>,
        chunk: &'c [u8],
    ) -> Result<&'c [u8], Refusal> {
        let region = self.notes.regions[self.region];
        let (now, rest) = cut(chunk, region.len - u64::try_from(self.held.len()).unwrap_or(0));
        let complete = u64::try_from(self.held.len() + now.len()).unwrap_or(0) == region.len;
        if self.held.is_empty() && complete {
            self.settle(stream, region, now)?;
            return Ok(rest);
        }
        self.held.extend_from_slice(now);
        if complete {
            let mut held = std::mem::take(&mut self.held);
            self.settle(stream, region, &held)?;
            held.clear();
            self.held = held;
        }
        Ok(rest)
    }

    /// A complete region: replayed or walked.
    fn settle<L: Listener>(
        &mut self,
        stream: &mut Stream<L>,
        region: Region,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        self.region += 1;
        self.at += region.len;
        let first = self.edit;
        let last = first + usize::try_from(region.edits).unwrap_or(0);
        self.edit = last;
        if !self.notes.knows(region, bytes) {
            // The state changed between the passes: from here on nothing that was noted holds.
            self.mode = Mode::Rest;
            return stream.push(bytes);
        }
        let edits = &self.notes.edits[first..last];
        let end_of = |edit: &super::notes::Edit| usize::try_from(edit.at + edit.len).unwrap_or(0);
        let covered = |start: usize, end: usize| {
            let edit = edits.get(edits.partition_point(|edit| end_of(edit) < end));
            edit.is_some_and(|edit| usize::try_from(edit.at).unwrap_or(0) <= start)
        };
        let listed =
            stream.walk.tally.is_open() && (first..last).any(|edit| self.notes.pointer(edit).is_none());
        if listed || self.copies.outside(&stream.walk.taint, bytes, covered) {
            stream.push(bytes)?;
            return self.next(stream);
        }
        stream.pass_over(bytes.len());
        let walk = &mut stream.walk;
        let mut copied = 0;
        for index in first..last {
            let edit = self.notes.edits[index];
            let from = usize::try_from(edit.at).unwrap_or(0);
            walk.out.extend_from_slice(&bytes[copied..from]);
            walk.marker(edit.rule, edit.quoted);
            copied = from + usize::try_from(edit.len).unwrap_or(0);
            let pointer = || self.notes.pointer(index).unwrap_or_default().to_owned();
            walk.tally.add(&walk.rules, edit.rule, usize::try_from(edit.bytes).unwrap_or(0), pointer);
        }
        walk.out.extend_from_slice(&bytes[copied..]);
        if self.notes.regions.get(self.region).is_none_or(|region| region.walk) {
            return self.next(stream);
        }
        Ok(())
    }
}

/// At most `count` bytes, and the rest.
fn cut(chunk: &[u8], count: u64) -> (&[u8], &[u8]) {
    chunk.split_at(usize::try_from(count).map_or(chunk.len(), |count| count.min(chunk.len())))
}

impl<L: Listener> Stream<L> {
    /// Brings everything up to date between two elements of the list of resources. False: the stream is somewhere else.
    fn pause(&mut self) -> Result<bool, Refusal> {
        if !self.window.pause() {
            return Ok(false);
        }
        self.run()?;
        Ok(self.between_resources() && self.window.bytes().is_empty())
    }

    /// Between two elements of the list of resources.
    fn between_resources(&self) -> bool {
        self.phase == Phase::Inside
            && self.frames.last().is_some_and(|frame| {
                frame.role == Role::Resources
                    && matches!(frame.expect, Expect::FirstOrEnd | Expect::CommaOrEnd)
            })
    }

    /// Passes over one resource that was not walked.
    fn pass_over(&mut self, bytes: usize) {
        self.window.skip(bytes);
        self.value_done();
    }
}
