//! Owns what the state generator promises: determinism, valid state v4, size, and canaries that are where they are said to be.
//! It must never look at the sanitization rules.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use serde_json::Value;
use std::collections::{HashMap, HashSet};
use terrasift_load_tests::generator::{
    Canary, CanaryDensity, Layout, StateSize, StateSpec, StateStream, checksums, generate, measure,
};

fn made(spec: &StateSpec) -> (Vec<u8>, Vec<Canary>) {
    let (mut bytes, mut canaries) = (Vec::new(), Vec::new());
    generate(spec, &mut bytes, &mut canaries).unwrap();
    (bytes, canaries)
}

/// Every string of a document, keys included, and what nested JSON documents and base64 texts in it decode to.
fn strings(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\0');
            if let Ok(nested @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
                strings(&nested, out);
            }
            use base64::Engine;
            if let Ok(bytes) = base64::engine::general_purpose::STANDARD.decode(text)
                && let Ok(plain) = String::from_utf8(bytes)
            {
                out.push_str(&plain);
                out.push('\0');
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(members) => {
            for (key, member) in members {
                out.push_str(key);
                out.push('\0');
                strings(member, out);
            }
        }
        _ => {}
    }
}

fn big() -> StateSpec {
    StateSpec::new(4242, StateSize::Bytes(3_000_000))
}

#[test]
fn the_same_spec_gives_the_same_bytes_and_another_seed_others() {
    let spec = StateSpec::new(7, StateSize::Bytes(200_000));
    assert!(made(&spec) == made(&spec));
    assert!(made(&spec).0 != made(&StateSpec { seed: 8, ..spec }).0);
}

#[test]
fn chunk_sizes_do_not_change_the_bytes() {
    let spec = StateSpec::new(7, StateSize::Bytes(150_000));
    let whole = made(&spec).0;
    for size in [1, 100, 4096, 1 << 20] {
        let cut: Vec<u8> = StateStream::new(spec.clone()).chunk_bytes(size).flatten().collect();
        assert!(cut == whole, "chunks of {size}");
    }
}

#[test]
fn documents_are_state_version_4_in_terraforms_order_and_layout() {
    for (layout, canaries) in [
        (Layout::Pretty, CanaryDensity::USUAL),
        (Layout::Compact, CanaryDensity::USUAL),
        (Layout::Pretty, CanaryDensity::NONE),
        (Layout::Compact, CanaryDensity { per_hundred: 100 }),
    ] {
        let spec = StateSpec { layout, canaries, serial: 12, ..StateSpec::new(3, StateSize::Bytes(400_000)) };
        let (bytes, _) = made(&spec);
        let text = String::from_utf8(bytes).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let at = |key: &str| {
            text.find(&match layout {
                Layout::Pretty => format!("\n  \"{key}\": "),
                Layout::Compact => format!("\"{key}\":"),
            })
        };
        let order: Vec<_> =
            ["version", "terraform_version", "serial", "lineage", "outputs", "resources"].map(at).to_vec();
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{layout:?}");
        assert_eq!((&value["version"], &value["serial"]), (&4.into(), &12.into()));
        assert!(value["check_results"].is_array());
        let resources = value["resources"].as_array().unwrap();
        let mut seen = HashSet::new();
        for resource in resources {
            let address = format!("{}{}{}", resource["module"], resource["type"], resource["name"]);
            assert!(seen.insert(address), "an address twice");
            assert!(!resource["instances"].as_array().unwrap().is_empty());
        }
    }
}

#[test]
fn sizes_are_within_a_tenth() {
    for target in [20_000, 60_000, 200_000, 1_000_000, 5_000_000] {
        for seed in 0..5 {
            let bytes = measure(&StateSpec::new(seed, StateSize::Bytes(target))).bytes;
            assert!(bytes.abs_diff(target) <= target / 10, "wanted {target}, seed {seed} gave {bytes}");
        }
    }
    let spec = StateSpec::new(1, StateSize::Resources(120));
    assert_eq!(measure(&spec).resources, 120);
}

#[test]
fn every_canary_stands_in_the_decoded_document_where_it_is_said_to_be() {
    let (bytes, canaries) = made(&big());
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    let mut text = String::new();
    strings(&value, &mut text);
    for canary in &canaries {
        assert!(text.contains(&canary.text), "{} at {} is not found", canary.family, canary.place);
    }
    assert!(canaries.len() > 1_000, "{} canaries", canaries.len());
}

#[test]
fn canaries_are_unique_and_cover_families_places_and_categories() {
    let (_, canaries) = made(&big());
    let mut seen: HashMap<&str, &Canary> = HashMap::new();
    for canary in &canaries {
        if let Some(other) = seen.insert(&canary.text, canary) {
            panic!("{} at {} equals {} at {}", canary.family, canary.place, other.family, other.place);
        }
        assert!(canary.text.len() >= 8, "{} is too short to be unmistakable", canary.family);
    }
    let families: HashSet<_> = canaries.iter().map(|canary| canary.family).collect();
    let places: HashSet<_> = canaries.iter().map(|canary| canary.place).collect();
    let categories: HashSet<_> = canaries.iter().map(|canary| canary.category).collect();
    assert!(families.len() >= 65, "{} families: {families:?}", families.len());
    assert!(places.len() >= 18, "{} places: {places:?}", places.len());
    assert_eq!(categories.len(), 3);
}

#[test]
fn without_canaries_nothing_is_planted() {
    let spec = StateSpec { canaries: CanaryDensity::NONE, ..big() };
    let (bytes, canaries) = made(&spec);
    assert!(canaries.is_empty());
    let text = String::from_utf8(bytes).unwrap();
    for mark in ["ghp_", "PRIVATE KEY", "AKIA", "\"10.", "192.168.", "eyJhbGciOi"] {
        assert!(!text.contains(mark), "{mark}");
    }
}

#[test]
fn checksums_are_right() {
    let (_, canaries) = made(&big());
    let mut checked = 0;
    for canary in &canaries {
        // The encoded form of another canary has no checksum of its own.
        if canary.place.ends_with(":encoded") {
            continue;
        }
        let text = &canary.text;
        let holds = match canary.family {
            "github-classic-token"
            | "github-oauth-token"
            | "github-app-token"
            | "npm-token"
            | "github-fine-grained-token" => {
                let last = text.rsplit('_').next().unwrap();
                let (body, check) = last.split_at(last.len() - 6);
                checksums::base62_six(checksums::crc32(body.as_bytes())) == check
            }
            "payment-card" => {
                let (body, check) = text.split_at(text.len() - 1);
                checksums::luhn_digit(body).to_string() == check
            }
            "iban" => checksums::iban_remainder(&text[..2], text[2..4].parse().unwrap(), &text[4..]) == 1,
            _ => continue,
        };
        assert!(holds, "{}", canary.family);
        checked += 1;
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn a_generation_changes_adds_and_removes_a_part() {
    let address = |resource: &Value| {
        let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        (text("module"), text("type"), text("name"))
    };
    let at = |generation: u32| -> HashMap<_, Value> {
        let spec = StateSpec { generation, ..StateSpec::new(5, StateSize::Resources(200)) };
        let value: Value = serde_json::from_slice(&made(&spec).0).unwrap();
        value["resources"].as_array().unwrap().iter().map(|it| (address(it), it.clone())).collect()
    };
    let (mut changed, mut removed, mut added) = (0, 0, 0);
    for generation in 0..20 {
        let (before, after) = (at(generation), at(generation + 1));
        let differing =
            before.iter().filter(|(key, it)| after.get(*key).is_some_and(|now| now != *it)).count();
        assert!((1..60).contains(&differing), "generation {generation}: {differing}");
        changed += differing;
        removed += before.keys().filter(|key| !after.contains_key(*key)).count();
        added += after.keys().filter(|key| !before.contains_key(*key)).count();
    }
    assert!(changed > 100 && removed > 10 && added > 5, "{changed} {removed} {added}");
}
