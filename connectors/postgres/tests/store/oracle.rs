//! Random interleavings of everything that writes, against a slow and obvious oracle in memory.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use terrasift_postgres::{CommitOutcome, Epoch, KnownVersion, ReadTicket, WorkspaceCommit};
use terrasift_schemas::{EntityRef, WorkspaceId};

use crate::world::{World, commit, entity_ref, tenant, version, workspace};

const SEEDS: u64 = 10;
const STEPS: usize = 70;
const WORKSPACES: usize = 3;
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// A workspace as the oracle believes it.
#[derive(Default, Clone)]
struct Believed {
    version: Option<KnownVersion>,
    reflects_read: i64,
    writes: i64,
    entities: BTreeMap<EntityRef, [u8; 32]>,
    mark: Option<i64>,
}

/// The oracle, and what the random walker holds in its hands.
struct Walk {
    rng: ChaCha8Rng,
    epoch: Epoch,
    old_epochs: Vec<Epoch>,
    believed: BTreeMap<WorkspaceId, Believed>,
    tickets: Vec<(WorkspaceId, ReadTicket, BTreeMap<EntityRef, [u8; 32]>)>,
    sent: Vec<WorkspaceCommit>,
    /// Best `(serial, pipeline)` ever shown while a lineage was on display without a break.
    high: BTreeMap<WorkspaceId, (u8, i64, i64)>,
}

pub async fn invariants_3_and_4_hold_for_random_interleavings(w: World) {
    for seed in 0..SEEDS {
        let walked = std::panic::AssertUnwindSafe(walk(&w, seed));
        if let Err(panic) = futures_util::FutureExt::catch_unwind(walked).await {
            println!("       seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

async fn walk(w: &World, seed: u64) {
    let all: Vec<WorkspaceId> = (0..WORKSPACES).map(|n| workspace(&format!("s{seed}w{n}"))).collect();
    let mut walk = Walk {
        rng: ChaCha8Rng::seed_from_u64(seed),
        epoch: w.store.claim_partition(0).await.unwrap(),
        old_epochs: Vec::new(),
        believed: all.iter().map(|ws| (ws.clone(), Believed::default())).collect(),
        tickets: Vec::new(),
        sent: Vec::new(),
        high: BTreeMap::new(),
    };
    for _ in 0..STEPS {
        let ws = all[walk.pick(WORKSPACES)].clone();
        match walk.rng.random_range(0..100) {
            0..30 => draw(w, &mut walk, &ws).await,
            30..38 => {
                let generation = w.mark(walk.epoch, 0, &ws).await.generation;
                walk.of(&ws).mark = Some(generation);
            }
            38..42 => {
                walk.old_epochs.push(walk.epoch);
                walk.epoch = w.store.claim_partition(0).await.unwrap();
            }
            42..80 => send(w, &mut walk).await,
            _ => replay(w, &mut walk).await,
        }
    }
    compare(w, &walk).await;
}

impl Walk {
    fn pick(&mut self, below: usize) -> usize {
        self.rng.random_range(0..below)
    }

    fn of(&mut self, ws: &WorkspaceId) -> &mut Believed {
        self.believed.get_mut(ws).expect("a workspace of the walk")
    }

    /// What must come out, by the words of the invariant; changes the beliefs accordingly.
    fn expect(&mut self, sent: &WorkspaceCommit) -> CommitOutcome {
        if sent.epoch != self.epoch {
            return CommitOutcome::Fenced;
        }
        let believed = self.of(&sent.workspace);
        let (same, newer) = match &believed.version {
            None => (false, true),
            Some(shown) if shown.lineage == sent.version.lineage => {
                let order =
                    shown.serial.cmp(&sent.version.serial).then(shown.pipeline.cmp(&sent.version.pipeline));
                (order.is_eq(), order.is_lt())
            }
            Some(_) => (false, sent.read_seq > believed.reflects_read),
        };
        if newer && sent.basis != believed.writes {
            return CommitOutcome::Rebase;
        }
        if believed.mark == Some(sent.mark_generation) {
            believed.mark = None;
        }
        if same || newer {
            believed.reflects_read = believed.reflects_read.max(sent.read_seq);
        }
        if !newer {
            return if same { CommitOutcome::NoChange } else { CommitOutcome::Stale };
        }
        believed.version = Some(sent.version.clone());
        believed.writes += 1;
        for gone in &sent.removals {
            believed.entities.remove(gone);
        }
        for entity in &sent.upserts {
            believed.entities.insert(entity.get().entity_ref.clone(), entity.get().digest);
        }
        CommitOutcome::Applied { change_seq: 0 }
    }

    /// Independent of the oracle: within a lineage on display, nothing goes back.
    fn never_back(&mut self, ws: &WorkspaceId) {
        let Some(shown) = self.of(ws).version.clone() else { return };
        let now = (shown.lineage[0], shown.serial, shown.pipeline.0);
        if let Some(before) = self.high.insert(ws.clone(), now) {
            assert!(before.0 != now.0 || (before.1, before.2) <= (now.1, now.2), "{before:?} -> {now:?}");
        }
    }
}

async fn draw(w: &World, walk: &mut Walk, ws: &WorkspaceId) {
    let ticket = w.ticket(ws).await;
    assert_eq!(ticket.known, walk.of(ws).version);
    let known = w.store.known_digests(&tenant("acme"), ws).await.unwrap().into_iter().collect();
    walk.tickets.push((ws.clone(), ticket, known));
}

/// A random state, through a random ticket: its entities depend on the version alone, as the engine's do.
fn build(walk: &mut Walk, index: usize) -> WorkspaceCommit {
    let (ws, ticket, known) = walk.tickets[index].clone();
    let seen = version(walk.rng.random_range(1..3), walk.rng.random_range(1..7), walk.rng.random_range(1..4));
    let shape =
        ChaCha8Rng::seed_from_u64(u64::from(seen.lineage[0]) * 100 + seen.serial.unsigned_abs()).next_u64();
    let names: Vec<String> = (0..NAMES.len())
        .filter(|n| shape >> n & 1 == 1)
        .map(|n| format!("{}-{}", ws.as_str().to_lowercase(), NAMES[n]))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let stale_epoch = walk.old_epochs.last().copied().filter(|_| walk.rng.random_range(0..8) == 0);
    let mark = walk.of(&ws).mark.unwrap_or(0);
    let mut one = commit(&ws, &ticket, stale_epoch.unwrap_or(walk.epoch), mark, seen, &names);
    let wanted: BTreeSet<EntityRef> = names.iter().map(|n| entity_ref(n)).collect();
    one.removals = known.keys().filter(|r| !wanted.contains(*r)).cloned().collect();
    one.upserts.retain(|e| known.get(&e.get().entity_ref) != Some(&e.get().digest));
    one
}

async fn send(w: &World, walk: &mut Walk) {
    if walk.tickets.is_empty() {
        return;
    }
    let mut batch: BTreeMap<WorkspaceId, WorkspaceCommit> = BTreeMap::new();
    for _ in 0..walk.rng.random_range(1..4) {
        let index = walk.pick(walk.tickets.len());
        let one = build(walk, index);
        batch.insert(one.workspace.clone(), one);
    }
    let batch: Vec<WorkspaceCommit> = batch.into_values().collect();
    settle(w, walk, batch.clone()).await;
    walk.sent.extend(batch);
}

async fn replay(w: &World, walk: &mut Walk) {
    if walk.sent.is_empty() {
        return;
    }
    let index = walk.pick(walk.sent.len());
    let again = walk.sent[index].clone();
    settle(w, walk, vec![again]).await;
}

async fn settle(w: &World, walk: &mut Walk, batch: Vec<WorkspaceCommit>) {
    let acme = tenant("acme");
    let expected: Vec<CommitOutcome> = batch.iter().map(|one| walk.expect(one)).collect();
    let before = w.store.feed_head(&acme).await.unwrap().seq;
    let outcomes = w.store.commit(&acme, batch.clone()).await.unwrap();
    let after = w.store.feed_head(&acme).await.unwrap().seq;
    for (outcome, expected) in outcomes.iter().zip(&expected) {
        match (outcome, expected) {
            (CommitOutcome::Applied { change_seq }, CommitOutcome::Applied { .. }) => {
                assert_eq!(*change_seq, after)
            }
            _ => assert_eq!(outcome, expected),
        }
    }
    if !outcomes.iter().any(|o| matches!(o, CommitOutcome::Applied { .. })) {
        assert_eq!(before, after, "what is not applied does not move the feed");
    }
    for one in &batch {
        walk.never_back(&one.workspace);
    }
}

/// The database, the feed read from its beginning, and the ledger all say what the oracle believes.
async fn compare(w: &World, walk: &Walk) {
    let acme = tenant("acme");
    let mut live: BTreeMap<EntityRef, i64> = BTreeMap::new();
    for change in w.store.changes(&acme, 0, 100_000, None).await.unwrap().1 {
        if !change.deleted {
            live.insert(change.entity_ref, change.seq);
        }
    }
    let marks = w.store.load_marks(0, None, 1_000).await.unwrap();
    for (ws, believed) in &walk.believed {
        let known: BTreeMap<_, _> = w.store.known_digests(&acme, ws).await.unwrap().into_iter().collect();
        assert_eq!(known, believed.entities, "{ws}");
        assert!(known.keys().all(|r| live.contains_key(r)), "{ws}: the feed shows what is live");
        let mark = marks.iter().find(|m| m.workspace == *ws).map(|m| m.generation);
        assert_eq!(mark, believed.mark, "{ws}");
        let ticket = w.ticket(ws).await;
        assert_eq!((ticket.known, ticket.basis), (believed.version.clone(), believed.writes), "{ws}");
    }
    let of_walk = walk.believed.keys().map(|ws| ws.as_str().to_lowercase()).collect::<Vec<_>>();
    let shown = live.keys().filter(|r| of_walk.iter().any(|ws| r.as_str().contains(ws))).count();
    assert_eq!(shown, walk.believed.values().map(|b| b.entities.len()).sum::<usize>(), "and nothing else");
}
