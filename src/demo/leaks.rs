//! The search for planted secrets in everything that left the engine (invariant 1): Postgres' rows and files, Kafka's
//! records, the log, the metrics and the feed.
//!
//! Must never print a secret: a leak is told by its family and where it was found.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use terrasift_kafka::{Consumer, IntakeEvent, KafkaConfig};
use terrasift_load_tests::generator::Canary;
use terrasift_schemas::event::{SANITIZATION_FAILED_TOPIC, STATE_UPDATED_TOPIC, WORKSPACE_DISCOVERED_TOPIC};
use terrasift_schemas::feed::ChangesPage;

use super::world::World;

/// A shorter canary counts only between characters that cannot continue it: `10.1.2.3` is no part of `110.1.2.34`.
const BOUNDED_BELOW_BYTES: usize = 24;
/// Shortest canary that is searched in base64, too: shorter ones hit by chance.
const BASE64_FROM_BYTES: usize = 12;
/// The topics are read to their end when nothing came for this long.
const TOPICS_QUIET: Duration = Duration::from_secs(2);

/// A planted secret that was found outside.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    canary: usize,
    family: &'static str,
    planted: &'static str,
    found: String,
}

struct Search {
    automaton: AhoCorasick,
    /// Of each pattern: which canary, and whether its ends are bounded.
    patterns: Vec<(usize, bool)>,
    canaries: Vec<(&'static str, &'static str)>,
    leaks: BTreeSet<Leak>,
}

/// Searches everywhere. Each canary counts once.
pub async fn search(world: &World, canaries: &[Canary]) -> anyhow::Result<BTreeSet<Leak>> {
    if canaries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut search = Search::new(canaries)?;
    search.look(&dump(world).await?, "Postgres' rows");
    search.look_below(world.postgres.data_dir())?;
    search.look(&std::fs::read(&world.log).context("cannot read the log")?, "the log");
    search.look(&topics(&world.kafka).await?, "Kafka's records");
    let metrics = world.http.get(format!("{}/metrics", world.origin)).send().await?.bytes().await?;
    search.look(&metrics, "the metrics");
    for tenant in &world.tenants {
        search.look(&feed(world, tenant.api_key.expose()).await?, "the feed");
    }
    let mut first = BTreeSet::new();
    let mut known = BTreeSet::new();
    for leak in search.leaks {
        if known.insert(leak.canary) {
            first.insert(leak);
        }
    }
    Ok(first)
}

/// Tells what was found, without the secret.
#[expect(clippy::print_stderr, reason = "the command line's own voice")]
pub fn report(leaks: &BTreeSet<Leak>) {
    for leak in leaks {
        eprintln!("LEAK: a planted {} ({}) was found in {}", leak.family, leak.planted, leak.found);
    }
}

impl Search {
    fn new(canaries: &[Canary]) -> anyhow::Result<Self> {
        let mut needles: Vec<Vec<u8>> = Vec::new();
        let mut patterns = Vec::new();
        for (index, canary) in canaries.iter().enumerate() {
            let text = canary.text.as_bytes();
            let bounded = text.len() < BOUNDED_BELOW_BYTES;
            let escaped = serde_json::to_string(&canary.text)?;
            let escaped = escaped.trim_matches('"').as_bytes();
            let mut forms = vec![(text.to_vec(), bounded), (escaped.to_vec(), bounded)];
            // A JSON document inside a JSON string, as Postgres' dump escapes it: each backslash stands doubled.
            forms.push((String::from_utf8_lossy(escaped).replace('\\', "\\\\").into_bytes(), bounded));
            if text.len() >= BASE64_FROM_BYTES {
                forms.extend(base64_forms(text).into_iter().map(|form| (form, false)));
            }
            forms.dedup();
            for (form, bounded) in forms {
                needles.push(form);
                patterns.push((index, bounded));
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&needles)
            .context("too many canaries to search for")?;
        let canaries = canaries.iter().map(|canary| (canary.family, canary.place)).collect();
        Ok(Self { automaton, patterns, canaries, leaks: BTreeSet::new() })
    }

    fn look(&mut self, haystack: &[u8], place: &str) {
        for found in self.automaton.find_overlapping_iter(haystack) {
            let (canary, bounded) = self.patterns[found.pattern().as_usize()];
            let continues = |at: Option<usize>| at.and_then(|at| haystack.get(at)).is_some_and(u8::is_ascii_alphanumeric);
            if bounded && (continues(found.start().checked_sub(1)) || continues(Some(found.end()))) {
                continue;
            }
            let (family, planted) = self.canaries[canary];
            self.leaks.insert(Leak { canary, family, planted, found: place.to_owned() });
        }
    }

    /// Looks into all files below a folder: tables, indexes, write-ahead log, server log.
    fn look_below(&mut self, folder: &Path) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.look_below(&entry.path())?;
            } else if kind.is_file() {
                // Postgres removes files while it runs.
                if let Ok(bytes) = std::fs::read(entry.path()) {
                    self.look(&bytes, &format!("Postgres' file {}", entry.path().display()));
                }
            }
        }
        Ok(())
    }
}

/// The three ways in which a text can stand inside base64, without the characters that its neighbours decide.
fn base64_forms(text: &[u8]) -> Vec<Vec<u8>> {
    (0..3)
        .map(|shift| {
            let mut padded = vec![b' '; shift];
            padded.extend_from_slice(text);
            let encoded = STANDARD_NO_PAD.encode(&padded).into_bytes();
            // `shift` bytes in front touch the first characters; up to two characters at the end may still change.
            let skip = if shift == 0 { 0 } else { shift + 1 };
            let keep = padded.len() / 3 * 4;
            encoded[skip..keep.max(skip)].to_vec()
        })
        .filter(|form| form.len() >= BASE64_FROM_BYTES)
        .collect()
}

/// All rows of the database as text, as the superuser sees them: what is compressed in the files is plain here.
async fn dump(world: &World) -> anyhow::Result<Vec<u8>> {
    let output = tokio::process::Command::new(world.postgres.program("pg_dump"))
        .arg("--data-only")
        .arg("--dbname")
        .arg(world.postgres.superuser_url())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot run pg_dump")?;
    if !output.status.success() || output.stdout.is_empty() {
        bail!("pg_dump failed: the search for leaks is not whole");
    }
    Ok(output.stdout)
}

/// Keys, headers and values of all records of all topics.
async fn topics(kafka: &KafkaConfig) -> anyhow::Result<Vec<u8>> {
    let config = KafkaConfig { group: "terrasift-leak-search".to_owned(), ..kafka.clone() };
    let topics = [WORKSPACE_DISCOVERED_TOPIC, STATE_UPDATED_TOPIC, SANITIZATION_FAILED_TOPIC];
    let (consumer, mut events) = Consumer::start(&config, &topics, 8).context("cannot read the topics")?;
    let mut bytes = Vec::new();
    let mut assigned = false;
    loop {
        let wait = if assigned { TOPICS_QUIET } else { Duration::from_secs(30) };
        match tokio::time::timeout(wait, events.recv()).await {
            Ok(Some(IntakeEvent::Batch(records))) => {
                for record in records {
                    let parts = [record.key, record.value].into_iter().flatten();
                    for part in parts.chain(record.headers.into_iter().map(|(_, value)| value)) {
                        bytes.extend_from_slice(&part);
                        bytes.push(b'\n');
                    }
                }
            }
            Ok(Some(IntakeEvent::Assigned(_))) => assigned = true,
            Ok(Some(IntakeEvent::Revoked(_))) => (),
            Ok(Some(IntakeEvent::Fault(error))) => return Err(error).context("cannot read the topics"),
            Ok(None) => bail!("cannot read the topics: the consumer ended"),
            Err(_) if assigned => break,
            Err(_) => bail!("cannot read the topics: no partition was assigned"),
        }
    }
    consumer.stop().await;
    Ok(bytes)
}

/// The whole feed of a tenant, as its bytes come over the wire.
async fn feed(world: &World, api_key: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", "1000".to_owned())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let request = world.http.get(format!("{}/v1/changes", world.origin)).query(&query).bearer_auth(api_key);
        let body = request.send().await?.error_for_status()?.bytes().await?;
        bytes.extend_from_slice(&body);
        let page: ChangesPage = serde_json::from_slice(&body).context("a page of the feed is not as documented")?;
        if !page.has_more {
            return Ok(bytes);
        }
        cursor = Some(page.next_cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(text: &str) -> Canary {
        Canary { text: text.to_owned(), family: "test", category: "credential", place: "here" }
    }

    fn check(planted: &str, haystack: &[u8], found: bool) {
        let mut search = Search::new(&[canary(planted)]).expect("compiles");
        search.look(haystack, "there");
        assert_eq!(!search.leaks.is_empty(), found, "{planted:?} in {:?}", String::from_utf8_lossy(haystack));
    }

    #[test]
    fn planted_leaks_are_found_in_every_form() {
        let secret = "line one\nline \"two\" of a key";
        check(secret, secret.as_bytes(), true);
        check(secret, serde_json::to_string(secret).expect("json").as_bytes(), true);
        check(secret, serde_json::to_string(secret).expect("json").replace('\\', "\\\\").as_bytes(), true);
        for before in ["", "x", "xy"] {
            let text = format!("{before}{secret} and more");
            check(secret, base64::engine::general_purpose::STANDARD.encode(text).as_bytes(), true);
        }
        check("10.1.2.3", b"host=10.1.2.3,", true);
        check("10.1.2.3", b"110.1.2.34", false);
        check(secret, b"nothing of the kind", false);
    }
}
