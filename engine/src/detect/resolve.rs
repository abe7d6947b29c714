//! One documented total order: protected rules, higher priority, the longer span, the smaller id, the earlier begin. The loser keeps what the
//! winner leaves, so that the union of all findings is always covered.

use std::cmp::{Ordering, Reverse};

use super::rarity::{self, Invitation};
use super::{Hit, RuleIx, RuleSet};
use terrasift_schemas::detection::Action;

/// A finding before the order is applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) rule: RuleIx,
}

/// Writes the final hits: sorted, disjoint, without `allow`. `found` is sorted in place; markers in the text are left alone.
pub(super) fn settle(rules: &RuleSet, text: &str, found: &mut Vec<Found>, hits: &mut Vec<Hit>) {
    found.retain(|f| f.start < f.end && f.end <= text.len());
    found.sort_by_key(|f| (f.start, f.end));
    let mut from = 0;
    while from < found.len() {
        let mut end = found[from].end;
        let mut to = from + 1;
        while to < found.len() && found[to].start < end {
            end = end.max(found[to].end);
            to += 1;
        }
        cluster(rules, text, &mut found[from..to], hits);
        from = to;
    }
    hits.sort_by_key(|hit| hit.start);
}

/// The stronger finding first.
pub(super) fn order(rules: &RuleSet, a: &Found, b: &Found) -> Ordering {
    let key = |f: &Found| {
        let info = rules.rule(f.rule);
        (Reverse(info.protected), Reverse(info.priority), Reverse(f.end - f.start))
    };
    key(a)
        .cmp(&key(b))
        .then_with(|| rules.rule(a.rule).id.cmp(&rules.rule(b.rule).id))
        .then(a.start.cmp(&b.start))
}

/// Findings that touch each other.
fn cluster(rules: &RuleSet, text: &str, found: &mut [Found], hits: &mut Vec<Hit>) {
    if found.len() > 1 {
        found.sort_by(|a, b| order(rules, a, b));
    }
    // Kept sorted: markers first (nobody may touch them), then the winners.
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let (low, high) =
        found.iter().fold((usize::MAX, 0), |(low, high), f| (low.min(f.start), high.max(f.end)));
    // No marker is longer than 64 bytes.
    let from = low.saturating_sub(64);
    let near = &text.as_bytes()[from..text.len().min(high.saturating_add(64))];
    super::marker::each(near, |start, end| {
        if from + start < high && from + end > low {
            taken.push((from + start, from + end));
        }
    });
    for f in found.iter() {
        let mut at = f.start;
        let mut free: Vec<(usize, usize)> = Vec::new();
        let first = taken.partition_point(|t| t.1 <= f.start);
        for &(start, end) in &taken[first..] {
            if start >= f.end {
                break;
            }
            if at < start {
                free.push((at, start));
            }
            at = at.max(end);
        }
        if at < f.end {
            free.push((at, f.end));
        }
        let info = rules.rule(f.rule);
        for (start, end) in free {
            let place = taken.partition_point(|t| t.0 < start);
            taken.insert(place, (start, end));
            if info.action != Action::Allow {
                // What a winner left of a finding is no secret of its own: `https://` of a token's address.
                let whole = (start, end) == (f.start, f.end);
                let secret =
                    info.secret && (whole || rarity::drawn(&text.as_bytes()[start..end], Invitation::None));
                hits.push(Hit { start, end, rule: f.rule, secret });
            }
        }
    }
}
