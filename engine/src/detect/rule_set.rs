//! A rule set: the shared built-in core and what one tenant changes.
//!
//! The core is built once and shared; an overlay holds only a tenant's own patterns and overrides. Must never hold a value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};
use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::rules::RuleFile;

use super::families::{self, Proof};
use super::gate::Gate;
use super::gazetteer::Gazetteer;
use super::json::{self, PairPart};
use super::literal::{Literal, Trigger, rarest_window};
use super::shape::{Part, RUN_MAX, Shape};
use super::structural as rule;
use super::tenant::Overlay;
use super::{
    HashKey, Hint, KeyVerdict, RuleError, RuleIx, Scratch, announced, assignment, key_words, keys, landmarks,
    marker, network, people,
};

/// What is known of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInfo {
    /// Stable id, kebab-case.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it protects.
    pub category: Category,
    /// What happens to a match.
    pub action: Action,
    /// Higher wins; equal priorities: the longer span, then the smaller id.
    pub priority: i32,
    /// Taint remembers what it finds.
    pub secret: bool,
    /// Allowlists that name no rule do not reach it, and it cannot be switched off.
    pub protected: bool,
    /// The documented format, empty for rules that are code and for a tenant's.
    pub source: &'static str,
}

/// One shape of a family, ready to match.
pub(super) struct ShapeRow {
    pub(super) shape: Shape,
    pub(super) rule: RuleIx,
    pub(super) proof: Proof,
    /// Has a run without a useful upper bound.
    pub(super) open_ended: bool,
}

/// The built-in rules, compiled.
pub(super) struct Core {
    pub(super) infos: Vec<RuleInfo>,
    pub(super) shapes: Vec<ShapeRow>,
    pub(super) gate: Gate,
    pub(super) gazetteer: Gazetteer,
    /// Finds addresses of Key Vault. Most texts are short, so that building it costs more than the search.
    pub(super) vault: Finder<'static>,
}

/// Compiled rules, shared by all workers and by the tenants with the same rules.
pub struct RuleSet {
    pub(super) core: Arc<Core>,
    pub(super) overlay: Overlay,
    version: u32,
    /// No other set of this process has it.
    pub(super) serial: u64,
    /// SHA-256 of the file as it was parsed.
    file: [u8; 32],
}

fn serial() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Core {
    fn build() -> Self {
        let mut infos: Vec<RuleInfo> = rule::ROWS
            .iter()
            .map(|row| RuleInfo {
                id: row.id.to_owned(),
                name: row.name.to_owned(),
                category: row.category,
                action: Action::Redact,
                priority: row.priority,
                secret: row.secret,
                protected: row.protected,
                source: "",
            })
            .collect();
        let mut shapes = Vec::new();
        let mut literals: Vec<Literal> = Vec::new();
        for family in families::all() {
            let ix = RuleIx(u16::try_from(infos.len()).unwrap_or(u16::MAX));
            infos.push(RuleInfo {
                id: family.id.to_owned(),
                name: family.name.to_owned(),
                category: family.category,
                action: Action::Redact,
                priority: rule::TOKEN_PRIORITY,
                secret: family.secret,
                protected: false,
                source: family.source,
            });
            for notation in family.shapes {
                let shape = Shape::parse(notation);
                let number = u16::try_from(shapes.len()).unwrap_or(u16::MAX);
                for (text, at) in anchors(&shape) {
                    literals.push(Literal::of_shape(text, number, at, &shape));
                }
                let open_ended =
                    shape.parts.iter().any(|part| matches!(part, Part::Run { max, .. } if *max == RUN_MAX));
                shapes.push(ShapeRow { shape, rule: ix, proof: family.proof, open_ended });
            }
        }
        structural_literals(&mut literals);
        Self {
            infos,
            shapes,
            gate: Gate::build(literals),
            gazetteer: Gazetteer::build(),
            vault: Finder::new(b".vault.azure.net/"),
        }
    }
}

/// Literals of the rules that are code.
fn structural_literals(literals: &mut Vec<Literal>) {
    for word in key_words::SCREEN_WORDS {
        literals.push(Literal::new(word.as_bytes(), true, Trigger::Assignment));
    }
    for word in announced::LETTERED {
        literals.push(Literal::new(word.as_bytes(), true, Trigger::Announced));
    }
    literals.push(Literal::new(b"://", false, Trigger::Url));
    literals.push(Literal::new(b"BEGIN ", false, Trigger::Block));
    literals.push(Literal::new(b"PuTTY-User-Key-File", false, Trigger::Block));
    literals.push(Literal::new(b"$ANSIBLE_VAULT;", false, Trigger::Block));
    literals.push(Literal::new(b"eyJ", false, Trigger::Jwt));
    for scheme in assignment::SCHEMES {
        literals.push(Literal::beginning(scheme, true, Trigger::Header));
    }
    for (text, mark) in landmarks::literals() {
        let back = u8::try_from(rarest_window(text.as_bytes())).unwrap_or(u8::MAX);
        literals.push(Literal::new(text.as_bytes(), true, Trigger::Landmark { mark, back }));
    }
    for window in network::WINDOWS {
        literals.push(Literal::beginning(window, false, Trigger::Address));
    }
    for second in *b"cd" {
        for third in *b"0123456789abcdef" {
            literals.push(Literal::new(&[b'f', second, third], true, Trigger::Address));
        }
    }
}

/// Literals that every match of the shape holds, with their distance from the match's begin. Where the shape's literals are
/// short, the literal with all that may stand behind it.
pub(super) fn anchors(shape: &Shape) -> Vec<(Vec<u8>, usize)> {
    let mut offset = 0usize;
    let mut best: Option<(Vec<u8>, usize)> = None;
    let mut short: Vec<(usize, usize)> = Vec::new();
    for (i, part) in shape.parts.iter().enumerate() {
        match part {
            Part::Text(t) => {
                if t.len() >= 3 {
                    if best.as_ref().is_none_or(|(b, _)| t.len().min(6) > b.len().min(6)) {
                        best = Some((t.clone(), offset));
                    }
                } else {
                    short.push((i, offset));
                }
                offset += t.len();
            }
            Part::Run { min, max, .. } => {
                if min != max {
                    break;
                }
                offset += min;
            }
            Part::Open | Part::Close => {}
        }
    }
    if let Some(literal) = best {
        return vec![literal];
    }
    // Spread only here: what may stand behind a short literal are thousands of texts.
    let spreads = short.into_iter().filter_map(|(i, offset)| match &shape.parts[i] {
        Part::Text(text) => Some((spread(text, &shape.parts[i + 1..]), offset)),
        _ => None,
    });
    let first = spreads.into_iter().find(|(windows, _)| !windows.is_empty());
    first.map_or_else(Vec::new, |(windows, offset)| {
        windows.into_iter().map(|window| (window.to_vec(), offset)).collect()
    })
}

/// A short literal and everything that its neighbours to the right allow.
fn spread(text: &[u8], behind: &[Part]) -> Vec<[u8; 3]> {
    let mut heads: Vec<Vec<u8>> = vec![text.to_vec()];
    for part in behind {
        match part {
            Part::Text(t) => heads.iter_mut().for_each(|head| head.extend_from_slice(t)),
            Part::Run { class, min, .. } => {
                for _ in 0..(*min).min(3) {
                    if heads[0].len() >= 3 {
                        break;
                    }
                    heads = heads
                        .iter()
                        .flat_map(|head| {
                            (0..128u8).filter(|b| class.has(*b)).map(|b| {
                                let mut longer = head.clone();
                                longer.push(b);
                                longer
                            })
                        })
                        .collect();
                }
            }
            Part::Open | Part::Close => {}
        }
        if heads[0].len() >= 3 {
            break;
        }
    }
    heads.into_iter().filter(|h| h.len() >= 3).map(|h| [h[0], h[1], h[2]]).collect()
}

fn digest_of(file: &RuleFile) -> [u8; 32] {
    // INVARIANT: a rule file has no maps with keys that are no texts, which is all that JSON cannot take.
    let canonical = serde_json::to_vec(file).expect("a rule file is JSON");
    Sha256::digest(canonical).into()
}

impl RuleSet {
    /// The built-in rules. Builds them anew each time: share what comes back.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        Arc::new(Self {
            core: Arc::new(Core::build()),
            overlay: Overlay::default(),
            version: 1,
            serial: serial(),
            file: [0; 32],
        })
    }

    /// Built-in rules and what the file changes.
    ///
    /// # Errors
    /// The first rule that cannot be taken: its id and a constant reason, never its pattern.
    pub fn compile(file: &RuleFile) -> Result<Self, RuleError> {
        Self::builtin().with(file)
    }

    /// The same built-in core under another file: what a tenant's overlay costs is its own patterns.
    ///
    /// # Errors
    /// As [`RuleSet::compile`].
    pub fn with(&self, file: &RuleFile) -> Result<Self, RuleError> {
        let overlay = Overlay::compile(file, &self.core.infos)?;
        Ok(Self {
            core: Arc::clone(&self.core),
            overlay,
            version: file.version,
            serial: serial(),
            file: digest_of(file),
        })
    }

    /// Version of the file, 1 for the built-in set.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// SHA-256 over the built-in rules and the file: another rule set has another. Comments of the file do not count.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for info in &self.core.infos {
            let (category, secret, protected) = (info.category.as_str(), info.secret, info.protected);
            hash.update(format!("{} {category} {} {secret} {protected}\n", info.id, info.priority));
        }
        for notation in families::all().flat_map(|family| family.shapes) {
            hash.update(notation.as_bytes());
            hash.update(b"\n");
        }
        hash.update(self.file);
        hash.finalize().into()
    }

    /// What is known of a rule of this set.
    #[must_use]
    pub fn rule(&self, ix: RuleIx) -> &RuleInfo {
        let at = usize::from(ix.0);
        match self.core.infos.get(at) {
            Some(info) => self.overlay.changed.get(&ix.0).unwrap_or(info),
            None => &self.overlay.own[at - self.core.infos.len()].info,
        }
    }

    /// All rules with their index, built-in first.
    pub fn rules(&self) -> impl Iterator<Item = (RuleIx, &RuleInfo)> {
        let count = self.core.infos.len() + self.overlay.own.len();
        (0..count).filter_map(|at| u16::try_from(at).ok()).map(|at| (RuleIx(at), self.rule(RuleIx(at))))
    }

    /// What Terraform marks.
    #[must_use]
    pub fn mark_rule(&self) -> RuleIx {
        rule::MARK
    }

    /// Copies of known secrets.
    #[must_use]
    pub fn taint_rule(&self) -> RuleIx {
        rule::TAINT
    }

    /// Values above the cap.
    #[must_use]
    pub fn oversize_rule(&self) -> RuleIx {
        rule::OVERSIZE
    }

    /// The provider's `private` blob.
    #[must_use]
    pub fn private_rule(&self) -> RuleIx {
        rule::PRIVATE
    }

    /// What a key says. The slow way: memoise it per distinct key.
    #[must_use]
    pub fn classify_key(&self, key: &str) -> KeyVerdict {
        self.overlay.classify(key, keys::classify, self)
    }

    /// As [`RuleSet::classify_key`], for names that repeat.
    pub(super) fn classify_name(&self, key: &str, scratch: &mut Scratch) -> KeyVerdict {
        self.overlay.classify(key, |name| scratch.names.classify(name), self)
    }

    /// Whether a member is one half of a name/value pair.
    #[must_use]
    pub fn pair_part(&self, key: &str) -> Option<PairPart> {
        json::pair_part(key)
    }

    /// Number leaves, as they stand in the JSON: `Some` redacts the whole leaf.
    #[must_use]
    pub fn inspect_number(&self, raw: &str, key: KeyVerdict) -> Option<RuleIx> {
        match key {
            KeyVerdict::Sensitive(ix) => Some(ix),
            KeyVerdict::Context(context) => people::number_leaf(raw, context.hint),
            KeyVerdict::Plain => people::number_leaf(raw, Hint::None),
        }
        .filter(|ix| self.enabled(*ix) && self.rule(*ix).action != Action::Allow && !self.allowed(raw, *ix))
    }

    /// Appends the marker that stands for the value: `[REDACTED:credential]`, `[HASHED:pii:0123456789abcdef]`.
    pub fn replacement(&self, rule: RuleIx, value: &str, hash_key: &HashKey, out: &mut Vec<u8>) {
        let info = self.rule(rule);
        marker::write(info.category, info.action, || hash_key.digest(value), out);
    }

    /// The rule may fire: nobody switched it off.
    #[inline]
    #[must_use]
    pub fn enabled(&self, ix: RuleIx) -> bool {
        !self.overlay.disabled.contains(&ix.0)
    }
}
