//! Reads that are answered by what was read before, where that is new enough.
//!
//! How new is told by a number that moves in the transaction of each write ([`Fresh`]). Who asks has read it from the database in this very
//! request; whoever put an entry had read its number *before* the rows. So an entry of this number or a later one holds all that was
//! committed when it was asked for, and no message has to reach a cache for that. Must never serve what is older, or what it
//! cannot prove to be this tenant's; and never make a failure of the store one of the reader.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use terrasift_schemas::{FromCatalog, TenantId};

use super::port::{Away, CacheStore, ENTRY_BYTES_MAX, EntryName, Found};
use super::seal::Seal;

/// Reads under way that are remembered before those that were given up are looked for. Requests at once are bounded by the doors.
const FLIGHTS_KEPT: usize = 1_024;

/// How new something is: a later number of the same generation is newer, and generations cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fresh {
    /// Generation of the numbers; a catalog that is built anew has another one.
    pub epoch: i64,
    /// Moves with each write.
    pub seq: i64,
}

impl Fresh {
    fn is_as_new_as(self, wanted: Self) -> bool {
        self.epoch == wanted.epoch && self.seq >= wanted.seq
    }
}

/// How long something is kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// As entities, and what is counted of them.
    Entity,
    /// As the status of workspaces.
    Workspace,
}

/// How long things are kept, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttls {
    /// Entities.
    pub entity: Duration,
    /// Workspaces.
    pub workspace: Duration,
}

impl Default for Ttls {
    fn default() -> Self {
        Self { entity: Duration::from_secs(5 * 60), workspace: Duration::from_secs(10 * 60) }
    }
}

impl Ttls {
    /// Up to a tenth shorter, by the name: what was read together does not end together.
    fn of(&self, ttl: Ttl, name: &EntryName) -> Duration {
        let whole = match ttl {
            Ttl::Entity => self.entity,
            Ttl::Workspace => self.workspace,
        };
        whole - whole * u32::from(name[0]) / 2_560
    }
}

/// What is read: whose, of what kind, and which.
#[derive(Debug, Clone)]
pub struct Thing {
    /// Whose.
    pub tenant: TenantId,
    /// Label of its kind; one of few.
    pub kind: &'static str,
    /// Which of the kind; empty where there is one.
    pub name: String,
    /// How long it is kept.
    pub ttl: Ttl,
}

/// What the cache did for a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It had it.
    Hit,
    /// It had nothing.
    Miss,
    /// It had something older.
    Stale,
    /// It had something that nobody of us put there.
    Refused,
    /// It gave no answer.
    Error,
    /// It was not asked, because it gave no answer lately.
    Skipped,
    /// Somebody in this process was reading the same; both got the one answer.
    Joined,
    /// What was read could not be put.
    NotKept,
}

impl Outcome {
    /// As a label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Refused => "refused",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Joined => "joined",
            Self::NotKept => "not_kept",
        }
    }
}

type Row = Arc<dyn Any + Send + Sync>;
type Flight<E> = Shared<BoxFuture<'static, Result<Option<Row>, Arc<E>>>>;
type WeakFlight<E> = WeakShared<BoxFuture<'static, Result<Option<Row>, Arc<E>>>>;
/// Who asks for something newer does not get what somebody began to read before.
type FlightKey = (EntryName, Fresh, TypeId);
type Note = dyn Fn(&'static str, Outcome) + Send + Sync;

struct Inner<E> {
    store: Arc<dyn CacheStore>,
    seal: Seal,
    ttls: Ttls,
    note: Box<Note>,
    flights: Mutex<HashMap<FlightKey, WeakFlight<E>>>,
}

/// Reads through a cache. `E` is why a read from the source failed. Cheap to clone. No Debug: it holds a key.
pub struct ReadThrough<E>(Arc<Inner<E>>);

impl<E> Clone for ReadThrough<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<E: Send + Sync + 'static> ReadThrough<E> {
    /// Over a store. `key` binds entries, and is the same on all replicas that share it; `note` hears of each read: its kind, and
    /// what the cache did for it.
    pub fn new(
        store: Arc<dyn CacheStore>,
        key: [u8; 32],
        ttls: Ttls,
        note: impl Fn(&'static str, Outcome) + Send + Sync + 'static,
    ) -> Self {
        let (seal, note) = (Seal::new(key), Box::new(note));
        Self(Arc::new(Inner { store, seal, ttls, note, flights: Mutex::default() }))
    }

    /// What is there, as new as `fresh` at least; `load` reads it from its source and is polled where the cache does not have it.
    /// `None` is not kept: what does not exist takes no room.
    ///
    /// # Errors
    /// Those of `load`, which all who joined it share. The cache has none.
    pub async fn read<T: FromCatalog>(
        &self,
        thing: Thing,
        fresh: Fresh,
        load: impl Future<Output = Result<Option<T>, E>> + Send + 'static,
    ) -> Result<Option<Arc<T>>, Arc<E>> {
        let row = self.flight(thing, fresh, load).await?;
        // INVARIANT: the flight's key holds the type.
        Ok(row.map(|row| row.downcast().expect("of this type")))
    }

    fn flight<T: FromCatalog>(
        &self,
        thing: Thing,
        fresh: Fresh,
        load: impl Future<Output = Result<Option<T>, E>> + Send + 'static,
    ) -> Flight<E> {
        let name = self.0.seal.name(&thing);
        let key = (name, fresh, TypeId::of::<T>());
        let mut flights = self.0.flights();
        if let Some(flight) = flights.get(&key).and_then(WeakShared::upgrade) {
            (self.0.note)(thing.kind, Outcome::Joined);
            return flight;
        }
        if flights.len() >= FLIGHTS_KEPT {
            flights.retain(|_, flight| flight.upgrade().is_some());
        }
        let inner = Arc::clone(&self.0);
        let flight = async move {
            let row = inner.look(&thing, &name, fresh, load).await;
            inner.flights().remove(&key);
            row
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key, weak);
        }
        flight
    }
}

impl<E: Send + Sync + 'static> Inner<E> {
    fn flights(&self) -> std::sync::MutexGuard<'_, HashMap<FlightKey, WeakFlight<E>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look<T: FromCatalog>(
        &self,
        thing: &Thing,
        name: &EntryName,
        fresh: Fresh,
        load: impl Future<Output = Result<Option<T>, E>> + Send,
    ) -> Result<Option<Row>, Arc<E>> {
        let found = self.store.get(*name).await;
        let outcome = match found {
            Ok(Found::Entry(entry)) => match self.open::<T>(thing, fresh, &entry) {
                Ok(row) => {
                    (self.note)(thing.kind, Outcome::Hit);
                    return Ok(Some(Arc::new(row)));
                }
                Err(outcome) => outcome,
            },
            Ok(Found::Nothing) => Outcome::Miss,
            Ok(Found::Foreign) => Outcome::Refused,
            Err(Away::NoAnswer) => Outcome::Error,
            Err(Away::NotAsked) => Outcome::Skipped,
        };
        (self.note)(thing.kind, outcome);
        let Some(row) = load.await.map_err(Arc::new)? else { return Ok(None) };
        // Who gave no answer just now would hold this reader up once more.
        if !matches!(outcome, Outcome::Error | Outcome::Skipped) {
            self.keep(thing, name, fresh, &row).await;
        }
        Ok(Some(Arc::new(row)))
    }

    fn open<T: FromCatalog>(&self, thing: &Thing, fresh: Fresh, entry: &[u8]) -> Result<T, Outcome> {
        let (at, payload) = self.seal.open(thing, entry).ok_or(Outcome::Refused)?;
        if !at.is_as_new_as(fresh) {
            return Err(Outcome::Stale);
        }
        serde_json::from_slice(payload).map_err(|_| Outcome::Refused)
    }

    async fn keep<T: FromCatalog>(&self, thing: &Thing, name: &EntryName, fresh: Fresh, row: &T) {
        let Ok(payload) = serde_json::to_vec(row) else { return };
        let entry = self.seal.seal(thing, fresh, &payload);
        if entry.len() > ENTRY_BYTES_MAX {
            return;
        }
        let ttl = self.ttls.of(thing.ttl, name);
        if self.store.put(*name, entry, ttl).await.is_err() {
            (self.note)(thing.kind, Outcome::NotKept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_live_are_those_of_the_requirements_less_up_to_a_tenth() {
        let ttls = Ttls::default();
        let at = |ttl, first| ttls.of(ttl, &[first; 32]);
        assert_eq!(at(Ttl::Entity, 0), Duration::from_secs(300));
        assert_eq!(at(Ttl::Workspace, 0), Duration::from_secs(600));
        for first in 0..=255 {
            let (entity, workspace) = (at(Ttl::Entity, first), at(Ttl::Workspace, first));
            assert!((Duration::from_secs(270)..=Duration::from_secs(300)).contains(&entity));
            assert!((Duration::from_secs(540)..=Duration::from_secs(600)).contains(&workspace));
        }
        assert!(at(Ttl::Entity, 255) < at(Ttl::Entity, 128));
    }

    #[test]
    fn what_is_older_or_of_another_generation_is_not_new_enough() {
        let fresh = |epoch, seq| Fresh { epoch, seq };
        for (held, wanted, enough) in [
            (fresh(1, 5), fresh(1, 5), true),
            (fresh(1, 6), fresh(1, 5), true),
            (fresh(1, 4), fresh(1, 5), false),
            (fresh(2, 5), fresh(1, 5), false),
            (fresh(1, 9), fresh(2, 5), false),
        ] {
            assert_eq!(held.is_as_new_as(wanted), enough, "{held:?} for {wanted:?}");
        }
    }
}
