//! Several patterns as one automaton: a fast look that says which of them may match, and exact spans for those.
//!
//! The automaton is shared; what the fast look learns while it runs is kept in the caller's scratch, bounded. Must never
//! miss a match: whenever the fast look gives up, all patterns may match.

use std::sync::Arc;

use regex_automata::hybrid::dfa;
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::primitives::PatternID;
use regex_automata::{Anchored, Input, MatchKind, PatternSet};
use regex_syntax::hir::Hir;

use super::threads::{Fuel, Spent, Threads};

/// What the fast look may learn for one worker, in bytes.
const LEARNT_MAX: usize = 512 * 1024;

/// Compiled patterns; an index is the place in the list they were made from.
pub(super) struct Patterns {
    nfa: NFA,
    look: Option<dfa::DFA>,
    /// Bytes of the shortest match of any.
    shortest: usize,
}

/// Buffers for one set of patterns.
pub(in crate::detect) struct Buffers {
    /// Whom they fit.
    of: Arc<Patterns>,
    learnt: Option<dfa::Cache>,
    maybe: PatternSet,
}

/// Buffers of one worker.
#[derive(Default)]
pub(in crate::detect) struct PatternScratch {
    buffers: Option<Buffers>,
    threads: Threads,
}

impl PatternScratch {
    /// The buffers for these patterns; new ones where the scratch served others before.
    fn fitting(&mut self, patterns: &Arc<Patterns>) -> (&mut Buffers, &mut Threads) {
        if self.buffers.as_ref().is_some_and(|buffers| !Arc::ptr_eq(&buffers.of, patterns)) {
            self.buffers = None;
        }
        let buffers = self.buffers.get_or_insert_with(|| Buffers {
            of: Arc::clone(patterns),
            learnt: patterns.look.as_ref().map(dfa::DFA::create_cache),
            maybe: PatternSet::new(patterns.nfa.pattern_len()),
        });
        (buffers, &mut self.threads)
    }
}

impl Patterns {
    /// Compiles; `None` when nothing is to be compiled or, against the budget of its parts, it is too large.
    pub(super) fn compile(patterns: &[Hir], bytes_max: usize) -> Option<Self> {
        if patterns.is_empty() {
            return None;
        }
        let nfa = super::pattern::compile(patterns, bytes_max)?;
        let config = dfa::Config::new()
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .cache_capacity(LEARNT_MAX)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(8))
            .minimum_bytes_per_state(Some(8));
        let look = dfa::Builder::new().configure(config).build_from_nfa(nfa.clone()).ok();
        let shortest = patterns.iter().filter_map(|p| p.properties().minimum_len()).min().unwrap_or(0);
        Some(Self { nfa, look, shortest })
    }

    /// Whether any pattern may match somewhere.
    pub(super) fn may_match(self: &Arc<Self>, text: &str, scratch: &mut PatternScratch) -> bool {
        if text.len() < self.shortest {
            return false;
        }
        let (buffers, _) = scratch.fitting(self);
        match (&self.look, &mut buffers.learnt) {
            (Some(look), Some(learnt)) => {
                !matches!(look.try_search_fwd(learnt, &Input::new(text).earliest(true)), Ok(None))
            }
            _ => true,
        }
    }

    /// All matches of each pattern, one after the other as Rust's regular expressions find them.
    ///
    /// # Errors
    /// The text takes too many steps: it cannot be decided.
    pub(super) fn find_all(
        self: &Arc<Self>,
        text: &str,
        scratch: &mut PatternScratch,
        wanted: impl Fn(usize) -> bool,
        mut found: impl FnMut(usize, usize, usize),
    ) -> Result<(), Spent> {
        if text.len() < self.shortest {
            return Ok(());
        }
        let (buffers, threads) = scratch.fitting(self);
        buffers.maybe.clear();
        let settled = match (&self.look, &mut buffers.learnt) {
            (Some(look), Some(learnt)) => {
                look.try_which_overlapping_matches(learnt, &Input::new(text), &mut buffers.maybe).is_ok()
            }
            _ => false,
        };
        for index in 0..self.nfa.pattern_len() {
            let Ok(id) = PatternID::new(index) else { continue };
            if settled && !buffers.maybe.contains(id) || !wanted(index) {
                continue;
            }
            let Some(begin) = self.nfa.start_pattern(id) else { continue };
            let mut fuel = Fuel::for_text(text.len());
            let mut at = 0;
            while let Some((start, end)) = threads.find(&self.nfa, begin, text.as_bytes(), at, &mut fuel)? {
                found(index, start, end);
                at = end.max(start + 1);
            }
        }
        Ok(())
    }

    /// Calls back for every pattern that matches somewhere. For texts that are seen seldom: keys.
    ///
    /// # Errors
    /// As [`Patterns::find_all`].
    pub(super) fn matching(&self, text: &str, matched: impl FnMut(usize)) -> Result<(), Spent> {
        self.each(text, false, matched)
    }

    /// Calls back for every pattern that matches the whole text.
    ///
    /// # Errors
    /// As [`Patterns::find_all`].
    pub(super) fn matching_whole(&self, text: &str, matched: impl FnMut(usize)) -> Result<(), Spent> {
        self.each(text, true, matched)
    }

    fn each(&self, text: &str, whole: bool, matched: impl FnMut(usize)) -> Result<(), Spent> {
        let anchored = if whole { Anchored::Yes } else { Anchored::No };
        let begin =
            if anchored.is_anchored() { self.nfa.start_anchored() } else { self.nfa.start_unanchored() };
        let mut fuel = Fuel::for_text(text.len());
        Threads::default().which(&self.nfa, begin, whole, text.as_bytes(), &mut fuel, matched)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::{Budget, Use, parse};
    use super::*;
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    fn all(patterns: &[&str], text: &str, fast: bool) -> Vec<(usize, usize, usize)> {
        let mut budget = Budget::new();
        let parsed: Vec<_> = patterns.iter().map(|p| parse(p, Use::Find, &mut budget).unwrap()).collect();
        let mut compiled = Patterns::compile(&parsed, 1 << 20).unwrap();
        if !fast {
            compiled.look = None;
        }
        let mut found = Vec::new();
        let compiled = Arc::new(compiled);
        let mut scratch = PatternScratch::default();
        let looks = compiled.may_match(text, &mut scratch);
        compiled.find_all(text, &mut scratch, |_| true, |p, s, e| found.push((p, s, e))).unwrap();
        assert!(looks || found.is_empty(), "the look missed {patterns:?} in {text:?}");
        found
    }

    fn oracle(patterns: &[&str], text: &str) -> Vec<(usize, usize, usize)> {
        let each = patterns.iter().enumerate();
        each.flat_map(|(n, p)| {
            let regex = Regex::new(p).unwrap();
            regex.find_iter(text).map(|m| (n, m.start(), m.end())).collect::<Vec<_>>()
        })
        .collect()
    }

    const PATTERNS: &[&str] = &[
        "a+",
        "ab|a",
        "a|ab",
        "(?:ab)+?",
        "b{2,3}",
        r"\bab\b",
        "^a",
        "b$",
        "(?m)^b",
        "[^a]b",
        "é+",
        r"\w+",
        "[^a-z]",
        "(?i)É",
        ".b",
        "(?s).b",
        "a.*b",
        "(a+)+b",
        "aé?b",
        r"\Ba",
        "[a-cé]{2,}",
        "b*a",
    ];

    proptest! {
        #[test]
        fn spans_are_those_of_a_regular_expression(
            text in "[abé \n]{0,24}",
            chosen in proptest::sample::subsequence(PATTERNS.to_vec(), 1..4),
            fast in any::<bool>(),
        ) {
            prop_assert_eq!(all(&chosen, &text, fast), oracle(&chosen, &text));
        }
    }

    #[test]
    fn whole_and_partial_matches_are_told_apart() {
        let mut budget = Budget::new();
        let patterns = ["a|ab", "b", "ab.*", ""].map(|p| parse(p, Use::Allow, &mut budget).unwrap());
        let compiled = Patterns::compile(&patterns, 1 << 20).unwrap();
        for (text, some, whole) in [
            ("ab", vec![0, 1, 2, 3], vec![0, 2]),
            ("xb", vec![1, 3], vec![]),
            ("", vec![3], vec![3]),
            ("abx", vec![0, 1, 2, 3], vec![2]),
        ] {
            let (mut a, mut b) = (Vec::new(), Vec::new());
            compiled.matching(text, |p| a.push(p)).unwrap();
            compiled.matching_whole(text, |p| b.push(p)).unwrap();
            a.sort_unstable();
            a.dedup();
            b.sort_unstable();
            assert_eq!((a, b), (some, whole), "{text}");
        }
    }

    #[test]
    fn a_text_that_takes_too_many_steps_is_given_up() {
        let mut budget = Budget::new();
        let slow = [parse(".*[^A-Z]|[A-Z]", Use::Find, &mut budget).unwrap()];
        let compiled = Arc::new(Patterns::compile(&slow, 1 << 20).unwrap());
        let mut scratch = PatternScratch::default();
        let long = "A".repeat(200_000);
        assert_eq!(compiled.find_all(&long, &mut scratch, |_| true, |_, _, _| ()), Err(Spent));
        assert!(compiled.find_all("AAé", &mut scratch, |_| true, |_, _, _| ()).is_ok());
    }
}
