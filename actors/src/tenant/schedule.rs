//! Which of a tenant's dirty workspaces runs next. A pure machine.
//!
//! One workspace never runs twice at once, high priority overtakes low, and nothing starves: a mark's rank is its age with
//! a head start for priority, so that an old low mark passes a young high one in the end. Must never read a clock.

use std::collections::{BTreeSet, HashMap};

use terrasift_postgres::{Epoch, Mark};
use terrasift_schemas::WorkspaceId;
use terrasift_schemas::event::Priority;
use time::{Duration, OffsetDateTime};

/// What a level of priority is worth, in time waited.
const HEAD_START: Duration = Duration::minutes(10);

/// A mark with the epoch of its partition's owner (us).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedMark {
    /// The durable mark.
    pub mark: Mark,
    /// Epoch under which we own its partition.
    pub epoch: Epoch,
}

type Rank = (OffsetDateTime, WorkspaceId);

enum Place {
    /// In `ready` under this rank.
    Ready(Rank),
    /// In `delayed` under this rank.
    Delayed(Rank),
    /// Running; a newer mark may wait behind it.
    Running { newer: Option<OwnedMark> },
}

struct Entry {
    mark: OwnedMark,
    place: Place,
}

/// The tenant's schedule.
#[derive(Default)]
pub struct Schedule {
    entries: HashMap<WorkspaceId, Entry>,
    ready: BTreeSet<Rank>,
    delayed: BTreeSet<Rank>,
    running: usize,
}

impl Schedule {
    /// Takes in a mark. An older generation of a known mark changes nothing.
    pub fn offer(&mut self, offered: OwnedMark, now: OffsetDateTime) {
        let workspace = offered.mark.workspace.clone();
        if let Some(entry) = self.entries.get_mut(&workspace) {
            let known = match &entry.place {
                Place::Running { newer: Some(newer) } => newer,
                _ => &entry.mark,
            };
            if (offered.mark.generation, offered.epoch) <= (known.mark.generation, known.epoch) {
                return;
            }
            if let Place::Running { newer } = &mut entry.place {
                *newer = Some(offered);
                return;
            }
        }
        self.remove(&workspace);
        self.insert(offered, now);
    }

    /// The next mark to run at `now`, if any is due; it counts as running from here on.
    pub fn start_next(&mut self, now: OffsetDateTime) -> Option<OwnedMark> {
        self.wake(now);
        let (_, workspace) = self.ready.pop_first()?;
        let entry = self.entries.get_mut(&workspace)?;
        entry.place = Place::Running { newer: None };
        self.running += 1;
        Some(entry.mark.clone())
    }

    /// The workspace no longer runs. `again` is its mark if it has to be tried later.
    pub fn settled(&mut self, workspace: &WorkspaceId, again: Option<OwnedMark>, now: OffsetDateTime) {
        let Some(Entry { place: Place::Running { newer }, .. }) = self.entries.get_mut(workspace) else {
            return;
        };
        let newer = newer.take();
        self.entries.remove(workspace);
        self.running -= 1;
        // A newer event outweighs the wait of an older failure.
        if let Some(next) = newer.or(again) {
            self.insert(next, now);
        }
    }

    /// Forgets what waits for a partition that another replica owns now. What runs is fenced by its epoch.
    pub fn forget_partition(&mut self, partition: i32) {
        let lost: Vec<WorkspaceId> = self
            .entries
            .iter_mut()
            .filter_map(|(workspace, entry)| match &mut entry.place {
                Place::Running { newer } => {
                    if newer.as_ref().is_some_and(|newer| newer.mark.partition == partition) {
                        *newer = None;
                    }
                    None
                }
                _ => (entry.mark.mark.partition == partition).then(|| workspace.clone()),
            })
            .collect();
        for workspace in lost {
            self.remove(&workspace);
        }
    }

    /// When the next delayed mark is due.
    #[must_use]
    pub fn next_due(&self) -> Option<OffsetDateTime> {
        self.delayed.first().map(|(due, _)| *due)
    }

    /// How many run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// How many wait, due or not.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.ready.len() + self.delayed.len()
    }

    fn insert(&mut self, mark: OwnedMark, now: OffsetDateTime) {
        let workspace = mark.mark.workspace.clone();
        let place = match mark.mark.not_before {
            Some(due) if due > now => {
                let rank = (due, workspace.clone());
                self.delayed.insert(rank.clone());
                Place::Delayed(rank)
            }
            _ => {
                let rank = (rank_time(&mark.mark), workspace.clone());
                self.ready.insert(rank.clone());
                Place::Ready(rank)
            }
        };
        self.entries.insert(workspace, Entry { mark, place });
    }

    fn remove(&mut self, workspace: &WorkspaceId) {
        match self.entries.remove(workspace).map(|entry| entry.place) {
            Some(Place::Ready(rank)) => drop(self.ready.remove(&rank)),
            Some(Place::Delayed(rank)) => drop(self.delayed.remove(&rank)),
            Some(Place::Running { .. }) | None => (),
        }
    }

    fn wake(&mut self, now: OffsetDateTime) {
        while let Some((due, _)) = self.delayed.first() {
            if *due > now {
                break;
            }
            let Some((_, workspace)) = self.delayed.pop_first() else { break };
            if let Some(entry) = self.entries.get_mut(&workspace) {
                let rank = (rank_time(&entry.mark.mark), workspace);
                self.ready.insert(rank.clone());
                entry.place = Place::Ready(rank);
            }
        }
    }
}

fn rank_time(mark: &Mark) -> OffsetDateTime {
    match mark.priority {
        Priority::High => mark.since.saturating_sub(HEAD_START),
        Priority::Normal => mark.since,
        Priority::Low => mark.since.saturating_add(HEAD_START),
    }
}

#[cfg(test)]
mod tests;
