//! An instance without findings takes nothing from the heap once everything is warm.

use terrasift_engine::detect::RuleSet;
use terrasift_oracle::compare::{Ways, check};
use terrasift_oracle::count::{Counting, INSTANCES, Taken, count_all, taken};
use terrasift_oracle::plain;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn an_instance_without_findings_takes_nothing_from_the_heap_when_warm() {
    let rules = RuleSet::builtin();
    let before = taken();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert_eq!(taken() - before, 1, "the allocator counts");

    let all = count_all(&rules).expect("a state");
    println!("{all:?}, {} instances counted", Taken::COUNTED);
    for (way, count) in [("first pass", all.taint), ("second pass", all.redact), ("one pass", all.forward)] {
        assert_eq!(count, 0, "{way}: allocations for {} instances", Taken::COUNTED);
    }
}

#[test]
fn the_instances_that_are_counted_hold_nothing() {
    let instances = (0..INSTANCES).map(|number| plain::instance(number, number + 1 == INSTANCES));
    let state = plain::HEAD.to_owned() + &instances.collect::<String>() + plain::TAIL;
    let outcome = check(&RuleSet::builtin(), state.as_bytes(), &[700], Ways::ALL);
    let sanitized = outcome.expect("no difference").expect("a state");
    assert!(sanitized.bytes == state.as_bytes() && sanitized.report.detections.is_empty());
}
