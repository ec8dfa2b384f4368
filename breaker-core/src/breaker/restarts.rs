//! New restarts: reported and counted, before the decision.

use jiff::Timestamp;

use super::machine::Breaker;
use crate::event::{BreakerEvent, RestartEvent};
use crate::ledger::Restart;
use crate::policy::Policy;
use crate::snapshot::Counts;
use crate::state::State;

impl Breaker {
    /// Settles what can be settled, reports the new restarts, and decides.
    pub(super) fn reconsider(&mut self, now: Timestamp) {
        if !self.started {
            return;
        }
        let oldest = self.oldest(now);
        if self.ledger.has_gaps() {
            let failing = self.pods.failing(now);
            self.ledger.settle(&self.policy, &failing, oldest);
        }
        let new = self.ledger.take_new(oldest);
        self.recount(oldest, now);
        let counted = self.emit_restarts(&new);
        if counted {
            self.saves.request();
        }
        self.press_again_if_due(now);
        match &self.state {
            State::Closed => self.consider(now),
            State::HalfOpen { probing: true, .. } => {
                let on_trial =
                    |restart: &Restart| counts(&self.policy, restart) && self.pods.is_live(&restart.key.pod);
                self.judge_probe(new.iter().any(on_trial), now);
            }
            _ => {}
        }
        let pods = &self.pods;
        self.ledger.forget(oldest, |uid| pods.contains(uid));
    }

    /// Most steps of most breakers see no restart in the window; they count nothing.
    fn recount(&mut self, oldest: Timestamp, now: Timestamp) {
        if self.ledger.restarts_since(oldest).next().is_none() {
            self.revisions.clear();
        } else {
            self.revisions = self.count_revisions(now);
        }
    }

    /// Reports the restarts; whether one of them counts.
    fn emit_restarts(&mut self, restarts: &[Restart]) -> bool {
        let counts = |restart: &Restart| counts(&self.policy, restart);
        let mut any = false;
        let mut lines: Vec<RestartEvent> = Vec::new();
        for (at, restart) in restarts.iter().enumerate() {
            let of = |revision: &str| revision == restart.revision;
            let Some(revision) = self.revisions.iter().find(|revision| of(&revision.revision)) else {
                continue;
            };
            any |= counts(restart);
            let later = restarts[at + 1..].iter().filter(|later| of(&later.revision) && counts(later));
            let later = u32::try_from(later.count()).unwrap_or(u32::MAX);
            let counted = revision.counts.counted.saturating_sub(later);
            // The unobserved restarts of one container share one event.
            if restart.exit_code.is_none()
                && let Some(last) = lines.last_mut()
                && last.exit_code.is_none()
                && (&last.pod, &last.container) == (&restart.pod_name, &restart.key.container)
            {
                last.times += 1;
                last.so_far.counted = counted;
                continue;
            }
            lines.push(RestartEvent::new(restart, Counts { counted, ..revision.counts }, counts(restart)));
        }
        for line in lines {
            self.emit(BreakerEvent::Restart(line));
        }
        any
    }
}

fn counts(policy: &Policy, restart: &Restart) -> bool {
    policy.counts(restart.verdict.cause, restart.verdict.peer.as_deref())
}
