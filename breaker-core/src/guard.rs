//! The outage guard, which holds every trip while most targets fail at once. Then the cluster or a
//! shared dependency has failed, and scaling every target to zero would make the outage worse.
//!
//! ```text
//! seen(target, restart_at) ──▶ targets with a counted restart in the last 10 min ──▶ verdict(now)
//! tripped(target, at) ───────▶ named, not undone, if in the 2 min before the guard turned on
//! ```
//!
//! The guard counts failing targets, not trips: an outage reaches all targets before the first of
//! them trips.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

/// How long a target counts as failing after a counted restart.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The guard names the trips that happened at most this long before it turned on.
const RECENT_TRIP_AGE: SignedDuration = SignedDuration::from_mins(2);

/// The number of targets that one list names.
const MAX_NAMES: usize = 5;

/// Decides whether most targets of a fleet fail at once. `K` identifies a target; its `Display` is
/// used in messages.
///
/// ```
/// use breaker_core::guard::Guard;
/// use jiff::{SignedDuration, Timestamp};
///
/// let start = Timestamp::UNIX_EPOCH;
/// let mut guard = Guard::new(3);
/// for target in ["a", "b", "c", "d", "e", "f"] {
///     guard.watch(target);
/// }
/// for target in ["a", "b", "c"] {
///     guard.seen(target, start);
/// }
/// assert_eq!(guard.verdict(start), None);
/// guard.seen("d", start);
/// assert!(guard.verdict(start).is_some_and(|why| why.starts_with("4 of 6 targets")));
/// assert_eq!(guard.verdict(start + SignedDuration::from_mins(11)), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Guard<K> {
    limit: u32,
    /// Every watched target, with the time of its newest counted restart.
    targets: BTreeMap<K, Option<Timestamp>>,
    trips: BTreeMap<K, Timestamp>,
    on_since: Option<Timestamp>,
}

impl<K: Ord + Clone + Display> Guard<K> {
    /// Creates a guard without targets. It turns on while more than `limit` targets, and more than
    /// half of all targets, have a counted restart in the last 10 minutes.
    pub fn new(limit: u32) -> Self {
        Self { limit, targets: BTreeMap::new(), trips: BTreeMap::new(), on_since: None }
    }

    /// Adds `target`, if it is not watched yet.
    pub fn watch(&mut self, target: K) {
        self.targets.entry(target).or_default();
    }

    /// Removes `target` and its trip.
    pub fn forget(&mut self, target: &K) {
        self.targets.remove(target);
        self.trips.remove(target);
    }

    /// The number of targets.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether the guard watches nothing.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Records a counted restart of `target`. `restart_at` is when the instance ended, see
    /// [`Breaker::newest_counted`](crate::Breaker::newest_counted). A restart older than the newest
    /// recorded one is ignored, and so is a target that is not watched.
    pub fn seen(&mut self, target: K, restart_at: Timestamp) {
        if let Some(newest) = self.targets.get_mut(&target) {
            *newest = (*newest).max(Some(restart_at));
        }
    }

    /// Records that `target` was scaled to zero, if it is watched.
    pub fn tripped(&mut self, target: K, at: Timestamp) {
        if !self.targets.contains_key(&target) {
            return;
        }
        let newest = self.trips.entry(target).or_insert(at);
        *newest = at.max(*newest);
    }

    /// The reason to hold every trip; `None` while the guard is off. Call it again after each
    /// recorded restart, and at [`Guard::changes_at`].
    pub fn verdict(&mut self, now: Timestamp) -> Option<String> {
        let failing: Vec<_> = self.failing(now).map(|(target, _)| target).collect();
        if !self.exceeds_limit(failing.len()) {
            self.on_since = None;
            return None;
        }
        let since = self.on_since.unwrap_or(now);
        let mut why = format!(
            "{} of {} targets had counted restarts in the last {} min ({}); that many at once is the cluster's \
             own trouble or a dependency of all",
            failing.len(),
            self.targets.len(),
            WINDOW.as_mins(),
            names(&failing),
        );
        let before = since - RECENT_TRIP_AGE;
        let tripped: Vec<_> = self
            .trips
            .iter()
            .filter(|(_, at)| (before..=now).contains(at))
            .map(|(target, _)| target)
            .collect();
        if !tripped.is_empty() {
            why.push_str(&format!("; tripped just before and left as they are: {}", names(&tripped)));
        }
        self.on_since = Some(since);
        self.trips.retain(|_, at| *at >= before);
        Some(why)
    }

    /// When the guard turns off if no other restart is recorded; `None` while it is off.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let mut restarts: Vec<_> = self.failing(now).map(|(_, at)| at).collect();
        if !self.exceeds_limit(restarts.len()) {
            return None;
        }
        restarts.sort_unstable();
        let enough = (0..restarts.len()).find(|gone| !self.exceeds_limit(restarts.len() - gone - 1))?;
        // A restart at the very start of the window still counts.
        Some(restarts[enough] + WINDOW + SignedDuration::from_nanos(1))
    }

    fn exceeds_limit(&self, failing: usize) -> bool {
        failing > self.limit as usize && failing * 2 > self.targets.len()
    }

    fn failing(&self, now: Timestamp) -> impl Iterator<Item = (&K, Timestamp)> {
        self.targets.iter().filter_map(move |(target, newest)| {
            let at = (*newest)?;
            (now.duration_since(at) <= WINDOW).then_some((target, at))
        })
    }
}

fn names<K: Display>(targets: &[&K]) -> String {
    let mut names: Vec<_> = targets.iter().take(MAX_NAMES).map(|name| name.to_string()).collect();
    if targets.len() > MAX_NAMES {
        names.push(format!("{} more", targets.len() - MAX_NAMES));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn fleet(all: u32, failing: u32) -> Guard<u32> {
        let mut guard = Guard::new(3);
        (0..all).for_each(|target| guard.watch(target));
        (0..failing).for_each(|target| guard.seen(target, at(0)));
        guard
    }

    #[test]
    fn it_comes_on_above_the_limit_and_above_half_of_all() {
        for (all, failing, on) in [
            (3, 3, false),
            (4, 4, true),
            (4, 3, false),
            (7, 4, true),
            (8, 4, false),
            (8, 5, true),
            (100, 50, false),
            (100, 51, true),
        ] {
            assert_eq!(fleet(all, failing).verdict(at(0)).is_some(), on, "{failing} of {all}");
        }
    }

    #[test]
    fn a_restart_counts_until_the_last_instant_of_its_ten_minutes() {
        let mut guard = fleet(4, 4);
        assert!(guard.verdict(at(600)).is_some());
        assert_eq!(guard.changes_at(at(600)), Some(at(600) + SignedDuration::from_nanos(1)));
        assert_eq!(guard.verdict(at(600) + SignedDuration::from_nanos(1)), None);
        assert_eq!(guard.changes_at(at(601)), None);
    }

    #[test]
    fn an_older_restart_takes_nothing_back_and_a_breaker_that_is_gone_no_longer_counts() {
        let mut guard = fleet(4, 4);
        guard.seen(0, at(300));
        guard.seen(0, at(-300));
        assert_eq!(guard.changes_at(at(300)), Some(at(600) + SignedDuration::from_nanos(1)));
        guard.forget(&3);
        assert_eq!(guard.verdict(at(300)), None);
        // Its last events may still come.
        guard.seen(3, at(301));
        guard.tripped(3, at(301));
        assert_eq!(guard.verdict(at(301)), None);
        assert_eq!((guard.targets.len(), guard.trips.len()), (3, 0));
    }

    #[test]
    fn trips_of_the_two_minutes_before_it_came_on_are_named_for_as_long_as_it_is_on() {
        let mut guard = fleet(4, 4);
        guard.tripped(0, at(0) - SignedDuration::from_secs(121));
        guard.tripped(1, at(-120));
        guard.tripped(2, at(0));
        for later in [0, 300, 600] {
            let why = guard.verdict(at(later)).unwrap();
            assert!(why.ends_with("left as they are: 1, 2"), "{why}");
        }
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let why = fleet(9, 9).verdict(at(0)).unwrap();
        assert!(why.contains("(0, 1, 2, 3, 4, 4 more)"), "{why}");
    }
}
