//! The security audit's records: what one says, its bytes, and the chain that each process makes of its own.
//!
//! Must never hold a secret, a body, a URL or anything else that a client chose freely, and never change what the bytes of a version
//! mean: a record that was written must verify for ever.

mod checkpoint;
mod read;
mod verify;
mod write;

use sha2::{Digest, Sha256};
use terrasift_schemas::TenantId;
use time::OffsetDateTime;

pub use checkpoint::{Checkpoint, CheckpointKey, CheckpointSigner};
pub use read::TrailFilter;
pub use verify::{TrailBreak, TrailVerdict};
pub(crate) use write::prepare;
pub use write::{record_alone, retire_trail};

use crate::stored;

/// Begins the bytes of each record: what they are, and which version of it.
const RECORD_V1: &[u8] = b"terrasift-security-audit\x01";
/// What the first record of a segment has for the hash before it.
const GENESIS: [u8; 32] = [0; 32];
/// Bounds of the columns, bytes.
const ACTOR: usize = 512;
const RESOURCE: usize = 512;
const WORD: usize = 64;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailOutcome {
    /// It was done.
    Ok,
    /// Nobody was proven, or who was may not, or not now.
    Denied,
    /// Somebody proven used what belongs to another tenant.
    CrossTenant,
    /// What was asked cannot be done: malformed, too large, not there.
    Invalid,
    /// Our fault, or that of something behind us.
    Failed,
    /// Whoever asked went away before the answer.
    Abandoned,
    /// Records are missing here, and how many: they did not fit.
    Gap,
}

impl TrailOutcome {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Denied, Self::CrossTenant, Self::Invalid, Self::Failed, Self::Abandoned, Self::Gap];

    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::CrossTenant => "cross_tenant",
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Gap => "gap",
        }
    }
}

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEntry {
    /// When it ended.
    pub at: OffsetDateTime,
    /// Whose it was, if that was proven.
    pub tenant: Option<TenantId>,
    /// Name of a key or a person; never a key.
    pub actor: String,
    /// What was asked: a method, or a command.
    pub action: String,
    /// Of what: a route, with the ids that were ids.
    pub resource: String,
    /// How it ended.
    pub outcome: TrailOutcome,
    /// Status or code of the answer.
    pub code: String,
    /// Trace id.
    pub trace: String,
    /// Address of the client, where it is to be trusted.
    pub client: String,
}

/// A record with its place in its chain.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TrailRecord {
    /// Whose chain: one a process, 32 hex digits.
    pub segment: String,
    /// Place in it, from 1.
    pub number: i64,
    /// When, to the microsecond.
    pub at: OffsetDateTime,
    /// Tenant; empty where none was proven.
    #[sqlx(rename = "tenant_id")]
    pub tenant: String,
    /// As in [`TrailEntry`].
    pub actor: String,
    /// As in [`TrailEntry`].
    pub action: String,
    /// As in [`TrailEntry`].
    pub resource: String,
    /// As in [`TrailEntry`].
    pub outcome: String,
    /// As in [`TrailEntry`].
    pub code: String,
    /// As in [`TrailEntry`].
    pub trace: String,
    /// As in [`TrailEntry`].
    pub client: String,
    /// Hash of the record before it; zeros for the first one.
    pub previous: Vec<u8>,
    /// SHA-256 of [`TrailRecord::bytes`].
    pub hash: Vec<u8>,
}

impl TrailRecord {
    /// What is hashed, version 1: the prefix; number and microseconds since 1970 as 8 bytes, big-endian; the previous hash; then
    /// segment, tenant, actor, action, resource, outcome, code, trace, client, each with its length before it in 4 bytes, so that nothing can
    /// move from one field to the next.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = RECORD_V1.to_vec();
        out.extend(self.number.to_be_bytes());
        out.extend(micros(self.at).to_be_bytes());
        out.extend(&self.previous);
        for text in [
            &self.segment,
            &self.tenant,
            &self.actor,
            &self.action,
            &self.resource,
            &self.outcome,
            &self.code,
            &self.trace,
            &self.client,
        ] {
            out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend(text.as_bytes());
        }
        out
    }

    /// What the hash must be.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.bytes()).into()
    }
}

/// Microseconds since 1970: what Postgres keeps of a time.
fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX)
}

fn to_the_microsecond(at: OffsetDateTime) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros(at)) * 1_000).unwrap_or(at)
}

/// The end of a chain that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    segment: String,
    number: i64,
    head: [u8; 32],
}

impl Chain {
    /// Begins a segment; `random` comes from the operating system, so that no two processes ever have one name.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        let segment = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { segment, number: 0, head: GENESIS }
    }

    /// Records so far.
    #[must_use]
    pub fn number(&self) -> i64 {
        self.number
    }

    /// Links an entry to the end. Texts are cut to their columns.
    pub fn link(&mut self, entry: TrailEntry) -> TrailRecord {
        let word = |text: &str| stored::text_in(text, WORD);
        let mut record = TrailRecord {
            segment: self.segment.clone(),
            number: self.number.saturating_add(1),
            at: to_the_microsecond(entry.at),
            tenant: entry.tenant.map_or(String::new(), |tenant| tenant.as_str().to_owned()),
            actor: stored::text_in(&entry.actor, ACTOR),
            action: word(&entry.action),
            resource: stored::text_in(&entry.resource, RESOURCE),
            outcome: entry.outcome.as_str().to_owned(),
            code: word(&entry.code),
            trace: word(&entry.trace),
            client: word(&entry.client),
            previous: self.head.to_vec(),
            hash: Vec::new(),
        };
        self.head = record.digest();
        self.number = record.number;
        record.hash = self.head.to_vec();
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut TrailEntry);

    fn entry() -> TrailEntry {
        TrailEntry {
            at: time::macros::datetime!(2026-01-31 12:00:00.000001 UTC),
            tenant: TenantId::parse("acme").ok(),
            actor: "api key backstage".into(),
            action: "GET".into(),
            resource: "/v1/entities".into(),
            outcome: TrailOutcome::Ok,
            code: "200".into(),
            trace: "0af7651916cd43dd8448eb211c80319c".into(),
            client: String::new(),
        }
    }

    fn first(change: impl Fn(&mut TrailEntry)) -> TrailRecord {
        let mut entry = entry();
        change(&mut entry);
        Chain::new([0xab; 16]).link(entry)
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// These bytes are a promise: they were counted by hand, and their hash was made by `sha256sum`.
    #[test]
    fn the_bytes_of_a_record_are_version_1_for_ever() {
        let mut expected = b"terrasift-security-audit\x01".to_vec();
        expected.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        expected.extend(1_769_860_800_000_001_i64.to_be_bytes());
        expected.extend([0; 32]);
        expected.extend(b"\0\0\0\x20abababababababababababababababab\0\0\0\x04acme\0\0\0\x11api key backstage\0\0\0\x03GET");
        expected.extend(b"\0\0\0\x0c/v1/entities\0\0\0\x02ok\0\0\0\x03200\0\0\0\x200af7651916cd43dd8448eb211c80319c\0\0\0\0");
        let record = first(|_| ());
        assert_eq!(record.bytes(), expected);
        assert_eq!(hex(&record.hash), "51a77a1b574513af4c66763affc899d46b43b846a6fefc2ac8333a175dbfede9");
    }

    #[test]
    fn whatever_differs_the_hash_differs() {
        let changes: [(&str, Change); 12] = [
            ("at", |e| e.at += time::Duration::MICROSECOND),
            ("tenant", |e| e.tenant = TenantId::parse("acme2").ok()),
            ("no tenant", |e| e.tenant = None),
            ("actor", |e| e.actor.push('x')),
            ("action", |e| e.action = "POST".into()),
            ("resource", |e| e.resource.push('/')),
            ("outcome", |e| e.outcome = TrailOutcome::Denied),
            ("code", |e| e.code = "201".into()),
            ("trace", |e| e.trace.clear()),
            ("client", |e| e.client = "192.0.2.1".into()),
            ("a letter that moved to the next field", |e| {
                e.action = "GE".into();
                e.resource = "T/v1/entities".into();
            }),
            ("a field that moved", |e| std::mem::swap(&mut e.code, &mut e.client)),
        ];
        let mut seen = vec![first(|_| ()).hash];
        for (name, change) in changes {
            let record = first(change);
            assert!(!seen.contains(&record.hash), "{name}");
            seen.push(record.hash);
        }
        assert_ne!(Chain::new([1; 16]).link(entry()).hash, Chain::new([2; 16]).link(entry()).hash);
    }

    #[test]
    fn records_are_numbered_and_each_holds_the_hash_before_it() {
        let mut chain = Chain::new([7; 16]);
        let (one, two) = (chain.link(entry()), chain.link(entry()));
        assert_eq!((one.number, two.number, chain.number()), (1, 2, 2));
        assert_eq!((one.previous, &two.previous), (vec![0; 32], &one.hash));
        assert_eq!(two.digest().to_vec(), two.hash);
    }

    #[test]
    fn what_is_finer_than_postgres_keeps_or_longer_than_a_column_is_cut_before_it_is_hashed() {
        let record = first(|e| {
            e.at += time::Duration::NANOSECOND * 999;
            e.actor = "ü".repeat(300);
            e.code = "a\0b".into();
        });
        assert_eq!(record.at, entry().at);
        assert_eq!((record.actor.len(), record.code.as_str()), (512, "a b"));
        assert_eq!(record.digest().to_vec(), record.hash);
    }
}
