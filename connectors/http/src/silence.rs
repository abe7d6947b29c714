//! How long a connection may say nothing before it is cut: briefly while nobody has proven who is there, longer after.
//!
//! Must never keep a stranger beyond the time for a head, and never look at a connection whose answer is under way:
//! that has its own limit.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Who is at the other end, as far as the answers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// Has proven nothing, and has been silent since then.
    Stranger(Instant),
    /// Has proven nothing, and waits for an answer.
    Asking,
    /// Has sent a key that is valid. From now on hyper's timer between requests counts, which begins when an answer
    /// was read: pages take their time.
    Known,
}

/// The silence of one connection.
pub(crate) struct Silence(Mutex<Peer>);

impl Silence {
    /// Begins when the connection is there.
    pub(crate) fn begin() -> Self {
        Self(Mutex::new(Peer::Stranger(Instant::now())))
    }

    /// A whole head has come.
    pub(crate) fn asked(&self) {
        self.change(|peer| if peer == Peer::Known { peer } else { Peer::Asking });
    }

    /// An answer goes out; `proven` when it was made for a tenant.
    pub(crate) fn answered(&self, proven: bool) {
        let now = Instant::now();
        self.change(|peer| match peer {
            _ if proven => Peer::Known,
            Peer::Known => Peer::Known,
            Peer::Stranger(_) | Peer::Asking => Peer::Stranger(now),
        });
    }

    /// Resolves when a stranger has been silent for `longest`; never for who is known.
    pub(crate) async fn of_a_stranger(&self, longest: Duration) {
        loop {
            let now = Instant::now();
            let look = match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
                Peer::Stranger(since) if since + longest <= now => return,
                Peer::Stranger(since) => since + longest,
                Peer::Asking => now + longest,
                Peer::Known => break,
            };
            sleep_until(look).await;
        }
        std::future::pending().await
    }

    fn change(&self, to: impl FnOnce(Peer) -> Peer) {
        let mut peer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *peer = to(*peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Happens {
        Asked,
        Answered(bool),
    }

    fn check(name: &str, happens: &[Happens], expected: &str) {
        let silence = Silence::begin();
        for what in happens {
            match what {
                Happens::Asked => silence.asked(),
                Happens::Answered(proven) => silence.answered(*proven),
            }
        }
        let peer = *silence.0.lock().unwrap();
        let said = match peer {
            Peer::Stranger(_) => "stranger",
            Peer::Asking => "asking",
            Peer::Known => "known",
        };
        assert_eq!(said, expected, "{name}");
    }

    #[test]
    fn who_has_proven_a_key_stays_known() {
        use Happens::{Answered, Asked};
        check("nothing said", &[], "stranger");
        check("a head", &[Asked], "asking");
        check("a probe", &[Asked, Answered(false)], "stranger");
        check("a key", &[Asked, Answered(true)], "known");
        check("a key, then a head", &[Asked, Answered(true), Asked], "known");
        check("a key, then a probe", &[Asked, Answered(true), Asked, Answered(false)], "known");
        check("a probe, then a key", &[Asked, Answered(false), Asked, Answered(true)], "known");
    }
}
