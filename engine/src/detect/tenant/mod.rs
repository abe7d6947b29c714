//! What one tenant changes: own patterns, switched-off rules, changed actions, allowlists.
//!
//! Small, because there is one for each tenant beside the shared core: patterns of a kind are one automaton. Must never
//! let a protected rule be switched off, changed, overruled or allowed.

mod compile;
mod pattern;
mod patterns;
mod threads;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrasift_schemas::detection::Action;

use super::resolve::Found;
use super::rule_set::RuleInfo;
use super::{Hint, KeyContext, KeyVerdict, RuleIx, RuleSet, Scratch, keys, marker, structural as rule};
pub(super) use patterns::PatternScratch;
use patterns::Patterns;

/// A tenant's own rule.
pub(super) struct Own {
    pub(super) info: RuleInfo,
    min_entropy: Option<f32>,
}

/// A rule that a pattern belongs to.
struct Asked {
    /// Place in [`Overlay::own`].
    own: usize,
    /// Bit in [`KeyContext::tenant`] when the rule asks for its key, too.
    bit: u64,
}

/// Rules by the pattern at the same place.
#[derive(Default)]
struct Group {
    patterns: Option<Arc<Patterns>>,
    rules: Vec<Asked>,
}

struct Allowance {
    /// Place in the file's list.
    entry: u16,
    /// Empty: all rules that are not protected.
    rules: Vec<u16>,
}

/// Compiled from one file.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) own: Vec<Own>,
    pub(super) disabled: BTreeSet<u16>,
    pub(super) changed: BTreeMap<u16, RuleInfo>,
    /// Patterns over values, whatever the key.
    values: Group,
    /// Patterns over values that count under certain keys only.
    keyed: Group,
    /// Patterns over keys.
    keys: Group,
    allow: Vec<Allowance>,
    allow_patterns: Option<Arc<Patterns>>,
    /// Index of the first own rule.
    base: u16,
}

impl Overlay {
    fn ix(&self, own: usize) -> RuleIx {
        RuleIx(self.base.saturating_add(u16::try_from(own).unwrap_or(u16::MAX)))
    }

    /// Patterns are tried with every value.
    pub(super) fn has_value_patterns(&self) -> bool {
        self.values.patterns.is_some()
    }

    /// What the key says: `builtin`, the verdict of the built-in rules, and the tenant's key rules, in the one order of all
    /// rules.
    pub(super) fn classify(
        &self,
        key: &str,
        builtin: impl FnOnce(&str) -> KeyVerdict,
        rules: &RuleSet,
    ) -> KeyVerdict {
        // Our own marker is a word that says nothing: a second run must not hear "credential" where the first took one
        // out, nor `password` at the end of what was `password=…`.
        match marker::without(key) {
            Some(rest) => self.said(&rest, builtin(&rest), rules),
            None => self.said(key, builtin(key), rules),
        }
    }

    fn said(&self, key: &str, mut builtin: KeyVerdict, rules: &RuleSet) -> KeyVerdict {
        if let KeyVerdict::Sensitive(ix) = builtin {
            if !rules.enabled(ix) {
                builtin = KeyVerdict::Plain;
            } else if rules.rule(ix).action == Action::Allow {
                builtin = KeyVerdict::Context(KeyContext { hint: Hint::Public, tenant: 0 });
            }
        }
        let Some(patterns) = &self.keys.patterns else { return builtin };
        let mut tenant = 0u64;
        let mut best = match builtin {
            KeyVerdict::Sensitive(ix) => Some(ix),
            _ => None,
        };
        let outcome = patterns.matching(key, |pattern| {
            let Some(asked) = self.keys.rules.get(pattern) else { return };
            tenant |= asked.bit;
            let ix = self.ix(asked.own);
            if asked.bit == 0 && best.is_none_or(|best| rules.before(ix, best)) {
                best = Some(ix);
            }
        });
        if outcome.is_err() {
            // The key is too much for its patterns: what stands below it cannot be decided.
            return KeyVerdict::Sensitive(rule::UNSETTLED);
        }
        match (best, builtin) {
            (Some(ix), _) if rules.rule(ix).action == Action::Allow => {
                KeyVerdict::Context(KeyContext { hint: Hint::Allowed, tenant })
            }
            (Some(ix), _) => KeyVerdict::Sensitive(ix),
            (None, KeyVerdict::Context(context)) => KeyVerdict::Context(KeyContext { tenant, ..context }),
            (None, _) if tenant != 0 => KeyVerdict::Context(KeyContext { hint: Hint::None, tenant }),
            (None, other) => other,
        }
    }
}

/// Shannon entropy in bits per byte.
pub(super) fn entropy(text: &str) -> f32 {
    let mut counts = [0u16; 256];
    let mut total = 0u16;
    for b in text.bytes().take(4_096) {
        counts[usize::from(b)] += 1;
        total += 1;
    }
    let total = f32::from(total.max(1));
    counts.iter().filter(|n| **n > 0).map(|n| f32::from(*n) / total).map(|p| -p * p.log2()).sum()
}

fn bits(key: KeyVerdict) -> u64 {
    match key {
        KeyVerdict::Context(context) => context.tenant,
        _ => 0,
    }
}

impl RuleSet {
    /// The order of all rules where spans are alike: protected ones, then the higher priority, then the smaller id.
    pub(super) fn before(&self, a: RuleIx, b: RuleIx) -> bool {
        let (a, b) = (self.rule(a), self.rule(b));
        (b.protected, b.priority, &a.id) < (a.protected, a.priority, &b.id)
    }

    /// Whether a tenant's own patterns may find something here.
    #[inline]
    pub(super) fn tenant_looks(&self, text: &str, key: KeyVerdict, scratch: &mut Scratch) -> bool {
        match &self.overlay.values.patterns {
            Some(values) if values.may_match(text, &mut scratch.patterns) => true,
            _ => bits(key) != 0,
        }
    }

    /// All matches of a tenant's own patterns. A text that takes too many steps uses up the fuel: it is undecidable.
    pub(super) fn tenant_search(&self, text: &str, key: KeyVerdict, scratch: &mut Scratch) {
        let overlay = &self.overlay;
        let Scratch { found, patterns: values, keyed_patterns: keyed, fuel, witness, .. } = scratch;
        for (group, buffers, bits) in [(&overlay.values, values, 0), (&overlay.keyed, keyed, bits(key))] {
            let Some(patterns) = &group.patterns else { continue };
            let wanted = |at: usize| group.rules.get(at).is_some_and(|asked| asked.bit & bits == asked.bit);
            let outcome = patterns.find_all(text, buffers, wanted, |at, start, end| {
                let own = group.rules[at].own;
                let enough = |least: f32| entropy(&text[start..end]) >= least;
                let one = Found { start, end, rule: overlay.ix(own) };
                if overlay.own[own].min_entropy.is_none_or(enough) {
                    found.push(one);
                } else if let Some(witness) = witness {
                    witness.plain(one);
                }
            });
            if outcome.is_err() {
                *fuel = None;
            }
        }
    }

    /// An allowlist lets this span of this rule through. Protected rules are out of reach.
    pub(super) fn allowed(&self, span: &str, ix: RuleIx) -> bool {
        self.allowance(span, ix).is_some()
    }

    /// The first entry of the allowlist that lets this span of this rule through: its place in the file.
    pub(super) fn allowance(&self, span: &str, ix: RuleIx) -> Option<usize> {
        self.allowing(span, ix).map(|entry| usize::from(entry.entry))
    }

    fn allowing(&self, span: &str, ix: RuleIx) -> Option<&Allowance> {
        let patterns = self.overlay.allow_patterns.as_ref().filter(|_| !self.rule(ix).protected)?;
        let mut first: Option<&Allowance> = None;
        let outcome = patterns.matching_whole(span, |at| {
            let reaches = |entry: &&Allowance| entry.rules.is_empty() || entry.rules.contains(&ix.0);
            if let Some(entry) = self.overlay.allow.get(at).filter(reaches)
                && first.is_none_or(|first| entry.entry < first.entry)
            {
                first = Some(entry);
            }
        });
        first.filter(|_| outcome.is_ok())
    }

    /// A value that an allowlist lets past its key's rule: under what it is looked at further. An entry that names rules
    /// speaks for these only, one that names none for all that is not protected. `None`: the key's rule takes the value.
    pub(super) fn beyond(&self, text: &str, ix: RuleIx) -> Option<KeyVerdict> {
        let entry = self.allowing(text, ix)?;
        let hint = if entry.rules.is_empty() { Hint::Allowed } else { Hint::None };
        Some(KeyVerdict::Context(KeyContext { hint, tenant: 0 }))
    }

    /// All rules that ask for a key and match this one; the strongest first.
    #[must_use]
    pub fn key_rules(&self, key: &str) -> Vec<RuleIx> {
        let mut rules = match keys::classify(key) {
            KeyVerdict::Sensitive(ix)
            | KeyVerdict::Context(KeyContext { hint: Hint::Secret(ix) | Hint::Connection(ix), .. }) => {
                vec![ix]
            }
            _ => Vec::new(),
        };
        if let Some(patterns) = &self.overlay.keys.patterns {
            let own = |at: usize| self.overlay.keys.rules.get(at).map(|asked| self.overlay.ix(asked.own));
            if patterns.matching(key, |at| rules.extend(own(at))).is_err() {
                rules.push(rule::UNSETTLED);
            }
        }
        rules.sort_by(|a, b| if self.before(*a, *b) { Ordering::Less } else { Ordering::Greater });
        rules.dedup();
        rules
    }

    /// What a tenant's rule asks of a match: bits per character.
    pub(super) fn least_entropy(&self, ix: RuleIx) -> Option<f32> {
        let at = usize::from(ix.0).checked_sub(self.core.infos.len())?;
        self.overlay.own.get(at)?.min_entropy
    }
}
