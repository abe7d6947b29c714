//! Rounds of reconciliation: one holder, resumed where it stopped.

use std::time::Duration;

use terrasift_postgres::{Round, RoundClaim, RoundPosition, StoreErrorKind};
use terrasift_schemas::OrganizationName;

use crate::world::{World, tenant};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

fn page(page: u32) -> RoundPosition {
    RoundPosition { organization: OrganizationName::parse("acme-org").unwrap(), page }
}

fn held(claim: RoundClaim) -> Round {
    match claim {
        RoundClaim::Run(round) => round,
        other => panic!("not ours: {other:?}"),
    }
}

fn done(claim: RoundClaim) -> Duration {
    match claim {
        RoundClaim::Done(wait) => wait,
        other => panic!("not done: {other:?}"),
    }
}

pub async fn one_replica_at_a_time_holds_a_round_and_the_next_goes_on(w: World) {
    let (acme, globex) = (tenant("acme"), tenant("globex"));
    let claim = async |tenant, lease| w.store.claim_round(tenant, None, HOUR, lease).await.unwrap();
    let first = held(claim(&acme, MINUTE).await);
    assert_eq!(first.resume, None, "it begins");
    let other = claim(&acme, MINUTE).await;
    assert!(matches!(other, RoundClaim::Held(left) if left > MINUTE / 2 && left <= MINUTE), "{other:?}");
    held(claim(&globex, MINUTE).await);

    // The holder dies: its lease runs out, and the next one goes on.
    w.store.keep_round(&acme, &first, Some(&page(7)), Duration::ZERO).await.unwrap();
    let second = held(claim(&acme, MINUTE).await);
    assert_eq!(second.resume, Some(page(7)));
    for late in [
        w.store.keep_round(&acme, &first, Some(&page(8)), MINUTE).await,
        w.store.end_round(&acme, &first, true).await,
    ] {
        assert_eq!(late.unwrap_err().kind(), StoreErrorKind::Fenced, "it was not dead");
    }
    w.store.keep_round(&acme, &second, Some(&page(9)), MINUTE).await.unwrap();
    w.store.keep_round(&acme, &second, None, MINUTE).await.unwrap();
    // A failure gives the round back.
    w.store.end_round(&acme, &second, false).await.unwrap();
    let third = held(claim(&acme, MINUTE).await);
    assert_eq!(third.resume, Some(page(9)));
    w.store.end_round(&acme, &third, true).await.unwrap();
    let left = done(claim(&acme, MINUTE).await);
    assert!(left > HOUR / 2 && left <= HOUR, "it is through: {left:?}");
}

pub async fn a_round_is_due_after_its_time_or_when_somebody_wants_a_newer_one(w: World) {
    let acme = tenant("acme");
    let claim = async |asked, every| w.store.claim_round(&acme, asked, every, MINUTE).await.unwrap();
    let first = held(claim(None, HOUR).await);
    w.store.end_round(&acme, &first, true).await.unwrap();
    done(claim(None, HOUR).await);
    done(claim(Some(HOUR), HOUR).await);
    let second = held(claim(Some(Duration::ZERO), HOUR).await);
    assert_eq!(second.resume, None);
    w.store.keep_round(&acme, &second, Some(&page(3)), Duration::ZERO).await.unwrap();
    let third = held(claim(Some(Duration::ZERO), HOUR).await);
    assert_eq!(third.resume, None, "the rest of an older one is not what is wanted");
    w.store.end_round(&acme, &third, true).await.unwrap();
    assert_eq!(held(claim(None, Duration::ZERO).await).resume, None, "its time is over");
}
