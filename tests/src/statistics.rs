//! Statistics of the benchmarks' measurements.

use std::time::Duration;

/// The percentile of `times` in milliseconds; `share` is between 0 and 1.
///
/// # Panics
/// When `times` is empty.
pub fn percentile(times: &[Duration], share: f64) -> f64 {
    let mut millis: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    millis[((millis.len() - 1) as f64 * share).round() as usize]
}

/// The text that all benchmarks print for a bar: `met` or `NOT MET`.
pub fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "NOT MET" }
}
