//! The hops from a Kafka record to the feed, on real Postgres, the in-process Kafka listener and the simulator.
//!
//! Named cases, each with a tenant of its own in one world. A case waits for a condition with a bound, never for a time.

mod cases;
mod world;

use world::World;

#[test]
fn every_event_reaches_the_feed_once_whatever_goes_wrong() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let world = World::start(cases::TENANTS).await;
        let outcome = cases::run_all(&world).await;
        world.stop().await;
        assert!(outcome.is_empty(), "failed: {outcome:#?}");
    });
}
