//! Counts what is taken from the heap while instances pass.
//!
//! Owns the allocator that counts and the ways that are counted. Must never count what the caller itself takes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::refusal::Refusal;
use terrasift_engine::sift::{Redactor, TaintPass};

use crate::plain;

/// The system's allocator, counting. A program that counts makes it its global one.
pub struct Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that ends counts no more.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
}

// SAFETY: hands every call on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is the same.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// Allocations of this thread so far; 0 for ever unless [`Counting`] is the global allocator.
#[must_use]
pub fn taken() -> u64 {
    TAKEN.with(Cell::get)
}

/// Instances in the state that is counted.
pub const INSTANCES: usize = 2000;
/// Instances that warm everything up: so many values fill the engine's first, small tables, which are exchanged then.
pub const WARM: usize = 1000;

/// Allocations of each way through the state, over all instances behind the warm ones.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// First of two passes.
    pub taint: u64,
    /// Second of two passes.
    pub redact: u64,
    /// One pass.
    pub forward: u64,
    /// Bytes of an instance.
    pub instance_bytes: usize,
}

impl Taken {
    /// Instances that were counted.
    pub const COUNTED: usize = INSTANCES - WARM;
}

/// Counts all ways.
///
/// # Errors
/// The state is refused: the generator above is wrong.
pub fn count_all(rules: &Arc<RuleSet>) -> Result<Taken, Refusal> {
    let instances: Vec<String> =
        (0..INSTANCES).map(|number| plain::instance(number, number + 1 == INSTANCES)).collect();
    let mut first = TaintPass::new(rules, [7; 16]);
    let taint = pass(&instances, |piece| first.push(piece))?;
    let survey = first.finish()?;
    let redact = redactor(&instances, Redactor::new(rules, survey, HashKey::new([9; 32])))?;
    let forward = redactor(&instances, Redactor::forward(rules, [7; 16], HashKey::new([9; 32])))?;
    Ok(Taken { taint, redact, forward, instance_bytes: instances[WARM].len() })
}

fn redactor(instances: &[String], mut redactor: Redactor) -> Result<u64, Refusal> {
    let mut out = Vec::new();
    let taken = pass(instances, |piece| {
        out.clear();
        redactor.push(piece, &mut out)
    })?;
    redactor.finish(&mut out)?;
    Ok(taken)
}

fn pass(instances: &[String], mut push: impl FnMut(&[u8]) -> Result<(), Refusal>) -> Result<u64, Refusal> {
    push(plain::HEAD.as_bytes())?;
    for instance in &instances[..WARM] {
        push(instance.as_bytes())?;
    }
    let before = taken();
    for instance in &instances[WARM..] {
        push(instance.as_bytes())?;
    }
    let counted = taken() - before;
    push(plain::TAIL.as_bytes())?;
    Ok(counted)
}
