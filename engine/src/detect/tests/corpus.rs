//! Real states that nobody here wrote: every redaction in them stands in `corpus.tsv`, judged once by a person.
//!
//! States v4 go through the sanitizer; plans and older states, which it refuses, through the detector alone. Positions in
//! arrays are written as `*`. Must never write a value into the repository: the list holds places and verdicts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::detect::{HashKey, Hit, KeyVerdict, PairPart, RuleSet, Scratch};
use crate::sift::{Redactor, TaintPass};

const ADJUDICATED: &str = include_str!("corpus.tsv");

/// Where a rule fired: how it was read, whose corpus, the place, the rule.
type Place = (&'static str, String, String, String);

struct Census<'r> {
    rules: &'r std::sync::Arc<RuleSet>,
    scratch: Scratch,
    source: String,
    /// How often, and what stood there: for a person's eyes only.
    found: BTreeMap<Place, (usize, Vec<String>)>,
}

impl Census<'_> {
    fn add(&mut self, how: &'static str, pointer: &str, rule: &str, value: &str) {
        let steps = pointer.split('/').map(|step| match step.bytes().all(|b| b.is_ascii_digit()) {
            true if !step.is_empty() => "*",
            _ => step,
        });
        let place = steps.collect::<Vec<_>>().join("/");
        let entry = self.found.entry((how, self.source.clone(), place, rule.to_owned())).or_default();
        entry.0 += 1;
        entry.1.push(value.replace(['\n', '\t'], " "));
    }

    /// Both passes, as `terrasift sanitize` does them. `false`: refused.
    fn sanitize(&mut self, text: &str, state: &Value) -> bool {
        let mut first = TaintPass::new(self.rules, [7; 16]);
        let Some(taint) = first.push(text.as_bytes()).and_then(|()| first.finish()).ok() else {
            return false;
        };
        let mut second = Redactor::new(self.rules, taint, HashKey::new([9; 32]));
        let mut out = Vec::new();
        let report = second.push(text.as_bytes(), &mut out).and_then(|()| second.finish(&mut out));
        let report = report.expect("what the first pass took, the second takes");
        for detection in &report.detections {
            let value = state.pointer(&detection.pointer).map_or(String::new(), Value::to_string);
            self.add("sanitized", &detection.pointer, &detection.rule, &value);
        }
        true
    }

    fn walk(&mut self, value: &Value, pointer: &str, verdict: KeyVerdict) {
        match value {
            Value::String(text) => {
                let mut hits: Vec<Hit> = Vec::new();
                self.rules.inspect(text, verdict, &mut self.scratch, &mut hits);
                for hit in &hits {
                    self.add(
                        "detected",
                        pointer,
                        &self.rules.rule(hit.rule).id.clone(),
                        &text[hit.start..hit.end],
                    );
                }
            }
            Value::Number(n) => {
                if let Some(ix) = self.rules.inspect_number(&n.to_string(), verdict) {
                    self.add("detected", pointer, &self.rules.rule(ix).id.clone(), &n.to_string());
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.walk(item, &format!("{pointer}/*"), verdict);
                }
            }
            Value::Object(members) => {
                let name = members
                    .iter()
                    .find(|(k, v)| v.is_string() && self.rules.pair_part(k) == Some(PairPart::Name));
                let named = name.and_then(|(_, v)| v.as_str()).map(|n| self.rules.classify_key(n));
                for (k, v) in members {
                    let own = self.rules.classify_key(k).under(verdict);
                    let own = match (self.rules.pair_part(k), named) {
                        (Some(PairPart::Value), Some(named)) if named != KeyVerdict::Plain => named,
                        _ => own,
                    };
                    self.walk(v, &format!("{pointer}/{}", k.replace('~', "~0").replace('/', "~1")), own);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), out);
        } else {
            out.push(entry.path());
        }
    }
}

/// The list: place → how often, right or false.
fn adjudicated() -> BTreeMap<Place, (usize, bool)> {
    let mut list = BTreeMap::new();
    for line in ADJUDICATED.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [how, source, place, rule, times, verdict, reason] = fields[..] else {
            panic!("a row has seven fields: {line}");
        };
        let how = if how == "sanitized" { "sanitized" } else { "detected" };
        let right = match verdict {
            "right" => true,
            "false" => false,
            _ => panic!("a verdict is right or false: {line}"),
        };
        assert!(!reason.is_empty(), "a verdict has a reason: {line}");
        let key = (how, source.to_owned(), place.to_owned(), rule.to_owned());
        list.insert(key, (times.parse().expect("a count"), right));
    }
    list
}

/// Written only where `TERRASIFT_CORPUS_HITS` says so, with the values: for the one who judges.
fn show(census: &Census<'_>, list: &BTreeMap<Place, (usize, bool)>) {
    #[expect(clippy::disallowed_methods, reason = "a person asks for the list of hits")]
    let Ok(path) = std::env::var("TERRASIFT_CORPUS_HITS") else { return };
    let mut text = String::new();
    for (place, (times, values)) in &census.found {
        let known = if list.contains_key(place) { "known" } else { "new" };
        let (how, source, at, rule) = place;
        text += &format!(
            "{how}\t{source}\t{at}\t{rule}\t{times}\t{known}\t{}\n",
            values[..values.len().min(3)].join(" | ")
        );
    }
    std::fs::write(path, text).expect("writable");
}

#[test]
fn every_redaction_in_real_states_is_adjudicated_and_right() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/tfstate");
    let mut paths = Vec::new();
    files(&corpus, &mut paths);
    paths.sort();
    if paths.is_empty() {
        println!("skipped: ../shared is absent");
        return;
    }
    let rules = super::rules();
    let mut census =
        Census { rules: &rules, scratch: Scratch::default(), source: String::new(), found: BTreeMap::new() };
    let mut bytes = 0;
    for path in &paths {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let Ok(state) = serde_json::from_str::<Value>(&text) else { continue };
        bytes += text.len();
        let below = path.strip_prefix(&corpus).expect("below the corpus");
        census.source = below.iter().next().unwrap_or_default().to_string_lossy().into_owned();
        if !census.sanitize(&text, &state) {
            census.walk(&state, "", KeyVerdict::Plain);
        }
    }
    let list = adjudicated();
    show(&census, &list);
    let mut wrong = Vec::new();
    let mut mistakes = 0;
    for (place, (times, _)) in &census.found {
        match list.get(place) {
            Some((judged, right)) if judged == times => mistakes += if *right { 0 } else { *times },
            Some((judged, _)) => wrong.push(format!("{place:?}: {times} times, {judged} were judged")),
            None => wrong.push(format!("{place:?}: {times} times, never judged")),
        }
    }
    let gone = list.keys().filter(|place| !census.found.contains_key(*place));
    wrong.extend(gone.map(|place| format!("{place:?}: judged, and not redacted any more")));
    assert!(wrong.is_empty(), "{} places differ from corpus.tsv:\n{}", wrong.len(), wrong.join("\n"));
    assert!(mistakes * 10_000_000 <= bytes, "{mistakes} false redactions in {bytes} bytes");
    println!(
        "{} redactions in {bytes} bytes, {mistakes} of them false",
        census.found.values().map(|f| f.0).sum::<usize>()
    );
}
