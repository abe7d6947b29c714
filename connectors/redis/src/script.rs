//! The script's call and its answer, parsed once.
//!
//! Must never take an answer that it does not understand in full for a grant.

use std::fmt::Write as _;
use std::time::Duration;

use redis::{Script, ScriptInvocation};

use crate::machine::TakenSlot;
use crate::port::{Ask, LeaseId, RateLimits};

/// The script's source.
pub(crate) const SOURCE: &str = include_str!("script.lua");

/// What is asked of the script.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// One request, under this lease.
    Take(Ask, LeaseId),
    /// Only to be seen, and to tell which slots are taken.
    Beat,
    /// To be forgotten.
    Leave,
}

/// One call: what is asked, and what this replica knows.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) user: crate::port::UserKey,
    pub(crate) op: Op,
    /// Counts the calls of this replica for this user.
    pub(crate) sequence: u64,
    /// For how long a 429 closes the gate still.
    pub(crate) gate: Duration,
    /// Own slots that are not free, and those given up, which are free now.
    pub(crate) taken: Vec<TakenSlot>,
}

/// The script's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Granted,
    Done,
    /// No slot.
    Slots,
    /// A 429 closed the gate, or the keys are fresh.
    Gate,
    /// The tenant's bucket is empty.
    Bucket,
    /// Others come first.
    Turns,
    /// A newer call has overtaken this one.
    Stale,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    pub(crate) wait: Duration,
    pub(crate) replicas: usize,
    pub(crate) gate: Duration,
}

impl Answer {
    pub(crate) fn parse(numbers: &[i64]) -> Option<Self> {
        let [code, wait, replicas, gate] = numbers else { return None };
        let code = match code {
            1 => Code::Granted,
            0 => Code::Done,
            -1 => Code::Slots,
            -2 => Code::Gate,
            -3 => Code::Bucket,
            -4 => Code::Turns,
            -5 => Code::Stale,
            _ => return None,
        };
        let micros = |number: &i64| u64::try_from(*number).ok().map(Duration::from_micros);
        let replicas = usize::try_from(*replicas).ok()?;
        Some(Self { code, wait: micros(wait)?, replicas, gate: micros(gate)? })
    }
}

/// Whose calls these are, and under which limits.
pub(crate) struct Caller {
    pub(crate) prefix: String,
    pub(crate) replica: String,
    pub(crate) limits: RateLimits,
    pub(crate) replicas_max: usize,
}

impl Caller {
    /// The invocation, for the server whose run id is `run`.
    pub(crate) fn invocation<'a>(&self, script: &'a Script, run: &str, call: &Call) -> ScriptInvocation<'a> {
        let mut invocation = script.prepare_invoke();
        let user = tag(&call.user);
        for part in ["slots", "state", "replicas", "tenants", "waiting"] {
            // One hash tag: all keys of a user lie on one node of a cluster.
            invocation.key(format!("{}:budget:{{{user}}}:{part}", self.prefix));
        }
        let op = match call.op {
            Op::Take(..) => "take",
            Op::Beat => "beat",
            Op::Leave => "leave",
        };
        invocation.arg(op).arg(run).arg(&self.replica).arg(call.sequence).arg(micros(call.gate));
        let slots_max = self.limits.of(&call.user).user_requests_per_second;
        invocation.arg(slots_max).arg(self.replicas_max).arg(call.taken.len());
        for (lease, free_in) in &call.taken {
            invocation.arg(self.lease(*lease)).arg(micros(*free_in));
        }
        if let Op::Take(ask, lease) = &call.op {
            invocation
                .arg(self.lease(*lease))
                .arg(ask.tenant.as_str())
                .arg(ask.weight.max(1))
                .arg(u8::from(ask.more));
            invocation.arg(micros(self.limits.tenant_interval())).arg(micros(self.limits.tenant_tolerance()));
            invocation.arg(micros(self.limits.lease_max));
        }
        invocation
    }

    fn lease(&self, lease: LeaseId) -> String {
        format!("{}:{}", self.replica, lease.number())
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A user's name as a hash tag: what is not plain is written in hex, so that no name can end its tag early.
fn tag(user: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    user.chars().fold(String::with_capacity(user.len()), |mut tag, c| {
        if plain(c) {
            tag.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(tag, "%{:x}.", u32::from(c));
        }
        tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_understood() {
        let cases: &[(&[i64], bool)] = &[
            (&[1, 0, 2, 0], true),
            (&[-5, 1000, 0, 0], true),
            (&[], false),
            (&[1], false),
            (&[1, 0, 2, 0, 0], false),
            (&[2, 0, 2, 0], false),
            (&[-6, 0, 2, 0], false),
            (&[-1, -1, 2, 0], false),
            (&[-1, 1, -2, 0], false),
            (&[1, 0, 2, -7], false),
        ];
        for (numbers, whole) in cases {
            assert_eq!(Answer::parse(numbers).is_some(), *whole, "{numbers:?}");
        }
    }

    #[test]
    fn a_users_name_stays_inside_its_hash_tag_and_is_never_anothers() {
        let names = ["user-a", "user}b", "user%7d.b", "a:b", "a{b", ""];
        let tags: std::collections::BTreeSet<String> = names.iter().map(|name| tag(name)).collect();
        assert_eq!(tags.len(), names.len());
        assert!(tags.iter().all(|tag| !tag.contains(['{', '}'])));
    }
}
