//! The results as a picture: bars in SVG, which need no library.

use std::fmt::{Result, Write};

use crate::{
    contenders::Contender,
    results::{Results, Upserts},
};

/// The concurrency that the picture shows.
const CONCURRENCY: usize = 16;

const WIDTH: f64 = 760.0;
const LINE: f64 = 24.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 190.0;
const LONGEST: f64 = 470.0;

/// A group of bars.
struct Chart {
    title: String,
    bars: Vec<(String, f64)>,
}

/// Draws the results.
pub fn svg(results: &Results) -> std::result::Result<String, std::fmt::Error> {
    let is_upsert = |row: &&Upserts| !Contender::TRIGGERS.contains(&row.contender);
    let at = || results.upserts.iter().filter(|row| row.concurrency == CONCURRENCY).filter(is_upsert);
    let cpu = |row: &Upserts| (row.contender.title().to_owned(), row.cpu_us_per_request);
    let is_peer = |row: &&Upserts| Contender::PEERS.contains(&row.contender);
    let charts = [
        Chart {
            title: format!("CPU time of the client for one upsert, µs ({CONCURRENCY} at a time)"),
            bars: at().filter(|row| !is_peer(row)).map(cpu).collect(),
        },
        // On a scale of their own, beside which the others would vanish.
        Chart {
            title: "the same, beside SuprSend's own SDKs".to_owned(),
            bars: at().filter(|row| is_peer(row) || row.contender == Contender::Sdk).map(cpu).collect(),
        },
        Chart {
            title: format!("upserts a second ({CONCURRENCY} at a time)"),
            bars: at().map(|row| (row.contender.title().to_owned(), row.requests_per_second)).collect(),
        },
        Chart {
            title: "peak memory of upsert_all, MiB".to_owned(),
            bars: results.scale.iter().map(|row| (format!("{} users", row.users), row.peak_mib)).collect(),
        },
    ];
    let mut body = String::new();
    let mut y = LINE;
    // Without the official SDKs there is nothing for ours to be beside.
    for chart in charts.iter().filter(|chart| chart.bars.len() > 1) {
        y = draw(&mut body, chart, y)?;
    }
    let machine = &results.machine;
    let caption = format!("{}, {} cores, {}", machine.processor, machine.cores, machine.system);
    text(&mut body, 10.0, y, "caption", &caption)?;
    let height = y + LINE / 2.0;
    Ok(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">
<style>
text {{ font: 13px sans-serif; fill: #24292f }} .title {{ font-weight: bold }} .caption {{ fill: #57606a }} .name {{ text-anchor: end }}
rect {{ fill: #8c959f }} .ours {{ fill: #0969da }}
</style>
<rect width="100%" height="100%" style="fill: #ffffff"/>
{body}</svg>
"#
    ))
}

/// Draws a group below `y`, and gives where it ends.
fn draw(body: &mut String, chart: &Chart, mut y: f64) -> std::result::Result<f64, std::fmt::Error> {
    text(body, 10.0, y, "title", &chart.title)?;
    let longest = chart.bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    for (name, value) in &chart.bars {
        y += LINE;
        text(body, LEFT - 8.0, y, "name", name)?;
        let width = value / longest * LONGEST;
        let class = if name.starts_with("SDK") || name.ends_with("users") { r#" class="ours""# } else { "" };
        writeln!(body, r#"<rect{class} x="{LEFT}" y="{:.0}" width="{width:.1}" height="16"/>"#, y - 13.0)?;
        let digits = usize::from(*value < 1000.0);
        text(body, LEFT + width + 6.0, y, "value", &format!("{value:.digits$}"))?;
    }
    Ok(y + LINE * 1.5)
}

fn text(body: &mut String, x: f64, y: f64, class: &str, text: &str) -> Result {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(body, r#"<text class="{class}" x="{x:.1}" y="{y:.0}">{text}</text>"#)
}
