//! Pairs the notifications of two replays.

use std::collections::{BTreeSet, HashMap};

use super::replay::{Replay, SentNotification};
use crate::verdict::Notify;

/// For each alert of one replay, the alerts of the other replay that share records with it.
pub(super) type Links = HashMap<usize, BTreeSet<usize>>;

/// Links the alerts of both replays: candidate to baseline, and baseline to candidate.
pub(super) fn links(candidate: &Replay, baseline: &Replay) -> (Links, Links) {
    let (mut mine, mut theirs) = (Links::new(), Links::new());
    for (record, &ours) in &candidate.alert_of_record {
        if let Some(&other) = baseline.alert_of_record.get(record) {
            mine.entry(ours).or_default().insert(other);
            theirs.entry(other).or_default().insert(ours);
        }
    }
    (mine, theirs)
}

/// Notifications of one class, as numbers in [`Replay::sent`]: pairs about the same records, and
/// the rest of each side.
pub(super) struct Pairing {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) only_candidate: Vec<usize>,
    pub(super) only_baseline: Vec<usize>,
}

pub(super) fn pair(candidate: &Replay, baseline: &Replay, links: &Links, class: Notify) -> Pairing {
    let of_class = |replay: &Replay| -> Vec<usize> {
        (0..replay.sent.len()).filter(|number| replay.sent[*number].notice.notify == class).collect()
    };
    let (mut mine, theirs) = (of_class(candidate), of_class(baseline));
    let mut of_alert: HashMap<usize, Vec<usize>> = HashMap::new();
    for &number in &theirs {
        for &alert in &baseline.sent[number].alerts {
            of_alert.entry(alert).or_default().push(number);
        }
    }
    let about = |sent: &SentNotification| -> BTreeSet<usize> {
        let linked = sent.alerts.iter().filter_map(|alert| links.get(alert)).flatten();
        linked.filter_map(|alert| of_alert.get(alert)).flatten().copied().collect()
    };
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut pairs = Vec::new();
    // Pass 0: the same change at the same time. Pass 1: any change at the same time. Pass 2: the
    // nearest in time.
    for pass in 0..3 {
        mine.retain(|&number| {
            let sent = &candidate.sent[number];
            let far = |other: &usize| match (sent.at, baseline.sent[*other].at) {
                (Some(a), Some(b)) => a.duration_since(b).abs(),
                _ => jiff::SignedDuration::ZERO,
            };
            let free = about(sent).into_iter().filter(|other| !taken.contains(other));
            let fits = |other: &usize| match pass {
                0 => far(other).is_zero() && baseline.sent[*other].notice.change == sent.notice.change,
                1 => far(other).is_zero(),
                _ => true,
            };
            let Some(other) = free.filter(fits).min_by_key(|other| (far(other), *other)) else { return true };
            taken.insert(other);
            pairs.push((number, other));
            false
        });
    }
    pairs.sort_unstable();
    let theirs = theirs.into_iter().filter(|number| !taken.contains(number)).collect();
    Pairing { pairs, only_candidate: mine, only_baseline: theirs }
}
