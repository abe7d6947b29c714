//! The rate budget: one contract for both implementations, the script against its twin, and faults on a real Redis.

mod contract;
mod faults;
mod forget;
mod server;
mod twin;
