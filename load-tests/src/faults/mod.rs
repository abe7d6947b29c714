//! The seeded fault matrix: for one row and one seed, real servers and replicas of the real program, a stream of events, a fault,
//! its end, and a judgement from outside.
//!
//! Must never ask the engine whether it lost something: it compares what was sent and what upstream holds with what the catalog
//! then holds ([`oracle`]).

mod act;
mod catalog;
mod follow;
pub mod oracle;
mod report;
mod rows;
mod run;
mod sample;
mod search;
mod stage;
mod traffic;

pub use report::Report;
pub use rows::{ROWS, Row, find};
pub use run::{RunPlan, Runner};
pub use traffic::Pace;
