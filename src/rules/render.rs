//! A decided sample on the terminal or as JSON.
//!
//! Must never print a byte that goes, unless `--show` asks for it, nor a control character of the sample as it is.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;

use serde_json::{Value, json};
use terrasift_engine::detect::{Outcome, RuleSet};

use super::decided::{Decided, Place, SampleKind, Span};
use super::sample::Kind;
use super::words;

/// What stays of a text is shown up to this many characters between two spans.
const STRETCH_MAX: usize = 80;

/// Colours, or none.
struct Paint {
    bold: &'static str,
    gone: &'static str,
    faint: &'static str,
    end: &'static str,
}

const COLOURS: Paint = Paint { bold: "\x1b[1m", gone: "\x1b[31m", faint: "\x1b[2m", end: "\x1b[0m" };
const PLAIN: Paint = Paint { bold: "", gone: "", faint: "", end: "" };

/// Prints what was decided.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn print(decided: &Decided, show: bool, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string(&to_json(decided, show))?);
    } else {
        let paint = if std::io::stdout().is_terminal() { &COLOURS } else { &PLAIN };
        print!("{}", to_text(decided, show, paint));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn to_json(decided: &Decided, show: bool) -> Value {
    let rules = &decided.rules;
    let places: Vec<Value> = decided.places.iter().map(|place| place_json(decided, place, show)).collect();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for span in decided.places.iter().flat_map(|place| &place.spans) {
        *counts.entry(rules.rule(span.rule).id.as_str()).or_default() += 1;
    }
    json!({ "sample": decided.kind, "leaves": places, "counts": counts, "notes": decided.notes })
}

fn place_json(decided: &Decided, place: &Place, show: bool) -> Value {
    let rules = &decided.rules;
    let spans: Vec<Value> = place
        .spans
        .iter()
        .map(|span| {
            let info = rules.rule(span.rule);
            json!({
                "start": span.start, "end": span.end, "rule": info.id, "category": info.category,
                "action": info.action, "priority": info.priority, "protected": info.protected, "why": span.why,
            })
        })
        .collect();
    let candidates: Vec<Value> = place
        .candidates
        .iter()
        .map(|candidate| {
            let (w, info) = (candidate.weighed, rules.rule(candidate.weighed.rule));
            let mut value = json!({
                "start": w.start, "end": w.end, "rule": info.id, "priority": info.priority,
                "outcome": words::code(w.outcome), "says": candidate.says,
            });
            match w.outcome {
                Outcome::Loses { to, .. } => value["to"] = json!(rules.rule(to).id),
                Outcome::Allowed { entry } => value["allowlist"] = json!(entry),
                Outcome::Plain { bits, least } => {
                    (value["bits"], value["min_entropy"]) = (json!(bits), json!(least));
                }
                _ => {}
            }
            value
        })
        .collect();
    let kind = match place.kind {
        Kind::Text => "text",
        Kind::Number => "number",
        Kind::Key => "key",
    };
    let mut value = json!({
        "pointer": place.pointer, "line": place.line, "kind": kind, "spans": spans, "candidates": candidates,
        "text": if show { place.text.clone() } else { redacted(decided, place) },
    });
    if let Some(key) = &place.key {
        value["key"] = json!(key);
        value["key_says"] = json!(place.key_says);
        value["key_rules"] = json!(place.key_rules);
    }
    value
}

/// The place's text with what goes replaced, as the sanitizer writes it.
fn redacted(decided: &Decided, place: &Place) -> String {
    let mut text = String::new();
    let mut at = 0;
    for span in &place.spans {
        text.push_str(place.text.get(at..span.start).unwrap_or_default());
        text.push_str(&marker(decided, place, span));
        at = span.end;
    }
    text + place.text.get(at..).unwrap_or_default()
}

fn marker(decided: &Decided, place: &Place, span: &Span) -> String {
    let mut marker = Vec::new();
    let value = place.text.get(span.start..span.end).unwrap_or_default();
    decided.rules.replacement(span.rule, value, &decided.hash_key, &mut marker);
    String::from_utf8_lossy(&marker).into_owned()
}

fn to_text(decided: &Decided, show: bool, paint: &Paint) -> String {
    let mut out = String::new();
    let Paint { bold, faint, end, .. } = paint;
    for note in &decided.notes {
        let _ = writeln!(out, "{faint}{note}{end}");
    }
    let mut gone = 0;
    for place in &decided.places {
        gone += place.spans.len();
        if decided.kind != SampleKind::Text {
            let of = if place.kind == Kind::Key { ", the key itself" } else { "" };
            let _ = writeln!(out, "{bold}{}{end} (line {}{of})", printable(&place.pointer), place.line);
        }
        let _ = writeln!(out, "  {}", view(decided, place, show, paint));
        if let Some(says) = &place.key_says {
            let key = printable(place.key.as_deref().unwrap_or_default());
            let _ = writeln!(out, "  {key}: {says}");
            if place.key_rules.len() > 1 {
                let _ = writeln!(
                    out,
                    "    rules for this key, the strongest first: {}",
                    place.key_rules.join(", ")
                );
            }
        }
        for line in reasons(&decided.rules, place) {
            let _ = writeln!(out, "    {line}");
        }
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let _ = writeln!(out, "{bold}{gone} span{} would be replaced{end}", plural(gone));
    out
}

/// One line for each span that no candidate explains, and one for each candidate.
fn reasons(rules: &RuleSet, place: &Place) -> Vec<String> {
    let explained =
        |span: &Span| place.candidates.iter().any(|c| c.weighed.rule == span.rule && c.says == span.why);
    let spans = place.spans.iter().filter(|span| !explained(span)).map(|span| {
        format!("{}..{} {} redacts: {}", span.start, span.end, rules.rule(span.rule).id, span.why)
    });
    let candidates = place.candidates.iter().map(|candidate| {
        let w = candidate.weighed;
        format!("{}..{} {} {}", w.start, w.end, rules.rule(w.rule).id, candidate.says)
    });
    spans.chain(candidates).collect()
}

/// The text on one line: what goes is marked, long stretches of what stays are cut.
fn view(decided: &Decided, place: &Place, show: bool, paint: &Paint) -> String {
    let mut line = String::new();
    let mut at = 0;
    for span in &place.spans {
        line.push_str(&stretch(place.text.get(at..span.start).unwrap_or_default()));
        let shown = match show {
            true => format!("«{}»", stretch(place.text.get(span.start..span.end).unwrap_or_default())),
            false => marker(decided, place, span),
        };
        let _ = write!(line, "{}{shown}{}", paint.gone, paint.end);
        at = span.end;
    }
    line + &stretch(place.text.get(at..).unwrap_or_default())
}

fn stretch(text: &str) -> String {
    let count = text.chars().count();
    if count <= STRETCH_MAX {
        return printable(text);
    }
    let head: String = text.chars().take(STRETCH_MAX / 2).collect();
    let tail: String = text.chars().skip(count - STRETCH_MAX / 2).collect();
    format!("{} … {}", printable(&head), printable(&tail))
}

/// Control characters as escapes: a sample must not steer the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out
}
