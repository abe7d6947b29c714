//! A server that counts what arrives, and replicas that send whatever their budget lets them send.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use terrasift_redis::{Ask, HoldsUp, KEEP_EVERY, RequestBudget, UserKey, Verdict};
use terrasift_schemas::TenantId;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

/// One request, as the server saw it.
#[derive(Clone)]
pub struct Arrival {
    pub at: Instant,
    pub tenant: TenantId,
    pub replica: usize,
}

/// The server.
#[derive(Default)]
pub struct Server(Mutex<Vec<Arrival>>);

impl Server {
    pub async fn request(&self, tenant: &TenantId, replica: usize, (before, after): (Duration, Duration)) {
        sleep(before).await;
        let arrival = Arrival { at: Instant::now(), tenant: tenant.clone(), replica };
        self.0.lock().expect("whole").push(arrival);
        sleep(after).await;
    }

    /// All arrivals so far, in order.
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.0.lock().expect("whole").clone();
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    pub fn count(&self) -> usize {
        self.0.lock().expect("whole").len()
    }

    pub fn count_since(&self, start: Instant) -> usize {
        self.0.lock().expect("whole").iter().filter(|arrival| arrival.at >= start).count()
    }

    pub fn count_of(&self, name: &str) -> usize {
        self.0.lock().expect("whole").iter().filter(|arrival| arrival.tenant.as_str() == name).count()
    }

    /// The fullest sliding second.
    pub fn most_in_a_second(&self) -> usize {
        let arrivals = self.arrivals();
        let mut first = 0;
        let mut most = 0;
        for (last, arrival) in arrivals.iter().enumerate() {
            while arrival.at - arrivals[first].at >= Duration::from_secs(1) {
                first += 1;
            }
            most = most.max(last - first + 1);
        }
        most
    }
}

/// What a replica has to do: tenants with their weights, as one user, and how long requests are on the way.
#[derive(Clone)]
pub struct Load {
    pub user: UserKey,
    pub tenants: Vec<(TenantId, u32)>,
    pub delays: Vec<(Duration, Duration)>,
}

impl Load {
    pub fn new(user: &str, tenants: &[(&str, u32)], delays_ms: &[(u64, u64)]) -> Self {
        let delay =
            |(before, after): &(u64, u64)| (Duration::from_millis(*before), Duration::from_millis(*after));
        Self {
            user: user.into(),
            tenants: tenants.iter().map(|(name, weight)| (tenant(name), *weight)).collect(),
            delays: delays_ms.iter().map(delay).collect(),
        }
    }
}

pub fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("id")
}

pub fn ask(user: &str, name: &str) -> Ask {
    Ask { user: user.into(), tenant: tenant(name), weight: 1, more: false }
}

/// A replica that always has something to send, until it is stopped.
pub struct Replica {
    pub budget: Arc<dyn RequestBudget>,
    stop: Arc<AtomicBool>,
    sender: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

impl Replica {
    pub fn start(number: usize, budget: Arc<dyn RequestBudget>, server: Arc<Server>, load: Load) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sender = tokio::spawn(send(number, Arc::clone(&budget), server, load, Arc::clone(&stop)));
        let kept = Arc::clone(&budget);
        let keeper = tokio::spawn(async move {
            loop {
                sleep(KEEP_EVERY).await;
                kept.keep().await;
            }
        });
        Self { budget, stop, sender, keeper }
    }

    /// Stops asking, waits for its requests, and says that it goes.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.await.expect("sends to its end");
        self.keeper.abort();
        self.budget.leave().await;
    }

    /// Ends as a killed process does: nothing is given back, nothing is said.
    pub fn kill(self) {
        self.sender.abort();
        self.keeper.abort();
    }
}

async fn send(
    number: usize,
    budget: Arc<dyn RequestBudget>,
    server: Arc<Server>,
    load: Load,
    stop: Arc<AtomicBool>,
) {
    let mut requests = JoinSet::new();
    let mut not_before = vec![Instant::now(); load.tenants.len()];
    let (mut at, mut sent) = (0, number);
    while !stop.load(Ordering::Relaxed) {
        while requests.try_join_next().is_some() {}
        let now = Instant::now();
        let Some(next) =
            (0..not_before.len()).map(|n| (at + n) % not_before.len()).find(|n| not_before[*n] <= now)
        else {
            sleep_until(*not_before.iter().min().expect("has tenants")).await;
            continue;
        };
        let (tenant, weight) = load.tenants[next].clone();
        let ask = Ask { user: load.user.clone(), tenant: tenant.clone(), weight, more: true };
        match budget.take(ask).await {
            Verdict::Granted(lease) => {
                at = next + 1;
                let delay = load.delays[sent % load.delays.len()];
                sent += 1;
                let (budget, server, user) = (Arc::clone(&budget), Arc::clone(&server), load.user.clone());
                requests.spawn(async move {
                    server.request(&tenant, number, delay).await;
                    budget.give_back(user, lease).await;
                });
            }
            Verdict::NotYet { wait, holds_up: HoldsUp::User } => {
                // A little apart from the other replicas, who were told the same.
                let apart = Duration::from_micros(u64::try_from(sent % 7 * 300).expect("small"));
                sleep(wait + apart).await;
            }
            Verdict::NotYet { wait, holds_up: HoldsUp::Tenant } => {
                not_before[next] = Instant::now() + wait;
                at = next + 1;
            }
        }
    }
    while requests.join_next().await.is_some() {}
}

/// Waits for a condition, bounded.
pub async fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(patience, wait).await.is_ok(), "waited in vain for {what}");
}
