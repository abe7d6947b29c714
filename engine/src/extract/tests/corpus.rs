//! Real state files, where the samples folder is there: whatever a provider writes must become valid entities.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::ResourceHeader;
use super::{HEAD, assert_valid, extractor, facts, key};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Published entities of a state; `None` when the file is no state v4.
fn entities_of(path: &Path) -> Option<usize> {
    let state: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    if state.get("version")? != 4 {
        return None;
    }
    let key = key();
    let mut extractor = extractor("acme", "ws-1");
    for resource in state.get("resources")?.as_array()? {
        let text = |member: &str| resource.get(member).and_then(Value::as_str).unwrap_or_default();
        for instance in resource.get("instances")?.as_array()? {
            let index = instance.get("index_key").map(Value::to_string);
            let deposed = instance.get("deposed").and_then(Value::as_str);
            let identity = key.instance(index.as_deref().map(str::as_bytes), deposed);
            extractor.instance(instance.to_string().as_bytes(), identity, deposed.is_some()).expect("kept");
        }
        let header = ResourceHeader {
            module: resource.get("module").and_then(Value::as_str),
            mode: text("mode"),
            rtype: text("type"),
            name: text("name"),
            provider: text("provider"),
        };
        let identity = key.resource(text("module"), text("mode"), text("type"), text("name"));
        extractor.resource_end(header, identity).expect("kept");
    }
    let entities = extractor.finish(&facts(), HEAD, &mut |_| None).expect("entities");
    assert_valid(&entities);
    Some(entities.len())
}

#[test]
fn real_states_become_valid_entities() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/tfstate");
    let mut found = Vec::new();
    files(&folder, &mut found);
    let counts: Vec<usize> = found.iter().filter_map(|path| entities_of(path)).collect();
    assert!(
        found.is_empty() || counts.iter().any(|n| *n > 1),
        "no state of the samples has a listed resource"
    );
}
