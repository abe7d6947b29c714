//! The cache in memory: what is oldest goes when there is no more room. For one process; each replica has its own.
//!
//! Must never hold more bytes than it was given.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;

use super::port::{Away, CacheStore, ENTRY_BYTES_MAX, EntryName, Found};

/// What an entry takes beside its bytes: its name twice, its place, its time.
const OVERHEAD_BYTES: usize = 200;

/// A cache in memory.
pub struct MemoryCache {
    bytes_max: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    entries: HashMap<EntryName, Entry>,
    /// Names in the order in which they were put.
    order: BTreeMap<u64, EntryName>,
    next: u64,
    bytes: usize,
}

struct Entry {
    bytes: Vec<u8>,
    until: Instant,
    place: u64,
}

impl MemoryCache {
    /// An empty one that holds at most so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, shelf: Mutex::default() }
    }
}

impl Shelf {
    fn get(&mut self, name: &EntryName, now: Instant) -> Found {
        match self.entries.get(name) {
            None => Found::Nothing,
            Some(entry) if entry.until > now => Found::Entry(entry.bytes.clone()),
            Some(_) => {
                self.remove(name);
                Found::Nothing
            }
        }
    }

    fn put(&mut self, name: EntryName, bytes: Vec<u8>, until: Instant, bytes_max: usize) {
        self.remove(&name);
        let size = bytes.len() + OVERHEAD_BYTES;
        if bytes.len() > ENTRY_BYTES_MAX || size > bytes_max {
            return;
        }
        while self.bytes + size > bytes_max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.remove(&oldest);
        }
        let place = self.next;
        self.next += 1;
        self.bytes += size;
        self.order.insert(place, name);
        self.entries.insert(name, Entry { bytes, until, place });
    }

    fn remove(&mut self, name: &EntryName) {
        if let Some(entry) = self.entries.remove(name) {
            self.order.remove(&entry.place);
            self.bytes -= entry.bytes.len() + OVERHEAD_BYTES;
        }
    }
}

impl CacheStore for MemoryCache {
    fn get(&self, name: EntryName) -> BoxFuture<'_, Result<Found, Away>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(shelf.get(&name, Instant::now()))).boxed()
    }

    fn put(&self, name: EntryName, entry: Vec<u8>, ttl: Duration) -> BoxFuture<'_, Result<(), Away>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.put(name, entry, Instant::now() + ttl, self.bytes_max);
        ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_oldest_goes_when_there_is_no_more_room() {
        let (now, mut shelf) = (Instant::now(), Shelf::default());
        let until = now + Duration::from_secs(9);
        let bytes_max = 4 * (100 + OVERHEAD_BYTES);
        for name in 0..200_u8 {
            shelf.put([name; 32], vec![name; 100], until, bytes_max);
            assert!(shelf.bytes <= bytes_max && shelf.entries.len() == shelf.order.len());
        }
        let held: Vec<u8> = (0..200).filter(|name| shelf.get(&[*name; 32], now) != Found::Nothing).collect();
        assert_eq!(held, [196, 197, 198, 199]);
        shelf.put([196; 32], vec![0; 100], until, bytes_max);
        shelf.put([1; 32], vec![0; 100], until, bytes_max);
        assert_eq!(shelf.get(&[197; 32], now), Found::Nothing, "196 was put anew");
        shelf.put([2; 32], vec![0; bytes_max], until, bytes_max);
        assert_eq!((shelf.get(&[2; 32], now), shelf.entries.len()), (Found::Nothing, 4), "never fits");
        assert_eq!(shelf.get(&[1; 32], until), Found::Nothing, "over");
        assert_eq!((shelf.entries.len(), shelf.bytes), (3, 3 * (100 + OVERHEAD_BYTES)));
    }
}
