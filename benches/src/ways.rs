//! The ways through a state that are measured, ours and the yardsticks.
//! Must never keep the output: it is dropped chunk by chunk, as if it were written.

use std::hint::black_box;
use std::sync::Arc;

use serde::de::IgnoredAny;
use simd_json::Buffers;
use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::refusal::Refusal;
use terrasift_engine::scan::{DEPTH_MAX, Find, Finder, Window};
use terrasift_engine::sift::{Pipeline, Redactor, SiftJob, SiftedState, StateSift, Survey, TaintPass};

/// First of two passes.
///
/// # Errors
/// When the state is refused.
pub fn taint<C: AsRef<[u8]>>(
    rules: &Arc<RuleSet>,
    chunks: impl IntoIterator<Item = C>,
) -> Result<Survey, Refusal> {
    let mut pass = TaintPass::new(rules, [7; 16]);
    for chunk in chunks {
        pass.push(chunk.as_ref())?;
    }
    pass.finish()
}

/// `terrasift sanitize FILE`: learns what is secret, then redacts. `chunks` is asked twice for the state.
///
/// # Errors
/// When the state is refused.
pub fn two_pass<C, I>(rules: &Arc<RuleSet>, chunks: impl Fn() -> I) -> Result<(), Refusal>
where
    C: AsRef<[u8]>,
    I: IntoIterator<Item = C>,
{
    let taint = taint(rules, chunks())?;
    redact(Redactor::new(rules, taint, HashKey::new([9; 32])), chunks())
}

/// `terrasift sanitize --taint=forward`: one pass.
///
/// # Errors
/// When the state is refused.
pub fn forward<C: AsRef<[u8]>>(
    rules: &Arc<RuleSet>,
    chunks: impl IntoIterator<Item = C>,
) -> Result<(), Refusal> {
    redact(Redactor::forward(rules, [7; 16], HashKey::new([9; 32])), chunks)
}

fn redact<C: AsRef<[u8]>>(
    mut redactor: Redactor,
    chunks: impl IntoIterator<Item = C>,
) -> Result<(), Refusal> {
    let mut out = Vec::new();
    for chunk in chunks {
        redactor.push(chunk.as_ref(), &mut out)?;
        black_box(&out);
        out.clear();
    }
    black_box(redactor.finish(&mut out)?);
    Ok(())
}

/// The catalog's way: bytes to entities.
///
/// # Errors
/// When the state is refused.
pub fn sift<C: AsRef<[u8]>>(
    pipeline: &Arc<Pipeline>,
    job: SiftJob,
    chunks: impl IntoIterator<Item = C>,
) -> Result<SiftedState, Refusal> {
    let mut sift = StateSift::new(pipeline, job);
    for chunk in chunks {
        sift.push(chunk.as_ref())?;
    }
    sift.finish()
}

/// The positions of all tokens, and nothing else; returns their number.
#[must_use]
pub fn index(state: &[u8], chunk_bytes: usize) -> usize {
    let mut window = Window::new();
    let mut tokens = 0;
    let mut forget = |window: &mut Window| {
        let count = black_box(window.pending()).len();
        tokens += count;
        window.consume(count);
        window.compact(window.indexed());
    };
    for mut chunk in state.chunks(chunk_bytes) {
        while !chunk.is_empty() {
            chunk = window.feed(chunk);
            forget(&mut window);
        }
    }
    window.finish();
    forget(&mut window);
    tokens
}

/// Tokens, and the end of each of these values (containers, so that a last token is a last byte); returns their number.
///
/// # Errors
/// When one nests too deep.
pub fn split(values: &[u8], chunk_bytes: usize) -> Result<usize, Refusal> {
    let (mut window, mut finder, mut found) = (Window::new(), Finder::default(), 0);
    for mut chunk in values.chunks(chunk_bytes) {
        while !chunk.is_empty() {
            chunk = window.feed(chunk);
            found += cut(&mut window, &mut finder)?;
        }
    }
    window.finish();
    Ok(found + cut(&mut window, &mut finder)?)
}

fn cut(window: &mut Window, finder: &mut Finder) -> Result<usize, Refusal> {
    let (mut found, mut done) = (0, 0);
    while let Find::Complete(last) = finder.advance(window, DEPTH_MAX)? {
        // Positions are u32 and the window is far smaller.
        done = window.pending().get(last).and_then(|at| usize::try_from(*at).ok()).map_or(done, |at| at + 1);
        window.consume(last + 1);
        finder.reset();
        found += 1;
    }
    window.compact(done);
    Ok(found)
}

/// Yardstick: serde_json reads the grammar and keeps nothing.
///
/// # Errors
/// When it is not JSON.
pub fn skip(state: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<IgnoredAny>(state).map(|ignored| {
        black_box(ignored);
    })
}

/// Yardstick: simd-json's tape of the whole. It unescapes in place, so `state` is changed.
///
/// # Errors
/// When it is not JSON.
pub fn tape(state: &mut [u8], buffers: &mut Buffers) -> Result<usize, simd_json::Error> {
    Ok(black_box(simd_json::to_tape_with_buffers(state, buffers)?).0.len())
}
