//! The frames of resources and instances by their bytes, as long as nothing is indexed: from one instance that is followed
//! (`follow.rs`) to the next.
//!
//! Must never take a byte that the grammar (`stream.rs`) would refuse there: what is not expected is left to it.

use super::roles::Role;
use super::schema_marks;
use super::stream::{Expect, Listener, Stream};
use super::walk::Ctx;
use crate::refusal::Refusal;

impl<L: Listener> Stream<L> {
    /// One step of the grammar where nothing is indexed; false when it has to be taken by tokens.
    pub(super) fn ride(&mut self) -> Result<bool, Refusal> {
        if L::COLLECTS || !self.walk.follows() {
            return Ok(false);
        }
        let Some(frame) = self.frames.last() else { return Ok(false) };
        let (role, expect) = (frame.role, frame.expect);
        if !matches!(role, Role::Resources | Role::Resource | Role::Instances) {
            return Ok(false);
        }
        let from = self.window.indexed();
        let white = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\t' | b'\r');
        let Some(behind) = self.window.bytes_from(from).iter().position(|byte| !white(byte)) else {
            return Ok(false);
        };
        let at = from + behind;
        let byte = self.window.bytes()[at];
        match (role, expect, byte) {
            (Role::Instances | Role::Resources, Expect::CommaOrEnd, b',') => {
                self.window.jump(at + 1);
                self.done = at + 1;
                if let Some(frame) = self.frames.last_mut() {
                    frame.expect = Expect::Value;
                }
                Ok(true)
            }
            (Role::Instances, Expect::FirstOrEnd | Expect::Value, b'{') => self.followed(at),
            (Role::Resources, Expect::FirstOrEnd | Expect::Value, b'{') => Ok(self.header(at)),
            (Role::Instances, Expect::CommaOrEnd, b']') | (Role::Resource, Expect::CommaOrEnd, b'}') => {
                self.window.jump(at + 1);
                self.leave(at)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether the instance at a position is there as a whole, and holds nothing but what could be followed.
    ///
    /// # Errors
    /// More is known than can be remembered.
    pub(super) fn followed(&mut self, at: usize) -> Result<bool, Refusal> {
        if L::COLLECTS || !self.walk.follows() || !self.tries(at) {
            return Ok(false);
        }
        let Some(followed) = self.walk.follow(self.window.bytes_from(at)) else { return Ok(false) };
        self.begin(at);
        self.index_prefix();
        if !self.walk.pending.is_empty() {
            self.walk.settle_pending(self.window.bytes_from(at), self.window.offset(at))?;
        }
        self.done = at + followed.end;
        self.window.jump(self.done);
        self.value_done();
        Ok(true)
    }

    /// Tried again only when there is twice as much of it: a state that comes byte by byte costs no more than that.
    fn tries(&mut self, at: usize) -> bool {
        let (offset, bytes) = (self.window.offset(at), self.window.bytes_from(at).len());
        if self.tried.0 == offset && bytes / 2 < self.tried.1 {
            return false;
        }
        self.tried = (offset, bytes);
        true
    }

    /// Whether the resource at a position could be followed to where its instances begin.
    fn header(&mut self, at: usize) -> bool {
        if !self.tries(at) {
            return false;
        }
        let Some(followed) = self.walk.follow_header(self.window.bytes_from(at)) else { return false };
        if !self.walk.pending.is_empty() {
            return false;
        }
        self.begin(at);
        self.index_prefix();
        if let Some(frame) = self.frames.last_mut() {
            frame.expect = Expect::Value;
        }
        self.done = at + followed.end;
        self.window.jump(self.done);
        self.enter(Role::Resource, Ctx::PLAIN, b'{');
        if let Some(frame) = self.frames.last_mut() {
            frame.seen = followed.seen;
            frame.expect = Expect::Value;
            frame.child = (Role::Instances, Ctx::PLAIN);
        }
        self.walk.of_type(schema_marks::type_of(&self.window.bytes()[at..self.done]));
        self.walk.pointer.prefix_last("instances");
        self.wanted = self.listener.instances_begin();
        self.enter(Role::Instances, Ctx::PLAIN, b'[');
        true
    }
}
