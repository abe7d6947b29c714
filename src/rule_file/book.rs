//! Which rules hold for which tenant, and which of their files changed since.
//!
//! Looks at files when it is asked to, never by itself: it blocks. A file that is refused leaves what it was before in
//! place, and is told once for each content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use terrasift_engine::detect::RuleSet;
use terrasift_schemas::TenantId;

use super::{RuleFileError, Source, layers};

/// Two writes within this long can leave one time of change: a file that young is looked at again.
const SETTLED: Duration = Duration::from_secs(3);

/// What a file looked like: its time of change and its length; `None`: it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// One watched file.
struct Watched {
    path: PathBuf,
    /// As it was last read without a refusal.
    good: Arc<Source>,
    stamp: Stamp,
    /// Text or refusal that was met last: the same one is no news.
    met: Result<String, String>,
}

/// All rule files of a configuration. No Debug: it holds patterns.
pub struct RuleBook {
    core: Arc<RuleSet>,
    common: Option<Watched>,
    own: BTreeMap<TenantId, Watched>,
    /// For tenants without a file of their own.
    shared: Arc<RuleSet>,
    sets: BTreeMap<TenantId, Arc<RuleSet>>,
}

/// What a look at the files found.
#[derive(Default)]
pub struct Changes {
    /// Tenants without a file of their own have other rules.
    pub shared: bool,
    /// Tenants with a file of their own that have other rules.
    pub tenants: Vec<TenantId>,
    /// Files that are refused.
    pub refused: Vec<RuleFileError>,
}

impl RuleBook {
    /// Reads and compiles all of them.
    ///
    /// # Errors
    /// The first that is refused: nothing starts on bad rules.
    pub fn open(
        common: Option<&Path>,
        own: impl IntoIterator<Item = (TenantId, PathBuf)>,
    ) -> Result<Self, RuleFileError> {
        let core = RuleSet::builtin();
        let common = common.map(Watched::open).transpose()?;
        let own = own
            .into_iter()
            .map(|(tenant, path)| Ok((tenant, Watched::open(&path)?)))
            .collect::<Result<BTreeMap<_, _>, RuleFileError>>()?;
        let shared = Arc::new(compile(&core, common.as_ref(), None)?);
        let sets = own
            .iter()
            .map(|(tenant, file)| {
                Ok((tenant.clone(), Arc::new(compile(&core, common.as_ref(), Some(file))?)))
            })
            .collect::<Result<BTreeMap<_, _>, RuleFileError>>()?;
        Ok(Self { core, common, own, shared, sets })
    }

    /// The rules of a tenant.
    pub fn rules(&self, tenant: &TenantId) -> Arc<RuleSet> {
        Arc::clone(self.sets.get(tenant).unwrap_or(&self.shared))
    }

    /// The tenant has a file of its own.
    pub fn has_own(&self, tenant: &TenantId) -> bool {
        self.own.contains_key(tenant)
    }

    /// Looks at the files, and compiles what changed.
    pub fn look(&mut self) -> Changes {
        let mut changes = Changes::default();
        let mut common_changed = false;
        if let Some(watched) = &mut self.common
            && let Some(new) = watched.changed(&mut changes.refused)
        {
            // Compiled by itself first: a bad common file is not every tenant's refusal.
            match layers::compile(&self.core, &[&new]) {
                Ok(rules) => {
                    watched.good = new;
                    self.shared = Arc::new(rules);
                    changes.shared = true;
                    common_changed = true;
                }
                Err(error) => changes.refused.push(error),
            }
        }
        for (tenant, watched) in &mut self.own {
            let new = watched.changed(&mut changes.refused);
            if new.is_none() && !common_changed {
                continue;
            }
            let own = new.unwrap_or_else(|| Arc::clone(&watched.good));
            let layers: Vec<&Source> =
                self.common.iter().map(|common| &*common.good).chain([&*own]).collect();
            match layers::compile(&self.core, &layers) {
                Ok(rules) => {
                    watched.good = own;
                    self.sets.insert(tenant.clone(), Arc::new(rules));
                    changes.tenants.push(tenant.clone());
                }
                Err(error) => changes.refused.push(error),
            }
        }
        changes
    }
}

fn compile(
    core: &RuleSet,
    common: Option<&Watched>,
    own: Option<&Watched>,
) -> Result<RuleSet, RuleFileError> {
    let layers: Vec<&Source> = common.into_iter().chain(own).map(|watched| &*watched.good).collect();
    layers::compile(core, &layers)
}

impl Watched {
    fn open(path: &Path) -> Result<Self, RuleFileError> {
        let stamp = stamp(path);
        let source = super::source(path)?;
        let met = Ok(source.text.clone());
        Ok(Self { path: path.to_owned(), good: Arc::new(source), stamp, met })
    }

    /// The file as it is now, when it is another one that can be read. Refusals that are news are told.
    fn changed(&mut self, refused: &mut Vec<RuleFileError>) -> Option<Arc<Source>> {
        let now = stamp(&self.path);
        let young = now.is_none_or(|(at, _)| at.elapsed().is_ok_and(|age| age < SETTLED));
        if now == self.stamp && !young {
            return None;
        }
        self.stamp = now;
        match super::source(&self.path) {
            Ok(source) if self.met.as_ref() == Ok(&source.text) => None,
            Ok(source) => {
                self.met = Ok(source.text.clone());
                Some(Arc::new(source))
            }
            Err(error) => {
                let met = Err(error.to_string());
                if self.met != met {
                    self.met = met;
                    refused.push(error);
                }
                None
            }
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Desk {
        folder: tempfile::TempDir,
        book: RuleBook,
    }

    const RULE: &str = "rules: [{id: badge, category: pii, pattern: 'ACME-[0-9]{4}'}]";

    fn tenant(id: &str) -> TenantId {
        TenantId::parse(id).expect("an id")
    }

    fn desk() -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["common", "own"] {
            std::fs::write(path(name), "version: 1").expect("a file");
        }
        let book =
            RuleBook::open(Some(&path("common")), [(tenant("acme"), path("own"))]).expect("good rules");
        Desk { folder, book }
    }

    impl Desk {
        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.folder.path().join(name), text).expect("a file");
        }

        /// Other rules for the rest, for acme; refusals.
        fn look(&mut self) -> (bool, usize, Vec<String>) {
            let changes = self.book.look();
            let refused = changes.refused.iter().map(ToString::to_string).collect();
            (changes.shared, changes.tenants.len(), refused)
        }
    }

    #[test]
    fn each_change_reaches_whom_it_concerns_and_is_told_once() {
        let mut desk = desk();
        let nothing = (false, 0, Vec::new());
        assert_eq!(desk.look(), nothing, "nothing has changed");
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        let digests = |desk: &Desk| (desk.book.rules(&acme).digest(), desk.book.rules(&globex).digest());
        let first = digests(&desk);

        desk.write("own", &format!("version: 2\n{RULE}"));
        assert_eq!(desk.look(), (false, 1, Vec::new()), "a tenant's file is its own");
        assert_eq!(desk.look(), nothing);
        let second = digests(&desk);
        assert!(second.0 != first.0 && second.1 == first.1);

        desk.write("common", "version: 2\ndisable: [phone]");
        assert_eq!(desk.look(), (true, 1, Vec::new()), "the common file is everybody's");
        let third = digests(&desk);
        assert!(third.0 != second.0 && third.1 != second.1);

        for (name, text, says) in [
            ("own", "version: 3\nrules: [{id: x, category: pii, pattern: 'x*'}]", "line 2: rule x"),
            ("own", "version: 3\nrules: [", "not valid YAML"),
            ("common", "version: 3\ndisable: [nothing]", "line 2: disable[0]: unknown_rule"),
        ] {
            desk.write(name, text);
            let (shared, tenants, refused) = desk.look();
            assert_eq!((shared, tenants, refused.len()), (false, 0, 1), "{text}");
            assert!(refused[0].contains(says) && refused[0].contains(name), "{}", refused[0]);
            assert_eq!(desk.look(), nothing, "a refusal is told once");
            assert_eq!(digests(&desk), third, "the rules before it stay");
        }
        std::fs::remove_file(desk.folder.path().join("own")).expect("removed");
        assert!(desk.look().2[0].contains("cannot read"), "a file that is gone takes no rules away");
        assert_eq!(digests(&desk), third);

        desk.write("own", &format!("version: 2\n{RULE}"));
        desk.write("common", "version: 2\ndisable: [phone]");
        desk.look();
        assert_eq!(digests(&desk), third, "what is mended holds again");
    }

    #[test]
    fn nothing_opens_on_bad_rules() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rules");
        std::fs::write(&path, "version: 1\ndisable: [nothing]").expect("a file");
        assert!(RuleBook::open(Some(&path), []).is_err());
        assert!(RuleBook::open(None, [(tenant("acme"), path)]).is_err());
        assert!(RuleBook::open(None, []).is_ok());
    }
}
