//! The database's share, as the program's own histogram tells it: what two scrapes differ by.
//!
//! Must never mix in what happened before the first scrape.

use std::collections::BTreeMap;

const BUCKET: &str = "terrasift_database_seconds_bucket{";

/// How many questions took at most so many seconds, by operation: bounds as the program writes them, ascending.
pub(super) type Buckets = BTreeMap<String, Vec<(f64, u64)>>;

/// Reads the histogram out of a page of metrics.
pub(super) fn buckets(metrics: &str) -> Buckets {
    let mut found = Buckets::new();
    for line in metrics.lines() {
        let Some((labels, count)) = line.strip_prefix(BUCKET).and_then(|rest| rest.split_once("} ")) else {
            continue;
        };
        let label = |name: &str| {
            let (_, value) = labels.split_once(&format!("{name}=\""))?;
            value.split_once('"').map(|(value, _)| value)
        };
        let bound =
            label("le").and_then(|le| if le == "+Inf" { Some(f64::INFINITY) } else { le.parse().ok() });
        if let (Some(operation), Some(bound), Ok(count)) = (label("operation"), bound, count.trim().parse()) {
            found.entry(operation.to_owned()).or_default().push((bound, count));
        }
    }
    found
}

/// What happened between two scrapes.
pub(super) fn between(before: &Buckets, after: &Buckets) -> Buckets {
    let earlier = |operation: &str, at: usize| {
        before.get(operation).and_then(|buckets| buckets.get(at)).map_or(0, |(_, count)| *count)
    };
    let rest = |(operation, buckets): (&String, &Vec<(f64, u64)>)| {
        let buckets = buckets.iter().enumerate();
        let buckets =
            buckets.map(|(at, (bound, count))| (*bound, count.saturating_sub(earlier(operation, at))));
        (operation.clone(), buckets.collect())
    };
    after.iter().map(rest).collect()
}

/// All operations as one.
pub(super) fn together(buckets: &Buckets) -> Vec<(f64, u64)> {
    let mut sum: Vec<(f64, u64)> = Vec::new();
    for counts in buckets.values() {
        for (at, (bound, count)) in counts.iter().enumerate() {
            match sum.get_mut(at) {
                Some((_, total)) => *total += count,
                None => sum.push((*bound, *count)),
            }
        }
    }
    sum
}

/// The seconds that `percent` of 100 stay below: as Prometheus interpolates, evenly within a bucket; above the last bound, that
/// bound. Nothing when nothing was counted.
pub(super) fn percentile_s(buckets: &[(f64, u64)], percent: u64) -> Option<f64> {
    let total = buckets.last().map(|(_, count)| *count).filter(|count| *count > 0)?;
    let rank = float(total * percent) / 100.0;
    let (mut below, mut counted) = (0.0, 0);
    for (bound, count) in buckets {
        if float(*count) >= rank {
            let inside = float(count.saturating_sub(counted)).max(1.0);
            let part = (rank - float(counted)) / inside;
            return Some(if bound.is_finite() { below + (bound - below) * part } else { below });
        }
        (below, counted) = (*bound, *count);
    }
    Some(below)
}

fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(entity: [u64; 3], key: [u64; 3]) -> String {
        let mut text = String::from("# TYPE terrasift_database_seconds histogram\n");
        for (operation, counts) in [("entity", entity), ("api_key", key)] {
            for (le, count) in ["0.001", "0.01", "+Inf"].iter().zip(counts) {
                text.push_str(&format!(
                    "terrasift_database_seconds_bucket{{operation=\"{operation}\",le=\"{le}\"}} {count}\n"
                ));
            }
            text.push_str(&format!(
                "terrasift_database_seconds_count{{operation=\"{operation}\"}} {}\n",
                counts[2]
            ));
        }
        text
    }

    #[test]
    fn a_percentile_counts_what_lies_between_two_scrapes() {
        let (before, after) = (page([10, 10, 10], [0, 0, 0]), page([10, 30, 30], [80, 80, 80]));
        let run = between(&buckets(&before), &buckets(&after));
        let cases = [
            ("entity", run["entity"].clone(), Some(0.001 + 0.009 * 0.95)),
            ("api_key", run["api_key"].clone(), Some(0.001 * 0.95)),
            ("together", together(&run), Some(0.001 + 0.009 * 0.75)),
            ("nothing", vec![(0.001, 0), (f64::INFINITY, 0)], None),
            ("no bucket", Vec::new(), None),
            ("above all", vec![(0.001, 0), (f64::INFINITY, 3)], Some(0.001)),
        ];
        for (name, counts, expected) in cases {
            let got = percentile_s(&counts, 95);
            let near = match (got, expected) {
                (Some(got), Some(expected)) => (got - expected).abs() < 1e-9,
                (got, expected) => got.is_none() && expected.is_none(),
            };
            assert!(near, "{name}: {got:?} instead of {expected:?}");
        }
    }
}
