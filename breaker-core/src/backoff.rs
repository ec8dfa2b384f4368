//! Exponential back-off.

use jiff::SignedDuration;

/// A delay that doubles with each failure in a row, up to a maximum.
///
/// ```
/// use breaker_core::backoff::Backoff;
/// use jiff::SignedDuration;
///
/// let backoff = Backoff::new(SignedDuration::from_millis(200), SignedDuration::from_secs(1));
/// let delays = [0, 1, 2, 3].map(|failures| backoff.delay(failures).as_millis());
/// assert_eq!(delays, [200, 400, 800, 1000]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: SignedDuration,
    max: SignedDuration,
}

impl Backoff {
    /// A back-off that starts with `first` and never exceeds `max`.
    pub const fn new(first: SignedDuration, max: SignedDuration) -> Self {
        Self { first, max }
    }

    /// The delay after `failures` earlier failures in a row: `first` after none, then twice as long
    /// each time.
    pub fn delay(&self, failures: u32) -> SignedDuration {
        let factor = 1_i32.checked_shl(failures).filter(|factor| *factor > 0);
        factor.and_then(|factor| self.first.checked_mul(factor)).map_or(self.max, |delay| delay.min(self.max))
    }
}
