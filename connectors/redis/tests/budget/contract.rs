//! What every budget keeps: one suite, run on the one in memory (in paused time) and on the one in a real Redis.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use terrasift_redis::{
    HoldsUp, MemoryBudget, PrivateRedis, RateLimits, RedisBudget, RedisConfig, RequestBudget, UNKNOWN_USER,
    Verdict,
};
use tokio::time::{Instant, sleep};

use crate::server::{Load, Replica, Server, ask};

/// The contract is about decisions: a machine that is slow for a moment is no Redis that is away.
const PATIENT: Duration = Duration::from_secs(10);

/// Only the user's limit counts.
pub fn wide(slots: usize) -> RateLimits {
    RateLimits {
        user_requests_per_second: slots,
        tenant_requests_per_second: 10_000.0,
        tenant_burst: 1000,
        ..RateLimits::default()
    }
}

/// Makes the budgets of a case.
#[derive(Clone)]
pub enum Maker {
    Memory,
    /// At this address.
    Redis(String),
}

impl Maker {
    /// The limit under which a user has so many slots: Redis keeps one for those whom nobody knows.
    fn limit_for(&self, slots: usize) -> usize {
        slots + usize::from(matches!(self, Self::Redis(_)))
    }

    /// The budgets of so many replicas, of a world of their own.
    pub fn replicas(&self, world: &str, count: usize, limits: RateLimits) -> Vec<Arc<dyn RequestBudget>> {
        match self {
            Self::Memory => {
                let budget: Arc<dyn RequestBudget> = Arc::new(MemoryBudget::new(limits));
                vec![budget; count]
            }
            Self::Redis(address) => {
                (0..count).map(|n| redis(address, world, n, 10, PATIENT, limits)).collect()
            }
        }
    }
}

pub fn redis(
    address: &str,
    world: &str,
    replica: usize,
    replicas_max: usize,
    answer_wait_max: Duration,
    limits: RateLimits,
) -> Arc<dyn RequestBudget> {
    let replica = format!("r{replica}");
    let (address, prefix) = (address.to_owned(), world.to_owned());
    let config = RedisConfig { address, prefix, replica, replicas_max, answer_wait_max };
    Arc::new(RedisBudget::new(config, limits).expect("address"))
}

/// Another client's connection.
pub async fn connection(server: &PrivateRedis) -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(server.address()).expect("address");
    client.get_multiplexed_async_connection().await.expect("connects")
}

/// Asks until it is granted.
pub async fn granted(budget: &Arc<dyn RequestBudget>, user: &str, tenant: &str) -> terrasift_redis::LeaseId {
    let wait = async {
        loop {
            match budget.take(ask(user, tenant)).await {
                Verdict::Granted(lease) => return lease,
                Verdict::NotYet { wait, .. } => sleep(wait.max(Duration::from_millis(1))).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("granted in time")
}

/// Fresh keys give nothing at first: the cases begin when the first slot was given and is free again.
async fn warm(budget: &Arc<dyn RequestBudget>, user: &str) {
    let lease = granted(budget, user, "warm").await;
    budget.give_back(user.into(), lease).await;
    sleep(Duration::from_millis(1100)).await;
}

async fn no_sliding_second_sees_more_than_the_limit(maker: Maker) {
    let delays: [&[(u64, u64)]; 4] =
        [&[(0, 5)], &[(1, 30), (35, 2), (8, 80)], &[(300, 1), (0, 0)], &[(3, 400), (120, 40)]];
    let runs = delays.into_iter().zip([30, 30, 7, 12]).enumerate().map(|(at, (delays, slots))| {
        let world = format!("sliding{at}");
        let budgets = maker.replicas(&world, 4, wide(slots));
        async move {
            let server = Arc::new(Server::default());
            let load = Load::new("user", &[("a", 1), ("b", 1), ("c", 1)], delays);
            let start = |(n, budget)| Replica::start(n, budget, Arc::clone(&server), load.clone());
            let replicas: Vec<_> = budgets.into_iter().enumerate().map(start).collect();
            sleep(Duration::from_secs(7)).await;
            for replica in replicas {
                replica.stop().await;
            }
            assert!(server.most_in_a_second() <= slots, "{world}: {} > {slots}", server.most_in_a_second());
            assert!(server.count() > slots * 2, "{world}: only {} requests", server.count());
        }
    });
    futures_util::future::join_all(runs).await;
}

async fn tokens_of_one_user_share_its_budget(maker: Maker) {
    let limit = maker.limit_for(4);
    let [budget] = &maker.replicas("users", 1, wide(limit))[..] else { panic!("one") };
    futures_util::future::join(warm(budget, "one"), warm(budget, "two")).await;
    for tenant in ["a", "b", "a", "b"] {
        assert!(matches!(budget.take(ask("one", tenant)).await, Verdict::Granted(_)), "{tenant}");
    }
    let refused = budget.take(ask("one", "b")).await;
    assert!(matches!(refused, Verdict::NotYet { holds_up: HoldsUp::User, .. }), "{refused:?}");
    assert!(matches!(budget.take(ask("two", "b")).await, Verdict::Granted(_)), "another user's");
}

/// Whose a question for an unknown user is, nobody knows: it and the busiest user together stay within the limit, and it
/// comes to its turn beside users that never rest.
async fn questions_and_any_user_stay_within_the_limit(maker: Maker) {
    let budgets = maker.replicas("questions", 3, wide(8));
    futures_util::future::join(warm(&budgets[0], "user"), warm(&budgets[1], UNKNOWN_USER)).await;
    let all = Arc::new(Server::default());
    let (tenants, delays) = ([("a", 1), ("b", 1)], [(1, 30), (35, 2), (8, 80)]);
    let start = |(n, budget): (usize, Arc<dyn RequestBudget>)| {
        let user = if n == 2 { UNKNOWN_USER } else { "user" };
        Replica::start(n, budget, Arc::clone(&all), Load::new(user, &tenants, &delays))
    };
    let replicas: Vec<_> = budgets.into_iter().enumerate().map(start).collect();
    sleep(Duration::from_secs(7)).await;
    for replica in replicas {
        replica.stop().await;
    }
    let questions = all.arrivals().iter().filter(|arrival| arrival.replica == 2).count();
    assert!(all.most_in_a_second() <= 8, "{} > 8", all.most_in_a_second());
    assert!(questions >= 3, "only {questions} questions came to their turn");
    assert!(all.count() - questions > 16, "only {} requests beside {questions} questions", all.count());
}

async fn a_tenant_gets_its_burst_and_then_its_rate(maker: Maker) {
    let limits = RateLimits { user_requests_per_second: 1000, ..RateLimits::default() };
    let budgets = maker.replicas("bucket", 2, limits);
    warm(&budgets[0], "user").await;
    let begin = Instant::now();
    for n in 0..10 {
        let verdict = budgets[n % 2].take(ask("user", "a")).await;
        assert!(matches!(verdict, Verdict::Granted(_)), "request {n} of the burst: {verdict:?}");
    }
    let mut at = vec![begin.elapsed(); 10];
    for n in 10..16 {
        granted(&budgets[n % 2], "user", "a").await;
        at.push(begin.elapsed());
        let due = Duration::from_millis(200) * u32::try_from(n - 9).expect("small");
        assert!(at[n] + Duration::from_millis(2) >= due, "request {n} is early: {at:?}");
    }
    // On a machine that is slow enough, a token has come in between.
    let mut refused = false;
    for _ in 0..20 {
        let verdict = budgets[0].take(ask("user", "a")).await;
        refused |= matches!(verdict, Verdict::NotYet { holds_up: HoldsUp::Tenant, .. });
    }
    assert!(refused, "the bucket is empty");
    assert!(
        matches!(budgets[0].take(ask("user", "b")).await, Verdict::Granted(_)),
        "its neighbour's is full"
    );
}

async fn a_429_closes_the_gate_for_all_replicas(maker: Maker) {
    let budgets = maker.replicas("gate", 3, wide(30));
    warm(&budgets[0], "user").await;
    let (closed, wait) = (Instant::now(), Duration::from_millis(1300));
    budgets[1].close("user".into(), wait).await;
    for (n, budget) in budgets.iter().enumerate() {
        let refused = budget.take(ask("user", "a")).await;
        assert!(
            matches!(refused, Verdict::NotYet { holds_up: HoldsUp::User, .. }),
            "replica {n}: {refused:?}"
        );
    }
    budgets[2].close("user".into(), Duration::from_millis(1)).await;
    granted(&budgets[0], "user", "a").await;
    assert!(closed.elapsed() + Duration::from_millis(2) >= wait, "opened after {:?}", closed.elapsed());
    assert!(closed.elapsed() < wait * 3, "opened after {:?}", closed.elapsed());
}

async fn a_lease_that_nobody_gives_back_ends(maker: Maker) {
    let lease_max = Duration::from_millis(2500);
    let [budget] = &maker.replicas("lease", 1, RateLimits { lease_max, ..wide(1) })[..] else {
        panic!("one")
    };
    warm(budget, "user").await;
    granted(budget, "user", "a").await;
    let begin = Instant::now();
    let lease = granted(budget, "user", "a").await;
    // A second after the lease's end: until then the request may have been on its way.
    let (waited, due) = (begin.elapsed(), lease_max + Duration::from_secs(1));
    assert!(waited + Duration::from_millis(50) >= due && waited < due * 3, "after {waited:?}");
    budget.give_back("user".into(), lease).await;
    let begin = Instant::now();
    granted(budget, "user", "a").await;
    let waited = begin.elapsed();
    assert!(
        waited + Duration::from_millis(5) >= Duration::from_secs(1) && waited < lease_max,
        "after {waited:?}"
    );
}

/// A run of replicas that serve these tenants with their weights.
async fn shares(maker: &Maker, world: &str, loads: &[&[(&str, u32)]]) -> Arc<Server> {
    let server = Arc::new(Server::default());
    let budgets = maker.replicas(world, loads.len(), wide(30));
    let mut replicas = Vec::new();
    for (n, (budget, tenants)) in budgets.into_iter().zip(loads).enumerate() {
        let load = Load::new("user", tenants, &[(1, 9)]);
        replicas.push(Replica::start(n, budget, Arc::clone(&server), load));
    }
    sleep(Duration::from_secs(12)).await;
    for replica in replicas {
        replica.stop().await;
    }
    assert!(server.most_in_a_second() <= 30);
    server
}

async fn tenants_share_by_weight_wherever_they_run(maker: Maker) {
    let fair: [&[(&str, u32)]; 4] = [&[("wide", 1)], &[("wide", 1)], &[("wide", 1)], &[("narrow", 1)]];
    let heavy: [&[(&str, u32)]; 2] = [&[("heavy", 3)], &[("light", 1)]];
    let (fair, heavy) =
        futures_util::future::join(shares(&maker, "fair", &fair), shares(&maker, "heavy", &heavy)).await;
    let ratio = |server: &Server, one: &str, other: &str| {
        let count = |name| f64::from(u32::try_from(server.count_of(name)).expect("small"));
        count(one) / count(other).max(1.0)
    };
    let even = ratio(&fair, "wide", "narrow");
    assert!((0.8..1.25).contains(&even), "three replicas' tenant got {even} times the share of one's");
    let heavier = ratio(&heavy, "heavy", "light");
    assert!((2.4..3.6).contains(&heavier), "three times the weight got {heavier} times the share");
}

type Case = (&'static str, fn(Maker) -> Pin<Box<dyn Future<Output = ()> + Send>>);

macro_rules! cases {
    ($($name:ident),* $(,)?) => { [$((stringify!($name), |maker| Box::pin($name(maker)))),*] };
}

const CASES: [Case; 7] = cases![
    no_sliding_second_sees_more_than_the_limit,
    tokens_of_one_user_share_its_budget,
    questions_and_any_user_stay_within_the_limit,
    a_tenant_gets_its_burst_and_then_its_rate,
    a_429_closes_the_gate_for_all_replicas,
    a_lease_that_nobody_gives_back_ends,
    tenants_share_by_weight_wherever_they_run,
];

/// Runs all cases at once and names those that failed.
async fn run_all(maker: Maker) {
    let cases = CASES.map(|(name, case)| (name, tokio::spawn(case(maker.clone()))));
    let mut failed = Vec::new();
    for (name, case) in cases {
        if case.await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_budget_in_memory_keeps_the_contract() {
    run_all(Maker::Memory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_in_redis_keeps_the_contract() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    run_all(Maker::Redis(server.address())).await;
}

/// All keys of a call lie on one node, whatever the user's name is: a cluster refuses anything else.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_takes_the_script() {
    let bus =
        std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("bound").port();
    let options = ["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()];
    let server = PrivateRedis::start(&options).await.expect("redis");
    let mut connection = connection(&server).await;
    let slots: Result<(), _> =
        redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).query_async(&mut connection).await;
    slots.expect("one node for all slots");
    let ready = async {
        let ok = |info: String| info.contains("cluster_state:ok");
        let mut info = redis::cmd("CLUSTER");
        info.arg("INFO");
        while !info.query_async(&mut connection).await.is_ok_and(ok) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ready).await.expect("the cluster is ready in time");
    let budget = redis(&server.address(), "cluster", 0, 10, PATIENT, wide(30));
    for user in ["user-1", "a}b", "{x}y", "ü:1"] {
        let lease = granted(&budget, user, "a").await;
        budget.give_back(user.into(), lease).await;
    }
    assert_eq!(budget.alone(), 0);
}
