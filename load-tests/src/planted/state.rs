//! Owns the document that the secrets are hidden in: outputs, resources with all their slots, check results. It must never need more
//! than one state in memory.

use super::families::{self, Family, Tell};
use super::leaf::{Leaf, Spot};
use super::lookalikes::{LOOK_ALIKES, LookAlike};
use super::page::{Escapes, Node, Page};
use super::place::{self, Hidden, NEUTRAL};
use super::{Fate, Planted, PlantedState, format, siblings};
use crate::generator::dice::Dice;

/// What a state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatePlan {
    /// Seed of everything.
    pub seed: u64,
    /// Which of the seed's states.
    pub index: u64,
    /// Secrets, at least; a secret in several parts or copies counts each.
    pub secrets: usize,
}

/// Look-alikes for each secret.
const LOOK_ALIKES_PER_SECRET: usize = 10;
/// Secrets in one resource at most.
const PER_RESOURCE: u32 = 3;
/// Domain of the dice, apart from the other generator's.
const DOMAIN: u64 = 0x70_6c_61_6e_74;

/// What is planted so far.
#[derive(Default)]
pub(super) struct Ledger {
    planted: Vec<Planted>,
    stays: usize,
}

/// Number of a ledger entry.
pub(super) struct Id(usize);

impl Id {
    pub(super) fn at(&self, start: usize, end: usize) -> Spot {
        Spot { start, end, id: self.0 }
    }
}

impl Ledger {
    pub(super) fn note(&mut self, family: &'static str, fate: Fate, text: &str) -> Id {
        self.planted.push(Planted { family, fate, place: String::new(), text: text.to_owned() });
        self.stays += usize::from(fate == Fate::Stays);
        Id(self.planted.len() - 1)
    }

    pub(super) fn len(&self) -> usize {
        self.planted.len()
    }

    pub(super) fn goes(&self, id: usize) -> bool {
        self.planted.get(id).is_some_and(|it| it.fate == Fate::Goes)
    }

    /// Says where everything from `first` on stands; in front of what is known already.
    pub(super) fn place(&mut self, first: usize, place: &str) {
        for planted in self.planted.iter_mut().skip(first) {
            planted.place = match planted.place.is_empty() {
                true => place.to_owned(),
                false => format!("{place}/{}", planted.place),
            };
        }
    }

    fn secrets(&self) -> usize {
        self.planted.len() - self.stays
    }
}

/// An instance under construction.
#[derive(Default)]
struct Instance {
    index_key: Option<Node>,
    deposed: bool,
    flat: bool,
    attributes: Vec<(Leaf, Node)>,
    marks: Vec<String>,
    identity: Vec<(Leaf, Node)>,
    private: Option<Leaf>,
}

const KINDS: &[(&str, &str)] = &[
    ("aws_ssm_parameter", "hashicorp/aws"),
    ("aws_instance", "hashicorp/aws"),
    ("aws_lambda_function", "hashicorp/aws"),
    ("google_compute_instance", "hashicorp/google"),
    ("azurerm_linux_virtual_machine", "hashicorp/azurerm"),
    ("kubernetes_config_map", "hashicorp/kubernetes"),
    ("helm_release", "hashicorp/helm"),
    ("github_repository_file", "integrations/github"),
    ("local_file", "hashicorp/local"),
    ("null_resource", "hashicorp/null"),
];

struct Writer {
    page: Page,
    ledger: Ledger,
    dice: Dice,
    families: Vec<Family>,
    turn: usize,
    /// A marked password of which copies stand elsewhere.
    shared: Option<String>,
    serial: u32,
}

/// Makes one state.
#[must_use]
pub fn plant(plan: &StatePlan) -> PlantedState {
    let families = families::all();
    let dice = Dice::new(plan.seed, DOMAIN, plan.index, 0);
    // Each state begins where the one before ended: all families get their turn equally often.
    let turn = usize::try_from(plan.index).unwrap_or(0) * plan.secrets;
    let pretty = plan.index.is_multiple_of(2);
    let mut writer = Writer {
        page: Page::new(pretty),
        ledger: Ledger::default(),
        dice,
        families,
        turn,
        shared: None,
        serial: 0,
    };
    writer.document(plan.secrets);
    PlantedState { bytes: writer.page.out, planted: writer.ledger.planted, spots: writer.page.spots }
}

impl Writer {
    fn document(&mut self, secrets: usize) {
        self.page.open(b'{');
        self.page.member("version", &Node::Number(Leaf::plain("4")));
        self.page.member("terraform_version", &Node::text("1.13.4"));
        self.page.member("serial", &Node::Number(Leaf::plain("7")));
        let lineage = format::sample(&mut self.dice, "{uuid}").text;
        self.page.member("lineage", &Node::text(lineage));
        self.page.key(&Leaf::plain("outputs"));
        self.outputs(secrets / 10);
        self.page.key(&Leaf::plain("resources"));
        self.page.open(b'[');
        while self.ledger.secrets() < secrets || self.shared.is_some() {
            self.page.item();
            self.resource();
        }
        self.page.close(b']');
        self.page.key(&Leaf::plain("check_results"));
        self.page.open(b'[');
        for _ in 0..secrets / 25 {
            self.page.item();
            self.check();
        }
        self.page.close(b']');
        self.page.close(b'}');
        self.page.out.push(b'\n');
    }

    fn next_family(&mut self) -> Family {
        self.turn += 1;
        self.families[self.turn % self.families.len()]
    }

    /// A number that is used once: names stay apart.
    fn ordinal(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    fn outputs(&mut self, count: usize) {
        self.page.open(b'{');
        // A copy of a secret whose mark comes only later.
        let shared = format::password(&mut self.dice);
        let first = self.ledger.len();
        let copy = self.copy_of(&shared);
        self.ledger.place(first, "output/copy-before-mark");
        self.output("summary", &copy, false);
        self.shared = Some(shared);
        for _ in 0..count {
            let family = self.next_family();
            let first = self.ledger.len();
            let (key, value) = self.hidden(&family);
            self.ledger.place(first, "output");
            let (key, node) = match self.dice.below(3) {
                0 => (format!("settings_{}", self.ordinal()), Node::Map(vec![(Leaf::plain(key), value)])),
                _ => (format!("{key}_{}", self.ordinal()), value),
            };
            self.output(&key, &node, false);
        }
        // A sensitive output: its mark stands behind its value.
        let first = self.ledger.len();
        let secret = format::sample(&mut self.dice, "{word} {b62:8} {word}");
        let value = place::plant(&mut self.ledger, "marked-output", &secret);
        self.ledger.place(first, "output/marked");
        self.output("greeting", &Node::Text(value, Escapes::Go), true);
        self.page.close(b'}');
    }

    fn output(&mut self, name: &str, value: &Node, sensitive: bool) {
        self.page.key(&Leaf::plain(name));
        self.page.open(b'{');
        self.page.member("value", value);
        if matches!(value, Node::Text(..)) {
            self.page.member("type", &Node::text("string"));
        } else {
            let types = Node::Map(vec![(Leaf::plain("value"), Node::text("string"))]);
            self.page.member("type", &Node::List(vec![Node::text("object"), types]));
        }
        if sensitive {
            self.page.member("sensitive", &Node::Literal("true"));
        }
        self.page.close(b'}');
    }

    /// Another value with the shared secret inside.
    fn copy_of(&mut self, shared: &str) -> Node {
        let mut leaf = Leaf::plain("started as ");
        let id = self.ledger.note("marked-password", Fate::Goes, shared);
        leaf.spots.push(id.at(leaf.text.len(), leaf.text.len() + shared.len()));
        leaf.push(shared);
        leaf.push(" on node 3");
        Node::Text(leaf, self.escapes())
    }

    fn escapes(&mut self) -> Escapes {
        match self.dice.below(12) {
            0 => Escapes::All,
            1 => Escapes::Slashes,
            2 => Escapes::Some,
            _ => Escapes::Go,
        }
    }

    /// A key and its value with a secret in it.
    fn hidden(&mut self, family: &Family) -> (String, Node) {
        let Hidden { mut leaf, key, .. } = place::hide(&mut self.ledger, &mut self.dice, family);
        let escapes = self.escapes();
        if escapes == Escapes::All && self.dice.one_in(2) && key.is_none() {
            // Outside of the basic plane: surrogate pairs in the document, and offsets that differ.
            let mut text = Leaf::plain("\u{1f511} ");
            text.append(&leaf);
            leaf = text;
        }
        let neutral = *self.dice.pick(NEUTRAL);
        (key.unwrap_or_else(|| neutral.to_owned()), Node::Text(leaf, escapes))
    }

    /// A number under a name that tells, for families that are digits only.
    fn number(&mut self, family: &Family) -> Option<(String, Node)> {
        let Tell::Person(keys, _) = family.tell else { return None };
        let sample = family.sample(&mut self.dice);
        let digits = sample.text.bytes().all(|b| b.is_ascii_digit()) && !sample.text.starts_with('0');
        if !digits {
            return None;
        }
        let first = self.ledger.len();
        let value = place::plant(&mut self.ledger, family.name, &sample);
        self.ledger.place(first, "number");
        Some(((*self.dice.pick(keys)).to_owned(), Node::Number(value)))
    }

    fn look_alike(&mut self) -> (String, Node) {
        let kind = *self.dice.pick::<LookAlike>(LOOK_ALIKES);
        let first = self.ledger.len();
        let mut value = place::look_alike(&mut self.ledger, &mut self.dice, &kind);
        let mut name = *self.dice.pick(kind.names);
        let mut place = "named";
        if kind.anywhere && self.dice.one_in(3) {
            name = *self.dice.pick(NEUTRAL);
            place = "neutral";
            if self.dice.one_in(2) && !value.text.contains('\n') {
                value = Leaf::around("taken from \u{2039}\u{203a} by the pipeline", &value);
                place = "sentence";
            }
        }
        self.ledger.place(first, place);
        (name.to_owned(), Node::Text(value, self.escapes()))
    }

    fn resource(&mut self) {
        let (kind, provider) = *self.dice.pick(KINDS);
        let name = format!("{}_{}", format::word(&mut self.dice), self.ordinal());
        let mode = if self.dice.one_in(6) { "data" } else { "managed" };
        self.page.open(b'{');
        if self.dice.one_in(2) {
            self.page.member("module", &Node::text("module.platform.module.data"));
        }
        self.page.member("mode", &Node::text(mode));
        self.page.member("type", &Node::text(kind));
        self.page.member("name", &Node::text(name));
        self.page.member("provider", &Node::text(format!("provider[\"registry.terraform.io/{provider}\"]")));
        self.page.key(&Leaf::plain("instances"));
        self.page.open(b'[');
        let count = 1 + self.dice.below(3) * u32::from(self.dice.one_in(4));
        for at in 0..count {
            let instance = self.instance(at, count > 1);
            self.page.item();
            self.write(&instance);
        }
        self.page.close(b']');
        self.page.close(b'}');
    }

    fn instance(&mut self, at: u32, keyed: bool) -> Instance {
        let mut instance = Instance { flat: self.dice.one_in(20), ..Instance::default() };
        instance.deposed = at > 0 && self.dice.one_in(3);
        if keyed && !instance.deposed {
            let key = format!("blue-{at}");
            instance.index_key = Some(Node::text(key));
        }
        let before = self.ledger.secrets();
        let slot = if instance.deposed { "deposed" } else { "attribute" };
        if let Some(shared) = self.shared.take_if(|_| self.serial > 6) {
            self.mark(&mut instance, &shared);
        }
        for _ in 0..self.dice.between(1, PER_RESOURCE) {
            self.one_secret(&mut instance, slot, at);
        }
        let wanted = (self.ledger.secrets() - before) * LOOK_ALIKES_PER_SECRET + 2;
        for _ in 0..wanted {
            let (name, node) = self.look_alike();
            self.add(&mut instance.attributes, name, node);
        }
        instance
    }

    /// A member under a name that is free, or below one that is.
    fn add(&mut self, members: &mut Vec<(Leaf, Node)>, name: String, node: Node) {
        if members.iter().any(|(known, _)| known.text == name) {
            let block = format!("block_{}", self.ordinal());
            members.push((Leaf::plain(block), Node::List(vec![Node::Map(vec![(Leaf::plain(name), node)])])));
        } else {
            members.push((Leaf::plain(name), node));
        }
    }

    /// A marked attribute of no form, and a copy behind it.
    fn mark(&mut self, instance: &mut Instance, shared: &str) {
        let first = self.ledger.len();
        let sample = super::Sample::whole(shared.to_owned());
        let marked = place::plant(&mut self.ledger, "marked-password", &sample);
        self.ledger.place(first, "marked");
        let first = self.ledger.len();
        let copy = self.copy_of(shared);
        self.ledger.place(first, "copy-after-mark");
        instance.attributes.push((Leaf::plain("greeting"), Node::Text(marked, Escapes::Go)));
        instance.attributes.push((Leaf::plain("startup_note"), copy));
        instance.marks.push("greeting".to_owned());
        instance.flat = false;
    }

    fn one_secret(&mut self, instance: &mut Instance, slot: &str, at: u32) {
        let family = self.next_family();
        let first = self.ledger.len();
        if self.dice.one_in(4)
            && let Some((name, node)) = self.number(&family)
        {
            self.add(&mut instance.attributes, name, node);
            self.ledger.place(first, slot);
            return;
        }
        let Hidden { leaf, key, fits_key, .. } = match self.dice.below(20) {
            0 => {
                let (name, node) = self.hidden(&family);
                self.add(&mut instance.identity, name, node);
                self.ledger.place(first, "identity");
                return;
            }
            1 if instance.private.is_none() => {
                let sample = family.sample(&mut self.dice);
                let value = place::plant(&mut self.ledger, family.name, &sample);
                let mut document = Leaf::plain("{\"schema_version\":\"1\",\"data\":\"");
                document.append(&value.in_json());
                document.push("\"}");
                instance.private = Some(document.base64(super::leaf::Base64::Standard));
                self.ledger.place(first, "private");
                return;
            }
            2 if !instance.flat => {
                let (name, node) = siblings::object(&mut self.ledger, &mut self.dice, &family);
                self.add(&mut instance.attributes, name, node);
                self.ledger.place(first, slot);
                return;
            }
            _ => place::hide(&mut self.ledger, &mut self.dice, &family),
        };
        let escapes = self.escapes();
        if fits_key && key.is_none() && !instance.flat && self.dice.one_in(3) {
            if instance.index_key.is_some() || at > 0 || self.dice.one_in(2) {
                let map = Node::Map(vec![(leaf, Node::text("enabled"))]);
                let name = format!("members_{}", self.ordinal());
                instance.attributes.push((Leaf::plain(name), map));
                self.ledger.place(first, "map-key");
            } else {
                instance.index_key = Some(Node::Text(leaf, escapes));
                self.ledger.place(first, "index-key");
            }
            return;
        }
        let name = key.unwrap_or_else(|| (*self.dice.pick(NEUTRAL)).to_owned());
        let node = match self.dice.below(5) {
            0 if !instance.flat => Node::List(vec![Node::Text(leaf, escapes)]),
            _ => Node::Text(leaf, escapes),
        };
        self.add(&mut instance.attributes, name, node);
        self.ledger.place(first, if instance.flat { "attributes-flat" } else { slot });
    }

    fn write(&mut self, instance: &Instance) {
        self.page.open(b'{');
        if let Some(key) = &instance.index_key {
            self.page.member("index_key", key);
        }
        if instance.deposed {
            self.page.member("deposed", &Node::text("0a1b2c3d"));
        }
        self.page.member("schema_version", &Node::Number(Leaf::plain("0")));
        if instance.flat {
            let mut flat = Vec::new();
            for (key, node) in &instance.attributes {
                flatten(key, node, &mut flat);
            }
            self.page.member("attributes_flat", &Node::Map(flat));
        } else {
            self.page.member("attributes", &Node::Map(instance.attributes.clone()));
        }
        let marks = instance.marks.iter().map(|name| {
            Node::List(vec![Node::Map(vec![
                (Leaf::plain("type"), Node::text("get_attr")),
                (Leaf::plain("value"), Node::text(name.as_str())),
            ])])
        });
        self.page.member("sensitive_attributes", &Node::List(marks.collect()));
        if !instance.identity.is_empty() {
            self.page.member("identity_schema_version", &Node::Number(Leaf::plain("0")));
            self.page.member("identity", &Node::Map(instance.identity.clone()));
        }
        if let Some(private) = &instance.private {
            self.page.member("private", &Node::Text(private.clone(), Escapes::Go));
        }
        self.page.close(b'}');
    }

    fn check(&mut self) {
        let family = self.next_family();
        let first = self.ledger.len();
        let mut hidden = place::hide(&mut self.ledger, &mut self.dice, &family);
        // A line of `.pgpass` is one only from its begin.
        let line = hidden.place.starts_with("command-pgpass");
        let mut leaf = Leaf::plain(if line { "Condition failed:\n" } else { "Condition failed: " });
        if let Some(key) = &hidden.key {
            leaf.push(&format!("{key}=\""));
        }
        leaf.append(&std::mem::take(&mut hidden.leaf));
        if hidden.key.is_some() {
            leaf.push("\"");
        }
        self.ledger.place(first, "check-message");
        let number = self.ordinal();
        let address = format!("check.health_{number}");
        self.page.open(b'{');
        self.page.member("object_kind", &Node::text("check"));
        self.page.member("config_addr", &Node::text(address.clone()));
        self.page.member("status", &Node::text("fail"));
        let messages = Node::List(vec![Node::Text(leaf, Escapes::Go)]);
        let object = Node::Map(vec![
            (Leaf::plain("object_addr"), Node::text(address)),
            (Leaf::plain("status"), Node::text("fail")),
            (Leaf::plain("failure_messages"), messages),
        ]);
        self.page.member("objects", &Node::List(vec![object]));
        self.page.close(b'}');
    }
}

/// As Terraform 0.11 wrote attributes: paths joined by dots.
fn flatten(key: &Leaf, node: &Node, out: &mut Vec<(Leaf, Node)>) {
    match node {
        Node::List(items) => {
            for (at, item) in items.iter().enumerate() {
                let mut path = key.clone();
                path.push(&format!(".{at}"));
                flatten(&path, item, out);
            }
        }
        Node::Map(members) => {
            for (name, member) in members {
                let mut path = key.clone();
                path.push(".");
                path.append(name);
                flatten(&path, member, out);
            }
        }
        Node::Number(leaf) => out.push((key.clone(), Node::Text(leaf.clone(), Escapes::Go))),
        _ => out.push((key.clone(), node.clone())),
    }
}
