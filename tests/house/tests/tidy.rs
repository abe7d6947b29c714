//! Holds the source to the house rules of `CONTRIBUTING.md`: sizes, headers, names, words.
//!
//! What breaks a rule and may stay stands in [`EXCEPTIONS`] with its reason. That list only shrinks: an entry that is no
//! longer needed fails the test too.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;

use terrasift_house::{SourceFile, files, functions, looks_like_a_test, mentions, root, rust_files};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Rule, where (as the finding says it), why it may stay.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "no-ignored-test",
        "connectors/postgres/tests/store/main.rs",
        "the child process of a test, which starts it by name with --ignored",
    ),
    (
        "no-ignored-test",
        "connectors/kafka/tests/brokers/main.rs",
        "the child process of a test, which starts it by name with --ignored",
    ),
    (
        "function-length",
        "engine/src/extract/tests/oracle.rs::violations",
        "one check a line, each of one of Backstage's rules",
    ),
    (
        "function-length",
        "load-tests/tests/contract.rs::bodies_validate_against_the_published_openapi_document_and_the_samples",
        "a table of cases",
    ),
];

struct Finding {
    rule: &'static str,
    place: String,
    what: String,
}

fn finding(rule: &'static str, place: &str, what: impl Into<String>) -> Finding {
    Finding { rule, place: place.to_owned(), what: what.into() }
}

/// Panics with everything that breaks one of `rules` and is not excepted, and with exceptions that nothing needs.
fn check(rules: &[&str], findings: Vec<Finding>) {
    let mut unused: BTreeSet<usize> =
        (0..EXCEPTIONS.len()).filter(|at| rules.contains(&EXCEPTIONS[*at].0)).collect();
    let mut complaints = Vec::new();
    for Finding { rule, place, what } in findings {
        match EXCEPTIONS.iter().position(|(known, at, _)| *known == rule && *at == place) {
            Some(exception) => drop(unused.remove(&exception)),
            None => complaints.push(format!("{place}: {what} [{rule}]")),
        }
    }
    for (rule, place, _) in unused.into_iter().map(|at| EXCEPTIONS[at]) {
        complaints.push(format!("{place}: the exception from {rule} is no longer needed: take it out"));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn planted_bugs_fit_the_source() {
    let bugs = root().join("load-tests/bugs");
    let mut fitting = 0;
    for entry in std::fs::read_dir(&bugs).unwrap() {
        let patch = entry.unwrap().path();
        if patch.extension().is_none_or(|extension| extension != "patch") {
            continue;
        }
        let apply = Command::new("git").current_dir(root()).args(["apply", "--check"]).arg(&patch).output();
        let output = apply.unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: make it anew\n{why}", patch.display());
        fitting += 1;
    }
    assert!(fitting >= 11, "only {fitting} planted bugs");
}

/// `make` says what it would run: a variable that is lost on the way tries something else than was asked for.
#[test]
fn make_hands_on_what_was_asked_for() {
    for (arguments, expected) in [
        (&["faults", "ROW=zombie", "SEED=3"][..], &["rows='zombie'", "--seeds '3'"][..]),
        (&["faults", "ROWS=calm zombie", "SEEDS=7 8"], &["rows='calm,zombie'", "--seeds '7,8'"]),
        (&["faults"], &["rows=''", "--seeds '1,2,3,4,5'"]),
        (&["faults", "BUG=3"], &["catch.sh '3'"]),
        (&["measure", "ROW=idle", "MINUTES=2"], &["row='idle'", "--minutes '2'"]),
    ] {
        let make =
            Command::new("make").current_dir(root()).arg("--dry-run").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&make.stdout);
        for part in expected {
            assert!(said.contains(part), "make {arguments:?} runs no {part}:\n{said}");
        }
    }
}

#[test]
fn files_are_at_most_500_lines() {
    let all = files(&[".rs", ".ts", ".tsx"]).unwrap();
    assert!(all.len() > 100, "the walk found next to nothing");
    let written = all.iter().filter(|file| !file.text.starts_with("// @generated"));
    let findings = written.filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES_MAX)
            .then(|| finding("file-length", &file.path, format!("{lines} lines: split it")))
    });
    check(&["file-length"], findings.collect());
}

#[test]
fn functions_are_at_most_70_lines() {
    let mut findings = Vec::new();
    for file in rust_files().unwrap() {
        for function in functions(&file).into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
            let what = format!("line {}: `{}` has {} lines", function.line, function.name, function.lines);
            findings.push(finding("function-length", &format!("{}::{}", file.path, function.name), what));
        }
    }
    check(&["function-length"], findings);
}

#[test]
fn every_file_says_what_it_owns() {
    let findings = rust_files().unwrap().into_iter().filter(|file| !file.text.starts_with("//!"));
    check(
        &["header"],
        findings.map(|file| finding("header", &file.path, "does not begin with `//!`")).collect(),
    );
}

#[test]
fn no_module_is_named_after_nothing() {
    const NOUNLESS: [&str; 7] = ["utils", "util", "common", "helpers", "helper", "misc", "manager"];
    let mut findings = Vec::new();
    for file in files(&[".rs", ".ts", ".tsx"]).unwrap() {
        let named = Path::new(&file.path).with_extension("");
        let bad = named.iter().filter_map(|part| part.to_str()).find(|part| NOUNLESS.contains(part));
        findings.extend(
            bad.map(|part| finding("module-name", &file.path, format!("`{part}`: find the missing noun"))),
        );
    }
    check(&["module-name"], findings);
}

#[test]
fn nothing_unwraps_and_every_expect_names_its_invariant() {
    let mut findings = Vec::new();
    for file in rust_files().unwrap() {
        let (shipped, comments): (Vec<_>, Vec<_>) =
            (file.shipped.lines().collect(), file.comments.lines().collect());
        for (index, line) in shipped.iter().enumerate() {
            if line.contains(".unwrap()") || line.contains(".unwrap_err()") {
                findings.push(finding("unwrap", &file.path, format!("line {}", index + 1)));
            }
            if line.contains(".expect(\"") && !invariant_above(&shipped, &comments, index) {
                findings.push(finding(
                    "expect",
                    &file.path,
                    format!("line {}: no INVARIANT above", index + 1),
                ));
            }
        }
    }
    check(&["unwrap", "expect"], findings);
}

/// Looks through the statement that a line belongs to, and the comment above it.
fn invariant_above(shipped: &[&str], comments: &[&str], line: usize) -> bool {
    for index in (line.saturating_sub(12)..=line).rev() {
        if comments[index].contains("INVARIANT:") {
            return true;
        }
        let code = shipped[index].trim_end();
        if index < line && (code.ends_with(';') || code.ends_with('}') || code.ends_with('{')) {
            return false;
        }
    }
    false
}

#[test]
fn nothing_is_left_for_later() {
    const LATER: [&str; 3] = ["TODO", "FIXME", "XXX"];
    const MACROS: [&str; 3] = ["todo!(", "dbg!(", "unimplemented!("];
    let mut findings = Vec::new();
    for file in rust_files().unwrap() {
        let said = |text: &str, needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
        for (index, (code, comment)) in file.code.lines().zip(file.comments.lines()).enumerate() {
            if said(code, &MACROS) || said(comment, &LATER) && !comment.contains('`') {
                findings.push(finding("left-for-later", &file.path, format!("line {}", index + 1)));
            }
            if code.contains("#[ignore") {
                findings.push(finding("no-ignored-test", &file.path, format!("line {}", index + 1)));
            }
        }
    }
    check(&["left-for-later", "no-ignored-test"], findings);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let needles = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let mut findings = Vec::new();
    for file in
        files(&[".rs", ".ts", ".toml", ".md", ".yaml", ".yml", ".sql", "Makefile", "run", ".json"]).unwrap()
    {
        for (index, line) in file.text.lines().enumerate() {
            if needles.iter().any(|needle| stands_alone(line, needle)) {
                findings.push(finding("machine-path", &file.path, format!("line {}", index + 1)));
            }
        }
    }
    check(&["machine-path"], findings);
}

/// Whether an absolute path begins with `needle`: `a/home/b` and a URL's path are none.
fn stands_alone(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | '='))
    })
}

fn documents() -> Vec<SourceFile> {
    files(&[".md"]).unwrap()
}

#[test]
fn paths_named_in_the_documentation_exist() {
    let folders: HashSet<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let mut findings = Vec::new();
    for document in documents() {
        let folder = root().join(&document.path).parent().unwrap().to_path_buf();
        for mention in mentions(&document.text).into_iter().filter(|mention| is_path(mention, &folders)) {
            if !root().join(&mention).exists() && !folder.join(&mention).exists() {
                findings.push(finding(
                    "documented-path",
                    &document.path,
                    format!("`{mention}` does not exist"),
                ));
            }
        }
    }
    check(&["documented-path"], findings);
}

/// A claim about the checkout: begins with a folder of ours or ends as our files do. Not commands, globs, routes.
fn is_path(mention: &str, folders: &HashSet<String>) -> bool {
    const OURS: [&str; 7] = [".rs", ".md", ".toml", ".sql", ".yaml", ".json", ".snap"];
    let plain = mention.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b));
    let first = mention.split('/').next().unwrap_or_default();
    let inside = mention.contains('/') && folders.contains(first) && first != "target";
    let relative = mention.starts_with("../") && !mention.starts_with("../shared");
    let named = mention.contains('/')
        && !mention.starts_with(['.', '/'])
        && OURS.iter().any(|end| mention.ends_with(end));
    plain && (inside || relative || named)
}

/// Names of metrics are API: operators build alerts on what the documentation says.
#[test]
fn tests_and_metrics_named_in_the_documentation_exist() {
    let sources = rust_files().unwrap();
    let plugins = files(&[".ts"]).unwrap();
    let mut findings = Vec::new();
    for document in documents().into_iter().filter(|document| document.path.starts_with("docs/")) {
        for mention in mentions(&document.text).into_iter().filter(|mention| looks_like_a_test(mention)) {
            let found = if mention.starts_with("terrasift_") {
                sources.iter().any(|file| file.text.contains(&format!("\"{mention}\"")))
                    || plugins.iter().any(|file| file.text.contains(&format!("'{mention}'")))
            } else {
                sources.iter().any(|file| file.code.contains(&format!("fn {mention}(")))
            };
            if !found {
                findings.push(finding(
                    "documented-name",
                    &document.path,
                    format!("no test or metric `{mention}`"),
                ));
            }
        }
    }
    check(&["documented-name"], findings);
}
