//! What of its rate budget a tenant uses.

use terrasift_postgres::UpstreamUse;

use crate::world::{World, tenant};

pub async fn requests_are_counted_by_hour_and_long_past_hours_are_forgotten(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let mut conn = w.superuser().await;
    let past = "INSERT INTO upstream_requests (tenant_id, hour, requests)
                SELECT 'acme', date_trunc('hour', now(), 'UTC') - make_interval(hours => hours), requests
                FROM (VALUES (1, 40), (2, 70), (31 * 24 + 2, 900)) AS past (hours, requests)";
    sqlx::raw_sql(past).execute(&mut conn).await.unwrap();
    for requests in [5, 6] {
        w.store.count_upstream_requests(&acme, requests).await.unwrap();
    }
    let used = w.store.upstream_use(&acme).await.unwrap();
    // The hour may have turned between the lines.
    assert_eq!(used.this_hour + used.last_hour, if used.this_hour == 11 { 51 } else { 11 }, "{used:?}");
    assert_eq!(used.fullest_hour, 70, "the long past one is forgotten");
    let nothing = UpstreamUse { this_hour: 0, last_hour: 0, fullest_hour: 0 };
    assert_eq!(w.store.upstream_use(&globex).await.unwrap(), nothing);
    assert!(w.store.count_upstream_requests(&tenant("nobody"), 1).await.is_err());
}
