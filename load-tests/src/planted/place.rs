//! Owns the hiding places: the text around a secret, and the coats around that text. It must never plant a secret where nothing gives
//! it away: neither its form nor a name, an assignment, a URL, a flag nor a mark.

use super::families::{Family, Tell};
use super::leaf::{Base64, Leaf, Spot};
use super::lookalikes::{LOOK_ALIKES, LookAlike};
use super::state::Ledger;
use super::syntax::{Charset, Name, PASSWORD_PLACES, SENTENCES, SYNTAXES, Syntax};
use super::{Fate, Sample, siblings};
use crate::generator::dice::Dice;

/// Names that say nothing.
pub(super) const NEUTRAL: &[&str] =
    &["value", "setting", "data", "item", "entry", "payload", "option", "content", "input"];
/// Names that say what stands below.
const TELLING: &[&str] = &["api_token", "service_secret", "access_key", "credential", "auth_token"];

/// Shortest text that is put into base64 or the like.
const COATED_FROM_BYTES: usize = 20;

/// A text and how the key above it is called: `None` leaves that to chance.
pub(super) struct Hidden {
    pub(super) leaf: Leaf,
    /// The key that must stand above it, because nothing else gives it away.
    pub(super) key: Option<String>,
    pub(super) place: String,
    /// One line that may be a key itself.
    pub(super) fits_key: bool,
}

/// Writes the sample down as planted and returns it with its spans.
pub(super) fn plant(ledger: &mut Ledger, family: &'static str, sample: &Sample) -> Leaf {
    let mut leaf = Leaf::plain(sample.text.clone());
    for (start, end) in &sample.spans {
        leaf.spots.push(ledger.note(family, Fate::Goes, &sample.text[*start..*end]).at(*start, *end));
    }
    leaf
}

/// A look-alike as a value.
pub(super) fn look_alike(ledger: &mut Ledger, dice: &mut Dice, kind: &LookAlike) -> Leaf {
    let text = kind.sample(dice);
    let mut leaf = Leaf::plain(text.clone());
    leaf.spots.push(ledger.note(kind.name, Fate::Stays, &text).at(0, text.len()));
    leaf
}

/// Hides one sample of a family.
pub(super) fn hide(ledger: &mut Ledger, dice: &mut Dice, family: &Family) -> Hidden {
    let sample = family.sample(dice);
    let first = ledger.len();
    let value = plant(ledger, family.name, &sample);
    let mut hidden = around(ledger, dice, family, &sample, value);
    // Nobody encodes a name or a telephone number under its own key.
    let bare_person = hidden.place == "named" && matches!(family.tell, Tell::Person(..));
    if !bare_person && (!hidden.fits_key || dice.one_in(3)) {
        hidden = coat(dice, hidden);
    }
    // What an opaque coat hides together with a secret goes with it: no look-alike any more.
    let gone: Vec<Spot> = hidden.leaf.spots.iter().copied().filter(|spot| ledger.goes(spot.id)).collect();
    hidden.leaf.spots.retain(|spot| {
        ledger.goes(spot.id) || gone.iter().all(|secret| spot.end <= secret.start || secret.end <= spot.start)
    });
    ledger.place(first, &hidden.place);
    hidden
}

fn around(ledger: &mut Ledger, dice: &mut Dice, family: &Family, sample: &Sample, value: Leaf) -> Hidden {
    let line = !sample.text.contains('\n') && sample.text.len() < 160;
    match family.tell {
        Tell::Form => match dice.below(10) {
            0..=2 => {
                let key = dice.one_in(3).then(|| (*dice.pick(TELLING)).to_owned());
                Hidden { leaf: value, key, place: "whole".to_owned(), fits_key: line }
            }
            3..=4 if line => Hidden {
                leaf: Leaf::around(dice.pick::<&str>(SENTENCES), &value),
                key: None,
                place: "sentence".to_owned(),
                fits_key: false,
            },
            _ => {
                let neutral = dice.one_in(2);
                let name = Name::new(dice.pick::<&str>(if neutral { NEUTRAL } else { TELLING }));
                document(ledger, dice, &name, value)
            }
        },
        Tell::Named(names) => {
            let name = *dice.pick(names);
            let password = name.to_lowercase().contains("pass") && Charset::of(&sample.text) == Charset::Bare;
            match dice.below(10) {
                0..=2 => named(dice, name, value),
                3..=5 if password => {
                    let (place, template) = *dice.pick(PASSWORD_PLACES);
                    Hidden {
                        leaf: Leaf::around(template, &value),
                        key: None,
                        place: format!("command-{place}"),
                        fits_key: false,
                    }
                }
                _ => document(ledger, dice, &Name::new(name), value),
            }
        }
        Tell::Person(keys, announced) => {
            let name = *dice.pick(keys);
            match dice.below(10) {
                0..=3 => named(dice, name, value),
                4..=6 if !announced.is_empty() => Hidden {
                    leaf: Leaf::around(dice.pick::<&str>(announced), &value),
                    key: None,
                    place: "announced".to_owned(),
                    fits_key: false,
                },
                _ => structured(ledger, dice, &Name::new(name), value),
            }
        }
    }
}

/// Under its name alone.
fn named(dice: &mut Dice, name: &str, value: Leaf) -> Hidden {
    let name = Name::new(name);
    let key = match dice.below(4) {
        0 => name.camel(),
        1 => name.snake().to_uppercase(),
        _ => name.snake(),
    };
    Hidden { leaf: value, key: Some(key), place: "named".to_owned(), fits_key: false }
}

/// In a document of one of the languages, among look-alikes.
fn document(ledger: &mut Ledger, dice: &mut Dice, name: &Name, value: Leaf) -> Hidden {
    if dice.one_in(4) || Charset::of(&value.text) == Charset::Any {
        return structured(ledger, dice, name, value);
    }
    let syntax = dice.pick::<Syntax>(SYNTAXES);
    let written = if syntax.name == "query" { value.percent() } else { value.clone() };
    let Some(statement) = syntax.statement(dice, name, &written) else {
        return structured(ledger, dice, name, value);
    };
    let mut leaf = Leaf::plain(syntax.head);
    let before = dice.below(4);
    for at in 0..4 {
        if at == before {
            leaf.append(&statement);
            continue;
        }
        let kind = dice.pick(LOOK_ALIKES);
        let text = kind.sample(dice);
        if Charset::of(&text) == Charset::Bare && syntax.name != "query" && syntax.name != "xml" {
            let name = Name::new(dice.pick::<&str>(kind.names));
            let mut plain = Leaf::plain(text.clone());
            plain.spots.push(ledger.note(kind.name, Fate::Stays, &text).at(0, text.len()));
            if let Some(statement) = syntax.statement(dice, &name, &plain) {
                leaf.append(&statement);
            }
        }
    }
    leaf.push(syntax.tail);
    Hidden { leaf, key: None, place: syntax.name.to_owned(), fits_key: false }
}

/// In JSON or YAML, where any text can stand, or in a file that a script writes.
fn structured(ledger: &mut Ledger, dice: &mut Dice, name: &Name, value: Leaf) -> Hidden {
    let key = if dice.one_in(2) { name.snake() } else { name.camel() };
    match dice.below(5) {
        0 if value.text.contains('\n') => {
            let mut leaf = Leaf::plain(format!("service:\n  replicas: 2\n  {key}: |\n    "));
            leaf.append(&value.indented(4));
            leaf.push("\n  strategy: rolling\n");
            Hidden { leaf, key: None, place: "yaml-block".to_owned(), fits_key: false }
        }
        1 if value.text.contains('\n') => {
            let mut leaf = Leaf::plain(format!("#!/bin/sh\ncat > /etc/app/{key} <<'EOF'\n"));
            leaf.append(&value);
            leaf.push("\nEOF\nchmod 600 /etc/app/*\n");
            Hidden { leaf, key: None, place: "heredoc".to_owned(), fits_key: false }
        }
        2 if dice.one_in(4) => Hidden {
            leaf: siblings::annotation(&value),
            key: Some("kubectl.kubernetes.io/last-applied-configuration".to_owned()),
            place: "annotation".to_owned(),
            fits_key: false,
        },
        _ => {
            let kind = dice.pick(LOOK_ALIKES);
            let beside = look_alike(ledger, dice, kind);
            let beside_name = dice.pick::<&str>(kind.names);
            let mut leaf = Leaf::plain(format!("{{\"{beside_name}\":\""));
            leaf.append(&beside.in_json());
            leaf.push(&format!("\",\"settings\":{{\"{key}\":\""));
            leaf.append(&value.in_json());
            leaf.push("\",\"replicas\":2}}");
            let depth = 1 + dice.below(4) * dice.below(2);
            for _ in 1..depth {
                let mut outer = Leaf::plain("{\"document\":\"");
                outer.append(&leaf.in_json());
                outer.push("\"}");
                leaf = outer;
            }
            Hidden { leaf, key: None, place: format!("json-{depth}"), fits_key: false }
        }
    }
}

/// Puts a text into another encoding, sometimes.
fn coat(dice: &mut Dice, mut hidden: Hidden) -> Hidden {
    // Shorter texts in base64 look like any word: nobody could tell them.
    if hidden.leaf.text.len() < COATED_FROM_BYTES {
        return hidden;
    }
    let deep = hidden.place.starts_with("json-") && hidden.place != "json-1";
    let (leaf, coat) = match dice.below(16) {
        0 => (hidden.leaf.base64(*dice.pick(Base64::ALL)), "base64"),
        1 if !deep => (hidden.leaf.base64(Base64::Standard).base64(Base64::Standard), "base64-twice"),
        2 => (hidden.leaf.gzip(), "gzip"),
        3 if hidden.leaf.text.len() > 60 => {
            let (columns, end) = *dice.pick(&[(64, "\n"), (76, "\n"), (76, "\r\n")]);
            (hidden.leaf.base64(Base64::Standard).wrapped(columns, end), "base64-lines")
        }
        4 if hidden.place != "query" && hidden.place != "command-pgpass" => {
            let mut url = Leaf::plain("https://portal.example.com/apply?v=2&document=");
            url.append(&hidden.leaf.percent());
            (url, "percent")
        }
        5 if hidden.key.is_none() => {
            let mut script = Leaf::plain(
                "#cloud-config\nwrite_files:\n  - path: /etc/app/config\n    encoding: b64\n    content: ",
            );
            script.append(&hidden.leaf.base64(Base64::Standard));
            script.push("\n    owner: root\n");
            (script, "cloud-config")
        }
        _ => return hidden,
    };
    // Under a name that tells, an encoded value is a value like any other; percent coats hide the name in the query.
    if coat == "percent" && hidden.key.is_some() {
        return hidden;
    }
    hidden.place = format!("{}/{coat}", hidden.place);
    hidden.leaf = leaf;
    hidden.fits_key = false;
    hidden
}
