//! Generates inputs that look like the sample. The same arguments give the same bytes.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The distribution of alerts over the lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Choice {
    /// Uniform: nothing stays in a cache.
    Uniform,
    /// Zipf: the n-th most frequent alert has 1/n of the lines of the first, as in real streams.
    Zipf,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Choice::Uniform => "uniform",
            Choice::Zipf => "Zipf",
        })
    }
}

/// SplitMix64, a small deterministic generator.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }
}

/// A hundred alert names: the six of the sample, and similar ones.
pub(crate) fn names() -> Vec<String> {
    let sample = [
        "EndpointRegistrationTransientFailure",
        "EndpointRegistrationFailure",
        "TooFewEndpointsRegistered",
        "LLMBatchProcessingJobFailures",
        "LLMModelStale",
        "LLMModelVeryStale",
    ];
    let things = [
        "SwypePayment",
        "CheckoutQueue",
        "SearchIndex",
        "OrderDatabase",
        "SessionCache",
        "ImageResizer",
        "PriceFeed",
        "InvoiceMailer",
        "StockLedger",
        "LoginGateway",
    ];
    let troubles = [
        "LatencyHigh",
        "ErrorRateHigh",
        "Saturated",
        "ReplicationLag",
        "DiskFull",
        "CertificateExpiring",
        "TransientTimeout",
        "Timeout",
        "BacklogGrowing",
        "Down",
    ];
    let others =
        things.iter().flat_map(|thing| troubles.iter().map(move |trouble| format!("{thing}{trouble}")));
    sample.into_iter().map(str::to_owned).chain(others).take(100).collect()
}

/// `XQ`, `OH-1` and so on.
pub(crate) fn zone(number: usize) -> String {
    let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
    match number / 676 {
        0 => format!("{}{}", letter(number / 26), letter(number)),
        more => format!("{}{}-{more}", letter(number / 26), letter(number)),
    }
}

/// Every alert of every zone, shuffled.
fn alerts(distinct: usize, dice: &mut Dice) -> Vec<(String, String)> {
    let names = names();
    let zones = distinct.div_ceil(names.len());
    let mut alerts: Vec<(String, String)> = (0..zones)
        .flat_map(|at| names.iter().map(move |name| (zone(at), name.clone())))
        .take(distinct)
        .collect();
    for at in (1..alerts.len()).rev() {
        alerts.swap(at, dice.below(at + 1));
    }
    alerts
}

/// Plain lines.
pub(crate) struct Lines {
    pub(crate) distinct: usize,
    pub(crate) choice: Choice,
}

impl Lines {
    pub(crate) fn write(&self, path: &Path, size: u64) -> io::Result<()> {
        let mut dice = Dice(1);
        let lines: Vec<String> = alerts(self.distinct, &mut dice)
            .into_iter()
            .map(|(zone, name)| format!("Zone {zone}: {name}\n"))
            .collect();
        let mut pick = picker(self.distinct, self.choice);
        let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let mut written = 0;
        // Each alert occurs at least once, in any order.
        for at in (0..lines.len()).chain(std::iter::from_fn(|| Some(pick(&mut dice)))) {
            if written >= size {
                break;
            }
            to.write_all(lines[at].as_bytes())?;
            written += lines[at].len() as u64;
        }
        to.flush()
    }
}

fn picker(distinct: usize, choice: Choice) -> impl FnMut(&mut Dice) -> usize {
    let mut sums = Vec::new();
    if choice == Choice::Zipf {
        let mut sum = 0.0;
        sums.extend((1..=distinct).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        }));
    }
    move |dice| match sums.last() {
        None => dice.below(distinct),
        Some(all) => {
            let at = dice.roll() as f64 / u64::MAX as f64 * all;
            sums.partition_point(|sum| *sum < at).min(distinct - 1)
        }
    }
}

/// JSON objects with labels as Prometheus sets them. Each alert fires and resolves repeatedly, and
/// every state has several records.
pub(crate) fn jsonl(path: &Path, size: u64, distinct: usize) -> io::Result<()> {
    const TOLD: usize = 4;
    const DAY: u64 = 86_400;
    let mut dice = Dice(2);
    let alerts = alerts(distinct, &mut dice);
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut told) = (0, vec![0usize; distinct]);
    // The times of the whole file span one day.
    let step = DAY as f64 * 230.0 / size as f64;
    let clock =
        |seconds: u64| format!("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut began = vec![0u64; distinct];
    for line in 0.. {
        if written >= size {
            break;
        }
        let now = (line as f64 * step) as u64 % DAY;
        let at = dice.below(distinct);
        let (zone, name) = &alerts[at];
        let (round, is_over) = (told[at] % (2 * TOLD), told[at] % (2 * TOLD) >= TOLD);
        if round == 0 {
            began[at] = now;
        }
        told[at] += 1;
        let severity = ["critical", "warning", "warning", "info"][at % 4];
        let start = clock(began[at]);
        let text = match is_over {
            false => format!(
                "{{\"labels\": {{\"alertname\": \"{name}\", \"zone\": \"{zone}\", \"severity\": \"{severity}\"}}, \"annotations\": {{\"summary\": \"{name} in zone {zone}\"}}, \"status\": \"firing\", \"startsAt\": \"2026-11-23T{start}Z\"}}\n"
            ),
            true => {
                let end = clock(now);
                format!(
                    "{{\"labels\": {{\"alertname\": \"{name}\", \"zone\": \"{zone}\", \"severity\": \"{severity}\"}}, \"annotations\": {{\"summary\": \"{name} in zone {zone}\"}}, \"status\": \"resolved\", \"startsAt\": \"2026-11-23T{start}Z\", \"endsAt\": \"2026-11-23T{end}Z\"}}\n"
                )
            }
        };
        to.write_all(text.as_bytes())?;
        written += text.len() as u64;
    }
    to.flush()
}
