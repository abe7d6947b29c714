//! What fuzzing has found worth keeping, replayed.
//!
//! `engine/fuzz/corpus` holds the smallest inputs that reach all that the fuzzer has ever reached; a difference that was
//! mended stays there for good.

use std::path::Path;

use terrasift_oracle::case::{Case, Compiled};
use terrasift_oracle::compare::Difference;
use terrasift_oracle::values::{Looks, Value};

fn replay(target: &str, mut check: impl FnMut(&[u8]) -> Result<(), Difference>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut replayed = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        if let Err(difference) = check(&bytes) {
            panic!("{}: {difference}", path.display());
        }
        replayed += 1;
    }
    assert!(replayed > 20, "{replayed} inputs: is the corpus there?");
}

#[test]
fn documents_that_the_fuzzer_kept_show_no_difference() {
    let rules = Compiled::new();
    replay("sift", |bytes| Case::of(bytes).check(&rules));
}

#[test]
fn values_that_the_fuzzer_kept_show_no_difference() {
    let (rules, mut looks) = (Compiled::new(), Looks::default());
    replay("inspect", |bytes| Value::of(bytes).check(&rules, &mut looks));
}
