//! When API keys were used last: noted in memory, and written for all tenants at once.
//!
//! Must never hold up a request, and never grow with the number of requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use terrasift_postgres::{ApiKeyId, KeyUse, Store};
use terrasift_schemas::TenantId;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};

/// The store takes a key's use once a minute: twice as often, none is late by more than about that.
const WRITE_EVERY: Duration = Duration::from_secs(30);
/// Keys between two writes; about 8 MiB. Of further ones the use is not noted until then.
const KEYS_MAX: usize = 65_536;

/// What was used since the last write. Cheap to clone.
#[derive(Clone, Default)]
pub struct KeyUses(Arc<Mutex<HashMap<ApiKeyId, (TenantId, OffsetDateTime)>>>);

impl KeyUses {
    /// A key opened something now.
    pub(crate) fn note(&self, tenant: &TenantId, key: ApiKeyId, now: OffsetDateTime) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, at)) = uses.get_mut(&key) {
            *at = now;
        } else if uses.len() < KEYS_MAX {
            uses.insert(key, (tenant.clone(), now));
        }
    }

    /// Writes again and again; ends when it is aborted.
    pub async fn run(self, store: Store) {
        let mut ticks = interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write(&store).await;
        }
    }

    /// Writes what was noted. What cannot be written is forgotten: the next use tells as much.
    pub async fn write(&self, store: &Store) {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let uses: Vec<KeyUse> =
            noted.into_iter().map(|(key, (tenant, at))| KeyUse { tenant, key, at }).collect();
        if let Err(error) = store.note_key_uses(&uses).await {
            tracing::warn!(%error, keys = uses.len(), "when api keys were used is not written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_of_a_key_are_one_and_their_number_is_bounded() {
        let (uses, acme) = (KeyUses::default(), TenantId::parse("acme").unwrap());
        let at = |second| OffsetDateTime::UNIX_EPOCH + Duration::from_secs(second);
        uses.note(&acme, ApiKeyId(1), at(1));
        uses.note(&acme, ApiKeyId(1), at(2));
        assert_eq!(uses.0.lock().unwrap().get(&ApiKeyId(1)), Some(&(acme.clone(), at(2))));
        for key in 0..i64::try_from(KEYS_MAX).unwrap() + 10 {
            uses.note(&acme, ApiKeyId(key), at(3));
        }
        let held = uses.0.lock().unwrap();
        assert_eq!((held.len(), held.get(&ApiKeyId(1)).map(|(_, at)| *at)), (KEYS_MAX, Some(at(3))));
    }
}
