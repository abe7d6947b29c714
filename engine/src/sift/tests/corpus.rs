//! Real states that nobody here wrote: v4 ones keep their shape, others are refused.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::oracle::same_shape;
use super::redact;
use crate::refusal::RefusalKind;

/// The corpus' folder of states, when it is there.
fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test finds its corpus by the environment")]
    let shared = std::env::var_os("TERRASIFT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("corpus/tfstate");
    folder.is_dir().then_some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn real_states_keep_their_shape_and_strangers_are_refused() {
    let Some(folder) = folder() else {
        println!("skipped: ../shared is absent");
        return;
    };
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let (mut accepted, mut refused) = (0, 0);
    for path in &paths {
        let bytes = std::fs::read(path).expect("readable");
        let before: Value = serde_json::from_slice(&bytes).expect("the corpus holds JSON");
        let result = redact(&bytes);
        if before["version"] == 4 {
            let (out, _) = result.unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
            let after: Value = serde_json::from_slice(&out).expect("JSON");
            assert!(same_shape(&before, &after), "{}", path.display());
            let (again, report) = redact(&out).expect("a state");
            assert!(again == out, "{}: a second run changes it: {:?}", path.display(), report.detections);
            accepted += 1;
        } else {
            let refusal = result.err().unwrap_or_else(|| panic!("{}: accepted", path.display()));
            assert_eq!(refusal.kind, RefusalKind::NotAStateV4, "{}", path.display());
            refused += 1;
        }
    }
    assert!(accepted > 200 && refused > 200, "{accepted} accepted, {refused} refused");
}
