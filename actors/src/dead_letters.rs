//! The outbox of dead letters: announces them on `sanitization-failed`, and sends the retries that somebody asked for to
//! `terraform-state-updated`, where the workspace's owner syncs it anew.
//!
//! The rows in Postgres are the truth: what is not sent yet stands there, so whoever decides (a replica of any role, the
//! command line) needs no Kafka. Sent at least once, always with the same id. Must never carry more than ids, a code and
//! a constant text, nor crash because Kafka or Postgres is away: what is not sent comes again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use terrasift_postgres::OutboxLetter;
use terrasift_schemas::event::{
    Envelope, Event, FailureReason, Priority, SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC,
    SanitizationFailed, StateUpdated,
};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::services::Services;

/// `source` of the events that Terrasift itself produces.
pub(crate) const SOURCE: &str = "/terrasift";

/// One look is one read of an index that is empty nearly always; nobody waits for a dead letter shorter than this.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Letters on their way at once.
const BATCH: u32 = 64;
/// Batches of one look: a flood is sent by and by.
const BATCHES_MAX: u32 = 16;

/// Messages to the outbox.
pub enum OutboxMsg {
    /// Look for what is not sent yet.
    Look,
}

/// The actor.
pub struct Outbox;

impl Actor for Outbox {
    type Msg = OutboxMsg;
    type State = Arc<Services>;
    type Arguments = Arc<Services>;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        services: Arc<Services>,
    ) -> Result<Self::State, ActorProcessingErr> {
        myself.cast(OutboxMsg::Look)?;
        Ok(services)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        _look: Self::Msg,
        services: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        for _ in 0..BATCHES_MAX {
            let claimed = match services.store.claim_outbox(BATCH).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    services.telemetry.outbox_unreadable(&error);
                    break;
                }
            };
            let more = u32::try_from(claimed.len()) == Ok(BATCH);
            let mut sends = JoinSet::new();
            for due in claimed {
                let services = Arc::clone(services);
                sends.spawn(async move { send(&services, &due).await });
            }
            // Each send has a bound of its own, and one that panicked comes again.
            while sends.join_next().await.is_some() {}
            if !more {
                break;
            }
        }
        myself.send_after(LOOK_EVERY, || OutboxMsg::Look);
        Ok(())
    }
}

/// Sends what is due of one letter, and notes what was sent.
async fn send(services: &Services, due: &OutboxLetter) {
    let announced = due.letter.announce_due && publish(services, due, announcement(due)).await;
    let retried = due.letter.retry_due && publish(services, due, retry(due)).await;
    if !announced && !retried {
        return;
    }
    services.failpoints.pass("after-publish").await;
    match services.store.outbox_sent(due, announced, retried).await {
        Ok(()) => {
            services.telemetry.records(SANITIZATION_FAILED_TOPIC, "published", usize::from(announced));
            services.telemetry.records(STATE_UPDATED_TOPIC, "retried", usize::from(retried));
        }
        // It comes again with the same id.
        Err(error) => services.telemetry.outbox_unreadable(&error),
    }
}

async fn publish(services: &Services, due: &OutboxLetter, envelope: Result<Envelope, NotSent>) -> bool {
    let sent = match envelope.and_then(|envelope| envelope.encode().map_err(|_| NotSent::Encoding)) {
        Ok(record) => {
            services.producer.send(&record).await.map(drop).map_err(|e| NotSent::Kafka(e.to_string()))
        }
        Err(error) => Err(error),
    };
    if let Err(error) = &sent {
        services.telemetry.letter_not_published(&due.tenant, error);
    }
    sent.is_ok()
}

/// The record on the topic of dead letters: one id a failure.
fn announcement(due: &OutboxLetter) -> Result<Envelope, NotSent> {
    let letter = &due.letter;
    let reason = FailureReason::from_code(&letter.reason).ok_or(NotSent::Encoding)?;
    Ok(Envelope {
        id: format!("{}-{}-{}", due.tenant, letter.id.0, letter.occurrences),
        source: SOURCE.to_owned(),
        time: Some(letter.last_at),
        trace: letter.trace,
        event: Event::SanitizationFailed(SanitizationFailed {
            tenant: Some(due.tenant.clone()),
            workspace: letter.workspace.clone(),
            reason,
            detail: letter.detail.clone(),
            attempts: letter.attempts,
            record: letter.record.clone(),
            time: letter.last_at,
        }),
    })
}

/// An event like any other, from the letter's ids alone: whatever the workspace's state is now, it is synced. Urgent,
/// because somebody waits.
fn retry(due: &OutboxLetter) -> Result<Envelope, NotSent> {
    let letter = &due.letter;
    let time =
        letter.retried.as_ref().map_or_else(|| OffsetDateTime::from(SystemTime::now()), |retried| retried.at);
    Ok(Envelope {
        id: format!("retry-{}-{}-{}", due.tenant, letter.id.0, letter.retries),
        source: SOURCE.to_owned(),
        time: Some(time),
        trace: letter.trace,
        event: Event::StateUpdated(StateUpdated {
            tenant: due.tenant.clone(),
            workspace: letter.workspace.clone().ok_or(NotSent::Encoding)?,
            run: None,
            time,
            priority: Priority::High,
            state_version: None,
            lineage: None,
            serial: None,
        }),
    })
}

/// Why a record was not sent.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("the dead letter cannot be encoded: is it of a newer version?")]
    Encoding,
    #[error("{0}")]
    Kafka(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use terrasift_postgres::{DeadLetter, DeadLetterId, Decision, LetterState};
    use terrasift_schemas::{TenantId, WorkspaceId};

    fn due(occurrences: i64, retries: i64) -> OutboxLetter {
        let letter = DeadLetter {
            id: DeadLetterId(7),
            state: LetterState::Retried,
            workspace: WorkspaceId::parse("ws-1").ok(),
            reason: "state_refused".to_owned(),
            detail: "what and where".to_owned(),
            attempts: 3,
            record: None,
            trace: None,
            parked_at: OffsetDateTime::UNIX_EPOCH,
            last_at: OffsetDateTime::UNIX_EPOCH,
            occurrences,
            retries,
            retried: Some(Decision { at: OffsetDateTime::UNIX_EPOCH, by: "alice".to_owned() }),
            settled: None,
            announce_due: true,
            retry_due: true,
        };
        OutboxLetter { tenant: TenantId::parse("acme").unwrap(), letter }
    }

    #[test]
    fn a_record_sent_again_has_the_id_it_had() {
        for (occurrences, retries, announced, retried) in [
            (1, 1, "acme-7-1", "retry-acme-7-1"),
            (2, 1, "acme-7-2", "retry-acme-7-1"),
            (2, 3, "acme-7-2", "retry-acme-7-3"),
        ] {
            let due = due(occurrences, retries);
            for _ in 0..2 {
                assert_eq!(announcement(&due).unwrap().id, announced);
                assert_eq!(retry(&due).unwrap().id, retried);
                assert_eq!(retry(&due).unwrap().encode().unwrap(), retry(&due).unwrap().encode().unwrap());
            }
        }
    }

    #[test]
    fn what_cannot_be_said_is_not_sent() {
        let mut newer = due(1, 1);
        newer.letter.reason = "a_reason_of_tomorrow".to_owned();
        newer.letter.workspace = None;
        assert!(announcement(&newer).is_err());
        assert!(retry(&newer).is_err());
    }
}
