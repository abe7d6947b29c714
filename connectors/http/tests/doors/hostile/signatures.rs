//! Signatures: whose, over what, by which algorithm, how written, how often.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Case, Post, Site, WORKSPACE};
use crate::house::{payload, sign};

const NO: &str = "401 unauthorized";
/// As it stands in the source: who reads it must not be let in by it.
const NOBODYS_SECRET: &str = "no tenant has this secret: its deliveries are refused whatever they say";

fn applied(run: &str) -> String {
    payload(WORKSPACE, run, "run:completed", "applied")
}

pub fn cases(site: &Site) -> Vec<Case> {
    [written(site), whose(site), over_what(site)].into_iter().flatten().collect()
}

/// The right signature, written otherwise.
fn written(site: &Site) -> Vec<Case> {
    let (slug, secret) = (&site.house.a.slug, &site.house.a.secret);
    let body = applied("run-Written");
    let post = || Post::to(slug, body.as_str());
    let right = sign(secret, body.as_bytes());
    let with = |signature: &[u8]| post().signature(signature);
    let mut one_bit = hex::decode(&right).expect("hex");
    one_bit[63] ^= 1;
    let raw = hex::decode(&right).expect("hex");
    vec![
        ("absent", post(), NO),
        ("empty", with(b""), NO),
        ("twice, both right", with(right.as_bytes()).signature(&right), NO),
        ("twice, the first right", with(right.as_bytes()).signature("0".repeat(128)), NO),
        ("twice, the last right", with(b"x").signature(&right), NO),
        ("two in one line", with(format!("{right}, {right}").as_bytes()), NO),
        ("upper case", with(right.to_uppercase().as_bytes()), NO),
        ("one letter in upper case", with(one_upper(&right).as_bytes()), NO),
        ("with the algorithm before it", with(format!("sha512={right}").as_bytes()), NO),
        ("with a scheme before it", with(format!("HMAC-SHA512 {right}").as_bytes()), NO),
        ("in base64", with(STANDARD.encode(&raw).as_bytes()), NO),
        ("quoted", with(format!("\"{right}\"").as_bytes()), NO),
        ("cut in half", with(&right.as_bytes()[..64]), NO),
        ("one short", with(&right.as_bytes()[..127]), NO),
        ("one byte short", with(&right.as_bytes()[..126]), NO),
        ("one long", with(format!("{right}0").as_bytes()), NO),
        ("doubled", with(right.repeat(2).as_bytes()), NO),
        ("all zero", with("0".repeat(128).as_bytes()), NO),
        ("not hex", with("g".repeat(128).as_bytes()), NO),
        ("one bit off", with(hex::encode(one_bit).as_bytes()), NO),
        ("a blank inside", with(format!("{} {}", &right[..64], &right[64..]).as_bytes()), NO),
        ("bytes that are no text", with(&[0xff; 128]), NO),
        ("a zero byte", with(&[right.as_bytes(), b"\0"].concat()), "400"),
        ("of 8,000 characters", with("a".repeat(8_000).as_bytes()), NO),
        ("under GitHub's name", post().header("X-Hub-Signature-512", &right), NO),
        ("under a name with underscores", post().header("x_tfe_notification_signature", &right), NO),
        ("as a bearer", post().header("Authorization", format!("Bearer {right}")), NO),
        ("as a cookie", post().header("Cookie", format!("x-tfe-notification-signature={right}")), NO),
        (
            "right, and its name in upper case",
            post().header("X-TFE-NOTIFICATION-SIGNATURE", &right),
            "202 accepted",
        ),
        (
            "right, with blanks around it that are the header's",
            with(format!("  {right}\t").as_bytes()),
            "200 duplicate",
        ),
    ]
}

fn one_upper(right: &str) -> String {
    let at = right.find(|c: char| c.is_ascii_lowercase()).expect("a letter");
    let (before, after) = right.split_at(at);
    format!("{before}{}{}", after[..1].to_uppercase(), &after[1..])
}

/// A right HMAC by a secret that is not the tenant's now.
fn whose(site: &Site) -> Vec<Case> {
    let (a, b) = (&site.house.a, &site.house.b);
    let (none, empty) = (format!("{}-none", a.slug), format!("{}-empty", a.slug));
    let body = applied("run-Whose");
    let to_a = || Post::to(&a.slug, body.as_str());
    let rekeyed = |slug: &str| Post::to(slug, body.as_str()).at_rekeyed();
    let second = applied("run-Whose-2");
    vec![
        ("by another tenant's secret", to_a().signed(&b.secret), NO),
        ("right, at another tenant's address", Post::to(&b.slug, body.as_str()).signed(&a.secret), NO),
        ("by the empty secret", to_a().signed(""), NO),
        ("by the secret in upper case", to_a().signed(&a.secret.to_uppercase()), NO),
        ("by the secret with a line end", to_a().signed(&format!("{}\n", a.secret)), NO),
        ("by the secret's start", to_a().signed(&a.secret[1..]), NO),
        ("by the secret with a zero byte and more", to_a().signed(&format!("{}\0x", a.secret)), NO),
        ("by the tenant's id", to_a().signed(a.id.as_str()), NO),
        ("by the tenant's API key", to_a().signed(&a.key), NO),
        ("by the secret that stands for nobody's", to_a().signed(NOBODYS_SECRET), NO),
        ("the same, to nobody", Post::to("nobody", body.as_str()).signed(NOBODYS_SECRET), NO),
        ("the same, to a tenant without a secret", rekeyed(&none).signed(NOBODYS_SECRET), NO),
        ("the empty secret, to a tenant without one", rekeyed(&none).signed(""), NO),
        ("the same as nobody's, to a tenant of an empty one", rekeyed(&empty).signed(NOBODYS_SECRET), NO),
        ("the empty secret, to the tenant that has it", rekeyed(&empty).signed(""), NO),
        ("by the secret before its rotation", rekeyed(&a.slug).signed(&a.secret), NO),
        (
            "by the secret before and the one after",
            rekeyed(&a.slug).signed(&a.secret).signed(&site.new_secret),
            NO,
        ),
        ("by the secret after, before the rotation", to_a().signed(&site.new_secret), NO),
        ("by the secret before, before the rotation", to_a().signed(&a.secret), "202 accepted"),
        (
            "by the secret after its rotation",
            Post::to(&a.slug, second.as_str()).at_rekeyed().signed(&site.new_secret),
            "202 accepted",
        ),
    ]
}

/// Another function, or other bytes than those that arrive.
fn over_what(site: &Site) -> Vec<Case> {
    let (slug, secret) = (&site.house.a.slug, &site.house.a.secret);
    let body = applied("run-Over");
    let signed = || Post::to(slug, body.as_str()).signed(secret);
    let with = |signature: String| Post::to(slug, body.as_str()).signature(signature);
    let of = |text: &str| hex::encode(Sha512::digest(text));
    let hmac_256 = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("key").chain_update(&body);
    let hmac_384 = Hmac::<Sha384>::new_from_slice(secret.as_bytes()).expect("key").chain_update(&body);
    let pretty: serde_json::Value = serde_json::from_str(&body).expect("json");
    let pretty = serde_json::to_string_pretty(&pretty).expect("json");
    let mut changed = body.clone().into_bytes();
    changed[20] ^= 1;
    vec![
        ("HMAC-SHA-256", with(hex::encode(hmac_256.finalize().into_bytes())), NO),
        ("HMAC-SHA-384", with(hex::encode(hmac_384.finalize().into_bytes())), NO),
        ("SHA-512 without a key", with(of(&body)), NO),
        ("SHA-512 of secret and body", with(of(&format!("{secret}{body}"))), NO),
        ("SHA-512 of body and secret", with(of(&format!("{body}{secret}"))), NO),
        ("key and body exchanged", with(sign(&body, secret.as_bytes())), NO),
        ("HMAC of the body's hash", with(sign(secret, of(&body).as_bytes())), NO),
        ("HMAC of nothing", with(sign(secret, b"")), NO),
        ("a byte of the body changed", signed().sending(changed), NO),
        ("a byte more", signed().sending(format!("{body} ")), NO),
        ("a line end more", signed().sending(format!("{body}\n")), NO),
        ("a byte less", signed().sending(&body[..body.len() - 1]), NO),
        ("a byte order mark before it", signed().sending(format!("\u{feff}{body}")), NO),
        ("the same json, written otherwise", signed().sending(pretty), NO),
        ("another run of the same length", signed().sending(body.replace("run-Over", "run-Ovex")), NO),
        ("no body", signed().sending(""), NO),
    ]
}
