//! When a sync last made progress: what its tenant looks at to tell work that is slow from work that is stuck.
//!
//! Must never count a wait that has a bound of its own: a turn in the rate budget can take minutes.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A sync's heartbeat.
#[derive(Debug)]
pub(crate) struct Heartbeat(Mutex<Option<Instant>>);

impl Default for Heartbeat {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl Heartbeat {
    /// Something was done.
    pub(crate) fn beat(&self) {
        self.set(Some(Instant::now()));
    }

    /// From here to the next beat silence means nothing.
    pub(crate) fn rest(&self) {
        self.set(None);
    }

    /// How long nothing was done, at `now`; zero while it rests.
    pub(crate) fn silent_for(&self, now: Instant) -> Duration {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.map_or(Duration::ZERO, |last| now.saturating_duration_since(last))
    }

    fn set(&self, at: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_counted_from_the_last_beat_and_not_at_rest() {
        let heartbeat = Heartbeat::default();
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(heartbeat.silent_for(later), Duration::ZERO);
        heartbeat.beat();
        assert!(heartbeat.silent_for(later) > Duration::from_secs(59));
        heartbeat.rest();
        assert_eq!(heartbeat.silent_for(later), Duration::ZERO);
    }
}
