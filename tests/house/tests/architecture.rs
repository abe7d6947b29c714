//! Holds the walls of the house: which crate may know which, what the engine may link, which calls stand where.
//!
//! A new edge is added here and explained in an ADR, or not made. Lists only shrink: an entry that nothing uses fails.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use terrasift_house::{RustFile, root, rust_files};

/// Crate, and the crates of ours that it may know.
const EDGES: &[(&str, &[&str])] = &[
    ("terrasift-schemas", &[]),
    ("terrasift-house", &[]),
    ("terrasift-engine", &["terrasift-schemas"]),
    // The slow twin asks the rules themselves, and nothing else of the engine but what it judges.
    ("terrasift-oracle", &["terrasift-schemas", "terrasift-engine"]),
    ("terrasift-secrets", &["terrasift-schemas"]),
    ("terrasift-terraform-cloud", &["terrasift-schemas", "terrasift-secrets"]),
    ("terrasift-kafka", &["terrasift-schemas", "terrasift-secrets"]),
    ("terrasift-postgres", &["terrasift-schemas"]),
    ("terrasift-redis", &["terrasift-schemas"]),
    ("terrasift-identity", &["terrasift-schemas"]),
    // The outermost connector calls inner ones by their types: docs/adr/0005-http-calls-the-inner-connectors.md.
    (
        "terrasift-http",
        &[
            "terrasift-schemas",
            "terrasift-secrets",
            "terrasift-identity",
            "terrasift-kafka",
            "terrasift-postgres",
            // The cache of what is read there: docs/adr/0034-a-cache-that-needs-no-message.md.
            "terrasift-redis",
        ],
    ),
    (
        "terrasift-actors",
        &[
            "terrasift-schemas",
            "terrasift-engine",
            "terrasift-kafka",
            "terrasift-postgres",
            // The budget's port and its types: docs/adr/0013-the-budget-in-redis.md.
            "terrasift-redis",
            "terrasift-terraform-cloud",
        ],
    ),
    // Never the client's wire types: one typo would cancel itself out. Of the connectors only the private servers (ADR 16).
    ("terrasift-load-tests", &["terrasift-kafka", "terrasift-postgres", "terrasift-redis"]),
    (
        "terrasift-benches",
        &[
            "terrasift-schemas",
            "terrasift-engine",
            "terrasift-load-tests",
            // The worker as the binary wires it, beside real servers: docs/adr/0018-measured-on-the-whole.md.
            "terrasift-actors",
            "terrasift-kafka",
            "terrasift-postgres",
            "terrasift-redis",
            "terrasift-secrets",
            "terrasift-terraform-cloud",
        ],
    ),
    (
        "terrasift",
        &[
            "terrasift-schemas",
            "terrasift-engine",
            "terrasift-secrets",
            "terrasift-terraform-cloud",
            "terrasift-kafka",
            "terrasift-postgres",
            "terrasift-redis",
            "terrasift-http",
            "terrasift-identity",
            "terrasift-actors",
            "terrasift-load-tests",
        ],
    ),
];

/// Edges that only tests have.
const TEST_EDGES: &[(&str, &str)] = &[
    // Generated states are sanitized in every cut.
    ("terrasift-oracle", "terrasift-load-tests"),
    // The client is tried against the simulator, which shares no type with it.
    ("terrasift-terraform-cloud", "terrasift-load-tests"),
    // So are the hops as a whole, with the client's tokens in hand.
    ("terrasift-actors", "terrasift-load-tests"),
    ("terrasift-actors", "terrasift-secrets"),
];

/// What pure crates may link: no runtime, clock, file, network or random generator among it (invariant 12).
const PURE: &[(&str, &[&str])] = &[
    ("terrasift-schemas", &["schemars", "serde", "serde_json", "thiserror", "time"]),
    (
        "terrasift-engine",
        &[
            "terrasift-schemas",
            "base64",
            "hex",
            "hmac",
            "memchr",
            "miniz_oxide",
            "regex-automata",
            "regex-syntax",
            "serde",
            "serde_json",
            "sha2",
            "simdutf8",
            "siphasher",
            "twox-hash",
            "url",
            "zeroize",
        ],
    ),
];

/// A call that stands in few files: needle in shipped code, files or folders (ending in `/`) that may hold it, why.
struct Ban {
    needle: &'static str,
    allowed: &'static [&'static str],
    reason: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        needle: "Sanitized::seal(",
        allowed: &["engine/src/seal.rs"],
        reason: "only the engine says that a value is clean (invariant 1)",
    },
    Ban {
        needle: "FromCatalog for ",
        allowed: &["schemas/src/sanitized.rs", "connectors/postgres/src/cached.rs"],
        reason: "what may be kept in a cache was read from the catalog (invariant 1)",
    },
    Ban {
        needle: "tokio::spawn(",
        allowed: &[
            "actors/src/",
            "src/app.rs",
            // A transaction runs where its caller's cancellation cannot drop it half-way (sqlx #4385).
            "connectors/postgres/src/tenant_tx.rs",
            // The simulator is a process of its own.
            "load-tests/src/",
        ],
        reason: "who runs when is decided in actors and in the wiring",
    },
    Ban {
        needle: "std::env::var",
        allowed: &["connectors/secrets/src/local.rs"],
        reason: "the environment is read by the configuration (src/config.rs, by figment) and for `env:` references",
    },
    Ban { needle: "std::env::args", allowed: &[], reason: "arguments are parsed by clap, in src/cli.rs" },
    Ban { needle: "unbounded_channel", allowed: &[], reason: "every queue has a limit" },
    Ban {
        needle: "thread::sleep(",
        allowed: &["connectors/postgres/src/private/cluster.rs"],
        reason: "a sleep hides a condition; the private cluster polls a starting process, bounded",
    },
    Ban {
        needle: "process::exit(",
        allowed: &[],
        reason: "exit codes are returned, so that destructors run and data is flushed",
    },
    Ban { needle: "lazy_static", allowed: &[], reason: "no globals" },
    Ban {
        needle: "LazyLock",
        // Templates compiled from constants: a constant that the compiler cannot compute.
        allowed: &["load-tests/src/generator/catalogue.rs"],
        reason: "no globals",
    },
    Ban { needle: "OnceLock", allowed: &[], reason: "no globals" },
    Ban { needle: "static mut ", allowed: &[], reason: "no globals" },
];

/// Purity by words: what the engine and the schemas must not even name.
const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "now_utc",
    "tokio",
    "tracing",
];

/// Name, and the names by kind (`null` is a normal dependency), of each package of the workspace.
fn dependencies() -> BTreeMap<String, Vec<(String, String)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or("normal").to_owned();
    let mut found = BTreeMap::new();
    for package in metadata["packages"].as_array().unwrap() {
        let edges = package["dependencies"].as_array().unwrap().iter();
        found.insert(
            text(&package["name"]),
            edges.map(|edge| (text(&edge["name"]), text(&edge["kind"]))).collect(),
        );
    }
    found
}

#[test]
fn crates_know_only_whom_they_may() {
    let packages = dependencies();
    let listed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut complaints = Vec::new();
    for (name, edges) in &packages {
        let Some(allowed) = listed.get(name.as_str()) else {
            complaints.push(format!("{name} is not in the list of edges"));
            continue;
        };
        for (to, kind) in edges.iter().filter(|(to, _)| packages.contains_key(to)) {
            let for_tests = kind == "dev" && TEST_EDGES.contains(&(name.as_str(), to.as_str()));
            if !for_tests && !allowed.contains(&to.as_str()) {
                complaints.push(format!("{name} must not know {to} ({kind})"));
            }
        }
    }
    complaints.extend(
        listed
            .keys()
            .filter(|name| !packages.contains_key(**name))
            .map(|name| format!("{name} is no more: take it out")),
    );
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn invariant_12_the_engine_links_nothing_that_is_not_pure() {
    let packages = dependencies();
    let mut complaints = Vec::new();
    for (name, allowed) in PURE {
        let edges = packages.get(*name).unwrap().iter().filter(|(_, kind)| kind != "dev");
        let linked: BTreeSet<&str> = edges.map(|(to, _)| to.as_str()).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        complaints.extend(linked.difference(&allowed).map(|to| format!("{name} must not link {to}")));
        complaints
            .extend(allowed.difference(&linked).map(|to| format!("{name} links {to} no more: take it out")));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let manifests: BTreeMap<String, String> = terrasift_house::files(&["Cargo.toml"])
        .unwrap()
        .into_iter()
        .filter_map(|file| {
            let name =
                file.text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))?;
            Some((name.to_owned(), file.path.trim_end_matches("Cargo.toml").to_owned()))
        })
        .collect();
    let files = rust_files().unwrap();
    let mut complaints = Vec::new();
    for (name, edges) in dependencies() {
        let folder = manifests.get(&name).unwrap();
        let inside = |file: &&RustFile| match folder.as_str() {
            // Its own tests; the house below them is another package.
            "" => {
                let tests = file.path.starts_with("tests/") && !file.path.starts_with("tests/house/");
                file.path.starts_with("src/") || tests
            }
            folder => file.path.starts_with(folder),
        };
        let code: Vec<&str> = files.iter().filter(inside).map(|file| file.code.as_str()).collect();
        for (to, kind) in edges {
            let word = to.replace('-', "_");
            if !code.iter().any(|code| names_crate(code, &word)) {
                complaints
                    .push(format!("{name} never names {to} ({kind}): take it out of {folder}Cargo.toml"));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Whether code names a crate: as the head of a path, in a `use`, or as the last part of an attribute's path.
fn names_crate(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = &code[at + word.len()..];
        !before.is_alphanumeric()
            && before != '_'
            && (after.starts_with("::") || after.starts_with(" as ") || after.starts_with(';'))
    })
}

#[test]
fn invariant_12_the_engine_names_nothing_that_is_not_pure() {
    let pure =
        |file: &&RustFile| file.path.starts_with("engine/src/") || file.path.starts_with("schemas/src/");
    let mut complaints = Vec::new();
    for file in rust_files().unwrap().iter().filter(pure) {
        for (index, line) in file.shipped.lines().enumerate() {
            let named = IMPURE.iter().filter(|needle| line.contains(**needle));
            complaints.extend(named.map(|needle| format!("{}:{}: `{needle}`", file.path, index + 1)));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn banned_calls_stand_only_where_they_may() {
    let files = rust_files().unwrap();
    let mut complaints = Vec::new();
    for Ban { needle, allowed, reason } in BANS {
        let mut unused: BTreeSet<&str> = allowed.iter().copied().collect();
        for file in files.iter().filter(|file| file.shipped.contains(needle)) {
            let place = allowed
                .iter()
                .find(|place| file.path == **place || place.ends_with('/') && file.path.starts_with(*place));
            match place {
                Some(place) => drop(unused.remove(place)),
                None => complaints.push(format!("{}: `{needle}`: {reason}", file.path)),
            }
        }
        complaints
            .extend(unused.iter().map(|place| format!("`{needle}` is no longer in {place}: take it out")));
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn main_is_at_most_40_lines() {
    let main = std::fs::read_to_string(root().join("src/main.rs")).unwrap();
    assert!(main.lines().count() <= 40);
}
