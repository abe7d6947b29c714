//! Owns the order of a state document: head, outputs, resources one by one, check results. Holds one resource at a time.
//! It must never need the whole document, nor depend on how its output is cut into chunks.

use super::blocks::{Block, Kind};
use super::canary::Canary;
use super::catalogue::{Catalogue, Compiled, catalogue};
use super::dice::Dice;
use super::page::Page;
use super::scene::{Facts, Scene, instance_id};
use super::{StateSize, StateSpec};
use bytes::Bytes;

/// How many bytes a chunk has by default.
const CHUNK_BYTES: usize = 64 * 1024;
/// What the end of a document takes at most, check results included.
const TAIL_BYTES: u64 = 1_200;
/// Below this distance to the wanted size only fillers are written, which are small.
const LANDING_BYTES: u64 = 24_000;
/// About what a filler takes.
const FILLER_BYTES: u64 = 520;

/// Domains of the dice.
pub(crate) mod domain {
    pub(crate) const FACTS: u64 = 1;
    pub(crate) const OUTPUTS: u64 = 2;
    pub(crate) const SHAPE: u64 = 3;
    pub(crate) const CONTENT: u64 = 4;
    pub(crate) const LINEAGE: u64 = 5;
    pub(crate) const CHECKS: u64 = 6;
}

/// What a generated document came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateSummary {
    /// Length in bytes.
    pub bytes: u64,
    /// Entries of `resources`.
    pub resources: u64,
    /// Instances of all resources, deposed ones included.
    pub instances: u64,
}

enum Step {
    Head,
    Block(u64),
    Tail,
    Done,
}

/// A state document as an iterator of chunks; it never waits, so `futures_util::stream::iter` makes an HTTP body of it. Constant
/// memory: one resource and one chunk.
pub struct StateStream {
    spec: StateSpec,
    facts: Facts,
    catalogue: &'static Catalogue,
    page: Page,
    step: Step,
    flushed: u64,
    chunk_bytes: usize,
    summary: StateSummary,
    canaries: Option<Vec<Canary>>,
}

impl StateStream {
    /// Starts a document; canaries are planted and forgotten.
    #[must_use]
    pub fn new(spec: StateSpec) -> Self {
        let catalogue = catalogue(spec.layout);
        let facts = facts(&spec, catalogue);
        Self {
            page: Page::new(spec.layout),
            spec,
            facts,
            catalogue,
            step: Step::Head,
            flushed: 0,
            chunk_bytes: CHUNK_BYTES,
            summary: StateSummary::default(),
            canaries: None,
        }
    }

    /// Remembers what it plants, for [`StateStream::take_canaries`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.canaries = Some(Vec::new());
        self
    }

    /// Chunks of about this many bytes; the last one of a resource may be larger.
    #[must_use]
    pub fn chunk_bytes(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes.max(1);
        self
    }

    /// What was planted so far, or since the last call.
    pub fn take_canaries(&mut self) -> Vec<Canary> {
        self.canaries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What was written so far.
    #[must_use]
    pub fn summary(&self) -> StateSummary {
        StateSummary { bytes: self.written(), ..self.summary }
    }

    fn written(&self) -> u64 {
        self.flushed + u64::try_from(self.page.out.len()).unwrap_or(u64::MAX)
    }

    fn advance(&mut self) {
        self.step = match self.step {
            Step::Head => {
                self.head();
                Step::Block(0)
            }
            Step::Block(index) => match self.kind_of(index) {
                None => Step::Tail,
                Some(kind) => {
                    self.block(index, kind);
                    Step::Block(index + 1)
                }
            },
            Step::Tail => {
                self.tail();
                Step::Done
            }
            Step::Done => Step::Done,
        };
    }

    /// What stands at an index; `None` behind the last resource.
    fn kind_of(&self, index: u64) -> Option<Kind> {
        let kind = Kind::of(&self.spec, index);
        match self.spec.size {
            StateSize::Resources(count) => {
                let grown = u64::from(count) + u64::from(self.spec.generation / 4).min(16);
                (index < grown).then_some(kind)
            }
            StateSize::Bytes(target) => {
                let left = target.saturating_sub(self.written() + TAIL_BYTES);
                match kind {
                    Kind::Heartbeat | Kind::Shared => Some(kind),
                    _ if left < FILLER_BYTES => None,
                    _ if left < LANDING_BYTES.min(target / 8) => Some(Kind::Filler),
                    _ => Some(kind),
                }
            }
        }
    }

    fn head(&mut self) {
        let page = &mut self.page;
        page.open(b'{');
        page.key("version");
        page.raw("4");
        page.key("terraform_version");
        page.text(&self.spec.terraform_version);
        page.key("serial");
        page.raw(&self.spec.serial.to_string());
        page.key("lineage");
        page.text(&self.spec.lineage());
        page.key("outputs");
        page.open(b'{');
        let dice = Dice::new(self.spec.seed, domain::OUTPUTS, 0, u64::from(self.spec.generation / 4));
        let mut scene = scene(&self.facts, dice, u64::MAX / 2, self.canaries.as_mut());
        for (name, plants, body) in &self.catalogue.outputs {
            if *plants && !self.facts.planting {
                continue;
            }
            self.page.key(name);
            body.render(&mut self.page.out, &mut scene);
        }
        self.page.close(b'}');
        self.page.key("resources");
        self.page.open(b'[');
    }

    fn tail(&mut self) {
        self.page.close(b']');
        self.page.key("check_results");
        self.page.open(b'[');
        let dice = Dice::new(self.spec.seed, domain::CHECKS, 0, u64::from(self.spec.generation / 4));
        let mut scene = scene(&self.facts, dice, u64::MAX / 4, self.canaries.as_mut());
        for (plants, body) in &self.catalogue.checks {
            if *plants && !self.facts.planting {
                continue;
            }
            self.page.item();
            body.render(&mut self.page.out, &mut scene);
        }
        self.page.close(b']');
        self.page.close(b'}');
        self.page.out.push(b'\n');
    }

    fn block(&mut self, index: u64, kind: Kind) {
        let Some(block) = Block::at(&self.spec, self.catalogue, index, kind) else { return };
        let compiled = kind.template(self.catalogue);
        let resource = &compiled.resource;
        self.summary.resources += 1;
        let page = &mut self.page;
        page.item();
        page.open(b'{');
        if let Some(module) = &block.module {
            page.key("module");
            page.text(module);
        }
        page.key("mode");
        page.raw_text(resource.mode);
        page.key("type");
        page.raw_text(resource.kind);
        page.key("name");
        page.raw_text(&block.name);
        page.key("provider");
        page.text(&provider(resource.provider));
        page.key("instances");
        page.open(b'[');
        let content = Dice::new(self.spec.seed, domain::CONTENT, index, block.revision);
        let mut scene = scene(&self.facts, content, index, self.canaries.as_mut());
        scene.name = &block.name;
        for at in 0..block.instances {
            block.seal(&self.spec, at, &mut scene);
            let key = block.key(at, &mut scene);
            scene.key = key.text;
            self.page.item();
            instance(&mut self.page, compiled, &block, &key.json, None, &mut scene);
            self.summary.instances += 1;
        }
        if block.deposed {
            let mark = scene.dice.text(super::dice::HEX, 8);
            self.page.item();
            instance(&mut self.page, compiled, &block, "", Some(&mark), &mut scene);
            self.summary.instances += 1;
        }
        self.page.close(b']');
        self.page.close(b'}');
    }
}

fn instance(
    page: &mut Page,
    compiled: &Compiled,
    block: &Block,
    key: &str,
    deposed: Option<&str>,
    scene: &mut Scene<'_>,
) {
    page.open(b'{');
    if !key.is_empty() {
        page.key("index_key");
        page.raw(key);
    }
    if let Some(mark) = deposed {
        page.key("deposed");
        page.raw_text(mark);
    }
    page.key("schema_version");
    page.raw(compiled.resource.schema_version);
    page.key("attributes");
    compiled.attributes.render(&mut page.out, scene);
    page.key("sensitive_attributes");
    page.raw(&compiled.marks);
    if let Some(identity) = &compiled.identity {
        page.key("identity_schema_version");
        page.raw("0");
        page.key("identity");
        identity.render(&mut page.out, scene);
    }
    if !compiled.resource.private.is_empty() {
        page.key("private");
        page.out.push(b'"');
        compiled.private.render(&mut page.out, scene);
        page.out.push(b'"');
    }
    if !block.dependencies.is_empty() {
        page.key("dependencies");
        page.open(b'[');
        for dependency in &block.dependencies {
            page.item();
            page.text(dependency);
        }
        page.close(b']');
    }
    if block.create_before_destroy {
        page.key("create_before_destroy");
        page.raw("true");
    }
    page.close(b'}');
}

/// The provider's address in a state; the built-in one has its own host.
fn provider(short: &str) -> String {
    match short.strip_prefix("terraform.io/") {
        Some(builtin) => format!("provider[\"terraform.io/{builtin}\"]"),
        None => format!("provider[\"registry.terraform.io/{short}\"]"),
    }
}

fn facts(spec: &StateSpec, catalogue: &'static Catalogue) -> Facts {
    let mut dice = Dice::new(spec.seed, domain::FACTS, 0, 0);
    Facts {
        seed: spec.seed,
        account: format!("{}{}", dice.between(1, 9), dice.text(super::dice::DIGITS, 11)),
        region: dice.pick::<&str>(&["eu-central-1", "us-east-1", "ap-southeast-2"]),
        project: format!("shop-{}-{}", dice.pick(&["prod", "stage"]), dice.text(super::dice::HEX, 6)),
        shared: dice.text(super::dice::BASE62, 24),
        aligned: std::cell::Cell::default(),
        planting: spec.canaries.per_hundred > 0,
        texts: &catalogue.texts,
        any: &catalogue.any,
    }
}

fn scene<'a>(
    facts: &'a Facts,
    mut dice: Dice,
    index: u64,
    canaries: Option<&'a mut Vec<Canary>>,
) -> Scene<'a> {
    let id = instance_id(&mut dice);
    let uid = dice.uuid();
    let turn = usize::try_from(index % 1_000_003).unwrap_or(0);
    Scene {
        facts,
        dice,
        name: "",
        key: String::new(),
        id,
        uid,
        rotation: turn * 7 + usize::try_from(facts.seed % 97).unwrap_or(0),
        address: (index % 1_000_003) * 40,
        place: None,
        spans: Vec::new(),
        canaries,
    }
}

impl Iterator for StateStream {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        while !matches!(self.step, Step::Done) && self.page.out.len() < self.chunk_bytes {
            self.advance();
        }
        if self.page.out.is_empty() {
            return None;
        }
        let spare = Vec::with_capacity(self.chunk_bytes.min(CHUNK_BYTES) + 16 * 1024);
        let full = std::mem::replace(&mut self.page.out, spare);
        self.flushed += u64::try_from(full.len()).unwrap_or(u64::MAX);
        Some(Bytes::from(full))
    }
}
