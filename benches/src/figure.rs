//! What a line of a figure is made of: the machine, medians, rounded speeds, sizes as a person types them.
//! Must never measure anything itself.

use anyhow::{Context, Result};
use serde_json::json;

/// What the figures depend on beside the code.
#[must_use]
pub fn machine() -> serde_json::Value {
    let first = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        line.rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    json!({
        "figure": "machine",
        "cpu": first("/proc/cpuinfo", "model name"),
        "cores": cores,
        "load": first("/proc/loadavg", ""),
    })
}

/// The middle one, the upper of two; not a number when there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Rounded to one decimal.
#[must_use]
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Powers of ten, to the kilobyte.
///
/// # Errors
/// Above 4 TB.
pub fn megabytes(bytes: u64) -> Result<f64> {
    let kilobytes = u32::try_from(bytes / 1000).context("a state above 4 TB does not fit memory")?;
    Ok(f64::from(kilobytes) / 1e3)
}

/// A size with B, KB, MB or GB (powers of ten), in bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err("the unit must be B, KB, MB or GB".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "a size is a whole number and a unit, such as 100MB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "the size is too large".to_owned())
}
