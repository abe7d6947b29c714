//! Owns objects of which one member says what another is: name and value (helm_release's `set`, App Service's settings), and
//! Secrets of Kubernetes (kubernetes_manifest's `manifest`, the annotation of `kubectl apply`). It must never plant a value that such a
//! sibling does not give away.

use super::Sample;
use super::families::{Family, Tell};
use super::leaf::{Base64, Leaf};
use super::page::{Escapes, Node};
use super::place;
use super::state::Ledger;
use crate::generator::dice::Dice;

fn member(key: &str, node: Node) -> (Leaf, Node) {
    (Leaf::plain(key), node)
}

/// An attribute's name and the object below it.
pub(super) fn object(ledger: &mut Ledger, dice: &mut Dice, family: &Family) -> (String, Node) {
    let sample = family.sample(dice);
    let first = ledger.len();
    let value = place::plant(ledger, family.name, &sample);
    let (place, name, node) = match family.tell {
        Tell::Named(names) => {
            let mut pair = vec![
                member("name", Node::text(*dice.pick(names))),
                member("type", Node::text("string")),
                member("value", Node::Text(value, Escapes::Go)),
            ];
            if dice.one_in(2) {
                pair.reverse();
            }
            ("pair", "set", Node::List(vec![Node::Map(pair)]))
        }
        _ => ("manifest", "manifest", manifest(dice, value)),
    };
    ledger.place(first, place);
    (name.to_owned(), node)
}

/// `apiVersion`, `data` or `stringData`, `kind`: in the order of Terraform's maps.
fn manifest(dice: &mut Dice, value: Leaf) -> Node {
    let (key, value) = match dice.one_in(2) {
        true => ("data", value.base64(Base64::Standard)),
        false => ("stringData", value),
    };
    let data = Node::Map(vec![member("entry", Node::Text(value, Escapes::Go))]);
    let mut members = vec![member("apiVersion", Node::text("v1")), member("kind", Node::text("Secret"))];
    members.insert(if key == "data" { 1 } else { 2 }, member(key, data));
    Node::Map(members)
}

/// A Secret as the text of an annotation.
pub(super) fn annotation(value: &Leaf) -> Leaf {
    let mut leaf = Leaf::plain("{\"apiVersion\":\"v1\",\"data\":{\"entry\":\"");
    leaf.append(&value.base64(Base64::Standard));
    leaf.push("\"},\"kind\":\"Secret\",\"metadata\":{\"name\":\"app\"},\"type\":\"Opaque\"}");
    leaf
}

/// A JSON Web Key (RFC 7518, section 6): its private members are spans.
pub(super) fn rsa_key(dice: &mut Dice) -> Sample {
    use crate::generator::dice::BASE64_URL;
    let mut text =
        format!("{{\"kty\":\"RSA\",\"n\":\"{}\",\"e\":\"AQAB\",\"kid\":\"k1\"", dice.text(BASE64_URL, 342));
    let mut spans = Vec::new();
    for (name, length) in [("d", 342), ("p", 171), ("q", 171), ("dp", 171), ("dq", 171), ("qi", 171)] {
        text.push_str(&format!(",\"{name}\":\""));
        let start = text.len();
        text.push_str(&dice.text(BASE64_URL, length));
        spans.push((start, text.len()));
        text.push('"');
    }
    text.push('}');
    Sample { text, spans }
}
