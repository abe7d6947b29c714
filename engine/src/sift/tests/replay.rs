//! The second pass over what the first one noted, against a second pass that walks everything.

use std::sync::Arc;

use proptest::prelude::*;
use terrasift_schemas::detection::Report;

use super::super::{Redactor, Survey, TaintPass};
use crate::detect::{HashKey, RuleSet};

fn survey(rules: &Arc<RuleSet>, state: &[u8], chunk: usize) -> Survey {
    let mut pass = TaintPass::new(rules, [7; 16]);
    state.chunks(chunk).for_each(|piece| pass.push(piece).expect("a state"));
    pass.finish().expect("a state")
}

fn second(rules: &Arc<RuleSet>, survey: Survey, state: &[u8], chunk: usize) -> (String, Report) {
    let mut pass = Redactor::new(rules, survey, HashKey::new([9; 32]));
    let mut out = Vec::new();
    state.chunks(chunk).for_each(|piece| pass.push(piece, &mut out).expect("a state"));
    let report = pass.finish(&mut out).expect("a state");
    (String::from_utf8(out).expect("UTF-8"), report)
}

fn state(resources: &[String]) -> String {
    let resources = resources.join(" ,\n ");
    format!(r#"{{"version":4,"resources":[ {resources} ],"check_results":null}}"#)
}

fn resource(number: usize, members: &str) -> String {
    format!(
        r#"{{"mode":"managed","type":"null_resource","name":"n{number}","instances":[{{"index_key":{number},{members}}}]}}"#
    )
}

/// What a resource may hold; `§` is a secret that is known by a mark in another one.
const MEMBERS: &[&str] = &[
    r#""attributes":{"id":"a","size":3,"on":true,"tags":{"team":"core"}}"#,
    r#""attributes":{"secret_text":"§"},"sensitive_attributes":[[{"type":"get_attr","value":"secret_text"}]]"#,
    r#""attributes":{"note":"before §, behind"}"#,
    r#""attributes":{"note":"as \u0041\\§\"\n and \/"}"#,
    r#""attributes":{"note":"an escape \" and ada@example.com","n":"10.1.2.3"}"#,
    r#""attributes":{"§":"a key"}"#,
    r#""attributes":{"ada@example.com":1,"[REDACTED:pii]#2":2}"#,
    r#""attributes":{"password":"hunter2-hunter2","password2":12345678}"#,
    r#""attributes":{"copy":"hunter2-hunter2!","again":12345678}"#,
    r#""private":"eyJzY2hlbWFfdmVyc2lvbiI6IjEifQ==","attributes":{}"#,
    r#""attributes":{"policy":"{\"Statement\":[{\"Action\":\"s3:*\",\"Sid\":\"§\"}]}"}"#,
    r#""attributes":{"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx \\"}"#,
];

const SECRETS: &[&str] = &["kS9#mVx2-Qw81z", "correct horse battery", "zwölf-große-Rätsel", "----BEGIN----x"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_replayed_is_what_a_walk_makes_of_it(
        picks in prop::collection::vec((0..MEMBERS.len(), 0..SECRETS.len()), 0..12),
        chunks in (1..400usize, 1..400usize),
    ) {
        let resources: Vec<String> = picks
            .iter()
            .enumerate()
            .map(|(number, (member, secret))| resource(number, &MEMBERS[*member].replace('§', SECRETS[*secret])))
            .collect();
        let state = state(&resources);
        let rules = super::rules();
        let walked = second(&rules, survey(&rules, state.as_bytes(), 64).without_notes(), state.as_bytes(), usize::MAX);
        let replayed = second(&rules, survey(&rules, state.as_bytes(), chunks.0), state.as_bytes(), chunks.1);
        prop_assert_eq!(replayed, walked);
    }

    /// Whoever changes the state between the passes gets it walked.
    #[test]
    fn nothing_that_was_noted_holds_for_other_bytes(at in 0..30usize, chunk in 1..300usize) {
        let rules = super::rules();
        let plain = |n: usize| resource(n, r#""attributes":{"note":"just twenty characters"}"#);
        let token = format!("{}{}", "AKIA", "Z3QXV7LMT4WRB6YH");
        let spoiled = |n: usize| resource(n, &format!(r#""attributes":{{"note":"{token} x"}}"#));
        let before: Vec<String> = (0..30).map(plain).collect();
        let after: Vec<String> = (0..30).map(|n| if n == at { spoiled(n) } else { plain(n) }).collect();
        prop_assert_eq!(plain(0).len(), spoiled(0).len());
        let survey = survey(&rules, state(&before).as_bytes(), 64);
        let (out, report) = second(&rules, survey, state(&after).as_bytes(), chunk);
        prop_assert!(!out.contains(&token));
        prop_assert_eq!(report.detections.len(), 1);
    }
}

#[test]
fn more_detections_than_a_report_lists_are_listed_alike() {
    let rules = super::rules();
    let mails: Vec<String> = (0..400).map(|n| format!(r#""m{n}":"ada{n}@example.com""#)).collect();
    let members = format!(r#""attributes":{{{}}}"#, mails.join(","));
    let mut resources: Vec<String> = (0..30).map(|n| resource(n, &members)).collect();
    resources.insert(3, resource(99, &MEMBERS[2].replace('§', SECRETS[0])));
    resources.push(resource(98, &MEMBERS[1].replace('§', SECRETS[0])));
    let state = state(&resources);
    let noted = survey(&rules, state.as_bytes(), 1 << 16);
    let walked =
        second(&rules, survey(&rules, state.as_bytes(), 1 << 16).without_notes(), state.as_bytes(), 1 << 16);
    assert!(walked.1.truncated > 1_000);
    assert_eq!(second(&rules, noted, state.as_bytes(), 999), walked);
}
