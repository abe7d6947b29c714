//! The port: where entries are put and found again, for a while. What is in an entry is not its business.
//!
//! Two implementations keep it, and `tests/cache` runs one contract on both. Must never know a tenant or a reference: a name is a
//! digest.

use std::time::Duration;

use futures_util::future::BoxFuture;

/// Largest entry: the page of some thousand workspaces has room.
pub const ENTRY_BYTES_MAX: usize = 1024 * 1024;

/// Names an entry: a keyed digest of what it is and whose.
pub type EntryName = [u8; 32];

/// The store did not answer, or is not asked for a while because it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// It was asked, and gave no answer in time.
    NoAnswer,
    /// It was not asked: it gave no answer lately.
    NotAsked,
}

/// What stands under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// These bytes. Whether they are what was put there is the caller's to prove.
    Entry(Vec<u8>),
    /// Nothing.
    Nothing,
    /// What no [`CacheStore::put`] puts there: of another kind, or too large.
    Foreign,
}

/// Keeps entries for a while. Dyn-compatible, because the wiring chooses at run time.
pub trait CacheStore: Send + Sync + 'static {
    /// What stands under a name; of a large thing no more is read than [`ENTRY_BYTES_MAX`].
    fn get(&self, name: EntryName) -> BoxFuture<'_, Result<Found, Away>>;

    /// Puts an entry in place of what stood there, for at most `ttl`. One above [`ENTRY_BYTES_MAX`] is not put.
    fn put(&self, name: EntryName, entry: Vec<u8>, ttl: Duration) -> BoxFuture<'_, Result<(), Away>>;
}
