//! The producer and the consumer against brokers: one table of cases for the in-process listener and for Apache Kafka.
//!
//! The in-process listener proves our side of the protocol, the real broker proves the broker's. Without its jars the
//! real half says that it is skipped: `make kafka-jars` fetches them, and `make test` insists. Must never leave a process
//! behind. `CASE=name` runs those cases only.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this crate is tests")]

mod cluster;
mod faults;
mod group;
mod growth;
mod records;
mod secured;
mod topics;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{FutureExt, StreamExt};
use terrasift_kafka::PrivateKafka;
use world::{Broker, World};

type Run = fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>;
type Case = (&'static str, Place, Run);

/// What a case needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Any broker, also with neighbours.
    Shared,
    /// Any broker, alone: it takes the broker down.
    Alone,
    /// What the in-process listener does not have; with neighbours.
    Real,
}
use Place::{Alone, Real, Shared};

/// Names cases after their functions.
macro_rules! cases {
    ($($module:ident :: { $($case:ident: $place:ident),* $(,)? }),* $(,)?) => {
        vec![$($((
            concat!(stringify!($module), "::", stringify!($case)),
            $place,
            |world| Box::pin($module::$case(world)),
        )),*),*]
    };
}

/// All cases, the long ones first; names are sentences.
fn table() -> Vec<Case> {
    cases! {
        records::{
            a_full_queue_pauses_without_loss_disorder_or_eviction: Shared,
            a_restart_resumes_at_what_was_settled_and_never_beyond: Shared,
            records_come_in_order_with_key_headers_and_value: Shared,
            tombstones_null_keys_and_odd_headers_come_through: Shared,
            a_dropped_receiver_ends_the_consumer: Shared,
        },
        faults::{
            a_consumer_outlives_its_broker: Alone,
            a_broker_that_is_away_is_an_error_in_time_and_no_secret_is_told: Alone,
        },
        group::{
            two_members_share_the_partitions_and_every_record_reaches_one: Shared,
            a_member_that_settles_nothing_holds_the_group_up_for_its_drain_only: Shared,
            what_is_asked_back_is_settled_before_it_goes: Real,
            a_static_member_comes_back_and_moves_no_partition: Real,
            a_second_process_of_one_name_ends_the_first: Real,
        },
        growth::{
            new_partitions_are_served_under_load: Real,
        },
        topics::{
            topics_are_made_as_documented_and_mismatches_are_told: Real,
            existing_topics_are_left_alone_and_bad_settings_are_named: Shared,
        },
        secured::{
            a_login_by_each_mechanism_and_a_wrong_password: Real,
            tls_with_certificates_on_both_sides_and_without_trust: Real,
        },
    }
}

/// Cases at once: most of a case is waiting for a group.
const WIDTH: usize = 6;

/// Where the jars are, told by the Makefile. Told and absent is a failure, not a skip.
fn libs() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the Makefile hands it over")]
    let told = std::env::var_os("TERRASIFT_KAFKA_LIBS").map(PathBuf::from);
    if told.is_none() {
        println!(
            "skipped: TERRASIFT_KAFKA_LIBS names no folder with Kafka's jars, `make kafka-jars` fills one"
        );
    }
    told
}

#[test]
fn the_in_process_listener_keeps_the_contract() {
    let cases = table().into_iter().filter(|(_, place, _)| *place != Real);
    let failed = block_on(run_all(cases.collect(), |_| async { Broker::embedded() }));
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

#[test]
fn a_real_broker_keeps_the_contract() {
    let Some(libs) = libs() else { return };
    block_on(async {
        let files = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let shared = Arc::new(PrivateKafka::start(secured::plan(&libs, files.path())).await.expect("kafka"));
        println!("a broker with four listeners started ({} ms)", begun.elapsed().as_millis());
        let (data_dir, certificates) = (shared.data_dir().to_owned(), files.path().to_owned());
        let failed = run_all(table(), |place| {
            let (shared, libs, certificates) = (shared.clone(), libs.clone(), certificates.clone());
            async move {
                match place {
                    Alone => Broker::alone(&libs).await,
                    Shared | Real => Broker::Shared(shared, certificates),
                }
            }
        });
        let failed = failed.await;
        let stopping = Instant::now();
        Arc::into_inner(shared).expect("no case keeps the broker").stop().await;
        println!("stopped clean ({} ms)", stopping.elapsed().as_millis());
        assert!(!data_dir.exists(), "the temporary broker is left behind");
        assert!(failed.is_empty(), "failed: {failed:#?}");
    });
}

#[test]
fn three_brokers_lose_one_and_no_record() {
    if let Some(libs) = libs() {
        block_on(cluster::loses_one_and_no_record(&libs));
    }
}

/// The child of the next test: holds a broker until it is killed.
#[test]
#[ignore = "run by a_broker_goes_with_its_owner_even_when_that_is_killed"]
fn holds_a_broker() {
    block_on(cluster::hold(&libs().expect("handed over")));
}

#[test]
fn a_broker_goes_with_its_owner_even_when_that_is_killed() {
    if let Some(libs) = libs() {
        cluster::goes_with_its_owner(&libs);
    }
}

#[test]
fn what_cannot_be_started_says_what_to_do() {
    block_on(cluster::refusals(Path::new("/nowhere")));
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(future)
}

async fn run_all<Start: Future<Output = Broker>>(
    cases: Vec<Case>,
    start: impl Fn(Place) -> Start,
) -> Vec<&'static str> {
    #[expect(clippy::disallowed_methods, reason = "`CASE` picks cases, as a test filter does")]
    let only = std::env::var("CASE").unwrap_or_default();
    let cases = cases.into_iter().filter(|(name, ..)| name.contains(&only));
    futures_util::stream::iter(cases)
        .map(|(name, place, case)| {
            let start = start(place);
            async move { run(name, start.await, case).await }
        })
        .buffer_unordered(WIDTH)
        .filter_map(|failed| async move { failed })
        .collect()
        .await
}

async fn run(name: &'static str, broker: Broker, case: Run) -> Option<&'static str> {
    let begun = Instant::now();
    let kind = broker.kind();
    let world = World::new(broker, name);
    let outcome = tokio::spawn(std::panic::AssertUnwindSafe(case(world)).catch_unwind()).await;
    let passed = matches!(outcome, Ok(Ok(())));
    let verdict = if passed { "ok    " } else { "FAILED" };
    println!("{verdict} {kind} {name} ({} ms)", begun.elapsed().as_millis());
    (!passed).then_some(name)
}
