//! A write of 0 whose outcome is unclear, and a second one that is answered: nothing is decided on
//! a scale that is known to be outdated.

use breaker_core::action::{Action, Attempt, Command, Failure, Input, Outcome};
use breaker_core::cluster::Scale;
use breaker_core::policy::Mode;
use breaker_core::state::State;
use breaker_core::{Breaker, Policy, WorkloadRef};
use jiff::{SignedDuration, Timestamp};

fn scale(version: &str, replicas: u32) -> Scale {
    Scale { uid: "u1".into(), resource_version: version.into(), replicas, selector: "app=swype".into() }
}

/// A breaker, and what it has asked for.
struct Steps {
    breaker: Breaker,
    now: Timestamp,
    actions: Vec<Action>,
}

impl Steps {
    fn step(&mut self, input: Input) {
        self.actions = self.breaker.step(input, self.now);
        self.now += SignedDuration::from_millis(1);
    }

    /// Goes on in time until it asks for this.
    #[track_caller]
    fn wait_for(&mut self, wanted: impl Fn(&Action) -> bool) {
        for _ in 0..100 {
            if self.actions.iter().any(&wanted) {
                return;
            }
            self.now += SignedDuration::from_millis(100);
            self.step(Input::Tick);
        }
        panic!("not asked for within 10 s: {:?}", self.breaker.state());
    }

    fn fail(&mut self, of: Attempt, retryable: bool, conflict: bool) {
        self.step(Input::Failed(Failure { of, why: "bad gateway".into(), retryable, conflict }));
    }

    /// A trip of two replicas whose write of 0 was sent, and answered by a proxy. The read that
    /// follows is under way.
    fn after_an_unclear_write() -> Self {
        let target = WorkloadRef::deployment("sre", "swype");
        let breaker = Breaker::new(Policy::default(), target, scale("1", 2), None);
        let mut steps = Self { breaker, now: Timestamp::UNIX_EPOCH, actions: Vec::new() };
        steps.step(Input::PodsListed { pods: Vec::new(), asked_at: Timestamp::UNIX_EPOCH });
        steps.wait_for(|action| *action == Action::ReadScale);
        steps.step(Input::Command(Command::Press));
        steps.step(Input::Done(Outcome::ScaleRead(Some(scale("1", 2)))));
        steps.wait_for(|action| matches!(action, Action::SaveRecord(_)));
        steps.step(Input::Done(Outcome::RecordSaved));
        steps.wait_for(|action| matches!(action, Action::WriteScale { replicas: 0, .. }));
        steps.fail(Attempt::WriteScale, true, false);
        steps.wait_for(|action| *action == Action::ReadScale);
        steps
    }

    /// The Record is stored once more, which lets the trip go on, and the write is sent again.
    fn write_again(&mut self) {
        self.step(Input::Command(Command::Press));
        self.wait_for(|action| matches!(action, Action::SaveRecord(_)));
        self.step(Input::Done(Outcome::RecordSaved));
        self.wait_for(|action| matches!(action, Action::WriteScale { replicas: 0, .. }));
    }

    #[track_caller]
    fn keeps_the_replicas(&self, when: &str) {
        let replicas = self.breaker.state().trip().map(|trip| trip.replicas);
        assert_eq!(replicas, Some(2), "{when}: {:?}", self.breaker.state());
    }
}

#[test]
fn a_conflict_after_an_unclear_write_of_zero_says_that_the_scale_must_be_read_first() {
    let mut steps = Steps::after_an_unclear_write();
    steps.write_again();
    // The first write has changed the version. The read was sent before, and is not answered yet.
    steps.fail(Attempt::WriteScale, true, true);
    steps.step(Input::Command(Command::Mode(Mode::Observe)));
    steps.keeps_the_replicas("a trip may not be given up on an outdated scale");
    steps.step(Input::Done(Outcome::ScaleRead(Some(scale("1", 2)))));
    steps.keeps_the_replicas("an answer from before the conflict says nothing");
    steps.wait_for(|action| *action == Action::ReadScale);
    steps.step(Input::Done(Outcome::ScaleRead(Some(scale("2", 0)))));
    assert!(matches!(steps.breaker.state(), State::Open { .. }), "{:?}", steps.breaker.state());
    steps.keeps_the_replicas("open");
}

#[test]
fn a_refusal_after_an_unclear_write_of_zero_does_not_say_what_became_of_that_write() {
    let mut steps = Steps::after_an_unclear_write();
    steps.write_again();
    steps.fail(Attempt::WriteScale, false, false);
    steps.step(Input::Command(Command::Mode(Mode::Observe)));
    steps.keeps_the_replicas("the first write may still take effect");
    steps.step(Input::Done(Outcome::ScaleRead(Some(scale("2", 0)))));
    assert!(matches!(steps.breaker.state(), State::Open { .. }), "{:?}", steps.breaker.state());
}
