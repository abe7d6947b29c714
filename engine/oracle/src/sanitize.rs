//! The slow sanitizer: a recursive walk over the tree, cuts collected on the way and made at the end.
//!
//! Knows documents whose parts are all below the engine's cap. Must never decide by anything but the tree, the rules and
//! the known secrets.

use std::collections::BTreeMap;

use terrasift_engine::detect::{HashKey, Hit, KeyVerdict, RuleIx, RuleSet};
use terrasift_engine::sift::{marked_by_schema, writes_marks};
use terrasift_schemas::detection::{Detection, Report};

use crate::around::{Around, NOTHING};
use crate::asked::Asked;
use crate::json::{self, Member, Node, Text, Value};
use crate::known::Known;
use crate::marks::{self, Path};
use crate::shape::is_state;
use crate::spans::{Span, is_marker, is_type_word, telling_step, unite};
use crate::taken::Taken;

/// The key that hashes are made with.
pub const HASH_KEY: [u8; 32] = [9; 32];

/// Detections that are listed; the rest is counted.
const LISTED_MAX: usize = 10_000;

/// What a document becomes.
#[derive(Debug, PartialEq, Eq)]
pub struct Sanitized {
    /// The document without its secrets.
    pub bytes: Vec<u8>,
    /// What was found.
    pub report: Report,
}

/// What the oracle knows of a document in two passes.
pub struct Judged {
    /// What comes out.
    pub sanitized: Sanitized,
    /// Pointers of values that hold a copy of a known secret.
    pub copied: Vec<String>,
}

/// A piece of the document that is replaced.
struct Cut {
    from: usize,
    to: usize,
    with: Vec<u8>,
}

struct Slow<'d> {
    rules: &'d RuleSet,
    document: &'d str,
    known: Known,
    /// The state's own marks are complete.
    marked: bool,
    learn: bool,
    find: bool,
    asked: &'d mut Asked,
    hash_key: HashKey,
    pointer: Vec<String>,
    cuts: Vec<Cut>,
    detections: Vec<Detection>,
    copied: Vec<String>,
}

/// Two passes: the first one learns, the second one redacts. `None`: refused.
#[must_use]
pub fn two_pass(rules: &RuleSet, document: &[u8]) -> Option<Judged> {
    let (document, top) = open(document)?;
    let mut asked = Asked::default();
    let mut first = Slow::new(rules, document, &mut asked, Known::default(), (true, false));
    first.document(&top);
    let known = first.known;
    let mut second = Slow::new(rules, document, &mut asked, known, (false, true));
    second.document(&top);
    let copied = std::mem::take(&mut second.copied);
    Some(Judged { sanitized: second.finish(), copied })
}

/// One pass, that knows at each place what stood before it. `None`: refused.
#[must_use]
pub fn forward(rules: &RuleSet, document: &[u8]) -> Option<Sanitized> {
    let (document, top) = open(document)?;
    let mut asked = Asked::default();
    let mut only = Slow::new(rules, document, &mut asked, Known::default(), (true, true));
    only.document(&top);
    Some(only.finish())
}

fn open(document: &[u8]) -> Option<(&str, Value)> {
    let document = std::str::from_utf8(document).ok()?;
    let top = json::read(document)?;
    is_state(document, &top).then_some((document, top))
}

fn members(value: &Value) -> &[Member] {
    match &value.node {
        Node::Object(members) => members,
        _ => &[],
    }
}

fn items(value: &Value) -> &[Value] {
    match &value.node {
        Node::List(items) => items,
        _ => &[],
    }
}

impl<'d> Slow<'d> {
    fn new(
        rules: &'d RuleSet,
        document: &'d str,
        asked: &'d mut Asked,
        known: Known,
        (learn, find): (bool, bool),
    ) -> Self {
        Self {
            rules,
            document,
            known,
            marked: false,
            learn,
            find,
            asked,
            hash_key: HashKey::new(HASH_KEY),
            pointer: Vec::new(),
            cuts: Vec::new(),
            detections: Vec::new(),
            copied: Vec::new(),
        }
    }

    fn finish(mut self) -> Sanitized {
        self.cuts.sort_by_key(|cut| cut.from);
        let mut bytes = Vec::new();
        let mut at = 0;
        for cut in &self.cuts {
            bytes.extend_from_slice(&self.document.as_bytes()[at..cut.from]);
            bytes.extend_from_slice(&cut.with);
            at = cut.to;
        }
        bytes.extend_from_slice(&self.document.as_bytes()[at..]);
        let mut counts = BTreeMap::new();
        for detection in &self.detections {
            *counts.entry(detection.category).or_insert(0) += 1;
        }
        let truncated = self.detections.len().saturating_sub(LISTED_MAX);
        self.detections.truncate(LISTED_MAX);
        let truncated = u64::try_from(truncated).unwrap_or(u64::MAX);
        Sanitized { bytes, report: Report { detections: self.detections, counts, truncated } }
    }

    fn document(&mut self, top: &Value) {
        let mut taken = Taken::default();
        for member in members(top) {
            let verdict = self.key(&member.key, false, &mut taken);
            match member.key.text.as_str() {
                "terraform_version" => {
                    let version = self.document[member.value.from..member.value.to].trim_matches('"');
                    self.marked = writes_marks(version);
                    self.value(&member.value, Around::key(verdict), &[]);
                }
                "resources" => self.each(&member.value, Self::resource),
                "outputs" => self.outputs(&member.value),
                _ => self.value(&member.value, Around::key(verdict), &[]),
            }
            self.pointer.pop();
        }
    }

    fn each(&mut self, list: &Value, mut item: impl FnMut(&mut Self, &Value)) {
        for (index, value) in items(list).iter().enumerate() {
            self.pointer.push(index.to_string());
            item(self, value);
            self.pointer.pop();
        }
    }

    fn resource(&mut self, resource: &Value) {
        let (mut taken, mut index_keys) = (Taken::default(), Taken::default());
        let mut of_schema = Vec::new();
        for member in members(resource) {
            self.key(&member.key, false, &mut taken);
            if member.key.text == "type" {
                let name = self.document[member.value.from..member.value.to].trim_matches('"');
                of_schema =
                    marked_by_schema(name, self.marked).iter().map(|path| marks::of_schema(path)).collect();
            }
            if member.key.text == "instances" {
                self.each(&member.value, |slow, it| slow.instance(it, &of_schema, &mut index_keys));
            } else {
                self.value(&member.value, NOTHING, &[]);
            }
            self.pointer.pop();
        }
    }

    fn instance(&mut self, instance: &Value, of_schema: &[Path], index_keys: &mut Taken) {
        let marks = members(instance).iter().find(|m| m.key.text == "sensitive_attributes");
        let mut paths =
            marks.map_or_else(Vec::new, |m| marks::read(&self.document[m.value.from..m.value.to]));
        paths.extend_from_slice(of_schema);
        let mut taken = Taken::default();
        for member in members(instance) {
            let verdict = self.key(&member.key, false, &mut taken);
            let value = &member.value;
            match member.key.text.as_str() {
                "attributes" => self.value(value, NOTHING, &paths),
                "attributes_flat" => self.flat(value, &paths),
                "private" => self.value(value, Around::forced(self.rules.private_rule(), false), &[]),
                "index_key" => self.index_key(value, index_keys),
                "sensitive_attributes" | "deposed" | "dependencies" | "identity" => {
                    self.value(value, NOTHING, &[]);
                }
                _ => self.value(value, Around::key(verdict), &[]),
            }
            self.pointer.pop();
        }
    }

    /// `attributes_flat`: marks speak about the heads of its keys.
    fn flat(&mut self, value: &Value, paths: &[Path]) {
        let whole = paths.iter().any(Path::is_whole);
        let around = if whole { Around::forced(self.rules.mark_rule(), true) } else { NOTHING };
        self.walk(value, Around { flat: true, ..around }, &[], paths);
    }

    fn outputs(&mut self, outputs: &Value) {
        let mut taken = Taken::default();
        for output in members(outputs) {
            let name = self.key(&output.key, false, &mut taken);
            self.output(&output.value, name);
            self.pointer.pop();
        }
    }

    fn output(&mut self, output: &Value, name: KeyVerdict) {
        let flag = members(output).iter().find(|m| m.key.text == "sensitive");
        let open = flag.is_none_or(|m| matches!(&self.document[m.value.from..m.value.to], "false" | "null"));
        let shown = if open { Around::key(name) } else { Around::forced(self.rules.mark_rule(), true) };
        let mut taken = Taken::default();
        for member in members(output) {
            let verdict = self.key(&member.key, false, &mut taken);
            let around = match member.key.text.as_str() {
                "value" => shown,
                "type" => Around { types: true, ..NOTHING },
                "sensitive" => NOTHING,
                _ => Around::key(verdict),
            };
            self.value(&member.value, around, &[]);
            self.pointer.pop();
        }
    }

    fn value(&mut self, value: &Value, around: Around, paths: &[Path]) {
        self.walk(value, around, paths, &[]);
    }

    /// `paths` lead further down from here; `flat` are those of the instance, where keys are flat paths.
    fn walk(&mut self, value: &Value, around: Around, paths: &[Path], flat: &[Path]) {
        let hidden = marks::hide(paths, &value.node);
        let around = if hidden { Around::forced(self.rules.mark_rule(), true) } else { around };
        let paths = if hidden { &[] } else { paths };
        match &value.node {
            Node::Null | Node::Bool => {}
            Node::Number => self.number(value, around),
            Node::Text(text) => self.text(text, around),
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let around = around.argument(self.rules, self.document, items, index);
                    self.pointer.push(index.to_string());
                    self.walk(item, around, &marks::element(paths, index), flat);
                    self.pointer.pop();
                }
            }
            Node::Object(members) => {
                let mut taken = Taken::default();
                for member in members {
                    let verdict = self.key(&member.key, around.flat, &mut taken);
                    let verdict = self.answered(verdict, around, members);
                    let below = self.below(member, around, verdict, flat);
                    self.walk(&member.value, below, &marks::member(paths, &member.key.text), flat);
                    self.pointer.pop();
                }
            }
        }
    }

    /// What a key says once its siblings were asked, if it asks: the name beside a value, `kind: Secret` beside `data`.
    fn answered(&self, own: KeyVerdict, around: Around, siblings: &[Member]) -> KeyVerdict {
        let Some(kin) = own.kin().filter(|_| around.force.is_none() && !around.types) else { return own };
        let mut texts = siblings.iter().filter_map(|sibling| match &sibling.value.node {
            Node::Text(text) => Some((&sibling.key.text, &text.text)),
            _ => None,
        });
        own.answered(texts.find_map(|(key, text)| kin.told(self.rules, key, text)))
    }

    fn below(&self, member: &Member, around: Around, verdict: KeyVerdict, flat: &[Path]) -> Around {
        if around.types {
            return around;
        }
        let mut below = Around { verdict: verdict.under(around.verdict), ..around };
        if member.key.plain && member.key.text == "type" {
            below.types = matches!(member.value.node, Node::List(_) | Node::Object(_));
        }
        if around.flat && around.force.is_none() && marks::cover_flat(flat, &member.key.text) {
            below.force = Some((self.rules.mark_rule(), true));
        }
        below
    }

    fn text(&mut self, leaf: &Text, around: Around) {
        let text = leaf.text.as_str();
        if text.is_empty() {
            return;
        }
        if let Some((rule, learn)) = around.force {
            if is_marker(text) {
                return;
            }
            if learn {
                self.learn_whole(text);
            }
            return self.cut(leaf, vec![Span { start: 0, end: text.len(), rule }], "");
        }
        let hits = self.inspect(text, around.verdict);
        let copies = self.copies(text);
        if (hits.is_empty() && copies.is_empty()) || (around.types && is_type_word(text)) {
            return;
        }
        if !copies.is_empty() {
            self.copied.push(self.place());
        }
        self.learn_hits(text, &hits);
        self.cut(leaf, unite(self.rules, &hits, &copies), "");
    }

    fn number(&mut self, value: &Value, around: Around) {
        let raw = &self.document[value.from..value.to];
        let copies = self.copies(raw);
        let rule = match around.force {
            Some((rule, learn)) => {
                if learn {
                    self.learn_text(raw);
                }
                Some(rule)
            }
            None => match self.rules.inspect_number(raw, around.verdict) {
                Some(rule) => {
                    if self.rules.rule(rule).secret {
                        self.learn_text(raw);
                    }
                    Some(rule)
                }
                None => (!copies.is_empty()).then(|| self.rules.taint_rule()),
            },
        };
        if let Some(rule) = rule {
            let mut with = vec![b'"'];
            self.rules.replacement(rule, raw, &self.hash_key, &mut with);
            with.push(b'"');
            self.cuts.push(Cut { from: value.from, to: value.to, with });
            self.report(rule, raw.len());
        }
    }

    /// A key goes onto the pointer, and is rewritten when it is a secret itself.
    fn key(&mut self, key: &Text, flat: bool, taken: &mut Taken) -> KeyVerdict {
        let text = key.text.as_str();
        let verdict = self.asked.key(self.rules, if flat { telling_step(text) } else { text });
        let hits = self.inspect_key(text);
        let copies = self.copies(text);
        if hits.is_empty() && copies.is_empty() {
            taken.keep(text);
            self.pointer.push(text.to_owned());
            return verdict;
        }
        self.learn_hits(text, &hits);
        let spans = unite(self.rules, &hits, &copies);
        let mut name = self.redacted(text, &spans);
        let suffix = taken.suffix(&name);
        name.push_str(&suffix);
        self.pointer.push(name);
        self.cut(key, spans, &suffix);
        verdict
    }

    fn index_key(&mut self, value: &Value, taken: &mut Taken) {
        let Node::Text(key) = &value.node else { return self.value(value, NOTHING, &[]) };
        let text = key.text.as_str();
        let hits = self.inspect_key(text);
        let copies = self.copies(text);
        if hits.is_empty() && copies.is_empty() {
            return taken.keep(text);
        }
        if !copies.is_empty() {
            self.copied.push(self.place());
        }
        self.learn_hits(text, &hits);
        let spans = unite(self.rules, &hits, &copies);
        let suffix = taken.index_suffix(text, &self.redacted(text, &spans));
        self.cut(key, spans, &suffix);
    }

    fn inspect(&mut self, text: &str, verdict: KeyVerdict) -> Vec<Hit> {
        self.asked.hits(self.rules, text, Some(verdict))
    }

    fn inspect_key(&mut self, key: &str) -> Vec<Hit> {
        self.asked.hits(self.rules, key, None)
    }

    fn copies(&self, text: &str) -> Vec<(usize, usize)> {
        if self.find { self.known.find(text) } else { Vec::new() }
    }

    fn learn_text(&mut self, text: &str) {
        if self.learn {
            self.known.learn(text);
        }
    }

    /// A text that is secret as a whole, and the secrets inside of it.
    fn learn_whole(&mut self, text: &str) {
        self.learn_text(text);
        for hit in self.inspect(text, KeyVerdict::Plain) {
            if hit.secret && hit.end - hit.start < text.len() {
                self.learn_text(&text[hit.start..hit.end]);
            }
        }
    }

    fn learn_hits(&mut self, text: &str, hits: &[Hit]) {
        match hits {
            [hit] if hit.secret && hit.start == 0 && hit.end == text.len() => self.learn_whole(text),
            hits => {
                for hit in hits.iter().filter(|hit| hit.secret) {
                    self.learn_text(&text[hit.start..hit.end]);
                }
            }
        }
    }

    fn redacted(&self, text: &str, spans: &[Span]) -> String {
        let mut out = Vec::new();
        let mut at = 0;
        for span in spans {
            out.extend_from_slice(&text.as_bytes()[at..span.start]);
            self.rules.replacement(span.rule, &text[span.start..span.end], &self.hash_key, &mut out);
            at = span.end;
        }
        out.extend_from_slice(&text.as_bytes()[at..]);
        String::from_utf8_lossy(&out).into_owned()
    }

    fn cut(&mut self, text: &Text, spans: Vec<Span>, suffix: &str) {
        for span in &spans {
            let mut with = Vec::new();
            let value = &text.text[span.start..span.end];
            self.rules.replacement(span.rule, value, &self.hash_key, &mut with);
            self.cuts.push(Cut { from: text.raw_at(span.start), to: text.raw_at(span.end), with });
            self.report(span.rule, value.len());
        }
        if !suffix.is_empty() {
            self.cuts.push(Cut { from: text.close, to: text.close, with: suffix.as_bytes().to_vec() });
        }
    }

    /// The pointer to where the walk stands (RFC 6901).
    fn place(&self) -> String {
        let escaped = self.pointer.iter().map(|step| step.replace('~', "~0").replace('/', "~1"));
        escaped.map(|step| format!("/{step}")).collect()
    }

    fn report(&mut self, rule: RuleIx, bytes: usize) {
        if !self.find {
            return;
        }
        let info = self.rules.rule(rule);
        self.detections.push(Detection {
            rule: info.id.clone(),
            category: info.category,
            action: info.action,
            pointer: self.place(),
            bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
        });
    }
}
