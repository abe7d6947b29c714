//! An example of every family, made from its notation: found alone, in a text, behind an escape, under no key.

use crate::detect::example::{Draw, of_shape};
use crate::detect::families;
use crate::detect::shape::{Part, Shape};
use crate::detect::{KeyVerdict, RuleSet, Scratch, checksum, rule_set};

#[test]
fn every_family_is_found_wherever_it_stands() {
    let rules = RuleSet::builtin();
    let mut scratch = Scratch::default();
    let mut hits = Vec::new();
    let mut draw = Draw(0x5eed_1234_5678_9abc);
    let mut missed = Vec::new();
    for family in families::all() {
        for notation in family.shapes {
            let shape = Shape::parse(notation);
            for _ in 0..20 {
                let (text, from, to) = of_shape(&shape, &mut draw);
                for (before, behind) in
                    [("", ""), ("see ", " there"), ("\"", "\""), ("a=", "\n"), ("\\n", "\\n"), ("x:", ",y")]
                {
                    let whole = format!("{before}{text}{behind}");
                    rules.inspect(&whole, KeyVerdict::Plain, &mut scratch, &mut hits);
                    let (from, to) = (before.len() + from, before.len() + to);
                    if !covered(&hits, from, to) {
                        missed.push(format!("{} {notation} in {before:?}", family.id));
                    }
                }
            }
        }
    }
    missed.sort();
    missed.dedup();
    assert!(missed.is_empty(), "{} missed: {:#?}", missed.len(), &missed[..missed.len().min(40)]);
}

/// Every byte of the span lies in some hit.
pub(super) fn covered(hits: &[crate::detect::Hit], from: usize, to: usize) -> bool {
    (from..to).all(|at| hits.iter().any(|hit| hit.start <= at && at < hit.end))
}

#[test]
fn rows_are_well_formed() {
    let rules = RuleSet::builtin();
    let mut ids: Vec<&str> = rules.rules().map(|(_, info)| info.id.as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
    assert!(families::all().count() >= 250, "{} families", families::all().count());
    let mut wrong = Vec::new();
    for family in families::all() {
        assert!(family.source.starts_with("https://"), "{}", family.id);
        for notation in family.shapes {
            let shape = Shape::parse(notation);
            if rule_set::anchors(&shape).is_empty() {
                wrong.push(format!("{notation}: no anchor"));
            }
            let solid: Vec<&Part> =
                shape.parts.iter().filter(|part| !matches!(part, Part::Open | Part::Close)).collect();
            for pair in solid.windows(2) {
                let Part::Run { class, min, max } = pair[0] else { continue };
                if min == max {
                    continue;
                }
                let clash = match pair[1] {
                    Part::Text(t) => class.has(t[0]),
                    Part::Run { class: next, .. } => next.members().any(|b| class.has(b)),
                    Part::Open | Part::Close => false,
                };
                if clash {
                    wrong.push(format!("{notation}: what follows begins inside the run"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn checksums_of_tokens_are_reproduced_and_never_acquit() {
    let rules = RuleSet::builtin();
    let mut draw = Draw(77);
    let body: String = (0..30).map(|_| char::from(b"0123456789abcdefXYZ"[draw.next(19)])).collect();
    let sum = checksum::base62_six(checksum::crc32(body.as_bytes()));
    let good = format!("{}p_{body}{}", "gh", std::str::from_utf8(&sum).unwrap());
    let bad = format!("{}p_{body}000000", "gh");
    for token in [good, bad] {
        assert_eq!(super::redact(&rules, "note", &token), "[REDACTED:credential]");
    }
}
