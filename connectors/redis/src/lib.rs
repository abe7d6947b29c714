//! What replicas share for a short time: the rate budget, and what was read from the catalog lately; in Redis or, for one process, in memory.
//!
//! Two ports ([`RequestBudget`], [`CacheStore`]), each with two implementations and one contract. Everything here may be lost at any
//! moment: Redis being down slows things and breaks nothing. Must never put a value of a state, a token or an address with its password into
//! Redis, an error or a log.

mod cache;
mod forget;
mod link;
mod machine;
mod memory;
mod port;
mod private;
mod script;
mod share;
mod shared;

pub use cache::{
    Away, CACHE_WAIT_MAX, CacheStore, ENTRY_BYTES_MAX, EntryName, Found, Fresh, MemoryCache, Outcome,
    ReadThrough, RedisCache, RedisCacheConfig, Thing, Ttl, Ttls,
};
pub use forget::{NotForgotten, forget_tenant};
pub use link::{ANSWER_WAIT_MAX, BadAddress};
pub use machine::BudgetMachine;
pub use memory::MemoryBudget;
pub use port::{
    Ask, HoldsUp, KEEP_EVERY, LeaseId, RateLimits, RequestBudget, UNKNOWN_USER, UserKey, Verdict,
};
pub use private::{NoPrivateRedis, PrivateRedis};
pub use shared::{RedisBudget, RedisConfig};
