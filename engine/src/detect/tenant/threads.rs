//! Exact matching: all threads of an automaton side by side, one byte at a time.
//!
//! Linear in text times automaton, and counted: a search that takes more steps than its fuel is given up, which the
//! caller turns into a redaction. Must never go back in the text.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;

/// Steps for each byte of text, for one pattern. A plain format stays below fifty.
const STEPS_PER_BYTE: usize = 256;
/// Steps that any text may take.
const STEPS_MIN: usize = 64 * 1024;

/// The search was given up: nothing is known of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spent;

/// Steps that are left.
pub(super) struct Fuel(usize);

impl Fuel {
    /// For one pattern on a text.
    pub(super) fn for_text(bytes: usize) -> Self {
        Self(STEPS_MIN.saturating_add(bytes.saturating_mul(STEPS_PER_BYTE)))
    }

    #[inline]
    fn step(&mut self) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(1).ok_or(Spent)?;
        Ok(())
    }
}

/// A set of states with where their thread began, in order of preference.
#[derive(Default)]
struct Set {
    order: Vec<(StateID, usize)>,
    /// Place in `order` of each state.
    place: Vec<u32>,
}

impl Set {
    fn reset(&mut self, states: usize) {
        self.order.clear();
        self.place.resize(states, 0);
    }

    fn insert(&mut self, id: StateID, start: usize) -> bool {
        let at = self.place.get(id.as_usize()).and_then(|at| usize::try_from(*at).ok()).unwrap_or(usize::MAX);
        if self.order.get(at).is_some_and(|there| there.0 == id) {
            return false;
        }
        if let (Some(place), Ok(at)) = (self.place.get_mut(id.as_usize()), u32::try_from(self.order.len())) {
            *place = at;
        }
        self.order.push((id, start));
        true
    }
}

/// Buffers of the threads; fit every automaton.
#[derive(Default)]
pub(super) struct Threads {
    now: Set,
    next: Set,
    stack: Vec<StateID>,
}

impl Threads {
    /// The leftmost match of the pattern that begins at `begin`, from `at` on; of those the preferred one, as Rust's
    /// regular expressions prefer.
    pub(super) fn find(
        &mut self,
        nfa: &NFA,
        begin: StateID,
        text: &[u8],
        at: usize,
        fuel: &mut Fuel,
    ) -> Result<Option<(usize, usize)>, Spent> {
        let Self { now, next, stack } = self;
        now.reset(nfa.states().len());
        next.reset(nfa.states().len());
        stack.clear();
        let mut found = None;
        for pos in at..=text.len() {
            if found.is_none() {
                follow(nfa, now, stack, begin, pos, text, pos, fuel)?;
            } else if now.order.is_empty() {
                break;
            }
            for index in 0..now.order.len() {
                let (id, start) = now.order[index];
                fuel.step()?;
                if matches!(nfa.state(id), State::Match { .. }) {
                    found = Some((start, pos));
                    break;
                }
                if let Some(to) = moves(nfa.state(id), text, pos) {
                    follow(nfa, next, stack, to, start, text, pos + 1, fuel)?;
                }
            }
            std::mem::swap(now, next);
            next.order.clear();
        }
        Ok(found)
    }

    /// Calls back for every pattern that matches: anywhere (`begin` is the unanchored start), or the whole text.
    pub(super) fn which(
        &mut self,
        nfa: &NFA,
        begin: StateID,
        whole: bool,
        text: &[u8],
        fuel: &mut Fuel,
        mut matched: impl FnMut(usize),
    ) -> Result<(), Spent> {
        let Self { now, next, stack } = self;
        now.reset(nfa.states().len());
        next.reset(nfa.states().len());
        stack.clear();
        follow(nfa, now, stack, begin, 0, text, 0, fuel)?;
        for pos in 0..=text.len() {
            for index in 0..now.order.len() {
                let id = now.order[index].0;
                fuel.step()?;
                if let State::Match { pattern_id } = nfa.state(id) {
                    if !whole || pos == text.len() {
                        matched(pattern_id.as_usize());
                    }
                } else if let Some(to) = moves(nfa.state(id), text, pos) {
                    follow(nfa, next, stack, to, 0, text, pos + 1, fuel)?;
                }
            }
            if next.order.is_empty() {
                return Ok(());
            }
            std::mem::swap(now, next);
            next.order.clear();
        }
        Ok(())
    }
}

/// Where a state goes by the byte at `pos`.
#[inline]
fn moves(state: &State, text: &[u8], pos: usize) -> Option<StateID> {
    let byte = *text.get(pos)?;
    match state {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(sparse) => sparse.matches_byte(byte),
        State::Dense(dense) => dense.matches_byte(byte),
        _ => None,
    }
}

/// Adds a state and all that is reached from it without reading, in order of preference.
#[expect(
    clippy::too_many_arguments,
    reason = "the loose parts of one step; a struct of them would live for one call"
)]
fn follow(
    nfa: &NFA,
    set: &mut Set,
    stack: &mut Vec<StateID>,
    from: StateID,
    start: usize,
    text: &[u8],
    pos: usize,
    fuel: &mut Fuel,
) -> Result<(), Spent> {
    stack.push(from);
    while let Some(id) = stack.pop() {
        fuel.step()?;
        if !set.insert(id, start) {
            continue;
        }
        match nfa.state(id) {
            State::Look { look, next } if nfa.look_matcher().matches(*look, text, pos) => stack.push(*next),
            State::Union { alternates } => stack.extend(alternates.iter().rev()),
            State::BinaryUnion { alt1, alt2 } => stack.extend([*alt2, *alt1]),
            State::Capture { next, .. } => stack.push(*next),
            _ => {}
        }
    }
    Ok(())
}
