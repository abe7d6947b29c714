//! The hourly look for leaks over all tenants, beside a worker.
//!
//! Must never mend what it finds: a person has to see it first.

use std::time::Duration;

use terrasift_actors::Telemetry;
use terrasift_postgres::Auditor;
use terrasift_secrets::CurrentSecret;
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;

/// Looks again and again, the first time at once; ends when it is aborted.
pub async fn watch(auditor_url: CurrentSecret, every: Duration, telemetry: Telemetry) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // As whoever the address names now.
        let looked = match Auditor::new(auditor_url.now().expose()) {
            Ok(auditor) => auditor.look().await,
            Err(error) => Err(error),
        };
        match looked {
            Ok(leaks) => {
                let rows = |kind| leaks.iter().filter(|leak| leak.kind == kind).map(|leak| leak.rows).sum();
                let now = OffsetDateTime::now_utc().unix_timestamp();
                telemetry.leaks_looked_for(now, Auditor::KINDS.map(|kind| (kind, rows(kind))));
                for leak in &leaks {
                    telemetry.leak_found(leak.kind, &leak.subject, leak.rows);
                }
            }
            Err(error) => telemetry.leaks_not_looked_for(&error),
        }
    }
}
