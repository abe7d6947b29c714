//! Owns what fills a template's slots: the state's facts, the instance's identity, the dice, and the record of what was planted.
//! It must never write a private address or a secret without recording it.

use super::canary::{Canary, Category};
use super::dice::{Dice, HEX};
use super::secrets::{FAMILIES, Made};
use super::template::{Slot, Template};
use super::text::{Encoding, encode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::cell::Cell;

const WORDS: &[&str] = &[
    "orders",
    "billing",
    "ledger",
    "search",
    "gateway",
    "catalog",
    "reports",
    "ingest",
    "worker",
    "frontend",
    "metrics",
    "archive",
    "events",
    "payments",
    "profiles",
    "inventory",
    "shipping",
    "pricing",
    "session",
    "mailer",
];

/// What all instances of a state share.
pub(crate) struct Facts {
    pub(crate) seed: u64,
    pub(crate) account: String,
    pub(crate) region: &'static str,
    pub(crate) project: String,
    /// The marked password whose copies stand elsewhere.
    pub(crate) shared: String,
    /// Which of the three base64 alignments of `shared` are recorded already.
    pub(crate) aligned: Cell<[bool; 3]>,
    /// Off: no secret, no private address.
    pub(crate) planting: bool,
    /// Compiled `texts.rs`, by index.
    pub(crate) texts: &'static [Template],
    /// Indexes of the families of `<!any>`.
    pub(crate) any: &'static [usize],
}

/// One rendering in progress.
pub(crate) struct Scene<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) dice: Dice,
    pub(crate) name: &'a str,
    pub(crate) key: String,
    pub(crate) id: [u8; 17],
    pub(crate) uid: [u8; 36],
    /// Walks the families of `<!any>`, so that all get their turn.
    pub(crate) rotation: usize,
    /// Numbers the private addresses of the state.
    pub(crate) address: u64,
    /// Overrides the place of slots inside a text.
    pub(crate) place: Option<&'static str>,
    /// Where secrets landed in a text under way, for its encoded form.
    pub(crate) spans: Vec<(usize, usize, usize)>,
    pub(crate) canaries: Option<&'a mut Vec<Canary>>,
}

impl Scene<'_> {
    /// Fills one slot.
    pub(crate) fn fill(&mut self, out: &mut Vec<u8>, slot: Slot) {
        match slot {
            Slot::Random(alphabet, count) => self.dice.fill(out, alphabet, count),
            Slot::Uuid => out.extend_from_slice(&self.dice.uuid()),
            Slot::Word => out.extend_from_slice(self.dice.pick(WORDS).as_bytes()),
            Slot::Timestamp => self.timestamp(out),
            Slot::Version => {
                let (major, minor, patch) = (self.dice.below(9), self.dice.below(30), self.dice.below(40));
                out.extend_from_slice(format!("{major}.{minor}.{patch}").as_bytes());
            }
            // RFC 5737: addresses for documentation.
            Slot::PublicIp => {
                let host = self.dice.between(1, 254);
                out.extend_from_slice(format!("203.0.113.{host}").as_bytes());
            }
            Slot::Nonzero => out.push(*self.dice.pick(b"123456789")),
            Slot::Name => out.extend_from_slice(self.name.as_bytes()),
            Slot::Key => encode(out, &self.key, Encoding::Json),
            Slot::Id => out.extend_from_slice(&self.id),
            Slot::Uid => out.extend_from_slice(&self.uid),
            Slot::Account => out.extend_from_slice(self.facts.account.as_bytes()),
            Slot::Region => out.extend_from_slice(self.facts.region.as_bytes()),
            Slot::Project => out.extend_from_slice(self.facts.project.as_bytes()),
            Slot::PrivateIp { place, v6 } => self.private_address(out, place, v6),
            Slot::Secret { family, place, encoding } => self.secret(out, family, place, encoding),
            Slot::Any { place, encoding } => {
                let family = self.facts.any[self.rotation % self.facts.any.len()];
                self.rotation += 1;
                self.secret(out, family, place, encoding);
            }
            Slot::Shared { place, encoding } => self.shared(out, place, encoding),
            Slot::Text { text, place, encoding, base64 } => self.text(out, text, place, encoding, base64),
        }
    }

    fn timestamp(&mut self, out: &mut Vec<u8>) {
        let dice = &mut self.dice;
        let (year, month, day) = (dice.between(2021, 2026), dice.between(1, 12), dice.between(1, 28));
        let (hour, minute, second) = (dice.below(24), dice.below(60), dice.below(60));
        let text = format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        out.extend_from_slice(text.as_bytes());
    }

    fn record(&mut self, text: &str, family: &'static str, category: Category, place: &'static str) {
        let place = self.place.unwrap_or(place);
        if let Some(canaries) = self.canaries.as_deref_mut() {
            canaries.push(Canary { text: text.to_owned(), family, category: category.name(), place });
        }
    }

    fn write(&mut self, out: &mut Vec<u8>, made: &Made, encoding: Encoding) {
        if self.place.is_some() {
            for (start, end) in &made.spans {
                self.spans.push((out.len() + start, out.len() + end, 0));
            }
            encode(out, &made.text, Encoding::Raw);
        } else {
            encode(out, &made.text, encoding);
        }
    }

    fn secret(&mut self, out: &mut Vec<u8>, family: usize, place: &'static str, encoding: Encoding) {
        let family_at = family;
        let family = &FAMILIES[family];
        let made = (family.make)(&mut self.dice);
        for (start, end) in &made.spans {
            self.record(&made.text[*start..*end], family.name, family.category, place);
        }
        let before = self.spans.len();
        self.write(out, &made, encoding);
        for span in &mut self.spans[before..] {
            span.2 = family_at;
        }
    }

    /// The shared secret is recorded where it is marked; its copies are the same text.
    fn shared(&mut self, out: &mut Vec<u8>, place: &'static str, encoding: Encoding) {
        let made = Made::whole(self.facts.shared.clone());
        if place == "marked" {
            self.record(&made.text, "password", Category::Credential, place);
        }
        let before = self.spans.len();
        self.write(out, &made, encoding);
        for span in &mut self.spans[before..] {
            span.2 = SHARED;
        }
    }

    /// Copies of the shared password at the same alignment have the same encoded form: only the first is recorded.
    fn first_at(&self, start: usize) -> bool {
        let mut aligned = self.facts.aligned.get();
        let first = !std::mem::replace(&mut aligned[start % 3], true);
        self.facts.aligned.set(aligned);
        first
    }

    fn private_address(&mut self, out: &mut Vec<u8>, place: &'static str, v6: bool) {
        if !self.facts.planting {
            return;
        }
        let text = if v6 { self.unique_local_v6() } else { private_v4(self.facts.seed, self.address) };
        self.address += 1;
        self.record(
            &text,
            if v6 { "unique-local-ipv6" } else { "private-ipv4" },
            Category::Infrastructure,
            place,
        );
        out.extend_from_slice(text.as_bytes());
    }

    fn unique_local_v6(&mut self) -> String {
        let mut group = || self.dice.between(0x1000, 0xffff);
        let (a, b, c, d) = (group(), group(), group(), group());
        format!("fd{:02x}:{b:x}:{c:x}:1::{d:x}", a & 0xff)
    }

    fn text(
        &mut self,
        out: &mut Vec<u8>,
        text: usize,
        place: &'static str,
        encoding: Encoding,
        base64: bool,
    ) {
        let texts = self.facts.texts;
        let mut scratch = Vec::with_capacity(1024);
        self.place = Some(place);
        self.spans.clear();
        texts[text].render(&mut scratch, self);
        self.place = None;
        if base64 {
            let spans = std::mem::take(&mut self.spans);
            let encoded = STANDARD.encode(&scratch);
            for (start, end, family) in spans {
                // Whole groups of three bytes inside the secret: these characters depend on the secret alone.
                let (first, last) = (start.div_ceil(3) * 4, end / 3 * 4);
                if last < first + 12 || (family == SHARED && !self.first_at(start)) {
                    continue;
                }
                let (name, category) = FAMILIES
                    .get(family)
                    .map_or(("password", Category::Credential), |family| (family.name, family.category));
                self.record(&encoded[first..last], name, category, "base64:encoded");
            }
            out.extend_from_slice(encoded.as_bytes());
        } else {
            encode(out, &String::from_utf8_lossy(&scratch), encoding);
        }
    }
}

/// Stands for the shared password where a family's index is wanted.
const SHARED: usize = usize::MAX;

/// The n-th private IPv4 address of a state. All octets after the network's have three digits, so no address is the start of
/// another; the step is coprime to each range, so addresses repeat only after the range is used up.
fn private_v4(seed: u64, ordinal: u64) -> String {
    const STEP: u64 = 1_000_003;
    const OCTETS: u64 = 155;
    let octet = |value: u64| 100 + value % OCTETS;
    let walk = |n: u64, range: u64| (n % range * STEP + seed % range) % range;
    match ordinal % 8 {
        0 => {
            let n = walk(ordinal / 8, 16 * OCTETS * OCTETS);
            format!("172.{}.{}.{}", 16 + n / (OCTETS * OCTETS), octet(n / OCTETS), octet(n))
        }
        1 if ordinal / 8 < OCTETS * OCTETS => {
            let n = walk(ordinal / 8, OCTETS * OCTETS);
            format!("192.168.{}.{}", octet(n / OCTETS), octet(n))
        }
        _ => {
            let n = walk(ordinal, OCTETS * OCTETS * OCTETS);
            format!("10.{}.{}.{}", octet(n / (OCTETS * OCTETS)), octet(n / OCTETS), octet(n))
        }
    }
}

/// An instance's id in AWS style: 17 hexadecimal digits.
pub(crate) fn instance_id(dice: &mut Dice) -> [u8; 17] {
    let mut id = [0_u8; 17];
    for slot in &mut id {
        *slot = *dice.pick(HEX);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn private_addresses_are_private_and_do_not_repeat() {
        let mut seen = HashSet::new();
        for ordinal in 0..100_000 {
            let text = private_v4(99, ordinal);
            let address: std::net::Ipv4Addr = text.parse().unwrap();
            assert!(address.is_private(), "ordinal {ordinal}");
            assert!(seen.insert(text), "ordinal {ordinal}");
        }
    }
}
