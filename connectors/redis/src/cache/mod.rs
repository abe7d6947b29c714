//! What was read from the catalog lately, so that the database need not be asked again.
//!
//! One port ([`CacheStore`]), two implementations, one contract; [`ReadThrough`] is all that callers see. Must never be where a
//! thing is known from alone, nor serve what it cannot prove to be what it was asked for.

mod breaker;
mod memory;
mod port;
mod read_through;
mod seal;
mod shared;

pub use memory::MemoryCache;
pub use port::{Away, CacheStore, ENTRY_BYTES_MAX, EntryName, Found};
pub use read_through::{Fresh, Outcome, ReadThrough, Thing, Ttl, Ttls};
pub use shared::{CACHE_WAIT_MAX, RedisCache, RedisCacheConfig};
