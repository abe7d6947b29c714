//! Looks from outside, all through a run, whether an offset was committed whose work is neither finished nor durable (invariant 2).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::watch;

use super::catalog::Catalog;
use super::oracle::{Truth, World};
use super::traffic::{Sender, Sent, SentKind};
use crate::cluster::{BrokerClient, STATE_UPDATED};

const GAP: Duration = Duration::from_millis(400);

/// Samples until it is told to stop: the records that were found committed above their work, and how often it could look.
pub async fn sample(
    group: std::sync::Arc<BrokerClient>,
    superuser_url: String,
    sender: Sender,
    mut stop: watch::Receiver<bool>,
) -> (BTreeSet<(i32, i64)>, usize) {
    let (mut above, mut looks) = (BTreeSet::new(), 0);
    let mut connection = None;
    while !*stop.borrow() {
        // The offsets first: what they cover has to be durable by now, and work that is durable stays so.
        if let Ok(committed) = committed(&group).await {
            if connection.is_none() {
                connection = PgConnection::connect(&superuser_url).await.ok();
            }
            let glance = match &mut connection {
                Some(open) => Catalog::glance(open, false).await.ok(),
                None => None,
            };
            match glance {
                Some(catalog) => {
                    looks += 1;
                    above.extend(committed_above(&committed, &sender.sent(), &catalog, &world(&sender)));
                }
                None => connection = None,
            }
        }
        tokio::select! {
            () = tokio::time::sleep(GAP) => {}
            _ = stop.changed() => {}
        }
    }
    (above, looks)
}

async fn committed(group: &BrokerClient) -> anyhow::Result<BTreeMap<i32, i64>> {
    let partitions = group.partitions().await?.get(STATE_UPDATED).copied().unwrap_or_default();
    group.committed(i32::try_from(partitions)?).await
}

/// The histories as upstream tells them now.
fn world(sender: &Sender) -> World {
    let workspaces = sender.simulator.workspaces();
    workspaces
        .into_iter()
        .map(|it| {
            let versions =
                sender.simulator.history(&it.id).into_iter().map(|version| version.state_version_id);
            let truth = Truth { tenant: it.organization, versions: versions.collect(), ..Truth::default() };
            (it.id, truth)
        })
        .collect()
}

/// Records below the committed offsets whose workspace neither waits, nor shows that state or a later one, nor is parked.
fn committed_above(
    committed: &BTreeMap<i32, i64>,
    sent: &[Sent],
    catalog: &Catalog,
    world: &World,
) -> Vec<(i32, i64)> {
    let waits: BTreeSet<&str> = catalog.marks.iter().map(String::as_str).collect();
    let parked: BTreeSet<&str> =
        catalog.letters.iter().filter_map(|letter| letter.workspace.as_deref()).collect();
    let unrouted: BTreeSet<(i32, i64)> =
        catalog.unrouted.iter().map(|(_, partition, offset)| (*partition, *offset)).collect();
    let unfinished = |sent: &&Sent| {
        let Some(place) = sent.place() else { return false };
        if committed.get(&place.0).is_none_or(|committed| place.1 >= *committed) {
            return false;
        }
        if sent.kind == SentKind::Poison {
            return !unrouted.contains(&place);
        }
        let Some(truth) = world.get(&sent.workspace) else { return false };
        let known = catalog.workspaces.get(&sent.workspace);
        let shown = truth.place(known.and_then(|known| known.state_version.as_deref()));
        let wanted = truth.place(sent.state_version.as_deref());
        !waits.contains(sent.workspace.as_str())
            && !parked.contains(sent.workspace.as_str())
            && known.is_none_or(|known| !known.missing)
            && shown < wanted
    };
    sent.iter().filter(unfinished).filter_map(Sent::place).collect()
}

#[cfg(test)]
mod tests {
    use super::super::catalog::KnownWorkspace;
    use super::*;

    #[test]
    fn an_offset_above_work_is_seen_and_one_at_work_is_not() {
        let world = World::from([(
            "ws-a".to_owned(),
            Truth { versions: vec!["sv-1".into(), "sv-2".into()], ..Truth::default() },
        )]);
        let sent = Sent {
            at_ms: 0,
            kind: SentKind::Change,
            tenant: "acme".into(),
            workspace: "ws-a".into(),
            state_version: Some("sv-2".into()),
            lineage: None,
            serial: None,
            topic: None,
            partition: Some(0),
            offset: Some(7),
        };
        let shows = |version: &str| {
            let known = KnownWorkspace { state_version: Some(version.into()), ..KnownWorkspace::default() };
            Catalog { workspaces: BTreeMap::from([("ws-a".to_owned(), known)]), ..Catalog::default() }
        };
        let waits = Catalog { marks: vec!["ws-a".into()], ..shows("sv-1") };
        for (what, committed, catalog, expected) in [
            ("not committed", 7, &shows("sv-1"), 0),
            ("committed, and neither shown nor waiting", 8, &shows("sv-1"), 1),
            ("committed and nothing is known", 8, &Catalog::default(), 1),
            ("committed and shown", 8, &shows("sv-2"), 0),
            ("committed and waiting", 8, &waits, 0),
        ] {
            let found = committed_above(
                &BTreeMap::from([(0, committed)]),
                std::slice::from_ref(&sent),
                catalog,
                &world,
            );
            assert_eq!(found.len(), expected, "{what}");
        }
    }
}
