//! What to do with a sync that failed: try again later, or park it. A pure decision.
//!
//! Must never decide by anything but the failure's kind and the number of attempts.

use std::time::Duration;

use terrasift_schemas::event::FailureReason;

/// Shortest and longest wait before a state is tried again (`requirements.md`: 5 s … 300 s for states).
const WAIT_MIN: Duration = Duration::from_secs(5);
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Attempts before what could be passing is parked: with the waits above about 25 minutes.
const ATTEMPTS_MAX: u32 = 10;
/// Attempts before a 404 is parked: a new workspace can be invisible for a moment.
const NOT_FOUND_ATTEMPTS_MAX: u32 = 2;

/// How a failure behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It may pass by itself.
    Passing,
    /// It may pass, and is unlikely to.
    Doubtful,
    /// The same input fails the same way for ever.
    Lasting,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this wait.
    RetryAfter(Duration),
    /// Write a dead letter.
    Park,
}

/// Decides about the `attempt`-th attempt (from 1) that failed. `jitter` spreads retries; any number will do.
#[must_use]
pub fn decide(nature: Nature, attempt: u32, jitter: u64) -> Verdict {
    let attempts_max = match nature {
        Nature::Passing => ATTEMPTS_MAX,
        Nature::Doubtful => NOT_FOUND_ATTEMPTS_MAX,
        Nature::Lasting => 0,
    };
    if attempt > attempts_max {
        return Verdict::Park;
    }
    let doubled = WAIT_MIN.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(WAIT_MAX);
    // Up to a quarter earlier, so that the bound of the requirements is never exceeded.
    let quarter_ms = u64::try_from(doubled.as_millis() / 4).unwrap_or(0);
    let earlier = Duration::from_millis(jitter % (quarter_ms + 1));
    Verdict::RetryAfter((doubled - earlier).max(WAIT_MIN))
}

/// The nature of each reason.
#[must_use]
pub fn nature_of(reason: FailureReason) -> Nature {
    match reason {
        FailureReason::UpstreamFailed | FailureReason::StorageFailed | FailureReason::Unauthorized => {
            Nature::Passing
        }
        FailureReason::WorkspaceNotFound => Nature::Doubtful,
        FailureReason::InvalidRecord
        | FailureReason::UnknownTenant
        | FailureReason::DownloadRefused
        | FailureReason::StateRefused
        | FailureReason::Undecidable
        | FailureReason::Panicked => Nature::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_bounds_and_end_in_a_dead_letter() {
        let cases = [
            (Nature::Passing, 1, Some(5)),
            (Nature::Passing, 2, Some(10)),
            (Nature::Passing, 7, Some(300)),
            (Nature::Passing, 10, Some(300)),
            (Nature::Passing, 11, None),
            (Nature::Doubtful, 2, Some(10)),
            (Nature::Doubtful, 3, None),
            (Nature::Lasting, 1, None),
        ];
        for (nature, attempt, seconds) in cases {
            let expected = seconds.map_or(Verdict::Park, |s| Verdict::RetryAfter(Duration::from_secs(s)));
            assert_eq!(decide(nature, attempt, 0), expected, "{nature:?} {attempt}");
        }
    }

    #[test]
    fn jitter_never_leaves_the_bounds() {
        for attempt in 1..=ATTEMPTS_MAX {
            for jitter in [1, 77, 1_000_003, u64::MAX] {
                let Verdict::RetryAfter(wait) = decide(Nature::Passing, attempt, jitter) else {
                    panic!("parked")
                };
                assert!((WAIT_MIN..=WAIT_MAX).contains(&wait), "{attempt} {jitter} {wait:?}");
            }
        }
    }
}
