//! The results as tables in Markdown, which a terminal shows well enough.

use std::fmt::{self, Display};

use crate::results::{Aim, Build, Many, Results, Scale, Upserts};

/// Shows results as tables.
pub struct Tables<'a>(pub &'a Results);

impl Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Results { machine, quick, repetitions, upserts, scale, builds, aims } = self.0;
        writeln!(
            f,
            "{}, {} cores, {}; medians over {repetitions} turns",
            machine.processor, machine.cores, machine.system
        )?;
        if *quick {
            writeln!(f, "A quick run: the numbers are rough.")?;
        }

        let head = ["client", "at a time", "requests/s", "CPU µs/request", "p50 µs", "p99 µs", "peak MiB"];
        write_table(f, &head, upserts.iter().map(upserts_row))?;
        let head = ["upsert_all over", "seconds", "users/s", "CPU µs/user", "peak MiB"];
        write_table(f, &head, scale.iter().map(scale_row))?;
        let head = ["a program on", "crates", "seconds", "CPU seconds", "release KiB", "stripped KiB"];
        write_table(f, &head, builds.iter().map(build_row))?;
        let head = ["ratio", "measured", "aim", ""];
        write_table(f, &head, aims.iter().map(aim_row))
    }
}

/// Shows ways to send many as a table.
pub struct ManyTable<'a>(pub &'a [Many]);

impl Display for ManyTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.0.first() {
            writeln!(f, "{} records each, answers after {} ms", row.records, row.latency_ms)?;
        }
        let head = ["client", "seconds", "records/s", "CPU µs/record", "peak MiB", "minutes for a million"];
        let row = |row: &Many| {
            [
                row.contender.title().to_owned(),
                format!("{:.2}", row.seconds),
                format!("{:.0}", row.records_per_second),
                format!("{:.1}", row.cpu_us_per_record),
                format!("{:.1}", row.peak_mib),
                format!("{:.2}", row.minutes_for_a_million),
            ]
        };
        write_table(f, &head, self.0.iter().map(row))
    }
}

fn upserts_row(row: &Upserts) -> [String; 7] {
    [
        row.contender.title().to_owned(),
        row.concurrency.to_string(),
        format!("{:.0}", row.requests_per_second),
        format!("{:.1}", row.cpu_us_per_request),
        format!("{:.0}", row.p50_us),
        format!("{:.0}", row.p99_us),
        format!("{:.1}", row.peak_mib),
    ]
}

fn scale_row(row: &Scale) -> [String; 5] {
    [
        format!("{} users", row.users),
        format!("{:.1}", row.seconds),
        format!("{:.0}", row.requests_per_second),
        format!("{:.1}", row.cpu_us_per_request),
        format!("{:.1}", row.peak_mib),
    ]
}

fn build_row(row: &Build) -> [String; 6] {
    let seconds =
        |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"));
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), |bytes| (bytes / 1024).to_string());
    [
        row.program.clone(),
        row.crates.to_string(),
        seconds(row.seconds),
        seconds(row.cpu_seconds),
        size(row.release_bytes),
        size(row.stripped_bytes),
    ]
}

fn aim_row(row: &Aim) -> [String; 4] {
    let sign = if row.at_most { '≤' } else { '≥' };
    [
        row.what.clone(),
        format!("{:.3}", row.measured),
        format!("{sign} {:.2}", row.aim),
        if row.met { "met" } else { "missed" }.to_owned(),
    ]
}

/// The first column is text, the others are numbers.
pub fn write_table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    head: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> fmt::Result {
    let head = head.map(str::to_owned);
    let rows: Vec<_> = rows.collect();
    let width = |column: usize| {
        rows.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or_default().max(2)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |f: &mut fmt::Formatter<'_>, row: &[String; N]| {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column == 0 { write!(f, "| {cell:<width$} ")? } else { write!(f, "| {cell:>width$} ")? }
        }
        writeln!(f, "|")
    };
    writeln!(f)?;
    line(f, &head)?;
    for (column, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        if column == 0 { write!(f, "|{dashes}-")? } else { write!(f, "|{dashes}:")? }
    }
    writeln!(f, "|")?;
    rows.iter().try_for_each(|row| line(f, row))
}
