//! The doors on real Postgres (application role) and the in-process Kafka: tables of requests and their answers.
//!
//! One cluster a test binary; every test has tenants of its own, so that tests do not see each other.

mod admin_keys;
mod api;
mod audit;
mod authority;
mod cached;
mod dead_letters;
mod feed;
mod hostile;
mod house;
mod judge;
mod keys;
mod lookups;
mod matrix;
mod namespaces;
mod press;
mod serving;
mod suspended;
mod tls;
mod trail;
mod webhook;
