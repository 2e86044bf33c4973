//! What the system knows about this process.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

#[cfg(unix)]
use self::unix::{cpu, ticks_per_second};

/// The CPU time of this process so far, of all its threads, in user and in system mode.
pub fn cpu_time() -> Duration {
    cpu()
}

/// The CPU time of this process's children that have ended, in user and in system mode. It is exact to a tick, 10 ms.
pub fn children_cpu_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("the benchmark needs Linux's /proc")?;
    // The name of the program, in parentheses, may hold spaces; the fields are counted behind it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let field = |index: usize| -> Result<u64> {
        Ok(fields.split_whitespace().nth(index).context("/proc/self/stat is too short")?.parse()?)
    };
    // cutime and cstime, fields 16 and 17 of proc(5), which counts from 1 and from the first.
    let ticks = field(13)? + field(14)?;
    Ok(Duration::from_millis(ticks * 1000 / ticks_per_second()))
}

/// The most memory that this process has had so far, in KiB.
pub fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("the benchmark needs Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.context("/proc/self/status has no VmHWM")?.trim().trim_end_matches(" kB").parse()?)
}

/// The model of the processor.
pub fn processor() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("model name"))?;
    Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
}

#[cfg(unix)]
mod unix {
    use std::time::Duration;

    pub(super) use rustix::param::clock_ticks_per_second as ticks_per_second;
    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn cpu() -> Duration {
        // A clock that counts from the start of the process is never negative.
        clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
    }
}

/// Elsewhere nothing is measured: the error that /proc is missing comes first.
#[cfg(not(unix))]
fn cpu() -> Duration {
    Duration::ZERO
}

#[cfg(not(unix))]
fn ticks_per_second() -> u64 {
    100
}
