//! Bad input through the public API: a clear outcome for each, and memory held, counted by the allocator itself.
//!
//! One test a process: the counts are the process'. Inputs are made piece by piece, so that they are not counted.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use terrasift_engine::detect::{HashKey, RuleErrorKind, RuleSet};
use terrasift_engine::sift::{Redactor, TaintPass};
use terrasift_schemas::detection::{Action, Category, Report};
use terrasift_schemas::rules::{Rule, RuleFile};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: usize, sign: isize) {
    let change = sign * isize::try_from(bytes).unwrap_or(0);
    let live = LIVE.fetch_add(change, Ordering::Relaxed) + change;
    PEAK.fetch_max(live, Ordering::Relaxed);
}

// SAFETY: hands every call on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MIB: isize = 1024 * 1024;

/// Makes an input, piece by piece.
type Input = Box<dyn Fn(&mut dyn FnMut(&[u8]))>;

/// A state whose only instance has these attributes: `before`, a piece so often, `after`.
fn attributes(before: &'static str, piece: Vec<u8>, times: usize, after: &'static str) -> Input {
    Box::new(move |push| {
        push(br#"{"version":4,"serial":1,"lineage":"l","resources":[{"mode":"managed","type":"t","name":"n","provider":"p","#);
        push(br#""instances":[{"attributes":{"id":"i-1""#);
        push(before.as_bytes());
        for _ in 0..times {
            push(&piece);
        }
        push(after.as_bytes());
        push(br#"},"sensitive_attributes":[]}]}]}"#);
    })
}

/// A state with so many instances; each holds a thousand addresses.
fn instances(times: usize) -> Input {
    let list = br#""ann@corp.example","#.repeat(1_000);
    let mut piece = br#"{"attributes":{"id":"i-1","list":["#.to_vec();
    piece.extend_from_slice(&list[..list.len() - 1]);
    piece.extend_from_slice(br#"]},"sensitive_attributes":[]},"#);
    Box::new(move |push| {
        push(br#"{"version":4,"serial":1,"lineage":"l","resources":[{"mode":"managed","type":"t","name":"n","provider":"p","#);
        push(br#""instances":["#);
        for _ in 1..times {
            push(&piece);
        }
        push(&piece[..piece.len() - 1]);
        push(br#"]}]}"#);
    })
}

/// What became of an input.
struct Outcome {
    /// The output's bytes, up to a mebibyte.
    output: String,
    output_bytes: usize,
    report: Report,
    /// Growth of the heap over both passes and the report.
    grown: isize,
    took: Duration,
}

impl Outcome {
    /// How often each rule stands in the report's list.
    fn rules(&self) -> Vec<(&str, usize)> {
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for detection in &self.report.detections {
            *rules.entry(&detection.rule).or_default() += 1;
        }
        rules.into_iter().collect()
    }
}

fn sanitize(rules: &Arc<RuleSet>, input: &Input) -> Outcome {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let begin = Instant::now();
    let mut pass = TaintPass::new(rules, [1; 16]);
    input(&mut |piece| pass.push(piece).unwrap());
    let mut redactor = Redactor::new(rules, pass.finish().unwrap(), HashKey::new([2; 32]));
    let (mut out, mut output, mut output_bytes) = (Vec::new(), Vec::new(), 0);
    input(&mut |piece| {
        redactor.push(piece, &mut out).unwrap();
        output_bytes += out.len();
        output.extend_from_slice(&out[..out.len().min((1 << 20) - output.len().min(1 << 20))]);
        out.clear();
    });
    let report = redactor.finish(&mut out).unwrap();
    output_bytes += out.len();
    output.extend_from_slice(&out[..out.len().min((1 << 20) - output.len().min(1 << 20))]);
    let grown = PEAK.load(Ordering::Relaxed) - before;
    Outcome {
        output: String::from_utf8_lossy(&output).into_owned(),
        output_bytes,
        report,
        grown,
        took: begin.elapsed(),
    }
}

fn own(pattern: &str) -> RuleFile {
    let rule = Rule {
        id: "own".to_owned(),
        name: String::new(),
        category: Category::Pii,
        enabled: true,
        pattern: Some(pattern.to_owned()),
        key_pattern: None,
        action: Action::Redact,
        priority: None,
        min_entropy: None,
        reason: String::new(),
    };
    RuleFile { version: 1, rules: vec![rule], ..RuleFile::default() }
}

#[test]
fn bad_input_has_a_clear_outcome_and_memory_is_held() {
    let rules = RuleSet::builtin();
    values_and_keys(&rules);
    many_findings(&rules);
    patterns(&rules);
    markers(&rules);
    long_lines(&rules);
}

#[expect(clippy::print_stdout, reason = "the figures of docs/sanitization.md")]
fn tell(name: &str, outcome: &Outcome) {
    println!(
        "{{\"case\":\"{name}\",\"output_bytes\":{},\"heap_growth_bytes\":{},\"took\":\"{:?}\"}}",
        outcome.output_bytes, outcome.grown, outcome.took
    );
}

fn values_and_keys(rules: &Arc<RuleSet>) {
    let marker = "[REDACTED:credential]";
    let long = sanitize(rules, &attributes(r#","big":""#, vec![b'x'; 1 << 16], 1_600, "\""));
    tell("a secret of 100 MB", &long);
    // The instance is above the cap, and its marks stand behind: nothing of its attributes is shown.
    assert_eq!(long.rules(), [("oversize", 2)]);
    assert!(
        long.output.contains(&format!(r#""big":"{marker}""#)) && long.output_bytes < 1_000,
        "{}",
        long.output
    );
    assert!(long.grown <= 20 * MIB, "{} bytes", long.grown);

    // Sixteen keys of a megabyte, each with an address in its middle.
    let mut member = br#",""#.to_vec();
    member.extend(std::iter::repeat_n(b'k', 500_000));
    member.extend_from_slice(b" ann@corp.example ");
    member.extend(std::iter::repeat_n(b'k', 500_000));
    member.extend_from_slice(br#"":"word""#);
    let keys = sanitize(rules, &attributes("", member, 4, ""));
    tell("keys of 1 MB", &keys);
    assert_eq!(keys.rules(), [("email", 4)]);
    assert!(
        keys.output.contains(" [REDACTED:pii] ") && !keys.output.contains("ann@corp"),
        "the address goes"
    );
    assert!(keys.grown <= 32 * MIB, "{} bytes", keys.grown);
}

fn many_findings(rules: &Arc<RuleSet>) {
    let many = sanitize(rules, &instances(1_000));
    tell("a million findings", &many);
    assert_eq!(many.report.counts[&Category::Pii], 1_000_000);
    assert_eq!(many.report.detections.len(), 10_000);
    assert_eq!(many.report.truncated, 990_000);
    assert!(!many.output.contains("ann@corp"), "all of them go");
    assert!(many.grown <= 8 * MIB, "{} bytes", many.grown);

    let text = "ann@corp.example ".repeat(400_000);
    let piece = format!(r#","text":"{text}""#).into_bytes();
    let one = sanitize(rules, &attributes("", piece, 1, ""));
    tell("400,000 findings in one value", &one);
    assert_eq!(one.report.counts.get(&Category::Pii), Some(&400_000), "{:?}", one.rules());
    assert!(one.grown <= 96 * MIB, "{} bytes", one.grown);
}

fn patterns(rules: &Arc<RuleSet>) {
    for (name, pattern, refused) in [
        ("matches everything", "(a*)*$", Some(RuleErrorKind::MatchesEmpty)),
        ("matches the empty text", "x*", Some(RuleErrorKind::MatchesEmpty)),
        ("matches only the empty text", "^$", Some(RuleErrorKind::MatchesEmpty)),
        ("large when compiled", "((a{99}){99}){99}", Some(RuleErrorKind::TooLarge)),
        ("nested repetition", "(x+x+)+y", None),
        ("alternatives that are alike", "(x|x)*y", None),
        ("a long way back", "x.{1,200}y", None),
    ] {
        let before = LIVE.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let compiled = rules.with(&own(pattern));
        let grown = PEAK.load(Ordering::Relaxed) - before;
        assert!(grown <= 16 * MIB, "{name}: {grown} bytes");
        assert_eq!(compiled.as_ref().err().map(|error| error.kind), refused, "{name}");
        let Ok(compiled) = compiled else { continue };
        let piece = format!(r#","text":"{}","other":"xxxxy""#, "x".repeat(1_000_000)).into_bytes();
        let slow = sanitize(&Arc::new(compiled), &attributes("", piece, 1, ""));
        tell(name, &slow);
        // Either it is searched to its end and holds nothing, or it took too many steps and goes whole.
        let text = slow.report.detections.iter().find(|d| d.pointer.ends_with("/text"));
        assert!(text.is_none_or(|found| found.rule == "undecidable" && found.bytes == 1_000_000), "{name}");
        let other = slow.report.detections.iter().find(|d| d.pointer.ends_with("/other"));
        assert_eq!(other.map(|found| found.rule.as_str()), Some("own"), "{name}: its neighbour is decided");
        assert!(slow.grown <= 8 * MIB, "{name}: {} bytes", slow.grown);
    }
}

fn markers(rules: &Arc<RuleSet>) {
    for (name, members) in [
        ("a value", r#","note":"[REDACTED:credential]""#),
        ("a value under a sensitive key", r#","password":"[REDACTED:credential]""#),
        ("a hash", r#","password":"[HASHED:pii:0123456789abcdef]""#),
        ("within a text", r#","note":"token=[REDACTED:credential] and [REDACTED:pii]""#),
        ("a key", r#","tags":{"[REDACTED:pii]":"x","[REDACTED:pii#2]":"y"}"#),
    ] {
        let input = attributes(members, Vec::new(), 0, "");
        let mut expected = Vec::new();
        input(&mut |piece| expected.extend_from_slice(piece));
        let same = sanitize(rules, &input);
        assert_eq!(same.output.as_bytes(), expected, "{name}: nothing is redacted twice");
        assert!(same.report.detections.is_empty(), "{name}");
    }
    let near = sanitize(rules, &attributes(r#","password":"[REDACTED:nothing]""#, Vec::new(), 0, ""));
    assert_eq!(near.rules(), [("sensitive-key", 1)], "what only looks like a marker goes");
}

/// Names of secrets in one line without an end: four times as many take four times as long, not sixteen.
fn long_lines(rules: &Arc<RuleSet>) {
    let took = |piece: &str, times: usize| {
        let text = format!(r#","text":"{}""#, piece.repeat(times)).into_bytes();
        let input = attributes("", text, 1, "");
        let run = || sanitize(rules, &input).took;
        run().min(run())
    };
    for piece in [
        "password for ",
        "| password ",
        "> /x/token ",
        "password == x",
        "credentials = {a=1 ",
        r"password: *a\n",
        "f(password=secret, ",
        r"value: <<E\nname: DB_PASSWORD\n",
        "password=<a ",
    ] {
        let (once, more) = (took(piece, 5_000), took(piece, 20_000));
        assert!(more < once * 10, "{piece}: {once:?}, and four times as much {more:?}");
    }
}
