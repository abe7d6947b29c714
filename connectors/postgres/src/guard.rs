//! The version guard: may this write replace what the catalog shows? Pure.
//!
//! Invariant 3: within a lineage `(serial, pipeline)` is monotone; across lineages the later read wins; equal is a
//! no-op; a zombie is refused by its epoch. Must never look at anything but versions.

use crate::KnownVersion;

/// A workspace's row as the guard sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What the catalog shows; `None` before the first commit.
    pub version: Option<KnownVersion>,
    /// Greatest read whose answer the row reflects.
    pub applied_read_seq: i64,
    /// Counts the writes.
    pub basis: i64,
}

/// A write as the guard sees it.
pub(crate) struct Offered<'a> {
    pub version: &'a KnownVersion,
    pub read_seq: i64,
    pub basis: i64,
    /// Whether the epoch under which it was made is still the partition's.
    pub epoch_holds: bool,
}

/// What to do with the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Apply,
    NoChange,
    Stale,
    Rebase,
    Fenced,
}

/// Decides.
///
/// `(serial, pipeline)` compares in this order: a newer serial through an older pipeline is taken, or a rolling upgrade
/// would lose it; re-sanitization then writes the same serial through the newer pipeline.
pub(crate) fn judge(shown: &Shown, offered: &Offered<'_>) -> Verdict {
    if !offered.epoch_holds {
        return Verdict::Fenced;
    }
    let newer = match &shown.version {
        None => true,
        Some(known) if known.lineage == offered.version.lineage => {
            let shown_at = (known.serial, known.pipeline);
            let offered_at = (offered.version.serial, offered.version.pipeline);
            if shown_at == offered_at {
                return Verdict::NoChange;
            }
            offered_at > shown_at
        }
        Some(_) => offered.read_seq > shown.applied_read_seq,
    };
    match (newer, offered.basis == shown.basis) {
        (false, _) => Verdict::Stale,
        (true, false) => Verdict::Rebase,
        (true, true) => Verdict::Apply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrasift_schemas::PipelineVersion;

    fn version(lineage: u8, serial: i64, pipeline: i64) -> KnownVersion {
        KnownVersion {
            lineage: [lineage; 16],
            serial,
            pipeline: PipelineVersion(pipeline),
            state_version: None,
        }
    }

    #[test]
    fn a_workspace_never_goes_back() {
        use Verdict::{Apply, Fenced, NoChange, Rebase, Stale};
        // What is shown (lineage, serial, pipeline) at read 5 and basis 1; what is offered; read; basis; epoch.
        let shown = Some((1, 10, 3));
        let cases = [
            ("first commit", None, (1, 1, 1), 1, 1, true, Apply),
            ("newer serial", shown, (1, 11, 3), 6, 1, true, Apply),
            ("newer serial, older pipeline", shown, (1, 11, 2), 6, 1, true, Apply),
            ("newer pipeline", shown, (1, 10, 4), 6, 1, true, Apply),
            ("newer serial by an earlier read", shown, (1, 11, 3), 4, 1, true, Apply),
            ("the same", shown, (1, 10, 3), 6, 1, true, NoChange),
            ("the same against an old basis", shown, (1, 10, 3), 6, 0, true, NoChange),
            ("older serial", shown, (1, 9, 3), 6, 1, true, Stale),
            ("older serial, newer pipeline", shown, (1, 9, 4), 6, 1, true, Stale),
            ("older pipeline", shown, (1, 10, 2), 6, 1, true, Stale),
            ("other lineage, later read", shown, (2, 1, 1), 6, 1, true, Apply),
            ("other lineage, same read", shown, (2, 99, 9), 5, 1, true, Stale),
            ("other lineage, earlier read", shown, (2, 99, 9), 4, 1, true, Stale),
            ("newer against an old basis", shown, (1, 11, 3), 6, 0, true, Rebase),
            ("older against an old basis", shown, (1, 9, 3), 6, 0, true, Stale),
            ("zombie with something newer", shown, (1, 11, 3), 6, 1, false, Fenced),
            ("zombie with the same", shown, (1, 10, 3), 6, 1, false, Fenced),
        ];
        for (name, shown, (lineage, serial, pipeline), read_seq, basis, epoch_holds, expected) in cases {
            let shown = Shown {
                version: shown.map(|(lineage, serial, pipeline)| version(lineage, serial, pipeline)),
                applied_read_seq: 5,
                basis: 1,
            };
            let shown = if shown.version.is_some() { shown } else { Shown { applied_read_seq: 0, ..shown } };
            let version = version(lineage, serial, pipeline);
            let offered = Offered { version: &version, read_seq, basis, epoch_holds };
            assert_eq!(judge(&shown, &offered), expected, "{name}");
        }
    }
}
