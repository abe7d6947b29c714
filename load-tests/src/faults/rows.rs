//! The rows of the matrix: what each does, in one place.

use super::traffic::Mix;
use crate::simulator::FaultKind;

/// A server behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// The brokers.
    Kafka,
    /// The database.
    Postgres,
    /// The shared rate budget.
    Redis,
    /// Terraform Cloud's API.
    Upstream,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Cut, and refused, for seconds; three times.
    Cut,
    /// Swallowed for seconds.
    BlackHole,
    /// Late by this many milliseconds.
    Late(u64),
}

/// What is done to the engine and its servers while the events run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Act {
    /// Nothing: the stream itself is the fault.
    Nothing,
    /// A replica dies at a point, on a seeded passage, and is started again; so often.
    DieAt(&'static str, u32),
    /// As [`Act::DieAt`], on the first passages.
    DieSoonAt(&'static str, u32),
    /// Each replica panics at a point, on several passages.
    PanicAt(&'static str),
    /// Work of a replica hangs at a point.
    HangAt(&'static str),
    /// A replica claims partitions so late that they belong to others by then.
    ClaimLate,
    /// A replica is halted with transactions in hand, and goes on with them when its partitions have moved and others wrote.
    CommitLate,
    /// `kill -9` of replicas at seeded moments.
    KillAtRandom(u32),
    /// A replica is halted until its partitions have moved, and goes on.
    Zombie,
    /// The network between the replicas and a server.
    Network(Server, Trouble),
    /// The broker is killed and comes back.
    KillKafka,
    /// The broker is halted for seconds.
    HaltKafka,
    /// Postgres is killed and recovers.
    KillPostgres,
    /// Postgres cannot write to its disk for seconds.
    DiskFull,
    /// Redis dies and comes back empty.
    EmptyRedis,
    /// Redis is halted for seconds.
    HaltRedis,
    /// The clock of a replica jumps an hour ahead and ten minutes back.
    ClockJump,
    /// Replicas come and go.
    RebalanceStorm,
    /// The topic grows.
    Grow,
    /// Each replica is asked to stop and started again, in turn.
    RollingRestart,
    /// Upstream answers so for so many requests.
    Answers(&'static [FaultKind], u32),
    /// Upstream says once of so many workspaces that it does not know them.
    Deny(usize),
    /// Workspaces are removed upstream.
    Remove(usize),
    /// Unreadable states are mended upstream, and their dead letters retried, twice each, while a replica is killed.
    Mend,
}

impl Act {
    /// It strikes only where events pass.
    #[must_use]
    pub fn needs_events(self) -> bool {
        matches!(self, Self::DieAt(..) | Self::DieSoonAt(..))
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its name, for ever: runs are named by it.
    pub name: &'static str,
    /// One line: what it does.
    pub about: &'static str,
    /// What is done.
    pub act: Act,
    /// What the stream is like.
    pub mix: Mix,
    /// Workspaces of each tenant whose state can never be read.
    pub poisoned: usize,
    /// Seconds between two reconciliations.
    pub reconcile_s: u32,
}

const PLAIN: Mix = Mix { duplicates: 0, reordered: 0, poison: 0, silent: 0, lineages: 3, webhooks: 20 };

const fn row(name: &'static str, about: &'static str, act: Act) -> Row {
    // Once at the start of each process and then no more: the reconciler would hide what is lost.
    Row { name, about, act, mix: PLAIN, poisoned: 0, reconcile_s: 3600 }
}

const fn network(name: &'static str, about: &'static str, server: Server, trouble: Trouble) -> Row {
    row(name, about, Act::Network(server, trouble))
}

/// All rows.
pub const ROWS: &[Row] = &[
    row("calm", "no fault: what the other rows are compared with", Act::Nothing),
    row("kill-random", "kill -9 of replicas at random moments, three times", Act::KillAtRandom(3)),
    row(
        "kill-after-claim",
        "a replica dies when it has claimed a partition and read nothing back",
        Act::DieSoonAt("after-claim", 2),
    ),
    row(
        "kill-before-marks",
        "a replica dies with a batch in hand, before its marks are durable",
        Act::DieAt("before-marks", 3),
    ),
    row(
        "kill-after-marks",
        "a replica dies when marks are durable and their offset is not settled",
        Act::DieAt("after-marks", 3),
    ),
    row(
        "kill-during-read",
        "a replica dies between a read ticket and its answer",
        Act::DieAt("during-read", 3),
    ),
    row("kill-during-download", "a replica dies in the middle of a state", Act::DieAt("during-download", 3)),
    row(
        "kill-before-commit",
        "a replica dies with a finished delta, before the transaction",
        Act::DieAt("before-commit", 3),
    ),
    row(
        "kill-after-commit",
        "a replica dies after the transaction, before anybody hears of it",
        Act::DieAt("after-commit", 3),
    ),
    Row {
        poisoned: 3,
        ..row(
            "kill-before-letter",
            "a replica dies before a dead letter is durable",
            Act::DieSoonAt("before-letter", 2),
        )
    },
    Row {
        poisoned: 3,
        ..row(
            "kill-after-letter",
            "a replica dies when a dead letter is durable and nothing else is told",
            Act::DieSoonAt("after-letter", 2),
        )
    },
    Row {
        poisoned: 3,
        ..row(
            "kill-after-publish",
            "a replica dies when a letter is announced and that is not noted",
            Act::DieSoonAt("after-publish", 2),
        )
    },
    row("panic-in-sync", "syncs panic in the middle of a state", Act::PanicAt("during-download")),
    row("panic-in-commit", "the writer's transactions panic", Act::PanicAt("before-commit")),
    row("stuck-sync", "a sync hangs for ever", Act::HangAt("during-download")),
    row("late-claim", "a replica claims partitions that belong to another by then", Act::ClaimLate),
    row(
        "late-commit",
        "a replica is halted with transactions in hand, and goes on when its partitions belong to others",
        Act::CommitLate,
    ),
    row("zombie", "a replica is halted until its partitions have moved, and wakes up", Act::Zombie),
    network("kafka-cut", "connections to Kafka are cut and refused", Server::Kafka, Trouble::Cut),
    network(
        "kafka-black-hole",
        "what is sent to Kafka and back is swallowed",
        Server::Kafka,
        Trouble::BlackHole,
    ),
    row("kafka-killed", "the broker is killed and comes back", Act::KillKafka),
    row("kafka-halted", "the broker is halted for seconds", Act::HaltKafka),
    network("postgres-cut", "connections to Postgres are cut and refused", Server::Postgres, Trouble::Cut),
    network(
        "postgres-black-hole",
        "what is sent to Postgres and back is swallowed",
        Server::Postgres,
        Trouble::BlackHole,
    ),
    network("postgres-late", "Postgres answers late", Server::Postgres, Trouble::Late(20)),
    row("postgres-killed", "Postgres is killed and recovers from its log", Act::KillPostgres),
    row("disk-full", "Postgres cannot write to its disk", Act::DiskFull),
    network("redis-cut", "connections to Redis are cut and refused", Server::Redis, Trouble::Cut),
    row("redis-emptied", "Redis dies and comes back empty", Act::EmptyRedis),
    row("redis-halted", "Redis is halted", Act::HaltRedis),
    network(
        "upstream-cut",
        "connections to Terraform Cloud are cut and refused",
        Server::Upstream,
        Trouble::Cut,
    ),
    network("upstream-late", "Terraform Cloud answers late", Server::Upstream, Trouble::Late(300)),
    row(
        "upstream-errors",
        "Terraform Cloud answers 500, 502, 503, 429 and HTML",
        Act::Answers(
            &[
                FaultKind::ApiStatus { code: 500 },
                FaultKind::ApiStatus { code: 429 },
                FaultKind::ApiStatus { code: 502 },
                FaultKind::ApiNotJson,
                FaultKind::ApiStatus { code: 503 },
            ],
            4,
        ),
    ),
    row(
        "bad-downloads",
        "downloads are cut short, empty, too long, expired, HTML",
        Act::Answers(
            &[
                FaultKind::Truncated,
                FaultKind::EmptyBody,
                FaultKind::WrongContentLength,
                FaultKind::ExpiredUrl,
                FaultKind::DownloadNotJson,
                FaultKind::DownloadStatus { code: 404 },
            ],
            3,
        ),
    ),
    // Apart enough that two answers of one fault confirm nothing.
    Row {
        reconcile_s: 20,
        ..row(
            "empty-lists",
            "lists of workspaces are empty, and some are not found",
            Act::Answers(&[FaultKind::EmptyList, FaultKind::ApiStatus { code: 404 }], 4),
        )
    },
    Row {
        reconcile_s: 20,
        ..row(
            "denied-once",
            "Terraform Cloud says once of workspaces that it does not know them",
            Act::Deny(6),
        )
    },
    row("clock-jump", "a replica's clock jumps an hour ahead and ten minutes back", Act::ClockJump),
    row("rebalance-storm", "replicas come and go", Act::RebalanceStorm),
    row("partition-growth", "the topic grows under load", Act::Grow),
    row("rolling-restart", "each replica is asked to stop and started again", Act::RollingRestart),
    Row {
        mix: Mix { duplicates: 50, ..PLAIN },
        ..row("duplicates", "half of the records come three times", Act::KillAtRandom(1))
    },
    Row {
        mix: Mix { reordered: 60, lineages: 6, ..PLAIN },
        ..row("reordering", "records come behind newer ones", Act::KillAtRandom(1))
    },
    Row {
        mix: Mix { poison: 30, ..PLAIN },
        poisoned: 3,
        ..row("poison", "records that fit nobody, states that cannot be read", Act::KillAtRandom(1))
    },
    Row {
        mix: Mix { silent: 40, ..PLAIN },
        reconcile_s: 5,
        ..row("webhooks-lost", "no event tells of two in five changes", Act::Nothing)
    },
    Row {
        poisoned: 3,
        ..row("letters-retried", "dead letters are mended and retried while replicas are killed", Act::Mend)
    },
    Row { reconcile_s: 6, ..row("removals", "workspaces are removed upstream", Act::Remove(4)) },
];

/// The row of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_stands_in_the_documentation() {
        let document = include_str!("../../../docs/reliability.md");
        for row in ROWS {
            let line = format!("| `{}` | {} |", row.name, row.about);
            assert!(document.lines().any(|other| other == line), "not in docs/reliability.md:\n{line}");
        }
    }
}
