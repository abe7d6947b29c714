//! The isolation suite on the schema as it is: every attempt is refused or sees its own, and weakened schemas are noticed.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use terrasift_load_tests::isolation::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_anothers_rows_and_weakened_schemas_are_noticed() {
    let plan = Plan { seed: 1, every: false, mutants: true };
    let report = run(plan, &|_, _, _| ()).await.unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(report.cases >= 2000, "only {} cases", report.cases);
    assert!(report.mutants >= 40, "only {} weakened schemas", report.mutants);
    assert_eq!(report.mutants_caught, report.mutants);
}
