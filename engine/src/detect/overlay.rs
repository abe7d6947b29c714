//! What one tenant changes: own patterns, switched-off rules, changed actions, allowlists.
//!
//! Patterns come from outside: their length, their compiled size and their number are bounded, and none may match the
//! empty text. Matching is linear in the text whatever the pattern (regex-automata has no backtracking).

use std::collections::{BTreeMap, BTreeSet};

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use terrasift_schemas::detection::Action;
use terrasift_schemas::rules::{Rule, RuleFile};

use super::resolve::Found;
use super::rule_set::RuleInfo;
use super::{Hint, KeyContext, KeyVerdict, RuleError, RuleErrorKind, RuleIx, RuleSet, keys};

/// Rules in one file.
pub const RULES_MAX: usize = 500;
/// Allowlist entries in one file.
pub const ALLOWS_MAX: usize = 1_000;
/// Bytes of one pattern.
pub const PATTERN_MAX: usize = 2_048;
/// Rules with a key pattern and a value pattern: their bits fit a [`KeyContext`].
pub const COMBINED_MAX: usize = 64;
/// Bytes of one compiled pattern (NFA), and of its lazily built cache.
const COMPILED_MAX: usize = 512 * 1024;

/// A tenant's own rule.
pub(super) struct Own {
    pub(super) info: RuleInfo,
    pattern: Option<Regex>,
    key: Option<Regex>,
    /// Bit in [`KeyContext::tenant`] when both patterns are there.
    bit: Option<u64>,
    min_entropy: Option<f32>,
}

struct Allowance {
    pattern: Regex,
    /// Empty: all rules that are not protected.
    rules: Vec<u16>,
}

/// Compiled from one file.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) own: Vec<Own>,
    pub(super) disabled: BTreeSet<u16>,
    pub(super) changed: BTreeMap<u16, RuleInfo>,
    allow: Vec<Allowance>,
    /// Index of the first own rule.
    base: u16,
}

fn refuse<T>(rule: &str, kind: RuleErrorKind, reason: &'static str) -> Result<T, RuleError> {
    Err(RuleError { rule: rule.chars().take(64).collect(), kind, reason })
}

fn regex(rule: &str, pattern: &str) -> Result<Regex, RuleError> {
    if pattern.len() > PATTERN_MAX {
        return refuse(rule, RuleErrorKind::TooLarge, "a pattern may have 2,048 bytes; split the rule");
    }
    let config = Regex::config()
        .nfa_size_limit(Some(COMPILED_MAX))
        .onepass_size_limit(Some(COMPILED_MAX))
        .hybrid_cache_capacity(COMPILED_MAX)
        .dfa(false);
    let built =
        Regex::builder().configure(config).syntax(syntax::Config::new().nest_limit(50)).build(pattern);
    match built {
        Ok(regex) => Ok(regex),
        Err(error) if error.size_limit().is_some() => refuse(
            rule,
            RuleErrorKind::TooLarge,
            "the pattern compiles to more than 512 KiB; lower its repetitions",
        ),
        Err(_) => refuse(
            rule,
            RuleErrorKind::BadPattern,
            "not a regular expression in Rust syntax; see docs/rules.md",
        ),
    }
}

fn never_empty(rule: &str, regex: &Regex) -> Result<(), RuleError> {
    let inside = regex.find_iter("a b").any(|m| m.is_empty());
    if regex.is_match("") || inside {
        return refuse(
            rule,
            RuleErrorKind::MatchesEmpty,
            "the pattern matches the empty text; require a character",
        );
    }
    Ok(())
}

fn kebab(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-')
        && !id.ends_with('-')
}

impl Overlay {
    pub(super) fn compile(file: &RuleFile, core: &[RuleInfo]) -> Result<Self, RuleError> {
        if !(1..=999_999).contains(&file.version) {
            return refuse("", RuleErrorKind::OutOfRange, "version is between 1 and 999,999");
        }
        if file.rules.len() > RULES_MAX || file.allowlist.len() > ALLOWS_MAX || file.disable.len() > RULES_MAX
        {
            return refuse(
                "",
                RuleErrorKind::TooMany,
                "a file may hold 500 rules and 1,000 allowlist entries",
            );
        }
        let by_id: BTreeMap<&str, u16> =
            core.iter().zip(0u16..).map(|(info, ix)| (info.id.as_str(), ix)).collect();
        let mut overlay = Self { base: u16::try_from(core.len()).unwrap_or(u16::MAX), ..Self::default() };
        for id in &file.disable {
            overlay.disable(id, &by_id, core)?;
        }
        let mut ids = BTreeSet::new();
        for rule in &file.rules {
            if !kebab(&rule.id) {
                return refuse(&rule.id, RuleErrorKind::BadId, "ids are kebab-case, 64 characters at most");
            }
            if !ids.insert(rule.id.as_str()) {
                return refuse(&rule.id, RuleErrorKind::DuplicateId, "the id stands twice in the file");
            }
            overlay.add(rule, &by_id, core)?;
        }
        overlay.allowances(file, &by_id, core)?;
        Ok(overlay)
    }

    fn disable(&mut self, id: &str, by_id: &BTreeMap<&str, u16>, core: &[RuleInfo]) -> Result<(), RuleError> {
        let Some(&ix) = by_id.get(id) else {
            return refuse(
                id,
                RuleErrorKind::UnknownRule,
                "disable names no built-in rule; list them with rules list",
            );
        };
        if core[usize::from(ix)].protected {
            return refuse(id, RuleErrorKind::Protected, "this rule cannot be switched off");
        }
        self.disabled.insert(ix);
        Ok(())
    }

    fn add(&mut self, rule: &Rule, by_id: &BTreeMap<&str, u16>, core: &[RuleInfo]) -> Result<(), RuleError> {
        let id = &rule.id;
        if rule.min_entropy.is_some_and(|bits| !(0.0..=8.0).contains(&bits)) {
            return refuse(
                id,
                RuleErrorKind::OutOfRange,
                "min_entropy is between 0 and 8 bits per character",
            );
        }
        if !(-10_000..=10_000).contains(&rule.priority) {
            return refuse(id, RuleErrorKind::OutOfRange, "priority is between -10,000 and 10,000");
        }
        if let Some(&ix) = by_id.get(id.as_str()) {
            return self.change(rule, ix, &core[usize::from(ix)]);
        }
        if rule.pattern.is_none() && rule.key_pattern.is_none() {
            return refuse(id, RuleErrorKind::NoPattern, "a rule needs a pattern, a key_pattern, or both");
        }
        let pattern = rule.pattern.as_deref().map(|p| regex(id, p)).transpose()?;
        let key = rule.key_pattern.as_deref().map(|p| regex(id, p)).transpose()?;
        for one in [&pattern, &key].into_iter().flatten() {
            never_empty(id, one)?;
        }
        if !rule.enabled {
            return Ok(());
        }
        let combined = self.own.iter().filter(|own| own.bit.is_some()).count();
        let both = pattern.is_some() && key.is_some();
        if both && combined == COMBINED_MAX {
            return refuse(id, RuleErrorKind::TooMany, "a file may hold 64 rules with both patterns");
        }
        let info = RuleInfo {
            id: id.clone(),
            name: rule.name.clone(),
            category: rule.category,
            action: rule.action,
            priority: rule.priority,
            secret: rule.action == Action::Redact && rule.category.as_str() == "credential",
            protected: false,
            source: "",
        };
        let bit = both.then(|| 1u64 << combined);
        self.own.push(Own { info, pattern, key, bit, min_entropy: rule.min_entropy });
        Ok(())
    }

    /// A rule with a built-in id and no patterns changes that rule's action, category and priority.
    fn change(&mut self, rule: &Rule, ix: u16, info: &RuleInfo) -> Result<(), RuleError> {
        if rule.pattern.is_some() || rule.key_pattern.is_some() {
            return refuse(
                &rule.id,
                RuleErrorKind::DuplicateId,
                "the id is a built-in rule's; choose another for own patterns",
            );
        }
        if info.protected {
            return refuse(&rule.id, RuleErrorKind::Protected, "this rule cannot be changed");
        }
        if !rule.enabled {
            self.disabled.insert(ix);
        }
        let mut changed = info.clone();
        changed.action = rule.action;
        changed.category = rule.category;
        if rule.priority != 100 {
            changed.priority = rule.priority;
        }
        self.changed.insert(ix, changed);
        Ok(())
    }

    fn allowances(
        &mut self,
        file: &RuleFile,
        by_id: &BTreeMap<&str, u16>,
        core: &[RuleInfo],
    ) -> Result<(), RuleError> {
        for (n, allow) in file.allowlist.iter().enumerate() {
            let place = format!("allowlist[{n}]");
            if allow.reason.trim().is_empty() {
                return refuse(&place, RuleErrorKind::NoReason, "say why the value may pass");
            }
            let anchored = format!(r"\A(?:{})\z", allow.pattern);
            regex(&place, &allow.pattern)?;
            let pattern = regex(&place, &anchored)?;
            let mut rules = Vec::new();
            for id in &allow.rules {
                let own = self.own.iter().position(|own| own.info.id == *id);
                let ix = match (by_id.get(id.as_str()), own) {
                    (Some(&ix), _) => ix,
                    (None, Some(at)) => self.base + u16::try_from(at).unwrap_or(u16::MAX),
                    (None, None) => {
                        let reason = "the entry names a rule that does not exist";
                        return refuse(&place, RuleErrorKind::UnknownRule, reason);
                    }
                };
                if core.get(usize::from(ix)).is_some_and(|info| info.protected) {
                    return refuse(
                        &place,
                        RuleErrorKind::Protected,
                        "allowlists never let private keys or marked values pass",
                    );
                }
                rules.push(ix);
            }
            self.allow.push(Allowance { pattern, rules });
        }
        Ok(())
    }

    /// Tenant keys first when their priority is not below the built-in rule's.
    pub(super) fn classify(&self, key: &str, rules: &RuleSet) -> KeyVerdict {
        let mut builtin = keys::classify(key);
        if let KeyVerdict::Sensitive(ix) = builtin {
            if !rules.enabled(ix) {
                builtin = KeyVerdict::Plain;
            } else if rules.rule(ix).action == Action::Allow {
                builtin = KeyVerdict::Context(KeyContext { hint: Hint::Public, tenant: 0 });
            }
        }
        let mut tenant = 0u64;
        let mut best: Option<(i32, usize)> = None;
        for (at, own) in self.own.iter().enumerate() {
            if !own.key.as_ref().is_some_and(|regex| regex.is_match(key)) {
                continue;
            }
            match own.bit {
                Some(bit) => tenant |= bit,
                None if best.is_none_or(|(priority, _)| own.info.priority > priority) => {
                    best = Some((own.info.priority, at));
                }
                None => {}
            }
        }
        if let Some((priority, at)) = best {
            let ix = RuleIx(self.base + u16::try_from(at).unwrap_or(0));
            let below =
                matches!(builtin, KeyVerdict::Sensitive(theirs) if rules.rule(theirs).priority > priority);
            if self.own[at].info.action == Action::Allow {
                if !below {
                    return KeyVerdict::Context(KeyContext { hint: Hint::Allowed, tenant });
                }
            } else if !below {
                return KeyVerdict::Sensitive(ix);
            }
        }
        match builtin {
            KeyVerdict::Plain if tenant != 0 => KeyVerdict::Context(KeyContext { hint: Hint::None, tenant }),
            KeyVerdict::Context(context) => KeyVerdict::Context(KeyContext { tenant, ..context }),
            other => other,
        }
    }
}

/// Shannon entropy in bits per byte.
fn entropy(text: &str) -> f32 {
    let mut counts = [0u16; 256];
    let mut total = 0u16;
    for b in text.bytes().take(4_096) {
        counts[usize::from(b)] += 1;
        total += 1;
    }
    let total = f32::from(total.max(1));
    counts.iter().filter(|n| **n > 0).map(|n| f32::from(*n) / total).map(|p| -p * p.log2()).sum()
}

impl RuleSet {
    /// Whether a tenant's own patterns can find something here.
    pub(super) fn tenant_looks(&self, text: &str, key: KeyVerdict) -> bool {
        !self.overlay.own.is_empty()
            && self
                .overlay
                .own
                .iter()
                .any(|own| applies(own, key) && own.pattern.as_ref().is_some_and(|p| p.is_match(text)))
    }

    /// All matches of a tenant's own patterns.
    pub(super) fn tenant_search(&self, text: &str, key: KeyVerdict, found: &mut Vec<Found>) {
        for (at, own) in self.overlay.own.iter().enumerate() {
            let Some(pattern) = own.pattern.as_ref().filter(|_| applies(own, key)) else { continue };
            let ix = RuleIx(self.overlay.base + u16::try_from(at).unwrap_or(0));
            for m in pattern.find_iter(text) {
                let enough = own.min_entropy.is_none_or(|bits| entropy(&text[m.range()]) >= bits);
                if enough
                    && !m.is_empty()
                    && text.is_char_boundary(m.start())
                    && text.is_char_boundary(m.end())
                {
                    found.push(Found { start: m.start(), end: m.end(), rule: ix });
                }
            }
        }
    }

    /// An allowlist lets this span of this rule through. Protected rules are out of reach.
    pub(super) fn allowed(&self, span: &str, ix: RuleIx) -> bool {
        if self.overlay.allow.is_empty() || self.rule(ix).protected {
            return false;
        }
        self.overlay.allow.iter().any(|allow| {
            (allow.rules.is_empty() || allow.rules.contains(&ix.0))
                && allow.pattern.is_match(Input::new(span).anchored(Anchored::Yes))
        })
    }
}

/// A rule with both patterns asks for its key.
fn applies(own: &Own, key: KeyVerdict) -> bool {
    match (own.bit, key) {
        (None, _) => own.key.is_none(),
        (Some(bit), KeyVerdict::Context(context)) => context.tenant & bit != 0,
        (Some(_), _) => false,
    }
}
