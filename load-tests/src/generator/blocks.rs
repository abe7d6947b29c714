//! Owns who a resource is: its type, address, keys and dependencies, from (seed, index) alone; and when it changes, vanishes and
//! comes back, from the generation. It must never depend on what was written before.

use super::StateSpec;
use super::canary::{Canary, Category};
use super::catalogue::{Catalogue, Compiled};
use super::dice::{Dice, mix};
use super::resource::Keys;
use super::scene::{Scene, instance_id};
use super::secrets::FAMILIES;
use super::stream::domain;

/// A resource changes once in this many generations, each in its own one.
const CHANGE_PERIOD: u64 = 16;

/// Which template stands at an index.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Heartbeat,
    Shared,
    Ordinary(u64),
    Carrier(u64),
    Filler,
}

impl Kind {
    pub(crate) fn of(spec: &StateSpec, index: u64) -> Self {
        let draw = mix(spec.seed, index, 11);
        match index {
            0 => Self::Heartbeat,
            1 if spec.canaries.per_hundred > 0 => Self::Shared,
            _ if draw % 100 < u64::from(spec.canaries.per_hundred) => Self::Carrier(draw >> 16),
            _ => Self::Ordinary(draw >> 16),
        }
    }

    pub(crate) fn template(self, catalogue: &'static Catalogue) -> &'static Compiled {
        let turn = |table: &'static [Compiled], draw: u64| {
            let size = u64::try_from(table.len()).unwrap_or(1);
            &table[usize::try_from(draw % size).unwrap_or(0)]
        };
        match self {
            Self::Heartbeat => &catalogue.heartbeat,
            Self::Shared => &catalogue.shared,
            Self::Filler => &catalogue.filler,
            Self::Ordinary(draw) => turn(&catalogue.ordinary, draw),
            Self::Carrier(draw) => turn(&catalogue.carriers, draw),
        }
    }
}

/// A resource's identity in one generation.
pub(crate) struct Block {
    pub(crate) module: Option<String>,
    pub(crate) name: String,
    pub(crate) instances: u32,
    pub(crate) deposed: bool,
    pub(crate) dependencies: Vec<String>,
    pub(crate) create_before_destroy: bool,
    pub(crate) revision: u64,
    index: u64,
    keying: Keying,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keying {
    None,
    Count,
    ForEach,
    Emails,
}

/// An instance key: decoded, and as JSON (empty: no key).
pub(crate) struct InstanceKey {
    pub(crate) text: String,
    pub(crate) json: String,
}

const NAMES: &[&str] =
    &["main", "this", "orders", "billing", "gateway", "worker", "search", "ledger", "edge", "jobs"];
const KEYS: &[&str] = &["blue", "green", "eu-west", "us-east", "api", "worker", "canary", "batch"];
const MODULES: &[&str] = &[
    "module.network",
    "module.platform.module.data",
    "module.service[\"checkout\"]",
    "module.cell[0]",
    "module.cell[1].module.queue[\"high\"]",
];

impl Block {
    /// The resource at an index; `None` while it is removed.
    pub(crate) fn at(
        spec: &StateSpec,
        catalogue: &'static Catalogue,
        index: u64,
        kind: Kind,
    ) -> Option<Self> {
        if kind != Kind::Filler && !present(spec, index) {
            return None;
        }
        let resource = &kind.template(catalogue).resource;
        let mut dice = Dice::new(spec.seed, domain::SHAPE, index, 0);
        let (module, name) = address(&mut dice, kind, index);
        let keying = match resource.keys {
            Keys::Single => Keying::None,
            Keys::Emails => Keying::Emails,
            Keys::Any => match dice.below(20) {
                0..=2 => Keying::Count,
                3..=6 => Keying::ForEach,
                _ => Keying::None,
            },
        };
        let instances = if keying == Keying::None { 1 } else { dice.between(2, 4) };
        let deposed = resource.mode == "managed" && kind != Kind::Filler && index > 1 && dice.one_in(60);
        let create_before_destroy = resource.mode == "managed" && dice.one_in(8);
        let wanted = if kind == Kind::Filler || index < 2 { 0 } else { dice.below(4) };
        let mut dependencies: Vec<String> =
            (0..wanted).filter_map(|_| dependency(spec, catalogue, index, &mut dice)).collect();
        dependencies.sort_unstable();
        dependencies.dedup();
        Some(Self {
            module,
            name,
            instances,
            deposed,
            dependencies,
            create_before_destroy,
            revision: revision(spec, index, kind),
            index,
            keying,
        })
    }

    /// Gives the scene the ids of one instance: the same in every generation.
    pub(crate) fn seal(&self, spec: &StateSpec, at: u32, scene: &mut Scene<'_>) {
        let mut dice = Dice::new(spec.seed, domain::SHAPE, self.index, u64::from(at) + 1);
        scene.id = instance_id(&mut dice);
        scene.uid = dice.uuid();
    }

    /// The key of an instance. An e-mail address is recorded as planted.
    pub(crate) fn key(&self, at: u32, scene: &mut Scene<'_>) -> InstanceKey {
        let text = match self.keying {
            Keying::None => String::new(),
            Keying::Count => return InstanceKey { text: at.to_string(), json: at.to_string() },
            Keying::ForEach => {
                let start = usize::try_from(self.index % 5).unwrap_or(0);
                KEYS[(start + usize::try_from(at).unwrap_or(0)) % KEYS.len()].to_owned()
            }
            Keying::Emails => {
                let mut dice = Dice::new(scene.facts.seed, domain::SHAPE, self.index, u64::from(at) + 100);
                let email = FAMILIES.iter().find(|family| family.name == "email");
                let text = email.map(|family| (family.make)(&mut dice).text).unwrap_or_default();
                if let Some(canaries) = scene.canaries.as_deref_mut() {
                    let category = Category::Pii.name();
                    canaries.push(Canary {
                        text: text.clone(),
                        family: "email",
                        category,
                        place: "index-key",
                    });
                }
                text
            }
        };
        let json = if text.is_empty() { String::new() } else { format!("\"{text}\"") };
        InstanceKey { text, json }
    }
}

fn address(dice: &mut Dice, kind: Kind, index: u64) -> (Option<String>, String) {
    let module = (dice.below(5) > 1 && index > 1).then(|| (*dice.pick(MODULES)).to_owned());
    let stem = match kind {
        Kind::Heartbeat => "heartbeat",
        Kind::Shared => "operator",
        Kind::Filler => "marker",
        Kind::Ordinary(_) | Kind::Carrier(_) => dice.pick(NAMES),
    };
    (module, format!("{stem}_{index}"))
}

/// The address of an earlier resource that is there, without instance keys.
fn dependency(
    spec: &StateSpec,
    catalogue: &'static Catalogue,
    index: u64,
    dice: &mut Dice,
) -> Option<String> {
    let back = u64::from(dice.between(1, 12));
    let target = index.checked_sub(back)?;
    if !present(spec, target) {
        return None;
    }
    let kind = Kind::of(spec, target);
    let mut shape = Dice::new(spec.seed, domain::SHAPE, target, 0);
    let (module, name) = address(&mut shape, kind, target);
    let resource = &kind.template(catalogue).resource;
    let mut out = String::new();
    // Dependencies name the configuration: modules without their keys.
    for part in module.iter().flat_map(|module| module.split('.')) {
        out.push_str(part.split('[').next().unwrap_or(part));
        out.push('.');
    }
    if resource.mode == "data" {
        out.push_str("data.");
    }
    Some(format!("{out}{}.{name}", resource.kind))
}

/// How often a resource has changed by this generation.
fn revision(spec: &StateSpec, index: u64, kind: Kind) -> u64 {
    let generation = u64::from(spec.generation);
    match kind {
        Kind::Heartbeat => generation,
        Kind::Shared | Kind::Filler => 0,
        _ => (generation + mix(spec.seed, index, 12) % CHANGE_PERIOD) / CHANGE_PERIOD,
    }
}

/// Whether it exists: all do at first, later each is drawn anew once a period, one in three is then gone for a while.
fn present(spec: &StateSpec, index: u64) -> bool {
    let turn = (u64::from(spec.generation) + mix(spec.seed, index, 13) % CHANGE_PERIOD) / CHANGE_PERIOD;
    index < 2 || turn == 0 || !mix(spec.seed, index, 14 + turn).is_multiple_of(3)
}
