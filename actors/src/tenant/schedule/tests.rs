//! The schedule by tables: what is offered, what runs next.

use terrasift_schemas::TenantId;

use super::*;

const START: OffsetDateTime = time::macros::datetime!(2026-01-01 00:00 UTC);

fn mark(
    workspace: &str,
    generation: i64,
    priority: Priority,
    since_s: i64,
    not_before_s: Option<i64>,
) -> OwnedMark {
    OwnedMark {
        mark: Mark {
            tenant: TenantId::parse("acme").expect("id"),
            workspace: WorkspaceId::parse(workspace).expect("id"),
            partition: 3,
            generation,
            since: START + Duration::seconds(since_s),
            priority,
            not_before: not_before_s.map(|s| START + Duration::seconds(s)),
            attempts: 0,
            trace: None,
        },
        epoch: Epoch(1),
    }
}

fn drain(schedule: &mut Schedule, now: OffsetDateTime) -> Vec<String> {
    std::iter::from_fn(|| schedule.start_next(now)).map(|m| m.mark.workspace.to_string()).collect()
}

fn check(name: &str, offers: &[OwnedMark], now_s: i64, expected: &[&str]) {
    let mut schedule = Schedule::default();
    for offer in offers {
        schedule.offer(offer.clone(), START);
    }
    assert_eq!(drain(&mut schedule, START + Duration::seconds(now_s)), expected, "{name}");
}

#[test]
fn older_first_priority_overtakes_and_nothing_starves() {
    use Priority::{High, Low, Normal};
    let m = mark;
    check("by age", &[m("ws-b", 1, Normal, 2, None), m("ws-a", 1, Normal, 1, None)], 9, &["ws-a", "ws-b"]);
    check(
        "high overtakes",
        &[m("ws-a", 1, Normal, 1, None), m("ws-b", 1, High, 9, None)],
        9,
        &["ws-b", "ws-a"],
    );
    check("low waits", &[m("ws-a", 1, Low, 1, None), m("ws-b", 1, Normal, 9, None)], 9, &["ws-b", "ws-a"]);
    check(
        "old low passes",
        &[m("ws-a", 1, Low, 0, None), m("ws-b", 1, High, 1300, None)],
        1300,
        &["ws-a", "ws-b"],
    );
    check("not before", &[m("ws-a", 1, High, 1, Some(60)), m("ws-b", 1, Normal, 9, None)], 59, &["ws-b"]);
    check("due", &[m("ws-a", 1, High, 1, Some(60)), m("ws-b", 1, Normal, 9, None)], 60, &["ws-a", "ws-b"]);
    check("coalesced", &[m("ws-a", 1, Normal, 1, None), m("ws-a", 2, High, 1, None)], 9, &["ws-a"]);
    check(
        "a new event ends a wait",
        &[m("ws-a", 1, Low, 1, Some(60)), m("ws-a", 2, Low, 1, None)],
        9,
        &["ws-a"],
    );
}

#[test]
fn a_running_workspace_runs_again_only_for_a_newer_mark() {
    let mut schedule = Schedule::default();
    let first = mark("ws-a", 1, Priority::Normal, 1, None);
    schedule.offer(first.clone(), START);
    assert_eq!(schedule.start_next(START), Some(first.clone()));
    schedule.offer(first.clone(), START);
    assert_eq!(schedule.start_next(START), None, "never twice at once");
    let second = mark("ws-a", 2, Priority::Normal, 2, None);
    schedule.offer(second.clone(), START);
    assert_eq!(schedule.start_next(START), None);
    schedule.settled(&first.mark.workspace, None, START);
    assert_eq!(schedule.start_next(START), Some(second.clone()));
    schedule.settled(&second.mark.workspace, None, START);
    assert_eq!((schedule.running(), schedule.waiting()), (0, 0));
}

#[test]
fn a_failed_one_waits_unless_something_newer_came() {
    let mut schedule = Schedule::default();
    let first = mark("ws-a", 1, Priority::Normal, 1, None);
    schedule.offer(first.clone(), START);
    schedule.start_next(START);
    let deferred = mark("ws-a", 1, Priority::Normal, 1, Some(60));
    schedule.settled(&first.mark.workspace, Some(deferred), START);
    assert_eq!(schedule.start_next(START), None);
    assert_eq!(schedule.next_due(), Some(START + Duration::seconds(60)));
    assert!(schedule.start_next(START + Duration::seconds(60)).is_some());
}

#[test]
fn a_lost_partition_takes_its_waiting_marks_along() {
    let mut schedule = Schedule::default();
    for workspace in ["ws-a", "ws-b"] {
        schedule.offer(mark(workspace, 1, Priority::Normal, 1, None), START);
    }
    schedule.start_next(START);
    schedule.offer(mark("ws-a", 2, Priority::Normal, 1, None), START);
    schedule.forget_partition(4);
    assert_eq!(schedule.waiting(), 1);
    schedule.forget_partition(3);
    assert_eq!((schedule.running(), schedule.waiting()), (1, 0));
    schedule.settled(&WorkspaceId::parse("ws-a").expect("id"), None, START);
    assert_eq!((schedule.running(), schedule.waiting()), (0, 0));
}
