//! What a process uses, as Linux tells it.

use std::time::Duration;

/// The kernel reports CPU time in ticks of this length on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Memory and CPU time of a process so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// Resident memory, in KiB.
    pub resident: u64,
    /// The most that was resident at one time, in KiB.
    pub peak: u64,
    /// CPU time of all its threads, in whole hundredths of a second.
    pub cpu: Duration,
}

impl Usage {
    /// `None` when there is no such process, or no /proc.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold spaces; after it come the state and ten more fields, then utime and stime.
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: Vec<u32> =
            fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse().ok()).collect();
        let cpu = TICK * ticks.iter().sum();
        Some(Self { resident: kib("VmRSS:")?, peak: kib("VmHWM:")?, cpu })
    }
}
