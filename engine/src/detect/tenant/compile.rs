//! A rule file becomes an overlay, or is refused whole.
//!
//! The first problem is told: place, kind and a constant reason. Must never repeat a pattern or a value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regex_syntax::hir::Hir;
use terrasift_schemas::detection::Action;
use terrasift_schemas::rules::{Allow, Rule, RuleFile};

use super::pattern::{self, Budget, Refused, Use};
use super::patterns::Patterns;
use super::{Allowance, Asked, Group, Overlay, Own};
use crate::detect::rule_set::RuleInfo;
use crate::detect::{RuleError, RuleErrorKind, RulePlace};

/// Rules in one file, and built-in rules that it switches off.
const RULES_MAX: usize = 500;
/// Allowlist entries in one file.
const ALLOWS_MAX: usize = 1_000;
/// Rules with a key pattern and a value pattern: their bits fit a [`crate::detect::KeyContext`].
const COMBINED_MAX: usize = 64;
/// Priority of an own rule that names none.
const PRIORITY: i32 = 100;
/// Bytes of texts for people.
const TEXT_MAX: usize = 1_024;
/// Each part fitted the budget of the file; together they share states.
const TOGETHER_MAX: usize = 2 * 1024 * 1024;

type Verdict<T> = Result<T, RuleError>;

fn refuse<T>(place: RulePlace, rule: &str, refused: Refused) -> Verdict<T> {
    Err(RuleError { place, rule: rule.to_owned(), kind: refused.0, reason: refused.1 })
}

fn kebab(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-')
        && !id.ends_with('-')
}

/// A file while it is compiled.
struct Draft<'f> {
    core: &'f [RuleInfo],
    by_id: BTreeMap<&'f str, u16>,
    budget: Budget,
    overlay: Overlay,
    values: Vec<Hir>,
    keyed: Vec<Hir>,
    keys: Vec<Hir>,
    allow: Vec<Hir>,
    combined: usize,
    /// Own rules that are switched off: allowlists may name them.
    off: BTreeSet<&'f str>,
}

impl Overlay {
    pub(in crate::detect) fn compile(file: &RuleFile, core: &[RuleInfo]) -> Verdict<Self> {
        limits(file)?;
        let mut draft = Draft {
            core,
            by_id: core.iter().zip(0u16..).map(|(info, ix)| (info.id.as_str(), ix)).collect(),
            budget: Budget::new(),
            overlay: Self { base: u16::try_from(core.len()).unwrap_or(u16::MAX), ..Self::default() },
            values: Vec::new(),
            keyed: Vec::new(),
            keys: Vec::new(),
            allow: Vec::new(),
            combined: 0,
            off: BTreeSet::new(),
        };
        for (index, id) in file.disable.iter().enumerate() {
            draft.disable(RulePlace::entry("disable", index), id)?;
        }
        let mut ids = BTreeSet::new();
        for (index, rule) in file.rules.iter().enumerate() {
            let place = RulePlace::entry("rules", index);
            if !kebab(&rule.id) {
                let bad = (RuleErrorKind::BadId, "ids are kebab-case, 64 characters at most");
                return refuse(place.field("id"), "", bad);
            }
            if !ids.insert(rule.id.as_str()) {
                let twice = (RuleErrorKind::DuplicateId, "the id stands twice in the file");
                return refuse(place.field("id"), &rule.id, twice);
            }
            draft.add(place, rule)?;
        }
        for (index, allow) in file.allowlist.iter().enumerate() {
            draft.allow(index, allow)?;
        }
        draft.finish()
    }
}

fn limits(file: &RuleFile) -> Verdict<()> {
    let place = |key| RulePlace { key, ..RulePlace::default() };
    if !(1..=999_999).contains(&file.version) {
        let range = (RuleErrorKind::OutOfRange, "version is between 1 and 999,999");
        return refuse(place("version"), "", range);
    }
    let too_many = |reason| (RuleErrorKind::TooMany, reason);
    for (key, length, max, reason) in [
        ("disable", file.disable.len(), RULES_MAX, "a file may switch off 500 rules"),
        ("rules", file.rules.len(), RULES_MAX, "a file may hold 500 rules"),
        ("allowlist", file.allowlist.len(), ALLOWS_MAX, "a file may hold 1,000 allowlist entries"),
    ] {
        if length > max {
            return refuse(RulePlace::entry(key, max), "", too_many(reason));
        }
    }
    Ok(())
}

impl<'f> Draft<'f> {
    fn disable(&mut self, place: RulePlace, id: &str) -> Verdict<()> {
        let Some(&ix) = self.by_id.get(id) else {
            let reason = "disable names no built-in rule; `terrasift rules list` shows them";
            return refuse(place, "", (RuleErrorKind::UnknownRule, reason));
        };
        if self.core[usize::from(ix)].protected {
            return refuse(place, id, (RuleErrorKind::Protected, "this rule cannot be switched off"));
        }
        self.overlay.disabled.insert(ix);
        Ok(())
    }

    fn add(&mut self, place: RulePlace, rule: &'f Rule) -> Verdict<()> {
        let refused = |field, kind, reason| refuse(place.field(field), &rule.id, (kind, reason));
        if rule.min_entropy.is_some_and(|bits| !(0.0..=8.0).contains(&bits)) {
            let reason = "min_entropy is between 0 and 8 bits per character";
            return refused("min_entropy", RuleErrorKind::OutOfRange, reason);
        }
        if rule.priority.is_some_and(|priority| !(-10_000..=10_000).contains(&priority)) {
            let reason = "priority is between -10,000 and 10,000";
            return refused("priority", RuleErrorKind::OutOfRange, reason);
        }
        for (field, text) in [("name", &rule.name), ("reason", &rule.reason)] {
            if text.len() > TEXT_MAX {
                return refused(field, RuleErrorKind::TooLarge, "a text for people may have 1,024 bytes");
            }
        }
        if let Some(&ix) = self.by_id.get(rule.id.as_str()) {
            return self.change(place, rule, ix);
        }
        let value = self.parse(place.field("pattern"), &rule.id, rule.pattern.as_deref())?;
        let key = self.parse(place.field("key_pattern"), &rule.id, rule.key_pattern.as_deref())?;
        if value.is_none() && key.is_none() {
            let reason = "a rule needs a pattern, a key_pattern, or both";
            return refuse(place, &rule.id, (RuleErrorKind::NoPattern, reason));
        }
        if value.is_none() && rule.min_entropy.is_some() {
            let reason =
                "min_entropy judges what `pattern` matches; a key_pattern alone takes the whole value";
            return refused("min_entropy", RuleErrorKind::NoPattern, reason);
        }
        if !rule.enabled {
            self.off.insert(&rule.id);
            return Ok(());
        }
        let own = self.overlay.own.len();
        let mut bit = 0;
        if value.is_some() && key.is_some() {
            if self.combined == COMBINED_MAX {
                let reason = "a file may hold 64 rules with both patterns";
                return refuse(place, &rule.id, (RuleErrorKind::TooMany, reason));
            }
            bit = 1u64 << self.combined;
            self.combined += 1;
        }
        if let Some(key) = key {
            self.keys.push(key);
            self.overlay.keys.rules.push(Asked { own, bit });
        }
        if let Some(value) = value {
            let (list, group) = if bit == 0 {
                (&mut self.values, &mut self.overlay.values)
            } else {
                (&mut self.keyed, &mut self.overlay.keyed)
            };
            list.push(value);
            group.rules.push(Asked { own, bit });
        }
        let info = RuleInfo {
            id: rule.id.clone(),
            name: rule.name.clone(),
            category: rule.category,
            action: rule.action,
            priority: rule.priority.unwrap_or(PRIORITY),
            secret: rule.action == Action::Redact && rule.category.as_str() == "credential",
            protected: false,
            source: "",
        };
        self.overlay.own.push(Own { info, min_entropy: rule.min_entropy });
        Ok(())
    }

    fn parse(&mut self, place: RulePlace, id: &str, pattern: Option<&str>) -> Verdict<Option<Hir>> {
        let parsed = pattern.map(|pattern| pattern::parse(pattern, Use::Find, &mut self.budget)).transpose();
        parsed.or_else(|refused| refuse(place, id, refused))
    }

    /// A rule with a built-in id and no patterns changes that rule's action, category and priority.
    fn change(&mut self, place: RulePlace, rule: &Rule, ix: u16) -> Verdict<()> {
        let info = &self.core[usize::from(ix)];
        if rule.pattern.is_some() || rule.key_pattern.is_some() || rule.min_entropy.is_some() {
            let reason = "the id is a built-in rule's; choose another for own patterns";
            return refuse(place.field("id"), &rule.id, (RuleErrorKind::DuplicateId, reason));
        }
        if info.protected {
            return refuse(place, &rule.id, (RuleErrorKind::Protected, "this rule cannot be changed"));
        }
        if !rule.enabled {
            self.overlay.disabled.insert(ix);
        }
        let mut changed = info.clone();
        changed.action = rule.action;
        changed.category = rule.category;
        changed.priority = rule.priority.unwrap_or(changed.priority);
        self.overlay.changed.insert(ix, changed);
        Ok(())
    }

    fn allow(&mut self, index: usize, allow: &Allow) -> Verdict<()> {
        let place = RulePlace::entry("allowlist", index);
        if allow.reason.trim().is_empty() {
            let why = (RuleErrorKind::NoReason, "say why the value may pass");
            return refuse(place.field("reason"), "", why);
        }
        if allow.reason.len() > TEXT_MAX {
            let long = (RuleErrorKind::TooLarge, "a text for people may have 1,024 bytes");
            return refuse(place.field("reason"), "", long);
        }
        if allow.rules.len() > RULES_MAX {
            let many = (RuleErrorKind::TooMany, "an entry may name 500 rules; none means all");
            return refuse(place.field("rules"), "", many);
        }
        let hir = pattern::parse(&allow.pattern, Use::Allow, &mut self.budget)
            .or_else(|refused| refuse(place.field("pattern"), "", refused))?;
        let mut rules = Vec::new();
        for id in &allow.rules {
            let own = self.overlay.own.iter().position(|own| own.info.id == *id);
            let ix = match (self.by_id.get(id.as_str()), own) {
                (Some(&ix), _) => ix,
                (None, Some(at)) => self.overlay.ix(at).0,
                (None, None) if self.off.contains(id.as_str()) => continue,
                (None, None) => {
                    let reason = "the entry names a rule that does not exist";
                    return refuse(place.field("rules"), "", (RuleErrorKind::UnknownRule, reason));
                }
            };
            if self.core.get(usize::from(ix)).is_some_and(|info| info.protected) {
                let reason = "allowlists never let private keys or marked values pass";
                return refuse(place.field("rules"), id, (RuleErrorKind::Protected, reason));
            }
            rules.push(ix);
        }
        if rules.is_empty() && !allow.rules.is_empty() {
            // It names switched-off rules only. Without a name it would reach all.
            return Ok(());
        }
        self.allow.push(hir);
        // INVARIANT: `limits` refused files with more entries than fit.
        let entry = u16::try_from(index).expect("few entries");
        self.overlay.allow.push(Allowance { entry, rules });
        Ok(())
    }

    fn finish(self) -> Verdict<Overlay> {
        let mut overlay = self.overlay;
        overlay.values.patterns = together(&self.values)?;
        overlay.keyed.patterns = together(&self.keyed)?;
        overlay.keys.patterns = together(&self.keys)?;
        overlay.allow_patterns = together(&self.allow)?;
        for Group { rules, .. } in [&mut overlay.values, &mut overlay.keyed, &mut overlay.keys] {
            rules.shrink_to_fit();
        }
        Ok(overlay)
    }
}

fn together(patterns: &[Hir]) -> Verdict<Option<Arc<Patterns>>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let Some(compiled) = Patterns::compile(patterns, TOGETHER_MAX) else {
        let reason = "the patterns of this file together are too large; split or shorten them";
        return refuse(RulePlace::default(), "", (RuleErrorKind::TooLarge, reason));
    };
    Ok(Some(Arc::new(compiled)))
}
