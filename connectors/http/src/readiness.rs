//! Whether this process can serve: named flags that the wiring sets, and live checks whose result is kept for a moment.
//!
//! `/healthz` must never ask here: a process that waits for Kafka is alive, and killing it helps nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use terrasift_kafka::Producer;
use terrasift_postgres::Store;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::config::Routes;

/// How long a live result is kept: probes of many sources cost one check.
const FRESH: Duration = Duration::from_secs(2);
/// Longest wait for one live check: below the usual probe timeout with both in parallel.
const CHECK_TIMEOUT: Duration = Duration::from_millis(800);

/// Flags of the wiring, each false until set. A flag's name is the reason code while it is false.
pub struct Readiness {
    flags: Vec<(&'static str, AtomicBool)>,
    live: Mutex<Option<(Instant, Vec<&'static str>)>>,
}

impl Readiness {
    /// Flags to wait for, named as reason codes, for example `consumer_unassigned`.
    #[must_use]
    pub fn new(flags: &[&'static str]) -> Self {
        let flags = flags.iter().map(|name| (*name, AtomicBool::new(false))).collect();
        Self { flags, live: Mutex::new(None) }
    }

    /// Sets a flag; true is ready. False is returned for a name that was not declared.
    pub fn set(&self, name: &str, ready: bool) -> bool {
        let flag = self.flags.iter().find(|(known, _)| *known == name);
        flag.inspect(|(_, flag)| flag.store(ready, Ordering::Release)).is_some()
    }

    /// Reason codes of the flags that are false.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        self.flags.iter().filter(|(_, flag)| !flag.load(Ordering::Acquire)).map(|(name, _)| *name).collect()
    }

    /// All reasons against serving `routes`. What a role does not need does not hold it back: an API that goes
    /// unready when Kafka is down would turn one outage into two.
    pub(crate) async fn reasons(
        &self,
        routes: Routes,
        store: &Store,
        producer: &Producer,
    ) -> Vec<&'static str> {
        let mut reasons = self.missing();
        let worker_only = !routes.api && !routes.webhook;
        // The lock is held across the check on purpose: probes that come meanwhile wait for its result.
        let mut live = self.live.lock().await;
        let found = match live.take() {
            Some((at, found)) if at.elapsed() < FRESH => (at, found),
            _ => {
                let need_store = routes.api || worker_only;
                let need_producer = routes.webhook || worker_only;
                (Instant::now(), check(need_store.then_some(store), need_producer.then_some(producer)).await)
            }
        };
        reasons.extend(&found.1);
        *live = Some(found);
        reasons
    }
}

async fn check(store: Option<&Store>, producer: Option<&Producer>) -> Vec<&'static str> {
    let store = async {
        match store {
            Some(store) => matches!(timeout(CHECK_TIMEOUT, store.ping()).await, Ok(Ok(()))),
            None => true,
        }
    };
    let producer = async {
        match producer {
            Some(producer) => producer.ready(CHECK_TIMEOUT).await.is_ok(),
            None => true,
        }
    };
    let (store, producer) = tokio::join!(store, producer);
    let found = [("store_unavailable", store), ("event_bus_unavailable", producer)];
    found.into_iter().filter(|(_, fine)| !fine).map(|(reason, _)| reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_missing_until_set_and_unknown_names_are_told() {
        let readiness = Readiness::new(&["consumer_unassigned", "first_sync_running"]);
        assert_eq!(readiness.missing(), ["consumer_unassigned", "first_sync_running"]);
        assert!(readiness.set("consumer_unassigned", true));
        assert_eq!(readiness.missing(), ["first_sync_running"]);
        assert!(readiness.set("first_sync_running", true));
        assert!(readiness.missing().is_empty());
        assert!(readiness.set("consumer_unassigned", false));
        assert_eq!(readiness.missing(), ["consumer_unassigned"]);
        assert!(!readiness.set("no_such_flag", true));
    }
}
