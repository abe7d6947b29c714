//! Records and verdicts of the security audit, for people.

use terrasift_postgres::{TrailRecord, TrailVerdict};
use time::format_description::well_known::Rfc3339;

use super::NOBODY;

/// A record for people.
pub fn text(record: &TrailRecord) -> String {
    let shown = |text: &str| text.chars().flat_map(char::escape_debug).collect::<String>();
    let or_none = |text: &str| if text.is_empty() { NOBODY.to_owned() } else { shown(text) };
    format!(
        "{:<27} {:<12} {:<16} {:<24} {:<15} {:<6} {}  {}",
        record.at.format(&Rfc3339).unwrap_or_default(),
        shown(&record.outcome),
        or_none(&record.tenant),
        or_none(&record.actor),
        or_none(&record.client),
        shown(&record.action),
        shown(&record.resource),
        shown(&record.code),
    )
}

/// A verdict for people.
pub fn verdict_text(verdict: &TrailVerdict) -> String {
    let mut out = format!(
        "{} records in {} segments ({} open), {} signed checkpoints, {} gaps that the chain tells of: ",
        verdict.records, verdict.segments, verdict.open, verdict.checkpoints, verdict.gaps
    );
    out.push_str(if verdict.breaks.is_empty() { "whole" } else { "BROKEN" });
    for found in &verdict.breaks {
        out.push_str(&format!("\nsegment {} breaks at {}: {}", found.segment, found.number, found.what));
    }
    out
}
