//! The load on the API, short: the program itself under hundreds of connections, without a judgement of its speed. No answer is
//! wrong, none holds another tenant's rows, and no connection is lost.

#![allow(clippy::unwrap_used, reason = "all of this file is tests")]

use terrasift_load_tests::api_load::{Plan, run};

#[tokio::test(flavor = "multi_thread")]
async fn many_readers_of_many_tenants_get_what_is_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        binary: env!("CARGO_BIN_EXE_terrasift").into(),
        folder: folder.path().to_owned(),
        connections: 200,
        rps: 100,
        seconds: 3,
        tenants: 50,
        entities: 5_000,
        largest: 500,
        seed: 1,
    };
    let report = run(&plan, &|_| ()).await.unwrap();
    assert_eq!((report.errors, report.foreign), (0, 0), "{}", report.line);
    assert_eq!(report.line["connections"], 200, "{}", report.line);
}
