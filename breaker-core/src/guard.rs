//! The outage guard, which holds every trip while most targets fail at once. Then the cluster or a
//! shared dependency has failed, and scaling every target to zero would make the outage worse.
//!
//! ```text
//! seen(target, restart_at, peer) ──▶ targets with a counted restart in the last 10 min ──▶ verdict(now)
//! tripped(target, at) ─────────────▶ named, not undone, if in the 2 min before the guard turned on
//! ```
//!
//! The guard counts failing targets, not trips: an outage reaches all targets before the first of
//! them trips.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

/// How long a target counts as failing after a counted restart.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The guard names the trips that happened at most this long before it turned on.
const RECENT_TRIP_AGE: SignedDuration = SignedDuration::from_mins(2);

/// The number of newest restarts of one target whose peers are kept.
const MAX_PEERS_KEPT: usize = 32;

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
///     guard.seen(target, start, Some("swype-gateway:443"));
/// }
/// assert_eq!(guard.verdict(start), None);
/// guard.seen("d", start, None);
/// let why = guard.verdict(start).unwrap_or_default();
/// assert!(why.starts_with("4 of 6 targets"), "{why}");
/// assert!(why.contains("swype-gateway:443 is the peer of 3 of 4 restarts"), "{why}");
/// assert_eq!(guard.verdict(start + SignedDuration::from_mins(11)), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Guard<K> {
    limit: u32,
    /// Every watched target, with its counted restarts.
    targets: BTreeMap<K, Restarts>,
    trips: BTreeMap<K, Timestamp>,
    on_since: Option<Timestamp>,
}

/// The counted restarts of one target.
#[derive(Debug, Clone, Default, PartialEq)]
struct Restarts {
    newest: Option<Timestamp>,
    /// The end and the peer of the newest restarts, in the order of arrival.
    peers: VecDeque<(Timestamp, Option<String>)>,
}

impl Restarts {
    fn push(&mut self, at: Timestamp, peer: Option<&str>) {
        self.newest = self.newest.max(Some(at));
        if self.peers.len() == MAX_PEERS_KEPT {
            self.peers.pop_front();
        }
        self.peers.push_back((at, peer.map(str::to_owned)));
    }

    fn peers_since(&self, oldest: Timestamp) -> impl Iterator<Item = Option<&str>> {
        self.peers.iter().filter(move |(at, _)| *at >= oldest).map(|(_, peer)| peer.as_deref())
    }
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

    /// Records a counted restart of `target`. `restart_at` is when the instance ended, and `peer`
    /// the peer of its verdict, see
    /// [`Breaker::counted_restarts`](crate::Breaker::counted_restarts). A target that is not
    /// watched is ignored.
    pub fn seen(&mut self, target: K, restart_at: Timestamp, peer: Option<&str>) {
        if let Some(restarts) = self.targets.get_mut(&target) {
            restarts.push(restart_at, peer);
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
        if let Some(shared) = self.shared_peer(now) {
            why.push_str(&format!("; {shared}"));
        }
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

    /// The peer that more than half of the restarts with a known peer have in common, as a clause.
    fn shared_peer(&self, now: Timestamp) -> Option<String> {
        let oldest = now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
        let mut by_peer: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut all, mut named) = (0, 0);
        for peer in self.targets.values().flat_map(|restarts| restarts.peers_since(oldest)) {
            all += 1;
            if let Some(peer) = peer {
                named += 1;
                *by_peer.entry(peer).or_default() += 1;
            }
        }
        let (peer, count) = by_peer.into_iter().max_by_key(|(_, count)| *count)?;
        (count * 2 > named).then(|| format!("{peer} is the peer of {count} of {all} restarts"))
    }

    fn exceeds_limit(&self, failing: usize) -> bool {
        failing > self.limit as usize && failing * 2 > self.targets.len()
    }

    fn failing(&self, now: Timestamp) -> impl Iterator<Item = (&K, Timestamp)> {
        self.targets.iter().filter_map(move |(target, restarts)| {
            let at = restarts.newest?;
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
        (0..failing).for_each(|target| guard.seen(target, at(0), None));
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
        guard.seen(0, at(300), None);
        guard.seen(0, at(-300), None);
        assert_eq!(guard.changes_at(at(300)), Some(at(600) + SignedDuration::from_nanos(1)));
        guard.forget(&3);
        assert_eq!(guard.verdict(at(300)), None);
        // Its last events may still come.
        guard.seen(3, at(301), None);
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
    fn the_peer_that_most_restarts_share_is_named() {
        let mut guard = fleet(4, 0);
        let restart = |guard: &mut Guard<u32>, target, peer| guard.seen(target, at(0), peer);
        for target in 0..4 {
            restart(&mut guard, target, Some("swype-gateway:443"));
        }
        restart(&mut guard, 0, Some("redis:6379"));
        restart(&mut guard, 0, None);
        let why = guard.verdict(at(0)).unwrap();
        assert!(why.ends_with("; swype-gateway:443 is the peer of 4 of 6 restarts"), "{why}");
        // Restarts that have left the window no longer count.
        for target in 0..4 {
            guard.seen(target, at(601), Some("redis:6379"));
        }
        let why = guard.verdict(at(601)).unwrap();
        assert!(why.ends_with("; redis:6379 is the peer of 4 of 4 restarts"), "{why}");
        // Half of them is not most of them.
        for target in 0..4 {
            guard.seen(target, at(602), Some("mq:5672"));
        }
        let why = guard.verdict(at(602)).unwrap();
        assert!(!why.contains("is the peer of"), "{why}");
    }

    #[test]
    fn a_target_that_restarts_all_the_time_keeps_its_newest_peers_only() {
        let mut guard = fleet(1, 0);
        for n in 0..100 {
            guard.seen(0, at(n), Some("redis:6379"));
        }
        assert_eq!(guard.targets[&0].peers.len(), MAX_PEERS_KEPT);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let why = fleet(9, 9).verdict(at(0)).unwrap();
        assert!(why.contains("(0, 1, 2, 3, 4, 4 more)"), "{why}");
    }
}
