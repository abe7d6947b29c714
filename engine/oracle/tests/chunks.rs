//! States as they are found and as they are generated: the same output for every cut, and nothing new in a second run.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use terrasift_engine::detect::RuleSet;
use terrasift_load_tests::generator::{CanaryDensity, StateSize, StateSpec, generate};
use terrasift_oracle::compare::{Outcome, Ways, check, engine_forward, engine_two_pass};

/// Lengths of pieces, in a circle: around the engine's block of 64 bytes, and at random.
const CUTS: [&[usize]; 9] =
    [&[1], &[2], &[3], &[7], &[63], &[64], &[65], &[4096], &[13, 1, 700, 64, 3, 255, 128, 31, 2000, 5]];

/// Whether the state was accepted. Never shows what stands in it.
fn holds(rules: &Arc<RuleSet>, name: &str, state: &[u8]) -> bool {
    let judged = check(rules, state, &[4096, 511], Ways::ALL);
    let expected = judged.unwrap_or_else(|difference| panic!("{name}: {}", difference.what));
    let once = engine_forward(rules, state, &[]);
    for lengths in CUTS {
        // Which side is right is not asked here: the oracle was.
        assert!(engine_two_pass(rules, state, lengths) == expected, "{name}: two passes in {lengths:?}");
        assert!(engine_forward(rules, state, lengths) == once, "{name}: one pass in {lengths:?}");
    }
    expected.is_ok_and(|sanitized| {
        let again: Outcome = engine_two_pass(rules, &sanitized.bytes, &[65]);
        let again = again.unwrap_or_else(|refusal| panic!("{name}: a second run refuses: {refusal}"));
        assert!(again.bytes == sanitized.bytes, "{name}: a second run changes it");
        assert!(again.report.detections.is_empty(), "{name}: a second run reports something");
        true
    })
}

/// The corpus' folder of states, when it is there.
fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test finds its corpus by the environment")]
    let shared = std::env::var_os("TERRASIFT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("corpus/tfstate");
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn real_states_come_out_as_the_oracle_says_in_every_cut_and_stay_so() {
    let Some(folder) = folder() else {
        println!("skipped: ../shared is absent");
        return;
    };
    let rules = RuleSet::builtin();
    let (mut paths, mut accepted) = (Vec::new(), 0);
    files(&folder, &mut paths);
    for path in &paths {
        let name = path.display().to_string();
        accepted += usize::from(holds(&rules, &name, &std::fs::read(path).unwrap()));
    }
    assert!(accepted > 200, "{accepted} accepted of {}", paths.len());
}

#[test]
fn generated_states_come_out_as_the_oracle_says_in_every_cut_and_stay_so() {
    let rules = RuleSet::builtin();
    for (seed, canaries) in [(1, CanaryDensity::USUAL), (2, CanaryDensity::USUAL), (3, CanaryDensity::NONE)] {
        let spec = StateSpec { canaries, ..StateSpec::new(seed, StateSize::Bytes(300_000)) };
        let (mut state, mut planted) = (Vec::new(), Vec::new());
        generate(&spec, &mut state, &mut planted).unwrap();
        assert!(holds(&rules, &format!("seed {seed}"), &state));
    }
}

#[test]
fn arguments_behind_flags_go_for_every_cut() {
    let rules = RuleSet::builtin();
    let lists = [
        r#"["redis-server","--requirepass","Heron2041!"]"#,
        r#"["--db-password","--port","80","-w","x"]"#,
        r#"["--db-password","--token","Winter-Rain-7"]"#,
        r#"["-\u0070assword","Winter-Rain-7"]"#,
        r#"["--db-password",["Winter-Rain-7"],{"a":"--token"},"Winter-Rain-8"]"#,
        r#"["--db-password",7,"Winter-Rain-7"]"#,
        r#"["--password","Winter\u002dRain-7","a","--password",""]"#,
        r#"{"n":["--db-password"],"m":"Winter-Rain-7","o":["-pw","Winter-Rain-9"]}"#,
    ];
    let instances = lists.iter().flat_map(|list| {
        [
            format!(r#"{{"attributes":{{"command":{list}}},"sensitive_attributes":[]}}"#),
            format!(r#"{{"attributes":{{"x":{{"args":{list}}},"type":["a"]}}}}"#),
        ]
    });
    let instances: Vec<String> = instances.flat_map(|one| [one.clone(), one]).collect();
    let state = format!(
        r#"{{"version":4,"terraform_version":"1.9.0","serial":1,"lineage":"l","outputs":{{}},"resources":[{{"mode":"managed","type":"docker_container","name":"x","instances":[{}]}}]}}"#,
        instances.join(",")
    );
    assert!(holds(&rules, "lists of arguments", state.as_bytes()));
    let left = String::from_utf8(engine_two_pass(&rules, state.as_bytes(), &[]).unwrap().bytes).unwrap();
    for secret in ["Heron2041!", "Winter-Rain-9"] {
        assert!(!left.contains(secret), "{secret}");
    }
    // Behind a flag that is spelled with an escape, and behind a list, nothing is told.
    assert!(left.contains("Winter-Rain-8"));
}
