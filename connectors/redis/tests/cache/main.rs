//! The cache: one contract for both stores, what a read through it keeps, and a Redis that is down, slow or lying.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

mod contract;
mod faults;
mod reads;
mod world;
