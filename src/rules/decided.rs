//! A sample, decided: each place where a rule had something to say, with all that were candidates there.
//!
//! For a state the sanitizer's own report is the truth, explanations are attached to it; other samples are decided as one
//! value. Must never decide anything itself.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Context;
use terrasift_engine::detect::{Explanation, HashKey, KeyVerdict, Order, Outcome, RuleIx, RuleSet, Weighed};
use terrasift_engine::sift::{Redactor, TaintPass};
use terrasift_engine::taint::{Copies, Taint};
use terrasift_schemas::detection::Report;
use terrasift_schemas::rules::RuleFile;

use super::sample::{self, Kind, Leaf};
use super::words;

/// What the sample was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleKind {
    /// A state v4: as `terrasift sanitize` decides it.
    State,
    /// Other JSON: as a value that holds it.
    Json,
    /// A text: as a value.
    Text,
}

/// What goes of a place. Offsets of [`Place::text`].
pub struct Span {
    pub start: usize,
    pub end: usize,
    pub rule: RuleIx,
    pub why: String,
}

/// A candidate in words.
pub struct Candidate {
    pub weighed: Weighed,
    pub says: String,
}

/// A place of the sample. No Debug: it holds what may be a secret.
pub struct Place {
    /// RFC 6901 into the sanitized sample; empty for a text.
    pub pointer: String,
    /// Line in the sample, from 1.
    pub line: usize,
    pub kind: Kind,
    /// Nearest key above, sanitized.
    pub key: Option<String>,
    pub key_says: Option<String>,
    /// Ids of the rules that ask for this key.
    pub key_rules: Vec<String>,
    pub text: String,
    pub spans: Vec<Span>,
    pub candidates: Vec<Candidate>,
}

/// The whole sample. No Debug.
pub struct Decided {
    pub kind: SampleKind,
    pub rules: Arc<RuleSet>,
    pub hash_key: HashKey,
    pub places: Vec<Place>,
    pub notes: Vec<&'static str>,
}

/// Decides a sample; with `key`, as the value of that key.
pub fn decide(
    rules: &Arc<RuleSet>,
    file: &RuleFile,
    text: &str,
    key: Option<&str>,
) -> anyhow::Result<Decided> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok().context("the operating system gives no random bytes")?;
    let bench = Bench { rules, file, text };
    let hash_key = HashKey::new(bytes);
    let done = |kind, places, notes| Decided { kind, rules: Arc::clone(rules), hash_key, places, notes };
    let leaves = if key.is_none() { sample::leaves(text) } else { None };
    if let Some(leaves) = leaves {
        return Ok(match bench.sanitize() {
            Some(sanitized) => {
                let places = bench.state(&leaves, &sanitized);
                let cut = "the report is full: places behind its end are explained by their values alone";
                let notes = if sanitized.report.truncated > 0 { vec![cut] } else { Vec::new() };
                done(SampleKind::State, places, notes)
            }
            None => {
                let note = "JSON, but no state: Terraform's marks and copies of secrets are not looked for";
                done(SampleKind::Json, bench.document(&leaves), vec![note])
            }
        });
    }
    let verdict = key.map_or(KeyVerdict::Plain, |key| rules.classify_key(key));
    let explanation = rules.explain(text, verdict);
    let mut place = bench.place(&explanation, text, 0..text.len());
    bench.say_key(&mut place, key, verdict);
    Ok(done(SampleKind::Text, vec![place], Vec::new()))
}

/// What the sanitizer made of a state.
struct Sanitized {
    leaves: Vec<Leaf>,
    report: Report,
    taint: Taint,
}

struct Bench<'b> {
    rules: &'b Arc<RuleSet>,
    file: &'b RuleFile,
    text: &'b str,
}

impl Bench<'_> {
    /// Both passes, as `terrasift sanitize` makes them; `None`: no state.
    fn sanitize(&self) -> Option<Sanitized> {
        let learn = || {
            let mut pass = TaintPass::new(self.rules, [7; 16]);
            pass.push(self.text.as_bytes()).ok()?;
            pass.finish().ok()
        };
        let mut redactor = Redactor::new(self.rules, learn()?, HashKey::new([0; 32]));
        let mut out = Vec::new();
        redactor.push(self.text.as_bytes(), &mut out).ok()?;
        let report = redactor.finish(&mut out).ok()?;
        let leaves = sample::leaves(std::str::from_utf8(&out).ok()?)?;
        Some(Sanitized { leaves, report, taint: learn()?.into_taint() })
    }

    /// A state: input and output leaf by leaf.
    fn state(&self, leaves: &[Leaf], sanitized: &Sanitized) -> Vec<Place> {
        let mut reported: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for detection in &sanitized.report.detections {
            reported.entry(&detection.pointer).or_default().push(&detection.rule);
        }
        let mut places = Vec::new();
        for (leaf, clean) in leaves.iter().zip(&sanitized.leaves) {
            let verdict = self.verdict(&leaf.keys);
            let at_index = leaf.kind == Kind::Text && leaf.keys.last().is_some_and(|key| key == "index_key");
            let explanation = match leaf.kind {
                Kind::Key => self.rules.explain_key(&leaf.text),
                _ if at_index => self.rules.explain_key(&leaf.text),
                Kind::Number => self.rules.explain_number(&leaf.text, verdict),
                Kind::Text => self.rules.explain(&leaf.text, verdict),
            };
            let changed = leaf.text != clean.text;
            if !changed && explanation.weighed.is_empty() {
                continue;
            }
            let mut place = self.place(&explanation, &leaf.text, leaf.raw.clone());
            let rules = reported.get(clean.pointer.as_str()).map_or(&[][..], Vec::as_slice);
            self.follow_the_report(&mut place, changed, rules, &sanitized.taint);
            place.pointer.clone_from(&clean.pointer);
            place.kind = leaf.kind;
            if !at_index {
                // The output's keys: an input key can itself be a secret.
                self.say_key(&mut place, clean.keys.last().map(String::as_str), verdict);
            }
            places.push(place);
        }
        places
    }

    /// The sanitizer knows more than a value: marks, the surroundings, copies.
    fn follow_the_report(&self, place: &mut Place, changed: bool, reported: &[&str], taint: &Taint) {
        if !changed {
            if !place.spans.is_empty() {
                place.spans.clear();
                place.key_says = Some("its place says that it is no data: it stays".to_owned());
            }
            return;
        }
        let whole = [
            (self.rules.mark_rule(), "Terraform marks the place as sensitive"),
            (self.rules.private_rule(), "a provider's private data goes whole"),
            (self.rules.oversize_rule(), "above the cap: redacted unseen"),
        ];
        let forced = whole.into_iter().find(|(ix, _)| reported.contains(&self.rules.rule(*ix).id.as_str()));
        if let Some((rule, why)) = forced.filter(|_| place.kind != Kind::Key) {
            place.spans = vec![Span { start: 0, end: place.text.len(), rule, why: why.to_owned() }];
            for Candidate { weighed, says } in &mut place.candidates {
                if matches!(weighed.outcome, Outcome::Decides | Outcome::DecidesRest) {
                    weighed.outcome = Outcome::Loses { to: rule, by: Order::Protected };
                    *says = words::outcome(self.rules, self.file, weighed.rule, weighed.outcome);
                }
            }
            return;
        }
        let mut copies = Vec::new();
        Copies::default().find(taint, &place.text, &mut copies);
        for (start, end) in copies {
            if !place.spans.iter().any(|span| span.start <= start && end <= span.end) {
                let why = "copy of a value that is secret elsewhere in the state".to_owned();
                place.spans.push(Span { start, end, rule: self.rules.taint_rule(), why });
            }
        }
        place.spans.sort_by_key(|span| span.start);
        let named = reported.first().and_then(|id| self.rules.rules().find(|(_, info)| info.id == *id));
        if let (true, Some((rule, _))) = (place.spans.is_empty(), named) {
            let why = "decided by where it stands".to_owned();
            place.spans.push(Span { start: 0, end: place.text.len(), rule, why });
        }
    }

    /// Other JSON: one value, its findings given to the leaves they stand in.
    fn document(&self, leaves: &[Leaf]) -> Vec<Place> {
        let explanation = self.rules.explain(self.text, KeyVerdict::Plain);
        let mut places = Vec::new();
        for leaf in leaves {
            let inside = |start: usize, end: usize| leaf.raw.start <= start && end <= leaf.raw.end;
            let shift = leaf.raw.start;
            let mut own = Explanation::default();
            for hit in explanation.hits.iter().filter(|hit| inside(hit.start, hit.end)) {
                let mut hit = *hit;
                (hit.start, hit.end) = (hit.start - shift, hit.end - shift);
                own.hits.push(hit);
            }
            for weighed in explanation.weighed.iter().filter(|w| inside(w.start, w.end)) {
                own.weighed.push(Weighed {
                    start: weighed.start - shift,
                    end: weighed.end - shift,
                    ..*weighed
                });
            }
            if own.weighed.is_empty() {
                continue;
            }
            let raw = self.text.get(leaf.raw.clone()).unwrap_or_default();
            let mut place = self.place(&own, raw, leaf.raw.clone());
            place.pointer = self.clean_pointer(leaf);
            place.kind = leaf.kind;
            let key = leaf.keys.last().map(|key| self.clean_key(key));
            self.say_key(&mut place, key.as_deref(), self.verdict(&leaf.keys));
            places.push(place);
        }
        places
    }

    fn verdict(&self, keys: &[String]) -> KeyVerdict {
        keys.iter().fold(KeyVerdict::Plain, |above, key| self.rules.classify_key(key).under(above))
    }

    fn place(&self, explanation: &Explanation, text: &str, raw: Range<usize>) -> Place {
        let candidates: Vec<Candidate> = explanation
            .weighed
            .iter()
            .map(|w| Candidate {
                weighed: *w,
                says: words::outcome(self.rules, self.file, w.rule, w.outcome),
            })
            .collect();
        let spans = explanation.hits.iter().map(|hit| Span {
            start: hit.start,
            end: hit.end,
            rule: hit.rule,
            why: candidates
                .iter()
                .find(|c| {
                    c.weighed.rule == hit.rule && c.weighed.start <= hit.start && hit.end <= c.weighed.end
                })
                .map_or_else(|| "decided by what surrounds it".to_owned(), |c| c.says.clone()),
        });
        Place {
            pointer: String::new(),
            line: 1 + self.text.get(..raw.start).unwrap_or_default().matches('\n').count(),
            kind: Kind::Text,
            key: None,
            key_says: None,
            key_rules: Vec::new(),
            text: text.to_owned(),
            spans: spans.collect(),
            candidates,
        }
    }

    fn say_key(&self, place: &mut Place, key: Option<&str>, verdict: KeyVerdict) {
        let Some(key) = key.filter(|_| place.kind != Kind::Key) else { return };
        place.key = Some(key.to_owned());
        place.key_says = place.key_says.take().or_else(|| words::key_verdict(self.rules, verdict));
        place.key_rules =
            self.rules.key_rules(key).into_iter().map(|ix| self.rules.rule(ix).id.clone()).collect();
    }

    fn clean_key(&self, key: &str) -> String {
        let mut clean = String::new();
        let mut at = 0;
        for hit in self.rules.explain_key(key).hits {
            clean.push_str(key.get(at..hit.start).unwrap_or_default());
            clean.push_str("[REDACTED]");
            at = hit.end;
        }
        clean.push_str(key.get(at..).unwrap_or_default());
        clean
    }

    /// The leaf's pointer with its keys redacted; elements keep their numbers.
    fn clean_pointer(&self, leaf: &Leaf) -> String {
        let mut pointer = String::new();
        for step in leaf.pointer.split('/').skip(1) {
            pointer.push('/');
            let key = step.replace("~1", "/").replace("~0", "~");
            pointer.push_str(&self.clean_key(&key).replace('~', "~0").replace('/', "~1"));
        }
        pointer
    }
}
