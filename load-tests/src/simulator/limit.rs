//! Owns the request limit: so many in any sliding second, for a user. It must never forget a request that a test asks for.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);
/// Most requests kept a user: an hour and a half at the limit.
const KEPT: usize = 162_000;

/// What is left for a user.
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    pub(crate) remaining: usize,
    /// Until a request would pass again.
    pub(crate) reset: Duration,
}

#[derive(Default)]
struct User {
    window: VecDeque<Instant>,
    all: VecDeque<Instant>,
}

/// The limits of all users.
pub(crate) struct Limiter {
    limit: usize,
    users: HashMap<String, User>,
}

impl Limiter {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, users: HashMap::new() }
    }

    /// Counts a request at `now`.
    pub(crate) fn check(&mut self, name: &str, now: Instant) -> Verdict {
        let user = self.users.entry(name.to_owned()).or_default();
        user.all.push_back(now);
        if user.all.len() > KEPT {
            user.all.pop_front();
        }
        while user.window.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            user.window.pop_front();
        }
        let allowed = user.window.len() < self.limit;
        if allowed {
            user.window.push_back(now);
        }
        let reset = match user.window.front() {
            Some(first) if !allowed => WINDOW.saturating_sub(now.duration_since(*first)),
            _ => Duration::ZERO,
        };
        Verdict { allowed, remaining: self.limit.saturating_sub(user.window.len()), reset }
    }

    /// Most requests, refused ones included, that fell into one sliding second.
    pub(crate) fn busiest_second(&self, name: &str) -> usize {
        let Some(user) = self.users.get(name) else { return 0 };
        let (mut first, mut most) = (0, 0);
        for (at, now) in user.all.iter().enumerate() {
            while now.duration_since(user.all[first]) >= WINDOW {
                first += 1;
            }
            most = most.max(at + 1 - first);
        }
        most
    }

    pub(crate) fn requests(&self, name: &str) -> usize {
        self.users.get(name).map_or(0, |user| user.all.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides() {
        let mut limiter = Limiter::new(3);
        let start = Instant::now();
        for (at_ms, allowed) in
            [(0, true), (300, true), (600, true), (900, false), (1000, true), (1100, false), (1300, true)]
        {
            let verdict = limiter.check("u", start + Duration::from_millis(at_ms));
            assert_eq!(verdict.allowed, allowed, "at {at_ms} ms");
        }
        assert_eq!(limiter.busiest_second("u"), 5);
        assert_eq!((limiter.requests("u"), limiter.requests("other")), (7, 0));
    }
}
