//! The book of all secrets of a process: read at the start, read again and again, what rotated told to whoever asks.
//!
//! What cannot be read anew keeps its value. Must never tell a value, nor take a new one where the declaration says that only a start may.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use crate::{CurrentSecret, Secret, SecretError, SecretRef, Sources};

/// Reads at once: a source is asked by all replicas, and answers in milliseconds.
const READS_MAX: usize = 8;

/// Whether a changed value is taken while the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taken {
    /// Yes: whoever uses it asks for it each time.
    Always,
    /// No: that it changed is told, and it holds from the next start on.
    AtStart,
}

/// A reference and the place in the configuration where it stands.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Such as `tenants[0].tokens[0]`.
    pub place: String,
    /// As it is written there.
    pub reference: String,
    /// Whether it may rotate.
    pub taken: Taken,
}

/// A reference that could not be read at the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {error}")]
pub struct Unread {
    /// Where it stands.
    pub place: String,
    /// Why.
    pub error: SecretError,
}

/// What a look found out about a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Another value was taken.
    Rotated,
    /// Another value was found, and is not taken before the next start; told once.
    Ignored,
    /// It could not be read, and the value from before stays.
    Failed(SecretError),
    /// It can be read again.
    Recovered,
}

/// What happened to which reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// First place where it stands.
    pub place: String,
    /// Where it is read.
    pub reference: SecretRef,
    /// What.
    pub happened: Happened,
}

/// All secrets of a process. No `Debug`: it holds them.
pub struct SecretBook {
    sources: Sources,
    overlap: Duration,
    entries: Vec<Entry>,
    known: HashMap<SecretRef, CurrentSecret>,
    doubts: Arc<Notify>,
}

struct Entry {
    place: String,
    reference: SecretRef,
    taken: Taken,
    current: CurrentSecret,
    failing_since: Option<Instant>,
    /// That it changed was told.
    told: bool,
}

impl SecretBook {
    /// Reads all of them, each once however often it is declared.
    ///
    /// # Errors
    /// All that cannot be read, in the order of their declaration.
    pub async fn open(
        sources: Sources,
        overlap: Duration,
        declared: Vec<Declared>,
    ) -> Result<Self, Vec<Unread>> {
        let (mut entries, mut unread) = (Vec::<(String, SecretRef, Taken)>::new(), Vec::new());
        for Declared { place, reference, taken } in declared {
            match SecretRef::parse(&reference) {
                Ok(reference) => match entries.iter_mut().find(|(_, known, _)| *known == reference) {
                    // Whoever may not see it change decides.
                    Some(known) if taken == Taken::AtStart => known.2 = taken,
                    Some(_) => {}
                    None => entries.push((place, reference, taken)),
                },
                Err(error) => unread.push(Unread { place, error }),
            }
        }
        let doubts = Arc::<Notify>::default();
        let read = |(place, reference, taken): (String, SecretRef, Taken)| {
            let (sources, doubts) = (&sources, Arc::clone(&doubts));
            async move {
                match sources.read(&reference).await {
                    Ok(secret) => {
                        let current = CurrentSecret::new(secret, doubts);
                        Ok(Entry { place, reference, taken, current, failing_since: None, told: false })
                    }
                    Err(error) => Err(Unread { place, error }),
                }
            }
        };
        let read: Vec<_> = stream::iter(entries).map(read).buffered(READS_MAX).collect().await;
        let mut entries = Vec::with_capacity(read.len());
        for read in read {
            match read {
                Ok(entry) => entries.push(entry),
                Err(error) => unread.push(error),
            }
        }
        if !unread.is_empty() {
            return Err(unread);
        }
        let known = entries.iter().map(|entry| (entry.reference.clone(), entry.current.clone())).collect();
        Ok(Self { sources, overlap, entries, known, doubts })
    }

    /// The secret behind a reference that was declared.
    #[must_use]
    pub fn current(&self, reference: &str) -> Option<CurrentSecret> {
        self.known.get(&SecretRef::parse(reference).ok()?).cloned()
    }

    /// Where secrets stand, and where they are read: place and reference, in the order of their declaration.
    pub fn places(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        self.entries.iter().map(|entry| (entry.place.as_str(), &entry.reference))
    }

    /// Whether there is nothing that could change while the process runs.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.entries.iter().all(|entry| matches!(entry.reference, SecretRef::Env(_)))
    }

    /// Ends when somebody doubts a secret.
    pub fn doubted(&self) -> impl Future<Output = ()> + use<> {
        let doubts = Arc::clone(&self.doubts);
        async move { doubts.notified().await }
    }

    /// Reads again: the files of this machine, or with `all` whatever is not of the environment, which never changes.
    pub async fn look(&mut self, all: bool) -> Vec<Seen> {
        let due = |reference: &SecretRef| match reference {
            SecretRef::Env(_) => false,
            SecretRef::File(_) => true,
            SecretRef::Google(_) | SecretRef::Vault(_) => all,
        };
        let due = self.entries.iter().enumerate().filter(|(_, entry)| due(&entry.reference));
        let references: Vec<_> = due.map(|(index, entry)| (index, entry.reference.clone())).collect();
        let sources = &self.sources;
        let read =
            |(index, reference): (usize, SecretRef)| async move { (index, sources.read(&reference).await) };
        let read: Vec<_> = stream::iter(references).map(read).buffered(READS_MAX).collect().await;
        let now = Instant::now();
        let mut seen = Vec::new();
        for (index, read) in read {
            let Some(entry) = self.entries.get_mut(index) else { continue };
            for happened in entry.take(read, self.overlap, now) {
                seen.push(Seen { place: entry.place.clone(), reference: entry.reference.clone(), happened });
            }
        }
        seen
    }

    /// How long the reference has failed that has failed for the longest time.
    #[must_use]
    pub fn failing_for(&self, now: Instant) -> Option<Duration> {
        let since = self.entries.iter().filter_map(|entry| entry.failing_since);
        since.min().map(|since| now.saturating_duration_since(since))
    }

    /// How many have changed and are not taken before the next start.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.entries.iter().filter(|entry| entry.told).count()
    }

    /// How many references fail.
    #[must_use]
    pub fn failing(&self) -> usize {
        self.entries.iter().filter(|entry| entry.failing_since.is_some()).count()
    }
}

impl Entry {
    fn take(&mut self, read: Result<Secret, SecretError>, overlap: Duration, now: Instant) -> Vec<Happened> {
        let secret = match read {
            Ok(secret) => secret,
            Err(error) => {
                self.failing_since.get_or_insert(now);
                return vec![Happened::Failed(error)];
            }
        };
        let mut happened = Vec::new();
        if self.failing_since.take().is_some() {
            happened.push(Happened::Recovered);
        }
        match self.taken {
            Taken::Always => {
                happened.extend(self.current.take(secret, overlap, now).then_some(Happened::Rotated));
            }
            Taken::AtStart => {
                let changed = self.current.now().expose() != secret.expose();
                happened.extend((changed && !self.told).then_some(Happened::Ignored));
                self.told = changed;
            }
        }
        happened
    }
}
