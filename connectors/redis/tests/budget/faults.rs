//! What the budget in Redis keeps when Redis lies, forgets, halts or dies, and when replicas die.
//!
//! Four replicas that always have something to send; a fault; and the fullest sliding second that the server saw.

use std::sync::Arc;
use std::time::Duration;

use redis::AsyncCommands;
use terrasift_redis::{ANSWER_WAIT_MAX, PrivateRedis, RateLimits, Verdict};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::contract::{connection, redis, wide};
use crate::server::{Load, Replica, Server, ask, until};

const SLOTS: usize = 30;
const PATIENCE: Duration = Duration::from_secs(30);
/// The slots of requests that a killed replica had under way come free when their leases end: within the patience here.
const LEASE_MAX: Duration = Duration::from_secs(5);

/// Four replicas at work.
struct World {
    redis: PrivateRedis,
    server: Arc<Server>,
    replicas: Vec<Replica>,
    start: Instant,
}

impl World {
    async fn empty() -> Self {
        let redis = PrivateRedis::start(&[]).await.expect("redis");
        Self { redis, server: Arc::default(), replicas: Vec::new(), start: Instant::now() }
    }

    async fn start() -> Self {
        let mut world = Self::empty().await;
        for _ in 0..4 {
            world.join();
        }
        world
    }

    /// A replica more.
    fn join(&mut self) {
        self.join_by(&self.redis.address(), 10, &[(1, 9), (20, 5), (0, 60), (35, 30)]);
    }

    /// A replica more, that reaches Redis by this address.
    fn join_by(&mut self, address: &str, replicas_max: usize, delays: &[(u64, u64)]) {
        let number = self.replicas.len();
        let limits = RateLimits { lease_max: LEASE_MAX, ..wide(SLOTS) };
        let budget = redis(address, "faults", number, replicas_max, ANSWER_WAIT_MAX, limits);
        let load = Load::new("user", &[("a", 1), ("b", 1), ("c", 2)], delays);
        self.replicas.push(Replica::start(number, budget, Arc::clone(&self.server), load));
    }

    fn alone(&self) -> usize {
        self.replicas.iter().map(|replica| replica.budget.alone()).sum()
    }

    /// Waits until so many requests more have arrived; the longest they may take.
    async fn goes_on(&self, what: &str, requests: usize) {
        let begin = Instant::now();
        until(what, PATIENCE, || self.server.count_since(begin) >= requests).await;
    }

    /// Waits until two seconds from here on are used to the full, or nearly.
    async fn uses_it_all(&self, what: &str) {
        let (begin, seconds) = (Instant::now(), Duration::from_secs(2));
        let whole = || {
            let now = Instant::now();
            now - begin >= seconds && self.server.count_since(now - seconds) >= 2 * SLOTS * 8 / 10
        };
        until(what, PATIENCE, whole).await;
    }

    /// Stops all, and says how it went.
    async fn ends(self) -> String {
        for replica in self.replicas {
            replica.stop().await;
        }
        let (most, count) = (self.server.most_in_a_second(), self.server.count());
        let seconds = self.start.elapsed().as_secs_f64();
        assert!(most <= SLOTS, "{most} in a sliding second: {}", fullest(&self.server));
        format!("{count} requests in {seconds:.1} s, {most} in the fullest second")
    }
}

/// The fullest second, for who has to find out why.
fn fullest(server: &Server) -> String {
    let arrivals = server.arrivals();
    let zero = arrivals[0].at;
    let within =
        |at: Instant| arrivals.iter().filter(move |a| (at..at + Duration::from_secs(1)).contains(&a.at));
    let at = arrivals.iter().map(|a| a.at).max_by_key(|at| within(*at).count()).expect("some");
    within(at)
        .take(100)
        .map(|a| format!("{}:{}", (a.at - zero).as_millis(), a.replica))
        .collect::<Vec<_>>()
        .join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_slows_things_and_breaks_nothing() {
    let mut world = World::start().await;
    world.uses_it_all("the whole budget").await;
    sleep(Duration::from_secs(2)).await;
    world.redis.kill();
    until("all to notice", PATIENCE, || world.alone() == 4).await;
    world.goes_on("requests without redis", 60).await;
    world.redis.restart().await.expect("redis");
    until("all to come back", PATIENCE, || world.alone() == 0).await;
    world.uses_it_all("the whole budget again").await;
    println!("killed and restarted empty: {}", world.ends().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_redis_is_left_and_found_again_with_its_memory() {
    let world = World::start().await;
    world.uses_it_all("the whole budget").await;
    for _ in 0..2 {
        world.redis.pause();
        until("all to notice", PATIENCE, || world.alone() == 4).await;
        world.goes_on("requests without redis", 30).await;
        world.redis.resume();
        until("all to come back", PATIENCE, || world.alone() == 0).await;
        world.uses_it_all("the whole budget again").await;
    }
    println!("halted twice: {}", world.ends().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_keys_and_lies_are_no_grants() {
    let world = World::start().await;
    let mut other = connection(&world.redis).await;
    let key = |part: &str| format!("faults:budget:{{user}}:{part}");
    world.uses_it_all("the whole budget").await;
    let _: () = ::redis::cmd("SCRIPT").arg("FLUSH").query_async(&mut other).await.expect("flushed");
    world.goes_on("requests without the script", 30).await;
    for _ in 0..3 {
        let _: () = ::redis::cmd("FLUSHALL").query_async(&mut other).await.expect("flushed");
        world.goes_on("requests after the keys were lost", 45).await;
    }
    let _: () = other.del(key("slots")).await.expect("deleted");
    world.goes_on("requests after the slots were lost", 45).await;
    for part in ["slots", "state", "replicas", "tenants", "waiting"] {
        let _: () = other.set(key(part), "not yours").await.expect("set");
        world.goes_on("requests after a key was overwritten", 40).await;
    }
    for (field, value) in [("gate", "soon"), ("last", "9e99"), ("turn", "-x"), ("run", "another server")] {
        let _: () = other.hset(key("state"), field, value).await.expect("set");
        world.goes_on("requests after a field was overwritten", 40).await;
    }
    world.uses_it_all("the whole budget again").await;
    println!("lost keys and lies: {}", world.ends().await);
}

/// What is done to the keys of a user: a key is deleted or overwritten, or a field of its state is.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Deleted(&'static str),
    Overwritten(&'static str),
    Field(&'static str),
}

/// A replica that says nothing holds the whole limit, and its keys are damaged: nobody else may be granted a request.
async fn damaged(redis: &PrivateRedis, damage: Damage) {
    let world = format!("{damage:?}");
    let limits = RateLimits { lease_max: Duration::from_secs(60), ..wide(SLOTS) };
    let [silent, greedy] =
        [0, 1].map(|replica| crate::contract::redis(&redis.address(), &world, replica, 2, PATIENCE, limits));
    let holds_all = async {
        let mut held = 0;
        // One is kept for requests of users whom nobody knows.
        while held < SLOTS - 1 {
            greedy.keep().await;
            match silent.take(ask("user", "a")).await {
                Verdict::Granted(_) => held += 1,
                Verdict::NotYet { wait, .. } => sleep(wait).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, holds_all).await.expect("the whole limit is granted");
    let mut other = connection(redis).await;
    let key = |part: &str| format!("{world}:budget:{{user}}:{part}");
    let _: () = match damage {
        Damage::Deleted(part) => other.del(key(part)).await.expect("deleted"),
        Damage::Overwritten(part) => other.set(key(part), "not yours").await.expect("set"),
        Damage::Field(field) => other.hset(key("state"), field, "not yours").await.expect("set"),
    };
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(3) {
        let verdict = greedy.take(ask("user", "a")).await;
        assert!(matches!(verdict, Verdict::NotYet { .. }), "{damage:?}: granted after {:?}", begin.elapsed());
        // What is held is told in time, and counts from then on.
        silent.keep().await;
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_damaged_is_noticed_before_anybody_is_granted() {
    let redis = Arc::new(PrivateRedis::start(&[]).await.expect("redis"));
    let mut cases = JoinSet::new();
    let keys = ["slots", "state", "replicas", "tenants", "waiting"];
    let fields = ["gate", "last", "turn", "run", "slots", "replicas"];
    let damages = keys[..3].iter().copied().map(Damage::Deleted);
    let damages = damages.chain(keys.map(Damage::Overwritten)).chain(fields.map(Damage::Field));
    for damage in damages {
        let redis = Arc::clone(&redis);
        cases.spawn(async move { damaged(&redis, damage).await });
    }
    while let Some(case) = cases.join_next().await {
        case.expect("no grant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_replica_frees_its_part() {
    let mut world = World::start().await;
    for _ in 0..2 {
        world.uses_it_all("the whole budget").await;
        world.replicas.swap_remove(0).kill();
    }
    let begin = Instant::now();
    world.uses_it_all("the others to take it over").await;
    println!("taken over after {:.1} s", begin.elapsed().as_secs_f64());
    println!("two killed replicas: {}", world.ends().await);
}

/// What Redis granted when nobody listened any more takes no slot away for the length of a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_nobody_heard_is_given_up() {
    let world = World::empty().await;
    let budget = redis(&world.redis.address(), "unheard", 0, 10, ANSWER_WAIT_MAX, wide(SLOTS));
    let mut other = connection(&world.redis).await;
    let taken = async |other: &mut ::redis::aio::MultiplexedConnection| -> u32 {
        other.zcard("unheard:budget:{user}:slots").await.expect("counted")
    };
    let granted = async {
        while !matches!(budget.take(ask("user", "a")).await, Verdict::Granted(_)) {
            budget.keep().await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, granted).await.expect("granted in time");
    assert_eq!(taken(&mut other).await, 1);
    world.redis.pause();
    assert!(matches!(budget.take(ask("user", "a")).await, Verdict::NotYet { .. }));
    world.redis.resume();
    let given_up = async {
        // It may be obeyed late: what was told after it counts.
        while budget.alone() > 0 || taken(&mut other).await > 1 {
            budget.keep().await;
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, given_up).await.expect("given up in time");
    for _ in 0..5 {
        budget.keep().await;
        assert_eq!(taken(&mut other).await, 1, "and stays so");
    }
}

/// A cable between a replica and Redis.
struct Cable {
    address: String,
    cut: watch::Sender<bool>,
}

impl Cable {
    async fn to(redis: &PrivateRedis) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("redis://{}/", listener.local_addr().expect("bound"));
        let target = redis.address().trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let (cut, is_cut) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (target, mut is_cut) = (target.clone(), is_cut.clone());
                tokio::spawn(async move {
                    if *is_cut.borrow() {
                        return;
                    }
                    let mut far = TcpStream::connect(target).await.expect("redis is there");
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => (),
                        _ = is_cut.wait_for(|cut| *cut) => (),
                    }
                });
            }
        });
        Self { address, cut }
    }
}

/// The others still reach Redis, and have to leave the one that does not its part.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_cut_off_and_the_others_stay_within_the_limit() {
    let mut world = World::empty().await;
    let cable = Cable::to(&world.redis).await;
    let direct = world.redis.address();
    for address in [&direct, &direct, &direct, &direct, &cable.address] {
        // Quick answers and a large part: the sum would be a fifth above the limit.
        world.join_by(address, 5, &[(0, 2), (1, 0)]);
    }
    world.uses_it_all("the whole budget").await;
    for _ in 0..2 {
        sleep(Duration::from_millis(2500)).await;
        cable.cut.send_replace(true);
        until("the one to notice", PATIENCE, || world.alone() == 1).await;
        let own = || world.server.arrivals().iter().filter(|arrival| arrival.replica == 4).count();
        let before = own();
        until("its own part", PATIENCE, || own() >= before + 5).await;
        cable.cut.send_replace(false);
        until("the one to come back", PATIENCE, || world.alone() == 0).await;
    }
    world.uses_it_all("the whole budget again").await;
    println!("one cut off twice: {}", world.ends().await);
}

/// A replica that comes while Redis is away is known to nobody: it takes what was kept back for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_comes_without_redis_takes_what_was_kept_back() {
    let mut world = World::start().await;
    world.uses_it_all("the whole budget").await;
    sleep(Duration::from_secs(2)).await;
    world.redis.kill();
    until("all to notice", PATIENCE, || world.alone() == 4).await;
    world.join();
    let newcomer =
        |world: &World| world.server.arrivals().iter().filter(|arrival| arrival.replica == 4).count();
    until("the newcomer's requests", PATIENCE, || newcomer(&world) >= 3).await;
    world.redis.restart().await.expect("redis");
    until("all to come back", PATIENCE, || world.alone() == 0).await;
    world.uses_it_all("the whole budget again").await;
    println!("a newcomer without redis: {}", world.ends().await);
}
