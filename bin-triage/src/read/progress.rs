//! A progress bar for long inputs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::input::Input;

/// Inputs of fewer bytes are read too fast for a bar.
const MIN_BYTES: u64 = 64 << 20;

/// A bar on standard error while a long input is read; nothing if standard error is not a terminal.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(super) fn new(inputs: &[Input]) -> Self {
        let mut total = 0;
        let mut is_known = true;
        for input in inputs {
            match input {
                Input::Stdin => is_known = false,
                Input::File(path) => total += std::fs::metadata(path).map_or(0, |meta| meta.len()),
            }
        }
        if is_known && total < MIN_BYTES {
            return Self(None);
        }
        let bar = if is_known { ProgressBar::new(total) } else { ProgressBar::new_spinner() };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let template = match is_known {
            true => "reading {bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            false => "reading {spinner} {bytes}, {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    pub(super) fn add(&self, bytes: usize) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes as u64);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
