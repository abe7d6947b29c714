//! The API under many connections: the real program with a full catalog, thousands of readers that stay, requests on a
//! timetable, and every answer looked at. `make load-api` runs it.
//!
//! Must never count an answer that it did not check, and never take the time from when a request was sent: it counts
//! from when the timetable wanted it, so that a stall hides nothing (coordinated omission).

mod answer;
mod connection;
mod database;
mod feed;
mod mix;
mod run;
mod seed;
mod site;
mod timetable;

pub use run::{Plan, Report, run};
