//! Runs the sanitizer over a document in many ways and compares each with the oracle, and all with each other.
//!
//! Must never accept a way that differs by a byte, a detection or a refusal.

use std::fmt;
use std::sync::Arc;

use terrasift_engine::detect::{HashKey, RuleSet};
use terrasift_engine::refusal::Refusal;
use terrasift_engine::sift::{Redactor, TaintPass};
use terrasift_schemas::detection::{Action, Category, Report};
use terrasift_schemas::rules::{Allow, Rule, RuleFile};

use crate::marks;
use crate::sanitize::{HASH_KEY, Judged, Sanitized, forward, two_pass};

/// What one way came to.
pub type Outcome = Result<Sanitized, Refusal>;

/// A difference. Holds what was sanitized: for tests only, never for a log.
#[derive(Debug)]
pub struct Difference {
    /// Which two ways differ.
    pub what: &'static str,
    /// What should have come out.
    pub expected: String,
    /// What did.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n expected {}\n got      {}", self.what, self.expected, self.got)
    }
}

/// The built-in rules, and those of a tenant who hashes, allows, switches off and adds.
///
/// # Panics
/// Never: the rules are constants.
#[must_use]
pub fn rule_sets() -> [Arc<RuleSet>; 2] {
    let builtin = RuleSet::builtin();
    let rule = |id: &str, category, pattern: Option<&str>, key_pattern: Option<&str>, action| Rule {
        id: id.to_owned(),
        name: String::new(),
        category,
        enabled: true,
        pattern: pattern.map(str::to_owned),
        key_pattern: key_pattern.map(str::to_owned),
        action,
        priority: None,
        min_entropy: None,
        reason: "tried by the oracle".to_owned(),
    };
    let file = RuleFile {
        version: 2,
        disable: vec!["phone".to_owned()],
        rules: vec![
            rule("badge", Category::Pii, Some(r"\briver\b|K9[a-z]*"), None, Action::Hash),
            rule("words", Category::Infrastructure, Some("two words|é+"), None, Action::Redact),
            rule("nested", Category::Credential, None, Some("^nested$"), Action::Hash),
            rule("open", Category::Pii, None, Some("^owner$"), Action::Allow),
            rule("both", Category::Credential, Some("[a-z]+-[a-z]+"), Some("host"), Action::Hash),
        ],
        allowlist: vec![Allow {
            pattern: "bob@acme-mail\\.com".to_owned(),
            rules: Vec::new(),
            reason: "tried by the oracle".to_owned(),
        }],
    };
    let tenant = builtin.with(&file).ok().map(Arc::new);
    // INVARIANT: the file above is a constant, and a test compiles it.
    let tenant = tenant.expect("the tenant's rules compile");
    [builtin, tenant]
}

/// Two passes of the engine over pieces of these lengths, in a circle; the second pass begins elsewhere in the circle.
///
/// # Errors
/// The refusal.
pub fn engine_two_pass(rules: &Arc<RuleSet>, document: &[u8], lengths: &[usize]) -> Outcome {
    let mut first = TaintPass::new(rules, [7; 16]);
    for piece in pieces(document, lengths, 0) {
        first.push(piece)?;
    }
    finish(Redactor::new(rules, first.finish()?, HashKey::new(HASH_KEY)), document, lengths)
}

/// One forward pass.
///
/// # Errors
/// The refusal.
pub fn engine_forward(rules: &Arc<RuleSet>, document: &[u8], lengths: &[usize]) -> Outcome {
    finish(Redactor::forward(rules, [7; 16], HashKey::new(HASH_KEY)), document, lengths)
}

fn finish(mut redactor: Redactor, document: &[u8], lengths: &[usize]) -> Outcome {
    let mut bytes = Vec::new();
    for piece in pieces(document, lengths, 1) {
        redactor.push(piece, &mut bytes)?;
    }
    let report = redactor.finish(&mut bytes)?;
    Ok(Sanitized { bytes, report })
}

fn pieces<'b>(mut bytes: &'b [u8], lengths: &'b [usize], skip: usize) -> impl Iterator<Item = &'b [u8]> {
    let mut lengths = lengths.iter().cycle().skip(skip);
    std::iter::from_fn(move || {
        let length = lengths.next().copied().unwrap_or(usize::MAX).max(1).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What is tried beside two passes in pieces against the oracle.
#[derive(Clone, Copy)]
pub struct Ways {
    /// The same in one piece.
    pub whole: bool,
    /// One forward pass, in pieces, against its oracle.
    pub forward: bool,
    /// The output once more, which must not change.
    pub again: bool,
}

impl Ways {
    /// Everything.
    pub const ALL: Self = Self { whole: true, forward: true, again: true };
}

/// The document in pieces of `lengths` against the oracle, and what else `ways` asks for.
///
/// # Errors
/// The first difference.
pub fn check(
    rules: &Arc<RuleSet>,
    document: &[u8],
    lengths: &[usize],
    ways: Ways,
) -> Result<Outcome, Difference> {
    let pieces = engine_two_pass(rules, document, lengths);
    let expected = two_pass(rules, document);
    judged("two passes against the oracle", expected.as_ref().map(|all| &all.sanitized), &pieces)?;
    if ways.whole {
        same("two passes in pieces", &engine_two_pass(rules, document, &[]), &pieces)?;
    }
    if ways.forward {
        let once = engine_forward(rules, document, lengths);
        judged("one pass against the oracle", forward(rules, document).as_ref(), &once)?;
        if ways.whole {
            same("one pass in pieces", &engine_forward(rules, document, &[]), &once)?;
        }
    }
    if ways.again
        && let Some(expected) = &expected
    {
        again(rules, expected)?;
    }
    Ok(pieces)
}

/// A second run changes nothing.
///
/// Two things are let pass, because the second run can only hide more there: a mark names its siblings, too, once all of
/// them are redacted; and what stands under a redacted key, or beside a copy of a secret that was cut out, reads as
/// something else without it. What is found there is known from then on, and so are its copies elsewhere.
fn again(rules: &Arc<RuleSet>, judged: &Judged) -> Result<(), Difference> {
    let once = &judged.sanitized;
    let expected = Ok(Sanitized { bytes: once.bytes.clone(), report: Report::default() });
    let twice = engine_two_pass(rules, &once.bytes, &[]);
    let beside_a_cut = |pointer: &String| {
        judged.copied.contains(pointer) || pointer.contains("[REDACTED:") || pointer.contains("[HASHED:")
    };
    let new = twice.as_ref().map_or(&[][..], |twice| &twice.report.detections);
    let beside = new.iter().filter(|found| beside_a_cut(&found.pointer)).count();
    let copies = new.iter().filter(|found| found.rule == "tainted" && !beside_a_cut(&found.pointer)).count();
    if !new.is_empty() && (renames_marks(once) || beside > 0 && beside + copies == new.len()) {
        return Ok(());
    }
    same("a second run", &expected, &twice)
}

/// A mark that names a redacted key (or one that looks redacted) names its siblings, too, once all are redacted: a second
/// run may hide more.
fn renames_marks(sanitized: &Sanitized) -> bool {
    const STEPS: [&[u8]; 2] = [b"[REDACTED:", b"[HASHED:"];
    let holds = |text: &[u8]| STEPS.iter().any(|step| text.windows(step.len()).any(|w| w == *step));
    marks::texts(&sanitized.bytes).iter().any(|text| holds(text.as_bytes()))
}

fn judged(what: &'static str, expected: Option<&Sanitized>, got: &Outcome) -> Result<(), Difference> {
    match (expected, got) {
        (None, Err(_)) => Ok(()),
        (Some(expected), Ok(got)) if expected == got => Ok(()),
        _ => {
            Err(Difference { what, expected: expected.map_or("a refusal".to_owned(), shown), got: told(got) })
        }
    }
}

fn same(what: &'static str, expected: &Outcome, got: &Outcome) -> Result<(), Difference> {
    if expected == got {
        return Ok(());
    }
    Err(Difference { what, expected: told(expected), got: told(got) })
}

fn told(outcome: &Outcome) -> String {
    outcome.as_ref().map_or_else(|refusal| refusal.to_string(), shown)
}

fn shown(sanitized: &Sanitized) -> String {
    let mut text = String::from_utf8_lossy(&sanitized.bytes).into_owned();
    for detection in &sanitized.report.detections {
        text.push_str(&format!("\n    {} {} {}", detection.rule, detection.pointer, detection.bytes));
    }
    text
}
