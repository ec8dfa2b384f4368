//! Memory and CPU time of a process, read from `/proc`.

use std::time::Duration;

/// The unit in which the kernel reports CPU time, the same on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Memory and CPU time of a process so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory, in KiB.
    pub resident: u64,
    /// Peak resident memory, in KiB.
    pub peak: u64,
    /// CPU time of all threads, in steps of 10 ms.
    pub cpu: Duration,
}

impl Usage {
    /// Reads it; `None` when there is no such process, or no `/proc`.
    pub fn read(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may contain spaces. After it come the state, ten more fields, then
        // utime and stime.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: Vec<u32> =
            fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
        let cpu = TICK * ticks.iter().sum();
        Some(Self { resident: kib("VmRSS:")?, peak: kib("VmHWM:")?, cpu })
    }
}
