//! What tenants keep of each other when the application's code is wrong: generated attempts against the real schema, by the
//! application role, and deliberately weakened schemas that must be noticed.
//!
//! An attempt names everything that it needs itself: no code of the store is in between, as if that code were wrong. Must never
//! take an error for a refusal that is none.

mod attempt;
mod case;
mod furnish;
mod mutants;
mod run;
mod site;
mod structure;

pub use run::{Plan, Report, judged_by, run};
