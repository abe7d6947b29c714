//! The input of all measurements: generated states, and what is cut from them. The same seed gives the same bytes.
//! Must never hold a secret in the source: whatever looks like one comes from the generator's seed.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use terrasift_engine::detect::{HashKey, KeyVerdict, RuleSet};
use terrasift_engine::extract::{CatalogProfile, TypeTable};
use terrasift_engine::sift::{Pipeline, SiftJob, TenantKeys};
use terrasift_load_tests::generator::{Canary, CanaryDensity, StateSize, StateSpec, generate};
use terrasift_schemas::catalog::RenderedEntity;
use terrasift_schemas::workspace::WorkspaceFacts;
use terrasift_schemas::{PipelineVersion, Sanitized, TenantId, TenantSlug, WorkspaceId};

use crate::ways;

/// Bytes a push: about what a download hands over at once.
pub const CHUNK_BYTES: usize = 64 << 10;

/// The two densities of planted secrets, by name.
pub const DENSITIES: [(&str, CanaryDensity); 2] =
    [("none", CanaryDensity::NONE), ("usual", CanaryDensity::USUAL)];

/// A first state of about this many bytes, indented as Terraform writes it.
#[must_use]
pub fn spec(bytes: u64, seed: u64, canaries: CanaryDensity) -> StateSpec {
    StateSpec { canaries, ..StateSpec::new(seed, StateSize::Bytes(bytes)) }
}

/// The document and what was planted in it.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn state(spec: &StateSpec) -> Result<(Vec<u8>, Vec<Canary>)> {
    let (mut out, mut canaries) = (Vec::new(), Vec::new());
    generate(spec, &mut out, &mut canaries)?;
    Ok((out, canaries))
}

/// Builtin rules and types.
#[must_use]
pub fn pipeline() -> Arc<Pipeline> {
    Arc::new(Pipeline {
        rules: RuleSet::builtin(),
        types: Arc::new(TypeTable::builtin()),
        version: PipelineVersion(1),
    })
}

/// A workspace of one tenant.
///
/// # Errors
/// None in practice: the ids are constants.
pub fn job() -> Result<SiftJob> {
    let bad = |error| anyhow!("the id of a bench is refused: {error}");
    Ok(SiftJob {
        tenant: TenantId::parse("acme").map_err(bad)?,
        slug: TenantSlug::parse("acme").map_err(bad)?,
        workspace: WorkspaceId::parse("ws-bench").map_err(bad)?,
        facts: WorkspaceFacts {
            name: "bench".to_owned(),
            organization: "acme".to_owned(),
            ..WorkspaceFacts::default()
        },
        keys: TenantKeys { identity_key: [1; 32], hash_key: HashKey::new([2; 32]), taint_key: [3; 16] },
        profile: CatalogProfile::default(),
        state_version: None,
    })
}

/// `count` entities of one generated state.
///
/// # Errors
/// When the state is refused or comes to fewer.
pub fn entities(count: usize, seed: u64) -> Result<Vec<Sanitized<RenderedEntity>>> {
    let resources = u32::try_from(2 * count)?;
    let (state, _) = state(&StateSpec::new(seed, StateSize::Resources(resources)))?;
    let mut entities = ways::sift(&pipeline(), job()?, state.chunks(CHUNK_BYTES))?.entities;
    anyhow::ensure!(entities.len() >= count, "{resources} resources came to {} entities", entities.len());
    entities.truncate(count);
    Ok(entities)
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    resources: Vec<Resource<'a>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    instances: Vec<&'a RawValue>,
}

/// The state's instances as they stand in it, one behind the other, over and over up to this many bytes: what the
/// splitter cuts. The last one is cut off.
///
/// # Errors
/// When the state is no state or has no instance.
pub fn instances(state: &[u8], bytes: usize) -> Result<Vec<u8>> {
    let document: Document<'_> = serde_json::from_slice(state).context("cannot cut the state")?;
    let texts: Vec<&str> =
        document.resources.iter().flat_map(|resource| &resource.instances).map(|raw| raw.get()).collect();
    anyhow::ensure!(!texts.is_empty(), "the state has no instance");
    let mut out = Vec::with_capacity(bytes);
    for text in texts.iter().cycle() {
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
        if out.len() >= bytes {
            break;
        }
    }
    out.truncate(bytes);
    Ok(out)
}

/// All strings of a document with what the keys above them say.
///
/// # Errors
/// When the state is not JSON.
pub fn leaves(rules: &RuleSet, state: &[u8]) -> Result<Vec<(String, KeyVerdict)>> {
    let mut leaves = Vec::new();
    gather(rules, serde_json::from_slice(state)?, KeyVerdict::Plain, &mut leaves);
    Ok(leaves)
}

fn gather(rules: &RuleSet, value: Value, key: KeyVerdict, leaves: &mut Vec<(String, KeyVerdict)>) {
    match value {
        Value::String(text) => leaves.push((text, key)),
        Value::Array(items) => items.into_iter().for_each(|item| gather(rules, item, key, leaves)),
        Value::Object(members) => {
            for (name, member) in members {
                gather(rules, member, KeyVerdict::under(rules.classify_key(&name), key), leaves);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
