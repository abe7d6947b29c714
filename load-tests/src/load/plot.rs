//! Line plots as SVG text: axes, a legend, and lines.
//!
//! Pure. Must never ask for anything from outside the page.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 36.0;
const COLOURS: [&str; 6] = ["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2"];

/// A line with its name.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A plot of lines over a common axis.
pub(super) fn plot(title: &str, x_name: &str, y_name: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0_f64, f64::max);
    let (x_max, y_max) = (most(|point| point.0).max(1.0), round_up(most(|point| point.1)));
    let x = |value: f64| LEFT + value / x_max * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - value / y_max * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<figure><figcaption>{}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        escape(title),
        escape(title)
    );
    // Writing to a string cannot fail.
    for step in 0..=4 {
        let (part, height) = (f64::from(step) / 4.0, y(y_max * f64::from(step) / 4.0));
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{height:.1}\" y2=\"{height:.1}\" class=\"grid\"/>\
             <text x=\"{}\" y=\"{:.1}\" class=\"end\">{}</text>\
             <text x=\"{:.1}\" y=\"{}\" class=\"middle\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            height + 4.0,
            short(y_max * part),
            x(x_max * part),
            HEIGHT - BOTTOM + 16.0,
            short(x_max * part)
        );
    }
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: String = line.points.iter().map(|(a, b)| format!("{:.1},{:.1} ", x(*a), y(*b))).collect();
        let _ = write!(svg, "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\"/>", path.trim_end());
    }
    let mut at = LEFT;
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let _ = write!(svg, "<text x=\"{at:.0}\" y=\"14\" fill=\"{colour}\">{}</text>", escape(&line.name));
        at += 24.0 + 7.0 * f64::from(u32::try_from(line.name.chars().count()).unwrap_or(0));
    }
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"{}\" class=\"end\">{} · {}</text></svg></figure>",
        WIDTH - RIGHT,
        HEIGHT - 4.0,
        escape(x_name),
        escape(y_name)
    );
    svg
}

/// To 1, 2 or 5 times a power of ten, so that the axis has round numbers.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= value);
    step.unwrap_or(10.0) * power
}

fn short(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{:.1}G", v / 1e9),
        v if v >= 1e6 => format!("{:.1}M", v / 1e6),
        v if v >= 1e4 => format!("{:.0}k", v / 1e3),
        v if v >= 10.0 || v == 0.0 => format!("{v:.0}"),
        v => format!("{v:.2}"),
    }
}

/// Text for a page.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let cases =
            [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (1.1, 2.0), (42.0, 50.0), (51.0, 100.0), (999.0, 1000.0)];
        for (value, expected) in cases {
            assert!((round_up(value) - expected).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn a_plot_stands_alone_and_names_cannot_break_out() {
        let line = Line { name: "<b>\"".to_owned(), points: vec![(0.0, 1.0), (1.0, 2.0)] };
        let svg = plot("t<", "s", "ms", &[line]);
        assert!(svg.contains("<polyline points=\"64.0,") && svg.contains("&lt;b&gt;&quot;"));
        assert!(!svg.contains("<b>") && !svg.contains("http"));
    }
}
