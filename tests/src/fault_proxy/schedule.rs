//! [`FaultSchedule`]: the faults of a seed.

use std::hash::BuildHasher;
use std::time::Duration;

use fastrand::Rng;
use foldhash::quality::FixedState;

use super::bad_answer::BadAnswer;
use super::fault::{Fault, Injection, Moment};
use super::request_class::RequestClass;

/// Requests of one class, counted from its first, that may get a fault.
const MAX_NUMBER: u32 = 24;

/// Between two requests of a class that may be refused, this number of requests may not. A watcher
/// gives up a target that is not found twice, and waits longer after each refusal.
const REFUSAL_INTERVAL: u32 = 4;

/// Longest delay of a request or an answer.
const MAX_DELAY: Duration = Duration::from_secs(4);

/// Faults that depend on a seed, the class of a request and its number in the class, and on nothing
/// else: the same requests get the same faults, whatever their timing.
#[derive(Debug, Clone)]
pub struct FaultSchedule {
    seed: u64,
    /// Faults in a hundred requests.
    percent: u8,
    /// Whether requests for pods get faults.
    touches_pods: bool,
}

impl FaultSchedule {
    /// The schedule of a seed: between 5 and 40 of a hundred requests fail. Without `touches_pods`
    /// the view of the pods is never late.
    pub fn new(seed: u64, touches_pods: bool) -> Self {
        let percent = Rng::with_seed(seed).u8(5..=40);
        Self { seed, percent, touches_pods }
    }

    /// The longest time by which this schedule delays a request, an answer or an event.
    pub fn max_delay() -> Duration {
        MAX_DELAY
    }

    /// What happens to the `number`-th request of a class; numbers start at 1.
    pub fn injection(&self, class: &RequestClass, number: u32) -> Option<Injection> {
        if number > MAX_NUMBER || (class.resource == "pods" && !self.touches_pods) {
            return None;
        }
        let hash = FixedState::with_seed(self.seed).hash_one((class, number));
        let mut random = Rng::with_seed(hash);
        if random.u8(0..100) >= self.percent {
            return None;
        }
        let moment = if random.bool() { Moment::BeforeForwarding } else { Moment::AfterForwarding };
        let fault = match class.verb {
            "watch" => watch_fault(&mut random),
            "list" if random.u8(0..4) == 0 => Fault::StaleList,
            _ => fault(&mut random, class, number, moment),
        };
        let is_late = matches!(
            fault,
            Fault::StaleList
                | Fault::Cut
                | Fault::ExpiredWatch { .. }
                | Fault::SilentWatch { .. }
                | Fault::CutWatch { .. }
                | Fault::LateWatch { .. }
        );
        Some(Injection { fault, moment: if is_late { Moment::AfterForwarding } else { moment } })
    }
}

fn time(random: &mut Rng, max: Duration) -> Duration {
    Duration::from_millis(random.u64(50..=u64::try_from(max.as_millis()).unwrap_or(u64::MAX)))
}

fn watch_fault(random: &mut Rng) -> Fault {
    let after = random.u32(0..6);
    match random.u8(0..10) {
        0 | 1 => Fault::ExpiredWatch { after },
        2 | 3 => Fault::SilentWatch { after, time: time(random, MAX_DELAY) },
        4 | 5 => Fault::CutWatch { after },
        6 | 7 => Fault::LateWatch { after, time: time(random, MAX_DELAY) },
        8 => Fault::Drop,
        _ => Fault::Answer(one_of(
            random,
            &[
                BadAnswer::Status(410),
                BadAnswer::Status(429),
                BadAnswer::Status(500),
                BadAnswer::NginxPage(502),
                BadAnswer::Empty(503),
                BadAnswer::LoginPage,
            ],
        )),
    }
}

fn fault(random: &mut Rng, class: &RequestClass, number: u32, moment: Moment) -> Fault {
    match random.u8(0..10) {
        0 | 1 => Fault::Delay(time(random, MAX_DELAY)),
        2 => Fault::Drop,
        3 => Fault::Cut,
        4 if number % REFUSAL_INTERVAL == 2 && may_be_refused(class, moment) => {
            Fault::Answer(one_of(random, &[403, 404, 422].map(BadAnswer::Status)))
        }
        // The answer to the second attempt of something between that sends a request twice.
        5 if class.is_write() => Fault::Answer(BadAnswer::Status(409)),
        6 => Fault::Answer(one_of(
            random,
            &[BadAnswer::LoginPage, BadAnswer::HalfJson, BadAnswer::WrongObject],
        )),
        7 => Fault::Answer(one_of(random, &[400, 403, 404, 429].map(BadAnswer::NginxPage))),
        8 => Fault::Answer(one_of(random, &[BadAnswer::NginxPage(502), BadAnswer::Empty(503)])),
        _ => Fault::Answer(one_of(random, &[400, 401, 408, 429, 500, 503, 504].map(BadAnswer::Status))),
    }
}

/// Whether the API server may refuse a request for good. What it has executed, it does not refuse,
/// and without the right to a Record a watcher may work without one.
fn may_be_refused(class: &RequestClass, moment: Moment) -> bool {
    let is_record = class.resource == "configmaps" || class.resource.starts_with("circuitbreakers");
    moment == Moment::BeforeForwarding && !is_record && class.resource != "selfsubjectaccessreviews"
}

fn one_of<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(0..all.len())]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn class(verb: &'static str, resource: &str) -> RequestClass {
        RequestClass { verb, resource: resource.into() }
    }

    /// Every class that a watcher uses.
    fn classes() -> Vec<RequestClass> {
        vec![
            class("get", "deployments/scale"),
            class("patch", "deployments/scale"),
            class("get", "configmaps"),
            class("create", "configmaps"),
            class("patch", "configmaps"),
            class("patch", "circuitbreakers/status"),
            class("watch", "circuitbreakers"),
            class("list", "pods"),
            class("watch", "pods"),
            class("get", "pods/log"),
            class("get", "discovery"),
        ]
    }

    fn faults(seed: u64) -> Vec<String> {
        let schedule = FaultSchedule::new(seed, true);
        let mut faults = Vec::new();
        for class in classes() {
            for number in 1..=100 {
                if let Some(injection) = schedule.injection(&class, number) {
                    faults.push(format!("{class} #{number}: {injection}"));
                }
            }
        }
        faults
    }

    #[test]
    fn a_seed_repeats_its_faults_and_another_seed_has_others() {
        assert_eq!(faults(7), faults(7));
        assert_ne!(faults(7), faults(8));
    }

    #[test]
    fn the_faults_of_a_seed_are_pinned_so_that_a_seed_in_a_report_can_be_repeated() {
        let first: Vec<_> = faults(1).into_iter().take(3).collect();
        assert_eq!(first, PINNED);
    }

    const PINNED: [&str; 3] = [
        "get deployments/scale #1: 200 with a login page, before forwarding",
        "get deployments/scale #5: delay of 2.448s, after forwarding",
        "get deployments/scale #9: 403 of nginx, before forwarding",
    ];

    #[test]
    fn every_class_is_left_alone_after_some_requests() {
        for seed in 0..200 {
            let schedule = FaultSchedule::new(seed, true);
            for class in classes() {
                assert_eq!(schedule.injection(&class, MAX_NUMBER + 1), None);
            }
        }
    }

    #[test]
    fn two_hundred_seeds_have_every_fault_before_and_after_forwarding() {
        let mut kinds = BTreeSet::new();
        for seed in 0..200 {
            let schedule = FaultSchedule::new(seed, true);
            for class in classes() {
                let injections = (1..=MAX_NUMBER).filter_map(|number| schedule.injection(&class, number));
                kinds.extend(injections.map(|found| (found.fault.kind(), found.moment as u8)));
            }
        }
        let both = |kind: &str| kinds.contains(&(kind.into(), 0)) && kinds.contains(&(kind.into(), 1));
        for kind in ["delay", "drop", "502 of nginx", "200 with a login page", "429 with a Status"] {
            assert!(both(kind), "{kind}: {kinds:?}");
        }
        for kind in ["cut answer", "stale list", "expired watch", "silent watch", "cut watch"] {
            assert!(kinds.contains(&(kind.into(), 1)), "{kind}: {kinds:?}");
        }
        assert!(kinds.contains(&("404 with a Status".into(), 0)), "{kinds:?}");
        assert!(!kinds.contains(&("404 with a Status".into(), 1)), "it was executed: {kinds:?}");
    }

    #[test]
    fn a_request_that_is_refused_is_followed_by_some_that_are_not() {
        for seed in 0..200 {
            let schedule = FaultSchedule::new(seed, true);
            let class = class("get", "deployments/scale");
            let refused = |number: &u32| {
                let injection = schedule.injection(&class, *number);
                matches!(
                    injection.map(|found| found.fault),
                    Some(Fault::Answer(BadAnswer::Status(403 | 404 | 422)))
                )
            };
            let refused: Vec<_> = (1..=MAX_NUMBER).filter(refused).collect();
            assert!(refused.windows(2).all(|pair| pair[1] - pair[0] >= REFUSAL_INTERVAL), "{refused:?}");
        }
    }

    #[test]
    fn without_faults_of_the_view_requests_for_pods_are_left_alone() {
        for seed in 0..200 {
            let schedule = FaultSchedule::new(seed, false);
            for class in [class("list", "pods"), class("watch", "pods")] {
                assert!((1..=MAX_NUMBER).all(|number| schedule.injection(&class, number).is_none()));
            }
        }
    }
}
