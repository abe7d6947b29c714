//! Holds the alert rules of `deploy/prometheus` to the source: whole, told in words, about metrics and labels that exist.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::collections::BTreeSet;

use serde_norway::Value;
use terrasift_house::{SourceFile, files, rust_files};

/// What must be alerted about, whatever else is.
const WANTED: [&str; 7] = [
    "TerrasiftLeakFound",
    "TerrasiftLeakLookMissing",
    "TerrasiftCrossTenantAttempt",
    "TerrasiftAuditLost",
    "TerrasiftAuditBacklog",
    "TerrasiftAuditUnsigned",
    "TerrasiftRefusalsSurge",
];

fn rule_files() -> Vec<SourceFile> {
    let all = files(&[".yaml"]).unwrap().into_iter();
    all.filter(|file| file.path.starts_with("deploy/prometheus/")).collect()
}

fn rules(file: &SourceFile) -> Vec<Value> {
    let parsed: Value = serde_norway::from_str(&file.text).unwrap();
    let groups = parsed["groups"].as_sequence().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_sequence().unwrap().clone()).collect()
}

fn text<'v>(rule: &'v Value, path: &[&str]) -> &'v str {
    let found = path.iter().try_fold(rule, |value, key| value.get(key));
    found.and_then(Value::as_str).unwrap_or_default().trim()
}

/// Words that begin as our metrics do.
fn metrics(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("terrasift_")).collect()
}

/// Labels that an expression selects or groups by, and the metrics they are of are not told apart: a label must be one of ours.
fn labels(expression: &str) -> BTreeSet<&str> {
    let matchers = expression.split(['{', '}']).skip(1).step_by(2).flat_map(|inside| inside.split(','));
    let matched = matchers.filter_map(|matcher| matcher.split(['=', '!']).next());
    let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    let all = matched.chain(grouped.flat_map(|inside| inside.split(',')));
    // What Prometheus adds itself.
    all.map(str::trim).filter(|label| *label != "instance").collect()
}

fn is_balanced(expression: &str) -> bool {
    [('(', ')'), ('{', '}'), ('[', ']')].iter().all(|(open, close)| {
        let depth = expression.chars().try_fold(0_i32, |depth, c| {
            let depth = depth + i32::from(c == *open) - i32::from(c == *close);
            (depth >= 0).then_some(depth)
        });
        depth == Some(0)
    }) && expression.matches('"').count().is_multiple_of(2)
}

fn complaints(rule: &Value, sources: &str) -> Vec<String> {
    let (name, expression) = (text(rule, &["alert"]), text(rule, &["expr"]));
    let mut found = Vec::new();
    if !name.starts_with("Terrasift") || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        found.push("its name is not TerrasiftSo".to_owned());
    }
    if !["warning", "critical"].contains(&text(rule, &["labels", "severity"])) {
        found.push("its severity is neither warning nor critical".to_owned());
    }
    for said in ["summary", "action"] {
        if text(rule, &["annotations", said]).len() < 20 {
            found.push(format!("it says no {said}"));
        }
    }
    if !is_balanced(expression) {
        found.push("its brackets or quotes do not match".to_owned());
    }
    let named = metrics(expression);
    if named.is_empty() {
        found.push("it asks for no metric of ours".to_owned());
    }
    for metric in named {
        let plain = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end));
        let known = |name: &str| sources.contains(&format!("\"{name}\""));
        if !known(metric) && !plain.is_some_and(known) {
            found.push(format!("there is no metric {metric}"));
        }
    }
    for label in labels(expression).into_iter().filter(|label| !sources.contains(&format!("\"{label}\""))) {
        found.push(format!("there is no label {label}"));
    }
    found.into_iter().map(|what| format!("{name}: {what}")).collect()
}

/// Source that is shipped, without tests: a metric that only a test names is none.
fn sources() -> String {
    let shipped = rust_files().unwrap().into_iter().filter(|file| !file.path.contains("tests/"));
    shipped.map(|file| file.text).collect()
}

#[test]
fn alert_rules_are_whole_and_name_metrics_that_exist() {
    let sources = sources();
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for file in rule_files() {
        for rule in rules(&file) {
            found.extend(complaints(&rule, &sources));
            let name = text(&rule, &["alert"]).to_owned();
            if !names.insert(name.clone()) {
                found.push(format!("{name}: there are two"));
            }
        }
    }
    found.extend(
        WANTED.iter().filter(|name| !names.contains(**name)).map(|name| format!("{name} is missing")),
    );
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn a_rule_that_is_not_right_is_noticed() {
    let sources = r#" "terrasift_leaks" "kind" "terrasift_http_request_seconds" "route" "#;
    let rule = |expression: &str| {
        serde_norway::from_str::<Value>(&format!(
            "{{alert: TerrasiftIt, expr: '{expression}', labels: {{severity: warning}}, \
             annotations: {{summary: something is not as it should be, action: look at the log of the worker}}}}"
        ))
        .unwrap()
    };
    for (expression, expected) in [
        ("max by (kind) (terrasift_leaks) > 0", None),
        ("rate(terrasift_http_request_seconds_bucket{route=~\"/v1/.*\"}[5m]) > 0", None),
        ("terrasift_leeks > 0", Some("there is no metric terrasift_leeks")),
        ("terrasift_leaks{sort=\"a\"} > 0", Some("there is no label sort")),
        ("max by (sort) (terrasift_leaks) > 0", Some("there is no label sort")),
        ("max(terrasift_leaks > 0", Some("its brackets or quotes do not match")),
        ("up == 0", Some("it asks for no metric of ours")),
    ] {
        let expected: Vec<String> = expected.iter().map(|what| format!("TerrasiftIt: {what}")).collect();
        assert_eq!(complaints(&rule(expression), sources), expected, "{expression}");
    }
    let bare: Value = serde_norway::from_str("{alert: it, expr: terrasift_leaks}").unwrap();
    assert_eq!(complaints(&bare, sources).len(), 4, "name, severity, summary, action");
}
