//! The store against a real Postgres, as the application role: one private cluster, one database a case.
//!
//! One `#[test]` runs the table, because a cluster that many tests share could be stopped by none of them. Must never
//! leave a process behind: the cluster goes with the table, also when a case panics. `CASE=name` runs those cases only.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "all of this crate is tests")]

mod cached;
mod cancel;
mod commit;
mod doors;
mod erasure;
mod feed;
mod isolation;
mod keys;
mod leaks;
mod ledger;
mod letters;
mod oracle;
mod private;
mod removal;
mod rounds;
mod rule_sets;
mod tenant_export;
mod trail;
mod upstream_requests;
mod world;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{FutureExt, StreamExt};
use terrasift_postgres::PrivatePostgres;
use world::World;

type Run = fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>;
type Case = (&'static str, Run);

/// Names cases after their functions.
macro_rules! cases {
    ($($module:ident :: { $($case:ident),* $(,)? }),* $(,)?) => {
        [$($((concat!(stringify!($module), "::", stringify!($case)), |world| Box::pin($module::$case(world)))),*),*]
    };
}

/// All cases, the long ones first; names are sentences.
fn table() -> Vec<Case> {
    let cases: [Case; 52] = cases! {
        oracle::{ invariants_3_and_4_hold_for_random_interleavings }, leaks::{ each_kind_of_leak_is_found_and_a_sound_catalog_has_none },
        cancel::{ aborted_futures_leave_no_transaction_and_no_context },
        commit::{
            a_commit_shows_its_entities_and_clears_its_mark,
            invariant_3_outcomes_follow_versions_reads_and_epochs,
            invariant_4_replaying_a_commit_changes_nothing,
            a_batch_with_a_fenced_and_a_stale_workspace_writes_the_others,
            a_mark_with_a_newer_generation_survives_the_commit,
            a_diff_against_a_catalog_that_moved_is_rebased,
            removed_entities_become_tombstones_and_can_come_back,
            a_workspace_cannot_remove_what_another_one_took_over,
            audit_records_hold_rules_paths_and_counts, audit_records_are_filtered_and_paged_newest_first,
            bad_batches_are_refused_whole,
            twenty_thousand_entities_take_a_handful_of_statements,
        },
        ledger::{
            events_coalesce_into_one_mark_a_workspace,
            unknown_tenants_are_reported_by_index_and_the_rest_is_stored, a_stale_epoch_writes_nothing,
            a_claim_waits_for_effects_under_the_old_epoch,
            marks_are_loaded_in_pages, a_deferred_or_cleared_mark_yields_to_a_newer_event,
            marking_and_committing_at_once_never_deadlocks,
            marks_are_cleared_together_and_a_fenced_one_hinders_no_neighbour,
            tickets_are_drawn_together_and_what_is_served_is_told_over_tenants,
        },
        feed::{
            a_reader_by_cursor_misses_nothing_of_concurrent_writers,
            a_waiter_wakes_by_a_commit_here_and_elsewhere,
            pages_filter_by_kind_and_end,
        },
        isolation::{
            invariant_7_without_its_tenant_no_row_is_read_or_written,
            every_table_with_a_tenant_forces_row_level_security,
            partitions_cannot_be_named,
            the_store_shows_a_tenant_nothing_of_another,
            a_role_above_the_policies_is_refused,
            the_auditor_reads_ids_and_never_bodies,
            errors_and_logs_hold_no_value,
        },
        removal::{
            a_workspace_is_removed_when_it_is_missing_twice_and_can_come_back,
            what_is_shown_again_or_never_was_is_not_removed,
        },
        rounds::{
            one_replica_at_a_time_holds_a_round_and_the_next_goes_on,
            a_round_is_due_after_its_time_or_when_somebody_wants_a_newer_one,
        },
        rule_sets::{ rule_sets_are_numbered_in_the_order_they_came },
        letters::{
            dead_letters_are_parked_with_their_mark_and_listed,
            a_letter_is_retried_once_and_closed_by_its_success,
            two_who_decide_at_once_have_one_effect, a_discarded_letter_stays_discarded,
            letters_are_filtered_by_state_reason_workspace_and_time,
            the_outbox_hands_out_what_is_not_sent_to_one_caller_at_a_time,
            the_outbox_gives_up_in_the_end_and_a_retry_wakes_it,
            letters_of_before_keep_what_became_of_them,
        },
        trail::{
            every_tampering_with_the_trail_is_found, the_application_appends_to_the_trail_and_changes_nothing,
            a_tenant_sees_its_own_trail_only, the_trail_is_filtered_and_exported_with_its_chain,
            a_month_of_the_trail_is_retired_and_the_rest_still_verifies,
        },
    };
    cases.into_iter().chain(lives()).collect()
}

/// Cases of the doors, of what begins and ends (keys, tenants), and of what a cache holds.
fn lives() -> [Case; 20] {
    cases! {
        doors::{
            whose_a_token_is_is_remembered_for_its_tenant,
            keys_are_found_by_digest_over_all_tenants, a_delivery_is_recorded_once, deliveries_of_late_are_counted,
            old_deliveries_are_forgotten_as_new_ones_come, unrouted_records_are_parked_once_a_position,
        },
        cached::{
            the_catalogs_version_moves_with_everything_that_is_shown_otherwise,
            a_key_tells_how_new_its_tenants_catalog_is,
        },
        keys::{
            keys_are_listed_in_pages_and_only_to_their_tenant, a_rotated_key_ends_after_the_overlap_and_is_rotated_once,
            two_who_rotate_at_once_make_one_key, a_revoked_key_is_found_revoked_at_once_and_stays_so,
            a_keys_use_is_written_once_a_minute_and_waits_for_nobody,
        },
        upstream_requests::{ requests_are_counted_by_hour_and_long_past_hours_are_forgotten },
        tenant_export::{
            an_export_holds_every_row_of_the_tenant_and_of_nobody_else,
            an_export_is_one_snapshot_and_comes_in_pages,
        },
        erasure::{
            after_an_erasure_no_row_is_left_in_any_table_with_a_tenant_and_the_neighbour_has_all,
            an_erasure_that_is_killed_anywhere_goes_on,
            a_commit_that_runs_is_waited_for_and_none_comes_after,
            only_a_suspended_tenant_is_erased_by_its_own_slug_and_by_the_owner,
        },
    }
}

/// Cases at once: enough to keep two cores busy.
const WIDTH: usize = 6;

#[test]
fn the_store_keeps_its_promises() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(async {
        let cluster = Arc::new(PrivatePostgres::start(None).await.expect("a private postgres"));
        world::do_not_wait_for_the_disk(&cluster).await;
        let data_dir = cluster.data_dir().to_path_buf();
        #[expect(clippy::disallowed_methods, reason = "`CASE` picks cases, as a test filter does")]
        let only = std::env::var("CASE").unwrap_or_default();
        let cases = table().into_iter().filter(|(name, _)| name.contains(&only)).enumerate();
        let failed: Vec<&str> = futures_util::stream::iter(cases)
            .map(|(index, (name, case))| run(cluster.clone(), index, name, case))
            .buffer_unordered(WIDTH)
            .filter_map(|failed| async move { failed })
            .collect()
            .await;
        Arc::into_inner(cluster).expect("no case keeps the cluster").stop().await;
        assert!(!data_dir.exists(), "the temporary cluster is left behind");
        assert!(failed.is_empty(), "failed: {failed:#?}");
    });
}

#[test]
fn a_private_cluster_survives_restarts_and_is_alone_in_its_directory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(private::survives_restarts());
}

/// The child of the next test: holds a cluster until it is killed.
#[test]
#[ignore = "run by a_cluster_goes_with_its_owner_even_when_that_is_killed"]
fn holds_a_cluster() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(private::hold());
}

#[test]
fn a_cluster_goes_with_its_owner_even_when_that_is_killed() {
    private::goes_with_its_owner();
}

async fn run(
    cluster: Arc<PrivatePostgres>,
    index: usize,
    name: &'static str,
    case: Run,
) -> Option<&'static str> {
    let begun = Instant::now();
    let world = World::new(cluster, &format!("case_{index}")).await;
    let store = world.store.clone();
    let outcome = tokio::spawn(std::panic::AssertUnwindSafe(case(world)).catch_unwind()).await;
    store.close().await;
    let passed = matches!(outcome, Ok(Ok(())));
    println!("{} {name} ({} ms)", if passed { "ok    " } else { "FAILED" }, begun.elapsed().as_millis());
    (!passed).then_some(name)
}
