//! Cursors that were not given to who sends them, or not for this: one counted table.
//!
//! The layout and the tag are written here anew, so that a forger who knows them, and one who knows the key, can be played.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Post, Site};
use crate::house::{Answer, CURSOR_KEY, Tenant, run};

/// Cases of the table. It grows, and says so.
const CASES: usize = 66;

const INVALID: &str = "400 cursor_invalid";
const CHANGED: &str = "400 cursor_filter_changed";
const EXPIRED: &str = "410 cursor_expired";
const OK: &str = "200";

/// Where the parts of a cursor stand: version, tenant, epoch, filter, position, end of the snapshot, tag.
const PARTS: [(&str, usize); 7] = [
    ("the version", 0),
    ("the tenant", 1),
    ("the epoch", 16),
    ("the filter", 17),
    ("the position", 32),
    ("the end of the snapshot", 40),
    ("the tag", 41),
];
const TAG_AT: usize = 41;

/// A name, who asks, path and query, and the answer.
type Case = (String, String, String, &'static str);

impl Site {
    async fn get(&self, key: &str, uri: &str) -> Answer {
        let post = Post::to("", "").line(&format!("GET {uri} HTTP/1.1"));
        let sent = post.header("authorization", format!("Bearer {key}")).sent();
        self.ask(&sent).await.expect("an answer")
    }

    async fn cursor_of(&self, tenant: &Tenant, uri: &str) -> String {
        let page = self.get(&tenant.key, uri).await;
        assert_eq!(page.status, 200, "{uri}: {}", page.summary());
        page.json()["next_cursor"].as_str().expect("a cursor").to_owned()
    }
}

fn mac(key: &[u8; 32], purpose: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("key");
    mac.chain_update(purpose).chain_update([0]).chain_update(bytes).finalize().into_bytes().to_vec()
}

/// The cursor with its payload changed, and the tag that this key makes of it.
fn forged(cursor: &str, key: &[u8; 32], purpose: &[u8], change: impl FnOnce(&mut [u8])) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).expect("a cursor of the server");
    bytes.truncate(TAG_AT);
    change(&mut bytes);
    let tag = mac(key, purpose, &bytes);
    bytes.extend(&tag[..16]);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn flipped(cursor: &str, at: usize) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(cursor).expect("a cursor of the server");
    bytes[at] ^= 1;
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What no server wrote, or not whole.
fn mangled(good: &str) -> Vec<(String, String, &'static str)> {
    let (last, swapped) = (good.len() - 1, good.chars().rev().collect::<String>());
    let texts = [
        ("empty", String::new(), INVALID),
        ("cut by one", good[..last].to_owned(), INVALID),
        ("without its start", good[1..].to_owned(), INVALID),
        ("cut in half", good[..last / 2].to_owned(), INVALID),
        ("one more", format!("{good}A"), INVALID),
        ("doubled", good.repeat(2), INVALID),
        ("padded", format!("{good}=="), INVALID),
        ("backwards", swapped, INVALID),
        ("in upper case", good.to_uppercase(), INVALID),
        ("all zero", "A".repeat(good.len()), INVALID),
        ("in the other base64", STANDARD.encode([0xfb; 57]).replace('+', "%2B").replace('/', "%2F"), INVALID),
        ("blanks", "%20".repeat(good.len()), INVALID),
        ("zero bytes", "%00".repeat(good.len()), INVALID),
        ("bytes that are no text", "%ff".repeat(good.len()), INVALID),
        ("letters of two bytes", "%C3%BC".repeat(good.len() / 2), INVALID),
        ("a line end behind it", format!("{good}%0a"), INVALID),
        ("a blank before it", format!("%20{good}"), INVALID),
        ("a number", "41".to_owned(), INVALID),
        ("a negative number", "-1".to_owned(), INVALID),
        ("a statement", "%27%20OR%201%3D1%20--%20".to_owned(), INVALID),
        ("json", "%7B%22seq%22%3A0%7D".to_owned(), INVALID),
        ("of 10,000 characters", "A".repeat(10_000), INVALID),
        ("of 20,000 characters", "A".repeat(20_000), "431"),
        ("with a letter encoded", format!("%{:02X}{}", good.as_bytes()[0], &good[1..]), OK),
        ("encoded twice", format!("%25{:02X}{}", good.as_bytes()[0], &good[1..]), INVALID),
    ];
    texts.map(|(name, text, expected)| (name.to_owned(), text, expected)).to_vec()
}

/// Well-formed, with a tag of somebody's.
fn signed_otherwise(good: &str, of_b: &str) -> Vec<(String, String, &'static str)> {
    let of = |key: &[u8; 32], purpose: &str| forged(good, key, purpose.as_bytes(), |_| {});
    let with = |change: fn(&mut [u8])| forged(good, &CURSOR_KEY, b"cursor", change);
    let spliced = {
        let (mut head, tail) = (
            URL_SAFE_NO_PAD.decode(good).expect("a cursor of the server"),
            URL_SAFE_NO_PAD.decode(of_b).expect("a cursor of the server"),
        );
        head[TAG_AT..].copy_from_slice(&tail[TAG_AT..]);
        URL_SAFE_NO_PAD.encode(head)
    };
    let mut all = vec![
        ("under another key", of(&[99; 32], "cursor"), INVALID),
        ("under the key of all zeros", of(&[0; 32], "cursor"), INVALID),
        ("by the key, for another purpose", of(&CURSOR_KEY, "tenant"), INVALID),
        ("by the key, for no purpose", of(&CURSOR_KEY, ""), INVALID),
        ("with another cursor's tag", spliced, INVALID),
        ("by the key, of an older version", with(|bytes| bytes[0] = 0), INVALID),
        ("by the key, of a later version", with(|bytes| bytes[0] = 2), INVALID),
        ("by the key, of an unknown tenant", with(|bytes| bytes[1] ^= 1), INVALID),
        ("by the key, of an unknown filter", with(|bytes| bytes[17] ^= 1), CHANGED),
        ("by the key, of the epoch before", with(|bytes| bytes[9..17].fill(0)), EXPIRED),
        ("by the key, of an epoch to come", with(|bytes| bytes[9] = 0x7f), EXPIRED),
        ("by the key, from the future by one", with(|bytes| bytes[32] += 1), EXPIRED),
        ("by the key, from the end of all numbers", with(|bytes| bytes[25] = 0x7f), EXPIRED),
        ("by the key, at a negative position", with(|bytes| bytes[25] = 0xff), INVALID),
        ("by the key, to a snapshot of the future", with(|bytes| bytes[40] += 1), EXPIRED),
        ("by the key, to a negative snapshot", with(|bytes| bytes[33] = 0x80), INVALID),
        ("by the key, from the beginning", with(|bytes| bytes[25..33].fill(0)), OK),
        ("by the key, as it was", with(|_| {}), OK),
    ]
    .into_iter()
    .map(|(name, text, expected)| (name.to_owned(), text, expected))
    .collect::<Vec<_>>();
    all.extend(PARTS.map(|(part, at)| (format!("a bit of {part} changed"), flipped(good, at), INVALID)));
    all
}

async fn table(site: &Site) -> Vec<Case> {
    let (a, b) = (&site.house.a, &site.house.b);
    let good = site.cursor_of(a, "/v1/changes").await;
    let of_b = site.cursor_of(b, "/v1/changes").await;
    let of_entities = site.cursor_of(a, "/v1/entities?limit=1").await;
    let of_snapshot = site.cursor_of(a, "/v1/snapshot?limit=1").await;
    let of_kind = site.cursor_of(a, "/v1/changes?kind=Resource").await;
    let mut cases: Vec<Case> = mangled(&good)
        .into_iter()
        .chain(signed_otherwise(&good, &of_b))
        .map(|(name, text, expected)| (name, a.key.clone(), format!("/v1/changes?cursor={text}"), expected))
        .collect();
    let changes = |rest: &str| format!("/v1/changes?{rest}");
    let used = [
        ("another tenant's", a, changes(&format!("cursor={of_b}")), INVALID),
        ("ours in another tenant's hand", b, changes(&format!("cursor={good}")), INVALID),
        ("ours at another tenant's snapshot", b, format!("/v1/snapshot?cursor={good}"), INVALID),
        ("for a kind, without it", a, changes(&format!("cursor={of_kind}")), CHANGED),
        ("for all, with a kind", a, changes(&format!("kind=Resource&cursor={good}")), CHANGED),
        ("for a kind, with another", a, changes(&format!("kind=System&cursor={of_kind}")), CHANGED),
        ("for a kind, in other letters", a, changes(&format!("kind=rESOURCE&cursor={of_kind}")), OK),
        ("of the entities, at the changes", a, changes(&format!("cursor={of_entities}")), CHANGED),
        ("of the changes, at the entities", a, format!("/v1/entities?cursor={good}"), CHANGED),
        (
            "of the snapshot, at the changes: it goes on there",
            a,
            changes(&format!("cursor={of_snapshot}")),
            OK,
        ),
        ("twice", a, changes(&format!("cursor={good}&cursor={good}")), "400 query_parameter_repeated"),
        ("under another name", a, changes(&format!("Cursor={good}")), "400 query_parameter_unknown"),
        (
            "at a list that knows none",
            a,
            format!("/v1/workspaces?cursor={good}"),
            "400 query_parameter_unknown",
        ),
        ("with another limit", a, changes(&format!("limit=1&cursor={good}")), OK),
        (
            "with a limit that is none",
            a,
            changes(&format!("limit=0&cursor={good}")),
            "400 limit_out_of_range",
        ),
    ];
    let nobody =
        ("without a key".to_owned(), String::new(), changes(&format!("cursor={good}")), "401 unauthorized");
    cases.push(nobody);
    cases.extend(used.map(|(name, who, uri, expected)| (name.to_owned(), who.key.clone(), uri, expected)));
    cases
}

#[test]
fn hostile_cursors_get_the_one_right_answer() {
    run(async {
        let site = Site::start("cursor-hostile").await;
        for tenant in [&site.house.a, &site.house.b] {
            let entities = [("Resource", "one"), ("Resource", "two"), ("TerraformWorkspace", "w")];
            site.house.commit(tenant, 1, &entities, &[]).await;
        }
        let attempts = || {
            let families = site.house.registry.gather();
            let family =
                families.iter().find(|family| family.name() == "terrasift_cross_tenant_attempts_total");
            family.map_or(0.0, |family| family.get_metric().iter().map(|m| m.get_counter().get_value()).sum())
        };
        let cases = table(&site).await;
        let (mut wrong, total) = (Vec::new(), cases.len());
        for (name, key, uri, expected) in cases {
            let before: f64 = attempts();
            let answer = site.get(&key, &uri).await;
            if answer.summary() != expected {
                wrong.push(format!("{name}: {}, expected {expected}", answer.summary()));
            }
            // An attempt across tenants is answered like any other, and told to who looks after security.
            let crosses = name.contains("another tenant's") || name.ends_with("of an unknown tenant");
            if (attempts() > before) != crosses {
                wrong.push(format!("{name}: the attempts rose by {}", attempts() - before));
            }
        }
        assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(total, CASES, "the table is counted");
    });
}

#[test]
fn a_cursor_that_is_sent_again_reads_the_same_page() {
    run(async {
        let site = Site::start("cursor-again").await;
        let a = &site.house.a;
        site.house
            .commit(a, 1, &[("Resource", "one"), ("Resource", "two"), ("Resource", "three")], &[])
            .await;
        let cursor = site.cursor_of(a, "/v1/changes?limit=1").await;
        let uri = format!("/v1/changes?limit=1&cursor={cursor}");
        let first = site.get(&a.key, &uri).await;
        assert_eq!(first.json()["changes"].as_array().map(Vec::len), Some(1));
        for _ in 0..3 {
            assert_eq!(site.get(&a.key, &uri).await.body, first.body);
        }
        let both = site.get(&a.key, &format!("/v1/changes?limit=2&cursor={cursor}")).await;
        let (one, two) = (first.json()["changes"].clone(), both.json()["changes"].clone());
        assert_eq!(
            (two[0].clone(), two.as_array().map(Vec::len)),
            (one[0].clone(), Some(2)),
            "another limit, the same place"
        );
    });
}
