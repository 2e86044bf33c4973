//! What was measured, summed up; `--json` prints it in this shape.

use serde::{Deserialize, Serialize};

use crate::{client::Sample, contenders::Contender};

/// Everything that was measured in one run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Results {
    /// Where it was measured.
    pub machine: Machine,
    /// Whether it was a quick run, whose numbers are rough.
    pub quick: bool,
    /// How often each contender had its turn; the numbers are medians over them.
    pub repetitions: usize,
    /// A contender at a concurrency each.
    pub upserts: Vec<Upserts>,
    /// `upsert_all`, left to find its own concurrency, over ever more users.
    pub scale: Vec<Scale>,
    /// What a program on the SDK takes to build, beside one that is written by hand.
    pub builds: Vec<Build>,
    /// Ratios beside their aims.
    pub aims: Vec<Aim>,
}

/// The machine.
#[derive(Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Model of its processor.
    pub processor: String,
    /// Cores that the benchmark could use.
    pub cores: usize,
    /// Its operating system.
    pub system: String,
}

/// A contender at a concurrency.
#[derive(Debug, Serialize, Deserialize)]
pub struct Upserts {
    /// Who.
    pub contender: Contender,
    /// How many requests were under way.
    pub concurrency: usize,
    /// Median of the throughput.
    pub requests_per_second: f64,
    /// Median of the client's CPU time for one request, in µs.
    pub cpu_us_per_request: f64,
    /// Median of the median latency, in µs.
    pub p50_us: f64,
    /// Median of the 99th percentile of the latency, in µs.
    pub p99_us: f64,
    /// Median of the client's peak memory, in MiB.
    pub peak_mib: f64,
    /// The turns, of which the above are medians.
    pub samples: Vec<Sample>,
}

/// `upsert_all` over so many users.
#[derive(Debug, Serialize, Deserialize)]
pub struct Scale {
    /// How many.
    pub users: u64,
    /// Time from the first record to the last outcome.
    pub seconds: f64,
    /// Users in a second.
    pub requests_per_second: f64,
    /// The client's CPU time for one request, in µs.
    pub cpu_us_per_request: f64,
    /// The client's peak memory, in MiB.
    pub peak_mib: f64,
}

/// A way to send many, against a server that takes its time.
#[derive(Debug, Serialize, Deserialize)]
pub struct Many {
    /// Which.
    pub contender: Contender,
    /// Latency of the server.
    pub latency_ms: u64,
    /// Number of records.
    pub records: u64,
    /// Time from the first record to the last outcome.
    pub seconds: f64,
    /// Records in a second.
    pub records_per_second: f64,
    /// The client's CPU time for one record, in µs.
    pub cpu_us_per_record: f64,
    /// The client's peak memory, in MiB.
    pub peak_mib: f64,
    /// Minutes for a million records at this rate.
    pub minutes_for_a_million: f64,
}

impl Many {
    pub(crate) fn new(contender: Contender, latency_ms: u64, sample: &Sample) -> Self {
        let records_per_second = sample.requests_per_second();
        Self {
            contender,
            latency_ms,
            records: sample.requests,
            seconds: sample.seconds,
            records_per_second,
            cpu_us_per_record: sample.cpu_us_per_request(),
            peak_mib: sample.peak_mib(),
            minutes_for_a_million: 1e6 / records_per_second / 60.0,
        }
    }
}

/// The cost of building a one-file program from nothing, without optimization, and the size of its optimized binary.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Build {
    /// What it depends on.
    pub program: String,
    /// How many crates are compiled.
    pub crates: usize,
    /// How long it took; none in a quick run, which only counts.
    pub seconds: Option<f64>,
    /// CPU time of the compiler, the linker and the build scripts.
    pub cpu_seconds: Option<f64>,
    /// Size of the binary of a release build.
    #[serde(default)]
    pub release_bytes: Option<u64>,
    /// Its size without symbols.
    #[serde(default)]
    pub stripped_bytes: Option<u64>,
}

/// A number beside what it should be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Aim {
    /// What is compared.
    pub what: String,
    /// What was measured.
    pub measured: f64,
    /// The bound.
    pub aim: f64,
    /// Whether the bound is the most that it may be, or else the least.
    pub at_most: bool,
    /// Whether it is kept.
    pub met: bool,
}

impl Aim {
    /// What has to be at most this.
    pub fn at_most(what: impl Into<String>, measured: f64, aim: f64) -> Self {
        Self { what: what.into(), measured, aim, at_most: true, met: measured <= aim }
    }

    /// What has to be at least this.
    pub fn at_least(what: impl Into<String>, measured: f64, aim: f64) -> Self {
        Self { what: what.into(), measured, aim, at_most: false, met: measured >= aim }
    }
}

impl Upserts {
    /// The medians of some turns.
    pub fn new(contender: Contender, concurrency: usize, samples: Vec<Sample>) -> Self {
        let of = |value: fn(&Sample) -> f64| median(samples.iter().map(value));
        Self {
            contender,
            concurrency,
            requests_per_second: of(Sample::requests_per_second),
            cpu_us_per_request: of(Sample::cpu_us_per_request),
            p50_us: of(|sample| sample.p50_us),
            p99_us: of(|sample| sample.p99_us),
            peak_mib: of(Sample::peak_mib),
            samples,
        }
    }
}

impl Scale {
    /// What came of one turn.
    pub fn from_sample(sample: &Sample) -> Self {
        Self {
            users: sample.requests,
            seconds: sample.seconds,
            requests_per_second: sample.requests_per_second(),
            cpu_us_per_request: sample.cpu_us_per_request(),
            peak_mib: sample.peak_mib(),
        }
    }
}

/// The middle of some numbers; of an even number of them the mean of the two in the middle. NaN if there are none.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    match numbers.as_slice() {
        [] => f64::NAN,
        numbers if numbers.len() % 2 == 1 => numbers[middle],
        numbers => f64::midpoint(numbers[middle - 1], numbers[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median([4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median([]).is_nan());
    }

    #[test]
    fn an_aim_is_met_on_its_own_side() {
        assert!(Aim::at_most("", 1.1, 1.1).met);
        assert!(!Aim::at_most("", 1.11, 1.1).met);
        assert!(Aim::at_least("", 0.9, 0.9).met);
        assert!(!Aim::at_least("", 0.89, 0.9).met);
        assert!(!Aim::at_most("", f64::NAN, 1.1).met);
    }
}
