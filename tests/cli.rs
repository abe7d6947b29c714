//! The binary as a person uses it: exit codes, what stands on which stream, and that no secret comes back.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const SECRET: &str = "correct-horse-battery-9";

fn terrasift(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_terrasift"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A filter that refuses early may close its input early.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn state() -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.11.0","serial":1,"lineage":"l","outputs":{{"copy":{{"value":"is {SECRET}."}}}},
        "resources":[{{"mode":"managed","type":"aws_db_instance","name":"a","provider":"p","instances":[{{"attributes":
        {{"id":"db-1","password":"{SECRET}"}},"sensitive_attributes":[]}}]}}],"check_results":null}}"#
    )
}

fn check(name: &str, arguments: &[&str], input: &str, code: i32, says: &str) {
    let output = terrasift(arguments, input);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{name}: {err}");
    assert!(err.contains(says) || out.contains(says), "{name}: expected {says:?} in {err:?}");
    assert!(!err.contains(SECRET) && !out.contains(SECRET), "{name}: a secret came back");
}

#[test]
fn sanitize_is_a_filter_with_documented_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (good, bad_rules) =
        (path("good", &state()), path("rules", "rules: [{id: x, category: pii, pattern: 'a*'}]"));
    let not_rules = path("not-rules", &format!("{SECRET}: 1"));
    check("a file", &["sanitize", &good], "", 0, "is [REDACTED:credential].");
    check("standard input", &["sanitize"], &state(), 0, "is [REDACTED:credential].");
    check("one pass", &["sanitize", "-", "--taint=forward"], "", 2, "empty");
    check("statistics", &["sanitize", &good, "--stats", "--json"], "", 0, "\"mb_per_s\"");
    check("truncated", &["sanitize"], &state()[..200], 2, "truncated");
    check("not JSON", &["sanitize"], SECRET, 2, "not_json");
    check("version 3", &["sanitize"], r#"{"version":3}"#, 2, "not_a_state_v4");
    check("a plan", &["sanitize"], r#"{"format_version":"1.2","planned_values":{}}"#, 2, "not_a_state_v4");
    check("no file", &["sanitize", "/no/such/file"], "", 2, "cannot be read");
    check(
        "a rule that matches nothing",
        &["sanitize", &good, "--rules", &bad_rules],
        "",
        3,
        "line 1: rule x",
    );
    check(
        "no rule file",
        &["sanitize", &good, "--rules", &not_rules],
        "",
        3,
        "line 1: a key that rule files do not have",
    );
}

#[test]
fn rules_are_tried_on_a_sample_without_showing_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yaml");
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&path, "version: 2\nrules: [{id: own, category: pii, pattern: 'is c', priority: 1}]")
        .unwrap();
    std::fs::write(&bad, "rules: [{id: x, category: pii, pattern: 'a*'}]").unwrap();
    let (path, bad) = (path.to_str().unwrap(), bad.to_str().unwrap());
    let copy = "/outputs/copy/value";
    check("a copy", &["rules", "test", "--rules", path], &state(), 0, "tainted redacts: copy of a value");
    check("as JSON", &["rules", "test", "--rules", path, "--json"], &state(), 0, copy);
    check(
        "a value",
        &["rules", "test", "--key", "password"],
        SECRET,
        0,
        "sensitive-key redacts (priority 900)",
    );
    check("bad rules", &["rules", "test", "--rules", bad], &state(), 3, "line 1: rule x");
    check("no sample", &["rules", "test", "/no/such/file"], "", 2, "cannot read");
    check("the list", &["rules", "list", "--rules", path], "", 0, "own ");
    let shown = terrasift(&["rules", "test", "--show"], &state());
    assert!(String::from_utf8_lossy(&shown.stdout).contains(SECRET), "--show shows the sample");
}

/// 256 MiB of address space hold the program and a rule file at its limit, not what a hostile one could become.
#[test]
fn a_hostile_rule_file_is_refused_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yaml");
    let aliases = format!("disable: [&a {}, {}]", "x".repeat(90_000), ["*a"; 99_000].join(","));
    for (name, content, says) in [
        ("10 MB of rules", "- {id: x, category: pii, pattern: x}\n".repeat(300_000), "larger than 1 MiB"),
        ("gigabytes of aliases", aliases, "with its aliases written out"),
        ("brackets without end", "[".repeat(1_000_000), "more than 100 open brackets"),
    ] {
        std::fs::write(&path, content).unwrap();
        let output = Command::new("bash")
            .args(["-c", "ulimit -v 262144; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_terrasift")])
            .args(["rules", "list", "--rules", path.to_str().unwrap()])
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {err}");
        assert!(err.contains(says), "{name}: {err}");
    }
}

#[test]
fn the_report_points_into_the_output() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let output = terrasift(&["sanitize", "--report", report.to_str().unwrap()], &state());
    let redacted: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let detections = report["detections"].as_array().unwrap();
    assert!(detections.len() >= 2, "the password and its copy");
    for detection in detections {
        let place = redacted.pointer(detection["pointer"].as_str().unwrap()).unwrap();
        assert!(place.as_str().unwrap().contains("[REDACTED:"), "{detection}");
    }
    let again = terrasift(&["sanitize"], &String::from_utf8(output.stdout.clone()).unwrap());
    assert_eq!(again.stdout, output.stdout, "redacting twice changes nothing more");
}

#[test]
fn a_wrong_configuration_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("unknown key", "kafak: {}".to_owned(), "did you mean `kafka`?"),
        ("missing secret", String::new(), "postgres.url"),
        ("not YAML", format!("{SECRET}: ["), "not valid YAML"),
    ];
    for (name, content, says) in cases {
        let path = folder.path().join("terrasift.yaml");
        std::fs::write(&path, content).unwrap();
        for command in ["check", "serve", "migrate"] {
            let says = if command == "migrate" {
                says.replace("postgres.url", "postgres.owner_url")
            } else {
                says.to_owned()
            };
            check(name, &[command, "--config", path.to_str().unwrap()], "", 1, &says);
        }
    }
}
