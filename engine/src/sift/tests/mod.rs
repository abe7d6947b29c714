//! Tests of the sift: tables, golden files, properties against a slow oracle, the real corpus, memory.

mod catalog;
mod corpus;
mod follow;
mod golden;
mod memory;
mod mentions;
mod oracle;
mod properties;
mod refusals;
mod replay;
mod schemas;
mod siblings;

use std::sync::Arc;

use terrasift_schemas::detection::Report;

use super::{Redactor, TaintPass};
use crate::detect::{HashKey, RuleSet};
use crate::refusal::Refusal;

/// Cuts input into the pieces whose lengths are given in a circle.
fn pieces<'b>(mut bytes: &'b [u8], lengths: &'b [usize]) -> impl Iterator<Item = &'b [u8]> {
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        let length = (*lengths.next()?).max(1).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The built-in rules, compiled once for all tests: that is the slow part.
fn rules() -> Arc<RuleSet> {
    static RULES: std::sync::OnceLock<Arc<RuleSet>> = std::sync::OnceLock::new();
    Arc::clone(RULES.get_or_init(RuleSet::builtin))
}

/// Two passes, in pieces of these lengths.
fn redact_in(rules: &Arc<RuleSet>, bytes: &[u8], lengths: &[usize]) -> Result<(Vec<u8>, Report), Refusal> {
    let mut first = TaintPass::new(rules, [7; 16]);
    for piece in pieces(bytes, lengths) {
        first.push(piece)?;
    }
    let mut second = Redactor::new(rules, first.finish()?, HashKey::new([9; 32]));
    let mut out = Vec::new();
    for piece in pieces(bytes, lengths) {
        second.push(piece, &mut out)?;
    }
    let report = second.finish(&mut out)?;
    Ok((out, report))
}

/// Two passes over the whole.
fn redact(bytes: &[u8]) -> Result<(Vec<u8>, Report), Refusal> {
    redact_in(&rules(), bytes, &[usize::MAX])
}

/// A state with these resources and outputs (JSON).
fn state(resources: &str, outputs: &str) -> String {
    format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":7,"lineage":"d8a9d9f4-4b8e-9c1f-6b0e-0d6c2c7f4a11","outputs":{outputs},"resources":{resources},"check_results":null}}"#
    )
}

/// A state with one resource with these members of one instance.
fn instance(members: &str) -> String {
    let resource = format!(
        r#"[{{"mode":"managed","type":"aws_thing","name":"one","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{{"schema_version":0,{members}}}]}}]"#
    );
    state(&resource, "{}")
}
