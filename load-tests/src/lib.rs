//! Terrasift's load tests: the Terraform Cloud simulator and the seeded generator of the states that it serves.
//! The faults and the servers that they happen to stand here, too ([`cluster`]).
//! It must never use the client's wire types: bodies are rendered from the documented samples, so that a typo on one side
//! cannot cancel itself out on the other.

#![recursion_limit = "256"] // a workspace has more attributes than `json!` takes by default

pub mod api_load;
pub mod cluster;
pub mod faults;
pub mod generator;
pub mod isolation;
pub mod leak_search;
pub mod load;
pub mod places;
pub mod planted;
pub mod process_memory;
pub mod simulator;
