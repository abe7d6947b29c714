//! The script against the machine, step by step, on random histories. Redis' clock is taken out of the script for that.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use terrasift_redis::{Ask, BudgetMachine, HoldsUp, LeaseId, PrivateRedis, RateLimits, Verdict};

use crate::contract::connection;
use crate::server::tenant;

const SCRIPT: &str = include_str!("../../src/script.lua");

#[derive(Debug, Clone)]
enum Step {
    /// So many milliseconds pass.
    Wait(u64),
    Take {
        tenant: usize,
        more: bool,
    },
    /// Gives back the n-th lease, whether or not it was given back before.
    GiveBack(usize),
    Close(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..400).prop_map(Step::Wait),
        8 => (0_usize..4, any::<bool>()).prop_map(|(tenant, more)| Step::Take { tenant, more }),
        4 => (0_usize..40).prop_map(Step::GiveBack),
        1 => (0_u64..1500).prop_map(Step::Close),
    ]
}

/// The script with a clock of ours, in one world.
struct Twin<'a> {
    connection: &'a mut redis::aio::MultiplexedConnection,
    script: redis::Script,
    world: u32,
    limits: RateLimits,
    sequence: u64,
}

impl Twin<'_> {
    async fn call(&mut self, now_us: u64, op: &[&str], gate_us: u64, taken: &[(String, u64)]) -> Vec<i64> {
        self.sequence += 1;
        let mut call = self.script.prepare_invoke();
        for part in ["slots", "state", "replicas", "tenants", "waiting"] {
            call.key(format!("{{{}}}:{part}", self.world));
        }
        call.arg(op[0]).arg("run").arg("replica").arg(self.sequence).arg(gate_us);
        call.arg(self.limits.user_requests_per_second).arg(1).arg(taken.len());
        for (lease, free_in) in taken {
            call.arg(lease).arg(*free_in);
        }
        for more in &op[1..] {
            call.arg(*more);
        }
        call.arg(format!("{:06}", now_us % 1_000_000)).arg(now_us / 1_000_000);
        call.invoke_async(self.connection).await.expect("the script runs")
    }

    async fn take(&mut self, now_us: u64, ask: &Ask, lease: u64) -> Verdict {
        let micros = |duration: Duration| duration.as_micros().to_string();
        let limits = self.limits;
        let (interval, tolerance) = (micros(limits.tenant_interval()), micros(limits.tenant_tolerance()));
        let (lease_max, name, weight) = (micros(limits.lease_max), lease.to_string(), ask.weight.to_string());
        let more = if ask.more { "1" } else { "0" };
        let op = ["take", &name, ask.tenant.as_str(), &weight, more, &interval, &tolerance, &lease_max];
        let answer = self.call(now_us, &op, 0, &[]).await;
        let wait = Duration::from_micros(u64::try_from(answer[1]).expect("a wait"));
        match answer[0] {
            1 => Verdict::Granted(LeaseId::new(lease)),
            -2 | -1 => Verdict::NotYet { wait, holds_up: HoldsUp::User },
            -4 | -3 => Verdict::NotYet { wait, holds_up: HoldsUp::Tenant },
            other => panic!("{other:?}"),
        }
    }
}

async fn compare(
    connection: &mut redis::aio::MultiplexedConnection,
    world: u32,
    limits: RateLimits,
    steps: &[Step],
) {
    // The clock comes last: seconds, and microseconds before them.
    let script = SCRIPT.replace("redis.call('TIME')", "{ARGV[#ARGV], ARGV[#ARGV - 1]}");
    assert_ne!(script, SCRIPT, "the script reads its clock somewhere else now");
    let script = redis::Script::new(&script);
    let mut twin = Twin { connection, script, world, limits, sequence: 0 };
    let (start, mut now_us) = (Instant::now(), 1_790_000_000_000_000_u64);
    let mut machine = BudgetMachine::default();
    // Fresh keys close the gate for two seconds.
    for _ in 0..2 {
        twin.call(now_us, &["beat"], 0, &[]).await;
        now_us += 1_000_000;
    }
    let user: terrasift_redis::UserKey = "user".into();
    let zero = now_us;
    for (at, step) in steps.iter().enumerate() {
        let now = start + Duration::from_micros(now_us - zero);
        match step {
            Step::Wait(ms) => {
                // Replicas keep in touch: a gap is another test's.
                for _ in 0..ms / 50 {
                    now_us += 50_000;
                    twin.call(now_us, &["beat"], 0, &[]).await;
                }
                now_us += ms % 50 * 1000 + 137;
            }
            Step::Take { tenant: number, more } => {
                let (name, weight) = (format!("t{number}"), u32::try_from(number + 1).expect("small"));
                let lease = u64::try_from(at).expect("small");
                let ask = Ask { user: user.clone(), tenant: tenant(&name), weight, more: *more };
                let expected = machine.take(&limits, &ask, LeaseId::new(lease), now);
                let verdict = twin.take(now_us, &ask, lease).await;
                assert_eq!(verdict, expected, "step {at}, {step:?}, of {steps:?}");
            }
            Step::GiveBack(lease) => {
                let lease = u64::try_from(*lease).expect("small");
                let held = machine.holds(&user, LeaseId::new(lease), now);
                machine.release(&user, LeaseId::new(lease), now);
                if held {
                    twin.call(now_us, &["beat"], 0, &[(lease.to_string(), 1_000_000)]).await;
                }
            }
            Step::Close(ms) => {
                machine.close(&user, now + Duration::from_millis(*ms));
                twin.call(now_us, &["beat"], ms * 1000, &[]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_call_that_was_overtaken_is_dropped() {
    let server = PrivateRedis::start(&[]).await.expect("redis");
    let mut connection = connection(&server).await;
    let (script, limits) = (redis::Script::new(SCRIPT), RateLimits::default());
    let mut twin = Twin { connection: &mut connection, script, world: 0, limits, sequence: 6 };
    assert_eq!(twin.call(0, &["beat"], 0, &[]).await[0], 0);
    twin.sequence = 5;
    let late = twin.call(0, &["beat"], 9_000_000, &[("lease".to_owned(), 9_000_000)]).await;
    assert_eq!(late[0], -5, "{late:?}");
    twin.sequence = 7;
    let gate = twin.call(0, &["beat"], 0, &[]).await[3];
    assert!(gate <= 2_000_000, "a gate from before: {gate}");
    let slots: u32 = redis::AsyncCommands::zcard(&mut connection, "{0}:slots").await.expect("counted");
    assert_eq!(slots, 0);
}

#[test]
fn the_script_decides_as_the_machine_does() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let server = runtime.block_on(PrivateRedis::start(&[])).expect("redis");
    let mut connection = runtime.block_on(connection(&server));
    let limits = (1_usize..6, 1_u32..5, prop_oneof![Just(3.0), Just(40.0)]);
    let history = (limits, proptest::collection::vec(step(), 1..60));
    let connection = std::cell::RefCell::new(&mut connection);
    let count = std::cell::Cell::new(0_u32);
    let config = Config { failure_persistence: None, ..Config::with_cases(200) };
    let outcome = TestRunner::new(config).run(&history, |((slots, burst, rate), steps)| {
        count.set(count.get() + 1);
        let limits = RateLimits {
            user_requests_per_second: slots,
            tenant_requests_per_second: rate,
            tenant_burst: burst,
            lease_max: Duration::from_millis(2500),
        };
        runtime.block_on(compare(&mut connection.borrow_mut(), count.get(), limits, &steps));
        Ok(())
    });
    outcome.expect("the same verdicts");
}
