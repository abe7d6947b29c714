//! The judgement: what was sent and what upstream holds against what the catalog holds. Pure.
//!
//! Must never know how the engine works, only what it promises.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::catalog::{Catalog, KnownEntity};
use super::follow::Followed;
use super::traffic::{Sent, SentKind};
use crate::cluster::STATE_UPDATED;

/// What upstream holds of one workspace.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Whose.
    pub tenant: String,
    /// Ids of all states that it ever had, oldest first.
    pub versions: Vec<String>,
    /// It was removed upstream.
    pub removed: bool,
    /// Its state can never be read: it belongs among the dead letters.
    pub poisoned: bool,
}

impl Truth {
    /// Where a state version stands in the history, from 0.
    #[must_use]
    pub fn place(&self, version: Option<&str>) -> Option<usize> {
        let version = version?;
        self.versions.iter().position(|known| known == version)
    }
}

/// What upstream holds, by workspace.
pub type World = BTreeMap<String, Truth>;

/// What went wrong, each with a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The catalog does not show it.
    pub lost: Vec<String>,
    /// It happened twice.
    pub doubled: Vec<String>,
    /// It went back.
    pub stale: Vec<String>,
}

/// Judges a finished run.
#[must_use]
pub fn judge(
    world: &World,
    sent: &[Sent],
    catalog: &Catalog,
    twin: Option<&[KnownEntity]>,
    followed: &[Followed],
) -> Findings {
    let mut findings = Findings::default();
    newest_is_served(world, catalog, &mut findings);
    records_are_parked(sent, catalog, &mut findings);
    nothing_is_doubled(catalog, &mut findings);
    nothing_goes_back(world, catalog, &mut findings);
    if let Some(twin) = twin {
        entities_are_the_twins(world, &catalog.entities, twin, &mut findings);
    }
    for feed in followed {
        feed_is_whole(feed, &catalog.entities, &mut findings);
    }
    findings
}

/// Every workspace shows its newest state, or is gone, or lies among the dead letters, as it should; nothing waits.
fn newest_is_served(world: &World, catalog: &Catalog, findings: &mut Findings) {
    for (id, truth) in world {
        let known = catalog.workspaces.get(id);
        let served = known.and_then(|known| known.state_version.as_deref());
        let letter = catalog
            .letters
            .iter()
            .any(|letter| letter.workspace.as_deref() == Some(id) && letter.state == "open");
        let wrong = if truth.removed {
            let live = catalog.entities.iter().filter(|it| it.workspace == *id && it.body.is_some()).count();
            (live > 0).then(|| format!("{id} was removed upstream and has {live} entities"))
        } else if truth.poisoned {
            (!letter).then(|| format!("{id} cannot be read and is no dead letter"))
        } else if served != truth.versions.last().map(String::as_str) {
            let place = truth.place(served).map_or("nothing".to_owned(), |place| format!("number {place}"));
            let last = truth.versions.len().saturating_sub(1);
            Some(format!("{id} shows {place} of {last} (letter: {letter})"))
        } else {
            letter.then(|| format!("{id} is served, and a dead letter of it stands open"))
        };
        findings.lost.extend(wrong);
    }
    let left = catalog.marks.iter().filter(|mark| world.get(*mark).is_none_or(|truth| !truth.removed));
    findings.lost.extend(left.map(|mark| format!("{mark} still waits to be synced")));
}

/// Each record that fits nobody is parked, by its place.
fn records_are_parked(sent: &[Sent], catalog: &Catalog, findings: &mut Findings) {
    let parked: HashSet<(i32, i64)> = catalog
        .unrouted
        .iter()
        .filter(|(topic, ..)| topic == STATE_UPDATED)
        .map(|(_, partition, offset)| (*partition, *offset))
        .collect();
    for poison in sent.iter().filter(|sent| sent.kind == SentKind::Poison) {
        if let Some((partition, offset)) = poison.place()
            && !parked.contains(&(partition, offset))
        {
            findings.lost.push(format!("the record {partition}:{offset} fits nobody and is not parked"));
        }
    }
}

/// No write without a change, no place of the feed twice, one audit record a state, one open letter a failure.
fn nothing_is_doubled(catalog: &Catalog, findings: &mut Findings) {
    let mut places = HashSet::new();
    for write in &catalog.entity_writes {
        if write.same && write.was_live == write.live {
            findings
                .doubled
                .push(format!("{} was written again unchanged at {}", write.entity_ref, write.seq));
        }
        if !places.insert((&write.tenant, write.seq)) {
            findings
                .doubled
                .push(format!("place {} of the feed of {} was used twice", write.seq, write.tenant));
        }
    }
    let mut audited = HashSet::new();
    for audit in catalog.audits.iter().filter(|audit| audit.state_version.is_some()) {
        if !audited.insert((&audit.workspace, &audit.state_version, audit.pipeline)) {
            findings.doubled.push(format!("{} has two audit records of one state", audit.workspace));
        }
    }
    let mut letters = HashSet::new();
    for letter in catalog.letters.iter().filter(|letter| letter.state == "open" || letter.state == "retried")
    {
        if !letters.insert((&letter.tenant, &letter.workspace, &letter.reason)) {
            findings.doubled.push(format!("{:?} has two open letters: {}", letter.workspace, letter.reason));
        }
    }
}

/// Each workspace's steps go forward through its history, in the order in which they were written, and what upstream has is
/// never taken out of the catalog, not even for a while.
fn nothing_goes_back(world: &World, catalog: &Catalog, findings: &mut Findings) {
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    for write in &catalog.workspace_writes {
        let Some(truth) = world.get(&write.workspace) else { continue };
        let Some(version) = write.state_version.as_deref() else {
            if !truth.removed && reached.contains_key(write.workspace.as_str()) {
                findings.lost.push(format!("{} was removed, and upstream had it", write.workspace));
            }
            continue;
        };
        let Some(place) = truth.place(Some(version)) else {
            findings.stale.push(format!("{} shows a state that upstream never had", write.workspace));
            continue;
        };
        let before = reached.insert(&write.workspace, place);
        if before.is_some_and(|before| before > place) {
            let before = before.unwrap_or_default();
            findings.stale.push(format!("{} went back from number {before} to {place}", write.workspace));
        }
    }
}

/// The entities are those that a program without faults makes of the same states.
fn entities_are_the_twins(
    world: &World,
    entities: &[KnownEntity],
    twin: &[KnownEntity],
    findings: &mut Findings,
) {
    let counts = |entity: &&KnownEntity| {
        entity.body.is_some() && world.get(&entity.workspace).is_some_and(|it| !it.removed && !it.poisoned)
    };
    let index = |entities: &[KnownEntity]| -> BTreeMap<(String, String), Value> {
        let live = entities.iter().filter(counts);
        live.map(|it| ((it.tenant.clone(), it.entity_ref.clone()), comparable(it.body.as_deref()))).collect()
    };
    let (ours, theirs) = (index(entities), index(twin));
    let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    for key in all {
        if ours.get(key) != theirs.get(key) {
            let how = match (ours.contains_key(key), theirs.contains_key(key)) {
                (true, true) => "differs from",
                (true, false) => "is unknown to",
                _ => "is missing beside",
            };
            findings.lost.push(format!("{} {how} what a program without faults shows", key.1));
        }
    }
}

/// Without the time at which upstream was last seen to change anything.
fn comparable(body: Option<&str>) -> Value {
    let mut entity: Value = body.and_then(|body| serde_json::from_str(body).ok()).unwrap_or(Value::Null);
    if let Some(annotations) = entity.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove("terraform.io/last-updated");
    }
    entity
}

/// Who followed the feed from its beginning holds what the catalog holds, and saw no place twice or out of order.
fn feed_is_whole(feed: &Followed, entities: &[KnownEntity], findings: &mut Findings) {
    findings.doubled.extend(feed.disorder.iter().cloned());
    let shown: BTreeMap<&str, i64> = entities
        .iter()
        .filter(|it| it.tenant == feed.tenant && it.body.is_some())
        .map(|it| (it.entity_ref.as_str(), it.seq))
        .collect();
    let held: BTreeMap<&str, i64> = feed.held.iter().map(|(name, seq)| (name.as_str(), *seq)).collect();
    let all: BTreeSet<_> = shown.keys().chain(held.keys()).collect();
    for name in all {
        if shown.get(name) != held.get(name) {
            findings.lost.push(format!("{name}: the feed led to another place than the catalog"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::{EntityWrite, KnownAudit, KnownLetter, KnownWorkspace, WorkspaceWrite};
    use super::*;

    fn world() -> World {
        let truth = |versions: &[&str]| Truth {
            tenant: "acme".into(),
            versions: versions.iter().map(|version| (*version).to_owned()).collect(),
            ..Truth::default()
        };
        World::from([("ws-a".to_owned(), truth(&["sv-1", "sv-2"])), ("ws-b".to_owned(), truth(&["sv-3"]))])
    }

    fn step(workspace: &str, version: &str) -> WorkspaceWrite {
        WorkspaceWrite {
            tenant: "acme".into(),
            workspace: workspace.into(),
            state_version: Some(version.into()),
        }
    }

    fn clean() -> Catalog {
        let known = |id: &str, version: &str| {
            let known = KnownWorkspace {
                tenant: "acme".into(),
                workspace: id.into(),
                state_version: Some(version.into()),
                ..KnownWorkspace::default()
            };
            (id.to_owned(), known)
        };
        Catalog {
            workspaces: BTreeMap::from([known("ws-a", "sv-2"), known("ws-b", "sv-3")]),
            workspace_writes: vec![step("ws-a", "sv-1"), step("ws-b", "sv-3"), step("ws-a", "sv-2")],
            ..Catalog::default()
        }
    }

    /// Lost, doubled, stale.
    #[track_caller]
    fn check(what: &str, change: impl FnOnce(&mut Catalog, &mut World), expected: (usize, usize, usize)) {
        let (mut catalog, mut world) = (clean(), world());
        change(&mut catalog, &mut world);
        let found = judge(&world, &[], &catalog, None, &[]);
        assert_eq!((found.lost.len(), found.doubled.len(), found.stale.len()), expected, "{what}: {found:?}");
    }

    #[test]
    fn the_oracle_finds_what_is_wrong_and_nothing_else() {
        check("nothing wrong", |_, _| (), (0, 0, 0));
        check(
            "an old state",
            |it, _| it.workspaces.get_mut("ws-a").unwrap().state_version = Some("sv-1".into()),
            (1, 0, 0),
        );
        check("nothing at all", |it, _| drop(it.workspaces.remove("ws-b")), (1, 0, 0));
        check("a mark is left", |it, _| it.marks.push("ws-a".into()), (1, 0, 0));
        check("a step back", |it, _| it.workspace_writes.push(step("ws-a", "sv-1")), (0, 0, 1));
        let removed = WorkspaceWrite { state_version: None, ..step("ws-a", "") };
        let shown_again = [removed.clone(), step("ws-a", "sv-2")];
        check("removed for a while", |it, _| it.workspace_writes.extend(shown_again), (1, 0, 0));
        let goes = |it: &mut Catalog, world: &mut World| {
            world.get_mut("ws-a").unwrap().removed = true;
            it.workspace_writes.push(removed);
        };
        check("removed as upstream did", goes, (0, 0, 0));
        check("a state of nobody", |it, _| it.workspace_writes.push(step("ws-a", "sv-9")), (0, 0, 1));
        let write = |seq, same| EntityWrite {
            tenant: "acme".into(),
            entity_ref: "resource:acme/x".into(),
            seq,
            was_live: true,
            live: true,
            same,
        };
        check("a change twice", |it, _| it.entity_writes = vec![write(1, false), write(2, true)], (0, 1, 0));
        check("a place twice", |it, _| it.entity_writes = vec![write(1, false), write(1, false)], (0, 1, 0));
        let audit = KnownAudit {
            tenant: "acme".into(),
            workspace: "ws-a".into(),
            state_version: Some("sv-1".into()),
            pipeline: 1,
        };
        check("a state audited twice", |it, _| it.audits = vec![audit.clone(), audit], (0, 1, 0));
        let letter = KnownLetter {
            tenant: "acme".into(),
            workspace: Some("ws-b".into()),
            reason: "state_refused".into(),
            state: "open".into(),
        };
        check(
            "poison without a letter",
            |_, world| world.get_mut("ws-b").unwrap().poisoned = true,
            (1, 0, 0),
        );
        let parked = letter.clone();
        let poisoned = |it: &mut Catalog, world: &mut World| {
            world.get_mut("ws-b").unwrap().poisoned = true;
            it.letters.push(parked);
        };
        check("poison with its letter", poisoned, (0, 0, 0));
        check("a letter of what is served", |it, _| it.letters.push(letter), (1, 0, 0));
    }
}
