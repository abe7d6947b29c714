//! An outside judge, schemathesis, holds the real server against its own document: `make schemathesis`.
//!
//! Everything is asked for that the document describes, in order and out of order, with the permission for it. Polls are not held,
//! and streams end after their first page.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use terrasift_http::{HttpConfig, Permission, Rate, serve};
use tokio::net::TcpListener;

use crate::house::{house_with, run_within};
use crate::lookups::furnish;
use crate::press::press;

/// A judge that is slower is stuck.
const PATIENCE: Duration = Duration::from_secs(900);

#[test]
#[expect(clippy::disallowed_methods, reason = "the Makefile says where the judge is")]
fn an_outside_judge_finds_no_error_and_nothing_undescribed() {
    let Some(judge) = std::env::var_os("SCHEMATHESIS") else {
        eprintln!("skipped: `make schemathesis` installs the judge and runs this");
        return;
    };
    let words = std::env::var("SCHEMATHESIS_ARGS").unwrap_or_default();
    run_within(PATIENCE, async {
        let config = HttpConfig {
            api_rate: Rate { capacity: 1_000_000, window: Duration::from_secs(1) },
            long_poll_max: Duration::ZERO,
            ..HttpConfig::default()
        };
        let house = house_with("judge", config.clone(), None).await;
        let all = Permission::ALL.map(Permission::name);
        // A token: keys are revoked by the way.
        let key = press().token(&house.a, &all, json!({}));
        furnish(&house).await;
        house.readiness.set("consumer_unassigned", true);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/openapi.json", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, house.router.clone(), config, None, std::future::pending()));
        let judged = tokio::process::Command::new(judge)
            .args(["run", &url, "--header", &format!("Authorization: Bearer {key}")])
            .args(["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--no-color"])
            // Opaque cursors and ids cannot be told from their shape.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(words.split_whitespace())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .status()
            .await
            .unwrap();
        assert!(judged.success(), "what the judge found stands above");
    });
}
