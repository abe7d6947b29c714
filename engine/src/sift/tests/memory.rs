//! Bounded memory, whatever the state holds.

use super::super::{Redactor, TaintPass};
use super::{instance, redact_in};
use crate::detect::HashKey;
use crate::scan::UNIT_BYTES_MAX;
use crate::taint::Taint;

/// Feeds a state around `middle` repeated; returns output without the middle's bulk, detections and most bytes held.
fn feed(before: &str, piece: &[u8], times: usize, after: &str) -> (String, Vec<String>, usize) {
    let rules = super::rules();
    let mut pass = Redactor::new(&rules, Taint::new([0; 16]), HashKey::new([0; 32]));
    let (mut out, mut held) = (Vec::new(), 0);
    pass.push(before.as_bytes(), &mut out).expect("fits");
    for _ in 0..times {
        pass.push(piece, &mut out).expect("fits");
        held = held.max(pass.memory_bytes());
    }
    pass.push(after.as_bytes(), &mut out).expect("fits");
    let report = pass.finish(&mut out).expect("a state");
    let found =
        report.detections.into_iter().map(|d| format!("{} {} {}", d.rule, d.pointer, d.bytes)).collect();
    (String::from_utf8(out).expect("UTF-8"), found, held)
}

#[test]
fn a_string_of_100_mb_is_redacted_unseen_in_bounded_memory() {
    let text = instance(r#""attributes":{"id":"i-1","big":"@","after":"seen"},"sensitive_attributes":[]"#);
    let (before, after) = text.split_once('@').expect("a place");
    let piece = [b'x'; 1 << 16];
    let (out, found, held) = feed(before, &piece, 100_000_000 / piece.len(), after);
    assert!(held <= 2 * UNIT_BYTES_MAX, "{held} bytes held");
    assert!(out.len() < 1000, "{} bytes of output", out.len());
    let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let attributes = &value["resources"][0]["instances"][0]["attributes"];
    // The instance is above the cap and its marks stand behind: nothing of its attributes is shown.
    assert_eq!(attributes["big"], "[REDACTED:credential]");
    assert_eq!(attributes["id"], "[REDACTED:credential]");
    let size = 100_000_000 / piece.len() * piece.len();
    assert_eq!(found[1], format!("oversize /resources/0/instances/0/attributes/big {size}"));
    assert_eq!(found.len(), 3);
}

#[test]
fn a_top_level_string_of_20_mb_is_skipped_too() {
    let (out, found, held) = feed(r#"{"version":4,"note":""#, &[b'\\'; 1 << 16], 320, r#""}"#);
    assert_eq!(out, r#"{"version":4,"note":"[REDACTED:credential]"}"#);
    assert_eq!(found, [format!("oversize /note {}", 320 << 16)]);
    // Escapes are tokens, four bytes each.
    assert!(held <= 3 * UNIT_BYTES_MAX, "{held} bytes held");
}

#[test]
fn a_million_small_members_above_the_cap_are_decided_one_by_one() {
    let (out, found, held) = feed(r#"{"version":4,"list":["#, br#"{"a":"word"},"#, 1_000_000, r#"{"a":1}]}"#);
    assert_eq!(out.len(), 13_000_000 + 30);
    assert!(found.is_empty());
    assert!(held <= 3 * UNIT_BYTES_MAX, "{held} bytes held");
}

#[test]
fn white_space_without_end_is_not_held() {
    let (_, _, held) = feed(r#"{"version":4,"#, &[b' '; 1 << 16], 500, r#""serial":1}"#);
    assert!(held <= UNIT_BYTES_MAX, "{held} bytes held");
}

#[test]
fn the_cap_decides_alike_for_every_chunking() {
    let rules = super::rules();
    for size in [UNIT_BYTES_MAX - 3, UNIT_BYTES_MAX - 2, UNIT_BYTES_MAX - 1] {
        let text =
            format!(r#"{{"version":4,"note":"{}","n":12  {}}}"#, "x".repeat(size), " ".repeat(1 << 17));
        let whole = redact_in(&rules, text.as_bytes(), &[usize::MAX]).expect("a state");
        assert_eq!(redact_in(&rules, text.as_bytes(), &[100_001]).expect("a state"), whole);
        assert_eq!(whole.1.detections.len(), usize::from(size + 2 > UNIT_BYTES_MAX), "{size}");
    }
}

#[test]
fn a_taint_pass_is_bounded_as_well() {
    let mut pass = TaintPass::new(&super::rules(), [0; 16]);
    pass.push(br#"{"version":4,"note":""#).expect("fits");
    for _ in 0..200 {
        pass.push(&[b'x'; 1 << 16]).expect("fits");
        assert!(pass.memory_bytes() <= 2 * UNIT_BYTES_MAX);
    }
    pass.push(b"\"}").expect("fits");
    assert!(pass.finish().is_ok());
}
