//! What benchmarks say of their measurements.

use std::time::Duration;

/// The time that this share of all stays within, in milliseconds.
///
/// # Panics
/// Without any time.
pub fn percentile(times: &[Duration], share: f64) -> f64 {
    let mut millis: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    millis.sort_by(f64::total_cmp);
    millis[((millis.len() - 1) as f64 * share).round() as usize]
}

/// Whether a bar was met, in the words of all benchmarks.
pub fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "NOT MET" }
}
