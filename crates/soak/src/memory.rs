//! Measures the program's memory from stream to stream.

use anyhow::{Result, ensure};
use suprsend_console::say;

/// So many streams are sent at least.
pub(crate) const LEAST: u64 = 6;
/// Memory that the allocator may keep, in KiB: an SDK that kept the bodies of a stream would be beyond that after some minutes.
const SLACK: u64 = 32 * 1024;

/// The resident memory after each stream, in KiB.
#[derive(Default)]
pub(crate) struct Trend(Vec<u64>);

impl Trend {
    pub(crate) fn note(&mut self) {
        self.0.extend(resident());
    }

    /// Compares the second third with the last one. The first is the time in which buffers grow to what they are.
    pub(crate) fn assert_flat(&self) -> Result<()> {
        let third = self.0.len() / 3;
        let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
        let (early, late) = (most(&self.0[third..2 * third]), most(&self.0[2 * third..]));
        if third > 0 {
            say!("memory: {early} KiB early, {late} KiB late")?;
        }
        ensure!(late <= early + early / 4 + SLACK, "memory grows: {early} KiB early, {late} KiB late");
        Ok(())
    }
}

/// Linux says it; elsewhere memory is not compared.
#[cfg(target_os = "linux")]
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn resident() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(resident: impl IntoIterator<Item = u64>) -> Result<(), String> {
        Trend(resident.into_iter().collect()).assert_flat().map_err(|error| error.to_string())
    }

    #[test]
    fn what_grows_is_told_from_what_varies() {
        judged([]).unwrap();
        judged([90_000; 3]).unwrap();
        // It grows to what it is, and goes up and down.
        judged([10_000, 50_000, 90_000, 120_000, 90_000, 140_000, 150_000, 92_000, 110_000]).unwrap();
        let grows = judged((0..9).map(|stream| 90_000 + stream * 65_536)).unwrap_err();
        assert_eq!(grows, "memory grows: 417680 KiB early, 614288 KiB late");
    }
}
