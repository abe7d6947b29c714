//! The load driver: open-loop producers against any broker, and what becomes of their events in the feed, second by second.
//!
//! Must never wait with the next event for an answer: latency counts from the time at which an event was meant to be sent.

mod driver;
mod html;
mod local;
mod outcome;
mod plot;
mod run;
mod scenario;
mod target;
mod visible;

pub use driver::Driver;
pub use html::page;
pub use local::{Local, LocalPlan};
pub use outcome::{Outcome, PhaseOutcome, Sample};
pub use run::run;
pub use scenario::{Giants, Phase, Scenario};
pub use target::{Target, TenantKey};
