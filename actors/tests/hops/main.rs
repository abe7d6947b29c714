//! The hops from a Kafka record to the feed, on real Postgres, the in-process Kafka listener and the simulator.
//!
//! Named cases, each with a tenant of its own in one world. A case waits for a condition with a bound, never for a time.

mod cases;
mod removal;
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

#[test]
fn what_upstream_no_longer_shows_is_removed_when_that_is_confirmed() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let world = World::reconciling(removal::TENANTS, removal::RECONCILE_EVERY).await;
        tokio::join!(
            removal::a_workspace_that_is_gone_is_removed_when_that_is_confirmed(&world),
            removal::an_organization_that_shows_nothing_removes_nothing(&world),
        );
        world.stop().await;
    });
}
