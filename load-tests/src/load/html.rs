//! The report as one page: figures and plots, without a script and without anything from elsewhere.

use std::fmt::Write as _;

use super::outcome::{Outcome, Sample};
use super::plot::{Line, escape, plot};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
content=\"width=device-width\"><style>body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;\
padding:0 1rem;color:#111}table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.3rem .6rem;\
border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}figure{margin:1.5rem 0}\
figcaption{font-weight:600}svg{width:100%;height:auto}svg text{font-size:11px;fill:#555}svg .end{text-anchor:end}\
svg .middle{text-anchor:middle}svg .grid{stroke:#e5e7eb}svg polyline{stroke-width:1.5}pre{background:#f6f6f6;\
padding:1rem;overflow:auto}</style>";

/// The page.
#[must_use]
pub fn page(outcome: &Outcome) -> String {
    let name = escape(&outcome.scenario.name);
    let mut html = format!("{HEAD}<title>Load: {name}</title><h1>Load: {name}</h1>");
    // Writing to a string cannot fail.
    let _ = write!(
        html,
        "<p>{}</p><table><tr><th>phase<th>seconds<th>sent<th>not sent<th>visible<th>p50 ms<th>p90<th>p99<th>p99.9<th>max</tr>",
        escape(&outcome.scenario.about)
    );
    for phase in &outcome.phases {
        let ms = &phase.latency_ms;
        let _ = write!(
            html,
            "<tr><td>{}<td>{:.0}<td>{}<td>{}<td>{}<td>{:.1}<td>{:.1}<td>{:.1}<td>{:.1}<td>{:.1}</tr>",
            escape(&phase.name),
            phase.seconds,
            phase.sent,
            phase.not_sent,
            phase.visible,
            ms.p50,
            ms.p90,
            ms.p99,
            ms.p999,
            ms.max
        );
    }
    html.push_str("</table><p>Latency counts from the time at which an event was meant to be sent to its state in the feed.</p>");
    let samples = &outcome.samples;
    let over = |of: fn(&Sample) -> f64| -> Vec<(f64, f64)> {
        samples.iter().map(|sample| (number(sample.second), of(sample))).collect()
    };
    let line = |name: &str, points| Line { name: name.to_owned(), points };
    html.push_str(&plot(
        "Latency by the second in which events were due",
        "seconds",
        "milliseconds",
        &[line("p50", over(|s| s.p50_ms)), line("p99", over(|s| s.p99_ms))],
    ));
    html.push_str(&plot(
        "Events",
        "seconds",
        "events a second",
        &[line("due", over(|s| number(s.due))), line("visible", over(|s| number(s.visible)))],
    ));
    let nines = |percent: f64| if percent >= 100.0 { 5.0 } else { -(1.0 - percent / 100.0).log10() };
    let distribution = outcome.phases.iter().map(|phase| {
        line(&phase.name, phase.distribution.iter().map(|(percent, ms)| (nines(*percent), *ms)).collect())
    });
    html.push_str(&plot(
        "Distribution of the latency (1: 90 %, 2: 99 %, 3: 99.9 %, 5: the longest)",
        "nines",
        "milliseconds",
        &distribution.collect::<Vec<_>>(),
    ));
    let replicas = samples.iter().map(|sample| sample.resident_bytes.len()).max().unwrap_or(0);
    let resident = (0..replicas).map(|replica| {
        let points = samples
            .iter()
            .filter_map(|sample| Some((number(sample.second), number(*sample.resident_bytes.get(replica)?))));
        line(&format!("replica {replica}"), points.collect())
    });
    if replicas > 0 {
        html.push_str(&plot("Resident memory", "seconds", "bytes", &resident.collect::<Vec<_>>()));
    }
    let settings = serde_json::to_string_pretty(&outcome.settings).unwrap_or_default();
    let _ = write!(html, "<h2>Settings</h2><pre>{}</pre></html>", escape(&settings));
    html
}

/// Counts and bytes are far below 2^52.
fn number(count: u64) -> f64 {
    let (high, low) = (count >> 32, count & 0xffff_ffff);
    f64::from(u32::try_from(high).unwrap_or(u32::MAX)) * 4_294_967_296.0
        + f64::from(u32::try_from(low).unwrap_or(u32::MAX))
}
